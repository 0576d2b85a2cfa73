//! Azure's quota for what a plan asks for.

use serde::{Deserialize, Serialize};

/// One quota that the plan draws on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaLine {
    /// The subscription's id.
    pub subscription: String,
    /// The region.
    pub region: String,
    /// Azure's name of the quota, such as `standardDDSv6Family` or `cores`.
    pub family: String,
    /// The name people read.
    pub label: String,
    /// In use, by Azure's count.
    pub used: i64,
    /// Held back: by approved requests that are not provisioned yet, and by node pools that may still grow to their most nodes and surge.
    pub reserved: i64,
    /// What this plan adds at the most.
    pub requested: i64,
    /// What of the planned machines need not run at first: the nodes that autoscaler and upgrades may add. Held back as long as the stack exists.
    #[serde(default)]
    pub headroom: i64,
    /// The limit.
    pub limit: i64,
    /// True when it fits.
    pub fits: bool,
    /// When Azure was asked.
    pub fetched_at: crate::time::Timestamp,
}
