//! How the words of the domain are said on pages: label, tone and icon of every state and kind.

use types::approval::ApprovalCount;
use types::catalogue::{Architecture, Lifecycle, Support, TemplateKind};
use types::operation::{OperationKind, OperationState};
use types::plan::Change;
use types::policy::Severity;
use types::project::Tier;
use types::request::{PlanAuthor, RequestKind, RequestState, last_edit};
use types::stack::StackState;

use crate::components::chip::Tone;
use crate::components::icon::Icon;

/// How many requests wait for somebody: `7`, or `99+` where the count ended.
pub(crate) fn waiting(count: &ApprovalCount) -> String {
    let more = if count.more { "+" } else { "" };
    format!("{}{more}", count.mine)
}

/// Who sent a request and who edited it last: whom an approver wants to know before deciding.
pub(crate) fn written_by(requester: &str, authors: &[PlanAuthor]) -> String {
    match last_edit(authors) {
        Some(edit) => format!("Requested by {requester}, last edited by {}", edit.subject),
        None => format!("Requested by {requester}"),
    }
}

pub(crate) fn request_state(state: RequestState) -> (Tone, &'static str) {
    match state {
        RequestState::Checking => (Tone::Accent, "Checking"),
        RequestState::Denied => (Tone::Deny, "Denied"),
        RequestState::AwaitingApproval => (Tone::Wait, "Awaiting approval"),
        RequestState::Approved => (Tone::Ok, "Approved"),
        RequestState::Rejected => (Tone::Deny, "Rejected"),
        RequestState::ChangesRequested => (Tone::Warn, "Changes requested"),
        RequestState::Withdrawn => (Tone::Neutral, "Withdrawn"),
        RequestState::Expired => (Tone::Neutral, "Expired"),
        RequestState::Executing => (Tone::Accent, "Executing"),
        RequestState::Completed => (Tone::Ok, "Completed"),
        RequestState::Failed => (Tone::Deny, "Failed"),
        RequestState::Cancelled => (Tone::Warn, "Cancelled"),
    }
}

pub(crate) fn stack_state(state: StackState) -> (Tone, &'static str) {
    match state {
        StackState::Reserved => (Tone::Wait, "Reserved"),
        StackState::Provisioning => (Tone::Accent, "Provisioning"),
        StackState::Active => (Tone::Ok, "Active"),
        StackState::Updating => (Tone::Accent, "Updating"),
        StackState::Stopped => (Tone::Neutral, "Stopped"),
        StackState::Failed => (Tone::Deny, "Failed"),
        StackState::Deleting => (Tone::Accent, "Deleting"),
        StackState::Deleted => (Tone::Neutral, "Deleted"),
    }
}

/// All stack states that a list can be filtered by.
pub(crate) const STACK_STATES: [StackState; 8] = [
    StackState::Provisioning,
    StackState::Active,
    StackState::Updating,
    StackState::Stopped,
    StackState::Failed,
    StackState::Deleting,
    StackState::Deleted,
    StackState::Reserved,
];

pub(crate) fn operation_state(state: OperationState) -> (Tone, &'static str) {
    match state {
        OperationState::Queued => (Tone::Accent, "Queued"),
        OperationState::Running => (Tone::Accent, "Running"),
        OperationState::Succeeded => (Tone::Ok, "Succeeded"),
        OperationState::Failed => (Tone::Deny, "Failed"),
        OperationState::Cancelled => (Tone::Warn, "Cancelled"),
        OperationState::NeedsAttention => (Tone::Wait, "Needs attention"),
    }
}

/// `Create, revision 1`: what an operation is, for its heading.
pub(crate) fn operation_title(kind: OperationKind, revision: i64) -> String {
    match kind {
        OperationKind::Apply if revision <= 1 => "Create, revision 1".to_owned(),
        OperationKind::Apply => format!("Apply, revision {revision}"),
        OperationKind::Destroy => "Delete".to_owned(),
        OperationKind::Start => "Start".to_owned(),
        OperationKind::Stop => "Stop".to_owned(),
        OperationKind::Restart => "Restart".to_owned(),
        OperationKind::Refresh => "Refresh".to_owned(),
    }
}

pub(crate) fn request_kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Create => "Create",
        RequestKind::Update => "Update",
        RequestKind::Extend => "Extend",
        RequestKind::Delete => "Delete",
    }
}

pub(crate) fn template_kind(kind: TemplateKind) -> (&'static str, Icon) {
    match kind {
        TemplateKind::VirtualMachine => ("Virtual machine", Icon::Machine),
        TemplateKind::NodePool => ("AKS node pool", Icon::NodePool),
        TemplateKind::Cluster => ("AKS cluster", Icon::Cluster),
    }
}

pub(crate) fn support(support: Support) -> (Tone, &'static str) {
    match support {
        Support::Ga => (Tone::Neutral, "GA"),
        Support::Preview => (Tone::Warn, "Preview"),
    }
}

pub(crate) fn lifecycle(lifecycle: Lifecycle) -> (Tone, &'static str) {
    match lifecycle {
        Lifecycle::Draft => (Tone::Neutral, "Draft"),
        Lifecycle::Published => (Tone::Ok, "Published"),
        Lifecycle::Deprecated => (Tone::Warn, "Deprecated"),
        Lifecycle::Retired => (Tone::Deny, "Retired"),
    }
}

pub(crate) fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X64 => "x64",
        Architecture::Arm64 => "Arm",
    }
}

pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Dev => "Dev",
        Tier::Test => "Test",
        Tier::Prod => "Prod",
    }
}

pub(crate) fn severity(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Low => (Tone::Neutral, "Low"),
        Severity::Medium => (Tone::Accent, "Medium"),
        Severity::High => (Tone::Warn, "High"),
        Severity::Critical => (Tone::Deny, "Critical"),
    }
}

pub(crate) fn change(change: Change) -> (Tone, Icon, &'static str) {
    match change {
        Change::Create => (Tone::Ok, Icon::Plus, "Create"),
        Change::Update => (Tone::Accent, Icon::Change, "Update"),
        Change::Keep => (Tone::Neutral, Icon::Keep, "Keep"),
        Change::Delete => (Tone::Deny, Icon::Minus, "Delete"),
    }
}

/// Azure's display name of the regions that projects usually have; another is said by its own name.
pub(crate) fn region(name: &str) -> String {
    match name {
        "westeurope" => "West Europe",
        "northeurope" => "North Europe",
        "germanywestcentral" => "Germany West Central",
        "swedencentral" => "Sweden Central",
        "francecentral" => "France Central",
        "uksouth" => "UK South",
        "eastus" => "East US",
        "eastus2" => "East US 2",
        "westus2" => "West US 2",
        "westus3" => "West US 3",
        "centralus" => "Central US",
        other => other,
    }
    .to_owned()
}

/// The everyday name of a resource type.
pub(crate) fn kind_of_resource(kind: &str) -> String {
    let known = match kind.to_ascii_lowercase().as_str() {
        "microsoft.compute/virtualmachines" => "Virtual machine",
        "microsoft.compute/virtualmachines/extensions" => "Extension",
        "microsoft.compute/disks" => "Disk",
        "microsoft.compute/diskencryptionsets" => "Disk encryption set",
        "microsoft.network/networkinterfaces" => "Network interface",
        "microsoft.network/networksecuritygroups" => "Network security group",
        "microsoft.network/virtualnetworks" => "Virtual network",
        "microsoft.network/virtualnetworks/subnets" => "Subnet",
        "microsoft.network/publicipaddresses" => "Public address",
        "microsoft.containerservice/managedclusters" => "AKS cluster",
        "microsoft.containerservice/managedclusters/agentpools" => "Node pool",
        "microsoft.managedidentity/userassignedidentities" => "Managed identity",
        "microsoft.authorization/roleassignments" => "Role assignment",
        "microsoft.maintenance/maintenanceconfigurations" => "Maintenance configuration",
        "microsoft.maintenance/configurationassignments" => "Maintenance assignment",
        "microsoft.resources/resourcegroups" => "Resource group",
        "microsoft.resources/deployments" => "Deployment",
        _ => kind.rsplit('/').next().unwrap_or(kind),
    };
    known.to_owned()
}
