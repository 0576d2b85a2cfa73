//! The browser's half as the binary carries it: hashed names that never change, in the encoding that the browser takes.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use super::AppState;

/// What `cargo xtask site` made; a debug build reads the folder at run time.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../site"]
#[allow_missing = true]
struct Site;

/// The hashed names, as pages ask for them.
pub(super) fn names() -> Result<app::Assets> {
    let file = Site::get("assets.json")
        .context("this binary was built without its pages; build it with `cargo xtask build`")?;
    let names: serde_json::Value = serde_json::from_slice(&file.data)?;
    let name = |key: &str| {
        names[key]
            .as_str()
            .map(ToOwned::to_owned)
            .with_context(|| format!("site/assets.json does not name {key}"))
    };
    Ok(app::Assets {
        css: name("css")?,
        js: name("js")?,
        wasm: name("wasm")?,
    })
}

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/assets/{file}", get(asset))
        .route(
            "/favicon.svg",
            get(|headers| file("favicon.svg".to_owned(), headers)),
        )
        .route(
            "/robots.txt",
            get(|| async { "User-agent: *\nDisallow: /\n" }),
        )
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mut response = file(format!("assets/{name}"), headers).await;
    if response.status().is_success() {
        // The name is a hash of the content.
        response.headers_mut().insert(CACHE_CONTROL, immutable());
    }
    response
}

fn immutable() -> axum::http::HeaderValue {
    axum::http::HeaderValue::from_static("public, max-age=31536000, immutable")
}

async fn file(path: String, headers: HeaderMap) -> Response {
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let takes = |coding: &str| {
        accepted.split(',').any(|part| {
            part.split(';')
                .next()
                .is_some_and(|name| name.trim() == coding)
        })
    };
    let mime = mime_guess::from_path(&path)
        .first_or_octet_stream()
        .to_string();
    for (coding, suffix) in [("br", ".br"), ("gzip", ".gz"), ("", "")] {
        if !coding.is_empty() && !takes(coding) {
            continue;
        }
        let Some(file) = Site::get(&format!("{path}{suffix}")) else {
            continue;
        };
        let mut response = (
            [(CONTENT_TYPE, mime)],
            [(VARY, "accept-encoding")],
            file.data.into_owned(),
        )
            .into_response();
        if !coding.is_empty() {
            response.headers_mut().insert(
                CONTENT_ENCODING,
                axum::http::HeaderValue::from_static(coding),
            );
        }
        return response;
    }
    StatusCode::NOT_FOUND.into_response()
}
