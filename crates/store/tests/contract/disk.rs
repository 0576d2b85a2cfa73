//! Stories of a full disk (SQLite's page limit stands in for it): a clear error, nothing half-made, reading goes on.

use store::{Error, NewActivity, Scope, Store};
use types::request::RequestState;

use crate::world::{World, changed, moment, now, request, sent, stack};

#[tokio::test]
async fn a_full_disk_refuses_the_whole_transaction_and_reading_goes_on() {
    let world = World::sqlite().await;
    let before = world
        .add_request("before", RequestState::AwaitingApproval)
        .await;
    world.store.close().await;
    let pages = std::fs::metadata(world.url.trim_start_matches("sqlite://"))
        .unwrap()
        .len()
        / 4_096;
    let store = Store::open(&format!("{}?max_page_count={}", world.url, pages + 8))
        .await
        .unwrap();

    let stack = stack("after");
    let request = request(&stack);
    let mut tx = store.begin().await.unwrap();
    tx.insert_request(&request, &sent(&request)).await.unwrap();
    tx.insert_stack(&stack).await.unwrap();
    tx.event(changed(stack.summary.id));
    let refused = loop {
        let activity = NewActivity {
            request: Some(request.summary.id),
            stack: None,
            actor: "developer".into(),
            text: "a long story ".repeat(500),
            at: moment(0),
        };
        if let Err(refused) = tx.insert_activity(&activity).await {
            break refused;
        }
    };
    assert_eq!(refused, Error::Full);
    assert!(refused.to_string().contains("no space left"));
    drop(tx);

    assert_eq!(store.request(request.summary.id).await.unwrap(), None);
    assert_eq!(store.stack(stack.summary.id).await.unwrap(), None);
    assert_eq!(store.latest_event().await.unwrap(), 0);
    let page = store
        .requests(&Scope::All, "", &Default::default())
        .await
        .unwrap();
    assert_eq!(page.items, [before.summary]);

    // With space again, the same request goes through.
    store.close().await;
    let store = Store::open(&world.url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.insert_request(&request, &sent(&request)).await.unwrap());
    tx.insert_stack(&stack).await.unwrap();
    tx.enqueue(types::ids::OperationId(uuid::Uuid::now_v7()), None)
        .await
        .unwrap();
    tx.commit(now()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_single_writes_and_jobs_too() {
    let world = World::sqlite().await;
    world.store.close().await;
    let pages = std::fs::metadata(world.url.trim_start_matches("sqlite://"))
        .unwrap()
        .len()
        / 4_096;
    let store = Store::open(&format!("{}?max_page_count={}", world.url, pages + 1))
        .await
        .unwrap();
    let mut refused = Ok(());
    for i in 0..100 {
        let data = serde_json::json!({"filler": "x".repeat(2_000)});
        refused = store.save_session(&i.to_string(), &data, now()).await;
        if refused.is_err() {
            break;
        }
    }
    assert_eq!(refused, Err(Error::Full));
    let mut refused = Ok(());
    let mut tx = store.begin().await.unwrap();
    for _ in 0..1_000 {
        refused = tx
            .enqueue(types::ids::OperationId(uuid::Uuid::now_v7()), None)
            .await;
        if refused.is_err() {
            break;
        }
    }
    assert_eq!(refused, Err(Error::Full));
    drop(tx);
    assert_eq!(store.unfinished_jobs().await.unwrap(), 0);
}
