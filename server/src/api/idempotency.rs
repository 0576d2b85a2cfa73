//! `Idempotency-Key`: the same POST sent twice is done once and answered twice.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portal::{Idempotency, Portal};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use types::actor::Actor;
use types::ids::SubmissionId;
use uuid::Uuid;

use crate::http::Failure;

const HEADER: &str = "idempotency-key";

/// Does `work` once for the key in `headers`; without a key, every time.
///
/// `what` and `body` tell two requests apart: the same key with another request is refused.
pub(super) async fn once<T: Serialize, F: Future<Output = Result<T, portal::Error>>>(
    portal: &Portal,
    actor: &Actor,
    headers: &HeaderMap,
    what: &str,
    body: &impl Serialize,
    status: StatusCode,
    work: F,
) -> Result<Response, Failure> {
    let Some(key) = key(headers)? else {
        return Ok(answer(status, &json(&work.await?)?, false));
    };
    let mut hash = Sha256::new();
    hash.update(what.as_bytes());
    hash.update([0]);
    hash.update(json(body)?.as_bytes());
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match portal.begin_idempotent(actor, key, &hash).await? {
        Idempotency::New => {}
        Idempotency::InProgress => {
            return Err(Failure::new(
                StatusCode::CONFLICT,
                "in_progress",
                "The same request with this Idempotency-Key is being worked on. Ask again in a second.",
            ));
        }
        Idempotency::Mismatch => {
            return Err(Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request. Take a new key for a new request.",
            ));
        }
        Idempotency::Answered { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(answer(status, &body, true));
        }
    }
    let (status, body, failure) = match work.await {
        Ok(value) => (status, json(&value)?, None),
        Err(error) => {
            let failure = Failure::from(error);
            (failure.status(), json(&failure.problem)?, Some(failure))
        }
    };
    portal
        .finish_idempotent(actor, key, status.as_u16(), &body)
        .await?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(answer(status, &body, false)),
    }
}

/// The submission number for a keyed request: the same for the same key, so that even a crash between doing and answering makes one request. It counts
/// among the actor's own only, so that nobody takes it before them.
pub(super) fn submission(headers: &HeaderMap) -> Result<SubmissionId, Failure> {
    Ok(SubmissionId(match key(headers)? {
        Some(key) => Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()),
        None => Uuid::now_v7(),
    }))
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    match headers.get(HEADER).map(HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(key)) if !key.trim().is_empty() && key.len() <= 255 => Ok(Some(key.trim())),
        Some(_) => Err(Failure::field(
            "Idempotency-Key",
            "An Idempotency-Key has 1 to 255 visible ASCII characters; a UUID is a good one.",
        )),
    }
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong inside Slipway. It was logged.",
        )
    })
}

fn answer(status: StatusCode, body: &str, again: bool) -> Response {
    let kind = if status.is_success() {
        "application/json"
    } else {
        "application/problem+json"
    };
    let mut response = (status, [(CONTENT_TYPE, kind)], body.to_owned()).into_response();
    if again {
        response
            .headers_mut()
            .insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}
