//! Types of values: reads a declaration (with user-defined types by `$ref`) and says what a value breaks of it.

mod check;
mod secret;

use serde_json::{Map, Value};

use crate::parse::get;
use crate::runtime::is_unknown;
use crate::{Error, Parameter, ParameterType, place};
pub(crate) use check::{Violation, check, check_output};
pub(crate) use secret::without_secrets;

/// Deepest value that is compared with its type: no deeper one can be read.
const MAX_DEPTH: usize = 256;
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
