//! Types of values: reads a declaration (with user-defined types by `$ref`) and says what a value breaks of it.

use serde_json::{Map, Value};

use crate::parse::get;
use crate::runtime::is_unknown;
use crate::{Error, Parameter, ParameterType, place};

/// How far references to types are followed: recursive types are lawful, endless ones are not.
const MAX_REFERENCES: usize = 32;

/// Reads the declaration of a parameter or an output. Only `symbolic` templates (language version 2.0) may leave its type out.
pub(crate) fn parameter(
    declaration: &Map<String, Value>,
    definitions: &Map<String, Value>,
    symbolic: bool,
    at: &str,
) -> Result<Parameter, Error> {
    let chain = resolve(declaration, definitions).map_err(|message| Error::invalid(at, message))?;
    let first = |name: &str| chain.iter().find_map(|schema| get(schema, name));
    let kind = match first("type") {
        Some(Value::String(name)) => ParameterType::named(name).ok_or_else(|| {
            Error::invalid(
                place::member(at, "type"),
                format!("`{name}` is no type; use string, securestring, int, bool, object, secureObject or array"),
            )
        })?,
        Some(_) => return Err(Error::invalid(place::member(at, "type"), "a type is a string")),
        // Language version 2.0 knows declarations without a type: any value fits.
        None if symbolic => ParameterType::Any,
        None => return Err(Error::invalid(at, "a `type` is missing")),
    };
    let integer = |name: &str| first(name).and_then(Value::as_i64);
    let length = |name: &str| first(name).and_then(Value::as_u64);
    let allowed = match first("allowedValues") {
        None | Some(Value::Null) => None,
        Some(Value::Array(values)) => Some(values.clone()),
        Some(_) => {
            return Err(Error::invalid(
                place::member(at, "allowedValues"),
                "`allowedValues` is a list",
            ));
        }
    };
    Ok(Parameter {
        kind,
        default: get(declaration, "defaultValue").cloned(),
        allowed,
        min_value: integer("minValue"),
        max_value: integer("maxValue"),
        min_length: length("minLength"),
        max_length: length("maxLength"),
        metadata: first("metadata").cloned(),
        nullable: chain.iter().any(|schema| {
            get(schema, "nullable")
                .and_then(Value::as_bool)
                .unwrap_or(false)
        }),
    })
}

/// The declaration and every type that it refers to, nearest first.
fn resolve<'v>(
    declaration: &'v Map<String, Value>,
    definitions: &'v Map<String, Value>,
) -> Result<Vec<&'v Map<String, Value>>, String> {
    let mut chain = vec![declaration];
    let mut current = declaration;
    while let Some(reference) = get(current, "$ref") {
        let name = reference
            .as_str()
            .and_then(|text| text.strip_prefix("#/definitions/"))
            .ok_or("a `$ref` has the form `#/definitions/<name>`")?
            .replace("~1", "/")
            .replace("~0", "~");
        current = get(definitions, &name)
            .and_then(Value::as_object)
            .ok_or_else(|| format!("the type `{name}` is not declared; add it to `definitions`"))?;
        chain.push(current);
        if chain.len() > MAX_REFERENCES {
            return Err(format!(
                "the type `{name}` refers to itself; break the circle"
            ));
        }
    }
    Ok(chain)
}

/// What a value breaks of its declaration, one sentence each, each beginning with the place inside the value.
pub(crate) fn check(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &Value,
) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, definitions, value, "", 0, &mut found);
    found
}

fn walk(
    schema: &Map<String, Value>,
    definitions: &Map<String, Value>,
    value: &Value,
    at: &str,
    depth: usize,
    found: &mut Vec<String>,
) {
    if is_unknown(value) || depth > MAX_REFERENCES {
        return;
    }
    let chain = match resolve(schema, definitions) {
        Ok(chain) => chain,
        Err(message) => return found.push(say(at, &message)),
    };
    let first = |name: &str| chain.iter().find_map(|schema| get(schema, name));
    let nullable = chain.iter().any(|schema| {
        get(schema, "nullable")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    });
    if value.is_null() && nullable {
        return;
    }
    let kind = first("type")
        .and_then(Value::as_str)
        .and_then(ParameterType::named);
    if let Some(kind) = kind
        && !fits(kind, value)
    {
        return found.push(say(
            at,
            &format!(
                "expected a value of type {}, got {}",
                kind.to_string().to_lowercase(),
                called(value)
            ),
        ));
    }
    if let Some(Value::Array(allowed)) = first("allowedValues")
        && !allowed_has(allowed, value)
    {
        let list = allowed
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        found.push(say(
            at,
            &format!("the value is not allowed; choose one of {list}"),
        ));
    }
    bounds(&first, value, at, found);
    match value {
        Value::Array(items) => {
            let prefix = first("prefixItems").and_then(Value::as_array);
            let rest = first("items").and_then(Value::as_object);
            for (i, item) in items.iter().enumerate() {
                let schema = prefix
                    .and_then(|schemas| schemas.get(i))
                    .and_then(Value::as_object)
                    .or(rest);
                if let Some(schema) = schema {
                    walk(
                        schema,
                        definitions,
                        item,
                        &place::index(at, i),
                        depth + 1,
                        found,
                    );
                }
            }
        }
        Value::Object(members) => properties(&first, definitions, members, at, depth, found),
        _ => {}
    }
}

fn properties<'v>(
    first: &impl Fn(&str) -> Option<&'v Value>,
    definitions: &Map<String, Value>,
    members: &Map<String, Value>,
    at: &str,
    depth: usize,
    found: &mut Vec<String>,
) {
    let mut declared = first("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    if let Some(discriminator) = first("discriminator") {
        let property = discriminator
            .get("propertyName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        match (get(members, property), mapping) {
            (Some(Value::String(chosen)), Some(mapping)) => match mapping
                .get(chosen)
                .and_then(Value::as_object)
            {
                Some(schema) => {
                    if let Ok(chain) = resolve(schema, definitions) {
                        for schema in chain {
                            if let Some(more) = get(schema, "properties").and_then(Value::as_object)
                            {
                                declared.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
                            }
                        }
                    }
                }
                None => {
                    let known = mapping.keys().cloned().collect::<Vec<_>>().join(", ");
                    found.push(say(
                        &place::member(at, property),
                        &format!("choose one of {known}"),
                    ));
                }
            },
            (None, _) => found.push(say(at, &format!("the property `{property}` is missing"))),
            _ => {}
        }
    }
    for (name, schema) in &declared {
        let Value::Object(schema) = schema else {
            continue;
        };
        match get(members, name) {
            Some(value) => walk(
                schema,
                definitions,
                value,
                &place::member(at, name),
                depth + 1,
                found,
            ),
            None => {
                let optional = resolve(schema, definitions).is_ok_and(|chain| {
                    chain.iter().any(|schema| {
                        get(schema, "nullable")
                            .and_then(Value::as_bool)
                            .unwrap_or(false)
                    })
                });
                if !optional {
                    found.push(say(at, &format!("the property `{name}` is missing")));
                }
            }
        }
    }
    match first("additionalProperties") {
        Some(Value::Bool(false)) => {
            for name in members.keys() {
                if get(&declared, name).is_none() {
                    found.push(say(
                        at,
                        &format!("the property `{name}` is not declared; check its spelling"),
                    ));
                }
            }
        }
        Some(Value::Object(schema)) => {
            for (name, value) in members {
                if get(&declared, name).is_none() {
                    walk(
                        schema,
                        definitions,
                        value,
                        &place::member(at, name),
                        depth + 1,
                        found,
                    );
                }
            }
        }
        _ => {}
    }
}

fn bounds<'v>(
    first: &impl Fn(&str) -> Option<&'v Value>,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let bound = |name: &str| first(name).and_then(Value::as_i64);
    let (measured, least, greatest, what) = match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) => (number, bound("minValue"), bound("maxValue"), "the value"),
            None => return,
        },
        Value::String(text) => (
            i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX),
            bound("minLength"),
            bound("maxLength"),
            "the number of characters",
        ),
        Value::Array(items) => (
            i64::try_from(items.len()).unwrap_or(i64::MAX),
            bound("minLength"),
            bound("maxLength"),
            "the number of items",
        ),
        _ => return,
    };
    if let Some(least) = least
        && measured < least
    {
        found.push(say(
            at,
            &format!("{what} is {measured}, the least is {least}"),
        ));
    }
    if let Some(greatest) = greatest
        && measured > greatest
    {
        found.push(say(
            at,
            &format!("{what} is {measured}, the most is {greatest}"),
        ));
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

/// Whether a value is of a type. Unknowns fit every type.
pub(crate) fn fits(kind: ParameterType, value: &Value) -> bool {
    is_unknown(value)
        || match kind {
            ParameterType::String | ParameterType::SecureString => value.is_string(),
            ParameterType::Int => value.is_i64() || value.is_u64(),
            ParameterType::Bool => value.is_boolean(),
            ParameterType::Object | ParameterType::SecureObject => value.is_object(),
            ParameterType::Array => value.is_array(),
            ParameterType::Any => true,
        }
}

/// What a value is, without saying what it holds.
pub(crate) fn called(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) if is_unknown(value) => "a value that is not known yet",
        Value::Object(_) => "an object",
    }
}

fn say(at: &str, message: &str) -> String {
    if at.is_empty() {
        message.to_owned()
    } else {
        format!("`{at}`: {message}")
    }
}
