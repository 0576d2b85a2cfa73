//! Proof that a stack has the plan that was applied to it last, and the end that was set last. The audit record has both; a row from which the request or
//! the end was removed differs from the record too.

use serde_json::json;
use store::{NewAudit, Request, Stack};
use types::ids::{RequestId, StackId};
use types::plan::Target;
use types::request::RequestKind;
use types::stack::{StackState, StackSummary};
use types::time::Timestamp;

use super::super::digest;
use super::{Altered, STARTED, altered_error};
use crate::requests::stale_stack;
use crate::trail::Trail;
use crate::worker::{ROWS, Trouble, readable};
use crate::{Error, Portal, Result};

/// The line that names the request that was applied to a stack.
pub(crate) const APPLIED: &str = "stack.applied";
/// The line that says when a stack ends.
pub(super) const EXPIRY_SET: &str = "stack.expiry_set";
/// How often a stack that changes at the same moment is read again.
const TRIES: u32 = 3;

impl Portal {
    /// Proves that a stack's applied plan and target are those of the request that was applied last. The caller has proved `applied`.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_stack(&self, stack: &Stack, applied: &Request) -> Result<()> {
        let Some(altered) = stack_alteration(stack, applied) else {
            return Ok(());
        };
        // Another request may have been applied since the stack was read.
        let again = self.0.store.stack(stack.summary.id).await?;
        if let Some(again) = again
            && again.summary.version != stack.summary.version
            && (again.applied_request != stack.applied_request
                || stack_alteration(&again, applied).is_none())
        {
            return Err(stale_stack(store::Error::Stale));
        }
        let s = &stack.summary;
        self.refuse_altered(
            ("stack", s.id.to_string(), s.name.as_str()),
            &s.project,
            &altered,
        )
        .await
    }

    /// Proves a stack: its plan is the one that was applied last, if any was, and its end is the recorded one.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_applied(&self, stack: &Stack) -> Result<()> {
        let applied = self.prove_basis(stack).await?;
        if stack.applied_request.is_none() {
            return Ok(());
        }
        self.prove(&applied).await?;
        self.prove_stack(stack, &applied).await
    }

    /// Compares when the stacks at rest end with what the record says. Time asks for the deletion of a stack by its row alone: without this, an end that
    /// somebody moved or took away would be noticed only when the stack is opened. No plan is read unless an end differs. Each alteration has its line in
    /// the record then, and an error in the log. One replica does this at a time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn prove_ends(&self) -> Result<()> {
        let store = &self.0.store;
        let Some(_turn) = store.proving_turn().await? else {
            return Ok(());
        };
        let mut after = None;
        loop {
            let page = store.stack_ends(after, ROWS).await?;
            let ids: Vec<String> = page.iter().map(|row| row.stack.to_string()).collect();
            let told = store.last_audit_details(&ids, EXPIRY_SET).await?;
            for (row, id) in page.iter().zip(&ids) {
                let fits = match told.get(id) {
                    Some(told) => recorded_end(told).as_ref() == Some(&row.ends),
                    // Earlier versions did not record the end; one that is missing needs a reason.
                    None => row.ends.is_some(),
                };
                if !fits {
                    self.each("end of stack", id, || self.prove_end(row.stack))
                        .await?;
                }
            }
            after = page.last().map(|row| row.stack);
            if page.len() < ROWS as usize {
                return Ok(());
            }
        }
    }

    /// Reads the stack and its lines anew: it may have been extended meanwhile.
    async fn prove_end(&self, id: StackId) -> std::result::Result<(), Trouble> {
        let Some(stack) = readable(self.0.store.stack(id).await)? else {
            return Ok(());
        };
        match self.prove_basis(&stack).await {
            // An alteration has its line and its error in the log by now.
            Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The request that a stack is based on: the one that was applied last by the record, or the stack's first request while none was applied. The stack's
    /// `applied_request` alone proves nothing, since somebody may have removed it.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_basis(&self, stack: &Stack) -> Result<Request> {
        let mut part = self.basis_alteration(stack).await?;
        let mut version = stack.summary.version;
        for _ in 0..TRIES {
            if part.is_none() {
                break;
            }
            // An operation may have ended since the stack was read. A write with the version that was read fails then.
            let again = self.known_stack(stack.summary.id).await?;
            if again.summary.version == version {
                break;
            }
            version = again.summary.version;
            part = self.basis_alteration(&again).await?;
        }
        let store = &self.0.store;
        let based_on = match stack.applied_request {
            Some(applied) => Some(applied),
            // The oldest: requests about it come newest first.
            None => store
                .requests_of_stack(stack.summary.id)
                .await?
                .last()
                .map(|request| request.id),
        };
        let request = match based_on {
            Some(id) => store.request(id).await?,
            None => None,
        };
        match (part, request) {
            (None, Some(request)) => Ok(request),
            (part, _) => {
                let s = &stack.summary;
                self.refuse_altered(
                    ("stack", s.id.to_string(), s.name.as_str()),
                    &s.project,
                    &Altered {
                        part: part.unwrap_or("request"),
                        recorded: None,
                        stored: stack.plan.as_ref().map(|plan| plan.digest.clone()),
                    },
                )
                .await?;
                Err(altered_error("stack"))
            }
        }
    }

    /// The part in which a stack's row differs from the record: the applied request, or the end.
    async fn basis_alteration(&self, stack: &Stack) -> Result<Option<&'static str>> {
        let recorded = self.recorded_applied(stack).await?;
        let lives = matches!(
            stack.summary.state,
            StackState::Active | StackState::Stopped
        );
        if recorded != stack.applied_request || (recorded.is_none() && lives) {
            return Ok(Some("applied request"));
        }
        let held = !matches!(
            stack.summary.state,
            StackState::Reserved | StackState::Deleted
        );
        let altered = held && !self.ends_as_recorded(stack).await?;
        Ok(altered.then_some("expiry"))
    }

    /// The request that was applied to a stack last, by the record.
    async fn recorded_applied(&self, stack: &Stack) -> Result<Option<RequestId>> {
        let store = &self.0.store;
        let id = stack.summary.id;
        if let Some(applied) = store.last_audit_detail(&id.to_string(), APPLIED).await? {
            return Ok(request_of(&applied));
        }
        // Earlier versions recorded the operation alone. Which apply succeeded is what its lines say, and not what its row says.
        let mut apply = store.newest_apply(id, None).await?;
        while let Some(operation) = apply {
            let about = operation.to_string();
            let succeeded = store
                .last_audit_detail(&about, "operation.succeeded")
                .await?;
            if succeeded.is_some() {
                let started = store.last_audit_detail(&about, STARTED).await?;
                return Ok(started.as_ref().and_then(request_of));
            }
            apply = store.newest_apply(id, Some(operation)).await?;
        }
        Ok(None)
    }

    /// Whether a stack's end is the recorded one. A stack without an end is never deleted.
    async fn ends_as_recorded(&self, stack: &Stack) -> Result<bool> {
        let store = &self.0.store;
        let id = stack.summary.id;
        let ends = stack.summary.expires_at;
        if let Some(told) = store.last_audit_detail(&id.to_string(), EXPIRY_SET).await? {
            return Ok(told.get("expires_at") == Some(&json!(ends)));
        }
        if ends.is_some() {
            return Ok(true);
        }
        // Earlier versions did not record the end. A missing end is right where no request has begun, or where one of them asked for no end.
        let mut limited = false;
        for request in store.requests_of_stack(id).await? {
            if request.kind == RequestKind::Delete || !request.state.has_begun() {
                continue;
            }
            let Some(request) = store.request(request.id).await? else {
                continue;
            };
            if request.draft.expiry.trim().is_empty() {
                return Ok(true);
            }
            limited = true;
        }
        Ok(!limited)
    }

    /// Records a stack's new end.
    pub(crate) fn record_expiry(
        tx: &mut store::Tx,
        trail: &Trail<'_>,
        stack: &StackSummary,
        ends: Option<Timestamp>,
    ) {
        let about = ("stack", stack.id.to_string(), stack.name.as_str());
        tx.audit(
            NewAudit::by(trail.actor, EXPIRY_SET, about, Some(&stack.project))
                .with(json!({ "expires_at": ends })),
        );
    }
}

/// When a stack ends as its line says, as the text of the moment; `None` for a line that does not say it.
fn recorded_end(detail: &serde_json::Value) -> Option<Option<String>> {
    let ends = detail.get("expires_at")?.clone();
    let ends: Option<Timestamp> = serde_json::from_value(ends).ok()?;
    Some(ends.map(Timestamp::micros_text))
}

/// The request that a line names.
fn request_of(detail: &serde_json::Value) -> Option<RequestId> {
    detail.get("request")?.as_str()?.parse().ok()
}

/// The difference between a stack and the request that was applied to it last.
fn stack_alteration(stack: &Stack, applied: &Request) -> Option<Altered> {
    let planned = applied.plan.as_ref();
    // Before the first success the stack has the plan of a try, which an edit may have replaced since.
    let copy = stack
        .plan
        .as_ref()
        .filter(|_| stack.applied_request.is_some());
    let same = match (copy, planned) {
        (Some(copy), Some(planned)) => digest::same(copy, planned),
        _ => stack.applied_request.is_none(),
    };
    let part = if !same {
        "applied plan"
    } else if planned.is_some_and(|plan| !same_place(&stack.summary.target, &plan.target)) {
        "target"
    } else {
        return None;
    };
    Some(Altered {
        part,
        recorded: planned.map(|plan| plan.digest.clone()),
        stored: copy.map(|copy| copy.digest.clone()),
    })
}

/// Whether two targets are one. The subscription's title may have changed.
fn same_place(one: &Target, other: &Target) -> bool {
    (
        &one.subscription,
        &one.resource_group,
        one.owns_group,
        &one.region,
    ) == (
        &other.subscription,
        &other.resource_group,
        other.owns_group,
        &other.region,
    )
}
