//! What time does: requests that nobody decided end, and stacks that have expired get a request for their deletion, which nothing but a running operation
//! holds up.

use serde_json::{Value, json};
use store::{Request, StackRequest, Submission, Tx};
use time::Duration;
use types::ids::{RequestId, StackId, SubmissionId};
use types::operation::OperationState;
use types::request::{RequestDraft, RequestKind, RequestState};
use types::time::Timestamp;

use super::stale_request;
use crate::access::is_slipways;
use crate::plans::ground::reserves;
use crate::trail::{RequestMark, Trail};
use crate::worker::{ROWS, Trouble, readable};
use crate::{Portal, Result};

/// How long a request waits for somebody.
const PATIENCE: Duration = Duration::days(14);
/// How long after a deletion that did not come about an expired stack is left to be extended before it is asked for again.
const AGAIN: Duration = Duration::days(1);

impl Portal {
    /// Ends requests that nothing happened to for 14 days. One that waits for its requester holds a name just as one that waits for an approver does.
    pub(crate) async fn expire_requests(&self) -> Result<()> {
        let before = self.now().plus(-PATIENCE);
        for state in [
            RequestState::AwaitingApproval,
            RequestState::Denied,
            RequestState::ChangesRequested,
        ] {
            let mut after = None;
            loop {
                let page = self
                    .0
                    .store
                    .requests_in_state(state, Some(before), after, ROWS)
                    .await?;
                for id in &page {
                    self.each("request", id, || self.expire_request(*id, before))
                        .await?;
                }
                after = page.last().copied();
                if page.len() < ROWS as usize {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn expire_request(
        &self,
        id: RequestId,
        before: Timestamp,
    ) -> std::result::Result<(), Trouble> {
        let Some(mut request) = readable(self.0.store.request(id).await)? else {
            return Ok(());
        };
        // Asked again of what was read after the list was.
        let since = match request.summary.state {
            RequestState::AwaitingApproval => {
                request.waiting_since.unwrap_or(request.summary.updated_at)
            }
            RequestState::Denied | RequestState::ChangesRequested => request.summary.updated_at,
            _ => return Ok(()),
        };
        if since > before {
            return Ok(());
        }
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now: self.now(),
        };
        request.summary.state = RequestState::Expired;
        request.summary.updated_at = trail.now;
        let mut tx = self.0.store.begin().await?;
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        trail
            .request(
                &mut tx,
                &request,
                "request.expired",
                "Expired: nothing happened to it for 14 days. Send a new one if it is still wanted.",
                Value::Null,
            )
            .await?;
        self.release_name(&mut tx, &trail, &request).await?;
        tx.commit(trail.now).await?;
        Ok(())
    }

    /// Asks for the deletion of stacks that have expired. Policy decides as for anybody's request; what was not agreed to is asked for again the next day.
    pub(crate) async fn expire_stacks(&self) -> Result<()> {
        let now = self.now();
        let mut after = None;
        loop {
            let page = self
                .0
                .store
                .stacks_expiring_before(now, after, ROWS)
                .await?;
            for id in &page {
                self.each("stack", id, || self.expire_stack(*id)).await?;
            }
            after = page.last().copied();
            if page.len() < ROWS as usize {
                return Ok(());
            }
        }
    }

    /// One deletion at a time, and nothing in its way: requests about the stack that have not begun end with it, also those that cannot be read.
    async fn expire_stack(&self, id: StackId) -> std::result::Result<(), Trouble> {
        let Some(stack) = readable(self.0.store.stack(id).await)? else {
            return Ok(());
        };
        let stack = stack.summary;
        let now = self.now();
        let Some(ended) = stack.expires_at.filter(|ended| *ended < now) else {
            return Ok(());
        };
        let requests = self.0.store.requests_of_stack(stack.id).await?;
        if requests.iter().any(goes_ahead) {
            return Ok(());
        }
        // What people approved in time has a day to begin.
        let late = now >= ended.plus(AGAIN);
        if !late && requests.iter().any(|r| r.state == RequestState::Approved) {
            return Ok(());
        }
        // What has begun comes to its end first; then the stack is found here again.
        if let Some(id) = self.0.store.running_operation(stack.id).await? {
            let operation = self.0.store.operation(id).await?;
            let begun = operation.is_none_or(|operation| {
                operation.summary.state != OperationState::Queued
                    || operation.summary.request.is_none()
            });
            if begun {
                return Ok(());
            }
        }
        let asked: Vec<&StackRequest> = requests
            .iter()
            .filter(|r| r.kind == RequestKind::Delete && is_slipways(&r.requester))
            .collect();
        let last = asked.iter().find(|r| r.created_at >= ended);
        if last.is_some_and(|last| now < last.updated_at.plus(AGAIN)) {
            return Ok(());
        }
        let closing: Vec<StackRequest> = requests
            .iter()
            .filter(|r| !r.state.is_final())
            .cloned()
            .collect();
        // The same end for the same time gives the same submission: several replicas ask once.
        let submission = Submission {
            id: SubmissionId(uuid::Uuid::new_v5(
                &stack.id.0,
                format!("expired {ended} {}", asked.len()).as_bytes(),
            )),
            content: String::new(),
        };
        let draft = RequestDraft {
            kind: RequestKind::Delete,
            stack: Some(stack.id),
            justification: why(ended, last.copied()),
            ..RequestDraft::default()
        };
        Box::pin(self.make_request(&crate::system(), draft, &submission, &closing)).await?;
        Ok(())
    }

    /// A request about an expired stack ends: the stack is deleted instead, as `deletion` asks. Its documents are not read: they may be broken.
    pub(super) async fn close(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: &StackRequest,
        deletion: &Request,
    ) -> Result<()> {
        tx.end_request(request, RequestState::Expired, trail.now)
            .await
            .map_err(stale_request)?;
        if request.state == RequestState::Approved {
            self.drop_queued_operation(tx, trail, request.id).await?;
        }
        let about = &deletion.summary;
        trail
            .marked_request(
                tx,
                &RequestMark {
                    id: request.id,
                    stack: about.stack,
                    name: &about.name,
                    project: &about.project,
                },
                "request.expired",
                "Closed: the stack has expired, and its deletion goes ahead.",
                json!({ "because": "stack_expired" }),
            )
            .await?;
        // What lives has been made: its name is not a request's to give back.
        if reserves(request.kind) {
            tx.release_unsent(about.stack, &[]).await?;
        }
        Ok(())
    }
}

/// A deletion that is decided, or Slipway's own that waits for its approvers. One that somebody else asked for and may withdraw is replaced by Slipway's.
fn goes_ahead(request: &StackRequest) -> bool {
    request.kind == RequestKind::Delete
        && match request.state {
            RequestState::Approved | RequestState::Executing => true,
            RequestState::AwaitingApproval => is_slipways(&request.requester),
            _ => false,
        }
}

/// What approvers read.
fn why(ended: Timestamp, last: Option<&StackRequest>) -> String {
    let mut why = format!("The stack expired on {}.", ended.get().date());
    if let Some(last) = last {
        let became = match last.state {
            RequestState::Withdrawn => "withdrawn",
            RequestState::Rejected => "rejected",
            RequestState::Denied => "denied",
            RequestState::Expired => "decided by nobody",
            RequestState::Cancelled => "cancelled",
            _ => "not finished",
        };
        let day = last.updated_at.get().date();
        why.push_str(&format!(
            " Its deletion was asked for before and was {became} on {day}. To keep the stack, extend it."
        ));
    }
    why
}
