//! The words of Slipway as Rust types: what crosses a wire (browser, REST) or a crate border, and nothing that talks to a database, Azure or the clock.
//!
//! Everything here builds for WebAssembly. JSON field names are `snake_case`; times are RFC 3339 in UTC; money is US dollars.
//! The feature `openapi` adds schemas for the REST document and is turned on by `server` alone.

pub mod access;
pub mod actor;
pub mod approval;
pub mod audit;
pub mod break_glass;
pub mod catalogue;
pub mod check;
pub mod cost;
pub mod event;
pub mod fault;
pub mod form;
pub mod ids;
pub mod limit;
pub mod names;
pub mod operation;
pub mod page;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod project;
pub mod quota;
pub mod request;
pub mod stack;
pub mod time;
pub mod token;
pub mod unknown;

/// A JSON object, keys in the order they were written.
pub type Object = serde_json::Map<String, serde_json::Value>;
