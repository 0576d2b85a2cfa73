//! Pages: rendered by `app`, given the actor, the nonce and, after a refused POST, what was typed.

use app::Assets;
use app::forms::Submitted;
use app::session::CurrentActor;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use leptos::nonce::Nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes as _, generate_route_list};

use super::request_id::RequestId;
use super::security::PageNonce;
use super::{AppState, Failure};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let routes = generate_route_list(app::App);
    Router::new()
        .leptos_routes_with_context(state, routes, context(state), app::shell)
        .fallback(unknown)
        .layer(from_fn(sign_in_first))
}

/// Puts into leptos' context what the pages and server functions of this request need.
fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        provide_context(state.portal.clone());
        provide_context::<Assets>(state.assets.clone());
        provide_context(state.notice.clone());
        let Some(parts) = use_context::<Parts>() else {
            return;
        };
        let extensions = &parts.extensions;
        provide_context(
            extensions
                .get::<CurrentActor>()
                .cloned()
                .unwrap_or_default(),
        );
        if let Some(PageNonce(nonce)) = extensions.get::<PageNonce>() {
            provide_context(Nonce::from_value(nonce.clone()));
        }
        if let Some(id) = extensions.get::<RequestId>() {
            provide_context(id.clone());
        }
        if let Some(submitted) = extensions.get::<Submitted>() {
            provide_context(submitted.clone());
        }
    }
}

/// A path that no route knows: the page that says so, or a problem document for programs.
async fn unknown(State(state): State<AppState>, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return Failure::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is nothing at this address; /api/openapi.json lists what there is.",
        )
        .into_response();
    }
    let mut response = render(&state, request).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

async fn render(state: &AppState, request: Request) -> Response {
    leptos_axum::render_app_async_stream_with_context(context(state), app::shell)(request).await
}

/// Answers a POST with the page at `page`, showing what was typed and what was wrong.
pub(super) async fn show(
    state: &AppState,
    parts: &Parts,
    page: &str,
    submitted: Submitted,
    status: StatusCode,
) -> Response {
    let Ok(uri) = page.parse::<Uri>() else {
        return Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_address",
            "This address cannot be shown.",
        )
        .into_response();
    };
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    *request.headers_mut() = parts.headers.clone();
    *request.extensions_mut() = parts.extensions.clone();
    request.extensions_mut().insert(submitted);
    let mut response = render(state, request).await;
    *response.status_mut() = status;
    response
}

/// Answers with *see other*; only paths of this site, whatever the form said.
pub(super) fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, safe_path(path))]).into_response()
}

/// A path of this site that is safe in a header, or the start page.
pub(super) fn safe_path(path: &str) -> String {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && path.starts_with('/') && !path.starts_with("//") {
        path.to_owned()
    } else {
        "/".to_owned()
    }
}

/// Sends whoever is not signed in to the sign-in page, and back afterwards.
async fn sign_in_first(request: Request, next: Next) -> Response {
    let signed_in = matches!(
        request.extensions().get::<CurrentActor>(),
        Some(CurrentActor(Some(_)))
    );
    let path = request.uri().path();
    let public = path == "/sign-in" || path.starts_with("/docs") || path.starts_with("/api/");
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    if signed_in || public || !reads {
        return next.run(request).await;
    }
    let wanted = request
        .uri()
        .path_and_query()
        .map_or("/", |wanted| wanted.as_str());
    if wanted == "/" {
        return see("/sign-in");
    }
    let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    see(&format!("/sign-in?next={next}"))
}

#[cfg(test)]
mod tests {
    use super::safe_path;

    #[test]
    fn a_form_cannot_send_people_to_another_site() {
        assert_eq!(
            safe_path("/requests?state=denied"),
            "/requests?state=denied"
        );
        for foreign in [
            "https://example.com/",
            "//example.com/",
            "/\\example.com",
            "/a\r\nset-cookie: x=1",
            "",
            "javascript:alert(1)",
        ] {
            assert_eq!(safe_path(foreign), "/", "{foreign}");
        }
    }
}
