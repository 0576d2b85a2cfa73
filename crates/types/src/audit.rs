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

/// What checking the record found: one fixed word each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Every line fits, and so does every checkpoint.
    Ok,
    /// Every line fits, and there is no key: whoever can write the database could have made all of it.
    NotSigned,
    /// A line is not the one that was written.
    Rewritten,
    /// Lines are missing, inside or at the end.
    Cut,
    /// Lines stand in another order.
    Reordered,
    /// A line comes twice.
    Duplicated,
    /// No line is left.
    Emptied,
    /// The lines fit each other but not a checkpoint: the chain was computed anew.
    Rebuilt,
    /// A checkpoint was not signed by this installation's key.
    ForeignCheckpoint,
    /// Checkpoints that must exist are not there.
    CheckpointsMissing,
    /// A comment or decision is not the one that the record tells of.
    TextAltered,
    /// A comment or decision that the record tells of is gone.
    TextRemoved,
    /// There is a comment or decision that the record knows nothing of.
    TextAdded,
}

impl Finding {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotSigned => "not_signed",
            Self::Rewritten => "rewritten",
            Self::Cut => "cut",
            Self::Reordered => "reordered",
            Self::Duplicated => "duplicated",
            Self::Emptied => "emptied",
            Self::Rebuilt => "rebuilt",
            Self::ForeignCheckpoint => "foreign_checkpoint",
            Self::CheckpointsMissing => "checkpoints_missing",
            Self::TextAltered => "text_altered",
            Self::TextRemoved => "text_removed",
            Self::TextAdded => "text_added",
        }
    }

    /// True when the record, or what proves it, was changed.
    #[must_use]
    pub fn is_bad(self) -> bool {
        !matches!(self, Self::Ok | Self::NotSigned)
    }
}

/// How far the record is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedUpTo {
    /// The last line that a checkpoint signs.
    pub seq: i64,
    /// When it was signed.
    pub at: Timestamp,
    /// Fingerprint of the key: SHA-256 of its DER form, in hexadecimal.
    pub key: String,
}

/// What checking the record found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditCheck {
    /// What was found first.
    pub result: Finding,
    /// Lines that fit, from the first on.
    pub lines: i64,
    /// The first line that does not fit; absent when all do.
    pub first_bad: Option<i64>,
    /// What was found, in a sentence.
    pub detail: String,
    /// Up to where checkpoints prove the lines; absent when none fits.
    pub signed: Option<SignedUpTo>,
    /// Lines after that, which nothing but the hash chain holds.
    pub unsigned: i64,
}
