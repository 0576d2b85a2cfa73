//! Microsoft.Authorization: role assignments and management locks, which extend any scope. What a lock forbids is in `locks.rs`.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Draft, Habit, Kind, Patch, Scene};
use crate::state::model::Resource;
use crate::wire::errors::Refusal;
use crate::wire::json as at;
use crate::wire::{filter, ids};

pub(crate) const ROLES: &[&str] = &[
    "2022-05-01-preview",
    "2018-07-01",
    "2022-04-01",
    "2020-10-01-preview",
    "2020-08-01-preview",
    "2018-01-01-preview",
    "2015-07-01",
];
const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";
const LOCKS: &[&str] = &["2020-05-01", "2017-04-01", "2016-09-01"];

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            located: false,
            patch: Patch::Never,
            prepare: assignment,
            ..Kind::base(ASSIGNMENT, ROLES, Habit::Sync)
        },
        Kind {
            located: false,
            patch: Patch::Never,
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

fn assignment(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/roleDefinitionId")?;
    draft.require("/properties/principalId")?;
    if !is_guid(draft.id.last_name()) {
        return Err(Refusal::bad(
            "InvalidRoleAssignmentId",
            format!(
                "The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.",
                draft.id.last_name()
            ),
        ));
    }
    let role = draft
        .text("/properties/roleDefinitionId")
        .map(role)
        .transpose()?;
    let principal = draft.text("/properties/principalId").map(str::to_lowercase);
    if principal.as_deref().is_some_and(|id| !is_guid(id)) {
        return Err(Refusal::bad(
            "InvalidPrincipalId",
            "A valid principal ID must be provided for role assignment.",
        ));
    }
    let scope = scope_of(draft.id);
    let given = Some((role, principal)).filter(|(role, principal)| {
        // Preflight does not know whom a template is about to make.
        role.is_some() && principal.is_some()
    });
    if let (Some(given), Some(old)) = (&given, draft.old)
        && *given != parties(old)
    {
        return Err(Refusal::bad(
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        ));
    }
    let own = draft.id.key();
    let twin = given.is_some_and(|given| {
        scene.world.of_kind(ASSIGNMENT).any(|other| {
            other.key() != own
                && other
                    .text("/properties/scope")
                    .is_some_and(|other| other.eq_ignore_ascii_case(&scope))
                && parties(other) == given
        })
    });
    if twin {
        return Err(Refusal::conflict(
            "RoleAssignmentExists",
            "The role assignment already exists.",
        ));
    }
    at::set(&mut draft.body, "/properties/scope", scope.into());
    draft.default("/properties/principalType", "ServicePrincipal");
    Ok(())
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}

/// The GUID of a role that is known, in lower case, whatever scope its id is written for. Words: <https://github.com/Azure/azure-cli/issues/2458>, <https://github.com/hashicorp/terraform-provider-azurerm/issues/8547>.
fn role(id: &str) -> Result<String, Refusal> {
    let lower = id.to_lowercase();
    let Some((_, role)) = lower.rsplit_once(ROLE_SEGMENT) else {
        return Err(Refusal::bad(
            "BadRequestFormat",
            "The request was incorrectly formatted.",
        ));
    };
    if !is_guid(role) {
        return Err(Refusal::bad(
            "InvalidRoleDefinitionId",
            format!("The role definition ID '{role}' is not valid."),
        ));
    }
    if template::BUILT_IN_ROLES
        .iter()
        .any(|(_, known)| *known == role)
    {
        return Ok(role.to_owned());
    }
    Err(Refusal::new(
        StatusCode::NOT_FOUND,
        "RoleDefinitionDoesNotExist",
        format!("The specified role definition with ID '{role}' does not exist."),
    ))
}

const ROLE_SEGMENT: &str = "/providers/microsoft.authorization/roledefinitions/";

/// Role and principal of an assignment, as [`role`] and principals are compared.
fn parties(assignment: &Resource) -> (Option<String>, Option<String>) {
    let role = assignment
        .text("/properties/roleDefinitionId")
        .map(str::to_lowercase);
    let role = role.and_then(|id| Some(id.rsplit_once(ROLE_SEGMENT)?.1.to_owned()));
    let principal = assignment
        .text("/properties/principalId")
        .map(str::to_lowercase);
    (role, principal)
}

/// What those roles may do that people assign to machines and clusters most; of the others only name and id are known.
const ACTIONS: [(&str, &[&str]); 10] = [
    ("Owner", &["*"]),
    ("Contributor", &["*"]),
    ("Reader", &["*/read"]),
    (
        "User Access Administrator",
        &["*/read", "Microsoft.Authorization/*"],
    ),
    ("Network Contributor", &["Microsoft.Network/*"]),
    (
        "Virtual Machine Contributor",
        &["Microsoft.Compute/virtualMachines/*"],
    ),
    (
        "Virtual Machine User Login",
        &["Microsoft.Compute/virtualMachines/*/read"],
    ),
    (
        "Virtual Machine Administrator Login",
        &["Microsoft.Compute/virtualMachines/*/read"],
    ),
    (
        "Managed Identity Operator",
        &["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"],
    ),
    (
        "Azure Kubernetes Service Cluster User Role",
        &["Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"],
    ),
];

/// Role definitions as they show under a subscription.
pub(crate) fn role_definitions(subscription: &str) -> Vec<Value> {
    template::BUILT_IN_ROLES
        .iter()
        .map(|(name, id)| {
            let actions = ACTIONS
                .iter()
                .find(|(role, _)| role == name)
                .map_or(&[][..], |(_, actions)| actions);
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

/// Keeps of a list at a scope what its `$filter` asks for: `atScope()` (there and above), `atExactScope()`, `assignedTo('…')`, and equalities of members. A condition that is none of these keeps everything.
pub(crate) fn filter(rows: &mut Vec<Value>, scope: &str, filter: &str) {
    let scope = ids::key(scope);
    for term in filter.split(" and ").map(str::trim) {
        let word = term.to_ascii_lowercase();
        rows.retain(|row| {
            let own = at::text(row, "/id")
                .and_then(ids::Id::parse)
                .map_or_else(String::new, |id| ids::key(&scope_of(&id)));
            match word.as_str() {
                "atscope()" => scope == own || scope.starts_with(&format!("{own}/")),
                "atexactscope()" => scope == own,
                _ => wanted(term).is_none_or(|(member, value)| {
                    at::text(row, &format!("/properties/{member}"))
                        .is_some_and(|found| found.eq_ignore_ascii_case(&value))
                }),
            }
        });
    }
}

/// The member that a condition is about, and its value.
fn wanted(term: &str) -> Option<(String, String)> {
    let word = term
        .get(..11)
        .filter(|word| word.eq_ignore_ascii_case("assignedTo("));
    if word.is_some() {
        let id = term[11..].trim().strip_prefix('\'')?.strip_suffix("')")?;
        return Some(("principalId".to_owned(), id.to_owned()));
    }
    let pair = filter::equalities(term)?.into_iter().next()?;
    MEMBERS
        .iter()
        .find(|member| member.eq_ignore_ascii_case(&pair.0))
        .map(|member| ((*member).to_owned(), pair.1))
}

/// What lists of assignments and definitions can be filtered by.
const MEMBERS: [&str; 4] = [
    "policyAssignmentId",
    "policyDefinitionId",
    "policyType",
    "principalId",
];

pub(super) fn scope_of(id: &ids::Id) -> String {
    if id.extends.is_empty() {
        id.scope()
    } else {
        id.extends.clone()
    }
}
