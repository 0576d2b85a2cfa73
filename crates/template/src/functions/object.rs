//! Objects: making, merging, listing them, and looking into them leniently.

use serde_json::{Map, Value, json};

use super::{Args, Fault, Function, MANY, Unknowns, called, int_of, member, pure, wrong};
use crate::runtime::{MARK, is_unknown};

pub(super) static TABLE: &[Function] = &[
    pure("createObject", 0, MANY, Unknowns::Own, create_object),
    pure("items", 1, 1, Unknowns::Shallow, items),
    pure("objectKeys", 1, 1, Unknowns::Shallow, |args| {
        let object = Args::new(args).object()?;
        Ok(Value::Array(
            object
                .into_iter()
                .map(|(name, _)| Value::String(name))
                .collect(),
        ))
    }),
    pure("shallowMerge", 1, 1, Unknowns::Own, shallow_merge),
    pure("tryGet", 2, MANY, Unknowns::Shallow, try_get),
];

fn create_object(args: Vec<Value>) -> Result<Value, Fault> {
    if !args.len().is_multiple_of(2) {
        return wrong("names and values come in pairs; one value is missing");
    }
    let mut object = Map::new();
    let mut args = Args::new(args);
    while let Some(name) = args.next() {
        let value = args.value();
        match name {
            Value::String(name) => {
                object.insert(name, value);
            }
            name if is_unknown(&name) => return Err(Fault::Unknown),
            other => {
                return wrong(format!(
                    "a member's name is a string, not {}",
                    called(&other)
                ));
            }
        }
    }
    if object.len() == 1 && object.contains_key(MARK) {
        return wrong(format!(
            "`{MARK}` is reserved for values that are not known yet; use another name"
        ));
    }
    Ok(Value::Object(object))
}

/// Members as `{key, value}`, in alphabetical order of the keys.
fn items(args: Vec<Value>) -> Result<Value, Fault> {
    let mut members: Vec<_> = Args::new(args).object()?.into_iter().collect();
    members.sort_by(|(a, _), (b, _)| {
        a.to_lowercase()
            .cmp(&b.to_lowercase())
            .then_with(|| a.cmp(b))
    });
    Ok(members
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect())
}

fn shallow_merge(args: Vec<Value>) -> Result<Value, Fault> {
    let mut out: Map<String, Value> = Map::new();
    for value in Args::new(args).array()? {
        if is_unknown(&value) {
            return Err(Fault::Unknown);
        }
        let Value::Object(members) = value else {
            return wrong(format!(
                "an array of objects is merged; one item is {}",
                called(&value)
            ));
        };
        for (name, value) in members {
            let key = out
                .keys()
                .find(|key| key.eq_ignore_ascii_case(&name))
                .cloned()
                .unwrap_or(name);
            out.insert(key, value);
        }
    }
    Ok(Value::Object(out))
}

/// Follows members and indexes; null where one is missing.
fn try_get(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let mut current = args.value();
    for key in args.rest() {
        if is_unknown(&current) {
            return Err(Fault::Unknown);
        }
        current = match (&current, &key) {
            (Value::Object(members), Value::String(name)) => member(members, name).cloned(),
            (Value::Array(items), key) => match int_of(key) {
                Some(index) => usize::try_from(index)
                    .ok()
                    .and_then(|i| items.get(i))
                    .cloned(),
                None => {
                    return wrong(format!(
                        "an array's index is an integer, not {}",
                        called(key)
                    ));
                }
            },
            (Value::Object(_), key) => {
                return wrong(format!("a member's name is a string, not {}", called(key)));
            }
            // Null, a text, a number: there is nothing within. Published modules count on it (`tryGet('S0', 'capacity')`).
            _ => None,
        }
        .unwrap_or(Value::Null);
    }
    Ok(current)
}
