//! `/stacks`: read with what happened, request deletion or a longer life, switch on and off, try again.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portal::{Ground, Portal};
use serde::{Deserialize, Serialize};
use types::actor::Right;
use types::ids::StackId;
use types::operation::{OperationDetail, OperationKind};
use types::page::{Page, Paging};
use types::problem::Problem;
use types::request::{RequestDetail, TimelineEntry};
use types::stack::{DeleteStack, StackDetail, StackFilter, StackSummary};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditional;
use super::idempotency::{self, Call};
use crate::http::{AppState, Failure, Json, NoBody, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(activity))
        .routes(routes!(delete))
        .routes(routes!(extend))
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(restart))
        .routes(routes!(retry))
}

fn id(text: &str) -> Result<StackId, Failure> {
    text.parse()
        .map_err(|_| portal::Error::NotFound { what: "stack" }.into())
}

/// Stacks of projects that the actor may read, newest first; without `state`, all that live.
#[utoipa::path(get, path = "/stacks", tag = "stacks", operation_id = "list_stacks",
    params(("project" = Option<String>, Query), ("state" = Option<String>, Query), ("text" = Option<String>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<StackSummary>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(filter): Query<StackFilter>,
) -> Result<Json<Page<StackSummary>>, Failure> {
    Ok(Json(portal.stacks(&actor, &filter).await?))
}

/// One stack, whole.
#[utoipa::path(get, path = "/stacks/{id}", tag = "stacks", operation_id = "get_stack", params(("id" = String, Path)),
    responses((status = 200, body = StackDetail), (status = 404, body = Problem)))]
async fn get(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(stack): Path<String>,
) -> Result<Response, Failure> {
    let stack = portal.stack(&actor, id(&stack)?).await?;
    Ok(conditional::tagged(stack.summary.version, Json(stack)))
}

/// What happened to a stack, newest first.
#[utoipa::path(get, path = "/stacks/{id}/activity", tag = "stacks", operation_id = "list_activity",
    params(("id" = String, Path), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 50; 20 when absent")),
    responses((status = 200, body = Page<TimelineEntry>), (status = 404, body = Problem)))]
async fn activity(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(stack): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TimelineEntry>>, Failure> {
    Ok(Json(portal.activity(&actor, id(&stack)?, &paging).await?))
}

/// Requests the stack's deletion; policy says who has to agree.
#[utoipa::path(post, path = "/stacks/{id}/delete", tag = "stacks", operation_id = "delete_stack", request_body = DeleteStack,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RequestDetail), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn delete(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(stack): Path<String>,
    headers: HeaderMap,
    Json(form): Json<DeleteStack>,
) -> Result<Response, Failure> {
    let stack = id(&stack)?;
    let submission = idempotency::submission(&headers)?;
    let work = state
        .portal
        .delete_stack(&actor, stack, form.clone(), submission);
    let call = Call {
        what: format!("POST /stacks/{stack}/delete"),
        body: &form,
        ground: Ground::Stack(stack),
        rights: &[Right::Request],
        status: StatusCode::CREATED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}

/// A longer life.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExtendStack {
    /// A date `2026-12-24`, a number of days `30d`, or empty for *until deleted*.
    expiry: String,
    /// Why, for the approver.
    #[serde(default)]
    justification: String,
}

/// Requests a longer life; no resource changes.
#[utoipa::path(post, path = "/stacks/{id}/extend", tag = "stacks", operation_id = "extend_stack", request_body = ExtendStack,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RequestDetail), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn extend(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(stack): Path<String>,
    headers: HeaderMap,
    Json(form): Json<ExtendStack>,
) -> Result<Response, Failure> {
    let stack = id(&stack)?;
    let submission = idempotency::submission(&headers)?;
    let work = state.portal.extend_stack(
        &actor,
        stack,
        form.expiry.clone(),
        form.justification.clone(),
        submission,
    );
    let call = Call {
        what: format!("POST /stacks/{stack}/extend"),
        body: &form,
        ground: Ground::Stack(stack),
        rights: &[Right::Request],
        status: StatusCode::CREATED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}

macro_rules! power {
    ($name:ident, $path:literal, $operation_id:literal, $kind:expr, $doc:literal) => {
        #[doc = $doc]
        #[utoipa::path(post, path = $path, tag = "stacks", operation_id = $operation_id,
            params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
            responses((status = 202, body = OperationDetail), (status = 409, body = Problem)))]
        async fn $name(
            State(state): State<AppState>,
            SignedIn(actor): SignedIn,
            Path(stack): Path<String>,
            headers: HeaderMap,
            _: NoBody,
        ) -> Result<Response, Failure> {
            let stack = id(&stack)?;
            let work = state.portal.power(&actor, stack, $kind);
            let call = Call {
                what: format!("POST {} {stack}", $path),
                body: &(),
                ground: Ground::Stack(stack),
                rights: &[Right::Request],
                status: StatusCode::ACCEPTED,
            };
            idempotency::once(&state, &actor, &headers, call, work).await
        }
    };
}

power!(
    start,
    "/stacks/{id}/start",
    "start_stack",
    OperationKind::Start,
    "Switches the stack's machines on."
);
power!(
    stop,
    "/stacks/{id}/stop",
    "stop_stack",
    OperationKind::Stop,
    "Switches the stack's machines off and releases them."
);
power!(
    restart,
    "/stacks/{id}/restart",
    "restart_stack",
    OperationKind::Restart,
    "Restarts the stack's machines."
);

/// Tries the last operation of a failed stack again, as a new revision.
#[utoipa::path(post, path = "/stacks/{id}/retry", tag = "stacks", operation_id = "retry_stack",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = OperationDetail), (status = 409, body = Problem)))]
async fn retry(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(stack): Path<String>,
    headers: HeaderMap,
    _: NoBody,
) -> Result<Response, Failure> {
    let stack = id(&stack)?;
    let work = state.portal.retry(&actor, stack);
    let call = Call {
        what: format!("POST /stacks/{stack}/retry"),
        body: &(),
        ground: Ground::Stack(stack),
        rights: &[Right::Request],
        status: StatusCode::ACCEPTED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}
