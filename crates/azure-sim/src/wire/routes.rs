//! Which handler a path of the resource manager belongs to. Paths are compared without case. Handlers of resources are in `resources.rs`, of deployments in `deployments.rs`.

use std::sync::Arc;

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::errors::Refusal;
use super::headers::{empty, json as body};
use super::ids::{self, Id};
use super::{App, Ask, deployments, filter, polling, resources as handlers};
use crate::providers::{
    self, Habit, authorization, compute, container_service, images, network, policy, resources,
    skus, upgrades,
};
use crate::seed::{REGIONS, TENANT};

pub(super) async fn route(app: &Arc<App>, ask: &Ask) -> Result<Response, Refusal> {
    match (ask.at(0).as_str(), ask.segments.len()) {
        ("subscriptions", 1) => {
            arm_version(ask, "subscriptions")?;
            let rows = app.state.read(|world, _| {
                world
                    .settings
                    .subscriptions
                    .iter()
                    .map(resources::subscription)
                    .collect::<Vec<_>>()
            });
            Ok(body(
                StatusCode::OK,
                &json!({ "value": rows, "count": { "type": "Total", "value": rows.len() } }),
            ))
        }
        ("tenants", 1) => Ok(body(
            StatusCode::OK,
            &json!({ "value": [{ "id": format!("/tenants/{TENANT}"), "tenantId": TENANT, "displayName": "Slipway Simulator", "tenantCategory": "Home" }] }),
        )),
        ("providers", 1) => Ok(body(
            StatusCode::OK,
            &json!({ "value": resources::providers("") }),
        )),
        ("providers", 3 | 4)
            if ask.at(1) == "microsoft.authorization" && ask.method == Method::GET =>
        {
            tenant_wide(app, ask)
        }
        ("subscriptions", _) => in_subscription(app, ask).await,
        _ => Err(unknown(ask)),
    }
}

/// What belongs to the tenant and not to a subscription: built-in policies and roles.
fn tenant_wide(app: &Arc<App>, ask: &Ask) -> Result<Response, Refusal> {
    let (versions, rows) = match ask.at(2).as_str() {
        "policydefinitions" => (policy::VERSIONS, policy::built_in()),
        "policysetdefinitions" => (policy::VERSIONS, Vec::new()),
        "roledefinitions" => {
            let mut rows = authorization::role_definitions("");
            for row in &mut rows {
                let name = row["name"].as_str().unwrap_or_default();
                row["id"] =
                    format!("/providers/Microsoft.Authorization/roleDefinitions/{name}").into();
            }
            (authorization::ROLES, rows)
        }
        _ => return Err(unknown(ask)),
    };
    providers::check_version(&ask.segments[2], versions, &ask.api_version)?;
    match ask.segments.get(3) {
        None => handlers::page(app, ask, rows),
        Some(name) => named(rows, name)
            .map(|row| body(StatusCode::OK, &row))
            .ok_or_else(|| absent(&ask.at(2), name)),
    }
}

fn named(rows: Vec<Value>, name: &str) -> Option<Value> {
    rows.into_iter().find(|row| {
        row["name"]
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Authorization names what is missing in words of its own.
fn absent(collection: &str, name: &str) -> Refusal {
    let (code, noun) = match collection {
        "policysetdefinitions" => ("PolicySetDefinitionNotFound", "policy set definition"),
        "roledefinitions" => ("RoleDefinitionDoesNotExist", "role definition"),
        _ => ("PolicyDefinitionNotFound", "policy definition"),
    };
    Refusal::missing(code, format!("The {noun} '{name}' could not be found."))
}

fn unknown(ask: &Ask) -> Refusal {
    Refusal::missing(
        "InvalidResourcePath",
        format!(
            "The path '{}' does not lead to anything that this simulator serves.",
            ask.path
        ),
    )
}

pub(super) fn wrong_method(ask: &Ask) -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "HttpMethodNotAllowed",
        format!(
            "The HTTP method '{}' is not supported at scope '{}'.",
            ask.method, ask.path
        ),
    )
    .by_gateway()
}

/// ARM's own routes word a wrong version in their own way (facts: azure.md 4.5).
pub(super) fn arm_version(ask: &Ask, _kind: &str) -> Result<(), Refusal> {
    if resources::VERSIONS.contains(&ask.api_version.as_str()) {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidApiVersionParameter",
        format!(
            "The api-version '{}' is invalid. The supported versions are '{}'.",
            ask.api_version,
            resources::VERSIONS.join(",")
        ),
    )
    .by_gateway())
}

async fn in_subscription(app: &Arc<App>, ask: &Ask) -> Result<Response, Refusal> {
    let wanted = ask.segments[1].clone();
    let Some(found) = app.state.read(|world, _| {
        world
            .settings
            .subscriptions
            .iter()
            .find(|known| known.id.eq_ignore_ascii_case(&wanted))
            .cloned()
    }) else {
        return Err(if uuid::Uuid::parse_str(&wanted).is_ok() {
            Refusal::missing(
                "SubscriptionNotFound",
                format!("The subscription '{wanted}' could not be found."),
            )
        } else {
            Refusal::bad(
                "InvalidSubscriptionId",
                format!("The provided subscription identifier '{wanted}' is malformed or invalid."),
            )
            .by_gateway()
        });
    };
    let read = ask.method == Method::GET;
    match (ask.at(2).as_str(), ask.segments.len()) {
        ("", _) if !read => Err(wrong_method(ask)),
        ("", _) => Ok(body(StatusCode::OK, &resources::subscription(&found))),
        ("locations", 3) if read => Ok(body(StatusCode::OK, &resources::locations(&found.id))),
        ("tagnames", 3) if read => Ok(body(StatusCode::OK, &json!({ "value": [] }))),
        ("resources", 3) if read => {
            handlers::list_all(app, ask, &format!("/subscriptions/{}", found.id))
        }
        ("resourcegroups", 3) if read => {
            arm_version(ask, "resourceGroups")?;
            let wanted = conditions(ask)?;
            let rows: Vec<Value> = app.state.read(|world, _| {
                world
                    .groups()
                    .filter(|group| group.subscription.eq_ignore_ascii_case(&found.id))
                    .map(|group| resources::show_group(group))
                    .filter(|row| handlers::tagged(row, &wanted))
                    .collect()
            });
            handlers::page(app, ask, rows)
        }
        ("resourcegroups", 4) => handlers::group(app, ask, &found.id).await,
        ("operationresults", 4) if read => {
            let id = polling::unwrap(&ask.segments[3])
                .map(|id| id.to_string())
                .unwrap_or_default();
            polling::result(
                app,
                &ask.path,
                Some(&format!("api-version={}", ask.api_version)),
                &id,
            )
        }
        ("providers", 3) if read => handlers::page(app, ask, resources::providers(&found.id)),
        ("providers", 4) if read => provider(ask, &found.id),
        ("providers", 5) if ask.at(4) == "register" && ask.method == Method::POST => {
            provider(ask, &found.id)
        }
        _ => in_provider(app, ask, &found.id).await,
    }
}

fn provider(ask: &Ask, subscription: &str) -> Result<Response, Refusal> {
    let wanted = &ask.segments[3];
    resources::providers(subscription)
        .into_iter()
        .find(|row| {
            row["namespace"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        })
        .map(|row| body(StatusCode::OK, &row))
        .ok_or_else(|| {
            Refusal::missing(
                "InvalidResourceNamespace",
                format!("The resource namespace '{wanted}' is invalid."),
            )
        })
}

pub(super) fn conditions(ask: &Ask) -> Result<Vec<(String, String)>, Refusal> {
    let Some(text) = ask.query("$filter") else {
        return Ok(Vec::new());
    };
    filter::equalities(text).ok_or_else(|| {
        Refusal::bad(
            "InvalidFilterInQueryString",
            format!("Invalid $filter '{text}' specified in the query string: this simulator understands equalities joined by 'and'."),
        )
    })
}

/// Everything below a `providers` segment, and what stands in a group besides.
async fn in_provider(app: &Arc<App>, ask: &Ask, subscription: &str) -> Result<Response, Refusal> {
    let lower: Vec<String> = ask
        .segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect();
    let at = |index: usize| lower.get(index).map_or("", String::as_str);
    if at(2) == "resourcegroups" && at(4) == "resources" {
        let scope = ids::scope(subscription, Some(&ask.segments[3]));
        return handlers::list_all(app, ask, &scope);
    }
    // The oldest form of the path, which the SDKs still use for a deployment's operations.
    if at(2) == "resourcegroups" && at(4) == "deployments" {
        let scope = ids::scope(subscription, Some(&ask.segments[3]));
        let names: Vec<&str> = ask.segments[5..].iter().map(String::as_str).collect();
        return deployments::route(app, ask, &scope, &names).await;
    }
    let Some(split) = lower.iter().rposition(|segment| segment == "providers") else {
        return Err(unknown(ask));
    };
    let rest: Vec<&str> = lower[split + 1..].iter().map(String::as_str).collect();
    let names: Vec<&str> = ask.segments[split + 1..]
        .iter()
        .map(String::as_str)
        .collect();
    let scope = format!("/{}", ask.segments[..split].join("/"));
    if let Some(answer) = reading(app, ask, subscription, &rest, &names)? {
        return Ok(answer);
    }
    match rest.as_slice() {
        ["microsoft.resources", "deployments", ..] => {
            deployments::route(app, ask, &scope, &names[2..]).await
        }
        ["microsoft.resources", "tags", "default"] => handlers::tags(app, ask, &scope).await,
        [_, _, ..] => {
            let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
            match Id::from_segments(&segments) {
                Some(id) => handlers::resource(app, ask, &id).await,
                None => handlers::collection_or_action(app, ask, &scope, &names).await,
            }
        }
        _ => Err(unknown(ask)),
    }
}

/// What can only be read: operations, catalogues, usages. `rest` is in lower case, `names` as given.
fn reading(
    app: &Arc<App>,
    ask: &Ask,
    subscription: &str,
    rest: &[&str],
    names: &[&str],
) -> Result<Option<Response>, Refusal> {
    if ask.method != Method::GET {
        return Ok(None);
    }
    let ok = |value: Value| Ok(Some(body(StatusCode::OK, &value)));
    let region = |name: &str| {
        let name = providers::normal_location(name);
        if REGIONS.contains(&name.as_str()) {
            Ok(name)
        } else {
            Err(Refusal::bad(
                "NoRegisteredProviderFound",
                format!(
                    "No registered resource provider found for location '{name}' and API version '{}' for type '{}'. The supported api-versions are '{}'. The supported locations are '{}'.",
                    ask.api_version,
                    names[1..].join("/"),
                    ask.api_version,
                    REGIONS.join(", ")
                ),
            ))
        }
    };
    let version = |short: &str, versions: &[&str]| {
        providers::check_version(short, versions, &ask.api_version)
    };
    let monitor = ask
        .query("monitor")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let result = |id: &str| {
        let query = format!(
            "api-version={}{}",
            ask.api_version,
            if monitor { "&monitor=true" } else { "" }
        );
        polling::result(app, &ask.path, Some(&query), id).map(Some)
    };
    match rest {
        [
            "microsoft.compute",
            "locations",
            _,
            "operations" | "diskoperations",
            id,
        ] if monitor => result(id),
        ["microsoft.compute", "locations", _, "operations", id] => {
            polling::status(app, &ask.path, Habit::Compute, id).map(Some)
        }
        ["microsoft.compute", "locations", _, "diskoperations", id] => {
            polling::status(app, &ask.path, Habit::Disks, id).map(Some)
        }
        ["microsoft.network", "locations", _, "operations", id] => {
            polling::status(app, &ask.path, Habit::Network, id).map(Some)
        }
        [
            "microsoft.containerservice",
            "locations",
            _,
            "operations",
            id,
        ] => polling::status(app, &ask.path, Habit::Aks, id).map(Some),
        [_, "locations", _, "operationresults", id] => result(id),
        ["microsoft.compute", "skus"] => {
            version("skus", compute::SKU_VERSIONS)?;
            let wanted = conditions(ask)?;
            let location = wanted
                .iter()
                .find(|(field, _)| field.eq_ignore_ascii_case("location"))
                .map(|(_, value)| value.as_str());
            ok(skus::list(location))
        }
        ["microsoft.compute", "locations", location, "usages"] => {
            version("locations/usages", compute::VERSIONS)?;
            let location = region(location)?;
            ok(app
                .state
                .read(|world, _| skus::usages(world, subscription, &location)))
        }
        ["microsoft.compute", "locations", location, "vmsizes"] => {
            version("locations/vmSizes", compute::VERSIONS)?;
            region(location)?;
            ok(compute::sizes(None))
        }
        ["microsoft.compute", "locations", location, "publishers", ..] => {
            version("locations/publishers", compute::VERSIONS)?;
            let location = region(location)?;
            let path: Vec<String> = names[4..].iter().map(|name| (*name).to_owned()).collect();
            let (top, order) = (ask.query("$top"), ask.query("$orderby"));
            images::browse(subscription, &location, &path, top, order).and_then(ok)
        }
        ["microsoft.network", "locations", location, "usages"] => {
            version("locations/usages", network::VERSIONS)?;
            region(location)?;
            ok(json!({ "value": [] }))
        }
        [
            "microsoft.containerservice",
            "locations",
            location,
            "kubernetesversions",
        ] => {
            version("locations/kubernetesVersions", container_service::VERSIONS)?;
            region(location)?;
            ok(container_service::versions())
        }
        ["microsoft.authorization", "roledefinitions"] => {
            version("roleDefinitions", authorization::ROLES)?;
            let wanted = ask.query("$filter").and_then(filter::equalities);
            let wanted = wanted.unwrap_or_default();
            let rows: Vec<Value> = authorization::role_definitions(subscription)
                .into_iter()
                .filter(|row| {
                    wanted
                        .iter()
                        .filter(|(field, _)| field.eq_ignore_ascii_case("roleName"))
                        .all(|(_, name)| row["properties"]["roleName"] == name.as_str())
                })
                .collect();
            ok(json!({ "value": rows }))
        }
        ["microsoft.authorization", "roledefinitions", name] => {
            version("roleDefinitions", authorization::ROLES)?;
            named(authorization::role_definitions(subscription), name)
                .map(|row| Some(body(StatusCode::OK, &row)))
                .ok_or_else(|| absent("roledefinitions", name))
        }
        ["microsoft.authorization", "policysetdefinitions"] => ok(json!({ "value": [] })),
        ["microsoft.authorization", "policysetdefinitions", name] => {
            Err(absent("policysetdefinitions", name))
        }
        ["microsoft.authorization", "permissions"] => ok(
            json!({ "value": [{ "actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": [] }] }),
        ),
        [
            "microsoft.containerservice",
            "managedclusters",
            ..,
            "upgradeprofiles",
            "default",
        ]
        | [
            "microsoft.containerservice",
            "managedclusters",
            _,
            "availableagentpoolversions",
        ] => {
            version("managedClusters", container_service::VERSIONS)?;
            let owner: Vec<&str> = ask.segments[..ask.segments.len() - rest.len()]
                .iter()
                .map(String::as_str)
                .chain(names.iter().copied())
                .take_while(|part| {
                    !part.eq_ignore_ascii_case("upgradeProfiles")
                        && !part.eq_ignore_ascii_case("availableAgentPoolVersions")
                })
                .collect();
            let Some(id) = Id::from_segments(&owner) else {
                return Err(unknown(ask));
            };
            let last = rest.last().copied().unwrap_or_default();
            app.state.read(|world, _| {
                let resource = handlers::found(world, &id)?;
                ok(upgrades::profile(world, resource, last))
            })
        }
        _ => Ok(None),
    }
}

/// For handlers that answer nothing.
pub(super) fn nothing(status: StatusCode) -> Response {
    empty(status)
}
