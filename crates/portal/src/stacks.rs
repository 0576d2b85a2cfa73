//! Stacks: reading them, asking for deletion or a longer life, switching them on and off, and trying again. How that is executed lives in `operations`.

use types::actor::Actor;
use types::ids::{RequestId, StackId};
use types::operation::{OperationDetail, OperationKind};
use types::page::Page;
use types::request::RequestDetail;
use types::stack::{DeleteStack, StackDetail, StackFilter, StackSummary};

use crate::{Error, Portal, Result};

impl Portal {
    /// A page of the stacks that the actor may see, newest first.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn stacks(&self, actor: &Actor, filter: &StackFilter) -> Result<Page<StackSummary>> {
        let _ = (actor, filter);
        Err(Error::internal("stacks is being built"))
    }

    /// One stack, whole.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn stack(&self, actor: &Actor, id: StackId) -> Result<StackDetail> {
        let _ = (actor, id);
        Err(Error::internal("stack is being built"))
    }

    /// Asks for deletion: a request like any other, policy says who has to agree.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name typed again is not the stack's.
    pub async fn delete_stack(
        &self,
        actor: &Actor,
        id: StackId,
        form: DeleteStack,
        submission: RequestId,
    ) -> Result<RequestDetail> {
        let _ = (actor, id, form, submission);
        Err(Error::internal("delete_stack is being built"))
    }

    /// Asks that it lives longer; `expiry` as in a draft. No resource changes.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn extend_stack(
        &self,
        actor: &Actor,
        id: StackId,
        expiry: String,
        justification: String,
        submission: RequestId,
    ) -> Result<RequestDetail> {
        let _ = (actor, id, expiry, justification, submission);
        Err(Error::internal("extend_stack is being built"))
    }

    /// Starts, stops or restarts the stack's machines; answers with the queued operation.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something else runs or the state does not fit; [`Error::Invalid`] for a kind that is no power action.
    pub async fn power(
        &self,
        actor: &Actor,
        id: StackId,
        kind: OperationKind,
    ) -> Result<OperationDetail> {
        let _ = (actor, id, kind);
        Err(Error::internal("power is being built"))
    }

    /// Tries the last operation of a failed stack again: a new apply with a new revision, or the deletion once more.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn retry(&self, actor: &Actor, id: StackId) -> Result<OperationDetail> {
        let _ = (actor, id);
        Err(Error::internal("retry is being built"))
    }
}
