//! Points in time and spans, as people read them; the exact moment is always in `datetime`.

use leptos::prelude::*;
use types::time::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `22 Nov 2026, 14:02 UTC`.
pub(crate) fn moment(at: Timestamp) -> AnyView {
    let day = date_text(at).replace(' ', "\u{a0}");
    let text = format!("{day}, {}\u{a0}UTC", clock_text(at, false));
    let exact = at.to_string();
    // On a narrow page it breaks, but only between the day and the hour.
    view! { <time datetime=exact.clone() title=exact>{text}</time> }.into_any()
}

/// `14:02:11`.
pub(crate) fn clock(at: Timestamp) -> AnyView {
    element(at, clock_text(at, true))
}

/// `22 Nov 2026`.
pub(crate) fn date(at: Timestamp) -> AnyView {
    element(at, date_text(at))
}

/// `22 minutes ago`, `in 3 days`.
pub(crate) fn ago(at: Timestamp) -> AnyView {
    let seconds = crate::clock::now().since(at).whole_seconds();
    let text = match seconds {
        -44..=44 => "just now".to_owned(),
        s if s < 0 => format!("in {}", span(-s)),
        s => format!("{} ago", span(s)),
    };
    element(at, text)
}

fn element(at: Timestamp, text: String) -> AnyView {
    let exact = at.to_string();
    view! {
        <time datetime=exact.clone() title=exact class="whitespace-nowrap">
            {text}
        </time>
    }
    .into_any()
}

fn date_text(at: Timestamp) -> String {
    let at = at.get();
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    format!("{} {month} {}", at.day(), at.year())
}

fn clock_text(at: Timestamp, seconds: bool) -> String {
    let at = at.get();
    if seconds {
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    } else {
        format!("{:02}:{:02}", at.hour(), at.minute())
    }
}

/// A span in its largest sensible unit: `40 minutes`, `1 hour 10 minutes`, `3 days`.
pub(crate) fn span(seconds: i64) -> String {
    let count = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match seconds {
        ..=59 => count(seconds.max(0), "second"),
        60..=3_599 => count(seconds / 60, "minute"),
        3_600..=86_399 => {
            let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
            if minutes == 0 || hours >= 6 {
                count(hours, "hour")
            } else {
                format!("{} {}", count(hours, "hour"), count(minutes, "minute"))
            }
        }
        _ => count(seconds / 86_400, "day"),
    }
}

/// How long people usually take, known to the minute.
pub(crate) fn usually(minutes: u32) -> String {
    match minutes {
        0 => "less than a minute".to_owned(),
        n => span(i64::from(n) * 60),
    }
}

/// A duration of work: `0.9 s`, `29 s`, `2 min 4 s`, `1 h 3 min`.
pub(crate) fn took(millis: i64) -> String {
    match millis {
        ..=9_949 => {
            let tenths = (millis.max(0) + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        9_950..=59_499 => format!("{} s", (millis + 500) / 1_000),
        59_500..=3_599_999 => {
            let seconds = (millis + 500) / 1_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        _ => format!(
            "{} h {} min",
            millis / 3_600_000,
            millis % 3_600_000 / 60_000
        ),
    }
}

/// From one moment to another, or to now.
pub(crate) fn between(from: Timestamp, to: Option<Timestamp>) -> String {
    let to = to.unwrap_or_else(crate::clock::now);
    took(i64::try_from(to.since(from).whole_milliseconds()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_timed_in_the_unit_that_fits() {
        assert_eq!(took(870), "0.9 s");
        assert_eq!(took(29_400), "29 s");
        assert_eq!(took(124_000), "2 min 4 s");
        assert_eq!(took(3_780_000), "1 h 3 min");
    }

    #[test]
    fn waiting_is_told_in_words() {
        assert_eq!(span(60), "1 minute");
        assert_eq!(span(4_200), "1 hour 10 minutes");
        assert_eq!(span(200_000), "2 days");
    }
}
