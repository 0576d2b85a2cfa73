//! The HTTP surface: what every request goes through, whatever it asks for: faults on order, the way to its handler, common headers, the request log.

mod actions;
mod callers;
mod control;
mod deployments;
pub(crate) mod errors;
pub(crate) mod filter;
pub(crate) mod headers;
pub(crate) mod ids;
pub(crate) mod json;
mod polling;
mod resources;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;
use url::Url;

use crate::auth::{Authority, SigningKey, Workloads};
use crate::engine;
use crate::engine::clock::Clock;
use crate::engine::limits::Limits;
use crate::faults::{self, Orders};
use crate::providers::{images, locks};
use crate::requests::{Entry, Log};
use crate::server::Files;
use crate::state::journal::Journal;
use crate::state::model::{Change, Settings, World};
use crate::state::{State, plant};
use crate::{Config, Error, prices, seed};
use errors::Refusal;
use headers::Ids;

/// The largest request body, a deployment's template included.
const LARGEST_BODY: usize = 5 << 20;

/// The whole simulator, shared by all connections.
pub(crate) struct App {
    pub(crate) state: Arc<State>,
    pub(crate) authority: Authority,
    pub(crate) log: Log,
    /// Without a slash at the end.
    pub(crate) origin: String,
    router: std::sync::OnceLock<Router>,
}

/// The answer that is no answer: the connection is closed instead.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on order")]
pub(crate) struct Dropped;

/// How a request came in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Over the endpoint's own scheme.
    Encrypted,
    /// Over http, to a simulator whose endpoint is https.
    Plain,
    /// From this process, without a connection.
    Within,
}

/// What travels with a request from the outer layer to its handler.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) ids: Ids,
    pub(crate) orders: Orders,
}

impl App {
    pub(crate) fn open(
        config: &Config,
        files: &mut Files,
        endpoint: &Url,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(Arc<App>, JoinHandle<()>), Error> {
        let origin = endpoint.as_str().trim_end_matches('/').to_owned();
        let mut world = World::default();
        world.settings = Settings {
            subscriptions: config.subscriptions.clone(),
            cores: config.cores.map(i64::from),
        };
        let lock = files.take_lock();
        let journal = match &files.directory {
            Some(directory) => Journal::open(directory, lock, &mut world)?,
            None => Journal::none(),
        };
        let fresh = world.groups().next().is_none();
        let clock = Clock::new(config.time, world.ahead_ms(), config.speed);
        let state = Arc::new(State::new(
            world,
            journal,
            clock,
            Limits::new(config.throttle),
        ));
        if fresh {
            plant::plant(&state)?;
        }
        if let Some(rules) = files.faults()? {
            let (taken, _) = state.write(|tx| {
                tx.apply(Change::Faults(Arc::new(rules)));
                Ok(())
            });
            taken.map_err(|refusal| Error::Config(refusal.problem.message))?;
        }
        let app = Arc::new(App {
            state: state.clone(),
            authority: Authority {
                key: SigningKey::read(&files.token_key)?,
                client_secret: files.client_secret.clone(),
                workloads: Workloads::new(files.directory.clone(), &origin),
                origin: origin.clone(),
            },
            log: Log::open(files.directory.as_deref())?,
            origin,
            router: std::sync::OnceLock::new(),
        });
        let running = tokio::spawn(engine::run(state.clone(), stopped.clone()));
        let closing = tokio::spawn(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
            let _ = running.await;
            // Connections have up to 2 seconds to end; what they still change after this snapshot goes to nobody.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = tokio::task::spawn_blocking(move || state.close()).await;
        });
        Ok((app, closing))
    }

    fn router(self: &Arc<Self>) -> Router {
        self.router
            .get_or_init(|| {
                Router::new()
                    .route("/metadata/endpoints", get(metadata))
                    .route("/images/aliases.json", get(aliases))
                    .route("/api/retail/prices", get(retail))
                    .route("/workloads/.well-known/openid-configuration", get(issuer))
                    .route("/workloads/openid/v1/jwks", get(issuer_keys))
                    .route("/{tenant}/.well-known/openid-configuration", get(openid))
                    .route(
                        "/{tenant}/v2.0/.well-known/openid-configuration",
                        get(openid),
                    )
                    .route("/{tenant}/discovery/v2.0/keys", get(keys))
                    .route("/{tenant}/discovery/keys", get(keys))
                    .route("/common/discovery/instance", get(discovery))
                    .route("/{tenant}/oauth2/v2.0/token", post(token))
                    .route("/{tenant}/oauth2/token", post(token))
                    .merge(
                        control::router().layer(axum::middleware::from_fn_with_state(
                            self.clone(),
                            callers::in_control,
                        )),
                    )
                    .fallback(manage)
                    .with_state(self.clone())
            })
            .clone()
    }

    /// Answers one request, or drops its connection.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Body>,
        way: Way,
    ) -> Result<Response, Dropped> {
        if let Err(refusal) = callers::known_host(&request, way, &self.origin) {
            return Ok(refusal.into_response());
        }
        let began = tokio::time::Instant::now();
        let ids = Ids::read(request.headers());
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let control = path.starts_with("/_sim/");
        let api_version = request
            .uri()
            .query()
            .into_iter()
            .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()))
            .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))
            .map_or_else(String::new, |(_, value)| value.chars().take(40).collect());
        let orders = if control {
            Orders::default()
        } else {
            faults::for_request(&self.state, method.as_str(), &path)
        };
        if orders.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(orders.delay_ms)).await;
        }
        let (response, seen) = if orders.drop_before {
            (errors::Refusal::bad("Dropped", "").into_response(), false)
        } else if let Some(refusal) = orders.refusal.clone() {
            (refusal.into_response(), true)
        } else {
            let mut request = request;
            request.extensions_mut().insert(way);
            request.extensions_mut().insert(Around {
                ids: ids.clone(),
                orders: orders.clone(),
            });
            let answered = self.router().oneshot(request).await;
            let Ok(response) = answered;
            (response, !orders.drop_after)
        };
        let mut response = if way == Way::Plain {
            over_http(response, &self.origin).await
        } else {
            response
        };
        ids.write(
            response.headers_mut(),
            seed::REGIONS[0],
            self.state.clock.now(),
        );
        if !control {
            self.log.add(Entry {
                seq: 0,
                time: self.state.clock.now(),
                method: method.to_string(),
                path,
                api_version,
                status: if orders.drop_before {
                    0
                } else {
                    response.status().as_u16()
                },
                dropped: !seen,
                request_id: ids.request.to_string(),
                client_request_id: ids.client_request.clone(),
                correlation_id: ids.correlation.clone(),
                ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
        }
        if !seen {
            return Err(Dropped);
        }
        if orders.truncate {
            return Ok(truncated(response).await);
        }
        Ok(response)
    }
}

/// Whoever came over plain http is led on over http: poll addresses, next pages, Entra's documents.
async fn over_http(response: Response, origin: &str) -> Response {
    let Some(rest) = origin.strip_prefix("https://") else {
        return response;
    };
    let here = format!("http://{rest}");
    let (mut parts, body) = response.into_parts();
    for value in parts.headers.values_mut() {
        let changed = value
            .to_str()
            .ok()
            .filter(|text| text.contains(origin))
            .and_then(|text| HeaderValue::from_str(&text.replace(origin, &here)).ok());
        if let Some(changed) = changed {
            *value = changed;
        }
    }
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(origin) => Body::from(text.replace(origin, &here)),
        _ => Body::from(bytes),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// Half of the body under the whole one's length: the client notices that the connection ends too early.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let half = bytes.slice(..bytes.len() / 2);
    let broken = async { Err(std::io::Error::other("truncated on order")) };
    let stream = futures::stream::once(async move { Ok::<Bytes, std::io::Error>(half) });
    let stream = futures::StreamExt::chain(stream, futures::stream::once(broken));
    Response::from_parts(parts, Body::from_stream(stream))
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "api-version", default)]
    api_version: String,
}

async fn metadata(Shared(app): Shared<Arc<App>>, Query(version): Query<Version>) -> Response {
    headers::json(
        StatusCode::OK,
        &app.authority.metadata(&version.api_version),
    )
}

/// The short names of images that `az vm create --image` takes.
async fn aliases() -> Response {
    headers::json(StatusCode::OK, &images::aliases())
}

async fn openid(Shared(app): Shared<Arc<App>>, Path(tenant): Path<String>) -> Response {
    headers::json(StatusCode::OK, &app.authority.openid_configuration(&tenant))
}

async fn issuer(Shared(app): Shared<Arc<App>>) -> Response {
    headers::json(StatusCode::OK, &app.authority.workloads.configuration())
}

async fn issuer_keys(Shared(app): Shared<Arc<App>>) -> Response {
    match app.authority.workloads.keys() {
        Ok(keys) => headers::json(StatusCode::OK, &keys),
        Err(error) => Refusal::broken(&error).into_response(),
    }
}

async fn keys(Shared(app): Shared<Arc<App>>, Path(tenant): Path<String>) -> Response {
    headers::json(StatusCode::OK, &app.authority.keys(&tenant))
}

async fn discovery(Shared(app): Shared<Arc<App>>) -> Response {
    let body = serde_json::json!({
        "tenant_discovery_endpoint": format!("{}/{}/v2.0/.well-known/openid-configuration", app.origin, seed::TENANT),
        "api-version": "1.1",
        "metadata": [],
    });
    headers::json(StatusCode::OK, &body)
}

async fn token(Shared(app): Shared<Arc<App>>, Path(tenant): Path<String>, form: Bytes) -> Response {
    match app.authority.token(&tenant, &form, app.state.clock.now()) {
        Ok(body) => headers::json(StatusCode::OK, &body),
        Err((status, body)) => headers::json(status, &body),
    }
}

#[derive(Deserialize)]
struct Retail {
    #[serde(rename = "$filter", default)]
    filter: String,
    #[serde(rename = "$skip", default)]
    skip: usize,
    #[serde(rename = "currencyCode", default)]
    currency: String,
}

async fn retail(Shared(app): Shared<Arc<App>>, Query(query): Query<Retail>) -> Response {
    match prices::query(&query.filter, &query.currency, query.skip, &app.origin) {
        Ok(body) => headers::json(StatusCode::OK, &body),
        Err(refusal) => refusal.into_response(),
    }
}

/// Everything else is the resource manager.
async fn manage(Shared(app): Shared<Arc<App>>, request: Request<Body>) -> Response {
    match ask(&app, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

/// A request to the resource manager, read.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Of the path, decoded.
    pub(crate) segments: Vec<String>,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    pub(crate) api_version: String,
    pub(crate) headers: HeaderMap,
    body: Bytes,
    pub(crate) around: Around,
}

impl Ask {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body. Azure reads JSON as JavaScript writes it, and `az deployment` sends templates so: comments, names without quotes.
    pub(crate) fn json(&self) -> Result<serde_json::Value, Refusal> {
        let refuse = |reason: &str| {
            Refusal::bad(
                "InvalidRequestContent",
                format!(
                    "The request content was invalid and could not be deserialized: '{reason}'."
                ),
            )
        };
        if !json::is_shallow(&self.body) {
            return Err(refuse(&json::too_deep()));
        }
        let value: serde_json::Value = serde_json::from_slice(&self.body)
            .or_else(|error| {
                let text = std::str::from_utf8(&self.body).unwrap_or_default();
                json5::from_str(text).map_err(|_| error)
            })
            .map_err(|error| refuse(&error.to_string()))?;
        if json::depth(&value) > json::DEEPEST {
            return Err(refuse(&json::too_deep()));
        }
        Ok(value)
    }

    /// Lower case, for matching.
    pub(crate) fn at(&self, index: usize) -> String {
        self.segments
            .get(index)
            .map(|segment| segment.to_ascii_lowercase())
            .unwrap_or_default()
    }
}

async fn ask(app: &Arc<App>, request: Request<Body>) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    app.authority.check(&parts.headers, app.state.clock.now())?;
    let bytes = axum::body::to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| {
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestContentTooLarge",
                format!(
                    "The request content size exceeds the maximum size of {LARGEST_BODY} bytes."
                ),
            )
        })?;
    let path = parts.uri.path().to_owned();
    let segments: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .map(|segment| {
            percent_encoding::percent_decode_str(segment)
                .decode_utf8()
                .map(|text| text.into_owned())
                .unwrap_or_default()
        })
        .collect();
    if segments.iter().any(|segment| {
        segment.is_empty()
            || segment == ".."
            || segment == "."
            || segment.contains('/')
            || segment.chars().any(char::is_control)
    }) {
        return Err(Refusal::bad(
            "InvalidRequestUri",
            "The request URI is invalid: it has an empty, relative or unprintable segment.",
        ));
    }
    let query: Vec<(String, String)> = parts
        .uri
        .query()
        .into_iter()
        .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let around = parts
        .extensions
        .get::<Around>()
        .cloned()
        .unwrap_or_else(|| Around {
            ids: Ids::read(&parts.headers),
            orders: Orders::default(),
        });
    let mut ask = Ask {
        method: parts.method,
        segments,
        path,
        query,
        api_version: String::new(),
        headers: parts.headers,
        body: bytes,
        around,
    };
    ask.api_version = ask.query("api-version").unwrap_or_default().to_owned();
    if ask.api_version.is_empty() {
        return Err(Refusal::bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
        .by_gateway());
    }
    let subscription = (ask.at(0) == "subscriptions").then(|| ask.at(1));
    let left = match &subscription {
        Some(id) if !id.is_empty() => Some(app.state.limits.take(
            id,
            &ask.method,
            app.state.clock.now(),
        )?),
        _ => None,
    };
    let now = app.state.clock.now();
    let compute = app.state.limits.take_compute(&ask.method, &ask.path, now)?;
    let open = app
        .state
        .read(|world, _| locks::allow(world, &ask.method, &ask.path));
    let routed = match open {
        Ok(()) => routes::route(app, &ask).await,
        Err(locked) => Err(locked),
    };
    let mut response = match routed {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    if let Some(left) = left {
        left.write(response.headers_mut());
    }
    if let Some(told) = compute {
        headers::set(
            response.headers_mut(),
            "x-ms-ratelimit-remaining-resource",
            &told,
        );
    }
    Ok(response.into_response())
}
