//! The browser's changes: plain HTML forms, each answered with *see other*, or with the page again, saying what was wrong and holding what was typed.

mod accounts;
mod operations;
mod projects;
mod requests;
mod stacks;

use app::forms::Submitted;
use app::session::CurrentActor;
use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use indexmap::IndexMap;
use types::actor::Actor;
use types::ids::SubmissionId;

use super::pages::{see, show};
use super::{AppState, Failure};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .merge(accounts::router())
        .merge(requests::router())
        .merge(stacks::router())
        .merge(operations::router())
        .merge(projects::router())
}

/// A route that only takes a form. Somebody who opens its address, as from the page that refused one, comes to the page that it belongs to.
fn action<H: Handler<T, AppState>, T: 'static>(handler: H) -> MethodRouter<AppState> {
    post(handler).get(async |uri: Uri| see(parent(uri.path())))
}

/// One posted form: who, what, and what is needed to show the page again.
struct Posted {
    actor: Actor,
    fields: Vec<(String, String)>,
    parts: Parts,
}

impl FromRequest<AppState> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(axum::Extension(CurrentActor(actor))) =
            axum::Extension::<CurrentActor>::from_request_parts(&mut parts, state).await
        else {
            return Err(see("/sign-in"));
        };
        let Some(actor) = actor else {
            return Err(see("/sign-in"));
        };
        let fields = fields(Request::from_parts(parts.clone(), body), state).await?;
        Ok(Self {
            actor,
            fields,
            parts,
        })
    }
}

/// The fields of a posted form, in order.
async fn fields(request: Request, state: &AppState) -> Result<Vec<(String, String)>, Response> {
    axum::Form::<Vec<(String, String)>>::from_request(request, state)
        .await
        .map(|axum::Form(fields)| fields)
        .map_err(|rejection| {
            let status = rejection.status();
            let (code, detail) = if status == StatusCode::PAYLOAD_TOO_LARGE {
                (
                    "too_large",
                    "The form is larger than 256 kB. Nothing was sent; go back and shorten it.",
                )
            } else {
                (
                    "malformed_body",
                    "The form cannot be read. Go back and send it again.",
                )
            };
            Failure::new(status, code, detail).into_response()
        })
}

impl Posted {
    /// The text of a field; empty when it was not sent.
    fn text(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, text)| text.trim())
    }

    /// The form's hidden submission number; a new one when it is missing, as with a client that fills the form by itself.
    fn submission(&self) -> SubmissionId {
        self.text("submission")
            .parse()
            .unwrap_or_else(|_| SubmissionId(uuid::Uuid::now_v7()))
    }

    /// The version of the noun that the page showed; 0 never fits.
    fn version(&self) -> i64 {
        self.text("version").parse().unwrap_or(0)
    }

    /// Shows `page` again with what was wrong.
    async fn refuse(&self, state: &AppState, page: &str, error: portal::Error) -> Response {
        let failure = Failure::from(error);
        let submitted = self.submitted().refused(failure.problem.clone());
        show(state, &self.parts, page, submitted, failure.status()).await
    }

    /// What was typed, to show it again; what looks like a private key never comes back.
    fn submitted(&self) -> Submitted {
        let values: IndexMap<String, String> = self
            .fields
            .iter()
            .filter(|(_, text)| !is_private_key(text))
            .cloned()
            .collect();
        Submitted {
            path: self.parts.uri.path().to_owned(),
            submission: self.text("submission").parse().ok(),
            values,
            ..Submitted::default()
        }
    }
}

/// True for what must not be shown again, even to the person who pasted it.
fn is_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY")
}

/// The path parameter of a route as an id; a text that is none cannot name anything.
fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, portal::Error> {
    text.parse().map_err(|_| portal::Error::NotFound { what })
}

/// The page that a post at `path` belongs to: without its last segment.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| parent)
}
