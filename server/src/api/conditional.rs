//! `ETag` and `If-Match`: a change names the version that was read.

use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::Failure;

/// An answer with the version as its entity tag, `"v7"`.
pub(super) fn tagged(version: i64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"v{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The version that the client read, from `If-Match`.
pub(super) fn version(headers: &HeaderMap) -> Result<i64, Failure> {
    let Some(tag) = headers.get(IF_MATCH) else {
        return Err(Failure::new(
            StatusCode::PRECONDITION_REQUIRED,
            "version_required",
            "Send the ETag of the request that you read as If-Match, so that nobody's change is lost.",
        ));
    };
    tag.to_str()
        .ok()
        .and_then(|tag| tag.trim().trim_matches('"').strip_prefix('v')?.parse().ok())
        .ok_or_else(|| {
            Failure::field(
                "If-Match",
                "If-Match is an ETag of this API, such as \"v3\".",
            )
        })
}
