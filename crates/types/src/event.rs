//! Events: the stream that tells pages and clients that something changed. They carry what changed, never the new state: read it again.

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, RequestId, StackId};
use crate::names::ProjectName;
use crate::time::Timestamp;

/// One event; its sequence is the `Last-Event-ID` of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Grows without gaps that matter; never reused.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What kind of noun changed.
    pub subject: Subject,
    /// Its id as text.
    pub id: String,
    /// The operation's stack, the stack's own id or the request's stack: what a stack's page listens for.
    pub stack: Option<String>,
    /// Project; absent for what belongs to the installation.
    pub project: Option<ProjectName>,
    /// What happened, such as `request.approved` or `operation.step`.
    pub kind: String,
}

/// Nouns that events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A request.
    Request,
    /// A stack.
    Stack,
    /// An operation.
    Operation,
    /// A project; its id is its name.
    Project,
}

impl Subject {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Request => "request",
            Subject::Stack => "stack",
            Subject::Operation => "operation",
            Subject::Project => "project",
        }
    }
}

/// Which events a stream carries; empty means all that the reader may see. Several fields narrow together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct EventFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this stack, its requests and its operations.
    pub stack: Option<StackId>,
    /// Only this operation.
    pub operation: Option<OperationId>,
    /// Only this request.
    pub request: Option<RequestId>,
}
