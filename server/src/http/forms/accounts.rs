//! Signing in and out, and a person's tokens.

use app::forms::Submitted;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tower_sessions::Session;
use types::token::NewToken;

use super::super::session::{SUBJECT, unwritten};
use super::{AppState, Failure, Posted, action, fields, id, see, show};
use crate::sandbox;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", action(sign_out))
        .route("/me/tokens", post(create_token))
        .route("/me/tokens/{id}/revoke", post(revoke_token))
}

/// Signs a persona of the sandbox in. The session's id changes with it, so that nobody can plant one beforehand.
async fn sign_in(State(state): State<AppState>, session: Session, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let fields = match fields(Request::from_parts(parts.clone(), body), &state).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    let text = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, text)| text.as_str())
    };
    if !state.notice.sandbox {
        return Failure::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Personas exist in the sandbox only.",
        )
        .into_response();
    }
    let subject = match sandbox::sign_in(&state.portal, text("subject")).await {
        Ok(Some(subject)) => subject,
        Ok(None) => {
            state.portal.sign_in_refused("unknown_persona").await;
            if let Err(too_many) = state.rates.failed(&parts.extensions) {
                return too_many.into_response();
            }
            let submitted = Submitted {
                path: "/sign-in".to_owned(),
                problem: Some(
                    Failure::field("subject", "Choose one of the personas below.").problem,
                ),
                ..Submitted::default()
            };
            return show(
                &state,
                &parts,
                "/sign-in",
                submitted,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        }
        Err(error) => return Failure::from(error).into_response(),
    };
    let begun = async {
        session.cycle_id().await?;
        session.insert(SUBJECT, subject).await?;
        // Here rather than after the answer, where a failure could not be told any more.
        session.save().await
    };
    if let Err(error) = begun.await {
        return unwritten(&error).into_response();
    }
    see(text("next"))
}

/// Ends the session, and has the browser forget what it keeps of this site: pages, cookies, storage. Then the sign-in page, as everywhere.
async fn sign_out(State(state): State<AppState>, session: Session, posted: Posted) -> Response {
    if let Err(error) = state.portal.sign_out(&posted.actor).await {
        return Failure::from(error).into_response();
    }
    if let Err(error) = session.flush().await {
        return unwritten(&error).into_response();
    }
    let mut response = see("/sign-in");
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""),
    );
    response
}

/// Makes a token; this answer is the only page that ever shows its value, hence no redirect.
async fn create_token(State(state): State<AppState>, posted: Posted) -> Response {
    let new = NewToken {
        name: posted.text("name").to_owned(),
        days: posted.text("days").parse().unwrap_or(0),
    };
    match state.portal.create_token(&posted.actor, new).await {
        Ok(created) => {
            let submitted = Submitted {
                path: "/me/tokens".to_owned(),
                created: Some(created),
                ..Submitted::default()
            };
            show(&state, &posted.parts, "/me", submitted, StatusCode::OK).await
        }
        Err(error) => posted.refuse(&state, "/me", error).await,
    }
}

async fn revoke_token(
    State(state): State<AppState>,
    Path(token): Path<String>,
    posted: Posted,
) -> Response {
    let revoked = async {
        let token = id(&token, "token")?;
        state.portal.revoke_token(&posted.actor, token).await
    };
    match revoked.await {
        Ok(()) => see("/me"),
        Err(error) => posted.refuse(&state, "/me", error).await,
    }
}
