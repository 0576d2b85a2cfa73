//! `/requests`: send, read, edit, withdraw, comment, decide, and what was said and done so far.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portal::{Ground, Portal};
use serde::{Deserialize, Serialize};
use types::actor::Right;
use types::approval::{Decide, Decision};
use types::ids::RequestId;
use types::page::{Page, Paging};
use types::problem::Problem;
use types::request::{
    Comment, RequestDetail, RequestDraft, RequestFilter, RequestSummary, TimelineEntry,
};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditional;
use super::idempotency::{self, Call};
use crate::http::{AppState, Failure, Json, NoBody, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, send))
        .routes(routes!(get, edit))
        .routes(routes!(withdraw))
        .routes(routes!(comments, comment))
        .routes(routes!(timeline))
        .routes(routes!(decisions, decide))
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
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    headers: HeaderMap,
    Json(draft): Json<RequestDraft>,
) -> Result<Response, Failure> {
    let submission = idempotency::submission(&headers)?;
    let work = state.portal.submit(&actor, draft.clone(), submission);
    let call = Call {
        what: "POST /requests".to_owned(),
        body: &draft,
        ground: Ground::Draft(&draft),
        rights: &[Right::Request],
        status: StatusCode::CREATED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
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
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RequestDetail), (status = 409, body = Problem), (status = 428, body = Problem)))]
async fn withdraw(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    _: NoBody,
) -> Result<Response, Failure> {
    let request = id(&request)?;
    let version = conditional::version(&headers)?;
    let work = state.portal.withdraw(&actor, request, version);
    let call = Call {
        what: format!("POST /requests/{request}/withdraw"),
        body: &version,
        ground: Ground::Request(request),
        // What Slipway asked for is an admin's to withdraw; the call itself asks again.
        rights: &[Right::Request, Right::ResolveOperation],
        status: StatusCode::OK,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}

/// Comments on a request, newest first.
#[utoipa::path(get, path = "/requests/{id}/comments", tag = "requests", operation_id = "list_comments",
    params(("id" = String, Path), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 50; 20 when absent")),
    responses((status = 200, body = Page<Comment>), (status = 404, body = Problem)))]
async fn comments(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Comment>>, Failure> {
    Ok(Json(portal.comments(&actor, id(&request)?, &paging).await?))
}

/// What happened to a request, newest first.
#[utoipa::path(get, path = "/requests/{id}/timeline", tag = "requests", operation_id = "list_timeline",
    params(("id" = String, Path), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 50; 20 when absent")),
    responses((status = 200, body = Page<TimelineEntry>), (status = 404, body = Problem)))]
async fn timeline(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TimelineEntry>>, Failure> {
    Ok(Json(portal.timeline(&actor, id(&request)?, &paging).await?))
}

/// Decisions on a request, newest first; `current` says which are about its plan of now.
#[utoipa::path(get, path = "/requests/{id}/decisions", tag = "approvals", operation_id = "list_decisions",
    params(("id" = String, Path), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 50; 20 when absent")),
    responses((status = 200, body = Page<Decision>), (status = 404, body = Problem)))]
async fn decisions(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Decision>>, Failure> {
    Ok(Json(
        portal.decisions(&actor, id(&request)?, &paging).await?,
    ))
}

/// A comment's text.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// Plain text of 1 to 4,000 characters.
    text: String,
}

/// Adds a comment; answers the comment. A request has at most 1,000.
#[utoipa::path(post, path = "/requests/{id}/comments", tag = "requests", operation_id = "comment_request", request_body = NewComment,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Comment), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn comment(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    Json(body): Json<NewComment>,
) -> Result<Response, Failure> {
    let request = id(&request)?;
    let work = state.portal.comment(&actor, request, &body.text);
    let call = Call {
        what: format!("POST /requests/{request}/comments"),
        body: &body,
        ground: Ground::Request(request),
        rights: &[Right::Request, Right::Approve],
        status: StatusCode::CREATED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}

/// Approves, rejects or asks for changes; bound to the digest of the plan that was read.
#[utoipa::path(post, path = "/requests/{id}/decisions", tag = "approvals", operation_id = "decide_request", request_body = Decide,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RequestDetail), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn decide(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(request): Path<String>,
    headers: HeaderMap,
    Json(decide): Json<Decide>,
) -> Result<Response, Failure> {
    let request = id(&request)?;
    let work = state.portal.decide(&actor, request, decide.clone());
    let call = Call {
        what: format!("POST /requests/{request}/decisions"),
        body: &decide,
        ground: Ground::Decision(request),
        // Who wrote it may not decide it either; the call itself says so, and records it.
        rights: &[Right::Approve, Right::Request],
        status: StatusCode::CREATED,
    };
    idempotency::once(&state, &actor, &headers, call, work).await
}
