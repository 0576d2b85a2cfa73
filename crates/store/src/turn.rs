//! What one replica does at a time: signing the record, and proving stacks by it.

use sqlx::{Postgres, Transaction};

use crate::Store;
use crate::engine::Engine;
use crate::error::Result;

/// PostgreSQL's advisory lock for the replica that signs ("slipsign" in ASCII).
const SIGN_LOCK: i64 = 0x736c_6970_7369_676e;
/// The one for the replica that proves ("slipprov" in ASCII).
const PROVE_LOCK: i64 = 0x736c_6970_7072_6f76;

/// A turn; over when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: Option<Transaction<'static, Postgres>>,
}

impl Store {
    /// The turn to sign a checkpoint; `None` while another replica has it. SQLite is one process, which signs in one place.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn signing_turn(&self) -> Result<Option<Turn>> {
        self.turn(SIGN_LOCK).await
    }

    /// The turn to prove stacks; `None` while another replica has it. As [`Store::signing_turn`] otherwise.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn proving_turn(&self) -> Result<Option<Turn>> {
        self.turn(PROVE_LOCK).await
    }

    async fn turn(&self, lock: i64) -> Result<Option<Turn>> {
        let Engine::Postgres(pool) = &self.engine else {
            return Ok(Some(Turn { _lock: None }));
        };
        let mut transaction = pool.begin().await?;
        let (mine,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)")
            .bind(lock)
            .fetch_one(&mut *transaction)
            .await?;
        Ok(mine.then_some(Turn {
            _lock: Some(transaction),
        }))
    }
}
