//! What the request pages read.

use leptos::prelude::*;
use types::ids::RequestId;
use types::page::Page;
use types::request::{RequestDetail, RequestFilter, RequestSummary};

use super::Failure;
use super::wire::Wired;

/// The list.
#[server(name = ReadRequests, prefix = "/ui", endpoint = "requests", input = Wired, output = Wired)]
pub async fn requests(filter: RequestFilter) -> Result<Page<RequestSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.requests(&actor, &filter).await)
}

/// One request.
#[server(name = ReadRequest, prefix = "/ui", endpoint = "request", input = Wired, output = Wired)]
pub async fn request(id: RequestId) -> Result<RequestDetail, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.request(&actor, id).await)
}
