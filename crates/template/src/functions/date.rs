//! Dates: reading them, adding durations, writing them with .NET's format strings. `utcNow` is in `evaluate`.
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings>.

use serde_json::Value;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::{Args, Fault, Function, Unknowns, pure, wrong};

pub(super) static TABLE: &[Function] =
    &[
        pure("dateTimeAdd", 2, 3, Unknowns::Deep, add),
        pure("dateTimeFromEpoch", 1, 1, Unknowns::Deep, |args| {
            match OffsetDateTime::from_unix_timestamp(Args::new(args).int()?) {
                Ok(date) => formatted(date, "yyyy-MM-ddTHH:mm:ssZ").map(Value::String),
                Err(_) => wrong("the number of seconds leaves the years 1 to 9999"),
            }
        }),
        pure("dateTimeToEpoch", 1, 1, Unknowns::Deep, |args| {
            read(&Args::new(args).string()?).map(|date| date.unix_timestamp().into())
        }),
    ];

/// Adds an ISO 8601 duration. Without a format the result is written as Microsoft's examples show it, `4/7/2023 2:53:14 PM`,
/// which is another culture than that of formats that are given.
fn add(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let base = read(&args.string()?)?;
    let duration = args.string()?;
    let format = args.optional_string()?;
    let date = moved(base, &duration)?;
    formatted(date, format.as_deref().unwrap_or("M/d/yyyy h:mm:ss tt")).map(Value::String)
}

/// Reads the ways of writing dates that templates use: ISO 8601 extended and basic, `2020-04-07 14:53:14Z`, and what
/// [`add`] writes. Without an offset it is UTC.
fn read(text: &str) -> Result<OffsetDateTime, Fault> {
    match parsed(text.trim()) {
        Some(date) => Ok(date),
        None => wrong("the text is no date that is understood; write it as `2020-04-07T14:53:14Z`"),
    }
}

fn parsed(text: &str) -> Option<OffsetDateTime> {
    if !text.is_ascii() {
        return None;
    }
    if text.contains('/') {
        return american(text);
    }
    let digits = |part: &str| -> Option<u32> {
        (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (date_text, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let parts: Vec<&str> = if date_text.contains('-') {
        date_text.split('-').collect()
    } else {
        vec![
            date_text.get(..4)?,
            date_text.get(4..6)?,
            date_text.get(6..)?,
        ]
    };
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let date = Date::from_calendar_date(
        i32::try_from(digits(year)?).ok()?,
        Month::try_from(u8::try_from(digits(month)?).ok()?).ok()?,
        u8::try_from(digits(day)?).ok()?,
    )
    .ok()?;
    let Some(rest) = rest else {
        return Some(PrimitiveDateTime::new(date, Time::MIDNIGHT).assume_utc());
    };
    let (clock, offset) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest[..at].trim(), read_offset(&rest[at..])?),
        None => (rest, UtcOffset::UTC),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<&str> = if clock.contains(':') {
        clock.split(':').collect()
    } else {
        vec![
            clock.get(..2)?,
            clock.get(2..4)?,
            clock.get(4..).filter(|s| !s.is_empty()).unwrap_or("0"),
        ]
    };
    let byte = |i: usize| -> Option<u8> {
        match parts.get(i) {
            Some(part) => u8::try_from(digits(part)?).ok(),
            None => Some(0),
        }
    };
    if parts.len() < 2 || parts.len() > 3 || fraction.len() > 9 {
        return None;
    }
    let nanos = if fraction.is_empty() {
        0
    } else {
        digits(&format!("{fraction:0<9}"))?
    };
    let time = Time::from_hms_nano(byte(0)?, byte(1)?, byte(2)?, nanos).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset))
}

fn read_offset(text: &str) -> Option<UtcOffset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(UtcOffset::UTC);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let rest = rest.replace(':', "");
    let hours: i8 = rest.get(..2)?.parse().ok()?;
    let minutes: i8 = rest
        .get(2..)
        .filter(|s| !s.is_empty())
        .map_or(Some(0), |m| m.parse().ok())?;
    let turn = if sign == "-" { -1 } else { 1 };
    UtcOffset::from_hms(turn * hours, turn * minutes, 0).ok()
}

/// `4/7/2023 2:53:14 PM`
fn american(text: &str) -> Option<OffsetDateTime> {
    let mut words = text.split_whitespace();
    let parts: Vec<i32> = words
        .next()?
        .split('/')
        .map(|p| p.parse().ok())
        .collect::<Option<_>>()?;
    let [month, day, year] = parts.as_slice() else {
        return None;
    };
    let date = Date::from_calendar_date(
        *year,
        Month::try_from(u8::try_from(*month).ok()?).ok()?,
        u8::try_from(*day).ok()?,
    )
    .ok()?;
    let time = match words.next() {
        None => Time::MIDNIGHT,
        Some(clock) => {
            let parts: Vec<u8> = clock
                .split(':')
                .map(|p| p.parse().ok())
                .collect::<Option<_>>()?;
            let hour = *parts.first()?;
            let hour = match words.next().map(str::to_ascii_uppercase).as_deref() {
                Some("PM") if hour < 12 => hour + 12,
                Some("AM") if hour == 12 => 0,
                Some("AM" | "PM") | None => hour,
                Some(_) => return None,
            };
            Time::from_hms(hour, *parts.get(1)?, parts.get(2).copied().unwrap_or(0)).ok()?
        }
    };
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// Adds an ISO 8601 duration such as `P1Y2M3DT4H5M6S`, `-PT1H`, `P2W`.
fn moved(base: OffsetDateTime, text: &str) -> Result<OffsetDateTime, Fault> {
    let bad = || wrong("the duration is not ISO 8601; write it like `P3Y`, `-P9D` or `PT1H30M`");
    let out = || wrong("the date leaves the years 1 to 9999");
    let (sign, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1_i64, rest),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let Some(rest) = rest.strip_prefix('P') else {
        return bad();
    };
    let mut in_time = false;
    let mut number = String::new();
    let (mut months, mut seconds) = (0_i64, 0_f64);
    let mut any = false;
    for c in rest.chars() {
        if c == 'T' && number.is_empty() && !in_time {
            in_time = true;
            continue;
        }
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        let Ok(count) = number.parse::<f64>() else {
            return bad();
        };
        number.clear();
        any = true;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates; out of range is caught below"
        )]
        let whole = count as i64;
        match (c, in_time) {
            ('Y', false) => months = months.saturating_add(whole.saturating_mul(12)),
            ('M', false) => months = months.saturating_add(whole),
            ('W', false) => seconds += count * 604_800.0,
            ('D', false) => seconds += count * 86_400.0,
            ('H', true) => seconds += count * 3_600.0,
            ('M', true) => seconds += count * 60.0,
            ('S', true) => seconds += count,
            _ => return bad(),
        }
    }
    if !any || !number.is_empty() {
        return bad();
    }
    let Some(date) = add_months(base, months.saturating_mul(sign)) else {
        return out();
    };
    if seconds > 1e12 {
        return out();
    }
    #[expect(clippy::cast_precision_loss, reason = "the sign is 1 or -1")]
    let duration = Duration::seconds_f64(seconds * sign as f64);
    match date.checked_add(duration) {
        Some(date) => Ok(date),
        None => out(),
    }
}

/// Adds months; a day that the month has not becomes its last, as in .NET.
fn add_months(base: OffsetDateTime, months: i64) -> Option<OffsetDateTime> {
    let index = i64::from(base.year()) * 12 + i64::from(u8::from(base.month())) - 1 + months;
    let year = i32::try_from(index.div_euclid(12))
        .ok()
        .filter(|year| (1..=9999).contains(year))?;
    let month = Month::try_from(u8::try_from(index.rem_euclid(12)).ok()? + 1).ok()?;
    let day = base.day().min(month.length(year));
    Some(base.replace_date(Date::from_calendar_date(year, month, day).ok()?))
}

/// Writes a date by a .NET format: one letter is a standard format, more a custom one. The culture is the invariant one, as
/// Microsoft's example of `utcNow('d')` shows (`03/05/2019`).
pub(crate) fn formatted(date: OffsetDateTime, format: &str) -> Result<String, Fault> {
    let custom = match format {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "" | "G" => "MM/dd/yyyy HH:mm:ss",
        "M" | "m" => "MMMM dd",
        "O" | "o" => "yyyy-MM-ddTHH:mm:ss.fffffffK",
        "R" | "r" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ss'Z'",
        "Y" | "y" => "yyyy MMMM",
        other if other.chars().count() == 1 => {
            return wrong(format!(
                "the date format `{other}` is not known; use a standard .NET letter or a custom format"
            ));
        }
        other => other,
    };
    let mut out = String::new();
    let mut chars = custom.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                for inner in chars.by_ref() {
                    if inner == c {
                        break;
                    }
                    out.push(inner);
                }
            }
            '\\' => out.extend(chars.next()),
            '%' => {}
            'y' | 'M' | 'd' | 'H' | 'h' | 'm' | 's' | 'f' | 'F' | 't' | 'K' | 'z' => {
                let mut count = 1;
                while chars.peek() == Some(&c) {
                    chars.next();
                    count += 1;
                }
                out.push_str(&field(date, c, count)?);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn field(date: OffsetDateTime, letter: char, count: usize) -> Result<String, Fault> {
    let padded = |number: u32| format!("{number:0>width$}", width = count.min(2));
    let month = || date.month().to_string();
    let weekday = || date.weekday().to_string();
    let short = |name: String| name.chars().take(3).collect::<String>();
    let hour12 = || match date.hour() % 12 {
        0 => 12,
        hour => u32::from(hour),
    };
    Ok(match (letter, count) {
        ('y', 1 | 2) => format!("{:0>count$}", date.year() % 100),
        ('y', _) => format!("{:0>count$}", date.year()),
        ('M', 1 | 2) => padded(u32::from(u8::from(date.month()))),
        ('M', 3) => short(month()),
        ('M', _) => month(),
        ('d', 1 | 2) => padded(u32::from(date.day())),
        ('d', 3) => short(weekday()),
        ('d', _) => weekday(),
        ('H', _) => padded(u32::from(date.hour())),
        ('h', _) => padded(hour12()),
        ('m', _) => padded(u32::from(date.minute())),
        ('s', _) => padded(u32::from(date.second())),
        ('f' | 'F', 1..=7) => {
            let digits: String = format!("{:09}", date.nanosecond())
                .chars()
                .take(count)
                .collect();
            if letter == 'F' {
                digits.trim_end_matches('0').to_owned()
            } else {
                digits
            }
        }
        ('t', 1) => if date.hour() < 12 { "A" } else { "P" }.to_owned(),
        ('t', _) => if date.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        ('K', _) if date.offset().is_utc() => "Z".to_owned(),
        ('K' | 'z', _) => {
            let (hours, minutes, _) = date.offset().as_hms();
            let sign = if hours < 0 || minutes < 0 { '-' } else { '+' };
            match (letter, count) {
                ('z', 1) => format!("{sign}{}", hours.unsigned_abs()),
                ('z', 2) => format!("{sign}{:02}", hours.unsigned_abs()),
                _ => format!(
                    "{sign}{:02}:{:02}",
                    hours.unsigned_abs(),
                    minutes.unsigned_abs()
                ),
            }
        }
        _ => {
            return wrong(format!(
                "{count} times `{letter}` is no part of a date format"
            ));
        }
    })
}
