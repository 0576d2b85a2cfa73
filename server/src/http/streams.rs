//! How many event streams each person has open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The count by person. Sessions and tokens of one person count together.
#[derive(Clone)]
pub(crate) struct Streams {
    most: u32,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

/// One stream; dropped with it.
pub(crate) struct OpenStream {
    streams: Streams,
    subject: String,
}

impl Streams {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// How many one person may have.
    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// Counts one more; `None` when that would be too many.
    pub(crate) fn open(&self, subject: &str) -> Option<OpenStream> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(subject.to_owned()).or_default();
        if *count >= self.most {
            if *count == 0 {
                open.remove(subject);
            }
            return None;
        }
        *count += 1;
        Some(OpenStream {
            streams: self.clone(),
            subject: subject.to_owned(),
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Streams;

    #[test]
    fn a_stream_that_ends_makes_room_and_nobody_is_remembered() {
        let streams = Streams::new(2);
        let one = streams.open("developer").unwrap();
        let two = streams.open("developer").unwrap();
        assert!(streams.open("developer").is_none());
        assert!(streams.open("owner").is_some());
        drop(one);
        assert!(streams.open("developer").is_some());
        drop(two);
        assert!(streams.open.lock().unwrap().is_empty());
        assert!(Streams::new(0).open("developer").is_none());
    }
}
