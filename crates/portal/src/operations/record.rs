//! What an answer means for the journal: the pure other half of `next`. It says what to remember, what ends, and when to go on; nothing is asked or stored here.

use time::Duration;
use types::fault::AzureFault;
use types::operation::{OperationState, ResourceProgress, StepName, StepState};
use types::time::Timestamp;

use super::journal::{Journal, JournalStep, Phase, Trouble};
use super::next::{Action, GRACE, fault};
use crate::ownership::{self, NotOurs};

/// What came back from performing an [`Action`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Nothing had to be asked.
    Nothing,
    /// The owned group.
    Group(GroupSeen),
    /// The scope of a write, in which nothing that it touches is anybody else's.
    Scope {
        /// The owned group, where there is one.
        group: GroupSeen,
        /// Which of the resources in question are not there; lists of Azure may lag, so this proves nothing yet.
        absent: Vec<String>,
        /// The ETag of the resource that is about to be deleted, where its type's DELETE takes one.
        etag: Option<String>,
    },
    /// What is in the way is not the stack's.
    NotOurs(Vec<NotOurs>),
    /// Azure did it at once, or had it done already.
    Finished,
    /// Azure took it; this is how to follow it.
    Accepted(Box<azure::LongRunning>),
    /// It still runs.
    Running {
        /// When Azure wants to be asked again.
        after: Option<Duration>,
        /// What is known of its resources.
        resources: Option<Vec<ResourceProgress>>,
        /// The way to follow it, as it is now.
        operation: Option<Box<azure::LongRunning>>,
    },
    /// It ended without success.
    Ended {
        fault: Box<AzureFault>,
        cancelled: bool,
        resources: Option<Vec<ResourceProgress>>,
    },
    /// It ended with success; its resources.
    Succeeded {
        resources: Option<Vec<ResourceProgress>>,
    },
    /// There is no such deployment or resource, or the way to follow it is gone.
    Absent,
    /// It is there.
    Present,
    /// It is no longer what was read before: nothing was done.
    Changed,
    /// Azure said no: asking the same again would give the same.
    Refused(Box<AzureFault>),
    /// Azure cannot be asked, or not now.
    Trouble {
        note: String,
        after: Option<Duration>,
        /// False when Azure cannot have taken a write: it refused, or was never reached.
        may_have_arrived: bool,
    },
}

/// The owned resource group, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupSeen {
    /// There is none.
    Absent,
    /// It bears this stack's tags, or the stack has none of its own.
    Ours,
    /// It bears this stack's tags and is being deleted.
    OursGoing,
}

/// Waits between two polls when Azure names none.
const POLL: Duration = Duration::seconds(2);
/// The longest wait between two tries.
const LONGEST_BACKOFF: i64 = 60;

/// Takes the answer up. The journal afterwards is what gets stored; the returned moment is when to go on (`None`: at once).
pub(crate) fn record(
    journal: &mut Journal,
    action: &Action,
    answer: Answer,
    now: Timestamp,
) -> Option<Timestamp> {
    if *action == Action::Start {
        journal.state = OperationState::Running;
    }
    let step = journal.step_mut()?;
    step.memo.wake_at = None;
    if let Answer::Trouble {
        note,
        after,
        may_have_arrived,
    } = answer
    {
        if !may_have_arrived && let Some(item) = step.item_mut() {
            unsend(&mut item.phase);
        }
        return trouble(step, &note, after, now);
    }
    // Reading the guard again is not getting further: only an answer to what was in trouble ends it, or its limit would never be reached.
    let looked_only = matches!(
        (action, &answer),
        (Action::ReadGroup, Answer::Group(_))
            | (Action::ReadScope, Answer::Scope { .. })
            | (Action::ReadDeployment, Answer::Absent)
    );
    if !looked_only && step.memo.trouble.take().is_some() {
        step.note = None;
    }
    match action {
        Action::Begin => begin(step, now),
        Action::Stop => {
            step.state = StepState::Cancelled;
            step.ended_at = Some(now);
            step.note = Some("Stopped on request.".to_owned());
            None
        }
        Action::Rest | Action::Start | Action::End(_) => None,
        _ => {
            let wait = within(step, action, answer, now);
            if step.state == StepState::Running && step.item().is_none() {
                succeed(step, now);
            }
            step.memo.wake_at = wait;
            wait
        }
    }
}

/// Writes that must be known as *perhaps sent* before they are.
pub(crate) fn announce(journal: &mut Journal, action: &Action, now: Timestamp) -> bool {
    if *action != Action::PutDeployment {
        return false;
    }
    let Some(item) = journal.step_mut().and_then(JournalStep::item_mut) else {
        return false;
    };
    item.phase = Phase::Sent { at: now };
    true
}

fn begin(step: &mut JournalStep, now: Timestamp) -> Option<Timestamp> {
    if step.state == StepState::Pending {
        step.attempt += 1;
        step.started_at = Some(now);
    }
    if step.memo.items.is_empty() {
        step.state = StepState::Skipped;
        step.ended_at = Some(now);
    } else if step.item().is_none() {
        succeed(step, now);
    } else {
        step.state = StepState::Running;
    }
    None
}

fn succeed(step: &mut JournalStep, now: Timestamp) {
    step.state = StepState::Succeeded;
    step.ended_at = Some(now);
}

fn fail(step: &mut JournalStep, fault: AzureFault, now: Timestamp) -> Option<Timestamp> {
    step.state = StepState::Failed;
    step.ended_at = Some(now);
    step.fault = Some(fault);
    None
}

/// Never reached Azure: as if it had not been sent.
fn unsend(phase: &mut Phase) {
    if matches!(phase, Phase::Sent { .. }) {
        *phase = Phase::Fresh;
    }
}

fn trouble(
    step: &mut JournalStep,
    note: &str,
    after: Option<Duration>,
    now: Timestamp,
) -> Option<Timestamp> {
    let (since, count) = match &step.memo.trouble {
        Some(trouble) => (trouble.since, trouble.count + 1),
        None => (now, 1),
    };
    let backoff = Duration::seconds((1_i64 << count.min(6)).min(LONGEST_BACKOFF));
    let until = now.plus(after.map_or(backoff, |after| after.max(Duration::seconds(1))));
    step.note = Some(note.to_owned());
    step.memo.trouble = Some(Trouble {
        since,
        count,
        note: note.to_owned(),
    });
    step.memo.wake_at = Some(until);
    Some(until)
}

fn set(step: &mut JournalStep, phase: Phase) {
    if let Some(item) = step.item_mut() {
        item.phase = phase;
    }
}

/// Stored before the first poll, whatever happens next.
fn follow(
    step: &mut JournalStep,
    operation: Box<azure::LongRunning>,
    now: Timestamp,
) -> Option<Timestamp> {
    let asked = operation
        .retry_after
        .and_then(|s| i64::try_from(s).ok())
        .map(Duration::seconds);
    set(
        step,
        Phase::Following {
            operation,
            cancel_sent: false,
        },
    );
    Some(now.plus(asked.unwrap_or(POLL).max(Duration::seconds(1))))
}

/// Table: what each answer does to the item that is worked on.
fn within(
    step: &mut JournalStep,
    action: &Action,
    answer: Answer,
    now: Timestamp,
) -> Option<Timestamp> {
    let name = step.name;
    if !matches!(answer, Answer::Running { .. }) && step.memo.trouble.is_none() {
        step.note = None;
    }
    match (action, answer) {
        (_, Answer::Refused(fault)) => fail(step, *fault, now),
        // Ours was deleted, and somebody made another of that name since.
        (Action::LookForGroup, Answer::NotOurs(_)) => {
            gone_with_the_group(step);
            None
        }
        (Action::LookForResource, Answer::NotOurs(_)) => {
            gone_alone(step);
            None
        }
        (_, Answer::NotOurs(found)) => fail(step, ownership::fault(&found), now),

        (
            Action::ReadScope,
            Answer::Scope {
                group,
                absent,
                etag,
            },
        ) => scope(step, group, &absent, etag, now),
        (_, Answer::Changed) => {
            // Whose it is by now, the next look tells.
            set(step, Phase::Fresh);
            trouble(
                step,
                "It was changed between being read and being deleted; it is read again.",
                None,
                now,
            )
        }

        (Action::ReadGroup, Answer::Group(seen)) => group(step, seen, now),
        (Action::LookForGroup, Answer::Group(GroupSeen::Absent)) => {
            gone_with_the_group(step);
            None
        }
        (Action::LookForGroup, Answer::Group(GroupSeen::Ours)) => {
            // Azure reported the deletion as done, yet the group lives: delete it again, slowly.
            set(step, Phase::Fresh);
            trouble(
                step,
                "Azure says the resource group is deleted, yet it is still there.",
                None,
                now,
            )
        }
        (Action::LookForGroup, Answer::Group(GroupSeen::OursGoing)) => Some(now.plus(POLL)),

        (Action::PutGroup, Answer::Group(seen)) => group(step, seen, now),
        (Action::PutGroup, _) => {
            set(step, Phase::Done);
            None
        }

        (Action::ReadDeployment, Answer::Absent) => {
            match step.item().map(|i| i.phase.clone()) {
                // It may still be on its way inside Azure.
                Some(Phase::Sent { at }) if now.since(at) < GRACE => Some(at.plus(GRACE)),
                _ => {
                    set(step, Phase::Clear { at: now });
                    None
                }
            }
        }
        (Action::PutDeployment | Action::Validate, Answer::Accepted(operation)) => {
            follow(step, operation, now)
        }
        (Action::CancelDeployment, _) => {
            if let Some(item) = step.item_mut() {
                match &mut item.phase {
                    Phase::Following { cancel_sent, .. } | Phase::Named { cancel_sent } => {
                        *cancel_sent = true;
                    }
                    _ => {}
                }
            }
            step.note = Some("Azure was asked to stop the deployment.".to_owned());
            None
        }

        (
            _,
            Answer::Running {
                after,
                resources,
                operation,
            },
        ) => {
            if let Some(resources) = resources {
                step.resources = resources;
            }
            if let Some(item) = step.item_mut() {
                match (&mut item.phase, operation) {
                    (Phase::Following { operation, .. }, Some(newer)) => *operation = newer,
                    (Phase::Following { .. } | Phase::Named { .. }, _) => {}
                    (phase, _) if name == StepName::Deployment => {
                        *phase = Phase::Named { cancel_sent: false };
                    }
                    _ => {}
                }
            }
            Some(now.plus(after.unwrap_or(POLL).max(Duration::seconds(1))))
        }
        (
            _,
            Answer::Ended {
                fault,
                cancelled,
                resources,
            },
        ) => {
            if let Some(resources) = resources {
                step.resources = resources;
            }
            if cancelled && cancel_was_sent(step) {
                step.state = StepState::Cancelled;
                step.ended_at = Some(now);
                step.note = Some("Stopped on request. What it had made is kept.".to_owned());
                None
            } else {
                fail(step, *fault, now)
            }
        }
        (_, Answer::Succeeded { resources }) if name == StepName::Deployment => {
            if let Some(resources) = resources {
                step.resources = resources;
            }
            set(step, Phase::Done);
            None
        }

        // Deletions are looked at again before they count.
        (Action::DeleteGroup | Action::DeleteResource, Answer::Accepted(operation)) => {
            mark_state(step, "Deleting");
            follow(step, operation, now)
        }
        (Action::DeleteGroup | Action::DeleteResource, _) => {
            mark_state(step, "Deleting");
            set(step, Phase::Verify);
            None
        }
        (Action::Follow(_), Answer::Absent) => {
            // The way to follow it is gone; what it was about tells.
            let phase = match name {
                StepName::Deployment => Phase::Named { cancel_sent: false },
                StepName::Leftovers | StepName::Removal => Phase::Verify,
                _ => Phase::Fresh,
            };
            set(step, phase);
            None
        }
        (Action::Follow(_), _) => {
            let phase = match name {
                StepName::Leftovers | StepName::Removal => Phase::Verify,
                _ => Phase::Done,
            };
            if name == StepName::Power {
                mark_item(step, "Succeeded");
            }
            set(step, phase);
            None
        }
        (Action::LookForResource, Answer::Absent) => {
            gone_alone(step);
            None
        }
        (Action::LookForResource, _) => {
            set(step, Phase::Fresh);
            trouble(
                step,
                "Azure says it is deleted, yet it is still there.",
                None,
                now,
            )
        }

        (Action::Power, Answer::Accepted(operation)) => {
            mark_item(step, "Running");
            follow(step, operation, now)
        }
        (Action::Power, _) => {
            mark_item(step, "Succeeded");
            set(step, Phase::Done);
            None
        }
        (Action::Collect, Answer::Absent) => fail(
            step,
            fault(
                "DeploymentNotFound",
                "The deployment succeeded, yet Azure does not know it any more.",
                "Try again: the same plan is sent as a new revision.",
            ),
            now,
        ),
        (Action::Validate | Action::Collect, _) => {
            set(step, Phase::Done);
            None
        }
        _ => None,
    }
}

/// The owned group before it is written: what is not this stack's never comes here.
fn group(step: &mut JournalStep, seen: GroupSeen, now: Timestamp) -> Option<Timestamp> {
    if seen == GroupSeen::OursGoing {
        return still_going(step, now);
    }
    set(step, Phase::Looked { at: now });
    None
}

/// The scope before a write, with nothing of anybody else's in the way.
fn scope(
    step: &mut JournalStep,
    group: GroupSeen,
    absent: &[String],
    etag: Option<String>,
    now: Timestamp,
) -> Option<Timestamp> {
    match (step.name, group) {
        (StepName::Removal, GroupSeen::Absent) => {
            gone_with_the_group(step);
            if step.resources.is_empty() {
                step.note = Some("There was nothing left to delete.".to_owned());
            }
            None
        }
        (StepName::Removal, GroupSeen::OursGoing) => {
            set(step, Phase::Verify);
            Some(now.plus(POLL))
        }
        (StepName::Leftovers, GroupSeen::Absent) => {
            gone_with_the_group(step);
            None
        }
        (_, GroupSeen::Absent) => fail(
            step,
            fault(
                "ResourceGroupNotFound",
                "The stack's resource group is gone.",
                "Find out who deleted it, then try again: the group is made anew.",
            ),
            now,
        ),
        (_, GroupSeen::OursGoing) => still_going(step, now),
        (name, GroupSeen::Ours) => {
            let deletes = matches!(name, StepName::Removal | StepName::Leftovers);
            let gone = step
                .item()
                .is_some_and(|item| absent.iter().any(|id| id.eq_ignore_ascii_case(&item.id)));
            // What is in no list is looked for by itself: lists may lag, and what is only not listed yet must not be forgotten.
            set(
                step,
                if deletes && gone {
                    Phase::Verify
                } else {
                    Phase::Checked { at: now, etag }
                },
            );
            None
        }
    }
}

fn still_going(step: &mut JournalStep, now: Timestamp) -> Option<Timestamp> {
    trouble(
        step,
        "The resource group is still being deleted.",
        None,
        now,
    )
}

/// Everything of the step went with the group.
fn gone_with_the_group(step: &mut JournalStep) {
    mark_gone(step, None);
    for item in &mut step.memo.items {
        item.phase = Phase::Done;
    }
}

/// The resource that is worked on is gone.
fn gone_alone(step: &mut JournalStep) {
    let id = step.item().map(|i| i.id.clone());
    mark_gone(step, id.as_deref());
    set(step, Phase::Done);
}

fn cancel_was_sent(step: &JournalStep) -> bool {
    matches!(
        step.item().map(|i| &i.phase),
        Some(
            Phase::Following {
                cancel_sent: true,
                ..
            } | Phase::Named { cancel_sent: true }
        )
    )
}

/// The state of the resource that is worked on, or of all when the whole group goes.
fn mark_state(step: &mut JournalStep, state: &str) {
    let one = step
        .item()
        .filter(|i| !i.kind.is_empty())
        .map(|i| i.id.clone());
    for resource in &mut step.resources {
        if one
            .as_deref()
            .is_none_or(|id| resource.id.eq_ignore_ascii_case(id))
        {
            state.clone_into(&mut resource.state);
        }
    }
}

fn mark_item(step: &mut JournalStep, state: &str) {
    let id = step.item().map(|i| i.id.clone());
    for resource in &mut step.resources {
        if id
            .as_deref()
            .is_some_and(|id| resource.id.eq_ignore_ascii_case(id))
        {
            state.clone_into(&mut resource.state);
        }
    }
}

/// Gone: one resource, or (with `None`) all.
fn mark_gone(step: &mut JournalStep, id: Option<&str>) {
    for resource in &mut step.resources {
        if id.is_none_or(|id| resource.id.eq_ignore_ascii_case(id)) {
            "Deleted".clone_into(&mut resource.state);
        }
    }
}
