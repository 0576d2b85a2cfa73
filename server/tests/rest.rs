//! REST as automation uses it: who may, what is refused and how, what happens twice.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Api, vm};

/// Checks that an answer is a problem document with this status and code.
async fn problem(answer: reqwest::Response, status: u16, code: &str) -> Value {
    let kind = answer
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    let got = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["code"], code, "{text}");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty()),
        "{text}"
    );
    problem
}

async fn send(api: &Api, method: Method, path: &str, body: &Value) -> reqwest::Response {
    api.request(method, path).json(body).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn automation_is_told_what_it_did_wrong() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let reader = slipway.api("reader").await;
    let anybody = reqwest::Client::new();
    let url = format!("{}/api/v1", slipway.url);

    // Nobody, somebody with a wrong token, and a page's cookie that a foreign page could send.
    problem(
        anybody.get(format!("{url}/requests")).send().await.unwrap(),
        401,
        "unauthenticated",
    )
    .await;
    problem(
        anybody
            .get(format!("{url}/requests"))
            .bearer_auth("slw_wrong")
            .send()
            .await
            .unwrap(),
        401,
        "invalid_token",
    )
    .await;
    problem(
        anybody
            .get(format!("{url}/nothing/here"))
            .send()
            .await
            .unwrap(),
        404,
        "not_found",
    )
    .await;
    problem(
        anybody
            .get(format!("{url}/requests"))
            .header("host", "evil.example")
            .send()
            .await
            .unwrap(),
        421,
        "unknown_host",
    )
    .await;

    // Nothing reads, judges or repeats an address that is longer than any of Slipway's.
    for long in [
        format!("{url}/requests?q={}", "QUJD".repeat(7_500)),
        format!("{url}/requests/{}", "QUJD".repeat(7_500)),
    ] {
        problem(
            anybody.get(long).send().await.unwrap(),
            414,
            "address_too_long",
        )
        .await;
    }

    // Ids that name nothing, and what belongs to others, look the same.
    for path in [
        "/requests/nonsense",
        "/requests/018f0000-0000-7000-8000-000000000000",
        "/stacks/x",
        "/operations/%2e%2e%2f",
        "/projects/ledger",
        "/templates/nope",
    ] {
        problem(
            send(&developer, Method::GET, path, &Value::Null).await,
            404,
            "not_found",
        )
        .await;
    }
    // What a reader sees but may not do names the role.
    let refused = problem(
        send(&reader, Method::POST, "/requests", &vm("readers-vm")).await,
        403,
        "forbidden",
    )
    .await;
    assert!(
        refused["detail"].as_str().unwrap().contains("developer"),
        "{refused}"
    );
    problem(
        send(&developer, Method::GET, "/audit", &Value::Null).await,
        403,
        "forbidden",
    )
    .await;

    // Bodies that are no bodies.
    let broken = developer
        .request(Method::POST, "/requests")
        .header("content-type", "application/json")
        .body("{\"project\": ");
    problem(broken.send().await.unwrap(), 400, "malformed_body").await;
    let plain = developer
        .request(Method::POST, "/requests")
        .body("name=web");
    problem(plain.send().await.unwrap(), 415, "unsupported_media_type").await;
    let huge = developer
        .request(Method::POST, "/requests")
        .header("content-type", "application/json")
        .body("x".repeat(300_000));
    problem(huge.send().await.unwrap(), 413, "too_large").await;

    // Every bad field is named at once.
    let mut hostile = vm("../etc/passwd");
    hostile["tier"] = "production".into();
    hostile["region"] = "atlantis".into();
    hostile["cost_centre"] = "x".repeat(10_000).into();
    hostile["justification"] = "\u{202e}gnp.exe".into();
    hostile["parameters"]["sshPublicKey"] = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END OPENSSH PRIVATE KEY-----".into();
    let refused = problem(
        send(&developer, Method::POST, "/requests", &hostile).await,
        422,
        "invalid",
    )
    .await;
    let fields: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["field"].as_str())
        .collect();
    for field in [
        "name",
        "tier",
        "cost_centre",
        "justification",
        "parameters.sshPublicKey",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
    assert!(
        !refused
            .to_string()
            .contains("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"),
        "a private key is never echoed"
    );

    let nothing = developer.get("/requests").await;
    assert_eq!(nothing["items"], json!([]), "nothing half-made is left");
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(
        !log.contains("PRIVATE KEY") && !log.contains(&developer.token),
        "no secret in the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_sent_twice_is_one() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let post = |key: &str, body: Value| {
        developer
            .request(Method::POST, "/requests")
            .header("idempotency-key", key.to_owned())
            .json(&body)
            .send()
    };
    let (first, second) = tokio::join!(post("one", vm("twice")), post("one", vm("twice")));
    let statuses = [
        first.unwrap().status().as_u16(),
        second.unwrap().status().as_u16(),
    ];
    assert!(
        statuses.contains(&201) && statuses.iter().all(|status| [201, 409].contains(status)),
        "{statuses:?}"
    );
    let again = post("one", vm("twice")).await.unwrap();
    assert_eq!(
        (
            again.status().as_u16(),
            again.headers()["idempotent-replayed"].to_str().unwrap()
        ),
        (201, "true")
    );
    problem(
        post("one", vm("other")).await.unwrap(),
        422,
        "idempotency_key_reused",
    )
    .await;
    assert_eq!(
        developer.get("/requests").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // Another request of that name finds it taken.
    let taken = problem(post("two", vm("twice")).await.unwrap(), 422, "name_taken").await;
    assert_eq!(
        (
            taken["errors"][0]["field"].as_str(),
            taken["errors"][0]["code"].as_str()
        ),
        (Some("name"), Some("name_taken"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_twice_without_javascript_makes_one_request() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.browser("developer").await;
    let vm = vm("double-click");
    let submission = "019ac000-0000-7000-8000-00000000d0b1";
    let parameter = |name: &str| vm["parameters"][name].as_str().unwrap().to_owned();
    let (size, subnet, key) = (
        parameter("vmSize"),
        parameter("subnetId"),
        parameter("sshPublicKey"),
    );
    let fields = [
        ("action", "send"),
        ("submission", submission),
        ("kind", "create"),
        ("project", "payments"),
        ("tier", "dev"),
        ("template", "azure-linux-vm@1.0.0"),
        ("name", "double-click"),
        ("region", "westeurope"),
        ("zone", ""),
        ("cost_centre", "4410"),
        ("expiry", "30d"),
        ("justification", "A test."),
        ("parameters.vmSize", &size),
        ("parameters.subnetId", &subnet),
        ("parameters.sshPublicKey", &key),
    ];
    let page = "/catalogue/azure-linux-vm/request";
    let (first, second) =
        tokio::join!(developer.post(page, &fields), developer.post(page, &fields));
    assert_eq!(
        (first.status(), second.status()),
        (
            reqwest::StatusCode::SEE_OTHER,
            reqwest::StatusCode::SEE_OTHER
        )
    );
    assert_eq!(first.headers()["location"], second.headers()["location"]);
    let api = slipway.api("developer").await;
    assert_eq!(
        api.get("/requests").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prod_needs_another_pair_of_eyes() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (owner, approver) = (slipway.api("owner").await, slipway.api("approver").await);
    let mut request = vm("ledger-sync");
    request["tier"] = "prod".into();
    request["expiry"] = "".into();
    request["justification"] = "Ledger entries are synchronised every hour.".into();
    request["parameters"]["subnetId"] = support::PROD_SUBNET.into();
    let (status, sent) = owner.post("/requests", &request).await;
    assert_eq!(
        (status, sent["summary"]["state"].as_str()),
        (201, Some("awaiting_approval")),
        "{sent:#}"
    );
    let id = sent["summary"]["id"].as_str().unwrap();
    let decide =
        json!({ "decision": "approve", "plan_digest": sent["plan"]["digest"], "comment": "Fine." });
    let decisions = format!("/requests/{id}/decisions");

    // The owner may approve, but not what the owner sent.
    let refused = problem(
        send(&owner, Method::POST, &decisions, &decide).await,
        403,
        "four_eyes",
    )
    .await;
    assert!(!refused["detail"].as_str().unwrap().is_empty());
    // Another plan than the one that was looked at.
    let stale = json!({ "decision": "approve", "plan_digest": "0".repeat(64), "comment": "" });
    assert_eq!(
        send(&approver, Method::POST, &decisions, &stale)
            .await
            .status(),
        409
    );
    // A change without the version that was read.
    let unversioned = send(
        &owner,
        Method::POST,
        &format!("/requests/{id}/withdraw"),
        &Value::Null,
    )
    .await;
    problem(unversioned, 428, "version_required").await;

    let queue = approver.get("/approvals").await;
    assert_eq!(queue["items"][0]["request"]["id"], id);
    let (status, approved) = approver.post(&decisions, &decide).await;
    assert_eq!(status, 201, "{approved:#}");
    let stack = approved["summary"]["stack"].as_str().unwrap();
    let stack = owner
        .wait(&format!("/stacks/{stack}"), |stack| {
            stack["summary"]["state"] == "active"
        })
        .await;
    // Whoever looks after the installation sees what that took of Azure's rate limits; others need not know.
    let auditor = slipway.api("auditor").await;
    let limits = auditor.get("/rate-limits").await;
    let writes = limits
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["limit"] == "writes" && l["burst"] == 200.0)
        .unwrap_or_else(|| panic!("{limits:#}"));
    assert_eq!(
        (&writes["per_second"], &writes["waiting"]),
        (&json!(10.0), &json!(0))
    );
    let hidden = send(&approver, Method::GET, "/rate-limits", &Value::Null).await;
    problem(hidden, 404, "not_found").await;
    assert!(
        stack["connect"][0]["command"]
            .as_str()
            .unwrap()
            .starts_with("ssh "),
        "{stack:#}"
    );

    // Deleting it in prod waits for the same group.
    let id = stack["summary"]["id"].as_str().unwrap();
    let wrong = json!({ "confirm": "ledger", "justification": "Not needed." });
    let refused = problem(
        send(
            &owner,
            Method::POST,
            &format!("/stacks/{id}/delete"),
            &wrong,
        )
        .await,
        422,
        "confirm",
    )
    .await;
    assert_eq!(refused["errors"][0]["field"], "confirm");
    let (status, deletion) = owner
        .post(
            &format!("/stacks/{id}/delete"),
            &json!({ "confirm": "ledger-sync", "justification": "Not needed." }),
        )
        .await;
    assert_eq!(
        (status, deletion["summary"]["state"].as_str()),
        (201, Some("awaiting_approval")),
        "{deletion:#}"
    );
    let decide =
        json!({ "decision": "approve", "plan_digest": deletion["plan"]["digest"], "comment": "" });
    let (status, _) = approver
        .post(
            &format!(
                "/requests/{}/decisions",
                deletion["summary"]["id"].as_str().unwrap()
            ),
            &decide,
        )
        .await;
    assert_eq!(status, 201);
    owner
        .wait(&format!("/stacks/{id}"), |stack| {
            stack["summary"]["state"] == "deleted"
        })
        .await;

    // Who did what, in order.
    let auditor = slipway.api("auditor").await;
    let audit = auditor.get("/audit?project=payments&limit=200").await;
    let mut actions: Vec<(&str, &str)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["actor"].as_str().unwrap(),
                line["action"].as_str().unwrap(),
            )
        })
        .collect();
    actions.reverse();
    let told = |actor: &str, action: &str| {
        actions
            .iter()
            .position(|line| *line == (actor, action))
            .unwrap_or_else(|| panic!("{actor} {action} is missing in {actions:?}"))
    };
    assert!(
        told("owner", "request.submitted") < told("approver", "request.approved"),
        "{actions:?}"
    );
    assert_eq!(auditor.get("/audit/check").await["result"], "ok");
}
