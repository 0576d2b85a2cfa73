//! How many calls one person and one address may make, and what those are told who make more.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::{Api, PATIENCE, Start, vm};

fn serve(data: &std::path::Path) -> Start {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data)
        .without_env("SLIPWAY_WRITE_RATE")
        .without_env("SLIPWAY_WRITE_BURST")
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// Sends 40 at once, of which some must be refused, with a problem document that says when to come back; answers the statuses of the others.
async fn some_refused(request: impl Fn() -> RequestBuilder) -> Vec<u16> {
    let answers = join_all((0..40).map(|_| request().send())).await;
    let mut others = Vec::new();
    for answer in answers {
        let answer = answer.unwrap();
        if answer.status() != 429 {
            others.push(answer.status().as_u16());
            continue;
        }
        let wait: u64 = answer.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "too_many_requests", "{problem:#}");
        assert!(problem["trace_id"].is_string(), "{problem:#}");
    }
    assert!(others.len() < 40, "nothing is refused: {others:?}");
    others
}

/// A change that comes to nothing: a call all the same.
fn write(api: &Api) -> RequestBuilder {
    api.request(Method::POST, "/requests/nonsense/comments")
        .json(&json!({ "text": "x" }))
}

fn read(api: &Api) -> RequestBuilder {
    api.request(Method::GET, "/me")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_writes_so_often_and_no_oftener() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_WRITE_RATE", "1")
        .env("SLIPWAY_WRITE_BURST", "6")
        .start();
    // A session and two tokens of one person: making them was one write each.
    let browser = slipway.browser("developer").await;
    let (first, second) = (
        slipway.api("developer").await,
        slipway.api("developer").await,
    );
    let owner = slipway.api("owner").await;
    let done = some_refused(|| write(&first)).await;
    assert!(done.iter().all(|status| *status == 404), "{done:?}");
    some_refused(|| write(&second)).await;
    some_refused(|| {
        browser
            .raw(Method::POST, "/requests/nonsense/comment")
            .header("origin", &slipway.url)
            .form(&[("text", "x")])
    })
    .await;
    // Reading is another bucket, and others have their own.
    assert_eq!(status(read(&first)).await, 200);
    assert_eq!(status(write(&owner)).await, 404);
    // Whoever waits goes on.
    let deadline = Instant::now() + PATIENCE;
    while status(write(&first)).await == 429 {
        assert!(Instant::now() < deadline, "refused for ever");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_cost_more_than_lists() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_READ_RATE", "1")
        .env("SLIPWAY_READ_BURST", "35")
        .start();
    let (developer, approver) = (
        slipway.api("developer").await,
        slipway.api("approver").await,
    );
    let browser = slipway.browser("owner").await;
    let done = some_refused(|| developer.request(Method::POST, "/plans").json(&vm("dry"))).await;
    assert!(
        done.len() >= 3 && done.iter().all(|status| *status == 200),
        "{done:?}"
    );
    // The same of pages: the check of a form while it is filled in.
    let done = some_refused(|| {
        browser
            .raw(Method::POST, "/ui/check")
            .header("sec-fetch-site", "same-origin")
            .json(&json!({ "draft": vm("dry"), "editing": null }))
    })
    .await;
    assert!(
        done.len() >= 3 && done.iter().all(|status| *status == 200),
        "{done:?}"
    );
    // Opening a request judges it anew while it waits, which costs a few lists.
    let reader = slipway.api("reader").await;
    let done = some_refused(|| reader.request(Method::GET, "/requests/nonsense")).await;
    assert!(
        (8..30).contains(&done.len()) && done.iter().all(|status| *status == 404),
        "{done:?}"
    );
    // As many lists cost a tenth.
    let lists = join_all((0..35).map(|_| status(read(&approver)))).await;
    assert!(lists.iter().all(|status| *status == 200), "{lists:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_queue_costs_a_call_for_each_request_that_it_may_judge() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_READ_RATE", "2")
        .env("SLIPWAY_READ_BURST", "170")
        .start();
    let approver = slipway.api("approver").await;
    let done = some_refused(|| approver.request(Method::GET, "/approvals")).await;
    assert_eq!(done, [200, 200], "75 each");
    // A list is still to be had for what is left.
    assert_eq!(status(read(&approver)).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_apart_by_their_address() {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        serve(data.path())
            .env("SLIPWAY_READ_RATE", "1")
            .env("SLIPWAY_READ_BURST", "5")
    };
    let page = |client: &reqwest::Client, url: &str| client.get(format!("{url}/docs/rest"));
    let here = reqwest::Client::new();
    let there = reqwest::Client::builder()
        .local_address(IpAddr::from(Ipv4Addr::new(127, 0, 0, 2)))
        .build()
        .unwrap();

    let slipway = start().start();
    let done = some_refused(|| page(&here, &slipway.url)).await;
    assert!(done.len() >= 5, "{done:?}");
    assert_eq!(status(page(&there, &slipway.url)).await, 200);
    // Whoever watches over the process is not refused, nor is who signs in.
    for _ in 0..20 {
        assert_eq!(
            status(here.get(format!("{}/readyz", slipway.url))).await,
            200
        );
    }
    assert_eq!(status(read(&slipway.api("developer").await)).await, 200);
    drop(slipway);

    // Behind a proxy everybody has one address: persons are limited, addresses are not.
    let slipway = start().env("SLIPWAY_BEHIND_PROXY", "true").start();
    for _ in 0..20 {
        assert_eq!(status(page(&here, &slipway.url)).await, 200);
    }
    let developer = slipway.api("developer").await;
    some_refused(|| read(&developer)).await;
    drop(slipway);

    let slipway = start().env("SLIPWAY_LIMITS", "off").start();
    let developer = slipway.api("developer").await;
    for _ in 0..20 {
        assert_eq!(status(page(&here, &slipway.url)).await, 200);
        assert_eq!(status(read(&developer)).await, 200);
    }
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(
        log.lines()
            .any(|line| line.contains("WARN") && line.contains("limits are off")),
        "it is said that there are no limits: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_calls_of_one_address_are_limited() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_ADDRESS_RATE", "1")
        .env("SLIPWAY_ADDRESS_BURST", "10")
        .start();
    let here = reqwest::Client::new();
    for _ in 0..10 {
        let asset = here.get(format!("{}/favicon.svg", slipway.url));
        assert_ne!(status(asset).await, 429);
    }
    some_refused(|| {
        here.get(format!("{}/api/v1/me", slipway.url))
            .bearer_auth("slw_x")
    })
    .await;
    assert_eq!(
        status(here.get(format!("{}/readyz", slipway.url))).await,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_and_failed_sign_ins_run_out() {
    let data = tempfile::tempdir().unwrap();
    let slipway = serve(data.path())
        .env("SLIPWAY_FAILURE_RATE", "1")
        .env("SLIPWAY_FAILURE_BURST", "4")
        .start();
    let developer = slipway.api("developer").await;
    let here = reqwest::Client::new();
    let bad = || {
        here.get(format!("{}/api/v1/me", slipway.url))
            .bearer_auth("slw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    };
    let sign_in = || {
        here.post(format!("{}/sign-in", slipway.url))
            .header("origin", &slipway.url)
            .form(&[("subject", "nobody")])
    };
    let done = some_refused(bad).await;
    assert!(
        done.len() >= 4 && done.iter().all(|status| *status == 401),
        "{done:?}"
    );
    let done = some_refused(sign_in).await;
    assert!(done.iter().all(|status| *status == 422), "{done:?}");
    // Others at this address do not suffer for it.
    assert_eq!(status(read(&developer)).await, 200);
    slipway.browser("owner").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pipeline_meets_no_limit() {
    let data = tempfile::tempdir().unwrap();
    // The defaults, whatever other stories set.
    let slipway = serve(data.path()).start();
    let developer = slipway.api("developer").await;
    // As many at once as a person may make, over fewer connections than an address may have.
    let writes = join_all((0..100).map(|_| status(write(&developer)))).await;
    assert!(writes.iter().all(|status| *status == 404), "{writes:?}");
    for _ in 0..5 {
        let reads = join_all((0..100).map(|_| status(read(&developer)))).await;
        assert!(reads.iter().all(|status| *status == 200), "{reads:?}");
    }
}
