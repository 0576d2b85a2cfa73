//! Activity: the sentences of a request's timeline and of a stack's activity. For people; the audit chain is the record.

use sqlx::FromRow;
use types::ids::{RequestId, StackId};
use types::request::TimelineEntry;
use types::time::Timestamp;

use crate::columns::At;
use crate::engine::{execute, fetch_all};
use crate::error::Result;
use crate::{Store, Tx};

/// A sentence to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewActivity {
    /// Shown in this request's timeline.
    pub request: Option<RequestId>,
    /// Shown in this stack's activity.
    pub stack: Option<StackId>,
    /// Who.
    pub actor: String,
    /// What, as a sentence.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    at: At,
    actor: String,
    body: String,
}

impl From<Row> for TimelineEntry {
    fn from(row: Row) -> Self {
        TimelineEntry {
            at: row.at.into(),
            actor: row.actor,
            text: row.body,
        }
    }
}

impl Tx {
    /// Adds a sentence.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn insert_activity(&mut self, new: &NewActivity) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO activity (request_id, stack_id, actor, body, at) VALUES ($1, $2, $3, $4, $5)",
            new.request.map(|id| id.0),
            new.stack.map(|id| id.0),
            new.actor.as_str(),
            new.text.as_str(),
            At(new.at),
        )?;
        Ok(())
    }
}

impl Store {
    /// A request's timeline, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn request_timeline(&self, request: RequestId) -> Result<Vec<TimelineEntry>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            Row,
            "SELECT at, actor, body FROM activity WHERE request_id = $1 ORDER BY seq",
            request.0
        )?;
        Ok(rows.into_iter().map(TimelineEntry::from).collect())
    }

    /// A stack's activity, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn stack_activity(&self, stack: StackId, limit: u32) -> Result<Vec<TimelineEntry>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            Row,
            "SELECT at, actor, body FROM activity WHERE stack_id = $1 ORDER BY seq DESC LIMIT $2",
            stack.0,
            i64::from(limit)
        )?;
        Ok(rows.into_iter().map(TimelineEntry::from).collect())
    }
}
