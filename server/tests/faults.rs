//! The main story with something going wrong in Azure, once for each fault that the simulator can be ordered to have. It ends well, or in a failure that
//! is explained; nothing is made twice and nothing is left. What happened is the table in `docs/faults.md`.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Api, PATIENCE, Simulator, Slipway, sandbox, state, vm};
use tokio::task::JoinSet;

/// How many stories go on at the same time: they mostly wait for Azure.
const ABREAST: usize = 4;

/// Calls of one story, from an empty group to none. A client that storms where it should wait goes far beyond.
const CALLS: usize = 400;

const GROUP: &str = r"/resourceGroups/rg-payments-dev-[^/]+$";
const DEPLOYMENT: &str = r"/deployments/slipway-[^/]+$";
const DEPLOYMENT_STATUS: &str = r"/deployments/[^/]+/operationStatuses/";
const MACHINE: &str = r"/virtualMachines/[^/]+$";
const INTERFACE: &str = r"/networkInterfaces/[^/]+$";
const GROUP_RESULT: &str = r"/operationresults/";

/// One fault.
struct Case {
    /// What goes wrong, for the table.
    fault: String,
    /// What it happens to, for the table.
    to: &'static str,
    /// Orders to the simulator.
    rules: Vec<Value>,
    hand: Hand,
}

/// What somebody does in the middle of the story, beside ordering faults.
#[derive(Clone, Copy, PartialEq)]
enum Hand {
    Nothing,
    /// The requester cancels what hangs.
    Cancels,
    /// Azure's clock jumps while the deployment runs.
    MovesTheClock(i64),
    /// The machine is deleted behind Slipway's back, once it runs.
    DeletesTheMachine,
    /// So is the whole group.
    DeletesTheGroup,
    /// Tags are changed behind Slipway's back.
    ChangesTheMachine,
    /// A policy that denies is assigned before.
    AssignsAPolicy,
}

fn case(fault: impl Into<String>, to: &'static str, rules: Vec<Value>) -> Case {
    Case {
        fault: fault.into(),
        to,
        rules,
        hand: Hand::Nothing,
    }
}

fn by_hand(fault: &str, to: &'static str, hand: Hand) -> Case {
    Case {
        hand,
        ..case(fault, to, vec![])
    }
}

fn rule(method: &str, path: &str, times: u32, action: &Value) -> Value {
    json!({ "method": method, "path": path, "times": times, "action": action })
}

fn respond(status: u16) -> Value {
    json!({ "type": "respond", "status": status, "message": "Ordered." })
}

fn throttled() -> Value {
    json!({ "type": "respond", "status": 429, "code": "TooManyRequests", "message": "Ordered.", "retry_after": 2 })
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        case(
            "429 with Retry-After, twice",
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 2, &throttled())],
        ),
        case(
            "429 with Retry-After, twice",
            "polling",
            vec![rule("GET", DEPLOYMENT_STATUS, 2, &throttled())],
        ),
        case(
            "429 with Retry-After, twice",
            "deleting the group",
            vec![rule("DELETE", GROUP, 2, &throttled())],
        ),
    ];
    for status in [500, 502, 503, 504] {
        cases.push(case(
            format!("{status}, twice"),
            "the group",
            vec![rule("PUT", GROUP, 2, &respond(status))],
        ));
        cases.push(case(
            format!("{status}, twice"),
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 2, &respond(status))],
        ));
        cases.push(case(
            format!("{status}, twice"),
            "polling",
            vec![rule("GET", DEPLOYMENT_STATUS, 2, &respond(status))],
        ));
    }
    let slow = || json!({ "type": "delay", "ms": 3000 });
    let dropped = |when: &str| json!({ "type": "drop", "when": when });
    let truncated = || json!({ "type": "truncate" });
    cases.extend([
        case(
            "Slow, three seconds",
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 1, &slow())],
        ),
        case(
            "Slow, three seconds",
            "polling",
            vec![rule("GET", DEPLOYMENT_STATUS, 1, &slow())],
        ),
        case(
            "Connection dropped before the write",
            "the group",
            vec![rule("PUT", GROUP, 1, &dropped("before"))],
        ),
        case(
            "Connection dropped before the write",
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 1, &dropped("before"))],
        ),
        case(
            "Connection dropped after the write",
            "the group",
            vec![rule("PUT", GROUP, 1, &dropped("after"))],
        ),
        case(
            "Connection dropped after the write",
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 1, &dropped("after"))],
        ),
        case(
            "Connection dropped after the write",
            "deleting the group",
            vec![rule("DELETE", GROUP, 1, &dropped("after"))],
        ),
        case(
            "Connection dropped",
            "polling",
            vec![rule("GET", DEPLOYMENT_STATUS, 2, &dropped("before"))],
        ),
        case(
            "Body that breaks off",
            "the group",
            vec![rule("PUT", GROUP, 1, &truncated())],
        ),
        case(
            "Body that breaks off",
            "the deployment",
            vec![rule("PUT", DEPLOYMENT, 1, &truncated())],
        ),
        case(
            "Body that breaks off",
            "polling",
            vec![rule("GET", DEPLOYMENT_STATUS, 2, &truncated())],
        ),
    ]);
    for code in [
        "AllocationFailed",
        "ZonalAllocationFailed",
        "QuotaExceeded",
        "SkuNotAvailable",
        "RequestDisallowedByPolicy",
    ] {
        let fail = json!({ "type": "fail", "code": code, "message": "Ordered." });
        cases.push(case(
            format!("Fails: `{code}`"),
            "the machine",
            vec![rule("PUT", MACHINE, 1, &fail)],
        ));
    }
    let fail = json!({ "type": "fail", "code": "InternalServerError", "message": "Ordered." });
    cases.extend([
        case("Fails: `InternalServerError`", "the interface", vec![rule("PUT", INTERFACE, 1, &fail)]),
        Case {
            hand: Hand::Cancels,
            ..case("Hangs, and is cancelled", "the machine", vec![rule("PUT", MACHINE, 1, &json!({ "type": "hang" }))])
        },
        case("DELETE answered 500, once", "deleting the group", vec![rule("DELETE", GROUP, 1, &respond(500))]),
        case(
            "DELETE fails once, after it was accepted",
            "deleting the group",
            vec![rule("DELETE", GROUP, 1, &json!({ "type": "fail", "code": "ResourceGroupDeletionBlocked", "message": "Ordered." }))],
        ),
        case("503, twice", "polling the deletion", vec![rule("GET", GROUP_RESULT, 2, &respond(503))]),
        case("401: the token is refused, once", "the deployment", vec![rule("PUT", DEPLOYMENT, 1, &respond(401))]),
        case("401: the token is refused, once", "polling", vec![rule("GET", DEPLOYMENT_STATUS, 1, &respond(401))]),
        by_hand("Tokens expire in the middle: Azure's clock is two hours ahead", "everything", Hand::MovesTheClock(7_200)),
        by_hand("Azure's clock is five minutes behind", "everything", Hand::MovesTheClock(-300)),
        case(
            "A list that is a minute old",
            "the group's resources",
            vec![json!({ "method": "GET", "path": "/resources$", "times": 2, "action": { "type": "lag", "seconds": 60 } })],
        ),
        by_hand("Deleted behind Slipway's back", "the machine", Hand::DeletesTheMachine),
        by_hand("Deleted behind Slipway's back", "the group", Hand::DeletesTheGroup),
        by_hand("Changed behind Slipway's back", "the machine", Hand::ChangesTheMachine),
        by_hand("A policy of Azure denies it", "the machine", Hand::AssignsAPolicy),
    ]);
    cases
}

/// What the table says of one story.
struct Outcome {
    made: String,
    deleted: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_azure_does_the_story_ends_well_or_explained() {
    let only = std::env::var("SLIPWAY_FAULT").unwrap_or_default();
    let todo: Vec<(usize, Case)> = cases()
        .into_iter()
        .filter(|case| format!("{} {}", case.fault, case.to).contains(&only))
        .enumerate()
        .collect();
    let todo = Arc::new(Mutex::new(todo));
    let rows = Arc::new(Mutex::new(BTreeMap::new()));
    let mut stories = JoinSet::new();
    for _ in 0..ABREAST {
        let (todo, rows) = (todo.clone(), rows.clone());
        stories.spawn(async move {
            loop {
                let Some((place, case)) = todo.lock().unwrap().pop() else {
                    return;
                };
                let name = format!("{}, {}", case.fault, case.to);
                let outcome = tokio::time::timeout(PATIENCE * 3, tell(&case))
                    .await
                    .unwrap_or_else(|_| panic!("{name}: it does not end"));
                let row = format!(
                    "| {} | {} | {} | {} |\n",
                    case.fault, case.to, outcome.made, outcome.deleted
                );
                rows.lock().unwrap().insert(place, row);
            }
        });
    }
    while let Some(story) = stories.join_next().await {
        story.unwrap();
    }
    let rows: String = rows.lock().unwrap().values().cloned().collect();
    if !only.is_empty() {
        println!("{rows}");
        return;
    }
    let text = format!("{HEAD}{rows}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    if std::env::var_os("SLIPWAY_BLESS").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == text,
        "docs/faults.md says otherwise; SLIPWAY_BLESS=1 cargo test -p server --test faults writes it:\n{text}"
    );
}

const HEAD: &str = "# What happens when Azure fails

Each row is the main story, a VM from the request to its deletion, with one fault ordered from the simulator. The test `server/tests/faults.rs` tells all of
them, writes this page (`SLIPWAY_BLESS=1 cargo test -p server --test faults`) and fails when it is out of date. In every row: Azure accepted each deployment
once, a failure carries a code, Azure's words and what to do, and after the deletion the simulator holds what it held before.

| Fault | happens to | the VM | its deletion |
|---|---|---|---|
";

/// The approver approves what waits.
async fn approve(slipway: &Slipway, request: &Value) {
    let approver = slipway.api("approver").await;
    let path = format!(
        "/requests/{}/decisions",
        request["summary"]["id"].as_str().unwrap()
    );
    let decision = json!({ "decision": "approve", "plan_digest": request["plan"]["digest"] });
    let (status, decided) = approver.post(&path, &decision).await;
    assert_eq!(status, 201, "{decided:#}");
}

async fn tell(case: &Case) -> Outcome {
    let data = tempfile::tempdir().unwrap();
    let slipway = sandbox(data.path());
    let simulator = Simulator::of(data.path());
    let empty = simulator.census().await;
    let api = slipway.api("developer").await;
    let of = |what: &str| format!("{} to {}: {what}", case.fault, case.to);

    if case.hand == Hand::AssignsAPolicy {
        forbid_machines(&simulator).await;
    }
    if !case.rules.is_empty() {
        simulator.post("/_sim/faults", &json!(case.rules)).await;
    }
    let (status, sent) = api.post("/requests", &vm("storm")).await;
    assert_eq!(status, 201, "{}", of(&format!("{sent:#}")));
    // What Azure does not tell is unknown, and what is unknown is approved by people.
    if state(&sent) == "awaiting_approval" {
        approve(&slipway, &sent).await;
    }
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    during(case.hand, &api, &simulator, &stack).await;

    let made = api
        .wait(&stack, |stack| ["active", "failed"].contains(&state(stack)))
        .await;
    let mut told = ended(&made, "is made");
    if case.hand == Hand::AssignsAPolicy {
        let policy = &innermost(&made["fault"])["policy"][0];
        assert_eq!(
            policy["assignment"],
            "machines",
            "{}",
            of(&format!("{made:#}"))
        );
        assert_eq!(policy["expressions"][0]["path"], "type", "{policy:#}");
    }
    if state(&made) == "failed" {
        // What failed once goes through when it is tried again, where nothing stands in the way any more.
        if case.hand == Hand::AssignsAPolicy {
            allow_machines(&simulator).await;
        }
        let (status, answer) = api.post(&format!("{stack}/retry"), &json!({})).await;
        assert!(status < 300, "{}", of(&format!("{status} {answer:#}")));
        api.wait(&stack, |stack| state(stack) == "active").await;
        told.push_str("; trying again makes it");
    }
    let machine = api.get(&stack).await;
    let id = machine["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|resource| resource["id"].as_str())
        .find(|id| id.contains("/virtualMachines/") && !id.contains("/extensions/"))
        .unwrap()
        .to_owned();
    match case.hand {
        Hand::DeletesTheMachine => simulator.remove(&id).await,
        Hand::DeletesTheGroup => {
            simulator
                .remove(id.split("/providers/").next().unwrap())
                .await;
        }
        Hand::ChangesTheMachine => {
            simulator
                .change(&id, &json!({ "tags": { "owner": "nobody" } }))
                .await
        }
        _ => {}
    }

    let body = json!({ "confirm": "storm", "justification": "The end of the story." });
    let (status, answer) = api.post(&format!("{stack}/delete"), &body).await;
    assert_eq!(status, 201, "{}", of(&format!("{answer:#}")));
    let gone = api
        .wait(&stack, |stack| {
            state(stack) == "deleted"
                || (state(stack) != "deleting"
                    && stack["running"].is_null()
                    && !stack["fault"].is_null())
        })
        .await;
    let mut deletion = ended(&gone, "is deleted");
    if state(&gone) != "deleted" {
        let (status, answer) = api.post(&format!("{stack}/retry"), &json!({})).await;
        assert!(status < 300, "{}", of(&format!("{status} {answer:#}")));
        api.wait(&stack, |stack| state(stack) == "deleted").await;
        deletion.push_str("; trying again deletes it");
    }

    assert_eq!(
        simulator.census().await,
        empty,
        "{}",
        of("something is left")
    );
    let accepted = simulator.accepted_deployments().await;
    assert!(
        !accepted.is_empty() && accepted.values().all(|times| *times == 1),
        "{}",
        of(&format!("{accepted:?}"))
    );
    let left = simulator.read("/_sim/faults").await;
    assert!(
        left["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["times"] == 0),
        "{}",
        of(&format!("it did not happen: {left:#}"))
    );
    let calls = simulator.read("/_sim/requests?limit=10000").await;
    let calls = calls["value"].as_array().unwrap().len();
    assert!(calls < CALLS, "{}", of(&format!("{calls} calls")));
    Outcome {
        made: told,
        deleted: deletion,
    }
}

const DEV: &str =
    "/subscriptions/51179a1e-0000-4000-8000-0000000000d1/providers/Microsoft.Authorization";
const POLICY: &str = "?api-version=2023-04-01";

async fn forbid_machines(simulator: &Simulator) {
    let definition = format!("{DEV}/policyDefinitions/machines");
    let rule = json!({ "properties": { "mode": "All", "policyRule": {
        "if": { "field": "type", "equals": "Microsoft.Compute/virtualMachines" },
        "then": { "effect": "deny" },
    } } });
    simulator
        .arm(Method::PUT, &format!("{definition}{POLICY}"), Some(&rule))
        .await;
    let assignment = json!({ "properties": { "policyDefinitionId": definition } });
    simulator
        .arm(
            Method::PUT,
            &format!("{DEV}/policyAssignments/machines{POLICY}"),
            Some(&assignment),
        )
        .await;
}

async fn allow_machines(simulator: &Simulator) {
    for what in ["policyAssignments", "policyDefinitions"] {
        simulator
            .arm(
                Method::DELETE,
                &format!("{DEV}/{what}/machines{POLICY}"),
                None,
            )
            .await;
    }
}

/// How it ended, in words; a failure that says nothing fails the test.
fn ended(stack: &Value, well: &str) -> String {
    let fault = &stack["fault"];
    if ["active", "deleted"].contains(&state(stack)) {
        return well.to_owned();
    }
    let cause = innermost(fault);
    let code = cause["code"].as_str().unwrap_or_default();
    let said = |member: &str| {
        [fault, cause]
            .iter()
            .any(|fault| fault[member].as_str().is_some_and(|text| !text.is_empty()))
    };
    assert!(
        !code.is_empty() && said("message") && said("explanation"),
        "it is not explained: {stack:#}"
    );
    format!("fails, and says why: `{code}`")
}

/// What caused it: Azure wraps the cause.
fn innermost(fault: &Value) -> &Value {
    let inner = fault["details"].as_array().and_then(|inner| inner.first());
    inner.map_or(fault, innermost)
}

/// What somebody does while the story goes on.
async fn during(hand: Hand, api: &Api, simulator: &Simulator, stack: &str) {
    let running = async || {
        let found = api.wait(stack, |stack| !stack["running"].is_null()).await;
        format!("/operations/{}", found["running"].as_str().unwrap())
    };
    // It hangs: what was ordered has happened.
    let hangs = |operation: &Value| {
        operation["steps"].as_array().unwrap().iter().any(|step| {
            let seen = step["resources"].as_array().into_iter().flatten();
            step["state"] == "running"
                && seen
                    .clone()
                    .any(|one| one["name"] == "vm-storm" && one["state"] == "Running")
        })
    };
    match hand {
        Hand::Cancels => {
            let operation = running().await;
            api.wait(&operation, hangs).await;
            let (status, answer) = api.post(&format!("{operation}/cancel"), &json!({})).await;
            assert!(status < 300, "{status} {answer:#}");
        }
        Hand::MovesTheClock(seconds) => {
            running().await;
            simulator
                .post("/_sim/clock", &json!({ "advance_seconds": seconds }))
                .await;
        }
        _ => {}
    }
}
