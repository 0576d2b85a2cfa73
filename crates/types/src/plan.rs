//! A plan: what a request would do, evaluated before Azure is asked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;
use crate::cost::CostEstimate;
use crate::names::TemplateRef;
use crate::policy::Report;
use crate::quota::QuotaLine;
use crate::time::Timestamp;

/// What an approver approves. Only what the digest covers decides execution; cost, quota and report are said beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// SHA-256 in hexadecimal over the canonical JSON (RFC 8785) of template and its content hash, parameters, resources, deletions and target,
    /// and of what the request itself says: kind, stack, expiry, justification, zone, cost centre and tags.
    pub digest: String,
    /// The template and its version.
    pub template: TemplateRef,
    /// SHA-256 of the template's content.
    pub template_hash: String,
    /// Every parameter, defaults included; a secret stands as `{"$secret": "hmac…"}`.
    pub parameters: Object,
    /// The concrete resources, dependencies first.
    pub resources: Vec<PlannedResource>,
    /// Resources that Slipway deletes after the deployment, dependants first.
    pub deletions: Vec<PlannedDeletion>,
    /// Where it goes.
    pub target: Target,
    /// What it costs.
    pub cost: CostEstimate,
    /// What it draws of Azure's quota.
    pub quota: Vec<QuotaLine>,
    /// What it draws on of which Azure's use or limit, or the number of machines, is not known: nobody can say whether it fits.
    #[serde(default)]
    pub quota_unknown: Vec<String>,
    /// What the rules say.
    pub report: Report,
    /// What it does in one sentence, for the approver.
    pub summary: String,
    /// An update that gives the stack another end: when it ended before, and when it ends afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves_end: Option<EndMove>,
    /// Where it differs from the template's defaults.
    pub differences: Vec<Difference>,
    /// `utcNow()` of this plan: pinned, so that evaluating again gives the same.
    pub pinned_now: Timestamp,
    /// When it was made.
    pub evaluated_at: Timestamp,
}

/// The end of a stack, moved. Without a date it lives until it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndMove {
    /// When it ended so far.
    pub before: Option<Timestamp>,
    /// When it ends afterwards.
    pub after: Option<Timestamp>,
}

impl EndMove {
    /// Whether the stack lives longer.
    #[must_use]
    pub fn is_later(&self) -> bool {
        match (self.before, self.after) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => after > before,
        }
    }
}

/// One resource of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedResource {
    /// Azure resource id.
    pub id: String,
    /// Such as `Microsoft.Compute/virtualMachines`.
    pub kind: String,
    /// Azure resource name.
    pub name: String,
    /// The API version it is sent with.
    pub api_version: String,
    /// What happens to it.
    pub change: Change,
    /// Ids that must exist first.
    pub depends_on: Vec<String>,
    /// The body as it is sent; what is known after apply only stands as `{"$unknown": "…"}`.
    pub body: Value,
    /// For a change: the properties that differ.
    pub differences: Vec<Difference>,
}

/// What a plan does to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Create,
    /// It exists and changes.
    Update,
    /// It exists and stays as it is.
    Keep,
    /// It goes.
    Delete,
}

/// A property with its two values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The property's path or the field's label.
    pub path: String,
    /// What it was, or the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// What it becomes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
}

/// A resource that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedDeletion {
    /// Azure resource id.
    pub id: String,
    /// Resource type.
    pub kind: String,
    /// Name.
    pub name: String,
    /// API version to delete it with.
    pub api_version: String,
}

/// Where a plan goes in Azure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// Subscription id.
    pub subscription: String,
    /// The subscription's display name.
    pub subscription_name: String,
    /// Resource group of the deployment.
    pub resource_group: String,
    /// True when the stack owns the group: deleting the stack deletes the group.
    pub owns_group: bool,
    /// Azure region name, such as `westeurope`.
    pub region: String,
}
