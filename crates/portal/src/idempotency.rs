//! `Idempotency-Key` of the REST API: one key, one call. The record holds which thing the call made; its answer is read again, by whoever asks and with the
//! rights of that moment.

use time::Duration;
use types::actor::{Actor, Right};
use types::ids::{OperationId, RequestId, StackId};
use types::names::ProjectName;
use types::request::{RequestDraft, RequestKind};
use types::time::Timestamp;

pub use store::Made;

use crate::access::may_read;
use crate::{Error, Portal, Result};

/// How long a key is kept.
pub(crate) const KEPT: Duration = Duration::days(1);

/// How much longer than a call may take its key is held for it: only a call that was killed is still at work then.
const MARGIN: Duration = Duration::seconds(30);

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// New: do the work, then call [`Portal::finish_idempotent`] or [`Portal::forget_idempotent`].
    New,
    /// The same call is being worked on at this moment.
    InProgress,
    /// It was done.
    Done {
        /// HTTP status of the first answer.
        status: u16,
        /// What it made or changed; absent for a call that was done before Slipway kept this.
        made: Option<Made>,
    },
    /// The key was used for another call.
    Mismatch,
    /// The actor has used as many keys within a day as one may.
    Full {
        /// When the oldest of them is forgotten.
        free_at: Timestamp,
    },
}

/// What a call with a key is about, and who may make it: asked before the key is taken.
#[derive(Debug, Clone)]
pub struct KeyedCall<'a> {
    /// The key.
    pub key: &'a str,
    /// SHA-256 of whatever tells two calls apart: method, path, body.
    pub hash: [u8; 32],
    /// What it is about.
    pub ground: Ground<'a>,
    /// Any one of these rights is needed.
    pub rights: &'a [Right],
}

/// What a call is about.
#[derive(Debug, Clone)]
pub enum Ground<'a> {
    /// A project.
    Project(&'a ProjectName),
    /// A request that is not sent yet.
    Draft(&'a RequestDraft),
    /// A request.
    Request(RequestId),
    /// A decision on a request: a refusal is recorded, as that of a call without a key is.
    Decision(RequestId),
    /// A stack.
    Stack(StackId),
    /// An operation.
    Operation(OperationId),
}

impl Portal {
    /// Takes a key for this actor and call, or says what became of it. An actor has at most `most` keys a day. A key that a
    /// killed call left behind is free again some time after the longest call would have ended.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is empty, longer than 255 characters, or not printable ASCII; [`Error::NotFound`] and [`Error::Forbidden`] where
    /// the call could only be refused, so that refusals fill no table.
    pub async fn begin_idempotent(
        &self,
        actor: &Actor,
        call: &KeyedCall<'_>,
        most: u32,
        longest_call: std::time::Duration,
    ) -> Result<Idempotency> {
        let KeyedCall { key, hash, .. } = call;
        if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::field(
                "Idempotency-Key",
                "not_allowed",
                "1 to 255 printable ASCII characters without spaces, such as a UUID.",
            ));
        }
        let store = &self.0.store;
        // What was done stays done, whatever rights have gone since: its answer is read with the rights of now.
        if let Some(known @ (store::Idempotency::Done { .. } | store::Idempotency::Mismatch)) =
            store.idempotent(&actor.subject, key, hash).await?
        {
            return Ok(told(&known));
        }
        if let Err(error) = self.may_begin(actor, &call.ground, call.rights).await {
            if let Ground::Decision(id) = call.ground {
                self.decision_refused(actor, id, &error).await;
            }
            return Err(error);
        }
        let lease = Duration::try_from(longest_call).unwrap_or(KEPT);
        let lease = lease.saturating_add(MARGIN);
        let known = store
            .begin_idempotent(&actor.subject, key, hash, most, lease, self.now())
            .await?;
        Ok(told(&known))
    }

    /// Keeps for 24 hours which thing the call made or changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn finish_idempotent(
        &self,
        actor: &Actor,
        key: &str,
        status: u16,
        made: Made,
    ) -> Result<()> {
        Ok(self
            .0
            .store
            .finish_idempotent(&actor.subject, key, status, made)
            .await?)
    }

    /// Gives the key of a call back that was refused or failed: sent again, it is done anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn forget_idempotent(&self, actor: &Actor, key: &str) -> Result<()> {
        Ok(self.0.store.forget_idempotent(&actor.subject, key).await?)
    }

    /// Whether the actor sees what a call is about and has one of the rights. The call itself asks again, and more closely.
    async fn may_begin(&self, actor: &Actor, ground: &Ground<'_>, rights: &[Right]) -> Result<()> {
        let Some(project) = self.project_of(actor, ground).await? else {
            return Ok(());
        };
        match rights.first() {
            Some(&right) if !rights.iter().any(|r| actor.may(*r, Some(&project))) => {
                Err(Error::Forbidden { right })
            }
            _ => Ok(()),
        }
    }

    /// The project of what the actor sees; `None` where the draft names none, which the call refuses by field.
    async fn project_of(&self, actor: &Actor, ground: &Ground<'_>) -> Result<Option<ProjectName>> {
        let stack = match ground {
            Ground::Project(project) => {
                may_read(actor, project, "project")?;
                return Ok(Some((*project).clone()));
            }
            Ground::Draft(draft) if draft.kind == RequestKind::Create => {
                let project = draft.project.trim().parse().ok();
                if let Some(project) = &project {
                    may_read(actor, project, "project")?;
                }
                return Ok(project);
            }
            Ground::Draft(draft) => match draft.stack {
                Some(stack) => stack,
                None => return Ok(None),
            },
            Ground::Stack(stack) => *stack,
            Ground::Request(id) | Ground::Decision(id) => {
                let request = self.readable_request(actor, *id).await?;
                return Ok(Some(request.summary.project));
            }
            Ground::Operation(id) => {
                let operation = self.readable_operation(actor, *id).await?;
                return Ok(Some(operation.summary.project));
            }
        };
        let stack = self.readable_stack(actor, stack).await?;
        Ok(Some(stack.summary.project))
    }
}

fn told(known: &store::Idempotency) -> Idempotency {
    match *known {
        store::Idempotency::New => Idempotency::New,
        store::Idempotency::InFlight => Idempotency::InProgress,
        store::Idempotency::Done { status, made } => Idempotency::Done { status, made },
        store::Idempotency::Mismatch => Idempotency::Mismatch,
        store::Idempotency::Full { oldest } => Idempotency::Full {
            free_at: oldest.plus(KEPT),
        },
    }
}
