//! Reading and changing JSON bodies by path. An unknown of the template evaluator counts as present: preflight cannot know better.

use serde_json::{Map, Value};

/// How deep a body may be nested. What is kept of it goes a few levels deeper, and 128 is the most that its reader takes.
pub(crate) const DEEPEST: usize = 100;

/// Whether no parser can be led deeper by this text than its stack bears. Brackets within strings count too, so it is generous.
pub(crate) fn is_shallow(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    text.iter().all(|byte| {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= 5 * DEEPEST
    })
}

/// Levels of objects and lists; 0 for anything else.
pub(crate) fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Object(map) => map.values().map(depth).max(),
        Value::Array(items) => items.iter().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

pub(crate) fn too_deep() -> String {
    format!("The content is nested deeper than {DEEPEST} levels.")
}

pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

pub(crate) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer).and_then(Value::as_bool)
}

pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The strings of a list of strings.
pub(crate) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Whether something stands there, or stands where nobody can know yet.
pub(crate) fn present(value: &Value, pointer: &str) -> bool {
    let mut at = value;
    for part in pointer.split('/').skip(1) {
        if template::is_unknown(at) {
            return true;
        }
        let Some(next) = (match at {
            Value::Object(map) => map.get(part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        }) else {
            return false;
        };
        at = next;
    }
    !at.is_null()
}

/// Puts a value where the path says, making objects on the way.
pub(crate) fn set(value: &mut Value, pointer: &str, new: Value) {
    let mut at = value;
    let mut parts = pointer.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        if let Value::Array(items) = at {
            let Some(next) = part.parse::<usize>().ok().and_then(|i| items.get_mut(i)) else {
                return;
            };
            at = next;
        } else {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Value::Object(map) = at else { return };
            at = map.entry(part.to_owned()).or_insert(Value::Null);
        }
        if parts.peek().is_none() {
            *at = new;
            return;
        }
    }
}

/// Puts a value where nothing stands.
pub(crate) fn default(value: &mut Value, pointer: &str, new: impl Into<Value>) {
    if !present(value, pointer) {
        set(value, pointer, new.into());
    }
}

pub(crate) fn remove(value: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/')?;
    value
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .and_then(|map| map.shift_remove(name))
}

/// RFC 7396: null removes, objects merge, the rest replaces.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            map.shift_remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Every null member dropped, at any depth: clients send them for *not set*.
pub(crate) fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}
