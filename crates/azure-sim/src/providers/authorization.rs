//! Microsoft.Authorization: role assignments and management locks, which extend any scope; and whether a lock forbids a deletion.

use super::{Habit, Kind};
use crate::state::model::World;
use crate::wire::errors::Refusal;
use crate::wire::ids;
use crate::wire::json as at;

const ROLES: &[&str] = &[
    "2022-04-01",
    "2020-10-01-preview",
    "2020-08-01-preview",
    "2018-01-01-preview",
    "2015-07-01",
];
const LOCKS: &[&str] = &["2020-05-01", "2017-04-01", "2016-09-01"];
const LOCK: &str = "microsoft.authorization/locks";

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

fn scope_of(id: &ids::Id) -> String {
    if id.extends.is_empty() {
        id.scope()
    } else {
        id.extends.clone()
    }
}

/// Refuses to delete what is locked: itself, something above it or something below it.
pub(crate) fn unlocked(world: &World, key: &str) -> Result<(), Refusal> {
    if ids::Id::parse(key).is_some_and(|id| id.kind() == LOCK) {
        return Ok(());
    }
    for lock in world.of_kind(LOCK) {
        let Some(id) = ids::Id::parse(&lock.id) else {
            continue;
        };
        let scope = scope_of(&id);
        let locked = ids::key(&scope);
        let above = key == locked || key.starts_with(&format!("{locked}/"));
        if above || locked.starts_with(&format!("{key}/")) {
            return Err(Refusal::conflict(
                "ScopeLocked",
                format!(
                    "The scope '{key}' cannot perform delete operation because following scope(s) are locked: '{scope}'. Please remove the lock and try again."
                ),
            ));
        }
    }
    Ok(())
}
