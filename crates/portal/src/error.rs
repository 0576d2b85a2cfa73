//! Why a method of the portal refused or failed, and the one mapping to a problem document.

use std::time::Duration;

use types::actor::Right;
use types::problem::{FieldError, Problem, capped};

/// Why nothing came of it. `Display` is what people read; what they must not read is in the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the actor has no right to know.
    #[error("There is no such {what}, or you have no right to see it.")]
    NotFound {
        /// The noun.
        what: &'static str,
    },
    /// The actor sees it but lacks a role.
    #[error("This needs the role {}.", .right.needs())]
    Forbidden {
        /// What the missing role would grant.
        right: Right,
    },
    /// The actor has the role, yet may not do this here: four eyes, approver groups.
    #[error("{detail}")]
    Refused {
        /// Stable word for programs, such as `four_eyes`.
        code: &'static str,
        /// Why, and who could.
        detail: String,
    },
    /// Fields cannot be used as they are.
    #[error("{}", invalid(.errors))]
    Invalid {
        /// What is wrong with which field.
        errors: Vec<FieldError>,
    },
    /// It does not fit the state that things are in.
    #[error("{detail}")]
    Conflict {
        /// Stable word for programs, such as `stale_version`.
        code: &'static str,
        /// What changed and what to do.
        detail: String,
    },
    /// A guardrail denies it; the plan says which and why.
    #[error("{detail}")]
    Denied {
        /// The denials, in words.
        detail: String,
    },
    /// The database or Azure does not answer now.
    #[error("{detail}")]
    Unavailable {
        /// Which, and what to do.
        detail: String,
        /// When to try again, where that is known.
        retry_after: Option<Duration>,
    },
    /// The disk is full.
    #[error(
        "The database has no room left. Nothing was changed. Free some disk space, then try again."
    )]
    StorageFull,
    /// A fault of Slipway's. It was logged where it was found.
    #[error(
        "Something went wrong inside Slipway. It was logged; try again, and if it stays, tell an admin when it happened."
    )]
    Internal,
}

fn invalid(errors: &[FieldError]) -> String {
    match errors {
        [one] => one.message.clone(),
        many => format!("{} fields need another value.", many.len()),
    }
}

impl Error {
    /// One bad field.
    #[must_use]
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid {
            errors: vec![FieldError {
                field: field.to_owned(),
                message: message.into(),
                code: code.to_owned(),
            }],
        }
    }

    /// A fault of ours: the context goes to the log, once, here; nobody else sees it.
    pub(crate) fn internal(context: impl std::fmt::Display) -> Self {
        tracing::error!(%context, "internal error");
        Self::Internal
    }

    /// The version handed back is not the newest.
    pub(crate) fn stale(what: &'static str) -> Self {
        Self::Conflict {
            code: "stale_version",
            detail: format!(
                "This {what} changed since you opened it. Look at it again, then decide."
            ),
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound { .. } => 404,
            Self::Forbidden { .. } | Self::Refused { .. } => 403,
            Self::Invalid { .. } | Self::Denied { .. } => 422,
            Self::Conflict { .. } => 409,
            Self::Unavailable { .. } => 503,
            Self::StorageFull => 507,
            Self::Internal => 500,
        }
    }

    /// Stable word for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Forbidden { .. } => "forbidden",
            Self::Invalid { errors } => match errors.as_slice() {
                [one] => &one.code,
                _ => "invalid",
            },
            Self::Refused { code, .. } | Self::Conflict { code, .. } => code,
            Self::Denied { .. } => "policy_denied",
            Self::Unavailable { .. } => "unavailable",
            Self::StorageFull => "storage_full",
            Self::Internal => "internal",
        }
    }

    /// When to try again, for the `Retry-After` header.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The problem document (RFC 9457). `trace_id` is filled in at the HTTP boundary.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let title = match self {
            Self::NotFound { .. } => "Not found",
            Self::Forbidden { .. } | Self::Refused { .. } => "Not allowed",
            Self::Invalid { .. } => "Some fields need another value",
            Self::Conflict {
                code: "plan_altered",
                ..
            } => "The stored plan is not the one that was agreed to",
            Self::Conflict { .. } => "It changed, or something is in the way",
            Self::Denied { .. } => "A guardrail denies this",
            Self::Unavailable { .. } => "Not available now",
            Self::StorageFull => "No room left",
            Self::Internal => "Something went wrong",
        };
        Problem {
            kind: format!("/docs/problems#{}", self.code()),
            title: title.to_owned(),
            status: self.status(),
            detail: self.to_string(),
            code: self.code().to_owned(),
            errors: match self {
                Self::Invalid { errors } => capped(errors.clone()),
                _ => Vec::new(),
            },
            trace_id: None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound { what: "thing" },
            store::Error::Stale => Self::stale("thing"),
            store::Error::Conflict(store::Conflict::StackBusy) => Self::Conflict {
                code: "stack_busy",
                detail: "Another operation on this stack has not ended yet. Wait for it, then try again."
                    .to_owned(),
            },
            store::Error::Conflict(store::Conflict::StackNameTaken) => name_taken(),
            store::Error::Conflict(store::Conflict::AlreadyDecided) => Self::Conflict {
                code: "already_decided",
                detail: "You decided this plan already.".to_owned(),
            },
            store::Error::Full => Self::StorageFull,
            store::Error::Cursor => Self::field(
                "cursor",
                "unknown_cursor",
                "This page of the list cannot be found any more; start from the first one.",
            ),
            store::Error::Unavailable(cause) => {
                tracing::warn!(%cause, "the database does not answer");
                Self::Unavailable {
                    detail: "The database does not answer. Nothing was changed; try again in a moment."
                        .to_owned(),
                    retry_after: Some(Duration::from_secs(2)),
                }
            }
            other => Self::internal(other),
        }
    }
}

/// Another stack holds the name.
pub(crate) fn name_taken() -> Error {
    Error::field(
        "name",
        "name_taken",
        "Another stack of this project and tier has this name, or an open request holds it. Choose another.",
    )
}
