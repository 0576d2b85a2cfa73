//! How long one request may take: its body, as it is read, and its handler. How long a connection may take is the accept loop's to watch.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{BODY_LIMIT, Failure};
use crate::connections::Connection;

/// How long a request may take.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines {
    pub(crate) body: Duration,
    pub(crate) handler: Duration,
}

/// Ends bodies that are too slow (408) or too large (413), whoever reads them, and handlers that do not answer (503).
pub(super) async fn keep(
    State(deadlines): State<Deadlines>,
    request: Request,
    next: Next,
) -> Response {
    let verdict = Arc::new(AtomicU8::new(READABLE));
    let request = if request.body().is_end_stream() {
        request
    } else {
        let connection = request.extensions().get::<Arc<Connection>>().cloned();
        let verdict = verdict.clone();
        request.map(|body| Body::new(Bounded::new(body, deadlines.body, verdict, connection)))
    };
    let answered = tokio::time::timeout(deadlines.handler, next.run(request)).await;
    let failure = match (verdict.load(Ordering::Relaxed), answered) {
        (LATE, _) => Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            format!(
                "The body did not arrive within {} s, or nothing of it came for {} s. Nothing was changed; send it again.",
                deadlines.body.as_secs(),
                silence(deadlines.body).as_secs()
            ),
        ),
        (LARGE, _) => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is larger than 256 kB. Nothing was changed; send less.",
        ),
        (_, Ok(response)) => return response,
        (_, Err(_)) => {
            tracing::warn!(
                seconds = deadlines.handler.as_secs(),
                "a call was given up: it took too long"
            );
            Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "took_too_long",
                format!(
                    "Slipway gave up after {} s. Look whether it was done before you send it again; a POST with an Idempotency-Key can be sent again safely.",
                    deadlines.handler.as_secs()
                ),
            )
        }
    };
    let mut response = failure.into_response();
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The longest silence within a body.
fn silence(whole: Duration) -> Duration {
    (whole / 3).max(Duration::from_secs(1))
}

const READABLE: u8 = 0;
const LATE: u8 = 1;
const LARGE: u8 = 2;

/// A body that must come in time and be small enough. It fails for whoever reads it, and leaves the reason in `verdict`: readers differ in what they make of it.
struct Bounded {
    body: Body,
    left: usize,
    silence: Duration,
    next: Pin<Box<Sleep>>,
    end: Instant,
    verdict: Arc<AtomicU8>,
    connection: Option<Arc<Connection>>,
}

impl Bounded {
    fn new(
        body: Body,
        whole: Duration,
        verdict: Arc<AtomicU8>,
        connection: Option<Arc<Connection>>,
    ) -> Self {
        let silence = silence(whole);
        Self {
            body,
            left: BODY_LIMIT,
            silence,
            next: Box::pin(tokio::time::sleep(silence.min(whole))),
            end: Instant::now() + whole,
            verdict,
            connection,
        }
    }

    fn fail(&self, verdict: u8) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.verdict.store(verdict, Ordering::Relaxed);
        let what = if verdict == LATE {
            "the body came too slowly"
        } else {
            "the body is too large"
        };
        Poll::Ready(Some(Err(axum::Error::new(what))))
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(left) = self.left.checked_sub(length) else {
                    return self.fail(LARGE);
                };
                self.left = left;
                if Instant::now() >= self.end && !self.body.is_end_stream() {
                    return self.fail(LATE);
                }
                let next = (Instant::now() + self.silence).min(self.end);
                self.next.as_mut().reset(next);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => match self.next.as_mut().poll(cx) {
                Poll::Ready(()) => self.fail(LATE),
                Poll::Pending => Poll::Pending,
            },
            ended => {
                if let Some(connection) = &self.connection {
                    connection.body_ended();
                }
                ended
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Bounded {
    /// Read to its end, or not wanted: from here on the client waits for us.
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.body_ended();
        }
    }
}
