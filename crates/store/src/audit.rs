//! The audit chain: appending to it and listing it. Lines are numbered without gaps; each hash covers the line's canonical JSON and the hash before it.
//! Reading it to be verified is in `audit_chain`.

use std::collections::HashMap;

use record::{BEGINNING, Line};
use serde_json::Value as Json;
use sqlx::FromRow;
use types::actor::{Actor, ActorKind};
use types::audit::{AuditEvent, AuditFilter};
use types::ids::{DecisionId, RequestId};
use types::names::ProjectName;
use types::page::Page;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, Document, Verbatim, name};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::{Error, Result};
use crate::list::{self, Query, Scope, Value, fetch_list};

/// A line to be added at commit.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAudit {
    /// Who: a subject.
    pub actor: String,
    /// How they came in: `person`, `token <id>`, `system`.
    pub via: String,
    /// What, such as `request.submitted`.
    pub action: String,
    /// Kind of noun.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// Its name, for people.
    pub subject_name: String,
    /// Project; absent for what belongs to the installation.
    pub project: Option<ProjectName>,
    /// What else is worth knowing; never a secret.
    pub detail: Json,
}

impl NewAudit {
    /// A line by this actor about one noun, without detail.
    #[must_use]
    pub fn by(
        actor: &Actor,
        action: &str,
        subject: (&str, String, &str),
        project: Option<&ProjectName>,
    ) -> Self {
        let (subject_kind, subject_id, subject_name) = subject;
        Self {
            actor: actor.subject.clone(),
            via: match &actor.kind {
                ActorKind::Person => "person".to_owned(),
                ActorKind::Token { id } => format!("token {id}"),
                ActorKind::System => "system".to_owned(),
            },
            action: action.to_owned(),
            subject_kind: subject_kind.to_owned(),
            subject_id,
            subject_name: subject_name.to_owned(),
            project: project.cloned(),
            detail: Json::Object(serde_json::Map::new()),
        }
    }

    /// The same with detail.
    #[must_use]
    pub fn with(mut self, detail: Json) -> Self {
        self.detail = detail;
        self
    }
}

/// The plan of a request of which the record tells last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedPlan {
    /// Its digest; none in a line that does not say it, which proves no plan.
    pub digest: Option<String>,
    /// The request was sent back with it before it was executed, and nobody edited it since.
    pub sent_back: bool,
}

/// The lines that tell of a request's plan. Those of its sending and its edits also say who wrote it.
const PLAN_LINES: [&str; 3] = ["request.submitted", "request.edited", SENT_BACK];
const SENT_BACK: &str = "request.sent_back";
const APPROVED: &str = "request.approved";

impl RecordedPlan {
    /// Whether a line tells of a request's plan, or of who wrote it.
    #[must_use]
    pub fn is_told_by(line: &Line) -> bool {
        line.subject_kind == "request" && PLAN_LINES.contains(&line.action.as_str())
    }

    /// What such a line tells.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        Self::read(&line.action, &line.detail)
    }

    fn read(action: &str, detail: &Json) -> Self {
        let digest = detail.get("plan_digest").and_then(Json::as_str);
        Self {
            digest: digest.map(str::to_owned),
            sent_back: action == SENT_BACK,
        }
    }
}

/// An approval of which the record tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedApproval {
    /// Whose: a subject.
    pub approver: String,
    /// The decision.
    pub decision: DecisionId,
    /// The plan that was approved.
    pub plan_digest: String,
    /// Its number in the request: an equal plan that was made later has another.
    pub plan_revision: i64,
}

impl RecordedApproval {
    /// Whether a line tells of an approval.
    #[must_use]
    pub fn is_told_by(line: &Line) -> bool {
        line.subject_kind == "request" && line.action == APPROVED
    }

    /// What such a line tells; `None` when it does not tell all of it.
    #[must_use]
    pub fn of(line: &Line) -> Option<Self> {
        Self::read(line.actor.clone(), &line.detail)
    }

    /// What the detail of a line says; `None` when it does not say all of it, as in lines of versions that did not name the decision.
    fn read(approver: String, detail: &Json) -> Option<Self> {
        Some(Self {
            approver,
            decision: DecisionId(detail.get("decision")?.as_str()?.parse().ok()?),
            plan_revision: detail.get("plan_revision")?.as_i64()?,
            plan_digest: detail.get("plan_digest")?.as_str()?.to_owned(),
        })
    }
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: At,
    actor: String,
    via: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    project: Option<String>,
    detail: Document<Json>,
    previous_hash: String,
    hash: String,
}

impl TryFrom<Row> for AuditEvent {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(AuditEvent {
            seq: row.seq,
            at: row.at.into(),
            actor: row.actor,
            via: row.via,
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            subject_name: row.subject_name,
            project: row
                .project
                .as_deref()
                .map(|p| name("audit_event.project", p))
                .transpose()?,
            detail: row.detail.0,
            previous_hash: row.previous_hash,
            hash: row.hash,
        })
    }
}

/// Extends the chain in the transaction. The caller holds the chain's lock.
pub(crate) async fn append(mut conn: Conn<'_>, lines: Vec<NewAudit>, now: Timestamp) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let last: Option<(i64, String)> = fetch_optional!(
        conn.again(),
        (i64, String),
        "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"
    )?;
    let (mut seq, mut previous) = last.unwrap_or((0, BEGINNING.to_owned()));
    for new in lines {
        seq += 1;
        let (text, detail) = settled(new.detail)?;
        let mut line = Line {
            seq,
            at: now.micros_text(),
            actor: new.actor,
            via: new.via,
            action: new.action,
            subject_kind: new.subject_kind,
            subject_id: new.subject_id,
            subject_name: new.subject_name,
            project: new.project.map(String::from),
            detail,
            previous_hash: previous,
            hash: String::new(),
        };
        line.hash = line
            .hash_after(&line.previous_hash)
            .map_err(|_| no_form())?;
        previous = line.hash.clone();
        execute!(
            conn.again(),
            "INSERT INTO audit_event (seq, at, actor, via, action, subject_kind, subject_id, subject_name, project, detail, \
             previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            line.seq,
            At(now),
            line.actor,
            line.via,
            line.action,
            line.subject_kind,
            line.subject_id,
            line.subject_name,
            line.project,
            Verbatim(text),
            line.previous_hash,
            line.hash,
        )?;
    }
    Ok(())
}

/// The canonical text of a detail, and the value that reading this text gives. What is hashed is what is stored: canonical JSON has no integers beyond
/// 2^53, so another number that looks the same there must not be kept beside it.
fn settled(detail: Json) -> Result<(String, Json)> {
    let mut value = detail;
    for _ in 0..3 {
        let text = record::canonical(&value).map_err(|_| no_form())?;
        let read: Json = serde_json::from_str(&text).map_err(|_| no_form())?;
        if record::canonical(&read).is_ok_and(|again| again == text) {
            return Ok((text, read));
        }
        value = read;
    }
    Err(no_form())
}

fn no_form() -> Error {
    Error::Other("an audit line has no canonical form".into())
}

impl Store {
    /// What the record last tells of a request's plan: from its sending, its last edit, or where it was sent back with a new plan.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recorded_plan(&self, request: RequestId) -> Result<Option<RecordedPlan>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            (String, Document<Json>),
            "SELECT action, detail FROM audit_event WHERE subject_id = $1 AND subject_kind = 'request' \
             AND action IN ('request.submitted', 'request.edited', 'request.sent_back') ORDER BY seq DESC LIMIT 1",
            request.to_string()
        )?;
        Ok(row.map(|(action, detail)| RecordedPlan::read(&action, &detail.0)))
    }

    /// The lines of one action about a subject, oldest first: who did it, and the detail.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn audit_details(&self, subject: &str, action: &str) -> Result<Vec<(String, Json)>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            (String, Document<Json>),
            "SELECT actor, detail FROM audit_event WHERE subject_id = $1 AND action = $2 ORDER BY seq",
            subject,
            action
        )?;
        Ok(rows
            .into_iter()
            .map(|(actor, detail)| (actor, detail.0))
            .collect())
    }

    /// The approvals of a request of which the record tells, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recorded_approvals(&self, request: RequestId) -> Result<Vec<RecordedApproval>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            (String, Document<Json>),
            "SELECT actor, detail FROM audit_event WHERE subject_id = $1 AND subject_kind = 'request' AND action = 'request.approved' ORDER BY seq",
            request.to_string()
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|(approver, detail)| RecordedApproval::read(approver, &detail.0))
            .collect())
    }

    /// Everybody who sent or edited a request, as the record tells, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recorded_authors(&self, request: RequestId) -> Result<Vec<String>> {
        let mut lease = self.engine.read().await?;
        let rows = fetch_all!(
            lease.conn(),
            (String,),
            "SELECT actor FROM audit_event WHERE subject_id = $1 AND subject_kind = 'request' \
             AND action IN ('request.submitted', 'request.edited') ORDER BY seq",
            request.to_string()
        )?;
        Ok(rows.into_iter().map(|(actor,)| actor).collect())
    }

    /// What the last line of one action says about a subject.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn last_audit_detail(&self, subject: &str, action: &str) -> Result<Option<Json>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            (Document<Json>,),
            "SELECT detail FROM audit_event WHERE subject_id = $1 AND action = $2 ORDER BY seq DESC LIMIT 1",
            subject,
            action
        )?;
        Ok(row.map(|(detail,)| detail.0))
    }

    /// What the last line of one action says about each of these subjects, for those that have one. A detail that is no JSON says nothing: `null`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn last_audit_details(
        &self,
        subjects: &[String],
        action: &str,
    ) -> Result<HashMap<String, Json>> {
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        let marks = vec!["?"; subjects.len()].join(", ");
        let mut query = Query::default();
        query.push(
            "SELECT subject_id, CAST(detail AS TEXT) FROM audit_event WHERE seq IN (SELECT MAX(seq) FROM audit_event WHERE action = ?",
            [Value::from(action)],
        );
        query.push(
            &format!(" AND subject_id IN ({marks}) GROUP BY subject_id)"),
            subjects.iter().map(|subject| Value::from(subject.as_str())),
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), (String, String), query)?;
        Ok(rows
            .into_iter()
            .map(|(subject, detail)| (subject, serde_json::from_str(&detail).unwrap_or_default()))
            .collect())
    }

    /// A page of the record, newest first.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a foreign cursor; [`Error::Unavailable`] when the database does not answer.
    pub async fn audit_events(
        &self,
        scope: &Scope,
        filter: &AuditFilter,
    ) -> Result<Page<AuditEvent>> {
        let limit = list::limit(filter.limit, 50, 200);
        let mut query = Query::default();
        query.push("SELECT * FROM audit_event WHERE 1 = 1", []);
        if let Scope::Projects(seen) = scope {
            let marks = vec!["?"; seen.len()].join(", ");
            // An empty list is `IN (NULL)`: nothing.
            let marks = if seen.is_empty() { "NULL" } else { &marks };
            query.push(
                &format!(" AND project IN ({marks})"),
                seen.iter().map(Value::from),
            );
        }
        if let Some(project) = &filter.project {
            query.push(" AND project = ?", [Value::from(project)]);
        }
        if let Some(actor) = &filter.actor {
            query.push(" AND actor = ?", [Value::from(actor.as_str())]);
        }
        if let Some(action) = &filter.action {
            // `/` follows `.` in ASCII: the range holds all that starts with the word and a dot, by the index.
            query.push(
                " AND (action = ? OR (action >= ? AND action < ?))",
                [
                    Value::from(action.as_str()),
                    Value::Text(format!("{action}.")),
                    Value::Text(format!("{action}/")),
                ],
            );
        }
        if let Some(id) = &filter.subject_id {
            query.push(" AND subject_id = ?", [Value::from(id.as_str())]);
        }
        if let Some(cursor) = &filter.cursor {
            query.push(" AND seq < ?", [Value::Int(list::decode_seq(cursor)?)]);
        }
        query.push(" ORDER BY seq DESC LIMIT ?", [Value::Int(limit + 1)]);
        let mut lease = self.engine.read().await?;
        let items = fetch_list!(lease.conn(), Row, query)?
            .into_iter()
            .map(AuditEvent::try_from)
            .collect::<Result<Vec<_>>>()?;
        let (items, next_cursor) = list::cut(items, limit, |line| list::encode_seq(line.seq));
        Ok(Page {
            items,
            next_cursor,
            total: None,
        })
    }
}
