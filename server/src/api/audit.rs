//! `GET /audit`: who did what, in order; whether the record is the one that was written; and the whole of it to take away.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use portal::Portal;
use serde::Deserialize;
use types::audit::{AuditCheck, AuditEvent, AuditFilter};
use types::page::Page;
use types::problem::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, Query, SignedIn};

/// JSON lines have no registered media type; this is the name in use (<https://jsonlines.org>, read on 2026-11-27).
const JSON_LINES: &str = "application/jsonl";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(check))
        .routes(routes!(export))
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

/// Checks the whole record: the hash chain, the signed checkpoints outside the database, and the comments and decisions that the record proves.
#[utoipa::path(get, path = "/audit/check", tag = "audit", operation_id = "check_audit",
    responses((status = 200, body = AuditCheck), (status = 403, body = Problem)))]
async fn check(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<AuditCheck>, Failure> {
    Ok(Json(portal.check_audit(&actor).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Range {
    /// The first line, from 1.
    from: Option<i64>,
    /// The last line.
    to: Option<i64>,
}

/// The record as JSON lines in canonical form (RFC 8785), for `slipway audit verify`. Ends with the line that is the last one when it begins.
#[utoipa::path(get, path = "/audit/export", tag = "audit", operation_id = "export_audit", params(Range),
    responses((status = 200, body = String, content_type = "application/jsonl"), (status = 403, body = Problem)))]
async fn export(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Query(Range { from, to }): Query<Range>,
) -> Result<Response, Failure> {
    for (field, value) in [("from", from), ("to", to)] {
        if value.is_some_and(|value| value < 1) {
            return Err(Failure::field(field, "Lines are numbered from 1."));
        }
    }
    let lines = portal.export_audit(&actor, from, to).await?;
    // A page of lines that were read together leaves together.
    let parts = lines.ready_chunks(1_000).map(|lines| {
        lines
            .into_iter()
            .map(|line| line.map(|line| line + "\n"))
            .collect::<Result<String, _>>()
    });
    let headers = [
        (CONTENT_TYPE, JSON_LINES),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"slipway-audit.jsonl\"",
        ),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}
