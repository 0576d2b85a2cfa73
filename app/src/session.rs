//! Who looks and at which installation: provided by the server for each request.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use types::actor::Actor;
use types::approval::ApprovalCount;

use crate::api::approvals::approval_count;
use crate::api::wire::{Read, from_server};

/// The signed-in actor, or nobody. `server` provides it for every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentActor(pub Option<Actor>);

/// The id of the call that is answered, as in its `x-request-id` and in the log. `server` provides it for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub std::sync::Arc<str>);

/// What the frame of every page shows about the installation. `server` provides it for every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// True when Azure is simulated: every page says so.
    pub sandbox: bool,
    /// Whom the sandbox's sign-in page offers; empty outside the sandbox.
    pub personas: Vec<Persona>,
    /// Slipway's version.
    pub version: String,
}

/// One button of the sandbox's sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// Sent by the form as `subject`.
    pub subject: String,
    /// The button's text.
    pub title: String,
    /// What this persona can do, as a sentence.
    pub what: String,
}

/// Both, as pages use them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who looks.
    pub actor: Option<Actor>,
    /// Where.
    pub installation: Installation,
}

impl Session {
    /// That of the request that is answered.
    pub(crate) fn current() -> Self {
        Session {
            actor: use_context::<CurrentActor>().unwrap_or_default().0,
            installation: use_context::<Installation>().unwrap_or_default(),
        }
    }
}

/// How many requests wait for who looks: read once for the page and its frame.
#[derive(Clone, Copy)]
pub(crate) struct Waiting(pub(crate) Read<ApprovalCount>);

impl Waiting {
    /// Begins to read it, where somebody is signed in.
    pub(crate) fn read(session: &Session) -> Option<Self> {
        session.actor.as_ref()?;
        Some(Self(from_server(|| (), |()| approval_count())))
    }
}

/// The session of the page that is rendered.
pub(crate) fn use_session() -> Session {
    use_context::<Session>().unwrap_or_default()
}
