//! The request form, and what is said about a request: edit, withdraw, comment, decide.

use app::forms::{Submitted, draft};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use types::approval::{Decide, DecisionKind};
use types::ids::RequestId;
use types::request::{RequestDetail, RequestDraft};

use super::{AppState, Posted, action, id, parent, see, show};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/catalogue/{name}/request", post(send))
        .route("/requests/{id}/edit", post(edit))
        .route("/requests/{id}/withdraw", action(withdraw))
        .route("/requests/{id}/comment", action(comment))
        .route("/requests/{id}/decide", action(decide))
}

/// *Send request* makes a request; *Check* and changes of fields that others depend on show the form again with the verdict.
async fn send(State(state): State<AppState>, posted: Posted) -> Response {
    let draft = draft(&posted.fields);
    let page = posted.address();
    if posted.text("action") != "send" {
        return show(
            &state,
            &posted.parts,
            &page,
            kept(&posted, draft),
            StatusCode::OK,
        )
        .await;
    }
    let sent = state
        .portal
        .submit(&posted.actor, draft.clone(), posted.submission())
        .await;
    answer(&state, &posted, &page, draft, sent).await
}

async fn edit(
    State(state): State<AppState>,
    Path(request): Path<String>,
    posted: Posted,
) -> Response {
    let draft = draft(&posted.fields);
    let page = posted.address();
    if posted.text("action") != "send" {
        return show(
            &state,
            &posted.parts,
            &page,
            kept(&posted, draft),
            StatusCode::OK,
        )
        .await;
    }
    let sent = async {
        let request = id(&request, "request")?;
        state
            .portal
            .edit(&posted.actor, request, posted.version(), draft.clone())
            .await
    };
    let sent = sent.await;
    answer(&state, &posted, &page, draft, sent).await
}

async fn answer(
    state: &AppState,
    posted: &Posted,
    page: &str,
    draft: RequestDraft,
    sent: portal::Result<RequestDetail>,
) -> Response {
    match sent {
        Ok(request) => see(&format!("/requests/{}", request.summary.id)),
        Err(error) => {
            let problem = error.problem();
            let status =
                StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let submitted = kept(posted, draft).refused(problem);
            show(state, &posted.parts, page, submitted, status).await
        }
    }
}

/// Everything that was typed.
fn kept(posted: &Posted, draft: RequestDraft) -> Submitted {
    Submitted {
        draft: Some(draft),
        ..posted.submitted()
    }
}

/// One small form on a request's page.
async fn change<F, T>(
    state: &AppState,
    posted: &Posted,
    request: &str,
    what: impl FnOnce(RequestId) -> F,
) -> Response
where
    F: Future<Output = portal::Result<T>>,
{
    let done = async {
        let request = id(request, "request")?;
        what(request).await.map(|_| request)
    };
    match done.await {
        // The approvals queue says where to go on; see() takes paths of this site only.
        Ok(request) if posted.text("next").is_empty() => see(&format!("/requests/{request}")),
        Ok(_) => see(posted.text("next")),
        Err(error) => {
            posted
                .refuse(state, parent(posted.parts.uri.path()), error)
                .await
        }
    }
}

async fn withdraw(
    State(state): State<AppState>,
    Path(request): Path<String>,
    posted: Posted,
) -> Response {
    change(&state, &posted, &request, |id| {
        state.portal.withdraw(&posted.actor, id, posted.version())
    })
    .await
}

async fn comment(
    State(state): State<AppState>,
    Path(request): Path<String>,
    posted: Posted,
) -> Response {
    change(&state, &posted, &request, |id| {
        state.portal.comment(&posted.actor, id, posted.text("text"))
    })
    .await
}

async fn decide(
    State(state): State<AppState>,
    Path(request): Path<String>,
    posted: Posted,
) -> Response {
    let decision = match posted.text("decision") {
        "approve" => DecisionKind::Approve,
        "reject" => DecisionKind::Reject,
        "request_changes" => DecisionKind::RequestChanges,
        _ => {
            let error = portal::Error::field(
                "decision",
                "invalid",
                "Choose approve, request changes or reject.",
            );
            return posted
                .refuse(&state, parent(posted.parts.uri.path()), error)
                .await;
        }
    };
    let decide = Decide {
        decision,
        plan_digest: posted.text("plan_digest").to_owned(),
        comment: posted.text("comment").to_owned(),
    };
    change(&state, &posted, &request, |id| {
        state.portal.decide(&posted.actor, id, decide)
    })
    .await
}
