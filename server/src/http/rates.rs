//! How many calls one person and one address may make: token buckets, and the 429 that says when to come back.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use app::session::CurrentActor;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Extensions, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portal::network;

use super::Failure;
use crate::buckets::Buckets;
use crate::limits::{Limits, Rate};

/// What making a plan costs, in reading calls: about 3 ms of a processor, where reading a list takes less than one.
const PLAN: u32 = 10;
/// What going through the whole audit record costs, in reading calls.
const RECORD: u32 = 50;

/// What opening a request costs, in reading calls: while it waits, its plan is judged by the rules of now.
const REQUEST: u32 = 3;

/// What a page of the approvals queue costs, in reading calls: one for each request that it may judge. A plan costs more, but the portal makes that of one
/// request at most once in five seconds, whoever looks at whatever page; a page that is looked at again finds most of them made.
const QUEUE: u32 = portal::JUDGED_A_PAGE;

/// Routes that cost more than one call. A form that is sent makes a plan too, but writing calls are scarcer than plans.
const COSTLY: [(&str, u32); 17] = [
    ("/api/v1/plans", PLAN),
    ("/ui/check", PLAN),
    ("/ui/request-form", PLAN),
    ("/catalogue/{name}/request", PLAN),
    ("/requests/{id}/edit", PLAN),
    ("/requests/{id}", REQUEST),
    ("/requests/{id}/{action}", REQUEST),
    ("/approvals", QUEUE),
    ("/api/v1/approvals", QUEUE),
    ("/ui/approvals", QUEUE),
    ("/api/v1/requests/{id}", REQUEST),
    ("/ui/request", REQUEST),
    ("/ui/request-page", REQUEST),
    ("/api/v1/audit/check", RECORD),
    ("/api/v1/audit/export", RECORD),
    ("/ui/audit-check", RECORD),
    ("/audit", RECORD),
];

/// Every bucket of this process.
#[derive(Clone)]
pub(crate) struct Rates(Arc<Inner>);

struct Inner {
    calls: Option<Buckets<IpAddr>>,
    failures: Option<Buckets<IpAddr>>,
    writes: Option<Buckets<String>>,
    reads: Option<Buckets<String>>,
    strangers_writes: Option<Buckets<IpAddr>>,
    strangers_reads: Option<Buckets<IpAddr>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Read,
    Write,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (strangers_writes, strangers_reads) = limits.strangers();
        Self(Arc::new(Inner {
            calls: limits.calls_of_an_address().map(Buckets::new),
            failures: limits.failures_of_an_address().map(Buckets::new),
            writes: limits.writes().map(Buckets::new),
            reads: limits.reads().map(Buckets::new),
            strangers_writes: strangers_writes.map(Buckets::new),
            strangers_reads: strangers_reads.map(Buckets::new),
        }))
    }

    /// Counts a failed sign-in or a bad token. A good one is never refused for the bad ones of others at its address.
    ///
    /// # Errors
    /// 429 where the address has had too many.
    pub(super) fn failed(&self, extensions: &Extensions) -> Result<(), Failure> {
        take(
            self.0.failures.as_ref(),
            address(extensions),
            1,
            "failed sign-ins and bad tokens of your network address",
        )
    }

    fn call(&self, extensions: &Extensions) -> Result<(), Failure> {
        take(
            self.0.calls.as_ref(),
            address(extensions),
            1,
            "calls of your network address",
        )
    }

    fn caller(&self, request: &Request) -> Result<(), Failure> {
        let (class, tokens) = class(request);
        let inner = &self.0;
        match request.extensions().get::<CurrentActor>() {
            Some(CurrentActor(Some(actor))) => {
                let (buckets, what) = match class {
                    Class::Write => (&inner.writes, "changing calls of yours"),
                    Class::Read => (&inner.reads, "reading calls of yours"),
                };
                take(buckets.as_ref(), actor.subject.clone(), tokens, what)
            }
            _ => {
                let buckets = match class {
                    Class::Write => &inner.strangers_writes,
                    Class::Read => &inner.strangers_reads,
                };
                take(
                    buckets.as_ref(),
                    address(request.extensions()),
                    tokens,
                    "calls of your network address without signing in",
                )
            }
        }
    }
}

fn take<K: Eq + std::hash::Hash>(
    buckets: Option<&Buckets<K>>,
    key: K,
    tokens: u32,
    what: &str,
) -> Result<(), Failure> {
    let Some(buckets) = buckets else {
        return Ok(());
    };
    buckets
        .take(key, tokens)
        .map_err(|wait| too_many(what, buckets.rate(), wait))
}

fn too_many(what: &str, rate: Rate, wait: Duration) -> Failure {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        format!(
            "Too many {what}: {} a second, {} at once. Nothing was changed; wait {seconds} s and go on.",
            rate.per_second, rate.burst
        ),
    )
    .retry_after(seconds)
}

/// The address that calls, as far as it tells clients apart.
pub(super) fn address(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            network(peer.ip())
        })
}

/// Server functions and dry runs are POSTs that change nothing.
fn class(request: &Request) -> (Class, u32) {
    let path = request.uri().path();
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) || path.starts_with("/ui/")
        || path == "/api/v1/plans";
    if !reads {
        return (Class::Write, 1);
    }
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(path, MatchedPath::as_str);
    let tokens = COSTLY
        .iter()
        .find(|(costly, _)| *costly == route)
        .map_or(1, |(_, tokens)| *tokens);
    (Class::Read, tokens)
}

/// Before anything is looked up: the calls of one address.
pub(super) async fn by_address(
    State(rates): State<Rates>,
    request: Request,
    next: Next,
) -> Response {
    match rates.call(request.extensions()) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// Once it is known who calls: the calls of one person, or of one address without a person.
pub(super) async fn by_caller(
    State(rates): State<Rates>,
    request: Request,
    next: Next,
) -> Response {
    match rates.caller(&request) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}
