//! Tokens on the page and over REST: shown once, made once, fifty of them; and no address of a form is a dead end.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::{ApiToken, Store};
use support::{Browser, Slipway, Start, now};
use types::ids::TokenId;
use types::token::TokenSummary;

/// The tokens of whoever uses the browser.
async fn tokens(browser: &Browser) -> Vec<Value> {
    let answer = browser
        .request(Method::GET, "/api/v1/me/tokens")
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

/// The value on a page, if there is one.
fn value(page: &str) -> Option<String> {
    let at = page.find("slw_")?;
    let value: String = page[at..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    (value.len() == 47).then_some(value)
}

fn location(answer: &reqwest::Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_once_and_shown_once() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let browser = slipway.browser("developer").await;
    let page = browser.get("/me").await.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"submission\" value=\"").unwrap();
    let submission = rest.split('"').next().unwrap();
    let form = [
        ("submission", submission),
        ("name", "nightly job"),
        ("days", "30"),
    ];

    // Sent twice at the same moment, and once more: one token, one page that shows it.
    let (first, second) = tokio::join!(
        browser.post("/me/tokens", &form),
        browser.post("/me/tokens", &form)
    );
    let address = location(&first);
    assert_eq!(address, location(&second));
    assert_eq!(address, location(&browser.post("/me/tokens", &form).await));
    assert!(!address.contains("slw_"), "{address}");
    let made = tokens(&browser).await;
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(made[0]["shown"], false);

    // Others find nothing there, and looking at the head of the page does not use it up.
    let other = slipway.browser("owner").await;
    assert_eq!(other.get(&address).await.status(), 404);
    let head = browser.request(Method::HEAD, &address).send().await;
    assert_eq!(head.unwrap().status(), 200);
    let page = browser.get(&address).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["cache-control"], "no-store");
    let shown = value(&page.text().await.unwrap()).unwrap();
    let whoami = || async {
        reqwest::Client::new()
            .get(format!("{}/api/v1/me", slipway.url))
            .bearer_auth(&shown)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(whoami().await, 200);

    // Loaded again, by both ways: no value, no second token, and the first one still works.
    for path in [address.as_str(), "/me", "/me/tokens"] {
        let page = browser.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(value(&page.text().await.unwrap()), None, "{path}");
    }
    assert_eq!(location(&browser.post("/me/tokens", &form).await), address);
    assert_eq!(tokens(&browser).await.len(), 1);
    assert_eq!(whoami().await, 200);

    // The page that the browser kept, filled in anew, asks for another token and gets one.
    let other_form = [form[0], ("name", "weekly job"), form[2]];
    let other_address = location(&browser.post("/me/tokens", &other_form).await);
    assert_ne!(other_address, address);
    let page = browser.get(&other_address).await.text().await.unwrap();
    assert!(value(&page).is_some_and(|other| other != shown));

    // The value is on no disk and in no log.
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(shown.len())
                .any(|window| window == shown.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }

    // A refused form says what is wrong; its address can be opened.
    let refused = browser
        .post("/me/tokens", &[("name", ""), ("days", "30")])
        .await;
    assert_eq!(refused.status(), 422);
    // Revoked, it is gone, and its page says so.
    let id = address.rsplit('/').next().unwrap();
    let revoked = browser.post(&format!("/me/tokens/{id}/revoke"), &[]).await;
    assert_eq!(location(&revoked), "/me");
    assert_eq!(whoami().await, 401);
    assert_eq!(browser.get(&address).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_every_form_can_be_opened() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, api) = (
        slipway.browser("developer").await,
        slipway.api("developer").await,
    );
    let (status, sent) = api.post("/requests", &support::vm("opened")).await;
    assert_eq!(status, 201, "{sent:#}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (request, stack) = (
        text(&sent["summary"]["id"]),
        text(&sent["summary"]["stack"]),
    );
    let operation = text(&sent["operation"]);
    let nobody = "018f0000-0000-7000-8000-000000000000";
    let forms = [
        "/catalogue/azure-linux-vm/request".to_owned(),
        format!("/requests/{request}/edit"),
        format!("/requests/{request}/withdraw"),
        format!("/requests/{request}/comment"),
        format!("/requests/{request}/decide"),
        format!("/stacks/{stack}/delete"),
        format!("/stacks/{stack}/extend"),
        format!("/stacks/{stack}/start"),
        format!("/stacks/{stack}/stop"),
        format!("/stacks/{stack}/restart"),
        format!("/stacks/{stack}/retry"),
        format!("/operations/{operation}/cancel"),
        format!("/operations/{operation}/resolve"),
        "/me/tokens".to_owned(),
        format!("/me/tokens/{nobody}/revoke"),
        "/sign-in".to_owned(),
        "/sign-out".to_owned(),
    ];
    let count = || async {
        let made = api.get("/requests").await["items"]
            .as_array()
            .unwrap()
            .len();
        (made, tokens(&developer).await.len())
    };
    let before = count().await;
    for path in &forms {
        // Somebody reloads by the address, follows a link in a history, or opens it from another machine.
        for method in [Method::GET, Method::HEAD] {
            let mut address = path.clone();
            for hops in 0.. {
                let answer = developer.request(method.clone(), &address).send().await;
                let answer = answer.unwrap();
                if answer.status() == 303 || answer.status() == 302 {
                    address = answer.headers()["location"].to_str().unwrap().to_owned();
                    assert!(hops < 3, "{path} leads in circles");
                    continue;
                }
                assert_eq!(answer.status(), 200, "{method} {path} leads to {address}");
                break;
            }
        }
    }
    assert_eq!(count().await, before, "reading changes nothing");

    // A form that is refused answers at its own address; loaded anew, that is a page too.
    for (path, fields) in [
        (format!("/requests/{request}/comment"), [("text", "")]),
        (
            format!("/requests/{request}/decide"),
            [("decision", "maybe")],
        ),
        (format!("/stacks/{stack}/delete"), [("confirm", "wrong")]),
        ("/me/tokens".to_owned(), [("name", "")]),
    ] {
        let refused = developer.post(&path, &fields).await;
        assert_eq!(refused.status(), 422, "{path}");
        let again = developer.get(&path).await;
        assert!(matches!(again.status().as_u16(), 200 | 303), "{path}");
    }
    // Without a session every one of them leads to signing in.
    let nobody = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::limited(3))
        .build()
        .unwrap();
    for path in &forms {
        let answer = nobody.get(format!("{}{path}", slipway.url)).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.url().path(), "/sign-in", "{path}");
    }
}

/// More calls at once than one person may make otherwise.
fn without_rates(data: &std::path::Path) -> Start {
    Start::new(&["serve", "--listen", "127.0.0.1:0"], data).env("SLIPWAY_LIMITS", "off")
}

async fn fifty_of_a_hundred_and_twenty(slipway: &Slipway) {
    let browser = slipway.browser("developer").await;
    let calls = (0..120).map(|n| {
        browser
            .request(Method::POST, "/api/v1/me/tokens")
            .json(&json!({ "name": format!("token {n}"), "days": 1 }))
            .send()
    });
    let mut made = 0;
    for answer in futures::future::join_all(calls).await {
        let answer = answer.unwrap();
        match answer.status().as_u16() {
            201 => made += 1,
            status => {
                let problem: Value = answer.json().await.unwrap();
                assert_eq!(
                    (status, problem["code"].as_str()),
                    (422, Some("too_many")),
                    "{problem:#}"
                );
            }
        }
    }
    assert_eq!((made, tokens(&browser).await.len()), (50, 50));
    // The page's way in counts the same.
    let refused = browser
        .post("/me/tokens", &[("name", "one more"), ("days", "1")])
        .await;
    assert_eq!(refused.status(), 422);
    // One that is revoked makes room for one.
    let id = tokens(&browser).await[0]["id"].as_str().unwrap().to_owned();
    let revoked = browser
        .request(Method::DELETE, &format!("/api/v1/me/tokens/{id}"))
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 204);
    let form = [("name", "in its place"), ("days", "1")];
    location(&browser.post("/me/tokens", &form).await);
    assert_eq!(tokens(&browser).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_fifty_tokens_whatever_is_sent_at_once_on_sqlite() {
    let data = tempfile::tempdir().unwrap();
    let slipway = without_rates(data.path()).start();
    // Tokens that have ended take no place.
    let store = support::database(data.path()).await;
    add_ended(&store, 60).await;
    let browser = slipway.browser("approver").await;
    let form = [("name", "a new one"), ("days", "1")];
    location(&browser.post("/me/tokens", &form).await);
    fifty_of_a_hundred_and_twenty(&slipway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_fifty_tokens_whatever_is_sent_at_once_on_postgresql() {
    let data = tempfile::tempdir().unwrap();
    let database = tokio::task::spawn_blocking(test_postgres::Database::create)
        .await
        .unwrap()
        .unwrap();
    let slipway = without_rates(data.path())
        .env("SLIPWAY_DATABASE_URL", database.url())
        .start();
    fifty_of_a_hundred_and_twenty(&slipway).await;
}

async fn add_ended(store: &Store, count: u8) {
    let mut tx = store.begin().await.unwrap();
    for n in 0..count {
        let token = ApiToken {
            summary: TokenSummary {
                id: TokenId(uuid::Uuid::now_v7()),
                name: format!("old {n}"),
                prefix: "slw_abcd".to_owned(),
                created_at: now().plus(-time::Duration::days(3)),
                expires_at: now().plus(-time::Duration::days(1)),
                last_used_at: None,
                shown: true,
            },
            subject: "approver".to_owned(),
            hash: [n; 32],
            shown_at: Some(now()),
        };
        assert!(tx.insert_token(&token).await.unwrap());
    }
    tx.commit(now()).await.unwrap();
}
