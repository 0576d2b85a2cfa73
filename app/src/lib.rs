//! What people see: pages, components and the server functions that feed them. It decides nothing; every answer comes from `portal`.
//!
//! The crate is built twice: with `ssr` into the server, where it renders pages, and with `hydrate` into WebAssembly, of which only the islands remain:
//! the request form, live pages, the keyboard of the approvals queue, forms that are sent once. Links are ordinary page loads. Every page works before
//! the WebAssembly arrives and without JavaScript at all: a change is a plain HTML form that `server` receives.
//!
//! The seam to `server` (all of it in context, per request):
//! [`Assets`], [`session::CurrentActor`], [`session::Installation`], [`forms::Submitted`] (after a POST that is answered with a page) and `portal::Portal`.

#![recursion_limit = "512"]

pub mod api;
mod clock;
pub mod components;
pub mod forms;
mod live;
mod once;
pub mod pages;
pub mod root;
pub mod session;
#[cfg(feature = "ssr")]
mod shell;
mod words;

pub use root::App;
#[cfg(feature = "ssr")]
pub use shell::{Assets, shell};
