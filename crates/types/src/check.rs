//! The answer to a draft while it is being written: field errors, the plan, and whether it could be sent.

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::plan::Plan;
use crate::problem::FieldError;

/// What the right column of the form shows; a dry run over REST gives the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// What is wrong with which field; empty when all can be read.
    pub errors: Vec<FieldError>,
    /// The plan; absent while errors prevent one.
    pub plan: Option<Plan>,
    /// Who will have to approve, as sentences; empty when nobody.
    pub approvers: Vec<String>,
    /// How long the approval usually takes, in minutes; absent when too few were decided to say.
    pub usual_minutes: Option<u32>,
    /// Whether it could be sent now, with the reason when not.
    pub submit: Access,
    /// The same request in other tools.
    pub equivalents: Vec<Equivalent>,
}

/// The same request, written for another tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Equivalent {
    /// `curl`, `Bicep`, `Terraform`.
    pub tool: String,
    /// The text.
    pub text: String,
}
