//! Four eyes through every way in: the product of requesters, editors, actors, roles, ways and decisions, as far as it can be reached in the sandbox, walked
//! through the real binary and compared with a rule of a few lines. `portal/src/approvals/four_eyes/table.rs` has the rest of the product.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot go on fails where it stands; clippy.toml excuses test functions only, not what they share"
)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{ApiToken, Person, Store};
use support::{Api, Browser, PROD_SUBNET, Slipway, vm};
use types::actor::{InstallationRole, Role};
use types::ids::TokenId;
use types::names::ProjectName;
use types::time::Timestamp;
use types::token::TokenSummary;

const PEOPLE: [&str; 7] = [
    "reader",
    "developer",
    "approver",
    "owner",
    "admin",
    "auditor",
    "ledger-developer",
];
/// Who can write a request in Payments; the admin under broken glass.
const AUTHORS: [&str; 3] = ["developer", "owner", "admin"];
const DECISIONS: [&str; 3] = ["request_changes", "approve", "reject"];
/// The token of an approver who is in no persona's place and puts requests back.
const SECOND: &str = "slw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Form,
    Session,
    Token,
}

const WAYS: [Way; 3] = [Way::Form, Way::Session, Way::Token];

/// The rule: somebody who may approve here decides what they did not write. Broken glass is the session's.
fn may_decide(actor: &str, glass: bool, way: Way, requester: &str, editors: &[&str]) -> bool {
    let approves =
        ["approver", "owner"].contains(&actor) || (actor == "admin" && glass && way != Way::Token);
    approves && actor != requester && !editors.contains(&actor)
}

struct World {
    store: Store,
    people: Vec<(&'static str, Browser, Api)>,
    second: Api,
    glass: Option<String>,
    _slipway: Slipway,
    _data: tempfile::TempDir,
}

impl World {
    /// Everybody is in the group that approves, so that only role and authorship tell them apart. Of the second group that a request needs only one
    /// is, who never approves: an approval ends no request, and somebody can still put it back.
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let slipway = support::patient_sandbox(data.path());
        let url = format!("sqlite://{}", data.path().join("slipway.db").display());
        let store = Store::open(&url).await.unwrap();
        let mut people = Vec::new();
        for persona in PEOPLE {
            people.push((
                persona,
                slipway.browser(persona).await,
                slipway.api(persona).await,
            ));
        }
        let now = now();
        let mut tx = store.begin().await.unwrap();
        for subject in PEOPLE.into_iter().chain(["second"]) {
            let role = match subject {
                "admin" => vec![InstallationRole::Admin],
                "auditor" => vec![InstallationRole::Auditor],
                _ => vec![],
            };
            let mut groups = vec!["platform-approvers".parse().unwrap()];
            if subject == "second" {
                groups.push("cost-approvers".parse().unwrap());
            }
            tx.put_person(&Person {
                subject: subject.to_owned(),
                name: subject.to_owned(),
                groups,
                installation: role,
                seen_at: now,
            })
            .await
            .unwrap();
        }
        tx.put_member(&payments(), "second", Role::Approver)
            .await
            .unwrap();
        tx.insert_token(&ApiToken {
            summary: TokenSummary {
                id: TokenId(uuid::Uuid::now_v7()),
                name: "second".to_owned(),
                prefix: "slw_AAAA".to_owned(),
                created_at: now,
                expires_at: now.plus(time::Duration::days(1)),
                last_used_at: None,
                shown: true,
            },
            shown_at: Some(now),
            subject: "second".to_owned(),
            hash: Sha256::digest(SECOND.as_bytes()).into(),
        })
        .await
        .unwrap();
        tx.commit(now).await.unwrap();
        let second = slipway.with_token(SECOND);
        Self {
            store,
            people,
            second,
            glass: None,
            _slipway: slipway,
            _data: data,
        }
    }

    fn person(&self, subject: &str) -> (&Browser, &Api) {
        let (_, browser, api) = self
            .people
            .iter()
            .find(|(persona, ..)| *persona == subject)
            .unwrap();
        (browser, api)
    }

    async fn role(&self, subject: &str, role: Role) {
        let mut tx = self.store.begin().await.unwrap();
        tx.put_member(&payments(), subject, role).await.unwrap();
        tx.commit(now()).await.unwrap();
    }

    /// Breaks the admin's glass in Payments, or ends that.
    async fn set_glass(&mut self, broken: bool) {
        if self.glass.is_some() == broken {
            return;
        }
        let (browser, _) = self.person("admin");
        let path = "/projects/payments/break-glass";
        let id = match &self.glass {
            None => {
                let body = json!({ "reason": "The table of four eyes." });
                let answer = browser.rest(Method::POST, path).json(&body).send().await;
                let (status, glass) = told(answer.unwrap()).await;
                assert_eq!(status, 201, "{glass}");
                Some(glass["id"].as_str().unwrap().to_owned())
            }
            Some(id) => {
                let path = format!("{path}/{id}");
                let answer = browser.rest(Method::DELETE, &path).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                None
            }
        };
        self.glass = id;
    }

    /// A change by an author, who breaks glass for it where that is needed.
    async fn write(&mut self, author: &str, method: Method, path: &str, version: i64) -> Value {
        let before = self.glass.is_some();
        self.set_glass(before || author == "admin").await;
        let (browser, _) = self.person(author);
        let answer = browser
            .rest(method, path)
            .header("if-match", format!("\"v{version}\""))
            .json(&draft())
            .send()
            .await
            .unwrap();
        let (status, body) = told(answer).await;
        assert!(status == 200 || status == 201, "{author} {path}: {body}");
        self.set_glass(before).await;
        body
    }

    async fn second_says(&self, request: &Value, decision: &str) -> Value {
        let path = format!("/requests/{}/decisions", id(request));
        let (status, body) = self.second.post(&path, &decide(request, decision)).await;
        assert_eq!(status, 201, "{body}");
        self.read(request).await
    }

    async fn read(&self, request: &Value) -> Value {
        self.second.get(&format!("/requests/{}", id(request))).await
    }

    /// A request that waits for approval, written by these people in this order.
    async fn waiting(&mut self, requester: &str, editors: &[&str]) -> Value {
        let mut request = self.write(requester, Method::POST, "/requests", 0).await;
        for editor in editors {
            request = self.edited(&request, editor).await;
        }
        assert_eq!(support::state(&request), "awaiting_approval", "{request:#}");
        let wrote: Vec<&str> = request["authors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|author| author["subject"].as_str().unwrap())
            .collect();
        let mut expected = vec![requester];
        expected.extend(editors);
        assert_eq!(wrote, expected);
        request
    }

    async fn edited(&mut self, request: &Value, editor: &str) -> Value {
        let back = match support::state(request) {
            "changes_requested" => request.clone(),
            _ => self.second_says(request, "request_changes").await,
        };
        let path = format!("/requests/{}", id(request));
        let version = back["summary"]["version"].as_i64().unwrap();
        self.write(editor, Method::PUT, &path, version).await
    }

    /// Tries to decide; answers status and code.
    async fn tries(&self, actor: &str, way: Way, request: &Value, decision: &str) -> (u16, String) {
        let (browser, api) = self.person(actor);
        let body = decide(request, decision);
        let path = format!("/requests/{}/decisions", id(request));
        let answer = match way {
            Way::Form => {
                let fields = [
                    ("decision", decision),
                    ("plan_digest", body["plan_digest"].as_str().unwrap()),
                    ("comment", "Looked at it."),
                ];
                let path = format!("/requests/{}/decide", id(request));
                return (
                    browser.post(&path, &fields).await.status().as_u16(),
                    String::new(),
                );
            }
            Way::Session => browser.rest(Method::POST, &path).json(&body).send().await,
            Way::Token => api.request(Method::POST, &path).json(&body).send().await,
        };
        let (status, body) = told(answer.unwrap()).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Whether the one request that waits stands in an actor's queue: on the page, in its count, in REST.
    async fn is_queued(&self, actor: &str, way: Way, request: &Value) -> bool {
        let (browser, api) = self.person(actor);
        let answer = match way {
            Way::Form => {
                let page = browser.get("/approvals").await.text().await.unwrap();
                let queued = page.contains(&format!("selected={}", id(request)));
                let counted = page.contains("One request waits for you.");
                assert!(counted || page.contains("Nothing waits for you."), "{page}");
                assert_eq!(queued, counted, "{actor}: queue and count differ");
                return queued;
            }
            Way::Session => browser.rest(Method::GET, "/approvals").send().await,
            Way::Token => api.request(Method::GET, "/approvals").send().await,
        };
        let (status, queue) = told(answer.unwrap()).await;
        assert_eq!(status, 200, "{queue}");
        let items = queue["items"].as_array().unwrap();
        if let Some(item) = items.first() {
            assert_eq!(item["authors"], request["authors"], "{item}");
        }
        items
            .iter()
            .any(|item| item["request"]["id"] == id(request))
    }
}

fn payments() -> ProjectName {
    "payments".parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::now_utc())
}

fn id(request: &Value) -> &str {
    request["summary"]["id"].as_str().unwrap()
}

/// A machine in prod with a disk so dear that the cost approvers are asked too.
fn draft() -> Value {
    let mut draft = vm("four-eyes");
    draft["tier"] = "prod".into();
    draft["justification"] = "The table of four eyes.".into();
    draft["parameters"]["subnetId"] = PROD_SUBNET.into();
    draft["parameters"]["dataDisk"] = true.into();
    draft["parameters"]["dataDiskSizeGB"] = 8192.into();
    draft
}

fn decide(request: &Value, decision: &str) -> Value {
    json!({ "decision": decision, "plan_digest": request["plan"]["digest"], "comment": "Looked at it." })
}

async fn told(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn subsets() -> Vec<Vec<&'static str>> {
    (0..1_u32 << AUTHORS.len())
        .map(|bits| {
            (0..AUTHORS.len())
                .filter(|at| bits & (1 << at) != 0)
                .map(|at| AUTHORS[at])
                .collect()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_what_they_wrote_by_any_way() {
    let mut world = World::new().await;
    let (mut refused, mut done) = (0, 0);
    for requester in AUTHORS {
        for editors in subsets() {
            let mut request = world.waiting(requester, &editors).await;
            for (actor, glass) in PEOPLE
                .into_iter()
                .map(|actor| (actor, false))
                .chain([("admin", true)])
            {
                world.set_glass(glass).await;
                for way in WAYS {
                    let case = format!(
                        "{actor} (glass {glass}) by {way:?}, sent by {requester}, edited by {editors:?}"
                    );
                    let allowed = may_decide(actor, glass, way, requester, &editors);
                    assert_eq!(
                        world.is_queued(actor, way, &request).await,
                        allowed,
                        "the queue of {case}"
                    );
                    for decision in DECISIONS {
                        let (status, code) = world.tries(actor, way, &request, decision).await;
                        let case = format!("{decision} of {case}: {status} {code}");
                        if !allowed {
                            let hidden = actor == "ledger-developer";
                            assert_eq!(status, if hidden { 404 } else { 403 }, "{case}");
                            let wrote = actor == requester || editors.contains(&actor);
                            if wrote && way != Way::Form {
                                assert_eq!(code, "four_eyes", "{case}");
                            }
                            refused += 1;
                            continue;
                        }
                        assert_eq!(status, if way == Way::Form { 303 } else { 201 }, "{case}");
                        done += 1;
                        let decided = world.read(&request).await;
                        let state = support::state(&decided).to_owned();
                        request = match decision {
                            "reject" => {
                                assert_eq!(state, "rejected", "{case}");
                                world.waiting(requester, &editors).await
                            }
                            "approve" => {
                                assert_eq!(state, "awaiting_approval", "{case}");
                                let met = decided["needs"][0]["approved_by"].to_string()
                                    + &decided["needs"][1]["approved_by"].to_string();
                                assert!(met.contains(actor), "{case}: {met}");
                                world.edited(&decided, requester).await
                            }
                            _ => {
                                assert_eq!(state, "changes_requested", "{case}");
                                world.edited(&decided, requester).await
                            }
                        };
                    }
                }
            }
            let untouched = world.read(&request).await;
            assert_eq!(
                untouched["summary"]["version"],
                request["summary"]["version"]
            );

            // An author stays one in whatever role they are given afterwards.
            for (author, own) in [("developer", Role::Developer), ("owner", Role::Owner)] {
                if author != requester && !editors.contains(&author) {
                    continue;
                }
                for role in [Role::Approver, Role::Owner] {
                    world.role(author, role).await;
                    for way in WAYS {
                        assert!(!world.is_queued(author, way, &request).await);
                        for decision in DECISIONS {
                            let (status, code) = world.tries(author, way, &request, decision).await;
                            assert_eq!(status, 403, "{author} as {role:?}");
                            assert!(way == Way::Form || code == "four_eyes", "{code}");
                            refused += 1;
                        }
                    }
                }
                world.role(author, own).await;
            }
            world.second_says(&request, "reject").await;
        }
    }
    assert!(
        refused > 1_500 && done > 300,
        "{refused} refused, {done} done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn glass_is_broken_on_the_projects_page_and_its_members_see_it() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let (admin, owner, developer) = (
        slipway.browser("admin").await,
        slipway.browser("owner").await,
        slipway.browser("developer").await,
    );
    let page = async |browser: &Browser| {
        let answer = browser.get("/projects/payments").await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    assert!(page(&admin).await.contains("name=\"reason\""));
    for other in [&owner, &developer] {
        assert!(!page(other).await.contains("Break glass"));
    }
    let stack = slipway
        .api("developer")
        .await
        .post("/requests", &vm("watched"))
        .await
        .1["summary"]["stack"]
        .as_str()
        .unwrap()
        .to_owned();

    // A token cannot, not even the admin's; nobody else can; a reason is needed.
    let path = "/projects/payments/break-glass";
    let reason = json!({ "reason": "The approvers are on a plane." });
    let token = slipway.api("admin").await;
    let (status, problem) = token.post(path, &reason).await;
    assert_eq!((status, &problem["code"]), (403, &json!("person_needed")));
    let answer = owner.rest(Method::POST, path).json(&reason).send().await;
    assert_eq!(answer.unwrap().status(), 403);
    let unknown = json!({ "reason": "The approvers are on a plane.", "minutes": 600 });
    let answer = admin.rest(Method::POST, path).json(&unknown).send().await;
    assert!(answer.unwrap().status().is_client_error());
    let short = admin.post(path, &[("reason", "quick one")]).await;
    assert_eq!(short.status(), 422);
    let short = short.text().await.unwrap();
    assert!(
        short.contains("quick one") && short.contains("at least 10 characters"),
        "what was typed stays, with what is wrong"
    );

    let done = admin
        .post(path, &[("reason", "The approvers are on a plane.")])
        .await;
    assert_eq!(done.status(), 303);
    assert_eq!(done.headers()["location"], "/projects/payments");
    for reader in [&admin, &owner, &developer] {
        let seen = page(reader).await;
        assert!(seen.contains("The approvers are on a plane."), "{seen}");
    }
    assert!(page(&owner).await.contains("End now"));
    assert!(!page(&developer).await.contains("End now"));
    let activity = developer
        .get(&format!("/stacks/{stack}?tab=activity"))
        .await
        .text()
        .await
        .unwrap();
    assert!(
        activity.contains("Broke glass in payments for 30 minutes"),
        "{activity}"
    );
    let (_, listed) = told(developer.rest(Method::GET, path).send().await.unwrap()).await;
    assert_eq!(listed[0]["by"], "admin");
    assert_eq!(listed[0]["active"], true);
    let glass = listed[0]["id"].as_str().unwrap();
    let foreign = slipway.browser("ledger-developer").await;
    let answer = foreign.rest(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 404);

    // The owner ends it, by a form; the address of the form leads people to the page.
    let end = format!("{path}/{glass}/end");
    assert_eq!(developer.post(&end, &[]).await.status(), 403);
    let got = owner.get(&end).await;
    assert_eq!(got.headers()["location"], "/projects/payments");
    assert_eq!(owner.post(&end, &[]).await.status(), 303);
    assert_eq!(owner.post(&end, &[]).await.status(), 409);
    assert!(page(&developer).await.contains("ended"));
    let audit = slipway.api("auditor").await.get("/audit").await.to_string();
    for action in ["project.glass_broken", "project.glass_mended"] {
        assert!(audit.contains(action), "{audit}");
    }
}
