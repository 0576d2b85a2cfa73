//! Stacks and their resources: what lives, and the plan that was last applied to it.

use indexmap::IndexMap;
use serde_json::Value as JsonValue;
use sqlx::FromRow;
use types::fault::AzureFault;
use types::ids::{OperationId, RequestId, StackId};
use types::names::{ProjectName, StackName, TemplateRef};
use types::page::Page;
use types::plan::{Plan, Target};
use types::policy::Posture;
use types::project::Tier;
use types::stack::{StackFilter, StackResource, StackSummary};
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, Document, at, count, moment, name, word, word_of};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::{Error, Result};
use crate::list::{self, Condition, Cursor, Scope, Value, fetch_list};
use crate::{Store, Tx};

/// A stack, whole, as it is stored. Its resources are rows of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The row; `version` is the one that was read.
    pub summary: StackSummary,
    /// Revision of the last apply that was begun; the next one takes this plus one. 0 before the first.
    pub revision: i64,
    /// The request whose plan was last applied: its draft and decisions are read from there.
    pub applied_request: Option<RequestId>,
    /// The plan last applied.
    pub plan: Option<Plan>,
    /// The deployment's outputs.
    pub outputs: IndexMap<String, JsonValue>,
    /// What went wrong last, while it is failed.
    pub fault: Option<AzureFault>,
}

/// A stack that holds a name in its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStack {
    /// Its id.
    pub id: StackId,
    /// Its tier.
    pub tier: Tier,
    /// The name.
    pub name: StackName,
    /// What it was made from, or will be.
    pub template: TemplateRef,
}

/// When a stack ends, by its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEnd {
    /// The stack.
    pub stack: StackId,
    /// The text of the moment, as [`Timestamp::micros_text`] spells it; absent where the stack has no end.
    pub ends: Option<String>,
}

/// Stacks on which nothing goes on. The indexes `stack_by_expiry` and `stack_at_rest` have this very condition.
const AT_REST: &str = "state IN ('active', 'stopped', 'failed')";

const SUMMARY: &str = "SELECT id, project, tier, name, state, template, owner, monthly, unpriced, expires_at, created_at, updated_at, version, posture, target \
     FROM stack";

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    project: String,
    tier: String,
    name: String,
    state: String,
    template: String,
    owner: String,
    monthly: i64,
    unpriced: i64,
    expires_at: Option<At>,
    created_at: At,
    updated_at: At,
    version: i64,
    posture: Document<Posture>,
    target: Document<Target>,
}

#[derive(FromRow)]
struct Whole {
    #[sqlx(flatten)]
    row: SummaryRow,
    revision: i64,
    applied_request: Option<Uuid>,
    outputs: Document<IndexMap<String, JsonValue>>,
    fault: Option<Document<AzureFault>>,
    plan: Option<Document<Plan>>,
}

#[derive(FromRow)]
struct ResourceRow {
    resource_id: String,
    kind: String,
    name: String,
    state: String,
    seen_at: At,
}

impl TryFrom<SummaryRow> for StackSummary {
    type Error = Error;

    fn try_from(row: SummaryRow) -> Result<Self> {
        Ok(StackSummary {
            id: StackId(row.id),
            project: name("stack.project", &row.project)?,
            tier: word("stack.tier", row.tier)?,
            name: name("stack.name", &row.name)?,
            state: word("stack.state", row.state)?,
            template: name("stack.template", &row.template)?,
            target: row.target.0,
            monthly: types::cost::Usd(row.monthly),
            unpriced: count("stack.unpriced", row.unpriced)?,
            posture: row.posture.0,
            owner: row.owner,
            expires_at: moment(row.expires_at),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        })
    }
}

impl TryFrom<Whole> for Stack {
    type Error = Error;

    fn try_from(whole: Whole) -> Result<Self> {
        Ok(Stack {
            summary: whole.row.try_into()?,
            revision: whole.revision,
            applied_request: whole.applied_request.map(RequestId),
            plan: whole.plan.map(|plan| plan.0),
            outputs: whole.outputs.0,
            fault: whole.fault.map(|fault| fault.0),
        })
    }
}

impl From<ResourceRow> for StackResource {
    fn from(row: ResourceRow) -> Self {
        StackResource {
            id: row.resource_id,
            kind: row.kind,
            name: row.name,
            state: row.state,
            seen_at: row.seen_at.into(),
        }
    }
}

async fn read(conn: Conn<'_>, id: StackId) -> Result<Option<Stack>> {
    fetch_optional!(conn, Whole, "SELECT * FROM stack WHERE id = $1", id.0)?
        .map(Stack::try_from)
        .transpose()
}

async fn read_by_name(
    conn: Conn<'_>,
    project: &ProjectName,
    tier: Tier,
    name: &StackName,
) -> Result<Option<Stack>> {
    fetch_optional!(
        conn,
        Whole,
        "SELECT * FROM stack WHERE project = $1 AND tier = $2 AND name = $3 AND state <> 'deleted'",
        project.as_str(),
        tier.as_str(),
        name.as_str()
    )?
    .map(Stack::try_from)
    .transpose()
}

async fn read_resources(conn: Conn<'_>, id: StackId) -> Result<Vec<StackResource>> {
    let rows = fetch_all!(
        conn,
        ResourceRow,
        "SELECT resource_id, kind, name, state, seen_at FROM stack_resource WHERE stack_id = $1 ORDER BY kind, name, resource_key",
        id.0
    )?;
    Ok(rows.into_iter().map(StackResource::from).collect())
}

async fn running(conn: Conn<'_>, stack: StackId) -> Result<Option<OperationId>> {
    let row: Option<(Uuid,)> = fetch_optional!(
        conn,
        (Uuid,),
        "SELECT id FROM operation WHERE stack_id = $1 AND state IN ('queued', 'running', 'needs_attention')",
        stack.0
    )?;
    Ok(row.map(|(id,)| OperationId(id)))
}

impl Tx {
    /// The operation on a stack that has not ended, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn running_operation(&mut self, stack: StackId) -> Result<Option<OperationId>> {
        running(self.conn(), stack).await
    }

    /// The stack as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack(&mut self, id: StackId) -> Result<Option<Stack>> {
        read(self.conn(), id).await
    }

    /// The stack that holds a name, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack_by_name(
        &mut self,
        project: &ProjectName,
        tier: Tier,
        name: &StackName,
    ) -> Result<Option<Stack>> {
        read_by_name(self.conn(), project, tier, name).await
    }

    /// Adds a stack, most often as *reserved*: the name is held from here on.
    ///
    /// # Errors
    /// [`crate::Conflict::StackNameTaken`], [`crate::Conflict::Exists`] for the same id, [`crate::Conflict::Missing`] without the project.
    pub async fn insert_stack(&mut self, stack: &Stack) -> Result<()> {
        let s = &stack.summary;
        execute!(
            self.conn(),
            "INSERT INTO stack (id, project, tier, name, state, template, owner, monthly, expires_at, created_at, updated_at, version, revision, \
             applied_request, posture, target, outputs, fault, plan, unpriced) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
            s.id.0,
            s.project.as_str(),
            word_of(&s.tier)?,
            s.name.as_str(),
            word_of(&s.state)?,
            s.template.to_string(),
            s.owner.as_str(),
            s.monthly.0,
            at(s.expires_at),
            At(s.created_at),
            At(s.updated_at),
            s.version,
            stack.revision,
            stack.applied_request.map(|id| id.0),
            Document(s.posture),
            Document(&s.target),
            Document(&stack.outputs),
            stack.fault.as_ref().map(Document),
            stack.plan.as_ref().map(Document),
            i64::from(s.unpriced),
        )?;
        Ok(())
    }

    /// Writes all that may change of a stack, if its version is still the one in `summary.version`, which then grows by one. The name may change
    /// as long as nothing was made under it.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else was faster, [`Error::NotFound`] when there is none, [`crate::Conflict::StackNameTaken`] when it takes a
    /// name that another stack has.
    pub async fn update_stack(&mut self, stack: &mut Stack) -> Result<()> {
        let s = &stack.summary;
        let changed = execute!(
            self.conn(),
            "UPDATE stack SET state = $3, template = $4, owner = $5, monthly = $6, expires_at = $7, updated_at = $8, revision = $9, \
             applied_request = $10, posture = $11, target = $12, outputs = $13, fault = $14, plan = $15, unpriced = $16, name = $17, version = version + 1 \
             WHERE id = $1 AND version = $2",
            s.id.0,
            s.version,
            word_of(&s.state)?,
            s.template.to_string(),
            s.owner.as_str(),
            s.monthly.0,
            at(s.expires_at),
            At(s.updated_at),
            stack.revision,
            stack.applied_request.map(|id| id.0),
            Document(s.posture),
            Document(&s.target),
            Document(&stack.outputs),
            stack.fault.as_ref().map(Document),
            stack.plan.as_ref().map(Document),
            i64::from(s.unpriced),
            s.name.as_str(),
        )?;
        if changed == 0 {
            let there: Option<(i64,)> = fetch_optional!(
                self.conn(),
                (i64,),
                "SELECT version FROM stack WHERE id = $1",
                stack.summary.id.0
            )?;
            return Err(if there.is_some() {
                Error::Stale
            } else {
                Error::NotFound
            });
        }
        stack.summary.version += 1;
        Ok(())
    }

    /// Records a resource as seen; a known id (in any case of letters) is brought up to date.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is no such stack.
    pub async fn put_stack_resource(
        &mut self,
        stack: StackId,
        resource: &StackResource,
    ) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO stack_resource (stack_id, resource_key, resource_id, kind, name, state, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (stack_id, resource_key) DO UPDATE SET resource_id = excluded.resource_id, kind = excluded.kind, \
             name = excluded.name, state = excluded.state, seen_at = excluded.seen_at",
            stack.0,
            resource.id.to_lowercase(),
            resource.id.as_str(),
            resource.kind.as_str(),
            resource.name.as_str(),
            resource.state.as_str(),
            At(resource.seen_at),
        )?;
        Ok(())
    }

    /// Forgets a resource that is gone from Azure.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn delete_stack_resource(&mut self, stack: StackId, id: &str) -> Result<()> {
        execute!(
            self.conn(),
            "DELETE FROM stack_resource WHERE stack_id = $1 AND resource_key = $2",
            stack.0,
            id.to_lowercase()
        )?;
        Ok(())
    }

    /// Resources of a stack as this transaction sees them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack_resources(&mut self, stack: StackId) -> Result<Vec<StackResource>> {
        read_resources(self.conn(), stack).await
    }
}

impl Store {
    /// A stack, whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack(&self, id: StackId) -> Result<Option<Stack>> {
        let mut lease = self.engine.read().await?;
        read(lease.conn(), id).await
    }

    /// The stack that holds a name now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack_by_name(
        &self,
        project: &ProjectName,
        tier: Tier,
        name: &StackName,
    ) -> Result<Option<Stack>> {
        let mut lease = self.engine.read().await?;
        read_by_name(lease.conn(), project, tier, name).await
    }

    /// A stack's resources, by type and name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack_resources(&self, stack: StackId) -> Result<Vec<StackResource>> {
        let mut lease = self.engine.read().await?;
        read_resources(lease.conn(), stack).await
    }

    /// A page of stacks, newest first; without a state in the filter, all but deleted and reserved.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn stacks(&self, scope: &Scope, filter: &StackFilter) -> Result<Page<StackSummary>> {
        let limit = list::limit(filter.limit, 25, 100);
        let mut conditions: Vec<Condition> = vec![match filter.state {
            Some(state) => ("state = ?", vec![Value::from(state.as_str())]),
            None => ("state NOT IN ('deleted', 'reserved')", vec![]),
        }];
        if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
            conditions.push(("name LIKE ? ESCAPE '!'", vec![list::contains(text)]));
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
                .map(StackSummary::try_from)
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

    /// All stacks of a project that hold a name (reserved ones too), by tier and name: for policy's `other_stacks`. Nothing else of them is read: no document
    /// of one stack can keep the plans of all others from being made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stacks_of_project(&self, project: &ProjectName) -> Result<Vec<NamedStack>> {
        let mut lease = self.engine.read().await?;
        fetch_all!(
            lease.conn(),
            (Uuid, String, String, String),
            "SELECT id, tier, name, template FROM stack WHERE project = $1 AND state <> 'deleted' ORDER BY tier, name",
            project.as_str()
        )?
        .into_iter()
        .map(|(id, tier, named, template)| {
            Ok(NamedStack {
                id: StackId(id),
                tier: word("stack.tier", tier)?,
                name: name("stack.name", &named)?,
                template: name("stack.template", &template)?,
            })
        })
        .collect()
    }

    /// When the stacks at rest end, at most `limit` of them, in the order of their ids: those after the stack `after`, the last of the page before.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stack_ends(&self, after: Option<StackId>, limit: u32) -> Result<Vec<StackEnd>> {
        // As text, also where somebody wrote a moment that is none: one such row hides no other.
        let ends = if self.is_shared() {
            r#"to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#
        } else {
            "expires_at"
        };
        let mut query = list::Query::default();
        query.push(&format!("SELECT id, {ends} FROM stack WHERE {AT_REST}"), []);
        if let Some(after) = after {
            query.push(" AND id > ?", [Value::Id(after.0)]);
        }
        query.push(" ORDER BY id LIMIT ?", [Value::Int(i64::from(limit))]);
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (Uuid, Option<String>), query)?;
        Ok(rows
            .into_iter()
            .map(|(id, ends)| StackEnd {
                stack: StackId(id),
                ends,
            })
            .collect())
    }

    /// Stacks at rest that have expired before `moment`, at most `limit`, in the order of their ends: those after the stack `after`, the last of the page
    /// before. Only ids: each stack is read by itself, so that one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn stacks_expiring_before(
        &self,
        moment: Timestamp,
        after: Option<StackId>,
        limit: u32,
    ) -> Result<Vec<StackId>> {
        let mut query = list::Query::default();
        query.push(
            &format!("SELECT id FROM stack WHERE {AT_REST} AND expires_at < ?"),
            [Value::At(At(moment))],
        );
        if let Some(after) = after {
            // Where its end was moved meanwhile, some are left for the next round.
            query.push(
                " AND (expires_at, id) > (SELECT expires_at, id FROM stack WHERE id = ?)",
                [Value::Id(after.0)],
            );
        }
        query.push(
            " ORDER BY expires_at, id LIMIT ?",
            [Value::Int(i64::from(limit))],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (Uuid,), query)?;
        Ok(rows.into_iter().map(|(id,)| StackId(id)).collect())
    }

    /// The operation on a stack that has not ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn running_operation(&self, stack: StackId) -> Result<Option<OperationId>> {
        let mut lease = self.engine.read().await?;
        running(lease.conn(), stack).await
    }
}
