//! The limits of a tier under requests that come at the same moment, over HTTP on both databases: never over, and nobody waits for ever.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use serde_json::{Value, json};
use support::{Slipway, Start, vm};

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
