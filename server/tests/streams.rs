//! Event streams end when the rights end that opened them: token, session, role; and nobody opens more of them than one may.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::ApiToken;
use support::{Api, PATIENCE, Slipway, Start, now, prod_vm, set_role};
use types::ids::TokenId;
use types::token::TokenSummary;

/// An open stream with everything that came on it.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.url());
        Self {
            answer,
            text: String::new(),
        }
    }

    /// Waits until this comes.
    async fn sees(&mut self, text: &str) {
        while !self.text.contains(text) {
            assert!(self.more().await, "it ended without {text}: {}", self.text);
        }
    }

    /// Waits until the server ends it; answers all that came. Keep-alives come for ever: the wait as a whole has an end.
    async fn ended(mut self) -> String {
        let end = async { while self.more().await {} };
        if tokio::time::timeout(PATIENCE, end).await.is_err() {
            panic!("the stream goes on");
        }
        self.text
    }

    async fn more(&mut self) -> bool {
        match tokio::time::timeout(PATIENCE, self.answer.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                self.text.push_str(&String::from_utf8_lossy(&chunk));
                true
            }
            Ok(_) => false,
            Err(_) => panic!("the stream goes on: {}", self.text),
        }
    }
}

fn get(api: &Api, path: &str) -> RequestBuilder {
    api.request(Method::GET, path)
}

/// Sends a request in Payments and answers its id.
async fn send(api: &Api, name: &str) -> String {
    let (status, sent) = api.post("/requests", &prod_vm(name)).await;
    assert_eq!(status, 201, "{sent:#}");
    sent["summary"]["id"].as_str().unwrap().to_owned()
}

/// Leaves an event behind.
async fn comment(api: &Api, request: &str) {
    let path = format!("/requests/{request}/comments");
    let (status, answer) = api.post(&path, &json!({ "text": "hello" })).await;
    assert_eq!(status, 201, "{answer:#}");
}

const COMMENTED: &str = "request.commented";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_token_that_opened_it() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, owner) = (slipway.api("developer").await, slipway.api("owner").await);
    let other = slipway.api("developer").await;
    let request = send(&developer, "followed").await;
    let filters = [
        "/events".to_owned(),
        "/events?project=payments".to_owned(),
        format!("/events?request={request}"),
    ];
    let mut streams = vec![];
    for filter in &filters {
        streams.push(Stream::open(get(&developer, filter)).await);
    }
    let mut kept = Stream::open(get(&other, "/events")).await;
    comment(&owner, &request).await;
    for stream in streams.iter_mut().chain([&mut kept]) {
        stream.sees(COMMENTED).await;
    }

    // Revoked: each ends by itself, and what happens afterwards is on none of them.
    let browser = slipway.browser("developer").await;
    let me = get(&developer, "/me").send().await.unwrap();
    let me: Value = me.json().await.unwrap();
    let token = me["kind"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{me:#}"));
    let revoked = browser
        .request(Method::DELETE, &format!("/api/v1/me/tokens/{token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 204);
    comment(&owner, &request).await;
    for stream in streams {
        let text = stream.ended().await;
        assert_eq!(text.matches(COMMENTED).count(), 1, "{text}");
    }
    // The same person's other token is another matter.
    comment(&owner, &request).await;
    while kept.text.matches(COMMENTED).count() < 3 {
        assert!(kept.more().await, "{}", kept.text);
    }
    let refused = get(&developer, "/events").send().await.unwrap();
    assert_eq!(refused.status(), 401);

    // A token that ends while its stream is open takes the stream along, although nobody does anything.
    let value = format!("slw_{}", "A".repeat(43));
    let token = ApiToken {
        summary: TokenSummary {
            id: TokenId(uuid::Uuid::now_v7()),
            name: "short".to_owned(),
            prefix: "slw_AAAA".to_owned(),
            created_at: now(),
            expires_at: now().plus(time::Duration::seconds(4)),
            last_used_at: None,
            shown: true,
        },
        subject: "developer".to_owned(),
        hash: Sha256::digest(value.as_bytes()).into(),
        shown_at: Some(now()),
    };
    let store = support::database(data.path()).await;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.insert_token(&token).await.unwrap());
    tx.commit(now()).await.unwrap();
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/events?after=0", slipway.url);
    let mut short = Stream::open(http.get(&url).bearer_auth(&value)).await;
    short.sees("request.submitted").await;
    short.ended().await;
    let refused = http.get(&url).bearer_auth(&value).send().await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_session_that_opened_it() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let owner = slipway.api("owner").await;
    let request = send(&owner, "watched").await;
    let address = format!("/api/v1/events?request={request}");
    let store = support::database(data.path()).await;
    // Signed out in another tab; signed in anew, so that the id changes; ended by its time.
    for way in ["sign-out", "sign-in", "time"] {
        let browser = slipway.browser("developer").await;
        let mut stream = Stream::open(browser.request(Method::GET, &address)).await;
        comment(&owner, &request).await;
        stream.sees(COMMENTED).await;
        match way {
            "sign-out" => {
                assert_eq!(browser.post("/sign-out", &[]).await.status(), 303);
            }
            "sign-in" => {
                let again = browser.post("/sign-in", &[("subject", "developer")]).await;
                assert_eq!(again.status(), 303);
                assert!(again.headers().contains_key("set-cookie"));
            }
            _ => {
                let session = store.session(browser.session(), now()).await.unwrap();
                let data = session.unwrap().data;
                store
                    .save_session(browser.session(), &data, now())
                    .await
                    .unwrap();
            }
        }
        comment(&owner, &request).await;
        let text = stream.ended().await;
        assert_eq!(text.matches(COMMENTED).count(), 1, "{way}: {text}");
        let refused = browser.request(Method::GET, &address).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{way}");
    }
}

/// Nothing happens in the portal: what ends a right wakes the streams that were opened with it, before a keep-alive asks for their rights.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_token_or_session_wakes_its_streams() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let keeper = slipway.browser("developer").await;
    let browser = slipway.browser("developer").await;
    // Opened first, so its keep-alive is the first.
    let mut clock = Stream::open(keeper.request(Method::GET, "/api/v1/events")).await;
    let by_token = Stream::open(get(&developer, "/events")).await;
    let by_session = Stream::open(browser.request(Method::GET, "/api/v1/events")).await;
    let me = get(&developer, "/me").send().await.unwrap();
    let me: Value = me.json().await.unwrap();
    let token = me["kind"]["id"].as_str().unwrap();
    let path = format!("/api/v1/me/tokens/{token}");
    let revoked = keeper.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    assert_eq!(browser.post("/sign-out", &[]).await.status(), 303);
    for stream in [by_token, by_session] {
        tokio::select! {
            text = stream.ended() => assert_eq!(text, ""),
            () = clock.sees(":") => panic!("a keep-alive came first"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_carries_only_what_its_actor_may_read_at_that_moment() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, admin) = (slipway.api("developer").await, slipway.api("admin").await);
    let owner = slipway.api("owner").await;
    let request = send(&owner, "secret").await;
    let mut search = prod_vm("public");
    search["project"] = "search".into();
    search["cost_centre"] = "4420".into();
    let (status, sent) = developer.post("/requests", &search).await;
    assert_eq!(status, 201, "{sent:#}");
    let public = sent["summary"]["id"].as_str().unwrap().to_owned();
    let (_, vm) = owner.post("/requests", &support::vm("operated")).await;
    let stack = vm["summary"]["stack"].as_str().unwrap().to_owned();
    let operation = vm["operation"].as_str().unwrap_or_else(|| panic!("{vm:#}"));

    let mut everything = Stream::open(get(&developer, "/events?after=0")).await;
    everything.sees(&request).await;
    let mut named = vec![];
    for filter in [
        "/events?project=payments&after=0".to_owned(),
        format!("/events?request={request}&after=0"),
        format!("/events?stack={stack}&after=0"),
    ] {
        let mut stream = Stream::open(get(&developer, &filter)).await;
        stream.sees("seq").await;
        named.push(stream);
    }
    let mut overseer = Stream::open(get(&admin, "/events?after=0")).await;
    overseer.sees(&request).await;

    let store = support::database(data.path()).await;
    set_role(&store, "payments", "developer", None).await;
    let mut person = store.person("admin").await.unwrap().unwrap();
    person.installation.clear();
    let mut tx = store.begin().await.unwrap();
    person.seen_at = now();
    tx.put_person(&person).await.unwrap();
    tx.commit(now()).await.unwrap();
    comment(&owner, &request).await;

    // What names something of Payments ends; what names nothing goes on without it.
    for stream in named {
        let text = stream.ended().await;
        assert!(!text.contains(COMMENTED), "{text}");
    }
    let (status, _) = developer
        .post(
            &format!("/requests/{public}/comments"),
            &json!({ "text": "in Search" }),
        )
        .await;
    assert_eq!(status, 201);
    everything.sees(COMMENTED).await;
    let last = everything
        .text
        .lines()
        .rfind(|line| line.contains(COMMENTED));
    assert!(last.unwrap().contains(&public), "{}", everything.text);
    assert!(!last.unwrap().contains(&request));
    // A keep-alive comes only after the rights were asked.
    while overseer.text.matches(": \n\n").count() < 2 {
        assert!(overseer.more().await, "{}", overseer.text);
    }
    assert!(!overseer.text.contains(COMMENTED), "{}", overseer.text);

    // From the beginning again: only what may be read now.
    let mut again = Stream::open(get(&developer, "/events").header("last-event-id", "0")).await;
    again.sees(COMMENTED).await;
    assert!(
        again.text.contains(&public) && !again.text.contains("payments"),
        "{}",
        again.text
    );
    for gone in [
        format!("/operations/{operation}/events"),
        format!("/events?operation={operation}"),
        "/events?project=payments".to_owned(),
    ] {
        let refused = get(&developer, &gone)
            .header("last-event-id", "0")
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), 404, "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_not_there_before_a_stream_begins() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (owner, admin) = (slipway.api("owner").await, slipway.api("admin").await);
    let stranger = slipway.api("ledger-developer").await;
    let (_, vm) = owner.post("/requests", &support::vm("mine")).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (request, stack) = (text(&vm["summary"]["id"]), text(&vm["summary"]["stack"]));
    let operation = text(&vm["operation"]);
    let nobody = "018f0000-0000-7000-8000-000000000000";
    for filter in [
        format!("request={request}"),
        format!("stack={stack}"),
        format!("operation={operation}"),
        "project=payments".to_owned(),
        format!("project=ledger&request={request}"),
        format!("stack={stack}&request={nobody}"),
    ] {
        let refused = get(&stranger, &format!("/events?{filter}&after=0"))
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), 404, "{filter}");
        assert_eq!(
            refused.headers()["content-type"],
            "application/problem+json"
        );
    }
    // What does not exist is told to everybody in the same way.
    for filter in [
        format!("request={nobody}"),
        format!("stack={nobody}"),
        format!("operation={nobody}"),
        "project=nowhere".to_owned(),
        format!("request={request}&operation={nobody}"),
    ] {
        for api in [&stranger, &owner, &admin] {
            let refused = get(api, &format!("/events?{filter}")).send().await.unwrap();
            assert_eq!(refused.status(), 404, "{filter}");
        }
    }
    // One event is about one thing.
    let both = format!("/events?request={request}&operation={operation}");
    assert_eq!(get(&owner, &both).send().await.unwrap().status(), 422);
    let log = std::fs::read_to_string(data.path().join("log")).unwrap();
    assert!(!log.contains("stream ends"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_so_many_streams_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let slipway: Slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env("SLIPWAY_STREAMS_PER_PERSON", "3")
        .start();
    let (developer, owner) = (slipway.api("developer").await, slipway.api("owner").await);
    let browser = slipway.browser("developer").await;
    let mut open = vec![
        Stream::open(get(&developer, "/events")).await,
        Stream::open(get(&developer, "/events?project=payments")).await,
        Stream::open(browser.request(Method::GET, "/api/v1/events")).await,
    ];
    // Tokens and sessions of one person count together; other people's do not.
    for request in [
        get(&developer, "/events"),
        browser.request(Method::GET, "/api/v1/events"),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 429);
        assert!(refused.headers().contains_key("retry-after"));
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["code"], "too_many_streams", "{problem:#}");
    }
    Stream::open(get(&owner, "/events")).await;
    // What may not be followed is not there, whatever is open.
    let foreign = get(&developer, "/events?project=ledger").send().await;
    assert_eq!(foreign.unwrap().status(), 404);

    // One that the client leaves makes room, as soon as the server notices.
    drop(open.pop());
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while get(&developer, "/events").send().await.unwrap().status() != 200 {
        assert!(tokio::time::Instant::now() < deadline, "no room is made");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
