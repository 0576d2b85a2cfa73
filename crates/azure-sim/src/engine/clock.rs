//! The simulator's time: the machine's or the runtime's, plus what tests stepped it by; and how much faster than Azure things happen. Who waits for it is in `engine.rs`.

use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

use crate::Time;

/// How far time can be stepped in all, either way: a hundred years.
pub(crate) const FARTHEST_MS: i64 = 100 * 365 * 86_400 * 1000;

pub(crate) struct Clock {
    /// When the runtime's clock stood at which moment, where that clock is followed.
    begun: Option<(OffsetDateTime, tokio::time::Instant)>,
    ahead_ms: AtomicI64,
    speed: f64,
}

impl Clock {
    pub(crate) fn new(time: Time, ahead_ms: i64, speed: f64) -> Clock {
        Clock {
            begun: match time {
                Time::Machine => None,
                Time::Runtime => Some((OffsetDateTime::now_utc(), tokio::time::Instant::now())),
            },
            ahead_ms: AtomicI64::new(ahead_ms),
            speed,
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        let now = match self.begun {
            None => OffsetDateTime::now_utc(),
            Some((moment, instant)) => moment + instant.elapsed(),
        };
        let ahead = self.ahead_ms.load(Ordering::Acquire);
        now.saturating_add(Duration::milliseconds(
            ahead.clamp(-FARTHEST_MS, FARTHEST_MS),
        ))
    }

    pub(crate) fn set_ahead(&self, ms: i64) {
        self.ahead_ms.store(ms, Ordering::Release);
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }
}
