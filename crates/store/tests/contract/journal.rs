//! Stories of operations: one at a time on a stack, resumed from their journal, fenced by their version; and the events they send.

use store::{Conflict, Error, EventFilter, OperationFilter, Scope, Step, Store};
use types::event::Subject;
use types::fault::{AzureFault, PolicyExpression, PolicyViolation};
use types::operation::{OperationKind, OperationState, ResourceProgress, StepName, StepState};
use types::request::RequestState;
use types::stack::StackState;

use crate::world::{World, changed, moment, now, operation, project};

crate::stories![
    a_stack_has_one_operation_at_a_time,
    a_transaction_finds_the_operation_that_it_queued,
    an_operation_is_read_back_step_by_step,
    a_worker_that_lost_its_lease_writes_nothing,
    quiet_operations_are_found,
    the_newest_apply_is_found_behind_any_number_of_others,
    events_come_in_order_and_only_to_those_who_may_see_them,
    eight_writers_at_once_all_get_through,
    events_reach_every_subscriber_after_the_commit,
];

fn step(name: StepName, position: i64) -> Step {
    Step {
        step: types::operation::Step {
            name,
            title: format!("{name:?}"),
            state: StepState::Running,
            attempt: 1,
            started_at: Some(moment(60)),
            ended_at: None,
            note: None,
            fault: None,
            resources: vec![ResourceProgress {
                id: "/subscriptions/s/vm".into(),
                kind: "Microsoft.Compute/virtualMachines".into(),
                name: "vm".into(),
                state: "Running".into(),
                duration_ms: Some(1_250),
                fault: None,
            }],
        },
        position,
        external_ref: Some(serde_json::json!({"poll": "https://arm/operations/1", "after": 5})),
    }
}

async fn a_stack_has_one_operation_at_a_time(world: World) {
    let mut running = world.add_operation("web").await;
    let stack = world
        .store
        .stack(running.summary.stack)
        .await
        .unwrap()
        .unwrap();
    let second = operation(&stack);
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.insert_operation(&second).await,
        Err(Error::Conflict(Conflict::StackBusy))
    );
    drop(tx);
    assert_eq!(
        world
            .store
            .running_operation(stack.summary.id)
            .await
            .unwrap(),
        Some(running.summary.id)
    );

    // What needs attention still holds the stack; what has ended does not.
    for (state, busy) in [
        (OperationState::NeedsAttention, true),
        (OperationState::Failed, false),
    ] {
        running.summary.state = state;
        let mut tx = world.store.begin().await.unwrap();
        tx.update_operation(&mut running).await.unwrap();
        assert_eq!(tx.insert_operation(&second).await.is_err(), busy);
        if busy {
            // PostgreSQL refuses the rest of a transaction in which a statement failed.
            drop(tx);
            running = world
                .store
                .operation(running.summary.id)
                .await
                .unwrap()
                .unwrap();
        } else {
            tx.commit(now()).await.unwrap();
        }
    }
}

async fn a_transaction_finds_the_operation_that_it_queued(world: World) {
    let request = world.add_request("web", RequestState::Approved).await;
    let store = &world.store;
    let stack = store.stack(request.summary.stack).await.unwrap().unwrap();
    let mut queued = operation(&stack);
    queued.summary.request = Some(request.summary.id);
    let mut tx = store.begin().await.unwrap();
    let of = request.summary.id;
    assert_eq!(tx.operation_of_request(of).await.unwrap(), None);
    tx.insert_operation(&queued).await.unwrap();
    let found = tx.operation_of_request(of).await.unwrap();
    assert_eq!(found, Some(queued.summary.id));
    assert_eq!(store.operation_of_request(of).await.unwrap(), None);
    tx.commit(now()).await.unwrap();
    let found = store.operation_of_request(of).await.unwrap();
    assert_eq!(found, Some(queued.summary.id));
}

async fn an_operation_is_read_back_step_by_step(world: World) {
    let mut running = world.add_operation("web").await;
    let id = running.summary.id;
    running.summary.state = OperationState::Running;
    running.summary.started_at = Some(moment(60));
    running.worker = Some("worker-1".into());
    running.lease_until = Some(moment(9_000_000));
    running.fault = Some(AzureFault {
        status: Some(409),
        code: "SkuNotAvailable".into(),
        message: "…".into(),
        target: None,
        details: vec![],
        policy: vec![PolicyViolation {
            definition: Some("Allowed sizes".into()),
            definition_id: None,
            assignment: None,
            assignment_id: Some("/a".into()),
            expressions: vec![PolicyExpression {
                path: Some("sku.name".into()),
                found: Some("B".into()),
                operator: Some("In".into()),
                wanted: Some(serde_json::json!(["A"])),
                result: Some(false),
            }],
        }],
        explanation: None,
        request_id: Some("r".into()),
        correlation_id: None,
    });
    let deployment = step(StepName::Deployment, 1);
    let mut group = step(StepName::ResourceGroup, 0);
    let mut tx = world.store.begin().await.unwrap();
    tx.update_operation(&mut running).await.unwrap();
    tx.put_step(id, &deployment).await.unwrap();
    tx.put_step(id, &group).await.unwrap();
    group.step.state = StepState::Succeeded;
    group.external_ref = None;
    tx.put_step(id, &group).await.unwrap();
    assert_eq!(
        tx.steps(id).await.unwrap(),
        [group.clone(), deployment.clone()]
    );
    tx.commit(now()).await.unwrap();

    assert_eq!(
        world.store.operation(id).await.unwrap(),
        Some(running.clone())
    );
    assert_eq!(world.store.steps(id).await.unwrap(), [group, deployment]);
    let filter = OperationFilter {
        stack: Some(running.summary.stack),
        ..OperationFilter::default()
    };
    let page = world
        .store
        .operations(&Scope::Projects(vec![project("payments")]), &filter)
        .await
        .unwrap();
    assert_eq!(page.items, [running.summary]);
}

async fn a_worker_that_lost_its_lease_writes_nothing(world: World) {
    let taken = world.add_operation("web").await;
    let id = taken.summary.id;
    let (mut slow, mut fast) = (taken.clone(), taken);
    let mut tx = world.store.begin().await.unwrap();
    fast.worker = Some("fast".into());
    tx.update_operation(&mut fast).await.unwrap();
    tx.commit(now()).await.unwrap();

    let mut tx = world.store.begin().await.unwrap();
    tx.put_step(id, &step(StepName::Deployment, 1))
        .await
        .unwrap();
    slow.worker = Some("slow".into());
    assert_eq!(tx.update_operation(&mut slow).await, Err(Error::Stale));
    drop(tx);
    let read = world.store.operation(id).await.unwrap().unwrap();
    assert_eq!(read.worker.as_deref(), Some("fast"));
    assert!(world.store.steps(id).await.unwrap().is_empty());
}

async fn quiet_operations_are_found(world: World) {
    let quiet = world.add_operation("web").await;
    let mut busy = world.add_operation("api").await;
    busy.updated_at = moment(5_000_000);
    let mut ended = world.add_operation("old").await;
    ended.summary.state = OperationState::Succeeded;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_operation(&mut busy).await.unwrap();
    tx.update_operation(&mut ended).await.unwrap();
    tx.commit(now()).await.unwrap();
    let found = world
        .store
        .operations_quiet_since(moment(1_000_000), None, 10)
        .await
        .unwrap();
    assert_eq!(found, [quiet.summary.id]);
    let after = world
        .store
        .operations_quiet_since(moment(1_000_000), Some(quiet.summary.id), 10)
        .await
        .unwrap();
    assert_eq!(after, []);
}

async fn the_newest_apply_is_found_behind_any_number_of_others(world: World) {
    let stack = world.add_stack("web", StackState::Active).await;
    let other = world.add_stack("api", StackState::Active).await;
    let mut ids = vec![];
    let mut tx = world.store.begin().await.unwrap();
    // Two of the same moment: their ids decide.
    for (second, kind, of) in [
        (1, OperationKind::Apply, &stack),
        (2, OperationKind::Apply, &stack),
        (2, OperationKind::Apply, &stack),
        (3, OperationKind::Apply, &other),
        (4, OperationKind::Destroy, &stack),
    ] {
        let mut operation = operation(of);
        operation.summary.kind = kind;
        operation.summary.state = OperationState::Failed;
        operation.summary.created_at = moment(second * 1_000_000);
        tx.insert_operation(&operation).await.unwrap();
        ids.push(operation.summary.id);
    }
    for n in 0..101 {
        let mut later = operation(&stack);
        later.summary.kind = OperationKind::Stop;
        later.summary.state = OperationState::Succeeded;
        later.summary.created_at = moment(n * 1_000 + 5_000_000);
        tx.insert_operation(&later).await.unwrap();
    }
    tx.commit(now()).await.unwrap();
    let mut found = vec![];
    let mut before = None;
    while let Some(apply) = world
        .store
        .newest_apply(stack.summary.id, before)
        .await
        .unwrap()
    {
        found.push(apply);
        before = Some(apply);
    }
    let (first, mut same) = (ids[0], [ids[1], ids[2]]);
    same.sort_by_key(|other| std::cmp::Reverse(other.0));
    assert_eq!(found, [same[0], same[1], first]);
}

async fn events_come_in_order_and_only_to_those_who_may_see_them(world: World) {
    let one = world.add_operation("web").await;
    let two = world.add_operation("api").await;
    for stack in [one.summary.stack, two.summary.stack] {
        let mut tx = world.store.begin().await.unwrap();
        tx.event(changed(stack));
        tx.event(store::NewEvent {
            project: None,
            stack: None,
            subject: Subject::Request,
            ..changed(stack)
        });
        tx.commit(now()).await.unwrap();
    }
    let events = |scope, filter: EventFilter| {
        let store = world.store.clone();
        async move { store.events_after(0, &scope, &filter, 10).await.unwrap() }
    };
    let all = events(Scope::All, EventFilter::default()).await;
    assert_eq!(all.len(), 4);
    assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(world.store.latest_event().await.unwrap(), all[3].seq);
    let mine = events(
        Scope::Projects(vec![project("payments")]),
        EventFilter::default(),
    )
    .await;
    assert_eq!(mine.len(), 2);
    assert!(
        events(Scope::Projects(vec![]), EventFilter::default())
            .await
            .is_empty()
    );
    let of_stack = events(
        Scope::All,
        EventFilter {
            stack: Some(two.summary.stack),
            ..EventFilter::default()
        },
    )
    .await;
    assert_eq!(of_stack, [all[2].clone()]);
    let of_noun = events(
        Scope::All,
        EventFilter {
            subject: Some((Subject::Request, one.summary.stack.to_string())),
            ..EventFilter::default()
        },
    )
    .await;
    assert_eq!(of_noun, [all[1].clone()]);
    let later = world
        .store
        .events_after(all[2].seq, &Scope::All, &EventFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(later, [all[3].clone()]);
}

async fn eight_writers_at_once_all_get_through(world: World) {
    let writers = (0..8).map(|writer| {
        let store = world.store.clone();
        tokio::spawn(async move {
            for turn in 0..10 {
                let stack = crate::world::stack(&format!("s{writer}-{turn}"));
                let mut tx = store.begin().await.unwrap();
                tx.insert_stack(&stack).await.unwrap();
                tx.event(changed(stack.summary.id));
                tx.commit(now()).await.unwrap();
            }
        })
    });
    // Somebody follows meanwhile; what they have passed never grows a new event behind them.
    let follower = tokio::spawn({
        let store = world.store.clone();
        async move {
            let mut seen: Vec<i64> = vec![];
            for _ in 0..3_000 {
                let after = seen.last().copied().unwrap_or(0);
                let new = store
                    .events_after(after, &Scope::All, &EventFilter::default(), 100)
                    .await
                    .unwrap();
                seen.extend(new.iter().map(|event| event.seq));
                if seen.len() >= 80 {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            seen
        }
    });
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(follower.await.unwrap().len(), 80);
}

async fn events_reach_every_subscriber_after_the_commit(world: World) {
    let stack = world.add_operation("web").await.summary.stack;
    let mut here = world.store.subscribe();
    let elsewhere = Store::open(&world.url).await.unwrap();
    let mut there = elsewhere.subscribe();
    // The other process begins to listen a moment after it is opened: tell until it hears.
    let mut heard = !world.store.is_shared();
    for _ in 0..100 {
        let mut tx = world.store.begin().await.unwrap();
        tx.event(changed(stack));
        assert!(here.try_recv().is_err(), "before the commit");
        tx.commit(now()).await.unwrap();
        let seq = here.recv().await.unwrap();
        assert_eq!(seq, world.store.latest_event().await.unwrap());
        let wait = std::time::Duration::from_millis(200);
        heard = heard || matches!(tokio::time::timeout(wait, there.recv()).await, Ok(Ok(_)));
        // PostgreSQL tells this process by its own notification once more.
        tokio::time::sleep(wait).await;
        while here.try_recv().is_ok() {}
        if heard {
            break;
        }
    }
    assert!(heard);
}
