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

use super::{AppState, Posted, action, id, is_private_key, parent, see, show};

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
    let page = address(&posted);
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
    let page = address(&posted);
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

/// The form's own address with its query: the page reads the template's version from there.
fn address(posted: &Posted) -> String {
    posted
        .parts
        .uri
        .path_and_query()
        .map_or_else(|| posted.parts.uri.path().to_owned(), ToString::to_string)
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

/// Everything that was typed; a private key pasted by mistake is dropped here and goes nowhere.
fn kept(posted: &Posted, mut draft: RequestDraft) -> Submitted {
    draft
        .parameters
        .retain(|_, value| !value.as_str().is_some_and(is_private_key));
    for text in [
        &mut draft.justification,
        &mut draft.name,
        &mut draft.cost_centre,
    ] {
        if is_private_key(text) {
            text.clear();
        }
    }
    Submitted {
        draft: Some(draft),
        ..posted.submitted()
    }
}

/// One small form on a request's page.
async fn change<F>(
    state: &AppState,
    posted: &Posted,
    request: &str,
    what: impl FnOnce(RequestId) -> F,
) -> Response
where
    F: Future<Output = portal::Result<RequestDetail>>,
{
    let done = async {
        let request = id(request, "request")?;
        what(request).await
    };
    match done.await {
        // The approvals queue says where to go on; see() takes paths of this site only.
        Ok(request) if posted.text("next").is_empty() => {
            see(&format!("/requests/{}", request.summary.id))
        }
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
