//! HTTP: which request meets which layers in which order, and where pages, forms, REST, assets and health checks begin.

mod actor;
mod assets;
mod deadlines;
mod forms;
mod health;
mod members;
mod origin;
mod pages;
mod problem;
mod rates;
mod refusals;
mod request_id;
mod security;
mod session;
mod streams;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use app::session::Installation as Notice;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use leptos::config::LeptosOptions;
use portal::Portal;
use tokio_util::sync::CancellationToken;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::trace::TraceLayer;

use deadlines::Deadlines;
use rates::Rates;
use refusals::Refusals;
use request_id::RequestId;

pub(crate) use actor::{Credential, SignedIn};
pub(crate) use problem::{Failure, Json, NoBody, Query};
pub(crate) use session::DatabaseSessions;
pub(crate) use streams::OpenStream;

use crate::installation::Installation;
use crate::limits::Limits;
use crate::{api, sandbox};

/// The largest body that is read: the longest form is a few kilobytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What every handler may ask for.
#[derive(Clone, FromRef)]
pub(crate) struct AppState {
    pub(crate) portal: Portal,
    pub(crate) leptos: LeptosOptions,
    assets: app::Assets,
    notice: Notice,
    hosts: security::Hosts,
    rates: Rates,
    /// How many different Idempotency-Keys one person may use within a day.
    pub(crate) keys_per_day: u32,
    /// How long a call may take.
    pub(crate) longest_call: std::time::Duration,
    pub(crate) streams: streams::Streams,
    pub(crate) sessions: DatabaseSessions,
    /// Cancelled when the process is asked to end: streams end with it.
    pub(crate) stop: CancellationToken,
}

/// Everything that listens on one port.
pub(crate) fn router(
    installation: &Installation,
    address: SocketAddr,
    public_url: &url::Url,
    limits: &Limits,
    stop: CancellationToken,
) -> Result<Router> {
    let sessions = DatabaseSessions::new(installation.store.clone(), installation.portal.clone());
    let state = AppState {
        portal: installation.portal.clone(),
        leptos: LeptosOptions::builder()
            .output_name("slipway")
            .site_addr(address)
            .build(),
        assets: assets::names()?,
        notice: Notice {
            sandbox: installation.sandbox,
            personas: if installation.sandbox {
                sandbox::personas()
            } else {
                Vec::new()
            },
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        hosts: security::Hosts::new(address, public_url),
        rates: Rates::new(limits),
        keys_per_day: limits.keys_per_day,
        longest_call: limits.handler_timeout,
        streams: streams::Streams::new(limits.streams_per_person),
        sessions: sessions.clone(),
        stop,
    };
    let refusals = Refusals::start(state.stop.clone());
    let people = pages::router(&state)
        .merge(forms::router())
        .layer(from_fn_with_state(state.clone(), rates::by_caller))
        .layer(from_fn_with_state(state.clone(), actor::from_session))
        .layer(session::layer(sessions.clone(), !installation.sandbox))
        .layer(map_response(session::told));
    let programs = api::router(&state)?
        .layer(from_fn_with_state(state.clone(), rates::by_caller))
        .layer(from_fn_with_state(
            state.clone(),
            actor::from_token_or_session,
        ))
        .layer(session::layer(sessions, !installation.sandbox))
        .layer(map_response(session::told));
    let deadlines = Deadlines {
        body: limits.body_timeout,
        handler: limits.handler_timeout,
    };
    // From the inside out: a request meets the last of these first.
    let router = Router::new()
        .merge(people)
        .merge(programs)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CsrfLayer::new().with_rejection_response(security::cross_site))
        .layer(from_fn_with_state(state.clone(), security::known_host))
        .layer(option_layer(
            installation
                .sandbox
                .then(|| from_fn(security::not_by_proxy)),
        ))
        .merge(assets::router())
        .layer(from_fn_with_state(state.clone(), rates::by_address))
        // Whoever keeps the process running asks often, from an address that clients may share.
        .merge(health::router())
        .layer(from_fn(security::short_address))
        .layer(from_fn_with_state(deadlines, deadlines::keep))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(problem::complete))
        .layer(from_fn(security::headers))
        .layer(CompressionLayer::new())
        .layer(from_fn(origin::tell))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(from_fn_with_state(refusals, refusals::log))
        .layer(from_fn(request_id::name))
        .with_state(state);
    Ok(router)
}

/// The span of one request: never its query or headers, which may hold what people typed.
fn span(request: &axum::extract::Request) -> tracing::Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("-", |RequestId(id)| id);
    // An address is no place for a key, but people paste.
    let path = match request.uri().path() {
        path if path.len() > security::ADDRESS => "(too long)",
        path if types::secret::looks_private(path) => "(a private key)",
        path => path,
    };
    tracing::info_span!("request", method = %request.method(), path, id)
}

/// How long a stream stays silent before a comment keeps it open, and how long it may go without asking what its actor may read.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(10);
