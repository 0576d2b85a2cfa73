//! `GET /rules`: guardrails and baseline controls.

use axum::extract::State;
use portal::Portal;
use types::policy::Rule;
use types::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Every rule with what it wants and why.
#[utoipa::path(get, path = "/rules", tag = "policies", operation_id = "list_rules",
    responses((status = 200, body = Vec<Rule>), (status = 401, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Vec<Rule>>, Failure> {
    Ok(Json(portal.rules(&actor).await?))
}
