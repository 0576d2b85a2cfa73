//! Who acts: from the session of a browser, or from a bearer token. Rights are not judged here.

use app::session::CurrentActor;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portal::Portal;
use tower_sessions::Session;
use types::actor::Actor;

use super::refusals::Caller;
use super::session::SUBJECT;
use super::{AppState, Failure};

/// The actor of a request that needs one; without one the answer is 401.
pub(crate) struct SignedIn(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match parts.extensions.get::<CurrentActor>() {
            Some(CurrentActor(Some(actor))) => Ok(Self(actor.clone())),
            _ => Err(unauthenticated()),
        }
    }
}

fn unauthenticated() -> Failure {
    Failure::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "Send a token of yours as `Authorization: Bearer …`; you make one on your own page, under your name.",
    )
}

/// For pages and forms: the session says who it is.
pub(super) async fn from_session(
    State(portal): State<Portal>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    match signed_in(&portal, &session).await {
        Ok(actor) => go_on(actor, request, next).await,
        Err(failure) => failure.into_response(),
    }
}

/// Hands the actor to whoever answers, and with the answer to the log.
async fn go_on(actor: Option<Actor>, mut request: Request, next: Next) -> Response {
    let caller = actor.as_ref().map(Caller::of);
    request.extensions_mut().insert(CurrentActor(actor));
    let mut response = next.run(request).await;
    if let Some(caller) = caller {
        response.extensions_mut().insert(caller);
    }
    response
}

/// For REST: a bearer token, or the session of a page of this very site.
pub(super) async fn from_token_or_session(
    State(state): State<AppState>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    let actor = match bearer(request.headers()) {
        Some(token) => match state.portal.actor_for_token(token).await {
            Ok(Some(actor)) => Ok(Some(actor)),
            Ok(None) => Err(state.rates.failed(request.extensions()).map_or_else(
                |too_many| too_many,
                |()| {
                    Failure::new(
                        StatusCode::UNAUTHORIZED,
                        "invalid_token",
                        "This token is unknown, expired or revoked. Make a new one on your own page.",
                    )
                },
            )),
            Err(error) => Err(error.into()),
        },
        // A cookie counts only where the browser vouches that a page of this site asks; other clients send tokens.
        None if same_origin(request.headers()) => signed_in(&state.portal, &session).await,
        None => Ok(None),
    };
    match actor {
        Ok(actor) => go_on(actor, request, next).await,
        Err(failure) => failure.into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn same_origin(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "same-origin")
}

async fn signed_in(portal: &Portal, session: &Session) -> Result<Option<Actor>, Failure> {
    let subject = match session.get::<String>(SUBJECT).await {
        Ok(Some(subject)) => subject,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::error!(%error, "a session could not be read");
            return Err(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The database does not answer. Try again in a moment.",
            ));
        }
    };
    portal
        .actor_for_subject(&subject)
        .await
        .map_err(Failure::from)
}
