//! Comparison: `equals`, `less`, `greater` and their kin, `coalesce`; and three-valued equality, which other functions use.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Args, Fault, Function, MANY, Unknowns, called, pure, wrong};
use crate::runtime::is_unknown;

pub(super) static TABLE: &[Function] = &[
    pure("equals", 2, 2, Unknowns::Own, equals),
    pure("less", 2, 2, Unknowns::Deep, |args| {
        ordered(args, Ordering::is_lt)
    }),
    pure("lessOrEquals", 2, 2, Unknowns::Deep, |args| {
        ordered(args, Ordering::is_le)
    }),
    pure("greater", 2, 2, Unknowns::Deep, |args| {
        ordered(args, Ordering::is_gt)
    }),
    pure("greaterOrEquals", 2, 2, Unknowns::Deep, |args| {
        ordered(args, Ordering::is_ge)
    }),
    pure("coalesce", 1, MANY, Unknowns::Own, coalesce),
];

fn equals(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    match same(&args.value(), &args.value()) {
        Some(answer) => Ok(Value::Bool(answer)),
        None => Err(Fault::Unknown),
    }
}

/// Whether two values are equal; `None` where that hangs on an unknown. Strings compare by case, member order does not count.
pub(crate) fn same(a: &Value, b: &Value) -> Option<bool> {
    if is_unknown(a) || is_unknown(b) {
        return None;
    }
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            all(a.iter().zip(b).map(|(a, b)| same(a, b)))
        }
        (Value::Object(a), Value::Object(b)) => {
            if a.len() != b.len() || a.keys().any(|key| !b.contains_key(key)) {
                return Some(false);
            }
            all(a
                .iter()
                .map(|(key, a)| b.get(key).map_or(Some(false), |b| same(a, b))))
        }
        (Value::Number(a), Value::Number(b)) => {
            Some(a == b || (a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())))
        }
        (a, b) => Some(a == b),
    }
}

/// Three-valued and: one `false` decides, whatever is unknown beside it.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}

fn ordered(args: Vec<Value>, holds: fn(Ordering) -> bool) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    compare(&args.value(), &args.value()).map(|order| Value::Bool(holds(order)))
}

/// The order of two integers or two strings. Strings compare as .NET's invariant culture has it, as far as letters go:
/// letters first, then lower before upper case (Microsoft's reference of `greater`: 'A' is greater than 'a').
pub(crate) fn compare(a: &Value, b: &Value) -> Result<Ordering, Fault> {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => Ok(x.cmp(&y)),
            _ => Ok(x
                .as_f64()
                .partial_cmp(&y.as_f64())
                .unwrap_or(Ordering::Equal)),
        },
        (Value::String(x), Value::String(y)) => Ok(compare_text(x, y)),
        _ => wrong(format!(
            "two integers or two strings can be compared, not {} and {}",
            called(a),
            called(b)
        )),
    }
}

fn compare_text(x: &str, y: &str) -> Ordering {
    let folded = x
        .chars()
        .flat_map(char::to_lowercase)
        .cmp(y.chars().flat_map(char::to_lowercase));
    folded.then_with(|| {
        x.chars()
            .zip(y.chars())
            .find(|(a, b)| a != b)
            .map_or(Ordering::Equal, |(a, b)| {
                match (a.is_lowercase(), b.is_lowercase()) {
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                    _ => a.cmp(&b),
                }
            })
    })
}

fn coalesce(args: Vec<Value>) -> Result<Value, Fault> {
    for value in args {
        if is_unknown(&value) {
            return Err(Fault::Unknown);
        }
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}
