//! `/livez` and `/readyz`, for whatever keeps the process running.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use portal::Portal;

use super::{AppState, Failure};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/livez", get(|| async { StatusCode::OK }))
        .route("/readyz", get(ready))
}

/// 200 once requests can be answered; the database must answer, Azure may be away for a while.
async fn ready(State(portal): State<Portal>) -> Response {
    match portal.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => Failure::from(error).into_response(),
    }
}
