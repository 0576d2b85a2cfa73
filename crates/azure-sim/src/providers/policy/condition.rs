//! A policy rule's condition: its parameters put in, read against one resource, and every expression that was looked at told as Azure tells them. Which policies are asked is decided in `policy.rs`.

use serde_json::{Map, Value, json};

use crate::wire::ids::Id;
use crate::wire::json as at;

/// What a condition is asked about.
pub(super) struct Subject<'a> {
    pub(super) id: &'a Id,
    pub(super) kind: &'a str,
    pub(super) body: &'a Value,
}

/// The comparisons; Azure compares without case.
const OPERATORS: [&str; 16] = [
    "equals",
    "notEquals",
    "like",
    "notLike",
    "in",
    "notIn",
    "contains",
    "notContains",
    "containsKey",
    "notContainsKey",
    "exists",
    "less",
    "lessOrEquals",
    "greater",
    "greaterOrEquals",
    "match",
];

/// Puts the parameters' values into a rule, as the template language does. `None` where that fails.
pub(super) fn resolve(rule: &Value, parameters: &Value, given: &Value) -> Option<Value> {
    let (mut kinds, mut values) = (Map::new(), Map::new());
    for (name, parameter) in parameters.as_object().into_iter().flatten() {
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
            .get(name)
            .and_then(|given| given.get("value"))
            .or_else(|| parameter.get("defaultValue"))?;
        values.insert(name.clone(), value.clone());
    }
    let template = template::Template::from_value(json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "contentVersion": "1.0.0.0", "parameters": kinds, "resources": [],
        "outputs": { "rule": { "type": "object", "value": rule } },
    }))
    .ok()?;
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
    evaluation
        .outputs
        .swap_remove("rule")
        .map(|output| output.value)
}

/// Whether the condition is one that can be evaluated here; otherwise what of it is not.
pub(super) fn check(condition: &Value) -> Result<(), String> {
    let Some(map) = condition.as_object() else {
        return Err(format!("a condition is an object, not {condition}"));
    };
    for word in ["allOf", "anyOf"] {
        if let Some(parts) = map.get(word) {
            return parts
                .as_array()
                .ok_or_else(|| format!("{word} is a list"))?
                .iter()
                .try_for_each(check);
        }
    }
    if let Some(inner) = map.get("not") {
        return check(inner);
    }
    if !map.contains_key("field") && !map.contains_key("value") {
        let words: Vec<&str> = map.keys().map(String::as_str).collect();
        return Err(format!("no field or value among '{}'", words.join(", ")));
    }
    let text = condition.to_string();
    for function in ["field(", "current(", "requestContext(", "policy("] {
        if text.contains(function) {
            return Err(format!("the function '{function})' is not evaluated"));
        }
    }
    if operator(map).is_none() {
        return Err("no operator that is known".to_owned());
    }
    Ok(())
}

fn operator(map: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    map.iter().find_map(|(name, value)| {
        OPERATORS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
            .map(|known| (known, value))
    })
}

/// Whether the condition holds; what was looked at is added to `trace`.
pub(super) fn holds(condition: &Value, subject: &Subject<'_>, trace: &mut Vec<Value>) -> bool {
    let Some(map) = condition.as_object() else {
        return false;
    };
    if let Some(parts) = map.get("allOf").and_then(Value::as_array) {
        return parts.iter().all(|part| holds(part, subject, trace));
    }
    if let Some(parts) = map.get("anyOf").and_then(Value::as_array) {
        return parts.iter().any(|part| holds(part, subject, trace));
    }
    if let Some(inner) = map.get("not") {
        return !holds(inner, subject, trace);
    }
    let Some((operator, target)) = operator(map) else {
        return false;
    };
    let (kind, expression, path, values, each) = match map.get("field").and_then(Value::as_str) {
        Some(field) => {
            let (path, values) = subject.field(field);
            (
                "Field",
                field.to_owned(),
                path,
                values,
                field.contains("[*]"),
            )
        }
        None => {
            let value = map.get("value").cloned().unwrap_or(Value::Null);
            (
                "Value",
                value.to_string(),
                String::new(),
                vec![value],
                false,
            )
        }
    };
    // Preflight cannot know what only the deployment will tell.
    let unknown = values.iter().any(template::is_unknown);
    let result = !unknown
        && if each {
            values.iter().all(|value| compare(operator, value, target))
        } else {
            compare(operator, values.first().unwrap_or(&Value::Null), target)
        };
    let mut seen = json!({
        "result": if result { "True" } else { "False" },
        "expressionKind": kind,
        "expression": expression,
    });
    if kind == "Field" {
        seen["path"] = path.into();
    }
    if let Some(value) = values.first().filter(|value| !value.is_null()) {
        seen["expressionValue"] = value.clone();
    }
    seen["targetValue"] = target.clone();
    let mut capital = operator.to_owned();
    capital[..1].make_ascii_uppercase();
    seen["operator"] = capital.into();
    trace.push(seen);
    result
}

impl Subject<'_> {
    /// Where a field is and what stands there; several values for a field with `[*]`.
    fn field(&self, field: &str) -> (String, Vec<Value>) {
        let one = |path: &str, value: Option<&Value>| {
            (path.to_owned(), vec![value.cloned().unwrap_or(Value::Null)])
        };
        let body = self.body;
        match field.to_ascii_lowercase().as_str() {
            "type" => return ("type".to_owned(), vec![self.kind.into()]),
            "name" => return ("name".to_owned(), vec![self.id.last_name().into()]),
            "fullname" => return ("fullName".to_owned(), vec![self.id.name().into()]),
            "id" => return ("id".to_owned(), vec![self.id.text().into()]),
            word @ ("location" | "kind" | "tags") => return one(word, body.get(word)),
            "identity.type" => return one("identity.type", body.pointer("/identity/type")),
            _ => {}
        }
        if let Some(tag) = tag_of(field) {
            let found = body
                .get("tags")
                .and_then(Value::as_object)
                .and_then(|tags| {
                    tags.iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(tag))
                        .map(|(_, value)| value)
                });
            return one(&format!("tags[{tag}]"), found);
        }
        let path = self.alias(field);
        let mut values = Vec::new();
        reach(body, &path, &mut values);
        if values.is_empty() && !field.contains("[*]") {
            values.push(Value::Null);
        }
        (path, values)
    }

    /// An alias as a path in the body. Aliases of another type lead nowhere.
    fn alias(&self, field: &str) -> String {
        let compute = "properties.storageProfile.imageReference";
        let special = [
            (
                "Microsoft.Compute/virtualMachines/sku.name",
                "properties.hardwareProfile.vmSize",
            ),
            (
                "Microsoft.Compute/imagePublisher",
                &format!("{compute}.publisher"),
            ),
            ("Microsoft.Compute/imageOffer", &format!("{compute}.offer")),
            ("Microsoft.Compute/imageSku", &format!("{compute}.sku")),
            (
                "Microsoft.Compute/imageVersion",
                &format!("{compute}.version"),
            ),
        ];
        if let Some((_, path)) = special
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(field))
        {
            return (*path).to_owned();
        }
        let rest = field
            .get(..self.kind.len())
            .filter(|kind| kind.eq_ignore_ascii_case(self.kind))
            .and_then(|_| field[self.kind.len()..].strip_prefix('/'));
        match rest {
            None => field.to_owned(),
            Some(rest) if rest.starts_with("sku.") || rest.starts_with("identity.") => {
                rest.to_owned()
            }
            Some(rest) => format!("properties.{rest}"),
        }
    }
}

fn tag_of(field: &str) -> Option<&str> {
    let rest = field
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("tags"))
        .map(|_| &field[4..])?;
    if let Some(name) = rest.strip_prefix('.') {
        return Some(name);
    }
    let name = rest.strip_prefix('[')?.strip_suffix(']')?;
    Some(name.trim_matches('\''))
}

fn reach(value: &Value, path: &str, found: &mut Vec<Value>) {
    if template::is_unknown(value) || path.is_empty() {
        found.push(value.clone());
        return;
    }
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    let (name, many) = match part.strip_suffix("[*]") {
        Some(name) => (name, true),
        None => (part, false),
    };
    let next = value.as_object().and_then(|map| {
        map.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    });
    match (next, many) {
        (Some(Value::Array(items)), true) => {
            items.iter().for_each(|item| reach(item, rest, found));
        }
        (Some(next), false) => {
            // Inside a list, children of nested resources stand under `properties` of their own.
            let own = next.is_object() || rest.is_empty();
            if own {
                reach(next, rest, found);
            }
        }
        _ => {}
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase(),
        Value::Null => String::new(),
        other => other.to_string().to_lowercase(),
    }
}

fn compare(operator: &str, value: &Value, target: &Value) -> bool {
    let same = |target: &Value| {
        if value.is_array() || value.is_object() {
            value == target
        } else {
            text(value) == text(target)
        }
    };
    let among = || target.as_array().is_some_and(|list| list.iter().any(same));
    let contains = || match value {
        Value::Array(items) => items.iter().any(|item| text(item) == text(target)),
        _ => text(value).contains(&text(target)),
    };
    let has_key = || {
        value.as_object().is_some_and(|map| {
            map.keys()
                .any(|key| key.eq_ignore_ascii_case(target.as_str().unwrap_or_default()))
        })
    };
    let order = || match (value.as_f64(), target.as_f64()) {
        (Some(value), Some(target)) => value.partial_cmp(&target),
        _ if value.is_null() => None,
        _ => Some(text(value).cmp(&text(target))),
    };
    match operator {
        "equals" => same(target),
        "notEquals" => !same(target),
        "in" => among(),
        "notIn" => !among(),
        "like" => like(&text(value), &text(target)),
        "notLike" => !like(&text(value), &text(target)),
        "contains" => contains(),
        "notContains" => !contains(),
        "containsKey" => has_key(),
        "notContainsKey" => !has_key(),
        "exists" => (text(target) == "true") != value.is_null(),
        "less" => order().is_some_and(std::cmp::Ordering::is_lt),
        "lessOrEquals" => order().is_some_and(std::cmp::Ordering::is_le),
        "greater" => order().is_some_and(std::cmp::Ordering::is_gt),
        "greaterOrEquals" => order().is_some_and(std::cmp::Ordering::is_ge),
        "match" => pattern(
            value.as_str().unwrap_or_default(),
            target.as_str().unwrap_or_default(),
        ),
        _ => false,
    }
}

/// One `*` at most, as Azure has it.
fn like(value: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => value == pattern,
        Some((head, tail)) => {
            value.len() >= head.len() + tail.len()
                && value.starts_with(head)
                && value.ends_with(tail)
        }
    }
}

/// `#` is a digit, `?` a letter, `.` anything, and the rest itself.
fn pattern(value: &str, pattern: &str) -> bool {
    value.chars().count() == pattern.chars().count()
        && value
            .chars()
            .zip(pattern.chars())
            .all(|(value, wanted)| match wanted {
                '#' => value.is_ascii_digit(),
                '?' => value.is_alphabetic(),
                '.' => true,
                other => value == other,
            })
}
