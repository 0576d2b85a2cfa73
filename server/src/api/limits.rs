//! `GET /rate-limits`: what is left of Azure's.

use axum::extract::State;
use portal::Portal;
use types::limit::RateLimit;
use types::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Azure's token buckets as this process counts them; for admins and auditors.
#[utoipa::path(get, path = "/rate-limits", tag = "azure", operation_id = "list_rate_limits",
    responses((status = 200, body = Vec<RateLimit>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn list(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
) -> Result<Json<Vec<RateLimit>>, Failure> {
    Ok(Json(portal.rate_limits(&actor)?))
}
