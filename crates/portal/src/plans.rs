//! Plans: what a request would do, made from a draft, the project, the catalogue and a snapshot of Azure's facts, without asking Azure.
//!
//! [`plan`] is pure: the same [`Ground`] and draft give the same plan and digest, so that a plan can be made again at execution and
//! compared with the one that was approved. Its parts: `plans::resources` evaluates the template, `plans::changes` compares with what
//! exists, `plans::digest` says what an approver approves, `plans::input` is what the rules see, `plans::sentences` what people read,
//! `plans::ground` where it all comes from.

mod changes;
pub(crate) mod digest;
mod ground;
mod input;
mod resources;
mod sentences;
pub(crate) mod tags;

use types::Object;
use types::cost::CostEstimate;
use types::ids::{InstallationId, StackId};
use types::names::{ProjectName, StackName, TemplateRef};
use types::plan::{Plan, PlannedDeletion, PlannedResource, Target};
use types::problem::FieldError;
use types::project::{ProjectSettings, Tier};
use types::request::{RequestDraft, RequestKind};
use types::stack::{StackResource, StackState};
use types::time::Timestamp;

use crate::azure_facts::Facts;
use crate::catalogue::{Catalogue, Entry};
use crate::checks::{ParsedDraft, parse};
use crate::{costs, quotas};

pub use sentences::approvers;

/// Everything that a plan is made from. Nothing is fetched while planning.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The templates.
    pub catalogue: &'a Catalogue,
    /// The rules.
    pub policies: &'a policy::Bundle,
    /// What is known of Azure.
    pub facts: &'a Facts,
    /// The project.
    pub project: &'a ProjectSettings,
    /// What the project's tier holds beside this stack.
    pub standing: &'a Standing,
    /// Who asks: for a plan made again at execution, still the requester.
    pub actor: &'a types::actor::Actor,
    /// The stack as it is; `None` for a new one.
    pub stack: Option<&'a ExistingStack>,
    /// The stack's id: reserved for a new one.
    pub stack_id: StackId,
    /// The installation's id, which everything that is made bears.
    pub installation: InstallationId,
    /// The Microsoft Entra tenant.
    pub tenant_id: &'a str,
    /// `utcNow()` and the start of `30d`: that of the first plan of a request.
    pub pinned_now: Timestamp,
    /// Now: what rules compare dates with.
    pub now: Timestamp,
}

/// What a project's tier holds beside the stack that is planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// How many stacks live or are reserved.
    pub stacks: u64,
    /// Estimated cost a month of what exists and what is approved.
    pub committed: types::cost::Usd,
    /// Quota held by approved requests that are not provisioned yet.
    pub reserved: Vec<Reserved>,
    /// The project's other stacks, in all tiers.
    pub other_stacks: Vec<OtherStack>,
}

/// Quota that an approved request holds until Azure counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Subscription id.
    pub subscription: String,
    /// Region.
    pub region: String,
    /// Azure's name of the quota.
    pub family: String,
    /// How much.
    pub amount: i64,
}

/// Another stack of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherStack {
    /// Name.
    pub name: StackName,
    /// Tier.
    pub tier: Tier,
    /// Template and version.
    pub template: TemplateRef,
}

/// A stack as it is before the plan.
#[derive(Debug, Clone)]
pub struct ExistingStack {
    /// Its id.
    pub id: StackId,
    /// Project.
    pub project: ProjectName,
    /// Tier.
    pub tier: Tier,
    /// Name.
    pub name: StackName,
    /// Where it is.
    pub state: StackState,
    /// Template and version last applied.
    pub template: TemplateRef,
    /// Who asked for it.
    pub owner: String,
    /// Until when it lives.
    pub expires_at: Option<Timestamp>,
    /// Where in Azure.
    pub target: Target,
    /// Its zone, empty for any.
    pub zone: String,
    /// The draft last applied, or tried.
    pub draft: RequestDraft,
    /// The plan last applied, or tried.
    pub plan: Option<Plan>,
    /// What is recorded to exist; empty before anything was made.
    pub resources: Vec<StackResource>,
}

/// A plan and the draft as it was read.
#[derive(Debug, Clone)]
pub struct PlanOutcome {
    /// The plan.
    pub plan: Plan,
    /// The draft as it was read.
    pub parsed: ParsedDraft,
}

/// Makes a plan.
///
/// # Errors
/// Everything that is wrong with the draft, by field; what the template itself refuses stands on the field `template`.
pub fn plan(draft: &RequestDraft, ground: &Ground<'_>) -> Result<PlanOutcome, Vec<FieldError>> {
    let draft = parse(draft, ground)?;
    let planned = match draft.kind {
        RequestKind::Create | RequestKind::Update => resources::evaluate(&draft, ground)?,
        RequestKind::Extend => resources::kept(&draft, ground),
        RequestKind::Delete => resources::removed(&draft, ground),
    };
    let cost = estimate(&draft, ground, &planned);
    let quota = quotas::lines(&planned, ground);
    let digest = digest::of(&draft, &planned).map_err(|cause| {
        tracing::error!(%cause, "a plan has no canonical JSON");
        vec![template_error("The plan cannot be written down.")]
    })?;
    let input = input::build(&draft, &planned, &cost, &quota, ground);
    let report = ground.policies.check(&input);
    let summary = sentences::summary(&draft, &planned, &cost, ground);
    let differences = changes::from_defaults(&draft, &planned);
    Ok(PlanOutcome {
        plan: Plan {
            digest,
            template: draft.template.reference(),
            template_hash: draft.template.content_hash.clone(),
            parameters: planned.parameters,
            resources: planned.resources,
            deletions: planned.deletions,
            target: planned.target,
            cost,
            quota,
            report,
            summary,
            differences,
            pinned_now: ground.pinned_now,
            evaluated_at: ground.now,
        },
        parsed: draft,
    })
}

/// A plan's inner part: what would be in Azure afterwards.
pub(crate) struct Planned {
    pub(crate) parameters: Object,
    pub(crate) resources: Vec<PlannedResource>,
    pub(crate) deletions: Vec<PlannedDeletion>,
    pub(crate) target: Target,
}

fn estimate(draft: &ParsedDraft, ground: &Ground<'_>, planned: &Planned) -> CostEstimate {
    let mut cost = match draft.kind {
        RequestKind::Delete => CostEstimate {
            monthly: types::cost::Usd(0),
            monthly_before: None,
            lines: Vec::new(),
            unpriced: Vec::new(),
            budget: None,
        },
        _ => costs::estimate(&planned.resources, &planned.target.region, ground.facts),
    };
    cost.monthly_before = ground
        .stack
        .and_then(|stack| Some(stack.plan.as_ref()?.cost.monthly));
    cost.budget = ground
        .project
        .tiers
        .get(&draft.tier)
        .and_then(|settings| settings.budget)
        .map(|limit| types::cost::BudgetLine {
            limit,
            committed: ground.standing.committed,
        });
    cost
}

fn template_error(message: impl Into<String>) -> FieldError {
    FieldError {
        field: "template".to_owned(),
        message: message.into(),
        code: "template".to_owned(),
    }
}

/// The manifest's label of a field, else the parameter's own name.
pub(crate) fn label<'a>(entry: &'a Entry, parameter: &'a str) -> &'a str {
    entry
        .manifest
        .fields
        .get(parameter)
        .map_or(parameter, |field| field.label.as_str())
}
