//! `/projects/{name}/break-glass`: an administrator takes *request* and *approve* in a project for a while.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portal::Portal;
use types::break_glass::{BreakGlass, NewBreakGlass};
use types::ids::BreakGlassId;
use types::names::ProjectName;
use types::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::idempotency;
use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, begin))
        .routes(routes!(end))
}

fn project(name: &str) -> Result<ProjectName, Failure> {
    name.parse()
        .map_err(|_| portal::Error::NotFound { what: "project" }.into())
}

/// When administrators broke glass in a project, the newest first. For everybody who may read the project.
#[utoipa::path(get, path = "/projects/{name}/break-glass", tag = "projects", operation_id = "list_break_glass",
    params(("name" = String, Path)), responses((status = 200, body = Vec<BreakGlass>), (status = 404, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(name): Path<String>,
) -> Result<Json<Vec<BreakGlass>>, Failure> {
    Ok(Json(
        portal.broken_glass_in(&actor, &project(&name)?).await?,
    ))
}

/// Gives an administrator the rights to request and to approve in a project for 30 minutes. Their session has them, their tokens do not, and a token
/// cannot ask for them. Four eyes hold: who wrote a request does not decide it.
#[utoipa::path(post, path = "/projects/{name}/break-glass", tag = "projects", operation_id = "break_glass", request_body = NewBreakGlass,
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = BreakGlass), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn begin(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewBreakGlass>,
) -> Result<Response, Failure> {
    let project = project(&name)?;
    let what = format!("POST /projects/{project}/break-glass");
    let work = portal.break_glass(&actor, &project, new.clone());
    idempotency::once(
        &portal,
        &actor,
        &headers,
        &what,
        &new,
        StatusCode::CREATED,
        work,
    )
    .await
}

/// Ends it before its time. For administrators and the project's owners.
#[utoipa::path(delete, path = "/projects/{name}/break-glass/{id}", tag = "projects", operation_id = "end_break_glass",
    params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = BreakGlass), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn end(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<BreakGlass>, Failure> {
    let project = project(&name)?;
    let id: BreakGlassId = id.parse().map_err(|_| portal::Error::NotFound {
        what: "break glass",
    })?;
    Ok(Json(portal.end_break_glass(&actor, &project, id).await?))
}
