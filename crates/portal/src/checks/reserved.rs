//! What no draft may hold, wherever in it: names that mean something to Slipway inside a plan, and numbers that JSON readers do not agree on.

use serde_json::Value;
use types::problem::FieldError;
use types::unknown::RESERVED;

use super::text::error;
use crate::plans::digest::is_whole;

/// What is wrong with a value at any depth; the first thing found. `at` is the field.
pub(super) fn problem(at: &str, value: &Value) -> Option<FieldError> {
    match value {
        Value::Number(number) if !is_whole(number) => Some(error(
            at,
            "type",
            "This is no whole number between −9,007,199,254,740,991 and 9,007,199,254,740,991. Write it without a fraction or an exponent; any other \
             number only fits as a text.",
        )),
        Value::Array(items) => items.iter().find_map(|item| problem(at, item)),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, member)| name_problem(at, name).or_else(|| problem(at, member))),
        _ => None,
    }
}

/// What is wrong with a name: of a tag, a label, a member.
pub(super) fn name_problem(at: &str, name: &str) -> Option<FieldError> {
    let name = name.trim();
    RESERVED.contains(&name).then(|| {
        error(
            at,
            "reserved_name",
            format!("Slipway uses the name {name} for values of its own. Choose another."),
        )
    })
}
