//! A template's parameters: how they are declared, and whether given values fit.

use std::fmt;

use serde_json::{Map, Value};

use crate::Template;
use crate::schema::{self, Violation};
use crate::template::Inner;

/// A declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its type; a `$ref` is resolved.
    pub kind: ParameterType,
    /// The default as written, expressions unevaluated.
    pub default: Option<Value>,
    /// The only values it may take.
    pub allowed: Option<Vec<Value>>,
    /// Least integer.
    pub min_value: Option<i64>,
    /// Greatest integer.
    pub max_value: Option<i64>,
    /// Least number of characters or items.
    pub min_length: Option<u64>,
    /// Greatest number of characters or items.
    pub max_length: Option<u64>,
    /// `metadata` as written; `description` is for people.
    pub metadata: Option<Value>,
    /// Whether null is a value; a nullable parameter without a default is null when nothing is given.
    pub nullable: bool,
}

impl Parameter {
    /// Whether a value must be given.
    #[must_use]
    pub fn required(&self) -> bool {
        self.default.is_none() && !self.nullable
    }
}

/// The type of a parameter or an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the words of the template language; there is nothing to add to them"
)]
pub enum ParameterType {
    String,
    SecureString,
    Int,
    Bool,
    Object,
    SecureObject,
    Array,
    /// A union of types, or no type at all: any value fits.
    Any,
}

impl ParameterType {
    /// Whether values of this type must not be shown or stored in clear.
    #[must_use]
    pub fn secure(self) -> bool {
        matches!(self, Self::SecureString | Self::SecureObject)
    }

    /// The type's name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "string" => Self::String,
            "securestring" => Self::SecureString,
            "int" => Self::Int,
            "bool" => Self::Bool,
            "object" => Self::Object,
            "secureobject" => Self::SecureObject,
            "array" => Self::Array,
            "any" => Self::Any,
            _ => return None,
        })
    }
}

impl fmt::Display for ParameterType {
    /// As ARM writes the type in its answers: `String`, `SecureString`, `Int`, `Bool`, `Object`, `SecureObject`, `Array`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "String",
            Self::SecureString => "SecureString",
            Self::Int => "Int",
            Self::Bool => "Bool",
            Self::Object => "Object",
            Self::SecureObject => "SecureObject",
            Self::Array => "Array",
            Self::Any => "Any",
        })
    }
}

/// One thing wrong with the given parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// The parameter's name.
    pub name: String,
    /// ARM's code: `InvalidTemplate`.
    pub code: String,
    /// What is wrong and what would fit, as ARM says it between the quotes of `Deployment template validation failed: '…'`.
    /// Source: what people quote of ARM's answers in public, such as <https://github.com/Azure-Samples/contoso-chat/issues/80>
    /// (length), <https://github.com/Azure/Moodle/issues/293> (unknown parameter); the sentences about least and greatest
    /// values and about parts of a value follow their pattern. Values of secure parameters are never in it.
    pub message: String,
}

/// Everything that is wrong with these parameters: missing, unknown to the template, of another type, not allowed, out of
/// bounds. Values may be plain (`"x"`) only; unwrap the `{"value": "x"}` of parameter files first. Defaults are not evaluated
/// here. Values that are unknowns fit everything.
#[must_use]
pub fn check_parameters(template: &Template, given: &Map<String, Value>) -> Vec<ParameterError> {
    check(&template.inner, given)
}

pub(crate) fn check(template: &Inner, given: &Map<String, Value>) -> Vec<ParameterError> {
    let mut errors = Vec::new();
    let mut add = |name: &str, code: &str, message: String| {
        errors.push(ParameterError {
            name: name.to_owned(),
            code: code.to_owned(),
            message,
        });
    };
    for name in given.keys() {
        if !template.declarations.contains_key(&name.to_lowercase()) {
            let known = template
                .parameters
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            add(
                name,
                "InvalidTemplate",
                format!(
                    "The template parameters '{name}' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '{known}'. Please see https://aka.ms/arm-pass-parameter-values for usage details."
                ),
            );
        }
    }
    for (name, parameter) in &template.parameters {
        let value = given.get(name).or_else(|| {
            given
                .iter()
                .find(|(key, _)| key.to_lowercase() == name.to_lowercase())
                .map(|(_, value)| value)
        });
        // Null counts as not given, as ARM has it.
        match value.filter(|value| !value.is_null()) {
            None if parameter.required() => add(
                name,
                "InvalidTemplate",
                format!(
                    "The value for the template parameter '{name}' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details."
                ),
            ),
            None => {}
            Some(value) if crate::parse::check_depth(value).is_err() => add(
                name,
                "InvalidTemplate",
                format!(
                    "The provided value for the template parameter '{name}' is not valid. It nests deeper than JSON may."
                ),
            ),
            Some(value) => {
                let declared = template.declarations.get(&name.to_lowercase());
                let Some(Value::Object(schema)) = declared.map(|declared| &declared.schema) else {
                    continue;
                };
                for Violation { at, message } in schema::check(schema, &template.definitions, value)
                {
                    let at = if at.is_empty() {
                        at
                    } else {
                        format!(" at '{at}'")
                    };
                    add(
                        name,
                        "InvalidTemplate",
                        format!(
                            "The provided value for the template parameter '{name}' is not valid{at}. {message} Please see https://aka.ms/arm-syntax-parameters for usage details."
                        ),
                    );
                }
            }
        }
    }
    errors
}
