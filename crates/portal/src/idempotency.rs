//! `Idempotency-Key` records of the REST API: the same key with the same request gets the first answer again.

use sha2::{Digest as _, Sha256};
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
    /// Claims a key for this actor and request; `request_hash` is any text that tells two requests apart (method, path, body).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is empty, longer than 255 characters, or not printable ASCII.
    pub async fn begin_idempotent(
        &self,
        actor: &Actor,
        key: &str,
        request_hash: &str,
    ) -> Result<Idempotency> {
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::field(
                "Idempotency-Key",
                "not_allowed",
                "1 to 255 printable ASCII characters without spaces, such as a UUID.",
            ));
        }
        let hash: [u8; 32] = Sha256::digest(request_hash.as_bytes()).into();
        let known = self
            .0
            .store
            .begin_idempotent(&actor.subject, key, &hash, self.now())
            .await?;
        Ok(match known {
            store::Idempotency::New => Idempotency::New,
            store::Idempotency::InFlight => Idempotency::InProgress,
            store::Idempotency::Done { status, body } => Idempotency::Answered { status, body },
            store::Idempotency::Mismatch => Idempotency::Mismatch,
        })
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
        let store = &self.0.store;
        if status >= 500 {
            store.forget_idempotent(&actor.subject, key).await?;
        } else {
            store
                .finish_idempotent(&actor.subject, key, status, body)
                .await?;
        }
        Ok(())
    }
}
