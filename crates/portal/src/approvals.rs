//! Approvals: deciding a request with four eyes. What needs approval is said by the plan; the queue is in `queue` and `judged`, executing lives in
//! `operations`.

pub(crate) mod four_eyes;
mod judged;
pub(crate) mod needs;
mod queue;

pub(crate) use judged::JudgedRows;
pub use queue::JUDGED_A_PAGE;

use serde_json::json;
use store::NewDecision;
use types::actor::{Actor, Right};
use types::approval::{Decide, Decision, DecisionKind};
use types::ids::{DecisionId, RequestId};
use types::request::{RequestDetail, RequestKind, RequestState};

use crate::access::{Decidable, cannot_decide};
use crate::audit::texts::prove_decision;
use crate::plans::ground::reserves;
use crate::requests::standing::{Counted, People};
use crate::requests::{free_text, stale_request};
use crate::trail::Trail;
use crate::{Error, Portal, Result};

/// How many decisions the usual time is taken from, and how few say nothing.
const WAITS: u32 = 50;
const FEWEST_WAITS: usize = 3;
/// How often two approvers of one plan may cross each other before one is told.
const TRIES: usize = 3;
/// Why who approved a plan does not reject it.
pub(crate) const APPROVED_BEFORE: &str = "You approved this plan already. Once nobody else has to agree any more, approve it again and it goes ahead.";

impl Portal {
    /// Records a decision on exactly the plan that was looked at.
    ///
    /// # Errors
    /// [`Error::Refused`] for everybody who wrote a plan of the request (`four_eyes`), for what is no person (`person_needed`) and for people outside the
    /// groups (`not_in_group`); [`Error::Conflict`] with `stale_plan` when the plan is another by now, with `denied_now` when a guardrail denies it by now,
    /// and with `right_lost` when who wrote it may not request any more, which denies it; [`Error::Invalid`] when *reject* or *request changes* comes
    /// without a comment.
    pub async fn decide(
        &self,
        actor: &Actor,
        id: RequestId,
        decide: Decide,
    ) -> Result<RequestDetail> {
        let comment = free_text("comment", &decide.comment, 2_000)?;
        if comment.is_empty() && decide.decision != DecisionKind::Approve {
            return Err(Error::field(
                "comment",
                "required",
                "Say why, so that the requester knows what to do next.",
            ));
        }
        let decide = Decide { comment, ..decide };
        for n in 1.. {
            match Box::pin(self.decide_once(actor, id, &decide)).await {
                // Somebody else decided or commented on the version in between; the plan that was looked at is checked anew.
                Err(Error::Conflict {
                    code: "stale_version",
                    ..
                }) if n < TRIES => {}
                Err(error) => {
                    self.decision_refused(actor, id, &error).await;
                    return Err(error);
                }
                Ok(()) => break,
            }
        }
        self.request(actor, id).await
    }

    /// The median time from *waits* to *decided*, in minutes; none when too few were decided to say. A figure of the whole installation,
    /// which everybody who is signed in may know.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn usual_minutes(&self, _actor: &Actor) -> Result<Option<u32>> {
        let mut waits = self.0.store.recent_waits(WAITS).await?;
        if waits.len() < FEWEST_WAITS {
            return Ok(None);
        }
        waits.sort_unstable();
        let median = waits[waits.len() / 2];
        Ok(u32::try_from(median.max(0).saturating_add(59) / 60).ok())
    }

    async fn decide_once(&self, actor: &Actor, id: RequestId, decide: &Decide) -> Result<()> {
        let mut request = self.readable_request(actor, id).await?;
        self.prove(&request).await?;
        let approves = decide.decision == DecisionKind::Approve;
        if approves {
            self.prove_told(&request).await?;
        }
        let today = Box::pin(self.judge_again(&mut request)).await?;
        let decisions = if approves {
            self.proved_decisions(id).await?
        } else {
            self.recorded_decisions(id).await?
        };
        let plans = self.0.store.authors(id).await?;
        let authors = self.authors_of(&request, &plans).await?;
        let (needs, _) = self
            .count(
                &Counted::of(&request, &decisions, &authors),
                None,
                &mut People::default(),
            )
            .await?;
        let decidable = Decidable {
            project: &request.summary.project,
            authors: &authors,
            state: request.summary.state,
            needs: &needs,
        };
        if let Some(refusal) = cannot_decide(actor, &decidable) {
            return Err(refusal);
        }
        let digest = request.plan.as_ref().map(|p| p.digest.as_str());
        if digest != Some(decide.plan_digest.as_str()) {
            return Err(Error::Conflict {
                code: "stale_plan",
                detail: "The plan changed since you opened it. Look at the new plan, then decide."
                    .to_owned(),
            });
        }
        if decide.decision == DecisionKind::Approve
            && let Some(why) = self.lost_right(&request, &plans).await?
        {
            self.take_back(request, &why).await?;
            return Err(Error::Conflict {
                code: "right_lost",
                detail: why,
            });
        }
        if decide.decision == DecisionKind::Approve
            && let Some(detail) = today.refused
        {
            return Err(Error::Conflict {
                code: "denied_now",
                detail,
            });
        }
        let expires_at = match (decide.decision, request.summary.kind) {
            (DecisionKind::Approve, RequestKind::Extend) => {
                Box::pin(self.plan_again(&request)).await?.parsed.expires_at
            }
            _ => None,
        };
        let approved_before = needs::approved_by(&decisions, &actor.subject);
        if approved_before && decide.decision != DecisionKind::Approve {
            return Err(Error::Conflict {
                code: "already_decided",
                detail: APPROVED_BEFORE.to_owned(),
            });
        }
        let now = self.now();
        let trail = Trail { actor, now };
        let decision = Decision {
            id: DecisionId(uuid::Uuid::now_v7()),
            approver: actor.subject.clone(),
            decision: decide.decision,
            comment: decide.comment.clone(),
            plan_digest: decide.plan_digest.clone(),
            plan_revision: request.plan_revision,
            current: true,
            break_glass: actor
                .breaks_glass_for(Right::Approve, &request.summary.project)
                .map(|glass| glass.id),
            at: now,
        };
        let mut with_it = decisions;
        if !approved_before {
            with_it.push(decision.clone());
        }
        let (status, approvals) = self
            .count(
                &Counted::of(&request, &with_it, &authors),
                Some(actor),
                &mut People::default(),
            )
            .await?;
        let approved =
            decide.decision == DecisionKind::Approve && needs::all_met(&status, approvals);
        request.summary.updated_at = now;
        request.summary.state = match decide.decision {
            DecisionKind::Approve if approved => RequestState::Approved,
            DecisionKind::Approve => RequestState::AwaitingApproval,
            DecisionKind::Reject => RequestState::Rejected,
            DecisionKind::RequestChanges => RequestState::ChangesRequested,
        };
        // Approving reserves: what the plan was made on may have been used up since.
        let prepared = match (approved, request.plan.clone()) {
            (true, Some(plan)) if reserves(request.summary.kind) => {
                Some((Box::pin(self.prepare_again(&request)).await?, plan))
            }
            _ => None,
        };
        let waited = request
            .waiting_since
            .map_or(0, |since| now.since(since).whole_seconds());
        let mut stack = self.known_stack(request.summary.stack).await?;
        let (_turn, mut tx) = self.begin_reserving().await?;
        if let Some((prepared, plan)) = &prepared {
            Box::pin(self.still_allowed(&mut tx, prepared, plan)).await?;
        }
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        if approved_before && approved {
            // A need was dropped since: the decision of then is enough, and there is only one of each person.
            trail
                .request(
                    &mut tx,
                    &request,
                    "request.allowed",
                    "Approved the plan before; nobody else has to agree any more, so it goes ahead.",
                    json!({ "plan_digest": decision.plan_digest, "groups": actor.groups }),
                )
                .await?;
        } else {
            tx.insert_decision(&NewDecision {
                id: decision.id,
                request: id,
                approver: decision.approver.clone(),
                decision: decision.decision,
                comment: decision.comment.clone(),
                plan_digest: decision.plan_digest.clone(),
                plan_revision: decision.plan_revision,
                break_glass: decision.break_glass,
                waited_seconds: waited,
                at: now,
            })
            .await?;
            let (action, sentence) = words(&decision, approved);
            trail
                .request(
                    &mut tx,
                    &request,
                    action,
                    &sentence,
                    prove_decision(
                        json!({ "plan_digest": decision.plan_digest, "groups": actor.groups }),
                        &decision,
                    ),
                )
                .await?;
        }
        match request.summary.state {
            RequestState::Approved => {
                self.release(&mut tx, &trail, &mut request, &mut stack, expires_at)
                    .await?;
            }
            RequestState::Rejected => self.release_name(&mut tx, &trail, &request).await?,
            _ => {}
        }
        tx.commit(now).await?;
        Ok(())
    }
}

fn words(decision: &Decision, approved: bool) -> (&'static str, String) {
    let comment = if decision.comment.is_empty() {
        String::new()
    } else {
        format!(" “{}”", decision.comment)
    };
    match decision.decision {
        DecisionKind::Approve if approved => {
            ("request.approved", format!("Approved the plan.{comment}"))
        }
        DecisionKind::Approve => (
            "request.approved",
            format!("Approved the plan; others have to as well.{comment}"),
        ),
        DecisionKind::Reject => ("request.rejected", format!("Rejected it.{comment}")),
        DecisionKind::RequestChanges => (
            "request.changes_requested",
            format!("Asked for changes.{comment}"),
        ),
    }
}
