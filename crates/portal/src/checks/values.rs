//! Values of a template's fields: from what a form or a REST client sends to what the ARM parameter takes.

use regex::Regex;
use serde_json::Value;
use template::{Parameter, ParameterType};
use types::Object;
use types::catalogue::{ManifestField, Widget};
use types::problem::FieldError;

use super::reserved;
use super::text::{LINE, Lines, error, unfit};
use crate::ssh_keys::PublicKey;

/// Longest text of several lines where the ARM parameter does not say less.
const TEXT: usize = 8_192;
/// Most entries of a list or map.
const ENTRIES: usize = 64;

/// Reads one field. `Ok(None)` means: nothing was given, the template's default holds.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(
    name: &str,
    value: &Value,
    field: &ManifestField,
    parameter: &Parameter,
    pattern: Option<&Regex>,
) -> Result<Option<Value>, Vec<FieldError>> {
    let at = format!("parameters.{name}");
    let one = |code: &str, message: String| vec![error(&at, code, message)];
    if field.widget == Some(Widget::SshPublicKey) {
        return public_key(&at, value).map_err(|found| vec![found]);
    }
    if let Some(found) = hostile(&at, value, field, parameter) {
        return Err(vec![found]);
    }
    let Some(value) =
        convert(value, parameter.kind).map_err(|message| one("type", message.to_owned()))?
    else {
        return Ok(None);
    };
    // Text that a form sent became an object or a number only now.
    if let Some(found) = reserved::problem(&at, &value) {
        return Err(vec![found]);
    }
    let mut errors = Vec::new();
    if let Some(allowed) = &parameter.allowed
        && !allowed.contains(&value)
    {
        let words: Vec<String> = allowed.iter().map(plain).collect();
        errors.extend(one("not_allowed", format!("One of: {}.", words.join(", "))));
    }
    if let Some(message) = out_of_bounds(&value, parameter, field.unit.as_deref()) {
        errors.extend(one("out_of_range", message));
    }
    if let Some(pattern) = pattern
        && !texts(&value).iter().all(|text| pattern.is_match(text))
    {
        errors.extend(one(
            "pattern",
            field
                .pattern_help
                .clone()
                .unwrap_or_else(|| format!("It must match {}.", pattern.as_str())),
        ));
    }
    if errors.is_empty() {
        Ok(Some(value))
    } else {
        Err(errors)
    }
}

/// One SSH key, which says itself what is wrong with it.
fn public_key(at: &str, value: &Value) -> Result<Option<Value>, FieldError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text,
        _ => return Err(error(at, "type", "This is a text.")),
    };
    let length = text.chars().count();
    if length > TEXT {
        return Err(error(
            at,
            "too_long",
            format!("At most {TEXT} characters; this has {length}."),
        ));
    }
    match PublicKey::parse(text) {
        Ok(key) => Ok(Some(Value::String(key.into_line()))),
        Err(bad) => Err(error(at, bad.code, bad.message)),
    }
}

/// A value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn hostile(
    at: &str,
    value: &Value,
    field: &ManifestField,
    parameter: &Parameter,
) -> Option<FieldError> {
    let many = field.widget == Some(Widget::TextArea)
        || matches!(parameter.kind, ParameterType::Array | ParameterType::Object);
    let (lines, default) = if many {
        (Lines::Many, TEXT)
    } else {
        (Lines::One, LINE)
    };
    let longest = match (parameter.kind, parameter.max_length) {
        (ParameterType::String, Some(max)) => usize::try_from(max).unwrap_or(default),
        _ => default,
    };
    match value {
        Value::String(text) => unfit(at, text, lines, longest),
        Value::Array(items) if items.len() > ENTRIES => {
            Some(error(at, "too_many", format!("At most {ENTRIES} entries.")))
        }
        Value::Object(members) if members.len() > ENTRIES => {
            Some(error(at, "too_many", format!("At most {ENTRIES} entries.")))
        }
        Value::Array(items) => items
            .iter()
            .find_map(|item| hostile(at, item, field, parameter)),
        Value::Object(members) => members.iter().find_map(|(key, value)| {
            unfit(at, key, Lines::One, LINE).or_else(|| hostile(at, value, field, parameter))
        }),
        _ => None,
    }
}

/// Forms send text only; REST clients send JSON. Both mean the same.
fn convert(value: &Value, kind: ParameterType) -> Result<Option<Value>, &'static str> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => Some(text.trim()),
        _ => None,
    };
    let converted = match (kind, text) {
        (ParameterType::String | ParameterType::SecureString, Some(text)) => Value::from(text),
        (ParameterType::String | ParameterType::SecureString, None) => {
            return Err("This is a text.");
        }
        (ParameterType::Int, Some(text)) => {
            let number: i64 = text.parse().map_err(|_| "This is a whole number.")?;
            Value::from(number)
        }
        (ParameterType::Int, None) => Value::from(value.as_i64().ok_or("This is a whole number.")?),
        (ParameterType::Bool, Some("true" | "on" | "yes")) => Value::Bool(true),
        (ParameterType::Bool, Some("false" | "off" | "no")) => Value::Bool(false),
        (ParameterType::Bool, None) if value.is_boolean() => value.clone(),
        (ParameterType::Bool, _) => return Err("This is yes or no: true or false."),
        (ParameterType::Array, Some(text)) => text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(Value::from)
            .collect(),
        (ParameterType::Array, None) if value.is_array() => value.clone(),
        (ParameterType::Array, None) => return Err("This is a list."),
        (ParameterType::Object | ParameterType::SecureObject, Some(text)) => {
            let mut members = Object::new();
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let (key, value) = line
                    .split_once('=')
                    .ok_or("Write one name=value on each line.")?;
                if members
                    .insert(key.trim().to_owned(), Value::from(value.trim()))
                    .is_some()
                {
                    return Err("A name stands here twice.");
                }
            }
            Value::Object(members)
        }
        (ParameterType::Object | ParameterType::SecureObject, None) if value.is_object() => {
            value.clone()
        }
        (ParameterType::Object | ParameterType::SecureObject, None) => {
            return Err("These are names with values.");
        }
        (ParameterType::Any, _) => value.clone(),
    };
    Ok(Some(converted))
}

fn out_of_bounds(value: &Value, parameter: &Parameter, unit: Option<&str>) -> Option<String> {
    let (found, least, most, what) = match value {
        Value::Number(number) => (
            number.as_i64()?,
            parameter.min_value,
            parameter.max_value,
            unit.unwrap_or(""),
        ),
        Value::String(text) => (
            i64::try_from(text.chars().count()).ok()?,
            parameter.min_length.and_then(|n| i64::try_from(n).ok()),
            parameter.max_length.and_then(|n| i64::try_from(n).ok()),
            "characters",
        ),
        Value::Array(items) => (
            i64::try_from(items.len()).ok()?,
            parameter.min_length.and_then(|n| i64::try_from(n).ok()),
            parameter.max_length.and_then(|n| i64::try_from(n).ok()),
            "entries",
        ),
        _ => return None,
    };
    let too_small = least.is_some_and(|least| found < least);
    let too_big = most.is_some_and(|most| found > most);
    if !too_small && !too_big {
        return None;
    }
    let bounds = match (least, most) {
        (Some(least), Some(most)) => format!("Between {least} and {most} {what}"),
        (Some(least), None) => format!("At least {least} {what}"),
        (_, Some(most)) => format!("At most {most} {what}"),
        (None, None) => return None,
    };
    Some(format!("{}.", bounds.trim_end()))
}

/// The texts that a field's pattern is about: the text itself, each entry of a list, each `name=value` of a map.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| format!("{key}={}", plain(value)))
            .collect(),
        other => vec![plain(other)],
    }
}
