//! How much a draft may hold, before anything in it is read. How long the text of a field may be is said where that field is read.

use serde_json::Value;
use types::problem::FieldError;
use types::request::RequestDraft;

use super::text::{LINE, error};

/// Most parameters: no template has nearly as many.
const PARAMETERS: usize = 200;
/// Most tags: Azure takes 50 on a resource.
const TAGS: usize = 200;
/// Most values in one parameter, on all levels.
const VALUES: usize = 2_000;
/// Most levels of lists and maps in one parameter.
const DEPTH: usize = 8;
/// Longest name or value of a tag, in bytes.
const TAG: usize = 8_192;
/// Largest draft that is written out for other tools, in bytes of JSON.
const LARGE: usize = 65_536;

/// Whether a draft is so large that its answer does not repeat it.
pub(super) fn is_large(draft: &RequestDraft) -> bool {
    !problems(draft).is_empty() || serde_json::to_string(draft).is_ok_and(|text| text.len() > LARGE)
}

/// What is too much. It is all that is said about such a draft.
pub(super) fn problems(draft: &RequestDraft) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if draft.tags.len() > TAGS {
        errors.push(error(
            "tags",
            "too_many",
            format!("At most {TAGS} tags; this has {}.", draft.tags.len()),
        ));
    } else if draft
        .tags
        .iter()
        .any(|(name, value)| name.len().max(value.len()) > TAG)
    {
        errors.push(error(
            "tags",
            "too_long",
            "Names and values of tags are shorter than one of these.",
        ));
    }
    if draft.parameters.len() > PARAMETERS {
        errors.push(error(
            "parameters",
            "too_many",
            format!(
                "At most {PARAMETERS} fields; this has {}.",
                draft.parameters.len()
            ),
        ));
        return errors;
    }
    for (name, value) in &draft.parameters {
        if name.chars().nth(LINE).is_some() {
            errors.push(error(
                "parameters",
                "too_long",
                "The template has no field with a name as long as one of these.",
            ));
            continue;
        }
        let mut values = VALUES;
        if let Some(message) = too_much(value, DEPTH, &mut values) {
            let name: String = name.chars().take(60).collect();
            errors.push(error(&format!("parameters.{name}"), "too_many", message));
        }
    }
    errors
}

fn too_much(value: &Value, levels: usize, values: &mut usize) -> Option<&'static str> {
    *values = match values.checked_sub(1) {
        Some(left) => left,
        None => return Some("At most 2,000 values."),
    };
    let Some(levels) = levels.checked_sub(1) else {
        return Some("At most 8 lists and maps inside each other.");
    };
    match value {
        Value::Array(items) => items.iter().find_map(|item| too_much(item, levels, values)),
        Value::Object(members) => members
            .values()
            .find_map(|member| too_much(member, levels, values)),
        _ => None,
    }
}
