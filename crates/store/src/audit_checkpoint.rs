//! Checkpoints of the record as the database keeps them, for the page; what they prove, they prove where else they are. One replica signs at a time.

use sqlx::{Postgres, Transaction};

use crate::Store;
use crate::engine::{Engine, execute, fetch_all, fetch_optional};
use crate::error::Result;

/// PostgreSQL's advisory lock for the replica that signs ("slipsign" in ASCII).
const SIGN_LOCK: i64 = 0x736c_6970_7369_676e;

/// The turn to sign; over when it is dropped.
#[derive(Debug)]
pub struct SigningTurn {
    _lock: Option<Transaction<'static, Postgres>>,
}

impl Store {
    /// The turn to sign a checkpoint; `None` while another replica has it. SQLite is one process, which signs in one place.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn signing_turn(&self) -> Result<Option<SigningTurn>> {
        let Engine::Postgres(pool) = &self.engine else {
            return Ok(Some(SigningTurn { _lock: None }));
        };
        let mut lock = pool.begin().await?;
        let (mine,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)")
            .bind(SIGN_LOCK)
            .fetch_one(&mut *lock)
            .await?;
        Ok(mine.then_some(SigningTurn { _lock: Some(lock) }))
    }

    /// Keeps a checkpoint; the same again changes nothing.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn keep_checkpoint(&self, seq: i64, key: &str, line: &str) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "INSERT INTO audit_checkpoint (seq, signing_key, line) VALUES ($1, $2, $3) ON CONFLICT (seq, signing_key) DO NOTHING",
            seq,
            key,
            line
        )?;
        Ok(())
    }

    /// The checkpoint that signs most lines, as it was written.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn newest_checkpoint(&self) -> Result<Option<String>> {
        let mut lease = self.engine.read().await?;
        let row: Option<(String,)> = fetch_optional!(
            lease.conn(),
            (String,),
            "SELECT line FROM audit_checkpoint ORDER BY seq DESC LIMIT 1"
        )?;
        Ok(row.map(|(line,)| line))
    }

    /// The next `limit` checkpoints after the line `seq`, in order: the line that each signs, and its text.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn checkpoints_after(&self, seq: i64, limit: u32) -> Result<Vec<(i64, String)>> {
        let mut lease = self.engine.read().await?;
        fetch_all!(
            lease.conn(),
            (i64, String),
            "SELECT seq, line FROM audit_checkpoint WHERE seq > $1 ORDER BY seq, signing_key LIMIT $2",
            seq,
            i64::from(limit)
        )
    }
}
