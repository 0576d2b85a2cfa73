//! Where a plan's [`Ground`] comes from: project and stack out of the database, facts out of the snapshot, and what is held from `standing`.

use std::sync::Arc;

use store::{Stack, Tx};
use types::actor::Actor;
use types::ids::StackId;
use types::names::ProjectName;
use types::plan::Plan;
use types::project::ProjectSettings;
use types::request::{RequestDraft, RequestKind};
use types::secret::{looks_private, refusal};
use types::time::Timestamp;

use super::{ExistingStack, Ground, OtherStack, PlanOutcome, Standing, plan};
use crate::access::may_read;
use crate::azure_facts::Facts;
use crate::ownership::REREAD;
use crate::standing::{Place, locked};
use crate::{Error, Portal, Result};

/// What a plan of one draft is made from, all but what is held at the moment: read before a transaction, so that the plan can be made again inside one
/// without another connection to the database.
pub(crate) struct Prepared {
    actor: Actor,
    draft: RequestDraft,
    project: ProjectSettings,
    stack: Option<ExistingStack>,
    place: Place,
    other_stacks: Vec<OtherStack>,
    facts: Arc<Facts>,
    pinned_now: Timestamp,
    now: Timestamp,
    looked_through: bool,
}

/// A plan with what it was made from.
pub(crate) struct Made {
    prepared: Prepared,
    standing: Standing,
    pub(crate) outcome: PlanOutcome,
}

impl Portal {
    /// Makes a plan of a draft that somebody sent, which is looked through for private keys. `stack` is the stack that it changes; for a new one, `stack_id`
    /// is the id reserved for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong with the draft; [`Error::NotFound`] for a project that the actor cannot see.
    pub(crate) async fn make_plan(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
        stack_id: StackId,
        pinned_now: Timestamp,
    ) -> Result<Made> {
        let mut prepared =
            Box::pin(self.prepare(actor, draft, stack, stack_id, pinned_now)).await?;
        prepared.looked_through = false;
        Box::pin(self.plan_prepared(prepared)).await
    }

    /// The same of a draft that was looked through already, as every stored one was.
    ///
    /// # Errors
    /// As [`Portal::make_plan`].
    pub(crate) async fn make_plan_again(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
        stack_id: StackId,
        pinned_now: Timestamp,
    ) -> Result<Made> {
        let prepared = Box::pin(self.prepare(actor, draft, stack, stack_id, pinned_now)).await?;
        Box::pin(self.plan_prepared(prepared)).await
    }

    // Callers keep it on the heap, as elsewhere where a plan is on its way: the rules' own recursion needs the stack.
    async fn plan_prepared(&self, mut prepared: Prepared) -> Result<Made> {
        let standing = self
            .standing(
                &prepared.place,
                &prepared.facts,
                prepared.other_stacks.clone(),
            )
            .await?;
        let outcome = self.plan_of(&prepared, &standing)?;
        prepared.looked_through = true;
        self.refuse_taken(
            &prepared.actor,
            &outcome.plan,
            &outcome.parsed,
            prepared.place.beside,
            Some(REREAD),
        )
        .await?;
        Ok(Made {
            prepared,
            standing,
            outcome,
        })
    }

    /// The plan as it is at this moment, by what is known of Azure: nothing is asked of it.
    ///
    /// # Errors
    /// As [`Portal::make_plan`].
    pub(crate) async fn made_now(&self, prepared: &Prepared) -> Result<PlanOutcome> {
        let others = prepared.other_stacks.clone();
        let standing = self
            .standing(&prepared.place, &prepared.facts, others)
            .await?;
        let outcome = self.plan_of(prepared, &standing)?;
        self.refuse_taken(
            &prepared.actor,
            &outcome.plan,
            &outcome.parsed,
            prepared.place.beside,
            None,
        )
        .await?;
        Ok(outcome)
    }

    /// Reads what the plan of a draft that was looked through is made from.
    pub(crate) async fn prepare(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
        stack_id: StackId,
        pinned_now: Timestamp,
    ) -> Result<Prepared> {
        let project = self.draft_project(actor, draft, stack).await?;
        let tier = stack.map_or_else(
            || draft.tier.trim().parse().ok(),
            |stack| Some(stack.summary.tier),
        );
        let existing = match stack {
            Some(stack) => Some(Box::pin(self.existing(stack)).await?),
            None => None,
        };
        let other_stacks = self
            .0
            .store
            .stacks_of_project(&project.name)
            .await?
            .into_iter()
            .filter(|stack| stack.id != stack_id)
            .map(|stack| OtherStack {
                name: stack.name,
                tier: stack.tier,
                template: stack.template,
            })
            .collect();
        Ok(Prepared {
            actor: actor.clone(),
            draft: draft.clone(),
            place: Place {
                project: project.name.clone(),
                tier,
                beside: stack_id,
            },
            project,
            stack: existing,
            other_stacks,
            facts: self.0.facts.snapshot(),
            pinned_now,
            now: self.now(),
            looked_through: true,
        })
    }

    fn plan_of(&self, prepared: &Prepared, standing: &Standing) -> Result<PlanOutcome> {
        plan(
            &prepared.draft,
            &Ground {
                catalogue: &self.0.catalogue,
                policies: &self.0.policies,
                facts: &prepared.facts,
                project: &prepared.project,
                standing,
                actor: &prepared.actor,
                stack: prepared.stack.as_ref(),
                stack_id: prepared.place.beside,
                installation: self.0.installation,
                tenant_id: &self.0.cloud.tenant_id,
                pinned_now: prepared.pinned_now,
                now: prepared.now,
                looked_through: prepared.looked_through,
            },
        )
        .map_err(|errors| Error::Invalid { errors })
    }

    /// The plan as it holds in the transaction that will reserve: its limits are locked, and where anything was reserved since the plan was made, it is made
    /// again. Call it before the transaction writes anything. `requester` is whose open requests will be counted.
    ///
    /// # Errors
    /// As [`Portal::make_plan`].
    pub(crate) async fn settle_plan(
        &self,
        tx: &mut Tx,
        made: Made,
        requester: &str,
    ) -> Result<PlanOutcome> {
        let Made {
            prepared,
            standing,
            outcome,
        } = made;
        if !reserves(outcome.parsed.kind) {
            return Ok(outcome);
        }
        let now = locked(
            tx,
            &prepared.place,
            &outcome.plan.target,
            &prepared.facts,
            standing.other_stacks.clone(),
            Some(requester),
        )
        .await?;
        if now == standing {
            return Ok(outcome);
        }
        self.plan_of(&prepared, &now)
    }

    /// Whether an approved plan still fits in the transaction that will reserve for it: its limits are locked, and the plan is made again on what is held
    /// now. Call it before the transaction writes anything.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `denied_now` and the rules' words, when a guardrail denies by now what it let pass before.
    pub(crate) async fn still_allowed(
        &self,
        tx: &mut Tx,
        prepared: &Prepared,
        approved: &Plan,
    ) -> Result<()> {
        let now = locked(
            tx,
            &prepared.place,
            &approved.target,
            &prepared.facts,
            prepared.other_stacks.clone(),
            None,
        )
        .await?;
        let Ok(outcome) = self.plan_of(prepared, &now) else {
            // The operation will not begin, and says why.
            return Ok(());
        };
        let denials: Vec<String> = outcome
            .plan
            .report
            .denials
            .iter()
            .filter(|denial| !approved.report.denials.iter().any(|d| d.id == denial.id))
            .map(|denial| format!("{}: {}", denial.id, denial.message))
            .collect();
        if denials.is_empty() {
            return Ok(());
        }
        Err(Error::Conflict {
            code: "denied_now",
            detail: format!("A guardrail now denies this request. {}", denials.join(" ")),
        })
    }

    /// Makes a request's plan again, for its execution: with the same pinned time, the same requester and facts asked anew.
    /// Another digest means that something changed since it was approved.
    ///
    /// # Errors
    /// As [`Portal::make_plan`]; Azure being away is no error, the last known facts hold then.
    pub(crate) async fn replan(
        &self,
        requester: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
        stack_id: StackId,
        approved: &Plan,
    ) -> Result<PlanOutcome> {
        self.ensure_fresh(&approved.target).await;
        let made =
            Box::pin(self.make_plan_again(requester, draft, stack, stack_id, approved.pinned_now))
                .await?;
        self.refuse_taken_by_now(requester, &made.outcome, stack_id, time::Duration::ZERO)
            .await?;
        Ok(made.outcome)
    }

    /// The project of a draft. One that does not exist and one that the actor cannot see are the same bad field.
    pub(crate) async fn draft_project(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
    ) -> Result<ProjectSettings> {
        let unknown = || {
            if looks_private(&draft.project) {
                return Error::Invalid {
                    errors: vec![refusal("project")],
                };
            }
            Error::field(
                "project",
                "not_found",
                "Choose one of the projects that you see.",
            )
        };
        let name: ProjectName = match stack {
            Some(stack) => stack.summary.project.clone(),
            None => draft.project.trim().parse().map_err(|_| unknown())?,
        };
        may_read(actor, &name, "project").map_err(|_| unknown())?;
        self.0.store.project(&name).await?.ok_or_else(unknown)
    }

    /// A stack with what was last applied to it, or tried.
    async fn existing(&self, stack: &Stack) -> Result<ExistingStack> {
        let store = &self.0.store;
        let summary = &stack.summary;
        // What is planned from, deleted and kept: only what was agreed to, not what the rows say by now.
        let request = self.prove_basis(stack).await?;
        self.prove(&request).await?;
        self.prove_stack(stack, &request).await?;
        let (draft, tried_plan) = (request.draft, request.plan);
        Ok(ExistingStack {
            id: summary.id,
            project: summary.project.clone(),
            tier: summary.tier,
            name: summary.name.clone(),
            state: summary.state,
            template: summary.template.clone(),
            owner: summary.owner.clone(),
            expires_at: summary.expires_at,
            target: summary.target.clone(),
            zone: draft.zone.clone(),
            draft,
            plan: tried_plan.or_else(|| stack.plan.clone()),
            resources: store.stack_resources(summary.id).await?,
        })
    }
}

/// Kinds of requests that make resources, and so take ids, a place, money or quota.
pub(crate) fn reserves(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Create | RequestKind::Update)
}
