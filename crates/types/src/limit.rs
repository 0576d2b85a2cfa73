//! What is left of Azure's rate limits.

use serde::{Deserialize, Serialize};

/// One of Azure's token buckets, as Slipway believes it to be: counted by itself, corrected by what Azure's answers say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateLimit {
    /// The subscription; empty for calls without one.
    pub subscription: String,
    /// `reads`, `writes`, `deletes` for ARM's; `PutVM`, `GetVM`, … for Compute's.
    pub limit: String,
    /// Calls that fit in.
    pub burst: f64,
    /// Calls that come back each second.
    pub per_second: f64,
    /// Calls that could be made at once.
    pub left: f64,
    /// Calls of Slipway that wait for their turn.
    pub waiting: u64,
}
