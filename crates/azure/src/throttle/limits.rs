//! Which of Azure's token buckets a call draws from, and what its headers tell of them.
//!
//! ARM: learn.microsoft.com, "Understand how Azure Resource Manager throttles requests": per subscription, region and principal 250 reads
//! (25 a second), 200 writes (10 a second), 200 deletes (10 a second). Compute: learn.microsoft.com, "Compute throttling limits": per machine and
//! per subscription, filled by a third each minute.

use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use crate::transport::{Call, CallKind, text};

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
    if !limit.of_compute {
        let header = match limit.name {
            "reads" => "x-ms-ratelimit-remaining-subscription-reads",
            "writes" => "x-ms-ratelimit-remaining-subscription-writes",
            _ => "x-ms-ratelimit-remaining-subscription-deletes",
        };
        return text(headers, header)?.parse().ok();
    }
    // `Microsoft.Compute/PutVM3Min;238,Microsoft.Compute/PutVMResource;11`: what Azure calls its newer buckets is not published.
    let of_one = limit.whose.contains('/');
    text(headers, "x-ms-ratelimit-remaining-resource")?
        .split(',')
        .filter_map(|entry| {
            let (name, left) = entry.trim().split_once(';')?;
            let rest = name.strip_prefix("Microsoft.Compute/")?;
            let rest = rest.strip_prefix(limit.name)?;
            (rest.ends_with("Resource") == of_one).then(|| left.parse().ok())?
        })
        .reduce(f64::min)
}

pub(crate) fn subscription(url: &Url) -> String {
    let mut segments = url.path_segments().into_iter().flatten();
    match (segments.next(), segments.next()) {
        (Some(word), Some(id)) if word.eq_ignore_ascii_case("subscriptions") => id.to_lowercase(),
        _ => String::new(),
    }
}
