//! Projects: who belongs, what may be used, what may be spent.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::actor::Role;
use crate::break_glass::BreakGlass;
use crate::cost::{BudgetLine, Usd};
use crate::names::ProjectName;

/// The three tiers of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// For trying things.
    Dev,
    /// For testing releases.
    Test,
    /// What customers depend on.
    Prod,
}

impl Tier {
    /// All, from least to most strict.
    pub const ALL: [Tier; 3] = [Tier::Dev, Tier::Test, Tier::Prod];

    /// The word as stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Dev => "dev",
            Tier::Test => "test",
            Tier::Prod => "prod",
        }
    }
}

impl std::str::FromStr for Tier {
    type Err = crate::names::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Tier::ALL
            .into_iter()
            .find(|tier| tier.as_str() == text)
            .ok_or_else(|| crate::names::NameError("A tier is dev, test or prod.".to_owned()))
    }
}

/// What a project may use and spend; set by the installation's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectSettings {
    /// The project's name.
    pub name: ProjectName,
    /// Shown to people.
    pub title: String,
    /// Cost centre proposed on the form.
    pub cost_centre: String,
    /// Tags every resource gets.
    pub default_tags: IndexMap<String, String>,
    /// Per tier: what may be used.
    pub tiers: IndexMap<Tier, TierSettings>,
}

/// What one tier of a project may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TierSettings {
    /// Subscription that its stacks go to.
    pub subscription: SubscriptionRef,
    /// Azure region names.
    pub regions: Vec<String>,
    /// Subnets by resource id.
    pub subnets: Vec<SubnetRef>,
    /// Clusters by resource id.
    pub clusters: Vec<ClusterRef>,
    /// Monthly budget; absent for none.
    #[serde(default)]
    pub budget: Option<Usd>,
    /// How many stacks it may have: those that exist and those that are approved.
    pub max_stacks: u32,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubscriptionRef {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
}

/// A subnet that a project may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubnetRef {
    /// Resource id.
    pub id: String,
    /// Such as `vnet-payments-prod / workload`.
    pub title: String,
    /// Region.
    pub region: String,
}

/// A cluster that a project may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterRef {
    /// Resource id.
    pub id: String,
    /// Shown to people.
    pub title: String,
    /// Region.
    pub region: String,
}

/// A project as its page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectDetail {
    /// Its settings.
    pub settings: ProjectSettings,
    /// Members.
    pub members: Vec<Member>,
    /// Stacks that count against the tier's limit, per tier.
    pub stacks: IndexMap<Tier, StackCount>,
    /// Budgets, per tier that has one.
    pub budgets: IndexMap<Tier, BudgetLine>,
    /// When administrators broke glass here, the newest first.
    pub break_glass: Vec<BreakGlass>,
    /// Whether the reader may break glass here.
    pub break_glass_access: Access,
}

/// The stacks of a tier that count against its limit. A request that is denied or waits for a decision holds no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StackCount {
    /// Stacks that exist, or are being made or removed.
    pub active: u64,
    /// New stacks that are approved and not begun.
    pub approved: u64,
}

impl StackCount {
    /// Both together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.active + self.approved
    }

    /// `6 of 20 stacks: 4 active, 2 approved`.
    #[must_use]
    pub fn words(self, limit: u32) -> String {
        let total = self.total();
        if total == 0 {
            return format!("0 of {limit} stacks");
        }
        let parts: Vec<String> = [(self.active, "active"), (self.approved, "approved")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!("{total} of {limit} stacks: {}", parts.join(", "))
    }
}

/// A person's role in a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Subject.
    pub subject: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
}
