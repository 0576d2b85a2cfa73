//! Requests: sending, editing, withdrawing, and reading them. Comments are in `said`, deciding is in `approvals`, executing in `operations`.

mod detail;
mod expiry;
pub(crate) mod open;
pub(crate) mod release;
pub(crate) mod said;
pub(crate) mod sentences;
pub(crate) mod standing;
mod today;

use sentences::{denied_sentence, waiting_sentence};
use serde_json::{Value, json};
use standing::author_of;
use store::{Request, Stack, StackRequest, Submission, Tx};
use types::actor::{Actor, Right};
use types::cost::Usd;
use types::ids::{RequestId, StackId, SubmissionId};
use types::page::Page;
use types::plan::Plan;
use types::policy::Verdict;
use types::request::{
    AlteredRequest, RequestDetail, RequestDraft, RequestFilter, RequestKind, RequestState,
    RequestSummary,
};
use types::secret::{looks_private, refusal};
use types::stack::{StackState, StackSummary};
use types::time::Timestamp;

use crate::access::{Requester, may, may_read, may_withdraw, withdrawable};
use crate::checks::{ParsedDraft, of_another_request};
use crate::error::name_taken;
use crate::plans::PlanOutcome;
use crate::plans::ground::{Made, reserves};
use crate::plans::proof::is_altered;
use crate::trail::Trail;
use crate::{Error, Portal, Result, access};

/// How old a cluster's list of node pools may be when a request is kept that adds one.
const LISTS: time::Duration = time::Duration::seconds(60);

impl Portal {
    /// Sends a request. The same `submission` of the same person again, also at the same moment, gives the same request and never a second one.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bad field (`name_taken` on `name`); [`Error::Conflict`] with `already_sent` when this submission was used for other
    /// content, and with `too_many_open_requests` when it would wait for an approval and too many do; a denial is no error: the request stays `denied` and
    /// can be edited.
    pub async fn submit(
        &self,
        actor: &Actor,
        draft: RequestDraft,
        submission: SubmissionId,
    ) -> Result<RequestDetail> {
        let submission = Submission {
            id: submission,
            content: hash_of_content(&draft)?,
        };
        if let Some(there) = self.sent_before(actor, &submission).await? {
            return Ok(there);
        }
        // On the heap: planning and storing one after the other make a large future, and worker threads have small stacks.
        let made = Box::pin(self.make_request(actor, draft, &submission, &[])).await;
        match made {
            Ok(Some(id)) => self.request(actor, id).await,
            Ok(None) => self
                .sent_before(actor, &submission)
                .await?
                .ok_or_else(|| Error::internal("a submission was used by no request")),
            // The form was sent twice at the same moment: the other one may have been faster, and what is in the way is its own request.
            Err(busy @ Error::Conflict { .. }) => {
                self.sent_before(actor, &submission).await?.ok_or(busy)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a request; `None` when this submission made one already. `closing` are requests that end with it.
    pub(super) async fn make_request(
        &self,
        actor: &Actor,
        draft: RequestDraft,
        submission: &Submission,
        closing: &[StackRequest],
    ) -> Result<Option<RequestId>> {
        let ground = self.ground_of(actor, &draft, closing).await?;
        let now = self.now();
        let stack_id = ground
            .as_ref()
            .map_or_else(|| StackId(uuid::Uuid::now_v7()), |stack| stack.summary.id);
        let made = Box::pin(self.make_plan(actor, &draft, ground.as_ref(), stack_id, now)).await?;
        self.refuse_taken_by_now(actor, &made.outcome, stack_id, LISTS)
            .await?;
        let id = RequestId(uuid::Uuid::now_v7());
        let new = |outcome: &PlanOutcome| new_request(actor, id, stack_id, draft, outcome, now);
        let sent = Sent {
            made,
            submission,
            stack: ground,
            closing,
        };
        let stored = Box::pin(self.store_submission(actor, sent, new, now)).await?;
        Ok(stored.then_some(id))
    }

    /// Makes a new plan on the same request; decisions on the old one no longer count, and whoever edits decides none of this request.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `stale_version` when `version` is not the newest, when its state does not allow it, with `right_lost` when it could
    /// not be executed any more because of who wrote it, or with `too_many_open_requests` as for a new one.
    pub async fn edit(
        &self,
        actor: &Actor,
        id: RequestId,
        version: i64,
        draft: RequestDraft,
    ) -> Result<RequestDetail> {
        let mut request = self.readable_request(actor, id).await?;
        may(actor, Right::Request, &request.summary.project)?;
        if request.summary.version != version {
            return Err(Error::stale("request"));
        }
        if !matches!(
            request.summary.state,
            RequestState::Denied | RequestState::ChangesRequested
        ) {
            return Err(Error::Conflict {
                code: "not_editable",
                detail: format!(
                    "This request is {}: only one that was denied or sent back for changes can be edited.",
                    access::words(request.summary.state)
                ),
            });
        }
        let authors = self.0.store.authors(id).await?;
        if let Some(why) = self.lost_right(&request, &authors).await? {
            return Err(Error::Conflict {
                code: "right_lost",
                detail: why,
            });
        }
        let others = of_another_request(&draft, request.summary.kind, request.summary.stack);
        if !others.is_empty() {
            return Err(Error::Invalid { errors: others });
        }
        let draft = RequestDraft {
            kind: request.summary.kind,
            stack: (request.summary.kind != RequestKind::Create).then_some(request.summary.stack),
            ..draft
        };
        let mut stack = self.known_stack(request.summary.stack).await?;
        // The stack may have been stopped, or have expired, since the request was sent.
        if request.summary.kind == RequestKind::Update {
            let situation = self.situation_without(&stack, &[id]).await?;
            access::may_update(&situation).map_err(stack_busy)?;
        }
        let existing = (request.summary.kind != RequestKind::Create).then(|| stack.clone());
        let now = self.now();
        let made =
            Box::pin(self.make_plan(actor, &draft, existing.as_ref(), stack.summary.id, now))
                .await?;
        self.refuse_taken_by_now(actor, &made.outcome, stack.summary.id, LISTS)
            .await?;
        let parsed = &made.outcome.parsed;
        if request.summary.kind == RequestKind::Create
            && (parsed.project != request.summary.project || parsed.tier != request.summary.tier)
        {
            let field = if parsed.project == request.summary.project {
                "tier"
            } else {
                "project"
            };
            return Err(Error::field(
                field,
                "create_only",
                format!(
                    "This request is for {} {}. For another project or tier, withdraw it and send a new one.",
                    request.summary.project,
                    request.summary.tier.as_str()
                ),
            ));
        }
        let trail = Trail { actor, now };
        let (_turn, mut tx) = self.begin_reserving().await?;
        let outcome = Box::pin(self.settle_plan(&mut tx, made, &request.summary.requester)).await?;
        let parsed = &outcome.parsed;
        // One that was sent back for changes counts already.
        let counts_already = request.summary.state == RequestState::ChangesRequested;
        request.draft = draft;
        request.sent_back = None;
        request.summary.name.clone_from(&parsed.name);
        take_plan(&mut request, outcome.plan.clone(), now);
        if !counts_already {
            self.refuse_too_many_open(&mut tx, &request).await?;
        }
        let author = author_of(actor, &request.summary.project, request.plan_revision, now);
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        tx.insert_author(id, &author).await?;
        if request.summary.kind != RequestKind::Create {
            // Held before what it reserves, as everywhere: two transactions never wait for each other.
            stack.summary.updated_at = now;
            tx.update_stack(&mut stack).await.map_err(stale_stack)?;
        }
        self.take_name(&mut tx, &request, &mut stack, &outcome.plan, now)
            .await?;
        trail
            .request(
                &mut tx,
                &request,
                "request.edited",
                "Edited the request; a new plan was made.",
                plan_facts(&outcome.plan),
            )
            .await?;
        Box::pin(self.proceed(&mut tx, &trail, &mut request, &mut stack, parsed)).await?;
        tx.commit(now).await?;
        self.request(actor, id).await
    }

    /// A page of the requests that the actor may see, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a foreign cursor.
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
    ) -> Result<Page<RequestSummary>> {
        let scope = access::scope(actor);
        Ok(self
            .0
            .store
            .requests(&scope, &actor.subject, filter)
            .await?)
    }

    /// One request, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project.
    pub async fn request(&self, actor: &Actor, id: RequestId) -> Result<RequestDetail> {
        let request = self.readable_request(actor, id).await?;
        match self.request_detail(actor, request).await {
            // It was edited while it was read.
            Err(Error::Conflict {
                code: "stale_version",
                ..
            }) => {
                let request = self.readable_request(actor, id).await?;
                self.request_detail(actor, request).await
            }
            answer => answer,
        }
    }

    /// What is left to do with a request that answers `plan_altered`: it holds a name and ids, so it can be taken back.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project.
    pub async fn altered_request(&self, actor: &Actor, id: RequestId) -> Result<AlteredRequest> {
        let request = self.readable_request(actor, id).await?;
        let s = &request.summary;
        let requester = Requester {
            subject: &s.requester,
            left: self.requester_left(actor, s).await?,
        };
        Ok(AlteredRequest {
            id,
            state: s.state,
            version: s.version,
            withdraw: access::of_withdrawing(actor, s.state, &s.project, &requester),
        })
    }

    /// Takes a request back. One that is approved and not begun loses its operation too.
    ///
    /// # Errors
    /// [`Error::Refused`] with `not_requester` for everybody but who sent it, `system_request` for what Slipway asked for; [`Error::Conflict`] when it is
    /// stale or already executed.
    pub async fn withdraw(
        &self,
        actor: &Actor,
        id: RequestId,
        version: i64,
    ) -> Result<RequestDetail> {
        let mut request = self.readable_request(actor, id).await?;
        let left = self.requester_left(actor, &request.summary).await?;
        may_withdraw(
            actor,
            &request.summary.project,
            &request.summary.requester,
            left,
        )?;
        if request.summary.version != version {
            return Err(Error::stale("request"));
        }
        withdrawable(request.summary.state).map_err(|reason| Error::Conflict {
            code: "not_withdrawable",
            detail: format!("This request cannot be withdrawn. {reason}"),
        })?;
        let now = self.now();
        let trail = Trail { actor, now };
        let approved = request.summary.state == RequestState::Approved;
        request.summary.state = RequestState::Withdrawn;
        request.summary.updated_at = now;
        let mut tx = self.0.store.begin().await?;
        tx.update_request(&mut request)
            .await
            .map_err(stale_request)?;
        trail
            .request(
                &mut tx,
                &request,
                "request.withdrawn",
                "Withdrew the request.",
                Value::Null,
            )
            .await?;
        if approved {
            self.drop_queued_operation(&mut tx, &trail, request.summary.id)
                .await?;
        }
        self.release_name(&mut tx, &trail, &request).await?;
        tx.commit(now).await?;
        match self.request(actor, id).await {
            // It is withdrawn all the same; the plan that nobody agreed to is not shown.
            Err(error) if is_altered(&error) => {
                let mut request = self.readable_request(actor, id).await?;
                request.plan = None;
                request.draft = RequestDraft {
                    kind: request.summary.kind,
                    ..RequestDraft::default()
                };
                self.proved_detail(actor, request).await
            }
            answer => answer,
        }
    }

    /// A request that the actor may see.
    pub(crate) async fn readable_request(&self, actor: &Actor, id: RequestId) -> Result<Request> {
        let request = self
            .0
            .store
            .request(id)
            .await?
            .ok_or(Error::NotFound { what: "request" })?;
        may_read(actor, &request.summary.project, "request")?;
        Ok(request)
    }

    /// The stack of something that was just read: it is never deleted from the database.
    pub(crate) async fn known_stack(&self, id: StackId) -> Result<Stack> {
        self.0
            .store
            .stack(id)
            .await?
            .ok_or_else(|| Error::internal(format!("stack {id} of a request is missing")))
    }

    /// The request that this submission of the actor's made: the same form again shows what became of it.
    async fn sent_before(
        &self,
        actor: &Actor,
        submission: &Submission,
    ) -> Result<Option<RequestDetail>> {
        let sent = self
            .0
            .store
            .submitted(&actor.subject, submission.id)
            .await?;
        let Some(sent) = sent else {
            return Ok(None);
        };
        if sent
            .content
            .is_some_and(|content| content != submission.content)
        {
            return Err(Error::Conflict {
                code: "already_sent",
                detail: format!(
                    "This form was sent before, with other values: it made the request {}. Nothing was sent now. To send what the form holds as a new \
                     request, send it once more; over REST, with a new Idempotency-Key.",
                    sent.request
                ),
            });
        }
        self.request(actor, sent.request).await.map(Some)
    }

    /// The stack that the draft is about (none for a create), after every question of right and state.
    async fn ground_of(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        closing: &[StackRequest],
    ) -> Result<Option<Stack>> {
        if draft.kind == RequestKind::Create {
            let project =
                draft
                    .project
                    .trim()
                    .parse()
                    .map_err(|error: types::names::NameError| {
                        if looks_private(&draft.project) {
                            return Error::Invalid {
                                errors: vec![refusal("project")],
                            };
                        }
                        Error::field("project", "not_allowed", error.to_string())
                    })?;
            may_read(actor, &project, "project")?;
            may(actor, Right::Request, &project)?;
            if self.0.store.project(&project).await?.is_none() {
                return Err(Error::NotFound { what: "project" });
            }
            return Ok(None);
        }
        let Some(id) = draft.stack else {
            return Err(Error::field(
                "stack",
                "required",
                "Say which stack this is about.",
            ));
        };
        let stack = self.readable_stack(actor, id).await?;
        may(actor, Right::Request, &stack.summary.project)?;
        let closing: Vec<RequestId> = closing.iter().map(|request| request.id).collect();
        let situation = self.situation_without(&stack, &closing).await?;
        let allowed = match draft.kind {
            RequestKind::Delete => access::may_delete(&situation),
            RequestKind::Extend => access::may_extend(&situation),
            RequestKind::Create | RequestKind::Update => access::may_update(&situation),
        };
        allowed.map_err(stack_busy)?;
        let project = draft.project.trim();
        if !project.is_empty() && project != stack.summary.project.as_str() {
            return Err(Error::field(
                "project",
                "not_allowed",
                format!(
                    "This stack is of {}; leave the project out, or name that one.",
                    stack.summary.project
                ),
            ));
        }
        Ok(Some(stack))
    }

    /// One transaction: limits checked and locked, request with plan and needs, stack reservation, what ends with it, what follows from the verdict, and the
    /// trail. False when the submission was used before.
    async fn store_submission(
        &self,
        actor: &Actor,
        sent: Sent<'_>,
        new: impl FnOnce(&PlanOutcome) -> Request,
        now: Timestamp,
    ) -> Result<bool> {
        let Sent {
            made,
            submission,
            stack,
            closing,
        } = sent;
        let trail = Trail { actor, now };
        let (_turn, mut tx) = self.begin_reserving().await?;
        let outcome = Box::pin(self.settle_plan(&mut tx, made, &actor.subject)).await?;
        let mut request = new(&outcome);
        if !tx.insert_request(&request, submission).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        self.refuse_too_many_today(&mut tx, &request).await?;
        self.refuse_too_many_open(&mut tx, &request).await?;
        for other in closing {
            self.close(&mut tx, &trail, other, &request).await?;
        }
        let mut stack = match stack {
            None => {
                let stack = reserved(&request, &outcome.plan, now);
                tx.insert_stack(&stack).await.map_err(|error| match error {
                    store::Error::Conflict(store::Conflict::StackNameTaken) => name_taken(),
                    other => other.into(),
                })?;
                stack
            }
            Some(mut stack) => {
                // Every request and operation moves the version: what was asked above still holds, or this one is late.
                stack.summary.updated_at = now;
                tx.update_stack(&mut stack).await.map_err(stale_stack)?;
                stack
            }
        };
        let s = &request.summary;
        let author = author_of(actor, &s.project, request.plan_revision, now);
        tx.insert_author(s.id, &author).await?;
        let sentence = match request.summary.kind {
            RequestKind::Create => "Sent the request to create it.",
            RequestKind::Update => "Sent the request to change it.",
            RequestKind::Extend => "Sent the request to let it live longer.",
            RequestKind::Delete => "Sent the request to delete it.",
        };
        trail
            .request(
                &mut tx,
                &request,
                "request.submitted",
                sentence,
                plan_facts(&outcome.plan),
            )
            .await?;
        if request.summary.kind == RequestKind::Delete {
            trail
                .stack(
                    &mut tx,
                    &stack,
                    "stack.delete_requested",
                    "Asked to delete it.",
                    json!({ "request": request.summary.id }),
                )
                .await?;
        }
        Box::pin(self.proceed(&mut tx, &trail, &mut request, &mut stack, &outcome.parsed)).await?;
        tx.commit(now).await?;
        Ok(true)
    }

    /// What the verdict says happens next: nothing (denied), waiting, or the operation at once.
    async fn proceed(
        &self,
        tx: &mut Tx,
        trail: &Trail<'_>,
        request: &mut Request,
        stack: &mut Stack,
        parsed: &ParsedDraft,
    ) -> Result<()> {
        let verdict = request
            .plan
            .as_ref()
            .map_or(Verdict::Denied, |plan| plan.report.verdict);
        let system = crate::system();
        let by_rules = Trail {
            actor: &system,
            now: trail.now,
        };
        // What is denied gives back below what it holds. Deleting and extending make nothing; what the stack holds, an operation may be about to send.
        if let Some(plan) = &request.plan
            && verdict != Verdict::Denied
            && reserves(parsed.kind)
        {
            self.reserve(tx, trail.actor, &stack.summary, plan, Some(parsed))
                .await?;
        }
        match verdict {
            Verdict::Denied => {
                request.summary.state = RequestState::Denied;
                tx.update_request(request).await.map_err(stale_request)?;
                by_rules
                    .request(
                        tx,
                        request,
                        "request.denied",
                        &denied_sentence(request),
                        Value::Null,
                    )
                    .await?;
                self.release_name(tx, &by_rules, request).await
            }
            Verdict::NeedsApproval => {
                request.summary.state = RequestState::AwaitingApproval;
                request.waiting_since = Some(trail.now);
                tx.update_request(request).await.map_err(stale_request)?;
                by_rules
                    .request(
                        tx,
                        request,
                        "request.awaiting_approval",
                        &waiting_sentence(request),
                        Value::Null,
                    )
                    .await
            }
            Verdict::Allowed => {
                request.summary.state = RequestState::Approved;
                tx.update_request(request).await.map_err(stale_request)?;
                by_rules
                    .request(
                        tx,
                        request,
                        "request.allowed",
                        "No guardrail asks for an approval: it goes ahead.",
                        Value::Null,
                    )
                    .await?;
                self.release(tx, trail, request, stack, parsed.expires_at)
                    .await
            }
        }
    }
}

/// A submission on its way into the database.
struct Sent<'a> {
    made: Made,
    submission: &'a Submission,
    /// The stack that it changes; none for a create.
    stack: Option<Stack>,
    /// Requests that end with it.
    closing: &'a [StackRequest],
}

/// Tells two contents of one form apart, whatever order their members are in.
fn hash_of_content(draft: &RequestDraft) -> Result<String> {
    let mut content = serde_json::to_value(draft)
        .map_err(|error| Error::internal(format!("a draft as JSON: {error}")))?;
    content.sort_all_objects();
    Ok(record::sha256(content.to_string().as_bytes()))
}

/// Text that people typed for people: trimmed, bounded, and free of characters that show something else than they are.
pub(crate) fn free_text(field: &str, text: &str, longest: usize) -> Result<String> {
    let text = text.trim();
    match crate::checks::problem_of_text(field, text, longest) {
        Some(error) => Err(Error::Invalid {
            errors: vec![error],
        }),
        None => Ok(text.to_owned()),
    }
}

/// What the record says of a plan.
pub(crate) fn plan_facts(plan: &Plan) -> Value {
    json!({
        "plan_digest": plan.digest,
        "template": plan.template,
        "verdict": plan.report.verdict,
        "monthly": plan.cost.monthly,
        "unpriced": plan.cost.unpriced,
        "bundle": plan.report.bundle_hash,
    })
}

/// Puts a new plan on the request, with all that lists show of it. Decisions on the one before are void.
pub(crate) fn take_plan(request: &mut Request, plan: Plan, now: Timestamp) {
    request.plan_revision += 1;
    request.summary.updated_at = now;
    keep_plan(request, plan);
}

/// Puts the same plan on the request with the facts of now: what was decided on it holds.
pub(crate) fn keep_plan(request: &mut Request, plan: Plan) {
    let s = &mut request.summary;
    s.template = plan.template.clone();
    s.monthly = plan.cost.monthly;
    s.monthly_change = plan.cost.change();
    s.unpriced = plan.cost.unpriced_parts();
    s.posture = plan.report.posture;
    s.warnings = count(plan.report.warnings.len());
    s.denials = count(plan.report.denials.len());
    request.needs = plan.report.approvals.clone();
    request.plan = Some(plan);
}

/// Why a stack cannot be changed now.
fn stack_busy(reason: impl std::fmt::Display) -> Error {
    Error::Conflict {
        code: "stack_busy",
        detail: format!("This stack cannot be changed now. {reason}"),
    }
}

pub(crate) fn stale_request(error: store::Error) -> Error {
    match error {
        store::Error::Stale => Error::stale("request"),
        other => other.into(),
    }
}

pub(crate) fn stale_stack(error: store::Error) -> Error {
    match error {
        store::Error::Stale => Error::Conflict {
            code: "stack_changed",
            detail: "The stack changed at this moment. Look at it again, then repeat.".to_owned(),
        },
        other => other.into(),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn new_request(
    actor: &Actor,
    id: RequestId,
    stack: StackId,
    draft: RequestDraft,
    outcome: &PlanOutcome,
    now: Timestamp,
) -> Request {
    let parsed = &outcome.parsed;
    let mut request = Request {
        summary: RequestSummary {
            id,
            kind: parsed.kind,
            state: RequestState::Checking,
            project: parsed.project.clone(),
            tier: parsed.tier,
            stack,
            name: parsed.name.clone(),
            template: outcome.plan.template.clone(),
            requester: actor.subject.clone(),
            monthly: Usd::default(),
            monthly_change: Usd::default(),
            unpriced: 0,
            posture: outcome.plan.report.posture,
            warnings: 0,
            denials: 0,
            created_at: now,
            updated_at: now,
            version: 1,
        },
        draft,
        plan: None,
        plan_revision: 0,
        needs: Vec::new(),
        waiting_since: None,
        sent_back: None,
    };
    take_plan(&mut request, outcome.plan.clone(), now);
    request
}

/// The stack that a create will make: its name is held from here on.
fn reserved(request: &Request, plan: &Plan, now: Timestamp) -> Stack {
    let r = &request.summary;
    let mut summary = StackSummary {
        id: r.stack,
        project: r.project.clone(),
        tier: r.tier,
        name: r.name.clone(),
        state: StackState::Reserved,
        template: plan.template.clone(),
        target: plan.target.clone(),
        monthly: Usd::default(),
        unpriced: 0,
        posture: plan.report.posture,
        owner: r.requester.clone(),
        expires_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    reserve(&mut summary, plan, now);
    Stack {
        summary,
        revision: 0,
        applied_request: None,
        plan: None,
        outputs: indexmap::IndexMap::new(),
        fault: None,
    }
}

pub(crate) fn reserve(summary: &mut StackSummary, plan: &Plan, now: Timestamp) {
    summary.template = plan.template.clone();
    summary.target = plan.target.clone();
    summary.posture = plan.report.posture;
    summary.updated_at = now;
}
