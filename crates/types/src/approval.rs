//! Approvals: what is needed, what was decided, and the queue.

use serde::{Deserialize, Serialize};

use crate::ids::{BreakGlassId, DecisionId, RequestId};
use crate::policy::ApprovalNeed;
use crate::request::{PlanAuthor, RequestSummary};
use crate::time::Timestamp;

/// What an approver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Yes, to exactly this plan.
    Approve,
    /// No.
    Reject,
    /// Not like this.
    RequestChanges,
}

impl DecisionKind {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionKind::Approve => "approve",
            DecisionKind::Reject => "reject",
            DecisionKind::RequestChanges => "request_changes",
        }
    }
}

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// What.
    pub decision: DecisionKind,
    /// The digest of the plan that was looked at; another digest is refused.
    pub plan_digest: String,
    /// Why; needed for *reject* and *request changes*.
    #[serde(default)]
    pub comment: String,
}

/// A recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Who.
    pub approver: String,
    /// What.
    pub decision: DecisionKind,
    /// Why.
    pub comment: String,
    /// Which plan.
    pub plan_digest: String,
    /// Which plan of the request, counted from 1.
    pub plan_revision: i64,
    /// True while that is the request's plan. A plan that was made again is another one, also with the same digest.
    pub current: bool,
    /// The broken glass under which it was made, where the approver has no role that approves.
    pub break_glass: Option<BreakGlassId>,
    /// When.
    pub at: Timestamp,
}

/// One need and how far it is met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NeedStatus {
    /// The rule's need.
    pub need: ApprovalNeed,
    /// Who approved for it.
    pub approved_by: Vec<String>,
    /// True when enough did.
    pub met: bool,
}

/// A row of the approvals queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalItem {
    /// The request.
    pub request: RequestSummary,
    /// Why it needs the person who looks.
    pub why: String,
    /// What it does in one sentence.
    pub summary: String,
    /// The plan to be approved.
    pub plan_digest: String,
    /// Who wrote the request's plans, in order: none of them decides it.
    pub authors: Vec<PlanAuthor>,
    /// Since when it waits.
    pub waiting_since: Timestamp,
    /// True where the plan was altered in the database or cannot be read. `why` says so; `summary`, `plan_digest`, `authors` and all figures of `request`
    /// are empty then.
    pub withheld: bool,
}

/// Which part of the approvals page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum ApprovalTab {
    /// Waits for the person who looks.
    #[default]
    Mine,
    /// Waits for anybody in projects that the person sees.
    All,
    /// Decided by the person who looks.
    Decided,
}

/// How many wait for the person who looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Default)]
pub struct ApprovalCount {
    /// Rows in the tab *waiting for me*, as their needs were stored; at most 99.
    pub mine: u64,
    /// More than these wait, or may.
    #[serde(default)]
    pub more: bool,
    /// The one that waits longest.
    pub oldest: Option<RequestId>,
}
