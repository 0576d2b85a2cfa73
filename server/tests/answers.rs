//! What every answer has in common: headers, problem documents, the status of server functions.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use support::vm;

/// Every server function, read from where they are written.
fn functions() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src/api");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for rest in text.split("endpoint = \"").skip(1) {
            found.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_function_answers_with_the_status_of_its_problem() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let ledger = slipway.api("ledger-developer").await;
    let mut request = vm("ledgers");
    request["project"] = "ledger".into();
    let (_, sent) = ledger.post("/requests", &request).await;
    let foreign = sent["summary"]["id"].clone();
    let browser = slipway.browser("developer").await;
    let anybody = reqwest::Client::new();
    let call = |name: &str, body: &Value| {
        browser
            .raw(Method::POST, &format!("/ui/{name}"))
            .header("sec-fetch-site", "same-origin")
            .json(body)
    };
    let told = async |what: &str, answer: reqwest::Response| {
        let (status, id) = (
            answer.status().as_u16(),
            answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
        let text = answer.text().await.unwrap();
        if status == 200 {
            return (status, Value::Null);
        }
        let failure: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {text}"));
        assert_eq!(failure["status"], status, "{what}: {failure:#}");
        assert_eq!(failure["trace_id"], id, "{what}: {failure:#}");
        assert_ne!(status, 500, "{what}: {failure:#}");
        (status, failure)
    };
    let nothing = "018f0000-0000-7000-8000-000000000000";
    for name in functions() {
        let answer = anybody
            .post(format!("{}/ui/{name}", slipway.url))
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        let (status, _) = told(&name, answer).await;
        assert!(
            [400, 401].contains(&status),
            "{name} without a session: {status}"
        );
        for body in [
            json!({}),
            json!("nonsense"),
            json!({ "id": nothing, "name": "nothing", "request": nothing, "stack": nothing, "operation": nothing, "project": "nothing",
                "draft": vm("x"), "editing": foreign, "filter": {}, "tab": "mine", "template": "nothing", "version": "9.9.9" }),
        ] {
            told(&name, call(&name, &body).send().await.unwrap()).await;
        }
        // A browser that opens it as a page is told the same, and sent nowhere.
        let answer = call(&name, &json!("nonsense"))
            .header("accept", "text/html")
            .header("referer", "https://evil.example/")
            .send()
            .await
            .unwrap();
        assert!(answer.headers().get("location").is_none(), "{name}");
        told(&name, answer).await;
    }
    let check = call("check", &json!({ "draft": vm("x"), "editing": foreign }));
    assert_eq!(told("check", check.send().await.unwrap()).await.0, 404);
    let chain = call("audit-check", &json!({}));
    assert_eq!(
        told("audit-check", chain.send().await.unwrap()).await.0,
        403
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_and_every_failure_a_problem() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let browser = slipway.browser("developer").await;
    let anybody = reqwest::Client::new();
    let url = &slipway.url;
    let answers = [
        anybody.get(format!("{url}/livez")),
        anybody.get(format!("{url}/readyz")),
        anybody.get(format!("{url}/robots.txt")),
        anybody.get(format!("{url}/assets/nothing.js")),
        anybody.get(format!("{url}/sign-in")),
        anybody.get(format!("{url}/requests")),
        anybody.get(format!("{url}/api/v1/nothing")),
        anybody.get(format!("{url}/api/v1/me")),
        anybody
            .get(format!("{url}/api/v1/me"))
            .header("host", "evil.example"),
        browser.raw(Method::GET, "/requests"),
        browser.raw(Method::GET, "/nothing"),
        browser
            .raw(Method::POST, "/sign-out")
            .header("origin", "https://evil.example"),
        browser
            .raw(Method::POST, "/sign-out")
            .header("sec-fetch-site", "cross-site"),
        browser.raw(Method::DELETE, "/requests"),
        developer.request(Method::PATCH, "/requests"),
        developer.request(Method::GET, "/requests/%ff"),
        developer.request(Method::GET, "/requests?limit=many"),
        developer.request(Method::POST, "/plans").body("{"),
    ];
    for request in answers {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let answer = anybody.execute(request).await.unwrap();
        let headers = answer.headers().clone();
        assert_eq!(
            headers.get("cross-origin-resource-policy").unwrap(),
            "same-origin",
            "{what}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff", "{what}");
        let id = headers["x-request-id"].to_str().unwrap().to_owned();
        let status = answer.status();
        let html = headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        if !(status.is_client_error() || status.is_server_error()) || html {
            continue;
        }
        assert_eq!(
            headers["content-type"], "application/problem+json",
            "{what}"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["trace_id"], id, "{what}: {problem:#}");
        assert_eq!(problem["status"], status.as_u16(), "{what}: {problem:#}");
        for word in ["code", "title", "detail", "type"] {
            assert!(
                problem[word].as_str().is_some_and(|text| !text.is_empty()),
                "{what}: {problem:#}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_clears_what_the_browser_keeps() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let browser = slipway.browser("developer").await;
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/sign-in".parse().unwrap())
    );
    assert_eq!(
        answer.headers()["clear-site-data"],
        "\"cache\", \"cookies\", \"storage\""
    );
    assert_eq!(browser.get("/requests").await.status(), 303);
}
