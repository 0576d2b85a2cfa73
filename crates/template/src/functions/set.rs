//! Arrays and objects as sets: `union`, `intersection` and `distinct`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Fault, Function, MANY, Unknowns, called, member, pure, same, wrong};
use crate::runtime::{has_unknown, is_unknown};

pub(super) static TABLE: &[Function] = &[
    pure("union", 1, MANY, Unknowns::Own, union),
    pure("distinct", 1, 1, Unknowns::Own, |args| match args.first() {
        Some(Value::Object(_)) if !args.iter().any(is_unknown) => {
            wrong("argument 1 must be an array, but is an object")
        }
        _ => union(args),
    }),
    pure("intersection", 2, MANY, Unknowns::Own, intersection),
];

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
