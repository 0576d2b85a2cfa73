//! The id of one call: the client's where it is short and plain, else a new one. Answers, log lines and problem documents bear it.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use types::secret::looks_private;

/// The header, in both directions.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client: it goes into every line of the log.
const LONGEST: usize = 64;

/// In the extensions of every request.
pub(super) use app::session::RequestId;

/// Names the call.
pub(super) async fn name(mut request: Request, next: Next) -> Response {
    let id = given(request.headers())
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), ToOwned::to_owned);
    let header = HeaderValue::from_str(&id).ok();
    request.headers_mut().remove(HEADER);
    request.extensions_mut().insert(RequestId(id.into()));
    let mut response = next.run(request).await;
    if let Some(header) = header {
        response.headers_mut().insert(HEADER, header);
    }
    response
}

/// The client's own id, where it sent one that is fit for a log.
fn given(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(HEADER).iter();
    let id = all.next()?.to_str().ok()?;
    let plain = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    // People paste anywhere, and a short key has the shape of an id.
    let fit = plain && (1..=LONGEST).contains(&id.len()) && !looks_private(id);
    (all.next().is_none() && fit).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_taken() {
        let of = |texts: &[&str]| {
            let mut headers = HeaderMap::new();
            for text in texts {
                headers.append(HEADER, HeaderValue::from_bytes(text.as_bytes()).unwrap());
            }
            given(&headers).map(ToOwned::to_owned)
        };
        assert_eq!(of(&["ci-1234.a_B"]).as_deref(), Some("ci-1234.a_B"));
        assert_eq!(of(&["a".repeat(64).as_str()]), Some("a".repeat(64)));
        for foreign in [
            &[][..],
            &[""],
            &["a".repeat(65).as_str()],
            &["a b"],
            &["a\",\"level\":\"INFO"],
            &["a\tb"],
            &["ä"],
            // The head of a key that was made for this test and thrown away.
            &["MC4CAQAwBQYDK2VwBCIEIHLLJ3gW0Bk0gqEwjYyVtRG9bR7dP4vTQb8zCq0k6SmE"],
            &["a", "b"],
        ] {
            assert_eq!(of(foreign), None, "{foreign:?}");
        }
    }
}
