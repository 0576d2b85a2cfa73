//! Whether a person may do a thing now, with the reason when not: a disabled control says why.

use serde::{Deserialize, Serialize};

/// What a control on a page, or a caller of the REST API, may expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "access", rename_all = "snake_case")]
pub enum Access {
    /// It may be done now.
    Allowed,
    /// It may be done by this person, but not now or not in this state.
    Disabled {
        /// Why, as a sentence that says what would change it.
        reason: String,
    },
    /// This person may never do it here; pages leave the control out.
    Hidden,
}

impl Access {
    /// True when it may be done now.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }

    /// A `Disabled` with this reason.
    #[must_use]
    pub fn disabled(reason: impl Into<String>) -> Self {
        Self::Disabled {
            reason: reason.into(),
        }
    }
}
