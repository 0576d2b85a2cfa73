//! What the request pages read.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use types::approval::Decision;
use types::ids::RequestId;
use types::page::Page;
use types::request::{
    AlteredRequest, Comment, RequestDetail, RequestFilter, RequestSummary, TimelineEntry,
};

use super::Failure;
use super::wire::Wired;

/// The list.
#[server(name = ReadRequests, prefix = "/ui", endpoint = "requests", input = Wired, output = Wired)]
pub async fn requests(filter: RequestFilter) -> Result<Page<RequestSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.requests(&actor, &filter).await)
}

/// One request beside what a page is about: a page stays good where this one cannot be shown.
#[server(name = ReadRequest, prefix = "/ui", endpoint = "request", input = Wired, output = Wired)]
pub async fn request(id: RequestId) -> Result<RequestDetail, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.request(&actor, id).await)
}

/// Which earlier lines a request's page shows instead of the newest: cursors, empty for the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Of the comments.
    pub comments: String,
    /// Of what happened.
    pub timeline: String,
    /// Of the decisions.
    pub decisions: String,
}

/// A request with the earlier lines that were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestPage {
    /// The request, with its newest lines.
    pub request: RequestDetail,
    /// Earlier comments.
    pub comments: Option<Page<Comment>>,
    /// What happened earlier.
    pub timeline: Option<Page<TimelineEntry>>,
    /// Earlier decisions.
    pub decisions: Option<Page<Decision>>,
}

/// What a request's page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RequestRead {
    /// All of it.
    Whole(Box<RequestPage>),
    /// Why nothing of it is shown, and what is left to do.
    Altered(Failure, AlteredRequest),
}

/// One request as its page shows it.
#[server(name = ReadRequestPage, prefix = "/ui", endpoint = "request-page", input = Wired, output = Wired)]
pub async fn request_page(id: RequestId, earlier: Earlier) -> Result<RequestRead, Failure> {
    use super::context::{answer, door, refuse};
    use types::page::Paging;
    let (portal, actor) = door()?;
    let paging = |cursor: String| {
        (!cursor.is_empty()).then_some(Paging {
            cursor: Some(cursor),
            limit: None,
        })
    };
    let request = match portal.request(&actor, id).await {
        Err(error) if error.code() == "plan_altered" => {
            let left = answer(portal.altered_request(&actor, id).await)?;
            return Ok(RequestRead::Altered(refuse(error.problem().into()), left));
        }
        answered => answer(answered)?,
    };
    let comments = match paging(earlier.comments) {
        Some(paging) => Some(answer(portal.comments(&actor, id, &paging).await)?),
        None => None,
    };
    let timeline = match paging(earlier.timeline) {
        Some(paging) => Some(answer(portal.timeline(&actor, id, &paging).await)?),
        None => None,
    };
    let decisions = match paging(earlier.decisions) {
        Some(paging) => Some(answer(portal.decisions(&actor, id, &paging).await)?),
        None => None,
    };
    Ok(RequestRead::Whole(Box::new(RequestPage {
        request,
        comments,
        timeline,
        decisions,
    })))
}
