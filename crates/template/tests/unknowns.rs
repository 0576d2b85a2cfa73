//! Whatever consumes an unknown yields an unknown or an error, never a made-up known: each argument of each cell of the matrix of
//! functions is made unknown in turn, wholly and in a part, and what is foretold is held against what the cloud might answer.

mod support;

use serde_json::{Value, json};
use support::{context, eval_with, fits, with};
use template::{Error, Evaluation, Runtime, Unknown, has_unknown};

/// A cloud in which every reference is answered with this value.
struct Answer(Value);

impl Runtime for Answer {
    fn reference(&self, _: &str, _: Option<&str>, _: bool) -> Result<Option<Value>, Error> {
        Ok(Some(self.0.clone()))
    }

    fn list(
        &self,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(None)
    }
}

/// Calls of one function: its name and its arguments as written, where the whole expression is one call.
fn call(text: &str) -> Option<(&str, Vec<String>)> {
    let open = text.find('(')?;
    let (name, rest) = text.split_at(open);
    if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let (mut args, mut current, mut depth, mut quoted) = (Vec::new(), String::new(), 0, false);
    for (i, c) in rest.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            // Something follows the call: `.name` or another.
            if i + 1 != rest.len() {
                return None;
            }
            break;
        }
        if c == ',' && depth == 1 && !quoted {
            args.push(std::mem::take(&mut current));
        } else if i > 0 {
            current.push(c);
        }
    }
    args.push(current);
    Some((
        name,
        args.into_iter()
            .map(|arg| arg.trim().to_owned())
            .filter(|arg| !arg.is_empty())
            .collect(),
    ))
}

/// An expression that gives this value, with its first part (of whatever depth) replaced by a reference; and that part.
fn opened(value: &Value) -> (String, Option<Value>) {
    fn write(value: &Value, taken: &mut Option<Value>, top: bool) -> String {
        let part = |value: &Value, taken: &mut Option<Value>| write(value, taken, false);
        match value {
            Value::Array(items) if top || !items.is_empty() => {
                let items: Vec<String> = items.iter().map(|item| part(item, taken)).collect();
                format!("createArray({})", items.join(", "))
            }
            Value::Object(members) if top || !members.is_empty() => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| {
                        format!("'{}', {}", name.replace('\'', "''"), part(value, taken))
                    })
                    .collect();
                format!("createObject({})", members.join(", "))
            }
            leaf if taken.is_none() => {
                *taken = Some(leaf.clone());
                "reference('/it')".to_owned()
            }
            Value::String(text) => format!("'{}'", text.replace('\'', "''")),
            Value::Null => "null()".to_owned(),
            Value::Bool(flag) => format!("{flag}()"),
            other => format!("json('{other}')"),
        }
    }
    let mut taken = None;
    let text = write(value, &mut taken, true);
    (text, taken)
}

fn evaluated(expression: &str) -> Result<Evaluation, Error> {
    let parts = json!({"languageVersion": "2.0", "resources": {}, "outputs": {"it": {"value": format!("[{expression}]"), "nullable": true}}});
    with(parts, json!({}), &context(), &Unknown)
}

/// Values of every kind, against which what was foretold must hold.
fn answers() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(2),
        json!(-3),
        json!(""),
        json!("a"),
        json!("B, c"),
        json!("Microsoft.Made/ups"),
        json!("10.9.0.0/16"),
        json!("2020-01-01T00:00:00Z"),
        json!([]),
        json!(["a", 1]),
        json!([["x"], {"a": 1}]),
        json!({}),
        json!({"a": 1}),
        json!({"A": {"b": [2]}, "c": "d"}),
    ]
}

#[test]
fn no_function_makes_a_known_of_an_unknown() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("matrix.json")).unwrap();
    let mut failures = Vec::new();
    let (mut tried, mut foretold) = (0, 0);
    for row in &rows {
        for cell in row["cells"].as_array().unwrap() {
            let ordinary = ["where", "copy", "scope", "refuses"]
                .iter()
                .all(|other| cell.get(other).is_none());
            let text = cell["is"].as_str().unwrap();
            let Some((name, args)) = call(text).filter(|_| ordinary) else {
                continue;
            };
            for (i, arg) in args.iter().enumerate() {
                // Lambdas and names of declarations are not values.
                if arg.starts_with("lambda(")
                    || text.contains("variables(")
                    || text.contains("parameters(")
                {
                    continue;
                }
                let Ok(value) = eval_with(&format!("[{arg}]"), &Unknown) else {
                    continue;
                };
                let (part, taken) = opened(&value);
                let whole = ("reference('/it')".to_owned(), Some(value));
                for (open, taken) in [whole, (part, taken)] {
                    let Some(taken) = taken else { continue };
                    let mut args = args.clone();
                    args[i] = open;
                    let expression = format!("{name}({})", args.join(", "));
                    tried += 1;
                    let planned = match evaluated(&expression) {
                        Ok(evaluation) => evaluation,
                        Err(error) => {
                            failures.push(format!("{expression}: the plan fails: {error}"));
                            continue;
                        }
                    };
                    let value = &planned.outputs["it"].value;
                    check_causes(&expression, value, &planned, &mut failures);
                    if !has_unknown(value) {
                        foretold += 1;
                    }
                    for answer in std::iter::once(taken).chain(answers()) {
                        let shown = answer.clone();
                        if let Ok(live) = eval_with(&format!("[{expression}]"), &Answer(answer))
                            && !fits(value, &live)
                        {
                            failures.push(format!(
                                "{expression}: foretold {value}, but with {shown} it is {live}"
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 500, "only {tried} expressions were tried");
    // Some are lawfully known: the length of an array with an unknown item, a key of an object.
    assert!(foretold * 3 < tried, "{foretold} of {tried} are known");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Each unknown says why, and the reason is the reference.
fn check_causes(expression: &str, value: &Value, planned: &Evaluation, failures: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for item in items {
                check_causes(expression, item, planned, failures);
            }
        }
        Value::Object(members) => match members.get("$unknown").and_then(Value::as_str) {
            Some(text) => {
                let causes: Vec<String> = planned
                    .causes(text)
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                if causes != ["reference: /it"] {
                    failures.push(format!("{expression}: `{text}` because of {causes:?}"));
                }
            }
            None => {
                for item in members.values() {
                    check_causes(expression, item, planned, failures);
                }
            }
        },
        _ => {}
    }
}
