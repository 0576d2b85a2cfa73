//! Requests: what people send, and what everybody sees of it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::Object;
use crate::access::Access;
use crate::approval::{Decision, NeedStatus};
use crate::cost::Usd;
use crate::ids::{BreakGlassId, CommentId, OperationId, RequestId, StackId};
use crate::names::{ProjectName, StackName, TemplateRef};
use crate::page::Page;
use crate::plan::Plan;
use crate::policy::Posture;
use crate::project::Tier;
use crate::time::Timestamp;

/// What a form or a REST client sends, before anything is checked: plain text, so that every bad field can be named at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct RequestDraft {
    /// Create, update, extend or delete.
    pub kind: RequestKind,
    /// Project name.
    pub project: String,
    /// `dev`, `test`, `prod`.
    pub tier: String,
    /// `name@version`; for extend and delete the stack's, or empty.
    pub template: String,
    /// The stack's name.
    pub name: String,
    /// The stack to change; absent for create, where it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<StackId>,
    /// Azure region name.
    pub region: String,
    /// `1`, `2`, `3`, or empty for any.
    pub zone: String,
    /// Values of the template's fields.
    pub parameters: Object,
    /// Cost centre.
    pub cost_centre: String,
    /// Tags.
    pub tags: IndexMap<String, String>,
    /// Until when it lives: a date `2026-12-24`, a number of days `30d`, or empty for *until deleted*.
    pub expiry: String,
    /// Why, for the approver.
    pub justification: String,
}

/// What a request does to its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum RequestKind {
    /// Makes a stack.
    #[default]
    Create,
    /// Changes it.
    Update,
    /// Lets it live longer.
    Extend,
    /// Removes it.
    Delete,
}

impl RequestKind {
    /// The word as stored, sent and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RequestKind::Create => "create",
            RequestKind::Update => "update",
            RequestKind::Extend => "extend",
            RequestKind::Delete => "delete",
        }
    }
}

/// Where a request is; the arrows are in `docs/architecture.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// The plan is being made.
    Checking,
    /// A guardrail denies it; *Edit* makes a new plan.
    Denied,
    /// It waits for people.
    AwaitingApproval,
    /// It may be executed.
    Approved,
    /// An approver said no.
    Rejected,
    /// An approver wants something changed.
    ChangesRequested,
    /// The requester took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// Its operation runs.
    Executing,
    /// Done.
    Completed,
    /// Its operation failed.
    Failed,
    /// Its operation was cancelled.
    Cancelled,
}

impl RequestState {
    /// All states, in the order of a request's life.
    pub const ALL: [RequestState; 12] = [
        RequestState::Checking,
        RequestState::Denied,
        RequestState::AwaitingApproval,
        RequestState::Approved,
        RequestState::Rejected,
        RequestState::ChangesRequested,
        RequestState::Withdrawn,
        RequestState::Expired,
        RequestState::Executing,
        RequestState::Completed,
        RequestState::Failed,
        RequestState::Cancelled,
    ];

    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RequestState::Checking => "checking",
            RequestState::Denied => "denied",
            RequestState::AwaitingApproval => "awaiting_approval",
            RequestState::Approved => "approved",
            RequestState::Rejected => "rejected",
            RequestState::ChangesRequested => "changes_requested",
            RequestState::Withdrawn => "withdrawn",
            RequestState::Expired => "expired",
            RequestState::Executing => "executing",
            RequestState::Completed => "completed",
            RequestState::Failed => "failed",
            RequestState::Cancelled => "cancelled",
        }
    }

    /// True when its execution has begun: something of it may be in Azure.
    #[must_use]
    pub fn has_begun(self) -> bool {
        matches!(
            self,
            RequestState::Executing
                | RequestState::Completed
                | RequestState::Failed
                | RequestState::Cancelled
        )
    }

    /// True when nothing more will happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            RequestState::Rejected
                | RequestState::Withdrawn
                | RequestState::Expired
                | RequestState::Completed
                | RequestState::Failed
                | RequestState::Cancelled
        )
    }
}

/// A row of the requests list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestSummary {
    /// Its id.
    pub id: RequestId,
    /// What it does.
    pub kind: RequestKind,
    /// Where it is.
    pub state: RequestState,
    /// Project.
    pub project: ProjectName,
    /// Tier.
    pub tier: Tier,
    /// The stack it is about.
    pub stack: StackId,
    /// The stack's name.
    pub name: StackName,
    /// Template and version.
    pub template: TemplateRef,
    /// Who asked.
    pub requester: String,
    /// The most that the stack can cost a month with it.
    pub monthly: Usd,
    /// How much that is more (or less) than before.
    pub monthly_change: Usd,
    /// How many parts of its plan have no known price: both amounts leave them out.
    pub unpriced: u32,
    /// Posture of its plan.
    pub posture: Posture,
    /// Warnings in its plan.
    pub warnings: u32,
    /// Denials in its plan.
    pub denials: u32,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with every change; hand it back with a change.
    pub version: i64,
}

/// A request's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestDetail {
    /// The row.
    pub summary: RequestSummary,
    /// What was sent, secrets left out.
    pub draft: RequestDraft,
    /// The plan; absent while it is being checked.
    pub plan: Option<Plan>,
    /// Which plan of the request that is, counted from 1.
    pub plan_revision: i64,
    /// Who wrote the request's plans, in order: none of them decides it.
    pub authors: Vec<PlanAuthor>,
    /// Who has to agree, and who has.
    pub needs: Vec<NeedStatus>,
    /// The newest decisions, newest first; the others are at `/requests/{id}/decisions`.
    pub decisions: Page<Decision>,
    /// The newest comments, newest first; the others are at `/requests/{id}/comments`.
    pub comments: Page<Comment>,
    /// What happened last, newest first; the rest is at `/requests/{id}/timeline`.
    pub timeline: Page<TimelineEntry>,
    /// The operation that executes it.
    pub operation: Option<OperationId>,
    /// Why the last plan was sent back, where it was.
    pub sent_back: Option<String>,
    /// What is otherwise now than when the plan was made, a sentence each. A request that waits is judged again whenever it is opened: verdict, cost and
    /// quota of `plan` are those of now.
    #[serde(default)]
    pub since_sent: Vec<String>,
    /// What the reader may do.
    pub access: RequestAccess,
}

/// A request whose stored plan is not the one that was agreed to: nothing of it is shown, and all that is left is to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlteredRequest {
    /// Its id.
    pub id: RequestId,
    /// Its state.
    pub state: RequestState,
    /// The version that withdrawing it must name.
    pub version: i64,
    /// Whether the reader may.
    pub withdraw: Access,
}

/// Who wrote one plan of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanAuthor {
    /// Which plan of the request, counted from 1.
    pub plan_revision: i64,
    /// Whose: who sent the request, who edited it, or Slipway, which makes a plan again before it executes one.
    pub subject: String,
    /// The broken glass under which it was written, where the author has no role that requests.
    pub break_glass: Option<BreakGlassId>,
    /// When.
    pub at: Timestamp,
}

/// The last of the authors who edited a request after it was sent. Slipway, which only makes plans again, is none.
#[must_use]
pub fn last_edit(authors: &[PlanAuthor]) -> Option<&PlanAuthor> {
    authors
        .iter()
        .skip(1)
        .rev()
        .find(|author| author.subject != crate::actor::SYSTEM)
}

/// What the person who looks may do to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestAccess {
    /// Open the form again.
    pub edit: Access,
    /// Take it back.
    pub withdraw: Access,
    /// Approve, reject, request changes.
    pub decide: Access,
    /// Approve, for whom `decide` allows: what a guardrail denies by now cannot be approved.
    pub approve: Access,
    /// Reject or request changes, for whom `decide` allows: who approved a plan does not send it back.
    pub reject: Access,
    /// Write a comment.
    pub comment: Access,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it.
    pub author: String,
    /// Plain text.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, as a sentence.
    pub text: String,
}

/// Filter of the requests list; empty means all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct RequestFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this state.
    pub state: Option<RequestState>,
    /// Only those of the person who asks.
    pub mine: bool,
    /// Part of the stack's name.
    pub text: Option<String>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 100; 25 when absent.
    pub limit: Option<u32>,
}
