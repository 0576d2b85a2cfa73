//! Idempotency keys of REST: one key, one answer. Records go after a day ([`Store::prune`]).

use sqlx::FromRow;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, count};
use crate::engine::{execute, fetch_optional};
use crate::error::{Error, Result};

/// What is known of a key when a call comes in with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing: the caller has it now, and must finish or forget it.
    New,
    /// The first call is still at work.
    InFlight,
    /// The first call was answered with this.
    Done {
        /// HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The key was used for another call.
    Mismatch,
}

#[derive(FromRow)]
struct Row {
    request_hash: Vec<u8>,
    status: Option<i64>,
    body: Option<String>,
}

/// A call that holds its key for so long was killed: nothing that REST does takes half as long, and the next call may have the key.
const ABANDONED: time::Duration = time::Duration::seconds(60);

impl Store {
    /// Takes a key, or says what became of it. `request_hash` covers method, path and body. A key that was held for a minute without an answer is free for
    /// the same call again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn begin_idempotent(
        &self,
        actor: &str,
        key: &str,
        request_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Idempotency> {
        let mut lease = self.engine.write().await?;
        let added = execute!(
            lease.conn(),
            "INSERT INTO idempotency (actor, idempotency_key, request_hash, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (actor, idempotency_key) DO UPDATE SET created_at = excluded.created_at \
             WHERE idempotency.status IS NULL AND idempotency.request_hash = excluded.request_hash AND idempotency.created_at < $5",
            actor,
            key,
            request_hash.as_slice(),
            At(now),
            At(now.plus(-ABANDONED))
        )?;
        if added > 0 {
            return Ok(Idempotency::New);
        }
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT request_hash, status, body FROM idempotency WHERE actor = $1 AND idempotency_key = $2",
            actor,
            key
        )?;
        Ok(match row {
            // Forgotten between the two statements: the caller may come again.
            None => Idempotency::InFlight,
            Some(row) if row.request_hash != request_hash => Idempotency::Mismatch,
            Some(Row {
                status: Some(status),
                body,
                ..
            }) => Idempotency::Done {
                status: count("idempotency.status", status)?,
                body: body.unwrap_or_default(),
            },
            Some(_) => Idempotency::InFlight,
        })
    }

    /// Keeps the answer for the calls that come again.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the key was not taken.
    pub async fn finish_idempotent(
        &self,
        actor: &str,
        key: &str,
        status: u16,
        body: &str,
    ) -> Result<()> {
        let mut lease = self.engine.write().await?;
        let changed = execute!(
            lease.conn(),
            "UPDATE idempotency SET status = $3, body = $4 WHERE actor = $1 AND idempotency_key = $2",
            actor,
            key,
            i64::from(status),
            body
        )?;
        if changed == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    }

    /// Gives a key back, after a failure that a second try may mend (5xx).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_idempotent(&self, actor: &str, key: &str) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "DELETE FROM idempotency WHERE actor = $1 AND idempotency_key = $2 AND status IS NULL",
            actor,
            key
        )?;
        Ok(())
    }
}
