//! Token buckets by key, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::Rate;

/// Buckets in memory at most; a bucket that is full again is forgotten first.
const MOST: usize = 50_000;
/// How often full buckets are looked for at most.
const SWEEP: Duration = Duration::from_secs(1);

/// One bucket per key. A bucket is one time: that at which it is full again (the generic cell rate algorithm), so an idle one needs no memory.
pub(crate) struct Buckets<K> {
    rate: Rate,
    most: usize,
    inner: Mutex<Inner<K>>,
}

struct Inner<K> {
    full_at: HashMap<K, Instant>,
    /// The one bucket of all keys that find no place of their own.
    others: Option<Instant>,
    swept: Option<Instant>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self::with_room(rate, MOST)
    }

    fn with_room(rate: Rate, most: usize) -> Self {
        Self {
            rate,
            most,
            inner: Mutex::new(Inner {
                full_at: HashMap::new(),
                others: None,
                swept: None,
            }),
        }
    }

    /// The rate of each bucket.
    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes tokens, or says after how long so many are there. More than a bucket holds count as a whole bucket.
    ///
    /// # Errors
    /// The time to wait, where there are too few; nothing is taken then.
    pub(crate) fn take(&self, key: K, tokens: u32) -> Result<(), Duration> {
        self.take_at(key, tokens, Instant::now())
    }

    fn take_at(&self, key: K, tokens: u32, now: Instant) -> Result<(), Duration> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let known = inner.full_at.contains_key(&key);
        if !known && inner.full_at.len() >= self.most {
            inner.sweep(now);
        }
        let shared = !known && inner.full_at.len() >= self.most;
        let full_at = if shared {
            inner.others
        } else {
            inner.full_at.get(&key).copied()
        };
        let interval = Duration::from_secs(1) / self.rate.per_second.get();
        let burst = self.rate.burst.get();
        let full_at = full_at.unwrap_or(now).max(now) + interval * tokens.min(burst);
        let ahead = full_at.duration_since(now);
        if let Some(wait) = ahead.checked_sub(interval * burst)
            && !wait.is_zero()
        {
            return Err(wait);
        }
        if shared {
            inner.others = Some(full_at);
        } else {
            inner.full_at.insert(key, full_at);
        }
        Ok(())
    }
}

impl<K: Eq + Hash> Inner<K> {
    /// Forgets the buckets that are full again.
    fn sweep(&mut self, now: Instant) {
        if self
            .swept
            .is_some_and(|swept| now.duration_since(swept) < SWEEP)
        {
            return;
        }
        self.swept = Some(now);
        self.full_at.retain(|_, full_at| *full_at > now);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate {
            per_second: NonZeroU32::new(per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let buckets = Buckets::new(rate(10, 120));
        let start = Instant::now();
        for _ in 0..120 {
            assert_eq!(buckets.take_at("a", 1, start), Ok(()));
        }
        assert_eq!(
            buckets.take_at("a", 1, start),
            Err(Duration::from_millis(100))
        );
        assert_eq!(buckets.take_at("b", 1, start), Ok(()), "another's is full");
        // What was refused costs nothing.
        let later = start + Duration::from_millis(100);
        assert_eq!(buckets.take_at("a", 1, later), Ok(()));
        assert_eq!(
            buckets.take_at("a", 5, later),
            Err(Duration::from_millis(500))
        );
        // A minute later the bucket is full, not fuller.
        let rested = start + Duration::from_secs(60);
        assert_eq!(buckets.take_at("a", 120, rested), Ok(()));
        assert!(buckets.take_at("a", 1, rested).is_err());
    }

    #[test]
    fn a_call_that_costs_more_than_a_bucket_holds_costs_all_of_it() {
        let buckets = Buckets::new(rate(1, 5));
        let start = Instant::now();
        assert_eq!(buckets.take_at("a", 100, start), Ok(()));
        assert_eq!(buckets.take_at("a", 1, start), Err(Duration::from_secs(1)));
    }

    #[test]
    fn memory_is_bounded_and_strangers_share_what_is_left() {
        let buckets = Buckets::with_room(rate(1, 2), 100);
        let start = Instant::now();
        for key in 0..100 {
            assert_eq!(buckets.take_at(key, 1, start), Ok(()));
        }
        for key in 100..102 {
            assert_eq!(buckets.take_at(key, 1, start), Ok(()));
        }
        for key in 102..10_000 {
            assert!(buckets.take_at(key, 1, start).is_err());
        }
        assert_eq!(buckets.inner.lock().unwrap().full_at.len(), 100);
        assert_eq!(
            buckets.take_at(7, 1, start),
            Ok(()),
            "a known one keeps its own"
        );
        // Full buckets make room.
        let later = start + Duration::from_secs(5);
        for key in 200..300 {
            assert_eq!(buckets.take_at(key, 2, later), Ok(()));
        }
    }
}
