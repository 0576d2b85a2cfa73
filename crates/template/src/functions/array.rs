//! Arrays, and what arrays share with strings and objects: `concat`, `contains`, `length`, `take` and so on.

use serde_json::Value;

use super::string::{utf16_find, utf16_len, utf16_slice};
use super::{
    Args, Fault, Function, MANY, MAX_SIZE, Unknowns, called, int_of, member, pure, same, text_of,
    wrong,
};
use crate::runtime::is_unknown;

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
    if start.saturating_add(count) > i64::from(i32::MAX) {
        return wrong(format!(
            "the start and the count must not be more than {} together",
            i32::MAX
        ));
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
