//! The steps that an operation of each kind takes, made when the operation is queued: everything they will touch is named before Azure is asked.

use types::fault::AzureFault;
use types::ids::StackId;
use types::names::StackName;
use types::operation::{OperationKind, ResourceProgress, StepName};
use types::plan::{Plan, Target};
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
    let leftovers = plan
        .deletions
        .iter()
        .map(|d| Item {
            kind: d.kind.clone(),
            api_version: d.api_version.clone(),
            ..Item::new(&d.id)
        })
        .collect();
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

/// Removing: the owned group with everything in it, or the stack's own resources, dependants first.
pub(crate) fn destroy(
    target: &Target,
    plan: Option<&Plan>,
    resources: &[StackResource],
) -> Vec<JournalStep> {
    let ordered = dependants_first(plan, resources);
    let (title, items) = if target.owns_group {
        (
            format!("Removal of resource group {}", target.resource_group),
            vec![group(target)],
        )
    } else {
        let items = ordered
            .iter()
            .map(|r| Item {
                kind: r.kind.clone(),
                api_version: api_version(plan, r),
                ..Item::new(&r.id)
            })
            .collect();
        (
            format!("Removal from resource group {}", target.resource_group),
            items,
        )
    };
    let mut step = JournalStep::new(StepName::Removal, title, items);
    step.resources = ordered
        .iter()
        .map(|r| progress(&r.id, &r.kind, &r.name, "Waiting"))
        .collect();
    vec![step]
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

/// The plan lists dependencies first; what the plan does not know (it was only seen) goes before, the deepest id first.
fn dependants_first<'a>(
    plan: Option<&Plan>,
    resources: &'a [StackResource],
) -> Vec<&'a StackResource> {
    let place = |r: &StackResource| {
        plan.and_then(|p| {
            p.resources
                .iter()
                .position(|planned| planned.id.eq_ignore_ascii_case(&r.id))
        })
    };
    let mut ordered: Vec<&StackResource> = resources.iter().collect();
    ordered.sort_by_key(|r| {
        let depth = r.id.matches('/').count();
        std::cmp::Reverse((place(r).unwrap_or(usize::MAX), depth))
    });
    ordered
}

fn api_version(plan: Option<&Plan>, resource: &StackResource) -> String {
    plan.and_then(|p| {
        p.resources
            .iter()
            .find(|planned| planned.id.eq_ignore_ascii_case(&resource.id))
    })
    .map(|planned| planned.api_version.clone())
    .unwrap_or_default()
}
