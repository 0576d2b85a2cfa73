//! A policy rule's condition: what of it can be read, and whether it holds for one resource, with every expression that was looked at told as Azure tells them. Which policies are asked is decided in `policy.rs`.

use serde_json::{Map, Value, json};

use super::expression::{self, Function, Parameters};
use super::subject::{Element, Subject};

/// The comparisons; Azure compares without case.
const OPERATORS: [&str; 19] = [
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
    "notMatch",
    "matchInsensitively",
    "notMatchInsensitively",
];

/// Counts in counts: every one of them goes through its list for each element of the one around it.
const DEEPEST_COUNT: usize = 3;

/// Whether the condition is one that can be evaluated here; otherwise what of it is not. `counts` is how many counts it stands in.
pub(super) fn check(condition: &Value, counts: usize) -> Result<(), String> {
    let Some(map) = condition.as_object() else {
        return Err(format!("a condition is an object, not {condition}"));
    };
    for word in ["allOf", "anyOf", "not"] {
        let Some(parts) = get(map, word) else {
            continue;
        };
        if map.len() > 1 {
            return Err(format!("'{word}' stands beside other members"));
        }
        if word == "not" {
            return check(parts, counts);
        }
        return parts
            .as_array()
            .ok_or_else(|| format!("{word} is a list"))?
            .iter()
            .try_for_each(|part| check(part, counts));
    }
    let words: Vec<&str> = map.keys().map(String::as_str).collect();
    let words = words.join(", ");
    let subjects = ["field", "value", "count"];
    if subjects
        .iter()
        .filter(|word| get(map, word).is_some())
        .count()
        != 1
    {
        return Err(format!("not one of field, value and count among '{words}'"));
    }
    if map.len() > 2 {
        return Err(format!("more than one operator among '{words}'"));
    }
    let Some((operator, target)) = operator(map) else {
        return Err(format!("no operator that is known among '{words}'"));
    };
    fits(operator, target)?;
    expressions(target)?;
    if let Some(count) = get(map, "count") {
        return check_count(count, counts);
    }
    let field = get(map, "field");
    if field.is_some_and(|field| !field.is_string()) {
        return Err("field is a text".to_owned());
    }
    expressions(field.or_else(|| get(map, "value")).unwrap_or(&Value::Null))
}

fn check_count(count: &Value, counts: usize) -> Result<(), String> {
    let Some(map) = count.as_object() else {
        return Err("count is an object".to_owned());
    };
    if counts >= DEEPEST_COUNT {
        return Err("counts are nested too deep".to_owned());
    }
    let known = ["field", "value", "name", "where"];
    if let Some(other) = map
        .keys()
        .find(|key| !known.iter().any(|known| known.eq_ignore_ascii_case(key)))
    {
        return Err(format!(
            "Could not find member '{other}' on object of type 'CountExpression'."
        ));
    }
    match (get(map, "field"), get(map, "value")) {
        (Some(field), None) => {
            if !field.as_str().is_some_and(|field| field.contains("[*]")) {
                return Err("the field of a count has '[*]' in it".to_owned());
            }
            expressions(field)?;
        }
        (None, Some(value)) => expressions(value)?,
        _ => return Err("a count has either field or value".to_owned()),
    }
    match get(map, "where") {
        Some(condition) => check(condition, counts + 1),
        None => Ok(()),
    }
}

/// What an operator compares with. An expression may turn out to be anything.
fn fits(operator: &str, target: &Value) -> Result<(), String> {
    if expression::inner(target).is_some() {
        return Ok(());
    }
    let fits = match operator {
        "like" | "notLike" => {
            let stars = target.as_str().map(|text| text.matches('*').count());
            if stars.is_some_and(|stars| stars > 1) {
                return Err(format!("the value of '{operator}' has more than one '*'"));
            }
            stars.is_some()
        }
        "in" | "notIn" => target.is_array(),
        "exists" => matches!(text(target).as_str(), "true" | "false"),
        "match"
        | "notMatch"
        | "matchInsensitively"
        | "notMatchInsensitively"
        | "containsKey"
        | "notContainsKey" => target.is_string(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(format!("'{operator}' cannot compare with {target}"))
}

fn expressions(value: &Value) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(expressions),
        _ => expression::inner(value).map_or(Ok(()), |text| expression::check(text, 0)),
    }
}

fn get<'v>(map: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    map.iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn operator(map: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    map.iter().find_map(|(name, value)| {
        OPERATORS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
            .map(|known| (known, value))
    })
}

/// One condition, asked about one resource.
pub(super) struct Question<'a> {
    subject: Subject<'a>,
    parameters: &'a Parameters,
    elements: Vec<Element>,
    /// What was looked at, but for what counts looked at.
    pub(super) trace: Vec<Value>,
}

impl<'a> Question<'a> {
    pub(super) fn new(subject: Subject<'a>, parameters: &'a Parameters) -> Question<'a> {
        Question {
            subject,
            parameters,
            elements: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// `None` where nobody knows yet, as in preflight.
    pub(super) fn holds(&mut self, condition: &Value) -> Option<bool> {
        let map = condition.as_object()?;
        for (word, ends) in [("allOf", false), ("anyOf", true)] {
            let Some(parts) = get(map, word).and_then(Value::as_array) else {
                continue;
            };
            let mut known = true;
            for part in parts {
                match self.holds(part) {
                    Some(answer) if answer == ends => return Some(ends),
                    Some(_) => {}
                    None => known = false,
                }
            }
            return known.then_some(!ends);
        }
        if let Some(inner) = get(map, "not") {
            return self.holds(inner).map(|answer| !answer);
        }
        let (operator, target) = operator(map)?;
        let looked = self.look(map);
        let target = self.now(target);
        let unknown = looked.values.iter().any(template::is_unknown);
        let answer = match &target {
            Some(target) if looked.known && !unknown => Some(if looked.each {
                looked
                    .values
                    .iter()
                    .all(|value| compare(operator, value, target))
            } else {
                let first = looked.values.first().unwrap_or(&Value::Null);
                compare(operator, first, target)
            }),
            _ => None,
        };
        if self.elements.is_empty() {
            let result = answer.unwrap_or(false);
            self.tell(looked, operator, target, result);
        }
        answer
    }

    fn look(&mut self, map: &Map<String, Value>) -> Looked {
        let mut looked = Looked::default();
        if let Some(count) = get(map, "count").and_then(Value::as_object) {
            let counted = get(count, "field").or_else(|| get(count, "value"));
            looked.kind = "Count";
            looked.expression = counted.map(plain).unwrap_or_default();
            match self.count(count) {
                Some(number) => looked.values = vec![number.into()],
                None => looked.known = false,
            }
        } else if let Some(field) = get(map, "field") {
            let name = self.now(field).map(|name| plain(&name));
            looked.kind = "Field";
            match name {
                Some(name) => {
                    let found = self.subject.field(&name, &self.elements);
                    looked.path = Some(found.path);
                    looked.values = found.values;
                    looked.each = found.each;
                    looked.expression = name;
                }
                None => looked.known = false,
            }
        } else {
            let value = get(map, "value").cloned().unwrap_or(Value::Null);
            looked.kind = "Value";
            looked.expression = value.to_string();
            match self.now(&value) {
                Some(value) => looked.values = vec![value],
                None => looked.known = false,
            }
        }
        looked
    }

    /// How many elements of a list meet the condition of a count.
    fn count(&mut self, count: &Map<String, Value>) -> Option<usize> {
        let (of, items) = if let Some(field) = get(count, "field") {
            let name = plain(&self.now(field)?);
            let found = self.subject.field(&name, &self.elements);
            (found.path, found.values)
        } else {
            let name = get(count, "name").map(plain).unwrap_or_default();
            let items = match self.now(get(count, "value")?)? {
                Value::Array(items) => items,
                Value::Null => Vec::new(),
                other => vec![other],
            };
            (name, items)
        };
        if items.iter().any(template::is_unknown) {
            return None;
        }
        let Some(condition) = get(count, "where") else {
            return Some(items.len());
        };
        let (mut number, mut known) = (0, true);
        for value in items {
            let of = of.clone();
            self.elements.push(Element { of, value });
            match self.holds(condition) {
                Some(true) => number += 1,
                Some(false) => {}
                None => known = false,
            }
            self.elements.pop();
        }
        known.then_some(number)
    }

    fn now(&self, value: &Value) -> Option<Value> {
        if let Value::Array(items) = value {
            let items: Option<Vec<Value>> = items.iter().map(|item| self.now(item)).collect();
            return items.map(Value::Array);
        }
        let mut ask = |function: Function, name: &str| {
            let answer = match function {
                Function::Current => self.subject.current(name, &self.elements)?,
                Function::Field => {
                    let found = self.subject.field(name, &self.elements);
                    if name.contains("[*]") {
                        Value::Array(found.values)
                    } else {
                        found.values.into_iter().next()?
                    }
                }
            };
            (!template::has_unknown(&answer)).then_some(answer)
        };
        self.parameters.now(value, &mut ask)
    }

    fn tell(&mut self, looked: Looked, operator: &str, target: Option<Value>, result: bool) {
        let mut seen = json!({
            "result": if result { "True" } else { "False" },
            "expressionKind": looked.kind,
            "expression": looked.expression,
        });
        if let Some(path) = looked.path {
            seen["path"] = path.into();
        }
        if let Some(value) = looked.values.first().filter(|value| !value.is_null()) {
            seen["expressionValue"] = value.clone();
        }
        seen["targetValue"] = target.unwrap_or(Value::Null);
        let mut capital = operator.to_owned();
        capital[..1].make_ascii_uppercase();
        seen["operator"] = capital.into();
        self.trace.push(seen);
    }
}

/// The left side of a comparison.
struct Looked {
    kind: &'static str,
    expression: String,
    path: Option<String>,
    values: Vec<Value>,
    each: bool,
    known: bool,
}

impl Default for Looked {
    fn default() -> Looked {
        Looked {
            kind: "",
            expression: String::new(),
            path: None,
            values: Vec::new(),
            each: false,
            known: true,
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase(),
        Value::Null => String::new(),
        other => other.to_string().to_lowercase(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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
        "match" => pattern(&plain(value), &plain(target)),
        "notMatch" => !pattern(&plain(value), &plain(target)),
        "matchInsensitively" => pattern(&text(value), &text(target)),
        "notMatchInsensitively" => !pattern(&text(value), &text(target)),
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
