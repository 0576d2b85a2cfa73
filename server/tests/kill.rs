//! `kill -9` in a stack's life: started again, the same operation goes on and finishes, nothing is made twice, nothing is left.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Api, PATIENCE, Simulator, Slipway, Start, state, vm};
use tokio::task::JoinSet;

/// How many lives go on at the same time: they mostly wait for Azure.
const ABREAST: u32 = 4;

/// Which process is killed: with the simulator inside, or beside one that lives on.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Simulated {
    Inside,
    Beside,
}

/// One stack's life, in a data directory of its own.
struct Life {
    data: tempfile::TempDir,
    /// The simulator, where it is a process of its own.
    beside: Option<Slipway>,
}

impl Life {
    fn begin(simulated: Simulated) -> Self {
        let data = tempfile::tempdir().unwrap();
        let beside = (simulated == Simulated::Beside).then(|| {
            let folder = data.path().join("sim");
            std::fs::create_dir(&folder).unwrap();
            Start::new(&["sim"], &folder).start()
        });
        Self { data, beside }
    }

    fn simulator(&self) -> Simulator {
        match self.beside {
            None => Simulator::of(self.data.path()),
            Some(_) => Simulator::of(&self.data.path().join("sim")),
        }
    }

    /// Starts the process that is going to be killed, or the one after it.
    fn start(&self, crash_at: Option<u32>) -> Slipway {
        let mut start = Start::new(&["serve", "--listen", "127.0.0.1:0"], self.data.path());
        if self.beside.is_some() {
            start = start.env(
                "SLIPWAY_AZURE",
                support::settings(&self.data.path().join("sim")),
            );
            start = start.env("SLIPWAY_SANDBOX", "true");
        }
        if let Some(crossed) = crash_at {
            start = start.env("SLIPWAY_CRASH_AT", crossed.to_string());
        }
        start.start()
    }

    /// From wherever the kill left it to the end.
    async fn finish(&self, empty: &Value) {
        let slipway = self.start(None);
        let api = slipway.api("developer").await;
        // The request itself may have been lost with the process: then it is sent again, as a client would.
        let stack = match sent(&api).await {
            Some(stack) => stack,
            None => submit(&api).await.unwrap(),
        };
        let path = format!("/stacks/{stack}");
        let made = api
            .wait(&path, |stack| {
                ["active", "failed", "deleted"].contains(&state(stack))
            })
            .await;
        if state(&made) != "deleted" {
            assert_eq!(state(&made), "active", "{made:#}\n{}", self.log());
            delete(&api, &stack).await.unwrap();
        }
        let gone = api.wait(&path, |stack| state(stack) == "deleted").await;
        let operations = api.get(&format!("/operations?stack={stack}")).await;
        let kinds: Vec<(&str, &str)> = operations["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| (o["kind"].as_str().unwrap(), o["state"].as_str().unwrap()))
            .collect();
        assert_eq!(
            kinds,
            [("destroy", "succeeded"), ("apply", "succeeded")],
            "each operation went on, none was made anew: {gone:#}"
        );
        self.nothing_twice_nothing_left(empty).await;
        assert!(slipway.terminate(), "SIGTERM ends it cleanly");
    }

    async fn nothing_twice_nothing_left(&self, empty: &Value) {
        let simulator = self.simulator();
        let accepted = simulator.accepted_deployments().await;
        assert_eq!(
            accepted.values().collect::<Vec<_>>(),
            [&1],
            "one deployment, accepted once: {accepted:?}\n{}",
            self.log()
        );
        assert_eq!(&simulator.census().await, empty, "something is left");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }
}

async fn sent(api: &Api) -> Option<String> {
    let requests = api.get("/requests").await;
    requests["items"].as_array()?.last()?["stack"]
        .as_str()
        .map(ToOwned::to_owned)
}

/// Sends the request; `None` where the process ended over it.
async fn submit(api: &Api) -> Option<String> {
    let (status, sent) = api.try_post("/requests", &vm("survivor")).await?;
    assert_eq!(status, 201, "{sent:#}");
    Some(sent["summary"]["stack"].as_str().unwrap().to_owned())
}

/// Asks for the deletion, unless that was done before the kill; `None` where the process ended over it.
async fn delete(api: &Api, stack: &str) -> Option<()> {
    let body = json!({ "confirm": "survivor", "justification": "The end of the test." });
    let path = format!("/stacks/{stack}/delete");
    let (status, answer) = api.try_post(&path, &body).await?;
    assert!(
        status == 201 || status == 409 && answer["code"] == "stack_busy",
        "{status} {answer:#}"
    );
    Some(())
}

/// A stack's whole life: made, used, deleted. `None` where the process ended in the middle.
async fn live(api: &Api) -> Option<()> {
    let stack = submit(api).await?;
    let path = format!("/stacks/{stack}");
    api.try_wait(&path, |stack| state(stack) == "active")
        .await?;
    delete(api, &stack).await?;
    api.try_wait(&path, |stack| state(stack) == "deleted")
        .await?;
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_twenty_random_moments_it_goes_on() {
    let mut lives = JoinSet::new();
    let next = Arc::new(AtomicU32::new(0));
    for _ in 0..ABREAST {
        let next = next.clone();
        lives.spawn(async move {
            loop {
                let round = next.fetch_add(1, Ordering::SeqCst);
                if round >= 20 {
                    return;
                }
                // Spread over the whole life, with chance within each slice.
                let slice = 500;
                let after = round * slice + rand::random_range(0..slice);
                killed_after(round, Duration::from_millis(after.into())).await;
            }
        });
    }
    lives.join_all().await;
}

async fn killed_after(round: u32, after: Duration) {
    let life = Life::begin(if round.is_multiple_of(2) {
        Simulated::Inside
    } else {
        Simulated::Beside
    });
    let mut slipway = life.start(None);
    let empty = life.simulator().census().await;
    let api = slipway.api("developer").await;
    // The life may be over before: then the kill finds nothing to disturb.
    let _ = tokio::time::timeout(after, live(&api)).await;
    slipway.kill();
    tokio::time::timeout(PATIENCE * 2, life.finish(&empty))
        .await
        .unwrap_or_else(|_| panic!("killed after {after:?} it did not finish\n{}", life.log()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_boundary_it_goes_on_with_the_simulator_inside() {
    killed_at_every_boundary(Simulated::Inside).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_every_boundary_it_goes_on_with_the_simulator_beside() {
    killed_at_every_boundary(Simulated::Beside).await;
}

/// Kills after 0, 1, 2, … boundaries between what is asked, answered and stored, until a whole life passes without one left to kill at.
async fn killed_at_every_boundary(simulated: Simulated) {
    let next = Arc::new(AtomicU32::new(0));
    let crossed = Arc::new(AtomicU32::new(u32::MAX));
    let mut lives = JoinSet::new();
    for _ in 0..ABREAST {
        let (next, crossed) = (next.clone(), crossed.clone());
        lives.spawn(async move {
            loop {
                let boundary = next.fetch_add(1, Ordering::SeqCst);
                if boundary >= crossed.load(Ordering::SeqCst) {
                    return;
                }
                let began = Instant::now();
                if !killed_at(simulated, boundary).await {
                    crossed.fetch_min(boundary, Ordering::SeqCst);
                    return;
                }
                println!("{simulated:?}, boundary {boundary}: {:?}", began.elapsed());
            }
        });
    }
    lives.join_all().await;
    let crossed = crossed.load(Ordering::SeqCst);
    assert!(
        (15..u32::MAX).contains(&crossed),
        "a life crosses many boundaries: {crossed}"
    );
}

/// Lives until the process ends itself at the boundary, then goes on to the end. False where no boundary of that number was crossed.
async fn killed_at(simulated: Simulated, boundary: u32) -> bool {
    let life = Life::begin(simulated);
    let mut slipway = life.start(Some(boundary));
    let empty = life.simulator().census().await;
    let api = slipway.api("developer").await;
    if live(&api).await.is_some() {
        assert!(!slipway.has_ended());
        return false;
    }
    slipway.wait_for_end().await;
    tokio::time::timeout(PATIENCE * 2, life.finish(&empty))
        .await
        .unwrap_or_else(|_| {
            panic!(
                "killed at boundary {boundary} it did not finish\n{}",
                life.log()
            )
        });
    true
}
