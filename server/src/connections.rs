//! The accept loop: takes connections within limits, serves HTTP/1.1 on each, and ends them cleanly. Which connection has to go is `table`'s question,
//! what passes through one is `stream`'s.
//!
//! HTTP/1.1 only: what speaks HTTP/2 or TLS to browsers is a proxy in front, and one protocol has one set of ways to hold a connection open.

mod descriptors;
mod stream;
mod table;

use std::convert::Infallible;
use std::fs::File;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::ConnectInfo;
use futures::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

pub(crate) use table::Connection;

use crate::limits::Limits;
use stream::{Answer, Watched};
use table::{Refused, Table};

/// The largest head of a request; browsers send 1 to 2 kB, a long token 4 kB more.
const HEAD: usize = 32 * 1024;
/// What is read or written at once for one connection, and so what one connection costs in memory.
const BUFFER: usize = 64 * 1024;
/// How long requests in flight may take after the process was asked to end.
const DRAIN: Duration = Duration::from_secs(20);
/// After this time of draining, connections that send nothing are closed.
const DRAIN_SILENT: Duration = Duration::from_secs(1);
/// What a client reads that finds no room: the head and body of a problem document.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\
content-length: 197\r\n\r\n\
{\"type\":\"/docs/problems#unavailable\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"unavailable\",\
\"detail\":\"Slipway serves as many connections as it may. Close some, or try again in a second.\"}\n";

/// Raises the limit of open files and says how many connections it leaves, after those that the worker, the database and Azure need.
///
/// # Errors
/// When the limit of open files is too low to serve at all.
pub(crate) fn room(limits: &Limits) -> Result<usize> {
    descriptors::room(limits.connections)
}

/// Serves until `stop` is cancelled; then lets requests in flight end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    room: usize,
    limits: &Limits,
    stop: CancellationToken,
) {
    let table = Arc::new(Table::new(room, limits));
    let tracker = TaskTracker::new();
    let ended = CancellationToken::new();
    let watch = tokio::spawn(table::watch(table.clone(), ended.clone()));
    accept(&listener, &router, &table, &tracker, &stop).await;
    drop(listener);
    tracker.close();
    drain(&table, &tracker).await;
    ended.cancel();
    let _ = watch.await;
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    table: &Arc<Table>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) {
    // Given up when no descriptor is left and every connection is being answered: who waits is taken and closed, and the worker has a descriptor to use
    // in between. Left alone, the one who waits would wake this loop for ever.
    let mut reserve = File::open("/dev/null").ok();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => match table.admit(peer.ip()) {
                Ok(connection) => {
                    tracker.spawn(connection_task(
                        stream,
                        peer,
                        connection,
                        table.clone(),
                        router.clone(),
                        stop.clone(),
                    ));
                    // Connections that had to go are closed by their own tasks: they get a turn before the next one comes.
                    if table.is_crowded() {
                        tokio::task::yield_now().await;
                    }
                }
                Err(Refused) => {
                    // As much as the socket takes at once; nobody here waits for a client.
                    let _ = stream.try_write(NO_ROOM);
                }
            },
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                table.note_accept_error(&error);
                // No descriptor is left, most likely. A half-open connection gives up its own, and the next turn takes who waits.
                if !table.make_room() {
                    reserve.take();
                    let _ = listener.accept().now_or_never();
                    reserve = File::open("/dev/null").ok();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Errors of a connection that ended before it was taken.
fn is_of_the_client(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

async fn connection_task(
    stream: TcpStream,
    peer: SocketAddr,
    connection: Arc<Connection>,
    table: Arc<Table>,
    router: Router,
    stop: CancellationToken,
) {
    let _listed = table.listed(connection.clone());
    let _ = stream.set_nodelay(true);
    let service = {
        let connection = connection.clone();
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            answer(request, peer, connection.clone(), router.clone())
        })
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // `table` watches over the times of every state of a connection, not only of this one.
        .header_read_timeout(None)
        .max_header_size(HEAD)
        .max_buf_size(BUFFER);
    let serving = http.serve_connection(
        TokioIo::new(Watched::new(stream, connection.clone())),
        service,
    );
    tokio::pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = connection.has_to_go() => return,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                result = serving => result,
                () = connection.has_to_go() => return,
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    connection: Arc<Connection>,
    mut router: Router,
) -> Result<hyper::Response<Answer>, Infallible> {
    connection.request(request.body().is_end_stream());
    let mut request = request.map(Body::new);
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(peer));
    extensions.insert(connection.clone());
    let response = router.call(request).await?;
    let streams = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "text/event-stream");
    connection.answer(streams);
    Ok(response.map(|body| Answer::new(body, connection)))
}

/// Waits for the requests in flight. Whoever has sent nothing by then, and in the end whoever takes too long, is cut off.
async fn drain(table: &Table, tracker: &TaskTracker) {
    if tokio::time::timeout(DRAIN_SILENT, tracker.wait())
        .await
        .is_ok()
    {
        return;
    }
    table.close_silent();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        tracing::warn!(
            connections = tracker.len(),
            "requests in flight are cut off"
        );
        table.close_all();
        tracker.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::NO_ROOM;

    #[test]
    fn the_answer_for_want_of_room_is_a_whole_problem_document() {
        let text = std::str::from_utf8(NO_ROOM).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let problem: types::problem::Problem = serde_json::from_str(body).unwrap();
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (503, "unavailable")
        );
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
