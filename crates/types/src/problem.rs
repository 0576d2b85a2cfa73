//! Problem documents (RFC 9457): the one shape of every error over REST, and what the pages show.

use serde::{Deserialize, Serialize};

/// `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A relative reference to the page that explains this kind, `/docs/problems#<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, the same for every problem of this kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened here and what to do.
    pub detail: String,
    /// Stable word for programs, such as `name_taken`.
    pub code: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// Names this answer in the logs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<String>,
}

/// Most errors of one answer: whoever sends thousands of bad fields gets an answer that can be read.
const MOST: usize = 50;

/// The first errors, and how many more there are.
#[must_use]
pub fn capped(mut errors: Vec<FieldError>) -> Vec<FieldError> {
    let more = errors.len().saturating_sub(MOST);
    if more > 0 {
        errors.truncate(MOST);
        errors.push(FieldError {
            field: String::new(),
            message: format!("And {more} more."),
            code: "more".to_owned(),
        });
    }
    errors
}

/// One field and its remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, such as `name` or `parameters.vmSize`; empty where it is about none, or about one whose name is not repeated.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// Stable word for programs.
    pub code: String,
}
