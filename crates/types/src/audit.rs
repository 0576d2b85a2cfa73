//! The audit record: who did what, in order, each line chained to the one before.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::ProjectName;
use crate::time::Timestamp;

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// Position in the chain, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who: a subject.
    pub actor: String,
    /// How they came in: `person`, `token <id>`, `system`.
    pub via: String,
    /// What, such as `request.submitted`.
    pub action: String,
    /// Kind of noun.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// Its name, for people.
    pub subject_name: String,
    /// Project; absent for what belongs to the installation.
    pub project: Option<ProjectName>,
    /// What else is worth knowing; never a secret.
    pub detail: Value,
    /// Hash of the line before, in hexadecimal.
    pub previous_hash: String,
    /// SHA-256 over this line and the hash of the line before, in hexadecimal.
    pub hash: String,
}

/// Filter of the audit list; empty means all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct AuditFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this actor.
    pub actor: Option<String>,
    /// Only this action, or all that start with it and a dot.
    pub action: Option<String>,
    /// Only this noun's id.
    pub subject_id: Option<String>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 when absent.
    pub limit: Option<u32>,
}

/// What checking the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainCheck {
    /// Lines checked.
    pub lines: i64,
    /// The first line that does not fit; absent when all do.
    pub broken_at: Option<i64>,
}
