//! One page of a long list, with the cursor to the next.

use serde::{Deserialize, Serialize};

/// A page of a list, newest first unless the list says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Hand this back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
    /// How many rows there are in all with this filter; absent where counting would cost more than the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<u64>,
}
