//! Activity: the sentences of a request's timeline and of a stack's activity. For people; the audit chain is the record.

use sqlx::FromRow;
use types::ids::{RequestId, StackId};
use types::page::Page;
use types::request::TimelineEntry;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, count};
use crate::engine::execute;
use crate::error::Result;
use crate::list::{Query, Value, cut, decode_seq, encode_seq, fetch_list};
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
    seq: i64,
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
    /// A page of a request's timeline, newest first, with how many entries there are in all.
    ///
    /// # Errors
    /// [`crate::Error::Cursor`] for a foreign cursor.
    pub async fn request_timeline(
        &self,
        request: RequestId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>> {
        self.activity_of("request_id", request.0, cursor, limit)
            .await
    }

    /// A page of a stack's activity, newest first, with how many entries there are in all.
    ///
    /// # Errors
    /// [`crate::Error::Cursor`] for a foreign cursor.
    pub async fn stack_activity(
        &self,
        stack: StackId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>> {
        self.activity_of("stack_id", stack.0, cursor, limit).await
    }

    async fn activity_of(
        &self,
        column: &'static str,
        id: Uuid,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineEntry>> {
        let before = cursor.map(decode_seq).transpose()?;
        let limit = i64::from(limit);
        let mut query = Query::default();
        query.push(
            &format!("SELECT seq, at, actor, body FROM activity WHERE {column} = ?"),
            [Value::Id(id)],
        );
        if let Some(before) = before {
            query.push(" AND seq < ?", [Value::Int(before)]);
        }
        query.push(" ORDER BY seq DESC LIMIT ?", [Value::Int(limit + 1)]);
        let mut all = Query::default();
        all.push(
            &format!("SELECT count(*) FROM activity WHERE {column} = ?"),
            [Value::Id(id)],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), Row, query)?;
        let total: Vec<(i64,)> = fetch_list!(lease.conn(), (i64,), all)?;
        let (rows, next_cursor) = cut(rows, limit, |row| encode_seq(row.seq));
        Ok(Page {
            items: rows.into_iter().map(TimelineEntry::from).collect(),
            next_cursor,
            total: total
                .first()
                .map(|(n,)| count("activity", *n))
                .transpose()?,
        })
    }
}
