//! Events: what the live pages and streams are fed with. Writing them lives with what they tell of (`trail`).

use types::actor::Actor;
use types::event::{Event, EventFilter, Subject};

use crate::access::{may_read, scope};
use crate::{Portal, Result};

/// Most events of one answer.
const MOST: u32 = 500;

impl Portal {
    /// Events after `seq`, oldest first, at most 500, of what the actor may see.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] for a project, stack, operation or request in the filter that the actor cannot see.
    pub async fn events_after(
        &self,
        actor: &Actor,
        seq: i64,
        filter: &EventFilter,
    ) -> Result<Vec<Event>> {
        if let Some(project) = &filter.project {
            may_read(actor, project, "project")?;
        }
        if let Some(id) = filter.stack {
            self.readable_stack(actor, id).await?;
        }
        let subject = match (filter.operation, filter.request) {
            (Some(id), _) => {
                self.readable_operation(actor, id).await?;
                Some((Subject::Operation, id.to_string()))
            }
            (None, Some(id)) => {
                self.readable_request(actor, id).await?;
                Some((Subject::Request, id.to_string()))
            }
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
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn latest_event(&self) -> Result<i64> {
        Ok(self.0.store.latest_event().await?)
    }

    /// Wakes with the newest sequence whenever an event was written, here or by another process; it is a hint to read [`Portal::events_after`].
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<i64> {
        self.0.store.subscribe()
    }
}
