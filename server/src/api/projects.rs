//! `GET /projects`: the projects that the actor may read.

use axum::extract::{Path, State};
use portal::Portal;
use types::names::ProjectName;
use types::problem::Problem;
use types::project::{ProjectDetail, ProjectSettings};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// Projects with what each tier may use.
#[utoipa::path(get, path = "/projects", tag = "projects", operation_id = "list_projects",
    responses((status = 200, body = Vec<ProjectSettings>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Vec<ProjectSettings>>, Failure> {
    Ok(Json(portal.projects(&actor).await?))
}

/// One project with members, stacks and budgets.
#[utoipa::path(get, path = "/projects/{name}", tag = "projects", operation_id = "get_project", params(("name" = String, Path)),
    responses((status = 200, body = ProjectDetail), (status = 404, body = Problem)))]
async fn get(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(name): Path<String>,
) -> Result<Json<ProjectDetail>, Failure> {
    let name: ProjectName = name
        .parse()
        .map_err(|_| portal::Error::NotFound { what: "project" })?;
    Ok(Json(portal.project(&actor, &name).await?))
}
