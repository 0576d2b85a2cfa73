//! Requests: sending, editing, withdrawing, commenting, and reading them. Deciding lives in `approvals`, executing in `operations`.

use types::actor::Actor;
use types::ids::RequestId;
use types::page::Page;
use types::request::{RequestDetail, RequestDraft, RequestFilter, RequestSummary};

use crate::{Error, Portal, Result};

impl Portal {
    /// Sends a request. The same `submission` again, also at the same moment, gives the same request and never a second one.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field (`name_taken` on `name`); a denial is no error: the request stays `denied` and can be edited.
    pub async fn submit(
        &self,
        actor: &Actor,
        draft: RequestDraft,
        submission: RequestId,
    ) -> Result<RequestDetail> {
        let _ = (actor, draft, submission);
        Err(Error::internal("submit is being built"))
    }

    /// Makes a new plan on the same request; decisions on the old one no longer count.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `stale_version` when `version` is not the newest, or when its state does not allow it.
    pub async fn edit(
        &self,
        actor: &Actor,
        id: RequestId,
        version: i64,
        draft: RequestDraft,
    ) -> Result<RequestDetail> {
        let _ = (actor, id, version, draft);
        Err(Error::internal("edit is being built"))
    }

    /// A page of the requests that the actor may see, newest first.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
    ) -> Result<Page<RequestSummary>> {
        let _ = (actor, filter);
        Err(Error::internal("requests is being built"))
    }

    /// One request, whole.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn request(&self, actor: &Actor, id: RequestId) -> Result<RequestDetail> {
        let _ = (actor, id);
        Err(Error::internal("request is being built"))
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is stale or already executed.
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: RequestId,
        version: i64,
    ) -> Result<RequestDetail> {
        let _ = (actor, id, version);
        Err(Error::internal("withdraw is being built"))
    }

    /// Adds a comment of 1 to 4,000 characters.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn comment(&self, actor: &Actor, id: RequestId, text: &str) -> Result<RequestDetail> {
        let _ = (actor, id, text);
        Err(Error::internal("comment is being built"))
    }
}
