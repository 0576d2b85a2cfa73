//! The limits of a tier under requests that come at the same moment, over HTTP on both databases: never over, and nobody waits for ever.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use serde_json::{Value, json};
use support::{Slipway, Start, prod_vm, vm};

/// Requests at the same moment.
const AT_ONCE: usize = 24;

async fn never_over(slipway: &Slipway) {
    let developer = slipway.api("developer").await;
    let budget = 800.0;
    let sent = (0..AT_ONCE).map(|n| {
        let developer = developer.at(slipway);
        async move { developer.post("/requests", &vm(&format!("race-{n}"))).await }
    });
    let answers: Vec<(u16, Value)> = futures::future::join_all(sent).await;
    assert!(
        answers.iter().all(|(status, _)| *status == 201),
        "{answers:#?}"
    );
    let of = |state: &str| {
        let state = state.to_owned();
        answers
            .iter()
            .filter(move |(_, request)| request["summary"]["state"] == state.as_str())
            .map(|(_, request)| request.clone())
            .collect::<Vec<Value>>()
    };
    let (approved, denied) = (of("approved"), of("denied"));
    assert_eq!(approved.len() + denied.len(), AT_ONCE);
    assert!(!approved.is_empty(), "at least one goes through");
    let sum: f64 = approved
        .iter()
        .map(|request| request["summary"]["monthly"].as_f64().unwrap())
        .sum();
    assert!(sum <= budget, "{sum}");
    for request in &denied {
        assert_eq!(request["plan"]["report"]["denials"][0]["id"], "GR-006");
    }

    // Every approved one is made, and the project's page tells what the rules count.
    for request in &approved {
        let path = format!("/requests/{}", request["summary"]["id"].as_str().unwrap());
        let ended = developer
            .wait(&path, |request| {
                !["approved", "executing"].contains(&request["summary"]["state"].as_str().unwrap())
            })
            .await;
        assert_eq!(ended["summary"]["state"], "completed", "{ended:#}");
    }
    let project = developer.get("/projects/payments").await;
    assert_eq!(
        project["stacks"]["dev"],
        json!({ "active": approved.len(), "approved": 0 })
    );
    let committed = project["budgets"]["dev"]["committed"].as_f64().unwrap();
    assert!(
        (committed - sum).abs() < 0.001 && committed <= budget,
        "{committed}"
    );

    // A denied one holds neither its name nor a place.
    let name = denied[0]["summary"]["name"].as_str().unwrap().to_owned();
    let mut small = vm(&name);
    small["tier"] = "test".into();
    let (status, again) = developer.post("/requests", &small).await;
    assert_eq!(
        (status, &again["summary"]["state"]),
        (201, &json!("approved")),
        "{again:#}"
    );
    let (status, again) = developer.post("/requests", &vm(&name)).await;
    assert_eq!(
        (status, &again["summary"]["state"]),
        (201, &json!("denied")),
        "{again:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_moment_never_exceed_a_limit_on_sqlite() {
    let data = tempfile::tempdir().unwrap();
    never_over(&support::sandbox(data.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_moment_never_exceed_a_limit_on_postgres() {
    let database = tokio::task::spawn_blocking(test_postgres::Database::create)
        .await
        .unwrap()
        .unwrap();
    let data = tempfile::tempdir().unwrap();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env("SLIPWAY_DATABASE_URL", database.url())
        .start();
    never_over(&slipway).await;
}

/// Requests that wait for an approval, over REST and on the page.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_too_many_is_refused_with_the_limit_and_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--open-requests-per-person",
        "2",
    ];
    let slipway = Start::new(&arguments, data.path()).start();
    let developer = slipway.api("developer").await;
    let mut sent = Vec::new();
    for name in ["one", "two"] {
        let (status, request) = developer.post("/requests", &prod_vm(name)).await;
        assert_eq!(status, 201, "{request:#}");
        assert_eq!(support::state(&request), "awaiting_approval");
        sent.push(request);
    }
    let third = prod_vm("three");
    let (status, refused) = developer.post("/requests", &third).await;
    assert_eq!(
        (status, &refused["code"], &refused["type"]),
        (
            409,
            &json!("too_many_open_requests"),
            &json!("/docs/problems#too_many_open_requests")
        ),
        "{refused:#}"
    );
    let detail = refused["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("one person may have 2") && detail.contains("withdraw"),
        "{detail}"
    );

    // The form comes back with what was typed, and says the same.
    let browser = slipway.browser("developer").await;
    let parameters = &third["parameters"];
    let fields: Vec<(&str, &str)> = vec![
        ("submission", "018f0000-0000-7000-8000-000000000001"),
        ("action", "send"),
        ("project", "payments"),
        ("tier", "prod"),
        ("template", "azure-linux-vm@1.0.0"),
        ("name", "three"),
        ("region", "westeurope"),
        ("cost_centre", "4410"),
        ("expiry", ""),
        (
            "justification",
            "Ledger entries are synchronised every hour.",
        ),
        ("parameters.vmSize", parameters["vmSize"].as_str().unwrap()),
        (
            "parameters.subnetId",
            parameters["subnetId"].as_str().unwrap(),
        ),
        (
            "parameters.sshPublicKey",
            parameters["sshPublicKey"].as_str().unwrap(),
        ),
    ];
    let page = browser
        .post("/catalogue/azure-linux-vm/request", &fields)
        .await;
    assert_eq!(page.status(), 409);
    let page = page.text().await.unwrap();
    assert!(
        page.contains("one person may have 2") && page.contains("value=\"three\""),
        "{page}"
    );

    // What needs no approval goes its way; one that is taken back makes room, and only its sender takes it back.
    let (status, quick) = developer.post("/requests", &vm("quick")).await;
    assert_eq!(status, 201, "{quick:#}");
    let path = format!(
        "/requests/{}/withdraw",
        sent[0]["summary"]["id"].as_str().unwrap()
    );
    let version = sent[0]["summary"]["version"].to_string();
    let withdraw = async |who: &str| {
        let api = slipway.api(who).await;
        let answer = api
            .request(reqwest::Method::POST, &path)
            .header("if-match", format!("\"v{version}\""))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (status, refused) = withdraw("owner").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("not_requester")),
        "{refused:#}"
    );
    let page = slipway
        .browser("owner")
        .await
        .post(&path, &[("version", &version)])
        .await;
    assert_eq!(page.status(), 403);
    let page = page.text().await.unwrap();
    assert!(page.contains("Only developer, who sent this request, can withdraw it"));
    let (status, withdrawn) = withdraw("developer").await;
    assert_eq!(status, 200, "{withdrawn:#}");
    let (status, sent) = developer.post("/requests", &third).await;
    assert_eq!(status, 201, "{sent:#}");
}
