//! Refused calls in the log: who, from where, what, and no more than a disk can hold; and nothing in the log that does not belong there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Start, vm};

/// The lines of the log with this message.
fn lines(data: &Path, message: &str) -> Vec<Value> {
    std::fs::read_to_string(data.join("log"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is no JSON"))
        .filter(|line| line["message"] == message)
        .collect()
}

const REFUSED: &str = "a call was refused";

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_call_has_one_line() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (reader, browser) = (slipway.api("reader").await, slipway.browser("reader").await);
    let anybody = reqwest::Client::new();
    let url = &slipway.url;
    let id = "018f0000-0000-7000-8000-000000000000";

    let calls = [
        (
            "a role is missing",
            reader
                .request(Method::POST, "/requests?colour=secret-query")
                .json(&vm("readers-secret-name")),
            json!({ "actor": "reader", "method": "POST", "route": "/api/v1/requests", "status": 403, "code": "forbidden" }),
        ),
        (
            "not theirs, or not there",
            reader.request(Method::GET, &format!("/requests/{id}")),
            json!({ "actor": "reader", "method": "GET", "route": "/api/v1/requests/{id}", "status": 404, "code": "not_found" }),
        ),
        (
            "a form",
            browser
                .raw(Method::POST, &format!("/requests/{id}/withdraw"))
                .header("origin", url)
                .form(&[("version", "1")]),
            json!({ "actor": "reader", "token": null, "route": "/requests/{id}/withdraw", "status": 404 }),
        ),
        (
            "a server function",
            browser
                .raw(Method::POST, "/ui/audit-check")
                .header("sec-fetch-site", "same-origin")
                .json(&json!({})),
            json!({ "actor": "reader", "route": "/ui/audit-check", "status": 403, "code": "forbidden" }),
        ),
        (
            "nobody",
            anybody.get(format!("{url}/api/v1/me")),
            json!({ "actor": null, "route": "/api/v1/me", "status": 401, "code": "unauthenticated" }),
        ),
        (
            "a bad token",
            anybody
                .get(format!("{url}/api/v1/me"))
                .bearer_auth("slw_a-token-that-must-not-show"),
            json!({ "actor": null, "status": 401, "code": "invalid_token" }),
        ),
        (
            "another site",
            browser
                .raw(Method::POST, "/sign-out")
                .header("origin", "https://evil.example"),
            json!({ "route": "/sign-out", "status": 403, "code": "cross_site" }),
        ),
        (
            "another host",
            anybody
                .get(format!("{url}/api/v1/me"))
                .header("host", "evil.example"),
            json!({ "route": "/api/v1/me", "status": 421, "code": "unknown_host" }),
        ),
    ];
    for (what, call, expected) in calls {
        let before = lines(data.path(), REFUSED).len();
        let answer = call.send().await.unwrap();
        let id = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let after = lines(data.path(), REFUSED);
        assert_eq!(after.len(), before + 1, "{what}: one line");
        let line = after.last().unwrap();
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&line[name], value, "{what}: {name} in {line:#}");
        }
        assert_eq!(line["request_id"], id, "{what}");
        assert_eq!(line["address"], "127.0.0.1", "{what}");
        assert_eq!(line["level"], "WARN", "{what}");
    }
    // By token: its id, never its value.
    let tokens = reader_tokens(&browser).await;
    let by_token = &lines(data.path(), REFUSED)[0];
    assert!(
        tokens.contains(&by_token["token"]),
        "{by_token:#} is not by one of {tokens:?}"
    );
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    for secret in [
        reader.token.as_str(),
        "a-token-that-must-not-show",
        "secret-query",
        "readers-secret-name",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let refusals = serde_json::to_string(&lines(data.path(), REFUSED)).unwrap();
    assert!(
        !refusals.contains(id),
        "a refusal names the route, not what was asked for"
    );
}

async fn reader_tokens(browser: &support::Browser) -> Vec<Value> {
    let tokens: Value = browser
        .raw(Method::GET, "/api/v1/me/tokens")
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    tokens
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["id"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_do_not_fill_the_disk() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let reader = slipway.api("reader").await;
    let size = || std::fs::metadata(data.path().join("log")).unwrap().len();
    let before = size();
    let http = reqwest::Client::new();
    for _ in 0..300 {
        let refused = reader.request(Method::POST, "/requests").json(&vm("no"));
        assert_eq!(refused.send().await.unwrap().status(), 403);
        // Neither do cookies that nobody knows, nor ids of any length.
        let unknown = http
            .get(format!("{}/requests", slipway.url))
            .header("cookie", "slipway=AAAAAAAAAAAAAAAAAAAAAA")
            .header("x-request-id", "x".repeat(4_000));
        unknown.send().await.unwrap();
    }
    assert!(lines(data.path(), REFUSED).len() <= 30);
    assert!(
        size() - before < 32 * 1024,
        "{} bytes for 600 calls",
        size() - before
    );
    // What was left out is told, at the latest when the process ends.
    assert!(slipway.terminate(), "SIGTERM ends it cleanly");
    let more = lines(data.path(), "more calls were refused in the last minute");
    let told: u64 = more
        .iter()
        .filter(|line| line["actor"] == "reader")
        .map(|line| line["more"].as_u64().unwrap())
        .sum();
    let written = lines(data.path(), REFUSED)
        .iter()
        .filter(|line| line["actor"] == "reader")
        .count() as u64;
    assert_eq!(told + written, 300, "{more:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_short_and_plain() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let http = reqwest::Client::new();
    let answered = async |id: &str| {
        let answer = http
            .get(format!("{}/api/v1/me", slipway.url))
            .header("x-request-id", id)
            .send()
            .await
            .unwrap();
        let header = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["trace_id"], header, "{problem:#}");
        header
    };
    assert_eq!(answered("pipeline-7.step_2").await, "pipeline-7.step_2");
    assert_eq!(answered(&"a".repeat(64)).await, "a".repeat(64));
    for foreign in [
        &"a".repeat(65),
        &"a".repeat(4_007),
        "a b",
        "x\",\"level\":\"ERROR",
        "[31m",
        "a/b",
    ] {
        let own = answered(foreign).await;
        assert!(own.len() == 36 && !own.contains(foreign), "{own}");
    }
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(!log.contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_filter_turns_on_lines_that_could_hold_a_token() {
    let data = tempfile::tempdir().unwrap();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env(
            "SLIPWAY_LOG",
            "trace,azure_core::policies=trace,azure_core::policies::transport=trace,azure_identity::token_credentials=trace,\
             typespec_client_core::http=trace,[request]=trace,h2::codec=trace,hyper_util::client=trace,tower_sessions_core::session=trace",
        )
        .start();
    let developer = slipway.api("developer").await;
    let browser = slipway.browser("developer").await;
    let (status, sent) = developer.post("/requests", &vm("traced")).await;
    assert_eq!(status, 201, "{sent:#}");
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    developer
        .wait(&stack, |stack| support::state(stack) == "active")
        .await;
    assert_eq!(browser.get("/requests").await.status(), 200);
    drop(slipway);

    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(log.contains("\"TRACE\""), "the filter is in force");
    let loud = [
        "azure_core",
        "azure_identity",
        "azure_mgmt_compute",
        "typespec",
        "h2",
        "hyper",
        "tower_sessions",
    ];
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let target = line["target"].as_str().unwrap();
        let level = line["level"].as_str().unwrap();
        assert!(
            !(matches!(level, "DEBUG" | "TRACE")
                && loud.iter().any(|name| target.starts_with(name))),
            "{line:#}"
        );
    }
    let settings: Value =
        serde_json::from_str(&std::fs::read_to_string(support::settings(data.path())).unwrap())
            .unwrap();
    let secret = settings["credential"]["client_secret"].as_str().unwrap();
    for secret in [secret, developer.token.as_str(), browser.cookie_value()] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    assert!(
        !log.to_lowercase().contains("bearer ey"),
        "a token of Azure"
    );
}
