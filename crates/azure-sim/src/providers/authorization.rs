//! Microsoft.Authorization: role assignments and management locks, which extend any scope. What a lock forbids is in `locks.rs`.

use serde_json::{Value, json};

use super::{Habit, Kind};
use crate::state::model::Resource;
use crate::wire::errors::Refusal;
use crate::wire::ids;
use crate::wire::json as at;

pub(crate) const ROLES: &[&str] = &[
    "2022-05-01-preview",
    "2018-07-01",
    "2022-04-01",
    "2020-10-01-preview",
    "2020-08-01-preview",
    "2018-01-01-preview",
    "2015-07-01",
];
const LOCKS: &[&str] = &["2020-05-01", "2017-04-01", "2016-09-01"];

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            located: false,
            prepare: |draft, scene| {
                draft.require("/properties/roleDefinitionId")?;
                draft.require("/properties/principalId")?;
                if uuid::Uuid::parse_str(draft.id.last_name()).is_err() {
                    return Err(Refusal::bad(
                        "InvalidRoleAssignmentId",
                        format!(
                            "The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.",
                            draft.id.last_name()
                        ),
                    ));
                }
                let scope = scope_of(draft.id);
                let role = draft
                    .text("/properties/roleDefinitionId")
                    .unwrap_or("")
                    .to_owned();
                let principal = draft
                    .text("/properties/principalId")
                    .unwrap_or("")
                    .to_owned();
                let own = draft.id.key();
                let twin = scene
                    .world
                    .of_kind("Microsoft.Authorization/roleAssignments")
                    .any(|other| {
                        other.key() != own
                            && other.text("/properties/scope") == Some(&scope)
                            && other.text("/properties/roleDefinitionId") == Some(&role)
                            && other.text("/properties/principalId") == Some(&principal)
                    });
                if twin {
                    return Err(Refusal::conflict(
                        "RoleAssignmentExists",
                        "The role assignment already exists.",
                    ));
                }
                draft.keep("/properties/roleDefinitionId")?;
                draft.keep("/properties/principalId")?;
                at::set(&mut draft.body, "/properties/scope", scope.into());
                draft.default("/properties/principalType", "ServicePrincipal");
                Ok(())
            },
            ..Kind::base(
                "Microsoft.Authorization/roleAssignments",
                ROLES,
                Habit::Sync,
            )
        },
        Kind {
            located: false,
            prepare: |draft, _| match draft.text("/properties/level") {
                Some("CanNotDelete" | "ReadOnly") => Ok(()),
                _ => Err(Refusal::bad(
                    "InvalidLockLevel",
                    "The lock level must be 'CanNotDelete' or 'ReadOnly'.",
                )),
            },
            ..Kind::base("Microsoft.Authorization/locks", LOCKS, Habit::Sync)
        },
    ]
}

/// Built-in roles that people assign to machines and clusters; names and ids are Azure's own.
const ROLE_DEFINITIONS: [(&str, &str, &[&str]); 10] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", &["*"]),
    (
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        &["*"],
    ),
    (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        &["*/read"],
    ),
    (
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        &["*/read", "Microsoft.Authorization/*"],
    ),
    (
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Network Contributor",
        &["Microsoft.Network/*"],
    ),
    (
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        "Virtual Machine Contributor",
        &["Microsoft.Compute/virtualMachines/*"],
    ),
    (
        "fb879df8-f326-4884-b1cf-06f3ad86be52",
        "Virtual Machine User Login",
        &["Microsoft.Compute/virtualMachines/*/read"],
    ),
    (
        "1c0163c0-47e6-4577-8991-ea5c82e286e4",
        "Virtual Machine Administrator Login",
        &["Microsoft.Compute/virtualMachines/*/read"],
    ),
    (
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        &["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"],
    ),
    (
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        "Azure Kubernetes Service Cluster User Role",
        &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"],
    ),
];

/// Role definitions as they show under a subscription.
pub(crate) fn role_definitions(subscription: &str) -> Vec<Value> {
    ROLE_DEFINITIONS
        .iter()
        .map(|(id, name, actions)| {
            json!({
                "id": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{id}"),
                "name": id,
                "type": "Microsoft.Authorization/roleDefinitions",
                "properties": {
                    "roleName": name, "type": "BuiltInRole", "description": name, "assignableScopes": ["/"],
                    "permissions": [{ "actions": actions, "notActions": [], "dataActions": [], "notDataActions": [] }],
                },
            })
        })
        .collect()
}

/// Whether a list of assignments at this scope shows one: those above it, which hold there, and those below it.
pub(crate) fn listed_at(extension: &Resource, scope: &str) -> bool {
    let Some(own) = ids::Id::parse(&extension.id).map(|id| ids::key(&scope_of(&id))) else {
        return false;
    };
    let scope = ids::key(scope);
    let inside = |key: &str, outer: &str| key == outer || key.starts_with(&format!("{outer}/"));
    inside(&scope, &own) || inside(&own, &scope)
}

pub(super) fn scope_of(id: &ids::Id) -> String {
    if id.extends.is_empty() {
        id.scope()
    } else {
        id.extends.clone()
    }
}
