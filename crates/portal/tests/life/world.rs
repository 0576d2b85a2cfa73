//! The world of a story: a portal on a real database, the simulator as its Azure, people in their roles, and a clock that stands until it is moved.

use std::sync::Arc;
use std::time::Duration;

use portal::{Catalogue, Clock, CloudFacts, CrashPoints, OpenLimits, Portal, Setup};
use serde_json::{Value, json};
use store::Store;
use types::actor::{Actor, InstallationRole, Role};
use types::approval::{Decide, DecisionKind};
use types::cost::Usd;
use types::ids::{OperationId, RequestId, StackId, SubmissionId};
use types::operation::{OperationDetail, OperationState};
use types::project::{
    ClusterRef, Member, ProjectSettings, SubnetRef, SubscriptionRef, Tier, TierSettings,
};
use types::request::{RequestDetail, RequestDraft};
use types::stack::DeleteStack;
use types::time::Timestamp;

const RULES: &str = r#"package slipway.guardrails.story

rules["GR-001"] := {"title": "Regions", "description": "A stack goes to a region of its project.", "severity": "high"}

rules["GR-014"] := {"title": "Prod is approved", "description": "Prod needs one approval.", "severity": "high"}

deny contains {"id": "GR-001", "message": "This region is not one of the project's.", "path": "request.region", "field": "region"} if {
	not input.request.region in input.project.regions
}

warn contains {"id": "GR-001", "message": "never", "path": "request"} if input.request.kind == "never"

approve contains {"id": "GR-014", "message": "Prod needs an approval.", "path": "request.tier", "group": "platform-approvers", "count": 1} if {
	input.request.tier == "prod"
	input.request.kind != "delete"
}

# A quiet second rule: whoever writes "two" wants two approvers.
rules["GR-015"] := {"title": "Two", "description": "Two approvals.", "severity": "low"}

approve contains {"id": "GR-015", "message": "Two have to agree.", "path": "request", "group": "platform-approvers", "count": 2} if {
	contains(input.request.justification, "two approvers")
}

deny contains {"id": "GR-015", "message": "Not this one.", "path": "request.justification"} if {
	contains(input.request.justification, "deny this")
}

# Without a budget, two have to agree on what is costly.
approve contains {"id": "GR-015", "message": "It is costly.", "path": "request.name", "group": "platform-approvers", "count": 2} if {
	startswith(input.request.name, "costly")
	not is_object(object.get(input.plan.cost, "budget", null))
}

# Without a budget, whoever looks after the money has to agree on this one.
approve contains {"id": "GR-015", "message": "No budget says what this may cost.", "path": "request.name", "group": "cost-approvers", "count": 1} if {
	startswith(input.request.name, "unbudgeted")
	not is_object(object.get(input.plan.cost, "budget", null))
}

# Deletions that people have to agree to, and one that is denied when it is asked for the first time.
approve contains {"id": "GR-015", "message": "Its deletion needs an approval.", "path": "request.name", "group": "platform-approvers", "count": 1} if {
	input.request.kind == "delete"
	startswith(input.request.name, "guarded")
}

deny contains {"id": "GR-015", "message": "Not today.", "path": "request.name"} if {
	input.request.kind == "delete"
	startswith(input.request.name, "locked")
	not contains(input.request.justification, "asked for before")
}

# Slipway's own deletions of what had its time are approved in prod.
approve contains {"id": "GR-015", "message": "The end of a life in prod is approved.", "path": "request", "group": "platform-approvers", "count": 1} if {
	input.request.tier == "prod"
	input.request.requester == "slipway"
}

deny contains {"id": "GR-015", "message": "never", "path": "request"} if input.request.kind == "never"

warn contains {"id": "GR-015", "message": "never", "path": "request"} if input.request.kind == "never"

deny contains {"id": "GR-014", "message": "never", "path": "request"} if input.request.kind == "never"

warn contains {"id": "GR-014", "message": "never", "path": "request"} if input.request.kind == "never"

approve contains {"id": "GR-001", "message": "never", "path": "request", "group": "nobody", "count": 1} if input.request.kind == "never"
"#;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJRyZTtBhq6JJQm3KHk9n5m0WqzVX0c3hV1hO8l6mF2x developer";

/// Which database.
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) struct World {
    pub(crate) portal: Portal,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Of the database, for whoever writes to it past the store.
    pub(crate) url: String,
    sim: Arc<azure_sim::Running>,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
    /// With the key and the checkpoints, where the record is signed.
    _signing: Option<tempfile::TempDir>,
    _database: Option<test_postgres::Database>,
}

/// The rules of the stories.
fn rules() -> policy::Bundle {
    policy::Bundle::load([("story.rego".to_owned(), RULES.to_owned())]).unwrap()
}

async fn portal(
    sim: &azure_sim::Running,
    store: &Store,
    clock: &Clock,
    catalogue: Catalogue,
    policies: policy::Bundle,
    open_limits: OpenLimits,
    crash_points: CrashPoints,
) -> Portal {
    let mut setup = setup(sim, store, clock, catalogue, policies).await;
    setup.open_limits = open_limits;
    setup.crash_points = crash_points;
    Portal::new(setup).unwrap()
}

async fn setup(
    sim: &azure_sim::Running,
    store: &Store,
    clock: &Clock,
    catalogue: Catalogue,
    policies: policy::Bundle,
) -> Setup {
    Setup {
        store: store.clone(),
        installation: store.installation(clock.now()).await.unwrap(),
        arm: client(sim),
        catalogue,
        policies,
        clock: clock.clone(),
        sandbox: true,
        public_url: "http://127.0.0.1:3000".parse().unwrap(),
        secret_key: None,
        cloud: CloudFacts {
            tenant_id: sim.tenant_id.clone(),
        },
        signing: portal::Signing::default(),
        open_limits: OpenLimits::default(),
        crash_points: CrashPoints::default(),
    }
}

/// A client that trusts the simulator.
fn client_of(sim: &azure_sim::Running) -> reqwest::Client {
    reqwest::Client::builder()
        .add_root_certificate(reqwest::Certificate::from_pem(sim.ca_pem.as_bytes()).unwrap())
        .build()
        .unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Engine::Sqlite, CrashPoints::default()).await
    }

    pub(crate) async fn with(engine: Engine, crash_points: CrashPoints) -> Self {
        Self::with_rules(engine, crash_points, rules()).await
    }

    /// With the rules that Slipway ships.
    pub(crate) async fn with_shipped_rules(engine: Engine) -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let rules = policy::Bundle::load(policy::files_in(&folder).unwrap()).unwrap();
        Self::with_rules(engine, CrashPoints::default(), rules).await
    }

    async fn with_rules(
        engine: Engine,
        crash_points: CrashPoints,
        policies: policy::Bundle,
    ) -> Self {
        Self::on(
            engine,
            crash_points,
            policies,
            OpenLimits::default(),
            Self::azure().await,
        )
        .await
    }

    /// Where only so many requests may wait.
    pub(crate) async fn with_open_limits(engine: Engine, limits: OpenLimits) -> Self {
        let azure = Self::azure().await;
        Self::on(engine, CrashPoints::default(), rules(), limits, azure).await
    }

    async fn azure() -> Arc<azure_sim::Running> {
        let sim = azure_sim::start(azure_sim::Config {
            speed: 400.0,
            ..azure_sim::Config::default()
        })
        .await
        .unwrap();
        Arc::new(sim)
    }

    /// Another installation, with a database of its own, on the same subscriptions.
    pub(crate) async fn beside(&self) -> Self {
        Self::on(
            Engine::Sqlite,
            CrashPoints::default(),
            rules(),
            OpenLimits::default(),
            Arc::clone(&self.sim),
        )
        .await
    }

    /// The process that goes on with the same database, with another catalogue in its binary.
    pub(crate) async fn upgraded(&self, catalogue: Catalogue) -> Self {
        let portal = portal(
            &self.sim,
            &self.store,
            &self.clock,
            catalogue,
            rules(),
            OpenLimits::default(),
            CrashPoints::default(),
        )
        .await;
        portal.refresh_facts().await.unwrap();
        Self {
            portal,
            store: self.store.clone(),
            clock: self.clock.clone(),
            url: self.url.clone(),
            http: self.http.clone(),
            sim: Arc::clone(&self.sim),
            _folder: tempfile::tempdir().unwrap(),
            _signing: None,
            _database: None,
        }
    }

    /// The process that goes on with the same database, and signs its record.
    pub(crate) async fn signed(self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        record::make_key_file(&key).unwrap();
        let mut setup = setup(
            &self.sim,
            &self.store,
            &self.clock,
            Catalogue::embedded().unwrap(),
            rules(),
        )
        .await;
        setup.signing = portal::Signing::new(
            Some(record::SigningKey::from_file(&key).unwrap()),
            &[],
            portal::Destination::File(folder.path().join("checkpoints.jsonl")),
            1,
            Duration::from_secs(60),
        );
        let portal = Portal::new(setup).unwrap();
        portal.refresh_facts().await.unwrap();
        Self {
            portal,
            _signing: Some(folder),
            ..self
        }
    }

    async fn on(
        engine: Engine,
        crash_points: CrashPoints,
        policies: policy::Bundle,
        open_limits: OpenLimits,
        sim: Arc<azure_sim::Running>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (url, database) = match engine {
            Engine::Sqlite => (
                format!("sqlite://{}", folder.path().join("slipway.db").display()),
                None,
            ),
            Engine::Postgres => {
                let database = tokio::task::spawn_blocking(test_postgres::Database::create)
                    .await
                    .unwrap()
                    .unwrap();
                (database.url().to_owned(), Some(database))
            }
        };
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Clock::fixed(Timestamp::new(time::OffsetDateTime::now_utc()));
        let catalogue = Catalogue::embedded().unwrap();
        let portal = portal(
            &sim,
            &store,
            &clock,
            catalogue,
            policies,
            open_limits,
            crash_points,
        )
        .await;
        let world = Self {
            portal,
            store,
            clock,
            http: client_of(&sim),
            url,
            sim,
            _folder: folder,
            _signing: None,
            _database: database,
        };
        world.plant("payments", &[]).await;
        world.plant("search", &[]).await;
        for (subject, groups, roles) in [
            ("developer", &[][..], &[][..]),
            ("reader", &[], &[]),
            ("approver", &["platform-approvers"], &[]),
            ("second", &["platform-approvers"], &[]),
            ("outsider", &[], &[]),
            ("stranger", &[], &[]),
            ("owner", &["platform-approvers"], &[]),
            ("admin", &["platform-approvers"], &[InstallationRole::Admin]),
            ("auditor", &[], &[InstallationRole::Auditor]),
        ] {
            let groups = groups.iter().map(|g: &&str| g.parse().unwrap()).collect();
            world
                .portal
                .sign_in(subject, subject, groups, roles.to_vec())
                .await
                .unwrap();
        }
        world.portal.refresh_facts().await.unwrap();
        world
    }

    /// Writes a project's settings with these default tags.
    pub(crate) async fn plant(&self, name: &str, tags: &[(&str, &str)]) {
        self.plant_with(name, tags, Some(Usd(400_000)), 20).await;
    }

    /// Writes a project's settings with these limits in each tier.
    pub(crate) async fn plant_with(
        &self,
        name: &str,
        tags: &[(&str, &str)],
        budget: Option<Usd>,
        max_stacks: u32,
    ) {
        use azure_sim::seed;
        let tier = |subscription: &str, title: &str, subnet: &str, cluster: &str| TierSettings {
            subscription: SubscriptionRef {
                id: subscription.to_owned(),
                name: title.to_owned(),
            },
            regions: vec!["westeurope".to_owned()],
            subnets: vec![SubnetRef {
                id: subnet.to_owned(),
                title: "workload".to_owned(),
                region: "westeurope".to_owned(),
            }],
            clusters: vec![ClusterRef {
                id: cluster.to_owned(),
                title: "cluster".to_owned(),
                region: "westeurope".to_owned(),
            }],
            budget,
            max_stacks,
        };
        let dev = tier(
            seed::SUBSCRIPTION_DEV,
            seed::SUBSCRIPTION_DEV_NAME,
            seed::SUBNET_DEV_WESTEUROPE,
            seed::CLUSTER_DEV,
        );
        let prod = tier(
            seed::SUBSCRIPTION_PROD,
            seed::SUBSCRIPTION_PROD_NAME,
            seed::SUBNET_PROD_WESTEUROPE,
            seed::CLUSTER_PROD,
        );
        let members = [
            ("developer", Role::Developer),
            ("reader", Role::Reader),
            ("approver", Role::Approver),
            ("second", Role::Approver),
            ("owner", Role::Owner),
        ];
        let members = if name == "payments" {
            &members[..]
        } else {
            &[("approver", Role::Approver), ("stranger", Role::Developer)][..]
        };
        self.portal
            .seed_project(
                ProjectSettings {
                    name: name.parse().unwrap(),
                    title: name.to_owned(),
                    cost_centre: "4410".to_owned(),
                    default_tags: tags
                        .iter()
                        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                        .collect(),
                    tiers: [(Tier::Dev, dev), (Tier::Prod, prod)].into(),
                },
                members
                    .iter()
                    .map(|(subject, role)| Member {
                        subject: (*subject).to_owned(),
                        name: (*subject).to_owned(),
                        role: *role,
                    })
                    .collect(),
            )
            .await
            .unwrap();
    }

    pub(crate) async fn actor(&self, subject: &str) -> Actor {
        self.portal
            .actor_for_subject(subject)
            .await
            .unwrap()
            .unwrap()
    }

    /// Sends a draft as the developer.
    pub(crate) async fn send(&self, draft: RequestDraft) -> RequestDetail {
        let developer = self.actor("developer").await;
        self.portal
            .submit(&developer, draft, submission())
            .await
            .unwrap()
    }

    /// Sends a draft as somebody.
    pub(crate) async fn try_send(
        &self,
        who: &str,
        draft: RequestDraft,
    ) -> portal::Result<RequestDetail> {
        let actor = self.actor(who).await;
        self.portal.submit(&actor, draft, submission()).await
    }

    pub(crate) async fn decide(
        &self,
        who: &str,
        request: &RequestDetail,
        decision: DecisionKind,
    ) -> portal::Result<RequestDetail> {
        let decide = Decide {
            decision,
            plan_digest: request.plan.as_ref().unwrap().digest.clone(),
            comment: "Looked at it.".to_owned(),
        };
        let actor = self.actor(who).await;
        self.portal.decide(&actor, request.summary.id, decide).await
    }

    /// Gives somebody another role in Payments, or none.
    pub(crate) async fn role(&self, subject: &str, role: Option<Role>) {
        let project = "payments".parse().unwrap();
        let mut tx = self.store.begin().await.unwrap();
        match role {
            Some(role) => tx.put_member(&project, subject, role).await.unwrap(),
            None => assert!(tx.delete_member(&project, subject).await.unwrap()),
        }
        tx.commit(self.portal.now()).await.unwrap();
    }

    /// The operation of a request, moved until it rests for good; the clock jumps over every wait.
    pub(crate) async fn run(&self, request: RequestId) -> OperationDetail {
        let operation = self
            .store
            .operation_of_request(request)
            .await
            .unwrap()
            .expect("the request has an operation");
        self.drive(operation).await
    }

    pub(crate) async fn drive(&self, id: OperationId) -> OperationDetail {
        let auditor = self.actor("auditor").await;
        for _ in 0..400 {
            // A crash (an unexpected failure) is followed by another delivery of the job.
            let _ = self.portal.advance(id).await;
            let operation = self.portal.operation(&auditor, id).await.unwrap();
            let state = operation.summary.state;
            if state.has_ended() || state == OperationState::NeedsAttention {
                return operation;
            }
            self.clock.advance(time::Duration::seconds(70));
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        panic!(
            "it never ends: {:#?}",
            self.portal.operation(&auditor, id).await
        );
    }

    /// A dev machine, made and active.
    pub(crate) async fn active(&self, name: &str) -> StackId {
        let request = self.send(vm(name, "dev")).await;
        let operation = self.run(request.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
        request.summary.stack
    }

    pub(crate) async fn delete(&self, stack: StackId, name: &str) -> RequestDetail {
        let developer = self.actor("developer").await;
        let form = DeleteStack {
            confirm: name.to_owned(),
            justification: "No longer needed.".to_owned(),
        };
        self.portal
            .delete_stack(&developer, stack, form, submission())
            .await
            .unwrap()
    }

    /// Tells the simulator what goes wrong next.
    pub(crate) async fn fault(&self, rule: Value) {
        let answer = self
            .http
            .post(self.sim.endpoint.join("/_sim/faults").unwrap())
            .bearer_auth(self.sim.access_token().unwrap())
            .json(&rule)
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    }

    pub(crate) async fn clear_faults(&self) {
        self.http
            .delete(self.sim.endpoint.join("/_sim/faults").unwrap())
            .bearer_auth(self.sim.access_token().unwrap())
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }

    /// Writes that the simulator took on a path, by method.
    pub(crate) async fn writes(&self, method: &str, path: &str) -> Vec<Value> {
        let mut url = self.sim.endpoint.join("/_sim/requests").unwrap();
        url.query_pairs_mut()
            .append_pair("method", method)
            .append_pair("path", path);
        let log: Value = self
            .http
            .get(url)
            .bearer_auth(self.sim.access_token().unwrap())
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        log["value"]
            .as_array()
            .unwrap()
            .iter()
            // A request that was dropped unread is logged with status 0.
            .filter(|line| (200..300).contains(&line["status"].as_u64().unwrap()))
            .cloned()
            .collect()
    }

    /// Every accepted PUT of a deployment, by path: each revision once.
    pub(crate) async fn each_revision_was_sent_once(&self) {
        let mut seen = std::collections::HashMap::new();
        for line in self.writes("PUT", "/deployments/slipway-").await {
            *seen
                .entry(line["path"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        assert!(!seen.is_empty());
        assert!(seen.values().all(|n| *n == 1), "{seen:#?}");
    }

    /// Whether Azure has this group.
    pub(crate) async fn group_exists(&self, subscription: &str, group: &str) -> bool {
        self.group(subscription, group).await.is_some()
    }

    fn arm(&self) -> azure::Arm {
        client(&self.sim)
    }

    pub(crate) async fn group(&self, subscription: &str, group: &str) -> Option<azure::Group> {
        let id = group_id(subscription, group);
        self.arm().groups().find(&id).await.unwrap()
    }

    /// Somebody else writes a group's tags.
    pub(crate) async fn write_group(&self, subscription: &str, group: &str, tags: &[(&str, &str)]) {
        let tags = tags
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        self.arm()
            .groups()
            .put(&group_id(subscription, group), "westeurope", &tags)
            .await
            .unwrap();
    }

    pub(crate) async fn resource_exists(&self, id: &str) -> bool {
        let id = azure::ResourceId::parse(id).unwrap();
        self.arm().resources().find(&id).await.unwrap().is_some()
    }

    /// A resource as Azure shows it, whole.
    pub(crate) async fn resource(&self, id: &str) -> Option<Value> {
        let id = azure::ResourceId::parse(id).unwrap();
        self.arm().resources().find(&id).await.unwrap()
    }

    /// Somebody writes a resource by hand, and waits until it is there; answers it as Azure shows it.
    pub(crate) async fn by_hand(&self, id: &str, body: Value) -> Value {
        let parsed = azure::ResourceId::parse(id).unwrap();
        // A cluster takes one change at a time.
        for _ in 0..200 {
            match self.arm().resources().put(&parsed, body.clone()).await {
                Ok(_) => break,
                Err(error) => assert!(error.is_retryable(), "{error:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for _ in 0..200 {
            if let Some(there) = self.resource(id).await
                && there["properties"]["provisioningState"] == "Succeeded"
            {
                return there;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} does not come");
    }

    /// Somebody deploys by hand, and waits until it is over.
    pub(crate) async fn deploy_by_hand(
        &self,
        target: &types::plan::Target,
        name: &str,
        body: &azure::DeploymentBody,
    ) {
        let group = group_id(&target.subscription, &target.resource_group);
        let id = azure::DeploymentId::new(group, name).unwrap();
        self.arm().deployments().put(&id, body).await.unwrap();
        for _ in 0..200 {
            if self.arm().deployments().get(&id).await.unwrap().is_final() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} does not end");
    }

    /// Something is changed by hand, without Slipway.
    pub(crate) async fn change_by_hand(&self, id: &str, patch: Value) {
        let mut url = self.sim.endpoint.join("/_sim/resources").unwrap();
        url.query_pairs_mut().append_pair("id", id);
        let request = self.http.patch(url).json(&patch);
        let token = self.sim.access_token().unwrap();
        let answer = request.bearer_auth(token).send().await.unwrap();
        assert!(answer.status().is_success(), "{id}: {answer:?}");
    }

    /// Something is deleted by hand, without Slipway.
    pub(crate) async fn remove_by_hand(&self, id: &str) {
        let mut url = self.sim.endpoint.join("/_sim/resources").unwrap();
        url.query_pairs_mut().append_pair("id", id);
        let token = self.sim.access_token().unwrap();
        let request = self.http.delete(url).bearer_auth(token);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{id}: {answer:?}");
    }

    /// The chain of the audit record holds, and tells of these actions.
    pub(crate) async fn audited(&self, actions: &[&str]) {
        let auditor = self.actor("auditor").await;
        let check = self.portal.check_audit(&auditor).await.unwrap();
        assert!(!check.result.is_bad(), "{check:?}");
        let filter = types::audit::AuditFilter {
            limit: Some(200),
            ..Default::default()
        };
        let page = self.portal.audit(&auditor, &filter).await.unwrap();
        for action in actions {
            assert!(
                page.items.iter().any(|line| line.action == *action),
                "no line {action}"
            );
        }
    }
}

fn group_id(subscription: &str, group: &str) -> azure::GroupId {
    azure::GroupId::new(azure::SubscriptionId::parse(subscription).unwrap(), group).unwrap()
}

pub(crate) fn submission() -> SubmissionId {
    SubmissionId(uuid::Uuid::now_v7())
}

/// A machine, as small as the template makes it.
pub(crate) fn vm(name: &str, tier: &str) -> RequestDraft {
    let subnet = if tier == "prod" {
        azure_sim::seed::SUBNET_PROD_WESTEUROPE
    } else {
        azure_sim::seed::SUBNET_DEV_WESTEUROPE
    };
    draft(
        "azure-linux-vm@1.0.0",
        name,
        tier,
        &json!({ "subnetId": subnet, "sshPublicKey": KEY }),
    )
}

/// A node pool on the seeded cluster.
pub(crate) fn pool(name: &str) -> RequestDraft {
    draft(
        "aks-node-pool@1.0.0",
        name,
        "dev",
        &json!({
            "clusterId": azure_sim::seed::CLUSTER_DEV,
            "poolName": "batch",
            "subnetId": azure_sim::seed::SUBNET_DEV_WESTEUROPE,
        }),
    )
}

fn draft(template: &str, name: &str, tier: &str, parameters: &Value) -> RequestDraft {
    RequestDraft {
        project: "payments".to_owned(),
        tier: tier.to_owned(),
        template: template.to_owned(),
        name: name.to_owned(),
        region: "westeurope".to_owned(),
        parameters: parameters.as_object().unwrap().clone(),
        cost_centre: "4410".to_owned(),
        expiry: "30d".to_owned(),
        justification: "A worker for the settlement queue.".to_owned(),
        ..RequestDraft::default()
    }
}

/// A client of the simulator, signed in as the application.
fn client(sim: &azure_sim::Running) -> azure::Arm {
    azure::Arm::new(azure::Config {
        extra_roots_pem: Some(sim.ca_pem.clone()),
        ..azure::Config::new(
            azure::Endpoints::single(&sim.endpoint).unwrap(),
            sim.tenant_id.clone(),
            azure::Credential::ClientSecret {
                client_id: sim.client_id.clone(),
                secret: azure::Secret::new(sim.client_secret.clone()),
            },
        )
    })
    .unwrap()
}
