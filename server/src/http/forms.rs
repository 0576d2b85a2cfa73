//! The browser's changes: plain HTML forms, each answered with *see other*, or with the page again, saying what was wrong and holding what was typed.

mod accounts;
mod operations;
mod projects;
mod requests;
mod stacks;

use app::forms::{SHAPES, Submitted, draft};
use app::session::CurrentActor;
use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use indexmap::IndexMap;
use types::actor::Actor;
use types::ids::SubmissionId;
use types::problem::FieldError;
use types::secret::{looks_private, refusal};

use super::pages::{no_secrets_in_addresses, see, show};
use super::{AppState, Failure};

/// Most fields of a form: the longest has a few dozen.
const FIELDS: usize = 500;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .merge(accounts::router())
        .merge(requests::router())
        .merge(stacks::router())
        .merge(operations::router())
        .merge(projects::router())
        .layer(from_fn(no_secrets_in_addresses))
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
        let mut fields = fields(Request::from_parts(parts.clone(), body), state).await?;
        let secrets = forget_secrets(&mut fields);
        let posted = Self {
            actor,
            fields,
            parts,
        };
        if secrets.is_empty() {
            Ok(posted)
        } else {
            Err(posted.refuse_secrets(state, secrets).await)
        }
    }
}

/// The fields of a posted form, in order.
async fn fields(request: Request, state: &AppState) -> Result<Vec<(String, String)>, Response> {
    let fields = axum::Form::<Vec<(String, String)>>::from_request(request, state)
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
        })?;
    if fields.len() > FIELDS {
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("The form has more than {FIELDS} fields. Nothing was sent."),
        )
        .into_response());
    }
    Ok(fields)
}

/// Empties every field that holds a private key and says which: it goes no further than here, and does not come back.
fn forget_secrets(fields: &mut Vec<(String, String)>) -> Vec<FieldError> {
    let mut found = Vec::new();
    fields.retain_mut(|(name, text)| {
        if looks_private(name) {
            found.push(refusal(""));
            return false;
        }
        if looks_private(text) {
            // A remedy names the field that it is about.
            let field = match (name.as_str(), text.split_once('=')) {
                ("fix", Some((field, _))) => field,
                _ => name,
            };
            found.push(refusal(field));
            text.clear();
        }
        true
    });
    found
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

    /// Shows the page at the address that was posted to, without the private keys that were in the form. No handler sees such a form.
    async fn refuse_secrets(&self, state: &AppState, errors: Vec<FieldError>) -> Response {
        let failure = Failure::from(portal::Error::Invalid { errors });
        let is_request = self.fields.iter().any(|(name, _)| name == SHAPES);
        let submitted = Submitted {
            draft: is_request.then(|| draft(&self.fields)),
            errors: failure.problem.errors.clone(),
            problem: Some(failure.problem.clone()),
            ..self.submitted()
        };
        let page = self.address();
        show(state, &self.parts, &page, submitted, failure.status()).await
    }

    /// The address that was posted to, with its query: the request form reads the template's version from there.
    fn address(&self) -> String {
        self.parts
            .uri
            .path_and_query()
            .map_or_else(|| self.parts.uri.path().to_owned(), ToString::to_string)
    }

    /// What was typed, to show it again.
    fn submitted(&self) -> Submitted {
        let values: IndexMap<String, String> = self.fields.iter().cloned().collect();
        Submitted {
            path: self.parts.uri.path().to_owned(),
            submission: self.text("submission").parse().ok(),
            values,
            ..Submitted::default()
        }
    }
}

/// The path parameter of a route as an id; a text that is none cannot name anything.
fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, portal::Error> {
    text.parse().map_err(|_| portal::Error::NotFound { what })
}

/// The page that a post at `path` belongs to: without its last segment.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| parent)
}
