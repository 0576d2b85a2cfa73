//! Stories of limits: whoever locks one second sees what the first reserved, and quota is held as long as it must be.

use store::Request;
use types::quota::QuotaLine;
use types::request::RequestState;
use types::stack::StackState;

use crate::world::{World, moment, now, project, request, sent, stack, target};

crate::stories![
    the_second_to_lock_a_limit_sees_what_the_first_reserved,
    limits_locked_in_any_order_never_wait_for_each_other,
    quota_is_held_from_the_approval_until_azure_was_asked_again,
    a_stack_holds_what_it_may_still_take,
    a_name_changes_as_long_as_nothing_was_made,
];

fn line(family: &str, requested: i64, headroom: i64) -> QuotaLine {
    QuotaLine {
        subscription: target().subscription.to_uppercase(),
        region: "WestEurope".into(),
        family: family.into(),
        label: family.into(),
        used: 0,
        reserved: 0,
        requested,
        headroom,
        limit: 100,
        fits: true,
        fetched_at: moment(0),
    }
}

/// An approved request for a new stack, with its quota.
async fn approve(world: &World, name: &str, lines: Vec<QuotaLine>) -> Request {
    let stack = stack(name);
    let mut request = request(&stack);
    request.summary.state = RequestState::Approved;
    if let Some(plan) = &mut request.plan {
        plan.quota = lines;
    }
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_request(&request, &sent(&request)).await.unwrap());
    tx.insert_stack(&stack).await.unwrap();
    tx.commit(now()).await.unwrap();
    request
}

async fn the_second_to_lock_a_limit_sees_what_the_first_reserved(world: World) {
    const ROOM: u64 = 5;
    let takes = (0..12).map(|n| {
        let store = world.store.clone();
        async move {
            let mut tx = store.begin().await.unwrap();
            tx.lock_limits(vec!["tier/payments/dev".into(), "quota/s/r".into()])
                .await
                .unwrap();
            let totals = tx.tier_totals(&project("payments"), None).await.unwrap();
            let held = totals.first().map_or(0, |total| total.stacks.total());
            if held >= ROOM {
                tx.rollback().await.unwrap();
                return false;
            }
            let stack = stack(&format!("racer-{n}"));
            let mut request = request(&stack);
            request.summary.state = RequestState::Approved;
            assert!(tx.insert_request(&request, &sent(&request)).await.unwrap());
            tx.insert_stack(&stack).await.unwrap();
            tx.commit(now()).await.unwrap();
            true
        }
    });
    let taken = futures::future::join_all(takes).await;
    assert_eq!(
        taken.into_iter().filter(|taken| *taken).count() as u64,
        ROOM
    );
    let totals = world
        .store
        .tier_totals(&project("payments"), None)
        .await
        .unwrap();
    assert_eq!(totals[0].stacks.approved, ROOM);
}

async fn limits_locked_in_any_order_never_wait_for_each_other(world: World) {
    let scopes = ["a", "b", "c"];
    let takes = (0..30).map(|n: usize| {
        let store = world.store.clone();
        async move {
            let mut order: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
            order.rotate_left(n % 3);
            order.truncate(2);
            let mut tx = store.begin().await.unwrap();
            tx.lock_limits(order).await.unwrap();
            tokio::task::yield_now().await;
            tx.commit(now()).await.unwrap();
        }
    });
    futures::future::join_all(takes).await;
}

async fn quota_is_held_from_the_approval_until_azure_was_asked_again(world: World) {
    let none = stack("none").summary.id;
    let held = |beside, since| {
        let store = world.store.clone();
        async move {
            let mut held: Vec<(String, i64, bool)> = store
                .quota_held(beside, since)
                .await
                .unwrap()
                .into_iter()
                .map(|held| (held.family, held.amount, held.until_asked_after.is_some()))
                .collect();
            held.sort();
            held
        }
    };
    approve(
        &world,
        "one",
        vec![
            line("DFamily", 2, 0),
            line("cores", 2, 0),
            line("gone", -4, 0),
        ],
    )
    .await;
    let mut two = approve(
        &world,
        "two",
        vec![line("dfamily", 8, 6), line("cores", 8, 6)],
    )
    .await;
    let both = vec![
        ("cores".to_owned(), 10, false),
        ("dfamily".to_owned(), 10, false),
    ];
    assert_eq!(
        held(none, moment(0)).await,
        both,
        "names are one in any case of letters"
    );
    assert_eq!(
        held(two.summary.stack, moment(0)).await,
        [
            ("cores".to_owned(), 2, false),
            ("dfamily".to_owned(), 2, false)
        ]
    );
    for state in [RequestState::Executing, RequestState::Completed] {
        two.summary.state = state;
        two.summary.updated_at = moment(900);
        let mut tx = world.store.begin().await.unwrap();
        tx.update_request(&mut two).await.unwrap();
        tx.commit(now()).await.unwrap();
        if state == RequestState::Executing {
            assert_eq!(held(none, moment(0)).await, both);
        }
    }
    // Azure was asked before it ended: it may not count it yet.
    assert_eq!(
        held(none, moment(900)).await,
        [
            ("cores".to_owned(), 2, false),
            ("cores".to_owned(), 8, true),
            ("dfamily".to_owned(), 2, false),
            ("dfamily".to_owned(), 8, true)
        ]
    );
    assert_eq!(
        held(none, moment(901)).await,
        [
            ("cores".to_owned(), 2, false),
            ("dfamily".to_owned(), 2, false)
        ]
    );
}

async fn a_stack_holds_what_it_may_still_take(world: World) {
    let stack = world.add_stack("pool", StackState::Active).await;
    let none = crate::world::stack("none").summary.id;
    let lines = [line("cores", 0, 6)];
    let hold = |amount: i64, replace: bool| {
        let (store, lines, id) = (world.store.clone(), lines.clone(), stack.summary.id);
        async move {
            let amounts: Vec<_> = lines.iter().map(|line| (line, amount)).collect();
            let mut tx = store.begin().await.unwrap();
            tx.hold_stack_quota(id, &amounts, replace).await.unwrap();
            tx.commit(now()).await.unwrap();
            let held = store.quota_held(none, moment(0)).await.unwrap();
            held.first().map_or(0, |held| held.amount)
        }
    };
    assert_eq!(hold(6, true).await, 6);
    // After a failure the larger one stays.
    assert_eq!(hold(4, false).await, 6);
    assert_eq!(hold(9, false).await, 9);
    assert_eq!(hold(3, true).await, 3);
    assert_eq!(hold(0, true).await, 0);
    assert_eq!(hold(5, true).await, 5);
    let mut gone = stack.clone();
    gone.summary.state = StackState::Deleted;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_stack(&mut gone).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert!(
        world
            .store
            .quota_held(none, moment(0))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_name_changes_as_long_as_nothing_was_made(world: World) {
    let mut one = world.add_stack("one", StackState::Deleted).await;
    world.add_stack("two", StackState::Active).await;
    one.summary.state = StackState::Reserved;
    one.summary.name = "two".parse().unwrap();
    let mut tx = world.store.begin().await.unwrap();
    let error = tx.update_stack(&mut one).await.unwrap_err();
    assert_eq!(
        error,
        store::Error::Conflict(store::Conflict::StackNameTaken)
    );
    drop(tx);
    one.summary.name = "three".parse().unwrap();
    let mut tx = world.store.begin().await.unwrap();
    tx.update_stack(&mut one).await.unwrap();
    tx.commit(now()).await.unwrap();
    let read = world.store.stack(one.summary.id).await.unwrap().unwrap();
    assert_eq!(read.summary.name.as_str(), "three");
}
