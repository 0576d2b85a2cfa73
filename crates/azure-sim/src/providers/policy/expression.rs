//! The expressions of a policy rule. What hangs on parameters only is computed once; what asks for `field()` or `current()` waits until there is a resource to ask.

use serde_json::{Map, Value, json};

use crate::wire::json as at;

/// How an expression that waits is kept: `{"$later": "field('name')"}`, without its brackets.
const LATER: &str = "$later";

/// Calls in calls.
const DEEPEST: usize = 8;

/// The parameters of a definition with the values of an assignment, as the template language takes them.
pub(super) struct Parameters {
    kinds: Map<String, Value>,
    values: Map<String, Value>,
}

impl Parameters {
    /// `None` where a value is missing.
    pub(super) fn new(declared: &Value, given: &Value) -> Option<Parameters> {
        let (mut kinds, mut values) = (Map::new(), Map::new());
        for (name, parameter) in declared.as_object().into_iter().flatten() {
            let kind = match at::text(parameter, "/type")
                .unwrap_or("String")
                .to_ascii_lowercase()
                .as_str()
            {
                "array" => "array",
                "object" => "object",
                "boolean" => "bool",
                "integer" => "int",
                // Floats and dates are compared as text.
                _ => "string",
            };
            kinds.insert(name.clone(), json!({ "type": kind }));
            let value = given
                .as_object()
                .into_iter()
                .flatten()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
                .and_then(|(_, given)| given.get("value"))
                .or_else(|| parameter.get("defaultValue"))?;
            values.insert(name.clone(), value.clone());
        }
        Some(Parameters { kinds, values })
    }

    /// The rule with all values in it, but for those that wait. `None` where an expression fails.
    pub(super) fn resolve(&self, rule: &Value) -> Option<Value> {
        let mut rule = rule.clone();
        put_off(&mut rule);
        self.evaluate(rule, None)
    }

    fn evaluate(&self, value: Value, answers: Option<Map<String, Value>>) -> Option<Value> {
        let (mut kinds, mut values) = (self.kinds.clone(), self.values.clone());
        if let Some(answers) = answers {
            kinds.insert(ANSWERS.to_owned(), json!({ "type": "object" }));
            values.insert(ANSWERS.to_owned(), Value::Object(answers));
        }
        let template = template(&kinds, &value).ok()?;
        let context = template::Context {
            tenant_id: crate::seed::TENANT.to_owned(),
            subscription_id: crate::seed::SUBSCRIPTION_DEV.to_owned(),
            resource_group: None,
            management_group: None,
            deployment_name: "policy".to_owned(),
            deployment_location: None,
            utc_now: time::OffsetDateTime::UNIX_EPOCH,
            guid_seed: uuid::Uuid::nil(),
            environment: template::Context::public_cloud(),
        };
        let mut evaluation =
            template::evaluate(&template, &values, &context, &template::Unknown).ok()?;
        let output = evaluation.outputs.swap_remove("rule")?;
        output.value.get("value").cloned()
    }

    /// A value of a rule, now that `field()` and `current()` can be asked. `None` where that fails or nobody knows yet.
    pub(super) fn now(&self, value: &Value, ask: &mut Asked<'_>) -> Option<Value> {
        let Some(text) = at::text(value, "/$later") else {
            return Some(value.clone());
        };
        self.compute(text, ask, 0)
    }

    fn compute(&self, text: &str, ask: &mut Asked<'_>, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        let mut answers = Map::new();
        let (mut rewritten, mut rest) = (String::new(), text);
        while let Some(call) = next_call(rest) {
            let argument = match call.argument.trim() {
                "" => Value::String(String::new()),
                argument => self.compute(argument, ask, depth + 1)?,
            };
            let answer = ask(call.function, argument.as_str()?)?;
            let name = format!("a{}", answers.len());
            rewritten.push_str(call.before);
            rewritten.push_str(&format!("parameters('{ANSWERS}').{name}"));
            answers.insert(name, answer);
            rest = call.after;
        }
        rewritten.push_str(rest);
        self.evaluate(Value::String(format!("[{rewritten}]")), Some(answers))
    }
}

/// Answers `field` and `current` for their argument.
pub(super) type Asked<'a> = dyn FnMut(Function, &str) -> Option<Value> + 'a;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Field,
    Current,
}

const ANSWERS: &str = "policyanswers";

fn template(
    kinds: &Map<String, Value>,
    value: &Value,
) -> Result<template::Template, template::Error> {
    template::Template::from_value(json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "parameters": kinds, "resources": [],
        "outputs": { "rule": { "type": "object", "value": { "value": value } } },
    }))
}

/// An expression's text, without its brackets.
pub(super) fn inner(value: &Value) -> Option<&str> {
    let text = value.as_str()?.strip_prefix('[')?.strip_suffix(']')?;
    (!text.starts_with('[')).then_some(text)
}

fn put_off(value: &mut Value) {
    let waits = inner(value)
        .filter(|text| next_call(text).is_some())
        .map(str::to_owned);
    if let Some(text) = waits {
        *value = json!({ LATER: text });
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(put_off),
        Value::Object(map) => map.values_mut().for_each(put_off),
        _ => {}
    }
}

/// Whether an expression can be read at all; otherwise what of it cannot.
pub(super) fn check(text: &str, depth: usize) -> Result<(), String> {
    for function in ["requestContext", "policy"] {
        if calls(text, function).next().is_some() {
            return Err(format!("the function '{function}()' is not evaluated here"));
        }
    }
    if depth > DEEPEST {
        return Err("calls of field() and current() are nested too deep".to_owned());
    }
    let (mut rewritten, mut rest) = (String::new(), text);
    while let Some(call) = next_call(rest) {
        if !call.argument.trim().is_empty() {
            check(call.argument, depth + 1)?;
        }
        rewritten.push_str(call.before);
        rewritten.push_str("null()");
        rest = call.after;
    }
    rewritten.push_str(rest);
    template(&Map::new(), &Value::String(format!("[{rewritten}]")))
        .map(drop)
        .map_err(|error| error.to_string())
}

/// The parameters that an expression names outright.
pub(super) fn parameters(text: &str) -> Vec<String> {
    calls(text, "parameters")
        .filter_map(|(_, after)| {
            let quoted = after.trim_start().strip_prefix('\'')?;
            Some(quoted.split_once('\'')?.0.to_owned())
        })
        .collect()
}

struct Call<'t> {
    function: Function,
    before: &'t str,
    argument: &'t str,
    after: &'t str,
}

/// The first call of `field` or `current` that is closed.
fn next_call(text: &str) -> Option<Call<'_>> {
    let first = |name: &str| calls(text, name).next();
    let field = first("field").map(|(start, after)| (start, after, Function::Field));
    let current = first("current").map(|(start, after)| (start, after, Function::Current));
    let (start, after, function) = match (field, current) {
        (Some(field), Some(current)) if current.0 < field.0 => current,
        (Some(field), _) => field,
        (None, current) => current?,
    };
    let mut open = 1_usize;
    for (at, c) in bare(after) {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(Call {
                function,
                before: text.get(..start)?,
                argument: after.get(..at)?,
                after: after.get(at + 1..)?,
            });
        }
    }
    None
}

/// Where calls of a function begin, and what follows their opening brackets.
fn calls<'t>(text: &'t str, function: &str) -> impl Iterator<Item = (usize, &'t str)> {
    let function = function.to_ascii_lowercase();
    let mut last = ' ';
    bare(text).filter_map(move |(at, c)| {
        let before = std::mem::replace(&mut last, c);
        if before.is_alphanumeric() || matches!(before, '_' | '.') {
            return None;
        }
        let end = at + function.len();
        let found = text.get(at..end)?;
        let after = text.get(end..)?.trim_start().strip_prefix('(')?;
        found.eq_ignore_ascii_case(&function).then_some((at, after))
    })
}

/// The characters that stand outside of quotes. A doubled quote ends a text and begins the next.
fn bare(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quoted = false;
    text.char_indices().filter(move |(_, c)| {
        if *c == '\'' {
            quoted = !quoted;
            return false;
        }
        !quoted
    })
}
