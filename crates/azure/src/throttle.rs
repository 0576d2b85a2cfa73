//! Slipway's own share of Azure's rate limits: a queue and a token bucket for each, corrected by what Azure's headers say. Which call draws from which
//! is in `throttle/limits.rs`.

mod limits;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use self::limits::Limit;
use crate::transport::{Call, CallKind};

/// Where calls wait, polls get every fifth turn: what waits to write must not wait for the looking-on of all others, and they must not starve.
const TURNS_BEFORE_A_POLL: u32 = 4;
/// More lines than this are not kept, full ones of single machines first.
const MOST_LINES: usize = 20_000;
/// The longest wait that a crowd of polls asks of a poller.
const LONGEST_CROWD: Duration = Duration::from_secs(60);

/// What is left of one limit, as this client believes.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// The subscription, in lower case; empty for calls without one.
    pub subscription: String,
    /// `reads`, `writes`, `deletes` for ARM's; `PutVM`, `GetVM`, … for Compute's.
    pub limit: &'static str,
    /// Calls that fit in.
    pub burst: f64,
    /// Calls that come back each second.
    pub per_second: f64,
    /// Calls that can be made at once.
    pub left: f64,
    /// Calls that wait for their turn.
    pub waiting: usize,
}

#[derive(Default)]
pub(crate) struct Throttle {
    lines: Mutex<HashMap<(String, &'static str), Arc<Line>>>,
}

/// The callers of one bucket. They queue, so that only the first ones watch it: first come, first served, and a caller that gives up leaves no hole.
struct Line {
    calls: Queue,
    polls: Queue,
    bucket: Mutex<Bucket>,
}

#[derive(Default)]
struct Queue {
    first: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

/// Counts one that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

struct Bucket {
    burst: f64,
    per_second: f64,
    left: f64,
    filled_at: Instant,
    closed_until: Option<Instant>,
    /// Turns that others had since the last poll.
    since_poll: u32,
}

impl Throttle {
    /// Waits until the call may go.
    pub(crate) async fn turn(&self, call: &Call) {
        for limit in limits::of(call) {
            self.line(&limit).turn(call.kind == CallKind::Poll).await;
        }
    }

    /// Azure knows better: other clients of the same principal drink from the same bucket.
    pub(crate) fn learn(&self, call: &Call, headers: &HeaderMap) {
        for limit in limits::of(call) {
            if let Some(remaining) = limits::remaining(&limit, headers) {
                self.line(&limit).bucket(|bucket| {
                    bucket.fill(Instant::now());
                    bucket.left = bucket.left.min(remaining);
                });
            }
        }
    }

    /// After a 429 nobody else runs into the same wall. `by_arm`: it was ARM that refused, not the provider behind it.
    pub(crate) fn pause(&self, call: &Call, by_arm: bool, wait: Duration) {
        let mut limits = limits::of(call);
        if limits.iter().any(|limit| limit.of_compute) {
            limits.retain(|limit| limit.of_compute != by_arm);
        }
        for limit in limits {
            self.line(&limit).bucket(|bucket| {
                let now = Instant::now();
                bucket.fill(now);
                let until = now + wait.min(Duration::from_secs(60));
                bucket.closed_until = Some(bucket.closed_until.map_or(until, |old| old.max(until)));
                bucket.left = 0.0;
            });
        }
    }

    /// How long a call that queues now would wait behind the others: polling more often than that only makes the queue longer.
    pub(crate) fn crowd(&self, call: &Call) -> Duration {
        limits::of(call)
            .iter()
            .map(|limit| {
                let line = self.line(limit);
                let waiting = u32::try_from(line.waiting()).unwrap_or(u32::MAX);
                Duration::from_secs_f64(f64::from(waiting) / limit.per_second)
            })
            .max()
            .unwrap_or_default()
            .min(LONGEST_CROWD)
    }

    pub(crate) fn budgets(&self) -> Vec<Budget> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<Budget> = lines
            .iter()
            // Of single machines there are too many to show.
            .filter(|((whose, _), _)| !whose.contains('/'))
            .map(|((subscription, limit), line)| {
                line.bucket(|bucket| {
                    bucket.fill(Instant::now());
                    Budget {
                        subscription: subscription.clone(),
                        limit,
                        burst: bucket.burst,
                        per_second: bucket.per_second,
                        left: bucket.left,
                        waiting: line.waiting(),
                    }
                })
            })
            .collect();
        list.sort_by(|a, b| (&a.subscription, a.limit).cmp(&(&b.subscription, b.limit)));
        list
    }

    fn line(&self, limit: &Limit) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() > MOST_LINES {
            // A full bucket is as good as a new one.
            lines.retain(|(whose, _), line| !whose.contains('/') || !line.is_idle());
        }
        let line = lines
            .entry((limit.whose.clone(), limit.name))
            .or_insert_with(|| {
                Arc::new(Line {
                    calls: Queue::default(),
                    polls: Queue::default(),
                    bucket: Mutex::new(Bucket {
                        burst: limit.burst,
                        per_second: limit.per_second,
                        left: limit.burst,
                        filled_at: Instant::now(),
                        closed_until: None,
                        since_poll: 0,
                    }),
                })
            });
        Arc::clone(line)
    }
}

impl Line {
    async fn turn(&self, poll: bool) {
        let (own, other) = if poll {
            (&self.polls, &self.calls)
        } else {
            (&self.calls, &self.polls)
        };
        let _waiting = own.enter();
        let _first = own.first.lock().await;
        loop {
            let contested = other.len() > 0;
            let wait = self.bucket(|bucket| bucket.take(poll, contested, Instant::now()));
            match wait {
                None => return,
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn waiting(&self) -> usize {
        self.calls.len() + self.polls.len()
    }

    fn is_idle(&self) -> bool {
        self.waiting() == 0
            && self.bucket(|bucket| {
                bucket.fill(Instant::now());
                bucket.left >= bucket.burst && bucket.closed_until.is_none()
            })
    }

    fn bucket<T>(&self, f: impl FnOnce(&mut Bucket) -> T) -> T {
        f(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Queue {
    fn enter(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    fn len(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bucket {
    /// Takes one, or says how long to wait before asking again. `contested`: the other queue waits as well.
    fn take(&mut self, poll: bool, contested: bool, now: Instant) -> Option<Duration> {
        if let Some(until) = self.closed_until {
            if until > now {
                return Some(until - now);
            }
            self.closed_until = None;
        }
        self.fill(now);
        let polls_turn = self.since_poll >= TURNS_BEFORE_A_POLL;
        // Somebody else's turn is over when the token has been taken: look again when the next one is there.
        let missing = if contested && self.left < 2.0 && poll != polls_turn {
            1.0
        } else if self.left >= 1.0 {
            self.left -= 1.0;
            self.since_poll = if poll {
                0
            } else {
                self.since_poll.saturating_add(1)
            };
            return None;
        } else {
            1.0 - self.left
        };
        Some(Duration::from_secs_f64(
            (missing / self.per_second).max(0.005),
        ))
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.left = seconds.mul_add(self.per_second, self.left).min(self.burst);
        self.filled_at = now;
    }
}
