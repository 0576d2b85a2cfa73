//! Headers that every ARM answer carries (facts: azure.md 4.1, 4.7), and the bodies they describe. Throttling's own arithmetic is in `engine/limits.rs`.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// Who asks, as far as ids go.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) request: Uuid,
    pub(crate) correlation: String,
    pub(crate) client_request: Option<String>,
    echo: bool,
}

impl Ids {
    pub(crate) fn read(headers: &HeaderMap) -> Ids {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                // Ids are shown and logged: a client cannot make them pages long.
                .filter(|value| value.len() <= 128)
                .map(str::to_owned)
        };
        Ids {
            request: Uuid::new_v4(),
            correlation: text("x-ms-correlation-request-id")
                .unwrap_or_else(|| Uuid::new_v4().to_string()),
            client_request: text("x-ms-client-request-id"),
            echo: text("x-ms-return-client-request-id")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        }
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap, region: &str, now: OffsetDateTime) {
        set(headers, "x-ms-request-id", &self.request.to_string());
        set(headers, "x-ms-correlation-request-id", &self.correlation);
        let stamp = format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            now.year(),
            u8::from(now.month()),
            now.day(),
            now.hour(),
            now.minute(),
            now.second()
        );
        set(
            headers,
            "x-ms-routing-request-id",
            &format!("{}:{stamp}:{}", region.to_uppercase(), self.request),
        );
        if let (true, Some(id)) = (self.echo, &self.client_request) {
            set(headers, "x-ms-client-request-id", id);
        }
        for (name, value) in [
            ("cache-control", "no-cache"),
            ("pragma", "no-cache"),
            ("expires", "-1"),
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-cache", "CONFIG_NOCACHE"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
    }
}

/// Sets a header whose value we made; one that cannot be written is left out.
pub(crate) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
