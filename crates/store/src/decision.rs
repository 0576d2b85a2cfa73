//! Decisions: what approvers said to which plan, and how long plans waited for it.

use std::collections::HashMap;

use sqlx::FromRow;
use types::approval::{Decision, DecisionKind};
use types::ids::{BreakGlassId, DecisionId, RequestId};
use types::page::Page;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, count, word, word_of};
use crate::engine::{Conn, execute, fetch_all};
use crate::error::Result;
use crate::list::{Cursor, Owner, Query, Value, by_request, cut, fetch_each, fetch_list};
use crate::{Store, Tx};

/// A decision to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// On which request.
    pub request: RequestId,
    /// Whose.
    pub approver: String,
    /// What.
    pub decision: DecisionKind,
    /// Why.
    pub comment: String,
    /// The plan it is about.
    pub plan_digest: String,
    /// Which plan of the request that is.
    pub plan_revision: i64,
    /// The broken glass under which it is made.
    pub break_glass: Option<BreakGlassId>,
    /// How long the request had waited, in seconds.
    pub waited_seconds: i64,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    approver: String,
    decision: String,
    body: String,
    plan_digest: String,
    plan_revision: i64,
    current_revision: i64,
    break_glass_id: Option<Uuid>,
    at: At,
}

impl TryFrom<Row> for Decision {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Decision {
            id: DecisionId(row.id),
            approver: row.approver,
            decision: word("decision.decision", row.decision)?,
            comment: row.body,
            current: row.current_revision == row.plan_revision,
            plan_digest: row.plan_digest,
            plan_revision: row.plan_revision,
            break_glass: row.break_glass_id.map(BreakGlassId),
            at: row.at.into(),
        })
    }
}

/// Decisions of several requests, oldest first; where one cannot be read, those on its request cannot.
pub(crate) async fn of_requests(
    conn: Conn<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Result<Vec<Decision>>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = Query::default();
    let marks = vec!["?"; ids.len()].join(", ");
    query.push(
        &format!(
            "SELECT d.id, d.request_id, d.approver, d.decision, d.body, d.plan_digest, d.plan_revision, \
             r.plan_revision AS current_revision, d.break_glass_id, d.at FROM decision d JOIN request r ON r.id = d.request_id WHERE d.request_id IN ({marks}) ORDER BY d.at, d.id"
        ),
        ids.iter().copied().map(Value::Id),
    );
    let rows = fetch_each!(conn, Owner, Row, query)?;
    let rows = rows
        .into_iter()
        .map(|(owner, row)| (owner, row.and_then(Decision::try_from)));
    Ok(by_request(rows.collect()))
}

impl Tx {
    /// Records a decision.
    ///
    /// # Errors
    /// [`crate::Conflict::AlreadyDecided`] when this person has decided this plan.
    pub async fn insert_decision(&mut self, new: &NewDecision) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO decision (id, request_id, approver, decision, body, plan_digest, plan_revision, break_glass_id, waited_seconds, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            new.id.0,
            new.request.0,
            new.approver.as_str(),
            word_of(&new.decision)?,
            new.comment.as_str(),
            new.plan_digest.as_str(),
            new.plan_revision,
            new.break_glass.map(|id| id.0),
            new.waited_seconds,
            At(new.at),
        )?;
        Ok(())
    }

    /// Decisions on a request, oldest first, as this transaction sees them.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn decisions(&mut self, request: RequestId) -> Result<Vec<Decision>> {
        let mut found = of_requests(self.conn(), &[request.0]).await?;
        found.remove(&request.0).unwrap_or_else(|| Ok(Vec::new()))
    }
}

impl Store {
    /// Decisions on a request, oldest first; `current` tells whether the request still has that plan.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn decisions(&self, request: RequestId) -> Result<Vec<Decision>> {
        let mut lease = self.engine.read().await?;
        let mut found = of_requests(lease.conn(), &[request.0]).await?;
        found.remove(&request.0).unwrap_or_else(|| Ok(Vec::new()))
    }

    /// A page of the decisions on a request, newest first, with how many there are in all.
    ///
    /// # Errors
    /// [`crate::Error::Cursor`] for a foreign cursor.
    pub async fn decisions_page(
        &self,
        request: RequestId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Decision>> {
        let after = cursor.map(Cursor::decode).transpose()?;
        let limit = i64::from(limit);
        let mut query = Query::default();
        query.push(
            "SELECT d.id, d.request_id, d.approver, d.decision, d.body, d.plan_digest, d.plan_revision, \
             r.plan_revision AS current_revision, d.break_glass_id, d.at \
             FROM decision d JOIN request r ON r.id = d.request_id WHERE d.request_id = ?",
            [Value::Id(request.0)],
        );
        if let Some(after) = after {
            query.push(
                " AND (d.at, d.id) < (?, ?)",
                [Value::At(At(after.at)), Value::Id(after.id)],
            );
        }
        query.push(
            " ORDER BY d.at DESC, d.id DESC LIMIT ?",
            [Value::Int(limit + 1)],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), Row, query)?;
        let total: Vec<(i64,)> = fetch_all!(
            lease.conn(),
            (i64,),
            "SELECT count(*) FROM decision WHERE request_id = $1",
            request.0
        )?;
        let items = rows
            .into_iter()
            .map(Decision::try_from)
            .collect::<Result<Vec<_>>>()?;
        let (items, next_cursor) = cut(items, limit, |decision| {
            Cursor {
                at: decision.at,
                id: decision.id.0,
            }
            .encode()
        });
        Ok(Page {
            items,
            next_cursor,
            total: total
                .first()
                .map(|(n,)| count("decision", *n))
                .transpose()?,
        })
    }

    /// How long the last `limit` decided plans had waited, in seconds, newest first; a need for several people counts once per person.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn recent_waits(&self, limit: u32) -> Result<Vec<i64>> {
        let mut lease = self.engine.read().await?;
        let rows: Vec<(i64,)> = fetch_all!(
            lease.conn(),
            (i64,),
            "SELECT waited_seconds FROM decision ORDER BY at DESC LIMIT $1",
            i64::from(limit)
        )?;
        Ok(rows.into_iter().map(|(seconds,)| seconds).collect())
    }
}
