//! Slipway's own share of ARM's rate limits: a token bucket per subscription and kind of call, corrected by what Azure's headers say.
//!
//! Limits: learn.microsoft.com, "Understand how Azure Resource Manager throttles requests": per subscription, region and principal 250 reads
//! (25 a second), 200 writes (10 a second), 200 deletes (10 a second).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;
use url::Url;

use crate::transport::{CallKind, text};

/// What is left of one limit, as this client believes.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// The subscription, in lower case; empty for calls without one.
    pub subscription: String,
    /// `reads`, `writes` or `deletes`.
    pub kind: &'static str,
    /// Calls that can be made at once.
    pub left: f64,
}

#[derive(Default)]
pub(crate) struct Throttle {
    lines: Mutex<HashMap<(String, Limit), Arc<Line>>>,
}

/// Callers queue, so that only the first one watches the bucket: first come, first served, and a caller that gives up leaves no hole.
struct Line {
    first: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Limit {
    Reads,
    Writes,
    Deletes,
}

struct Bucket {
    left: f64,
    filled_at: Instant,
    closed_until: Option<Instant>,
}

impl Limit {
    fn of(kind: CallKind) -> Option<Self> {
        match kind {
            CallKind::Read | CallKind::Poll => Some(Self::Reads),
            CallKind::Write => Some(Self::Writes),
            CallKind::Delete => Some(Self::Deletes),
            CallKind::Anonymous => None,
        }
    }

    fn size(self) -> f64 {
        match self {
            Self::Reads => 250.0,
            Self::Writes | Self::Deletes => 200.0,
        }
    }

    fn per_second(self) -> f64 {
        match self {
            Self::Reads => 25.0,
            Self::Writes | Self::Deletes => 10.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Reads => "x-ms-ratelimit-remaining-subscription-reads",
            Self::Writes => "x-ms-ratelimit-remaining-subscription-writes",
            Self::Deletes => "x-ms-ratelimit-remaining-subscription-deletes",
        }
    }
}

impl Throttle {
    /// Waits until the call may go.
    pub(crate) async fn turn(&self, url: &Url, kind: CallKind) {
        let Some(limit) = Limit::of(kind) else {
            return;
        };
        let line = self.line(url, limit);
        let _first = line.first.lock().await;
        while let Some(wait) = line.bucket(|bucket| bucket.take(limit, Instant::now())) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Azure knows better: other clients of the same principal drink from the same bucket.
    pub(crate) fn learn(&self, url: &Url, kind: CallKind, headers: &HeaderMap) {
        let Some(limit) = Limit::of(kind) else {
            return;
        };
        let remaining = text(headers, limit.header()).and_then(|left| left.parse::<f64>().ok());
        if let Some(remaining) = remaining {
            self.line(url, limit).bucket(|bucket| {
                bucket.fill(limit, Instant::now());
                bucket.left = bucket.left.min(remaining);
            });
        }
    }

    /// After a 429 nobody else runs into the same wall.
    pub(crate) fn pause(&self, url: &Url, kind: CallKind, wait: Duration) {
        let Some(limit) = Limit::of(kind) else {
            return;
        };
        self.line(url, limit).bucket(|bucket| {
            let now = Instant::now();
            bucket.fill(limit, now);
            let until = now + wait.min(Duration::from_secs(60));
            bucket.closed_until = Some(bucket.closed_until.map_or(until, |old| old.max(until)));
            bucket.left = 0.0;
        });
    }

    pub(crate) fn budgets(&self) -> Vec<Budget> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<Budget> = lines
            .iter()
            .map(|((subscription, limit), line)| Budget {
                subscription: subscription.clone(),
                kind: limit.name(),
                left: line.bucket(|bucket| {
                    bucket.fill(*limit, Instant::now());
                    bucket.left
                }),
            })
            .collect();
        list.sort_by(|a, b| (&a.subscription, a.kind).cmp(&(&b.subscription, b.kind)));
        list
    }

    fn line(&self, url: &Url, limit: Limit) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry((subscription(url), limit)).or_insert_with(|| {
            Arc::new(Line {
                first: tokio::sync::Mutex::default(),
                bucket: Mutex::new(Bucket {
                    left: limit.size(),
                    filled_at: Instant::now(),
                    closed_until: None,
                }),
            })
        });
        Arc::clone(line)
    }
}

impl Line {
    fn bucket<T>(&self, f: impl FnOnce(&mut Bucket) -> T) -> T {
        f(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bucket {
    /// Takes one, or says how long to wait before asking again.
    fn take(&mut self, limit: Limit, now: Instant) -> Option<Duration> {
        if let Some(until) = self.closed_until {
            if until > now {
                return Some(until - now);
            }
            self.closed_until = None;
        }
        self.fill(limit, now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return None;
        }
        let missing = (1.0 - self.left) / limit.per_second();
        Some(Duration::from_secs_f64(missing.max(0.005)))
    }

    fn fill(&mut self, limit: Limit, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.left = (self.left + seconds * limit.per_second()).min(limit.size());
        self.filled_at = now;
    }
}

fn subscription(url: &Url) -> String {
    let mut segments = url.path_segments().into_iter().flatten();
    match (segments.next(), segments.next()) {
        (Some(word), Some(id)) if word.eq_ignore_ascii_case("subscriptions") => id.to_lowercase(),
        _ => String::new(),
    }
}
