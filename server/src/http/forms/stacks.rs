//! What a stack's page asks for: deletion, a longer life, power, another try.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use types::ids::StackId;
use types::operation::{OperationDetail, OperationKind};
use types::stack::DeleteStack;

use super::{AppState, Posted, action, id, parent, see};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/stacks/{id}/delete", post(delete))
        .route("/stacks/{id}/extend", post(extend))
        .route("/stacks/{id}/start", action(start))
        .route("/stacks/{id}/stop", action(stop))
        .route("/stacks/{id}/restart", action(restart))
        .route("/stacks/{id}/retry", action(retry))
}

async fn delete(
    State(state): State<AppState>,
    Path(stack): Path<String>,
    posted: Posted,
) -> Response {
    let form = DeleteStack {
        confirm: posted.text("confirm").to_owned(),
        justification: posted.text("justification").to_owned(),
    };
    let sent = async {
        let stack = id(&stack, "stack")?;
        state
            .portal
            .delete_stack(&posted.actor, stack, form, posted.submission())
            .await
    };
    match sent.await {
        Ok(request) => see(&format!("/requests/{}", request.summary.id)),
        Err(error) => posted.refuse(&state, posted.parts.uri.path(), error).await,
    }
}

async fn extend(
    State(state): State<AppState>,
    Path(stack): Path<String>,
    posted: Posted,
) -> Response {
    let sent = async {
        let stack = id(&stack, "stack")?;
        let (expiry, justification) = (
            posted.text("expiry").to_owned(),
            posted.text("justification").to_owned(),
        );
        state
            .portal
            .extend_stack(
                &posted.actor,
                stack,
                expiry,
                justification,
                posted.submission(),
            )
            .await
    };
    match sent.await {
        Ok(request) => see(&format!("/requests/{}", request.summary.id)),
        Err(error) => posted.refuse(&state, posted.parts.uri.path(), error).await,
    }
}

async fn start(state: State<AppState>, stack: Path<String>, posted: Posted) -> Response {
    power(state, stack, posted, OperationKind::Start).await
}

async fn stop(state: State<AppState>, stack: Path<String>, posted: Posted) -> Response {
    power(state, stack, posted, OperationKind::Stop).await
}

async fn restart(state: State<AppState>, stack: Path<String>, posted: Posted) -> Response {
    power(state, stack, posted, OperationKind::Restart).await
}

async fn power(
    State(state): State<AppState>,
    Path(stack): Path<String>,
    posted: Posted,
    kind: OperationKind,
) -> Response {
    operate(&state, &posted, &stack, |id| {
        state.portal.power(&posted.actor, id, kind)
    })
    .await
}

async fn retry(
    State(state): State<AppState>,
    Path(stack): Path<String>,
    posted: Posted,
) -> Response {
    operate(&state, &posted, &stack, |id| {
        state.portal.retry(&posted.actor, id)
    })
    .await
}

async fn operate<F>(
    state: &AppState,
    posted: &Posted,
    stack: &str,
    what: impl FnOnce(StackId) -> F,
) -> Response
where
    F: Future<Output = portal::Result<OperationDetail>>,
{
    let done = async {
        let stack = id(stack, "stack")?;
        what(stack).await
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
