//! Requests: the list, and a request's page with its plan and what can be done to it.

pub(crate) mod decide;
pub(crate) mod detail;
pub(crate) mod list;
mod people;
pub(crate) mod plan;
