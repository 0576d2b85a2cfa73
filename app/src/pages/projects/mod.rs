//! Projects: the list, and one with its members, allow-lists and budgets.

pub(crate) mod detail;
pub(crate) mod list;
