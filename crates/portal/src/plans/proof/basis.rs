//! Proof that a stack is what was applied to it last, and ends when it should. The record says both: a row whose pointer or end was taken away would
//! otherwise be compared with nothing.

use serde_json::json;
use store::{NewAudit, Request, Stack};
use types::ids::RequestId;
use types::plan::Target;
use types::request::{RequestKind, RequestState};
use types::stack::{StackState, StackSummary};
use types::time::Timestamp;

use super::super::digest;
use super::{Altered, altered_error};
use crate::requests::stale_stack;
use crate::trail::Trail;
use crate::worker::{ROWS, readable};
use crate::{Error, Portal, Result};

/// The line that says which request was applied to a stack last.
pub(crate) const APPLIED: &str = "stack.applied";
/// The line that says when a stack ends.
const EXPIRY_SET: &str = "stack.expiry_set";
/// How often a stack is read again that changes at the same moment.
const TRIES: u32 = 3;

impl Portal {
    /// A stack's applied plan and place are those of the request that was applied last. `applied` was proved before.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_stack(&self, stack: &Stack, applied: &Request) -> Result<()> {
        let Some(altered) = stack_alteration(stack, applied) else {
            return Ok(());
        };
        // What was applied last may be another request by now.
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

    /// A stack is what was applied to it last, if anything was, and ends when the record says.
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

    /// Proves the stacks without an end. Time asks for the deletion of those that have one; where somebody took it away, nobody would notice before the stack
    /// is opened. Each that is not what the record says has its line then, and an error in the log.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn prove_stacks_without_end(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.0.store.stacks_without_end(after, ROWS).await?;
            for id in &page {
                self.each("stack without an end", id, || async {
                    let Some(stack) = readable(self.0.store.stack(*id).await)? else {
                        return Ok(());
                    };
                    match self.prove_applied(&stack).await {
                        // It has its line and its error in the log.
                        Ok(()) | Err(Error::Conflict { .. }) => Ok(()),
                        Err(error) => Err(error.into()),
                    }
                })
                .await?;
            }
            after = page.last().copied();
            if page.len() < ROWS as usize {
                return Ok(());
            }
        }
    }

    /// The request that a stack is based on: the one that the record says was applied last, or the one that makes it while nothing was. The stack's
    /// pointer alone proves nothing: a row that says *nothing was applied* would be compared with nothing.
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
            // An operation may have ended since the stack was read. Whoever changes the stack is late then, and its version says so.
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

    /// What the record says otherwise than a stack's row: what was applied last, and when it ends.
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

    /// The request that was applied to a stack last, as the record tells.
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
                let started = store.last_audit_detail(&about, "operation.started").await?;
                return Ok(started.as_ref().and_then(request_of));
            }
            apply = store.newest_apply(id, Some(operation)).await?;
        }
        Ok(None)
    }

    /// Whether a stack ends when the record says. A row without an end would never be deleted.
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
        // Earlier versions did not record the end. Without one is a stack that nothing began on, or that some request wanted so.
        let mut limited = false;
        for request in store.requests_of_stack(id).await? {
            if request.kind == RequestKind::Delete || !has_begun(request.state) {
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

    /// Says in the record when a stack ends from now on.
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

/// The request that a line names.
fn request_of(detail: &serde_json::Value) -> Option<RequestId> {
    detail.get("request")?.as_str()?.parse().ok()
}

/// Whether a request was taken as far as Azure, or as its stack's life.
fn has_begun(state: RequestState) -> bool {
    matches!(
        state,
        RequestState::Executing
            | RequestState::Completed
            | RequestState::Failed
            | RequestState::Cancelled
    )
}

/// What does not fit between a stack and the request that was applied to it last.
fn stack_alteration(stack: &Stack, applied: &Request) -> Option<Altered> {
    let planned = applied.plan.as_ref();
    // Before the first success the stack's copy is that of a try, which Edit may have replaced since.
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

/// The subscription's title may have changed; the rest says where it is.
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
