//! The end of an operation: what it means for its stack and its request, written in one transaction with the operation itself.

use serde_json::json;
use store::{NewAudit, Operation, Request, Stack, Tx};
use types::fault::AzureFault;
use types::operation::{OperationKind, OperationState};
use types::request::{RequestKind, RequestState};
use types::stack::StackState;
use types::time::Timestamp;

use super::advance::{Go, Loaded, lost};
use super::next::{End, fault};
use crate::ownership::{ids, plan_ids};
use crate::plans::proof::APPLIED;
use crate::requests::{stale_request, stale_stack};
use crate::trail::{OperationMark, Trail};
use crate::{Error, Portal, Result};

impl Portal {
    /// Ends an operation, or hands it to an admin.
    pub(super) async fn end(&self, loaded: Loaded, end: End, now: Timestamp) -> Result<Go> {
        self.0.crash_points.cross("end", "answered")?;
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now,
        };
        let mut operation = loaded.operation;
        let began = operation.summary.started_at.is_some();
        operation.updated_at = now;
        let (state, fault) = match end {
            End::Succeeded => (OperationState::Succeeded, None),
            End::Cancelled => (OperationState::Cancelled, None),
            End::Failed(fault) => (OperationState::Failed, Some(fault)),
            End::NeedsAttention(fault) => (OperationState::NeedsAttention, Some(fault)),
        };
        operation.summary.state = state;
        operation.fault.clone_from(&fault);
        operation.summary.ended_at = state.has_ended().then_some(now);
        let mut tx = self.0.store.begin().await?;
        if lost(tx.update_operation(&mut operation).await)? {
            return Ok(Go::Away);
        }
        if state.has_ended() {
            self.settle(&mut tx, &trail, &operation, began, fault.as_ref())
                .await?;
        }
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                &format!("operation.{}", state.as_str()),
                &sentence(&operation, fault.as_ref()),
                json!({ "kind": operation.summary.kind, "fault": fault.as_ref().map(|f| &f.code) }),
            )
            .await?;
        tx.commit(now).await?;
        self.0.crash_points.cross("end", "stored")?;
        self.queue_approved().await?;
        Ok(Go::Away)
    }

    /// An admin gives an operation up that needs attention: it failed, what exists is kept.
    pub(super) async fn give_up(
        &self,
        actor: &types::actor::Actor,
        mut operation: Operation,
    ) -> Result<()> {
        let trail = Trail {
            actor,
            now: self.now(),
        };
        operation.summary.state = OperationState::Failed;
        operation.summary.ended_at = Some(trail.now);
        operation.updated_at = trail.now;
        let fault = operation.fault.clone();
        let mut tx = self.0.store.begin().await?;
        tx.update_operation(&mut operation)
            .await
            .map_err(super::stale_operation)?;
        self.settle(&mut tx, &trail, &operation, true, fault.as_ref())
            .await?;
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                "operation.failed",
                "Gave the operation up. What exists is kept.",
                json!({ "kind": operation.summary.kind, "given_up": true }),
            )
            .await?;
        tx.commit(trail.now).await?;
        self.queue_approved().await
    }

    async fn settle(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        operation: &Operation,
        began: bool,
        fault: Option<&AzureFault>,
    ) -> Result<()> {
        let mut request = match operation.summary.request {
            Some(id) => tx.request(id).await?,
            None => None,
        };
        let mut stack = tx
            .stack(operation.summary.stack)
            .await?
            .ok_or_else(|| Error::internal("the stack of an operation is missing"))?;
        if began {
            leave(&mut stack, operation, request.as_ref(), fault, trail.now);
            tx.update_stack(&mut stack).await.map_err(stale_stack)?;
            if operation.summary.kind == OperationKind::Apply {
                hold_quota(tx, &stack, operation, request.as_ref()).await?;
            }
            trail.stack_changed(tx, &stack, "stack.changed");
            if operation.summary.kind == OperationKind::Apply
                && operation.summary.state == OperationState::Succeeded
                && let Some(request) = &request
            {
                let about = (
                    "stack",
                    stack.summary.id.to_string(),
                    stack.summary.name.as_str(),
                );
                let plan = request.plan.as_ref().map(|plan| &plan.digest);
                tx.audit(
                    NewAudit::by(trail.actor, APPLIED, about, Some(&stack.summary.project))
                        .with(json!({ "request": request.summary.id, "plan_digest": plan, "operation": operation.summary.id })),
                );
            }
            if stack.summary.state == StackState::Deleted {
                for left in tx.stack_resources(stack.summary.id).await? {
                    tx.delete_stack_resource(stack.summary.id, &left.id).await?;
                }
                tx.release_reservations(stack.summary.id, &[]).await?;
            } else if operation.summary.kind == OperationKind::Apply
                && operation.summary.state == OperationState::Succeeded
            {
                // What earlier revisions made and this one dropped is gone: others may have its id.
                let recorded = tx.stack_resources(stack.summary.id).await?;
                let planned = stack.plan.as_ref().map(plan_ids).unwrap_or_default();
                let mut kept = ids(&planned);
                kept.extend(recorded.iter().map(|one| one.id.as_str()));
                tx.release_reservations(stack.summary.id, &kept).await?;
            }
        }
        let Some(request) = &mut request else {
            return Ok(());
        };
        tx.erase_secrets(request.summary.id).await?;
        if !matches!(
            request.summary.state,
            RequestState::Executing | RequestState::Approved
        ) {
            return Ok(());
        }
        let (state, words) = match operation.summary.state {
            OperationState::Succeeded => (RequestState::Completed, done(request.summary.kind)),
            OperationState::Cancelled => (RequestState::Cancelled, "Cancelled."),
            _ => (RequestState::Failed, "It failed."),
        };
        request.summary.state = state;
        request.summary.updated_at = trail.now;
        tx.update_request(request).await.map_err(stale_request)?;
        trail
            .request(
                tx,
                request,
                &format!("request.{}", state.as_str()),
                words,
                json!({ "operation": operation.summary.id }),
            )
            .await?;
        if !began {
            self.release_name(tx, trail, request).await?;
        }
        Ok(())
    }
}

/// What the stack may draw of Azure's quotas without another request: the nodes that its pools may add; after an apply that did not succeed, all that the
/// plan adds as well, for nobody knows how much of it is there.
async fn hold_quota(
    tx: &mut Tx,
    stack: &Stack,
    operation: &Operation,
    request: Option<&Request>,
) -> Result<()> {
    let Some(plan) = request.and_then(|request| request.plan.as_ref()) else {
        return Ok(());
    };
    let succeeded = operation.summary.state == OperationState::Succeeded;
    let amounts: Vec<_> = plan
        .quota
        .iter()
        .map(|line| {
            let amount = if succeeded {
                line.headroom
            } else {
                line.headroom.max(line.requested)
            };
            (line, amount)
        })
        .collect();
    tx.hold_stack_quota(stack.summary.id, &amounts, succeeded)
        .await?;
    Ok(())
}

/// What the stack is once the operation has ended.
fn leave(
    stack: &mut Stack,
    operation: &Operation,
    request: Option<&Request>,
    why: Option<&AzureFault>,
    now: Timestamp,
) {
    stack.summary.updated_at = now;
    match (operation.summary.kind, operation.summary.state) {
        (OperationKind::Apply, OperationState::Succeeded) => {
            stack.summary.state = StackState::Active;
            stack.fault = None;
            if let Some(request) = request {
                stack.applied_request = Some(request.summary.id);
                stack.plan.clone_from(&request.plan);
                if let Some(plan) = &request.plan {
                    stack.summary.template = plan.template.clone();
                    stack.summary.target = plan.target.clone();
                    stack.summary.monthly = plan.cost.monthly;
                    stack.summary.unpriced = plan.cost.unpriced_parts();
                    stack.summary.posture = plan.report.posture;
                }
            }
        }
        (OperationKind::Destroy, OperationState::Succeeded) => {
            stack.summary.state = StackState::Deleted;
            stack.fault = None;
        }
        (OperationKind::Start | OperationKind::Restart, OperationState::Succeeded) => {
            stack.summary.state = StackState::Active;
        }
        (OperationKind::Stop, OperationState::Succeeded) => {
            stack.summary.state = StackState::Stopped;
        }
        (OperationKind::Apply | OperationKind::Destroy, _) => {
            stack.summary.state = StackState::Failed;
            stack.fault = Some(why.cloned().unwrap_or_else(|| {
                fault(
                    "Cancelled",
                    "The operation was cancelled before it had finished.",
                    "What exists is kept and costs. Try again, or delete it.",
                )
            }));
            // An apply that got part of the way: the dearer of what was there and what it was to be counts.
            if operation.summary.kind == OperationKind::Apply
                && let Some(plan) = request.and_then(|request| request.plan.as_ref())
            {
                let s = &mut stack.summary;
                s.monthly = s.monthly.max(plan.cost.monthly);
                s.unpriced = s.unpriced.max(plan.cost.unpriced_parts());
            }
        }
        _ => {}
    }
}

fn done(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Create => "Done: it is there.",
        RequestKind::Update => "Done: it is changed.",
        RequestKind::Extend => "Done: it lives longer.",
        RequestKind::Delete => "Done: it is gone, and nothing is left in Azure.",
    }
}

fn sentence(operation: &Operation, fault: Option<&AzureFault>) -> String {
    let what = match operation.summary.kind {
        OperationKind::Apply => "Applying the plan",
        OperationKind::Destroy => "Deleting",
        OperationKind::Start => "Starting",
        OperationKind::Stop => "Stopping",
        OperationKind::Restart => "Restarting",
        OperationKind::Refresh => "Looking at what Azure has",
    };
    let because = fault.map_or_else(String::new, |f| format!(" ({})", f.code));
    match operation.summary.state {
        OperationState::Succeeded => format!("{what} succeeded."),
        OperationState::Cancelled => format!("{what} was cancelled."),
        OperationState::NeedsAttention => format!("{what} needs an admin{because}."),
        _ => format!("{what} failed{because}."),
    }
}
