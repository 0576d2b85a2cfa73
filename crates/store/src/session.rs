//! Browser sessions, for tower-sessions: id, data, expiry. The id is kept as its SHA-256 only.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, Document};
use crate::engine::{execute, fetch_optional};
use crate::error::Result;

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What it carries.
    pub data: Value,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    data: Document<Value>,
    expires_at: At,
}

fn hash(id: &str) -> Vec<u8> {
    Sha256::digest(id.as_bytes()).to_vec()
}

impl Store {
    /// Adds a session; false when the id is taken, for another to be tried.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn create_session(
        &self,
        id: &str,
        data: &Value,
        expires_at: Timestamp,
    ) -> Result<bool> {
        let mut lease = self.engine.write().await?;
        let added = execute!(
            lease.conn(),
            "INSERT INTO session (id_hash, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id_hash) DO NOTHING",
            hash(id),
            Document(data),
            At(expires_at)
        )?;
        Ok(added > 0)
    }

    /// Writes a session, whether it was there or not.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn save_session(&self, id: &str, data: &Value, expires_at: Timestamp) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "INSERT INTO session (id_hash, data, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (id_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at",
            hash(id),
            Document(data),
            At(expires_at)
        )?;
        Ok(())
    }

    /// A session that has not ended at `now`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn session(&self, id: &str, now: Timestamp) -> Result<Option<Session>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT data, expires_at FROM session WHERE id_hash = $1 AND expires_at > $2",
            hash(id),
            At(now)
        )?;
        Ok(row.map(|row| Session {
            data: row.data.0,
            expires_at: row.expires_at.into(),
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn delete_session(&self, id: &str) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "DELETE FROM session WHERE id_hash = $1",
            hash(id)
        )?;
        Ok(())
    }
}
