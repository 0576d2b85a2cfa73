//! The one way out: every request to Azure goes through [`Transport::send`], which adds token and ids, waits its turn, retries where that is safe,
//! and refuses to carry a token to another origin.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH,
};
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::config::{Config, Endpoints, Timeouts};
use crate::credential::{Token, TokenSource};
use crate::error::{Detail, Error, ErrorKind, Result, body};
use crate::throttle::{Budget, Throttle, wait};
use crate::wire::{Failure, Received, Wire};

/// Requests in flight at once; more would only queue at Azure and time out there.
const IN_FLIGHT: usize = 48;
/// Attempts of one call, the first included.
const ATTEMPTS: u32 = 4;
/// A longer wait than this belongs to the caller, who can store it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Connections, tokens, turns. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport {
    shared: Arc<Shared>,
}

struct Shared {
    wire: Wire,
    endpoints: Endpoints,
    timeouts: Timeouts,
    tokens: TokenSource,
    throttle: Throttle,
    in_flight: Semaphore,
}

/// One call.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Value>,
    pub(crate) kind: CallKind,
    pub(crate) repeat: Repeat,
    /// The ETag that the resource must still have.
    pub(crate) if_match: Option<HeaderValue>,
}

/// What a call counts as in Azure's rate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallKind {
    Read,
    Poll,
    Write,
    Delete,
    /// The price list: no token, no ARM limits.
    Anonymous,
}

/// What may be done when no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is as good as once.
    Safe,
    /// It may have been done: the caller must look first.
    Unsafe,
}

impl Call {
    pub(crate) fn get(url: Url, kind: CallKind) -> Self {
        Self::new(Method::GET, url, kind, Repeat::Safe)
    }

    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url, CallKind::Delete, Repeat::Safe)
    }

    pub(crate) fn put(url: Url, body: Value, repeat: Repeat) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::PUT, url, CallKind::Write, repeat)
        }
    }

    /// An action; repeated only when the caller knows that it only reads.
    pub(crate) fn post(url: Url, body: Option<Value>, repeat: Repeat) -> Self {
        Self {
            body,
            ..Self::new(Method::POST, url, CallKind::Write, repeat)
        }
    }

    pub(crate) fn new(method: Method, url: Url, kind: CallKind, repeat: Repeat) -> Self {
        Self {
            method,
            url,
            body: None,
            kind,
            repeat,
            if_match: None,
        }
    }
}

/// A 2xx answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) async_operation: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
}

/// Why an attempt did not bring a 2xx, and whether another may follow.
struct Miss {
    error: Error,
    again: bool,
}

impl Transport {
    pub(crate) fn new(config: Config) -> Result<Self> {
        config.endpoints.check()?;
        let wire = match config.carrier.clone() {
            Some(carrier) => Wire::Within(carrier),
            None => Wire::Https(client(&config)?),
        };
        let tokens = TokenSource::new(&config, wire.clone())?;
        Ok(Self {
            shared: Arc::new(Shared {
                wire,
                tokens,
                endpoints: config.endpoints,
                timeouts: config.timeouts,
                throttle: Throttle::default(),
                in_flight: Semaphore::new(IN_FLIGHT),
            }),
        })
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.shared.endpoints
    }

    pub(crate) fn budgets(&self) -> Vec<Budget> {
        self.shared.throttle.budgets()
    }

    /// How long a call like this one would wait behind the others.
    pub(crate) fn crowd(&self, call: &Call) -> Duration {
        self.shared.throttle.crowd(call)
    }

    pub(crate) async fn check_token(&self) -> Result<()> {
        self.shared.tokens.token().await.map(|_| ())
    }

    /// An ARM address. `path` is made of checked ids and constants only.
    pub(crate) fn url(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.shared.endpoints.resource_manager.clone();
        url.set_path(path);
        url.query_pairs_mut()
            .append_pair("api-version", api_version)
            .extend_pairs(query);
        url
    }

    /// An address that Azure gave: only at the configured endpoint.
    pub(crate) fn own_url(&self, text: &str) -> Result<Url> {
        same_origin(&self.shared.endpoints.resource_manager, text)
    }

    /// Sends a call and returns its 2xx answer. What comes back as `Err` has been retried where that was safe.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer> {
        let home = match call.kind {
            CallKind::Anonymous => &self.shared.endpoints.prices,
            _ => &self.shared.endpoints.resource_manager,
        };
        same_origin(home, call.url.as_str())?;
        let deadline = Instant::now() + self.shared.timeouts.call;
        let mut attempt = 1;
        let mut renewed = false;
        let mut lost = false;
        loop {
            let miss = match self.attempt(&call, deadline, &mut renewed).await {
                Ok(answer) => return Ok(answer),
                Err(miss) => miss,
            };
            lost |= miss.error.kind() == ErrorKind::LostAnswer;
            let wait = miss
                .error
                .retry_after()
                .unwrap_or_else(|| wait::backoff(attempt));
            let time_left =
                wait < deadline.saturating_duration_since(Instant::now()) && wait <= LONGEST_WAIT;
            if !miss.again || attempt >= ATTEMPTS || !time_left {
                return Err(miss.error.after(lost));
            }
            tracing::debug!(
                method = %call.method, path = call.url.path(), attempt, wait_ms = wait.as_millis() as u64,
                code = miss.error.code(), "Azure call is tried again"
            );
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        deadline: Instant,
        renewed: &mut bool,
    ) -> std::result::Result<Answer, Miss> {
        let never_sent = |error| Miss {
            error,
            again: false,
        };
        self.shared
            .throttle
            .turn(call, deadline)
            .await
            .map_err(|late| never_sent(late.into()))?;
        let slot = self.shared.in_flight.acquire();
        let Ok(Ok(_slot)) = tokio::time::timeout_at(deadline, slot).await else {
            return Err(never_sent(Error::new(
                ErrorKind::Throttled,
                "OwnQueueFull",
                "Slipway's own queue of calls is full: those in flight took too long. The call was not sent.",
            )));
        };
        let token = match call.kind {
            CallKind::Anonymous => None,
            // A credential may retry by itself for minutes.
            _ => match tokio::time::timeout_at(deadline, self.shared.tokens.token()).await {
                Ok(Ok(token)) => Some(token),
                Ok(Err(error)) => {
                    let again = error.kind() == ErrorKind::Unavailable;
                    return Err(Miss { error, again });
                }
                Err(_) => {
                    return Err(never_sent(Error::new(
                        ErrorKind::Unavailable,
                        "AuthorityTimeout",
                        "The authority gave no token in time; nothing was sent to Azure.",
                    )));
                }
            },
        };
        let sent = Instant::now();
        let Received {
            status,
            headers,
            body: bytes,
        } = match self.exchange(call, token.as_ref()).await {
            Ok(answer) => answer,
            Err(failure) => return Err(no_answer(call, &failure)),
        };
        tracing::debug!(
            method = %call.method, path = call.url.path(), status, ms = sent.elapsed().as_millis() as u64,
            request = text(&headers, "x-ms-request-id"), "Azure answered"
        );
        self.shared.throttle.learn(call, &headers);
        if (200..300).contains(&status) {
            return read(call, status, headers, &bytes);
        }
        let error = Error::answer(status, body::read(status, &bytes))
            .with_ids(
                text(&headers, "x-ms-request-id"),
                text(&headers, "x-ms-correlation-request-id"),
            )
            .with_retry_after(wait::asked_for(&headers));
        if status == 429 {
            let wait = error.retry_after().unwrap_or(Duration::from_secs(5));
            self.shared.throttle.pause(call, &headers, &error, wait);
        }
        // A token that ARM no longer takes (rotated keys, revoked session) is asked for anew, once.
        if status == 401
            && !*renewed
            && let Some(token) = &token
        {
            *renewed = true;
            self.shared.tokens.forget(token);
            return Err(Miss {
                error: error.with_retry_after(Some(Duration::ZERO)),
                again: true,
            });
        }
        Err(refused(call, error))
    }

    /// Sends once and reads the whole answer.
    async fn exchange(
        &self,
        call: &Call,
        token: Option<&Token>,
    ) -> std::result::Result<Received, Failure> {
        let mut request = http::Request::builder()
            .method(call.method.clone())
            .uri(call.url.as_str())
            .header("x-ms-client-request-id", uuid::Uuid::new_v4().to_string());
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| Failure::Unsent("the token cannot be sent in a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(etag) = &call.if_match {
            request = request.header(IF_MATCH, etag.clone());
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                body.to_string().into_bytes()
            }
            None => Vec::new(),
        };
        // ARM answers 411 to a POST or PUT without a length.
        if body.is_empty() && matches!(call.method, Method::POST | Method::PUT) {
            request = request.header(CONTENT_LENGTH, 0);
        }
        let request = request
            .body(body)
            .map_err(|error| Failure::Unsent(error.to_string()))?;
        self.shared.wire.send(request).await
    }
}

fn no_answer(call: &Call, failure: &Failure) -> Miss {
    let host = call.url.host_str().unwrap_or_default();
    match failure {
        Failure::Unsent(why) => Miss {
            error: Error::new(
                ErrorKind::Unavailable,
                "Unreachable",
                format!("{host} cannot be reached: {why}"),
            ),
            again: true,
        },
        Failure::Lost(why) if call.method == Method::GET || call.method == Method::HEAD => Miss {
            error: Error::new(
                ErrorKind::Unavailable,
                "NoAnswer",
                format!("{host} did not answer: {why}"),
            ),
            again: true,
        },
        Failure::Lost(why) => Miss {
            error: lost(format!(
                "{host} did not answer ({why}), and may have done what it was asked: look before asking again."
            )),
            again: call.repeat == Repeat::Safe,
        },
    }
}

/// An answer that is an error: which kind it is for a write, and whether to try again.
fn refused(call: &Call, error: Error) -> Miss {
    let status = error.status().unwrap_or_default();
    let reads = matches!(call.method, Method::GET | Method::HEAD);
    let passing = matches!(status, 408 | 500 | 502 | 503 | 504);
    if status == 429 {
        // Refused before anything was done, whatever the method.
        return Miss { error, again: true };
    }
    if passing && call.repeat == Repeat::Unsafe && !reads {
        return Miss {
            error: error.into_lost(),
            again: false,
        };
    }
    Miss {
        error,
        again: passing,
    }
}

fn lost(message: String) -> Error {
    Error::new(ErrorKind::LostAnswer, "LostAnswer", message)
}

fn read(
    call: &Call,
    status: u16,
    headers: HeaderMap,
    bytes: &[u8],
) -> std::result::Result<Answer, Miss> {
    let body = if bytes.iter().all(u8::is_ascii_whitespace) {
        Value::Null
    } else {
        // Some hosts send a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(_) if call.method == Method::GET => {
                return Err(Miss {
                    error: Error::bad_answer(format!(
                        "Azure answered {status} with a body that is not JSON."
                    )),
                    again: false,
                });
            }
            Err(_) => {
                return Err(Miss {
                    error: lost(format!(
                        "Azure answered {status} with a body that is not JSON: look before asking again."
                    )),
                    again: false,
                });
            }
        }
    };
    Ok(Answer::new(status, headers, body))
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Value) -> Self {
        Self {
            status,
            retry_after: wait::asked_for(&headers),
            async_operation: text(&headers, "azure-asyncoperation"),
            location: text(&headers, "location"),
            request_id: text(&headers, "x-ms-request-id"),
            correlation_id: text(&headers, "x-ms-correlation-request-id"),
            headers,
            body,
        }
    }
}

impl Error {
    /// The error of the last attempt, where an earlier one of a write may have been done (`lost`): what could come right by waiting must be looked at first.
    fn after(self, lost: bool) -> Self {
        let passing = self.is_retryable() || self.kind() == ErrorKind::Unauthorized;
        if !lost || !passing {
            return self;
        }
        let detail = Detail {
            code: "LostAnswer".to_owned(),
            message: format!(
                "An earlier attempt got no answer and may have done what it was asked, and the last one failed ({}: {}): look before asking again.",
                self.code(),
                self.message()
            ),
            ..Detail::default()
        };
        Self::lost_with(self, detail)
    }

    /// The same error of a write that may have been done all the same.
    fn into_lost(self) -> Self {
        let detail = Detail {
            code: "LostAnswer".to_owned(),
            message: format!(
                "Azure answered with an error that does not say whether it was done ({}: {}): look before asking again.",
                self.code(),
                self.message()
            ),
            ..Detail::default()
        };
        Self::lost_with(self, detail)
    }
}

pub(crate) fn same_origin(home: &Url, text: &str) -> Result<Url> {
    let url = home.join(text).map_err(|_| {
        Error::new(
            ErrorKind::ForeignPollUrl,
            "ForeignPollUrl",
            "Azure gave an address that is no address.",
        )
    })?;
    if url.origin() != home.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(Error::new(
            ErrorKind::ForeignPollUrl,
            "ForeignPollUrl",
            format!(
                "An address at `{}` was given, but the configured endpoint is `{}`: nothing was sent there.",
                url.host_str().unwrap_or("nowhere"),
                home.host_str().unwrap_or_default()
            ),
        ));
    }
    Ok(url)
}

pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn client(config: &Config) -> Result<Client> {
    let mut builder = Client::builder()
        .connect_timeout(config.timeouts.connect)
        .timeout(config.timeouts.attempt)
        .pool_idle_timeout(Duration::from_secs(60))
        // A redirect would carry the token to wherever it points.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .https_only(true);
    let endpoints = &config.endpoints;
    if is_loopback(&endpoints.resource_manager) && is_loopback(&endpoints.authority) {
        builder = builder.no_proxy();
    }
    if let Some(pem) = &config.extra_roots_pem {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| Error::config(format!("the extra roots cannot be read: {error}")))?;
        if roots.is_empty() {
            return Err(Error::config("the extra roots hold no certificate"));
        }
        for root in roots {
            builder = builder.add_root_certificate(root);
        }
    }
    builder
        .build()
        .map_err(|error| Error::config(format!("no https client can be made: {error}")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
