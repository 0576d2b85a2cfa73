//! Text is text: whatever people, Azure or an address say, a page has the same elements. Two sandboxes live through the same story, one with harmless words,
//! one with text that would be markup. Every page is read as every role, every form is filled and sent, and an HTML parser compares the trees.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod html;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use html::{Form, Page};
use serde_json::{Value, json};
use support::{Api, Browser, Simulator, Slipway, patient_sandbox, state, vm};
use types::time::Timestamp;

/// Ends what text may stand in.
const CLOSING: &str = "T </textarea></title></option></select></script>";
/// Begins elements, comments and references; quotes of all kinds.
const MARKUP: &str = "T <!--><img src=x onerror=a()>'\"`&amp;&lt;]]>--!>";
/// Cannot be seen, or turns the direction of writing.
const INVISIBLE: &str = "T \u{202e}\u{2066}\u{2028}</p>";
/// What an HTML parser drops or replaces, and another control character.
const NUL: &str = "T \u{0}\u{7}</p>";

const TEXTS: [&str; 4] = [CLOSING, MARKUP, INVISIBLE, NUL];

/// Words of a world.
#[derive(Clone, Copy)]
struct Words {
    hostile: bool,
}

impl Words {
    /// A text, or one of the same length that fields accept or refuse for the same reasons, with nothing in it that HTML knows.
    fn say(self, text: &str) -> String {
        if self.hostile {
            return text.to_owned();
        }
        text.chars()
            .map(|c| match c {
                '<' | '>' | '&' => '%',
                '\'' | '"' | '`' | '!' | '-' | ']' => ';',
                c if types::text::deceptive(c) => '\u{200b}',
                c => c,
            })
            .collect()
    }

    /// The longest text that every free-text field stores.
    fn stored(self) -> String {
        self.say(&format!("{CLOSING} {MARKUP}"))
    }
}

/// What a world showed.
#[derive(Default)]
struct Shown {
    /// Pages by what was asked, with their status.
    pages: BTreeMap<String, (u16, Page)>,
    /// Fields for text that stood on any page, by form and name.
    seen: BTreeSet<(String, String)>,
    /// Fields that were filled.
    filled: BTreeSet<(String, String)>,
}

/// An address without what differs from run to run.
fn pattern(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path: Vec<&str> = path
        .split('/')
        .map(|part| {
            if uuid::Uuid::parse_str(part).is_ok() {
                "{id}"
            } else {
                part
            }
        })
        .collect();
    let names: Vec<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        path.join("/")
    } else {
        format!("{}?{}", path.join("/"), names.join("&"))
    }
}

/// An address with a query.
fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

/// A text as one part of a path.
fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Shown {
    /// Keeps the page that answers at `path` under the name of what was asked; redirects are followed.
    async fn keep(
        &mut self,
        browser: &Browser,
        asked: String,
        path: &str,
        answer: reqwest::Response,
    ) {
        let (mut path, mut answer) = (path.to_owned(), answer);
        while let Some(to) = answer.headers().get("location").cloned() {
            to.to_str().unwrap().clone_into(&mut path);
            answer = browser.get(&path).await;
        }
        let status = answer.status().as_u16();
        let html = answer
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let text = answer.text().await.unwrap();
        let page = if html {
            Page::parse(&text)
        } else {
            Page::default()
        };
        for form in &page.forms {
            for field in form.fields.iter().filter(|field| field.is_typed()) {
                self.seen
                    .insert((form_name(&path, form), field.name.clone()));
            }
        }
        let before = self.pages.insert(asked.clone(), (status, page));
        assert!(before.is_none(), "{asked} was asked twice");
    }

    /// Sends a form with `fields` as they are typed.
    async fn fill(
        &mut self,
        browser: &Browser,
        role: &str,
        path: &str,
        form: &Form,
        what: &str,
        fields: &[(String, String)],
    ) {
        for (name, _) in fields {
            self.filled.insert((form_name(path, form), name.clone()));
        }
        let to = form.action.as_deref().unwrap_or(path);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
        let asked = format!("{role} {} {} {what}", form.method, form_name(path, form));
        let answer = if form.method == "post" {
            browser.post(to, &pairs).await
        } else {
            browser.get(&address(to, &pairs)).await
        };
        self.keep(browser, asked, to, answer).await;
    }
}

/// A form by where it goes.
fn form_name(page: &str, form: &Form) -> String {
    pattern(form.action.as_deref().unwrap_or(page))
}

/// What stands on the pages of a world.
struct World {
    slipway: Slipway,
    data: tempfile::TempDir,
    words: Words,
    /// Requests and stacks by name.
    ids: BTreeMap<&'static str, String>,
}

impl World {
    async fn new(hostile: bool) -> Self {
        let words = Words { hostile };
        let data = tempfile::tempdir().unwrap();
        let slipway = patient_sandbox(data.path());
        name_projects(data.path(), words).await;
        let mut world = Self {
            slipway,
            data,
            words,
            ids: BTreeMap::new(),
        };
        world.live().await;
        world
    }

    fn request(&self, name: &str, tier: &str) -> Value {
        let said = self.words.stored();
        let mut request = vm(name);
        request["tier"] = tier.into();
        request["justification"] = format!("Because.\n{said}").into();
        request["tags"] = json!({ "note": said });
        request["parameters"]["sshPublicKey"] = format!("{} {said}", support::KEY).into();
        if tier == "prod" {
            request["parameters"]["subnetId"] = support::PROD_SUBNET.into();
            request["expiry"] = "".into();
        }
        request
    }

    async fn send(&mut self, api: &Api, name: &'static str, request: &Value) -> Value {
        let (status, sent) = api.post("/requests", request).await;
        assert_eq!(status, 201, "{sent:#}");
        let (id, stack) = (&sent["summary"]["id"], &sent["summary"]["stack"]);
        self.ids.insert(name, id.as_str().unwrap().to_owned());
        let stack_name: &'static str = match name {
            "alive" => "alive-stack",
            "broken" => "broken-stack",
            _ => return sent,
        };
        self.ids
            .insert(stack_name, stack.as_str().unwrap().to_owned());
        sent
    }

    /// A request in every state that has a page of its own, with text wherever text is stored.
    async fn live(&mut self) {
        let developer = self.slipway.api("developer").await;
        let approver = self.slipway.api("approver").await;
        let owner = self.slipway.browser("owner").await;
        let said = self.words.stored();

        let told = self.request("told", "prod");
        let told = self.send(&developer, "told", &told).await;
        let path = format!("/requests/{}", self.ids["told"]);
        let text = format!("First.\n\n{said}");
        let answer = owner
            .post(&format!("{path}/comment"), &[("text", &text)])
            .await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        let decision = json!({
            "decision": "request_changes", "comment": said, "plan_digest": told["plan"]["digest"],
        });
        let (status, answer) = approver.post(&format!("{path}/decisions"), &decision).await;
        assert_eq!(status, 201, "{answer:#}");

        let me = self.slipway.browser("developer").await;
        let name = self.words.say(CLOSING);
        let token = [("name", name.as_str()), ("days", "1")];
        let made = me.post("/me/tokens", &token).await;
        assert!(made.status().as_u16() < 400, "{}", made.status());

        let queued = self.request("queued", "prod");
        self.send(&developer, "queued", &queued).await;
        let mut denied = self.request("denied", "dev");
        denied["expiry"] = "".into();
        let denied = self.send(&developer, "denied", &denied).await;
        assert_eq!(state(&denied), "denied", "{denied:#}");

        let alive = self.request("alive", "dev");
        self.send(&developer, "alive", &alive).await;
        let stack = format!("/stacks/{}", self.ids["alive-stack"]);
        developer
            .wait(&stack, |stack| state(stack) == "active")
            .await;
        let simulator = Simulator::of(self.data.path());
        let fault = json!([{
            "method": "PUT", "path": r"/deployments/slipway-[^/]+$", "times": 1,
            "action": {
                "type": "respond", "status": 400, "code": "InvalidTemplate",
                "message": self.words.say(&format!("{CLOSING} {MARKUP} {INVISIBLE}")),
            },
        }]);
        simulator.post("/_sim/faults", &fault).await;
        let broken = self.request("broken", "dev");
        self.send(&developer, "broken", &broken).await;
        let stack = format!("/stacks/{}", self.ids["broken-stack"]);
        developer
            .wait(&stack, |stack| {
                state(stack) == "failed" && stack["running"].is_null()
            })
            .await;
        let request = developer
            .get(&format!("/requests/{}", self.ids["broken"]))
            .await;
        let operation = request["operation"].as_str().unwrap().to_owned();
        self.ids.insert("operation", operation);
    }

    /// Every page, by the route that shows it.
    fn pages(&self) -> Vec<(&'static str, Vec<String>)> {
        let id = |name: &str| &self.ids[name];
        let text = self.words.say(&format!("{CLOSING}{MARKUP}"));
        let odd = segment(&text);
        let request = |action: &str| format!("/requests/{}{action}", id("told"));
        let stack = |action: &str| format!("/stacks/{}{action}", id("alive-stack"));
        let operation = |action: &str| format!("/operations/{}{action}", id("operation"));
        let mut tabs: Vec<String> = ["resources", "posture", "cost", "changes", "activity", &odd]
            .iter()
            .flat_map(|tab| {
                ["alive-stack", "broken-stack"]
                    .map(|name| format!("/stacks/{}?tab={tab}", id(name)))
            })
            .collect();
        tabs.extend(["alive-stack", "broken-stack"].map(|name| format!("/stacks/{}", id(name))));
        tabs.push(format!("/stacks/{odd}"));
        let templates = ["aks-node-pool", "azure-linux-vm", "azure-linux-4-vm", &odd];
        vec![
            ("/", vec!["/".into()]),
            (
                "/sign-in",
                vec!["/sign-in".into(), format!("/sign-in?next=/{odd}")],
            ),
            (
                "/catalogue",
                vec![
                    "/catalogue".into(),
                    address("/catalogue", &[("kind", &text), ("arch", &text)]),
                ],
            ),
            (
                "/catalogue/:name",
                templates
                    .iter()
                    .map(|name| format!("/catalogue/{name}"))
                    .chain([format!("/catalogue/azure-linux-vm?version={odd}")])
                    .collect(),
            ),
            (
                "/catalogue/:name/request",
                templates
                    .iter()
                    .map(|name| format!("/catalogue/{name}/request"))
                    .chain([
                        format!("/catalogue/azure-linux-vm/request?project={odd}"),
                        format!(
                            "/catalogue/azure-linux-vm/request?stack={}",
                            id("alive-stack")
                        ),
                    ])
                    .collect(),
            ),
            ("/requests", vec!["/requests".into()]),
            (
                "/requests/:id",
                ["told", "queued", "denied", "alive", "broken"]
                    .iter()
                    .map(|name| format!("/requests/{}", id(name)))
                    .chain([format!("/requests/{odd}")])
                    .collect(),
            ),
            (
                "/requests/:id/edit",
                vec![request("/edit"), format!("/requests/{odd}/edit")],
            ),
            ("/requests/:id/:action", vec![request("/comment")]),
            (
                "/approvals",
                ["", "?tab=all", "?tab=decided"]
                    .map(|tab| format!("/approvals{tab}"))
                    .into_iter()
                    .chain([format!("/approvals?tab={odd}&selected={odd}&cursor={odd}")])
                    .collect(),
            ),
            ("/stacks", vec!["/stacks".into()]),
            ("/stacks/:id", tabs),
            ("/stacks/:id/delete", vec![stack("/delete")]),
            ("/stacks/:id/extend", vec![stack("/extend")]),
            ("/stacks/:id/:action", vec![stack("/stop")]),
            ("/operations/:id", vec![operation("")]),
            ("/operations/:id/:action", vec![operation("/cancel")]),
            ("/audit", vec!["/audit".into()]),
            ("/policies", vec!["/policies".into()]),
            ("/projects", vec!["/projects".into()]),
            (
                "/projects/:name",
                ["payments", "search", &odd]
                    .map(|name| format!("/projects/{name}"))
                    .into(),
            ),
            (
                "/projects/:name/:action",
                vec!["/projects/payments/break-glass".into()],
            ),
            ("/me", vec!["/me".into(), "/me?tab=x".into()]),
            ("/me/tokens", vec!["/me/tokens".into()]),
            (
                "/me/tokens/:id/revoke",
                vec![format!("/me/tokens/{}/revoke", id("told"))],
            ),
            ("/docs", vec!["/docs".into()]),
            ("/docs/problems", vec!["/docs/problems".into()]),
            ("/docs/rest", vec!["/docs/rest".into()]),
            ("nowhere", vec![format!("/{odd}")]),
        ]
    }

    /// Reads every page as everybody.
    async fn read(&self, shown: &mut Shown, when: &str, roles: &[(String, Browser)]) {
        for (role, browser) in roles {
            for (n, path) in self.pages().into_iter().flat_map(|(_, p)| p).enumerate() {
                let answer = browser.get(&path).await;
                let route = pattern(&path);
                let asked = if path.contains('%') {
                    format!("{when} {role} {n}")
                } else {
                    format!("{when} {role} {n} {route}")
                };
                shown.keep(browser, asked, &path, answer).await;
            }
        }
    }

    /// Fills and sends every form that stands on a page, once with each text in all fields for text and once with text in each field of choices.
    async fn fill(&self, shown: &mut Shown, roles: &[(String, Browser)]) {
        let mut done = BTreeSet::new();
        let paths: Vec<String> = self.pages().into_iter().flat_map(|(_, p)| p).collect();
        for (role, browser) in roles {
            for path in paths.iter().filter(|path| !path.contains('%')) {
                let page = Page::parse(&browser.get(path).await.text().await.unwrap());
                for (n, form) in page.forms.iter().enumerate() {
                    let has_text = form.fields.iter().any(html::Field::is_typed);
                    if has_text && done.insert(form_name(path, form)) {
                        self.fill_one(shown, (role.as_str(), browser), path, n)
                            .await;
                    }
                }
            }
        }
    }

    async fn fill_one(
        &self,
        shown: &mut Shown,
        (role, browser): (&str, &Browser),
        path: &str,
        n: usize,
    ) {
        // Read anew before each POST: the number of a submission is used once.
        let fresh = async || {
            let page = Page::parse(&browser.get(path).await.text().await.unwrap());
            page.forms.get(n).cloned()
        };
        let Some(form) = fresh().await else { return };
        let mut buttons: Vec<(String, String)> = Vec::new();
        for button in form.buttons.iter().filter(|(name, value)| {
            // A remedy changes one field; an approval sets Azure in motion, and its comment is the other buttons'.
            name != "fix" && value != "approve"
        }) {
            if !buttons.contains(button) {
                buttons.push(button.clone());
            }
        }
        if buttons.is_empty() {
            buttons.push(("unnamed".to_owned(), String::new()));
        }
        let everywhere = TEXTS
            .iter()
            .flat_map(|text| buttons.iter().map(move |button| (*text, button, None)));
        let chosen = form.fields.iter().filter(|field| field.is_chosen());
        let one_each = chosen.map(|field| (CLOSING, &buttons[0], Some(field.name.clone())));
        let rounds: Vec<_> = everywhere.chain(one_each).collect();
        for (round, (text, button, only)) in rounds.into_iter().enumerate() {
            let Some(form) = fresh().await else { return };
            let said = self.words.say(text);
            let mut fields: Vec<(String, String)> = form
                .fields
                .iter()
                .map(|field| {
                    let text = match &only {
                        None => field.is_typed(),
                        Some(only) => field.name == *only,
                    };
                    let value = if text { &said } else { &field.value };
                    (field.name.clone(), value.clone())
                })
                .collect();
            fields.push(button.clone());
            let what = format!("{round} {}={}", button.0, button.1);
            shown.fill(browser, role, path, &form, &what, &fields).await;
        }
    }

    async fn show(&self) -> Shown {
        let mut shown = Shown::default();
        let stranger = self.slipway.stranger();
        let sign_in = stranger.get("/sign-in").await.text().await.unwrap();
        let mut roles = Vec::new();
        for (name, subject) in &Page::parse(&sign_in).forms[0].buttons {
            assert_eq!(name, "subject");
            roles.push((subject.clone(), self.slipway.browser(subject).await));
        }
        assert!(roles.len() >= 6, "every role has a persona");
        let said = self.words.say(CLOSING);
        let refused = stranger
            .post("/sign-in", &[("subject", &said), ("next", &said)])
            .await;
        shown
            .keep(&stranger, "a stranger signs in".into(), "/sign-in", refused)
            .await;
        roles.push(("stranger".to_owned(), stranger));
        self.read(&mut shown, "before", &roles).await;
        self.fill(&mut shown, &roles).await;
        self.slipway
            .api("developer")
            .await
            .wait(&format!("/stacks/{}", self.ids["alive-stack"]), |stack| {
                stack["running"].is_null()
            })
            .await;
        self.read(&mut shown, "after", &roles).await;
        shown
    }
}

/// Beside the running process gives projects titles, subnets and tags with text in them: an administrator's words are words too.
async fn name_projects(data: &Path, words: Words) {
    let url = format!("sqlite://{}", data.join("slipway.db").display());
    let store = store::Store::open(&url).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for mut project in store.projects().await.unwrap() {
        let said = words.stored();
        project.title = format!("{} {said}", project.title);
        project.default_tags.insert("said".into(), said.clone());
        for tier in project.tiers.values_mut() {
            tier.subscription.name = format!("{} {said}", tier.subscription.name);
            for subnet in &mut tier.subnets {
                subnet.title = format!("{} {said}", subnet.title);
            }
        }
        tx.put_project(&project).await.unwrap();
    }
    tx.commit(Timestamp::new(time::OffsetDateTime::now_utc()))
        .await
        .unwrap();
    store.close().await;
}

/// The first line in which two trees differ, with what stands around it.
fn difference(one: &[String], other: &[String]) -> Option<String> {
    let at = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at))?;
    let around = |tree: &[String]| {
        let from = at.saturating_sub(3).min(tree.len());
        tree[from..(at + 3).min(tree.len())].join("\n  ")
    };
    Some(format!(
        "line {at}:\n  {}\nbut with markup in the text\n  {}",
        around(one),
        around(other)
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_becomes_a_page() {
    let (plain, hostile) = tokio::join!(World::new(false), World::new(true));
    let routes = include_str!("../../app/src/root.rs");
    for route in routes
        .split("path!(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(
            plain.pages().iter().any(|(known, _)| *known == route),
            "the route {route} has no page in this test"
        );
    }
    let (plain, hostile) = tokio::join!(plain.show(), hostile.show());

    let mut wrong = Vec::new();
    assert_eq!(
        plain.pages.keys().collect::<Vec<_>>(),
        hostile.pages.keys().collect::<Vec<_>>()
    );
    for (asked, (status, page)) in &plain.pages {
        let (other_status, other) = &hostile.pages[asked];
        if status != other_status {
            wrong.push(format!("{asked}: {status} and {other_status}"));
        }
        if let Some(difference) = difference(&page.tree, &other.tree) {
            wrong.push(format!("{asked}: {difference}"));
            continue;
        }
        for text in [CLOSING, MARKUP, INVISIBLE] {
            let harmless = page.count(&Words { hostile: false }.say(text));
            let found = other.count(text);
            if harmless != found {
                wrong.push(format!(
                    "{asked}: {text:?} is shown {found} times, harmless words {harmless} times"
                ));
            }
        }
        for (text, isolated) in &other.texts {
            if text.contains(['\u{202e}', '\u{2066}']) && !isolated {
                wrong.push(format!("{asked}: {text:?} turns what stands beside it"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} pages are not what they should be:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n\n")
    );

    let missed: Vec<_> = hostile.seen.difference(&hostile.filled).collect();
    assert!(missed.is_empty(), "nobody filled {missed:?}");
    let all: usize = hostile
        .pages
        .values()
        .map(|(_, page)| page.count(CLOSING))
        .sum();
    assert!(all > 500, "the texts are shown, {all} times");
    // What was stored is shown as it was typed.
    let stored = Words { hostile: true }.stored();
    for (page, role) in [
        ("/requests/{id}", "developer"),
        ("/requests/{id}", "auditor"),
        ("/approvals", "approver"),
        ("/operations/{id}", "owner"),
        ("/projects/payments", "reader"),
        ("/me", "developer"),
    ] {
        let shows = hostile.pages.iter().any(|(asked, (_, shown))| {
            asked.contains(&format!(" {role} "))
                && asked.ends_with(&format!(" {page}"))
                && (shown.shows(&stored) || (page == "/me" && shown.shows(CLOSING)))
        });
        assert!(shows, "{page} shows {role} no text");
    }
}

/// Elements whose content Leptos does not escape, or that text may stand in, are made in one file each; so nobody has to remember to escape.
#[test]
fn elements_that_hold_raw_text_are_made_in_one_place() {
    let escaped = "components/escaped.rs";
    let made = [
        ("<textarea", escaped),
        ("textarea(", escaped),
        ("<Title text", escaped),
        ("<title", escaped),
        ("<option", escaped),
        ("inner_html=", escaped),
        ("inner_html(", escaped),
        ("<noscript", escaped),
        ("<script", "shell.rs"),
        ("<Script", "shell.rs"),
        ("<style", "none"),
        ("<Style", "none"),
        ("<iframe", "none"),
        ("<template", "none"),
        ("<xmp", "none"),
        ("<plaintext", "none"),
    ];
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src");
    let mut folders = vec![app.clone()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            read += 1;
            let source = std::fs::read_to_string(&path).unwrap();
            for (at, line) in source.lines().enumerate() {
                let line = line.trim();
                // A comment makes nothing, and the browser's own `inner_html()` only reads.
                if line.starts_with("//") {
                    continue;
                }
                let line = line.replace(".inner_html()", "");
                for (element, place) in made {
                    assert!(
                        !line.contains(element) || path.ends_with(place),
                        "{}:{}: {element} belongs into {place}",
                        path.display(),
                        at + 1
                    );
                }
            }
        }
    }
    assert!(read > 50, "the source is where it was");
}
