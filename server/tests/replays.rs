//! What calls answer and what of it is kept: comments page by page, idempotency keys that hold no answers, and replays with the rights of now.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use store::{NewActivity, Store};
use support::{Api, Slipway, Start, now, prod_vm, set_role, state, vm};
use types::actor::Role;
use types::ids::{CommentId, RequestId};
use types::request::Comment;

/// Status, replayed or not, and body of a POST with a key.
async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> (u16, bool, Value) {
    let answer = api
        .request(Method::POST, path)
        .header("idempotency-key", key)
        .json(body)
        .send()
        .await
        .unwrap();
    let replayed = answer.headers().contains_key("idempotent-replayed");
    (
        answer.status().as_u16(),
        replayed,
        answer.json().await.unwrap(),
    )
}

/// Adds comments of so many characters, and what each leaves in the timeline, without a call for each.
async fn add_comments(store: &Store, request: RequestId, count: usize, length: usize) {
    let mut tx = store.begin().await.unwrap();
    for n in 0..count {
        let text = format!("comment {n} ");
        let comment = Comment {
            id: CommentId(uuid::Uuid::now_v7()),
            author: format!("colleague-{}", n % 10),
            text: format!("{text}{}", "x".repeat(length.saturating_sub(text.len()))),
            at: now(),
        };
        tx.insert_comment(request, &comment).await.unwrap();
        tx.insert_activity(&NewActivity {
            request: Some(request),
            stack: None,
            actor: "developer".to_owned(),
            text: "Commented.".to_owned(),
            at: now(),
        })
        .await
        .unwrap();
    }
    tx.commit(now()).await.unwrap();
}

fn id_of(request: &Value) -> RequestId {
    request["summary"]["id"].as_str().unwrap().parse().unwrap()
}

fn texts(page: &Value, field: &str) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_request_is_read_page_by_page() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, owner) = (slipway.api("developer").await, slipway.api("owner").await);
    let (_, sent) = developer.post("/requests", &prod_vm("talked-about")).await;
    let id = id_of(&sent);
    let path = format!("/requests/{id}");
    let store = support::database(data.path()).await;
    add_comments(&store, id, 60, 4_000).await;

    // The answer to a comment is the comment.
    let answer = developer
        .request(Method::POST, &format!("{path}/comments"))
        .json(&json!({ "text": "the last one" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let text = answer.text().await.unwrap();
    assert!(text.len() < 500, "{} bytes", text.len());
    let comment: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (comment["text"].as_str(), comment["author"].as_str()),
        (Some("the last one"), Some("developer"))
    );

    // The request carries the newest, and says how many there are.
    let detail = developer.get(&path).await;
    assert_eq!(detail["comments"]["total"], 61);
    let shown = texts(&detail["comments"], "text");
    assert_eq!((shown.len(), shown[0].as_str()), (20, "the last one"));
    assert_eq!(detail["timeline"]["items"].as_array().unwrap().len(), 20);
    assert!(detail["timeline"]["total"].as_u64().unwrap() > 50);
    assert!(
        detail.to_string().len() < 200_000,
        "{} bytes",
        detail.to_string().len()
    );

    // The rest comes by cursor, nothing twice and nothing left out.
    let mut all = vec![];
    let mut next = String::new();
    loop {
        let page = owner.get(&format!("{path}/comments?limit=15{next}")).await;
        all.extend(texts(&page, "text"));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(all.len(), 61);
    assert!(all[60].starts_with("comment 0 "), "{}", &all[60][..20]);
    let timeline = developer.get(&format!("{path}/timeline?limit=1")).await;
    assert_eq!(timeline["items"][0]["text"], "Commented.");
    assert_eq!(
        developer.get(&format!("{path}/decisions")).await["total"],
        0
    );
    let stack = detail["summary"]["stack"].as_str().unwrap();
    let activity = developer.get(&format!("/stacks/{stack}/activity")).await;
    assert_eq!(activity["items"][0]["text"], "Commented.");

    // More than a page may hold is not to be had, and a foreign cursor is told as one.
    for (asked, most) in [
        ("?limit=5000", 50),
        ("?limit=51", 50),
        ("", 20),
        ("?limit=1", 1),
    ] {
        let page = developer.get(&format!("{path}/comments{asked}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), most, "{asked}");
    }
    for (bad, status) in [
        ("comments?cursor=nonsense", 422),
        ("timeline?cursor=%00", 422),
        ("decisions?limit=many", 422),
        ("comments?curser=x", 422),
    ] {
        let refused = developer
            .request(Method::GET, &format!("{path}/{bad}"))
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status().as_u16(), status, "{bad}");
    }
    // Whose request it is not, for them there is none.
    let stranger = slipway.api("ledger-developer").await;
    for part in ["comments", "timeline", "decisions"] {
        let hidden = stranger
            .request(Method::GET, &format!("{path}/{part}"))
            .send()
            .await
            .unwrap();
        assert_eq!(hidden.status(), 404, "{part}");
    }
    let hidden = stranger
        .request(Method::GET, &format!("/stacks/{stack}/activity"))
        .send()
        .await
        .unwrap();
    assert_eq!(hidden.status(), 404);

    // The page shows the newest and leads to the others, without script.
    let browser = slipway.browser("developer").await;
    let mut address = path.clone();
    let mut seen = vec![];
    loop {
        let page = browser.get(&address).await;
        assert_eq!(page.status(), 200, "{address}");
        let page = page.text().await.unwrap();
        assert!(page.len() < 500_000, "{} bytes", page.len());
        seen.extend((0..49).filter(|n| page.contains(&format!("comment {n} xx"))));
        let Some(at) = page.find(&format!("href=\"{path}?comments=")) else {
            break;
        };
        let link = &page[at + 6..];
        address = link[..link.find('"').unwrap()].to_owned();
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..49).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_a_thousand_comments_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let (_, sent) = developer.post("/requests", &prod_vm("chatty")).await;
    let id = id_of(&sent);
    let store = support::database(data.path()).await;
    add_comments(&store, id, 998, 20).await;
    let path = format!("/requests/{id}/comments");
    let one_more = json!({ "text": "one more" });
    let calls = (0..10).map(|_| developer.post(&path, &one_more));
    let answers = futures::future::join_all(calls).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(status, _)| *status == 201);
    assert_eq!((made.len(), refused.len()), (2, 8), "{refused:?}");
    for (status, problem) in refused {
        assert_eq!(
            (status, problem["code"].as_str()),
            (409, Some("too_many_comments")),
            "{problem:#}"
        );
    }
    assert_eq!(developer.get(&path).await["total"], 1_000);
}

/// Nobody shuts a request to what the others have to say.
#[tokio::test(flavor = "multi_thread")]
async fn one_person_leaves_room_for_the_comments_of_others() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, approver) = (
        slipway.api("developer").await,
        slipway.api("approver").await,
    );
    let (_, sent) = developer.post("/requests", &prod_vm("loud")).await;
    let path = format!("/requests/{}/comments", id_of(&sent));
    let again = json!({ "text": "again" });
    for _ in 0..200 {
        assert_eq!(developer.post(&path, &again).await.0, 201);
    }
    let (status, refused) = developer.post(&path, &again).await;
    assert_eq!(
        (status, refused["code"].as_str()),
        (409, Some("too_many_comments")),
        "{refused:#}"
    );
    assert_eq!(approver.post(&path, &again).await.0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holds_the_call_and_not_its_answer() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let (status, replayed, sent) = keyed(&developer, "/requests", "send", &prod_vm("kept")).await;
    assert_eq!((status, replayed), (201, false), "{sent:#}");
    let path = format!("/requests/{}", id_of(&sent));
    let comments = format!("{path}/comments");

    // The order of members is no part of a call; another value, path or number is.
    let mut reordered = serde_json::Map::new();
    for (name, value) in prod_vm("kept").as_object().unwrap().iter().rev() {
        reordered.insert(name.clone(), value.clone());
    }
    let mut parameters = serde_json::Map::new();
    for (name, value) in reordered["parameters"].as_object().unwrap().iter().rev() {
        parameters.insert(name.clone(), value.clone());
    }
    reordered.insert("parameters".to_owned(), parameters.into());
    let (status, replayed, again) = keyed(&developer, "/requests", "send", &reordered.into()).await;
    assert_eq!((status, replayed), (201, true), "{again:#}");
    assert_eq!(id_of(&again), id_of(&sent));
    for (other, body) in [
        ("/requests", prod_vm("another")),
        (comments.as_str(), json!({ "text": "hello" })),
    ] {
        let (status, _, problem) = keyed(&developer, other, "send", &body).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (422, Some("idempotency_key_reused")),
            "{other}: {problem:#}"
        );
    }

    // A replay tells what is there now, not what was there then.
    let text = json!({ "text": "Is this needed?" });
    let (status, _, first) = keyed(&developer, &comments, "say", &text).await;
    assert_eq!(status, 201);
    let (status, replayed, second) = keyed(&developer, &comments, "say", &text).await;
    assert_eq!((status, replayed, &second), (201, true, &first));
    let (_, _, again) = keyed(&developer, "/requests", "send", &prod_vm("kept")).await;
    assert_eq!(again["comments"]["items"][0]["id"], first["id"]);
    assert_eq!(again["comments"]["total"], 1);

    // A refusal is not kept: mended, the call goes through with the same key.
    let (status, replayed, _) = keyed(&developer, &comments, "mend", &json!({ "text": "" })).await;
    assert_eq!((status, replayed), (422, false));
    let (status, replayed, _) =
        keyed(&developer, &comments, "mend", &json!({ "text": "now" })).await;
    assert_eq!((status, replayed), (201, false));

    // Withdrawing takes a key too; without one, the version that was read is stale by then.
    let withdraw = |key: Option<&'static str>| {
        let mut call = developer
            .request(Method::POST, &format!("{path}/withdraw"))
            .header("if-match", format!("\"v{}\"", sent["summary"]["version"]));
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        call.send()
    };
    let done = withdraw(Some("back")).await.unwrap();
    assert_eq!(done.status(), 200);
    assert!(done.headers().contains_key("etag"));
    let again = withdraw(Some("back")).await.unwrap();
    assert_eq!(again.status(), 200);
    assert!(again.headers().contains_key("idempotent-replayed"));
    assert_eq!(state(&again.json().await.unwrap()), "withdrawn");
    assert_eq!(withdraw(None).await.unwrap().status(), 409);

    // Keys that are none.
    for odd in [
        "".as_bytes(),
        b"two words",
        "schlüssel".as_bytes(),
        b"\xff\xfe",
        &[b'x'; 256],
        b"tab\tkey",
    ] {
        let answer = developer
            .request(Method::POST, &comments)
            .header("idempotency-key", odd)
            .json(&text)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 422, "{odd:?}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    let two = developer
        .request(Method::POST, &comments)
        .header("idempotency-key", "one")
        .header("idempotency-key", "two")
        .json(&text)
        .send()
        .await
        .unwrap();
    assert_eq!(two.status(), 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_answers_only_what_may_be_read_now() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, owner) = (slipway.api("developer").await, slipway.api("owner").await);
    let approver = slipway.api("approver").await;
    let (_, asked) = owner.post("/requests", &prod_vm("decided")).await;
    let decided = format!("/requests/{}/decisions", id_of(&asked));
    let verdict = json!({ "decision": "request_changes", "plan_digest": asked["plan"]["digest"], "comment": "Why?" });

    let create = vm("replayed");
    let (status, _, sent) = keyed(&developer, "/requests", "create", &create).await;
    assert_eq!(status, 201, "{sent:#}");
    let stack = sent["summary"]["stack"].as_str().unwrap().to_owned();
    let at = |verb: &str| format!("/stacks/{stack}/{verb}");
    developer
        .wait(&format!("/stacks/{stack}"), |stack| {
            state(stack) == "active"
        })
        .await;
    let comments = format!("/requests/{}/comments", id_of(&sent));
    let extend = json!({ "expiry": "60d", "justification": "Longer." });
    let (say, nothing) = (json!({ "text": "secret plan" }), Value::Null);
    let calls: [(&Api, &str, String, &Value, u16); 5] = [
        (&developer, "create", "/requests".to_owned(), &create, 201),
        (&developer, "say", comments, &say, 201),
        (&approver, "decide", decided, &verdict, 201),
        (&developer, "stop", at("stop"), &nothing, 202),
        (&developer, "extend", at("extend"), &extend, 201),
    ];
    for (api, key, path, body, wanted) in calls.iter().skip(1) {
        let (status, _, answer) = keyed(api, path, key, body).await;
        assert_eq!(status, *wanted, "{path}: {answer:#}");
        // What runs stands in the way of the next one.
        developer
            .wait(&format!("/stacks/{stack}"), |stack| {
                stack["running"].is_null()
            })
            .await;
    }
    let store = support::database(data.path()).await;
    let rows = || async { owner.get(&format!("/operations?stack={stack}")).await["items"].clone() };
    let before = rows().await;

    // Readers still read what they made; nothing is done again.
    for who in ["developer", "approver"] {
        set_role(&store, "payments", who, Some(Role::Reader)).await;
    }
    for (api, key, path, body, wanted) in &calls {
        let (status, replayed, answer) = keyed(api, path, key, body).await;
        assert_eq!((status, replayed), (*wanted, true), "{path}: {answer:#}");
        // The same call with a new key is refused by the right that is gone, and takes no key.
        let (status, _, problem) = keyed(api, path, &format!("{key}-new"), body).await;
        assert_eq!(status, 403, "{path}: {problem:#}");
    }
    // Whoever may read nothing gets nothing.
    for who in ["developer", "approver"] {
        set_role(&store, "payments", who, None).await;
    }
    for (api, key, path, body, _) in &calls {
        for key in [(*key).to_owned(), format!("{key}-other")] {
            let (status, replayed, problem) = keyed(api, path, &key, body).await;
            assert_eq!((status, replayed), (404, false), "{path}: {problem:#}");
            assert_eq!(problem["code"], "not_found", "{path}");
            assert!(!problem.to_string().contains("secret plan"));
        }
    }
    assert_eq!(rows().await, before, "nothing was done by any replay");

    // Refused calls left no key behind: with the right, the same key makes another call.
    set_role(&store, "payments", "developer", Some(Role::Developer)).await;
    let (status, replayed, answer) = keyed(&developer, &at("retry"), "say-new", &Value::Null).await;
    assert_eq!((status, replayed), (409, false), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_so_many_keys_and_no_more() {
    let data = tempfile::tempdir().unwrap();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env("SLIPWAY_KEYS_PER_DAY", "3")
        .start();
    let (developer, reader) = (slipway.api("developer").await, slipway.api("reader").await);
    let (_, sent) = developer.post("/requests", &prod_vm("keyed")).await;
    let comments = format!("/requests/{}/comments", id_of(&sent));
    let say = |n: usize| json!({ "text": format!("comment {n}") });
    for n in 0..3 {
        // Calls that are refused do not count.
        for _ in 0..3 {
            let (status, _, _) = keyed(&developer, &comments, "bad", &json!({ "text": " " })).await;
            assert_eq!(status, 422);
        }
        let (status, _, _) = keyed(&developer, &comments, &n.to_string(), &say(n)).await;
        assert_eq!(status, 201);
    }
    let refused = developer
        .request(Method::POST, &comments)
        .header("idempotency-key", "3")
        .json(&say(3))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((80_000..=86_400).contains(&wait), "{wait}");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "too_many_keys", "{problem:#}");
    // What was done is still answered, and calls without a key go on.
    let (status, replayed, _) = keyed(&developer, &comments, "1", &say(1)).await;
    assert_eq!((status, replayed), (201, true));
    assert_eq!(developer.post(&comments, &say(4)).await.0, 201);
    // A reader has no keys to fill anything with.
    for n in 0..10 {
        let (status, _, _) = keyed(&reader, &comments, &n.to_string(), &say(n)).await;
        assert_eq!(status, 403);
    }
}

/// Bytes on the disk once nobody has the database open: the last one who closes it writes the log back.
async fn sqlite_size(data: &Path) -> u64 {
    let store = support::database(data).await;
    store.ping().await.unwrap();
    store.close().await;
    ["slipway.db", "slipway.db-wal", "slipway.db-shm"]
        .iter()
        .filter_map(|file| std::fs::metadata(data.join(file)).ok())
        .map(|file| file.len())
        .sum()
}

/// 948 comments of 4,000 characters, then thirty of one byte with a key each.
async fn say_a_word_thirty_times(slipway: &Slipway, developer: &Api, path: &str) {
    let developer = developer.at(slipway);
    for n in 0..30 {
        let (status, _, answer) = keyed(
            &developer,
            path,
            &format!("key-{n}"),
            &json!({ "text": "z" }),
        )
        .await;
        assert_eq!(status, 201, "{answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_bytes_of_comments_fill_less_than_a_megabyte_of_sqlite() {
    let data = tempfile::tempdir().unwrap();
    let mut slipway = support::sandbox(data.path());
    let developer = slipway.api("developer").await;
    let (_, sent) = developer.post("/requests", &prod_vm("long")).await;
    let id = id_of(&sent);
    let store = support::database(data.path()).await;
    add_comments(&store, id, 948, 4_000).await;
    store.close().await;
    slipway.kill();
    let before = sqlite_size(data.path()).await;
    assert!(before > 3_792_000, "the comments are there: {before}");

    let mut slipway = support::sandbox(data.path());
    say_a_word_thirty_times(&slipway, &developer, &format!("/requests/{id}/comments")).await;
    slipway.kill();
    let grown = sqlite_size(data.path()).await - before;
    println!("SQLite: 30 comments of one byte took {grown} bytes");
    assert!(grown < 1_000_000, "{grown} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_bytes_of_comments_fill_less_than_a_megabyte_of_postgresql() {
    let data = tempfile::tempdir().unwrap();
    let database = tokio::task::spawn_blocking(test_postgres::Database::create)
        .await
        .unwrap()
        .unwrap();
    let slipway = Start::new(&["serve", "--listen", "127.0.0.1:0"], data.path())
        .env("SLIPWAY_DATABASE_URL", database.url())
        .start();
    let developer = slipway.api("developer").await;
    let (status, sent) = developer.post("/requests", &prod_vm("long")).await;
    assert_eq!(status, 201, "{sent:#}");
    let id = id_of(&sent);
    let store = Store::open(database.url()).await.unwrap();
    add_comments(&store, id, 948, 4_000).await;
    let before = database.size().unwrap();
    say_a_word_thirty_times(&slipway, &developer, &format!("/requests/{id}/comments")).await;
    let grown = database.size().unwrap().saturating_sub(before);
    println!("PostgreSQL: 30 comments of one byte took {grown} bytes");
    assert!(grown < 1_000_000, "{grown} bytes");
}

/// What Slipway asked for itself: nothing but time brings that about, so the row says so.
async fn asked_by_slipway(data: &Path, request: RequestId) {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    let mut c = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let changed = sqlx::query("UPDATE request SET requester = 'slipway' WHERE id = $1")
        .bind(request.0)
        .execute(&mut c)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_withdraws_with_a_key_what_slipway_asked_for_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (developer, admin) = (slipway.api("developer").await, slipway.api("admin").await);
    let (_, sent) = developer.post("/requests", &prod_vm("run-out")).await;
    let path = format!("/requests/{}/withdraw", id_of(&sent));
    let withdraw = async |api: &Api, key: &str| {
        let answer = api
            .request(Method::POST, &path)
            .header("idempotency-key", key)
            .header("if-match", format!("\"v{}\"", sent["summary"]["version"]))
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let (status, refused) = withdraw(&admin, "before").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("forbidden")),
        "{refused:#}"
    );
    asked_by_slipway(data.path(), id_of(&sent)).await;
    let (status, refused) = withdraw(&developer, "not-mine").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("system_request")),
        "{refused:#}"
    );
    let (status, withdrawn) = withdraw(&admin, "after").await;
    assert_eq!(status, 200, "{withdrawn:#}");
    assert_eq!(state(&withdrawn), "withdrawn");
    assert_eq!(withdraw(&admin, "after").await.0, 200);
}
