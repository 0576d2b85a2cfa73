//! What an approval sets free: an operation with its steps and job, or a longer life at once. And the way back: a name that is no longer held.

use serde_json::{Value, json};
use store::{Operation, Request, Stack, Step, Tx};
use types::ids::{OperationId, RequestId};
use types::operation::{OperationKind, OperationState, OperationSummary};
use types::plan::Plan;
use types::request::{RequestKind, RequestState};
use types::stack::StackState;
use types::time::Timestamp;

use super::{reserve, stale_request, stale_stack};
use crate::operations::{journal::JournalStep, steps};
use crate::plans::ground::reserves;
use crate::plans::proof::is_altered;
use crate::trail::{OperationMark, Trail};
use crate::worker::{ROWS, Trouble, readable};
use crate::{Error, Portal, Result};

impl Portal {
    /// An approved request goes ahead, in the transaction that approved it. While another operation runs on the stack it stays `approved`:
    /// [`Portal::queue_approved`] takes it up when that one has ended.
    pub(crate) async fn release(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: &mut Request,
        stack: &mut Stack,
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        let kind = match request.summary.kind {
            RequestKind::Extend => {
                return self.extend(tx, trail, request, stack, expires_at).await;
            }
            RequestKind::Delete => OperationKind::Destroy,
            RequestKind::Create | RequestKind::Update => OperationKind::Apply,
        };
        // Of this transaction: it may hold limits that others wait for, each with a connection.
        if tx.running_operation(stack.summary.id).await?.is_some() {
            return Ok(());
        }
        self.queue_operation(tx, trail, stack, Some(request), kind)
            .await?;
        Ok(())
    }

    /// Queues an operation: journal, steps and job in one transaction. An apply takes the stack's next revision here, long before Azure hears of it.
    pub(crate) async fn queue_operation(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        stack: &mut Stack,
        request: Option<&Request>,
        kind: OperationKind,
    ) -> Result<OperationId> {
        let id = OperationId(uuid::Uuid::now_v7());
        let plan = request.and_then(|r| r.plan.as_ref());
        if kind == OperationKind::Apply {
            stack.revision += 1;
        }
        let resources = tx.stack_resources(stack.summary.id).await?;
        let steps = match (kind, plan) {
            (OperationKind::Apply, Some(plan)) => steps::apply(
                plan,
                &steps::deployment_name(&stack.summary.name, stack.summary.id, stack.revision),
            ),
            (OperationKind::Destroy, Some(plan)) => steps::destroy(plan, &resources),
            (OperationKind::Apply | OperationKind::Destroy, None) => {
                return Err(Error::internal(format!(
                    "an operation on stack {} without a plan",
                    stack.summary.id
                )));
            }
            _ => steps::power(kind, &resources),
        };
        stack.summary.updated_at = trail.now;
        tx.update_stack(stack).await.map_err(stale_stack)?;
        let s = &stack.summary;
        tx.insert_operation(&Operation {
            summary: OperationSummary {
                id,
                stack: s.id,
                stack_name: s.name.clone(),
                project: s.project.clone(),
                tier: s.tier,
                request: request.map(|r| r.summary.id),
                kind,
                state: OperationState::Queued,
                revision: stack.revision,
                created_at: trail.now,
                started_at: None,
                ended_at: None,
            },
            requested_by: trail.actor.subject.clone(),
            plan_digest: plan.map(|plan| plan.digest.clone()),
            fault: None,
            cancel_requested_at: None,
            worker: None,
            lease_until: None,
            updated_at: trail.now,
            version: 1,
        })
        .await?;
        for (position, step) in (0_i64..).zip(&steps) {
            tx.put_step(id, &stored(step, position)?).await?;
        }
        tx.enqueue(id, None).await?;
        trail.operation_changed(
            tx,
            &OperationMark {
                id,
                stack: s.id,
                stack_name: &s.name,
                project: &s.project,
                request: request.map(|r| r.summary.id),
            },
            "operation.queued",
        );
        Ok(id)
    }

    async fn extend(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: &mut Request,
        stack: &mut Stack,
        expires_at: Option<Timestamp>,
    ) -> Result<()> {
        let was = stack.summary.expires_at;
        stack.summary.expires_at = expires_at;
        stack.summary.updated_at = trail.now;
        tx.update_stack(stack).await.map_err(stale_stack)?;
        request.summary.state = RequestState::Completed;
        request.summary.updated_at = trail.now;
        tx.update_request(request).await.map_err(stale_request)?;
        let until = expires_at.map_or_else(
            || "until it is deleted".to_owned(),
            |at| format!("until {}", at.get().date()),
        );
        trail
            .request(
                tx,
                request,
                "request.completed",
                &format!("It lives {until} now."),
                json!({ "before": was, "after": expires_at }),
            )
            .await?;
        Self::record_expiry(tx, trail, &stack.summary, expires_at);
        trail.stack_changed(tx, stack, "stack.extended");
        Ok(())
    }

    /// Takes up requests that were approved while another operation was running on their stack.
    pub(crate) async fn queue_approved(&self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self
                .0
                .store
                .requests_in_state(RequestState::Approved, None, after, ROWS)
                .await?;
            for id in &page {
                self.each("request", id, || self.queue_one_approved(*id))
                    .await?;
            }
            after = page.last().copied();
            if page.len() < ROWS as usize {
                return Ok(());
            }
        }
    }

    async fn queue_one_approved(&self, id: RequestId) -> std::result::Result<(), Trouble> {
        let Some(request) = readable(self.0.store.request(id).await)? else {
            return Ok(());
        };
        // It was read after the list was.
        if request.summary.state != RequestState::Approved {
            return Ok(());
        }
        let mut stack = self.known_stack(request.summary.stack).await?;
        let busy = self.0.store.running_operation(stack.summary.id).await?;
        if busy.is_some() {
            return Ok(());
        }
        // After the question above: an operation of this very request asks the same when it begins, and ends then.
        match self.prove(&request).await {
            Ok(()) => {
                let authors = self.0.store.authors(request.summary.id).await?;
                if let Some(why) = self.lost_right(&request, &authors).await? {
                    return Ok(self.take_back(request, &why).await?);
                }
            }
            // Its operation is queued all the same and fails at its beginning: then the request holds nothing any more.
            Err(error) if is_altered(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now: self.now(),
        };
        let kind = match request.summary.kind {
            RequestKind::Delete => OperationKind::Destroy,
            _ => OperationKind::Apply,
        };
        let mut request = request;
        let mut tx = self.0.store.begin().await?;
        // Moves the request's version too: two replicas that reconcile at once queue one operation.
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        self.queue_operation(&mut tx, &trail, &mut stack, Some(&request), kind)
            .await?;
        tx.commit(trail.now).await?;
        Ok(())
    }

    /// Denies a request of which nothing was begun, and says why. Another plan would not help it, so nobody is asked to approve one. The caller has proved
    /// the request: its digest becomes the recorded one.
    pub(crate) async fn take_back(&self, mut request: Request, why: &str) -> Result<()> {
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now: self.now(),
        };
        request.summary.state = RequestState::Denied;
        request.summary.updated_at = trail.now;
        request.waiting_since = None;
        request.sent_back = Some(why.to_owned());
        let mut tx = self.0.store.begin().await?;
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        trail
            .request(
                &mut tx,
                &request,
                "request.sent_back",
                &format!("Sent back before it was executed. {why}"),
                json!({ "plan_digest": request.plan.as_ref().map(|p| &p.digest), "why": why }),
            )
            .await?;
        self.release_name(&mut tx, &trail, &request).await?;
        tx.commit(trail.now).await?;
        Ok(())
    }

    /// An approved request is taken back before its operation began.
    pub(crate) async fn drop_queued_operation(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: RequestId,
    ) -> Result<()> {
        // Of this transaction: it may hold limits that others wait for, each with a connection.
        let Some(id) = tx.operation_of_request(request).await? else {
            return Ok(());
        };
        let Some(mut operation) = tx.operation(id).await? else {
            return Ok(());
        };
        if operation.summary.state.has_ended() {
            return Ok(());
        }
        if operation.summary.state != OperationState::Queued {
            return Err(Error::Conflict {
                code: "not_withdrawable",
                detail: "Its operation has just begun: cancel that instead.".to_owned(),
            });
        }
        operation.summary.state = OperationState::Cancelled;
        operation.summary.ended_at = Some(trail.now);
        operation.updated_at = trail.now;
        tx.update_operation(&mut operation)
            .await
            .map_err(|error| match error {
                store::Error::Stale => Error::stale("request"),
                other => other.into(),
            })?;
        trail.operation_changed(
            tx,
            &OperationMark::of(&operation.summary),
            "operation.cancelled",
        );
        Ok(())
    }

    /// A create that was denied and is edited takes its name again, or another one; so does one that was sent back for changes. Nothing was made
    /// under the old name.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `name` when another stack took it meanwhile.
    pub(crate) async fn take_name(
        &self,
        tx: &mut Tx,
        request: &Request,
        stack: &mut Stack,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<()> {
        let held = matches!(
            stack.summary.state,
            StackState::Reserved | StackState::Deleted
        );
        if request.summary.kind != RequestKind::Create || !held {
            return Ok(());
        }
        stack.summary.state = StackState::Reserved;
        stack.summary.name.clone_from(&request.summary.name);
        reserve(&mut stack.summary, plan, now);
        tx.update_stack(stack).await.map_err(stale_stack)
    }

    /// A request that was denied, or ended without being executed, holds nothing any more: no resource ids, and as a create no name and no place either.
    /// One to extend or delete never held any: what its stack holds is another's.
    pub(crate) async fn release_name(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: &Request,
    ) -> Result<()> {
        if reserves(request.summary.kind) {
            tx.release_unsent(request.summary.stack, &[]).await?;
        }
        if request.summary.kind != RequestKind::Create {
            return Ok(());
        }
        let Some(mut stack) = tx.stack(request.summary.stack).await? else {
            return Ok(());
        };
        if stack.summary.state != StackState::Reserved {
            return Ok(());
        }
        stack.summary.state = StackState::Deleted;
        stack.summary.updated_at = trail.now;
        tx.update_stack(&mut stack).await.map_err(stale_stack)?;
        trail.stack_changed(tx, &stack, "stack.released");
        Ok(())
    }
}

/// A step as the store keeps it; the memory goes beside what pages show.
pub(crate) fn stored(step: &JournalStep, position: i64) -> Result<Step> {
    let memo: Value = serde_json::to_value(&step.memo)
        .map_err(|error| Error::internal(format!("a step's memory: {error}")))?;
    Ok(Step {
        step: types::operation::Step {
            name: step.name,
            title: step.title.clone(),
            state: step.state,
            attempt: step.attempt,
            started_at: step.started_at,
            ended_at: step.ended_at,
            note: step.note.clone(),
            fault: step.fault.clone(),
            resources: step.resources.clone(),
        },
        position,
        external_ref: Some(memo),
    })
}
