//! An Azure error, whole, as a page shows it.

use serde::{Deserialize, Serialize};

/// What Azure said when something failed, with what it means and what to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AzureFault {
    /// HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Azure's code, such as `SkuNotAvailable`; Slipway's own words where Azure gave none.
    pub code: String,
    /// Azure's message, whole.
    pub message: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// Inner errors.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub details: Vec<AzureFault>,
    /// What it means and what to do, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub explanation: Option<String>,
    /// `x-ms-request-id`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation_id: Option<String>,
}
