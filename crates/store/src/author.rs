//! Authors: who wrote which plan of a request. Whoever is one never decides the request; that rule is the application's.

use std::collections::HashMap;

use sqlx::FromRow;
use types::ids::{BreakGlassId, RequestId};
use types::request::PlanAuthor;
use uuid::Uuid;

use crate::columns::At;
use crate::engine::{Conn, execute};
use crate::error::Result;
use crate::list::{Owner, Query, Value, by_request, fetch_each};
use crate::{Store, Tx};

#[derive(FromRow)]
struct Row {
    plan_revision: i64,
    subject: String,
    break_glass_id: Option<Uuid>,
    at: At,
}

impl From<Row> for PlanAuthor {
    fn from(row: Row) -> Self {
        PlanAuthor {
            plan_revision: row.plan_revision,
            subject: row.subject,
            break_glass: row.break_glass_id.map(BreakGlassId),
            at: row.at.into(),
        }
    }
}

/// Authors of several requests, in the order of their plans; where a row cannot be read, those of its request cannot.
pub(crate) async fn of_requests(
    conn: Conn<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Result<Vec<PlanAuthor>>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = Query::default();
    let marks = vec!["?"; ids.len()].join(", ");
    query.push(
        &format!(
            "SELECT request_id, plan_revision, subject, break_glass_id, at FROM request_author WHERE request_id IN ({marks}) \
             ORDER BY plan_revision, at"
        ),
        ids.iter().copied().map(Value::Id),
    );
    let rows = fetch_each!(conn, Owner, Row, query)?;
    let rows = rows
        .into_iter()
        .map(|(owner, row)| (owner, row.map(PlanAuthor::from)));
    Ok(by_request(rows.collect()))
}

impl Tx {
    /// Records who wrote a plan of a request.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such request, or when this was recorded before.
    pub async fn insert_author(&mut self, request: RequestId, author: &PlanAuthor) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO request_author (request_id, plan_revision, subject, break_glass_id, at) VALUES ($1, $2, $3, $4, $5)",
            request.0,
            author.plan_revision,
            author.subject.as_str(),
            author.break_glass.map(|id| id.0),
            At(author.at),
        )?;
        Ok(())
    }
}

impl Store {
    /// Who wrote a request's plans, in order.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn authors(&self, request: RequestId) -> Result<Vec<PlanAuthor>> {
        let mut lease = self.engine.read().await?;
        let mut found = of_requests(lease.conn(), &[request.0]).await?;
        found.remove(&request.0).unwrap_or_else(|| Ok(Vec::new()))
    }
}
