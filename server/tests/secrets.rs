//! A private key that somebody pastes by mistake: refused in every field, over REST and in forms, and in no answer, page, log or file afterwards.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod html;
mod support;

use std::path::Path;

use html::Page;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Api, Browser, patient_sandbox, vm};

/// What every key of this test contains, and nothing else anywhere.
const MARK: &str = "SECRETMARK";

/// Private keys of every kind, each as it is pasted.
fn keys() -> Vec<(&'static str, String)> {
    let pem =
        |label: &str| format!("-----BEGIN {label}-----\nAAAA{MARK}AAAA\n-----END {label}-----\n");
    vec![
        ("OpenSSH", pem("OPENSSH PRIVATE KEY")),
        ("PKCS #8", pem("PRIVATE KEY")),
        ("encrypted", pem("ENCRYPTED PRIVATE KEY")),
        ("RSA in one line", pem("RSA PRIVATE KEY").replace('\n', "\\n")),
        ("EC with carriage returns", pem("EC PRIVATE KEY").replace('\n', "\r")),
        ("DSA in lower case", pem("DSA PRIVATE KEY").to_lowercase().replace(&MARK.to_lowercase(), MARK)),
        ("PGP", pem("PGP PRIVATE KEY BLOCK")),
        ("SSH2", format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{MARK}")),
        ("PuTTY 3", format!("PuTTY-User-Key-File-3: ssh-ed25519 Private-Lines: 1 AAAA{MARK}")),
        ("PuTTY 2", format!("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: {MARK}\n")),
        ("body of OpenSSH", format!("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ{MARK}")),
        (
            "body of PKCS #8",
            format!("MC4CAQAwBQYDK2VwBCIEIHLLJ3gW0Bk0gqEwjYyVtRG9{MARK}"),
        ),
        (
            "body of PKCS #1 in quotes and lines",
            format!("\"MIIEpAIBAAKC\r\nAQEA0Z3VS5JJcds3\r\nxfn/ygWyF8PbnGy0{MARK}\""),
        ),
        (
            "body of SEC 1 inside a sentence",
            format!("use MHcCAQEEIGb9xZkP9Xz1c2Jq0m1vN4oQyR7sT6uVwXyZ{MARK} please"),
        ),
        (
            "DER in hexadecimal",
            format!("30:2e:02:01:00:30:05:06:03:2b:65:70:04:22:04:20:72:cb:27:78 {MARK}"),
        ),
        ("age", format!("AGE-SECRET-KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L{MARK}")),
        (
            "JWK",
            json!({ "kty": "OKP", "crv": "Ed25519", "d": format!("nWGxne_9WmC6hEr0kuwsxERJ{MARK}"), "x": "11qY" }).to_string(),
        ),
    ]
}

/// Everything that was answered, to be searched in the end.
#[derive(Default)]
struct Heard(Vec<(String, String)>);

impl Heard {
    async fn hear(&mut self, what: String, answer: reqwest::Response) -> (u16, String) {
        let status = answer.status().as_u16();
        let headers = format!("{:?}", answer.headers());
        let text = answer.text().await.unwrap();
        assert!(status < 500, "{what}: {status} {text}");
        self.0.push((what, format!("{headers}{text}")));
        (status, text)
    }

    /// A call of the REST API that has to name `field` as the one with the key.
    async fn refused(&mut self, what: &str, field: &str, call: reqwest::RequestBuilder) {
        let (status, text) = self.hear(what.to_owned(), call.send().await.unwrap()).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        let named = answer["errors"].as_array().is_some_and(|errors| {
            errors
                .iter()
                .any(|error| error["field"] == field && error["code"] == "private_key")
        });
        assert!(named, "{what}: {status} {answer:#}");
        assert!(status == 422 || what.contains("/plans"), "{what}: {status}");
    }

    /// A form whose page has to say so and to come back without it.
    async fn sent_back(
        &mut self,
        what: &str,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
    ) {
        let answer = browser.post(path, fields).await;
        let (status, text) = self.hear(what.to_owned(), answer).await;
        assert_eq!(status, 422, "{what}: {text}");
        assert!(
            Page::parse(&text).count("This looks like a private key") > 0,
            "{what}: {text}"
        );
    }
}

/// The draft with a text in one place, and the field that an error names.
fn drafts(base: &Value, key: &str) -> Vec<(&'static str, Value)> {
    let mut drafts = Vec::new();
    for field in [
        "name",
        "project",
        "tier",
        "template",
        "region",
        "zone",
        "cost_centre",
        "expiry",
        "justification",
    ] {
        let mut draft = base.clone();
        draft[field] = key.into();
        drafts.push((field, draft));
    }
    let lines: Vec<&str> = key.lines().collect();
    for tags in [
        json!({ "note": key }),
        json!({ key: "note" }),
        json!({ "one": "1", format!("x {key}"): "" }),
    ] {
        let mut draft = base.clone();
        draft["tags"] = tags;
        drafts.push(("tags", draft));
    }
    for (field, name, value) in [
        ("parameters.sshPublicKey", "sshPublicKey", json!(key)),
        (
            "parameters.sshPublicKey",
            "sshPublicKey",
            json!(format!("{} {key}", support::KEY)),
        ),
        ("parameters.vmSize", "vmSize", json!(key)),
        ("parameters.deep", "deep", json!([{ "a": [{ "b": key }] }])),
        ("parameters.deep", "deep", json!({ "a": { key: 1 } })),
        ("parameters.lines", "lines", json!(lines)),
        ("parameters", key, json!(1)),
    ] {
        let mut draft = base.clone();
        draft["parameters"][name] = value;
        drafts.push((field, draft));
    }
    drafts
}

/// Every file of a data directory, the database with its log of writes included.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_is_refused_everywhere_and_kept_nowhere() {
    let data = tempfile::tempdir().unwrap();
    let slipway = patient_sandbox(data.path());
    let developer = slipway.api("developer").await;
    let approver = slipway.api("approver").await;
    let browser = slipway.browser("developer").await;
    let decider = slipway.browser("approver").await;
    let admin = slipway.browser("admin").await;
    let mut heard = Heard::default();

    let mut prod = vm("waiting");
    prod["tier"] = "prod".into();
    prod["expiry"] = "".into();
    prod["justification"] = "Customers wait for it.".into();
    prod["parameters"]["subnetId"] = support::PROD_SUBNET.into();
    let (status, sent) = developer.post("/requests", &prod).await;
    assert_eq!(status, 201, "{sent:#}");
    let digest = sent["plan"]["digest"].as_str().unwrap().to_owned();
    let waiting = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    let mut denied = vm("denied");
    denied["expiry"] = "".into();
    let (status, sent) = developer.post("/requests", &denied).await;
    assert_eq!(status, 201, "{sent:#}");
    let editable = format!("/requests/{}", sent["summary"]["id"].as_str().unwrap());
    let (status, sent) = developer.post("/requests", &vm("alive")).await;
    assert_eq!(status, 201, "{sent:#}");
    let stack = format!("/stacks/{}", sent["summary"]["stack"].as_str().unwrap());
    developer
        .wait(&stack, |stack| support::state(stack) == "active")
        .await;

    for (turn, (kind, key)) in keys().into_iter().enumerate() {
        assert!(key.contains(MARK));
        let places = Places {
            waiting: &waiting,
            editable: &editable,
            stack: &stack,
            digest: &digest,
            turn,
        };
        rest(&mut heard, &developer, &approver, kind, &key, &places).await;
        forms(&mut heard, &browser, &decider, kind, &key, &places).await;
        let path = "/projects/payments/break-glass";
        let what = format!("{kind} in the reason to break glass");
        heard
            .sent_back(&what, &admin, path, &[("reason", &key)])
            .await;
        let reason = json!({ "reason": key });
        let call = admin.rest(reqwest::Method::POST, path).json(&reason);
        let answer = call.send().await.unwrap();
        let (status, text) = heard.hear(what, answer).await;
        assert!(status == 422 && text.contains("private_key"), "{text}");
    }

    // What is no key goes through, so nothing above was refused for another reason.
    let (status, plan) = developer.post("/plans", &vm("another")).await;
    assert_eq!((status, &plan["errors"]), (200, &json!([])), "{plan:#}");

    for (what, answer) in &heard.0 {
        assert!(!answer.contains(MARK), "{what}: {answer}");
    }
    assert!(heard.0.len() > 800, "{}", heard.0.len());
    assert!(slipway.terminate());
    let mut found = Vec::new();
    files(data.path(), &mut found);
    assert!(found.iter().any(|(path, _)| path.ends_with("slipway.db")));
    for (path, bytes) in found {
        let holds = bytes
            .windows(MARK.len())
            .any(|window| window.eq_ignore_ascii_case(MARK.as_bytes()));
        assert!(!holds, "{path} holds a private key");
    }
}

/// Where texts can be sent to.
struct Places<'a> {
    waiting: &'a str,
    editable: &'a str,
    stack: &'a str,
    digest: &'a str,
    /// Which form it is the turn of.
    turn: usize,
}

async fn rest(
    heard: &mut Heard,
    developer: &Api,
    approver: &Api,
    kind: &str,
    key: &str,
    places: &Places<'_>,
) {
    let Places {
        waiting,
        editable,
        stack,
        digest,
        ..
    } = places;
    let version = developer.get(editable).await["summary"]["version"].clone();
    for (field, draft) in drafts(&vm("keyed"), key) {
        for (method, path) in [
            (Method::POST, "/plans".to_owned()),
            (Method::POST, "/requests".to_owned()),
            (Method::PUT, (*editable).to_owned()),
        ] {
            let what = format!("{kind} in {field}: {method} {path}");
            let call = developer
                .request(method.clone(), &path)
                .header("if-match", format!("\"v{version}\""))
                .header("idempotency-key", format!("key-{}", heard.0.len()))
                .json(&draft);
            heard.refused(&what, field, call).await;
        }
    }
    let post = |api: &Api, path: &str, body: Value| api.request(Method::POST, path).json(&body);
    let what = |place: &str| format!("{kind} in {place}");
    for (place, field, call) in [
        (
            "a comment",
            "text",
            post(
                developer,
                &format!("{waiting}/comments"),
                json!({ "text": format!("Look: {key}") }),
            ),
        ),
        (
            "a decision",
            "comment",
            post(
                approver,
                &format!("{waiting}/decisions"),
                json!({ "decision": "reject", "plan_digest": digest, "comment": key }),
            ),
        ),
        (
            "a deletion",
            "justification",
            post(
                developer,
                &format!("{stack}/delete"),
                json!({ "confirm": "alive", "justification": key }),
            ),
        ),
        (
            "an extension",
            "justification",
            post(
                developer,
                &format!("{stack}/extend"),
                json!({ "expiry": "60d", "justification": key }),
            ),
        ),
        (
            "an end",
            "expiry",
            post(
                developer,
                &format!("{stack}/extend"),
                json!({ "expiry": key }),
            ),
        ),
        (
            "a word of a choice",
            "",
            post(
                approver,
                &format!("{waiting}/decisions"),
                json!({ "decision": key, "plan_digest": digest }),
            ),
        ),
        (
            "a kind",
            "",
            post(developer, "/requests", json!({ "kind": key })),
        ),
        (
            "an unknown member",
            "",
            post(developer, "/requests", json!({ key: 1 })),
        ),
        (
            "a filter",
            "text",
            developer
                .request(Method::GET, "/requests")
                .query(&[("text", key)]),
        ),
        (
            "a choice of a filter",
            "state",
            developer
                .request(Method::GET, "/requests")
                .query(&[("state", key)]),
        ),
        (
            "a filter of stacks",
            "text",
            developer
                .request(Method::GET, "/stacks")
                .query(&[("text", key)]),
        ),
        (
            "a cursor",
            "cursor",
            developer
                .request(Method::GET, "/stacks")
                .query(&[("cursor", key)]),
        ),
    ] {
        heard.refused(&what(place), field, call).await;
    }
    if key
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        let call = post(
            developer,
            &format!("{waiting}/comments"),
            json!({ "text": "Fine." }),
        );
        heard
            .refused(
                &what("a key of idempotency"),
                "Idempotency-Key",
                call.header("idempotency-key", key),
            )
            .await;
    }
    let name = json!(key);
    let twice = developer
        .request(Method::POST, "/requests")
        .header("content-type", "application/json")
        .body(format!("{{{name}:1,{name}:2}}"));
    heard
        .refused(&what("a member that comes twice"), "", twice)
        .await;
    let number = post(developer, "/requests", json!({ "stack": key }));
    let answer = number.send().await.unwrap();
    heard.hear(what("an id"), answer).await;
    // Letters stand as they are, so that the key would be found in a log of paths.
    let path: String = key
        .bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let answer = developer
        .request(Method::GET, &format!("/requests/{path}"))
        .send()
        .await
        .unwrap();
    heard.hear(what("an address"), answer).await;
}

async fn forms(
    heard: &mut Heard,
    developer: &Browser,
    approver: &Browser,
    kind: &str,
    key: &str,
    places: &Places<'_>,
) {
    let Places {
        waiting,
        editable,
        stack,
        digest,
        turn,
    } = places;
    // Each kind in another form and pressing another button: which one it is makes no difference to where a key is found.
    let path = match turn % 3 {
        0 => "/catalogue/azure-linux-vm/request".to_owned(),
        1 => "/catalogue/aks-node-pool/request".to_owned(),
        _ => format!("{editable}/edit"),
    };
    let page = Page::parse(&developer.get(&path).await.text().await.unwrap());
    let checks = ("action".to_owned(), "check".to_owned());
    let form = page
        .forms
        .iter()
        .find(|form| form.buttons.contains(&checks));
    let form = form.unwrap();
    for field in form.fields.iter().filter(|field| field.kind != "hidden") {
        let action = ["send", "check"][heard.0.len() % 2];
        let typed: Vec<(&str, &str)> = form
            .fields
            .iter()
            .map(|other| {
                let value = if other.name == field.name {
                    key
                } else {
                    &other.value
                };
                (&*other.name, value)
            })
            .chain([("action", action)])
            .collect();
        let what = format!("{kind} in {} of {path}, {action}", field.name);
        heard.sent_back(&what, developer, &path, &typed).await;
    }
    let whole = form
        .fields
        .iter()
        .map(|field| (&*field.name, &*field.value));
    let fix = format!("justification={key}");
    let what = format!("{kind} in a remedy of {path}");
    let typed: Vec<_> = whole.clone().chain([("fix", &*fix)]).collect();
    heard.sent_back(&what, developer, &path, &typed).await;
    let what = format!("{kind} as the name of a field of {path}");
    let typed: Vec<_> = whole.chain([(key, "x"), ("action", "check")]).collect();
    heard.sent_back(&what, developer, &path, &typed).await;
    for (path, fields) in [
        (format!("{waiting}/comment"), vec![("text", key)]),
        (
            format!("{stack}/delete"),
            vec![("confirm", "alive"), ("justification", key)],
        ),
        (
            format!("{stack}/delete"),
            vec![("confirm", key), ("justification", "")],
        ),
        (
            format!("{stack}/extend"),
            vec![("expiry", "60d"), ("justification", key)],
        ),
        (format!("{stack}/extend"), vec![("expiry", key)]),
        ("/me/tokens".to_owned(), vec![("name", key), ("days", "1")]),
        ("/me/tokens".to_owned(), vec![("name", "ci"), ("days", key)]),
    ] {
        let what = format!("{kind} in {fields:?} of {path}");
        heard
            .sent_back(&what.replace(key, "KEY"), developer, &path, &fields)
            .await;
    }
    let path = format!("{waiting}/decide");
    for decision in ["approve", "reject", "unheard-of"] {
        let fields = [
            ("decision", decision),
            ("plan_digest", digest),
            ("comment", key),
        ];
        let what = format!("{kind} in the comment of a decision to {decision}");
        heard.sent_back(&what, approver, &path, &fields).await;
    }
    for path in [
        "/requests",
        "/stacks",
        "/catalogue",
        "/approvals",
        "/sign-in",
        "/me",
    ] {
        let name = ["text", "state", "next", "tab"][heard.0.len() % 4];
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, key)
            .finish();
        let answer = developer.get(&format!("{path}?{query}")).await;
        let (status, text) = heard
            .hear(format!("{kind} in {name} of {path}"), answer)
            .await;
        assert_eq!(status, 422, "{kind} in {name} of {path}");
        assert!(
            Page::parse(&text).count("This looks like a private key") > 0,
            "{text}"
        );
    }
    let mut draft = vm("checked");
    draft["justification"] = key.into();
    let draft = json!({ "template": "azure-linux-vm", "draft": draft, "editing": null });
    for path in ["/ui/check", "/ui/request-form"] {
        let answer = developer.post_json(path, &draft).await;
        heard.hear(format!("{kind} in {path}"), answer).await;
    }
}

/// A form or document of many members is refused with few words, whatever is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_fields_is_answered_in_a_few_words() {
    /// Longest answer to a body of 200 kB, in bytes.
    const SHORT: usize = 20_000;
    let data = tempfile::tempdir().unwrap();
    let slipway = patient_sandbox(data.path());
    let developer = slipway.api("developer").await;
    let browser = slipway.browser("developer").await;

    let many = |n: usize| {
        let mut draft = vm("many");
        for n in 0..n {
            draft["parameters"][format!("x{n}")] = 1.into();
        }
        draft
    };
    let deep = |levels: usize| {
        let mut draft = vm("deep");
        let open = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        draft["parameters"]["x"] = open;
        draft
    };
    let long = |field: &str| {
        let mut draft = vm("long");
        draft[field] = "é".repeat(100_000).into();
        draft
    };
    let mut wide = vm("wide");
    wide["parameters"]["x"] = vec![0; 60_000].into();
    let mut named = vm("named");
    named["parameters"]["n".repeat(200_000)] = 1.into();
    let mut tagged = vm("tagged");
    for n in 0..15_000 {
        tagged["tags"][format!("t{n}")] = "".into();
    }
    let mut unknown = vm("unknown");
    unknown["u".repeat(200_000)] = 1.into();
    let mut word = vm("word");
    word["kind"] = "w".repeat(200_000).into();
    let mut list = vm("list");
    list["parameters"]["nodeTaints"] = vec!["?"; 40_000].into();
    let bodies = [
        many(60),
        many(190),
        many(20_000),
        deep(100),
        long("name"),
        long("justification"),
        long("cost_centre"),
        long("region"),
        long("zone"),
        long("tier"),
        long("template"),
        long("project"),
        long("expiry"),
        wide,
        named,
        tagged,
        unknown,
        word,
        list,
    ];
    for (n, body) in bodies.iter().enumerate() {
        for path in ["/requests", "/plans"] {
            let answer = developer
                .request(Method::POST, path)
                .json(body)
                .send()
                .await
                .unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            let refused = status.is_client_error()
                || serde_json::from_str::<Value>(&text).unwrap()["errors"] != json!([]);
            assert!(refused, "{n} {path}: {status} {text:.500}");
            assert!(
                text.len() < SHORT,
                "{n} {path}: {} bytes: {text:.500}",
                text.len()
            );
        }
    }
    let (status, answer) = developer.post("/requests", &many(60)).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!((status, errors.len()), (422, 51), "{answer:#}");
    assert_eq!(errors[50]["message"], "And 10 more.", "{answer:#}");

    let path = "/catalogue/azure-linux-vm/request";
    let fields = |n: usize| -> Vec<(String, String)> {
        (0..n)
            .map(|n| (format!("parameters.x{n}"), "1".to_owned()))
            .collect()
    };
    for (n, wanted) in [(500, 200), (501, 413), (10_000, 413)] {
        let fields = fields(n);
        let typed: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
        let answer = browser.post(path, &typed).await;
        assert_eq!(answer.status(), wanted, "{n} fields");
        if wanted == 413 {
            let text = answer.text().await.unwrap();
            assert!(
                text.contains("500 fields") && text.len() < SHORT,
                "{text:.500}"
            );
        }
    }
    // A page of errors is as short as an answer of them.
    let form = Page::parse(&browser.get(path).await.text().await.unwrap());
    let whole = form.forms.iter().flat_map(|form| &form.fields);
    let many = fields(190);
    let typed: Vec<(&str, &str)> = whole
        .map(|field| (&*field.name, &*field.value))
        .chain(many.iter().map(|(name, value)| (&**name, &**value)))
        .chain([("action", "send")])
        .collect();
    let page = browser.post(path, &typed).await;
    assert_eq!(page.status(), 422);
    let page = Page::parse(&page.text().await.unwrap());
    let said = page.count("The template has no such field.");
    assert!((40..=100).contains(&said), "said {said} times");
}
