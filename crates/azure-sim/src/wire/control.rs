//! The simulator's own surface under `/_sim`: request log, state counts, faults, clock. `callers` guards it: a bearer token of the simulator's own
//! authority (the one that the resource manager takes), no page of another site, bodies as `application/json`.
//!
//! - `GET /_sim/requests?after=SEQ&method=PUT&path=TEXT&limit=N`: `{"value": [...]}`, the newest that fit, in order
//! - `GET /_sim/state`: counts per type, the clock
//! - `GET /_sim/limits`: the books of each subscription's token buckets: burst, refill, calls that got a token and that did not
//! - `GET`, `POST`, `DELETE /_sim/faults`: see `faults.rs`
//! - `PATCH /_sim/resources?id=ID` with a merge patch, `DELETE /_sim/resources?id=ID`: a resource or group changed or deleted behind everybody's back, without operation, lock, policy or check
//! - `POST /_sim/workload-token {"subject": …, "audience": …, "expires_in": 3600}`: `{"token": …}` as a kubelet projects it; what is left out is what the application's federated credential expects
//! - `POST /_sim/clock {"advance_seconds": 60}`: lets time pass at once; `GET` tells it

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use axum::routing::{get, patch, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::errors::Refusal;
use super::headers;
use crate::auth::Projection;
use crate::engine::clock::FARTHEST_MS;
use crate::engine::deployments::rfc3339;
use crate::faults;
use crate::providers;
use crate::state::model::{Change, Group, Resource};
use crate::wire::ids;
use crate::wire::json as at;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/_sim/requests", get(requests))
        .route("/_sim/state", get(state))
        .route("/_sim/limits", get(limits))
        .route(
            "/_sim/faults",
            get(show_faults).post(add_faults).delete(clear_faults),
        )
        .route(
            "/_sim/resources",
            patch(change_resource).delete(delete_resource),
        )
        .route("/_sim/workload-token", post(mint))
        .route("/_sim/clock", get(show_clock).post(step_clock))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    after: u64,
    method: Option<String>,
    path: Option<String>,
    limit: Option<usize>,
}

async fn requests(Shared(app): Shared<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    let found = app.log.find(
        wanted.after,
        wanted.method.as_deref(),
        wanted.path.as_deref(),
        wanted.limit.unwrap_or(1000),
    );
    headers::json(StatusCode::OK, &json!({ "value": found }))
}

async fn state(Shared(app): Shared<Arc<App>>) -> Response {
    let body = app.state.read(|world, now| {
        let mut counts = world.counts();
        counts["now"] = rfc3339(now).into();
        counts["speed"] = app.state.clock.speed().into();
        counts
    });
    headers::json(StatusCode::OK, &body)
}

async fn limits(Shared(app): Shared<Arc<App>>) -> Response {
    let accounts = app.state.limits.accounts();
    headers::json(StatusCode::OK, &json!({ "value": accounts }))
}

async fn show_faults(Shared(app): Shared<Arc<App>>) -> Response {
    let rules = app.state.read(|world, _| world.faults().clone());
    headers::json(StatusCode::OK, &json!({ "value": &*rules }))
}

async fn add_faults(Shared(app): Shared<Arc<App>>, body: Bytes) -> Response {
    let added = read_json(&body).and_then(faults::read);
    let result = match added {
        Ok(added) => {
            app.state
                .commit(|tx| {
                    let mut rules = Vec::clone(tx.faults());
                    rules.extend(added.iter().cloned());
                    tx.apply(Change::Faults(Arc::new(rules)));
                    Ok(json!({ "value": added }))
                })
                .await
        }
        Err(refusal) => Err(refusal),
    };
    answer(StatusCode::CREATED, result)
}

async fn clear_faults(Shared(app): Shared<Arc<App>>) -> Response {
    let result = app
        .state
        .commit(|tx| {
            tx.apply(Change::Faults(Arc::new(Vec::new())));
            Ok(json!({ "value": [] }))
        })
        .await;
    answer(StatusCode::OK, result)
}

#[derive(Deserialize)]
struct Which {
    id: String,
}

fn nobody(id: &str) -> Refusal {
    Refusal::missing("ResourceNotFound", format!("There is no '{id}'."))
}

async fn change_resource(
    Shared(app): Shared<Arc<App>>,
    Query(which): Query<Which>,
    body: Bytes,
) -> Response {
    let key = ids::key(&which.id);
    let result = match read_json(&body) {
        Ok(given) => {
            app.state
                .commit(|tx| {
                    if let Some(group) = tx.group(&key).cloned() {
                        let mut changed = Group::clone(&group);
                        if let Some(tags) = given.get("tags") {
                            at::merge(&mut changed.tags, tags);
                        }
                        tx.apply(Change::Group(key.clone(), Some(Arc::new(changed))));
                        return Ok(json!({ "id": group.id }));
                    }
                    let found = tx
                        .resource(&key)
                        .cloned()
                        .ok_or_else(|| nobody(&which.id))?;
                    let mut changed = Resource::clone(&found);
                    at::merge(&mut changed.body, &given);
                    changed.etag = uuid::Uuid::new_v4();
                    changed.changed = tx.now;
                    tx.apply(Change::Resource(key.clone(), Some(Arc::new(changed))));
                    Ok(json!({ "id": found.id }))
                })
                .await
        }
        Err(refusal) => Err(refusal),
    };
    answer(StatusCode::OK, result)
}

async fn delete_resource(Shared(app): Shared<Arc<App>>, Query(which): Query<Which>) -> Response {
    let key = ids::key(&which.id);
    let result = app
        .state
        .commit(|tx| {
            if tx.group(&key).is_some() {
                providers::resources::remove_group(tx, &key);
            } else if tx.resource(&key).is_some() {
                providers::remove(tx, &key);
            } else {
                return Err(nobody(&which.id));
            }
            Ok(json!({ "id": which.id }))
        })
        .await;
    answer(StatusCode::OK, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wished {
    subject: Option<String>,
    audience: Option<String>,
    #[serde(default = "hour")]
    expires_in: i64,
}

fn hour() -> i64 {
    3600
}

async fn mint(Shared(app): Shared<Arc<App>>, body: Bytes) -> Response {
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let result = serde_json::from_slice::<Wished>(body)
        .map_err(|error| Refusal::bad("InvalidRequestContent", error.to_string()))
        .and_then(|wished| {
            let projection = Projection {
                subject: wished.subject,
                audience: wished.audience,
                // A year either way.
                expires_in: wished.expires_in.clamp(-31_536_000, 31_536_000),
            };
            let now = app.state.clock.now();
            let minted = app.authority.workloads.mint(&projection, now);
            minted.map_err(|error| Refusal::broken(&error))
        })
        .map(|token| json!({ "token": token }));
    answer(StatusCode::CREATED, result)
}

async fn show_clock(Shared(app): Shared<Arc<App>>) -> Response {
    answer(StatusCode::OK, Ok(clock(&app)))
}

fn clock(app: &App) -> Value {
    let ahead = app.state.read(|world, _| world.ahead_ms());
    json!({ "now": rfc3339(app.state.clock.now()), "ahead_seconds": ahead as f64 / 1000.0, "speed": app.state.clock.speed() })
}

async fn step_clock(Shared(app): Shared<Arc<App>>, body: Bytes) -> Response {
    let step = read_json(&body).and_then(|body| {
        body.get("advance_seconds")
            .and_then(Value::as_f64)
            // Ten years either way: far enough for a test, near enough for a date.
            .filter(|seconds| seconds.abs() <= 315_360_000.0)
            .ok_or_else(|| Refusal::bad("InvalidClock", "Send {\"advance_seconds\": number}."))
    });
    let result = match step {
        Ok(seconds) => {
            app.state
                .commit(|tx| {
                    let ahead = tx.ahead_ms().saturating_add((seconds * 1000.0) as i64);
                    if ahead.abs() > FARTHEST_MS {
                        return Err(Refusal::bad(
                            "InvalidClock",
                            "The clock can be a hundred years ahead or behind at most.",
                        ));
                    }
                    tx.apply(Change::Clock(ahead));
                    Ok(ahead)
                })
                .await
        }
        Err(refusal) => Err(refusal),
    };
    let result = result.map(|ahead| {
        app.state.clock.set_ahead(ahead);
        app.state.woken.notify_one();
        clock(&app)
    });
    answer(StatusCode::OK, result)
}

fn read_json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad("InvalidRequestContent", error.to_string()))
}

fn answer(status: StatusCode, result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(body) => headers::json(status, &body),
        Err(refusal) => refusal.into_response(),
    }
}
