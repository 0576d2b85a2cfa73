//! Event streams (server-sent events): what changed, in order, from where the client left off.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures::Stream;
use portal::Portal;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use types::actor::Actor;
use types::event::{Event, EventFilter};
use types::problem::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::operations;
use crate::http::{AppState, Failure, KEEP_ALIVE, Query, SignedIn};

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

/// Everything that the actor may see, filtered by project, stack, operation or request.
#[utoipa::path(get, path = "/events", tag = "operations", operation_id = "stream_events",
    params(("project" = Option<String>, Query), ("stack" = Option<String>, Query), ("operation" = Option<String>, Query),
        ("request" = Option<String>, Query), ("after" = Option<i64>, Query), ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 401, body = Problem)))]
async fn all(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Query(filter): Query<EventFilter>,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    follow(state, actor, filter, start(&headers, &after)).await
}

/// The events of one operation, from its beginning unless `after` or `Last-Event-ID` says otherwise. The stream ends with the operation.
#[utoipa::path(get, path = "/operations/{id}/events", tag = "operations", operation_id = "stream_operation_events",
    params(("id" = String, Path), After, ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, body = Event, content_type = "text/event-stream"), (status = 404, body = Problem)))]
async fn of_operation(
    State(state): State<AppState>,
    SignedIn(actor): SignedIn,
    Path(operation): Path<String>,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let operation = operations::id(&operation)?;
    // Answers 404 before the stream begins, where the actor may not see it.
    state.portal.operation(&actor, operation).await?;
    let filter = EventFilter {
        operation: Some(operation),
        ..EventFilter::default()
    };
    follow(
        state,
        actor,
        filter,
        Some(start(&headers, &after).unwrap_or(0)),
    )
    .await
}

fn start(headers: &HeaderMap, after: &After) -> Option<i64> {
    headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok())
        .or(after.after)
}

async fn follow(
    state: AppState,
    actor: Actor,
    filter: EventFilter,
    after: Option<i64>,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, Failure> {
    let AppState { portal, stop, .. } = state;
    // Subscribed before the first read, so that nothing falls between the two.
    let wake = portal.subscribe();
    let seq = match after {
        Some(seq) => seq,
        None => portal.latest_event().await?,
    };
    let reader = Reader {
        portal,
        stop,
        actor,
        filter,
        wake,
        seq,
        waiting: Vec::new().into_iter(),
    };
    let stream = futures::stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok(message(&event)), reader))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn message(event: &Event) -> Message {
    let data = serde_json::to_string(event).unwrap_or_default();
    // No event name: a browser's `onmessage` hears unnamed events only, and `kind` is in the data.
    Message::default().id(event.seq.to_string()).data(data)
}

struct Reader {
    portal: Portal,
    stop: CancellationToken,
    actor: Actor,
    filter: EventFilter,
    wake: tokio::sync::broadcast::Receiver<i64>,
    seq: i64,
    waiting: std::vec::IntoIter<Event>,
}

impl Reader {
    /// The next event; `None` ends the stream, and the client comes back with `Last-Event-ID`.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.next() {
                self.seq = event.seq;
                return Some(event);
            }
            match self
                .portal
                .events_after(&self.actor, self.seq, &self.filter)
                .await
            {
                Ok(events) if !events.is_empty() => {
                    self.waiting = events.into_iter();
                    continue;
                }
                Ok(_) if self.has_ended().await => return None,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "an event stream ends because events cannot be read");
                    return None;
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                woken = self.wake.recv() => if matches!(woken, Err(RecvError::Closed)) { return None },
            }
        }
    }

    /// True when the stream is one operation's and there is nothing more to come of it.
    async fn has_ended(&self) -> bool {
        let Some(operation) = self.filter.operation else {
            return false;
        };
        match self.portal.operation(&self.actor, operation).await {
            Ok(operation) => operation.summary.state.has_ended(),
            Err(_) => true,
        }
    }
}
