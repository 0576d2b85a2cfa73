//! 10,000 stacks under Azure's limits: how much longer than those limits allow at best, and how many calls are answered 429.
//!
//! `cargo run --release -p portal --example stacks_bench` applies them all at once, spread over 11 subscriptions (a subscription has room for 980 resource
//! groups), each as the worker does. Worker, client and simulator share one clock that jumps to whatever is waited for next, so the figures are those of
//! virtual time and do not depend on the machine. Machines take as long as in Azure. The bound is the largest, over all buckets of all subscriptions, of
//! (calls − burst) / refill; calls, and refusals, are the simulator's own books. Another number of stacks and of subscriptions can be given, and a
//! directory `DIR/azure-sim` that keeps the simulator's state for `slipway sim --data DIR` (writing it takes time that is not the benchmark's).
//! Ends with 1 above 1.1 × the bound, above 0.1 % of calls answered 429, or when a stack failed.

#![expect(
    clippy::unwrap_used,
    reason = "a figure from a run that went wrong would be worth nothing"
)]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use azure::{Carried, Carrier, Credential, DeploymentBody, DeploymentId, GroupId, Poll, Started};
use azure_sim::{Subscription, Time, Within};
use portal::Rehearsal;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use types::plan::Plan;
use types::time::Timestamp;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STACKS: usize = 10_000;
const SUBSCRIPTIONS: usize = 11;
const MOST_OVER_BOUND: f64 = 1.1;
const MOST_REFUSED: f64 = 0.001;
/// Stands in the plan where each stack has its own name.
const NAME: &str = "stack-name";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| {
        let given = arguments.next().map(|n| n.parse::<usize>().unwrap());
        given.unwrap_or(default).max(1)
    };
    let (stacks, subscriptions) = (number(STACKS), number(SUBSCRIPTIONS));
    let data = arguments.next().map(PathBuf::from);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(measure(stacks, subscriptions, data))
}

async fn measure(stacks: usize, subscriptions: usize, data: Option<PathBuf>) -> ExitCode {
    let ids: Vec<String> = (0..subscriptions)
        .map(|number| format!("51179a1e-0000-4000-8000-0000000001{number:02x}"))
        .collect();
    let running = azure_sim::start(azure_sim::Config {
        speed: 1.0,
        time: Time::Runtime,
        throttle: true,
        data,
        cores: Some(1_000_000),
        subscriptions: ids
            .iter()
            .map(|id| Subscription::new(id, "benchmark"))
            .collect(),
        ..azure_sim::Config::default()
    })
    .await
    .unwrap();
    let arm = arm(&running);
    for id in &ids {
        make_network(&arm, id).await;
    }
    let before = books(&running.within()).await;

    let world = fixture::World::new();
    let mut draft = fixture::draft("azure-linux-vm@1.0.0");
    NAME.clone_into(&mut draft.name);
    let mut pattern = world.plan(&draft).unwrap().plan;
    // What the worker needs of it is its target and its parameters: ten thousand reports would measure themselves.
    pattern
        .resources
        .iter_mut()
        .for_each(|resource| resource.body = Value::Null);
    pattern.report.controls.clear();
    let template: Arc<Value> = world
        .catalogue
        .get(&pattern.template)
        .unwrap()
        .arm
        .clone()
        .into();
    let pattern = serde_json::to_string(&pattern).unwrap();
    let moment: Timestamp = fixture::now();
    let begun = Instant::now();
    let measured = std::time::Instant::now();
    let mut running_stacks = JoinSet::new();
    for number in 0..stacks {
        let name = format!("stack-{number:05}");
        let subscription = ids.get(number % subscriptions).unwrap();
        let plan: Plan = serde_json::from_str(
            &pattern
                .replace(NAME, &name)
                .replace(fixture::DEV, subscription),
        )
        .unwrap();
        let (arm, template) = (arm.clone(), template.clone());
        running_stacks.spawn(async move {
            let rehearsal = Rehearsal {
                arm: &arm,
                stack: types::ids::StackId(uuid::Uuid::from_u128(number as u128 + 1)),
                name: &name.parse().unwrap(),
                plan: &plan,
                template: &template,
            };
            let now = || moment.plus(begun.elapsed().try_into().unwrap());
            rehearsal.apply(now).await.map(|()| begun.elapsed())
        });
    }
    let mut times = Vec::new();
    let mut failures = Vec::new();
    while let Some(ended) = running_stacks.join_next().await {
        match ended.unwrap() {
            Ok(time) => times.push(time),
            Err(fault) => failures.push(fault),
        }
    }
    let took = begun.elapsed();
    let after = books(&running.within()).await;
    report(stacks, took, &times, &before, &after, measured.elapsed());
    for fault in failures.iter().take(5) {
        println!("failed: {}: {}", fault.code, fault.message);
    }
    let verdict = verdict(took, &before, &after);
    running.shutdown().await;
    if failures.is_empty() && verdict {
        ExitCode::SUCCESS
    } else {
        println!("not within the budget; {} stacks failed", failures.len());
        ExitCode::FAILURE
    }
}

/// The client, with the simulator in its own time behind it.
fn arm(running: &azure_sim::Running) -> azure::Arm {
    let endpoints = azure::Endpoints::single(&running.endpoint).unwrap();
    let credential = Credential::ClientSecret {
        client_id: running.client_id.clone(),
        secret: running.client_secret.clone().into(),
    };
    let mut config = azure::Config::new(endpoints, running.tenant_id.clone(), credential);
    config.carrier = Some(Arc::new(Inside(running.within())));
    azure::Arm::new(config).unwrap()
}

#[derive(Debug)]
struct Inside(Within);

impl Carrier for Inside {
    fn carry(&self, request: http::Request<Vec<u8>>) -> Carried {
        let within = self.0.clone();
        Box::pin(async move { within.answer(request).await })
    }
}

/// The platform network that the stacks of a subscription join.
async fn make_network(arm: &azure::Arm, subscription: &str) {
    let subscription = azure::SubscriptionId::parse(subscription).unwrap();
    let group = GroupId::new(subscription, "rg-platform-dev").unwrap();
    arm.groups()
        .put(&group, "westeurope", &std::collections::BTreeMap::new())
        .await
        .unwrap();
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [{
            "type": "Microsoft.Network/virtualNetworks",
            "apiVersion": "2025-05-01",
            "name": "vnet-dev-westeurope",
            "location": "westeurope",
            "properties": {
                "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                "subnets": [{
                    "name": "workload",
                    "properties": { "addressPrefix": "10.0.0.0/17", "defaultOutboundAccess": false },
                }],
            },
        }],
    });
    let id = DeploymentId::new(group, "network").unwrap();
    let body = DeploymentBody::new(template, Map::new());
    let Started::Running(operation) = arm.deployments().put(&id, &body).await.unwrap() else {
        return;
    };
    loop {
        match arm.poll(&operation).await.unwrap() {
            Poll::Running { retry_after, .. } => {
                tokio::time::sleep(retry_after.unwrap_or(Duration::from_secs(1))).await;
            }
            Poll::Succeeded(_) => return,
            other => unreachable!("{other:?}"),
        }
    }
}

/// One bucket of one subscription.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    subscription: String,
    limit: String,
    burst: f64,
    refill_per_second: f64,
    taken: u64,
    refused: u64,
}

async fn books(within: &Within) -> Vec<Account> {
    #[derive(serde::Deserialize)]
    struct Books {
        value: Vec<Account>,
    }
    let request = http::Request::get("/_sim/limits").body(Vec::new()).unwrap();
    let answer = within.answer(request).await.unwrap();
    serde_json::from_slice::<Books>(answer.body())
        .unwrap()
        .value
}

/// Calls since the books were read before.
fn calls(account: &Account, before: &[Account]) -> f64 {
    let earlier = before
        .iter()
        .find(|b| b.subscription == account.subscription && b.limit == account.limit)
        .map_or(0, |b| b.taken);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let calls = (account.taken - earlier) as f64;
    calls
}

/// Seconds that a bucket needs at least.
fn least(account: &Account, before: &[Account]) -> f64 {
    ((calls(account, before) - account.burst) / account.refill_per_second).max(0.0)
}

fn bound<'a>(before: &[Account], after: &'a [Account]) -> &'a Account {
    after
        .iter()
        .max_by(|a, b| least(a, before).total_cmp(&least(b, before)))
        .unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn refused(before: &[Account], after: &[Account]) -> (f64, f64) {
    let sum = |books: &[Account]| books.iter().map(|a| a.refused).sum::<u64>();
    let all: f64 = after.iter().map(|account| calls(account, before)).sum();
    let refused = (sum(after) - sum(before)) as f64;
    (refused, all + refused)
}

fn verdict(took: Duration, before: &[Account], after: &[Account]) -> bool {
    let (refused, all) = refused(before, after);
    took.as_secs_f64() <= MOST_OVER_BOUND * least(bound(before, after), before)
        && refused <= MOST_REFUSED * all
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn report(
    stacks: usize,
    took: Duration,
    times: &[Duration],
    before: &[Account],
    after: &[Account],
    measured: Duration,
) {
    let mut limits: Vec<&str> = after.iter().map(|account| account.limit.as_str()).collect();
    limits.sort_unstable();
    limits.dedup();
    println!("{stacks} stacks, {} made", times.len());
    for limit in limits {
        let of: Vec<&Account> = after.iter().filter(|a| a.limit == limit).collect();
        let worst = of
            .iter()
            .max_by(|a, b| least(a, before).total_cmp(&least(b, before)))
            .unwrap();
        let all: f64 = of.iter().map(|account| calls(account, before)).sum();
        println!(
            "{limit}: {all:.0} calls, {:.2} of each stack; the busiest subscription: ({:.0} − {:.0}) / {:.2} s⁻¹ = {:.1} s",
            all / stacks as f64,
            calls(worst, before),
            worst.burst,
            worst.refill_per_second,
            least(worst, before)
        );
    }
    let bound = bound(before, after);
    let (refused, all) = refused(before, after);
    println!(
        "bound: {:.1} s ({}); took {:.1} s, {:.3} × the bound",
        least(bound, before),
        bound.limit,
        took.as_secs_f64(),
        took.as_secs_f64() / least(bound, before)
    );
    println!(
        "answered 429: {refused:.0} of {all:.0} calls ({:.3} %)",
        100.0 * refused / all.max(1.0)
    );
    println!(
        "computed in {:.1} s; memory {}, at most {} while all ran, client and simulator together",
        measured.as_secs_f64(),
        memory("VmRSS:"),
        memory("VmHWM:")
    );
}

/// What the process holds (proc(5)).
fn memory(what: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(what))
        .map_or_else(|| "unknown".to_owned(), |held| held.trim().to_owned())
}
