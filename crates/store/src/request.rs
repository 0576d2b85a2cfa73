//! Requests: the row that lists show, and beside it the documents (draft, needs, plan) that only its page reads.

use std::collections::HashMap;

use sqlx::FromRow;
use types::approval::{ApprovalTab, Decision};
use types::ids::{OperationId, RequestId, StackId, SubmissionId};
use types::page::Page;
use types::plan::Plan;
use types::policy::{ApprovalNeed, Posture};
use types::request::{
    PlanAuthor, RequestDraft, RequestFilter, RequestKind, RequestState, RequestSummary,
};
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, Document, at, count, moment, name, word, word_of};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::{Error, Result};
use crate::list::{
    self, Condition, Cursor, Owner, Query, Scope, Value, by_request, fetch_each, fetch_list,
};
use crate::{Store, Tx, author, decision, limits};

/// A request, whole, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The row. Its `version` is the one that was read.
    pub summary: RequestSummary,
    /// What was sent, secrets left out.
    pub draft: RequestDraft,
    /// The plan; absent while it is being checked. Its digest is kept in a column of its own as well.
    pub plan: Option<Plan>,
    /// Which plan of the request that is, counted from 1. It grows with every plan, also one that is equal to the last.
    pub plan_revision: i64,
    /// Who has to agree to this plan.
    pub needs: Vec<ApprovalNeed>,
    /// Since when it waits for approval; kept after the decision.
    pub waiting_since: Option<Timestamp>,
    /// Why the last plan was sent back.
    pub sent_back: Option<String>,
}

/// One sending of a form. Its number counts among those of its sender only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The sender's number for it.
    pub id: SubmissionId,
    /// A hash of what was sent: the same number with other content is another form.
    pub content: String,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The request that it made.
    pub request: RequestId,
    /// The hash of what was sent; absent for requests that are older than the hash.
    pub content: Option<String>,
}

/// A request of the approvals queue: enough to say what it does and whom it needs, without the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The row.
    pub summary: RequestSummary,
    /// The plan's one sentence.
    pub plan_summary: String,
    /// The plan's digest.
    pub plan_digest: String,
    /// Who has to agree.
    pub needs: Vec<ApprovalNeed>,
    /// Who wrote its plans, in order.
    pub authors: Vec<PlanAuthor>,
    /// Decisions so far, oldest first.
    pub decisions: Vec<Decision>,
    /// Since when it waits.
    pub waiting_since: Timestamp,
}

/// A part of the approvals queue.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Queue {
    /// The requests.
    pub rows: Vec<Waiting>,
    /// Those of this part that cannot be read: they are left out of `rows` and hide no other.
    pub unreadable: Vec<Unreadable>,
    /// Where the next part begins; absent after the last.
    pub next_cursor: Option<String>,
}

/// A request that a list leaves out.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Which, where that can be read.
    pub request: Option<RequestId>,
    /// Why.
    pub why: Error,
}

/// A request as far as its stack is concerned. No document of it is read, so that a broken one stands in no stack's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackRequest {
    /// Its id.
    pub id: RequestId,
    /// What it asks for.
    pub kind: RequestKind,
    /// How far it is.
    pub state: RequestState,
    /// Who sent it.
    pub requester: String,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When something happened to it last.
    pub updated_at: Timestamp,
    /// The version that was read.
    pub version: i64,
}

const SUMMARY: &str = "SELECT id, kind, state, project, tier, stack_id, name, template, requester, monthly, monthly_change, unpriced, posture, warnings, \
     denials, created_at, updated_at, version, plan_digest, plan_summary, waiting_since FROM request";

#[derive(FromRow)]
struct SummaryRow {
    id: Uuid,
    kind: String,
    state: String,
    project: String,
    tier: String,
    stack_id: Uuid,
    name: String,
    template: String,
    requester: String,
    monthly: i64,
    monthly_change: i64,
    unpriced: i64,
    posture: Document<Posture>,
    warnings: i64,
    denials: i64,
    created_at: At,
    updated_at: At,
    version: i64,
    plan_digest: Option<String>,
    plan_summary: String,
    waiting_since: Option<At>,
}

#[derive(FromRow)]
struct Whole {
    #[sqlx(flatten)]
    row: SummaryRow,
    sent_back: Option<String>,
    plan_revision: i64,
    draft: Document<RequestDraft>,
    needs: Document<Vec<ApprovalNeed>>,
    plan: Option<Document<Plan>>,
}

#[derive(FromRow)]
struct NeedsRow {
    needs: Document<Vec<ApprovalNeed>>,
}

/// Where a row of the queue stands, whatever else of it can be read.
#[derive(FromRow)]
struct Place {
    id: Uuid,
    created_at: At,
    updated_at: At,
    waiting_since: Option<At>,
}

/// A row of the queue, read by itself.
type Queued = (Option<Place>, Result<SummaryRow>);

#[derive(FromRow)]
struct StackRow {
    id: Uuid,
    kind: String,
    state: String,
    requester: String,
    created_at: At,
    updated_at: At,
    version: i64,
}

impl TryFrom<StackRow> for StackRequest {
    type Error = Error;

    fn try_from(row: StackRow) -> Result<Self> {
        Ok(StackRequest {
            id: RequestId(row.id),
            kind: word("request.kind", row.kind)?,
            state: word("request.state", row.state)?,
            requester: row.requester,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        })
    }
}

impl TryFrom<SummaryRow> for RequestSummary {
    type Error = Error;

    fn try_from(row: SummaryRow) -> Result<Self> {
        Ok(RequestSummary {
            id: RequestId(row.id),
            kind: word("request.kind", row.kind)?,
            state: word("request.state", row.state)?,
            project: name("request.project", &row.project)?,
            tier: word("request.tier", row.tier)?,
            stack: StackId(row.stack_id),
            name: name("request.name", &row.name)?,
            template: name("request.template", &row.template)?,
            requester: row.requester,
            monthly: types::cost::Usd(row.monthly),
            monthly_change: types::cost::Usd(row.monthly_change),
            unpriced: count("request.unpriced", row.unpriced)?,
            posture: row.posture.0,
            warnings: count("request.warnings", row.warnings)?,
            denials: count("request.denials", row.denials)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        })
    }
}

impl TryFrom<Whole> for Request {
    type Error = Error;

    fn try_from(whole: Whole) -> Result<Self> {
        Ok(Request {
            draft: whole.draft.0,
            plan: whole.plan.map(|plan| plan.0),
            plan_revision: whole.plan_revision,
            needs: whole.needs.0,
            waiting_since: moment(whole.row.waiting_since),
            sent_back: whole.sent_back,
            summary: whole.row.try_into()?,
        })
    }
}

const WHOLE: &str = "SELECT r.*, d.draft, d.needs, d.plan FROM request r JOIN request_document d ON d.request_id = r.id WHERE r.id = $1";

async fn read(conn: Conn<'_>, id: RequestId) -> Result<Option<Request>> {
    fetch_optional!(conn, Whole, WHOLE, id.0)?
        .map(Request::try_from)
        .transpose()
}

async fn operation(conn: Conn<'_>, request: RequestId) -> Result<Option<OperationId>> {
    let row: Option<(Uuid,)> = fetch_optional!(
        conn,
        (Uuid,),
        "SELECT id FROM operation WHERE request_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        request.0
    )?;
    Ok(row.map(|(id,)| OperationId(id)))
}

impl Tx {
    /// The newest operation that executes a request, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn operation_of_request(
        &mut self,
        request: RequestId,
    ) -> Result<Option<OperationId>> {
        operation(self.conn(), request).await
    }

    /// The request as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn request(&mut self, id: RequestId) -> Result<Option<Request>> {
        read(self.conn(), id).await
    }

    /// Adds a request; false when its requester has sent this submission already, whose request stays as it is.
    ///
    /// Call it before [`Tx::insert_stack`] of the stack it reserves: two submissions of one form then meet here, where the second one waits and
    /// answers false, and not at the stack's name. That the stack exists is checked at commit.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the project is missing.
    pub async fn insert_request(
        &mut self,
        request: &Request,
        submission: &Submission,
    ) -> Result<bool> {
        let s = &request.summary;
        let added = execute!(
            self.conn(),
            "INSERT INTO request (id, kind, state, project, tier, stack_id, name, template, requester, monthly, monthly_change, posture, \
             warnings, denials, plan_digest, plan_summary, waiting_since, sent_back, created_at, updated_at, version, submission, submission_hash, \
             plan_revision, unpriced) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) \
             ON CONFLICT (requester, submission) DO NOTHING",
            s.id.0,
            word_of(&s.kind)?,
            word_of(&s.state)?,
            s.project.as_str(),
            word_of(&s.tier)?,
            s.stack.0,
            s.name.as_str(),
            s.template.to_string(),
            s.requester.as_str(),
            s.monthly.0,
            s.monthly_change.0,
            Document(s.posture),
            i64::from(s.warnings),
            i64::from(s.denials),
            request.plan.as_ref().map(|plan| plan.digest.as_str()),
            request
                .plan
                .as_ref()
                .map_or("", |plan| plan.summary.as_str()),
            at(request.waiting_since),
            request.sent_back.as_deref(),
            At(s.created_at),
            At(s.updated_at),
            s.version,
            submission.id.0,
            submission.content.as_str(),
            request.plan_revision,
            i64::from(s.unpriced),
        )?;
        if added == 0 {
            return Ok(false);
        }
        execute!(
            self.conn(),
            "INSERT INTO request_document (request_id, draft, needs, plan) VALUES ($1, $2, $3, $4)",
            s.id.0,
            Document(&request.draft),
            Document(&request.needs),
            request.plan.as_ref().map(Document),
        )?;
        self.hold_quota_of(request).await?;
        Ok(true)
    }

    /// Writes all that may change of a request, if its version is still the one in `summary.version`, which then grows by one.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else was faster, [`Error::NotFound`] when there is none.
    pub async fn update_request(&mut self, request: &mut Request) -> Result<()> {
        let s = &request.summary;
        let changed = execute!(
            self.conn(),
            "UPDATE request SET state = $3, template = $4, monthly = $5, monthly_change = $6, posture = $7, warnings = $8, denials = $9, \
             plan_digest = $10, plan_summary = $11, waiting_since = $12, sent_back = $13, updated_at = $14, plan_revision = $15, unpriced = $16, \
             name = $17, version = version + 1 \
             WHERE id = $1 AND version = $2",
            s.id.0,
            s.version,
            word_of(&s.state)?,
            s.template.to_string(),
            s.monthly.0,
            s.monthly_change.0,
            Document(s.posture),
            i64::from(s.warnings),
            i64::from(s.denials),
            request.plan.as_ref().map(|plan| plan.digest.as_str()),
            request
                .plan
                .as_ref()
                .map_or("", |plan| plan.summary.as_str()),
            at(request.waiting_since),
            request.sent_back.as_deref(),
            At(s.updated_at),
            request.plan_revision,
            i64::from(s.unpriced),
            s.name.as_str(),
        )?;
        if changed == 0 {
            let there: Option<(i64,)> = fetch_optional!(
                self.conn(),
                (i64,),
                "SELECT version FROM request WHERE id = $1",
                request.summary.id.0
            )?;
            return Err(if there.is_some() {
                Error::Stale
            } else {
                Error::NotFound
            });
        }
        execute!(
            self.conn(),
            "UPDATE request_document SET draft = $2, needs = $3, plan = $4 WHERE request_id = $1",
            request.summary.id.0,
            Document(&request.draft),
            Document(&request.needs),
            request.plan.as_ref().map(Document),
        )?;
        request.summary.version += 1;
        self.hold_quota_of(request).await
    }

    /// Ends a request without reading its documents, if its version is still the one that was read.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else was faster.
    pub async fn end_request(
        &mut self,
        request: &StackRequest,
        state: RequestState,
        now: Timestamp,
    ) -> Result<()> {
        let changed = execute!(
            self.conn(),
            "UPDATE request SET state = $3, updated_at = $4, version = version + 1 WHERE id = $1 AND version = $2",
            request.id.0,
            request.version,
            word_of(&state)?,
            At(now),
        )?;
        if changed == 0 {
            return Err(Error::Stale);
        }
        Ok(())
    }

    /// An approved request holds the quota of its plan. Its state says how long, so that no end can forget to give it back.
    async fn hold_quota_of(&mut self, request: &Request) -> Result<()> {
        match &request.plan {
            Some(plan) if request.summary.state == RequestState::Approved => {
                limits::put_request_quota(self.conn(), request.summary.id, &plan.quota).await
            }
            _ => Ok(()),
        }
    }
}

impl Store {
    /// A request, whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn request(&self, id: RequestId) -> Result<Option<Request>> {
        let mut lease = self.engine.read().await?;
        read(lease.conn(), id).await
    }

    /// What became of a person's submission.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn submitted(
        &self,
        requester: &str,
        submission: SubmissionId,
    ) -> Result<Option<Submitted>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            (Uuid, Option<String>),
            "SELECT id, submission_hash FROM request WHERE requester = $1 AND submission = $2",
            requester,
            submission.0
        )?;
        Ok(row.map(|(request, content)| Submitted {
            request: RequestId(request),
            content,
        }))
    }

    /// A page of requests, newest first; `me` is the requester that `filter.mine` means.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn requests(
        &self,
        scope: &Scope,
        me: &str,
        filter: &RequestFilter,
    ) -> Result<Page<RequestSummary>> {
        let limit = list::limit(filter.limit, 25, 100);
        let Some(query) = list_query(scope, me, filter, limit)? else {
            return Ok(empty());
        };
        let mut lease = self.engine.read().await?;
        let items = fetch_list!(lease.conn(), SummaryRow, query)?
            .into_iter()
            .map(RequestSummary::try_from)
            .collect::<Result<Vec<_>>>()?;
        Ok(page(items, limit))
    }

    /// The plan of the requests list as the engine explains it, for the test that keeps it on an index.
    ///
    /// # Errors
    /// As [`Store::requests`].
    #[doc(hidden)]
    pub async fn explain_requests(
        &self,
        scope: &Scope,
        me: &str,
        filter: &RequestFilter,
    ) -> Result<Vec<String>> {
        let Some(mut query) = list_query(scope, me, filter, 25)? else {
            return Ok(vec![]);
        };
        let mut lease = self.engine.read().await?;
        match lease.conn() {
            Conn::Sqlite(c) => {
                query.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
                let rows = fetch_list!(Conn::Sqlite(c), (i64, i64, i64, String), query)?;
                Ok(rows.into_iter().map(|(.., detail)| detail).collect())
            }
            Conn::Postgres(c) => {
                query.sql.insert_str(0, "EXPLAIN ");
                let rows = fetch_list!(Conn::Postgres(c), (String,), query)?;
                Ok(rows.into_iter().map(|(line,)| line).collect())
            }
        }
    }

    /// Requests in one state, at most `limit`: those after `after`, the last of the page before. With `quiet_since`, only those that nothing happened to
    /// after that moment; one that waits for approval is quiet since it waits, whatever is said about it.
    ///
    /// Only ids, in their order: each is read by itself, so that one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn requests_in_state(
        &self,
        state: RequestState,
        quiet_since: Option<Timestamp>,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<RequestId>> {
        let mut query = Query::default();
        query.push(
            "SELECT id FROM request WHERE state = ?",
            [Value::from(state.as_str())],
        );
        if let Some(moment) = quiet_since {
            let since = match state {
                RequestState::AwaitingApproval => " AND COALESCE(waiting_since, updated_at) <= ?",
                _ => " AND updated_at <= ?",
            };
            query.push(since, [Value::At(At(moment))]);
        }
        if let Some(after) = after {
            query.push(" AND id > ?", [Value::Id(after.0)]);
        }
        query.push(" ORDER BY id LIMIT ?", [Value::Int(i64::from(limit))]);
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (Uuid,), query)?;
        Ok(rows.into_iter().map(|(id,)| RequestId(id)).collect())
    }

    /// Requests about a stack, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn requests_of_stack(&self, stack: StackId) -> Result<Vec<StackRequest>> {
        let mut lease = self.engine.read().await?;
        let rows: Vec<StackRow> = fetch_all!(
            lease.conn(),
            StackRow,
            "SELECT id, kind, state, requester, created_at, updated_at, version FROM request WHERE stack_id = $1 ORDER BY created_at DESC, id DESC",
            stack.0
        )?;
        rows.into_iter().map(StackRequest::try_from).collect()
    }

    /// The newest operation that executes a request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn operation_of_request(&self, request: RequestId) -> Result<Option<OperationId>> {
        let mut lease = self.engine.read().await?;
        operation(lease.conn(), request).await
    }

    /// The approvals queue, newest request first. [`ApprovalTab::Decided`]: what `me` decided. The other two: what waits for anybody in scope. For whom it
    /// waits is a matter of groups: whoever asks goes through [`Store::waiting_longest`].
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn waiting(
        &self,
        scope: &Scope,
        me: &str,
        tab: ApprovalTab,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Queue> {
        let limit = list::limit(Some(limit), 25, 500);
        let condition: Condition = match tab {
            ApprovalTab::Decided => (
                "id IN (SELECT request_id FROM decision WHERE approver = ?)",
                vec![Value::from(me)],
            ),
            ApprovalTab::Mine | ApprovalTab::All => (
                "state = ?",
                vec![Value::from(RequestState::AwaitingApproval.as_str())],
            ),
        };
        let Some(query) = list::newest_first(SUMMARY, None, scope, &[condition], cursor, limit)?
        else {
            return Ok(Queue::default());
        };
        let mut lease = self.engine.read().await?;
        let rows = fetch_each!(lease.conn(), Place, SummaryRow, query)?;
        queue_of(lease.conn(), rows, limit, |place| place.created_at).await
    }

    /// What waits for approval in scope, the longest waiting first: at most `limit` rows after `cursor`, the place that [`Waiting::cursor`] and
    /// [`Queue::next_cursor`] name.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn waiting_longest(
        &self,
        scope: &Scope,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Queue> {
        let after = cursor.map(Cursor::decode).transpose()?;
        let mut query = Query::default();
        query.push(SUMMARY, []);
        query.push(" WHERE state = 'awaiting_approval'", []);
        if let Scope::Projects(projects) = scope {
            if projects.is_empty() {
                return Ok(Queue::default());
            }
            let marks = vec!["?"; projects.len()].join(", ");
            query.push(
                &format!(" AND project IN ({marks})"),
                projects.iter().map(Value::from),
            );
        }
        if let Some(after) = after {
            query.push(
                " AND (COALESCE(waiting_since, updated_at), id) > (?, ?)",
                [Value::At(At(after.at)), Value::Id(after.id)],
            );
        }
        query.push(
            " ORDER BY COALESCE(waiting_since, updated_at), id LIMIT ?",
            [Value::Int(i64::from(limit) + 1)],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_each!(lease.conn(), Place, SummaryRow, query)?;
        queue_of(lease.conn(), rows, i64::from(limit), Place::waits_since).await
    }
}

/// Rows of the queue with whom they need and who has spoken, and where it goes on.
async fn queue_of(
    mut conn: Conn<'_>,
    mut rows: Vec<Queued>,
    limit: i64,
    at: impl Fn(&Place) -> At,
) -> Result<Queue> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = || rows.iter().rev().find_map(|(place, _)| place.as_ref());
    let next_cursor = more.then(last).flatten().map(|place| {
        Cursor {
            at: at(place).into(),
            id: place.id,
        }
        .encode()
    });
    let ids: Vec<Uuid> = rows
        .iter()
        .filter_map(|(_, row)| Some(row.as_ref().ok()?.id))
        .collect();
    let mut beside = Beside {
        needs: needs_of(conn.again(), &ids).await?,
        authors: author::of_requests(conn.again(), &ids).await?,
        decisions: decision::of_requests(conn, &ids).await?,
    };
    let mut queue = Queue {
        next_cursor,
        ..Queue::default()
    };
    for (place, row) in rows {
        match row.and_then(|row| beside.waiting(row)) {
            Ok(row) => queue.rows.push(row),
            Err(why) => queue.unreadable.push(Unreadable {
                request: place.map(|place| RequestId(place.id)),
                why,
            }),
        }
    }
    Ok(queue)
}

/// What belongs to the rows of the queue and stands in other tables.
struct Beside {
    needs: HashMap<Uuid, Result<Vec<NeedsRow>>>,
    authors: HashMap<Uuid, Result<Vec<PlanAuthor>>>,
    decisions: HashMap<Uuid, Result<Vec<Decision>>>,
}

impl Beside {
    fn waiting(&mut self, row: SummaryRow) -> Result<Waiting> {
        let id = row.id;
        // Every request has one; without it, nobody would seem to be needed.
        let needs = self
            .needs
            .remove(&id)
            .ok_or_else(|| Error::Corrupt("no row in request_document".to_owned()))??;
        Ok(Waiting {
            plan_summary: row.plan_summary.clone(),
            plan_digest: row.plan_digest.clone().unwrap_or_default(),
            needs: needs.into_iter().flat_map(|row| row.needs.0).collect(),
            authors: self.authors.remove(&id).transpose()?.unwrap_or_default(),
            decisions: self.decisions.remove(&id).transpose()?.unwrap_or_default(),
            waiting_since: row.waiting_since.unwrap_or(row.updated_at).into(),
            summary: row.try_into()?,
        })
    }
}

impl Place {
    /// Since when it waits: the order of the queue.
    fn waits_since(&self) -> At {
        self.waiting_since.unwrap_or(self.updated_at)
    }
}

impl Waiting {
    /// The place of this row among those that wait, for the page after it.
    #[must_use]
    pub fn cursor(&self) -> String {
        Cursor {
            at: self.waiting_since,
            id: self.summary.id.0,
        }
        .encode()
    }
}

fn list_query(
    scope: &Scope,
    me: &str,
    filter: &RequestFilter,
    limit: i64,
) -> Result<Option<Query>> {
    let mut conditions: Vec<Condition> = vec![];
    if let Some(state) = filter.state {
        conditions.push(("state = ?", vec![Value::from(state.as_str())]));
    }
    if filter.mine {
        conditions.push(("requester = ?", vec![Value::from(me)]));
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        conditions.push(("name LIKE ? ESCAPE '!'", vec![list::contains(text)]));
    }
    list::newest_first(
        SUMMARY,
        filter.project.as_ref(),
        scope,
        &conditions,
        filter.cursor.as_deref(),
        limit,
    )
}

async fn needs_of(conn: Conn<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Result<Vec<NeedsRow>>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = Query::default();
    let marks = vec!["?"; ids.len()].join(", ");
    query.push(
        &format!("SELECT request_id, needs FROM request_document WHERE request_id IN ({marks})"),
        ids.iter().copied().map(Value::Id),
    );
    Ok(by_request(fetch_each!(conn, Owner, NeedsRow, query)?))
}

fn empty() -> Page<RequestSummary> {
    page(vec![], 1)
}

fn page(items: Vec<RequestSummary>, limit: i64) -> Page<RequestSummary> {
    let (items, next_cursor) = list::cut(items, limit, |row| {
        Cursor {
            at: row.created_at,
            id: row.id.0,
        }
        .encode()
    });
    Page {
        items,
        next_cursor,
        total: None,
    }
}
