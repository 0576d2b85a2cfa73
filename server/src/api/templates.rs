//! `GET /templates`: the catalogue.

use axum::extract::{Path, State};
use portal::Portal;
use serde::Deserialize;
use types::catalogue::{TemplateDetail, TemplateSummary};
use types::names::{TemplateName, Version};
use types::problem::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, Query, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
}

/// The catalogue: the latest published version of every template.
#[utoipa::path(get, path = "/templates", tag = "templates", operation_id = "list_templates",
    responses((status = 200, body = Vec<TemplateSummary>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Vec<TemplateSummary>>, Failure> {
    Ok(Json(portal.templates(&actor).await?))
}

#[derive(Deserialize, IntoParams)]
struct VersionQuery {
    /// The version; the latest published when absent.
    version: Option<Version>,
}

/// One template: manifest, hardening, controls, versions, ARM template.
#[utoipa::path(get, path = "/templates/{name}", tag = "templates", operation_id = "get_template",
    params(("name" = String, Path, description = "The template's name"), VersionQuery),
    responses((status = 200, body = TemplateDetail), (status = 404, body = Problem)))]
async fn get(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<TemplateDetail>, Failure> {
    let name: TemplateName = name
        .parse()
        .map_err(|_| portal::Error::NotFound { what: "template" })?;
    Ok(Json(
        portal
            .template(&actor, &name, query.version.as_ref())
            .await?,
    ))
}
