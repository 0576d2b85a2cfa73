//! How long to wait before a call is made again: what Azure asks for, in each form that it is sent in, and what is chosen where it asks for nothing.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::transport::text;

/// Longer than this is not waited for, whatever was asked: by then a mistaken wait has done more harm than another call would.
const LONGEST: Duration = Duration::from_secs(3600);

/// What an answer asks for, an hour at most. The spellings in milliseconds are the finer ones and go first.
pub(crate) fn asked_for(headers: &HeaderMap) -> Option<Duration> {
    ["retry-after-ms", "x-ms-retry-after-ms"]
        .iter()
        .find_map(|name| number(&text(headers, name)?))
        .map(Duration::from_millis)
        .or_else(|| {
            let value = text(headers, RETRY_AFTER.as_str())?;
            number(&value)
                .map(Duration::from_secs)
                .or_else(|| until(&value, headers))
        })
        .map(|wait| wait.min(LONGEST))
}

/// A number too large to be read is a very long wait, not none.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// An HTTP date, measured by the clock of the server that wrote it.
fn until(value: &str, headers: &HeaderMap) -> Option<Duration> {
    let date = |text: &str| OffsetDateTime::parse(text.trim(), &Rfc2822).ok();
    let then = date(value)?;
    let now = text(headers, DATE.as_str())
        .and_then(|text| date(&text))
        .unwrap_or_else(OffsetDateTime::now_utc);
    Some((then - now).try_into().unwrap_or_default())
}

/// Between a quarter of an exponential ceiling and the whole of it, so that many workers do not come back together, and none at once.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let ceiling = 500u64.saturating_mul(1 << attempt.min(4));
    Duration::from_millis(rand::random_range(ceiling / 4..=ceiling))
}
