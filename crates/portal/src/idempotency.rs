//! `Idempotency-Key` records of the REST API: the same key with the same request gets the first answer again.

use types::actor::Actor;

use crate::{Error, Portal, Result};

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// New: do the work, then call [`Portal::finish_idempotent`].
    New,
    /// The same request is being worked on at this moment.
    InProgress,
    /// It was answered: say the same again.
    Answered {
        /// HTTP status of the first answer.
        status: u16,
        /// Its body.
        body: String,
    },
    /// The key was used for another request.
    Mismatch,
}

impl Portal {
    /// Claims a key for this actor and request; `request_hash` tells two requests apart (method, path, body).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is empty or longer than 255 characters.
    pub async fn begin_idempotent(
        &self,
        actor: &Actor,
        key: &str,
        request_hash: &str,
    ) -> Result<Idempotency> {
        let _ = (actor, key, request_hash);
        Err(Error::internal("begin_idempotent is being built"))
    }

    /// Keeps the answer for 24 hours. A 5xx is not kept: the key is free again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn finish_idempotent(
        &self,
        actor: &Actor,
        key: &str,
        status: u16,
        body: &str,
    ) -> Result<()> {
        let _ = (actor, key, status, body);
        Err(Error::internal("finish_idempotent is being built"))
    }
}
