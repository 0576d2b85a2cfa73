//! Text that people typed: what no field takes, whatever it is for.

use types::problem::FieldError;
use types::request::RequestDraft;

use crate::ssh_keys;

/// Longest single line that any field takes, in characters, where the field itself does not say less.
pub(super) const LINE: usize = 1_000;

/// Whether a text may hold line breaks and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// Characters that show a text as something else than it is: controls, and marks that turn the direction of writing.
pub(super) fn deceptive(c: char, lines: Lines) -> bool {
    if lines == Lines::Many && matches!(c, '\n' | '\r' | '\t') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}

/// What is wrong with a text; the message never repeats the text.
pub(super) fn problem(field: &str, text: &str, lines: Lines, longest: usize) -> Option<FieldError> {
    if ssh_keys::is_private(text) {
        let key = ssh_keys::private();
        return Some(error(field, key.code, key.message));
    }
    let length = text.chars().count();
    if length > longest {
        return Some(error(
            field,
            "too_long",
            format!("At most {longest} characters; this has {length}."),
        ));
    }
    if text.chars().any(|c| deceptive(c, lines)) {
        return Some(error(
            field,
            "control_characters",
            "This holds characters that cannot be seen, such as control characters or marks that turn the direction of text. Type it again instead of pasting it.",
        ));
    }
    None
}

/// A field error.
pub(super) fn error(field: &str, code: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.into(),
        code: code.to_owned(),
    }
}

/// Empties every field that holds a private key, so that it is not given back, stored or logged. Says whether there was one.
pub(crate) fn forget_private_keys(draft: &mut RequestDraft) -> bool {
    let mut found = false;
    let mut forget = |text: &mut String| {
        if ssh_keys::is_private(text) {
            text.clear();
            found = true;
        }
    };
    for text in [
        &mut draft.project,
        &mut draft.tier,
        &mut draft.template,
        &mut draft.name,
        &mut draft.region,
        &mut draft.zone,
        &mut draft.cost_centre,
        &mut draft.expiry,
        &mut draft.justification,
    ] {
        forget(text);
    }
    for (_, value) in &mut draft.tags {
        forget(value);
    }
    let mut holds = |value: &serde_json::Value| {
        let holds = ssh_keys::is_private(&value.to_string());
        found |= holds;
        holds
    };
    for (_, value) in &mut draft.parameters {
        if holds(value) {
            *value = serde_json::Value::String(String::new());
        }
    }
    draft.tags.retain(|name, _| !ssh_keys::is_private(name));
    draft
        .parameters
        .retain(|name, _| !ssh_keys::is_private(name));
    found
}
