//! Stories of Azure's rate limits: the client and a simulator whose buckets bite live in one time, which jumps to whatever is waited for next.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot be told must not pass"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use azure::{
    Arm, Carried, Carrier, Config, Credential, Endpoints, GroupId, ResourceId, SubscriptionId,
};
use azure_sim::{Running, Time, Within, seed};
use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

#[derive(Debug)]
struct Inside(Within);

impl Carrier for Inside {
    fn carry(&self, request: http::Request<Vec<u8>>) -> Carried {
        let within = self.0.clone();
        Box::pin(async move { within.answer(request).await })
    }
}

async fn world() -> (Running, Arm) {
    let running = azure_sim::start(azure_sim::Config {
        time: Time::Runtime,
        throttle: true,
        ..azure_sim::Config::default()
    })
    .await
    .unwrap();
    let credential = Credential::ClientSecret {
        client_id: running.client_id.clone(),
        secret: running.client_secret.clone().into(),
    };
    let endpoints = Endpoints::single(&running.endpoint).unwrap();
    let mut config = Config::new(endpoints, running.tenant_id.clone(), credential);
    config.carrier = Some(Arc::new(Inside(running.within())));
    let arm = Arm::new(config).unwrap();
    (running, arm)
}

/// Calls that got a token of this limit, and calls that were answered 429.
async fn books(running: &Running, limit: &str) -> (u64, u64) {
    let request = http::Request::get("/_sim/limits").body(Vec::new()).unwrap();
    let answer = running.within().answer(request).await.unwrap();
    let books: Value = serde_json::from_slice(answer.body()).unwrap();
    let account = books["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|account| account["limit"] == limit)
        .unwrap_or_else(|| panic!("{limit}: {books}"));
    (
        account["taken"].as_u64().unwrap(),
        account["refused"].as_u64().unwrap(),
    )
}

fn dev() -> SubscriptionId {
    SubscriptionId::parse(seed::SUBSCRIPTION_DEV).unwrap()
}

#[tokio::test(start_paused = true)]
async fn more_writes_than_the_bucket_holds_are_spread_and_none_is_refused() {
    let (running, arm) = world().await;
    let begun = Instant::now();
    let puts = (0..300).map(|number| {
        let arm = arm.clone();
        async move {
            let group = GroupId::new(dev(), &format!("rg-{number}")).unwrap();
            arm.groups()
                .put(&group, "westeurope", &BTreeMap::new())
                .await
        }
    });
    for answer in join_all(puts).await {
        answer.unwrap();
    }
    // 200 at once, 100 more at 10 a second.
    let took = begun.elapsed().as_secs_f64();
    assert!((10.0..10.2).contains(&took), "{took} s of the clock");
    assert_eq!(
        books(&running, "Microsoft.Resources/Writes").await,
        (300, 0)
    );
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_looked_at_too_often_is_looked_at_more_slowly() {
    let (running, arm) = world().await;
    let id = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/none",
        seed::SUBSCRIPTION_DEV,
        seed::GROUP_DEV
    );
    let id = ResourceId::parse(&id).unwrap();
    let looks = (0..42).map(|_| async { arm.compute().instance_view(&id).await });
    let begun = Instant::now();
    for answer in join_all(looks).await {
        assert_eq!(
            answer.unwrap_err().kind(),
            azure::ErrorKind::NotFound,
            "Azure was asked, and answered"
        );
    }
    // Compute lets one machine be read 36 times at once and 12 times a minute.
    let took = begun.elapsed().as_secs_f64();
    assert!((30.0..31.0).contains(&took), "{took} s of the clock");
    assert_eq!(books(&running, "Microsoft.Compute/GetVM").await, (42, 0));
    let budget = arm
        .budgets()
        .into_iter()
        .find(|budget| budget.limit == "GetVM")
        .unwrap();
    assert_eq!(budget.subscription, seed::SUBSCRIPTION_DEV);
    running.shutdown().await;
}
