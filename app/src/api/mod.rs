//! Server functions: what pages read. One file per noun; each finds the actor, calls one method of `portal` and maps its error. Nothing here changes
//! anything: changes are HTML forms that `server` receives.
//!
//! All are POST with JSON in and out under `/ui/`.

#![expect(
    missing_docs,
    reason = "the server macro makes a public struct of each function's arguments"
)]

pub mod approvals;
pub mod audit;
pub mod catalogue;
pub mod operations;
pub mod policies;
pub mod projects;
pub mod requests;
pub mod stacks;
pub mod tokens;
pub mod wire;

use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use types::problem::{FieldError, Problem};

/// Why a page has no data: a problem document in the form that crosses to the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// HTTP status; 0 where the server was not reached.
    pub status: u16,
    /// Stable word.
    pub code: String,
    /// Heading.
    pub title: String,
    /// What happened and what to do.
    pub detail: String,
    /// What is wrong with which field.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// Names the failure in the logs.
    #[serde(default)]
    pub trace_id: Option<String>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status,
            code: problem.code,
            title: problem.title,
            detail: problem.detail,
            errors: problem.errors,
            trace_id: problem.trace_id,
        }
    }
}

impl Failure {
    /// An address that names nothing here; said the same way for what the reader may not know of.
    pub(crate) fn not_found(what: &str) -> Self {
        let failure = Self {
            status: 404,
            code: "not_found".into(),
            title: "Not found".into(),
            detail: format!("There is no {what} at this address, or you may not see it."),
            errors: vec![],
            trace_id: None,
        };
        #[cfg(feature = "ssr")]
        let failure = context::refuse(failure);
        failure
    }

    #[cfg(feature = "ssr")]
    fn unauthenticated() -> Self {
        Self {
            status: 401,
            code: "unauthenticated".into(),
            title: "Sign in first".into(),
            detail: "You are not signed in, or your session has ended.".into(),
            errors: vec![],
            trace_id: None,
        }
    }
}

impl FromServerFnError for Failure {
    type Encoder = wire::Wire;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (status, code, title, detail) = match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => (
                0,
                "unreachable",
                "Slipway does not answer",
                "The server could not be reached. Check the connection and load the page again.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => (
                400,
                "invalid",
                "The page asked wrongly",
                "The page and the server do not understand each other, usually after an update. Load the page again.",
            ),
            _ => (
                500,
                "internal",
                "Something went wrong",
                "The server could not answer. Load the page again; if it stays, tell an administrator the time.",
            ),
        };
        Self {
            status,
            code: code.into(),
            title: title.into(),
            detail: detail.into(),
            errors: vec![],
            trace_id: None,
        }
    }
}

#[cfg(feature = "ssr")]
mod context {
    //! The server's side of every function: who asks, and how an error becomes a status.

    use leptos::prelude::*;
    use types::actor::Actor;

    use super::Failure;
    use crate::session::{CurrentActor, RequestId};

    /// The application layer and the signed-in actor; 401 without one.
    pub(super) fn door() -> Result<(portal::Portal, Actor), Failure> {
        let actor = use_context::<CurrentActor>().unwrap_or_default().0;
        let (Some(actor), Some(portal)) = (actor, use_context::<portal::Portal>()) else {
            return Err(refuse(Failure::unauthenticated()));
        };
        Ok((portal, actor))
    }

    /// Maps the application layer's error and gives the HTTP answer its status: that of the page while it is rendered, that of the call later.
    pub(super) fn answer<T>(result: Result<T, portal::Error>) -> Result<T, Failure> {
        result.map_err(|error| refuse(error.problem().into()))
    }

    /// As [`answer`], for the parts of a page that must not decide its status. Called by itself, a server function has the status of its failure all the
    /// same: `server` reads it from the answer.
    pub(super) fn aside<T>(result: Result<T, portal::Error>) -> Result<T, Failure> {
        result.map_err(|error| traced(error.problem().into()))
    }

    /// The failure with the id under which the log knows this call.
    fn traced(failure: Failure) -> Failure {
        Failure {
            trace_id: use_context::<RequestId>().map(|RequestId(id)| id.to_string()),
            ..failure
        }
    }

    pub(super) fn refuse(failure: Failure) -> Failure {
        if let (Some(response), Ok(status)) = (
            use_context::<leptos_axum::ResponseOptions>(),
            http::StatusCode::from_u16(failure.status),
        ) {
            response.set_status(status);
        }
        traced(failure)
    }
}
