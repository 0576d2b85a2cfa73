//! The installation's own id: made once, kept in the database, restored with it. Azure resources bear it as a tag.

use types::ids::InstallationId;
use types::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::columns::At;
use crate::engine::{execute, fetch_optional};
use crate::error::{Error, Result};

impl Store {
    /// The installation's id; the first call makes it. Replicas that start at the same moment agree on one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn installation(&self, now: Timestamp) -> Result<InstallationId> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "INSERT INTO installation (only_row, id, made_at) VALUES (1, $1, $2) ON CONFLICT (only_row) DO NOTHING",
            Uuid::now_v7(),
            At(now)
        )?;
        let row: Option<(Uuid,)> =
            fetch_optional!(lease.conn(), (Uuid,), "SELECT id FROM installation")?;
        row.map(|(id,)| InstallationId(id)).ok_or(Error::NotFound)
    }
}
