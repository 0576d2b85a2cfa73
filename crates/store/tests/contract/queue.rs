//! Stories of the queue: nothing is enqueued that did not happen, nothing enqueued is forgotten, and a dead worker's jobs go on.

use std::time::Duration;

use store::{Store, Worker};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::ids::OperationId;

use crate::world::{Deliveries, World, now};

crate::stories![
    a_rolled_back_transaction_enqueues_nothing,
    a_job_runs_after_its_commit_and_is_cleaned_up,
    a_killed_workers_job_is_taken_again,
    a_failing_or_panicking_handler_is_called_again,
    a_job_does_not_run_before_its_time,
    a_slow_job_behind_which_others_wait_is_delivered_once,
    two_workers_share_sixty_jobs_without_doing_one_twice,
];

fn worker(name: &str, concurrency: usize) -> Worker {
    Worker {
        name: name.into(),
        concurrency,
    }
}

async fn enqueue(store: &Store, id: OperationId) {
    let mut tx = store.begin().await.unwrap();
    tx.enqueue(id, None).await.unwrap();
    tx.commit(now()).await.unwrap();
}

/// Runs a worker that counts deliveries and takes `takes` for each.
fn counting(
    store: &Store,
    deliveries: &Deliveries,
    concurrency: usize,
    takes: Duration,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let (store, deliveries, stop) = (store.clone(), deliveries.clone(), stop.clone());
    tokio::spawn(async move {
        let handler = move |id| {
            let deliveries = deliveries.clone();
            async move {
                deliveries.add(id);
                tokio::time::sleep(takes).await;
                Ok(())
            }
        };
        store
            .run_worker(worker("test", concurrency), handler, stop)
            .await;
    })
}

async fn drained(store: &Store) {
    for _ in 0..200 {
        if store.unfinished_jobs().await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("jobs are left");
}

async fn a_rolled_back_transaction_enqueues_nothing(world: World) {
    let id = world.add_operation("web").await.summary.id;
    let mut tx = world.store.begin().await.unwrap();
    tx.enqueue(id, None).await.unwrap();
    drop(tx);
    assert_eq!(world.store.unfinished_jobs().await.unwrap(), 0);
}

async fn a_job_runs_after_its_commit_and_is_cleaned_up(world: World) {
    let id = world.add_operation("web").await.summary.id;
    let (deliveries, stop) = (Deliveries::default(), CancellationToken::new());
    let running = counting(&world.store, &deliveries, 4, Duration::ZERO, &stop);
    enqueue(&world.store, id).await;
    deliveries.until(|d| d.of(id) == 1).await;
    drained(&world.store).await;
    assert_eq!(world.store.delete_finished_jobs().await.unwrap(), 1);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(deliveries.total(), 1);
}

async fn a_killed_workers_job_is_taken_again(world: World) {
    let id = world.add_operation("web").await.summary.id;
    enqueue(&world.store, id).await;
    let deliveries = Deliveries::default();
    let stop = CancellationToken::new();
    // The first process takes the job and dies with it.
    let first = Store::open(&world.url).await.unwrap();
    let dying = counting(&first, &deliveries, 1, Duration::from_secs(3_600), &stop);
    deliveries.until(|d| d.of(id) == 1).await;
    dying.abort();
    let _ = dying.await;
    assert_eq!(world.store.unfinished_jobs().await.unwrap(), 1);

    let second = Store::open(&world.url).await.unwrap();
    let living = counting(&second, &deliveries, 1, Duration::ZERO, &stop);
    deliveries.until(|d| d.of(id) == 2).await;
    drained(&second).await;
    stop.cancel();
    living.await.unwrap();
}

async fn a_failing_or_panicking_handler_is_called_again(world: World) {
    let failing = world.add_operation("web").await.summary.id;
    let panicking = world.add_operation("api").await.summary.id;
    let (deliveries, stop) = (Deliveries::default(), CancellationToken::new());
    let handler = {
        let deliveries = deliveries.clone();
        move |id: OperationId| {
            let deliveries = deliveries.clone();
            async move {
                let first = deliveries.add(id) == 1;
                assert!(!(first && id == panicking), "the handler's own panic");
                if first {
                    return Err("not this time".to_owned());
                }
                Ok(())
            }
        }
    };
    let running = tokio::spawn({
        let (store, stop) = (world.store.clone(), stop.clone());
        async move { store.run_worker(worker("test", 2), handler, stop).await }
    });
    enqueue(&world.store, failing).await;
    enqueue(&world.store, panicking).await;
    deliveries
        .until(|d| d.of(failing) == 2 && d.of(panicking) == 2)
        .await;
    drained(&world.store).await;
    stop.cancel();
    running.await.unwrap();
}

async fn a_job_does_not_run_before_its_time(world: World) {
    let later = world.add_operation("web").await.summary.id;
    let sooner = world.add_operation("api").await.summary.id;
    let due = now().plus(time::Duration::milliseconds(2_300));
    let mut tx = world.store.begin().await.unwrap();
    tx.enqueue(later, Some(due)).await.unwrap();
    tx.enqueue(sooner, None).await.unwrap();
    tx.commit(now()).await.unwrap();
    let (deliveries, stop) = (Deliveries::default(), CancellationToken::new());
    let running = counting(&world.store, &deliveries, 2, Duration::ZERO, &stop);
    deliveries.until(|d| d.of(sooner) == 1).await;
    deliveries.until(|d| d.of(later) == 1).await;
    assert!(now() >= due);
    stop.cancel();
    running.await.unwrap();
}

async fn a_slow_job_behind_which_others_wait_is_delivered_once(world: World) {
    let (deliveries, stop) = (Deliveries::default(), CancellationToken::new());
    for name in ["one", "two", "three"] {
        let id = world.add_operation(name).await.summary.id;
        enqueue(&world.store, id).await;
    }
    // Each takes longer than three missed heartbeats; a second worker looks for orphans all the while.
    let takes = Duration::from_secs(8);
    let first = counting(&world.store, &deliveries, 1, takes, &stop);
    let second = counting(&world.store, &deliveries, 1, takes, &stop);
    deliveries.until(|d| d.total() >= 3).await;
    drained(&world.store).await;
    stop.cancel();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(deliveries.total(), 3);
}

async fn two_workers_share_sixty_jobs_without_doing_one_twice(world: World) {
    let (deliveries, stop) = (Deliveries::default(), CancellationToken::new());
    let workers = [(); 2].map(|()| {
        counting(
            &world.store,
            &deliveries,
            8,
            Duration::from_millis(5),
            &stop,
        )
    });
    let ids: Vec<_> = (0..60).map(|_| OperationId(uuid::Uuid::now_v7())).collect();
    for id in &ids {
        enqueue(&world.store, *id).await;
    }
    deliveries.until(|d| d.total() >= 60).await;
    drained(&world.store).await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(ids.iter().all(|id| deliveries.of(*id) == 1));
}
