//! Four eyes over a request's whole life: who wrote it decides none of it, who lost a right gets nothing by it, and administrators break glass.

use portal::CrashPoints;
use serde_json::json;
use types::actor::{Actor, InstallationRole, Role};
use types::approval::{ApprovalTab, Decide, DecisionKind};
use types::break_glass::NewBreakGlass;
use types::cost::Usd;
use types::names::ProjectName;
use types::operation::{OperationKind, OperationState};
use types::request::{RequestDetail, RequestState};
use types::token::NewToken;

use crate::world::{Engine, World, submission, vm};

fn payments() -> ProjectName {
    "payments".parse().unwrap()
}

async fn read(world: &World, request: &RequestDetail) -> RequestDetail {
    let auditor = world.actor("auditor").await;
    world
        .portal
        .request(&auditor, request.summary.id)
        .await
        .unwrap()
}

/// Sends a request back and lets somebody edit it, with another size of justification each time.
async fn sent_back_and_edited_by(
    world: &World,
    request: &RequestDetail,
    by: &Actor,
) -> RequestDetail {
    let back = world
        .decide("second", request, DecisionKind::RequestChanges)
        .await
        .unwrap();
    let mut draft = back.draft.clone();
    draft.justification.push('.');
    world
        .portal
        .edit(by, request.summary.id, back.summary.version, draft)
        .await
        .unwrap()
}

/// As a decider, in the queue and in the count: somebody is none of them.
async fn is_barred(world: &World, who: &Actor, request: &RequestDetail, said: &str) {
    for decision in [
        DecisionKind::Approve,
        DecisionKind::Reject,
        DecisionKind::RequestChanges,
    ] {
        let decide = Decide {
            decision,
            plan_digest: request.plan.as_ref().unwrap().digest.clone(),
            comment: "Mine.".to_owned(),
        };
        let error = world
            .portal
            .decide(who, request.summary.id, decide)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "four_eyes", "{decision:?}: {error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let queue = world
        .portal
        .approvals(who, ApprovalTab::Mine, None)
        .await
        .unwrap();
    assert!(queue.items.is_empty(), "{queue:#?}");
    assert_eq!(world.portal.approval_count(who).await.unwrap().mine, 0);
}

#[tokio::test]
async fn whoever_edited_any_plan_decides_none_of_the_request() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    let developer = world.actor("developer").await;
    let request = world.send(vm("edited", "prod")).await;
    let edited = sent_back_and_edited_by(&world, &request, &owner).await;
    assert_eq!(edited.summary.requester, "developer");
    assert_eq!(
        edited
            .authors
            .iter()
            .map(|a| (a.plan_revision, a.subject.as_str()))
            .collect::<Vec<_>>(),
        [(1, "developer"), (2, "owner")]
    );
    is_barred(
        &world,
        &owner,
        &edited,
        "You edited this request, so someone else must decide it.",
    )
    .await;
    let token = world
        .portal
        .create_token(
            &owner,
            NewToken {
                name: "pipeline".into(),
                days: 1,
            },
        )
        .await
        .unwrap();
    let token = world
        .portal
        .actor_for_token(&token.value)
        .await
        .unwrap()
        .unwrap();
    is_barred(&world, &token, &edited, "You edited").await;

    // What the owner wrote is replaced by the developer: the owner stays one of its authors.
    let again = sent_back_and_edited_by(&world, &edited, &developer).await;
    assert_eq!(again.plan_revision, 3);
    is_barred(&world, &owner, &again, "You edited").await;
    // A developer who is made an owner is still the requester.
    world.role("developer", Some(Role::Owner)).await;
    is_barred(&world, &world.actor("developer").await, &again, "You sent").await;
    let queue = world
        .portal
        .approvals(&world.actor("approver").await, ApprovalTab::Mine, None)
        .await
        .unwrap();
    assert_eq!(queue.items[0].authors.len(), 3);
    let approved = world
        .decide("approver", &again, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.summary.state, RequestState::Approved);
}

#[tokio::test]
async fn an_approval_is_void_once_its_approver_edits() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    let mut draft = vm("two-eyes", "prod");
    draft.justification = "This one wants two approvers.".to_owned();
    let request = world.send(draft).await;
    world
        .decide("owner", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let edited = sent_back_and_edited_by(&world, &request, &owner).await;
    assert!(edited.needs.iter().all(|need| need.approved_by.is_empty()));
    let one = world
        .decide("approver", &edited, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(one.summary.state, RequestState::AwaitingApproval);
    let both = world
        .decide("second", &edited, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(both.summary.state, RequestState::Approved);
}

#[tokio::test]
async fn who_asked_for_changes_decides_the_next_plan_also_when_it_is_equal() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let mut request = world.send(vm("unchanged", "prod")).await;
    for decision in [
        DecisionKind::RequestChanges,
        DecisionKind::RequestChanges,
        DecisionKind::Approve,
    ] {
        let decided = world.decide("approver", &request, decision).await.unwrap();
        if decision == DecisionKind::Approve {
            assert_eq!(decided.summary.state, RequestState::Approved);
            let current: Vec<bool> = decided.decisions.iter().map(|d| d.current).collect();
            assert_eq!(current, [true, false, false]);
            return;
        }
        let again = world
            .portal
            .edit(
                &developer,
                request.summary.id,
                decided.summary.version,
                decided.draft.clone(),
            )
            .await
            .unwrap();
        assert_eq!(
            again.plan.as_ref().unwrap().digest,
            request.plan.as_ref().unwrap().digest
        );
        assert_eq!(again.plan_revision, request.plan_revision + 1);
        request = again;
    }
}

/// Who lost the right to request, at each moment before Azure hears of the request.
#[tokio::test]
async fn a_requester_who_lost_the_role_gets_nothing_executed() {
    let world = World::new().await;

    // Before the approval.
    for (name, role) in [("reader-now", Some(Role::Reader)), ("gone-now", None)] {
        world.role("developer", Some(Role::Developer)).await;
        let request = world.send(vm(name, "prod")).await;
        world.role("developer", role).await;
        let error = world
            .decide("approver", &request, DecisionKind::Approve)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "right_lost", "{error}");
        let told = read(&world, &request).await;
        assert_eq!(told.summary.state, RequestState::Denied);
        assert!(
            told.sent_back.unwrap().contains("developer, who sent this request, no longer has the role developer or owner in payments"),
        );
        // Nobody else can lend it their right by editing it.
        let owner = world.actor("owner").await;
        let error = world
            .portal
            .edit(&owner, request.summary.id, told.summary.version, told.draft)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "right_lost");
    }

    // Between the approval and the first step, and the same for who edited it last.
    for (name, editor) in [("late", None), ("late-edit", Some("owner"))] {
        world.role("developer", Some(Role::Developer)).await;
        let mut request = world.send(vm(name, "prod")).await;
        if let Some(editor) = editor {
            let editor = world.actor(editor).await;
            request = sent_back_and_edited_by(&world, &request, &editor).await;
        }
        world
            .decide("approver", &request, DecisionKind::Approve)
            .await
            .unwrap();
        world
            .role(editor.unwrap_or("developer"), Some(Role::Reader))
            .await;
        // A round of the reconciler comes before the worker: the queued operation must find the request as it was approved, and ask itself.
        world.portal.reconcile().await.unwrap();
        let operation = world.run(request.summary.id).await;
        assert_eq!(operation.summary.state, OperationState::Cancelled);
        let told = read(&world, &request).await;
        assert_eq!(told.summary.state, RequestState::Denied, "{told:#?}");
        assert!(told.sent_back.unwrap().contains("no longer has the role"));
    }
    assert!(world.writes("PUT", "/deployments/").await.is_empty());
    world.audited(&["request.sent_back"]).await;
}

#[tokio::test]
async fn a_lost_role_also_stops_what_waited_for_another_operation_and_a_longer_life() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    let developer = world.actor("developer").await;
    let stack = world.active("busy").await;
    let mut change = vm("busy", "dev");
    change.kind = types::request::RequestKind::Update;
    change.stack = Some(stack);
    change.justification = "This one wants two approvers.".to_owned();
    change.tags.insert("team".to_owned(), "core".to_owned());
    let request = world.send(change).await;
    assert_eq!(request.summary.state, RequestState::AwaitingApproval);
    let power = world
        .portal
        .power(&owner, stack, OperationKind::Restart)
        .await
        .unwrap();
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let approved = world
        .decide("second", &request, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.summary.state, RequestState::Approved);
    assert_eq!(approved.operation, None, "it waits for the restart");
    world.role("developer", Some(Role::Reader)).await;
    world.drive(power.summary.id).await;
    world.portal.reconcile().await.unwrap();
    let told = read(&world, &request).await;
    assert_eq!(told.summary.state, RequestState::Denied);
    assert_eq!(told.operation, None);

    // A longer life is given at the moment of its approval.
    world.role("developer", Some(Role::Developer)).await;
    world
        .portal
        .withdraw(&developer, request.summary.id, told.summary.version)
        .await
        .unwrap();
    let longer = world
        .portal
        .extend_stack(
            &developer,
            stack,
            "60d".to_owned(),
            "Longer, with two approvers.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    let before = world.portal.stack(&owner, stack).await.unwrap();
    world
        .decide("approver", &longer, DecisionKind::Approve)
        .await
        .unwrap();
    world.role("developer", None).await;
    let error = world
        .decide("second", &longer, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "right_lost");
    let after = world.portal.stack(&owner, stack).await.unwrap();
    assert_eq!(after.summary.expires_at, before.summary.expires_at);
}

#[tokio::test]
async fn somebody_with_the_right_tries_again_what_a_former_member_sent() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1,
            "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed."}}))
        .await;
    let request = world.send(vm("inherited", "dev")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    let developer = world.actor("developer").await;
    world.role("developer", None).await;
    let former = world.actor("developer").await;
    assert_eq!(developer.subject, former.subject);
    let error = world
        .portal
        .retry(&former, request.summary.stack)
        .await
        .unwrap_err();
    assert_eq!(error.status(), 404);
    let again = world
        .portal
        .retry(&owner, request.summary.stack)
        .await
        .unwrap();
    let operation = world.drive(again.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}

#[tokio::test]
async fn an_approval_counts_when_execution_begins_or_it_is_asked_for_again() {
    let world = World::new().await;
    for (name, lose_group) in [("no-group", true), ("no-role", false)] {
        let request = world.send(vm(name, "prod")).await;
        world
            .decide("approver", &request, DecisionKind::Approve)
            .await
            .unwrap();
        if lose_group {
            world
                .portal
                .sign_in("approver", "approver", vec![], vec![])
                .await
                .unwrap();
        } else {
            world.role("approver", Some(Role::Reader)).await;
        }
        let operation = world.run(request.summary.id).await;
        assert_eq!(operation.summary.state, OperationState::Cancelled);
        let told = read(&world, &request).await;
        assert_eq!(told.summary.state, RequestState::AwaitingApproval);
        assert!(
            told.sent_back
                .as_ref()
                .is_some_and(|why| why.contains("An approval no longer counts")),
            "{:?}",
            told.sent_back
        );
        assert!(told.decisions.iter().all(|decision| !decision.current));
        world
            .decide("second", &told, DecisionKind::Approve)
            .await
            .unwrap();
        let operation = world.run(request.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
        let groups = vec!["platform-approvers".parse().unwrap()];
        world
            .portal
            .sign_in("approver", "approver", groups, vec![])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_slipway_asks_for_is_decided_by_anybody_who_did_not_edit_it() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    let made = world
        .portal
        .submit(&owner, vm("mortal", "prod"), submission())
        .await
        .unwrap();
    world
        .decide("approver", &made, DecisionKind::Approve)
        .await
        .unwrap();
    world.run(made.summary.id).await;
    world.clock.advance(time::Duration::days(31));
    world.portal.reconcile().await.unwrap();
    let stack = world
        .portal
        .stack(&owner, made.summary.stack)
        .await
        .unwrap();
    let deletion = world
        .portal
        .request(&owner, stack.requests[0])
        .await
        .unwrap();
    assert_eq!(deletion.summary.requester, "slipway");
    assert_eq!(deletion.summary.state, RequestState::AwaitingApproval);
    let error = world
        .portal
        .decide(
            &Actor {
                kind: types::actor::ActorKind::System,
                groups: owner.groups.clone(),
                memberships: owner.memberships.clone(),
                ..owner.clone()
            },
            deletion.summary.id,
            Decide {
                decision: DecisionKind::Approve,
                plan_digest: deletion.plan.as_ref().unwrap().digest.clone(),
                comment: String::new(),
            },
        )
        .await
        .unwrap_err();
    assert_eq!(error.code(), "person_needed");
    // Whoever wrote the stack's plan did not write its end.
    let approved = world
        .decide("owner", &deletion, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.summary.state, RequestState::Approved);
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Succeeded);
}

#[tokio::test]
async fn an_administrator_requests_and_approves_only_while_the_glass_is_broken() {
    let world = World::new().await;
    let portal = &world.portal;
    let project = payments();
    let reason = |text: &str| NewBreakGlass {
        reason: text.to_owned(),
    };
    let request = world.send(vm("stuck", "prod")).await;
    let admin = world.actor("admin").await;
    assert_eq!(
        portal
            .submit(&admin, vm("admins", "prod"), submission())
            .await
            .unwrap_err()
            .status(),
        403
    );
    let error = world
        .decide("admin", &request, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.status(), 403);
    assert_eq!(portal.approval_count(&admin).await.unwrap().mine, 0);

    // Who may not, and what is no reason.
    for (who, status) in [
        ("developer", 403),
        ("owner", 403),
        ("auditor", 403),
        ("outsider", 404),
    ] {
        let error = portal
            .break_glass(
                &world.actor(who).await,
                &project,
                reason("The approvers are away."),
            )
            .await
            .unwrap_err();
        assert_eq!(error.status(), status, "{who}");
    }
    for short in [
        "",
        "because",
        "         x         ",
        "\u{202e}abcdefghijklm",
    ] {
        let error = portal
            .break_glass(&admin, &project, reason(short))
            .await
            .unwrap_err();
        assert_eq!(error.status(), 422, "{short:?}");
    }
    let token = portal
        .create_token(
            &admin,
            NewToken {
                name: "night".into(),
                days: 1,
            },
        )
        .await
        .unwrap()
        .value;
    let by_token = portal.actor_for_token(&token).await.unwrap().unwrap();
    assert_eq!(
        portal
            .break_glass(&by_token, &project, reason("The approvers are away."))
            .await
            .unwrap_err()
            .code(),
        "person_needed"
    );

    let glass = portal
        .break_glass(&admin, &project, reason("The approvers are away."))
        .await
        .unwrap();
    assert!(glass.active);
    let admin = world.actor("admin").await;
    assert_eq!(
        portal
            .break_glass(&admin, &project, reason("Once more, for longer."))
            .await
            .unwrap_err()
            .code(),
        "break_glass_active"
    );
    assert!(
        !admin.may(
            types::actor::Right::Approve,
            Some(&"search".parse().unwrap())
        ),
        "one project"
    );
    let by_token = portal.actor_for_token(&token).await.unwrap().unwrap();
    assert_eq!(
        portal
            .submit(&by_token, vm("tokens", "prod"), submission())
            .await
            .unwrap_err()
            .status(),
        403,
        "a token gains nothing"
    );
    // Edit, then approve: four eyes hold.
    let edited = sent_back_and_edited_by(&world, &request, &admin).await;
    assert_eq!(edited.authors[1].break_glass, Some(glass.id));
    is_barred(&world, &admin, &edited, "You edited").await;
    // Somebody else's request is decided, and everybody is told how.
    let other = world.send(vm("urgent", "prod")).await;
    let approved = world
        .decide("admin", &other, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.decisions.items[0].break_glass, Some(glass.id));
    let developer = world.actor("developer").await;
    let stack = portal.stack(&developer, other.summary.stack).await.unwrap();
    assert!(
        stack
            .activity
            .iter()
            .any(|line| line.text.contains("Approved the plan.")
                && line
                    .text
                    .contains("Under break glass: “The approvers are away.”")),
        "{:#?}",
        stack.activity
    );
    let first = portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    assert!(
        first.activity.iter().any(|line| line
            .text
            .starts_with("Broke glass in payments for 30 minutes")),
        "{:#?}",
        first.activity
    );
    let shown = portal.project(&developer, &project).await.unwrap();
    assert_eq!(shown.break_glass[0].reason, "The approvers are away.");
    assert!(!shown.break_glass[0].end.is_allowed());
    // What was approved under it is executed, also after it has ended.
    let asked = portal
        .submit(&admin, vm("admins", "prod"), submission())
        .await
        .unwrap();
    world.clock.advance(time::Duration::minutes(31));
    let admin = world.actor("admin").await;
    assert!(admin.break_glass.is_empty());
    assert_eq!(
        portal
            .submit(&admin, vm("too-late", "prod"), submission())
            .await
            .unwrap_err()
            .status(),
        403
    );
    world
        .decide("second", &asked, DecisionKind::Approve)
        .await
        .unwrap();
    for id in [other.summary.id, asked.summary.id] {
        let operation = world.run(id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
    }
    world
        .audited(&["project.glass_broken", "request.approved"])
        .await;
}

#[tokio::test]
async fn a_broken_glass_ends_by_its_owners_and_with_the_role() {
    let world = World::new().await;
    let portal = &world.portal;
    let project = payments();
    let break_it = async || {
        portal
            .break_glass(
                &world.actor("admin").await,
                &project,
                NewBreakGlass {
                    reason: "The approvers are away.".to_owned(),
                },
            )
            .await
            .unwrap()
    };
    let glass = break_it().await;
    for (who, status) in [("developer", 403), ("approver", 403), ("outsider", 404)] {
        let error = portal
            .end_break_glass(&world.actor(who).await, &project, glass.id)
            .await
            .unwrap_err();
        assert_eq!(error.status(), status, "{who}");
    }
    let search = "search".parse().unwrap();
    let admin = world.actor("admin").await;
    assert_eq!(
        portal
            .end_break_glass(&admin, &search, glass.id)
            .await
            .unwrap_err()
            .status(),
        404
    );
    let owner = world.actor("owner").await;
    let ended = portal
        .end_break_glass(&owner, &project, glass.id)
        .await
        .unwrap();
    assert_eq!(ended.ended_by.as_deref(), Some("owner"));
    assert!(!ended.active && world.actor("admin").await.break_glass.is_empty());
    assert_eq!(
        portal
            .end_break_glass(&owner, &project, glass.id)
            .await
            .unwrap_err()
            .code(),
        "break_glass_ended"
    );

    // With the role goes what it gave, also what was approved and not begun.
    break_it().await;
    let request = world.send(vm("orphaned", "prod")).await;
    world
        .decide("admin", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let asked = portal
        .submit(
            &world.actor("admin").await,
            vm("asked", "prod"),
            submission(),
        )
        .await
        .unwrap();
    let groups = vec!["platform-approvers".parse().unwrap()];
    portal
        .sign_in("admin", "admin", groups, Vec::<InstallationRole>::new())
        .await
        .unwrap();
    assert!(world.actor("admin").await.break_glass.is_empty());
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let error = world
        .decide("approver", &asked, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "right_lost");
    world
        .audited(&["project.glass_broken", "project.glass_mended"])
        .await;
}

/// Two clicks at the same moment.
async fn glass_breaks_once(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let (portal, project, admin) = (&world.portal, payments(), world.actor("admin").await);
    let click = || {
        portal.break_glass(
            &admin,
            &project,
            NewBreakGlass {
                reason: "The approvers are away.".to_owned(),
            },
        )
    };
    let (one, other) = tokio::join!(click(), click());
    let refused = match (one, other) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("{both:?}"),
    };
    assert_eq!(refused.code(), "break_glass_active");
    let broken = portal.broken_glass_in(&admin, &project).await.unwrap();
    assert_eq!(broken.len(), 1, "{broken:#?}");
}

#[tokio::test]
async fn two_clicks_at_once_break_the_glass_once_on_sqlite() {
    glass_breaks_once(Engine::Sqlite).await;
}

#[tokio::test]
async fn two_clicks_at_once_break_the_glass_once_on_postgres() {
    glass_breaks_once(Engine::Postgres).await;
}

#[tokio::test]
async fn who_approved_lets_it_go_ahead_when_nobody_else_has_to_agree_any_more() {
    let world = World::new().await;
    world.plant_with("payments", &[], None, 20).await;
    let request = world.send(vm("costly", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let approver = world.actor("approver").await;
    let open = async || {
        let id = request.summary.id;
        world.portal.request(&approver, id).await.unwrap()
    };
    let waiting = open().await;
    assert_eq!(waiting.summary.state, RequestState::AwaitingApproval);
    assert!(!waiting.access.decide.is_allowed(), "it waits for another");

    world
        .plant_with("payments", &[], Some(Usd(4_000_000)), 20)
        .await;
    let dropped = open().await;
    assert!(dropped.access.approve.is_allowed(), "{:?}", dropped.access);
    assert!(!dropped.access.reject.is_allowed(), "{:?}", dropped.access);
    for other in [DecisionKind::Reject, DecisionKind::RequestChanges] {
        let refused = world.decide("approver", &dropped, other).await.unwrap_err();
        assert_eq!(refused.code(), "already_decided");
    }
    let approved = world
        .decide("approver", &dropped, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.summary.state, RequestState::Approved);
    assert_eq!(approved.decisions.items.len(), 1, "one of each person");
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}
