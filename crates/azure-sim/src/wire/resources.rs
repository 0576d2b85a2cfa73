//! Resource groups, resources, lists and tags over HTTP; actions are in `actions.rs`. What a request does to a resource is decided in `providers`.

use std::sync::Arc;

use axum::response::Response;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::errors::Refusal;
use super::headers::{json as body, set};
use super::ids::{self, Id};
use super::routes::{arm_version, conditions, nothing, wrong_method};
use super::{App, Ask, actions, polling};
use crate::providers::{
    self, Condition, Habit, Order, Put, authorization, compute, machines, policy, resources,
};
use crate::seed::REGIONS;
use crate::state::model::{Change, Group, Resource, World};
use crate::wire::json as at;

/// `/subscriptions/{s}/resourceGroups/{g}`.
pub(super) async fn group(
    app: &Arc<App>,
    ask: &Ask,
    subscription: &str,
) -> Result<Response, Refusal> {
    arm_version(ask, "resourceGroups")?;
    let name = ask.segments[3].clone();
    let key = ids::key(&ids::scope(subscription, Some(&name)));
    match ask.method {
        Method::GET => app.state.read(|world, _| match world.group(&key) {
            Some(group) => Ok(body(StatusCode::OK, &resources::show_group(group))),
            None => Err(Refusal::group_not_found(&name)),
        }),
        Method::HEAD => Ok(app.state.read(|world, _| {
            nothing(match world.group(&key) {
                Some(_) => StatusCode::NO_CONTENT,
                None => StatusCode::NOT_FOUND,
            })
        })),
        Method::PUT | Method::PATCH => {
            let given = ask.json()?;
            let patch = ask.method == Method::PATCH;
            let (group, created) = app
                .state
                .commit(|tx| resources::put_group(tx, subscription, &name, &given, patch))
                .await?;
            let status = if created {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            Ok(body(status, &resources::show_group(&group)))
        }
        Method::DELETE => {
            let orders = ask.around.orders.clone();
            let put = app
                .state
                .commit(|tx| resources::delete_group(tx, &key, orders.doomed, orders.hang))
                .await?;
            let mut response = nothing(StatusCode::ACCEPTED);
            if let Some(operation) = put.operation {
                polling::announce_group(
                    app,
                    &mut response,
                    subscription,
                    operation,
                    &ask.api_version,
                    "RESOURCEGROUPDELETIONJOB",
                );
            }
            Ok(response)
        }
        _ => Err(wrong_method(ask)),
    }
}

/// The condition in a request's headers. An empty one is none. AKS checks them first
/// (scenarios 1 and 2 of <https://learn.microsoft.com/azure/aks/use-etags>, page of 2024-06-10, read 2026-11-27; the wording is ours). The page does not say
/// so of DELETE: that it is 400 there too is our assumption.
fn condition(ask: &Ask, kind: &str) -> Result<Option<Condition>, Refusal> {
    let text = |name: header::HeaderName| {
        let value = ask.headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| !value.is_empty())
    };
    let (is, is_not) = (text(header::IF_MATCH), text(header::IF_NONE_MATCH));
    if kind.starts_with("Microsoft.ContainerService/")
        && is_not.is_some_and(|tag| tag != "*" || is.is_some())
    {
        return Err(Refusal::bad(
            "BadRequest",
            "The If-None-Match header can only be empty or *, and not beside If-Match.",
        ));
    }
    Ok(match (is, is_not) {
        (Some("*"), _) => Some(Condition::Exists),
        (Some(tag), _) => Some(Condition::Is(tag.to_owned())),
        (None, Some("*")) => Some(Condition::Absent),
        _ => None,
    })
}

/// One resource.
pub(super) async fn resource(app: &Arc<App>, ask: &Ask, id: &Id) -> Result<Response, Refusal> {
    let kind = providers::known(id, &ask.api_version)?;
    let key = id.key();
    match ask.method {
        Method::GET => app.state.read(|world, now| {
            let resource = found(world, id)?;
            let mut shown = providers::show(world, resource, now);
            let expand = ask.query("$expand").unwrap_or_default();
            let wanted =
                |part: &str| resource.is(machines::MACHINE) && expand.eq_ignore_ascii_case(part);
            if wanted("userData")
                && let Some(data) = resource.body.pointer(machines::USER_DATA)
            {
                at::set(&mut shown, machines::USER_DATA, data.clone());
            }
            if wanted("instanceView") {
                at::set(
                    &mut shown,
                    "/properties/instanceView",
                    machines::instance_view(world, resource),
                );
            }
            let mut response = body(StatusCode::OK, &shown);
            if kind.habit == Habit::Network {
                set(
                    response.headers_mut(),
                    "etag",
                    &format!("W/\"{}\"", resource.etag),
                );
            }
            Ok(response)
        }),
        Method::PUT | Method::PATCH => {
            let order = Order {
                id: id.clone(),
                body: ask.json()?,
                api_version: ask.api_version.clone(),
                patch: ask.method == Method::PATCH,
                condition: condition(ask, kind.name)?,
                doomed: ask.around.orders.doomed.clone(),
                hang: ask.around.orders.hang,
                deployment: None,
            };
            let (put, shown, location) = app
                .state
                .commit(|tx| {
                    let put = providers::put(tx, order)?;
                    let resource = found(tx, id)?;
                    let shown = providers::show(tx, resource, tx.now);
                    Ok((put, shown, place(tx, id, resource)))
                })
                .await?;
            let status = match kind.habit {
                // Disks accept, whether the disk is new or not; policy creates, even what exists.
                Habit::Disks => StatusCode::ACCEPTED,
                _ if kind.name == policy::ASSIGNMENT || kind.name == policy::DEFINITION => {
                    StatusCode::CREATED
                }
                _ if put.created => StatusCode::CREATED,
                _ => StatusCode::OK,
            };
            let mut response = body(status, &shown);
            if let Some(operation) = put.operation {
                polling::announce(
                    app,
                    &mut response,
                    &polling::Begun {
                        habit: kind.habit,
                        id,
                        location: &location,
                        operation,
                        api_version: &ask.api_version,
                        put: true,
                    },
                );
            }
            Ok(response)
        }
        Method::DELETE => {
            let orders = ask.around.orders.clone();
            let condition = condition(ask, kind.name)?;
            let (put, location, before): (Option<Put>, String, Option<Value>) = app
                .state
                .commit(|tx| {
                    let location = tx.resource(&key).map(|resource| place(tx, id, resource));
                    // Policy hands over what it has deleted.
                    let before = (kind.name == policy::ASSIGNMENT)
                        .then(|| tx.resource(&key))
                        .flatten()
                        .map(|resource| providers::show(tx, resource, tx.now));
                    let put = providers::delete(
                        tx,
                        id,
                        condition.as_ref(),
                        orders.doomed,
                        orders.hang,
                        None,
                    )?;
                    Ok((put, location.unwrap_or_default(), before))
                })
                .await?;
            match put {
                None => Ok(nothing(StatusCode::NO_CONTENT)),
                Some(Put {
                    operation: None, ..
                }) if before.is_some() => Ok(body(StatusCode::OK, &before.unwrap_or(Value::Null))),
                Some(Put {
                    operation: None, ..
                }) => Ok(nothing(StatusCode::OK)),
                Some(Put {
                    operation: Some(operation),
                    ..
                }) => Ok(polling::accepted(
                    app,
                    None,
                    &polling::Begun {
                        habit: kind.habit,
                        id,
                        location: &location,
                        operation,
                        api_version: &ask.api_version,
                        put: false,
                    },
                )),
            }
        }
        _ => Err(wrong_method(ask)),
    }
}

pub(super) fn found<'w>(world: &'w World, id: &Id) -> Result<&'w Arc<Resource>, Refusal> {
    if let Some(resource) = world.resource(&id.key()) {
        return Ok(resource);
    }
    if id.group.is_some() && world.group(&ids::key(&id.scope())).is_none() {
        return Err(Refusal::group_not_found(id.group_name()));
    }
    if let Some(parent) = id.parent()
        && world.resource(&parent.key()).is_none()
    {
        return Err(Refusal::missing(
            "ParentResourceNotFound",
            format!(
                "Failed to perform 'read' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
                id.types.join("/"),
                parent.text()
            ),
        ));
    }
    Err(Refusal::resource_not_found(
        &id.kind(),
        &id.name(),
        id.group_name(),
    ))
}

/// The region whose operations URL is used.
pub(super) fn place(world: &World, id: &Id, resource: &Resource) -> String {
    let own = resource.location();
    let parents = id
        .parent()
        .and_then(|parent| world.resource(&parent.key()))
        .and_then(|parent| parent.location());
    own.or(parents).unwrap_or(REGIONS[0]).to_owned()
}

/// A path that ends in a type: a list for GET, an action for POST.
pub(super) async fn collection_or_action(
    app: &Arc<App>,
    ask: &Ask,
    scope: &str,
    names: &[&str],
) -> Result<Response, Refusal> {
    let kind: Vec<&str> = std::iter::once(names[0])
        .chain(names.iter().skip(1).step_by(2).copied())
        .collect();
    let kind = kind.join("/");
    let last = names.last().copied().unwrap_or("").to_ascii_lowercase();
    let owner = names.get(..names.len() - 1).unwrap_or(&[]).join("/");
    let owner = Id::parse(&format!("{scope}/providers/{owner}"));
    match (&ask.method, owner) {
        (&Method::GET, Some(owner)) if last == "instanceview" => {
            providers::known(&owner, &ask.api_version)?;
            app.state.read(|world, _| {
                Ok(body(
                    StatusCode::OK,
                    &machines::instance_view(world, found(world, &owner)?),
                ))
            })
        }
        (&Method::GET, Some(owner))
            if last == "vmsizes" && owner.kind().eq_ignore_ascii_case(machines::MACHINE) =>
        {
            providers::known(&owner, &ask.api_version)?;
            app.state.read(|world, _| {
                let size = found(world, &owner)?.text("/properties/hardwareProfile/vmSize");
                Ok(body(StatusCode::OK, &compute::sizes(size)))
            })
        }
        (&Method::GET, owner) => {
            let kind = providers::known_kind(&kind, &ask.api_version)?;
            let rows = app.state.read(|world, now| {
                if let Some(owner) = &owner {
                    found(world, owner)?;
                } else if let Some((_, group)) = ids::key(scope).split_once("/resourcegroups/")
                    && !group.contains('/')
                    && world.group(&ids::key(scope)).is_none()
                {
                    return Err(Refusal::group_not_found(group));
                }
                let above = match &owner {
                    Some(owner) => owner.key(),
                    None => ids::key(scope),
                };
                let prefix = format!("{above}/");
                let authorization = kind.name.starts_with("Microsoft.Authorization/");
                let extends = authorization && kind.name != policy::DEFINITION;
                let mut rows: Vec<Value> = world
                    .of_kind(kind.name)
                    .filter(|resource| {
                        if extends {
                            authorization::listed_at(resource, scope)
                        } else {
                            resource.key().starts_with(&prefix)
                        }
                    })
                    .map(|resource| providers::show(world, resource, now))
                    .collect();
                if kind.name == policy::DEFINITION {
                    rows.extend(policy::built_in());
                }
                if let (true, Some(text)) = (authorization, ask.query("$filter")) {
                    authorization::filter(&mut rows, scope, text);
                }
                Ok(rows)
            })?;
            page(app, ask, rows)
        }
        (&Method::POST, Some(owner)) => actions::action(app, ask, &owner, &last).await,
        _ => Err(wrong_method(ask)),
    }
}

/// `…/resources`: everything of a scope in short form, filtered.
pub(super) fn list_all(app: &Arc<App>, ask: &Ask, scope: &str) -> Result<Response, Refusal> {
    arm_version(ask, "resources")?;
    let key = ids::key(scope);
    let wanted = conditions(ask)?;
    let rows = app.state.read(|world, now| {
        if key.contains("/resourcegroups/") && world.group(&key).is_none() {
            return Err(Refusal::group_not_found(
                scope.rsplit('/').next().unwrap_or(""),
            ));
        }
        // A list that lags is one of before; everything else is of now.
        let then = (ask.around.orders.lag).map(|lag| world.under_at(&key, now - lag));
        let all: Vec<&Arc<Resource>> = match &then {
            Some(then) => then.values().collect(),
            None => world.under(&key).map(|(_, resource)| resource).collect(),
        };
        Ok(all
            .into_iter()
            // Children and extension resources are not listed, as in Azure; the extensions of machines, which are tracked as resources of their own, are.
            .filter(|resource| {
                (resource.kind.matches('/').count() == 1
                    && !resource.kind.starts_with("Microsoft.Authorization/"))
                    || resource.is(machines::EXTENSION)
            })
            .map(|resource| providers::summary(world, resource, now))
            .filter(|row| tagged(row, &wanted))
            .collect())
    })?;
    page(app, ask, rows)
}

/// Whether a row meets the filter of a list.
pub(super) fn tagged(row: &Value, wanted: &[(String, String)]) -> bool {
    let tag = wanted
        .iter()
        .find(|(field, _)| field.eq_ignore_ascii_case("tagName"));
    let tag_value = wanted
        .iter()
        .find(|(field, _)| field.eq_ignore_ascii_case("tagValue"));
    let tag_fits = tag.is_none_or(|(_, name)| {
        row.get("tags")
            .and_then(Value::as_object)
            .is_some_and(|tags| {
                tags.iter().any(|(key, value)| {
                    key.eq_ignore_ascii_case(name)
                        && tag_value.is_none_or(|(_, wanted)| value.as_str() == Some(wanted))
                })
            })
    });
    tag_fits
        && wanted
            .iter()
            .all(|(field, value)| match field.to_ascii_lowercase().as_str() {
                "resourcetype" => row["type"]
                    .as_str()
                    .is_some_and(|kind| kind.eq_ignore_ascii_case(value)),
                "name" => row["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(value)),
                "location" => row["location"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(value)),
                "resourcegroup" => row["id"].as_str().is_some_and(|id| {
                    ids::key(id).contains(&format!("/resourcegroups/{}/", value.to_lowercase()))
                }),
                _ => true,
            })
}

/// One page of a list, and the absolute link to the next.
pub(super) fn page(app: &App, ask: &Ask, rows: Vec<Value>) -> Result<Response, Refusal> {
    let top = ask
        .query("$top")
        .and_then(|top| top.parse().ok())
        .map_or(1000, |top: usize| top.clamp(1, 1000));
    let skip: usize = ask
        .query("$skiptoken")
        .and_then(|skip| skip.parse().ok())
        .unwrap_or(0);
    let total = rows.len();
    let end = skip.saturating_add(top);
    let rows: Vec<Value> = rows.into_iter().skip(skip).take(top).collect();
    let mut answer = json!({ "value": rows });
    if end < total {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("api-version", &ask.api_version);
        for name in ["$filter", "$top", "$expand"] {
            if let Some(value) = ask.query(name) {
                query.append_pair(name, value);
            }
        }
        query.append_pair("$skiptoken", &end.to_string());
        answer["nextLink"] = format!("{}{}?{}", app.origin, ask.path, query.finish()).into();
    }
    Ok(body(StatusCode::OK, &answer))
}

/// Names of tags are compared without case, and the first casing stays.
fn same_tag(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn merge_tags(tags: &mut Value, given: &Value) {
    if !tags.is_object() {
        *tags = json!({});
    }
    let (Value::Object(tags), Value::Object(given)) = (tags, given) else {
        return;
    };
    for (name, value) in given {
        let known = tags.keys().find(|known| same_tag(known, name)).cloned();
        tags.insert(known.unwrap_or_else(|| name.clone()), value.clone());
    }
}

/// `{scope}/providers/Microsoft.Resources/tags/default`.
pub(super) async fn tags(app: &Arc<App>, ask: &Ask, scope: &str) -> Result<Response, Refusal> {
    arm_version(ask, "tags")?;
    let key = ids::key(scope);
    let shown = |tags: &Value| {
        let tags = if tags.is_null() {
            json!({})
        } else {
            tags.clone()
        };
        json!({ "id": format!("{scope}/providers/Microsoft.Resources/tags/default"), "name": "default", "type": "Microsoft.Resources/tags", "properties": { "tags": tags } })
    };
    let current = |world: &World| -> Result<Value, Refusal> {
        if let Some(group) = world.group(&key) {
            return Ok(group.tags.clone());
        }
        match world.resource(&key) {
            Some(resource) => Ok(resource.body.get("tags").cloned().unwrap_or(Value::Null)),
            None => Err(Refusal::missing(
                "ResourceNotFound",
                format!("The scope '{scope}' was not found."),
            )),
        }
    };
    let replace = match ask.method {
        Method::GET => {
            return app
                .state
                .read(|world, _| Ok(body(StatusCode::OK, &shown(&current(world)?))));
        }
        Method::PUT | Method::PATCH => ask.json()?,
        Method::DELETE => json!({ "operation": "Replace", "properties": { "tags": {} } }),
        _ => return Err(wrong_method(ask)),
    };
    let given = replace
        .pointer("/properties/tags")
        .cloned()
        .unwrap_or_else(|| json!({}));
    let operation = match ask.method {
        Method::PATCH => replace
            .get("operation")
            .and_then(Value::as_str)
            .unwrap_or("Merge")
            .to_lowercase(),
        _ => "replace".to_owned(),
    };
    let tags = app
        .state
        .commit(|tx| {
            let mut tags = current(tx)?;
            match operation.as_str() {
                "replace" => tags = given.clone(),
                "merge" => merge_tags(&mut tags, &given),
                "delete" => {
                    let given = given.as_object().cloned().unwrap_or_default();
                    if let Value::Object(tags) = &mut tags {
                        // By name and value both.
                        tags.retain(|name, value| {
                            !given
                                .iter()
                                .any(|(other, wanted)| same_tag(name, other) && wanted == value)
                        });
                    }
                }
                other => {
                    return Err(Refusal::bad(
                        "InvalidTagsOperation",
                        format!("The tags operation '{other}' is not Merge, Replace or Delete."),
                    ));
                }
            }
            providers::tags(&json!({ "tags": tags }))?;
            if let Some(group) = tx.group(&key).cloned() {
                let mut changed = Group::clone(&group);
                changed.tags = tags.clone();
                tx.apply(Change::Group(key.clone(), Some(Arc::new(changed))));
            } else if let Some(resource) = tx.resource(&key).cloned() {
                let mut changed = Resource::clone(&resource);
                at::set(&mut changed.body, "/tags", tags.clone());
                tx.apply(Change::Resource(key.clone(), Some(Arc::new(changed))));
            }
            Ok(tags)
        })
        .await?;
    Ok(body(StatusCode::OK, &shown(&tags)))
}
