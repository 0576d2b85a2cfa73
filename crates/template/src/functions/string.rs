//! Text. Positions and lengths count UTF-16 units, as .NET does behind ARM.

use serde_json::Value;

use super::dotnet::{composite, text_of};
use super::{Args, Fault, Function, MANY, MAX_SIZE, Unknowns, called, pure, wrong};

pub(super) static TABLE: &[Function] = &[
    pure("format", 1, MANY, Unknowns::Deep, |args| {
        let mut args = Args::new(args);
        let format = args.string()?;
        composite(&format, &args.rest()).map(Value::String)
    }),
    pure("toLower", 1, 1, Unknowns::Deep, |args| {
        Ok(Args::new(args).string()?.to_lowercase().into())
    }),
    pure("toUpper", 1, 1, Unknowns::Deep, |args| {
        Ok(Args::new(args).string()?.to_uppercase().into())
    }),
    pure("trim", 1, 1, Unknowns::Deep, |args| {
        Ok(Args::new(args).string()?.trim().into())
    }),
    pure("replace", 3, 3, Unknowns::Deep, replace),
    pure("split", 2, 2, Unknowns::Deep, split),
    pure("join", 2, 2, Unknowns::Deep, join),
    pure("substring", 2, 3, Unknowns::Deep, substring),
    pure("startsWith", 2, 2, Unknowns::Deep, |args| ends(args, false)),
    pure("endsWith", 2, 2, Unknowns::Deep, |args| ends(args, true)),
    pure("like", 2, 2, Unknowns::Deep, like),
    pure("padLeft", 2, 3, Unknowns::Deep, pad_left),
    pure("string", 1, 1, Unknowns::Deep, |args| {
        Ok(text_of(&Args::new(args).value()).into())
    }),
];

/// The number of UTF-16 units.
pub(super) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

/// Part of a text, by UTF-16 units; a cut surrogate pair becomes the replacement character.
pub(super) fn utf16_slice(text: &str, from: usize, count: usize) -> String {
    if text.is_ascii() {
        return text.get(from..from + count).unwrap_or_default().to_owned();
    }
    let units: Vec<u16> = text.encode_utf16().skip(from).take(count).collect();
    String::from_utf16_lossy(&units)
}

/// Where `part` stands in `text`, in any case, as ARM's `indexOf` looks for it.
pub(super) fn utf16_find(text: &str, part: &str, last: bool) -> Option<usize> {
    let (text, part) = (text.to_lowercase(), part.to_lowercase());
    let at = if last {
        text.rfind(&part)
    } else {
        text.find(&part)
    };
    at.and_then(|at| text.get(..at)).map(utf16_len)
}

fn replace(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (text, old, new) = (args.string()?, args.string()?, args.string()?);
    if old.is_empty() {
        return wrong("the text to replace is empty");
    }
    let grown = text
        .matches(&old)
        .count()
        .saturating_mul(new.len())
        .saturating_add(text.len());
    if grown > MAX_SIZE {
        return wrong("the text becomes too large");
    }
    Ok(text.replace(&old, &new).into())
}

fn split(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let text = args.string()?;
    let separators: Vec<String> = match args.value() {
        Value::String(separator) => vec![separator],
        Value::Array(separators) => separators
            .iter()
            .map(|separator| match separator {
                Value::String(separator) => Ok(separator.clone()),
                other => wrong(format!("separators are strings, one is {}", called(other))),
            })
            .collect::<Result<_, _>>()?,
        other => {
            return wrong(format!(
                "the separator is a string or an array of strings, not {}",
                called(&other)
            ));
        }
    };
    if text.len().saturating_mul(separators.len()) > 16 * MAX_SIZE {
        return wrong("too many separators for a text of this length");
    }
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match separators
            .iter()
            .find(|s| !s.is_empty() && rest.starts_with(s.as_str()))
        {
            Some(separator) => {
                parts.push(Value::from(text.get(start..at).unwrap_or_default()));
                at += separator.len();
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(Value::from(text.get(start..).unwrap_or_default()));
    Ok(Value::Array(parts))
}

fn join(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let items = args.array()?;
    let separator = args.string()?;
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        if item.is_array() || item.is_object() {
            return wrong(format!(
                "strings and integers are joined; one item is {}",
                called(item)
            ));
        }
        if i > 0 {
            out.push_str(&separator);
        }
        out.push_str(&text_of(item));
        if out.len() > MAX_SIZE {
            return wrong("the text becomes too large");
        }
    }
    Ok(out.into())
}

fn substring(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let text = args.string()?;
    let start = args.int()?;
    let length = args.optional_int()?;
    let whole = utf16_len(&text);
    let bounds = usize::try_from(start)
        .ok()
        .filter(|start| *start <= whole)
        .and_then(|start| {
            let count = match length {
                Some(length) => usize::try_from(length).ok()?,
                None => whole - start,
            };
            (start.checked_add(count)? <= whole).then_some((start, count))
        });
    match bounds {
        Some((start, count)) => Ok(utf16_slice(&text, start, count).into()),
        // The words of Microsoft's reference.
        None => wrong(format!(
            "The index and length parameters must refer to a location within the string. The index parameter: '{start}', the length parameter: '{}', the length of the string parameter: '{whole}'.",
            length.map_or_else(|| "to the end".to_owned(), |length| length.to_string())
        )),
    }
}

/// `startsWith` and `endsWith` compare in any case.
fn ends(args: Vec<Value>, end: bool) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (text, part) = (args.string()?.to_lowercase(), args.string()?.to_lowercase());
    Ok(Value::Bool(if end {
        text.ends_with(&part)
    } else {
        text.starts_with(&part)
    }))
}

/// Whether the text is of the pattern, in any case: `*` stands for any characters, or none.
fn like(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (text, pattern) = (args.string()?.to_lowercase(), args.string()?.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return Ok(Value::Bool(false));
    };
    let Some(last) = parts.next_back() else {
        return Ok(Value::Bool(rest.is_empty()));
    };
    // What stands between two stars may be taken where it is first met.
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return Ok(Value::Bool(false)),
        }
    }
    Ok(Value::Bool(rest.ends_with(last)))
}

fn pad_left(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let text = match args.value() {
        text @ (Value::String(_) | Value::Number(_)) => text_of(&text),
        other => {
            return wrong(format!(
                "a string or an integer is padded, not {}",
                called(&other)
            ));
        }
    };
    let total = usize::try_from(args.int()?).unwrap_or(0);
    let with = args.optional_string()?.unwrap_or_else(|| " ".into());
    let mut chars = with.chars();
    let (Some(with), None) = (chars.next(), chars.next()) else {
        return wrong("the padding is one character");
    };
    let missing = total.saturating_sub(utf16_len(&text));
    if missing > MAX_SIZE / 4 {
        return wrong("the text becomes too large");
    }
    Ok(std::iter::repeat_n(with, missing)
        .chain(text.chars())
        .collect::<String>()
        .into())
}
