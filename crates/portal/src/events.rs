//! Events: what the live pages and streams are fed with. Writing them lives with what they tell of (`trail`).

use types::actor::Actor;
use types::event::{Event, EventFilter, Subject};

use crate::access::{may_read, scope};
use crate::{Error, Portal, Result};

/// Most events of one look: a stream holds so many at once.
const MOST: u32 = 100;

impl Portal {
    /// Whether the actor may see what a filter names: asked before a stream begins, and again with each look.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project, stack, operation or request that is not there or that the actor cannot see; [`Error::Invalid`] for an
    /// operation and a request at once, which no event is about.
    pub async fn may_follow(&self, actor: &Actor, filter: &EventFilter) -> Result<()> {
        if let Some(project) = &filter.project {
            may_read(actor, project, "project")?;
            if self.0.store.project(project).await?.is_none() {
                return Err(Error::NotFound { what: "project" });
            }
        }
        if let Some(id) = filter.stack {
            self.readable_stack(actor, id).await?;
        }
        if let Some(id) = filter.operation {
            self.readable_operation(actor, id).await?;
        }
        if let Some(id) = filter.request {
            self.readable_request(actor, id).await?;
        }
        if filter.operation.is_some() && filter.request.is_some() {
            return Err(Error::field(
                "request",
                "not_allowed",
                "An event is about an operation or about a request. Name one of them; `stack` covers both.",
            ));
        }
        Ok(())
    }

    /// Events after `seq`, oldest first, at most 100, of what the actor may see.
    ///
    /// # Errors
    /// As [`Portal::may_follow`].
    pub async fn events_after(
        &self,
        actor: &Actor,
        seq: i64,
        filter: &EventFilter,
    ) -> Result<Vec<Event>> {
        self.may_follow(actor, filter).await?;
        let subject = match (filter.operation, filter.request) {
            (Some(id), _) => Some((Subject::Operation, id.to_string())),
            (None, Some(id)) => Some((Subject::Request, id.to_string())),
            (None, None) => None,
        };
        let filter = store::EventFilter {
            project: filter.project.clone(),
            stack: filter.stack,
            subject,
        };
        Ok(self
            .0
            .store
            .events_after(seq, &scope(actor), &filter, MOST)
            .await?)
    }

    /// The latest sequence: where a stream begins that does not want the past.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn latest_event(&self) -> Result<i64> {
        Ok(self.0.store.latest_event().await?)
    }

    /// Wakes with the newest sequence whenever an event was written, here or by another process; it is a hint to read [`Portal::events_after`].
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<i64> {
        self.0.store.subscribe()
    }

    /// Wakes every stream although nothing was written: after a token or a session ended, so that theirs end at once and not with the next keep-alive.
    pub async fn wake_streams(&self) {
        if let Err(error) = self.0.store.wake().await {
            tracing::warn!(%error, "streams of other processes end with their next keep-alive");
        }
    }
}
