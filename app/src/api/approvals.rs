//! What the approvals queue reads.

use leptos::prelude::*;
use types::approval::{ApprovalCount, ApprovalItem, ApprovalTab};
use types::page::Page;

use super::Failure;
use super::wire::Wired;

/// One tab of the queue.
#[server(name = ReadApprovals, prefix = "/ui", endpoint = "approvals", input = Wired, output = Wired)]
pub async fn approvals(
    tab: ApprovalTab,
    cursor: Option<String>,
) -> Result<Page<ApprovalItem>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.approvals(&actor, tab, cursor).await)
}

/// The number beside *Approvals*.
#[server(name = ReadApprovalCount, prefix = "/ui", endpoint = "approval-count", input = Wired, output = Wired)]
pub async fn approval_count() -> Result<ApprovalCount, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.approval_count(&actor).await)
}

/// How many minutes a decision usually takes; nothing while too few were made to say.
#[server(name = ReadUsualMinutes, prefix = "/ui", endpoint = "usual-minutes", input = Wired, output = Wired)]
pub async fn usual_minutes() -> Result<Option<u32>, Failure> {
    use super::context::{aside, door};
    let (portal, actor) = door()?;
    aside(portal.usual_minutes(&actor).await)
}
