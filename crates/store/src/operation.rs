//! Operations and their steps: the journal by which a crash anywhere resumes.

use sqlx::FromRow;
use types::fault::AzureFault;
use types::ids::{OperationId, RequestId, StackId};
use types::names::ProjectName;
use types::operation::{OperationState, OperationSummary, ResourceProgress};
use types::page::Page;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, Document, at, count, moment, name, word, word_of};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::{Error, Result};
use crate::list::{self, Condition, Cursor, Query, Scope, Value, fetch_list};
use crate::{Store, Tx};

/// An operation, whole, as it is stored. Its steps are rows of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The row.
    pub summary: OperationSummary,
    /// Who asked for it: a subject.
    pub requested_by: String,
    /// The digest of the plan that it was queued for; absent for power actions, and for operations of a Slipway that did not write it down.
    pub plan_digest: Option<String>,
    /// Why it failed or needs attention.
    pub fault: Option<AzureFault>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<Timestamp>,
    /// The worker that has it.
    pub worker: Option<String>,
    /// Until when that worker may be believed to be alive; what fences it is `version`.
    pub lease_until: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The version that was read; every change makes it grow by one, so a worker that lost its lease loses here.
    pub version: i64,
}

/// A step, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What pages show.
    pub step: types::operation::Step,
    /// Its place in the operation, from 0.
    pub position: i64,
    /// What resumes it: the stored long-running operation, the deployment's name. Written before the first poll.
    pub external_ref: Option<serde_json::Value>,
}

/// Filter of the operations list; empty means all in scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only this project.
    pub project: Option<ProjectName>,
    /// Only this stack.
    pub stack: Option<StackId>,
    /// Only this state.
    pub state: Option<OperationState>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 100; 25 when absent.
    pub limit: Option<u32>,
}

const SUMMARY: &str = "SELECT id, stack_id, stack_name, project, tier, request_id, kind, state, revision, created_at, started_at, ended_at FROM operation";

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    stack_id: Uuid,
    stack_name: String,
    project: String,
    tier: String,
    request_id: Option<Uuid>,
    kind: String,
    state: String,
    revision: i64,
    created_at: At,
    started_at: Option<At>,
    ended_at: Option<At>,
}

#[derive(FromRow)]
struct Whole {
    #[sqlx(flatten)]
    row: SummaryRow,
    requested_by: String,
    plan_digest: Option<String>,
    fault: Option<Document<AzureFault>>,
    cancel_requested_at: Option<At>,
    worker: Option<String>,
    lease_until: Option<At>,
    updated_at: At,
    version: i64,
}

#[derive(FromRow)]
struct StepRow {
    name: String,
    position: i64,
    title: String,
    state: String,
    attempt: i64,
    started_at: Option<At>,
    ended_at: Option<At>,
    note: Option<String>,
    fault: Option<Document<AzureFault>>,
    external_ref: Option<Document<serde_json::Value>>,
    resources: Document<Vec<ResourceProgress>>,
}

impl TryFrom<SummaryRow> for OperationSummary {
    type Error = Error;

    fn try_from(row: SummaryRow) -> Result<Self> {
        Ok(OperationSummary {
            id: OperationId(row.id),
            stack: StackId(row.stack_id),
            stack_name: name("operation.stack_name", &row.stack_name)?,
            project: name("operation.project", &row.project)?,
            tier: word("operation.tier", row.tier)?,
            request: row.request_id.map(RequestId),
            kind: word("operation.kind", row.kind)?,
            state: word("operation.state", row.state)?,
            revision: row.revision,
            created_at: row.created_at.into(),
            started_at: moment(row.started_at),
            ended_at: moment(row.ended_at),
        })
    }
}

impl TryFrom<Whole> for Operation {
    type Error = Error;

    fn try_from(whole: Whole) -> Result<Self> {
        Ok(Operation {
            summary: whole.row.try_into()?,
            requested_by: whole.requested_by,
            plan_digest: whole.plan_digest,
            fault: whole.fault.map(|fault| fault.0),
            cancel_requested_at: moment(whole.cancel_requested_at),
            worker: whole.worker,
            lease_until: moment(whole.lease_until),
            updated_at: whole.updated_at.into(),
            version: whole.version,
        })
    }
}

impl TryFrom<StepRow> for Step {
    type Error = Error;

    fn try_from(row: StepRow) -> Result<Self> {
        Ok(Step {
            step: types::operation::Step {
                name: word("operation_step.name", row.name)?,
                title: row.title,
                state: word("operation_step.state", row.state)?,
                attempt: count("operation_step.attempt", row.attempt)?,
                started_at: moment(row.started_at),
                ended_at: moment(row.ended_at),
                note: row.note,
                fault: row.fault.map(|fault| fault.0),
                resources: row.resources.0,
            },
            position: row.position,
            external_ref: row.external_ref.map(|value| value.0),
        })
    }
}

async fn read(conn: Conn<'_>, id: OperationId) -> Result<Option<Operation>> {
    fetch_optional!(conn, Whole, "SELECT * FROM operation WHERE id = $1", id.0)?
        .map(Operation::try_from)
        .transpose()
}

async fn read_steps(conn: Conn<'_>, id: OperationId) -> Result<Vec<Step>> {
    fetch_all!(
        conn,
        StepRow,
        "SELECT name, position, title, state, attempt, started_at, ended_at, note, fault, external_ref, resources \
         FROM operation_step WHERE operation_id = $1 ORDER BY position",
        id.0
    )?
    .into_iter()
    .map(Step::try_from)
    .collect()
}

impl Tx {
    /// The operation as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn operation(&mut self, id: OperationId) -> Result<Option<Operation>> {
        read(self.conn(), id).await
    }

    /// Its steps in order, as this transaction sees them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn steps(&mut self, id: OperationId) -> Result<Vec<Step>> {
        read_steps(self.conn(), id).await
    }

    /// Adds an operation.
    ///
    /// # Errors
    /// [`crate::Conflict::StackBusy`] while another operation on the stack has not ended.
    pub async fn insert_operation(&mut self, operation: &Operation) -> Result<()> {
        let s = &operation.summary;
        execute!(
            self.conn(),
            "INSERT INTO operation (id, stack_id, request_id, kind, state, project, tier, stack_name, revision, requested_by, fault, \
             cancel_requested_at, worker, lease_until, created_at, updated_at, started_at, ended_at, version, plan_digest) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
            s.id.0,
            s.stack.0,
            s.request.map(|id| id.0),
            word_of(&s.kind)?,
            word_of(&s.state)?,
            s.project.as_str(),
            word_of(&s.tier)?,
            s.stack_name.as_str(),
            s.revision,
            operation.requested_by.as_str(),
            operation.fault.as_ref().map(Document),
            at(operation.cancel_requested_at),
            operation.worker.as_deref(),
            at(operation.lease_until),
            At(s.created_at),
            At(operation.updated_at),
            at(s.started_at),
            at(s.ended_at),
            operation.version,
            operation.plan_digest.as_deref(),
        )?;
        Ok(())
    }

    /// Forgets an operation's steps, so that they can be written anew. As with [`Tx::put_step`], the operation's version is what fences two workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn delete_steps(&mut self, operation: OperationId) -> Result<()> {
        execute!(
            self.conn(),
            "DELETE FROM operation_step WHERE operation_id = $1",
            operation.0
        )?;
        Ok(())
    }

    /// Writes all that may change of an operation, if its version is still the one that was read, which then grows by one.
    ///
    /// # Errors
    /// [`Error::Stale`] when another worker or person was faster, [`Error::NotFound`] when there is none,
    /// [`crate::Conflict::StackBusy`] when it would come alive beside another one.
    pub async fn update_operation(&mut self, operation: &mut Operation) -> Result<()> {
        let s = &operation.summary;
        let changed = execute!(
            self.conn(),
            "UPDATE operation SET state = $3, revision = $4, fault = $5, cancel_requested_at = $6, worker = $7, lease_until = $8, \
             updated_at = $9, started_at = $10, ended_at = $11, version = version + 1 WHERE id = $1 AND version = $2",
            s.id.0,
            operation.version,
            word_of(&s.state)?,
            s.revision,
            operation.fault.as_ref().map(Document),
            at(operation.cancel_requested_at),
            operation.worker.as_deref(),
            at(operation.lease_until),
            At(operation.updated_at),
            at(s.started_at),
            at(s.ended_at),
        )?;
        if changed == 0 {
            let there: Option<(i64,)> = fetch_optional!(
                self.conn(),
                (i64,),
                "SELECT version FROM operation WHERE id = $1",
                operation.summary.id.0
            )?;
            return Err(if there.is_some() {
                Error::Stale
            } else {
                Error::NotFound
            });
        }
        operation.version += 1;
        Ok(())
    }

    /// Adds a step or writes it again; a step's name is unique within its operation. The operation's version is what fences two workers:
    /// update the operation in the same transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such operation.
    pub async fn put_step(&mut self, operation: OperationId, step: &Step) -> Result<()> {
        let s = &step.step;
        execute!(
            self.conn(),
            "INSERT INTO operation_step (operation_id, name, position, title, state, attempt, started_at, ended_at, note, fault, external_ref, \
             resources) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (operation_id, name) DO UPDATE SET position = excluded.position, title = excluded.title, state = excluded.state, \
             attempt = excluded.attempt, started_at = excluded.started_at, ended_at = excluded.ended_at, note = excluded.note, \
             fault = excluded.fault, external_ref = excluded.external_ref, resources = excluded.resources",
            operation.0,
            word_of(&s.name)?,
            step.position,
            s.title.as_str(),
            word_of(&s.state)?,
            i64::from(s.attempt),
            at(s.started_at),
            at(s.ended_at),
            s.note.as_deref(),
            s.fault.as_ref().map(Document),
            step.external_ref.as_ref().map(Document),
            Document(&s.resources),
        )?;
        Ok(())
    }
}

impl Store {
    /// An operation, whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let mut lease = self.engine.read().await?;
        read(lease.conn(), id).await
    }

    /// An operation's steps, in order.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn steps(&self, id: OperationId) -> Result<Vec<Step>> {
        let mut lease = self.engine.read().await?;
        read_steps(lease.conn(), id).await
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn operations(
        &self,
        scope: &Scope,
        filter: &OperationFilter,
    ) -> Result<Page<OperationSummary>> {
        let limit = list::limit(filter.limit, 25, 100);
        let mut conditions: Vec<Condition> = vec![];
        if let Some(stack) = filter.stack {
            conditions.push(("stack_id = ?", vec![Value::Id(stack.0)]));
        }
        if let Some(state) = filter.state {
            conditions.push(("state = ?", vec![Value::from(state.as_str())]));
        }
        let query = list::newest_first(
            SUMMARY,
            filter.project.as_ref(),
            scope,
            &conditions,
            filter.cursor.as_deref(),
            limit,
        )?;
        let mut items = vec![];
        if let Some(query) = query {
            let mut lease = self.engine.read().await?;
            items = fetch_list!(lease.conn(), SummaryRow, query)?
                .into_iter()
                .map(OperationSummary::try_from)
                .collect::<Result<Vec<_>>>()?;
        }
        let (items, next_cursor) = list::cut(items, limit, |row| {
            Cursor {
                at: row.created_at,
                id: row.id.0,
            }
            .encode()
        });
        Ok(Page {
            items,
            next_cursor,
            total: None,
        })
    }

    /// The newest operation that applied something to a stack, or tried to: the newest before `before` where that is given. An id alone, since what became of
    /// the operation is for the audit record to say.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn newest_apply(
        &self,
        stack: StackId,
        before: Option<OperationId>,
    ) -> Result<Option<OperationId>> {
        let mut query = Query::default();
        query.push(
            "SELECT id FROM operation WHERE stack_id = ? AND kind = 'apply'",
            [Value::Id(stack.0)],
        );
        if let Some(before) = before {
            query.push(
                " AND (created_at, id) < (SELECT created_at, id FROM operation WHERE id = ?)",
                [Value::Id(before.0)],
            );
        }
        query.push(" ORDER BY created_at DESC, id DESC LIMIT 1", []);
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (Uuid,), query)?;
        Ok(rows.first().map(|(id,)| OperationId(*id)))
    }

    /// Operations that should move (queued or running) and have not changed since `before`, at most `limit`: those after `after`, the last of the page
    /// before. They are the ones to enqueue again; enqueueing one twice is harmless, its version fences it. Only ids: one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn operations_quiet_since(
        &self,
        before: Timestamp,
        after: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<OperationId>> {
        let mut query = Query::default();
        query.push(
            "SELECT id FROM operation WHERE state IN ('queued', 'running') AND updated_at < ?",
            [Value::At(At(before))],
        );
        if let Some(after) = after {
            query.push(" AND id > ?", [Value::Id(after.0)]);
        }
        query.push(" ORDER BY id LIMIT ?", [Value::Int(i64::from(limit))]);
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (Uuid,), query)?;
        Ok(rows.into_iter().map(|(id,)| OperationId(id)).collect())
    }
}
