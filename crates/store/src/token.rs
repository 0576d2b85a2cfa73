//! API tokens: only their SHA-256 is kept, which is enough because a token is 32 random bytes.

use sqlx::FromRow;
use types::ids::TokenId;
use types::time::Timestamp;
use types::token::TokenSummary;
use uuid::Uuid;

use crate::columns::{At, at, count, moment};
use crate::engine::{execute, fetch_all, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

/// A token, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The row that its owner sees.
    pub summary: TokenSummary,
    /// Whose it is.
    pub subject: String,
    /// SHA-256 of the whole token; for one that waits to be shown, of nothing that anybody knows.
    pub hash: [u8; 32],
    /// When its value was shown; absent until then.
    pub shown_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    subject: String,
    name: String,
    prefix: String,
    created_at: At,
    expires_at: At,
    last_used_at: Option<At>,
    shown_at: Option<At>,
}

impl From<Row> for TokenSummary {
    fn from(row: Row) -> Self {
        TokenSummary {
            id: TokenId(row.id),
            name: row.name,
            prefix: row.prefix,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            last_used_at: moment(row.last_used_at),
            shown: row.shown_at.is_some(),
        }
    }
}

impl Tx {
    /// Adds a token; false when there is one with this id.
    ///
    /// # Errors
    /// [`crate::Conflict::Exists`] for the same hash.
    pub async fn insert_token(&mut self, token: &ApiToken) -> Result<bool> {
        let s = &token.summary;
        let added = execute!(
            self.conn(),
            "INSERT INTO api_token (id, subject, name, prefix, hash, created_at, expires_at, shown_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
            s.id.0,
            token.subject.as_str(),
            s.name.as_str(),
            s.prefix.as_str(),
            token.hash.as_slice(),
            At(s.created_at),
            At(s.expires_at),
            at(token.shown_at),
        )?;
        Ok(added > 0)
    }

    /// How many tokens of a person are valid at `now`. Take [`Tx::lock`] first where the number decides.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn count_tokens(&mut self, subject: &str, now: Timestamp) -> Result<u64> {
        let row: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            "SELECT count(*) FROM api_token WHERE subject = $1 AND expires_at > $2",
            subject,
            At(now)
        )?;
        row.map_or(Ok(0), |(n,)| count("api_token", n))
    }

    /// Gives a token that waits to be shown its value; `None` when it was shown, has ended, was made before `made_after`, or is another person's.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn show_token(
        &mut self,
        subject: &str,
        id: TokenId,
        hash: &[u8; 32],
        prefix: &str,
        now: Timestamp,
        made_after: Timestamp,
    ) -> Result<Option<TokenSummary>> {
        let row = fetch_optional!(
            self.conn(),
            Row,
            "UPDATE api_token SET hash = $3, prefix = $4, shown_at = $5 \
             WHERE id = $1 AND subject = $2 AND shown_at IS NULL AND expires_at > $5 AND created_at > $6 \
             RETURNING id, subject, name, prefix, created_at, expires_at, last_used_at, shown_at",
            id.0,
            subject,
            hash.as_slice(),
            prefix,
            At(now),
            At(made_after)
        )?;
        Ok(row.map(TokenSummary::from))
    }

    /// Takes a person's token away, at once and for good; `None` when they have no such token.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn delete_token(
        &mut self,
        subject: &str,
        id: TokenId,
    ) -> Result<Option<TokenSummary>> {
        let row = fetch_optional!(
            self.conn(),
            Row,
            "DELETE FROM api_token WHERE id = $1 AND subject = $2 \
             RETURNING id, subject, name, prefix, created_at, expires_at, last_used_at, shown_at",
            id.0,
            subject
        )?;
        Ok(row.map(TokenSummary::from))
    }
}

impl Store {
    /// A person's tokens, newest first, ended ones too.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn tokens(&self, subject: &str) -> Result<Vec<TokenSummary>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            Row,
            "SELECT id, subject, name, prefix, created_at, expires_at, last_used_at, shown_at FROM api_token \
             WHERE subject = $1 ORDER BY created_at DESC, id DESC",
            subject
        )?;
        Ok(rows.into_iter().map(TokenSummary::from).collect())
    }

    /// Whose token has this hash, if it is still valid at `now`: subject and row.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn token_by_hash(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<(String, TokenSummary)>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT id, subject, name, prefix, created_at, expires_at, last_used_at, shown_at FROM api_token WHERE hash = $1 AND expires_at > $2 AND shown_at IS NOT NULL",
            hash.as_slice(),
            At(now)
        )?;
        Ok(row.map(|row| (row.subject.clone(), row.into())))
    }

    /// The token with this id, if it is still valid at `now`: subject and row.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn token_by_id(
        &self,
        id: TokenId,
        now: Timestamp,
    ) -> Result<Option<(String, TokenSummary)>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT id, subject, name, prefix, created_at, expires_at, last_used_at, shown_at FROM api_token WHERE id = $1 AND expires_at > $2 AND shown_at IS NOT NULL",
            id.0,
            At(now)
        )?;
        Ok(row.map(|row| (row.subject.clone(), row.into())))
    }

    /// Notes that a token was used. Call it at most once an hour a token: it is a write of its own, not in a transaction.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn touch_token(&self, id: TokenId, now: Timestamp) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "UPDATE api_token SET last_used_at = $2 WHERE id = $1",
            id.0,
            At(now)
        )?;
        Ok(())
    }
}
