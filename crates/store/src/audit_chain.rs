//! The record as it is verified and exported: lines exactly as the tables hold them, page by page, and the texts that they prove.

use std::collections::HashMap;

use record::{Line, Read};
use serde_json::Value as Json;
use sqlx::FromRow;
use types::time::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::columns::{At, ExactMoment};
use crate::engine::{fetch_all, fetch_optional};
use crate::error::{Error, Result};
use crate::list::{Query, Value, fetch_list};

/// The largest integer that canonical JSON can tell from its neighbours.
const EXACT: i64 = 1 << 53;

/// The columns as text, because a value that was tampered with must be seen as it is.
const COLUMNS: &str = "seq, at, actor, via, action, subject_kind, subject_id, subject_name, project, CAST(detail AS TEXT) AS detail, previous_hash, hash";

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: ExactMoment,
    actor: String,
    via: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    subject_name: String,
    project: Option<String>,
    detail: String,
    previous_hash: String,
    hash: String,
}

impl From<Row> for Read {
    fn from(row: Row) -> Self {
        let Some(detail) = detail(&row.detail) else {
            return Read::Unreadable;
        };
        Read::Line(Box::new(Line {
            seq: row.seq,
            at: row.at.0,
            actor: row.actor,
            via: row.via,
            action: row.action,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            subject_name: row.subject_name,
            project: row.project,
            detail,
            previous_hash: row.previous_hash,
            hash: row.hash,
        }))
    }
}

/// A detail, if its text is one that Slipway stores: canonical, or in the order of its members as earlier versions wrote it. Every other spelling
/// could show a reader something that the hash does not cover, such as a member that comes twice.
fn detail(text: &str) -> Option<Json> {
    let value: Json = serde_json::from_str(text).ok()?;
    let canonical = record::canonical(&value).is_ok_and(|canonical| canonical == text);
    let earlier =
        || serde_json::to_string(&value).is_ok_and(|written| written == text) && is_exact(&value);
    (canonical || earlier()).then_some(value)
}

fn is_exact(value: &Json) -> bool {
    match value {
        Json::Number(number) if number.is_f64() => true,
        Json::Number(number) => number
            .as_i64()
            .is_some_and(|number| (-EXACT..=EXACT).contains(&number)),
        Json::Array(items) => items.iter().all(is_exact),
        Json::Object(members) => members.values().all(is_exact),
        Json::Null | Json::Bool(_) | Json::String(_) => true,
    }
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AuditHead {
    /// The last line.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// Which table holds a text that the record proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// A comment on a request.
    Comment,
    /// A decision with its comment.
    Decision,
}

impl TextKind {
    /// The noun, as it stands in the detail of an audit line.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Decision => "decision",
        }
    }

    /// One shape for both tables.
    fn columns(self) -> &'static str {
        match self {
            Self::Comment => {
                "SELECT id, request_id, author, body, at, NULL AS decision, NULL AS plan_digest, NULL AS plan_revision, NULL AS break_glass_id FROM comment"
            }
            Self::Decision => {
                "SELECT id, request_id, approver AS author, body, at, decision, plan_digest, plan_revision, break_glass_id FROM decision"
            }
        }
    }
}

/// A comment or decision as its table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptText {
    /// Its id.
    pub id: Uuid,
    /// On which request.
    pub request: Uuid,
    /// Whose.
    pub author: String,
    /// The text.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// What was decided, where it is a decision.
    pub decided: Option<KeptDecision>,
}

/// What a decision is besides its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDecision {
    /// The decision's word.
    pub decision: String,
    /// On which plan.
    pub plan_digest: String,
    /// Which plan of the request that is.
    pub plan_revision: i64,
    /// The broken glass under which it was made.
    pub break_glass: Option<Uuid>,
}

#[derive(FromRow)]
struct TextRow {
    id: Uuid,
    request_id: Uuid,
    author: String,
    body: String,
    at: At,
    decision: Option<String>,
    plan_digest: Option<String>,
    plan_revision: Option<i64>,
    break_glass_id: Option<Uuid>,
}

impl From<TextRow> for KeptText {
    fn from(row: TextRow) -> Self {
        Self {
            id: row.id,
            request: row.request_id,
            author: row.author,
            text: row.body,
            at: row.at.into(),
            decided: match (row.decision, row.plan_digest, row.plan_revision) {
                (Some(decision), Some(plan_digest), Some(plan_revision)) => Some(KeptDecision {
                    decision,
                    plan_digest,
                    plan_revision,
                    break_glass: row.break_glass_id,
                }),
                _ => None,
            },
        }
    }
}

impl Store {
    /// The end of the chain; none of an empty one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn audit_head(&self) -> Result<Option<AuditHead>> {
        let mut lease = self.engine.read().await?;
        fetch_optional!(
            lease.conn(),
            AuditHead,
            "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"
        )
    }

    /// The next `limit` lines after `seq`, in order, each with the number under which it is stored. A row that is no line of ours comes as
    /// [`Read::Unreadable`], so that one spoilt row does not hide the others.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn audit_lines(&self, after: i64, limit: u32) -> Result<Vec<(i64, Read)>> {
        let mut query = Query::default();
        query.push(
            &format!("SELECT {COLUMNS} FROM audit_event WHERE seq > ? ORDER BY seq LIMIT ?"),
            [Value::Int(after), Value::Int(i64::from(limit))],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), Row, query);
        match rows {
            Ok(rows) => Ok(rows.into_iter().map(|row| (row.seq, row.into())).collect()),
            Err(Error::Corrupt(_)) => self.audit_lines_singly(after, limit).await,
            Err(other) => Err(other),
        }
    }

    /// As [`Store::audit_lines`], where one of the rows cannot be decoded.
    async fn audit_lines_singly(&self, after: i64, limit: u32) -> Result<Vec<(i64, Read)>> {
        let mut lease = self.engine.read().await?;
        let numbers: Vec<(i64,)> = fetch_all!(
            lease.conn(),
            (i64,),
            "SELECT seq FROM audit_event WHERE seq > $1 ORDER BY seq LIMIT $2",
            after,
            i64::from(limit)
        )?;
        let mut lines = Vec::with_capacity(numbers.len());
        for (seq,) in numbers {
            let mut query = Query::default();
            query.push(
                &format!("SELECT {COLUMNS} FROM audit_event WHERE seq = ?"),
                [Value::Int(seq)],
            );
            let read = match fetch_list!(lease.conn(), Row, query) {
                Ok(rows) => rows.into_iter().next().map(Read::from),
                Err(Error::Corrupt(_)) => Some(Read::Unreadable),
                Err(other) => return Err(other),
            };
            lines.extend(read.map(|read| (seq, read)));
        }
        Ok(lines)
    }

    /// Comments or decisions by their ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn kept_texts(
        &self,
        kind: TextKind,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, KeptText>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut query = Query::default();
        let marks = vec!["?"; ids.len()].join(", ");
        query.push(
            &format!("{} WHERE id IN ({marks})", kind.columns()),
            ids.iter().copied().map(Value::Id),
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), TextRow, query)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, KeptText::from(row)))
            .collect())
    }

    /// How many comments or decisions there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn count_kept_texts(&self, kind: TextKind) -> Result<i64> {
        let mut lease = self.engine.read().await?;
        let count: Option<(i64,)> = match kind {
            TextKind::Comment => {
                fetch_optional!(lease.conn(), (i64,), "SELECT COUNT(*) FROM comment")?
            }
            TextKind::Decision => {
                fetch_optional!(lease.conn(), (i64,), "SELECT COUNT(*) FROM decision")?
            }
        };
        Ok(count.map_or(0, |(count,)| count))
    }

    /// The next `limit` comments or decisions in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn kept_texts_after(
        &self,
        kind: TextKind,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<KeptText>> {
        let mut query = Query::default();
        query.push(
            &format!("{} WHERE id > ? ORDER BY id LIMIT ?", kind.columns()),
            [
                Value::Id(after.unwrap_or(Uuid::nil())),
                Value::Int(i64::from(limit)),
            ],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), TextRow, query)?;
        Ok(rows.into_iter().map(KeptText::from).collect())
    }

    /// The lines about one noun, in order; unreadable ones are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn audit_lines_about(&self, subject_id: &str) -> Result<Vec<Line>> {
        let mut query = Query::default();
        query.push(
            &format!("SELECT {COLUMNS} FROM audit_event WHERE subject_id = ? ORDER BY seq"),
            [Value::from(subject_id)],
        );
        let mut lease = self.engine.read().await?;
        let rows = fetch_list!(lease.conn(), Row, query)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| match row.into() {
                Read::Line(line) => Some(*line),
                Read::Unreadable => None,
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::detail;

    #[test]
    fn a_detail_has_no_spelling_that_the_hash_does_not_cover() {
        for text in [
            "{}",
            "null",
            r#"{"a":1,"b":[1.5]}"#,
            r#"{"b":1,"a":2}"#,
            "9007199254740992",
        ] {
            assert!(detail(text).is_some(), "{text}");
        }
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":"\u0061"}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"b":1,"a":18446744073709551615}"#,
            "1.50",
            "",
            "{",
        ] {
            assert!(detail(text).is_none(), "{text}");
        }
    }
}
