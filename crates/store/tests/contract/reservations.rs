//! Stories of ownership: one id of the installation, and resource ids that belong to one stack at a time.

use std::sync::Arc;

use store::{Conflict, Error, Store};
use types::ids::StackId;
use types::stack::{StackResource, StackState};

use crate::world::{World, moment, now};

crate::stories![
    the_installation_keeps_its_id,
    a_resource_id_belongs_to_one_stack_in_any_case_of_letters,
    what_was_never_sent_is_given_back_and_what_was_sent_stays,
    of_many_at_once_one_gets_the_id,
    what_was_made_before_reservations_existed_is_held,
];

const CLUSTER: &str =
    "/subscriptions/S/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks";
const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

fn pool(name: &str) -> String {
    format!("{CLUSTER}/agentPools/{name}")
}

async fn the_installation_keeps_its_id(world: World) {
    let second = Store::open(&world.url).await.unwrap();
    let (one, two) = tokio::join!(
        world.store.installation(moment(0)),
        second.installation(moment(1))
    );
    let id = one.unwrap();
    assert_eq!(two.unwrap(), id, "two that start at once agree");
    let later = Store::open(&world.url).await.unwrap();
    assert_eq!(later.installation(moment(2)).await.unwrap(), id);
    assert_eq!(id.0.get_version_num(), 7);
}

fn rows(ids: &[String]) -> Vec<(&str, &str)> {
    ids.iter().map(|id| (id.as_str(), POOL)).collect()
}

async fn reserve(world: &World, stack: StackId, ids: &[String]) -> Result<(), Error> {
    let mut tx = world.store.begin().await.unwrap();
    tx.reserve(stack, &rows(ids)).await?;
    tx.commit(now()).await
}

async fn names(world: &World, stack: StackId) -> Vec<(String, bool)> {
    let held = world.store.reservations_of(stack).await.unwrap();
    held.into_iter()
        .map(|r| (r.id.rsplit('/').next().unwrap().to_owned(), r.sent))
        .collect()
}

async fn a_resource_id_belongs_to_one_stack_in_any_case_of_letters(world: World) {
    let one = world
        .add_stack("one", StackState::Reserved)
        .await
        .summary
        .id;
    let two = world
        .add_stack("two", StackState::Reserved)
        .await
        .summary
        .id;
    reserve(&world, one, &[pool("batch")]).await.unwrap();
    // Again for the same stack is nothing new.
    reserve(&world, one, &[pool("BATCH")]).await.unwrap();
    assert_eq!(
        reserve(&world, two, &[pool("other"), pool("Batch").to_uppercase()]).await,
        Err(Error::Conflict(Conflict::ResourceTaken))
    );
    assert_eq!(names(&world, two).await, [], "all of it or nothing");
    assert_eq!(names(&world, one).await, [("batch".to_owned(), false)]);

    let elsewhere = CLUSTER.replace("/rg/", "/rg2/");
    reserve(&world, two, &[format!("{elsewhere}/agentPools/batch")])
        .await
        .unwrap();
    let near = world
        .store
        .reservations_near(&[CLUSTER.to_uppercase().as_str()])
        .await
        .unwrap();
    assert_eq!(near.len(), 1, "of this resource group alone: {near:?}");

    let mut tx = world.store.begin().await.unwrap();
    tx.release_reservations(one, &[]).await.unwrap();
    tx.commit(now()).await.unwrap();
    reserve(&world, two, &[pool("batch")]).await.unwrap();
}

async fn what_was_never_sent_is_given_back_and_what_was_sent_stays(world: World) {
    let stack = world.add_stack("one", StackState::Active).await.summary.id;
    reserve(&world, stack, &[pool("a"), pool("b"), pool("c")])
        .await
        .unwrap();
    let mut tx = world.store.begin().await.unwrap();
    tx.mark_sent(stack, &[pool("A").as_str()], now())
        .await
        .unwrap();
    tx.release_unsent(stack, &[pool("B").as_str()])
        .await
        .unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(
        names(&world, stack).await,
        [("a".to_owned(), true), ("b".to_owned(), false)]
    );
    let mut tx = world.store.begin().await.unwrap();
    tx.release_unsent(stack, &[]).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(names(&world, stack).await, [("a".to_owned(), true)]);
    // Nobody marks what another stack holds.
    let other = world.add_stack("two", StackState::Active).await.summary.id;
    reserve(&world, stack, &[pool("z")]).await.unwrap();
    let mut tx = world.store.begin().await.unwrap();
    tx.mark_sent(other, &[pool("z").as_str()], now())
        .await
        .unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(names(&world, stack).await[1], ("z".to_owned(), false));
    // What the stack is recorded to have was sent, whether marked or not.
    let mut tx = world.store.begin().await.unwrap();
    tx.put_stack_resource(
        stack,
        &StackResource {
            id: pool("z"),
            kind: POOL.to_owned(),
            name: "z".to_owned(),
            state: "Succeeded".to_owned(),
            seen_at: now(),
        },
    )
    .await
    .unwrap();
    tx.release_unsent(stack, &[]).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(names(&world, stack).await[1], ("z".to_owned(), true));
}

async fn of_many_at_once_one_gets_the_id(world: World) {
    let world = Arc::new(world);
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..6 {
        let stack = world
            .add_stack(&format!("racer-{n}"), StackState::Reserved)
            .await
            .summary
            .id;
        let world = Arc::clone(&world);
        tries.spawn(async move {
            let ids = [pool("batch"), pool(&format!("own{n}"))];
            let mut tx = world.store.begin().await.unwrap();
            // Whoever reads first writes first: nothing of what was read changes before the commit.
            let near = tx
                .reservations_near(&[ids[0].as_str(), ids[1].as_str()])
                .await
                .unwrap();
            let taken = near.iter().any(|r| r.id == ids[0]);
            let done = tx.reserve(stack, &rows(&ids)).await;
            assert_eq!(done.is_err(), taken, "{done:?}");
            if done.is_ok() {
                tx.commit(now()).await.unwrap();
            }
            done.is_ok()
        });
    }
    let won = tries
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    assert_eq!(won, 1);
}

async fn what_was_made_before_reservations_existed_is_held(world: World) {
    // The statement of the migration, told on a database that has resources: a new one has none when it runs.
    let stack = world.add_stack("old", StackState::Active).await.summary.id;
    let gone = world
        .add_stack("gone", StackState::Deleted)
        .await
        .summary
        .id;
    let mut tx = world.store.begin().await.unwrap();
    for (stack, name) in [(stack, "batch"), (gone, "late")] {
        tx.put_stack_resource(
            stack,
            &types::stack::StackResource {
                id: pool(name),
                kind: POOL.to_owned(),
                name: name.to_owned(),
                state: "Succeeded".to_owned(),
                seen_at: now(),
            },
        )
        .await
        .unwrap();
    }
    tx.commit(now()).await.unwrap();
    let file = if world.url.starts_with("sqlite:") {
        include_str!("../../../../migrations/sqlite/0002_ownership.sql")
    } else {
        include_str!("../../../../migrations/postgres/0002_ownership.sql")
    };
    let statement = &file[file.find("INSERT INTO").unwrap()..];
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    if world.url.starts_with("sqlite:") {
        let mut c = <sqlx::SqliteConnection as sqlx::Connection>::connect(&world.url)
            .await
            .unwrap();
        sqlx::query(statement).execute(&mut c).await.unwrap();
    } else {
        let mut c = <sqlx::PgConnection as sqlx::Connection>::connect(&world.url)
            .await
            .unwrap();
        sqlx::query(statement).execute(&mut c).await.unwrap();
    }
    assert_eq!(names(&world, stack).await, [("batch".to_owned(), true)]);
    assert_eq!(names(&world, gone).await, []);
    let near = world.store.reservations_near(&[CLUSTER]).await.unwrap();
    assert_eq!(near.len(), 1, "its scope is its resource group");
}
