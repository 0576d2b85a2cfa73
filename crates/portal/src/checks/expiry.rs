//! How long a stack lives: `30d`, a date, or empty for *until deleted*.

use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};
use types::time::Timestamp;

const DATE: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// Ten years: longer is *until deleted*.
const LONGEST_DAYS: i64 = 3_650;

/// When it ends, counted from `from`.
///
/// # Errors
/// What would be accepted, as a sentence.
pub(super) fn parse(text: &str, from: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    const FORMS: &str = "Write a number of days such as 30d, a date such as 2027-01-31, or leave it empty for: until deleted.";
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(days) = text.strip_suffix('d') {
        if days.is_empty() || !days.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FORMS);
        }
        let days: i64 = days.parse().unwrap_or(i64::MAX);
        if !(1..=LONGEST_DAYS).contains(&days) {
            return Err("Between 1 and 3,650 days, or empty for: until deleted.");
        }
        return Ok(Some(from.plus(Duration::days(days))));
    }
    if text.len() != 10 {
        return Err(FORMS);
    }
    let date = Date::parse(text, DATE).map_err(|_| FORMS)?;
    // A stack lives through the day it names, in UTC.
    let end = OffsetDateTime::new_utc(date, Time::MIDNIGHT).saturating_add(Duration::days(1));
    let end = Timestamp::new(end);
    if end <= from {
        return Err("This day is over. Take a later one.");
    }
    if end.since(from) > Duration::days(LONGEST_DAYS + 1) {
        return Err("At most ten years ahead, or empty for: until deleted.");
    }
    Ok(Some(end))
}
