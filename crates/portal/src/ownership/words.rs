//! Foreign resources in words: for the step that stopped, and for the field of a form.

use types::fault::AzureFault;

use super::{NotOurs, Owner};
use crate::requests::sentences::listed;

/// How many are named; more say nothing new.
const NAMED: usize = 5;

/// The fault of a step that met resources which are not its stack's.
pub(crate) fn fault(found: &[NotOurs]) -> AzureFault {
    let mut parts: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|one| format!("{} {}", noun(one), belongs(one)))
        .collect();
    if found.len() > NAMED {
        parts.push(format!(
            "{} more are not this stack's either",
            found.len() - NAMED
        ));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let mut fault = crate::operations::fault(
        "not_ours",
        format!("{}. Nothing was touched.", capital(&listed(&parts))),
        remedy(found),
    );
    fault.target = found.first().map(|one| one.id.clone());
    fault
}

/// `the node pool batch`.
pub(super) fn noun(one: &NotOurs) -> String {
    let name = one.id.rsplit('/').next().unwrap_or(&one.id);
    let kind = match one.kind.to_ascii_lowercase().as_str() {
        "microsoft.resources/resourcegroups" => "resource group",
        "microsoft.resources/deployments" => "deployment",
        "microsoft.containerservice/managedclusters" => "cluster",
        "microsoft.containerservice/managedclusters/agentpools" => "node pool",
        "microsoft.compute/disks" => "disk",
        "microsoft.compute/virtualmachines" => "virtual machine",
        "microsoft.network/networkinterfaces" => "network interface",
        "microsoft.network/networksecuritygroups" => "network security group",
        "microsoft.network/virtualnetworks/subnets" => "subnet",
        _ => return format!("{name} ({})", one.kind),
    };
    format!("the {kind} {name}")
}

/// `belongs to another stack`.
pub(super) fn belongs(one: &NotOurs) -> String {
    match (&one.named, one.owner) {
        (Some(named), _) => format!("belongs to {named}"),
        (None, Owner::Stack(_)) => "belongs to another stack".to_owned(),
        (None, Owner::Installation) => "belongs to another Slipway installation".to_owned(),
        (None, Owner::Nobody) => "was not made by Slipway, or lost Slipway's tags".to_owned(),
    }
}

fn remedy(found: &[NotOurs]) -> &'static str {
    if found.iter().all(|one| one.owner == Owner::Nobody) {
        "If it is this stack's and only its tags were removed, put slipway-stack and slipway-installation back, then try again. Otherwise delete it or move it elsewhere, or use another name."
    } else {
        "Use another name, or ask its owner to remove it; then try again."
    }
}

/// The first letter large.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
