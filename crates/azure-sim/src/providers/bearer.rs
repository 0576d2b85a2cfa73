//! The `identity` of a resource that bears one: which kinds it may be, and the ids that Azure fills in. Identities that are resources themselves are in `identity.rs`.

use serde_json::{Map, Value, json};

use super::{Draft, Scene, identity};
use crate::seed;
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

/// Completes the identity. `both`: whether the type of resource can bear a system-assigned and user-assigned ones at once.
pub(super) fn prepare(draft: &mut Draft<'_>, scene: &Scene<'_>, both: bool) -> Result<(), Refusal> {
    let Some(given) = draft.body.get("identity") else {
        return Ok(());
    };
    if template::is_unknown(given) || given.get("type").is_some_and(template::is_unknown) {
        return Ok(());
    }
    let users = given.get("userAssignedIdentities").cloned();
    let Some(kinds) = at::text(given, "/type").map(str::to_owned) else {
        if users.is_none() {
            at::remove(&mut draft.body, "/identity");
            return Ok(());
        }
        return Err(Refusal::required("identity.type"));
    };
    let (mut system, mut user) = (false, false);
    for kind in kinds.split(',') {
        match kind.trim().to_ascii_lowercase().as_str() {
            "systemassigned" => system = true,
            "userassigned" => user = true,
            "none" => {}
            _ => return Err(unknown(&kinds)),
        }
    }
    if system && user && !both {
        return Err(unknown(&kinds));
    }
    if !system && !user {
        at::remove(&mut draft.body, "/identity");
        return Ok(());
    }

    for name in ["principalId", "tenantId", "userAssignedIdentities"] {
        at::remove(&mut draft.body, &format!("/identity/{name}"));
    }
    if system {
        let principal = identity::principal(&draft.id.key());
        at::set(&mut draft.body, "/identity/principalId", principal.into());
        at::set(&mut draft.body, "/identity/tenantId", seed::TENANT.into());
    }
    if user {
        let users = match users {
            Some(users) if template::has_unknown(&users) => users,
            Some(Value::Object(users)) if !users.is_empty() => assigned(&users, scene)?,
            _ => {
                return Err(Refusal::bad(
                    "MissingIdentityIds",
                    "The identity ids must not be null or empty for 'UserAssigned' identity type.",
                ));
            }
        };
        if let Some(Value::Object(identity)) = draft.body.get_mut("identity") {
            identity.insert("userAssignedIdentities".to_owned(), users);
        }
    }
    Ok(())
}

/// Every identity with the ids of its principal, under the id as it was given.
fn assigned(users: &Map<String, Value>, scene: &Scene<'_>) -> Result<Value, Refusal> {
    let mut shown = Map::new();
    for id in users.keys() {
        let fits = Id::parse(id).is_some_and(|id| id.kind().eq_ignore_ascii_case(identity::KIND));
        // Before a deployment runs, parts of an id may not be known.
        if !fits && !scene.preflight {
            return Err(Refusal::bad(
                "LinkedInvalidPropertyId",
                format!(
                    "Property id '{id}' at path 'identity.userAssignedIdentities' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{{subscriptionId}}' or '/providers/{{resourceProviderNamespace}}/'."
                ),
            )
            .by_gateway());
        }
        let key = ids::key(id);
        shown.insert(
            id.clone(),
            json!({ "principalId": identity::principal(&key), "clientId": identity::client(&key) }),
        );
    }
    Ok(Value::Object(shown))
}

fn unknown(kinds: &str) -> Refusal {
    Refusal::bad(
        "InvalidRequestContent",
        format!(
            "The request content was invalid and could not be deserialized: 'Error converting value \"{kinds}\" to type 'ResourceIdentityType'. Path 'identity.type'.'."
        ),
    )
    .at("identity.type")
}
