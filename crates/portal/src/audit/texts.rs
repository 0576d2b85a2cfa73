//! Comments and decisions are in tables of their own; their audit lines carry what proves them: id and SHA-256 of the text.

use serde_json::{Value, json};
use store::{KeptDecision, KeptText, Store, TextKind};
use types::approval::Decision;
use types::audit::Finding;
use types::ids::CommentId;
use uuid::Uuid;

use super::PAGE;
use crate::Result;

/// The actions whose lines tell of a decision.
const DECISIONS: [&str; 3] = [
    "request.approved",
    "request.rejected",
    "request.changes_requested",
];
const COMMENTED: &str = "request.commented";

/// What the line of a comment carries.
pub(crate) fn proof_of_comment(id: CommentId, text: &str) -> Value {
    json!({ "comment": id, "text_sha256": record::sha256(text.as_bytes()) })
}

/// Adds to the detail of a decision's line what proves the decision. The digest of the plan is there already, and the trail adds the broken glass.
pub(crate) fn prove_decision(mut detail: Value, decision: &Decision) -> Value {
    if let Some(members) = detail.as_object_mut() {
        let text = record::sha256(decision.comment.as_bytes());
        members.insert("decision".to_owned(), json!(decision.id));
        members.insert("decided".to_owned(), json!(decision.decision));
        members.insert("plan_revision".to_owned(), json!(decision.plan_revision));
        members.insert("text_sha256".to_owned(), json!(text));
    }
    detail
}

/// One text that a line tells of.
struct Told {
    seq: i64,
    id: Uuid,
    by: String,
    at: String,
    request: String,
    sha256: Option<String>,
    decided: Option<KeptDecision>,
}

/// The first thing that is wrong: what, the line that tells otherwise, and a sentence.
type Wrong = (Finding, Option<i64>, String);

/// Compares the texts with the lines that tell of them, page by page.
#[derive(Default)]
pub(super) struct TextCheck {
    comments: Side,
    decisions: Side,
    wrong: Option<Wrong>,
}

#[derive(Default)]
struct Side {
    waiting: Vec<Told>,
    told: i64,
    kept: i64,
}

impl TextCheck {
    /// Counts the texts before the record is read: each was committed with its line, so the lines that are read then tell of all of them.
    pub(super) async fn begin(store: &Store) -> Result<Self> {
        let mut check = Self::default();
        check.comments.kept = store.count_kept_texts(TextKind::Comment).await?;
        check.decisions.kept = store.count_kept_texts(TextKind::Decision).await?;
        Ok(check)
    }

    /// Remembers what a line tells of, until [`TextCheck::compare`].
    pub(super) fn note(&mut self, line: &record::Line) {
        let Some(kind) = kind(&line.action) else {
            return;
        };
        let side = match kind {
            TextKind::Comment => &mut self.comments,
            TextKind::Decision => &mut self.decisions,
        };
        side.told += 1;
        side.waiting.extend(told(kind, line));
    }

    /// Reads the texts of the lines noted so far and compares them.
    pub(super) async fn compare(&mut self, store: &Store) -> Result<()> {
        for kind in [TextKind::Comment, TextKind::Decision] {
            let side = match kind {
                TextKind::Comment => &mut self.comments,
                TextKind::Decision => &mut self.decisions,
            };
            let waiting = std::mem::take(&mut side.waiting);
            if self.wrong.is_some() {
                continue;
            }
            let ids: Vec<Uuid> = waiting.iter().map(|told| told.id).collect();
            self.wrong = match store.kept_texts(kind, &ids).await {
                Ok(kept) => waiting
                    .iter()
                    .find_map(|told| wrong(kind, told, kept.get(&told.id))),
                // Bytes that are no text: nobody but the owner of the database puts them there.
                Err(store::Error::Corrupt(_)) => waiting.first().map(|told| {
                    let (noun, seq) = (kind.noun(), told.seq);
                    (
                        Finding::TextAltered,
                        Some(seq),
                        format!("A {noun}, the one of which line {seq} tells or a later one, cannot be read any more."),
                    )
                }),
                Err(other) => return Err(other.into()),
            };
        }
        Ok(())
    }

    /// What is wrong with the texts, those that no line tells of included.
    pub(super) async fn finish(self, store: &Store) -> Result<Option<Wrong>> {
        if self.wrong.is_some() {
            return Ok(self.wrong);
        }
        for (kind, side) in [
            (TextKind::Comment, &self.comments),
            (TextKind::Decision, &self.decisions),
        ] {
            // More texts than lines that tell of them: which one was put in?
            if side.kept > side.told
                && let Some(wrong) = untold(store, kind).await?
            {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }
}

fn kind(action: &str) -> Option<TextKind> {
    if action == COMMENTED {
        Some(TextKind::Comment)
    } else if DECISIONS.contains(&action) {
        Some(TextKind::Decision)
    } else {
        None
    }
}

fn told(kind: TextKind, line: &record::Line) -> Option<Told> {
    let member = |name: &str| line.detail.get(name)?.as_str().map(ToOwned::to_owned);
    Some(Told {
        seq: line.seq,
        id: member(kind.noun())?.parse().ok()?,
        by: line.actor.clone(),
        at: line.at.clone(),
        request: line.subject_id.clone(),
        // Lines of earlier versions name a comment and do not prove its text.
        sha256: member("text_sha256"),
        decided: decided(&line.detail),
    })
}

/// The decision of which a line tells.
fn decided(detail: &Value) -> Option<KeptDecision> {
    let text = |name: &str| detail.get(name)?.as_str().map(ToOwned::to_owned);
    Some(KeptDecision {
        decision: text("decided")?,
        plan_digest: text("plan_digest")?,
        plan_revision: detail.get("plan_revision")?.as_i64()?,
        break_glass: text("break_glass").and_then(|id| id.parse().ok()),
    })
}

fn wrong(kind: TextKind, told: &Told, kept: Option<&KeptText>) -> Option<Wrong> {
    let (noun, id, seq) = (kind.noun(), told.id, told.seq);
    let Some(kept) = kept else {
        return Some((
            Finding::TextRemoved,
            Some(seq),
            format!("The {noun} {id}, of which line {seq} tells, is gone."),
        ));
    };
    let same = kept.request.to_string() == told.request
        && kept.author == told.by
        && kept.at.micros_text() == told.at
        && told
            .sha256
            .as_ref()
            .is_none_or(|hash| *hash == record::sha256(kept.text.as_bytes()))
        && (told.decided.is_none() || told.decided == kept.decided);
    (!same).then(|| {
        (
            Finding::TextAltered,
            Some(seq),
            format!("The {noun} {id} is not the one of which line {seq} tells: its text, author, time or plan was changed."),
        )
    })
}

/// A text of which no line tells.
async fn untold(store: &Store, kind: TextKind) -> Result<Option<Wrong>> {
    let mut after = None;
    loop {
        let page = store.kept_texts_after(kind, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        after = Some(last.id);
        for kept in &page {
            let lines = store.audit_lines_about(&kept.request.to_string()).await?;
            if !lines.iter().any(|line| tells_of(kind, line, kept)) {
                let (noun, id) = (kind.noun(), kept.id);
                return Ok(Some((
                    Finding::TextAdded,
                    None,
                    format!("No line tells of the {noun} {id}: it was put into the database."),
                )));
            }
        }
    }
}

fn tells_of(of: TextKind, line: &record::Line, kept: &KeptText) -> bool {
    if kind(&line.action) != Some(of) {
        return false;
    }
    match line.detail.get(of.noun()).and_then(Value::as_str) {
        Some(id) => id == kept.id.to_string(),
        // Earlier versions did not name the decision.
        None => line.actor == kept.author && line.at == kept.at.micros_text(),
    }
}
