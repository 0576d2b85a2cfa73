//! `GET /approvals`: the queue.

use axum::extract::State;
use portal::Portal;
use serde::Deserialize;
use types::approval::{ApprovalItem, ApprovalTab};
use types::page::Page;
use types::problem::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
struct QueueQuery {
    /// `mine` (the default), `all` or `decided`.
    #[serde(default)]
    tab: ApprovalTab,
    /// From `next_cursor`.
    cursor: Option<String>,
}

/// Requests that wait for a decision, oldest first, each with why it needs the actor.
#[utoipa::path(get, path = "/approvals", tag = "approvals", operation_id = "list_approvals", params(QueueQuery),
    responses((status = 200, body = Page<ApprovalItem>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(query): Query<QueueQuery>,
) -> Result<Json<Page<ApprovalItem>>, Failure> {
    Ok(Json(
        portal.approvals(&actor, query.tab, query.cursor).await?,
    ))
}
