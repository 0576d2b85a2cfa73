//! Deployments over HTTP, to resource groups and subscriptions (facts: deployments.md 2). The engine that runs them is `engine/deployments.rs`.

use std::sync::Arc;

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::errors::Refusal;
use super::headers::{json as body, set};
use super::ids;
use super::routes::{arm_version, nothing, wrong_method};
use super::{App, Ask, polling, resources as handlers};
use crate::engine::deployments::{self, Draft, Site};
use crate::engine::{self, Begin};
use crate::providers;
use crate::seed::{self, REGIONS};
use crate::state::model::{Change, Effect, Group, World};

/// `names` is what follows `deployments`.
pub(super) async fn route(
    app: &Arc<App>,
    ask: &Ask,
    scope: &str,
    names: &[&str],
) -> Result<Response, Refusal> {
    arm_version(ask, "deployments")?;
    let group_key = ids::key(scope);
    let parts = group_key.split('/').count();
    if parts != 3 && !(parts == 5 && group_key.contains("/resourcegroups/")) {
        return Err(Refusal::bad(
            "InvalidDeploymentScope",
            "This simulator deploys to resource groups and subscriptions only.",
        ));
    }
    let lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let key = |name: &str| {
        format!(
            "{group_key}/providers/microsoft.resources/deployments/{}",
            name.to_ascii_lowercase()
        )
    };
    match (&ask.method, lower.as_slice()) {
        (&Method::GET, []) => {
            let rows = app.state.read(|world, _| {
                there(world, scope)?;
                Ok(world
                    .deployments_under(&group_key)
                    .map(|(_, deployment)| deployment.show())
                    .collect())
            })?;
            handlers::page(app, ask, rows)
        }
        (&Method::GET, [name]) => app.state.read(|world, _| {
            there(world, scope)?;
            match world.deployment(&key(name)) {
                Some(deployment) => Ok(body(StatusCode::OK, &deployment.show())),
                None => Err(deployments::not_found(names[0])),
            }
        }),
        (&Method::HEAD, [name]) => Ok(app.state.read(|world, _| {
            nothing(match world.deployment(&key(name)) {
                Some(_) => StatusCode::NO_CONTENT,
                None => StatusCode::NOT_FOUND,
            })
        })),
        (&Method::PUT, [_]) => put(app, ask, scope, names[0]).await,
        (&Method::DELETE, [name]) => {
            let key = key(name);
            let existed = app
                .state
                .commit(|tx| {
                    let Some(deployment) = tx.deployment(&key) else {
                        return Ok(None);
                    };
                    if deployment.state.active() {
                        return Err(Refusal::conflict(
                            "DeploymentActive",
                            format!("The deployment '{name}' is still active; cancel it first."),
                        ));
                    }
                    tx.apply(Change::Deployment(key.clone(), None));
                    Ok(Some(engine::begin(
                        tx,
                        Begin {
                            subject: key.clone(),
                            effect: Effect::Gone,
                            seconds: Some(1.0),
                            doomed: None,
                            deployment: None,
                        },
                    )))
                })
                .await?;
            let Some(operation) = existed else {
                return Ok(nothing(StatusCode::NO_CONTENT));
            };
            let subscription = ask.segments.get(1).map_or("", String::as_str);
            let mut response = nothing(StatusCode::ACCEPTED);
            polling::announce_group(
                app,
                &mut response,
                subscription,
                operation,
                &ask.api_version,
                "DEPLOYMENTDELETIONJOB",
            );
            Ok(response)
        }
        (&Method::POST, [_, "validate"]) => {
            let given = ask.json()?;
            app.state.read(|world, now| {
                let site = site(world, scope, names[0], &given)?;
                let draft = Draft::read(world, &site, names[0], &given, now)?;
                Ok(body(
                    StatusCode::OK,
                    &validated(&draft, &ask.around.ids.correlation, now),
                ))
            })
        }
        (&Method::POST, [_, "whatif"]) => what_if(app, ask, scope, names[0]).await,
        (&Method::POST, [name, "cancel"]) => {
            let key = key(name);
            app.state
                .commit(|tx| {
                    exists(tx, scope)?;
                    deployments::cancel(tx, &key)
                })
                .await?;
            Ok(nothing(StatusCode::NO_CONTENT))
        }
        (&Method::POST, [name, "exporttemplate"]) => app.state.read(|world, _| {
            let deployment = world
                .deployment(&key(name))
                .ok_or_else(|| deployments::not_found(names[0]))?;
            let text = world
                .template_text(&deployment.template)
                .map_or("null", |text| text);
            let template: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            Ok(body(StatusCode::OK, &json!({ "template": template })))
        }),
        (&Method::GET, [name, "operations"]) => {
            let rows = app
                .state
                .read(|world, now| match world.deployment(&key(name)) {
                    Some(deployment) => Ok(deployment.operations(now)),
                    None => Err(deployments::not_found(names[0])),
                })?;
            handlers::page(app, ask, rows)
        }
        (&Method::GET, [name, "operations", ticket]) => app.state.read(|world, now| {
            let deployment = world
                .deployment(&key(name))
                .ok_or_else(|| deployments::not_found(names[0]))?;
            deployment
                .operations(now)
                .into_iter()
                .find(|row| {
                    row["operationId"]
                        .as_str()
                        .is_some_and(|id| id.eq_ignore_ascii_case(ticket))
                })
                .map(|row| body(StatusCode::OK, &row))
                .ok_or_else(|| {
                    Refusal::missing(
                        "DeploymentOperationNotFound",
                        format!("The deployment operation '{ticket}' could not be found."),
                    )
                })
        }),
        (&Method::GET, [name, "operationstatuses", ticket]) => app.state.read(|world, _| {
            let deployment = world
                .deployment(&key(name))
                .filter(|deployment| deployment.ticket == *ticket)
                .ok_or_else(|| deployments::not_found(names[0]))?;
            let mut shown = json!({ "status": deployment.state.name() });
            if let Some(problem) = &deployment.problem {
                shown["error"] = json!(problem);
            }
            Ok(body(StatusCode::OK, &shown))
        }),
        _ => Err(wrong_method(ask)),
    }
}

/// The group of this scope; `None` for a subscription.
fn there<'a>(world: &'a World, scope: &str) -> Result<Option<&'a Arc<Group>>, Refusal> {
    if !ids::key(scope).contains("/resourcegroups/") {
        return Ok(None);
    }
    match world.group(&ids::key(scope)) {
        None => Err(Refusal::group_not_found(
            scope.rsplit('/').next().unwrap_or(""),
        )),
        found => Ok(found),
    }
}

/// Whether there is such a scope, and one that is not on its way out.
fn exists(world: &World, scope: &str) -> Result<Option<Arc<Group>>, Refusal> {
    match there(world, scope)? {
        None => Ok(None),
        Some(group) if group.deleting.is_some() => Err(Refusal::conflict(
            "ResourceGroupBeingDeleted",
            format!(
                "The resource group '{}' is in deprovisioning state and cannot perform this operation.",
                group.name
            ),
        )),
        Some(group) => Ok(Some(group.clone())),
    }
}

/// Where a deployment with this body goes. Only one to a subscription says in which region it is kept.
fn site(world: &World, scope: &str, name: &str, body: &Value) -> Result<Site, Refusal> {
    let location = body.get("location").and_then(Value::as_str);
    match (exists(world, scope)?, location) {
        (Some(_), Some(_)) => Err(Refusal::bad(
            "InvalidDeployment",
            format!(
                "The 'location' property is not allowed for '{name}' at resource group scope. Please see https://aka.ms/arm-deployment-subscription for usage details."
            ),
        )),
        (Some(group), None) => Ok(Site::group(&group)),
        (None, None) => Err(Refusal::bad(
            "InvalidDeployment",
            format!(
                "The 'location' property must be specified for '{name}'. Please see https://aka.ms/arm-deployment-subscription for usage details."
            ),
        )),
        (None, Some(location)) => {
            let region = providers::normal_location(location);
            if !REGIONS.contains(&region.as_str()) {
                return Err(Refusal::bad(
                    "LocationNotAvailableForDeployment",
                    format!(
                        "The provided location '{location}' is not available for deployment. List of available regions is '{}'.",
                        REGIONS.join(",")
                    ),
                ));
            }
            let subscription = scope.rsplit('/').next().unwrap_or_default();
            Ok(Site::subscription(subscription, Some(location)))
        }
    }
}

async fn put(app: &Arc<App>, ask: &Ask, scope: &str, name: &str) -> Result<Response, Refusal> {
    let given = ask.json()?;
    let correlation = ask.around.ids.correlation.clone();
    let (deployment, created) = app
        .state
        .commit(|tx| {
            let site = site(tx, scope, name, &given)?;
            let draft = Draft::read(tx, &site, name, &given, tx.now)?;
            deployments::create(tx, draft, &correlation)
        })
        .await?;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = body(status, &deployment.show());
    let url = format!(
        "{}{}/operationStatuses/{}?api-version={}&t={}&c=slipway&s={}",
        app.origin,
        deployment.id,
        deployment.ticket,
        ask.api_version,
        deployment.started.unix_timestamp(),
        deployment.operation.simple(),
    );
    set(response.headers_mut(), "azure-asyncoperation", &url);
    Ok(response)
}

fn validated(draft: &Draft, correlation: &str, now: OffsetDateTime) -> Value {
    let ids: Vec<Value> = draft
        .resources
        .iter()
        .filter(|resource| !resource.existing)
        .map(|resource| json!({ "id": resource.id }))
        .collect();
    json!({
        "id": format!("{}/providers/Microsoft.Resources/deployments/{}", draft.site.id, draft.name),
        "name": draft.name,
        "type": "Microsoft.Resources/deployments",
        "location": draft.site.location,
        "properties": {
            "templateHash": u64::from_str_radix(draft.digest.get(..16).unwrap_or("0"), 16).unwrap_or(0).to_string(),
            "parameters": draft.parameters,
            "mode": if draft.complete { "Complete" } else { "Incremental" },
            "provisioningState": "Succeeded",
            "timestamp": deployments::rfc3339(now),
            "duration": "PT0S",
            "correlationId": correlation,
            "providers": [],
            "dependencies": [],
            "validatedResources": ids,
        },
    })
}

/// Computed at once, told a moment later: 202, then the result at `Location`.
async fn what_if(app: &Arc<App>, ask: &Ask, scope: &str, name: &str) -> Result<Response, Refusal> {
    let given = ask.json()?;
    let full = given
        .pointer("/properties/whatIfSettings/resultFormat")
        .and_then(Value::as_str)
        .is_none_or(|format| !format.eq_ignore_ascii_case("ResourceIdOnly"));
    let operation = app
        .state
        .commit(|tx| {
            let site = site(tx, scope, name, &given)?;
            let answer = match Draft::read(tx, &site, name, &given, tx.now) {
                Ok(draft) => json!({ "status": "Succeeded", "properties": { "changes": changes(tx, &draft, full, tx.now) } }),
                Err(refusal) => json!({ "status": "Failed", "error": *refusal.problem }),
            };
            Ok(engine::begin(
                tx,
                Begin {
                    subject: site.id.clone(),
                    effect: Effect::Answer(answer),
                    seconds: Some(2.0),
                    doomed: None,
                    deployment: None,
                },
            ))
        })
        .await?;
    let subscription = ask
        .segments
        .get(1)
        .map_or(seed::SUBSCRIPTION_DEV, String::as_str);
    let mut response = nothing(StatusCode::ACCEPTED);
    polling::announce_group(
        app,
        &mut response,
        subscription,
        operation,
        &ask.api_version,
        "DeploymentWhatIfJob",
    );
    Ok(response)
}

fn changes(world: &World, draft: &Draft, full: bool, now: OffsetDateTime) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut named = std::collections::BTreeSet::new();
    // A nested deployment changes nothing but by its resources.
    let changing = |resource: &&template::Resource| {
        !resource.existing && !resource.kind.eq_ignore_ascii_case(deployments::NESTED)
    };
    for resource in draft.resources.iter().filter(changing) {
        let key = ids::key(&resource.id);
        let mut after = resource.body.clone();
        if let Value::Object(map) = &mut after {
            map.insert("id".to_owned(), resource.id.as_str().into());
        }
        let mut row = Map::new();
        row.insert("resourceId".to_owned(), resource.id.as_str().into());
        let old = match (world.resource(&key), world.group(&key)) {
            (Some(old), _) => Some(providers::show(world, old, now)),
            (None, Some(group)) => Some(providers::resources::show_group(group)),
            (None, None) => None,
        };
        match old {
            None => {
                row.insert("changeType".to_owned(), "Create".into());
            }
            Some(before) => {
                let mut delta = Vec::new();
                compare("", &before, &after, &mut delta);
                let kind = if delta.is_empty() {
                    "NoChange"
                } else {
                    "Modify"
                };
                row.insert("changeType".to_owned(), kind.into());
                if full {
                    row.insert("before".to_owned(), before);
                    row.insert("delta".to_owned(), Value::Array(delta));
                }
            }
        }
        if full {
            row.insert("after".to_owned(), after);
        }
        rows.push(Value::Object(row));
        named.insert(key);
    }
    if draft.site.group.is_none() {
        return rows;
    }
    // What is in the group besides: left alone, or cleared up.
    for resource in deployments::surplus(world, &draft.site.id, &named) {
        let mut row = Map::new();
        row.insert("resourceId".to_owned(), resource.id.as_str().into());
        let fate = if draft.complete { "Delete" } else { "Ignore" };
        row.insert("changeType".to_owned(), fate.into());
        if full && draft.complete {
            row.insert("before".to_owned(), providers::show(world, resource, now));
        }
        rows.push(Value::Object(row));
    }
    rows
}

/// What the template says and the resource does not: members that the template leaves out are Azure's defaults, not changes.
fn compare(path: &str, before: &Value, after: &Value, delta: &mut Vec<Value>) {
    let Value::Object(after) = after else { return };
    for (name, new) in after {
        if path.is_empty()
            && matches!(
                name.as_str(),
                "id" | "name" | "type" | "apiVersion" | "kind"
            )
        {
            continue;
        }
        let at = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match before.get(name) {
            None if new.is_null() => {}
            None => delta.push(json!({ "path": at, "propertyChangeType": "Create", "after": new })),
            Some(old) if old.is_object() && new.is_object() => compare(&at, old, new, delta),
            Some(old) if contains(old, new) => {}
            Some(old) => delta.push(
                json!({ "path": at, "propertyChangeType": "Modify", "before": old, "after": new }),
            ),
        }
    }
}

/// Whether the old value says all that the new one says. Unknown values are taken as unchanged.
fn contains(old: &Value, new: &Value) -> bool {
    if template::is_unknown(new) {
        return true;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => new
            .iter()
            .all(|(name, new)| old.get(name).is_some_and(|old| contains(old, new))),
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| contains(old, new))
        }
        (Value::String(old), Value::String(new)) => {
            old.eq_ignore_ascii_case(new) || providers::normal_location(new) == *old
        }
        _ => old == new,
    }
}
