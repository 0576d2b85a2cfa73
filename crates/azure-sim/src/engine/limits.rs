//! ARM's token buckets: per subscription, reads, writes and deletes; and Compute's, per machine and per subscription (facts: azure.md 4.7).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
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

/// Compute's policies. Azure does not publish what its newer buckets are called; these names are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Policy {
    Put,
    Update,
    Delete,
    Get,
    List,
    Operation,
}

impl Policy {
    /// Which policy counts a call to Compute; `None` for what is not a machine. `rest` is the lower-case path behind the provider.
    fn of(method: &Method, rest: &str) -> Option<Policy> {
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            ["locations", _, "operations", _] => Some(Policy::Operation),
            ["virtualmachines"] => Some(Policy::List),
            ["virtualmachines", _, below @ ..] => Some(match *method {
                Method::GET | Method::HEAD => Policy::Get,
                Method::PUT if below.is_empty() => Policy::Put,
                Method::DELETE => Policy::Delete,
                Method::POST if below == ["deallocate"] => Policy::Delete,
                _ => Policy::Update,
            }),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Policy::Put => "PutVM",
            Policy::Update => "UpdateVM",
            Policy::Delete => "DeleteVM",
            Policy::Get => "GetVM",
            Policy::List => "ListVM",
            Policy::Operation => "GetOperation",
        }
    }

    /// How many calls fit in, of one machine (or operation) and of a subscription; a third of that comes back per minute.
    fn sizes(self) -> (Option<f64>, f64) {
        match self {
            Policy::Put | Policy::Update | Policy::Delete => (Some(12.0), 1500.0),
            Policy::Get => (Some(36.0), 24_000.0),
            Policy::List => (None, 900.0),
            Policy::Operation => (Some(45.0), 15_000.0),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bucket {
    Arm(String, Class),
    /// Of a subscription, or of one path.
    Compute(String, Policy),
}

pub(crate) struct Limits {
    bite: bool,
    buckets: Mutex<HashMap<Bucket, Level>>,
}

struct Level {
    /// Below zero where a deployment has booked what is not there yet.
    left: f64,
    at: OffsetDateTime,
    size: f64,
    /// Per second.
    rate: f64,
    /// Calls that got a token, and calls that did not.
    taken: u64,
    refused: u64,
}

/// The books of one bucket.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    subscription: String,
    /// `Microsoft.Resources/Writes`, `Microsoft.Compute/PutVM`, ….
    limit: String,
    /// Calls that fit in.
    burst: f64,
    refill_per_second: f64,
    taken: u64,
    refused: u64,
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
        let bucket = Bucket::Arm(subscription.to_ascii_lowercase(), class);
        match self.draw(bucket, size, rate, now) {
            Ok(level) => Ok(Left(class, level)),
            Err(wait) => Err(refuse(
                "SubscriptionRequestsThrottled",
                format!("Number of requests for subscription '{subscription}' exceeded the limit of '{size}' for time interval '00:00:01'. Please try again after '{wait}' seconds."),
                wait,
            )
            .by_gateway()),
        }
    }

    /// Takes Compute's tokens for a path; the header's value, or `None` where Compute does not count.
    pub(crate) fn take_compute(
        &self,
        method: &Method,
        path: &str,
        now: OffsetDateTime,
    ) -> Result<Option<String>, Refusal> {
        let path = path.to_ascii_lowercase();
        let Some((scope, rest)) = path.split_once("/providers/microsoft.compute/") else {
            return Ok(None);
        };
        let Some(policy) = Policy::of(method, rest.trim_end_matches('/')) else {
            return Ok(None);
        };
        let subscription = scope.split('/').nth(2).unwrap_or_default().to_owned();
        let machine = rest.split('/').take(2).collect::<Vec<_>>().join("/");
        let (own, all) = policy.sizes();
        let own = own.map(|size| {
            // An operation's own path is longer than a machine's.
            let of = match policy {
                Policy::Operation => rest.to_owned(),
                _ => format!("{scope}/{machine}"),
            };
            ("Resource", Bucket::Compute(of, policy), size)
        });
        let all = ("Subscription", Bucket::Compute(subscription, policy), all);
        let mut told = Vec::new();
        for (whose, bucket, size) in own.into_iter().chain([all]) {
            let level = self
                .draw(bucket, size, size / 180.0, now)
                .map_err(|wait| {
                    refuse(
                        "TooManyRequests",
                        format!(
                            "The request is being throttled as the limit has been reached for operation type - {}{whose}. For more information, see https://aka.ms/vmthrottling",
                            policy.name()
                        ),
                        wait,
                    )
                })?;
            told.push(format!(
                "Microsoft.Compute/{}{whose};{}",
                policy.name(),
                level as u64
            ));
        }
        Ok(Some(told.join(",")))
    }

    /// Books a virtual machine that a deployment makes: how long the deployment waits for Compute, which would answer it 429 meanwhile.
    pub(crate) fn book_machine(&self, subscription: &str, now: OffsetDateTime) -> time::Duration {
        if !self.bite {
            return time::Duration::ZERO;
        }
        let bucket = Bucket::Compute(subscription.to_ascii_lowercase(), Policy::Put);
        let (_, size) = Policy::Put.sizes();
        self.level(bucket, size, size / 180.0, now, |level| {
            level.left -= 1.0;
            level.taken += 1;
            time::Duration::seconds_f64((-level.left / level.rate).max(0.0))
        })
    }

    /// The books of every bucket that belongs to a whole subscription.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts: Vec<Account> = buckets
            .iter()
            .filter_map(|(bucket, level)| {
                let (subscription, limit) = match bucket {
                    Bucket::Arm(of, class) => (of, format!("Microsoft.Resources/{class:?}")),
                    Bucket::Compute(of, policy) if !of.contains('/') => {
                        (of, format!("Microsoft.Compute/{}", policy.name()))
                    }
                    Bucket::Compute(..) => return None,
                };
                Some(Account {
                    subscription: subscription.clone(),
                    limit,
                    burst: level.size,
                    refill_per_second: level.rate,
                    taken: level.taken,
                    refused: level.refused,
                })
            })
            .collect();
        accounts.sort_by(|a, b| (&a.subscription, &a.limit).cmp(&(&b.subscription, &b.limit)));
        accounts
    }

    /// What is left in the bucket after this call, or how many seconds until there is something again.
    fn draw(&self, bucket: Bucket, size: f64, rate: f64, now: OffsetDateTime) -> Result<f64, u64> {
        self.level(bucket, size, rate, now, |level| {
            if level.left < 1.0 && self.bite {
                level.refused += 1;
                return Err(((1.0 - level.left) / rate).ceil().max(1.0) as u64);
            }
            level.left = (level.left - 1.0).max(0.0);
            level.taken += 1;
            Ok(level.left)
        })
    }

    /// The bucket as it is now.
    fn level<R>(
        &self,
        bucket: Bucket,
        size: f64,
        rate: f64,
        now: OffsetDateTime,
        act: impl FnOnce(&mut Level) -> R,
    ) -> R {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        // Full buckets are as good as none: ten thousand machines must not leave ten thousand of them. Those of subscriptions are few, and are books.
        if buckets.len() > 20_000 {
            buckets.retain(|bucket, level| {
                !matches!(bucket, Bucket::Compute(of, _) if of.contains('/'))
                    || now - level.at < time::Duration::minutes(3)
            });
        }
        let level = buckets.entry(bucket).or_insert(Level {
            left: size,
            at: now,
            size,
            rate,
            taken: 0,
            refused: 0,
        });
        let passed = (now - level.at).as_seconds_f64().max(0.0);
        level.left = passed.mul_add(rate, level.left).min(size);
        level.at = now;
        act(level)
    }
}

fn refuse(code: &str, message: String, wait: u64) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message);
    refusal.retry_after = Some(wait);
    refusal
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
