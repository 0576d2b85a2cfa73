//! An operation without a store: what the worker asks of Azure, and when, and nothing else. Benchmarks of the client need it: ten thousand stacks must
//! measure Azure's limits, not a database.

use std::collections::BTreeMap;

use serde_json::Value;
use types::fault::AzureFault;
use types::ids::{InstallationId, StackId};
use types::names::StackName;
use types::operation::{OperationKind, OperationState};
use types::plan::Plan;
use types::time::Timestamp;

use super::journal::Journal;
use super::next::{Action, End, fault, next};
use super::perform::{Scene, perform, subjects_of};
use super::record::{Answer, announce, record};
use super::steps;
use crate::ownership::Mine;

/// A stack that is to be made.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    /// Where it is made.
    pub arm: &'a azure::Arm,
    /// Its id, which tags its resource group.
    pub stack: StackId,
    /// Its name.
    pub name: &'a StackName,
    /// What is applied.
    pub plan: &'a Plan,
    /// The plan's template, as ARM takes it.
    pub template: &'a Value,
}

impl Rehearsal<'_> {
    /// Applies the plan as the worker does, each transition after the other; waits on the runtime's clock. `now` must be the same clock.
    ///
    /// # Errors
    /// Why the operation did not succeed.
    pub async fn apply(&self, now: impl Fn() -> Timestamp) -> Result<(), AzureFault> {
        let deployment = steps::deployment_name(self.name, self.stack, 1);
        let mine = Mine {
            stack: self.stack,
            installation: InstallationId(uuid::Uuid::nil()),
        };
        let tags: BTreeMap<String, String> = mine
            .tags()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let subjects = subjects_of(self.plan);
        let scene = Scene {
            arm: self.arm,
            kind: OperationKind::Apply,
            mine,
            target: &self.plan.target,
            plan: Some(self.plan),
            template: Some(self.template),
            tags: &tags,
            deployment: &deployment,
            subjects: &subjects,
            implied: &[],
            held: &[],
            fresh: self.plan.target.owns_group,
        };
        let mut journal = Journal {
            kind: OperationKind::Apply,
            state: OperationState::Queued,
            cancel_requested: false,
            owns_group: self.plan.target.owns_group,
            steps: steps::apply(self.plan, &deployment),
        };
        loop {
            let action = match next(&journal, now()) {
                Action::End(End::Succeeded) => return Ok(()),
                Action::End(End::Failed(fault) | End::NeedsAttention(fault)) => return Err(fault),
                Action::End(End::Cancelled) => {
                    return Err(fault("Canceled", "Nobody asked for that.", ""));
                }
                Action::Rest => {
                    let wait = journal.wake_at().map(|at| at.since(now()));
                    let wait = wait.and_then(|wait| wait.try_into().ok());
                    tokio::time::sleep(wait.unwrap_or_default()).await;
                    continue;
                }
                action => action,
            };
            let answer = if action == Action::Start {
                Answer::Nothing
            } else {
                announce(&mut journal, &action, now());
                match journal.step() {
                    Some(step) => perform(&scene, step, &action).await.0,
                    None => Answer::Nothing,
                }
            };
            record(&mut journal, &action, answer, now());
        }
    }
}
