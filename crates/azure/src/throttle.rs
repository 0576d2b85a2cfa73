//! Slipway's own share of Azure's rate limits: a queue and a token bucket for each, corrected by what Azure's headers say. Which call draws from which
//! is in `throttle/limits.rs`.

mod limits;
pub(crate) mod wait;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use self::limits::Limit;
use crate::error::{Error, ErrorKind};
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
    /// Calls that can be made at once; none while Azure has asked to wait.
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

/// A call whose turn does not come before its deadline.
#[derive(Debug)]
pub(crate) struct Late {
    /// How long Azure still wants no such calls; `None` where it is only that too many wait.
    pub(crate) closed_for: Option<Duration>,
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
    /// Waits until the call may go; not at all where it is known that this will be after the deadline.
    pub(crate) async fn turn(&self, call: &Call, deadline: Instant) -> Result<(), Late> {
        for limit in limits::of(call) {
            let line = self.line(&limit);
            let turn = line.turn(call.kind == CallKind::Poll, deadline);
            match tokio::time::timeout_at(deadline, turn).await {
                Ok(Ok(())) => {}
                Ok(Err(late)) => return Err(late),
                Err(_) => {
                    let closed_for = line.bucket(|bucket| bucket.closed_for(Instant::now()));
                    return Err(Late { closed_for });
                }
            }
        }
        Ok(())
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

    /// After a 429 nobody else runs into the same wall: the lines of the buckets that it says are empty close.
    pub(crate) fn pause(&self, call: &Call, headers: &HeaderMap, error: &Error, wait: Duration) {
        for limit in limits::emptied(call, headers, error) {
            self.line(&limit)
                .bucket(|bucket| bucket.close(Instant::now(), wait));
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

impl From<Late> for Error {
    fn from(late: Late) -> Self {
        let Some(wait) = late.closed_for else {
            return Self::new(
                ErrorKind::Throttled,
                "WaitedTooLong",
                "Slipway's own share of Azure's rate limit is used up; the call was not sent.",
            );
        };
        let seconds = wait.as_secs().max(1);
        let message = format!(
            "Azure wants no more calls of this kind for {seconds} s; the call was not sent."
        );
        Self::new(ErrorKind::Throttled, "PausedByAzure", message).with_retry_after(Some(wait))
    }
}

impl Line {
    async fn turn(&self, poll: bool, deadline: Instant) -> Result<(), Late> {
        let (own, other) = if poll {
            (&self.polls, &self.calls)
        } else {
            (&self.calls, &self.polls)
        };
        self.opens_before(deadline)?;
        let _waiting = own.enter();
        let _first = own.first.lock().await;
        loop {
            self.opens_before(deadline)?;
            let contested = other.len() > 0;
            let wait = self.bucket(|bucket| bucket.take(poll, contested, Instant::now()));
            match wait {
                None => return Ok(()),
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn opens_before(&self, deadline: Instant) -> Result<(), Late> {
        let now = Instant::now();
        match self.bucket(|bucket| bucket.closed_for(now)) {
            Some(wait) if wait >= deadline.saturating_duration_since(now) => Err(Late {
                closed_for: Some(wait),
            }),
            _ => Ok(()),
        }
    }

    fn waiting(&self) -> usize {
        self.calls.len() + self.polls.len()
    }

    fn is_idle(&self) -> bool {
        self.waiting() == 0
            && self.bucket(|bucket| {
                bucket.fill(Instant::now());
                bucket.left >= bucket.burst && bucket.closed_for(Instant::now()).is_none()
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
        if let Some(wait) = self.closed_for(now) {
            return Some(wait);
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

    /// Nothing comes back before it reopens: what Azure's bucket gains meanwhile is what Azure waits for.
    fn close(&mut self, now: Instant, wait: Duration) {
        let until = now.checked_add(wait).unwrap_or(now);
        let until = self.closed_until.map_or(until, |old| old.max(until));
        self.closed_until = Some(until);
        self.left = 0.0;
        self.filled_at = until;
    }

    fn closed_for(&self, now: Instant) -> Option<Duration> {
        let wait = self.closed_until?.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.left = seconds.mul_add(self.per_second, self.left).min(self.burst);
        self.filled_at = self.filled_at.max(now);
    }
}
