//! The policy input and the policy report: what rules see, and what they say.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;
use crate::names::GroupName;

/// Everything a rule may look at; `docs/reference/policy-input.schema.json` is its schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Input {
    /// The plan: template, resources as Azure will be sent them, deletions, target, cost.
    pub plan: Object,
    /// The request's own fields.
    pub request: Object,
    /// The project: allow-lists, budget, quota.
    pub project: Object,
    /// Who asks.
    pub actor: Object,
    /// The stack as it is; null for a new one.
    pub stack: Option<Object>,
    /// Properties of targets and of Azure's catalogue: cluster, subnet, sizes, images, other stacks.
    pub context: Object,
    /// RFC 3339: rules never ask the clock.
    pub now: String,
}

/// What all rules said about one plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// The sum of it.
    pub verdict: Verdict,
    /// What blocks the plan.
    pub denials: Vec<Violation>,
    /// What does not block but should be read.
    pub warnings: Vec<Violation>,
    /// Who has to agree.
    pub approvals: Vec<ApprovalNeed>,
    /// The baseline, one row per control and resource.
    pub controls: Vec<ControlResult>,
    /// The baseline, counted.
    pub posture: Posture,
    /// How many guardrails were evaluated.
    pub guardrails_checked: u32,
    /// SHA-256 of the rules that were evaluated.
    pub bundle_hash: String,
    /// How long evaluation took, in microseconds; outside the digest.
    pub took_us: u64,
}

/// What a report adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may go ahead at once.
    Allowed,
    /// It waits for people.
    NeedsApproval,
    /// It must be changed first.
    Denied,
}

/// One guardrail that objects or warns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    /// The rule, such as `GR-003`.
    pub id: String,
    /// The rule's title.
    pub title: String,
    /// What is wrong and what to do, as a sentence.
    pub message: String,
    /// Where, as a JSON path into the policy input.
    pub path: String,
    /// Rank.
    pub severity: Severity,
    /// The form field it is about (`region`, `parameters.vmSize`), where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Value>,
    /// What would be accepted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Value>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<Fix>,
    /// Where the rule is explained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub docs: Option<String>,
}

/// A remedy: words, and where one field's change is enough, the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fix {
    /// Such as `Use West Europe`.
    pub text: String,
    /// The form field to set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The value to set it to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<Value>,
}

/// A guardrail that wants people to agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApprovalNeed {
    /// The rule.
    pub id: String,
    /// The rule's title.
    pub title: String,
    /// Why, as a sentence.
    pub message: String,
    /// Where, as a JSON path into the policy input.
    pub path: String,
    /// Rank.
    pub severity: Severity,
    /// Whose approval counts.
    pub group: GroupName,
    /// How many of them.
    pub count: u32,
    /// Where the rule is explained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub docs: Option<String>,
}

/// One baseline control on one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControlResult {
    /// The control, such as `VM-003`.
    pub id: String,
    /// The control's title.
    pub title: String,
    /// Rank.
    pub severity: Severity,
    /// The resource's id or name.
    pub resource: String,
    /// Pass, fail, unknown, or not applicable.
    pub result: ControlOutcome,
    /// Where, as a JSON path into the resource.
    pub path: String,
    /// Says what was found in words.
    pub message: String,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Value>,
    /// What would pass.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Value>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<Fix>,
    /// The source of the control: a built-in Azure Policy, a product limit, a house rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub docs: Option<String>,
}

/// The four answers of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ControlOutcome {
    /// Holds.
    Pass,
    /// Does not hold; an absent property does not hold.
    Fail,
    /// Depends on what is only known after apply.
    Unknown,
    /// Says nothing about this kind of resource.
    NotApplicable,
}

/// Rank of a rule; it orders a list, it never decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Should be mended.
    Medium,
    /// Must be mended soon.
    High,
    /// Must never run.
    Critical,
}

/// The baseline, counted; what is not applicable is in no number but its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Default, Copy)]
pub struct Posture {
    /// Controls that hold.
    pub pass: u32,
    /// Controls that do not.
    pub fail: u32,
    /// Controls known after apply only.
    pub unknown: u32,
    /// Controls that do not apply.
    pub not_applicable: u32,
}

impl Posture {
    /// Controls that apply.
    #[must_use]
    pub fn applicable(&self) -> u32 {
        self.pass + self.fail + self.unknown
    }
}

/// A rule as the policies page and the documentation show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rule {
    /// `GR-003`, `VM-001`.
    pub id: String,
    /// Short name.
    pub title: String,
    /// What it wants and why, in sentences.
    pub description: String,
    /// Rank.
    pub severity: Severity,
    /// Guardrail or control.
    pub kind: RuleKind,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub docs: Option<String>,
}

/// The two kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Denies, warns or asks for approval.
    Guardrail,
    /// A hardening control of the baseline.
    Control,
}
