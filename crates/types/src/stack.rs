//! Stacks: the living things.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::Access;
use crate::cost::{CostEstimate, Usd};
use crate::fault::AzureFault;
use crate::ids::{OperationId, RequestId, StackId};
use crate::names::{ProjectName, StackName, TemplateRef};
use crate::operation::OperationSummary;
use crate::plan::Target;
use crate::policy::{ControlResult, Posture};
use crate::project::Tier;
use crate::request::TimelineEntry;
use crate::time::Timestamp;

/// Where a stack is; the arrows are in `docs/architecture.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StackState {
    /// Its name is held by a request that is not executed yet; shown only with that request.
    Reserved,
    /// Being made.
    Provisioning,
    /// Lives.
    Active,
    /// Lives, and is being changed.
    Updating,
    /// Lives, switched off.
    Stopped,
    /// Something went wrong; what exists is kept and costs.
    Failed,
    /// Being removed.
    Deleting,
    /// Gone.
    Deleted,
}

impl StackState {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StackState::Reserved => "reserved",
            StackState::Provisioning => "provisioning",
            StackState::Active => "active",
            StackState::Updating => "updating",
            StackState::Stopped => "stopped",
            StackState::Failed => "failed",
            StackState::Deleting => "deleting",
            StackState::Deleted => "deleted",
        }
    }
}

/// A row of the stacks list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackSummary {
    /// Its id.
    pub id: StackId,
    /// Project.
    pub project: ProjectName,
    /// Tier.
    pub tier: Tier,
    /// Name.
    pub name: StackName,
    /// Where it is.
    pub state: StackState,
    /// Template and version last applied.
    pub template: TemplateRef,
    /// Where in Azure.
    pub target: Target,
    /// The most that it can cost a month, estimated.
    pub monthly: Usd,
    /// How many of its parts have no known price: `monthly` leaves them out.
    pub unpriced: u32,
    /// Posture of the plan last applied.
    pub posture: Posture,
    /// Who asked for it.
    pub owner: String,
    /// Until when it lives; absent for *until deleted*.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with every change.
    pub version: i64,
}

/// A stack's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackDetail {
    /// The row.
    pub summary: StackSummary,
    /// What it consists of.
    pub resources: Vec<StackResource>,
    /// The deployment's outputs.
    pub outputs: IndexMap<String, Value>,
    /// How to reach it.
    pub connect: Vec<ConnectLine>,
    /// Cost of the plan last applied.
    pub cost: Option<CostEstimate>,
    /// Controls of the plan last applied.
    pub controls: Vec<ControlResult>,
    /// Operations, newest first.
    pub operations: Vec<OperationSummary>,
    /// The operation that runs now.
    pub running: Option<OperationId>,
    /// Requests about it, newest first.
    pub requests: Vec<RequestId>,
    /// Digest of the plan last applied.
    pub plan_digest: Option<String>,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// What happened, newest first.
    pub activity: Vec<TimelineEntry>,
    /// What went wrong last, while it is failed.
    pub fault: Option<AzureFault>,
    /// What the reader may do.
    pub access: StackAccess,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackResource {
    /// Azure resource id.
    pub id: String,
    /// Type.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Azure's provisioning state, as last seen.
    pub state: String,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// A way in, with the outputs filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectLine {
    /// Such as `SSH`.
    pub title: String,
    /// The command.
    pub command: String,
    /// What is needed.
    pub note: Option<String>,
}

/// What the person who looks may do to a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackAccess {
    /// Request a change.
    pub update: Access,
    /// Request its deletion.
    pub delete: Access,
    /// Request that it lives longer.
    pub extend: Access,
    /// Try the last operation again.
    pub retry: Access,
    /// Start it.
    pub start: Access,
    /// Stop it.
    pub stop: Access,
    /// Restart it.
    pub restart: Access,
}

/// Filter of the stacks list; empty means all that live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct StackFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this state; without it, all but deleted and reserved.
    pub state: Option<StackState>,
    /// Part of the name.
    pub text: Option<String>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 100; 25 when absent.
    pub limit: Option<u32>,
}

/// The deletion form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct DeleteStack {
    /// The stack's name, typed again.
    pub confirm: String,
    /// Why.
    pub justification: String,
}
