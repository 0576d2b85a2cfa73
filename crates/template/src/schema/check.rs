//! Holds values against their types, in ARM's words.

use std::fmt;

use serde_json::{Map, Value};

use super::{MAX_DEPTH, fits, resolve};
use crate::functions::text_of;
use crate::parse::get;
use crate::runtime::is_unknown;
use crate::{ParameterType, place};

/// One thing that a value breaks of its declaration.
#[derive(Debug)]
pub(crate) struct Violation {
    /// Where in the value; empty for the value itself.
    pub(crate) at: String,
    /// What is wrong, in ARM's words where they are known.
    pub(crate) message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "`{}`: ", self.at)?;
        }
        f.write_str(&self.message)
    }
}

/// What a value breaks of its declaration.
pub(crate) fn check(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &Value,
) -> Vec<Violation> {
    let mut walk = Walk {
        definitions,
        found: Vec::new(),
        secret: false,
    };
    walk.value(schema, value, "", 0);
    walk.found
}

/// What the value of an output (of a template, of a function) breaks of its declaration first. Only where `whole` is anything but its type looked at: bounds and
/// user-defined types are of language version 2.0.
pub(crate) fn check_output(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &Value,
    whole: bool,
) -> Option<String> {
    let chain = Chain(resolve(schema, definitions).ok()?);
    if value.is_null() && chain.nullable() {
        return None;
    }
    match chain.kind() {
        // The words of public reports of outputs.
        Some(kind) if !fits(kind, value) => Some(format!(
            "Template output JToken type is not valid. Expected '{}'. Actual '{}'.",
            expected(kind),
            received(value)
        )),
        _ if whole => check(schema, definitions, value)
            .into_iter()
            .next()
            .map(|violation| violation.to_string()),
        _ => None,
    }
}

/// A declaration and the types it refers to, nearest first.
pub(super) struct Chain<'v>(pub(super) Vec<&'v Map<String, Value>>);

impl<'v> Chain<'v> {
    pub(super) fn first(&self, name: &str) -> Option<&'v Value> {
        self.0.iter().find_map(|schema| get(schema, name))
    }

    fn nullable(&self) -> bool {
        self.0.iter().any(|schema| {
            get(schema, "nullable")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        })
    }

    pub(super) fn kind(&self) -> Option<ParameterType> {
        self.first("type")
            .and_then(Value::as_str)
            .and_then(ParameterType::named)
    }
}

struct Walk<'v> {
    definitions: &'v Map<String, Value>,
    found: Vec<Violation>,
    /// Whether what is looked at is, or is within, a secure value: nothing of it is shown.
    secret: bool,
}

impl<'v> Walk<'v> {
    fn say(&mut self, at: &str, message: impl Into<String>) {
        self.found.push(Violation {
            at: at.to_owned(),
            message: message.into(),
        });
    }

    fn value(&mut self, schema: &'v Map<String, Value>, value: &Value, at: &str, depth: usize) {
        let outer = self.secret;
        self.fit(schema, value, at, depth);
        self.secret = outer;
    }

    fn fit(&mut self, schema: &'v Map<String, Value>, value: &Value, at: &str, depth: usize) {
        if is_unknown(value) || depth > MAX_DEPTH {
            return;
        }
        let chain = match resolve(schema, self.definitions) {
            Ok(chain) => Chain(chain),
            Err(message) => return self.say(at, message),
        };
        if value.is_null() && chain.nullable() {
            return;
        }
        let kind = chain.kind();
        self.secret |= kind.is_some_and(ParameterType::secure);
        if let Some(kind) = kind
            && !fits(kind, value)
        {
            return self.say(
                at,
                format!(
                    "Expected a value of type '{}', but received a value of type '{}'.",
                    expected(kind),
                    received(value)
                ),
            );
        }
        if let Some(Value::Array(allowed)) = chain.first("allowedValues")
            && !allowed_has(allowed, value)
        {
            let list = allowed.iter().map(text_of).collect::<Vec<_>>().join(",");
            let shown = self.shown(value);
            self.say(
                at,
                format!("The value{shown} is not part of the allowed value(s): '{list}'."),
            );
        }
        self.bounds(&chain, value, at);
        match value {
            Value::Array(items) => self.items(&chain, items, at, depth),
            Value::Object(members) => self.properties(&chain, members, at, depth),
            _ => {}
        }
    }

    /// A value within a message: nothing of a secret, nor of what is too large to be read.
    fn shown(&self, value: &Value) -> String {
        match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) if !self.secret => {
                format!(" '{}'", text_of(value))
            }
            _ => String::new(),
        }
    }

    fn items(&mut self, chain: &Chain<'v>, items: &[Value], at: &str, depth: usize) {
        let prefix = chain.first("prefixItems").and_then(Value::as_array);
        let rest = chain.first("items");
        for (i, item) in items.iter().enumerate() {
            let own = prefix.and_then(|schemas| schemas.get(i)).or(rest);
            match own {
                Some(Value::Object(schema)) => {
                    self.value(schema, item, &place::index(at, i), depth + 1);
                }
                // A tuple that is closed.
                Some(Value::Bool(false)) => {
                    let most = prefix.map_or(0, Vec::len);
                    return self.say(
                        at,
                        format!("Length of the value should be less than or equal to '{most}'."),
                    );
                }
                _ => {}
            }
        }
        let least = prefix.map_or(0, Vec::len);
        if items.len() < least {
            self.say(
                at,
                format!("Length of the value should be greater than or equal to '{least}'."),
            );
        }
    }

    fn properties(
        &mut self,
        chain: &Chain<'v>,
        members: &Map<String, Value>,
        at: &str,
        depth: usize,
    ) {
        let mut declared: Vec<(&'v String, &'v Value)> = Vec::new();
        let properties_of = |schema: &'v Value| schema.as_object().into_iter().flatten();
        declared.extend(
            chain
                .first("properties")
                .into_iter()
                .flat_map(properties_of),
        );
        let mut more = chain.first("additionalProperties");
        if let Some(discriminator) = chain.first("discriminator") {
            match self.chosen(discriminator, members, at) {
                Choice::Type(variant) => {
                    declared.extend(
                        variant
                            .first("properties")
                            .into_iter()
                            .flat_map(properties_of),
                    );
                    more = more.or(variant.first("additionalProperties"));
                }
                Choice::Open => return,
                Choice::None => more = None,
            }
        }
        for (name, schema) in &declared {
            let Value::Object(schema) = schema else {
                continue;
            };
            match get(members, name) {
                Some(value) => self.value(schema, value, &place::member(at, name), depth + 1),
                None => {
                    let optional = resolve(schema, self.definitions)
                        .is_ok_and(|chain| Chain(chain).nullable());
                    if !optional {
                        self.say(at, format!("The property '{name}' is missing."));
                    }
                }
            }
        }
        let undeclared = members.iter().filter(|(name, _)| {
            !declared
                .iter()
                .any(|(declared, _)| declared.eq_ignore_ascii_case(name))
        });
        match more {
            Some(Value::Bool(false)) => {
                for (name, _) in undeclared {
                    self.say(
                        at,
                        format!("The property '{name}' is not declared; check its spelling."),
                    );
                }
            }
            Some(Value::Object(schema)) => {
                for (name, value) in undeclared {
                    self.value(schema, value, &place::member(at, name), depth + 1);
                }
            }
            _ => {}
        }
    }

    /// The variant of a discriminated union that these members choose.
    fn chosen(
        &mut self,
        discriminator: &'v Value,
        members: &Map<String, Value>,
        at: &str,
    ) -> Choice<'v> {
        let property = discriminator
            .get("propertyName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(mapping) = discriminator.get("mapping").and_then(Value::as_object) else {
            return Choice::None;
        };
        match get(members, property) {
            Some(Value::String(chosen)) => match mapping.get(chosen).and_then(Value::as_object) {
                Some(schema) => match resolve(schema, self.definitions) {
                    Ok(chain) => Choice::Type(Chain(chain)),
                    Err(message) => {
                        self.say(at, message);
                        Choice::None
                    }
                },
                None => {
                    let known = mapping.keys().cloned().collect::<Vec<_>>().join(",");
                    let shown = self.shown(&Value::String(chosen.clone()));
                    self.say(
                        &place::member(at, property),
                        format!("The value{shown} is not part of the allowed value(s): '{known}'."),
                    );
                    Choice::None
                }
            },
            Some(value) if is_unknown(value) => Choice::Open,
            Some(value) => {
                self.say(
                    &place::member(at, property),
                    format!(
                        "Expected a value of type 'String, Uri', but received a value of type '{}'.",
                        received(value)
                    ),
                );
                Choice::None
            }
            None => {
                self.say(at, format!("The property '{property}' is missing."));
                Choice::None
            }
        }
    }

    fn bounds(&mut self, chain: &Chain<'v>, value: &Value, at: &str) {
        let bound = |name: &str| chain.first(name).and_then(Value::as_i64);
        let lengths = (
            bound("minLength"),
            bound("maxLength"),
            "Length of the value",
        );
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (measured, (least, greatest, what)) = match value {
            Value::Number(number) => match number.as_i64() {
                Some(number) => (number, (bound("minValue"), bound("maxValue"), "The value")),
                None => return,
            },
            Value::String(text) => (count(text.encode_utf16().count()), lengths),
            Value::Array(items) => (count(items.len()), lengths),
            _ => return,
        };
        if let Some(least) = least
            && measured < least
        {
            self.say(
                at,
                format!("{what} should be greater than or equal to '{least}'."),
            );
        }
        if let Some(greatest) = greatest
            && measured > greatest
        {
            self.say(
                at,
                format!("{what} should be less than or equal to '{greatest}'."),
            );
        }
    }
}

/// What a discriminator comes to.
enum Choice<'v> {
    Type(Chain<'v>),
    /// It is not known: neither is what may be there.
    Open,
    None,
}

/// A type as ARM names it when a value does not fit.
fn expected(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::String | ParameterType::SecureString => "String, Uri",
        ParameterType::Int => "Integer",
        ParameterType::Bool => "Boolean",
        ParameterType::Object | ParameterType::SecureObject => "Object",
        ParameterType::Array => "Array",
        ParameterType::Any => "Any",
    }
}

/// A value's type as ARM names it when it does not fit.
fn received(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Float",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

/// `allowedValues` of an array parameter restrict its items. Strings compare in any case, as ARM compares allowed values.
fn allowed_has(allowed: &[Value], value: &Value) -> bool {
    let one = |value: &Value| {
        is_unknown(value)
            || allowed.iter().any(|allowed| match (allowed, value) {
                (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
                (a, b) => a == b,
            })
    };
    match value {
        Value::Array(items) => items.iter().all(one) || one(value),
        other => one(other),
    }
}
