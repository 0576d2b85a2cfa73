//! Nobody takes what is not theirs: two projects on one cluster, two installations on one subscription, and people who make things by hand. In every order of
//! creating, changing, deleting and trying again, and with `kill -9` at each step, what is foreign stays as it is: its body, its etag, its tags.
//!
//! The suite tells a part of it, another one each time; `SLIPWAY_DRILL=full` tells all of it, and `SLIPWAY_DRILL_SEED=N` repeats a part.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use azure_sim::seed;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Api, PATIENCE, Simulator, Slipway, Start, state};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many stories go on at the same time: they mostly wait for Azure.
const ABREAST: usize = 4;
/// The suite takes every so many-th boundary and order.
const PART: u32 = 5;
/// More boundaries than any operation crosses.
const BOUNDARIES: u32 = 60;
const AKS: &str = "2026-03-01";

/// Whether everything is told, and which part otherwise.
fn told(number: u32) -> bool {
    if std::env::var("SLIPWAY_DRILL").as_deref() == Ok("full") {
        return true;
    }
    static SEED: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let seed = SEED.get_or_init(|| {
        let given = std::env::var("SLIPWAY_DRILL_SEED").ok();
        let seed = given
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| rand::random_range(0..PART));
        println!("SLIPWAY_DRILL_SEED={seed}");
        seed
    });
    number % PART == seed % PART
}

/// One simulated Azure, and data directories for the installations that work on it.
struct World {
    data: tempfile::TempDir,
    azure: Simulator,
    _process: Slipway,
}

impl World {
    fn begin() -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("sim");
        std::fs::create_dir(&folder).unwrap();
        let process = Start::new(&["sim"], &folder).start();
        let azure = Simulator::of(&folder);
        Self {
            data,
            azure,
            _process: process,
        }
    }

    fn folder(&self, installation: &str) -> PathBuf {
        let folder = self.data.path().join(installation);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// An installation, as it was left; `crash_at` ends its process at a boundary.
    fn start(&self, installation: &str, crash_at: Option<u32>) -> Slipway {
        let folder = self.folder(installation);
        let mut start = Start::new(&["serve", "--listen", "127.0.0.1:0"], &folder)
            .env(
                "SLIPWAY_AZURE",
                support::settings(&self.data.path().join("sim")),
            )
            .env("SLIPWAY_SANDBOX", "true");
        if let Some(crossed) = crash_at {
            start = start.env("SLIPWAY_CRASH_AT", crossed.to_string());
        }
        start.start()
    }

    fn log(&self, installation: &str) -> String {
        std::fs::read_to_string(self.folder(installation).join("log")).unwrap_or_default()
    }

    async fn pool(&self, name: &str) -> Option<Value> {
        self.azure.resource(&pool_id(name), AKS).await
    }

    /// Waits until nothing moves in Azure.
    async fn rest(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut quiet = 0;
        while quiet < 3 {
            assert!(Instant::now() < deadline, "Azure does not come to rest");
            let running = &self.azure.census().await["running"];
            quiet = if running == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Somebody makes a pool without Slipway.
    async fn make_by_hand(&self, name: &str) -> Value {
        let body = json!({ "properties": {
            "mode": "User", "count": 1, "vmSize": "Standard_D2ds_v6", "tags": { "owner": "somebody" },
        } });
        let path = format!("{}?api-version={AKS}", pool_id(name));
        self.azure.arm(Method::PUT, &path, Some(&body)).await;
        self.rest().await;
        self.pool(name).await.unwrap()
    }
}

fn pool_id(name: &str) -> String {
    format!("{}/agentPools/{name}", seed::CLUSTER_DEV)
}

/// A request for a pool on the cluster that all projects share.
fn pool(project: &str, stack: &str, name: &str) -> Value {
    json!({
        "project": project, "tier": "dev", "template": "aks-node-pool@1.0.0", "name": stack, "region": "westeurope",
        "cost_centre": "4410", "expiry": "30d", "justification": "A test.",
        "parameters": {
            "clusterId": seed::CLUSTER_DEV, "poolName": name, "subnetId": seed::SUBNET_DEV_WESTEUROPE,
            "vmSize": "Standard_D2ds_v6", "minCount": 1, "maxCount": 1,
        }
    })
}

/// The same as a change of a stack that exists.
fn update(project: &str, stack: &str, id: &str, name: &str) -> Value {
    let mut body = pool(project, stack, name);
    body["kind"] = "update".into();
    body["stack"] = id.into();
    body["parameters"]["maxCount"] = 2.into();
    body
}

/// Nothing of the stack or its requests moves any more.
fn at_rest(stack: &Value) -> bool {
    stack["running"].is_null()
        && ["reserved", "active", "failed", "deleted"].contains(&state(stack))
}

/// Makes a pool through Slipway and waits until it is there.
async fn make(api: &Api, project: &str, stack: &str, name: &str) -> String {
    let (status, sent) = api.post("/requests", &pool(project, stack, name)).await;
    assert_eq!(status, 201, "{sent:#}");
    let id = sent["summary"]["stack"].as_str().unwrap().to_owned();
    let made = api
        .wait(&format!("/stacks/{id}"), |stack| {
            ["active", "failed"].contains(&state(stack))
        })
        .await;
    assert_eq!(state(&made), "active", "{made:#}");
    id
}

async fn delete(api: &Api, id: &str, stack: &str) -> Option<(u16, Value)> {
    let body = json!({ "confirm": stack, "justification": "The end of the test." });
    api.try_post(&format!("/stacks/{id}/delete"), &body).await
}

/// What a developer can do to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Create,
    Update,
    Delete,
    Retry,
}

const WISHES: [Wish; 4] = [Wish::Create, Wish::Update, Wish::Delete, Wish::Retry];

/// All orders of the four.
fn orders() -> Vec<Vec<Wish>> {
    fn extend(begun: &[Wish], all: &mut Vec<Vec<Wish>>) {
        if begun.len() == WISHES.len() {
            all.push(begun.to_vec());
            return;
        }
        for wish in WISHES.iter().filter(|wish| !begun.contains(wish)) {
            let mut longer = begun.to_vec();
            longer.push(*wish);
            extend(&longer, all);
        }
    }
    let mut all = Vec::new();
    extend(&[], &mut all);
    all
}

/// Runs the stories that are told, some at the same time.
async fn tell<F>(stories: impl IntoIterator<Item = F>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(ABREAST));
    let mut running = JoinSet::new();
    for story in stories {
        let room = Arc::clone(&room);
        running.spawn(async move {
            let _place = room.acquire_owned().await.unwrap();
            story.await;
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_every_order_of_wishes_another_projects_pool_stays_as_it_is() {
    let orders = orders();
    assert_eq!(orders.len(), 24);
    tell(
        (0..)
            .zip(orders)
            .filter(|(number, _)| told(*number))
            .map(|(_, order)| wishes_in_order(order)),
    )
    .await;
}

/// Ledger has a pool of its own, and wants Payments', one made by hand and another installation's.
async fn wishes_in_order(order: Vec<Wish>) {
    let world = World::begin();
    let (slipway, second) = (world.start("one", None), world.start("two", None));
    let payments = slipway.api("developer").await;
    let ledger = slipway.api("ledger-developer").await;
    make(&payments, "payments", "pay-batch", "paypool").await;
    make(&second.api("developer").await, "payments", "far", "farpool").await;
    world.make_by_hand("handpool").await;
    let own = make(&ledger, "ledger", "own", "ownpool").await;
    let foreign = ["paypool", "farpool", "handpool"];
    let mut before = Vec::new();
    for name in foreign {
        before.push(world.pool(name).await.unwrap());
    }

    for wish in &order {
        for name in foreign {
            let (status, answer) = match wish {
                Wish::Create => {
                    let body = pool("ledger", &format!("want-{name}"), name);
                    let (status, answer) = ledger.post("/requests", &body).await;
                    assert_eq!(status, 422, "{order:?}: {answer:#}");
                    let error = &answer["errors"][0];
                    assert_eq!(error["field"], "parameters.poolName", "{answer:#}");
                    assert_eq!(error["code"], "resource_taken", "{answer:#}");
                    let said = answer.to_string();
                    assert!(
                        !said.contains("payments") && !said.contains("pay-batch"),
                        "{said}"
                    );
                    (status, answer)
                }
                Wish::Update => {
                    let body = update("ledger", "own", &own, name);
                    ledger.post("/requests", &body).await
                }
                Wish::Delete => delete(&ledger, &own, "own").await.unwrap(),
                Wish::Retry => {
                    ledger
                        .post(&format!("/stacks/{own}/retry"), &json!({}))
                        .await
                }
            };
            assert!(
                *wish == Wish::Delete || status >= 400,
                "{order:?}, {wish:?}: {status} {answer:#}"
            );
            ledger.wait(&format!("/stacks/{own}"), at_rest).await;
        }
    }
    if !order.contains(&Wish::Delete) {
        delete(&ledger, &own, "own").await.unwrap();
    }
    ledger
        .wait(&format!("/stacks/{own}"), |stack| state(stack) == "deleted")
        .await;
    assert_eq!(world.pool("ownpool").await, None, "its own is its own");
    for (name, before) in foreign.iter().zip(before) {
        assert_eq!(world.pool(name).await, Some(before), "{order:?}: {name}");
    }
}

/// Who is faster while Slipway's process is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stranger {
    /// Somebody with the Azure portal.
    Person,
    /// Another installation of Slipway.
    Installation,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_it_creates_a_pool_it_touches_no_strangers() {
    killed_at_each_boundary(Wish::Create).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_it_changes_a_pool_it_touches_no_strangers() {
    killed_at_each_boundary(Wish::Update).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_it_deletes_a_pool_it_touches_no_strangers() {
    killed_at_each_boundary(Wish::Delete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_it_tries_again_it_touches_no_strangers() {
    killed_at_each_boundary(Wish::Retry).await;
}

async fn killed_at_each_boundary(wish: Wish) {
    let over = Arc::new(AtomicBool::new(false));
    let full = std::env::var("SLIPWAY_DRILL").as_deref() == Ok("full");
    let mut stories = Vec::new();
    for boundary in (0..BOUNDARIES).filter(|boundary| told(*boundary)) {
        let one = if (boundary / PART).is_multiple_of(2) {
            Stranger::Person
        } else {
            Stranger::Installation
        };
        let strangers = if full {
            vec![Stranger::Person, Stranger::Installation]
        } else {
            vec![one]
        };
        for stranger in strangers {
            let over = Arc::clone(&over);
            stories.push(async move {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let began = Instant::now();
                let killed = tokio::time::timeout(
                    PATIENCE * 4,
                    killed_and_replaced(wish, boundary, stranger),
                )
                .await
                .unwrap_or_else(|_| {
                    panic!("{wish:?}, boundary {boundary}, {stranger:?}: it hangs")
                });
                println!(
                    "{wish:?}, boundary {boundary}, {stranger:?}: {:?}",
                    began.elapsed()
                );
                if !killed {
                    over.store(true, Ordering::SeqCst);
                }
            });
        }
    }
    tell(stories).await;
    assert!(
        over.load(Ordering::SeqCst),
        "an operation crosses fewer boundaries than {BOUNDARIES}"
    );
}

/// Slipway is killed at a boundary; while it is dead its pool is taken away and somebody else makes one of that name. Whatever Slipway was about to do, and
/// whatever is asked of it afterwards, that pool stays. False where the operation ended before the boundary.
async fn killed_and_replaced(wish: Wish, boundary: u32, stranger: Stranger) -> bool {
    let world = World::begin();
    let mut own = None;
    if wish != Wish::Create {
        let slipway = world.start("one", None);
        let api = slipway.api("ledger-developer").await;
        if wish == Wish::Retry {
            let fault = json!({ "method": "PUT", "path": "/agentPools/", "times": 1,
                "action": { "type": "fail", "code": "AllocationFailed", "message": "Ordered." } });
            world.azure.post("/_sim/faults", &fault).await;
            let (status, sent) = api
                .post("/requests", &pool("ledger", "own", "contested"))
                .await;
            assert_eq!(status, 201, "{sent:#}");
            let id = sent["summary"]["stack"].as_str().unwrap().to_owned();
            let made = api
                .wait(&format!("/stacks/{id}"), |stack| {
                    ["active", "failed"].contains(&state(stack))
                })
                .await;
            assert_eq!(state(&made), "failed", "{made:#}");
            own = Some(id);
        } else {
            own = Some(make(&api, "ledger", "own", "contested").await);
        }
        assert!(slipway.terminate());
    }

    let mut slipway = world.start("one", Some(boundary));
    let api = slipway.api("ledger-developer").await;
    let asked = match (wish, &own) {
        (Wish::Create, _) => {
            let sent = api
                .try_post("/requests", &pool("ledger", "own", "contested"))
                .await;
            sent.map(|(status, sent)| {
                assert_eq!(status, 201, "{sent:#}");
                sent["summary"]["stack"].as_str().unwrap().to_owned()
            })
        }
        (Wish::Update, Some(id)) => {
            let body = update("ledger", "own", id, "contested");
            let sent = api.try_post("/requests", &body).await;
            sent.map(|(status, sent)| {
                assert_eq!(status, 201, "{sent:#}");
                id.clone()
            })
        }
        (Wish::Retry, Some(id)) => api
            .try_post(&format!("/stacks/{id}/retry"), &json!({}))
            .await
            .map(|_| id.clone()),
        (_, Some(id)) => delete(&api, id, "own").await.map(|_| id.clone()),
        (_, None) => unreachable!("made above"),
    };
    if let Some(id) = &asked {
        let path = format!("/stacks/{id}");
        let ended = api
            .try_wait(&path, |stack| at_rest(stack) && state(stack) != "reserved")
            .await;
        if ended.is_some() && !slipway.has_ended() {
            return false;
        }
    }
    slipway.wait_for_end().await;
    world.rest().await;

    if world.pool("contested").await.is_some() {
        world.azure.remove(&pool_id("contested")).await;
    }
    match stranger {
        Stranger::Person => {
            world.make_by_hand("contested").await;
        }
        Stranger::Installation => {
            let second = world.start("two", None);
            let api = second.api("developer").await;
            make(&api, "payments", "faster", "contested").await;
            assert!(second.terminate());
        }
    }
    let before = world.pool("contested").await.unwrap();

    let slipway = world.start("one", None);
    let api = api.at(&slipway);
    let Some(id) = known(&api).await.or(own) else {
        // The request was lost with the process; sent again, it is refused.
        let (status, answer) = api
            .post("/requests", &pool("ledger", "own", "contested"))
            .await;
        assert_eq!(status, 422, "{answer:#}");
        assert_eq!(world.pool("contested").await, Some(before));
        return true;
    };
    let path = format!("/stacks/{id}");
    settle(&api, &path).await;
    for wish in [Wish::Retry, Wish::Update, Wish::Delete, Wish::Retry] {
        match wish {
            Wish::Update => {
                let (status, answer) = api
                    .post("/requests", &update("ledger", "own", &id, "contested"))
                    .await;
                // The list of pools that plans are made from may be seconds old: then it is the operation that refuses.
                if status == 201 {
                    settle(&api, &path).await;
                    let sent = answer["summary"]["id"].as_str().unwrap();
                    let ended = api.get(&format!("/requests/{sent}")).await;
                    assert_ne!(state(&ended), "completed", "{ended:#}");
                }
            }
            Wish::Delete => drop(delete(&api, &id, "own").await),
            _ => drop(api.post(&format!("{path}/retry"), &json!({})).await),
        }
        settle(&api, &path).await;
    }
    assert_eq!(
        world.pool("contested").await,
        Some(before),
        "{wish:?}, boundary {boundary}, {stranger:?}\n{}",
        world.log("one")
    );
    true
}

/// The stack of the newest request, where there is one.
async fn known(api: &Api) -> Option<String> {
    let requests = api.get("/requests").await;
    let newest = requests["items"].as_array()?.first()?;
    newest["stack"].as_str().map(ToOwned::to_owned)
}

/// Waits until neither the stack nor any of its requests moves.
async fn settle(api: &Api, path: &str) {
    api.wait(path, at_rest).await;
    api.wait("/requests", |requests| {
        let items = requests["items"].as_array().unwrap();
        items.iter().all(|request| {
            let state = request["state"].as_str().unwrap_or_default();
            !["checking", "approved", "executing"].contains(&state)
        })
    })
    .await;
    api.wait(path, at_rest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pools_name_goes_to_the_next_project_only_when_the_pool_is_gone() {
    let world = World::begin();
    let slipway = world.start("one", None);
    let payments = slipway.api("developer").await;
    let ledger = slipway.api("ledger-developer").await;
    let first = make(&payments, "payments", "first", "shared").await;
    let refused = ledger
        .post("/requests", &pool("ledger", "second", "shared"))
        .await;
    assert_eq!(refused.0, 422, "{refused:?}");
    delete(&payments, &first, "first").await.unwrap();
    payments
        .wait(&format!("/stacks/{first}"), |stack| {
            state(stack) == "deleted"
        })
        .await;
    make(&ledger, "ledger", "second", "shared").await;
    let before = world.pool("shared").await.unwrap();
    for (path, body) in [
        (
            "/requests".to_owned(),
            update("payments", "first", &first, "shared"),
        ),
        (format!("/stacks/{first}/retry"), json!({})),
        (
            format!("/stacks/{first}/delete"),
            json!({ "confirm": "first", "justification": "Once more." }),
        ),
        ("/requests".to_owned(), pool("payments", "third", "shared")),
    ] {
        let (status, answer) = payments.post(&path, &body).await;
        assert!(status >= 400, "{path}: {status} {answer:#}");
    }
    assert_eq!(world.pool("shared").await, Some(before));
}
