//! Events: what the live pages and streams are fed with. Writing them lives in the store, with what they tell of.

use types::actor::Actor;
use types::event::{Event, EventFilter};

use crate::{Error, Portal, Result};

impl Portal {
    /// Events after `seq`, oldest first, at most 500, of what the actor may see.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn events_after(
        &self,
        actor: &Actor,
        seq: i64,
        filter: &EventFilter,
    ) -> Result<Vec<Event>> {
        let _ = (actor, seq, filter);
        Err(Error::internal("events_after is being built"))
    }
}

impl Portal {
    /// Wakes with the newest sequence whenever an event was written, here or by another process; read with [`Portal::events_after`].
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<i64> {
        self.0.store.subscribe()
    }
}
