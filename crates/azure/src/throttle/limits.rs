//! Which of Azure's token buckets a call draws from, and what its headers tell of them.
//!
//! ARM: learn.microsoft.com, "Understand how Azure Resource Manager throttles requests": per subscription, region and principal 250 reads
//! (25 a second), 200 writes (10 a second), 200 deletes (10 a second). Compute: learn.microsoft.com, "Compute throttling limits": per machine and
//! per subscription, filled by a third each minute.

use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use crate::error::{Error, ErrorKind};
use crate::transport::{Call, CallKind, text};

/// How the headers begin in which ARM counts, before `subscription` or `tenant`.
const RATE_LIMIT: &str = "x-ms-ratelimit-remaining-";

/// One bucket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    /// The subscription in lower case (empty for calls without one), or the path of one machine or operation.
    pub(crate) whose: String,
    pub(crate) name: &'static str,
    /// Calls that fit in.
    pub(crate) burst: f64,
    /// Calls that come back.
    pub(crate) per_second: f64,
    /// It is Compute's.
    pub(crate) of_compute: bool,
}

/// The buckets that a call draws from, the narrowest first.
pub(crate) fn of(call: &Call) -> Vec<Limit> {
    let (name, burst, per_second) = match call.kind {
        CallKind::Read | CallKind::Poll => ("reads", 250.0, 25.0),
        CallKind::Write => ("writes", 200.0, 10.0),
        CallKind::Delete => ("deletes", 200.0, 10.0),
        CallKind::Anonymous => return Vec::new(),
    };
    let subscription = subscription(&call.url);
    let mut limits = compute(&call.method, call.url.path(), &subscription);
    limits.push(Limit {
        whose: subscription,
        name,
        burst,
        per_second,
        of_compute: false,
    });
    limits
}

fn compute(method: &Method, path: &str, subscription: &str) -> Vec<Limit> {
    let path = path.to_lowercase();
    let Some((scope, rest)) = path.split_once("/providers/microsoft.compute/") else {
        return Vec::new();
    };
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let (name, own, all) = match parts.as_slice() {
        ["locations", _, "operations", _] => ("GetOperation", Some(45.0), 15_000.0),
        ["virtualmachines"] => ("ListVM", None, 900.0),
        ["virtualmachines", _, below @ ..] => match *method {
            Method::GET | Method::HEAD => ("GetVM", Some(36.0), 24_000.0),
            Method::PUT if below.is_empty() => ("PutVM", Some(12.0), 1_500.0),
            Method::DELETE => ("DeleteVM", Some(12.0), 1_500.0),
            Method::POST if below == ["deallocate"] => ("DeleteVM", Some(12.0), 1_500.0),
            _ => ("UpdateVM", Some(12.0), 1_500.0),
        },
        _ => return Vec::new(),
    };
    let limit = |whose: String, burst: f64| Limit {
        whose,
        name,
        burst,
        per_second: burst / 180.0,
        of_compute: true,
    };
    let one = match parts.as_slice() {
        ["virtualmachines", machine, ..] => format!("{scope}/virtualmachines/{machine}"),
        _ => format!("{scope}/{rest}"),
    };
    own.map(|burst| limit(one, burst))
        .into_iter()
        .chain([limit(subscription.to_owned(), all)])
        .collect()
}

/// What Azure says is left of a bucket.
pub(crate) fn remaining(limit: &Limit, headers: &HeaderMap) -> Option<f64> {
    if limit.of_compute {
        return remaining_of_compute(limit, headers);
    }
    // A provider that overrode ARM's numbers has its count sent in place of the usual ones.
    let overridden = format!("{RATE_LIMIT}{}-resource-requests", limit.scope());
    remaining_of_arm(limit, headers)
        .into_iter()
        .chain(count(headers, &overridden))
        .reduce(f64::min)
}

/// The buckets that a 429 says are empty; none where it does not tell of a shared one, and the refused call alone waits: another provider's own limit,
/// or a lock for which Microsoft.Network answers 429 too.
pub(crate) fn emptied(call: &Call, headers: &HeaderMap, error: &Error) -> Vec<Limit> {
    if error.kind() != ErrorKind::Throttled {
        return Vec::new();
    }
    let (compute, arm): (Vec<Limit>, Vec<Limit>) =
        of(call).into_iter().partition(|limit| limit.of_compute);
    if arm.iter().any(|limit| by_arm(call, limit, headers, error)) {
        return arm;
    }
    let (told, untold): (Vec<Limit>, Vec<Limit>) = compute
        .into_iter()
        .partition(|limit| remaining_of_compute(limit, headers) == Some(0.0));
    if !told.is_empty() {
        return told;
    }
    // Without a count the text tells the whole subscription from one machine, the narrower being the more likely one.
    let whole = untold
        .iter()
        .position(|limit| !limit.is_of_one() && names_subscription(error, limit.name));
    untold
        .into_iter()
        .nth(whole.unwrap_or_default())
        .into_iter()
        .collect()
}

/// Whether ARM itself refused. Its own errors name the gateway, and nobody else answers for groups and deployments.
fn by_arm(call: &Call, limit: &Limit, headers: &HeaderMap, error: &Error) -> bool {
    // These are of one resource or one kind of resource, not of the subscription.
    if error.has_code("ResourceRequestsThrottled")
        || error.has_code("ResourceCollectionRequestsThrottled")
    {
        return false;
    }
    error.has_code("SubscriptionRequestsThrottled")
        || text(headers, "x-ms-failure-cause").as_deref() == Some("gateway")
        || remaining_of_arm(limit, headers) == Some(0.0)
        || provider(call.url.path()).is_none_or(|name| name == "microsoft.resources")
}

fn names_subscription(error: &Error, name: &str) -> bool {
    let policy = format!("{name}Subscription");
    [error.message(), &error.cause().message]
        .iter()
        .any(|text| text.contains(&policy) || text.contains("this subscription"))
}

/// The namespace that the address ends in, in lower case.
fn provider(path: &str) -> Option<String> {
    let path = path.to_lowercase();
    let (_, rest) = path.rsplit_once("/providers/")?;
    rest.split('/').next().map(str::to_owned)
}

/// The smallest of ARM's counts: that of the region and, where it is sent, that of all regions.
fn remaining_of_arm(limit: &Limit, headers: &HeaderMap) -> Option<f64> {
    let (scope, name) = (limit.scope(), limit.name);
    [
        format!("{RATE_LIMIT}{scope}-{name}"),
        format!("{RATE_LIMIT}{scope}-global-{name}"),
    ]
    .iter()
    .filter_map(|header| count(headers, header))
    .reduce(f64::min)
}

/// `Microsoft.Compute/PutVM3Min;238,Microsoft.Compute/PutVMResource;11`, in one header or in several. What Azure calls its newer buckets is not published.
fn remaining_of_compute(limit: &Limit, headers: &HeaderMap) -> Option<f64> {
    let endings: &[&str] = if limit.is_of_one() {
        &["Resource"]
    } else {
        &["", "3Min", "30Min", "Subscription"]
    };
    headers
        .get_all("x-ms-ratelimit-remaining-resource")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|entry| {
            let (name, left) = entry.trim().split_once(';')?;
            let ending = name
                .strip_prefix("Microsoft.Compute/")?
                .strip_prefix(limit.name)?;
            endings.contains(&ending).then(|| number(left))?
        })
        .reduce(f64::min)
}

fn count(headers: &HeaderMap, name: &str) -> Option<f64> {
    number(&text(headers, name)?)
}

/// A whole number of calls: what `f64` reads besides is no count.
fn number(text: &str) -> Option<f64> {
    let count = text.trim().parse::<i64>().ok()?;
    Some(f64::from(u32::try_from(count.max(0)).unwrap_or(u32::MAX)))
}

impl Limit {
    /// It is of one machine or operation.
    pub(crate) fn is_of_one(&self) -> bool {
        self.whose.contains('/')
    }

    /// ARM's word for what it counts by.
    fn scope(&self) -> &'static str {
        if self.whose.is_empty() {
            "tenant"
        } else {
            "subscription"
        }
    }
}

pub(crate) fn subscription(url: &Url) -> String {
    let mut segments = url.path_segments().into_iter().flatten();
    match (segments.next(), segments.next()) {
        (Some(word), Some(id)) if word.eq_ignore_ascii_case("subscriptions") => id.to_lowercase(),
        _ => String::new(),
    }
}
