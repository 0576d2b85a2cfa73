//! `POST /plans`: a dry run. Nothing is kept.

use axum::extract::State;
use portal::Portal;
use types::check::Check;
use types::problem::Problem;
use types::request::RequestDraft;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{AppState, Failure, Json, SignedIn};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(check))
}

/// What a request would do and what policy says, without sending it. Bad fields are in `errors`, and there is a plan as soon as there are none.
#[utoipa::path(post, path = "/plans", tag = "plans", operation_id = "check_plan", request_body = RequestDraft,
    responses((status = 200, body = Check), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn check(
    State(portal): State<Portal>,
    SignedIn(actor): SignedIn,
    Json(draft): Json<RequestDraft>,
) -> Result<Json<Check>, Failure> {
    Ok(Json(portal.check(&actor, &draft, None).await?))
}
