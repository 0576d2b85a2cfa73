//! `/operations`: read, cancel, take further.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portal::{Ground, Portal};
use types::actor::Right;
use types::ids::OperationId;
use types::operation::{OperationDetail, OperationFilter, OperationSummary};
use types::page::Page;
use types::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditional;
use super::idempotency::{self, Call};
use crate::http::{AppState, Failure, Json, NoBody, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(resolve))
}

pub(super) fn id(text: &str) -> Result<OperationId, Failure> {
    text.parse()
        .map_err(|_| portal::Error::NotFound { what: "operation" }.into())
}

/// Operations of projects that the actor may read, newest first.
#[utoipa::path(get, path = "/operations", tag = "operations", operation_id = "list_operations",
    params(("project" = Option<String>, Query), ("stack" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<OperationSummary>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(filter): Query<OperationFilter>,
) -> Result<Json<Page<OperationSummary>>, Failure> {
    Ok(Json(portal.operations(&actor, &filter).await?))
}

/// One operation with its steps.
#[utoipa::path(get, path = "/operations/{id}", tag = "operations", operation_id = "get_operation", params(("id" = String, Path)),
    responses((status = 200, body = OperationDetail), (status = 404, body = Problem)))]
async fn get(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(operation): Path<String>,
) -> Result<Response, Failure> {
    let operation = portal.operation(&actor, id(&operation)?).await?;
    Ok(conditional::tagged(operation.version, Json(operation)))
}

/// Asks a running operation to stop; what exists by then is kept and shown.
#[utoipa::path(post, path = "/operations/{id}/cancel", tag = "operations", operation_id = "cancel_operation",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = OperationDetail), (status = 409, body = Problem)))]
async fn cancel(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(operation): Path<String>,
    headers: HeaderMap,
    _: NoBody,
) -> Result<Response, Failure> {
    let operation = id(&operation)?;
    let work = state.portal.cancel(&actor, operation);
    let call = Call {
        what: format!("POST /operations/{operation}/cancel"),
        body: &(),
        ground: Ground::Operation(operation),
        rights: &[Right::Request, Right::ResolveOperation],
        status: StatusCode::ACCEPTED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}

/// Takes an operation that needs attention further, from the step that stopped. For admins.
#[utoipa::path(post, path = "/operations/{id}/resolve", tag = "operations", operation_id = "resolve_operation",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = OperationDetail), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn resolve(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(operation): Path<String>,
    headers: HeaderMap,
    _: NoBody,
) -> Result<Response, Failure> {
    let operation = id(&operation)?;
    let work = state.portal.resolve(&actor, operation);
    let call = Call {
        what: format!("POST /operations/{operation}/resolve"),
        body: &(),
        ground: Ground::Operation(operation),
        rights: &[Right::ResolveOperation],
        status: StatusCode::ACCEPTED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}
