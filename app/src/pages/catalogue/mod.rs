//! The catalogue: its cards, and a template's page.

pub(crate) mod detail;
pub(crate) mod list;
