//! Failures of HTTP itself, and how every failure becomes a problem document (RFC 9457).

use std::any::Any;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, REFERER, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use types::problem::{FieldError, Problem};
use types::secret::{looks_private, refusal};

use super::members::doubled;
use super::request_id::RequestId;

/// A refused or failed request, as REST answers it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) problem: Problem,
    retry_after: Option<u64>,
}

impl Failure {
    /// A failure that HTTP alone knows of; what the application refuses comes from [`portal::Error`].
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self {
            problem: Problem {
                kind: format!("/docs/problems#{code}"),
                title,
                status: status.as_u16(),
                detail: detail.into(),
                code: code.to_owned(),
                errors: Vec::new(),
                trace_id: None,
            },
            retry_after: None,
        }
    }

    /// One bad field of a query or header.
    pub(crate) fn field(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail.clone());
        failure.problem.errors = vec![FieldError {
            field: field.to_owned(),
            message: detail,
            code: "invalid".to_owned(),
        }];
        failure
    }

    /// The same, to be tried again after so many seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<portal::Error> for Failure {
    fn from(error: portal::Error) -> Self {
        let retry_after = match &error {
            portal::Error::Unavailable { retry_after, .. } => {
                retry_after.map(|wait| wait.as_secs().max(1))
            }
            _ => None,
        };
        Self {
            problem: error.problem(),
            retry_after,
        }
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        let (code, detail) = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("too_large", "The body is larger than 256 kB.".to_owned())
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported_media_type",
                "Send JSON, with `Content-Type: application/json`.".to_owned(),
            ),
            // The parser's message names line, column and what was expected, and quotes what it found.
            _ => match quoted(&rejection.body_text()) {
                Ok(message) => (
                    "malformed_body",
                    format!("The body cannot be read as what is expected here: {message}."),
                ),
                Err(failure) => return *failure,
            },
        };
        Failure::new(rejection.status(), code, detail)
    }
}

/// Longest message of a parser that is repeated, in characters.
const QUOTED: usize = 300;

/// How much of it is looked at for a private key: what is quoted, and enough behind it to know a key by.
const HEARD: usize = 16_384;

/// What a parser says, if it quotes no private key.
fn quoted(message: &str) -> Result<String, Box<Failure>> {
    // A parser repeats a whole string where it expected another type: what is judged has an end too.
    let heard: String = message.chars().take(HEARD).collect();
    if looks_private(&heard) {
        let errors = vec![refusal("")];
        return Err(Box::new(portal::Error::Invalid { errors }.into()));
    }
    let mut quoted: String = heard.chars().take(QUOTED).collect();
    if quoted.len() < message.len() {
        quoted.push('…');
    }
    Ok(quoted)
}

/// The parts of a query that hold a private key.
pub(super) fn secrets(query: &str) -> Vec<FieldError> {
    let mut found: Vec<FieldError> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, text)| looks_private(name) || looks_private(text))
        .map(|(name, _)| refusal(&name))
        .collect();
    if found.is_empty() && looks_private(query) {
        found.push(refusal(""));
    }
    found
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response =
            (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"slipway\""),
            );
        }
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// JSON in and out; what cannot be read is a problem document.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), state)
            .await
            .map_err(JsonRejection::from)?;
        if let Some(name) = doubled(&body) {
            if looks_private(&name) {
                let errors = vec![refusal("")];
                return Err(portal::Error::Invalid { errors }.into());
            }
            let name: String = name.chars().take(60).collect();
            return Err(Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "malformed_body",
                format!(
                    "The body names the member {name:?} twice in one object. Say once which value is meant."
                ),
            ));
        }
        let request = Request::from_parts(parts, body.into());
        let axum::Json(value) = axum::Json::<T>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// For a call that takes no body. An empty object and `null`, which some clients always send, say nothing either; what says something is refused, because
/// nothing would be done with it.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(JsonRejection::from)?;
        let says = match serde_json::from_slice(&body) {
            Ok(serde_json::Value::Object(members)) => members.into_iter().next(),
            Ok(serde_json::Value::Null) => None,
            Err(_) if body.trim_ascii().is_empty() => None,
            _ => {
                return Err(Failure::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "malformed_body",
                    "This call takes no body.",
                ));
            }
        };
        match says {
            None => Ok(Self),
            Some((name, _)) if looks_private(&name) => {
                let errors = vec![refusal("")];
                Err(portal::Error::Invalid { errors }.into())
            }
            Some((name, _)) => {
                let name: String = name.chars().take(60).collect();
                Err(Failure::field(
                    &name,
                    format!("This call takes no body, and does nothing with {name:?}."),
                ))
            }
        }
    }
}

/// A query; what cannot be read is a problem document.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let errors = secrets(parts.uri.query().unwrap_or_default());
        if !errors.is_empty() {
            return Err(portal::Error::Invalid { errors }.into());
        }
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "malformed_query",
                format!(
                    "The query cannot be read: {}.",
                    quoted(&rejection.body_text()).map_err(|failure| *failure)?
                ),
            )),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The `code` of a problem document, in the extensions of its answer: for the log.
#[derive(Clone)]
pub(super) struct Code(pub(super) String);

/// The largest problem document; the errors of a form's fields are the bulk of the largest.
const LARGEST: usize = 4 * 1024 * 1024;

/// Completes what every failure must have, whoever made it: a body that is a problem document, the id of the call in it, and the status that it names.
pub(super) async fn complete(mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    if request.uri().path().starts_with("/ui/") {
        // leptos answers a server function that a form calls with a redirect there; ours are called by scripts only.
        request.headers_mut().remove(ACCEPT);
        request.headers_mut().remove(REFERER);
    }
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    // Server functions name no content type.
    let of_function = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if of_function || kind.starts_with("application/problem+json") {
        return with_id(response, id, of_function).await;
    }
    if kind.is_empty() || kind.starts_with("text/plain") {
        let (parts, _) = response.into_parts();
        let (code, detail) = plain(status);
        let mut answer = Failure::new(status, code, detail).into_response();
        for (name, value) in &parts.headers {
            if name != CONTENT_TYPE && name != CONTENT_LENGTH {
                answer.headers_mut().append(name, value.clone());
            }
        }
        *answer.extensions_mut() = parts.extensions;
        return with_id(answer, id, false).await;
    }
    response
}

/// Code and detail of what a library refused without a word.
fn plain(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (
            "not_found",
            "There is nothing at this address, or you may not see it.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "This address takes other methods; the Allow header and /api/openapi.json list them.",
        ),
        status if status.is_server_error() => (
            "internal",
            "Something went wrong inside Slipway. It was logged.",
        ),
        _ => (
            "malformed_request",
            "The request cannot be read. Check its address, headers and body.",
        ),
    }
}

/// Puts the id of the call into a problem document, and gives the answer of a server function the status that its failure names.
async fn with_id(response: Response, id: Option<RequestId>, of_function: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, LARGEST).await else {
        return Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The answer is too large to be sent.",
        )
        .into_response();
    };
    let Ok(serde_json::Value::Object(mut problem)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(parts, bytes.into());
    };
    if let Some(RequestId(id)) = id {
        problem.insert("trace_id".to_owned(), (&*id).into());
    }
    if let Some(code) = problem.get("code").and_then(serde_json::Value::as_str) {
        parts.extensions.insert(Code(code.to_owned()));
    }
    if of_function {
        let status = problem.get("status").and_then(serde_json::Value::as_u64);
        let status =
            status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
        if let Some(status) =
            status.filter(|status| status.is_client_error() || status.is_server_error())
        {
            parts.status = status;
        }
        parts.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
    }
    parts.headers.remove(CONTENT_LENGTH);
    match serde_json::to_vec(&problem) {
        Ok(text) => Response::from_parts(parts, text.into()),
        Err(_) => Response::from_parts(parts, bytes.into()),
    }
}

/// The answer when a handler panicked: logged whole, told as a fault of ours.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!(panic = text, "a handler panicked");
    Failure::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong inside Slipway. It was logged.",
    )
    .into_response()
}
