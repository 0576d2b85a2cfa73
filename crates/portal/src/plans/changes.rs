//! What a plan changes: against what exists, and against the template's defaults.

use serde_json::Value;
use types::plan::{Change, Difference, Plan, PlannedDeletion, PlannedResource};

use super::resources::deletion;
use super::{ExistingStack, Planned, label};
use crate::checks::ParsedDraft;

/// Most differences shown of one resource; a changed list of hundreds says enough with these.
const MOST: usize = 50;

/// Says of each resource what happens to it. `ours` knows what Azure has that bears the stack's tags.
pub(super) fn compared(
    mut resources: Vec<PlannedResource>,
    before: Option<&Plan>,
    stack: Option<&ExistingStack>,
    ours: impl Fn(&str) -> bool,
) -> Vec<PlannedResource> {
    for resource in &mut resources {
        let was = before.and_then(|plan| find(&plan.resources, &resource.id));
        let exists = stack.is_some_and(|stack| {
            stack
                .resources
                .iter()
                .any(|known| known.id.eq_ignore_ascii_case(&resource.id))
        }) || ours(&resource.id);
        resource.change = match was {
            // The last apply may have failed before it came to this resource.
            Some(_) if !exists => Change::Create,
            None if !exists => Change::Create,
            Some(was) => {
                differences("", &was.body, &resource.body, &mut resource.differences);
                if resource.differences.is_empty() {
                    Change::Keep
                } else {
                    Change::Update
                }
            }
            None => Change::Update,
        };
    }
    resources
}

/// What the stack has and the plan no longer contains, dependants first.
pub(super) fn leftovers(
    resources: &[PlannedResource],
    stack: Option<&ExistingStack>,
) -> Vec<PlannedDeletion> {
    everything(stack)
        .into_iter()
        .filter(|gone| find(resources, &gone.id).is_none())
        .collect()
}

/// Every resource of a stack, dependants first: the plan's in reverse, and before them what is recorded beside the plan, longest id first,
/// because a child's id begins with its parent's.
pub(super) fn everything(stack: Option<&ExistingStack>) -> Vec<PlannedDeletion> {
    let Some(stack) = stack else {
        return Vec::new();
    };
    let planned = stack
        .plan
        .as_ref()
        .map_or(&[][..], |plan| plan.resources.as_slice());
    let mut recorded: Vec<PlannedDeletion> = stack
        .resources
        .iter()
        .filter(|known| find(planned, &known.id).is_none())
        .map(|known| PlannedDeletion {
            id: known.id.clone(),
            kind: known.kind.clone(),
            name: known.name.clone(),
            api_version: api_version(planned, &known.kind),
        })
        .collect();
    recorded.sort_by(|a, b| (b.id.len(), &b.id).cmp(&(a.id.len(), &a.id)));
    recorded.extend(planned.iter().rev().map(deletion));
    recorded
}

/// A recorded resource that no plan names bears the version of its siblings, else the one the built-in templates use for its provider
/// (newest stable versions of the public type index, 2026-08-20).
fn api_version(planned: &[PlannedResource], kind: &str) -> String {
    if let Some(sibling) = planned.iter().find(|r| r.kind.eq_ignore_ascii_case(kind)) {
        return sibling.api_version.clone();
    }
    let lower = kind.to_ascii_lowercase();
    let version = if lower == "microsoft.compute/disks" {
        "2025-01-02"
    } else if lower.starts_with("microsoft.compute/") {
        "2025-11-01"
    } else if lower.starts_with("microsoft.network/") {
        "2025-05-01"
    } else if lower.starts_with("microsoft.containerservice/") {
        "2026-03-01"
    } else if lower.starts_with("microsoft.managedidentity/") {
        "2024-11-30"
    } else {
        "2025-04-01"
    };
    version.to_owned()
}

/// Where a plan differs from the template's defaults, by the labels of the form.
pub(super) fn from_defaults(draft: &ParsedDraft, planned: &Planned) -> Vec<Difference> {
    let entry = &draft.template;
    entry
        .manifest
        .fields
        .keys()
        .filter_map(|name| {
            let before = entry.defaults.get(name)?;
            let after = planned.parameters.get(name)?;
            (before != after).then(|| Difference {
                path: label(entry, name).to_owned(),
                before: Some(before.clone()),
                after: Some(after.clone()),
            })
        })
        .collect()
}

fn find<'a>(resources: &'a [PlannedResource], id: &str) -> Option<&'a PlannedResource> {
    resources
        .iter()
        .find(|known| known.id.eq_ignore_ascii_case(id))
}

/// The leaves that differ, by path such as `properties.hardwareProfile.vmSize` or `tags.team`; lists of unlike length differ as a whole.
fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if before == after || found.len() >= MOST {
        return;
    }
    let under = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                differences(
                    &under(name),
                    value,
                    new.get(name).unwrap_or(&Value::Null),
                    found,
                );
            }
            for (name, value) in new {
                if !old.contains_key(name) {
                    differences(&under(name), &Value::Null, value, found);
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(&format!("{path}[{index}]"), old, new, found);
            }
        }
        _ => found.push(Difference {
            path: path.to_owned(),
            before: present(before),
            after: present(after),
        }),
    }
}

fn present(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}
