//! Microsoft.Resources: resource groups and how they are deleted with everything in them; subscriptions, locations and the list of providers. Deployments live in `engine/deployments.rs`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Put, kinds, locks};
use crate::engine::{self, Begin};
use crate::seed::{REGIONS, TENANT};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Group, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids;

pub(crate) const VERSIONS: &[&str] = &[
    "2026-06-01",
    "2025-04-01",
    "2025-03-01",
    "2024-11-01",
    "2024-07-01",
    "2024-03-01",
    "2023-07-01",
    "2022-12-01",
    "2022-09-01",
    "2021-04-01",
    "2021-01-01",
    "2020-10-01",
    "2020-06-01",
    "2019-10-01",
    "2019-08-01",
    "2019-07-01",
    "2018-05-01",
    "2016-09-01",
    "2016-06-01",
    "2022-01-01",
    "2019-06-01",
];

pub(crate) fn show_group(group: &Group) -> Value {
    let state = if group.deleting.is_some() {
        "Deleting"
    } else {
        "Succeeded"
    };
    let mut shown = json!({
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "properties": { "provisioningState": state },
    });
    if !group.tags.is_null() {
        shown["tags"] = group.tags.clone();
    }
    if let Some(owner) = &group.managed_by {
        shown["managedBy"] = owner.as_str().into();
    }
    shown
}

/// Creates or replaces; answers the group and whether it is new.
pub(crate) fn put_group(
    tx: &mut Tx<'_>,
    subscription: &str,
    name: &str,
    body: &Value,
    patch: bool,
) -> Result<(Arc<Group>, bool), Refusal> {
    if !ids::is_group_name(name) {
        return Err(Refusal::bad(
            "InvalidResourceGroup",
            format!(
                "The provided resource group name '{name}' has these invalid characters or length: it must be 1 to 90 letters, digits, '-', '_', '(', ')' and '.', and not end with '.'."
            ),
        ));
    }
    super::tags(body)?;
    let id = ids::scope(subscription, Some(name));
    let key = ids::key(&id);
    let old = tx.group(&key).cloned();
    if let Some(old) = &old
        && old.deleting.is_some()
    {
        return Err(Refusal::conflict(
            "ResourceGroupBeingDeleted",
            format!(
                "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
            ),
        ));
    }
    if patch && old.is_none() {
        return Err(Refusal::group_not_found(name));
    }
    let location = match body.get("location").and_then(Value::as_str) {
        Some(given) => super::normal_location(given),
        None => match &old {
            Some(old) if patch => old.location.clone(),
            _ => {
                return Err(Refusal::bad(
                    "LocationRequired",
                    "The location property is required for this definition.",
                ));
            }
        },
    };
    if !REGIONS.contains(&location.as_str()) {
        return Err(Refusal::bad(
            "LocationNotAvailableForResourceGroup",
            format!(
                "The provided location '{location}' is not available for resource group. List of available regions is '{}'.",
                REGIONS.join(",")
            ),
        ));
    }
    if let Some(old) = &old
        && old.location != location
    {
        return Err(Refusal::conflict(
            "InvalidResourceGroupLocation",
            format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                old.location
            ),
        ));
    }
    let mut tags = body.get("tags").cloned().unwrap_or(Value::Null);
    if let (true, Some(old), true) = (patch, &old, tags.is_null()) {
        tags = old.tags.clone();
    }
    let group = Arc::new(Group {
        id,
        subscription: subscription.to_owned(),
        name: name.to_owned(),
        location,
        tags,
        managed_by: old.as_ref().and_then(|old| old.managed_by.clone()),
        deleting: None,
    });
    tx.apply(Change::Group(key, Some(group.clone())));
    Ok((group, old.is_none()))
}

/// Begins the deletion of a group with everything in it.
pub(crate) fn delete_group(
    tx: &mut Tx<'_>,
    key: &str,
    doomed: Option<Problem>,
    hang: bool,
) -> Result<Put, Refusal> {
    let Some(group) = tx.group(key).cloned() else {
        return Err(Refusal::group_not_found(
            key.rsplit('/').next().unwrap_or(""),
        ));
    };
    if let Some(operation) = group.deleting {
        return Ok(Put {
            id: group.id.clone(),
            operation: Some(operation),
            created: false,
        });
    }
    locks::deletable(tx, &group.id)?;
    let active: Vec<String> = tx
        .deployments_under(key)
        .filter(|(_, deployment)| deployment.state.active())
        .map(|(key, _)| key.clone())
        .collect();
    for deployment in active {
        engine::deployments::cancel(tx, &deployment)?;
    }
    let operation = engine::begin(
        tx,
        Begin {
            subject: group.id.clone(),
            effect: Effect::DeleteGroup,
            seconds: (!hang).then_some(10.0),
            doomed,
            deployment: None,
        },
    );
    let mut leaving = Group::clone(&group);
    leaving.deleting = Some(operation);
    tx.apply(Change::Group(key.to_owned(), Some(Arc::new(leaving))));
    let inside: Vec<(String, Arc<Resource>)> = tx
        .under(key)
        .map(|(key, resource)| (key.clone(), resource.clone()))
        .collect();
    for (key, resource) in inside {
        let mut leaving = Resource::clone(&resource);
        leaving.before = Some(resource.state);
        leaving.state = Provisioning::Deleting;
        tx.apply(Change::Resource(key, Some(Arc::new(leaving))));
    }
    Ok(Put {
        id: group.id.clone(),
        operation: Some(operation),
        created: false,
    })
}

/// Why a group cannot go: something outside it uses something inside it.
pub(crate) fn group_blocked(world: &World, key: &str) -> Option<Problem> {
    let prefix = format!("{key}/");
    for (inner, resource) in world.under(key) {
        let outside = world
            .users(inner)
            .find(|user| !user.key().starts_with(&prefix));
        if let Some(user) = outside {
            return Some(Problem::new(
                "ResourceGroupDeletionBlocked",
                format!(
                    "Deletion of resource group '{}' failed as resources with identifiers '{}' could not be deleted: {} uses it.",
                    key.rsplit('/').next().unwrap_or(""),
                    resource.id,
                    user.id
                ),
            ));
        }
    }
    None
}

/// Takes a group out with all that it holds.
pub(crate) fn remove_group(tx: &mut Tx<'_>, key: &str) {
    let inside: Vec<String> = tx.under(key).map(|(key, _)| key.clone()).collect();
    for resource in inside {
        super::remove(tx, &resource);
    }
    let deployments: Vec<String> = tx
        .deployments_under(key)
        .map(|(key, _)| key.clone())
        .collect();
    for deployment in deployments {
        tx.apply(Change::Deployment(deployment, None));
    }
    tx.apply(Change::Group(key.to_owned(), None));
}

/// A deletion that failed leaves the group as it was.
pub(crate) fn keep_group(tx: &mut Tx<'_>, key: &str) {
    if let Some(group) = tx.group(key).cloned() {
        let mut kept = Group::clone(&group);
        kept.deleting = None;
        tx.apply(Change::Group(key.to_owned(), Some(Arc::new(kept))));
    }
    let inside: Vec<(String, Arc<Resource>)> = tx
        .under(key)
        .map(|(key, resource)| (key.clone(), resource.clone()))
        .collect();
    for (key, resource) in inside {
        let mut kept = Resource::clone(&resource);
        kept.state = kept.before.take().unwrap_or(resource.state);
        tx.apply(Change::Resource(key, Some(Arc::new(kept))));
    }
}

pub(crate) fn subscription(found: &crate::Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", found.id),
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": found.id,
        "tenantId": TENANT,
        "displayName": found.name,
        "state": "Enabled",
        "subscriptionPolicies": { "locationPlacementId": "Public_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off" },
    })
}

pub(crate) fn locations(subscription: &str) -> Value {
    let names = [
        ("westeurope", "West Europe", "Netherlands"),
        ("northeurope", "North Europe", "Ireland"),
        ("eastus", "East US", "Virginia"),
        ("swedencentral", "Sweden Central", "Gävle"),
    ];
    let rows: Vec<Value> = names
        .iter()
        .map(|(name, display, place)| {
            let geography = if *name == "eastus" { "US" } else { "Europe" };
            let zones: Vec<Value> = ["1", "2", "3"]
                .iter()
                .map(|zone| json!({ "logicalZone": zone, "physicalZone": format!("{name}-az{zone}") }))
                .collect();
            json!({
                "id": format!("/subscriptions/{subscription}/locations/{name}"),
                "name": name, "type": "Region", "displayName": display, "regionalDisplayName": format!("({geography}) {display}"),
                "metadata": { "regionType": "Physical", "regionCategory": "Recommended", "geography": geography, "geographyGroup": geography, "physicalLocation": place },
                "availabilityZoneMappings": zones,
            })
        })
        .collect();
    json!({ "value": rows })
}

/// The providers with their types and versions.
pub(crate) fn providers(subscription: &str) -> Vec<Value> {
    let mut namespaces: std::collections::BTreeMap<&str, Vec<Value>> =
        std::collections::BTreeMap::new();
    let displays = ["West Europe", "North Europe", "East US", "Sweden Central"];
    for kind in kinds().values() {
        namespaces.entry(kind.namespace()).or_default().push(json!({
            "resourceType": kind.short(),
            "locations": if kind.located { json!(displays) } else { json!([]) },
            "apiVersions": kind.versions,
            "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
        }));
    }
    for name in ["deployments", "resourceGroups", "tags", "subscriptions"] {
        namespaces.entry("Microsoft.Resources").or_default().push(json!({
            "resourceType": name, "locations": displays, "apiVersions": VERSIONS, "capabilities": "None",
        }));
    }
    namespaces
        .into_iter()
        .map(|(namespace, types)| {
            json!({
                "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
                "namespace": namespace,
                "resourceTypes": types,
                "registrationState": "Registered",
                "registrationPolicy": "RegistrationRequired",
            })
        })
        .collect()
}
