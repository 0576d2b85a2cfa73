//! Where a plan's [`Ground`] comes from: project, stack and standing out of the database, facts out of the snapshot.

use std::collections::HashMap;

use store::Stack;
use types::actor::Actor;
use types::cost::Usd;
use types::ids::StackId;
use types::names::ProjectName;
use types::plan::Plan;
use types::project::{ProjectSettings, Tier};
use types::request::{RequestDraft, RequestState};
use types::stack::StackState;
use types::time::Timestamp;

use super::{ExistingStack, Ground, OtherStack, PlanOutcome, Reserved, Standing, plan};
use crate::access::may_read;
use crate::{Error, Portal, Result};

/// Most approved requests whose quota is counted as held: beyond it, Azure itself has the last word.
const HELD: u32 = 1_000;

impl Portal {
    /// Makes a plan of a draft. `stack` is the stack that it changes; for a new one, `stack_id` is the id reserved for it.
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
    ) -> Result<PlanOutcome> {
        let project = self.draft_project(actor, draft, stack).await?;
        let tier = stack.map_or_else(
            || draft.tier.trim().parse().ok(),
            |stack| Some(stack.summary.tier),
        );
        let existing = match stack {
            Some(stack) => Some(self.existing(stack).await?),
            None => None,
        };
        let standing = self.standing(&project.name, tier, stack_id).await?;
        let facts = self.0.facts.snapshot();
        let outcome = plan(
            draft,
            &Ground {
                catalogue: &self.0.catalogue,
                policies: &self.0.policies,
                facts: &facts,
                project: &project,
                standing: &standing,
                actor,
                stack: existing.as_ref(),
                stack_id,
                installation: self.0.installation,
                tenant_id: &self.0.cloud.tenant_id,
                pinned_now,
                now: self.now(),
            },
        )
        .map_err(|errors| Error::Invalid { errors })?;
        self.refuse_taken(actor, &outcome.plan, &outcome.parsed, stack_id)
            .await?;
        Ok(outcome)
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
        let outcome = self
            .make_plan(requester, draft, stack, stack_id, approved.pinned_now)
            .await?;
        self.refuse_taken_by_now(requester, &outcome, stack_id, time::Duration::ZERO)
            .await?;
        Ok(outcome)
    }

    /// The project of a draft. One that does not exist and one that the actor cannot see are the same bad field.
    pub(crate) async fn draft_project(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        stack: Option<&Stack>,
    ) -> Result<ProjectSettings> {
        let unknown = || {
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
        let tried = match stack.applied_request {
            Some(request) => Some(request),
            None => store
                .requests_of_stack(summary.id)
                .await?
                .last()
                .map(|request| request.id),
        };
        let request = match tried {
            Some(id) => store.request(id).await?,
            None => None,
        };
        let (draft, tried_plan) = request
            .map(|request| (request.draft, request.plan))
            .unwrap_or_default();
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
            plan: stack.plan.clone().or(tried_plan),
            resources: store.stack_resources(summary.id).await?,
        })
    }

    /// What a project's tier holds beside one stack.
    async fn standing(
        &self,
        project: &ProjectName,
        tier: Option<Tier>,
        beside: StackId,
    ) -> Result<Standing> {
        let store = &self.0.store;
        let all = store.stacks_of_project(project).await?;
        let others: Vec<_> = all.iter().filter(|stack| stack.id != beside).collect();
        let held = self.held(beside).await?;
        let living: Usd = all
            .iter()
            .filter(|stack| Some(stack.tier) == tier && stack.state != StackState::Reserved)
            .map(|stack| stack.monthly)
            .sum();
        let pending: Usd = held
            .iter()
            .filter(|held| held.project == *project && Some(held.tier) == tier)
            .map(|held| held.monthly_change)
            .sum();
        Ok(Standing {
            stacks: others
                .iter()
                .filter(|stack| Some(stack.tier) == tier)
                .count() as u64,
            committed: living + pending,
            reserved: held.into_iter().flat_map(|held| held.quota).collect(),
            other_stacks: others
                .into_iter()
                .map(|stack| OtherStack {
                    name: stack.name.clone(),
                    tier: stack.tier,
                    template: stack.template.clone(),
                })
                .collect(),
        })
    }

    /// What approved requests about other stacks hold until Azure and the stacks' own rows count it.
    async fn held(&self, beside: StackId) -> Result<Vec<Held>> {
        let mut all = Vec::new();
        for state in [RequestState::Approved, RequestState::Executing] {
            for request in self.0.store.requests_in_state(state, HELD).await? {
                if request.summary.stack == beside {
                    continue;
                }
                all.push(Held {
                    project: request.summary.project,
                    tier: request.summary.tier,
                    monthly_change: request.summary.monthly_change,
                    quota: request.plan.map(|plan| reserved(&plan)).unwrap_or_default(),
                });
            }
        }
        Ok(all)
    }
}

struct Held {
    project: ProjectName,
    tier: Tier,
    monthly_change: Usd,
    quota: Vec<Reserved>,
}

/// What a plan adds to each quota; what it gives back is not counted before it is given.
fn reserved(plan: &Plan) -> Vec<Reserved> {
    let mut by_family: HashMap<&str, i64> = HashMap::new();
    for line in plan.quota.iter().filter(|line| line.requested > 0) {
        *by_family.entry(&line.family).or_default() += line.requested;
    }
    by_family
        .into_iter()
        .map(|(family, amount)| Reserved {
            subscription: plan.target.subscription.clone(),
            region: plan.target.region.clone(),
            family: family.to_owned(),
            amount,
        })
        .collect()
}
