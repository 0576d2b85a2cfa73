//! What can be done to an operation: cancel it, or take it further after it needed attention.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use types::ids::OperationId;
use types::operation::OperationDetail;

use super::{AppState, Posted, action, id, parent, see};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/operations/{id}/cancel", action(cancel))
        .route("/operations/{id}/resolve", action(resolve))
}

async fn cancel(
    State(state): State<AppState>,
    Path(operation): Path<String>,
    posted: Posted,
) -> Response {
    change(&state, &posted, &operation, |id| {
        state.portal.cancel(&posted.actor, id)
    })
    .await
}

async fn resolve(
    State(state): State<AppState>,
    Path(operation): Path<String>,
    posted: Posted,
) -> Response {
    change(&state, &posted, &operation, |id| {
        state.portal.resolve(&posted.actor, id)
    })
    .await
}

async fn change<F>(
    state: &AppState,
    posted: &Posted,
    operation: &str,
    what: impl FnOnce(OperationId) -> F,
) -> Response
where
    F: Future<Output = portal::Result<OperationDetail>>,
{
    let done = async {
        let operation = id(operation, "operation")?;
        what(operation).await
    };
    match done.await {
        Ok(operation) => see(&format!("/stacks/{}", operation.summary.stack)),
        Err(error) => {
            posted
                .refuse(state, parent(posted.parts.uri.path()), error)
                .await
        }
    }
}
