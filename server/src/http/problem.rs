//! Failures of HTTP itself, and how every failure becomes a problem document (RFC 9457).

use std::any::Any;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use types::problem::{FieldError, Problem};

use super::members::doubled;

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
            // The parser's message names line, column and what was expected; it quotes at most a field's name or an enum's word.
            _ => (
                "malformed_body",
                format!(
                    "The body cannot be read as what is expected here: {}.",
                    rejection.body_text()
                ),
            ),
        };
        Failure::new(rejection.status(), code, detail)
    }
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

/// A query; what cannot be read is a problem document.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "malformed_query",
                format!("The query cannot be read: {}.", rejection.body_text()),
            )),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
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
