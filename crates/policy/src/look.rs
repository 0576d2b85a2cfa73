//! What rules call to look at a body: the functions `look.…`, native because a plan has hundreds of checks. Knows no rule and no resource type.
//!
//! A value is known, unknown until apply (`{"$unknown": "<expression>"}`), or absent; a null is absent, as it is to Azure. A check is
//! `{path, result, found, wanted}` with the result `pass`, `fail` or `unknown`. Paths are dotted. A call with an undefined argument is undefined, as
//! everywhere in Rego.

use std::sync::LazyLock;

use regorus::{Engine, Value};

/// A function, with as many arguments as it takes.
pub(crate) type Function = fn(&[Value]) -> Value;

const FUNCTIONS: [(&str, u8, Function); 14] = [
    ("look.unknown", 1, unknown),
    ("look.at", 2, at),
    ("look.check", 4, check),
    ("look.is", 3, is),
    ("look.is_one_of", 3, is_one_of),
    ("look.is_present", 3, is_present),
    ("look.is_at_least", 3, is_at_least),
    ("look.is_not", 4, is_not),
    ("look.is_absent", 2, is_absent),
    ("look.items", 2, items),
    ("look.within", 2, within),
    ("look.row", 3, row),
    ("look.not_applicable", 3, not_applicable),
    ("look.open", 1, open),
];

/// Gives an engine the functions.
///
/// # Errors
///
/// When the engine has one of them already.
pub(crate) fn install(engine: &mut Engine) -> Result<(), String> {
    for (name, arguments, function) in FUNCTIONS {
        engine
            .add_extension(
                name.to_owned(),
                arguments,
                Box::new(move |given: Vec<Value>| Ok(function(&given))),
            )
            .map_err(|e| format!("{e:#}"))?;
    }
    Ok(())
}

/// Words that every call needs, made once.
struct Words {
    path: Value,
    result: Value,
    found: Value,
    wanted: Value,
    value: Value,
    unknown: Value,
    body: Value,
    id: Value,
    resource: Value,
    pass: Value,
    fail: Value,
    not_applicable: Value,
    nothing: Value,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    path: "path".into(),
    result: "result".into(),
    found: "found".into(),
    wanted: "wanted".into(),
    value: "value".into(),
    unknown: "unknown".into(),
    body: "body".into(),
    id: "id".into(),
    resource: "resource".into(),
    pass: "pass".into(),
    fail: "fail".into(),
    not_applicable: "not_applicable".into(),
    nothing: "nothing".into(),
});

/// What stands at a path.
struct Seen {
    value: Value,
    unknown: bool,
}

/// `look.unknown(value)`: whether the value is known only after apply.
fn unknown(given: &[Value]) -> Value {
    match given {
        [value] => is_unknown(value).into(),
        _ => Value::Undefined,
    }
}

/// `look.at(body, path)`: `{value, unknown}`. Below an unknown everything is unknown.
fn at(given: &[Value]) -> Value {
    let [body, path] = given else {
        return Value::Undefined;
    };
    see(body, path).map_or(Value::Undefined, |seen| {
        object([
            (&WORDS.value, seen.value),
            (&WORDS.unknown, seen.unknown.into()),
        ])
    })
}

/// `look.check(path, seen, wanted, holds)`: for what the other checks cannot say. Whether it holds counts only where the value is known.
fn check(given: &[Value]) -> Value {
    let [path, seen, wanted, holds] = given else {
        return Value::Undefined;
    };
    let Some(value) = get(seen, &WORDS.value) else {
        return Value::Undefined;
    };
    let seen = Seen {
        value: value.clone(),
        unknown: get(seen, &WORDS.unknown) == Some(&Value::Bool(true)),
    };
    checked(path, seen, wanted, *holds != Value::Bool(false))
}

/// `look.is(body, path, wanted)`: exactly this value; what is absent is not.
pub(crate) fn is(given: &[Value]) -> Value {
    judge(given, |value, wanted| value == wanted)
}

/// `look.is_one_of(body, path, wanted)`: one of these values.
pub(crate) fn is_one_of(given: &[Value]) -> Value {
    judge(given, |value, wanted| match wanted {
        Value::Array(these) => these.contains(value),
        Value::Set(these) => these.contains(value),
        _ => false,
    })
}

/// `look.is_present(body, path, wanted)`: something is there, and it is not empty. `wanted` says in words what.
pub(crate) fn is_present(given: &[Value]) -> Value {
    judge(given, |value, _| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(members) => members.first().is_some(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}

/// `look.is_at_least(body, path, least)`: a number of at least this much.
pub(crate) fn is_at_least(given: &[Value]) -> Value {
    judge(given, |value, least| {
        matches!(value, Value::Number(_)) && value >= least
    })
}

/// `look.is_not(body, path, unwanted, wanted)`: anything but this value, so an absent one is fine: for switches that Azure leaves in the safe position.
pub(crate) fn is_not(given: &[Value]) -> Value {
    let [body, path, unwanted, wanted] = given else {
        return Value::Undefined;
    };
    see(body, path).map_or(Value::Undefined, |seen| {
        let holds = seen.value != *unwanted;
        checked(path, seen, wanted, holds)
    })
}

/// `look.is_absent(body, path)`: nothing is there.
pub(crate) fn is_absent(given: &[Value]) -> Value {
    let [body, path] = given else {
        return Value::Undefined;
    };
    see(body, path).map_or(Value::Undefined, |seen| {
        let holds = seen.value == Value::Null;
        checked(path, seen, &WORDS.nothing, holds)
    })
}

/// `look.items(body, path)`: the members of a list, each as `{path, body}`. A list that is unknown stands as one unknown member, so that no check is lost.
pub(crate) fn items(given: &[Value]) -> Value {
    let [body, path] = given else {
        return Value::Undefined;
    };
    let (Some(seen), Value::String(text)) = (see(body, path), path) else {
        return Value::Undefined;
    };
    let found: Vec<Value> = match &seen.value {
        Value::Array(members) => members
            .iter()
            .enumerate()
            .map(|(i, member)| {
                object([
                    (&WORDS.path, format!("{text}[{i}]").into()),
                    (&WORDS.body, member.clone()),
                ])
            })
            .collect(),
        _ if seen.unknown => vec![object([
            (&WORDS.path, path.clone()),
            (&WORDS.body, seen.value),
        ])],
        _ => Vec::new(),
    };
    found.into()
}

/// `look.within(item, check)`: a check made on a member, told from the body.
pub(crate) fn within(given: &[Value]) -> Value {
    let [item, found] = given else {
        return Value::Undefined;
    };
    let (Some(Value::String(outer)), Some(Value::String(inner))) =
        (get(item, &WORDS.path), get(found, &WORDS.path))
    else {
        return Value::Undefined;
    };
    with(
        found,
        [(&WORDS.path, Value::from(format!("{outer}.{inner}")))],
    )
}

/// `look.row(id, resource, checks)`: a control's row on a resource. The first check that fails speaks, else the first that is unknown, else the first.
pub(crate) fn row(given: &[Value]) -> Value {
    let [id, resource, Value::Array(checks)] = given else {
        return Value::Undefined;
    };
    let first = |result: &Value| {
        checks
            .iter()
            .find(|check| get(check, &WORDS.result) == Some(result))
    };
    let speaking = first(&WORDS.fail)
        .or_else(|| first(&WORDS.unknown))
        .or_else(|| checks.first());
    match (speaking, get(resource, &WORDS.id)) {
        (Some(check), Some(resource)) => with(
            check,
            [(&WORDS.id, id.clone()), (&WORDS.resource, resource.clone())],
        ),
        _ => Value::Undefined,
    }
}

/// `look.not_applicable(id, resource, path)`: a control that says nothing about this resource, though it does about its kind.
fn not_applicable(given: &[Value]) -> Value {
    let [id, resource, path] = given else {
        return Value::Undefined;
    };
    get(resource, &WORDS.id).map_or(Value::Undefined, |resource| {
        object([
            (&WORDS.id, id.clone()),
            (&WORDS.resource, resource.clone()),
            (&WORDS.result, WORDS.not_applicable.clone()),
            (&WORDS.path, path.clone()),
        ])
    })
}

/// `look.open(rows)`: the rows of controls that fail or are unknown.
fn open(given: &[Value]) -> Value {
    let [Value::Set(rows)] = given else {
        return Value::Undefined;
    };
    let open: Vec<Value> = rows
        .iter()
        .filter(|row| {
            get(row, &WORDS.result)
                .is_some_and(|result| *result == WORDS.fail || *result == WORDS.unknown)
        })
        .cloned()
        .collect();
    open.into()
}

/// A check of `(body, path, wanted)` by a comparison of what is there with what is wanted.
fn judge(given: &[Value], holds: impl Fn(&Value, &Value) -> bool) -> Value {
    let [body, path, wanted] = given else {
        return Value::Undefined;
    };
    see(body, path).map_or(Value::Undefined, |seen| {
        let holds = holds(&seen.value, wanted);
        checked(path, seen, wanted, holds)
    })
}

fn checked(path: &Value, seen: Seen, wanted: &Value, holds: bool) -> Value {
    let result = match (seen.unknown, holds) {
        (true, _) => &WORDS.unknown,
        (false, true) => &WORDS.pass,
        (false, false) => &WORDS.fail,
    };
    object([
        (&WORDS.path, path.clone()),
        (&WORDS.result, result.clone()),
        (&WORDS.found, seen.value),
        (&WORDS.wanted, wanted.clone()),
    ])
}

/// None where the path is no text.
fn see(body: &Value, path: &Value) -> Option<Seen> {
    let Value::String(path) = path else {
        return None;
    };
    let mut here = body;
    let mut steps = path.split('.');
    loop {
        if is_unknown(here) {
            return Some(Seen {
                value: here.clone(),
                unknown: true,
            });
        }
        let Some(step) = steps.next() else {
            return Some(Seen {
                value: here.clone(),
                unknown: false,
            });
        };
        match member(here, step) {
            Some(next) => here = next,
            None => {
                return Some(Seen {
                    value: Value::Null,
                    unknown: false,
                });
            }
        }
    }
}

fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Object(members) => types::unknown::is_mark(members.iter().map(|(name, value)| {
            let name = match name {
                Value::String(name) => name.as_ref(),
                _ => "",
            };
            (name, matches!(value, Value::String(_)))
        })),
        _ => false,
    }
}

/// A member by its name, without making a value of the name where there are few.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) if members.len() <= FEW => members
            .iter()
            .find(|(key, _)| matches!(key, Value::String(key) if key.as_ref() == name))
            .map(|(_, member)| member),
        Value::Object(members) => members.get(&name.into()),
        _ => None,
    }
}

/// Up to here going through the members is faster than searching.
const FEW: usize = 16;

fn get<'a>(value: &'a Value, key: &Value) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(key),
        _ => None,
    }
}

fn object<const N: usize>(members: [(&Value, Value); N]) -> Value {
    with(&Value::new_object(), members)
}

/// The object with these members set.
fn with<const N: usize>(base: &Value, members: [(&Value, Value); N]) -> Value {
    let mut made = base.clone();
    match made.as_object_mut() {
        Ok(object) => {
            object.extend(members.map(|(key, value)| (key.clone(), value)));
            made
        }
        Err(_) => Value::Undefined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        match Value::from_json_str(json) {
            Ok(value) => value,
            Err(error) => panic!("{json}: {error}"),
        }
    }

    #[test]
    fn only_the_mark_alone_is_unknown() {
        let body = value(
            r#"{"tags": {"$unknown": "typed", "owner": "payments"}, "later": {"$unknown": "reference('x').y"}, "odd": {"$unknown": 1}}"#,
        );
        for (path, wanted, result) in [
            ("tags.owner", r#""payments""#, "pass"),
            ("tags.owner", r#""search""#, "fail"),
            ("tags.environment", r#""prod""#, "fail"),
            ("later", r#""z""#, "unknown"),
            ("later.deeper", r#""z""#, "unknown"),
            ("odd.deeper", r#""z""#, "fail"),
        ] {
            let check = is(&[body.clone(), path.into(), value(wanted)]);
            assert_eq!(
                get(&check, &WORDS.result),
                Some(&result.into()),
                "{path} is {wanted}"
            );
        }
    }
}
