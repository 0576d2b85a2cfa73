//! Azure facts: the persisted cache of SKUs, usages, prices, images, clusters and subnets, each with the time it was fetched.

use serde_json::Value;
use sqlx::FromRow;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, Document};
use crate::engine::{execute, fetch_all, fetch_optional};
use crate::error::Result;

/// One cached answer of Azure.
#[derive(Debug, Clone, PartialEq)]
pub struct AzureFact {
    /// What kind, such as `usages`.
    pub kind: String,
    /// Which, such as `<subscription>/westeurope`.
    pub key: String,
    /// The answer, in the shape the reader wants.
    pub body: Value,
    /// When Azure was asked.
    pub fetched_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    kind: String,
    fact_key: String,
    body: Document<Value>,
    fetched_at: At,
}

impl From<Row> for AzureFact {
    fn from(row: Row) -> Self {
        AzureFact {
            kind: row.kind,
            key: row.fact_key,
            body: row.body.0,
            fetched_at: row.fetched_at.into(),
        }
    }
}

impl Store {
    /// Keeps an answer, unless a newer one is there already.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn put_azure_fact(&self, fact: &AzureFact) -> Result<()> {
        let mut lease = self.engine.write().await?;
        execute!(
            lease.conn(),
            "INSERT INTO azure_fact (kind, fact_key, body, fetched_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (kind, fact_key) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at \
             WHERE excluded.fetched_at >= azure_fact.fetched_at",
            fact.kind.as_str(),
            fact.key.as_str(),
            Document(&fact.body),
            At(fact.fetched_at)
        )?;
        Ok(())
    }

    /// One answer.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn azure_fact(&self, kind: &str, key: &str) -> Result<Option<AzureFact>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT * FROM azure_fact WHERE kind = $1 AND fact_key = $2",
            kind,
            key
        )?;
        Ok(row.map(AzureFact::from))
    }

    /// The keys of all answers of one kind. Each answer is read by itself, so that one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn azure_fact_keys(&self, kind: &str) -> Result<Vec<String>> {
        let mut lease = self.engine.read().await?;
        let rows: Vec<(String,)> = fetch_all!(
            lease.conn(),
            (String,),
            "SELECT fact_key FROM azure_fact WHERE kind = $1 ORDER BY fact_key",
            kind
        )?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
