//! What the stack pages read.

use leptos::prelude::*;
use types::ids::StackId;
use types::page::Page;
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
