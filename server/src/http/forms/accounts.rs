//! Signing in and out, and a person's tokens.

use app::forms::Submitted;
use app::session::CurrentActor;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_sessions::Session;
use types::token::NewToken;

use super::super::session::{SUBJECT, unwritten};
use super::{AppState, Failure, Posted, action, fields, forget_secrets, id, see, show};
use crate::sandbox;

/// Longest field of the form that signs a persona in, in bytes: a name, or an address to come back to.
const SIGN_IN: usize = 4_096;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", action(sign_out))
        .route("/me/tokens", post(order_token))
        .route("/me/tokens/{id}", get(show_token))
        .route("/me/tokens/{id}/revoke", post(revoke_token))
}

/// Signs a persona of the sandbox in. The session's id changes with it, so that nobody can plant one beforehand.
async fn sign_in(State(state): State<AppState>, session: Session, request: Request) -> Response {
    if !state.notice.sandbox {
        return Failure::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Personas exist in the sandbox only.",
        )
        .into_response();
    }
    let (parts, body) = request.into_parts();
    let mut fields = match fields(Request::from_parts(parts.clone(), body), &state).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    // Nobody has signed in yet: what is larger than a persona and an address is not looked at.
    fields.retain(|(name, text)| name.len() + text.len() <= SIGN_IN);
    // Whoever signs in wrote none of it: an address to come back to that holds one is left.
    let _ = forget_secrets(&mut fields);
    let text = |name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, text)| text.as_str())
    };
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
    // Streams of the session that this one replaces end with it.
    state.portal.wake_streams().await;
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
    state.portal.wake_streams().await;
    let mut response = see("/sign-in");
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""),
    );
    response
}

/// Makes a token and sends the browser on to the page that shows it: loaded again, neither page makes another.
async fn order_token(State(state): State<AppState>, posted: Posted) -> Response {
    let new = NewToken {
        name: posted.text("name").to_owned(),
        days: posted.text("days").parse().unwrap_or(0),
    };
    let ordered = state
        .portal
        .order_token(&posted.actor, &new, posted.submission().0);
    match ordered.await {
        Ok(id) => see(&format!("/me/tokens/{id}")),
        Err(error) => posted.refuse(&state, "/me", error).await,
    }
}

/// The person's page with a token's value, the first time that it is read; from then on, with the advice to make another.
async fn show_token(
    State(state): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let Some(CurrentActor(Some(actor))) = parts.extensions.get::<CurrentActor>().cloned() else {
        return see("/sign-in");
    };
    let path = parts.uri.path().to_owned();
    let shown = async {
        let token = id(&token, "token")?;
        // HEAD reads no body: the value would be lost.
        match parts.method {
            Method::GET => state.portal.show_token(&actor, token).await,
            _ => Ok(None),
        }
    };
    let (submitted, status) = match shown.await {
        Ok(created) => (
            Submitted {
                path,
                shown_before: created.is_none(),
                created,
                ..Submitted::default()
            },
            StatusCode::OK,
        ),
        Err(error) => {
            let failure = Failure::from(error);
            let status = failure.status();
            let submitted = Submitted {
                path,
                problem: Some(failure.problem),
                ..Submitted::default()
            };
            (submitted, status)
        }
    };
    show(&state, &parts, "/me", submitted, status).await
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
