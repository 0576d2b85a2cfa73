//! The end of a life: when it is, and that it comes, whatever anybody sends or takes back before it.

use serde_json::json;
use time::Duration;
use types::approval::DecisionKind;
use types::ids::{StackId, SubmissionId};
use types::operation::{OperationKind, OperationState};
use types::request::{RequestDetail, RequestDraft, RequestKind, RequestState};
use types::stack::{DeleteStack, StackState};

use crate::world::{World, submission, vm};

impl World {
    /// A machine in this tier, made and active.
    async fn made(&self, name: &str, tier: &str) -> StackId {
        let request = self.send(vm(name, tier)).await;
        if request.summary.state == RequestState::AwaitingApproval {
            self.decide("approver", &request, DecisionKind::Approve)
                .await
                .unwrap();
        }
        let operation = self.run(request.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
        request.summary.stack
    }

    async fn update(
        &self,
        stack: StackId,
        name: &str,
        tier: &str,
        change: fn(&mut RequestDraft),
    ) -> RequestDetail {
        let mut draft = vm(name, tier);
        draft.kind = RequestKind::Update;
        draft.stack = Some(stack);
        change(&mut draft);
        self.send(draft).await
    }

    /// The newest request about a stack, as an admin sees it.
    async fn newest(&self, stack: StackId) -> RequestDetail {
        let admin = self.actor("admin").await;
        let id = self.portal.stack(&admin, stack).await.unwrap().requests[0];
        self.portal.request(&admin, id).await.unwrap()
    }

    async fn state(&self, stack: StackId) -> StackState {
        self.store
            .stack(stack)
            .await
            .unwrap()
            .unwrap()
            .summary
            .state
    }

    async fn ends_at(&self, stack: StackId) -> Option<types::time::Timestamp> {
        self.store
            .stack(stack)
            .await
            .unwrap()
            .unwrap()
            .summary
            .expires_at
    }

    /// Slipway asks for the deletion, and it is carried out.
    async fn is_deleted_at_its_end(&self, stack: StackId, what: &str) {
        Box::pin(self.deleted_at_its_end(stack, what)).await;
    }

    async fn deleted_at_its_end(&self, stack: StackId, what: &str) {
        self.portal.reconcile().await.unwrap();
        let deletion = self.newest(stack).await;
        assert_eq!(
            (deletion.summary.kind, deletion.summary.requester.as_str()),
            (RequestKind::Delete, "slipway"),
            "{what}"
        );
        if deletion.summary.state == RequestState::AwaitingApproval {
            self.decide("second", &deletion, DecisionKind::Approve)
                .await
                .unwrap();
        }
        let operation = self.run(deletion.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{what}: {operation:#?}"
        );
        assert_eq!(self.state(stack).await, StackState::Deleted, "{what}");
    }
}

fn forever(draft: &mut RequestDraft) {
    draft.expiry = "365d".to_owned();
    draft.justification = "Please deny this, so that it stays open.".to_owned();
}

#[tokio::test]
async fn no_open_request_keeps_a_stack_past_its_end() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    for (what, tier) in [
        ("nothing", "dev"),
        ("a denied update", "dev"),
        ("a denied update", "prod"),
        ("an update that waits", "prod"),
        ("an update that was sent back", "prod"),
        ("an update that was taken back", "prod"),
        ("an extension that waits", "prod"),
        ("an extension that was sent back", "prod"),
        ("an own deletion that waits", "dev"),
        ("Slipway's own submission number", "dev"),
    ] {
        let name = if what.contains("own deletion") {
            "guarded-own"
        } else {
            "at-the-end"
        };
        let stack = world.made(name, tier).await;
        let ended = world.ends_at(stack).await.unwrap();
        world.clock.advance(Duration::days(29));
        let open = match what {
            "a denied update" => Some(world.update(stack, name, tier, forever).await),
            "an update that waits"
            | "an update that was sent back"
            | "an update that was taken back" => {
                let update = |d: &mut RequestDraft| d.expiry = "365d".to_owned();
                Some(world.update(stack, name, tier, update).await)
            }
            "an extension that waits" | "an extension that was sent back" => Some(
                world
                    .portal
                    .extend_stack(
                        &developer,
                        stack,
                        "90d".to_owned(),
                        "It is still needed.".to_owned(),
                        submission(),
                    )
                    .await
                    .unwrap(),
            ),
            "an own deletion that waits" => Some(world.delete(stack, name).await),
            "Slipway's own submission number" => {
                // What the developer sends under every number that expiry may use makes a request of the developer's own, and nothing else.
                for n in 0..3 {
                    let number =
                        uuid::Uuid::new_v5(&stack.0, format!("expired {ended} {n}").as_bytes());
                    let other = world
                        .portal
                        .submit(
                            &developer,
                            vm(&format!("number-{n}"), "prod"),
                            SubmissionId(number),
                        )
                        .await
                        .unwrap();
                    assert_ne!(other.summary.id.0, number);
                }
                None
            }
            _ => None,
        };
        if let Some(open) = &open {
            if what.ends_with("sent back") {
                world
                    .decide("approver", open, DecisionKind::RequestChanges)
                    .await
                    .unwrap();
            } else if what.ends_with("taken back") {
                world
                    .portal
                    .withdraw(&developer, open.summary.id, open.summary.version)
                    .await
                    .unwrap();
            }
        }
        world.portal.reconcile().await.unwrap();
        assert_eq!(
            world.state(stack).await,
            StackState::Active,
            "{what}: it is not over yet"
        );
        world.clock.advance(Duration::days(2));
        world.is_deleted_at_its_end(stack, what).await;
        if let Some(open) = open {
            let closed = world
                .portal
                .request(&developer, open.summary.id)
                .await
                .unwrap();
            let wanted = if what.ends_with("taken back") {
                RequestState::Withdrawn
            } else {
                RequestState::Expired
            };
            assert_eq!(closed.summary.state, wanted, "{what}");
            if wanted == RequestState::Expired {
                let last = &closed.timeline.items.first().unwrap().text;
                assert!(last.contains("the stack has expired"), "{what}: {last}");
            }
        }
    }
    world
        .audited(&["request.expired", "request.submitted"])
        .await;
}

#[tokio::test]
async fn only_an_admin_withdraws_slipways_deletion_and_it_is_asked_for_again_the_next_day() {
    let world = World::new().await;
    let stack = world.made("guarded-again", "prod").await;
    world.clock.advance(Duration::days(31));
    for round in ["withdrawn", "rejected", "decided by nobody"] {
        world.portal.reconcile().await.unwrap();
        let deletion = world.newest(stack).await;
        assert_eq!(
            deletion.summary.state,
            RequestState::AwaitingApproval,
            "{round}"
        );
        let id = deletion.summary.id;
        match round {
            "withdrawn" => {
                for who in ["developer", "owner", "approver"] {
                    let actor = world.actor(who).await;
                    let error = world
                        .portal
                        .withdraw(&actor, id, deletion.summary.version)
                        .await
                        .unwrap_err();
                    assert_eq!(error.status(), 403, "{who}");
                    let seen = world.portal.request(&actor, id).await.unwrap();
                    assert!(!seen.access.withdraw.is_allowed(), "{who}");
                }
                let admin = world.actor("admin").await;
                world
                    .portal
                    .withdraw(&admin, id, deletion.summary.version)
                    .await
                    .unwrap();
            }
            "rejected" => {
                world
                    .decide("approver", &deletion, DecisionKind::Reject)
                    .await
                    .unwrap();
            }
            _ => world.clock.advance(Duration::days(15)),
        }
        // Not at once: there is a day to extend it.
        world.portal.reconcile().await.unwrap();
        assert_eq!(world.newest(stack).await.summary.id, id, "{round}");
        world.clock.advance(Duration::hours(25));
        world.portal.reconcile().await.unwrap();
        let again = world.newest(stack).await;
        assert_ne!(again.summary.id, id, "{round}");
        assert!(
            again.draft.justification.contains("asked for before")
                && again.draft.justification.contains(round),
            "{}",
            again.draft.justification
        );
    }
    world
        .is_deleted_at_its_end(stack, "asked for four times")
        .await;
}

#[tokio::test]
async fn a_deletion_that_a_rule_denies_stands_in_nobodys_way_and_is_asked_for_again() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.made("locked", "dev").await;
    world.clock.advance(Duration::days(31));
    world.portal.reconcile().await.unwrap();
    let denied = world.newest(stack).await;
    assert_eq!(denied.summary.state, RequestState::Denied);
    world.portal.reconcile().await.unwrap();
    assert_eq!(world.newest(stack).await.summary.id, denied.summary.id);
    // Meanwhile the stack may be given a longer life, which ends as any other.
    world
        .portal
        .extend_stack(
            &developer,
            stack,
            "10d".to_owned(),
            "A while.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    world.clock.advance(Duration::days(5));
    world.portal.reconcile().await.unwrap();
    assert_eq!(world.state(stack).await, StackState::Active);
    world.clock.advance(Duration::days(6));
    world.portal.reconcile().await.unwrap();
    world.clock.advance(Duration::hours(25));
    world
        .is_deleted_at_its_end(stack, "denied, then asked again")
        .await;
}

#[tokio::test]
async fn a_stopped_stack_comes_to_its_end() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stopped = world.made("stopped", "dev").await;
    let operation = world
        .portal
        .power(&developer, stopped, OperationKind::Stop)
        .await
        .unwrap();
    world.drive(operation.summary.id).await;
    assert_eq!(world.state(stopped).await, StackState::Stopped);
    world.clock.advance(Duration::days(31));
    world.is_deleted_at_its_end(stopped, "stopped").await;
}

#[tokio::test]
async fn a_failed_stack_comes_to_its_end() {
    let world = World::new().await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1,
            "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed."}}))
        .await;
    let request = world.send(vm("failed", "dev")).await;
    world.run(request.summary.id).await;
    let failed = request.summary.stack;
    assert_eq!(world.state(failed).await, StackState::Failed);
    world.clock.advance(Duration::days(31));
    world.is_deleted_at_its_end(failed, "failed").await;
}

#[tokio::test]
async fn a_stack_that_is_updating_comes_to_its_end_when_that_has_ended() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let updating = world.made("updating", "dev").await;
    // A step that runs for six hours is an admin's.
    world.clock.advance(Duration::days(30) - Duration::hours(1));
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1, "action": {"type": "hang"}}))
        .await;
    let update = world
        .update(updating, "updating", "dev", |d| {
            d.parameters.insert("dataDisk".into(), true.into());
        })
        .await;
    let id = world
        .store
        .operation_of_request(update.summary.id)
        .await
        .unwrap()
        .unwrap();
    world.portal.advance(id).await.unwrap();
    assert_eq!(world.state(updating).await, StackState::Updating);
    world.clock.advance(Duration::hours(2));
    world.portal.reconcile().await.unwrap();
    assert_eq!(
        world.newest(updating).await.summary.id,
        update.summary.id,
        "it is at work"
    );
    world.portal.cancel(&developer, id).await.unwrap();
    world.drive(id).await;
    world.clear_faults().await;
    world.is_deleted_at_its_end(updating, "updating").await;
}

#[tokio::test]
async fn an_approved_change_that_does_not_begin_has_one_day_more() {
    let world = World::new().await;
    let stack = world.made("not-begun", "dev").await;
    world.clock.advance(Duration::days(29));
    // Nobody works on it: it stays in the queue.
    let update = world
        .update(stack, "not-begun", "dev", |d| d.expiry = "60d".to_owned())
        .await;
    assert_eq!(update.summary.state, RequestState::Approved);
    world.clock.advance(Duration::hours(30));
    world.portal.reconcile().await.unwrap();
    assert_eq!(world.newest(stack).await.summary.id, update.summary.id);
    world.clock.advance(Duration::days(1));
    world.portal.reconcile().await.unwrap();
    let closed = world
        .store
        .request(update.summary.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(closed.summary.state, RequestState::Expired);
    world.is_deleted_at_its_end(stack, "not begun").await;
}

#[tokio::test]
async fn a_life_counts_from_the_moment_it_begins() {
    let world = World::new().await;
    let request = world.send(vm("waited", "prod")).await;
    world.clock.advance(Duration::days(13));
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let begins = world.clock.now();
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Succeeded);
    let stack = request.summary.stack;
    let ends = world.ends_at(stack).await.unwrap();
    assert_eq!(ends, begins.plus(Duration::days(30)));
    let developer = world.actor("developer").await;
    let told = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    let sentence = format!("It expires on {}.", ends.get().date());
    assert!(
        told.timeline
            .iter()
            .any(|line| line.text.contains(&sentence)),
        "{:#?}",
        told.timeline
    );

    // So does what an extension adds.
    let extension = world
        .portal
        .extend_stack(
            &developer,
            stack,
            "60d".to_owned(),
            "It is still needed.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    assert!(
        extension
            .plan
            .as_ref()
            .unwrap()
            .summary
            .contains("60 days from the approval")
    );
    world.clock.advance(Duration::days(10));
    let approved = world.clock.now();
    world
        .decide("approver", &extension, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(
        world.ends_at(stack).await,
        Some(approved.plus(Duration::days(60)))
    );

    // A change leaves the end where it is, unless it says another.
    let update = world
        .update(stack, "waited", "prod", |d| {
            d.tags.insert("team".to_owned(), "x".to_owned());
        })
        .await;
    world
        .decide("approver", &update, DecisionKind::Approve)
        .await
        .unwrap();
    world.run(update.summary.id).await;
    assert_eq!(
        world.ends_at(stack).await,
        Some(approved.plus(Duration::days(60)))
    );
}

#[tokio::test]
async fn a_day_that_is_over_when_it_begins_is_asked_about_again() {
    let world = World::new().await;
    let mut draft = vm("too-late", "prod");
    draft.expiry = world
        .clock
        .now()
        .plus(Duration::days(5))
        .get()
        .date()
        .to_string();
    let late = {
        let mut late = draft.clone();
        late.name = "decided-too-late".to_owned();
        world.send(late).await
    };
    let request = world.send(draft).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    world.clock.advance(Duration::days(7));
    let refused = world
        .decide("approver", &late, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("This day is over"),
        "{refused}"
    );
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let developer = world.actor("developer").await;
    let back = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(back.summary.state, RequestState::Denied);
    assert!(back.sent_back.unwrap().contains("This day is over"));
    assert!(world.writes("PUT", "/deployments/").await.is_empty());
}

#[tokio::test]
async fn a_form_for_a_deletion_is_no_way_around_its_end() {
    // The developer's own deletion, sent and taken back again and again, is replaced by Slipway's.
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.made("guarded-mine", "dev").await;
    world.clock.advance(Duration::days(31));
    for _ in 0..3 {
        let form = DeleteStack {
            confirm: "guarded-mine".to_owned(),
            justification: "I will.".to_owned(),
        };
        // Once Slipway's own stands, nobody else's is taken.
        let sent = world
            .portal
            .delete_stack(&developer, stack, form, submission())
            .await;
        world.portal.reconcile().await.unwrap();
        if let Ok(sent) = sent {
            let closed = world
                .portal
                .request(&developer, sent.summary.id)
                .await
                .unwrap();
            assert_eq!(closed.summary.state, RequestState::Expired);
        }
        assert_eq!(world.newest(stack).await.summary.requester, "slipway");
    }
    world.is_deleted_at_its_end(stack, "its own deletion").await;
}

/// Neither switching a machine on and off nor cancelling the deletion keeps an expired stack.
#[tokio::test]
async fn nobody_puts_the_end_off_by_switching_or_cancelling() {
    let world = World::new().await;
    let stack = world.made("busy-bee", "dev").await;
    world.clock.advance(Duration::days(31));
    for who in ["developer", "owner"] {
        let actor = world.actor(who).await;
        for kind in [
            OperationKind::Stop,
            OperationKind::Restart,
            OperationKind::Start,
        ] {
            let refused = world.portal.power(&actor, stack, kind).await.unwrap_err();
            assert_eq!(refused.status(), 409, "{who}: {refused}");
            assert!(refused.to_string().contains("extend it"), "{refused}");
        }
        let shown = world.portal.stack(&actor, stack).await.unwrap();
        assert!(!shown.access.stop.is_allowed() && !shown.access.update.is_allowed());
    }
    world.portal.reconcile().await.unwrap();
    let deletion = world.newest(stack).await;
    let operation = deletion.operation.unwrap();
    for who in ["developer", "owner", "approver"] {
        let actor = world.actor(who).await;
        let refused = world.portal.cancel(&actor, operation).await.unwrap_err();
        assert_eq!(refused.status(), 403, "{who}: {refused}");
        let shown = world.portal.operation(&actor, operation).await.unwrap();
        assert!(!shown.cancel.is_allowed(), "{who}");
    }
    let ended = world.run(deletion.summary.id).await;
    assert_eq!(ended.summary.state, OperationState::Succeeded, "{ended:#?}");
    assert_eq!(world.state(stack).await, StackState::Deleted);
}
