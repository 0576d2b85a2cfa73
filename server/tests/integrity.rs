//! What was agreed to is what counts, told through the server's doors: whose submission it is, what was sent with it, and what somebody wrote into the database.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use support::{Api, PROD_SUBNET, Slipway, state, vm};
use uuid::Uuid;

/// The request form of a VM, filled.
fn form<'a>(vm: &'a Value, submission: &'a str) -> Vec<(&'a str, &'a str)> {
    let of = |name: &str| vm["parameters"][name].as_str().unwrap();
    vec![
        ("action", "send"),
        ("submission", submission),
        ("kind", "create"),
        ("project", "payments"),
        ("tier", "dev"),
        ("template", "azure-linux-vm@1.0.0"),
        ("name", vm["name"].as_str().unwrap()),
        ("region", "westeurope"),
        ("zone", ""),
        ("cost_centre", "4410"),
        ("expiry", "30d"),
        ("justification", "A test."),
        ("parameters.vmSize", of("vmSize")),
        ("parameters.subnetId", of("subnetId")),
        ("parameters.sshPublicKey", of("sshPublicKey")),
    ]
}

const PAGE: &str = "/catalogue/azure-linux-vm/request";

/// The hidden submission number of a page.
fn number(page: &str) -> String {
    let field = page.find("name=\"submission\"").unwrap();
    let value = page[field..].split("value=\"").nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_place_of_anothers_submission() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (owner, developer) = (
        slipway.browser("owner").await,
        slipway.api("developer").await,
    );
    // Every number that an Idempotency-Key may stand for, guessed and sent first.
    let guesses = [
        Uuid::new_v5(&Uuid::NAMESPACE_OID, b"known-key"),
        Uuid::new_v5(&Uuid::NAMESPACE_OID, b"developer\0known-key"),
    ];
    for (n, guess) in guesses.iter().enumerate() {
        let taken = vm(&format!("taken-{n}"));
        let answer = owner.post(PAGE, &form(&taken, &guess.to_string())).await;
        assert_eq!(answer.status(), 303);
    }
    let answer = developer
        .request(Method::POST, "/requests")
        .header("idempotency-key", "known-key")
        .json(&vm("my-own"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let sent: Value = answer.json().await.unwrap();
    assert_eq!(
        (
            sent["summary"]["name"].as_str(),
            sent["summary"]["requester"].as_str()
        ),
        (Some("my-own"), Some("developer"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_form_with_other_values_is_refused_and_sent_as_a_new_one_the_next_time() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.browser("developer").await;
    let used = Uuid::now_v7().to_string();
    let first = developer.post(PAGE, &form(&vm("first"), &used)).await;
    assert_eq!(first.status(), 303);
    let to = first.headers()["location"].to_str().unwrap().to_owned();
    // The page that a browser kept, with another name: neither swallowed nor sent.
    let second = developer.post(PAGE, &form(&vm("second"), &used)).await;
    assert_eq!(second.status(), 409);
    let page = second.text().await.unwrap();
    assert!(page.contains("sent before, with other values") && page.contains("value=\"second\""));
    let fresh = number(&page);
    assert_ne!(fresh, used);
    let third = developer.post(PAGE, &form(&vm("second"), &fresh)).await;
    assert_eq!(third.status(), 303);
    assert_ne!(third.headers()["location"].to_str().unwrap(), to);
    // The same values again are the same request.
    let again = developer.post(PAGE, &form(&vm("first"), &used)).await;
    assert_eq!(again.headers()["location"].to_str().unwrap(), to);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_can_be_read_in_two_ways_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let plain = vm("two-ways").to_string();
    let post = async |path: &str, body: String| {
        let answer = developer
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    };
    for (what, with) in [
        (
            "a member twice",
            plain.replacen(
                "\"parameters\":{",
                "\"parameters\":{\"vmSize\":\"Standard_D4ds_v6\",",
                1,
            ),
        ),
        (
            "a tag twice",
            plain.replacen('{', r#"{"tags":{"a":"1","a":"2"},"#, 1),
        ),
        (
            "a member twice, one of them escaped",
            plain.replacen('{', r#"{"tags":{"a":"1","\u0061":"2"},"#, 1),
        ),
        (
            "a number beyond all",
            plain.replacen(
                "\"parameters\":{",
                "\"parameters\":{\"osDiskSizeGB\":1e400,",
                1,
            ),
        ),
    ] {
        for path in ["/requests", "/plans"] {
            let (status, text) = post(path, with.clone()).await;
            assert!(
                (400..500).contains(&status) && text.contains("malformed_body"),
                "{what}: {status} {text}"
            );
        }
    }
    for number in ["9007199254740993", "64.0", "6.4e1", "-0", "0.5"] {
        let body = plain.replacen(
            "\"parameters\":{",
            &format!("\"parameters\":{{\"osDiskSizeGB\":{number},"),
            1,
        );
        let (status, text) = post("/requests", body).await;
        assert!(
            status == 422 && text.contains("parameters.osDiskSizeGB"),
            "{number}: {status} {text}"
        );
    }
    for tags in [r#"{"$unknown":"x"}"#, r#"{"$unknown ":"x"}"#] {
        let (status, text) = post(
            "/requests",
            plain.replacen('{', &format!("{{\"tags\":{tags},"), 1),
        )
        .await;
        assert!(
            status == 422 && text.contains("reserved_name"),
            "{tags}: {status} {text}"
        );
    }
    assert_eq!(developer.get("/requests").await["items"], json!([]));
}

/// Writes a request's row as whoever holds the database can.
async fn alter(data: &std::path::Path, id: &str, change: impl FnOnce(&mut store::Request)) {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    let store = store::Store::open(&url).await.unwrap();
    let mut request = store.request(id.parse().unwrap()).await.unwrap().unwrap();
    change(&mut request);
    let now = request.summary.updated_at;
    let mut tx = store.begin().await.unwrap();
    tx.update_request(&mut request).await.unwrap();
    tx.commit(now).await.unwrap();
    store.close().await;
}

async fn problem(api: &Api, method: Method, path: &str, body: &Value) -> (u16, String) {
    let answer = api.request(method, path).json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let problem: Value = answer.json().await.unwrap();
    (
        status,
        problem["code"].as_str().unwrap_or_default().to_owned(),
    )
}

async fn waiting(slipway: &Slipway, name: &str) -> (String, String) {
    let mut request = vm(name);
    request["tier"] = "prod".into();
    request["justification"] = "It is needed for the settlement run.".into();
    request["parameters"]["subnetId"] = PROD_SUBNET.into();
    let developer = slipway.api("developer").await;
    let (status, sent) = developer.post("/requests", &request).await;
    assert_eq!(
        (status, state(&sent)),
        (201, "awaiting_approval"),
        "{sent:#}"
    );
    (
        sent["summary"]["id"].as_str().unwrap().to_owned(),
        sent["plan"]["digest"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_altered_in_the_database_is_refused_at_every_door() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, approver, auditor) = (
        slipway.api("developer").await,
        slipway.api("approver").await,
        slipway.api("auditor").await,
    );
    let (id, digest) = waiting(&slipway, "altered").await;
    let path = format!("/requests/{id}");
    // What the page shows stays as it was; what would be sent is another key.
    alter(data.path(), &id, |request| {
        let plan = request.plan.as_mut().unwrap();
        plan.parameters["vmSize"] = json!("Standard_D4ds_v6");
    })
    .await;
    let refused = (409, "plan_altered".to_owned());
    let own = slipway.browser("developer").await;
    let own = own.get(&format!("/requests/{id}")).await;
    assert_eq!(own.status(), 409);
    let own = own.text().await.unwrap();
    assert!(
        own.contains(&format!("action=\"/requests/{id}/withdraw\"")),
        "{own}"
    );
    assert_eq!(
        problem(&developer, Method::GET, &path, &Value::Null).await,
        refused
    );
    let approve = json!({ "decision": "approve", "plan_digest": digest, "comment": "" });
    let decide = format!("{path}/decisions");
    assert_eq!(
        problem(&approver, Method::POST, &decide, &approve).await,
        refused
    );
    let page = slipway
        .browser("approver")
        .await
        .get(&format!("/requests/{id}"))
        .await;
    let page = page.text().await.unwrap();
    assert!(page.contains("not the one that was agreed to") && !page.contains("Standard_D4ds_v6"));
    // In the queue it is the longest waiting and thus selected; the other rows are there all the same.
    let (other, _) = waiting(&slipway, "unaltered").await;
    let queue = slipway.browser("approver").await.get("/approvals").await;
    assert_eq!(queue.status(), 200);
    let queue = queue.text().await.unwrap();
    assert!(queue.contains("not the one that was agreed to"), "{queue}");
    assert!(queue.contains(&id) && queue.contains(&other), "{queue}");
    assert!(
        queue.contains("Altered: open it.") && !queue.contains("Standard_D4ds_v6"),
        "{queue}"
    );
    let line = auditor.get("/audit?action=request.plan_altered").await;
    assert_eq!(line["items"].as_array().unwrap().len(), 1);
    assert_eq!(line["items"][0]["subject_id"], id.as_str());
    // Restored, it can be approved, and what was approved is what is made.
    alter(data.path(), &id, |request| {
        let plan = request.plan.as_mut().unwrap();
        plan.parameters["vmSize"] = json!("Standard_D2ds_v6");
    })
    .await;
    let (status, answer) = approver.post(&decide, &approve).await;
    assert_eq!(status, 201, "{answer:#}");
    let done = developer
        .wait(&path, |request| {
            ["completed", "failed"].contains(&state(request))
        })
        .await;
    assert_eq!(state(&done), "completed");
    let started = auditor.get("/audit?action=operation.started").await;
    assert_eq!(
        started["items"][0]["detail"]["plan_digest"],
        digest.as_str()
    );
}

/// Runs SQL as whoever holds the database file can.
async fn behind_the_back(data: &std::path::Path, statements: &[&'static str]) {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    let mut c = sqlx::SqliteConnection::connect(&url).await.unwrap();
    for sql in statements {
        sqlx::query(*sql).execute(&mut c).await.unwrap();
    }
    c.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_by_the_record_does_not_decide_whatever_the_rows_say() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let owner = slipway.api("owner").await;
    let mut draft = support::prod_vm("rewritten");
    draft["justification"] = "It is needed for the settlement run.".into();
    let (status, sent) = owner.post("/requests", &draft).await;
    assert_eq!(
        (status, state(&sent)),
        (201, "awaiting_approval"),
        "{sent:#}"
    );
    behind_the_back(
        data.path(),
        &[
            "UPDATE request SET requester = 'developer' WHERE name = 'rewritten'",
            "UPDATE request_author SET subject = 'developer' WHERE request_id = (SELECT id FROM request WHERE name = 'rewritten')",
        ],
    )
    .await;
    let path = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    let told = owner.get(&path).await;
    assert_eq!(told["summary"]["requester"], "developer");
    assert_ne!(told["access"]["approve"]["access"], "allowed", "{told:#}");
    for decision in ["approve", "reject", "request_changes"] {
        let body = json!({ "decision": decision, "plan_digest": sent["plan"]["digest"], "comment": "Mine." });
        assert_eq!(
            problem(&owner, Method::POST, &format!("{path}/decisions"), &body).await,
            (403, "four_eyes".to_owned())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_requests_row_says_of_its_stack_is_compared_with_the_stack() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (id, _) = waiting(&slipway, "columns").await;
    let developer = slipway.api("developer").await;
    let path = format!("/requests/{id}");
    for alteration in [
        "UPDATE request SET tier = 'dev' WHERE name = 'columns'",
        "UPDATE request SET kind = 'delete' WHERE name = 'columns'",
        "UPDATE request SET template = 'aks-node-pool@1.0.0' WHERE name = 'columns'",
    ] {
        behind_the_back(data.path(), &[alteration]).await;
        assert_eq!(
            problem(&developer, Method::GET, &path, &Value::Null).await,
            (409, "plan_altered".to_owned()),
            "{alteration}"
        );
        behind_the_back(
            data.path(),
            &["UPDATE request SET tier = 'prod', kind = 'create', template = 'azure-linux-vm@1.0.0' WHERE name = 'columns'"],
        )
        .await;
        assert_eq!(state(&developer.get(&path).await), "awaiting_approval");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_withdrawn_by_page_and_by_rest_and_holds_nothing_then() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let browser = slipway.browser("developer").await;
    for (name, by_page) in [("by-page", true), ("by-rest", false)] {
        let (id, digest) = waiting(&slipway, name).await;
        alter(data.path(), &id, |request| {
            let plan = request.plan.as_mut().unwrap();
            plan.parameters["vmSize"] = json!("Standard_D4ds_v6");
        })
        .await;
        // One request cannot be read; its row in the list has the version.
        let rows = developer.get("/requests?project=payments").await;
        let row = rows["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == id.as_str())
            .unwrap()
            .clone();
        let path = format!("/requests/{id}");
        if by_page {
            let version = row["version"].to_string();
            let answer = browser
                .post(
                    &format!("{path}/withdraw"),
                    &[("version", version.as_str())],
                )
                .await;
            assert_eq!(answer.status(), 303);
            let page = browser.get(&path).await;
            assert_eq!(page.status(), 409);
            let page = page.text().await.unwrap();
            assert!(
                page.contains("Withdrawn") && !page.contains("/withdraw\""),
                "{page}"
            );
        } else {
            let answer = developer
                .request(Method::POST, &format!("{path}/withdraw"))
                .header("if-match", format!("\"v{}\"", row["version"]))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
            let told: Value = answer.json().await.unwrap();
            assert_eq!(state(&told), "withdrawn");
            assert!(!told.to_string().contains("Standard_D4ds_v6"), "{told:#}");
        }
        let approver = slipway.api("approver").await;
        let approve = json!({ "decision": "approve", "plan_digest": digest, "comment": "" });
        assert_eq!(
            problem(
                &approver,
                Method::POST,
                &format!("{path}/decisions"),
                &approve
            )
            .await
            .0,
            409
        );
        // The name is free.
        waiting(&slipway, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_a_plan_must_still_have_the_right_whatever_the_rows_say() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let owner = slipway.api("owner").await;
    let mut draft = support::prod_vm("orphan");
    draft["justification"] = "It is needed for the settlement run.".into();
    let (status, sent) = owner.post("/requests", &draft).await;
    assert_eq!(status, 201, "{sent:#}");
    // Its author left, and the rows name somebody who did not, or nobody.
    behind_the_back(
        data.path(),
        &[
            "DELETE FROM membership WHERE subject = 'owner'",
            "UPDATE request SET requester = 'developer' WHERE name = 'orphan'",
            "DELETE FROM request_author",
        ],
    )
    .await;
    let approver = slipway.api("approver").await;
    let id = sent["summary"]["id"].as_str().unwrap();
    let approve =
        json!({ "decision": "approve", "plan_digest": sent["plan"]["digest"], "comment": "" });
    assert_eq!(
        problem(
            &approver,
            Method::POST,
            &format!("/requests/{id}/decisions"),
            &approve
        )
        .await,
        (409, "right_lost".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_an_earlier_version_is_proved_by_its_operations() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let (_, sent) = developer.post("/requests", &vm("earlier")).await;
    let request = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    let done = developer
        .wait(&request, |request| {
            ["completed", "failed"].contains(&state(request))
        })
        .await;
    assert_eq!(state(&done), "completed");
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    // As an earlier version left it: the record told of operations, not of what was applied or when it ends.
    behind_the_back(
        data.path(),
        &[
            "DROP TRIGGER audit_event_no_delete",
            "DELETE FROM audit_event WHERE action IN ('stack.applied', 'stack.expiry_set')",
            // It was switched on and off since, more often than a page of operations is long.
            "INSERT INTO operation (id, stack_id, kind, state, project, tier, stack_name, revision, requested_by, created_at, updated_at, started_at, ended_at, version) \
             WITH RECURSIVE later (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM later WHERE n < 101) \
             SELECT randomblob(16), s.id, CASE n % 2 WHEN 0 THEN 'start' ELSE 'stop' END, 'succeeded', s.project, s.tier, s.name, s.revision, 'developer', \
             printf('2098-01-01T00:00:00.%06dZ', n), printf('2098-01-01T00:00:00.%06dZ', n), printf('2098-01-01T00:00:00.%06dZ', n), \
             printf('2098-01-01T00:00:00.%06dZ', n), 3 FROM later, stack s WHERE s.name = 'earlier'",
        ],
    )
    .await;
    developer.get(&stack).await;
    for (altered, restored) in [
        (
            "UPDATE stack SET applied_request = NULL",
            "UPDATE stack SET applied_request = (SELECT id FROM request WHERE name = 'earlier')",
        ),
        (
            "UPDATE stack SET expires_at = NULL",
            "UPDATE stack SET expires_at = '2099-01-01T00:00:00.000000Z'",
        ),
    ] {
        behind_the_back(data.path(), &[altered]).await;
        assert_eq!(
            problem(&developer, Method::GET, &stack, &Value::Null).await,
            (409, "plan_altered".to_owned()),
            "{altered}"
        );
        assert_eq!(
            problem(
                &developer,
                Method::POST,
                &format!("{stack}/stop"),
                &Value::Null
            )
            .await,
            (409, "plan_altered".to_owned()),
            "{altered}"
        );
        behind_the_back(data.path(), &[restored]).await;
        developer.get(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_says_is_done_or_refused_on_its_field() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, approver) = (
        slipway.api("developer").await,
        slipway.api("approver").await,
    );
    let (id, digest) = waiting(&slipway, "as-said").await;
    let path = format!("/requests/{id}");
    let back =
        json!({ "decision": "request_changes", "plan_digest": digest, "comment": "Smaller." });
    let (status, told) = approver.post(&format!("{path}/decisions"), &back).await;
    assert_eq!(status, 201, "{told:#}");
    let refused = async |method: Method, path: &str, body: &Value, field: &str| {
        let answer = developer
            .request(method, path)
            .header("if-match", format!("\"v{}\"", told["summary"]["version"]))
            .json(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let problem: Value = answer.json().await.unwrap();
        let named = problem["errors"]
            .as_array()
            .is_some_and(|errors| errors.iter().any(|error| error["field"] == field));
        assert!(status == 422 && named, "{field}: {status} {problem:#}");
    };
    let with = |member: &str, value: Value| {
        let mut body = told["draft"].clone();
        body[member] = value;
        body
    };
    // An edit is of the same thing.
    let other = Uuid::now_v7().to_string();
    for kind in ["update", "extend", "delete"] {
        refused(Method::PUT, &path, &with("kind", kind.into()), "kind").await;
    }
    refused(
        Method::PUT,
        &path,
        &with("stack", other.clone().into()),
        "stack",
    )
    .await;
    refused(
        Method::PUT,
        &path,
        &with("project", "search".into()),
        "project",
    )
    .await;
    // What makes a stack names none.
    refused(
        Method::POST,
        "/requests",
        &with("stack", other.into()),
        "stack",
    )
    .await;

    // What only deletes or extends changes nothing else.
    let (_, sent) = developer.post("/requests", &vm("as-said-dev")).await;
    let request = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    developer
        .wait(&request, |request| state(request) == "completed")
        .await;
    for kind in ["delete", "extend"] {
        let bare = json!({ "kind": kind, "stack": sent["summary"]["stack"], "justification": "A test wants it." });
        for (field, value) in [
            ("project", json!("search")),
            ("tier", json!("prod")),
            ("template", json!("aks-node-pool@1.0.0")),
            ("name", json!("another")),
            ("region", json!("northeurope")),
            ("zone", json!("2")),
            ("cost_centre", json!("1")),
            ("parameters", json!({ "vmSize": "Standard_D4ds_v6" })),
            ("tags", json!({ "team": "x" })),
        ] {
            let mut body = bare.clone();
            body[field] = value;
            refused(Method::POST, "/requests", &body, field).await;
        }
    }
    let expiry = json!({ "kind": "delete", "stack": sent["summary"]["stack"], "expiry": "30d" });
    refused(Method::POST, "/requests", &expiry, "expiry").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_no_body_refuses_one_that_says_something() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let (_, sent) = developer.post("/requests", &vm("bodiless")).await;
    let request = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    developer
        .wait(&request, |request| state(request) == "completed")
        .await;
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    let operation = developer.get(&request).await["operation"].clone();
    let operation = format!("/operations/{}", operation.as_str().unwrap());
    for path in [
        format!("{request}/withdraw"),
        format!("{stack}/start"),
        format!("{stack}/stop"),
        format!("{stack}/restart"),
        format!("{stack}/retry"),
        format!("{operation}/cancel"),
        format!("{operation}/resolve"),
    ] {
        let (status, problem) = developer.post(&path, &json!({ "force": true })).await;
        assert!(
            status == 422 && problem["errors"][0]["field"] == "force",
            "{path}: {status} {problem:#}"
        );
        let (status, problem) = developer.post(&path, &json!(["force"])).await;
        assert!(
            status == 422 && problem["code"] == "malformed_body",
            "{path}: {status} {problem:#}"
        );
    }
    // Nothing was done so far; what says nothing is no body.
    for (word, body) in [("stop", json!({})), ("start", Value::Null)] {
        let (status, queued) = developer.post(&format!("{stack}/{word}"), &body).await;
        assert_eq!(status, 202, "{queued:#}");
        let path = format!("/operations/{}", queued["summary"]["id"].as_str().unwrap());
        let done = developer
            .wait(&path, |operation| {
                operation["summary"]["state"] == "succeeded"
            })
            .await;
        assert_eq!(done["summary"]["kind"], word);
    }
}
