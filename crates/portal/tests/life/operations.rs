//! Operations: what happens when Azure or the process fails at any step, and that nothing is made twice or forgotten.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use portal::CrashPoints;
use serde_json::json;
use types::approval::DecisionKind;
use types::operation::{OperationKind, OperationState, StepState};
use types::request::{RequestKind, RequestState};
use types::stack::StackState;

use crate::world::{Engine, World, pool, submission, vm};

/// A process that "dies" at the first crossing of every boundary but these; the next delivery of the job goes on. Answers where it died.
async fn live_and_die(spared: &'static [&'static str]) -> HashSet<String> {
    let died: Arc<Mutex<HashSet<String>>> = Arc::default();
    let seen = Arc::clone(&died);
    let points = CrashPoints::failing(move |name, _| {
        !spared.contains(&name) && seen.lock().unwrap().insert(name.to_owned())
    });
    let world = World::with(Engine::Sqlite, points).await;
    let request = world.send(vm("fragile", "dev")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    let deletion = world.delete(request.summary.stack, "fragile").await;
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    world.each_revision_was_sent_once().await;
    let target = request.plan.unwrap().target;
    assert!(
        !world
            .group_exists(&target.subscription, &target.resource_group)
            .await
    );
    died.lock().unwrap().clone()
}

#[tokio::test]
async fn a_process_that_dies_at_any_boundary_resumes_and_sends_each_revision_once() {
    // Where the answer to the PUT is lost, its name is followed; where it is not, the poll URL.
    for (spared, points) in [
        (
            &[][..],
            &[
                "start.answered",
                "put_group.taken",
                "put_group.answered",
                "validate.answered",
                "put_deployment.taken",
                "put_deployment.answered",
                "read_deployment.answered",
                "collect.answered",
                "delete_group.answered",
                "end.answered",
            ][..],
        ),
        (
            &["put_deployment.answered", "delete_group.answered"],
            &[
                "put_deployment.stored",
                "follow.answered",
                "follow.stored",
                "look_for_group.answered",
            ],
        ),
    ] {
        let died = live_and_die(spared).await;
        for point in points {
            assert!(died.contains(*point), "{point} was never crossed: {died:?}");
        }
    }
}

#[tokio::test]
async fn advancing_twice_at_the_same_time_changes_nothing() {
    let world = World::new().await;
    let request = world.send(vm("crowded", "dev")).await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    for _ in 0..6 {
        let two = [world.portal.advance(id), world.portal.advance(id)];
        for ended in futures::future::join_all(two).await {
            ended.unwrap();
        }
        world.clock.advance(time::Duration::seconds(3));
    }
    let operation = world.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    world.each_revision_was_sent_once().await;
}

#[tokio::test]
async fn trouble_on_the_way_is_waited_out() {
    for rule in [
        json!({"method": "PUT", "path": "/deployments/slipway-", "times": 2, "action": {"type": "respond", "status": 429, "code": "TooManyRequests", "message": "Slow down.", "retry_after": 10}}),
        json!({"method": "PUT", "path": "/deployments/slipway-", "times": 1, "action": {"type": "drop", "when": "after"}}),
        json!({"method": "PUT", "path": "/deployments/slipway-", "times": 1, "action": {"type": "drop", "when": "before"}}),
        json!({"method": "PUT", "path": "/deployments/slipway-", "times": 1, "action": {"type": "truncate"}}),
        json!({"method": "GET", "path": "/operationStatuses/", "times": 3, "action": {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Later."}}),
        json!({"method": "DELETE", "path": "/resourceGroups/", "times": 1, "action": {"type": "drop", "when": "after"}}),
    ] {
        let world = World::new().await;
        world.fault(rule.clone()).await;
        let stack = world.active("patient").await;
        let deletion = world.delete(stack, "patient").await;
        let operation = world.run(deletion.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{rule}: {operation:#?}"
        );
        world.each_revision_was_sent_once().await;
    }
}

#[tokio::test]
async fn a_failed_create_keeps_what_exists_and_is_tried_again_or_deleted() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1,
            "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed. We do not have sufficient capacity"}}))
        .await;
    let request = world.send(vm("unlucky", "dev")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert!(
        format!("{:?}", operation.fault).contains("AllocationFailed"),
        "{:#?}",
        operation.fault
    );
    let stack = world
        .portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    assert_eq!(stack.summary.state, StackState::Failed);
    assert!(!stack.resources.is_empty(), "what was made is recorded");
    assert!(stack.summary.monthly.0 > 0, "what it may cost is shown");
    assert!(stack.access.retry.is_allowed() && stack.access.delete.is_allowed());

    let again = world
        .portal
        .retry(&developer, request.summary.stack)
        .await
        .unwrap();
    assert_eq!(again.summary.revision, operation.summary.revision + 1);
    let operation = world.drive(again.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    world.each_revision_was_sent_once().await;
    let stack = world
        .portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    assert_eq!(
        (stack.summary.state, stack.fault),
        (StackState::Active, None)
    );
}

#[tokio::test]
async fn what_azure_refuses_at_a_step_fails_there_and_can_be_deleted() {
    for (method, path, step) in [
        ("PUT", "/resourceGroups/rg-payments-[^/]*$", 0),
        ("POST", "/validate$", 1),
        ("PUT", "/deployments/slipway-[^/]*$", 2),
    ] {
        let world = World::new().await;
        let developer = world.actor("developer").await;
        world
            .fault(json!({"method": method, "path": path, "action":
                {"type": "respond", "status": 403, "code": "AuthorizationFailed", "message": "No."}}))
            .await;
        let request = world.send(vm("refused", "dev")).await;
        let operation = world.run(request.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Failed,
            "{path}: {operation:#?}"
        );
        assert_eq!(
            operation.steps[step].state,
            StepState::Failed,
            "{path}: {operation:#?}"
        );
        assert_eq!(operation.fault.unwrap().code, "AuthorizationFailed");
        world.clear_faults().await;
        let stack = world
            .portal
            .stack(&developer, request.summary.stack)
            .await
            .unwrap();
        assert_eq!(stack.summary.state, StackState::Failed);
        let deletion = world.delete(request.summary.stack, "refused").await;
        let operation = world.run(deletion.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
        let target = stack.summary.target;
        assert!(
            !world
                .group_exists(&target.subscription, &target.resource_group)
                .await
        );
    }
}

#[tokio::test]
async fn a_longer_life_gives_nothing_back_that_a_retry_is_about_to_send() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action":
            {"type": "respond", "status": 403, "code": "AuthorizationFailed", "message": "No."}}))
        .await;
    let request = world.send(vm("refused", "dev")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    world.clear_faults().await;
    let stack = request.summary.stack;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    let held = world.store.reservations_of(stack).await.unwrap();
    assert!(held.iter().any(|one| !one.sent), "{held:#?}");
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
    assert_eq!(world.store.reservations_of(stack).await.unwrap(), held);
    let operation = world.drive(again.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}

#[tokio::test]
async fn a_group_of_somebody_else_is_not_touched() {
    let world = World::new().await;
    let request = world.send(vm("squatted", "dev")).await;
    let target = request.plan.as_ref().unwrap().target.clone();
    world
        .write_group(
            &target.subscription,
            &target.resource_group,
            &[("owner", "somebody")],
        )
        .await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.fault.unwrap().code, "not_ours");
    let deletion = world.delete(request.summary.stack, "squatted").await;
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    let group = world
        .group(&target.subscription, &target.resource_group)
        .await
        .unwrap();
    assert_eq!(group.tag("owner"), Some("somebody"));
    assert_eq!(group.tag("slipway-stack"), None);
}

#[tokio::test]
async fn a_running_deployment_is_cancelled_through_azure_and_what_it_made_is_kept() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1, "action": {"type": "hang"}}))
        .await;
    let request = world.send(vm("halted", "dev")).await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    for _ in 0..5 {
        world.portal.advance(id).await.unwrap();
        world.clock.advance(time::Duration::seconds(5));
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    let running = world.portal.operation(&developer, id).await.unwrap();
    assert!(running.cancel.is_allowed(), "{running:#?}");
    let asked = world.portal.cancel(&developer, id).await.unwrap();
    assert!(asked.cancel_requested && !asked.cancel.is_allowed());
    let ended = world.drive(id).await;
    assert_eq!(ended.summary.state, OperationState::Cancelled, "{ended:#?}");
    let stack = world
        .portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    assert_eq!(stack.summary.state, StackState::Failed);
    let request = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(request.summary.state, RequestState::Cancelled);
    let deletion = world.delete(stack.summary.id, "halted").await;
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}

#[tokio::test]
async fn a_node_pool_comes_and_goes_and_the_cluster_stays() {
    let world = World::new().await;
    let request = world.send(pool("batch")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    let developer = world.actor("developer").await;
    let stack = world
        .portal
        .stack(&developer, request.summary.stack)
        .await
        .unwrap();
    let ids: Vec<String> = stack.resources.iter().map(|r| r.id.clone()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(world.resource_exists(&ids[0]).await);
    let deletion = world.delete(request.summary.stack, "batch").await;
    let operation = world.run(deletion.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert!(!world.resource_exists(&ids[0]).await);
    assert!(world.resource_exists(azure_sim::seed::CLUSTER_DEV).await);
}

#[tokio::test]
async fn a_machine_is_stopped_and_started() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("sleepy").await;
    for (kind, state) in [
        (OperationKind::Stop, StackState::Stopped),
        (OperationKind::Start, StackState::Active),
        (OperationKind::Restart, StackState::Active),
    ] {
        let operation = world.portal.power(&developer, stack, kind).await.unwrap();
        let busy = world
            .portal
            .power(&developer, stack, kind)
            .await
            .unwrap_err();
        assert_eq!(busy.status(), 409);
        let operation = world.drive(operation.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
        let detail = world.portal.stack(&developer, stack).await.unwrap();
        assert_eq!(detail.summary.state, state);
    }
    world
        .audited(&["stack.stop_requested", "stack.start_requested"])
        .await;
}

#[tokio::test]
async fn an_hour_without_azure_needs_an_admin_who_takes_it_further() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let admin = world.actor("admin").await;
    let request = world.send(vm("stranded", "dev")).await;
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action": {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Away."}}))
        .await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    for _ in 0..4 {
        world.portal.advance(id).await.unwrap();
        world.clock.advance(time::Duration::minutes(25));
    }
    let operation = world.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::NeedsAttention,
        "{operation:#?}"
    );
    assert_eq!(
        world
            .portal
            .resolve(&developer, operation.summary.id)
            .await
            .unwrap_err()
            .status(),
        403
    );
    world.clear_faults().await;
    world
        .portal
        .resolve(&admin, operation.summary.id)
        .await
        .unwrap();
    let operation = world.drive(operation.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    world
        .audited(&["operation.needs_attention", "operation.resolved"])
        .await;
}

/// A queued operation that never began is not the last of its stack: by now its request may be withdrawn, rejected or another one.
#[tokio::test]
async fn what_never_began_is_not_tried_again() {
    let world = World::new().await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1,
            "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed."}}))
        .await;
    let made = world.send(vm("again", "dev")).await;
    let stack = made.summary.stack;
    let failed = world.run(made.summary.id).await;
    assert_eq!(failed.summary.state, OperationState::Failed);
    let mut larger = vm("again", "dev");
    larger.kind = RequestKind::Update;
    larger.stack = Some(stack);
    larger
        .parameters
        .insert("vmSize".into(), "Standard_D4ds_v6".into());
    let update = world.send(larger).await;
    assert_eq!(update.summary.state, RequestState::Approved);
    let developer = world.actor("developer").await;
    let id = update.summary.id;
    let version = update.summary.version;
    world
        .portal
        .withdraw(&developer, id, version)
        .await
        .unwrap();

    let again = world.portal.retry(&developer, stack).await.unwrap();
    assert_eq!(again.summary.request, Some(made.summary.id));
    let done = world.drive(again.summary.id).await;
    assert_eq!(done.summary.state, OperationState::Succeeded, "{done:#?}");
    let request = world.store.request(id).await.unwrap().unwrap();
    assert_eq!(request.summary.state, RequestState::Withdrawn);
    let machine = made.plan.unwrap().resources;
    let machine = machine
        .iter()
        .find(|r| r.kind == "Microsoft.Compute/virtualMachines")
        .unwrap();
    let machine = world.resource(&machine.id).await.unwrap();
    assert_eq!(
        machine["properties"]["hardwareProfile"]["vmSize"],
        "Standard_D2ds_v6"
    );
}

/// Before the first success nothing is applied; who approved what is being made is known all the same.
#[tokio::test]
async fn a_stack_that_is_being_made_names_who_approved_it() {
    let world = World::new().await;
    let request = world.send(vm("new", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let developer = world.actor("developer").await;
    let stack = request.summary.stack;
    let waiting = world.portal.stack(&developer, stack).await.unwrap();
    assert!(waiting.approved_by.is_empty());
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action":
            {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Away."}}))
        .await;
    let operation = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    world.portal.advance(operation).await.unwrap();
    let made = world.portal.stack(&developer, stack).await.unwrap();
    assert_eq!(made.summary.state, StackState::Provisioning);
    assert_eq!(made.approved_by, ["approver"]);
}
