//! API tokens of a person, for automation.

use serde::{Deserialize, Serialize};

use crate::ids::TokenId;
use crate::time::Timestamp;

/// A token as its owner sees it in the list; the token itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenSummary {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// First characters, to recognise it.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// False as long as nobody has read its value, which works from then on.
    pub shown: bool,
}

/// What is needed to make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Days it is valid, 1 to 365.
    pub days: u32,
}

/// A new token; the only time that its value is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedToken {
    /// The row.
    pub token: TokenSummary,
    /// The bearer token; starts with `slw_`.
    pub value: String,
}
