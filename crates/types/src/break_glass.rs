//! Break glass: how an administrator requests or approves in a project that has nobody else who can, for half an hour and in the open.

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::ids::BreakGlassId;
use crate::names::ProjectName;
use crate::time::Timestamp;

/// How long a broken glass gives its rights, in minutes.
pub const MINUTES: u32 = 30;
/// The fewest characters of a reason.
pub const SHORTEST_REASON: usize = 10;
/// The most characters of a reason.
pub const LONGEST_REASON: usize = 500;

/// A broken glass as the actor carries it while it gives rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrokenGlass {
    /// Which.
    pub id: BreakGlassId,
    /// The project in which it gives *request* and *approve*.
    pub project: ProjectName,
    /// Why.
    pub reason: String,
    /// Until when.
    pub ends_at: Timestamp,
}

/// Asks for *request* and *approve* in a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBreakGlass {
    /// Why, for the project's members and for the record: 10 to 500 characters.
    pub reason: String,
}

/// One time that glass was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakGlass {
    /// Its id; decisions and plans that were made under it name it.
    pub id: BreakGlassId,
    /// The project.
    pub project: ProjectName,
    /// The administrator.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub began_at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// When it was ended before that.
    pub ended_at: Option<Timestamp>,
    /// Who ended it before that.
    pub ended_by: Option<String>,
    /// True while it gives its rights.
    pub active: bool,
    /// Whether the reader may end it now.
    pub end: Access,
}
