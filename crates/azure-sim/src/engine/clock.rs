//! The simulator's time: the machine's, plus what tests stepped it by; and how much faster than Azure things happen. Who waits for it is in `engine.rs`.

use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

pub(crate) struct Clock {
    ahead_ms: AtomicI64,
    speed: f64,
}

impl Clock {
    pub(crate) fn new(ahead_ms: i64, speed: f64) -> Clock {
        Clock {
            ahead_ms: AtomicI64::new(ahead_ms),
            speed,
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::milliseconds(self.ahead_ms.load(Ordering::Acquire))
    }

    pub(crate) fn set_ahead(&self, ms: i64) {
        self.ahead_ms.store(ms, Ordering::Release);
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }
}
