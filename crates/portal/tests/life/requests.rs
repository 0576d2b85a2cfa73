//! Requests: sent once, decided by four eyes, sent back when the plan is another one.

use portal::{CrashPoints, Error};
use types::access::Access;
use types::approval::{ApprovalTab, DecisionKind};
use types::operation::OperationState;
use types::project::Tier;
use types::request::{RequestDetail, RequestState};
use types::stack::StackState;

use crate::world::{Engine, World, submission, vm};

async fn from_form_to_nothing_left(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let request = world.send(vm("settlement", "prod")).await;
    assert_eq!(request.summary.state, RequestState::AwaitingApproval);
    assert!(
        matches!(&request.access.decide, Access::Disabled { reason } if reason.contains("You sent this request"))
    );

    let approver = world.actor("approver").await;
    let queue = world
        .portal
        .approvals(&approver, ApprovalTab::Mine, None)
        .await
        .unwrap();
    assert_eq!(queue.items.len(), 1);
    assert!(queue.items[0].why.contains("platform-approvers"));
    let count = world.portal.approval_count(&approver).await.unwrap();
    assert_eq!((count.mine, count.oldest), (1, Some(request.summary.id)));

    let approved = world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(approved.summary.state, RequestState::Approved);
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert!(
        operation.steps.iter().any(|s| s
            .resources
            .iter()
            .any(|r| r.state == "Succeeded" && r.kind.ends_with("virtualMachines"))),
        "{operation:#?}"
    );

    let developer = world.actor("developer").await;
    let stack = world
        .portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    assert_eq!(stack.summary.state, StackState::Active);
    assert_eq!(stack.approved_by, ["approver"]);
    assert!(!stack.resources.is_empty() && !stack.outputs.is_empty());
    assert!(stack.summary.expires_at.is_some());
    assert!(!stack.connect.is_empty(), "{:#?}", stack.outputs);
    let target = stack.summary.target.clone();
    let group = world
        .group(&target.subscription, &target.resource_group)
        .await
        .unwrap();
    assert_eq!(
        group.tag("slipway-stack"),
        Some(stack.summary.id.to_string().as_str())
    );

    let deletion = world.delete(stack.summary.id, "settlement").await;
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert!(
        !world
            .group_exists(&target.subscription, &target.resource_group)
            .await
    );
    let gone = world
        .portal
        .stack(&developer, stack.summary.id)
        .await
        .unwrap();
    assert_eq!(gone.summary.state, StackState::Deleted);
    assert!(gone.resources.is_empty());

    world.each_revision_was_sent_once().await;
    let told = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(told.summary.state, RequestState::Completed);
    assert!(told.timeline.items.len() >= 4, "{:#?}", told.timeline);
    world
        .audited(&[
            "person.signed_in",
            "request.submitted",
            "request.approved",
            "operation.started",
            "operation.succeeded",
            "stack.delete_requested",
        ])
        .await;
    // The name is free again.
    let again = world.send(vm("settlement", "prod")).await;
    assert_ne!(again.summary.stack, request.summary.stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_form_to_nothing_left_on_sqlite() {
    from_form_to_nothing_left(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_form_to_nothing_left_on_postgres() {
    from_form_to_nothing_left(Engine::Postgres).await;
}

async fn one_form_sent_twice_at_once_is_one_request(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let developer = world.actor("developer").await;
    let number = submission();
    let sent = (0..6).map(|_| world.portal.submit(&developer, vm("twice", "prod"), number));
    let answers: Vec<RequestDetail> = futures::future::join_all(sent)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let id = answers[0].summary.id;
    assert!(answers.iter().all(|a| a.summary.id == id));
    assert_ne!(id.0, number.0, "the request's id is Slipway's own");
    let all = world
        .portal
        .requests(&developer, &types::request::RequestFilter::default())
        .await
        .unwrap();
    assert_eq!(all.items.len(), 1);
    // Another form cannot have the name while this one holds it.
    let error = world
        .portal
        .submit(&developer, vm("twice", "prod"), submission())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { errors } if errors[0].field == "name" && errors[0].code == "name_taken"),
        "{error:?}"
    );
    // Taken back, it is free.
    let detail = &answers[0];
    world
        .portal
        .withdraw(&developer, id, detail.summary.version)
        .await
        .unwrap();
    world.send(vm("twice", "prod")).await;
}

/// A deletion or extension sent twice at once meets its own request in its way: it is still one.
async fn one_deletion_sent_twice_at_once_is_one_request(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let developer = world.actor("developer").await;
    let stack = world.active("twice-gone").await;
    let number = submission();
    let form = || types::stack::DeleteStack {
        confirm: "twice-gone".to_owned(),
        justification: "No longer needed.".to_owned(),
    };
    let sent = (0..6).map(|_| world.portal.delete_stack(&developer, stack, form(), number));
    let answers: Vec<RequestDetail> = futures::future::join_all(sent)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let id = answers[0].summary.id;
    assert!(answers.iter().all(|a| a.summary.id == id));
    // Another form, at the same time or later, is another request, and the stack is busy.
    let error = world
        .portal
        .delete_stack(&developer, stack, form(), submission())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "stack_busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deletion_sent_twice_at_once_is_one_request_on_sqlite() {
    one_deletion_sent_twice_at_once_is_one_request(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deletion_sent_twice_at_once_is_one_request_on_postgres() {
    one_deletion_sent_twice_at_once_is_one_request(Engine::Postgres).await;
}

#[tokio::test]
async fn a_submission_number_is_its_senders_and_stands_for_what_was_sent() {
    let world = World::new().await;
    let number = submission();
    let owner = world.actor("owner").await;
    let developer = world.actor("developer").await;
    let first = world
        .portal
        .submit(&owner, vm("owners-own", "prod"), number)
        .await
        .unwrap();
    // Whoever guessed or saw the number takes nobody's place with it.
    let second = world
        .portal
        .submit(&developer, vm("developers-own", "prod"), number)
        .await
        .unwrap();
    assert_ne!(first.summary.id, second.summary.id);
    let again = world
        .portal
        .submit(&developer, vm("developers-own", "prod"), number)
        .await
        .unwrap();
    assert_eq!(again.summary.id, second.summary.id);
    // The same number with other content is not swallowed.
    for change in [
        (|d| d.name = "another".to_owned()) as fn(&mut types::request::RequestDraft),
        |d| d.expiry = "31d".to_owned(),
        |d| {
            d.parameters.insert("osDiskSizeGB".into(), 64.into());
        },
    ] {
        let mut draft = vm("developers-own", "prod");
        change(&mut draft);
        let error = world
            .portal
            .submit(&developer, draft, number)
            .await
            .unwrap_err();
        assert_eq!((error.status(), error.code()), (409, "already_sent"));
        assert!(error.to_string().contains(&second.summary.id.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_form_sent_twice_at_once_is_one_request_on_sqlite() {
    one_form_sent_twice_at_once_is_one_request(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_form_sent_twice_at_once_is_one_request_on_postgres() {
    one_form_sent_twice_at_once_is_one_request(Engine::Postgres).await;
}

#[tokio::test]
async fn four_eyes_and_groups_and_the_newest_plan_decide() {
    let world = World::new().await;
    let owner = world.actor("owner").await;
    let own = world
        .portal
        .submit(&owner, vm("owners", "prod"), submission())
        .await
        .unwrap();
    let error = world
        .decide("owner", &own, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "four_eyes");

    let request = world.send(vm("guarded", "prod")).await;
    for (who, status) in [
        ("developer", 403),
        ("reader", 403),
        ("auditor", 403),
        ("outsider", 404),
    ] {
        let error = world
            .decide(who, &request, DecisionKind::Approve)
            .await
            .unwrap_err();
        assert_eq!(error.status(), status, "{who}");
    }
    let approver = world.actor("approver").await;
    let mut decide = types::approval::Decide {
        decision: DecisionKind::Reject,
        plan_digest: request.plan.as_ref().unwrap().digest.clone(),
        comment: String::new(),
    };
    let error = world
        .portal
        .decide(&approver, request.summary.id, decide.clone())
        .await
        .unwrap_err();
    assert_eq!(error.status(), 422);
    decide.decision = DecisionKind::Approve;
    decide.plan_digest = "0".repeat(64);
    let error = world
        .portal
        .decide(&approver, request.summary.id, decide)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "stale_plan");

    let mut two = vm("two", "prod");
    two.justification = "This one wants two approvers.".to_owned();
    let two = world.send(two).await;
    let one = world
        .decide("approver", &two, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(one.summary.state, RequestState::AwaitingApproval);
    let error = world
        .decide("approver", &two, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "already_decided");
    let both = world
        .decide("second", &two, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(both.summary.state, RequestState::Approved);
    assert!(both.needs.iter().all(|n| n.met));
}

#[tokio::test]
async fn a_denied_request_is_edited_and_an_old_version_is_refused() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let mut bad = vm("edited", "prod");
    bad.region = "northeurope".to_owned();
    bad.parameters.insert(
        "subnetId".to_owned(),
        azure_sim::seed::SUBNET_PROD_WESTEUROPE.into(),
    );
    let denied = match world.portal.submit(&developer, bad, submission()).await {
        Ok(denied) => denied,
        // Where the form itself refuses a network of another region, nothing was made.
        Err(error) => {
            assert_eq!(error.status(), 422);
            return;
        }
    };
    assert_eq!(denied.summary.state, RequestState::Denied);
    assert!(denied.access.edit.is_allowed());
    let edited = world
        .portal
        .edit(
            &developer,
            denied.summary.id,
            denied.summary.version,
            vm("edited", "prod"),
        )
        .await
        .unwrap();
    assert_eq!(edited.summary.state, RequestState::AwaitingApproval);
    let error = world
        .portal
        .edit(
            &developer,
            denied.summary.id,
            denied.summary.version,
            vm("edited", "prod"),
        )
        .await
        .unwrap_err();
    assert_eq!(error.code(), "stale_version");
}

#[tokio::test]
async fn changes_are_requested_and_the_old_approval_no_longer_counts() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let mut draft = vm("changed", "prod");
    draft.justification = "This one wants two approvers.".to_owned();
    let request = world.send(draft.clone()).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let sent_back = world
        .decide("second", &request, DecisionKind::RequestChanges)
        .await
        .unwrap();
    assert_eq!(sent_back.summary.state, RequestState::ChangesRequested);
    draft
        .tags
        .insert("team".to_owned(), "settlement".to_owned());
    let edited = world
        .portal
        .edit(
            &developer,
            request.summary.id,
            sent_back.summary.version,
            draft,
        )
        .await
        .unwrap();
    assert_eq!(edited.summary.state, RequestState::AwaitingApproval);
    assert_ne!(
        edited.plan.as_ref().unwrap().digest,
        request.plan.as_ref().unwrap().digest
    );
    assert!(edited.decisions.iter().all(|d| !d.current));
    assert!(edited.needs.iter().all(|n| n.approved_by.is_empty()));
}

#[tokio::test]
async fn a_plan_that_changed_after_its_approval_is_sent_back_and_nothing_is_sent_to_azure() {
    let world = World::new().await;
    let request = world.send(vm("moved", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    world.plant("payments", &[("data", "restricted")]).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let developer = world.actor("developer").await;
    let back = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(back.summary.state, RequestState::AwaitingApproval);
    assert!(
        back.sent_back
            .as_ref()
            .is_some_and(|why| why.contains("Since it was approved, ")),
        "{:?}",
        back.sent_back
    );
    assert!(world.writes("PUT", "/deployments/").await.is_empty());
    // Approved again, as it is now, it is made.
    world
        .decide("second", &back, DecisionKind::Approve)
        .await
        .unwrap();
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}

#[tokio::test]
async fn what_changed_while_it_waits_changed_since_it_was_sent() {
    let world = World::new().await;
    let request = world.send(vm("waits", "prod")).await;
    world.plant("payments", &[("data", "restricted")]).await;
    let developer = world.actor("developer").await;
    let told = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    let words = told.since_sent.join(" ");
    assert!(
        words.contains("Since it was sent, ") && !words.contains("approved"),
        "{words}"
    );
}

#[tokio::test]
async fn a_create_that_is_sent_back_to_another_place_holds_that_place() {
    let world = World::new().await;
    let request = world.send(vm("moved", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let name = request.summary.project.clone();
    let mut project = world.store.project(&name).await.unwrap().unwrap();
    let dev = project.tiers[&Tier::Dev].subscription.clone();
    project.tiers.get_mut(&Tier::Prod).unwrap().subscription = dev.clone();
    let mut tx = world.store.begin().await.unwrap();
    tx.put_project(&project).await.unwrap();
    tx.commit(world.clock.now()).await.unwrap();

    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let developer = world.actor("developer").await;
    let id = request.summary.id;
    let back = world.portal.request(&developer, id).await.unwrap();
    assert_eq!(back.summary.state, RequestState::AwaitingApproval);
    let target = back.plan.unwrap().target;
    assert_eq!(target.subscription, dev.id);
    let stack = world.store.stack(request.summary.stack).await.unwrap();
    assert_eq!(stack.unwrap().summary.target, target);
}

#[tokio::test]
async fn what_nobody_decides_expires_and_frees_its_name() {
    let world = World::new().await;
    let request = world.send(vm("forgotten", "prod")).await;
    world.clock.advance(time::Duration::days(15));
    world.portal.reconcile().await.unwrap();
    let developer = world.actor("developer").await;
    let expired = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(expired.summary.state, RequestState::Expired);
    world.send(vm("forgotten", "prod")).await;
    world.audited(&["request.expired"]).await;
}

#[tokio::test]
async fn a_stack_lives_longer_when_asked_and_is_deleted_when_its_time_is_over() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("shortlived").await;
    let before = world.portal.stack(&developer, stack).await.unwrap();
    let extended = world
        .portal
        .extend_stack(
            &developer,
            stack,
            "60d".to_owned(),
            "Longer.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    assert_eq!(extended.summary.state, RequestState::Completed);
    let after = world.portal.stack(&developer, stack).await.unwrap();
    assert!(after.summary.expires_at > before.summary.expires_at);

    world.clock.advance(time::Duration::days(61));
    world.portal.reconcile().await.unwrap();
    world.portal.reconcile().await.unwrap();
    let detail = world.portal.stack(&developer, stack).await.unwrap();
    assert_eq!(detail.requests.len(), 3, "created, extended, one deletion");
    let operation = world.run(detail.requests[0]).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}
