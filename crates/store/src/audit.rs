//! The audit chain: numbered without gaps, each line's hash over its canonical JSON and the hash before it.

use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;
use types::actor::{Actor, ActorKind};
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::ids::RequestId;
use types::names::ProjectName;
use types::page::Page;
use types::time::Timestamp;

use crate::Store;
use crate::columns::{At, Document, name};
use crate::engine::{Conn, execute, fetch_optional, on};
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

/// What the hash covers, besides the hash before. Its field names and order do not matter: the JSON is canonical (RFC 8785).
#[derive(Serialize)]
struct Line<'a> {
    seq: i64,
    at: String,
    actor: &'a str,
    via: &'a str,
    action: &'a str,
    subject_kind: &'a str,
    subject_id: &'a str,
    subject_name: &'a str,
    project: Option<&'a str>,
    detail: &'a Json,
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

impl Row {
    /// The hash this line should have after a line with the hash `previous`.
    fn expected_hash(&self, previous: &str) -> Result<String> {
        let line = Line {
            seq: self.seq,
            at: self.at.text(),
            actor: &self.actor,
            via: &self.via,
            action: &self.action,
            subject_kind: &self.subject_kind,
            subject_id: &self.subject_id,
            subject_name: &self.subject_name,
            project: self.project.as_deref(),
            detail: &self.detail.0,
        };
        let canonical = serde_json_canonicalizer::to_vec(&line)
            .map_err(|_| Error::Other("an audit line has no canonical form".into()))?;
        let mut hasher = Sha256::new();
        hasher.update(previous.as_bytes());
        hasher.update(b"\n");
        hasher.update(&canonical);
        Ok(hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
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

/// The hash before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

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
    for line in lines {
        seq += 1;
        let mut row = Row {
            seq,
            at: At(now),
            actor: line.actor,
            via: line.via,
            action: line.action,
            subject_kind: line.subject_kind,
            subject_id: line.subject_id,
            subject_name: line.subject_name,
            project: line.project.map(String::from),
            detail: Document(line.detail),
            previous_hash: previous,
            hash: String::new(),
        };
        row.hash = row.expected_hash(&row.previous_hash)?;
        previous = row.hash.clone();
        execute!(
            conn.again(),
            "INSERT INTO audit_event (seq, at, actor, via, action, subject_kind, subject_id, subject_name, project, detail, \
             previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            row.seq,
            row.at,
            row.actor,
            row.via,
            row.action,
            row.subject_kind,
            row.subject_id,
            row.subject_name,
            row.project,
            row.detail,
            row.previous_hash,
            row.hash,
        )?;
    }
    Ok(())
}

impl Store {
    /// The digest that the record last tells of a request's plan: from its sending, its last edit, or where it was sent back with a new plan.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn recorded_digest(&self, request: RequestId) -> Result<Option<String>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            (Document<Json>,),
            "SELECT detail FROM audit_event WHERE subject_id = $1 \
             AND action IN ('request.submitted', 'request.edited', 'request.sent_back') ORDER BY seq DESC LIMIT 1",
            request.to_string()
        )?;
        Ok(row.and_then(|(detail,)| {
            let digest = detail.0.get("plan_digest")?.as_str()?;
            Some(digest.to_owned())
        }))
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

    /// Reads the whole chain, a row at a time, and recomputes every hash. Lines cut off at the end leave no trace in the chain itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn check_audit_chain(&self) -> Result<ChainCheck> {
        let mut lease = self.engine.read().await?;
        on!(lease.conn(), |c| {
            let mut rows =
                sqlx::query_as::<_, Row>("SELECT * FROM audit_event ORDER BY seq").fetch(c);
            let mut lines = 0;
            let mut previous = BEGINNING.to_owned();
            while let Some(row) = rows.try_next().await? {
                lines += 1;
                let fits = row.seq == lines
                    && row.previous_hash == previous
                    && row.hash == row.expected_hash(&previous)?;
                if !fits {
                    return Ok(ChainCheck {
                        lines,
                        broken_at: Some(lines),
                    });
                }
                previous = row.hash;
            }
            Ok(ChainCheck {
                lines,
                broken_at: None,
            })
        })
    }
}
