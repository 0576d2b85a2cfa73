//! The decision table of operations, told as stories without Azure, database or clock: which action follows which answer, and where a stopped process goes on.

use time::Duration;
use time::macros::datetime;
use types::operation::{OperationKind, OperationState, StepName, StepState};
use types::time::Timestamp;

use super::journal::{Item, Journal, JournalStep, Phase};
use super::next::{Action, End, GRACE, TROUBLE_LIMIT, cancellable, fault, next};
use super::record::{Answer, GroupSeen, announce, record};
use crate::ownership::{NotOurs, Owner};

fn noon() -> Timestamp {
    Timestamp::new(datetime!(2026-11-22 12:00 UTC))
}

fn following() -> Box<azure::LongRunning> {
    let url: url::Url = "https://arm.test/poll?api-version=1".parse().unwrap();
    Box::new(azure::LongRunning {
        resource_url: url.clone(),
        method: azure::Verb::Put,
        poll: azure::PollUrl {
            kind: azure::PollKind::AsyncOperation,
            url,
        },
        retry_after: None,
        started_at: datetime!(2026-11-22 12:00 UTC),
        request_id: None,
        correlation_id: None,
    })
}

fn journal(kind: OperationKind, steps: Vec<JournalStep>) -> Journal {
    Journal {
        kind,
        state: OperationState::Queued,
        cancel_requested: false,
        owns_group: true,
        steps,
    }
}

fn apply() -> Journal {
    journal(
        OperationKind::Apply,
        vec![
            JournalStep::new(StepName::ResourceGroup, "group", vec![Item::new("rg")]),
            JournalStep::new(StepName::Preflight, "preflight", vec![Item::new("d-1")]),
            JournalStep::new(StepName::Deployment, "deployment", vec![Item::new("d-1")]),
            JournalStep::new(StepName::Leftovers, "leftovers", vec![]),
            JournalStep::new(StepName::Collect, "collect", vec![Item::new("d-1")]),
        ],
    )
}

fn destroy() -> Journal {
    journal(
        OperationKind::Destroy,
        vec![JournalStep::new(
            StepName::Removal,
            "removal",
            vec![Item::new("rg")],
        )],
    )
}

/// Nothing of anybody else's is in the way.
fn free() -> Answer {
    Answer::Scope {
        group: GroupSeen::Ours,
        absent: vec![],
        etag: None,
    }
}

fn foreign() -> Answer {
    Answer::NotOurs(vec![NotOurs::new(
        "/pool",
        "Contoso.Pools/pools",
        Owner::Nobody,
    )])
}

/// A well-behaved Azure.
fn good(action: &Action) -> Answer {
    match action {
        Action::ReadGroup => Answer::Group(GroupSeen::Ours),
        Action::ReadScope => free(),
        Action::LookForGroup => Answer::Group(GroupSeen::Absent),
        Action::ReadDeployment | Action::LookForResource => Answer::Absent,
        Action::PutDeployment | Action::DeleteGroup | Action::DeleteResource | Action::Power => {
            Answer::Accepted(following())
        }
        Action::Follow(_) => Answer::Succeeded { resources: None },
        Action::Start | Action::Begin | Action::Stop => Answer::Nothing,
        _ => Answer::Finished,
    }
}

/// Goes on until it ends or rests, moving the clock over every wait; answers what was done.
fn run(journal: &mut Journal, answer: impl Fn(&Action) -> Answer) -> (Vec<Action>, Timestamp) {
    let mut now = noon();
    let mut done = Vec::new();
    for _ in 0..200 {
        let action = next(journal, now);
        if matches!(action, Action::Rest) {
            break;
        }
        if let Action::End(end) = &action {
            journal.state = match end {
                End::Succeeded => OperationState::Succeeded,
                End::Cancelled => OperationState::Cancelled,
                End::Failed(_) => OperationState::Failed,
                End::NeedsAttention(_) => OperationState::NeedsAttention,
            };
            done.push(action);
            break;
        }
        announce(journal, &action, now);
        let wait = record(journal, &action, answer(&action), now);
        done.push(action);
        if let Some(until) = wait {
            assert_eq!(next(journal, now), Action::Rest, "it sleeps until its time");
            now = until;
        }
    }
    (done, now)
}

fn puts(actions: &[Action]) -> usize {
    actions
        .iter()
        .filter(|a| **a == Action::PutDeployment)
        .count()
}

#[test]
fn a_create_goes_from_group_to_outputs() {
    let mut journal = apply();
    let (actions, _) = run(&mut journal, good);
    assert_eq!(journal.state, OperationState::Succeeded);
    assert_eq!(puts(&actions), 1);
    let order: Vec<&Action> = actions
        .iter()
        .filter(|a| !matches!(a, Action::Begin | Action::Start))
        .collect();
    assert_eq!(
        order,
        [
            &Action::ReadGroup,
            &Action::PutGroup,
            &Action::Validate,
            &Action::ReadDeployment,
            &Action::ReadScope,
            &Action::PutDeployment,
            &Action::Follow(following()),
            &Action::Collect,
            &Action::End(End::Succeeded),
        ]
    );
    assert_eq!(journal.steps[3].state, StepState::Skipped);
}

/// Every kind of operation that can write, in the owned group and outside of one.
fn writers() -> Vec<Journal> {
    let item = |id: &str| Item {
        kind: "Contoso.Pools/pools".to_owned(),
        ..Item::new(id)
    };
    let mut all = vec![apply(), destroy()];
    let mut leftovers = apply();
    leftovers.steps[3].memo.items = vec![item("/pool")];
    leftovers.steps.drain(..3);
    all.push(leftovers);
    let mut removal = destroy();
    removal.steps[0].memo.items = vec![item("/pool/machine"), item("/pool")];
    all.push(removal);
    all.push(journal(
        OperationKind::Restart,
        vec![JournalStep::new(
            StepName::Power,
            "restart",
            vec![item("/pool")],
        )],
    ));
    for index in 0..all.len() {
        let mut shared = all[index].clone();
        shared.owns_group = false;
        shared
            .steps
            .retain(|step| step.name != StepName::ResourceGroup);
        all.push(shared);
    }
    all
}

#[test]
fn what_is_not_the_stacks_is_never_written() {
    for mut journal in writers() {
        let (actions, _) = run(&mut journal, |action| match action {
            Action::ReadGroup | Action::ReadScope => foreign(),
            other => good(other),
        });
        assert_eq!(journal.state, OperationState::Failed);
        assert!(
            !actions.iter().any(Action::writes),
            "{:?}: {actions:?}",
            journal.kind
        );
        assert!(
            matches!(actions.last(), Some(Action::End(End::Failed(f))) if f.code == "not_ours" && f.target.is_some())
        );
    }
}

/// Where a process is killed, the next one does not trust what it had read: between the last read of the scope and a write lies nothing but the write.
#[test]
fn a_write_is_sent_only_right_after_its_scope_was_read() {
    for journal in writers() {
        for crash_at in 0..30 {
            let mut journal = journal.clone();
            let mut now = noon();
            let mut read: Option<Timestamp> = None;
            for n in 0..200 {
                let action = next(&journal, now);
                match &action {
                    Action::End(_) => break,
                    Action::Rest => {
                        now = now.plus(Duration::seconds(1));
                        continue;
                    }
                    Action::ReadScope | Action::ReadGroup => read = Some(now),
                    Action::CancelDeployment => {}
                    write if write.writes() => {
                        let at = read.take();
                        assert!(
                            at.is_some_and(|at| now.since(at) <= super::next::LOOK_LIMIT),
                            "{:?}, crash at {crash_at}: {write:?} without a look",
                            journal.kind
                        );
                    }
                    _ => {}
                }
                announce(&mut journal, &action, now);
                if n == crash_at && journal.state == OperationState::Running {
                    // The answer is lost, and the next process comes a minute later.
                    now = now.plus(Duration::minutes(1));
                    continue;
                }
                record(&mut journal, &action, good(&action), now);
            }
        }
    }
}

#[test]
fn what_is_in_no_list_is_looked_for_before_it_counts_as_gone() {
    let mut journal = writers().remove(3);
    journal.owns_group = false;
    let (actions, _) = run(&mut journal, |action| match action {
        Action::ReadScope => Answer::Scope {
            group: GroupSeen::Ours,
            absent: vec!["/POOL".to_owned()],
            etag: None,
        },
        other => good(other),
    });
    assert_eq!(journal.state, OperationState::Succeeded);
    let of = |wanted: &Action| actions.iter().filter(|a| *a == wanted).count();
    assert_eq!(of(&Action::DeleteResource), 1, "{actions:?}");
    assert_eq!(of(&Action::LookForResource), 2, "{actions:?}");
}

#[test]
fn what_changed_between_the_look_and_the_deletion_is_looked_at_again() {
    let mut journal = writers().remove(3);
    journal.owns_group = false;
    let looks = std::cell::Cell::new(0);
    let (actions, _) = run(&mut journal, |action| match action {
        Action::ReadScope => {
            looks.set(looks.get() + 1);
            Answer::Scope {
                group: GroupSeen::Ours,
                absent: vec![],
                etag: Some(format!("etag-{}", looks.get())),
            }
        }
        Action::DeleteResource if looks.get() == 1 => Answer::Changed,
        other => good(other),
    });
    assert_eq!(journal.state, OperationState::Succeeded, "{actions:?}");
    let of = |wanted: &Action| actions.iter().filter(|a| *a == wanted).count();
    let items = journal.steps[0].memo.items.len();
    assert_eq!(of(&Action::ReadScope), items + 1, "{actions:?}");
    assert_eq!(of(&Action::DeleteResource), items + 1, "{actions:?}");
}

#[test]
fn what_somebody_made_under_the_name_after_the_deletion_is_not_deleted() {
    for mut journal in [writers().remove(1), writers().remove(8)] {
        let (actions, _) = run(&mut journal, |action| match action {
            Action::LookForGroup | Action::LookForResource => foreign(),
            other => good(other),
        });
        assert_eq!(journal.state, OperationState::Succeeded, "{actions:?}");
        let deletions = actions
            .iter()
            .filter(|a| matches!(a, Action::DeleteGroup | Action::DeleteResource))
            .count();
        assert_eq!(deletions, journal.steps[0].memo.items.len());
    }
}

/// Stops after every transition (what was announced is stored, what was answered is not) and goes on from what is stored.
#[test]
fn a_crash_anywhere_sends_each_revision_once() {
    for crash_at in 0..40 {
        let mut journal = apply();
        let mut accepted = 0;
        let mut now = noon();
        for n in 0..200 {
            let action = next(&journal, now);
            if matches!(action, Action::End(_)) {
                break;
            }
            if action == Action::Rest {
                now = now.plus(Duration::seconds(1));
                continue;
            }
            announce(&mut journal, &action, now);
            let answer = match &action {
                Action::PutDeployment => {
                    accepted += 1;
                    good(&action)
                }
                Action::ReadDeployment if accepted > 0 => Answer::Running {
                    after: None,
                    resources: None,
                    operation: None,
                },
                other => good(other),
            };
            if n == crash_at {
                // The answer is lost with the process.
                if journal.state == OperationState::Queued {
                    continue;
                }
                now = now.plus(Duration::seconds(3));
                if accepted > 0 {
                    // Azure finishes in the meantime.
                    let read = next(&journal, now);
                    if read == Action::ReadDeployment {
                        record(
                            &mut journal,
                            &read,
                            Answer::Succeeded { resources: None },
                            now,
                        );
                    }
                }
                continue;
            }
            record(&mut journal, &action, answer, now);
        }
        assert_eq!(accepted, 1, "crash at transition {crash_at}");
        assert_eq!(next(&journal, now), Action::End(End::Succeeded));
    }
}

#[test]
fn a_name_not_found_right_after_a_lost_put_proves_nothing() {
    let mut journal = apply();
    journal.state = OperationState::Running;
    for step in &mut journal.steps[..2] {
        step.state = StepState::Succeeded;
    }
    let step = &mut journal.steps[2];
    step.state = StepState::Running;
    step.started_at = Some(noon());
    step.memo.items[0].phase = Phase::Sent { at: noon() };

    let soon = noon().plus(Duration::seconds(2));
    assert_eq!(next(&journal, soon), Action::ReadDeployment);
    let wait = record(&mut journal, &Action::ReadDeployment, Answer::Absent, soon);
    assert_eq!(wait, Some(noon().plus(GRACE)));

    let later = noon().plus(GRACE);
    assert_eq!(next(&journal, later), Action::ReadDeployment);
    record(&mut journal, &Action::ReadDeployment, Answer::Absent, later);
    assert_eq!(next(&journal, later), Action::ReadScope);
    record(&mut journal, &Action::ReadScope, free(), later);
    assert_eq!(next(&journal, later), Action::PutDeployment);
}

#[test]
fn a_refused_connection_is_retried_and_an_hour_of_it_needs_an_admin() {
    let mut journal = apply();
    let (actions, end) = run(&mut journal, |action| match action {
        Action::PutDeployment => Answer::Trouble {
            note: "Azure cannot be reached, trying again.".to_owned(),
            after: None,
            may_have_arrived: false,
        },
        other => good(other),
    });
    assert_eq!(journal.state, OperationState::NeedsAttention, "{actions:?}");
    assert!(end.since(noon()) > TROUBLE_LIMIT);
    assert!(
        matches!(actions.last(), Some(Action::End(End::NeedsAttention(f))) if f.message.contains("cannot be reached"))
    );
    // An admin takes it further: the limit counts anew and the step goes on where it stopped.
    let step = journal.step_mut().unwrap();
    step.memo.trouble = None;
    step.memo.wake_at = None;
    step.memo.resumed_at = Some(end);
    journal.state = OperationState::Running;
    let (actions, _) = run(&mut journal, good);
    assert_eq!(journal.state, OperationState::Succeeded);
    assert_eq!(puts(&actions), 1);
}

#[test]
fn what_azure_refuses_fails_at_its_step_and_nothing_after_it_runs() {
    for (refused, step) in [
        (Action::PutGroup, 0),
        (Action::Validate, 1),
        (Action::PutDeployment, 2),
        (Action::Collect, 4),
    ] {
        let mut journal = apply();
        let (actions, _) = run(&mut journal, |action| {
            if *action == refused {
                Answer::Refused(Box::new(fault("SkuNotAvailable", "No.", "Another size.")))
            } else {
                good(action)
            }
        });
        assert_eq!(journal.state, OperationState::Failed, "{refused:?}");
        assert_eq!(journal.steps[step].state, StepState::Failed);
        assert!(
            matches!(actions.last(), Some(Action::End(End::Failed(f))) if f.code == "SkuNotAvailable")
        );
        assert!(
            journal.steps[step + 1..]
                .iter()
                .all(|s| s.state == StepState::Pending)
        );
    }
}

#[test]
fn cancelling_between_steps_sends_nothing_and_during_the_deployment_asks_azure() {
    let mut early = apply();
    early.cancel_requested = true;
    assert_eq!(next(&early, noon()), Action::End(End::Cancelled));

    let mut before_put = apply();
    before_put.state = OperationState::Running;
    before_put.cancel_requested = true;
    let (actions, _) = run(&mut before_put, good);
    assert_eq!(before_put.state, OperationState::Cancelled);
    assert_eq!(puts(&actions), 0);

    let mut late = apply();
    late.state = OperationState::Running;
    for step in &mut late.steps[..2] {
        step.state = StepState::Succeeded;
    }
    late.steps[2].state = StepState::Running;
    late.steps[2].started_at = Some(noon());
    late.steps[2].memo.items[0].phase = Phase::Following {
        operation: following(),
        cancel_sent: false,
    };
    late.cancel_requested = true;
    assert_eq!(next(&late, noon()), Action::CancelDeployment);
    let (actions, _) = run(&mut late, |action| match action {
        Action::Follow(_) => Answer::Ended {
            fault: Box::new(fault("Canceled", "Canceled.", "")),
            cancelled: true,
            resources: None,
        },
        other => good(other),
    });
    assert_eq!(late.state, OperationState::Cancelled);
    assert_eq!(
        actions
            .iter()
            .filter(|a| **a == Action::CancelDeployment)
            .count(),
        1
    );
}

#[test]
fn somebody_elses_cancel_in_azure_is_a_failure() {
    let mut journal = apply();
    let (..) = run(&mut journal, |action| match action {
        Action::Follow(_) => Answer::Ended {
            fault: Box::new(fault("DeploymentCanceled", "Canceled.", "")),
            cancelled: true,
            resources: None,
        },
        other => good(other),
    });
    assert_eq!(journal.state, OperationState::Failed);
}

#[test]
fn a_deletion_counts_only_when_the_group_is_gone() {
    let mut journal = destroy();
    let looks = std::cell::Cell::new(0);
    let (actions, _) = run(&mut journal, |action| match action {
        Action::LookForGroup => {
            looks.set(looks.get() + 1);
            Answer::Group(match looks.get() {
                1 => GroupSeen::Ours,
                2 => GroupSeen::OursGoing,
                _ => GroupSeen::Absent,
            })
        }
        other => good(other),
    });
    assert_eq!(journal.state, OperationState::Succeeded);
    assert_eq!(
        actions
            .iter()
            .filter(|a| **a == Action::DeleteGroup)
            .count(),
        2
    );
}

#[test]
fn a_deletion_that_has_begun_cannot_be_cancelled_and_says_so() {
    let mut journal = destroy();
    assert_eq!(cancellable(&journal), Ok(()));
    journal.state = OperationState::Running;
    assert_eq!(cancellable(&journal), Ok(()));
    journal.steps[0].state = StepState::Running;
    assert!(cancellable(&journal).unwrap_err().contains("deletion"));
    journal.cancel_requested = true;
    let (..) = run(&mut journal, good);
    assert_eq!(journal.state, OperationState::Succeeded);
}

#[test]
fn own_resources_go_one_after_the_other_and_the_shared_group_is_never_touched() {
    let mut journal = destroy();
    journal.owns_group = false;
    journal.steps[0].memo.items = vec![Item::new("/pool/machine"), Item::new("/pool")];
    let (actions, _) = run(&mut journal, good);
    assert_eq!(journal.state, OperationState::Succeeded);
    assert_eq!(
        actions
            .iter()
            .filter(|a| **a == Action::DeleteResource)
            .count(),
        2
    );
    assert!(
        !actions
            .iter()
            .any(|a| matches!(a, Action::DeleteGroup | Action::ReadGroup))
    );
}
