//! Arrays, and what arrays share with strings and objects: `concat`, `contains`, `length`, `union` and so on.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::string::{utf16_find, utf16_len, utf16_slice};
use super::{
    Args, Fault, Function, MANY, MAX_SIZE, Unknowns, called, int_of, member, pure, same, text_of,
    wrong,
};
use crate::runtime::{has_unknown, is_unknown};

/// ARM's limit on `range`
/// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array#range>).
const MAX_RANGE: i64 = 10_000;

pub(super) static TABLE: &[Function] = &[
    pure("array", 1, 1, Unknowns::Shallow, |args| {
        Ok(match Args::new(args).value() {
            Value::Array(items) => Value::Array(items),
            other => Value::Array(vec![other]),
        })
    }),
    pure("createArray", 0, MANY, Unknowns::Own, |args| {
        Ok(Value::Array(args))
    }),
    pure("concat", 1, MANY, Unknowns::Shallow, concat),
    pure("contains", 2, 2, Unknowns::Own, contains),
    pure("empty", 1, 1, Unknowns::Shallow, empty),
    pure("length", 1, 1, Unknowns::Shallow, length),
    pure("first", 1, 1, Unknowns::Shallow, |args| end(args, false)),
    pure("last", 1, 1, Unknowns::Shallow, |args| end(args, true)),
    pure("take", 2, 2, Unknowns::Shallow, |args| part(args, false)),
    pure("skip", 2, 2, Unknowns::Shallow, |args| part(args, true)),
    pure("range", 2, 2, Unknowns::Deep, range),
    pure("indexOf", 2, 2, Unknowns::Own, |args| index_of(args, false)),
    pure("lastIndexOf", 2, 2, Unknowns::Own, |args| {
        index_of(args, true)
    }),
    pure("union", 1, MANY, Unknowns::Own, union),
    pure("intersection", 2, MANY, Unknowns::Own, intersection),
    pure("flatten", 1, 1, Unknowns::Own, flatten),
    pure("indexFromEnd", 2, 2, Unknowns::Shallow, |args| {
        from_end(args, false)
    }),
    pure("tryIndexFromEnd", 2, 2, Unknowns::Shallow, |args| {
        from_end(args, true)
    }),
];

fn concat(args: Vec<Value>) -> Result<Value, Fault> {
    if args.iter().all(Value::is_array) {
        let items = args
            .into_iter()
            .flat_map(|arg| match arg {
                Value::Array(items) => items,
                other => vec![other],
            })
            .collect();
        return Ok(Value::Array(items));
    }
    let mut out = String::new();
    for arg in &args {
        match arg {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => out.push_str(&text_of(arg)),
            other => {
                return wrong(format!(
                    "strings are joined with strings and arrays with arrays; found {} among others",
                    called(other)
                ));
            }
        }
    }
    Ok(out.into())
}

fn contains(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (container, item) = (args.value(), args.value());
    if is_unknown(&container) || is_unknown(&item) {
        return Err(Fault::Unknown);
    }
    let answer = match (&container, &item) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::String(text), Value::Number(part)) => text.contains(&part.to_string()),
        (Value::Object(object), Value::String(name)) => member(object, name).is_some(),
        (Value::Object(object), Value::Number(name)) => member(object, &name.to_string()).is_some(),
        (Value::Array(items), item) => {
            let mut unknown = false;
            for candidate in items {
                match same(candidate, item) {
                    Some(true) => return Ok(Value::Bool(true)),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
            if unknown {
                return Err(Fault::Unknown);
            }
            false
        }
        (Value::Null, _) => false,
        (container, item) => {
            return wrong(format!(
                "an array holds items, an object names and a string text; cannot look for {} in {}",
                called(item),
                called(container)
            ));
        }
    };
    Ok(Value::Bool(answer))
}

fn empty(args: Vec<Value>) -> Result<Value, Fault> {
    Ok(Value::Bool(match Args::new(args).value() {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        other => {
            return wrong(format!(
                "an array, an object, a string or null may be empty, not {}",
                called(&other)
            ));
        }
    }))
}

fn length(args: Vec<Value>) -> Result<Value, Fault> {
    Ok(match Args::new(args).value() {
        Value::String(text) => utf16_len(&text).into(),
        Value::Array(items) => items.len().into(),
        Value::Object(members) => members.len().into(),
        other => {
            return wrong(format!(
                "an array, an object or a string has a length, not {}; use coalesce() where null may come",
                called(&other)
            ));
        }
    })
}

fn end(args: Vec<Value>, last: bool) -> Result<Value, Fault> {
    Ok(match Args::new(args).value() {
        Value::Array(mut items) => {
            if last {
                items.pop().unwrap_or(Value::Null)
            } else {
                items.into_iter().next().unwrap_or(Value::Null)
            }
        }
        Value::String(text) => {
            let length = utf16_len(&text);
            let from = if last { length.saturating_sub(1) } else { 0 };
            utf16_slice(&text, from, 1.min(length)).into()
        }
        other => {
            return wrong(format!(
                "an array or a string is wanted, found {}",
                called(&other)
            ));
        }
    })
}

fn part(args: Vec<Value>, skip: bool) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let whole = args.value();
    let count = usize::try_from(args.int()?.max(0)).unwrap_or(usize::MAX);
    Ok(match whole {
        Value::Array(items) => Value::Array(if skip {
            items.into_iter().skip(count).collect()
        } else {
            items.into_iter().take(count).collect()
        }),
        Value::String(text) => {
            let length = utf16_len(&text);
            let count = count.min(length);
            if skip {
                utf16_slice(&text, count, length - count).into()
            } else {
                utf16_slice(&text, 0, count).into()
            }
        }
        other => {
            return wrong(format!(
                "an array or a string is wanted, found {}",
                called(&other)
            ));
        }
    })
}

fn range(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (start, count) = (args.int()?, args.int()?);
    if !(0..=MAX_RANGE).contains(&count) {
        return wrong(format!("the count is {count}; it must be 0 to {MAX_RANGE}"));
    }
    match start.checked_add(count) {
        Some(end) => Ok(Value::Array((start..end).map(Value::from).collect())),
        None => wrong("the range leaves 64 bits"),
    }
}

fn index_of(args: Vec<Value>, last: bool) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (container, item) = (args.value(), args.value());
    if is_unknown(&container) || is_unknown(&item) {
        return Err(Fault::Unknown);
    }
    match (&container, &item) {
        (Value::String(text), Value::String(part)) => Ok(utf16_find(text, part, last)
            .and_then(|at| i64::try_from(at).ok())
            .unwrap_or(-1)
            .into()),
        (Value::Array(items), item) => {
            let order: Box<dyn Iterator<Item = usize>> = if last {
                Box::new((0..items.len()).rev())
            } else {
                Box::new(0..items.len())
            };
            for i in order {
                match items.get(i).map(|candidate| same(candidate, item)) {
                    Some(Some(true)) => return Ok(i.into()),
                    // An earlier item that may be equal leaves the answer open.
                    Some(None) => return Err(Fault::Unknown),
                    _ => {}
                }
            }
            Ok((-1).into())
        }
        _ => wrong(format!(
            "text is looked for in a string and items in an array; found {} and {}",
            called(&container),
            called(&item)
        )),
    }
}

/// Arrays: every item once. Objects: merged member by member, deeply; arrays within are replaced by the later one.
fn union(args: Vec<Value>) -> Result<Value, Fault> {
    if args.iter().any(is_unknown) {
        return Err(Fault::Unknown);
    }
    if args.iter().all(Value::is_array) {
        let mut out: Vec<Value> = Vec::new();
        let mut seen = HashSet::new();
        let mut open = false;
        for item in args.into_iter().flat_map(items) {
            if !open && !has_unknown(&item) {
                // The usual case, and the one that must stay quick: nothing unknown so far.
                if seen.insert(canonical(&item)) {
                    out.push(item);
                }
                continue;
            }
            open = true;
            // An item that may be a double of another leaves the length open.
            if !holds(&out, &item)? {
                out.push(item);
            }
        }
        return Ok(Value::Array(out));
    }
    if args.iter().all(Value::is_object) {
        let mut out = Map::new();
        for arg in args {
            if let Value::Object(members) = arg {
                merge(&mut out, members);
            }
        }
        return Ok(Value::Object(out));
    }
    let odd = args.iter().find(|arg| !arg.is_array() && !arg.is_object());
    match odd {
        Some(odd) => wrong(format!("arrays or objects are united, not {}", called(odd))),
        None => {
            wrong("arrays are united with arrays and objects with objects, not one with the other")
        }
    }
}

/// A text that equal values share: members in order of their names.
fn canonical(value: &Value) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Array(items) => {
                out.push('[');
                for item in items {
                    write(item, out);
                    out.push(',');
                }
                out.push(']');
            }
            Value::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by_key(|(name, _)| *name);
                out.push('{');
                for (name, value) in sorted {
                    write(&Value::String(name.clone()), out);
                    out.push(':');
                    write(value, out);
                    out.push(',');
                }
                out.push('}');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        let key = if into.contains_key(&name) {
            name
        } else {
            into.keys()
                .find(|key| key.eq_ignore_ascii_case(&name))
                .cloned()
                .unwrap_or(name)
        };
        match (into.get_mut(&key), value) {
            (Some(Value::Object(existing)), Value::Object(members))
                if !existing.contains_key(crate::runtime::MARK)
                    && !members.contains_key(crate::runtime::MARK) =>
            {
                merge(existing, members);
            }
            // An object over (or under) an unknown: what comes out is not known.
            (Some(existing), value)
                if is_unknown(existing) && value.is_object() && !is_unknown(&value) => {}
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn intersection(args: Vec<Value>) -> Result<Value, Fault> {
    if args.iter().any(is_unknown) {
        return Err(Fault::Unknown);
    }
    let mut rest = args.into_iter();
    let mut out = rest.next().unwrap_or(Value::Null);
    for other in rest {
        out = match (out, other) {
            (Value::Array(items), Value::Array(others)) => {
                let mut kept: Vec<Value> = Vec::new();
                if !items.iter().chain(&others).any(has_unknown) {
                    let mut wanted: HashSet<String> = others.iter().map(canonical).collect();
                    kept.extend(
                        items
                            .into_iter()
                            .filter(|item| wanted.remove(&canonical(item))),
                    );
                } else {
                    for item in items {
                        if holds(&others, &item)? && !holds(&kept, &item)? {
                            kept.push(item);
                        }
                    }
                }
                Value::Array(kept)
            }
            (Value::Object(members), Value::Object(others)) => {
                let mut kept = Map::new();
                for (name, value) in members {
                    match member(&others, &name).map(|other| same(&value, other)) {
                        Some(Some(true)) => {
                            kept.insert(name, value);
                        }
                        Some(None) => return Err(Fault::Unknown),
                        _ => {}
                    }
                }
                Value::Object(kept)
            }
            (a, b) => {
                return wrong(format!(
                    "arrays are intersected with arrays and objects with objects; found {} and {}",
                    called(&a),
                    called(&b)
                ));
            }
        };
    }
    Ok(out)
}

fn holds(items: &[Value], item: &Value) -> Result<bool, Fault> {
    let mut unknown = false;
    for candidate in items {
        match same(candidate, item) {
            Some(true) => return Ok(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown {
        Err(Fault::Unknown)
    } else {
        Ok(false)
    }
}

fn flatten(args: Vec<Value>) -> Result<Value, Fault> {
    let mut out = Vec::new();
    let items = Args::new(args).array()?;
    if items.iter().any(is_unknown) {
        return Err(Fault::Unknown);
    }
    for item in items {
        match item {
            Value::Array(inner) => out.extend(inner),
            other => {
                return wrong(format!(
                    "an array of arrays is flattened; one item is {}",
                    called(&other)
                ));
            }
        }
        if out.len() > MAX_SIZE {
            return wrong("the array becomes too large");
        }
    }
    Ok(Value::Array(out))
}

fn from_end(args: Vec<Value>, lenient: bool) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let container = args.value();
    let index = args.value();
    let items = match container {
        Value::Array(items) => items,
        Value::Null if lenient => return Ok(Value::Null),
        other => return wrong(format!("an array is wanted, found {}", called(&other))),
    };
    let Some(index) = int_of(&index) else {
        return wrong(format!(
            "an index is an integer, counted from 1 at the end, not {}",
            called(&index)
        ));
    };
    let at = usize::try_from(index)
        .ok()
        .filter(|i| *i > 0)
        .and_then(|i| items.len().checked_sub(i));
    match at.and_then(|at| items.into_iter().nth(at)) {
        Some(item) => Ok(item),
        None if lenient => Ok(Value::Null),
        None => wrong(format!("there is no item {index} from the end")),
    }
}
