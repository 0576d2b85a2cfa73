//! Plain HTML forms: how a request form's fields become a draft and back, and what a page needs to show a refused POST again.
//!
//! `server` receives the POST, turns its fields into a draft with [`draft`], calls `portal`, and either redirects (303) or renders the page at the same
//! address with [`Submitted`] in context.

use indexmap::IndexMap;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::form::{Control, Field};
use types::ids::SubmissionId;
use types::problem::{FieldError, Problem};
use types::request::{RequestDraft, RequestKind};
use types::token::CreatedToken;

/// A POST that is answered with a page instead of a redirect. Never holds a secret that somebody typed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Submitted {
    /// The path that was posted to: the page takes it only for its own forms.
    pub path: String,
    /// The request form's values, when it was the request form.
    pub draft: Option<RequestDraft>,
    /// The submission number that came with it; the same again, so that trying again still makes one request. Absent where that number was used for
    /// another request: then the page takes a new one.
    pub submission: Option<SubmissionId>,
    /// Values of any other form, by field name; without secrets.
    pub values: IndexMap<String, String>,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// Why it was refused as a whole. Absent after *Check*.
    pub problem: Option<Problem>,
    /// The token that was just made: the only page that ever shows it.
    pub created: Option<CreatedToken>,
}

/// The problem of a form whose number was used before, with other values.
const ALREADY_SENT: &str = "already_sent";

impl Submitted {
    /// The same, refused with this problem. A number that made another request already is not used again: the next try is a request of its own.
    #[must_use]
    pub fn refused(mut self, problem: Problem) -> Self {
        if problem.code == ALREADY_SENT {
            self.submission = None;
        }
        self.errors.clone_from(&problem.errors);
        self.problem = Some(problem);
        self
    }

    /// What was typed into a field of a small form.
    pub(crate) fn value(&self, field: &str) -> String {
        self.values.get(field).cloned().unwrap_or_default()
    }

    /// The message beside a field.
    pub(crate) fn error(&self, field: &str) -> Option<String> {
        self.errors
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.clone())
    }
}

/// The refused POST, when it was posted to `path` or below it.
pub(crate) fn submitted(path: &str) -> Option<Submitted> {
    let mut submitted = use_context::<Submitted>()?;
    let below = submitted.path.strip_prefix(path)?;
    if !(below.is_empty() || below.starts_with('/')) {
        return None;
    }
    if let Some(draft) = &mut submitted.draft {
        // A private key pasted by mistake goes no further than it already has.
        draft
            .parameters
            .retain(|_, value| !is_private_key(&text(value)));
    }
    Some(submitted)
}

/// The name of the hidden field that says which parameters are numbers, switches or structures, `vmCount=number fips=bool`.
pub const SHAPES: &str = "shapes";

/// The draft that the fields of a posted request form make. Fields that are not the form's are ignored; nothing is judged here.
///
/// Names: those of [`RequestDraft`], `parameters.<name>`, and tags as `tags`, one `name=value` per line.
#[must_use]
pub fn draft(fields: &[(String, String)]) -> RequestDraft {
    let shapes: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, _)| name == SHAPES)
        .flat_map(|(_, text)| text.split_ascii_whitespace())
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let mut draft = RequestDraft::default();
    for (name, text) in fields {
        let text = text.replace("\r\n", "\n");
        let of = match (name.as_str(), text.split_once('=')) {
            ("fix", Some((field, _))) => field,
            _ => name,
        };
        let shape = shapes
            .iter()
            .find(|(parameter, _)| of.strip_prefix("parameters.") == Some(parameter))
            .map_or("text", |(_, shape)| *shape);
        set(&mut draft, name, &text, shape);
    }
    draft
}

/// Puts one field's text into a draft; `shape` is `number`, `bool`, `json` or `text` and matters for parameters only.
pub(crate) fn set(draft: &mut RequestDraft, name: &str, text: &str, shape: &str) {
    match name {
        "kind" => {
            draft.kind = match text {
                "update" => RequestKind::Update,
                "extend" => RequestKind::Extend,
                "delete" => RequestKind::Delete,
                _ => RequestKind::Create,
            }
        }
        "stack" => draft.stack = text.parse().ok(),
        "project" => text.clone_into(&mut draft.project),
        "tier" => text.clone_into(&mut draft.tier),
        "template" => text.clone_into(&mut draft.template),
        "name" => text.trim().clone_into(&mut draft.name),
        "region" => text.clone_into(&mut draft.region),
        "zone" => text.clone_into(&mut draft.zone),
        "cost_centre" => text.trim().clone_into(&mut draft.cost_centre),
        "expiry" => text.clone_into(&mut draft.expiry),
        // The date next to the choices: filled in, it wins over the choice.
        "expiry_date" => {
            if !text.is_empty() {
                text.clone_into(&mut draft.expiry);
            }
        }
        // A remedy pressed without JavaScript, `region=westeurope`.
        "fix" => {
            if let Some((field, text)) = text.split_once('=')
                && field != "fix"
            {
                set(draft, field, text, shape);
            }
        }
        "justification" => text.clone_into(&mut draft.justification),
        "tags" => draft.tags = tags(text),
        _ => {
            if let Some(parameter) = name.strip_prefix("parameters.") {
                match value(text, shape) {
                    Some(value) => draft.parameters.insert(parameter.to_owned(), value),
                    None => draft.parameters.remove(parameter),
                };
            }
        }
    }
}

/// A parameter's value; text that is not of its shape stays text, so that `portal` can say what is wrong with it. Nothing typed is no value.
fn value(text: &str, shape: &str) -> Option<Value> {
    match shape {
        "number" if text.trim().is_empty() => None,
        "number" => Some(
            text.trim()
                .parse::<i64>()
                .map_or_else(|_| text.into(), Into::into),
        ),
        "bool" => Some(match text {
            "true" | "on" => true.into(),
            "false" | "" => false.into(),
            other => other.into(),
        }),
        "json" if text.trim().is_empty() => None,
        "json" => Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        _ => Some(text.into()),
    }
}

/// The shape of a parameter's control, for [`SHAPES`]. A text field whose default is a structure is written as JSON.
pub(crate) fn shape(field: &Field) -> &'static str {
    match (&field.control, &field.default) {
        (Control::Number { .. }, _) => "number",
        (Control::Checkbox, _) => "bool",
        (_, Some(Value::Array(_) | Value::Object(_))) => "json",
        (_, Some(Value::Bool(_))) => "bool",
        (_, Some(Value::Number(_))) => "number",
        _ => "text",
    }
}

/// What a field holds in a draft, as text for its input.
pub(crate) fn get(draft: &RequestDraft, name: &str) -> String {
    match name {
        "kind" => draft.kind.as_str().to_owned(),
        "stack" => draft.stack.map(|id| id.to_string()).unwrap_or_default(),
        "project" => draft.project.clone(),
        "tier" => draft.tier.clone(),
        "template" => draft.template.clone(),
        "name" => draft.name.clone(),
        "region" => draft.region.clone(),
        "zone" => draft.zone.clone(),
        "cost_centre" => draft.cost_centre.clone(),
        "expiry" => draft.expiry.clone(),
        "justification" => draft.justification.clone(),
        "tags" => tags_text(&draft.tags),
        _ => name
            .strip_prefix("parameters.")
            .and_then(|parameter| draft.parameters.get(parameter))
            .map(text)
            .unwrap_or_default(),
    }
}

/// A JSON value as people type it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether somebody pasted the half of a key that must stay at home.
pub(crate) fn is_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
}

fn tags(text: &str) -> IndexMap<String, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once('=') {
            Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
            None => (line.to_owned(), String::new()),
        })
        .collect()
}

fn tags_text(tags: &IndexMap<String, String>) -> String {
    tags.iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_posted_form_becomes_the_draft_that_was_typed() {
        let draft = draft(&fields(&[
            ("project", "payments"),
            ("tier", "prod"),
            ("template", "azure-linux-vm@1.0.0"),
            ("name", " web "),
            ("tags", "team=core\r\n\r\nnote = a=b"),
            ("parameters.count", "3"),
            ("parameters.size", "Standard_D2ds_v6"),
            ("parameters.fips", "false"),
            ("parameters.fips", "true"),
            ("parameters.taints", r#"["a=b:NoSchedule"]"#),
            (SHAPES, "count=number fips=bool taints=json"),
            ("action", "send"),
        ]));
        assert_eq!(draft.name, "web");
        assert_eq!(draft.tags["note"], "a=b");
        assert_eq!(draft.parameters["count"], 3);
        assert_eq!(draft.parameters["fips"], true);
        assert_eq!(draft.parameters["size"], "Standard_D2ds_v6");
        assert_eq!(draft.parameters["taints"][0], "a=b:NoSchedule");
        assert!(!draft.parameters.contains_key("action"));
    }

    #[test]
    fn what_is_not_a_number_is_kept_for_the_person_to_mend() {
        let draft = draft(&fields(&[
            ("parameters.count", "three"),
            (SHAPES, "count=number"),
        ]));
        assert_eq!(draft.parameters["count"], "three");
        assert_eq!(get(&draft, "parameters.count"), "three");
    }
}
