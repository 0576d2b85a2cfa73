//! `/requests`: send, read, edit, withdraw, comment, decide.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portal::Portal;
use serde::{Deserialize, Serialize};
use types::approval::Decide;
use types::ids::RequestId;
use types::page::Page;
use types::problem::Problem;
use types::request::{RequestDetail, RequestDraft, RequestFilter, RequestSummary};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{conditional, idempotency};
use crate::http::{AppState, Failure, Json, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, send))
        .routes(routes!(get, edit))
        .routes(routes!(withdraw))
        .routes(routes!(comment))
        .routes(routes!(decide))
}

pub(super) fn id(text: &str) -> Result<RequestId, Failure> {
    text.parse()
        .map_err(|_| portal::Error::NotFound { what: "request" }.into())
}

/// Requests of projects that the actor may read, newest first.
#[utoipa::path(get, path = "/requests", tag = "requests", operation_id = "list_requests",
    params(("project" = Option<String>, Query), ("state" = Option<String>, Query), ("mine" = Option<bool>, Query),
        ("text" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<RequestSummary>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(filter): Query<RequestFilter>,
) -> Result<Json<Page<RequestSummary>>, Failure> {
    Ok(Json(portal.requests(&actor, &filter).await?))
}

/// Sends a request: create or update a stack. It is checked at once; the answer says whether it is denied, waits for approval or is executing.
#[utoipa::path(post, path = "/requests", tag = "requests", operation_id = "send_request", request_body = RequestDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, the same request is answered")),
    responses((status = 201, body = RequestDetail), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn send(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    headers: HeaderMap,
    Json(draft): Json<RequestDraft>,
) -> Result<Response, Failure> {
    let submission = idempotency::submission(&headers)?;
    let work = portal.submit(&actor, draft.clone(), submission);
    idempotency::once(
        &portal,
        &actor,
        &headers,
        "POST /requests",
        &draft,
        StatusCode::CREATED,
        work,
    )
    .await
}

/// One request, whole. Its ETag is needed to change it.
#[utoipa::path(get, path = "/requests/{id}", tag = "requests", operation_id = "get_request",
    params(("id" = String, Path)), responses((status = 200, body = RequestDetail), (status = 404, body = Problem)))]
async fn get(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
) -> Result<Response, Failure> {
    let request = portal.request(&actor, id(&request)?).await?;
    Ok(conditional::tagged(request.summary.version, Json(request)))
}

/// Makes a new plan on the same request, after it was denied or changes were requested.
#[utoipa::path(put, path = "/requests/{id}", tag = "requests", operation_id = "edit_request", request_body = RequestDraft,
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = RequestDetail), (status = 409, body = Problem), (status = 428, body = Problem)))]
async fn edit(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    Json(draft): Json<RequestDraft>,
) -> Result<Response, Failure> {
    let version = conditional::version(&headers)?;
    let request = portal.edit(&actor, id(&request)?, version, draft).await?;
    Ok(conditional::tagged(request.summary.version, Json(request)))
}

/// Takes a request back.
#[utoipa::path(post, path = "/requests/{id}/withdraw", tag = "requests", operation_id = "withdraw_request",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = RequestDetail), (status = 409, body = Problem), (status = 428, body = Problem)))]
async fn withdraw(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let version = conditional::version(&headers)?;
    let request = portal.withdraw(&actor, id(&request)?, version).await?;
    Ok(conditional::tagged(request.summary.version, Json(request)))
}

/// A comment's text.
#[derive(Serialize, Deserialize, ToSchema)]
struct NewComment {
    /// Plain text.
    text: String,
}

/// Adds a comment.
#[utoipa::path(post, path = "/requests/{id}/comments", tag = "requests", operation_id = "comment_request", request_body = NewComment,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RequestDetail), (status = 422, body = Problem)))]
async fn comment(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    Json(body): Json<NewComment>,
) -> Result<Response, Failure> {
    let request = id(&request)?;
    let what = format!("POST /requests/{request}/comments");
    let work = portal.comment(&actor, request, &body.text);
    idempotency::once(
        &portal,
        &actor,
        &headers,
        &what,
        &body,
        StatusCode::CREATED,
        work,
    )
    .await
}

/// Approves, rejects or asks for changes; bound to the digest of the plan that was read.
#[utoipa::path(post, path = "/requests/{id}/decisions", tag = "approvals", operation_id = "decide_request", request_body = Decide,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RequestDetail), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn decide(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    Json(decide): Json<Decide>,
) -> Result<Response, Failure> {
    let request = id(&request)?;
    let what = format!("POST /requests/{request}/decisions");
    let work = portal.decide(&actor, request, decide.clone());
    idempotency::once(
        &portal,
        &actor,
        &headers,
        &what,
        &decide,
        StatusCode::CREATED,
        work,
    )
    .await
}
