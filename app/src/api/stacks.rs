//! What the stack pages read.

use leptos::prelude::*;
use types::ids::StackId;
use types::page::Page;
use types::request::TimelineEntry;
use types::stack::{StackDetail, StackFilter, StackSummary};

use super::Failure;
use super::wire::Wired;

/// The list.
#[server(name = ReadStacks, prefix = "/ui", endpoint = "stacks", input = Wired, output = Wired)]
pub async fn stacks(filter: StackFilter) -> Result<Page<StackSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.stacks(&actor, &filter).await)
}

/// One stack.
#[server(name = ReadStack, prefix = "/ui", endpoint = "stack", input = Wired, output = Wired)]
pub async fn stack(id: StackId) -> Result<StackDetail, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.stack(&actor, id).await)
}

/// What happened to a stack before the newest lines.
#[server(name = ReadActivity, prefix = "/ui", endpoint = "activity", input = Wired, output = Wired)]
pub async fn activity(id: StackId, cursor: String) -> Result<Page<TimelineEntry>, Failure> {
    use super::context::{answer, door};
    use types::page::Paging;
    let (portal, actor) = door()?;
    let paging = Paging {
        cursor: Some(cursor),
        limit: None,
    };
    answer(portal.activity(&actor, id, &paging).await)
}
