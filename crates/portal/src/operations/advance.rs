//! The mechanics: load the journal, let `next` decide, perform, let `record` take the answer up, store. Everything that a transition changes is one transaction,
//! the next job included; an operation's version fences two workers that hold the same job.

use std::collections::BTreeMap;

use serde_json::Value;
use store::{Operation, Request, Reservation, Stack, Step};
use types::fault::AzureFault;
use types::ids::OperationId;
use types::operation::{OperationKind, OperationState, StepName, StepState};
use types::plan::Target;
use types::stack::StackResource;
use types::time::Timestamp;

use super::journal::Journal;
use super::next::{Action, fault, next};
use super::perform::{Found, Scene, perform, subjects_of};
use super::record::{Answer, announce, record};
use super::{journal_of, open_step, steps};
use crate::ownership::{self, GROUP, Subject, ids, plan_ids};
use crate::plans::tags;
use crate::requests::release::stored;
use crate::trail::{OperationMark, Trail};
use crate::{Error, Portal, Result};

/// An operation with everything that its transitions need.
pub(super) struct Loaded {
    pub(super) operation: Operation,
    pub(super) journal: Journal,
    pub(super) stack: Stack,
    pub(super) request: Option<Request>,
}

/// What follows a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    /// The next one at once.
    On,
    /// Nothing more for this job: it sleeps (its next job is queued), has ended, or somebody else has it.
    Away,
}

/// How often a transition may lose against a change of its stack or request before the job comes again later.
const COLLISIONS: u32 = 20;

impl Portal {
    /// Takes an operation as far as it goes without waiting. Called by the worker; safe to call at any time and any number of times.
    ///
    /// # Errors
    /// What nobody expected: the job then comes again. Trouble with Azure is none, it is in the journal.
    pub async fn advance(&self, id: OperationId) -> Result<()> {
        let mut collisions = 0;
        loop {
            match Box::pin(self.transition(id)).await {
                Ok(Go::On) => {}
                Ok(Go::Away) => return Ok(()),
                // Somebody changed the stack or the request at this moment: look again.
                Err(Error::Conflict { .. }) if collisions < COLLISIONS => collisions += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn transition(&self, id: OperationId) -> Result<Go> {
        let Some(mut loaded) = self.load(id).await? else {
            return Ok(Go::Away);
        };
        let now = self.now();
        let action = next(&loaded.journal, now);
        tracing::debug!(operation = %id, action = action.word(), "next");
        if action != Action::Rest
            && let Err(error) = self.prove_loaded(&loaded, &action).await
        {
            return self.refuse_altered_plan(loaded, error, now).await;
        }
        match action {
            Action::Rest => Ok(Go::Away),
            // On the heap: each is large, and the rules' own recursion needs the stack.
            Action::Start => Box::pin(self.start(loaded, now)).await,
            Action::End(end) => Box::pin(self.end(loaded, end, now)).await,
            action => Box::pin(self.perform_action(&mut loaded, &action, now)).await,
        }
    }

    /// Proves what a transition goes by: the plan, and that what runs has begun and has not ended. An operation that somebody wrote into the database as running has passed
    /// by everybody whom its beginning asks.
    async fn prove_loaded(&self, loaded: &Loaded, action: &Action) -> Result<()> {
        let operation = &loaded.operation;
        self.prove_operation(operation, loaded.request.as_ref())
            .await?;
        let decides = action.writes() || matches!(action, Action::End(_));
        self.prove_progress(operation, decides).await
    }

    async fn perform_action(
        &self,
        loaded: &mut Loaded,
        action: &Action,
        now: Timestamp,
    ) -> Result<Go> {
        if action.writes() {
            let announced = announce(&mut loaded.journal, action, now);
            if !self.take(loaded, action, announced, now).await? {
                return Ok(Go::Away);
            }
            self.0.crash_points.cross(action.word(), "taken")?;
        }
        let (answer, found) = self.ask_azure(loaded, action).await?;
        self.0.crash_points.cross(action.word(), "answered")?;
        // Asking may have taken a while: what is remembered is when the answer came.
        let now = self.now();
        let wait = record(&mut loaded.journal, action, answer, now);
        let go = self.store_transition(loaded, wait, &found, now).await?;
        self.0.crash_points.cross(action.word(), "stored")?;
        Ok(go)
    }

    /// Fences a write: whoever moves the version sends it. With it, what may be about to arrive in Azure is stored, and that its ids are the stack's from now on.
    async fn take(
        &self,
        loaded: &mut Loaded,
        action: &Action,
        announced: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let plan = loaded.request.as_ref().and_then(|r| r.plan.as_ref());
        let makes: Vec<Subject> = match action {
            Action::PutGroup => plan
                .map(plan_ids)
                .unwrap_or_default()
                .into_iter()
                .filter(|one| one.kind == GROUP)
                .collect(),
            Action::PutDeployment => plan.map(plan_ids).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut tx = self.0.store.begin().await?;
        loaded.operation.updated_at = now;
        if lost(tx.update_operation(&mut loaded.operation).await)? {
            return Ok(false);
        }
        if announced && let Some((position, step)) = open_step(&mut loaded.journal) {
            tx.put_step(loaded.operation.summary.id, &stored(step, position)?)
                .await?;
        }
        tx.mark_sent(loaded.operation.summary.stack, &ids(&makes), now)
            .await?;
        tx.commit(now).await?;
        Ok(true)
    }

    async fn ask_azure(&self, loaded: &Loaded, action: &Action) -> Result<(Answer, Found)> {
        let Some(step) = loaded.journal.step() else {
            return Ok((Answer::Nothing, Found::default()));
        };
        let s = &loaded.operation.summary;
        // Proved above: it is hashed at every transition.
        let agreed = loaded.request.as_ref().and_then(|r| r.plan.as_ref());
        // Also before the scope is read: an altered row is told as such, not as a resource of somebody else's.
        let deletes = *action == Action::DeleteResource
            || *action == Action::ReadScope
                && (step.name == StepName::Leftovers
                    || step.name == StepName::Removal && !loaded.journal.owns_group);
        if deletes
            && let Some(item) = step.item()
            && !agreed.is_some_and(|plan| steps::deletes_with(plan, item))
        {
            return Ok((
                Answer::Refused(Box::new(not_in_plan(&item.id))),
                Found::default(),
            ));
        }
        let plan = agreed.filter(|_| s.kind == OperationKind::Apply);
        let entry = plan.and_then(|plan| self.0.catalogue.get(&plan.template));
        // What the digest covers is what is sent: a template that was replaced under its version is not.
        let template = entry
            .filter(|entry| plan.is_some_and(|plan| plan.template_hash == entry.content_hash))
            .map(|entry| &entry.arm);
        let tags = match action {
            Action::PutGroup => self.group_tags(loaded).await?,
            _ => BTreeMap::new(),
        };
        let deployment = steps::deployment_name(&s.stack_name, s.stack, s.revision);
        let subjects = match step.name {
            StepName::Deployment => plan.map(subjects_of).unwrap_or_default(),
            _ => step.subjects(),
        };
        let implied: Vec<Subject> = [loaded.stack.plan.as_ref(), plan]
            .into_iter()
            .flatten()
            .flat_map(ownership::implied)
            .collect();
        let target = agreed.map_or(&loaded.stack.summary.target, |plan| &plan.target);
        let held = match action {
            Action::ReadScope => self.held_near(target, &subjects).await?,
            _ => Vec::new(),
        };
        let scene = Scene {
            arm: &self.0.arm,
            kind: s.kind,
            mine: self.mine(s.stack),
            target,
            plan,
            template,
            tags: &tags,
            deployment: &deployment,
            subjects: &subjects,
            implied: &implied,
            held: &held,
            fresh: s.revision == 1 && target.owns_group && s.kind == OperationKind::Apply,
        };
        let (mut answer, found) = perform(&scene, step, action).await;
        if let Answer::NotOurs(foreign) = &mut answer {
            // The fault is read by the stack's project: it may know its own stacks, and of others that they exist.
            self.name_owners(foreign, |project| *project == s.project)
                .await?;
            tracing::warn!(operation = %s.id, ?foreign, "what is not this stack's is in the way and is not touched");
        }
        Ok((answer, found))
    }

    /// What stacks hold where the operation works.
    async fn held_near(&self, target: &Target, subjects: &[Subject]) -> Result<Vec<Reservation>> {
        let group = format!(
            "/subscriptions/{}/resourceGroups/{}",
            target.subscription, target.resource_group
        );
        let mut near = ids(subjects);
        near.push(&group);
        Ok(self.0.store.reservations_near(&near).await?)
    }

    /// The tags of an owned group: those of the stack's resources.
    async fn group_tags(&self, loaded: &Loaded) -> Result<BTreeMap<String, String>> {
        let s = &loaded.stack.summary;
        let project = self.0.store.project(&s.project).await?;
        let project =
            project.ok_or_else(|| Error::internal("the project of a stack is missing"))?;
        let none = indexmap::IndexMap::new();
        let draft = loaded.request.as_ref().map(|r| &r.draft);
        let cost_centre = draft
            .map(|d| d.cost_centre.trim())
            .filter(|c| !c.is_empty())
            .unwrap_or(&project.cost_centre);
        let tags = tags::of_stack(
            &self.mine(s.id),
            &s.project,
            s.tier,
            cost_centre,
            &project.default_tags,
            draft.map_or(&none, |d| &d.tags),
        );
        Ok(tags
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::String(value) => Some((name, value)),
                _ => None,
            })
            .collect())
    }

    /// One transaction: the step, the operation, what was seen of the stack, the event, and the next job where it sleeps.
    pub(super) async fn store_transition(
        &self,
        loaded: &mut Loaded,
        wait: Option<Timestamp>,
        found: &Found,
        now: Timestamp,
    ) -> Result<Go> {
        let id = loaded.operation.summary.id;
        let stack = loaded.operation.summary.stack;
        let before = self.0.store.steps(id).await?;
        let mut tx = self.0.store.begin().await?;
        loaded.operation.updated_at = now;
        if lost(tx.update_operation(&mut loaded.operation).await)? {
            return Ok(Go::Away);
        }
        let mut visible = false;
        for (position, step) in (0_i64..).zip(&loaded.journal.steps) {
            let step = stored(step, position)?;
            let old = before.iter().find(|b| b.position == position);
            if old != Some(&step) {
                visible |= old.map(|b| &b.step) != Some(&step.step);
                tx.put_step(id, &step).await?;
            }
        }
        for seen in &found.resources {
            if !belongs(seen, loaded) {
                continue;
            }
            tx.put_stack_resource(
                stack,
                &StackResource {
                    id: seen.id.clone(),
                    kind: seen.kind.clone(),
                    name: seen.name.clone(),
                    state: seen.state.clone(),
                    seen_at: now,
                },
            )
            .await?;
        }
        for gone in gone(&before, &loaded.journal) {
            tx.delete_stack_resource(stack, &gone).await?;
        }
        if let Some(outputs) = &found.outputs {
            let mut fresh = tx
                .stack(stack)
                .await?
                .ok_or_else(|| Error::internal("the stack of an operation is missing"))?;
            fresh.outputs.clone_from(outputs);
            fresh.summary.updated_at = now;
            tx.update_stack(&mut fresh)
                .await
                .map_err(crate::requests::stale_stack)?;
        }
        if let Some(at) = wait {
            tx.enqueue(id, Some(at)).await?;
        }
        if visible {
            let system = crate::system();
            Trail {
                actor: &system,
                now,
            }
            .operation_changed(
                &mut tx,
                &OperationMark::of(&loaded.operation.summary),
                "operation.step",
            );
        }
        tx.commit(now).await?;
        Ok(if wait.is_some() { Go::Away } else { Go::On })
    }

    /// `None` when there is no such operation, or nothing that could still move.
    async fn load(&self, id: OperationId) -> Result<Option<Loaded>> {
        let store = &self.0.store;
        let Some(operation) = store.operation(id).await? else {
            return Ok(None);
        };
        let state = operation.summary.state;
        if state.has_ended() || state == OperationState::NeedsAttention {
            return Ok(None);
        }
        let stack = self.known_stack(operation.summary.stack).await?;
        let request = match operation.summary.request {
            Some(request) => store.request(request).await?,
            None => None,
        };
        let owns_group = request
            .as_ref()
            .and_then(|r| r.plan.as_ref())
            .map_or(stack.summary.target.owns_group, |p| p.target.owns_group);
        let steps = store.steps(id).await?;
        let journal = journal_of(&operation, &steps, owns_group)?;
        Ok(Some(Loaded {
            operation,
            journal,
            stack,
            request,
        }))
    }
}

/// Whether somebody else moved the operation meanwhile: then this one has lost and stops, without a word.
pub(super) fn lost(moved: store::Result<()>) -> Result<bool> {
    match moved {
        Ok(()) => Ok(false),
        Err(store::Error::Stale) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The journal's row names what nobody agreed to delete.
fn not_in_plan(id: &str) -> AzureFault {
    fault(
        "PlanAltered",
        format!("{id} is not among what the approved plan deletes."),
        "Nothing was deleted. The operation was changed in the database: compare it with the audit record, then delete the stack with a new request.",
    )
}

/// In a group of its own everything is the stack's. In somebody else's group only what the plan names is: a cluster that a pool joins must never be
/// recorded, or deleting the stack would delete it.
fn belongs(seen: &types::operation::ResourceProgress, loaded: &Loaded) -> bool {
    let Some(plan) = loaded.request.as_ref().and_then(|r| r.plan.as_ref()) else {
        return false;
    };
    if loaded.journal.owns_group {
        let group = format!(
            "/subscriptions/{}/resourcegroups/{}/",
            plan.target.subscription, plan.target.resource_group
        )
        .to_lowercase();
        return seen.id.to_lowercase().starts_with(&group);
    }
    plan.resources
        .iter()
        .any(|r| r.id.eq_ignore_ascii_case(&seen.id))
}

/// Resources that this transition found deleted.
fn gone(before: &[Step], journal: &Journal) -> Vec<String> {
    let deleted = |state: &str| state == "Deleted";
    let mut gone = Vec::new();
    for (old, new) in before.iter().zip(&journal.steps) {
        for resource in &new.resources {
            let was = old
                .step
                .resources
                .iter()
                .find(|r| r.id.eq_ignore_ascii_case(&resource.id));
            if deleted(&resource.state) && !was.is_some_and(|r| deleted(&r.state)) {
                gone.push(resource.id.clone());
            }
        }
        let removed_all = new.state == StepState::Succeeded
            && old.step.state != StepState::Succeeded
            && new.name == types::operation::StepName::Removal;
        if removed_all {
            gone.extend(new.resources.iter().map(|r| r.id.clone()));
        }
    }
    gone
}
