//! Plans: what a request would do, made from a draft, the project, the catalogue and a snapshot of Azure's facts, without asking Azure.
//!
//! [`plan`] is pure: the same [`Ground`] and draft give the same plan and digest, so that a plan can be made again at execution and
//! compared with the one that was approved. Its parts: `plans::resources` evaluates the template, `plans::changes` compares with what
//! exists, `plans::digest` says what an approver approves, `plans::proof` that a stored plan is still that, `plans::input` is what the rules
//! see, `plans::sentences` what people read, `plans::ground` where it all comes from.

mod changes;
pub(crate) mod digest;
pub(crate) mod ground;
mod input;
pub(crate) mod proof;
mod resources;
mod sentences;
pub(crate) mod tags;

use types::Object;
use types::cost::{BudgetLine, CostEstimate, Usd};
use types::ids::{InstallationId, StackId};
use types::names::{ProjectName, StackName, TemplateRef};
use types::plan::{EndMove, Plan, PlannedDeletion, PlannedResource, Target};
use types::problem::FieldError;
use types::project::{ProjectSettings, StackCount, Tier};
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
    /// `utcNow()`: that of the first plan of a request.
    pub pinned_now: Timestamp,
    /// Now: what rules compare dates with, and where `30d` counts from.
    pub now: Timestamp,
    /// Whether the draft was looked through for private keys already, as every stored one was.
    pub looked_through: bool,
}

/// What a project's tier and Azure's quotas hold beside the stack that is planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The other stacks that count against the tier's limit.
    pub stacks: StackCount,
    /// The most that the other stacks and approved requests of the tier can cost a month.
    pub committed: Usd,
    /// The most that the stack itself can cost a month, as it was last applied; zero for a new one.
    pub own: Usd,
    /// How many parts of all these have no known price.
    pub unpriced: u32,
    /// Quota held by other approved requests that Azure does not count yet, and by other stacks that may still grow.
    pub reserved: Vec<Reserved>,
    /// The project's other stacks, in all tiers.
    pub other_stacks: Vec<OtherStack>,
}

/// Quota that is held back although Azure does not count it.
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

impl Reserved {
    /// Whether it is of this quota. Azure compares all three names without regard to case.
    pub(crate) fn is_of(&self, subscription: &str, region: &str, family: &str) -> bool {
        self.subscription.eq_ignore_ascii_case(subscription)
            && self.region.eq_ignore_ascii_case(region)
            && self.family.eq_ignore_ascii_case(family)
    }
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
    let wish = draft;
    let draft = parse(wish, ground)?;
    let planned = match draft.kind {
        RequestKind::Create | RequestKind::Update => resources::evaluate(&draft, ground)?,
        RequestKind::Extend => resources::kept(&draft, ground),
        RequestKind::Delete => resources::removed(&draft, ground),
    };
    let cost = estimate(&draft, ground, &planned);
    let quota = quotas::draw(&planned, draft.kind, ground);
    let digest = digest::of(
        wish,
        ground.stack_id,
        &draft.template.reference(),
        &draft.template.content_hash,
        &planned,
    )
    .map_err(|cause| vec![no_digest(&cause)])?;
    let input = input::build(&draft, &planned, &cost, &quota, ground);
    let report = ground.policies.check(&input);
    let moves_end = moves_end(&draft, ground);
    let summary = sentences::summary(&draft, &planned, &cost, moves_end, ground);
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
            quota: quota.lines,
            quota_unknown: quota.unknown,
            report,
            summary,
            moves_end,
            differences,
            pinned_now: ground.pinned_now,
            evaluated_at: ground.now,
        },
        parsed: draft,
    })
}

/// An update may say another end than the stack has: judged as an extension where it is later.
pub(crate) fn moves_end(draft: &ParsedDraft, ground: &Ground<'_>) -> Option<EndMove> {
    let stack = ground.stack.filter(|_| draft.kind == RequestKind::Update)?;
    let end = EndMove {
        before: stack.expires_at,
        after: draft.expires_at,
    };
    (end.before != end.after).then_some(end)
}

/// A plan's inner part: what would be in Azure afterwards.
pub(crate) struct Planned {
    pub(crate) parameters: Object,
    pub(crate) resources: Vec<PlannedResource>,
    pub(crate) deletions: Vec<PlannedDeletion>,
    pub(crate) target: Target,
}

fn estimate(draft: &ParsedDraft, ground: &Ground<'_>, planned: &Planned) -> CostEstimate {
    let standing = ground.standing;
    let mut cost = match draft.kind {
        RequestKind::Delete => CostEstimate {
            monthly: Usd(0),
            monthly_least: None,
            monthly_before: None,
            before_unpriced: 0,
            lines: Vec::new(),
            unpriced: Vec::new(),
            budget: None,
        },
        _ => costs::estimate(&planned.resources, &planned.target, ground.facts),
    };
    if let Some(stack) = ground.stack
        && let Some(plan) = &stack.plan
    {
        // At the prices of today, as the plan is: else a price that rose would make a smaller stack look dearer than the larger one was.
        let before = costs::estimate(&plan.resources, &stack.target, ground.facts);
        cost.before_unpriced = before.unpriced_parts();
        // After a change that failed, the dearer of both may be there.
        cost.monthly_before = Some(match stack.state {
            StackState::Failed => before.monthly.max(standing.own),
            _ => before.monthly,
        });
    }
    let after = match draft.kind {
        // Until the next change, what was counted for the stack stays.
        RequestKind::Extend => standing.committed + standing.own,
        _ => standing.committed + cost.monthly,
    };
    cost.budget = ground
        .project
        .tiers
        .get(&draft.tier)
        .and_then(|settings| settings.budget)
        .map(|limit| BudgetLine {
            after: Some(after),
            ..standing.budget(limit)
        });
    cost
}

/// What approvers cannot tell apart is not offered to them.
fn no_digest(cause: &digest::NoDigest) -> FieldError {
    match cause {
        digest::NoDigest::Number(at) => template_error(format!(
            "The template makes a number at {at} that JSON readers do not agree on. It has to be a whole number between \
             −9,007,199,254,740,991 and 9,007,199,254,740,991, or a text."
        )),
        digest::NoDigest::Json(cause) => {
            tracing::error!(%cause, "a plan has no canonical JSON");
            template_error("The plan cannot be written down.")
        }
    }
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
