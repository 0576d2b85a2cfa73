//! Operations: reading, cancelling and resolving them. What moves them lives below: `next` decides, `perform` asks Azure, `record` takes the answer up,
//! `advance` is the mechanics around the three, `start` and `ending` what an operation means for its request and stack.

mod advance;
mod crash;
mod ending;
pub(crate) mod journal;
mod next;
mod perform;
mod record;
mod rehearsal;
mod start;
pub(crate) mod steps;
#[cfg(test)]
mod table;

use serde_json::Value;
use store::{Operation, Step};
use types::access::Access;
use types::actor::{Actor, Right};
use types::ids::OperationId;
use types::operation::{
    OperationDetail, OperationFilter, OperationState, OperationSummary, StepState,
};
use types::page::Page;

use self::journal::{Journal, JournalStep, Memo};
use self::next::cancellable;
use crate::access::{may, may_read, may_stop, scope};
use crate::requests::release::stored;
use crate::trail::{OperationMark, Trail};
use crate::{Error, Portal, Result};

pub use crash::CrashPoints;
pub(crate) use next::fault;
pub use rehearsal::Rehearsal;
pub(crate) use start::{Since, differs};

impl Portal {
    /// One operation, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project.
    pub async fn operation(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let operation = self.readable_operation(actor, id).await?;
        let steps = self.0.store.steps(id).await?;
        let journal = journal_of(&operation, &steps, true)?;
        Ok(OperationDetail {
            cancel: cancel_access(
                actor,
                &operation,
                &self.requester_of(&operation).await?,
                &journal,
            ),
            resolve: resolve_access(actor, &operation),
            cancel_requested: operation.cancel_requested_at.is_some(),
            fault: operation.fault,
            version: operation.version,
            summary: operation.summary,
            steps: steps.into_iter().map(|s| s.step).collect(),
        })
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a foreign cursor.
    pub async fn operations(
        &self,
        actor: &Actor,
        filter: &OperationFilter,
    ) -> Result<Page<OperationSummary>> {
        let filter = store::OperationFilter {
            project: filter.project.clone(),
            stack: filter.stack,
            state: None,
            cursor: filter.cursor.clone(),
            limit: filter.limit,
        };
        Ok(self.0.store.operations(&scope(actor), &filter).await?)
    }

    /// Asks an operation to stop; it does so between two steps or polls. One that needs attention is given up by an admin this way: it fails, what exists stays.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `not_cancellable` and the reason when it is too late.
    pub async fn cancel(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        despite_the_worker(|| self.try_to_cancel(actor, id)).await
    }

    async fn try_to_cancel(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let mut operation = self.readable_operation(actor, id).await?;
        let project = &operation.summary.project;
        if operation.summary.state == OperationState::NeedsAttention {
            may(actor, Right::ResolveOperation, project)?;
            self.give_up(actor, operation).await?;
            return self.operation(actor, id).await;
        }
        may_stop(actor, project, &self.requester_of(&operation).await?)?;
        let steps = self.0.store.steps(id).await?;
        let mut journal = journal_of(&operation, &steps, true)?;
        cancellable(&journal).map_err(|reason| Error::Conflict {
            code: "not_cancellable",
            detail: format!("This operation cannot be cancelled. {reason}"),
        })?;
        let trail = Trail {
            actor,
            now: self.now(),
        };
        operation.cancel_requested_at = Some(trail.now);
        operation.updated_at = trail.now;
        let mut tx = self.0.store.begin().await?;
        tx.update_operation(&mut operation)
            .await
            .map_err(stale_operation)?;
        // It may be asleep until its next poll: wake it.
        if let Some((position, step)) = open_step(&mut journal) {
            step.memo.wake_at = None;
            let step = stored(step, position)?;
            tx.put_step(id, &step).await?;
        }
        tx.enqueue(id, None).await?;
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                "operation.cancel_requested",
                "Asked to stop the operation.",
                Value::Null,
            )
            .await?;
        tx.commit(trail.now).await?;
        self.operation(actor, id).await
    }

    /// Takes an operation that needs attention further: it runs again from the step that stopped. Admins only.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else; [`Error::Conflict`] when it does not need attention.
    pub async fn resolve(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        despite_the_worker(|| self.try_to_resolve(actor, id)).await
    }

    async fn try_to_resolve(&self, actor: &Actor, id: OperationId) -> Result<OperationDetail> {
        let mut operation = self.readable_operation(actor, id).await?;
        may(actor, Right::ResolveOperation, &operation.summary.project)?;
        if operation.summary.state != OperationState::NeedsAttention {
            return Err(Error::Conflict {
                code: "needs_no_attention",
                detail: "This operation does not need attention.".to_owned(),
            });
        }
        let trail = Trail {
            actor,
            now: self.now(),
        };
        let steps = self.0.store.steps(id).await?;
        let mut journal = journal_of(&operation, &steps, true)?;
        operation.summary.state = OperationState::Running;
        operation.fault = None;
        operation.updated_at = trail.now;
        let mut tx = self.0.store.begin().await?;
        tx.update_operation(&mut operation)
            .await
            .map_err(stale_operation)?;
        if let Some((position, step)) = open_step(&mut journal) {
            step.memo.trouble = None;
            step.memo.wake_at = None;
            step.memo.resumed_at = Some(trail.now);
            step.note = None;
            let step = stored(step, position)?;
            tx.put_step(id, &step).await?;
        }
        tx.enqueue(id, None).await?;
        trail
            .operation(
                &mut tx,
                &OperationMark::of(&operation.summary),
                "operation.resolved",
                "Took the operation further.",
                Value::Null,
            )
            .await?;
        tx.commit(trail.now).await?;
        self.operation(actor, id).await
    }

    /// Who asked for the request that an operation executes; for one without a request, who asked for the operation.
    async fn requester_of(&self, operation: &Operation) -> Result<String> {
        let request = match operation.summary.request {
            Some(id) => self.0.store.request(id).await?,
            None => None,
        };
        Ok(request.map_or_else(
            || operation.requested_by.clone(),
            |request| request.summary.requester,
        ))
    }

    /// An operation that the actor may see.
    pub(crate) async fn readable_operation(
        &self,
        actor: &Actor,
        id: OperationId,
    ) -> Result<Operation> {
        let operation = self
            .0
            .store
            .operation(id)
            .await?
            .ok_or(Error::NotFound { what: "operation" })?;
        may_read(actor, &operation.summary.project, "operation")?;
        Ok(operation)
    }
}

/// The journal that `next` sees, from what is stored.
fn journal_of(operation: &Operation, steps: &[Step], owns_group: bool) -> Result<Journal> {
    let steps = steps
        .iter()
        .map(|stored| {
            let memo: Memo = match &stored.external_ref {
                None => Memo::default(),
                Some(value) => serde_json::from_value(value.clone()).map_err(|error| {
                    Error::internal(format!(
                        "the memory of step {} of operation {}: {error}",
                        stored.step.name.as_str(),
                        operation.summary.id
                    ))
                })?,
            };
            let s = &stored.step;
            Ok(JournalStep {
                name: s.name,
                title: s.title.clone(),
                state: s.state,
                attempt: s.attempt,
                started_at: s.started_at,
                ended_at: s.ended_at,
                note: s.note.clone(),
                fault: s.fault.clone(),
                resources: s.resources.clone(),
                memo,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Journal {
        kind: operation.summary.kind,
        state: operation.summary.state,
        cancel_requested: operation.cancel_requested_at.is_some(),
        owns_group,
        steps,
    })
}

/// The step that is worked on, with its place.
fn open_step(journal: &mut Journal) -> Option<(i64, &mut JournalStep)> {
    (0_i64..)
        .zip(&mut journal.steps)
        .find(|(_, step)| !matches!(step.state, StepState::Succeeded | StepState::Skipped))
}

fn cancel_access(
    actor: &Actor,
    operation: &Operation,
    requester: &str,
    journal: &Journal,
) -> Access {
    let project = &operation.summary.project;
    if operation.summary.state == OperationState::NeedsAttention {
        return if actor.may(Right::ResolveOperation, Some(project)) {
            Access::Allowed
        } else {
            Access::disabled("It needs attention: only an admin can take it further or give it up.")
        };
    }
    if operation.summary.state.has_ended() {
        return Access::Hidden;
    }
    match may_stop(actor, project, requester) {
        Ok(()) => {}
        Err(refused @ Error::Refused { .. }) if actor.may(Right::Request, Some(project)) => {
            return Access::disabled(refused.to_string());
        }
        Err(_) => return Access::Hidden,
    }
    match cancellable(journal) {
        Ok(()) => Access::Allowed,
        Err(reason) => Access::disabled(reason),
    }
}

fn resolve_access(actor: &Actor, operation: &Operation) -> Access {
    if operation.summary.state != OperationState::NeedsAttention {
        return Access::Hidden;
    }
    if actor.may(Right::ResolveOperation, Some(&operation.summary.project)) {
        Access::Allowed
    } else {
        Access::disabled("Only an admin can take it further.")
    }
}

/// What an operation answers to a change that was judged by a state which is no longer its own.
const MOVED: &str = "operation_moved";

/// How often a wish is repeated that lost against the worker. The worker writes at every step and poll, many times a second at most.
const TRIES: u32 = 8;

/// Carries a person's wish out although the worker moves the operation at the same time. Every try reads the operation and judges the wish anew.
///
/// # Errors
/// What the last try answered.
async fn despite_the_worker<T, F>(mut wish: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..TRIES {
        match wish().await {
            Err(Error::Conflict { code: MOVED, .. }) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
    wish().await
}

fn stale_operation(error: store::Error) -> Error {
    match error {
        store::Error::Stale => Error::Conflict {
            code: MOVED,
            detail: "The operation moved on at this moment. Look at it again, then repeat."
                .to_owned(),
        },
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{MOVED, TRIES, despite_the_worker};
    use crate::{Error, Result};

    fn moved() -> Error {
        Error::Conflict {
            code: MOVED,
            detail: String::new(),
        }
    }

    #[tokio::test]
    async fn a_wish_that_lost_against_the_worker_is_judged_again() {
        let tries = Cell::new(0);
        let answer: Result<&str> = despite_the_worker(async || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 {
                Err(moved())
            } else {
                Ok("cancelled")
            }
        })
        .await;
        assert_eq!((answer.ok(), tries.get()), (Some("cancelled"), 3));
    }

    #[tokio::test]
    async fn a_wish_that_always_loses_says_so_and_any_other_refusal_is_final() {
        let tries = Cell::new(0);
        let answer: Result<()> = despite_the_worker(async || {
            tries.set(tries.get() + 1);
            Err(moved())
        })
        .await;
        assert!(matches!(answer, Err(Error::Conflict { code: MOVED, .. })));
        assert_eq!(tries.replace(0), TRIES);
        let answer: Result<()> = despite_the_worker(async || {
            tries.set(tries.get() + 1);
            Err(Error::Conflict {
                code: "not_cancellable",
                detail: String::new(),
            })
        })
        .await;
        assert!(answer.is_err());
        assert_eq!(tries.get(), 1);
    }
}
