//! Operations: one execution on a stack, with its persisted steps.

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::fault::AzureFault;
use crate::ids::{OperationId, RequestId, StackId};
use crate::names::{ProjectName, StackName};
use crate::project::Tier;
use crate::time::Timestamp;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Creates or updates.
    Apply,
    /// Removes.
    Destroy,
    /// Switches on.
    Start,
    /// Switches off and releases the machine.
    Stop,
    /// Restarts.
    Restart,
    /// Reads what Azure has.
    Refresh,
}

impl OperationKind {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            OperationKind::Apply => "apply",
            OperationKind::Destroy => "destroy",
            OperationKind::Start => "start",
            OperationKind::Stop => "stop",
            OperationKind::Restart => "restart",
            OperationKind::Refresh => "refresh",
        }
    }
}

/// Where an operation is; the arrows are in `docs/architecture.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Succeeded,
    /// Ended without success; said why.
    Failed,
    /// Stopped on request.
    Cancelled,
    /// Slipway cannot finish it alone; an admin decides.
    NeedsAttention,
}

impl OperationState {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            OperationState::Queued => "queued",
            OperationState::Running => "running",
            OperationState::Succeeded => "succeeded",
            OperationState::Failed => "failed",
            OperationState::Cancelled => "cancelled",
            OperationState::NeedsAttention => "needs_attention",
        }
    }

    /// True when it will not move by itself any more.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            OperationState::Succeeded | OperationState::Failed | OperationState::Cancelled
        )
    }
}

/// The steps, in the order in which an operation of a kind takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Apply: the owned resource group.
    ResourceGroup,
    /// Apply: ARM's `validate`.
    Preflight,
    /// Apply: the deployment.
    Deployment,
    /// Apply: deletes what the revision dropped.
    Leftovers,
    /// Apply: stores ids and outputs.
    Collect,
    /// Destroy: the owned group, or the stack's own resources.
    Removal,
    /// Start, stop, restart.
    Power,
    /// Refresh: reads what Azure has.
    Read,
}

impl StepName {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepName::ResourceGroup => "resource_group",
            StepName::Preflight => "preflight",
            StepName::Deployment => "deployment",
            StepName::Leftovers => "leftovers",
            StepName::Collect => "collect",
            StepName::Removal => "removal",
            StepName::Power => "power",
            StepName::Read => "read",
        }
    }
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Succeeded,
    /// Not needed.
    Skipped,
    /// Ended without success.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl StepState {
    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Pending => "pending",
            StepState::Running => "running",
            StepState::Succeeded => "succeeded",
            StepState::Skipped => "skipped",
            StepState::Failed => "failed",
            StepState::Cancelled => "cancelled",
        }
    }
}

/// A row of an operations list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationSummary {
    /// Its id.
    pub id: OperationId,
    /// The stack.
    pub stack: StackId,
    /// The stack's name.
    pub stack_name: StackName,
    /// Project.
    pub project: ProjectName,
    /// Tier.
    pub tier: Tier,
    /// The request it executes; absent for power actions.
    pub request: Option<RequestId>,
    /// What it does.
    pub kind: OperationKind,
    /// Where it is.
    pub state: OperationState,
    /// Revision of the stack that it applies.
    pub revision: i64,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When a worker took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// An operation, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationDetail {
    /// The row.
    pub summary: OperationSummary,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Why it failed or needs attention.
    pub fault: Option<AzureFault>,
    /// True once somebody asked it to stop.
    pub cancel_requested: bool,
    /// Whether the reader may cancel it.
    pub cancel: Access,
    /// Whether the reader may take it further (`needs_attention`).
    pub resolve: Access,
    /// Grows with every change.
    pub version: i64,
}

/// One persisted step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// Its heading, such as `Deployment slipway-web-3f9c1a-1`.
    pub title: String,
    /// Where it is.
    pub state: StepState,
    /// How often it was begun.
    pub attempt: i32,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it found, as a sentence.
    pub note: Option<String>,
    /// Why it failed.
    pub fault: Option<AzureFault>,
    /// Resources it works on.
    pub resources: Vec<ResourceProgress>,
}

/// One resource within a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceProgress {
    /// Azure resource id.
    pub id: String,
    /// Type.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Azure's word: `Waiting`, `Running`, `Succeeded`, `Failed`, `Deleting`, `Deleted`, …
    pub state: String,
    /// How long it took or takes, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Why it failed.
    pub fault: Option<AzureFault>,
}

/// Filter of the operations list; empty means all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
#[derive(Default)]
pub struct OperationFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this stack.
    pub stack: Option<StackId>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 100; 25 when absent.
    pub limit: Option<u32>,
}
