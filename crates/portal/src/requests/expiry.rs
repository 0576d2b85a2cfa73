//! What time does: requests that nobody decided end, and stacks whose life is over get a request for their deletion.

use serde_json::Value;
use store::Request;
use time::Duration;
use types::ids::RequestId;
use types::request::{RequestDraft, RequestKind, RequestState};
use types::stack::StackSummary;

use super::stale_request;
use crate::trail::Trail;
use crate::{Error, Portal, Result};

/// How long a request waits for somebody.
const PATIENCE: Duration = Duration::days(14);

impl Portal {
    /// Ends requests that nothing happened to for 14 days. One that waits for its requester holds a name just as one that waits for an approver does.
    pub(crate) async fn expire_requests(&self) -> Result<()> {
        let before = self.now().plus(-PATIENCE);
        for state in [
            RequestState::AwaitingApproval,
            RequestState::Denied,
            RequestState::ChangesRequested,
        ] {
            for request in self.0.store.requests_in_state(state, 500).await? {
                let since = request
                    .waiting_since
                    .filter(|_| state == RequestState::AwaitingApproval)
                    .unwrap_or(request.summary.updated_at);
                if since <= before {
                    match self.expire_request(request).await {
                        Ok(()) | Err(Error::Conflict { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    async fn expire_request(&self, mut request: Request) -> Result<()> {
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

    /// Asks for the deletion of stacks whose life is over. Policy decides as for anybody's request; one that was rejected is not sent again.
    pub(crate) async fn expire_stacks(&self) -> Result<()> {
        let now = self.now();
        for stack in self.0.store.stacks_expiring_before(now, 200).await? {
            match self.expire_stack(&stack).await {
                Ok(()) | Err(Error::Conflict { .. }) => {}
                Err(error) => {
                    tracing::warn!(stack = %stack.id, %error, "the deletion of an expired stack could not be requested");
                }
            }
        }
        Ok(())
    }

    async fn expire_stack(&self, stack: &StackSummary) -> Result<()> {
        let Some(ended) = stack.expires_at else {
            return Ok(());
        };
        // The same end gives the same submission: several replicas, and every round of the worker, ask once.
        let submission = RequestId(uuid::Uuid::new_v5(
            &stack.id.0,
            format!("expired {ended}").as_bytes(),
        ));
        if self.0.store.request(submission).await?.is_some() {
            return Ok(());
        }
        let draft = RequestDraft {
            kind: RequestKind::Delete,
            stack: Some(stack.id),
            justification: format!("Its life ended on {}.", ended.get().date()),
            ..RequestDraft::default()
        };
        self.submit(&crate::system(), draft, submission).await?;
        Ok(())
    }
}
