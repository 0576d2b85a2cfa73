//! An Azure error, whole, as a page shows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What Azure said when something failed, with what it means and what to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AzureFault {
    /// HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Azure's code, such as `SkuNotAvailable`; Slipway's own words where Azure gave none.
    pub code: String,
    /// Azure's message; a long one is cut.
    pub message: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// Inner errors.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub details: Vec<AzureFault>,
    /// Violations of Azure Policy, one per assignment.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub policy: Vec<PolicyViolation>,
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

/// A policy of Azure that forbids it, with what it looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyViolation {
    /// The definition's display name, else its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definition: Option<String>,
    /// The definition's resource id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definition_id: Option<String>,
    /// The assignment's display name, else its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assignment: Option<String>,
    /// The assignment's resource id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assignment_id: Option<String>,
    /// What was compared, the failing and the matching.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub expressions: Vec<PolicyExpression>,
}

/// One comparison that a policy of Azure made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyExpression {
    /// The property, such as `properties.hardwareProfile.vmSize`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// What was found; absent where the property is not set.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Value>,
    /// Azure's operator, such as `In`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<String>,
    /// What it was compared with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<Value>,
    /// Whether the comparison held. A policy may forbid what holds or what does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_stored_before_policies_were_kept_still_reads_and_is_written_as_it_was() {
        let stored = r#"{"code":"Conflict","message":"…","details":[]}"#;
        let fault: AzureFault = serde_json::from_str(stored).unwrap();
        assert!(fault.policy.is_empty());
        assert_eq!(serde_json::to_string(&fault).unwrap(), stored);
    }
}
