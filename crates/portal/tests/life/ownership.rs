//! Ownership: what another stack, another installation or people made in Azure is never taken over, changed or deleted, and everybody is told why.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portal::{CrashPoints, Error};
use serde_json::{Value, json};
use types::approval::DecisionKind;
use types::ids::{RequestId, StackId};
use types::operation::{OperationDetail, OperationKind, OperationState, StepName, StepState};
use types::problem::FieldError;
use types::request::{RequestDraft, RequestKind, RequestState};
use types::stack::StackState;

use crate::world::{Engine, World, pool, vm};

/// A pool called `name` for a project, on a cluster that is written like this.
fn pool_of(project: &str, stack: &str, name: &str, cluster: &str) -> RequestDraft {
    let mut draft = pool(stack);
    project.clone_into(&mut draft.project);
    draft.parameters.insert("poolName".into(), name.into());
    draft.parameters.insert("clusterId".into(), cluster.into());
    draft
}

fn theirs(stack: &str, name: &str) -> RequestDraft {
    pool_of("search", stack, name, azure_sim::seed::CLUSTER_DEV)
}

fn id_of(name: &str) -> String {
    format!("{}/agentPools/{name}", azure_sim::seed::CLUSTER_DEV)
}

/// What people make by hand: as little as Azure takes.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a case reads best with its JSON in place"
)]
fn hand_made(tags: Value) -> Value {
    json!({ "properties": { "mode": "User", "count": 1, "vmSize": "Standard_D2ds_v6", "tags": tags } })
}

fn on_the_name(refused: portal::Result<types::request::RequestDetail>) -> FieldError {
    match refused {
        Err(Error::Invalid { errors }) => {
            assert_eq!(errors.len(), 1, "{errors:#?}");
            let error = errors.into_iter().next().unwrap();
            assert_eq!(
                (error.field.as_str(), error.code.as_str()),
                ("parameters.poolName", "resource_taken")
            );
            error
        }
        other => panic!("it was not refused: {other:#?}"),
    }
}

fn not_ours(operation: &OperationDetail) {
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    let fault = operation.fault.as_ref().unwrap();
    assert_eq!(fault.code, "not_ours");
    assert!(fault.message.ends_with("Nothing was touched."), "{fault:?}");
    assert!(fault.explanation.is_some() && fault.target.is_some());
}

fn succeeded(operation: &OperationDetail) {
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
}

async fn active_pool(world: &World, who: &str, draft: RequestDraft) -> StackId {
    let request = world.try_send(who, draft).await.unwrap();
    succeeded(&world.run(request.summary.id).await);
    request.summary.stack
}

#[tokio::test]
async fn another_projects_pool_is_refused_where_it_is_named_and_stays_as_it_is() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::with(engine, CrashPoints::default()).await;
        active_pool(&world, "developer", pool("batch")).await;
        let before = world.resource(&id_of("batch")).await;
        for cluster in [
            azure_sim::seed::CLUSTER_DEV.to_owned(),
            azure_sim::seed::CLUSTER_DEV.to_uppercase(),
            azure_sim::seed::CLUSTER_DEV.to_lowercase(),
        ] {
            let draft = pool_of("search", "hijack", "batch", &cluster);
            let stranger = world.actor("stranger").await;
            let check = world.portal.check(&stranger, &draft, None).await.unwrap();
            assert_eq!(check.errors[0].field, "parameters.poolName");
            assert!(check.plan.is_none() && !check.submit.is_allowed());
            let error = on_the_name(world.try_send("stranger", draft).await);
            assert!(
                error.message.contains("belongs to another stack"),
                "whose it is, is not theirs to know: {}",
                error.message
            );
            assert!(!error.message.contains("payments"));
        }
        // Whoever may see the stack is told its name.
        let mut again = pool("again");
        again.parameters.insert("poolName".into(), "batch".into());
        let error = on_the_name(world.try_send("developer", again).await);
        assert!(
            error.message.contains("the stack batch of payments dev"),
            "{}",
            error.message
        );
        assert_eq!(world.resource(&id_of("batch")).await, before);
    }
}

#[tokio::test]
async fn an_open_request_holds_the_id_and_one_that_ended_holds_nothing() {
    let world = World::new().await;
    let waiting = |name: &str| {
        let mut draft = pool(name);
        draft.justification = "Wants two approvers.".to_owned();
        draft
    };
    let send_theirs = async || world.try_send("stranger", theirs("theirs", "batch")).await;
    let withdraw = async |who: &str, id: RequestId| {
        let actor = world.actor(who).await;
        let request = world.portal.request(&actor, id).await.unwrap();
        world
            .portal
            .withdraw(&actor, id, request.summary.version)
            .await
            .unwrap();
    };

    // Withdrawn.
    let open = world.send(waiting("one")).await;
    assert_eq!(open.summary.state, RequestState::AwaitingApproval);
    on_the_name(send_theirs().await);
    withdraw("developer", open.summary.id).await;
    let free = send_theirs().await.unwrap();
    withdraw("stranger", free.summary.id).await;
    // Rejected; *changes requested* still holds it.
    let open = world.send(waiting("two")).await;
    world
        .decide("approver", &open, DecisionKind::RequestChanges)
        .await
        .unwrap();
    on_the_name(send_theirs().await);
    withdraw("developer", open.summary.id).await;
    let open = world.send(waiting("three")).await;
    world
        .decide("approver", &open, DecisionKind::Reject)
        .await
        .unwrap();
    let free = send_theirs().await.unwrap();
    withdraw("stranger", free.summary.id).await;
    // Denied: the region is not the project's.
    let denied = RequestDraft {
        region: "northeurope".to_owned(),
        ..pool("four")
    };
    let _ = world.try_send("developer", denied).await;
    let free = send_theirs().await.unwrap();
    withdraw("stranger", free.summary.id).await;
    // Expired.
    let open = world.send(waiting("five")).await;
    on_the_name(send_theirs().await);
    world.clock.advance(time::Duration::days(15));
    world.portal.reconcile().await.unwrap();
    let developer = world.actor("developer").await;
    let open = world
        .portal
        .request(&developer, open.summary.id)
        .await
        .unwrap();
    assert_eq!(open.summary.state, RequestState::Expired);
    send_theirs().await.unwrap();
}

#[tokio::test]
async fn an_edit_gives_the_old_id_back_and_takes_the_new_one() {
    let world = World::new().await;
    let mut draft = pool("mine");
    draft.justification = "Wants two approvers.".to_owned();
    let open = world.send(draft.clone()).await;
    let open = world
        .decide("approver", &open, DecisionKind::RequestChanges)
        .await
        .unwrap();
    active_pool(&world, "stranger", theirs("theirs", "other")).await;
    let developer = world.actor("developer").await;
    let edit = async |name: &str| {
        let mut draft = draft.clone();
        draft.parameters.insert("poolName".into(), name.into());
        let now = world
            .portal
            .request(&developer, open.summary.id)
            .await
            .unwrap();
        world
            .portal
            .edit(&developer, open.summary.id, now.summary.version, draft)
            .await
    };
    on_the_name(edit("other").await);
    edit("third").await.unwrap();
    // The first name is free, the new one is held.
    active_pool(&world, "stranger", theirs("first", "batch")).await;
    on_the_name(world.try_send("stranger", theirs("again", "third")).await);
}

#[tokio::test]
async fn a_name_is_free_again_once_its_stack_is_gone() {
    let world = World::new().await;
    let stack = active_pool(&world, "developer", pool("batch")).await;
    world.portal.refresh_facts().await.unwrap();
    let deletion = world.delete(stack, "batch").await;
    on_the_name(world.try_send("stranger", theirs("early", "batch")).await);
    succeeded(&world.run(deletion.summary.id).await);
    // The cluster's list of pools is older than the deletion.
    let taken = active_pool(&world, "stranger", theirs("late", "batch")).await;
    assert!(world.store.reservations_of(stack).await.unwrap().is_empty());
    assert_eq!(world.store.reservations_of(taken).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_pool_made_by_hand_is_refused_before_and_after_the_approval() {
    let world = World::new().await;
    let id = id_of("batch");
    let by_hand = world
        .by_hand(&id, hand_made(json!({ "owner": "somebody" })))
        .await;
    world.clock.advance(time::Duration::minutes(2));
    let error = on_the_name(world.try_send("developer", pool("batch")).await);
    assert!(
        error.message.contains("was not made by Slipway"),
        "{error:?}"
    );
    world.remove_by_hand(&id).await;
    world.clock.advance(time::Duration::seconds(5));

    let mut draft = pool("patient");
    draft.justification = "Wants two approvers.".to_owned();
    let request = world.send(draft).await;
    let again = world
        .by_hand(&id, hand_made(json!({ "owner": "somebody" })))
        .await;
    for who in ["approver", "second"] {
        world
            .decide(who, &request, DecisionKind::Approve)
            .await
            .unwrap();
    }
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let developer = world.actor("developer").await;
    let request = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(request.summary.state, RequestState::Denied);
    assert!(request.sent_back.unwrap().contains("not made by Slipway"));
    assert_eq!(world.resource(&id).await.as_ref(), Some(&again));
    assert_ne!(by_hand["properties"]["eTag"], again["properties"]["eTag"]);
    let stack = request.summary.stack;
    assert!(world.store.reservations_of(stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_comes_between_the_check_and_the_deployment_stops_it() {
    let world = World::new().await;
    // Preflight is put off, so that somebody can be faster.
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action":
            {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Later."}}))
        .await;
    let request = world.send(pool("batch")).await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    world.portal.advance(id).await.unwrap();
    // The same pool but for whose it is, so that preflight has nothing against the plan.
    let plan = request.plan.as_ref().unwrap();
    let mut body = plan.resources[0].body.clone();
    body["properties"]["tags"] = json!({
        "slipway-stack": "01938e5b-3a00-7000-8000-0000003f9c1a",
        "slipway-installation": "01938e5b-0000-7000-8000-00000000f00d",
    });
    let before = world.by_hand(&id_of("batch"), body).await;
    world.clear_faults().await;
    let operation = world.drive(id).await;
    not_ours(&operation);
    let fault = operation.fault.as_ref().unwrap();
    assert!(
        fault.message.contains("another Slipway installation"),
        "{fault:?}"
    );
    let step = operation
        .steps
        .iter()
        .find(|s| s.name == StepName::Deployment)
        .unwrap();
    assert_eq!(step.state, StepState::Failed);
    assert!(
        world
            .writes("PUT", "/deployments/slipway-")
            .await
            .is_empty()
    );

    // Trying again meets the same, and deleting the stack deletes nothing of theirs.
    let developer = world.actor("developer").await;
    let refused = world
        .portal
        .retry(&developer, request.summary.stack)
        .await
        .unwrap_err();
    assert_eq!(refused.status(), 409, "{refused:?}");
    let deletion = world.delete(request.summary.stack, "batch").await;
    let operation = world.run(deletion.summary.id).await;
    succeeded(&operation);
    assert_eq!(world.resource(&id_of("batch")).await, Some(before));
}

#[tokio::test]
async fn what_somebody_put_in_the_place_of_an_own_pool_is_neither_changed_nor_deleted() {
    let world = World::new().await;
    let stack = active_pool(&world, "developer", pool("batch")).await;
    let id = id_of("batch");
    world.remove_by_hand(&id).await;
    let before = world
        .by_hand(&id, hand_made(json!({ "owner": "somebody" })))
        .await;
    world.clock.advance(time::Duration::minutes(2));

    let update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(stack),
        ..pool("batch")
    };
    on_the_name(world.try_send("developer", update).await);
    let deletion = world.delete(stack, "batch").await;
    not_ours(&world.run(deletion.summary.id).await);
    let developer = world.actor("developer").await;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    not_ours(&world.drive(again.summary.id).await);
    assert_eq!(world.resource(&id).await, Some(before));
    assert!(world.writes("DELETE", "/agentPools/batch").await.is_empty());

    // Once theirs is gone, the stack can go too.
    world.remove_by_hand(&id).await;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    succeeded(&world.drive(again.summary.id).await);
}

#[tokio::test]
async fn a_pool_whose_tags_were_taken_off_is_left_alone_until_they_are_back() {
    let world = World::new().await;
    let stack = active_pool(&world, "developer", pool("batch")).await;
    let id = id_of("batch");
    let tags = world.resource(&id).await.unwrap()["properties"]["tags"].clone();
    assert!(tags["slipway-installation"].is_string(), "{tags}");
    world
        .change_by_hand(
            &id,
            json!({ "properties": { "tags": { "slipway-stack": null, "slipway-installation": null } } }),
        )
        .await;
    let bare = world.resource(&id).await;
    let deletion = world.delete(stack, "batch").await;
    let operation = world.run(deletion.summary.id).await;
    not_ours(&operation);
    let fault = operation.fault.unwrap();
    assert!(fault.explanation.unwrap().contains("put slipway-stack"));
    assert_eq!(world.resource(&id).await, bare);
    world
        .change_by_hand(&id, json!({ "properties": { "tags": tags } }))
        .await;
    let developer = world.actor("developer").await;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    succeeded(&world.drive(again.summary.id).await);
    assert!(!world.resource_exists(&id).await);
}

#[tokio::test]
async fn two_installations_on_one_subscription_leave_each_others_alone() {
    let here = World::new().await;
    let there = here.beside().await;
    active_pool(&here, "developer", pool("batch")).await;
    let stack = active_pool(&there, "developer", {
        let mut draft = pool("other");
        draft.parameters.insert("poolName".into(), "other".into());
        draft
    })
    .await;
    let before = here.resource(&id_of("batch")).await;
    there.clock.advance(time::Duration::minutes(2));
    let error = on_the_name(there.try_send("developer", pool("batch")).await);
    assert!(
        error.message.contains("another Slipway installation"),
        "{error:?}"
    );
    // Each deletes its own.
    let deletion = there.delete(stack, "other").await;
    succeeded(&there.run(deletion.summary.id).await);
    assert_eq!(here.resource(&id_of("batch")).await, before);
    assert!(!here.resource_exists(&id_of("other")).await);
}

#[tokio::test]
async fn a_stranger_in_the_own_group_keeps_it_from_being_deleted() {
    let world = World::new().await;
    let stack = world.active("crowded").await;
    let developer = world.actor("developer").await;
    let detail = world.portal.stack(&developer, stack).await.unwrap();
    let group = format!(
        "/subscriptions/{}/resourceGroups/{}",
        detail.summary.target.subscription, detail.summary.target.resource_group
    );
    let disk = format!("{group}/providers/Microsoft.Compute/disks/somebodys-data");
    let body = json!({ "location": "westeurope", "sku": { "name": "Premium_LRS" }, "tags": { "owner": "somebody" },
        "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 32 } });
    let before = world.by_hand(&disk, body).await;
    let deletion = world.delete(stack, "crowded").await;
    let operation = world.run(deletion.summary.id).await;
    not_ours(&operation);
    let fault = operation.fault.unwrap();
    assert!(
        fault.message.contains("The disk somebodys-data"),
        "{fault:?}"
    );
    assert_eq!(fault.target.as_deref(), Some(disk.as_str()));
    assert_eq!(world.resource(&disk).await, Some(before));
    assert!(world.writes("DELETE", "/resourceGroups/").await.is_empty());
    for resource in &detail.resources {
        assert!(world.resource_exists(&resource.id).await, "{}", resource.id);
    }

    world.remove_by_hand(&disk).await;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    succeeded(&world.drive(again.summary.id).await);
    let target = detail.summary.target;
    assert!(
        !world
            .group_exists(&target.subscription, &target.resource_group)
            .await
    );
}

#[tokio::test]
async fn a_machine_that_is_not_the_stacks_any_more_is_neither_switched_nor_changed() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("swapped").await;
    let detail = world.portal.stack(&developer, stack).await.unwrap();
    let machine = detail
        .resources
        .iter()
        .find(|r| r.kind.ends_with("/virtualMachines"))
        .unwrap();
    let other = json!({ "tags": { "slipway-stack": "01938e5b-3a00-7000-8000-0000003f9c1a" } });
    world.change_by_hand(&machine.id, other).await;
    let before = world.resource(&machine.id).await;
    let operation = world
        .portal
        .power(&developer, stack, OperationKind::Restart)
        .await
        .unwrap();
    not_ours(&world.drive(operation.summary.id).await);
    let update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(stack),
        ..vm("swapped", "dev")
    };
    let request = world.send(update).await;
    not_ours(&world.run(request.summary.id).await);
    let deletion = world.delete(stack, "swapped").await;
    not_ours(&world.run(deletion.summary.id).await);
    assert_eq!(world.resource(&machine.id).await, before);
    let stack = world.portal.stack(&developer, stack).await.unwrap();
    assert_eq!(stack.summary.state, StackState::Failed);
}

#[tokio::test]
async fn a_leftover_that_became_another_stacks_in_between_stays() {
    let world = World::new().await;
    let mut draft = vm("shrinking", "dev");
    draft.parameters.insert("dataDisk".into(), true.into());
    let request = world.send(draft).await;
    succeeded(&world.run(request.summary.id).await);
    let stack = request.summary.stack;
    let update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(stack),
        ..vm("shrinking", "dev")
    };
    let update = world.send(update).await;
    let leftover = update.plan.unwrap().deletions.remove(0);
    let tags =
        json!({ "tags": { "slipway-installation": "01938e5b-0000-7000-8000-00000000f00d" } });
    world.change_by_hand(&leftover.id, tags).await;
    let operation = world.run(update.summary.id).await;
    not_ours(&operation);
    let step = operation
        .steps
        .iter()
        .find(|s| s.name == StepName::Leftovers)
        .unwrap();
    assert_eq!(step.state, StepState::Failed);
    assert!(world.resource_exists(&leftover.id).await);
    assert!(world.writes("DELETE", "/disks/").await.is_empty());
}

/// Azure's list of a group stays as it is now; whatever is read by itself is as new as can be.
fn old_lists() -> Value {
    json!({ "method": "GET", "path": "/resources$", "action": { "type": "lag", "seconds": 3600 } })
}

fn somebodys_disk() -> Value {
    json!({ "location": "westeurope", "sku": { "name": "Premium_LRS" }, "tags": { "owner": "somebody" },
        "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 128 } })
}

#[tokio::test]
async fn what_a_list_does_not_show_yet_is_not_taken_over() {
    let world = World::new().await;
    let stack = world.active("growing").await;
    world.fault(old_lists()).await;
    let mut update = RequestDraft {
        kind: RequestKind::Update,
        stack: Some(stack),
        ..vm("growing", "dev")
    };
    update.parameters.insert("dataDisk".into(), true.into());
    let request = world.send(update).await;
    let plan = request.plan.as_ref().unwrap();
    let disk = plan.resources.iter().find(|r| r.kind.ends_with("/disks"));
    let id = disk.unwrap().id.clone();
    let before = world.by_hand(&id, somebodys_disk()).await;
    not_ours(&world.run(request.summary.id).await);
    assert_eq!(world.resource(&id).await, Some(before));

    // Once it is gone, the list does not have to say so.
    world.remove_by_hand(&id).await;
    let developer = world.actor("developer").await;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    succeeded(&world.drive(again.summary.id).await);
}

#[tokio::test]
async fn the_tags_that_an_old_list_shows_do_not_let_anything_be_deleted_or_switched() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("handed-over").await;
    let detail = world.portal.stack(&developer, stack).await.unwrap();
    let machine = detail
        .resources
        .iter()
        .find(|r| r.kind.ends_with("/virtualMachines"))
        .unwrap();
    world.fault(old_lists()).await;
    let other = json!({ "tags": { "slipway-stack": "01938e5b-3a00-7000-8000-0000003f9c1a" } });
    world.change_by_hand(&machine.id, other).await;
    let before = world.resource(&machine.id).await;
    let operation = world
        .portal
        .power(&developer, stack, OperationKind::Restart)
        .await
        .unwrap();
    not_ours(&world.drive(operation.summary.id).await);
    let deletion = world.delete(stack, "handed-over").await;
    let operation = world.run(deletion.summary.id).await;
    not_ours(&operation);
    let fault = operation.fault.unwrap();
    let target = fault.target.unwrap();
    assert!(target.eq_ignore_ascii_case(&machine.id), "{target}");
    assert_eq!(world.resource(&machine.id).await, before);
    assert!(world.writes("DELETE", "/resourceGroups/").await.is_empty());
}

#[tokio::test]
async fn what_is_gone_stands_in_nobodys_way_though_a_list_still_shows_it() {
    let world = World::new().await;
    let stack = world.active("cleared").await;
    let developer = world.actor("developer").await;
    let target = world
        .portal
        .stack(&developer, stack)
        .await
        .unwrap()
        .summary
        .target;
    let disk = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks/somebodys-data",
        target.subscription, target.resource_group
    );
    world.by_hand(&disk, somebodys_disk()).await;
    world.fault(old_lists()).await;
    world.remove_by_hand(&disk).await;
    let deletion = world.delete(stack, "cleared").await;
    succeeded(&world.run(deletion.summary.id).await);
    assert!(
        !world
            .group_exists(&target.subscription, &target.resource_group)
            .await
    );
}

#[tokio::test]
async fn a_pool_that_changes_hands_between_being_read_and_being_deleted_stays() {
    let armed: Arc<AtomicBool> = Arc::default();
    let stop = Arc::clone(&armed);
    let crash_points = CrashPoints::failing(move |name, _| {
        name == "read_scope.stored" && stop.swap(false, Ordering::SeqCst)
    });
    let world = World::with(Engine::Sqlite, crash_points).await;
    let stack = active_pool(&world, "developer", pool("batch")).await;
    let deletion = world.delete(stack, "batch").await;
    let operation = world
        .store
        .operation_of_request(deletion.summary.id)
        .await
        .unwrap()
        .unwrap();
    armed.store(true, Ordering::SeqCst);
    world.portal.advance(operation).await.unwrap_err();
    assert!(!armed.load(Ordering::SeqCst), "the scope was read");
    // What was read is fresh enough to delete by; whose the pool is, is not.
    let other = json!({ "slipway-stack": "01938e5b-3a00-7000-8000-0000003f9c1a" });
    let id = id_of("batch");
    world
        .change_by_hand(&id, json!({ "properties": { "tags": other } }))
        .await;
    let before = world.resource(&id).await;
    not_ours(&world.drive(operation).await);
    assert_eq!(world.resource(&id).await, before);
    assert!(world.writes("DELETE", "/agentPools/batch").await.is_empty());
}

/// What AKS says to a write that another one overtook.
fn overtaken(method: &str, code: &str, times: u32) -> Value {
    json!({"method": method, "path": "/agentPools/batch$", "times": times, "action":
        {"type": "respond", "status": 409, "code": code, "message": "Operation is not allowed: Another operation is in progress"}})
}

#[tokio::test]
async fn a_deletion_that_another_write_overtook_reads_the_pool_again() {
    for code in ["EtagMismatch", "OriginalEtagNotExpect"] {
        let world = World::new().await;
        let stack = active_pool(&world, "developer", pool("batch")).await;
        world.fault(overtaken("DELETE", code, 2)).await;
        let lists = async || {
            let reads = world.writes("GET", "/agentPools").await;
            let path = |line: &Value| line["path"].as_str().unwrap().to_lowercase();
            reads
                .iter()
                .filter(|line| path(line).ends_with("/agentpools"))
                .count()
        };
        let deletion = world.delete(stack, "batch").await;
        let before = lists().await;
        succeeded(&world.run(deletion.summary.id).await);
        assert!(!world.resource_exists(&id_of("batch")).await, "{code}");
        let reads = lists().await - before;
        assert!(reads >= 3, "{code}: once for each attempt, not {reads}");
    }
}

/// Azure tells of it only when the deployment has ended: people are told to wait and to try again, and it goes through.
#[tokio::test]
async fn a_deployment_whose_pool_was_overtaken_says_so_and_goes_through_again() {
    let world = World::new().await;
    world.fault(overtaken("PUT", "EtagMismatch", 1)).await;
    let request = world.send(pool("batch")).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    let told = format!("{:?}", operation.fault);
    assert!(
        told.contains("EtagMismatch") && told.contains("then try again"),
        "{told}"
    );
    let developer = world.actor("developer").await;
    let stack = request.summary.stack;
    let again = world.portal.retry(&developer, stack).await.unwrap();
    succeeded(&world.drive(again.summary.id).await);
    assert!(world.resource_exists(&id_of("batch")).await);
}

#[tokio::test]
async fn a_process_that_dies_at_any_boundary_knows_its_own_pool_again() {
    for (spared, points) in [
        (
            &[][..],
            &[
                "put_deployment.taken",
                "put_deployment.answered",
                "read_scope.answered",
                "read_scope.stored",
                "delete_resource.taken",
                "delete_resource.answered",
                "look_for_resource.answered",
            ][..],
        ),
        (
            &["put_deployment.answered", "delete_resource.answered"][..],
            &["follow.answered", "delete_resource.stored"][..],
        ),
    ] {
        let died: Arc<Mutex<HashSet<String>>> = Arc::default();
        let seen = Arc::clone(&died);
        let crash_points = CrashPoints::failing(move |name, _| {
            !spared.contains(&name) && seen.lock().unwrap().insert(name.to_owned())
        });
        let world = World::with(Engine::Sqlite, crash_points).await;
        let stack = active_pool(&world, "developer", pool("batch")).await;
        let deletion = world.delete(stack, "batch").await;
        succeeded(&world.run(deletion.summary.id).await);
        world.each_revision_was_sent_once().await;
        assert!(!world.resource_exists(&id_of("batch")).await);
        let died = died.lock().unwrap();
        for point in points {
            assert!(died.contains(*point), "{point} was never crossed: {died:?}");
        }
    }
}

#[tokio::test]
async fn everything_that_a_plan_makes_bears_both_tags_and_is_reserved() {
    let world = World::new().await;
    let stack = world.active("tagged").await;
    let developer = world.actor("developer").await;
    let detail = world.portal.stack(&developer, stack).await.unwrap();
    let target = &detail.summary.target;
    let group = world
        .group(&target.subscription, &target.resource_group)
        .await
        .unwrap();
    let installation = group.tag("slipway-installation").unwrap().to_owned();
    for resource in &detail.resources {
        let body = world.resource(&resource.id).await.unwrap();
        assert_eq!(body["tags"]["slipway-stack"], stack.to_string());
        assert_eq!(body["tags"]["slipway-installation"], installation);
    }
    let held = world.store.reservations_of(stack).await.unwrap();
    // The group, what is recorded, and the OS disk that Azure makes.
    assert_eq!(held.len(), detail.resources.len() + 2, "{held:#?}");
    assert!(held.iter().all(|r| r.sent));
}
