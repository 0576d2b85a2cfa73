//! Events: the numbered stream that pages and clients follow, and the wake-ups between processes.

use std::time::Duration;

use sqlx::FromRow;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use types::event::{Event, Subject};
use types::ids::StackId;
use types::names::ProjectName;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, name, word};
use crate::engine::{Conn, fetch_optional, on};
use crate::error::Result;
use crate::list::{Query, Scope, Value, fetch_list};

/// An event to be numbered at commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What kind of noun changed.
    pub subject: Subject,
    /// Its id as text.
    pub id: String,
    /// The stack it is about.
    pub stack: Option<StackId>,
    /// Its project.
    pub project: Option<ProjectName>,
    /// What happened, such as `request.approved`.
    pub kind: String,
}

/// Which events a stream wants; empty means all in scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only what is about this stack: itself, its requests and operations.
    pub stack: Option<StackId>,
    /// Only this noun, by kind and id.
    pub subject: Option<(Subject, String)>,
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: At,
    subject: String,
    subject_id: String,
    stack_id: Option<String>,
    project: Option<String>,
    kind: String,
}

impl TryFrom<Row> for Event {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Event {
            seq: row.seq,
            at: row.at.into(),
            subject: word("event.subject", row.subject)?,
            id: row.subject_id,
            stack: row.stack_id,
            project: row
                .project
                .as_deref()
                .map(|p| name("event.project", p))
                .transpose()?,
            kind: row.kind,
        })
    }
}

impl Store {
    /// Events after a sequence number, oldest first, at most `limit`. What belongs to no project is shown in [`Scope::All`] only.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn events_after(
        &self,
        seq: i64,
        scope: &Scope,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let mut query = Query::default();
        query.push("SELECT * FROM event WHERE seq > ?", [Value::Int(seq)]);
        if let Scope::Projects(seen) = scope {
            if seen.is_empty() {
                return Ok(vec![]);
            }
            let marks = vec!["?"; seen.len()].join(", ");
            query.push(
                &format!(" AND project IN ({marks})"),
                seen.iter().map(Value::from),
            );
        }
        if let Some(project) = &filter.project {
            query.push(" AND project = ?", [Value::from(project)]);
        }
        if let Some(stack) = filter.stack {
            query.push(" AND stack_id = ?", [Value::Text(stack.to_string())]);
        }
        if let Some((subject, id)) = &filter.subject {
            query.push(
                " AND subject = ? AND subject_id = ?",
                [Value::from(subject.as_str()), Value::from(id.as_str())],
            );
        }
        query.push(" ORDER BY seq LIMIT ?", [Value::Int(i64::from(limit))]);
        let mut lease = self.engine.read().await?;
        fetch_list!(lease.conn(), Row, query)?
            .into_iter()
            .map(Event::try_from)
            .collect()
    }

    /// The latest sequence number, 0 before the first event: where a new stream begins.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn latest_event(&self) -> Result<i64> {
        let mut lease = self.engine.read().await?;
        let row: Option<(i64,)> = fetch_optional!(
            lease.conn(),
            (i64,),
            "SELECT seq FROM event ORDER BY seq DESC LIMIT 1"
        )?;
        Ok(row.map_or(0, |(seq,)| seq))
    }
}

/// Writes events in the transaction; answers the last one's number.
pub(crate) async fn append(
    mut conn: Conn<'_>,
    events: Vec<NewEvent>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let mut latest = None;
    for event in events {
        let (seq,): (i64,) = on!(conn.again(), |c| {
            sqlx::query_as(
                "INSERT INTO event (at, subject, subject_id, stack_id, project, kind) \
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING seq",
            )
            .bind(At(now))
            .bind(event.subject.as_str())
            .bind(event.id)
            .bind(event.stack.map(|id| id.to_string()))
            .bind(event.project.map(String::from))
            .bind(event.kind)
            .fetch_one(c)
            .await
        })?;
        latest = Some(seq);
    }
    Ok(latest)
}

/// Passes other processes' commits on to this one's subscribers, for as long as the store lives.
pub(crate) async fn listen(pool: PgPool, events: broadcast::Sender<i64>) {
    loop {
        match hear(&pool, &events).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "lost the event notifications of the database; listening again in a second");
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn hear(pool: &PgPool, events: &broadcast::Sender<i64>) -> Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("slipway_event").await?;
    loop {
        match listener.try_recv().await? {
            Some(notification) => {
                if let Ok(seq) = notification.payload().parse() {
                    let _ = events.send(seq);
                }
            }
            // The connection was lost and made again: commits in between went unheard, so wake everybody once.
            None => {
                let _ = events.send(0);
            }
        }
    }
}
