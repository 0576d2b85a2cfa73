//! ARM's token buckets: per subscription, reads, writes and deletes (facts: azure.md 4.7). Compute's own buckets are not modelled.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use time::OffsetDateTime;

use crate::wire::errors::Refusal;
use crate::wire::headers::set;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Reads,
    Writes,
    Deletes,
}

impl Class {
    /// How many fit in, and how many come per second.
    fn size(self) -> (f64, f64) {
        match self {
            Class::Reads => (250.0, 25.0),
            Class::Writes | Class::Deletes => (200.0, 10.0),
        }
    }

    fn headers(self) -> (&'static str, &'static str) {
        match self {
            Class::Reads => (
                "x-ms-ratelimit-remaining-subscription-reads",
                "x-ms-ratelimit-remaining-subscription-global-reads",
            ),
            Class::Writes => (
                "x-ms-ratelimit-remaining-subscription-writes",
                "x-ms-ratelimit-remaining-subscription-global-writes",
            ),
            Class::Deletes => (
                "x-ms-ratelimit-remaining-subscription-deletes",
                "x-ms-ratelimit-remaining-subscription-global-deletes",
            ),
        }
    }
}

pub(crate) struct Limits {
    bite: bool,
    buckets: Mutex<HashMap<(String, Class), (f64, OffsetDateTime)>>,
}

/// What is left after a request, for its headers.
pub(crate) struct Left(Class, f64);

impl Limits {
    pub(crate) fn new(bite: bool) -> Limits {
        Limits {
            bite,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes a token. Buckets fill by the simulator's clock.
    pub(crate) fn take(
        &self,
        subscription: &str,
        method: &Method,
        now: OffsetDateTime,
    ) -> Result<Left, Refusal> {
        let class = match *method {
            Method::GET | Method::HEAD => Class::Reads,
            Method::DELETE => Class::Deletes,
            _ => Class::Writes,
        };
        let (size, rate) = class.size();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, at) = buckets
            .entry((subscription.to_ascii_lowercase(), class))
            .or_insert((size, now));
        let passed = (now - *at).as_seconds_f64().max(0.0);
        *level = (*level + passed * rate).min(size);
        *at = now;
        if *level < 1.0 && self.bite {
            let wait = ((1.0 - *level) / rate).ceil().max(1.0);
            let mut refusal = Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "SubscriptionRequestsThrottled",
                format!("Number of requests for subscription '{subscription}' exceeded the limit of '{size}' for time interval '00:00:01'. Please try again after '{wait}' seconds."),
            )
            .by_gateway();
            refusal.retry_after = Some(wait as u64);
            return Err(refusal);
        }
        *level = (*level - 1.0).max(0.0);
        Ok(Left(class, *level))
    }
}

impl Left {
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let (here, global) = self.0.headers();
        let spent = self.0.size().0 - self.1;
        set(headers, here, &(self.1 as u64).to_string());
        let all = self.0.size().0.mul_add(15.0, -spent);
        set(headers, global, &(all as u64).to_string());
    }
}
