//! What every answer carries and every request must show: Content-Security-Policy with a nonce, strict headers, a known Host.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_http::csrf::ProtectionError;

use super::Failure;

/// The nonce of one page: in its header and on its script.
#[derive(Clone)]
pub(super) struct PageNonce(pub(super) Arc<str>);

/// Sets the headers of every answer.
pub(super) async fn headers(mut request: Request, next: Next) -> Response {
    let nonce: Arc<str> = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()).into();
    request.extensions_mut().insert(PageNonce(nonce.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // 'wasm-unsafe-eval' lets the browser compile WebAssembly and nothing else; 'strict-dynamic' lets the nonced script import its module.
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    // Browsers ignore it over http, so it may always be sent.
    headers.insert(
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000"),
    );
    // Pages and answers belong to one person; what may be cached said so already.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what a proxy handed on, in the sandbox: behind a proxy the loopback address says nothing about who asks, and anybody may be admin here.
pub(super) async fn not_by_proxy(request: Request, next: Next) -> Response {
    let handed_on = request.headers().keys().any(|name| by_proxy(name.as_str()));
    if !handed_on {
        return next.run(request).await;
    }
    Failure::new(
        StatusCode::FORBIDDEN,
        "sandbox_behind_proxy",
        "The sandbox lets anybody sign in as anybody, so it answers on this machine only and not behind a proxy.",
    )
    .into_response()
}

/// The answer to a change that another site's page asks for.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the error over"
)]
pub(super) fn cross_site(error: ProtectionError) -> Response {
    tracing::debug!(%error, "a change from another site was refused");
    Failure::new(
        StatusCode::FORBIDDEN,
        "cross_site",
        "Only pages of this installation may change something with your session. A program sends a bearer token, and no Origin or Sec-Fetch-Site of another site.",
    )
    .into_response()
}

/// Whether a proxy, gateway or content network tells by this header for whom it speaks. Some write underscores, as CGI does.
fn by_proxy(name: &str) -> bool {
    let name = name.replace('_', "-");
    BY_PROXIES.contains(&&*name) || OF_PROXIES.iter().any(|start| name.starts_with(start))
}

const BY_PROXIES: [&str; 21] = [
    "forwarded",
    "forwarded-for",
    "via",
    "client-ip",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-originating-ip",
    "x-coming-from",
    "x-proxyuser-ip",
    "x-nf-client-connection-ip",
    "x-arr-log-id",
    "true-client-ip",
    "fastly-client-ip",
    "do-connecting-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "ali-cdn-real-ip",
    "disguised-host",
];

/// How the headers begin that one product has several of.
const OF_PROXIES: [&str; 10] = [
    "x-forwarded",
    "x-original-",
    "x-envoy-",
    "x-azure-",
    "x-amzn-",
    "x-appengine-",
    "x-vercel-",
    "cf-",
    "cloudfront-",
    "fly-",
];

/// Longest path and query of a request, in bytes: ids, filters and a cursor. Nothing is looked for in what is longer.
pub(super) const ADDRESS: usize = 8_192;

/// Refuses an address that is longer than any of Slipway's, before anything reads it.
pub(super) async fn short_address(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) <= ADDRESS {
        return next.run(request).await;
    }
    Failure::new(
        StatusCode::URI_TOO_LONG,
        "address_too_long",
        format!("The address is longer than {ADDRESS} bytes. Send what is long in the body."),
    )
    .into_response()
}

/// The hosts that this installation answers for.
#[derive(Clone)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(super) fn new(address: SocketAddr, public_url: &url::Url) -> Self {
        let port = address.port();
        let mut hosts = vec![
            address.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
        ];
        if let Some(host) = public_url.host_str() {
            hosts.push(match public_url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            });
        }
        Self(hosts.into())
    }
}

/// What a request says twice, or in two ways, of the things that decide whether it is let in: two readers would believe different ones (RFC 9112, 3.2).
fn said_twice(request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    let twice = [
        (HOST, "Host"),
        (ORIGIN, "Origin"),
        (HeaderName::from_static("sec-fetch-site"), "Sec-Fetch-Site"),
    ]
    .into_iter()
    .find(|(name, _)| headers.get_all(name).iter().nth(1).is_some())
    .map(|(_, shown)| shown);
    twice.or_else(|| {
        let target = request.uri().authority()?.as_str();
        let host = headers.get(HOST)?.as_bytes();
        (!host.eq_ignore_ascii_case(target.as_bytes())).then_some("Host")
    })
}

/// Refuses a request for another host: a foreign name that was made to point here (DNS rebinding) must not act as the person in front.
pub(super) async fn known_host(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(header) = said_twice(&request) {
        return Failure::new(
            StatusCode::BAD_REQUEST,
            "ambiguous_header",
            format!("The request names more than one {header}. Send one."),
        )
        .into_response();
    }
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(axum::http::uri::Authority::as_str)
        })
        .unwrap_or_default();
    if hosts.0.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return next.run(request).await;
    }
    Failure::new(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown_host",
        "Slipway does not answer for this host. Use the address that it printed at start, or set --public-url.",
    )
    .into_response()
}
