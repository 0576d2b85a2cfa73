//! Idempotency keys of REST: one key, one call. What is kept is the status and which thing the call made, never the answer. Records go after a day
//! ([`Store::prune`]).

use sqlx::FromRow;
use types::ids::{BreakGlassId, CommentId, OperationId, RequestId};
use types::time::Timestamp;
use uuid::Uuid;

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
    /// The first call was done.
    Done {
        /// HTTP status of its answer.
        status: u16,
        /// What it made or changed; absent for a call that was done before Slipway kept this.
        made: Option<Made>,
    },
    /// The key was used for another call.
    Mismatch,
    /// The actor has as many keys as one may have.
    Full {
        /// When the oldest of them was taken.
        oldest: Timestamp,
    },
}

/// The thing that a call made or changed: where its answer is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// A request.
    Request(RequestId),
    /// A comment.
    Comment(CommentId),
    /// An operation.
    Operation(OperationId),
    /// A glass that was broken.
    BreakGlass(BreakGlassId),
}

impl Made {
    fn columns(self) -> (&'static str, Uuid) {
        match self {
            Made::Request(id) => ("request", id.0),
            Made::Comment(id) => ("comment", id.0),
            Made::Operation(id) => ("operation", id.0),
            Made::BreakGlass(id) => ("break_glass", id.0),
        }
    }

    fn read(kind: &str, id: Uuid) -> Result<Self> {
        match kind {
            "request" => Ok(Made::Request(RequestId(id))),
            "comment" => Ok(Made::Comment(CommentId(id))),
            "operation" => Ok(Made::Operation(OperationId(id))),
            "break_glass" => Ok(Made::BreakGlass(BreakGlassId(id))),
            _ => Err(Error::Corrupt("column idempotency.made_kind".into())),
        }
    }
}

#[derive(FromRow)]
struct Row {
    request_hash: Vec<u8>,
    status: Option<i64>,
    made_kind: Option<String>,
    made_id: Option<Uuid>,
}

impl Row {
    fn tells(self, request_hash: &[u8; 32]) -> Result<Idempotency> {
        if self.request_hash != request_hash {
            return Ok(Idempotency::Mismatch);
        }
        let Some(status) = self.status else {
            return Ok(Idempotency::InFlight);
        };
        Ok(Idempotency::Done {
            status: count("idempotency.status", status)?,
            made: match (self.made_kind, self.made_id) {
                (Some(kind), Some(id)) => Some(Made::read(&kind, id)?),
                _ => None,
            },
        })
    }
}

impl Store {
    /// What became of a key, without taking it; `None` when nobody has it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn idempotent(
        &self,
        actor: &str,
        key: &str,
        request_hash: &[u8; 32],
    ) -> Result<Option<Idempotency>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT request_hash, status, made_kind, made_id FROM idempotency WHERE actor = $1 AND idempotency_key = $2",
            actor,
            key
        )?;
        row.map(|row| row.tells(request_hash)).transpose()
    }

    /// Takes a key, or says what became of it. `request_hash` covers method, path and body. A key that was held for longer
    /// than `lease` without an answer is free for the same call again: choose it longer than any call takes, so that only a killed one is meant. An actor has at most `most` keys; calls at the same moment may exceed that by as many as there are connections.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn begin_idempotent(
        &self,
        actor: &str,
        key: &str,
        request_hash: &[u8; 32],
        most: u32,
        lease: time::Duration,
        now: Timestamp,
    ) -> Result<Idempotency> {
        let mut conn = self.engine.write().await?;
        let added = execute!(
            conn.conn(),
            "INSERT INTO idempotency (actor, idempotency_key, request_hash, created_at) SELECT $1, $2, $3, $4 \
             WHERE (SELECT count(*) FROM idempotency WHERE actor = $1) < $6 \
                OR EXISTS (SELECT 1 FROM idempotency WHERE actor = $1 AND idempotency_key = $2) \
             ON CONFLICT (actor, idempotency_key) DO UPDATE SET created_at = excluded.created_at \
             WHERE idempotency.status IS NULL AND idempotency.request_hash = excluded.request_hash AND idempotency.created_at < $5",
            actor,
            key,
            request_hash.as_slice(),
            At(now),
            At(now.plus(-lease)),
            i64::from(most)
        )?;
        if added > 0 {
            return Ok(Idempotency::New);
        }
        let row = fetch_optional!(
            conn.conn(),
            Row,
            "SELECT request_hash, status, made_kind, made_id FROM idempotency WHERE actor = $1 AND idempotency_key = $2",
            actor,
            key
        )?;
        if let Some(row) = row {
            return row.tells(request_hash);
        }
        let oldest: Option<(i64, Option<At>)> = fetch_optional!(
            conn.conn(),
            (i64, Option<At>),
            "SELECT count(*), min(created_at) FROM idempotency WHERE actor = $1",
            actor
        )?;
        Ok(match oldest {
            Some((keys, Some(oldest))) if keys >= i64::from(most) => Idempotency::Full {
                oldest: oldest.into(),
            },
            // Forgotten between the statements: the caller may come again.
            _ => Idempotency::InFlight,
        })
    }

    /// Keeps what the call made, for the calls that come again.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the key was not taken.
    pub async fn finish_idempotent(
        &self,
        actor: &str,
        key: &str,
        status: u16,
        made: Made,
    ) -> Result<()> {
        let (kind, id) = made.columns();
        let mut lease = self.engine.write().await?;
        let changed = execute!(
            lease.conn(),
            "UPDATE idempotency SET status = $3, made_kind = $4, made_id = $5 WHERE actor = $1 AND idempotency_key = $2",
            actor,
            key,
            i64::from(status),
            kind,
            id
        )?;
        if changed == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    }

    /// Gives a key back after a call that was refused or failed: sent again, it is done anew.
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
