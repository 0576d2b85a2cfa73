//! Tells the application where each call comes from, for the lines of the audit record that say so.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use portal::Origin;

use super::request_id::RequestId;

/// Answers the call with its origin set.
pub(super) async fn tell(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let route = extensions
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str);
    let id = extensions
        .get::<RequestId>()
        .map_or("-", |RequestId(id)| id);
    let origin = Origin {
        address: extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip().to_canonical()),
        route: format!("{} {route}", request.method()),
        request_id: id.to_owned(),
    };
    origin.scope(next.run(request)).await
}
