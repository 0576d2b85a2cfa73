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
/// Longest text of any field, in bytes, before it is looked at: what each field takes is far less.
const TEXT: usize = 16_384;
/// Most text in one parameter, in bytes: a list of lines has more than a line.
const TEXTS: usize = 32_768;
/// Most text in all parameters together, names included, in bytes: all of it is looked through several times.
const ALL_TEXTS: usize = 65_536;
/// Largest draft that is written out for other tools, in bytes of JSON.
const LARGE: usize = 65_536;

/// Whether a draft is so large that its answer does not repeat it.
pub(super) fn is_large(draft: &RequestDraft) -> bool {
    !problems(draft).is_empty() || serde_json::to_string(draft).is_ok_and(|text| text.len() > LARGE)
}

/// What is too much. It is all that is said about such a draft.
pub(super) fn problems(draft: &RequestDraft) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, text) in [
        ("project", &draft.project),
        ("tier", &draft.tier),
        ("template", &draft.template),
        ("name", &draft.name),
        ("region", &draft.region),
        ("zone", &draft.zone),
        ("cost_centre", &draft.cost_centre),
        ("expiry", &draft.expiry),
        ("justification", &draft.justification),
    ] {
        if text.len() > TEXT {
            errors.push(error(
                field,
                "too_long",
                format!("No field takes {} bytes of text.", text.len()),
            ));
        }
    }
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
    let mut all = ALL_TEXTS;
    for (name, value) in &draft.parameters {
        if name.chars().nth(LINE).is_some() {
            errors.push(error(
                "parameters",
                "too_long",
                "The template has no field with a name as long as one of these.",
            ));
            continue;
        }
        let mut left = Left {
            values: VALUES,
            text: TEXTS,
        };
        if let Some(message) = too_much(value, DEPTH, &mut left) {
            let name: String = name.chars().take(60).collect();
            errors.push(error(&format!("parameters.{name}"), "too_many", message));
            continue;
        }
        let text = name.len() + TEXTS - left.text;
        let Some(rest) = all.checked_sub(text) else {
            errors.push(error(
                "parameters",
                "too_long",
                "At most 65,536 bytes of text in all fields of the template together.",
            ));
            break;
        };
        all = rest;
    }
    errors
}

/// What one parameter may still hold.
struct Left {
    values: usize,
    text: usize,
}

impl Left {
    fn takes(&mut self, text: &str) -> Option<()> {
        self.text = self.text.checked_sub(text.len())?;
        Some(())
    }
}

fn too_much(value: &Value, levels: usize, left: &mut Left) -> Option<&'static str> {
    const TEXT: &str = "At most 32,768 bytes of text.";
    left.values = match left.values.checked_sub(1) {
        Some(left) => left,
        None => return Some("At most 2,000 values."),
    };
    let Some(levels) = levels.checked_sub(1) else {
        return Some("At most 8 lists and maps inside each other.");
    };
    match value {
        Value::String(text) if left.takes(text).is_none() => Some(TEXT),
        Value::Array(items) => items.iter().find_map(|item| too_much(item, levels, left)),
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if left.takes(name).is_none() {
                return Some(TEXT);
            }
            too_much(member, levels, left)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of what is wrong with parameters of these lengths.
    fn found(lengths: &[usize]) -> Vec<String> {
        let mut draft = RequestDraft::default();
        for (n, length) in lengths.iter().enumerate() {
            let half = "x".repeat(length / 2);
            draft.parameters.insert(
                format!("p{n:03}"),
                serde_json::json!([half, { half.clone(): 1 }]),
            );
        }
        problems(&draft)
            .into_iter()
            .map(|error| error.field)
            .collect()
    }

    #[test]
    fn parameters_are_bounded_one_by_one_and_together() {
        assert!(found(&[32_768]).is_empty());
        assert_eq!(found(&[32_770]), ["parameters.p000"]);
        assert!(found(&[32_760, 32_760]).is_empty());
        assert_eq!(found(&[32_760, 32_760, 10]), ["parameters"]);
        assert_eq!(found(&[600; 200]), ["parameters"]);
        assert!(found(&[200; 200]).is_empty());
    }
}
