//! Who may talk to the simulator, beyond what Azure itself asks: no page of another site, under no foreign name. What a token is worth is decided in `auth`.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};

use super::errors::Refusal;
use super::{App, Way};

/// Refuses a request for another host. A browser that was made to believe that a foreign name is this machine (DNS rebinding) still sends that name.
pub(super) fn known_host(request: &Request, way: Way, origin: &str) -> Result<(), Refusal> {
    if way == Way::Within {
        return Ok(());
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str))
        .unwrap_or_default();
    let (address, port) = address(origin);
    let known = [
        address.to_owned(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
    ];
    if known.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "UnknownHost",
        format!("The simulator answers for {address} and localhost:{port} only."),
    ))
}

/// The address and the port of an origin such as `https://127.0.0.1:4443`.
fn address(origin: &str) -> (&str, &str) {
    let address = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    (address, port)
}

/// Guards `/_sim`, which changes what Azure never lets anybody change: a token of this simulator's authority, no page of another site, and bodies as JSON,
/// which a page cannot send elsewhere without asking first.
pub(super) async fn in_control(
    Shared(app): Shared<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    // Whoever holds the simulator itself needs no token of it.
    if request.extensions().get() == Some(&Way::Within) {
        return next.run(request).await;
    }
    let allowed = same_site(request.headers(), &app.origin)
        .and_then(|()| {
            app.authority
                .check(request.headers(), app.state.clock.now())
        })
        .and_then(|()| sends_json(&request));
    match allowed {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn same_site(headers: &HeaderMap, origin: &str) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (address, _) = address(origin);
    let own_page = |page: &str| {
        page.split_once("://")
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(address))
    };
    let foreign = text("origin").is_some_and(|page| !own_page(page))
        || text("sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site));
    if foreign {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "ForeignOrigin",
            "Pages of other sites may not use the simulator's control surface.",
        ));
    }
    Ok(())
}

fn sends_json(request: &Request) -> Result<(), Refusal> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default()
        .trim();
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::DELETE
    ) || kind.eq_ignore_ascii_case("application/json")
    {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        "Send JSON, with Content-Type: application/json.",
    ))
}
