//! `GET /audit`: who did what, in order.

use axum::extract::State;
use portal::Portal;
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::page::Page;
use types::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(check))
}

/// Lines of the record, newest first. For auditors and admins.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "list_audit",
    params(("project" = Option<String>, Query), ("actor" = Option<String>, Query), ("action" = Option<String>, Query),
        ("subject_id" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<AuditEvent>), (status = 403, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(filter): Query<AuditFilter>,
) -> Result<Json<Page<AuditEvent>>, Failure> {
    Ok(Json(portal.audit(&actor, &filter).await?))
}

/// Checks the hash chain from the first line to the last.
#[utoipa::path(get, path = "/audit/check", tag = "audit", operation_id = "check_audit",
    responses((status = 200, body = ChainCheck), (status = 403, body = Problem)))]
async fn check(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<ChainCheck>, Failure> {
    Ok(Json(portal.check_audit_chain(&actor).await?))
}
