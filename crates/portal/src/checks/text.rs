//! Text that people typed: what no field takes, whatever it is for.

use types::problem::FieldError;
use types::secret::{looks_private, refusal};

/// Longest single line that any field takes, in characters, where the field itself does not say less.
pub(super) const LINE: usize = 1_000;

/// Whether a text may hold line breaks and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// Whether a character shows a text as something else than it is; text of several lines may have line breaks and tabs.
pub(super) fn deceptive(c: char, lines: Lines) -> bool {
    let layout = lines == Lines::Many && matches!(c, '\n' | '\r' | '\t');
    !layout && types::text::deceptive(c)
}

/// What is wrong with a text; the message never repeats the text.
pub(super) fn problem(field: &str, text: &str, lines: Lines, longest: usize) -> Option<FieldError> {
    if looks_private(text) {
        return Some(refusal(field));
    }
    unfit(field, text, lines, longest)
}

/// The same for a text of a draft, all of which was looked through for private keys before.
pub(super) fn unfit(field: &str, text: &str, lines: Lines, longest: usize) -> Option<FieldError> {
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
