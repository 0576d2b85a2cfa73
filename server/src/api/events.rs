//! Event streams (server-sent events): what changed, in order, from where the client left off, for as long as the client may read it.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event as Message, Sse};
use futures::Stream;
use portal::Portal;
use serde::Deserialize;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use types::actor::Actor;
use types::event::{Event, EventFilter};
use types::problem::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::operations;
use crate::http::{
    AppState, Credential, DatabaseSessions, Failure, KEEP_ALIVE, OpenStream, Query, SignedIn,
};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(of_operation))
}

#[derive(Deserialize, IntoParams)]
struct After {
    /// Events after this sequence; without it and without `Last-Event-ID`, from now on.
    after: Option<i64>,
}

/// Everything that the actor may see, filtered by project, stack, operation or request. The stream ends with the token or session that opened it, and when
/// what the filter names can no longer be read.
#[utoipa::path(get, path = "/events", tag = "operations", operation_id = "stream_events",
    params(("project" = Option<String>, Query), ("stack" = Option<String>, Query), ("operation" = Option<String>, Query),
        ("request" = Option<String>, Query), ("after" = Option<i64>, Query), ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
async fn all(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    credential: Credential,
    Query(filter): Query<EventFilter>,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    follow(state, &actor, credential, filter, start(&headers, &after)).await
}

/// The events of one operation, from its beginning unless `after` or `Last-Event-ID` says otherwise. The stream ends with the operation.
#[utoipa::path(get, path = "/operations/{id}/events", tag = "operations", operation_id = "stream_operation_events",
    params(("id" = String, Path), After, ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 404, body = Problem), (status = 429, body = Problem)))]
async fn of_operation(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    credential: Credential,
    Path(operation): Path<String>,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let filter = EventFilter {
        operation: Some(operations::id(&operation)?),
        ..EventFilter::default()
    };
    let after = start(&headers, &after).unwrap_or(0);
    follow(state, &actor, credential, filter, Some(after)).await
}

fn start(headers: &HeaderMap, after: &After) -> Option<i64> {
    headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok())
        .or(after.after)
}

async fn follow(
    state: AppState,
    actor: &Actor,
    credential: Credential,
    filter: EventFilter,
    after: Option<i64>,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>> + use<>>, Failure> {
    // Before the stream begins: what cannot be seen is 404, as everywhere.
    state.portal.may_follow(actor, &filter).await?;
    let Some(open) = state.streams.open(&actor.subject) else {
        return Err(Failure::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_streams",
            format!(
                "You have {} event streams open, as many as one may. Close one, or follow several things with one stream.",
                state.streams.most()
            ),
        )
        .retry_after(KEEP_ALIVE.as_secs()));
    };
    // Subscribed before the first read, so that nothing falls between the two.
    let wake = state.portal.subscribe();
    let seq = match after {
        Some(seq) => seq,
        None => state.portal.latest_event().await?,
    };
    let reader = Reader {
        portal: state.portal,
        sessions: state.sessions,
        stop: state.stop,
        credential,
        filter,
        wake,
        seq,
        waiting: Vec::new().into_iter(),
        asked_at: Instant::now(),
        spoke_at: Instant::now(),
        _open: open,
    };
    let stream = futures::stream::unfold(reader, |mut reader| async move {
        let line = reader.next().await?;
        Some((Ok(line), reader))
    });
    Ok(Sse::new(stream))
}

fn message(event: &Event) -> Message {
    let data = serde_json::to_string(event).unwrap_or_default();
    // No event name: a browser's `onmessage` hears unnamed events only, and `kind` is in the data.
    Message::default().id(event.seq.to_string()).data(data)
}

/// One open stream. It keeps how its actor came in, never the actor: rights are asked anew with each look, and before each keep-alive.
struct Reader {
    portal: Portal,
    sessions: DatabaseSessions,
    stop: CancellationToken,
    credential: Credential,
    filter: EventFilter,
    wake: tokio::sync::broadcast::Receiver<i64>,
    seq: i64,
    waiting: std::vec::IntoIter<Event>,
    /// When the rights were asked that `waiting` was read with.
    asked_at: Instant,
    /// When something was last sent.
    spoke_at: Instant,
    _open: OpenStream,
}

impl Reader {
    /// The next event or keep-alive; `None` ends the stream. A client that may still read comes back with `Last-Event-ID`.
    async fn next(&mut self) -> Option<Message> {
        loop {
            // A slow client takes events long after they were read: then rights are asked again.
            if self.asked_at.elapsed() < KEEP_ALIVE
                && let Some(event) = self.waiting.next()
            {
                self.seq = event.seq;
                self.spoke_at = Instant::now();
                return Some(message(&event));
            }
            let events = self.look().await?;
            if !events.is_empty() {
                self.waiting = events.into_iter();
                continue;
            }
            if self.spoke_at.elapsed() >= KEEP_ALIVE {
                self.spoke_at = Instant::now();
                return Some(Message::default().comment(""));
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                woken = self.wake.recv() => if matches!(woken, Err(RecvError::Closed)) { return None },
                () = tokio::time::sleep_until(self.spoke_at + KEEP_ALIVE) => {}
            }
            // One look answers a burst.
            while !matches!(
                self.wake.try_recv(),
                Err(TryRecvError::Empty | TryRecvError::Closed)
            ) {}
        }
    }

    /// What is new for the actor that the credential stands for now; `None` when the stream is over.
    async fn look(&mut self) -> Option<Vec<Event>> {
        self.asked_at = Instant::now();
        match self.read().await {
            Ok(events) => events,
            Err(error) if error.status().is_client_error() => None,
            Err(error) => {
                tracing::warn!(
                    error = error.problem.detail,
                    "an event stream ends because events cannot be read"
                );
                None
            }
        }
    }

    async fn read(&self) -> Result<Option<Vec<Event>>, Failure> {
        let portal = &self.portal;
        let Some(actor) = self.credential.actor(portal, &self.sessions).await? else {
            return Ok(None);
        };
        let events = portal.events_after(&actor, self.seq, &self.filter).await?;
        if !events.is_empty() {
            return Ok(Some(events));
        }
        // One operation's stream is over when there is nothing more to come of it.
        if let Some(operation) = self.filter.operation
            && portal
                .operation(&actor, operation)
                .await?
                .summary
                .state
                .has_ended()
        {
            return Ok(None);
        }
        Ok(Some(events))
    }
}
