//! Long-running operations on the wire: the headers that announce them, each provider in its own way, and what their URLs answer (facts: azure.md 4.4).

use std::sync::Arc;

use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::App;
use super::errors::Refusal;
use super::headers::{empty, json as body, set};
use super::ids::Id;
use crate::engine::deployments::rfc3339;
use crate::providers::{self, Habit};
use crate::seed::REGIONS;
use crate::state::model::{Effect, Operation, Status, World};
use crate::wire::ids;

/// The URLs of an operation.
struct Urls {
    /// `Azure-AsyncOperation`, where the provider has it.
    status: Option<String>,
    /// `Location`.
    result: Option<String>,
    retry_after: Option<u64>,
}

/// An operation that has begun, as far as its headers need to know.
pub(super) struct Begun<'a> {
    pub(super) habit: Habit,
    pub(super) id: &'a Id,
    pub(super) location: &'a str,
    pub(super) operation: Uuid,
    pub(super) api_version: &'a str,
    /// Whether it came from a PUT or PATCH, whose final answer is the resource itself.
    pub(super) put: bool,
}

/// 202 with the headers of an operation, and with the resource where its provider shows it.
pub(super) fn accepted(app: &App, shown: Option<&Value>, begun: &Begun<'_>) -> Response {
    let mut response = match shown {
        Some(shown) => body(StatusCode::ACCEPTED, shown),
        None => empty(StatusCode::ACCEPTED),
    };
    announce(app, &mut response, begun);
    response
}

/// Puts the headers of an operation on an answer.
pub(super) fn announce(app: &App, response: &mut Response, begun: &Begun<'_>) {
    let Begun {
        habit,
        id,
        location,
        operation,
        api_version,
        put,
    } = *begun;
    let base = format!(
        "{}/subscriptions/{}/providers/{}/locations/{location}",
        app.origin,
        id.subscription,
        namespace(habit)
    );
    // Opaque to clients, as in Azure; nothing here reads them.
    let extra = format!(
        "t={}&c=slipway&p={}",
        operation.as_u128() % 1_000_000_007,
        operation.simple()
    );
    let urls = match habit {
        Habit::Sync => return,
        Habit::Compute => Urls {
            status: Some(format!(
                "{base}/operations/{operation}?{extra}&api-version={api_version}"
            )),
            result: (!put).then(|| {
                format!(
                    "{base}/operations/{operation}?{extra}&monitor=true&api-version={api_version}"
                )
            }),
            retry_after: Some(1),
        },
        Habit::Disks => Urls {
            status: Some(format!(
                "{base}/DiskOperations/{operation}?{extra}&api-version={api_version}"
            )),
            result: Some(format!(
                "{base}/DiskOperations/{operation}?{extra}&monitor=true&api-version={api_version}"
            )),
            retry_after: Some(1),
        },
        Habit::Network => Urls {
            status: Some(format!(
                "{base}/operations/{operation}?api-version={api_version}&{extra}"
            )),
            result: (!put).then(|| {
                format!("{base}/operationResults/{operation}?api-version={api_version}&{extra}")
            }),
            retry_after: Some(1),
        },
        Habit::Aks => Urls {
            status: Some(format!(
                "{base}/operations/{operation}?api-version=2016-03-30&{extra}"
            )),
            result: (!put).then(|| {
                format!("{base}/operationresults/{operation}?api-version=2016-03-30&{extra}")
            }),
            retry_after: None,
        },
    };
    let headers = response.headers_mut();
    if let Some(url) = &urls.status {
        set(headers, "azure-asyncoperation", url);
    }
    if let Some(url) = &urls.result {
        set(headers, "location", url);
    }
    if let Some(seconds) = urls.retry_after {
        set(headers, "retry-after", &seconds.to_string());
    }
    if habit == Habit::Network {
        set(headers, "azure-asyncnotification", "Enabled");
    }
}

fn namespace(habit: Habit) -> &'static str {
    match habit {
        Habit::Network => "Microsoft.Network",
        Habit::Aks => "Microsoft.ContainerService",
        Habit::Sync | Habit::Compute | Habit::Disks => "Microsoft.Compute",
    }
}

/// ARM's own operations, of groups and what-if: `Location` only, the id wrapped as ARM wraps it.
pub(super) fn announce_group(
    app: &App,
    response: &mut Response,
    subscription: &str,
    operation: Uuid,
    api_version: &str,
    job: &str,
) {
    let wrapped = BASE64_URL_SAFE_NO_PAD.encode(
        json!({ "jobId": format!("{job}-{operation}"), "jobLocation": REGIONS[0] }).to_string(),
    );
    let url = format!(
        "{}/subscriptions/{subscription}/operationresults/{wrapped}?api-version={api_version}",
        app.origin
    );
    set(response.headers_mut(), "location", &url);
    set(response.headers_mut(), "retry-after", "1");
}

/// Reads the id out of ARM's wrapping.
pub(super) fn unwrap(text: &str) -> Option<Uuid> {
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let value: Value = serde_json::from_slice(&decoded).ok()?;
    let job = value.get("jobId")?.as_str()?;
    job.get(job.len().checked_sub(36)?..)?.parse().ok()
}

/// `Azure-AsyncOperation`: 200 whatever became of it.
pub(super) fn status(app: &App, path: &str, habit: Habit, id: &str) -> Result<Response, Refusal> {
    app.state.read(|world, now| {
        let operation = find(world, path, id)?;
        let mut shown = json!({});
        let named = match habit {
            Habit::Aks => Some(Uuid::from_bytes_le(*operation.id.as_bytes())),
            Habit::Compute | Habit::Disks => Some(operation.id),
            Habit::Network | Habit::Sync => None,
        };
        if let Some(name) = named {
            shown["name"] = name.to_string().into();
            shown["startTime"] = rfc3339(operation.started).into();
        }
        shown["status"] = operation.status.name().into();
        if let (Some(_), Some(ended)) = (named, operation.ended) {
            shown["endTime"] = rfc3339(ended).into();
        }
        if let Some(problem) = &operation.problem {
            shown["error"] = json!(problem);
        }
        if habit == Habit::Disks
            && operation.status == Status::Succeeded
            && let Some(resource) = world.resource(&ids::key(&operation.subject))
        {
            shown["properties"] = json!({ "output": providers::show(world, resource, now) });
        }
        // Compute hands an action's result over inside its status.
        if let (Habit::Compute, Status::Succeeded, Effect::Answer(answer)) =
            (habit, operation.status, &operation.effect)
        {
            shown["properties"] = json!({ "output": answer });
        }
        let mut response = body(StatusCode::OK, &shown);
        if operation.status == Status::InProgress && habit != Habit::Aks {
            set(response.headers_mut(), "retry-after", "1");
        }
        Ok(response)
    })
}

/// `Location`: 202 while it runs, then what a synchronous call would have answered.
pub(super) fn result(
    app: &App,
    path: &str,
    query: Option<&str>,
    id: &str,
) -> Result<Response, Refusal> {
    app.state.read(|world, now| {
        let operation = find(world, path, id)?;
        if operation.status == Status::InProgress {
            let mut response = empty(StatusCode::ACCEPTED);
            let query = query.map_or_else(String::new, |query| format!("?{query}"));
            set(
                response.headers_mut(),
                "location",
                &format!("{}{path}{query}", app.origin),
            );
            set(response.headers_mut(), "retry-after", "1");
            return Ok(response);
        }
        finished(world, &operation, now)
    })
}

fn finished(
    world: &World,
    operation: &Operation,
    now: OffsetDateTime,
) -> Result<Response, Refusal> {
    if let Some(problem) = &operation.problem {
        let mut refusal = Refusal::conflict("", "");
        refusal.problem = Box::new(problem.clone());
        return Err(refusal);
    }
    match &operation.effect {
        Effect::Answer(answer) => Ok(body(StatusCode::OK, answer)),
        Effect::Delete | Effect::Gone => Ok(empty(StatusCode::NO_CONTENT)),
        Effect::DeleteGroup | Effect::Power(_) | Effect::Deployment => Ok(empty(StatusCode::OK)),
        Effect::Put { .. } | Effect::NodeImage => {
            match world.resource(&ids::key(&operation.subject)) {
                Some(resource) => Ok(body(StatusCode::OK, &providers::show(world, resource, now))),
                None => Ok(empty(StatusCode::NO_CONTENT)),
            }
        }
    }
}

/// An operation of the subscription that the path names.
fn find(world: &World, path: &str, id: &str) -> Result<Arc<Operation>, Refusal> {
    let subscription = |path: &str| path.split('/').nth(2).map(str::to_ascii_lowercase);
    id.parse()
        .ok()
        .and_then(|id| world.operation(id))
        .filter(|operation| subscription(&operation.subject) == subscription(path))
        .cloned()
        .ok_or_else(|| {
            Refusal::new(
                StatusCode::NOT_FOUND,
                "OperationNotFound",
                format!("The operation '{id}' was not found; it may have ended long ago."),
            )
        })
}
