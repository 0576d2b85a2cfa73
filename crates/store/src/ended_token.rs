//! Tokens that no longer count: expired, or revoked within the last year. Who still presents one is named in the record.

use sqlx::FromRow;
use types::ids::TokenId;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::At;
use crate::engine::{execute, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

/// A token that no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedToken {
    /// Its id.
    pub id: TokenId,
    /// Whose it was.
    pub subject: String,
    /// Revoked, not expired.
    pub revoked: bool,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    subject: String,
}

impl Tx {
    /// Keeps the hash of a token that is about to be deleted.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn keep_revoked_token(
        &mut self,
        subject: &str,
        id: TokenId,
        now: Timestamp,
    ) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO revoked_token (hash, token_id, subject, revoked_at) \
             SELECT hash, id, subject, $3 FROM api_token WHERE id = $1 AND subject = $2 \
             ON CONFLICT (hash) DO NOTHING",
            id.0,
            subject,
            At(now)
        )?;
        Ok(())
    }
}

impl Store {
    /// The token with this hash, if it has expired by `now` or was revoked.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn ended_token(&self, hash: &[u8; 32], now: Timestamp) -> Result<Option<EndedToken>> {
        let mut lease = self.engine.read().await?;
        for (sql, revoked) in [
            (
                "SELECT token_id AS id, subject FROM revoked_token WHERE hash = $1 AND revoked_at <= $2",
                true,
            ),
            (
                "SELECT id, subject FROM api_token WHERE hash = $1 AND expires_at <= $2",
                false,
            ),
        ] {
            let row = fetch_optional!(lease.conn(), Row, sql, hash.as_slice(), At(now))?;
            if let Some(row) = row {
                return Ok(Some(EndedToken {
                    id: TokenId(row.id),
                    subject: row.subject,
                    revoked,
                }));
            }
        }
        Ok(None)
    }
}
