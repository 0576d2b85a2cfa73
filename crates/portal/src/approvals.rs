//! Approvals: the queue, and deciding a request with four eyes. What needs approval is said by the plan; executing lives in `operations`.

use types::actor::Actor;
use types::approval::{ApprovalCount, ApprovalItem, ApprovalTab, Decide};
use types::ids::RequestId;
use types::page::Page;
use types::request::RequestDetail;

use crate::{Error, Portal, Result};

impl Portal {
    /// A page of the queue, the longest waiting first (decided: newest first).
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn approvals(
        &self,
        actor: &Actor,
        tab: ApprovalTab,
        cursor: Option<String>,
    ) -> Result<Page<ApprovalItem>> {
        let _ = (actor, tab, cursor);
        Err(Error::internal("approvals is being built"))
    }

    /// How many requests wait for this actor.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn approval_count(&self, actor: &Actor) -> Result<ApprovalCount> {
        let _ = (actor,);
        Err(Error::internal("approval_count is being built"))
    }

    /// Records a decision on exactly the plan that was looked at.
    ///
    /// # Errors
    /// [`Error::Refused`] for the requester (`four_eyes`) or somebody outside the groups (`not_in_group`); [`Error::Conflict`] with `stale_plan` when the plan
    /// is another by now; [`Error::Invalid`] when *reject* or *request changes* comes without a comment.
    pub async fn decide(
        &self,
        actor: &Actor,
        id: RequestId,
        decide: Decide,
    ) -> Result<RequestDetail> {
        let _ = (actor, id, decide);
        Err(Error::internal("decide is being built"))
    }
}
