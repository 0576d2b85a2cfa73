//! The beginning of an operation: the plan is made once more, and only what people agreed to is executed. Another plan goes back to them.

use serde_json::json;
use store::{Operation, Request, Stack};
use types::operation::{OperationKind, OperationState};
use types::plan::Plan;
use types::policy::Verdict;
use types::request::{RequestKind, RequestState};
use types::stack::StackState;
use types::time::Timestamp;

use super::advance::{Go, Loaded};
use super::next::Action;
use super::record::{Answer, record};
use crate::plans::PlanOutcome;
use crate::requests::sentences::listed;
use crate::requests::{stale_request, stale_stack, take_plan};
use crate::trail::{OperationMark, Trail};
use crate::{Error, Portal, Result};

impl Portal {
    /// Takes a queued operation up.
    pub(super) async fn start(&self, mut loaded: Loaded, now: Timestamp) -> Result<Go> {
        let mut expires_at = None;
        if let Some(request) = &loaded.request
            && request.summary.state == RequestState::Approved
        {
            match self.plan_again(request).await {
                Ok(outcome) => {
                    if let Some(why) = request
                        .plan
                        .as_ref()
                        .and_then(|approved| differs(approved, &outcome.plan))
                    {
                        return self.send_back(loaded, Some(outcome.plan), &why, now).await;
                    }
                    expires_at = Some(outcome.parsed.expires_at);
                }
                Err(Error::Invalid { errors }) => {
                    let words: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
                    let why = format!("The plan can no longer be made: {}", words.join(" "));
                    return self.send_back(loaded, None, &why, now).await;
                }
                Err(error @ (Error::Unavailable { .. } | Error::StorageFull)) => {
                    return self.start_later(loaded, &error.to_string(), now).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.0.crash_points.cross("start", "answered")?;
        record(&mut loaded.journal, &Action::Start, Answer::Nothing, now);
        let Loaded {
            mut operation,
            mut stack,
            mut request,
            ..
        } = loaded;
        operation.summary.state = OperationState::Running;
        operation.summary.started_at = Some(now);
        operation.updated_at = now;
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now,
        };
        let mut tx = self.0.store.begin().await?;
        if super::advance::lost(tx.update_operation(&mut operation).await)? {
            return Ok(Go::Away);
        }
        if let Some(request) = &mut request
            && request.summary.state == RequestState::Approved
        {
            request.summary.state = RequestState::Executing;
            request.summary.updated_at = now;
            tx.update_request(request).await.map_err(stale_request)?;
        }
        enter(&mut stack, &operation, request.as_ref(), expires_at, now);
        tx.update_stack(&mut stack).await.map_err(stale_stack)?;
        if operation.summary.kind == OperationKind::Apply
            && let Some(plan) = request.as_ref().and_then(|r| r.plan.as_ref())
        {
            self.reserve(&mut tx, &system, &stack.summary, plan, None)
                .await?;
        }
        trail.stack_changed(&mut tx, &stack, "stack.changed");
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                "operation.started",
                began(operation.summary.kind),
                json!({ "kind": operation.summary.kind, "revision": operation.summary.revision, "request": operation.summary.request }),
            )
            .await?;
        tx.commit(now).await?;
        self.0.crash_points.cross("start", "stored")?;
        Ok(Go::On)
    }

    /// The request's plan, made now: with the pinned time, by the requester's rights, on fresh facts.
    pub(crate) async fn plan_again(&self, request: &Request) -> Result<PlanOutcome> {
        let s = &request.summary;
        let requester = if s.requester == crate::system().subject {
            crate::system()
        } else {
            self.actor_for_subject(&s.requester).await?.ok_or_else(|| {
                Error::field(
                    "project",
                    "not_found",
                    "The person who asked is no longer known here.",
                )
            })?
        };
        let stack = match s.kind {
            RequestKind::Create => None,
            _ => Some(self.known_stack(s.stack).await?),
        };
        let Some(approved) = &request.plan else {
            return Err(Error::internal(format!("request {} has no plan", s.id)));
        };
        self.replan(
            &requester,
            &request.draft,
            stack.as_ref(),
            s.stack,
            approved,
        )
        .await
    }

    /// What was agreed to no longer holds: the operation never begins, and the request says what changed.
    async fn send_back(
        &self,
        loaded: Loaded,
        plan: Option<Plan>,
        why: &str,
        now: Timestamp,
    ) -> Result<Go> {
        let Loaded {
            mut operation,
            request,
            stack,
            ..
        } = loaded;
        let Some(mut request) = request else {
            return Err(Error::internal("nothing to send back"));
        };
        let system = crate::system();
        let trail = Trail {
            actor: &system,
            now,
        };
        operation.summary.state = OperationState::Cancelled;
        operation.summary.ended_at = Some(now);
        operation.updated_at = now;
        let denied = match plan {
            Some(plan) => {
                let denied = plan.report.verdict == Verdict::Denied;
                take_plan(&mut request, plan, now);
                denied
            }
            None => true,
        };
        // Nobody can approve what a guardrail denies: it is the requester's turn.
        request.summary.state = if denied {
            RequestState::Denied
        } else {
            RequestState::AwaitingApproval
        };
        request.summary.updated_at = now;
        request.waiting_since = (!denied).then_some(now);
        request.sent_back = Some(why.to_owned());
        let mut tx = self.0.store.begin().await?;
        if super::advance::lost(tx.update_operation(&mut operation).await)? {
            return Ok(Go::Away);
        }
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        match request.plan.as_ref().filter(|_| !denied) {
            Some(plan) => {
                self.reserve(&mut tx, &system, &stack.summary, plan, None)
                    .await?;
            }
            // What is denied holds nothing.
            None => tx.release_unsent(stack.summary.id, &[]).await?,
        }
        trail.operation_changed(
            &mut tx,
            &OperationMark::of(&operation.summary),
            "operation.cancelled",
        );
        trail
            .request(
                &mut tx,
                &request,
                "request.sent_back",
                &format!("Sent back before it was executed. {why}"),
                json!({ "plan_digest": request.plan.as_ref().map(|p| &p.digest), "why": why }),
            )
            .await?;
        tx.commit(now).await?;
        Ok(Go::Away)
    }

    async fn start_later(&self, mut loaded: Loaded, note: &str, now: Timestamp) -> Result<Go> {
        let wait = record(
            &mut loaded.journal,
            &Action::Rest,
            Answer::Trouble {
                note: note.to_owned(),
                after: None,
                may_have_arrived: true,
            },
            now,
        );
        self.store_transition(&mut loaded, wait, &super::perform::Found::default(), now)
            .await
    }
}

/// What the stack becomes when the operation begins.
fn enter(
    stack: &mut Stack,
    operation: &Operation,
    request: Option<&Request>,
    expires_at: Option<Option<Timestamp>>,
    now: Timestamp,
) {
    let s = &mut stack.summary;
    s.updated_at = now;
    match operation.summary.kind {
        OperationKind::Apply => {
            s.state = match s.state {
                StackState::Reserved | StackState::Provisioning => StackState::Provisioning,
                _ => StackState::Updating,
            };
            if let Some(ends) = expires_at {
                s.expires_at = ends;
            }
            // A create that fails half-way still shows what it was to be; an update takes over when it has succeeded.
            if stack.applied_request.is_none()
                && let Some(request) = request
            {
                stack.plan.clone_from(&request.plan);
            }
        }
        OperationKind::Destroy => s.state = StackState::Deleting,
        OperationKind::Start
        | OperationKind::Stop
        | OperationKind::Restart
        | OperationKind::Refresh => {}
    }
}

fn began(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Apply => "Began to apply the plan.",
        OperationKind::Destroy => "Began to delete it.",
        OperationKind::Start => "Began to start it.",
        OperationKind::Stop => "Began to stop it.",
        OperationKind::Restart => "Began to restart it.",
        OperationKind::Refresh => "Began to look at what Azure has.",
    }
}

/// What sends a plan back: another digest, a denial, a need that was not there. A new warning does not.
pub(crate) fn differs(approved: &Plan, now: &Plan) -> Option<String> {
    let mut changes: Vec<String> = Vec::new();
    for denial in &now.report.denials {
        if !approved.report.denials.iter().any(|d| d.id == denial.id) {
            changes.push(format!("{} denies it now: {}", denial.id, denial.message));
        }
    }
    for need in &now.report.approvals {
        let known = approved
            .report
            .approvals
            .iter()
            .any(|n| n.id == need.id && n.group == need.group && n.count >= need.count);
        if !known {
            changes.push(format!(
                "{} wants {} of {} now: {}",
                need.id, need.count, need.group, need.message
            ));
        }
    }
    if approved.digest != now.digest {
        changes.push(what_changed(approved, now));
    }
    (!changes.is_empty()).then(|| changes.join(" "))
}

/// The difference between two plans of one request, in words.
fn what_changed(before: &Plan, after: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    if before.template_hash != after.template_hash {
        parts.push(format!("the template {}", after.template));
    }
    if before.target != after.target {
        parts.push("the place in Azure".to_owned());
    }
    let parameters: Vec<&str> = before
        .parameters
        .iter()
        .filter(|(name, value)| after.parameters.get(*name) != Some(*value))
        .map(|(name, _)| name.as_str())
        .chain(
            after
                .parameters
                .keys()
                .filter(|name| !before.parameters.contains_key(*name))
                .map(String::as_str),
        )
        .collect();
    if !parameters.is_empty() {
        parts.push(format!("the parameters {}", listed(&parameters)));
    }
    let resources: Vec<&str> = after
        .resources
        .iter()
        .filter(|r| {
            before
                .resources
                .iter()
                .find(|b| b.id.eq_ignore_ascii_case(&r.id))
                .is_none_or(|b| b.body != r.body)
        })
        .map(|r| r.name.as_str())
        .chain(
            before
                .resources
                .iter()
                .filter(|b| {
                    !after
                        .resources
                        .iter()
                        .any(|r| r.id.eq_ignore_ascii_case(&b.id))
                })
                .map(|b| b.name.as_str()),
        )
        .collect();
    if !resources.is_empty() {
        parts.push(format!("the resources {}", listed(&resources)));
    }
    if before.deletions != after.deletions {
        parts.push("what is deleted".to_owned());
    }
    if parts.is_empty() {
        return "The plan changed since it was approved.".to_owned();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    format!("Since it was approved, {} changed.", listed(&parts))
}
