//! Proof by single lines of the record, made where something is decided: at the beginning of an operation, while it runs, and where a decision approves.
//! Pages believe a line as it is stored.

use record::Line;
use serde_json::json;
use store::{Operation, RecordedApproval, RecordedPlan, Request, Stack};
use types::approval::Decision;
use types::ids::RequestId;
use types::operation::OperationState;

use super::basis::EXPIRY_SET;
use super::{APPLIED, Altered, RETRIED};
use crate::approvals::four_eyes::recorded;
use crate::{Error, Portal, Result};

/// The line of an operation's beginning.
pub(crate) const STARTED: &str = "operation.started";
/// The lines of its end.
const ENDED: [&str; 3] = [
    "operation.succeeded",
    "operation.failed",
    "operation.cancelled",
];

impl Portal {
    /// Proves that the lines which tell of a request's plan are those that were written, and that the last of them names the stored plan. The caller has
    /// proved the request.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_told(&self, request: &Request) -> Result<()> {
        let s = &request.summary;
        let (lines, all) = self
            .proved_lines(&s.id.to_string(), RecordedPlan::is_told_by)
            .await?;
        let told = lines.last().map(RecordedPlan::of);
        let stored = request.plan.as_ref().map(|plan| &plan.digest);
        let same = told.as_ref().is_some_and(|told| {
            told.digest.is_some()
                && told.digest.as_ref() == stored
                && told.sent_back == request.sent_back.is_some()
        });
        if all && same {
            return Ok(());
        }
        // Somebody may have edited it since it was read.
        let again = self.0.store.request(s.id).await?;
        if again.is_some_and(|again| again.summary.version != s.version) {
            return Err(Error::stale("request"));
        }
        self.refuse_altered(
            ("request", s.id.to_string(), s.name.as_str()),
            &s.project,
            &Altered {
                part: "record",
                recorded: told.and_then(|told| told.digest),
                stored: stored.cloned(),
            },
        )
        .await
    }

    /// Proves that the lines which say what was applied to a stack last, and when it ends, are those that were written.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_stack_told(&self, stack: &Stack) -> Result<()> {
        let s = &stack.summary;
        let id = s.id.to_string();
        let lines = self.0.store.audit_lines_about(&id).await?;
        let last = |action: &str| lines.iter().rfind(|line| line.action == action);
        let numbers: Vec<i64> = [APPLIED, EXPIRY_SET]
            .into_iter()
            .filter_map(|action| last(action).map(|line| line.seq))
            .collect();
        if self.prove_lines(&numbers).await?.len() == numbers.len() {
            return Ok(());
        }
        self.refuse_altered(
            ("stack", id, s.name.as_str()),
            &s.project,
            &Altered {
                part: "record",
                recorded: None,
                stored: stack.plan.as_ref().map(|plan| plan.digest.clone()),
            },
        )
        .await
    }

    /// Proves an operation whose request is not in the state `approved`: it must be a retry of which the record has a line.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_retry(&self, operation: &Operation, request: &Request) -> Result<()> {
        let s = &operation.summary;
        let retried = |line: &Line| {
            line.action == RETRIED && line.detail.get("operation") == Some(&json!(s.id))
        };
        let (lines, _) = self.proved_lines(&s.stack.to_string(), retried).await?;
        if !lines.is_empty() && request.summary.state.has_begun() {
            return Ok(());
        }
        let stored = operation.plan_digest.as_deref();
        self.refuse_operation(operation, "state", stored).await
    }

    /// Proves that an operation is where its lines say: one that runs has begun, for approvals are counted only at its beginning, and none goes on after its
    /// end or begins twice. `decides` where Azure may change, or the operation ends: there the line of the beginning is proved by the chain, elsewhere it is
    /// believed as it is stored.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_progress(&self, operation: &Operation, decides: bool) -> Result<()> {
        let id = operation.summary.id.to_string();
        let lines = self.0.store.audit_lines_about(&id).await?;
        let has = |actions: &[&str]| {
            lines
                .iter()
                .any(|line| actions.contains(&line.action.as_str()))
        };
        let stored = operation.plan_digest.as_deref();
        if has(&ENDED) {
            return self.refuse_operation(operation, "end", stored).await;
        }
        let fits = if operation.summary.state == OperationState::Queued {
            !has(&[STARTED])
        } else if decides {
            let numbers: Vec<i64> = lines
                .iter()
                .filter(|line| is_beginning(line, operation))
                .map(|line| line.seq)
                .collect();
            let proved = self.prove_lines(&numbers).await?;
            proved.iter().any(|line| is_beginning(line, operation))
        } else {
            lines.iter().any(|line| is_beginning(line, operation))
        };
        if fits {
            return Ok(());
        }
        self.refuse_operation(operation, "beginning", stored).await
    }

    /// As [`Portal::recorded_decisions`], where an approval counts only if its line is proved.
    pub(crate) async fn proved_decisions(&self, id: RequestId) -> Result<Vec<Decision>> {
        // Decisions first: each was committed with its line.
        let decisions = self.0.store.decisions(id).await?;
        let (lines, _) = self
            .proved_lines(&id.to_string(), RecordedApproval::is_told_by)
            .await?;
        let lines: Vec<RecordedApproval> = lines.iter().filter_map(RecordedApproval::of).collect();
        Ok(recorded(decisions, &lines))
    }
}

/// Whether a line tells of the beginning of this very operation. Lines of earlier versions do not name the stack.
fn is_beginning(line: &Line, operation: &Operation) -> bool {
    let s = &operation.summary;
    let says = |name: &str| line.detail.get(name);
    line.subject_kind == "operation"
        && line.subject_id == s.id.to_string()
        && line.action == STARTED
        && says("kind") == Some(&json!(s.kind))
        && says("revision") == Some(&json!(s.revision))
        && says("request") == Some(&json!(s.request))
        && says("plan_digest").and_then(|digest| digest.as_str())
            == operation.plan_digest.as_deref()
        && says("stack").is_none_or(|stack| *stack == json!(s.stack))
}
