//! Secret values of a request, encrypted by the caller (envelope); erased when its operation ends. The store never sees one in the clear.

use sqlx::FromRow;
use types::ids::RequestId;
use types::time::Timestamp;

use crate::columns::At;
use crate::engine::{execute, fetch_all};
use crate::error::Result;
use crate::{Store, Tx};

/// One encrypted value. `Debug` shows no ciphertext.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue {
    /// Which parameter.
    pub name: String,
    /// The envelope: key id, nonce and ciphertext as the caller made it.
    pub ciphertext: Vec<u8>,
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretValue")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct Row {
    name: String,
    ciphertext: Vec<u8>,
}

impl Tx {
    /// Keeps a value for a request, in place of the one it had.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such request.
    pub async fn put_secret(
        &mut self,
        request: RequestId,
        secret: &SecretValue,
        now: Timestamp,
    ) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO secret_value (request_id, name, ciphertext, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (request_id, name) DO UPDATE SET ciphertext = excluded.ciphertext, created_at = excluded.created_at",
            request.0,
            secret.name.as_str(),
            secret.ciphertext.as_slice(),
            At(now)
        )?;
        Ok(())
    }

    /// Erases all values of a request; answers how many.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn erase_secrets(&mut self, request: RequestId) -> Result<u64> {
        execute!(
            self.conn(),
            "DELETE FROM secret_value WHERE request_id = $1",
            request.0
        )
    }
}

impl Store {
    /// The values of a request, by name.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn secrets(&self, request: RequestId) -> Result<Vec<SecretValue>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            Row,
            "SELECT name, ciphertext FROM secret_value WHERE request_id = $1 ORDER BY name",
            request.0
        )?;
        Ok(rows
            .into_iter()
            .map(|row| SecretValue {
                name: row.name,
                ciphertext: row.ciphertext,
            })
            .collect())
    }
}
