//! The beginning of an operation: the plan is made once more, and only what people agreed to is executed. Another plan goes back to them.

use serde_json::json;
use store::{Operation, Request, Stack};
use types::actor::Actor;
use types::operation::{OperationKind, OperationState};
use types::plan::Plan;
use types::policy::Verdict;
use types::request::{RequestKind, RequestState};
use types::stack::{StackResource, StackState};
use types::time::Timestamp;

use super::advance::{Go, Loaded};
use super::journal::JournalStep;
use super::next::{Action, End, fault};
use super::record::{Answer, record};
use super::steps;
use crate::plans::PlanOutcome;
use crate::plans::ground::{Prepared, reserves};
use crate::plans::proof::{STARTED, is_altered};
use crate::requests::release::stored;
use crate::requests::sentences::listed;
use crate::requests::standing::author_of;
use crate::requests::{keep_plan, stale_request, stale_stack, take_plan};
use crate::trail::{OperationMark, Trail};
use crate::{Error, Portal, Result};

impl Portal {
    /// Takes a queued operation up. The plan is made once more: what is sent from here on is this one, never what was stored before.
    pub(super) async fn start(&self, mut loaded: Loaded, now: Timestamp) -> Result<Go> {
        let mut expires_at = None;
        let mut made = None;
        // The rows may have been altered between the wish and this moment.
        if let Err(error) = self.prove_start(&loaded).await {
            return self.refuse_altered_plan(loaded, error, now).await;
        }
        if let Some(request) = &loaded.request
            && request.summary.state == RequestState::Approved
        {
            let authors = self.0.store.authors(request.summary.id).await?;
            if let Some(why) = self.lost_right(request, &authors).await? {
                return self.send_back(loaded, None, &why, now).await;
            }
            match Box::pin(self.plan_again(request)).await {
                Ok(outcome) => {
                    let changed = request
                        .plan
                        .as_ref()
                        .and_then(|known| differs(known, &outcome.plan, Since::of(request)));
                    let why = match changed {
                        Some(why) => Some(why),
                        None => self.lost_approval(request, &authors).await?,
                    };
                    let why = match why {
                        Some(why) => Some(why),
                        None => {
                            self.not_agreed(request, &outcome.plan, &outcome.plan.digest)
                                .await?
                        }
                    };
                    if let Some(why) = why {
                        return self.send_back(loaded, Some(outcome.plan), &why, now).await;
                    }
                    expires_at = Some(outcome.parsed.expires_at);
                    made = Some(outcome.plan);
                }
                Err(Error::Invalid { errors }) => {
                    let words: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
                    let why = format!("The plan can no longer be made: {}", words.join(" "));
                    return self.send_back(loaded, None, &why, now).await;
                }
                Err(error @ (Error::Unavailable { .. } | Error::StorageFull)) => {
                    return self.start_later(loaded, &error.to_string(), now).await;
                }
                Err(error) if is_altered(&error) => {
                    return self.refuse_altered_plan(loaded, error, now).await;
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
            if let Some(plan) = made {
                keep_plan(request, plan);
            }
            request.summary.state = RequestState::Executing;
            request.summary.updated_at = now;
            tx.update_request(request).await.map_err(stale_request)?;
        }
        let plan = request.as_ref().and_then(|request| request.plan.as_ref());
        if let Some(plan) = plan {
            // As it was when the operation was queued, unless its rows were altered since.
            let resources = tx.stack_resources(stack.summary.id).await?;
            let steps = steps_of(&operation, plan, &resources);
            tx.delete_steps(operation.summary.id).await?;
            for (position, step) in (0_i64..).zip(&steps) {
                tx.put_step(operation.summary.id, &stored(step, position)?)
                    .await?;
            }
        }
        let digest = plan.map(|plan| plan.digest.clone());
        let ends = enter(&mut stack, &operation, request.as_ref(), expires_at, now);
        if let Some(ends) = expires_at.filter(|_| operation.summary.kind == OperationKind::Apply) {
            Self::record_expiry(&mut tx, &trail, &stack.summary, ends);
        }
        tx.update_stack(&mut stack).await.map_err(stale_stack)?;
        if operation.summary.kind == OperationKind::Apply
            && let Some(plan) = request.as_ref().and_then(|r| r.plan.as_ref())
        {
            self.reserve(&mut tx, &system, &stack.summary, plan, None)
                .await?;
        }
        trail.stack_changed(&mut tx, &stack, "stack.changed");
        let mut detail = json!({ "kind": operation.summary.kind, "revision": operation.summary.revision, "request": operation.summary.request, "stack": operation.summary.stack });
        if let (Some(digest), Some(detail)) = (digest, detail.as_object_mut()) {
            detail.insert("plan_digest".to_owned(), digest.into());
        }
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                STARTED,
                &format!("{}{}", began(operation.summary.kind), lives(ends)),
                detail,
            )
            .await?;
        tx.commit(now).await?;
        self.0.crash_points.cross("start", "stored")?;
        Ok(Go::On)
    }

    /// Proves what an operation begins with, by lines of the record that are proved themselves.
    async fn prove_start(&self, loaded: &Loaded) -> Result<()> {
        self.prove_stack_told(&loaded.stack).await?;
        let Some(request) = &loaded.request else {
            return self.prove_applied(&loaded.stack).await;
        };
        self.prove_told(request).await?;
        if request.summary.state == RequestState::Approved {
            return Ok(());
        }
        self.prove_retry(&loaded.operation, request).await
    }

    /// The stored plan is not the one that was agreed to. What has not begun fails, and holds nothing; what has begun stops where it is, for an admin.
    pub(super) async fn refuse_altered_plan(
        &self,
        loaded: Loaded,
        error: Error,
        now: Timestamp,
    ) -> Result<Go> {
        if !is_altered(&error) {
            return Err(error);
        }
        let fault = fault(
            "PlanAltered",
            error.to_string(),
            "Nothing more is sent to Azure. An admin compares the database with the audit record, restores the row and takes the operation further, or gives it up.",
        );
        let end = if loaded.operation.summary.state == OperationState::Queued {
            End::Failed(fault)
        } else {
            End::NeedsAttention(fault)
        };
        self.end(loaded, end, now).await
    }

    /// The request's plan, made now: with the pinned time, by the requester's rights, on fresh facts.
    pub(crate) async fn plan_again(&self, request: &Request) -> Result<PlanOutcome> {
        let planner = self.planner_of(request).await?;
        Box::pin(self.plan_again_by(&planner, request)).await
    }

    /// What the request's plan is made from now, with the pinned time and by the requester's rights.
    pub(crate) async fn prepare_again(&self, request: &Request) -> Result<Prepared> {
        let planner = self.planner_of(request).await?;
        let (stack, approved) = self.again(request).await?;
        self.prepare(
            &planner,
            &request.draft,
            stack.as_ref(),
            request.summary.stack,
            approved.pinned_now,
        )
        .await
    }

    /// By whose rights a request's plan is made again: the requester's, or Slipway's own.
    async fn planner_of(&self, request: &Request) -> Result<Actor> {
        let requester = &request.summary.requester;
        Ok(if *requester == crate::system().subject {
            crate::system()
        } else {
            self.actor_for_subject(requester).await?.ok_or_else(|| {
                Error::field(
                    "project",
                    "not_found",
                    "The person who asked is no longer known here.",
                )
            })?
        })
    }

    /// As [`Portal::plan_again`], by the rights of somebody who answers for it in the requester's place.
    pub(crate) async fn plan_again_by(
        &self,
        planner: &Actor,
        request: &Request,
    ) -> Result<PlanOutcome> {
        let (stack, approved) = self.again(request).await?;
        Box::pin(self.replan(
            planner,
            &request.draft,
            stack.as_ref(),
            request.summary.stack,
            approved,
        ))
        .await
    }

    /// The stack that a request changes, and the plan that it has.
    async fn again<'a>(&self, request: &'a Request) -> Result<(Option<Stack>, &'a Plan)> {
        let s = &request.summary;
        let stack = match s.kind {
            RequestKind::Create => None,
            _ => Some(self.known_stack(s.stack).await?),
        };
        let Some(approved) = &request.plan else {
            return Err(Error::internal(format!("request {} has no plan", s.id)));
        };
        Ok((stack, approved))
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
            mut stack,
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
        let made_again = plan.is_some();
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
        if made_again {
            let s = &request.summary;
            let author = author_of(&system, &s.project, request.plan_revision, now);
            tx.insert_author(s.id, &author).await?;
        }
        // Deleting makes nothing; what is denied gives back below what it holds.
        if !denied
            && reserves(request.summary.kind)
            && let Some(plan) = &request.plan
        {
            // What a create will make is where its newest plan says.
            self.take_name(&mut tx, &request, &mut stack, plan, now)
                .await?;
            self.reserve(&mut tx, &system, &stack.summary, plan, None)
                .await?;
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
        if denied {
            self.release_name(&mut tx, &trail, &request).await?;
        }
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

/// The steps of an apply or a destroy of exactly this plan.
fn steps_of(operation: &Operation, plan: &Plan, resources: &[StackResource]) -> Vec<JournalStep> {
    let s = &operation.summary;
    match s.kind {
        OperationKind::Apply => {
            let deployment = steps::deployment_name(&s.stack_name, s.stack, s.revision);
            steps::apply(plan, &deployment)
        }
        OperationKind::Destroy => steps::destroy(plan, resources),
        kind => steps::power(kind, resources),
    }
}

/// What the stack becomes when the operation begins; answers with the end of its life, where this sets it.
fn enter(
    stack: &mut Stack,
    operation: &Operation,
    request: Option<&Request>,
    expires_at: Option<Option<Timestamp>>,
    now: Timestamp,
) -> Option<Timestamp> {
    let s = &mut stack.summary;
    let was = s.expires_at;
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
    stack.summary.expires_at.filter(|ends| Some(*ends) != was)
}

/// A life counts from the moment it begins, so this is when its end is known.
fn lives(ends: Option<Timestamp>) -> String {
    ends.map_or_else(String::new, |ends| {
        format!(" It expires on {}.", ends.get().date())
    })
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

/// What happened last to the plan that another one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// It was sent; nobody approved it.
    Sent,
    /// People approved it.
    Approved,
}

impl Since {
    /// Of a request that is waited for, or that goes ahead.
    pub(crate) fn of(request: &Request) -> Self {
        let agreed = !request.needs.is_empty() || request.sent_back.is_some();
        if agreed && request.summary.state != RequestState::AwaitingApproval {
            Self::Approved
        } else {
            Self::Sent
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Approved => "approved",
        }
    }
}

/// What sends a plan back: another digest, a denial, a need that was not there. A new warning does not.
pub(crate) fn differs(approved: &Plan, now: &Plan, since: Since) -> Option<String> {
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
        changes.push(what_changed(approved, now, since));
    }
    (!changes.is_empty()).then(|| changes.join(" "))
}

/// The difference between two plans of one request, in words.
fn what_changed(before: &Plan, after: &Plan, since: Since) -> String {
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
        return format!("The plan changed since it was {}.", since.word());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    format!("Since it was {}, {} changed.", since.word(), listed(&parts))
}
