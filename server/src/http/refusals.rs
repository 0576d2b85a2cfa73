//! Refused calls in the log: one line each, and few enough that nobody fills a disk with them. The audit record is not written here.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::sync::CancellationToken;
use types::actor::{Actor, ActorKind};

use super::problem::Code;
use super::rates::address;
use super::request_id::RequestId;

/// Lines of one person or address in a minute.
const LINES: u32 = 10;
/// Lines of all in a minute.
const LINES_IN_ALL: u32 = 300;
/// Persons and addresses that are counted one by one.
const CALLERS: usize = 10_000;
const MINUTE: Duration = Duration::from_secs(60);

/// Who called, as far as it is known: in the extensions of answers.
#[derive(Clone)]
pub(super) struct Caller {
    subject: String,
    token: Option<String>,
}

impl Caller {
    pub(super) fn of(actor: &Actor) -> Self {
        Self {
            subject: actor.subject.clone(),
            token: match &actor.kind {
                ActorKind::Token { id } => Some(id.to_string()),
                ActorKind::Person | ActorKind::System => None,
            },
        }
    }
}

/// Writes a line for each refused call, within limits.
pub(super) async fn log(
    State(refusals): State<Refusals>,
    request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions();
    let source = address(extensions);
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    let route = extensions.get::<MatchedPath>().cloned();
    let id = extensions.get::<RequestId>().cloned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status();
    let caller = response.extensions().get::<Caller>();
    if !is_refusal(status, caller, route.as_ref()) {
        return response;
    }
    let key = caller.map_or(Key::Address(source), |caller| {
        Key::Person(caller.subject.clone())
    });
    if !refusals.inner().may_write(key, Instant::now()) {
        return response;
    }
    let code = response.extensions().get::<Code>();
    // Without the span of the call, whose path names what was asked for: the route does, and the id leads to the rest.
    tracing::warn!(
        parent: None,
        actor = caller.map(|caller| caller.subject.as_str()),
        token = caller.and_then(|caller| caller.token.as_deref()),
        address = peer.map(|peer| peer.to_string()),
        method = method.as_str(),
        route = route.as_ref().map_or("-", MatchedPath::as_str),
        status = status.as_u16(),
        code = code.map(|Code(code)| code.as_str()),
        request_id = id.as_ref().map(|RequestId(id)| &**id),
        "a call was refused"
    );
    response
}

/// What counts as refused. A 404 does where a person asks for something by its id: whether it exists is not said, here neither.
fn is_refusal(status: StatusCode, caller: Option<&Caller>, route: Option<&MatchedPath>) -> bool {
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::MISDIRECTED_REQUEST
        | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_FOUND => caller.is_some() && route.is_some(),
        _ => false,
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Person(String),
    Address(IpAddr),
    /// All who find no place of their own.
    Others,
}

#[derive(Default)]
struct Count {
    lines: u32,
    more: u64,
}

/// How many lines were written in this minute, and for whom.
#[derive(Clone)]
pub(super) struct Refusals(Arc<Mutex<Inner>>);

struct Inner {
    began: Instant,
    lines: u32,
    callers: HashMap<Key, Count>,
}

impl Refusals {
    /// Counts until `stop`; a task tells every minute what was left out.
    pub(super) fn start(stop: CancellationToken) -> Self {
        let refusals = Self(Arc::new(Mutex::new(Inner::new(Instant::now()))));
        tokio::spawn({
            let refusals = refusals.clone();
            async move {
                while stop
                    .run_until_cancelled(tokio::time::sleep(MINUTE))
                    .await
                    .is_some()
                {
                    refusals.inner().end_minute(Instant::now());
                }
                refusals.inner().end_minute(Instant::now());
            }
        });
        refusals
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            lines: 0,
            callers: HashMap::new(),
        }
    }

    fn may_write(&mut self, key: Key, now: Instant) -> bool {
        if now.duration_since(self.began) >= MINUTE {
            self.end_minute(now);
        }
        let has_place = self.callers.len() < CALLERS || self.callers.contains_key(&key);
        let key = if has_place { key } else { Key::Others };
        let count = self.callers.entry(key).or_default();
        if count.lines >= LINES || self.lines >= LINES_IN_ALL {
            count.more += 1;
            return false;
        }
        count.lines += 1;
        self.lines += 1;
        true
    }

    /// Tells what was left out, and begins anew.
    fn end_minute(&mut self, now: Instant) {
        let callers = std::mem::take(&mut self.callers);
        let mut left: Vec<(Key, u64)> = callers
            .into_iter()
            .filter(|(_, count)| count.more > 0)
            .map(|(key, count)| (key, count.more))
            .collect();
        left.sort_by_key(|(_, more)| std::cmp::Reverse(*more));
        let rest: u64 = left.iter().skip(LINES as usize).map(|(_, more)| more).sum();
        left.truncate(LINES as usize);
        if rest > 0 {
            left.push((Key::Others, rest));
        }
        for (key, more) in left {
            let (actor, address) = match &key {
                Key::Person(subject) => (Some(subject.as_str()), None),
                Key::Address(address) => (None, Some(address.to_string())),
                Key::Others => (None, None),
            };
            tracing::warn!(
                parent: None,
                actor,
                address,
                more,
                "more calls were refused in the last minute"
            );
        }
        *self = Self::new(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_fills_the_disk() {
        let start = Instant::now();
        let mut inner = Inner::new(start);
        let person = || Key::Person("reader".to_owned());
        let written = (0..2_636)
            .filter(|_| inner.may_write(person(), start))
            .count();
        assert_eq!(written, 10);
        assert_eq!(inner.callers[&person()].more, 2_626);
        // A hundred thousand addresses neither.
        let written = (0..100_000_u32)
            .filter(|index| {
                let address = IpAddr::from((0x0a00_0000 + index).to_be_bytes());
                inner.may_write(Key::Address(address), start)
            })
            .count();
        assert_eq!(written, 290);
        assert!(inner.callers.len() <= CALLERS + 1);
        // Next minute, everybody is heard again.
        assert!(inner.may_write(person(), start + MINUTE));
    }
}
