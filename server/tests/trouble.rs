//! A full disk, and an Azure that is out of reach: what people are told, what goes on, and how it ends once the trouble does.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Simulator, Slipway, Start, state, vm};

fn on_disk_of(pages: Option<u64>, data: &Path) -> Slipway {
    let file = data.join("slipway.db");
    let limit = pages.map_or_else(String::new, |pages| format!("?max_page_count={pages}"));
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .env(
            "SLIPWAY_DATABASE_URL",
            format!("sqlite://{}{limit}", file.display()),
        )
        .start()
}

/// A request that waits for an approver: nothing but requests fills the disk.
fn prod_vm(name: &str) -> Value {
    let mut request = vm(name);
    request["tier"] = "prod".into();
    request["expiry"] = "".into();
    request["justification"] = "A long story. ".repeat(140).into();
    request["parameters"]["subnetId"] = support::PROD_SUBNET.into();
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_is_new_and_serves_what_is_there() {
    let data = tempfile::tempdir().unwrap();
    let slipway = on_disk_of(None, data.path());
    let (owner, browser) = (slipway.api("owner").await, slipway.browser("owner").await);
    let (status, answer) = owner.post("/requests", &prod_vm("before")).await;
    assert_eq!(status, 201, "{answer:#}");
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");
    let pages = std::fs::metadata(data.path().join("slipway.db"))
        .unwrap()
        .len()
        / 4_096;

    // Room for what a start writes and for a few requests at most.
    let slipway = on_disk_of(Some(pages + 80), data.path());
    let (owner, browser) = (owner.at(&slipway), browser.at(&slipway));
    let mut sent = vec!["before".to_owned()];
    let (refused, problem) = loop {
        let name = format!("filler-{}", sent.len());
        let (status, answer) = owner.post("/requests", &prod_vm(&name)).await;
        if status != 201 {
            assert_eq!(status, 507, "{answer:#}");
            break (name, answer);
        }
        sent.push(name);
        assert!(sent.len() < 100, "the disk never gets full");
    };
    assert_eq!(problem["code"], "storage_full", "{problem:#}");
    // Said once more, not worse: the connection that met the full disk is not the last one.
    let (status, answer) = owner.post("/requests", &prod_vm(&refused)).await;
    assert_eq!(status, 507, "{answer:#}");

    // Nothing half-made; what is there is served, to programs and to people, and nothing is answered that is not true.
    let names = |page: &Value| -> Vec<String> {
        let mut names: Vec<String> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let mut expected = sent.clone();
    expected.sort();
    assert_eq!(names(&owner.get("/requests?limit=100").await), expected);
    let first = owner.get("/requests?limit=100").await["items"][0]["id"].clone();
    owner
        .get(&format!("/requests/{}", first.as_str().unwrap()))
        .await;
    let (status, plan) = owner.post("/plans", &prod_vm("thought-of")).await;
    assert_eq!(status, 200, "a dry run stores nothing: {plan:#}");
    let page = browser.get("/requests").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("before"));
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");

    // With room again, the same request goes through, and the record has no gap.
    let slipway = on_disk_of(None, data.path());
    let (status, answer) = owner
        .at(&slipway)
        .post("/requests", &prod_vm(&refused))
        .await;
    assert_eq!(status, 201, "{answer:#}");
    let audit = slipway.api("auditor").await.get("/audit/check").await;
    assert_eq!(audit["result"], "ok", "{audit:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_azure_out_of_reach_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("sim");
    std::fs::create_dir(&folder).unwrap();
    let azure = || {
        Start::new(&["sim"], &folder)
            .env("SLIPWAY_SIM_SPEED", "30")
            .start()
    };
    let mut simulator = azure();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env("SLIPWAY_AZURE", support::settings(&folder))
        .env("SLIPWAY_SANDBOX", "true")
        .start();
    let developer = slipway.api("developer").await;
    let (status, sent) = developer.post("/requests", &vm("patient")).await;
    assert_eq!(status, 201, "{sent:#}");
    simulator.kill();

    let request = developer
        .get(&format!(
            "/requests/{}",
            sent["summary"]["id"].as_str().unwrap()
        ))
        .await;
    let operation = format!("/operations/{}", request["operation"].as_str().unwrap());
    let note = |operation: &Value| {
        let steps = operation["steps"].as_array().unwrap();
        steps
            .iter()
            .find(|step| step["state"] == "running")
            .and_then(|step| step["note"].as_str().map(ToOwned::to_owned))
    };
    let waiting = developer
        .wait(&operation, |operation| note(operation).is_some())
        .await;
    assert_eq!(state(&waiting), "running", "{waiting:#}");
    assert!(
        note(&waiting).unwrap().contains("Azure"),
        "it says what it waits for: {waiting:#}"
    );
    // Meanwhile people go on with what Azure was known to offer.
    let (status, plan) = developer.post("/plans", &vm("meanwhile")).await;
    assert_eq!(status, 200, "{plan:#}");
    assert_eq!(plan["errors"], json!([]), "{plan:#}");

    let simulator = azure();
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    developer
        .wait(&stack, |stack| state(stack) == "active")
        .await;
    let ended = developer
        .wait(&operation, |operation| state(operation) == "succeeded")
        .await;
    assert_eq!(note(&ended), None, "{ended:#}");
    let accepted = Simulator::of(&folder).accepted_deployments().await;
    assert_eq!(accepted.values().collect::<Vec<_>>(), [&1], "{accepted:?}");
    assert!(simulator.terminate());
}
