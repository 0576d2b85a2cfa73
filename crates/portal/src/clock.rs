//! The one clock: the system's, or one that a test holds still and moves. Nothing else in the portal asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};
use types::time::Timestamp;

/// Where *now* comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Microseconds since 1970, shared by all clones.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `at` until [`Clock::advance`] moves it; clones move together.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(micros(at)))))
    }

    /// Now, in UTC, to the microsecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => OffsetDateTime::now_utc().into(),
            Source::Fixed(at) => {
                let nanos = i128::from(at.load(Ordering::SeqCst)) * 1_000;
                OffsetDateTime::from_unix_timestamp_nanos(nanos)
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH)
                    .into()
            }
        }
    }

    /// Moves a fixed clock; the system's goes its own way.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(at) = &self.0 {
            let micros = i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX);
            at.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.get().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
