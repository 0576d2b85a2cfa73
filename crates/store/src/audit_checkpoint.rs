//! Checkpoints of the record as the database keeps them, for the page; what they prove, they prove where else they are.

use crate::Store;
use crate::engine::{execute, fetch_all, fetch_optional};
use crate::error::Result;

impl Store {
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
