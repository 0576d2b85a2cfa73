//! The steps that an operation of each kind takes, made when the operation is queued: everything they will touch is named before Azure is asked.

use types::fault::AzureFault;
use types::ids::StackId;
use types::names::StackName;
use types::operation::{OperationKind, ResourceProgress, StepName};
use types::plan::{Plan, PlannedDeletion, Target};
use types::stack::StackResource;

use super::journal::{Item, JournalStep};

/// `slipway-<stack>-<6 of its id>-<revision>`: at most 64 characters, and never the same twice.
pub(crate) fn deployment_name(name: &StackName, id: StackId, revision: i64) -> String {
    format!("slipway-{name}-{}-{revision}", id.short())
}

/// Creating and updating: one deployment, then what the revision dropped.
pub(crate) fn apply(plan: &Plan, deployment: &str) -> Vec<JournalStep> {
    let target = &plan.target;
    let mut steps = Vec::new();
    if target.owns_group {
        steps.push(JournalStep::new(
            StepName::ResourceGroup,
            format!("Resource group {}", target.resource_group),
            vec![group(target)],
        ));
    }
    steps.push(JournalStep::new(
        StepName::Preflight,
        "Preflight: Azure validates the deployment",
        vec![Item::new(deployment)],
    ));
    let mut step = JournalStep::new(
        StepName::Deployment,
        format!("Deployment {deployment}"),
        vec![Item::new(deployment)],
    );
    step.resources = plan
        .resources
        .iter()
        .map(|r| progress(&r.id, &r.kind, &r.name, "Waiting"))
        .collect();
    steps.push(step);
    let leftovers = plan.deletions.iter().map(deletion).collect();
    let mut step = JournalStep::new(
        StepName::Leftovers,
        "Leftovers: what this revision no longer has",
        leftovers,
    );
    step.resources = plan
        .deletions
        .iter()
        .map(|d| progress(&d.id, &d.kind, &d.name, "Waiting"))
        .collect();
    steps.push(step);
    steps.push(JournalStep::new(
        StepName::Collect,
        "Collect ids and outputs",
        vec![Item::new(deployment)],
    ));
    steps
}

/// Removing: the owned group with everything in it, or the resources that the plan deletes, dependants first. What the plan names and Azure never had is
/// left out: in somebody else's group a thing of that name is not ours.
pub(crate) fn destroy(plan: &Plan, resources: &[StackResource]) -> Vec<JournalStep> {
    let target = &plan.target;
    let there: Vec<&PlannedDeletion> = plan
        .deletions
        .iter()
        .filter(|gone| {
            resources
                .iter()
                .any(|known| known.id.eq_ignore_ascii_case(&gone.id))
        })
        .collect();
    let (title, items) = if target.owns_group {
        (
            format!("Removal of resource group {}", target.resource_group),
            vec![group(target)],
        )
    } else {
        let items = there.iter().map(|gone| deletion(gone)).collect();
        (
            format!("Removal from resource group {}", target.resource_group),
            items,
        )
    };
    let mut step = JournalStep::new(StepName::Removal, title, items);
    step.resources = there
        .iter()
        .map(|gone| progress(&gone.id, &gone.kind, &gone.name, "Waiting"))
        .collect();
    vec![step]
}

/// Whether a recorded resource is one that the plan deletes. What came later was never agreed to.
pub(crate) fn deletes(plan: &Plan, id: &str) -> bool {
    plan.deletions
        .iter()
        .any(|gone| gone.id.eq_ignore_ascii_case(id))
}

/// Whether the plan deletes exactly this, with this API version: the journal's row could have been altered.
pub(crate) fn deletes_with(plan: &Plan, item: &Item) -> bool {
    plan.deletions
        .iter()
        .any(|gone| gone.id.eq_ignore_ascii_case(&item.id) && gone.api_version == item.api_version)
}

fn deletion(gone: &PlannedDeletion) -> Item {
    Item {
        kind: gone.kind.clone(),
        api_version: gone.api_version.clone(),
        ..Item::new(&gone.id)
    }
}

/// Starting, stopping, restarting: every machine of the stack, one after the other.
pub(crate) fn power(kind: OperationKind, resources: &[StackResource]) -> Vec<JournalStep> {
    let machines: Vec<&StackResource> = resources.iter().filter(|r| is_machine(&r.kind)).collect();
    let title = match kind {
        OperationKind::Start => "Start",
        OperationKind::Stop => "Stop and release",
        _ => "Restart",
    };
    let items = machines
        .iter()
        .map(|r| Item {
            kind: r.kind.clone(),
            ..Item::new(&r.id)
        })
        .collect();
    let mut step = JournalStep::new(StepName::Power, title, items);
    step.resources = machines
        .iter()
        .map(|r| progress(&r.id, &r.kind, &r.name, "Waiting"))
        .collect();
    vec![step]
}

/// What power actions work on.
pub(crate) fn is_machine(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("Microsoft.Compute/virtualMachines")
}

fn group(target: &Target) -> Item {
    Item::new(format!(
        "/subscriptions/{}/resourceGroups/{}",
        target.subscription, target.resource_group
    ))
}

fn progress(id: &str, kind: &str, name: &str, state: &str) -> ResourceProgress {
    ResourceProgress {
        id: id.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        state: state.to_owned(),
        duration_ms: None,
        fault: None::<AzureFault>,
    }
}
