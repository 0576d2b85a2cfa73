//! The node resource group of a cluster: made with it, deleted with it, and nobody else's.

use std::sync::Arc;

use serde_json::json;

use crate::providers::{Draft, Scene, locks, resources};
use crate::seed;
use crate::state::Tx;
use crate::state::model::{Change, Group, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

const PATH: &str = "/properties/nodeResourceGroup";

/// Names the group of a new cluster. It must not exist: the cluster would take it along when it goes.
pub(super) fn prepare(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    // Clients send an empty text for *whatever is the default*.
    if draft.text(PATH) == Some("") {
        at::remove(&mut draft.body, PATH);
    }
    let own = draft.id.group_name();
    let name = format!("MC_{own}_{}_{}", draft.id.last_name(), draft.location);
    let name: String = name.chars().take(80).collect();
    at::default(&mut draft.body, PATH, name);
    let Some(name) = draft.text(PATH) else {
        return Ok(());
    };
    let refuse =
        |code: &str, message: String| Err(Refusal::bad(code, message).at("nodeResourceGroup"));
    let length = name.chars().count();
    if length > 80 {
        return refuse(
            "InvalidParameter",
            format!(
                "The length of the node resource group name is too long. The maximum length is 80 and the length of the value provided is {length}. Please see https://aka.ms/aks-naming-rules for more details."
            ),
        );
    }
    if !ids::is_group_name(name) {
        return refuse(
            "InvalidParameter",
            "The value of parameter nodeResourceGroup is invalid. Please see https://aka.ms/aks-naming-rules for more details.".to_owned(),
        );
    }
    if name.eq_ignore_ascii_case(own) {
        return refuse(
            "NodeResourceGroupSameAsResourceGroup",
            format!(
                "Node resource group '{name}' is the same as ResourceGroup '{own}', which is not allowed, please provide a different node resource group."
            ),
        );
    }
    let key = ids::key(&ids::scope(&draft.id.subscription, Some(name)));
    if let Some(group) = scene.world.group(&key)
        && !belongs(group, &draft.id.text())
    {
        return refuse(
            "NodeResourceGroupAlreadyExists",
            format!(
                "Node resource group '{name}' under subscription '{}' already exists, please provide a new one.",
                draft.id.subscription
            ),
        );
    }
    Ok(())
}

fn belongs(group: &Group, cluster: &str) -> bool {
    group
        .managed_by
        .as_deref()
        .is_some_and(|owner| owner.eq_ignore_ascii_case(cluster))
}

/// The cluster's own group, if it is there.
fn of<'w>(world: &'w World, cluster: &Resource) -> Option<&'w Arc<Group>> {
    let id = Id::parse(&cluster.id)?;
    let name = cluster.text(PATH)?;
    world
        .group(&ids::key(&ids::scope(&id.subscription, Some(name))))
        .filter(|group| belongs(group, &cluster.id))
}

/// Makes the group where there is none of the name.
pub(super) fn make(tx: &mut Tx<'_>, cluster: &Resource, id: &Id) {
    let Some(name) = cluster.text(PATH) else {
        return;
    };
    let scope = ids::scope(&id.subscription, Some(name));
    let key = ids::key(&scope);
    if tx.group(&key).is_some() {
        return;
    }
    let group = Group {
        id: scope,
        subscription: id.subscription.clone(),
        name: name.to_owned(),
        location: cluster.location().unwrap_or(seed::REGIONS[0]).to_owned(),
        tags: json!({ "aks-managed-cluster-name": cluster.name(), "aks-managed-cluster-rg": id.group_name() }),
        managed_by: Some(cluster.id.clone()),
        deleting: None,
    };
    tx.apply(Change::Group(key, Some(Arc::new(group))));
}

/// A cluster whose node group is locked cannot go: it would have to take the group along.
pub(super) fn blocked(world: &World, cluster: &Resource) -> Result<(), Refusal> {
    match of(world, cluster) {
        Some(group) => locks::deletable(world, &group.id),
        None => Ok(()),
    }
}

/// Takes the group along. One that was locked since stays behind.
pub(super) fn remove(tx: &mut Tx<'_>, cluster: &Resource) {
    let leaving = of(tx, cluster)
        .filter(|group| locks::deletable(tx, &group.id).is_ok())
        .map(|group| ids::key(&group.id));
    if let Some(key) = leaving {
        resources::remove_group(tx, &key);
    }
}
