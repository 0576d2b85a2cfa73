//! `kill -9` at random moments of a stack's life: started again, the same operation goes on and finishes, nothing is made twice, nothing is left.

mod support;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Api, PATIENCE, Simulator, Slipway, Start, vm};

/// Which process is killed: with the simulator inside, or beside one that lives on.
#[derive(Clone, Copy, PartialEq)]
enum Simulated {
    Inside,
    Beside,
}

fn start(simulated: Simulated, data: &Path, crash_at: Option<&str>) -> Slipway {
    let mut start = Start::new(&["serve", "--listen", "127.0.0.1:0"], data);
    if simulated == Simulated::Beside {
        start = start.env("SLIPWAY_AZURE", support::settings(&data.join("sim")));
    }
    if let Some(point) = crash_at {
        start = start.env("SLIPWAY_CRASH_AT", point);
    }
    start.start()
}

/// What one kill left behind; compared only after everything finished.
struct Life {
    data: tempfile::TempDir,
    simulated: Simulated,
    /// The simulator, where it is a process of its own.
    _beside: Option<Slipway>,
}

impl Life {
    fn begin(simulated: Simulated) -> Self {
        let data = tempfile::tempdir().unwrap();
        let beside = (simulated == Simulated::Beside).then(|| {
            let folder = data.path().join("sim");
            std::fs::create_dir(&folder).unwrap();
            Start::new(&["sim", "--listen", "127.0.0.1:0"], &folder).start()
        });
        Self {
            data,
            simulated,
            _beside: beside,
        }
    }

    fn simulator(&self) -> Simulator {
        match self.simulated {
            Simulated::Inside => Simulator::of(self.data.path()),
            Simulated::Beside => Simulator::of(&self.data.path().join("sim")),
        }
    }

    fn start(&self, crash_at: Option<&str>) -> Slipway {
        start(self.simulated, self.data.path(), crash_at)
    }

    /// From the request on: whatever the kill interrupted is finished by a process that is started again.
    async fn finish(&self) {
        let slipway = self.start(None);
        let api = slipway.api("developer").await;
        // The request itself may have been lost with the process: then it is sent again, as a client would.
        let stack = match sent(&api).await {
            Some(stack) => stack,
            None => submit(&api).await,
        };
        let path = format!("/stacks/{stack}");
        let made = api
            .wait(&path, |stack| {
                ["active", "failed", "deleted"].contains(&state(stack))
            })
            .await;
        if state(&made) != "deleted" {
            assert_eq!(state(&made), "active", "{made:#}\n{}", self.log());
            delete(&api, &stack).await;
        }
        api.wait(&path, |stack| state(stack) == "deleted").await;
        self.nothing_twice_nothing_left().await;
        assert!(slipway.terminate());
    }

    async fn nothing_twice_nothing_left(&self) {
        let simulator = self.simulator();
        let log = simulator.read("/_sim/requests").await;
        let mut accepted: HashMap<&str, u32> = HashMap::new();
        for line in log["requests"]
            .as_array()
            .unwrap_or_else(|| panic!("{log:#}"))
        {
            let path = line["path"].as_str().unwrap();
            let deployment = path.contains("/deployments/slipway-")
                && !path.trim_end_matches('/').ends_with("/validate");
            if line["method"] == "PUT"
                && deployment
                && line["status"].as_u64().is_some_and(|status| status < 300)
            {
                *accepted.entry(path).or_default() += 1;
            }
        }
        assert!(!accepted.is_empty(), "the stack was deployed");
        for (deployment, times) in &accepted {
            assert_eq!(
                *times,
                1,
                "{deployment} was accepted {times} times\n{}",
                self.log()
            );
        }
        let state = simulator.read("/_sim/state").await.to_string();
        assert!(
            !state.contains("rg-payments-"),
            "something is left: {state}"
        );
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }
}

fn state(stack: &Value) -> &str {
    stack["summary"]["state"].as_str().unwrap_or_default()
}

async fn sent(api: &Api) -> Option<String> {
    let requests = api.get("/requests").await;
    requests["items"].as_array()?.last()?["stack"]
        .as_str()
        .map(ToOwned::to_owned)
}

async fn submit(api: &Api) -> String {
    let (status, sent) = api.post("/requests", &vm("survivor")).await;
    assert_eq!(status, 201, "{sent:#}");
    sent["summary"]["stack"].as_str().unwrap().to_owned()
}

async fn delete(api: &Api, stack: &str) {
    let body = json!({ "confirm": "survivor", "justification": "The end of the test." });
    let (status, answer) = api.post(&format!("/stacks/{stack}/delete"), &body).await;
    assert!(status == 201 || status == 409, "{answer:#}");
}

/// Lives a stack's life until the process is killed after `after`.
async fn live_until_killed(life: &Life, after: Duration) {
    let mut slipway = life.start(None);
    let api = slipway.api("developer").await;
    let story = async {
        let stack = submit(&api).await;
        api.wait(&format!("/stacks/{stack}"), |stack| {
            state(stack) == "active"
        })
        .await;
        delete(&api, &stack).await;
        std::future::pending::<()>().await;
    };
    let _ = tokio::time::timeout(after, story).await;
    slipway.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_random_moments_it_goes_on() {
    for round in 0..20_u32 {
        // Spread over the whole life, with chance within each slice.
        let slice = 250_u32;
        let after = Duration::from_millis(u64::from(round * slice + rand::random_range(0..slice)));
        let simulated = if round % 2 == 0 {
            Simulated::Inside
        } else {
            Simulated::Beside
        };
        let life = Life::begin(simulated);
        live_until_killed(&life, after).await;
        tokio::time::timeout(PATIENCE * 2, life.finish())
            .await
            .unwrap_or_else(|_| panic!("killed after {after:?} it did not finish\n{}", life.log()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_boundary_it_goes_on() {
    for simulated in [Simulated::Inside, Simulated::Beside] {
        for point in portal::CRASH_POINTS {
            let life = Life::begin(simulated);
            let mut slipway = life.start(Some(point));
            let api = slipway.api("developer").await;
            // Lives the whole life; the process ends itself at the point, wherever that is.
            let story = async {
                let stack = submit(&api).await;
                api.wait(&format!("/stacks/{stack}"), |stack| {
                    state(stack) == "active"
                })
                .await;
                delete(&api, &stack).await;
                api.wait(&format!("/stacks/{stack}"), |stack| {
                    state(stack) == "deleted"
                })
                .await;
            };
            let story = tokio::spawn(async move { story.await });
            let _ = story;
            let deadline = std::time::Instant::now() + PATIENCE;
            while !slipway.has_ended() {
                assert!(
                    std::time::Instant::now() < deadline,
                    "{point} was never reached\n{}",
                    life.log()
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            tokio::time::timeout(PATIENCE * 2, life.finish())
                .await
                .unwrap_or_else(|_| panic!("killed at {point} it did not finish\n{}", life.log()));
        }
    }
}
