//! The world of a story: a migrated store with one project, and the things that people put into it.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use store::{NewEvent, Operation, Request, Stack, Store, Submission};
use time::macros::datetime;
use types::actor::{Actor, ActorKind};
use types::cost::{CostEstimate, Usd};
use types::event::Subject;
use types::ids::{OperationId, RequestId, StackId, SubmissionId};
use types::names::ProjectName;
use types::operation::{OperationKind, OperationState, OperationSummary};
use types::plan::{Plan, Target};
use types::policy::{ApprovalNeed, Posture, Report, Severity, Verdict};
use types::project::{ProjectSettings, Tier};
use types::request::{RequestDraft, RequestKind, RequestState, RequestSummary};
use types::stack::{StackState, StackSummary};
use types::time::Timestamp;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
    _database: Option<test_postgres::Database>,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("slipway.db").display());
        Self::open(url, Some(folder), None).await
    }

    pub(crate) async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(test_postgres::Database::create)
            .await
            .unwrap()
            .unwrap();
        Self::open(database.url().to_owned(), None, Some(database)).await
    }

    /// What verifying the whole chain finds, without checkpoints.
    pub(crate) async fn check_audit(&self) -> types::audit::AuditCheck {
        let mut verifier =
            record::Verifier::new(record::Checkpoints::default(), record::Span::default())
                .running(i64::MAX);
        let mut after = i64::MIN;
        'pages: loop {
            let page = self.store.audit_lines(after, 3).await.unwrap();
            let Some((last, _)) = page.last() else { break };
            after = *last;
            for (_, read) in page {
                if verifier.push(read).is_break() {
                    break 'pages;
                }
            }
        }
        verifier.finish()
    }

    async fn open(
        url: String,
        folder: Option<tempfile::TempDir>,
        database: Option<test_postgres::Database>,
    ) -> Self {
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let world = Self {
            store,
            url,
            _folder: folder,
            _database: database,
        };
        world.add_project("payments").await;
        world
    }

    pub(crate) async fn add_project(&self, name: &str) {
        let mut tx = self.store.begin().await.unwrap();
        tx.put_project(&ProjectSettings {
            name: project(name),
            title: name.to_owned(),
            cost_centre: "CC-1".into(),
            default_tags: IndexMap::from([("z".into(), "1".into()), ("a".into(), "2".into())]),
            tiers: IndexMap::new(),
        })
        .await
        .unwrap();
        tx.commit(now()).await.unwrap();
    }

    /// Adds a stack in this state and answers it.
    pub(crate) async fn add_stack(&self, name: &str, state: StackState) -> Stack {
        let mut stack = stack(name);
        stack.summary.state = state;
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_stack(&stack).await.unwrap();
        tx.commit(now()).await.unwrap();
        stack
    }

    /// Adds a request with its stack and answers it.
    pub(crate) async fn add_request(&self, name: &str, state: RequestState) -> Request {
        let stack = stack(name);
        let mut request = request(&stack);
        request.summary.state = state;
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.insert_request(&request, &sent(&request)).await.unwrap());
        tx.insert_stack(&stack).await.unwrap();
        tx.commit(now()).await.unwrap();
        request
    }

    /// Adds an active stack with a queued operation, without a job.
    pub(crate) async fn add_operation(&self, name: &str) -> Operation {
        let stack = self.add_stack(name, StackState::Active).await;
        let operation = operation(&stack);
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_operation(&operation).await.unwrap();
        tx.commit(now()).await.unwrap();
        operation
    }
}

/// The submission that made a request.
pub(crate) fn sent(request: &Request) -> Submission {
    Submission {
        id: SubmissionId(request.summary.id.0),
        content: "what was sent".into(),
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::now_utc())
}

/// A moment that is not a whole second, some microseconds after a fixed one.
pub(crate) fn moment(micros: i64) -> Timestamp {
    Timestamp::new(datetime!(2026-11-22 12:00:00 UTC)).plus(time::Duration::microseconds(micros))
}

pub(crate) fn project(name: &str) -> ProjectName {
    name.parse().unwrap()
}

pub(crate) fn developer() -> Actor {
    Actor {
        subject: "developer".into(),
        name: "developer".into(),
        kind: ActorKind::Person,
        memberships: vec![],
        installation: vec![],
        groups: vec![],
        break_glass: vec![],
    }
}

pub(crate) fn changed(id: StackId) -> NewEvent {
    NewEvent {
        subject: Subject::Stack,
        id: id.to_string(),
        stack: Some(id),
        project: Some(project("payments")),
        kind: "stack.changed".into(),
    }
}

pub(crate) fn target() -> Target {
    Target {
        subscription: "11111111-2222-3333-4444-555555555555".into(),
        subscription_name: "Contoso DEV".into(),
        resource_group: "rg-payments-dev-web-3f9c1a".into(),
        owns_group: true,
        region: "westeurope".into(),
    }
}

pub(crate) fn stack(name: &str) -> Stack {
    Stack {
        summary: StackSummary {
            id: StackId(Uuid::now_v7()),
            project: project("payments"),
            tier: Tier::Dev,
            name: name.parse().unwrap(),
            state: StackState::Reserved,
            template: "azure-linux-vm@1.0.0".parse().unwrap(),
            target: target(),
            monthly: Usd(9_125),
            unpriced: 0,
            posture: Posture {
                pass: 20,
                fail: 1,
                unknown: 2,
                not_applicable: 3,
            },
            owner: "developer".into(),
            expires_at: Some(moment(500)),
            created_at: moment(0),
            updated_at: moment(1),
            version: 1,
        },
        revision: 0,
        applied_request: None,
        plan: None,
        outputs: IndexMap::from([
            ("zebra".into(), serde_json::json!("last letter first")),
            ("apple".into(), serde_json::json!({"n": 1.5})),
        ]),
        fault: None,
    }
}

pub(crate) fn need() -> ApprovalNeed {
    ApprovalNeed {
        id: "GR-010".into(),
        title: "Production needs the platform's eyes".into(),
        message: "A change in prod needs one platform approver.".into(),
        path: "$.request.tier".into(),
        severity: Severity::Medium,
        group: "platform-approvers".parse().unwrap(),
        count: 1,
        docs: None,
    }
}

pub(crate) fn plan(digest: &str) -> Plan {
    Plan {
        digest: digest.into(),
        template: "azure-linux-vm@1.0.0".parse().unwrap(),
        template_hash: "ab".repeat(32),
        parameters: serde_json::from_str(
            r#"{"vmSize": "Standard_D2ds_v6", "adminUsername": "azureuser"}"#,
        )
        .unwrap(),
        resources: vec![],
        deletions: vec![],
        target: target(),
        cost: CostEstimate {
            monthly: Usd(9_125),
            monthly_least: None,
            monthly_before: None,
            before_unpriced: 0,
            lines: vec![],
            unpriced: vec![],
            budget: None,
        },
        quota: vec![],
        quota_unknown: vec![],
        report: Report {
            verdict: Verdict::NeedsApproval,
            denials: vec![],
            warnings: vec![],
            approvals: vec![need()],
            controls: vec![],
            posture: Posture::default(),
            guardrails_checked: 12,
            bundle_hash: "cd".repeat(32),
            took_us: 812,
        },
        summary: "Creates a machine.".into(),
        moves_end: None,
        differences: vec![],
        pinned_now: moment(7),
        evaluated_at: moment(8),
    }
}

pub(crate) fn request(stack: &Stack) -> Request {
    let s = &stack.summary;
    Request {
        summary: RequestSummary {
            id: RequestId(Uuid::now_v7()),
            kind: RequestKind::Create,
            state: RequestState::AwaitingApproval,
            project: s.project.clone(),
            tier: s.tier,
            stack: s.id,
            name: s.name.clone(),
            template: s.template.clone(),
            requester: "developer".into(),
            monthly: s.monthly,
            monthly_change: s.monthly,
            unpriced: 0,
            posture: s.posture,
            warnings: 2,
            denials: 0,
            created_at: moment(10),
            updated_at: moment(11),
            version: 1,
        },
        draft: RequestDraft {
            project: "payments".into(),
            name: s.name.as_str().into(),
            tags: IndexMap::from([("zone".into(), "a".into()), ("app".into(), "web".into())]),
            justification: "quotes ' \" and \u{202e}hostile text".into(),
            ..RequestDraft::default()
        },
        plan: Some(plan("digest-1")),
        plan_revision: 1,
        needs: vec![need()],
        waiting_since: Some(moment(12)),
        sent_back: None,
    }
}

pub(crate) fn operation(stack: &Stack) -> Operation {
    let s = &stack.summary;
    Operation {
        summary: OperationSummary {
            id: OperationId(Uuid::now_v7()),
            stack: s.id,
            stack_name: s.name.clone(),
            project: s.project.clone(),
            tier: s.tier,
            request: None,
            kind: OperationKind::Apply,
            state: OperationState::Queued,
            revision: 1,
            created_at: moment(20),
            started_at: None,
            ended_at: None,
        },
        requested_by: "developer".into(),
        plan_digest: Some("digest-1".into()),
        fault: None,
        cancel_requested_at: None,
        worker: None,
        lease_until: None,
        updated_at: moment(20),
        version: 1,
    }
}

/// What was delivered how often, for workers of a story.
#[derive(Clone, Default)]
pub(crate) struct Deliveries(std::sync::Arc<std::sync::Mutex<BTreeMap<Uuid, u32>>>);

impl Deliveries {
    pub(crate) fn add(&self, id: OperationId) -> u32 {
        let mut seen = self.0.lock().unwrap();
        let count = seen.entry(id.0).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn of(&self, id: OperationId) -> u32 {
        self.0.lock().unwrap().get(&id.0).copied().unwrap_or(0)
    }

    pub(crate) fn total(&self) -> u32 {
        self.0.lock().unwrap().values().sum()
    }

    /// Waits until `enough`; a story that waits for half a minute has failed.
    pub(crate) async fn until(&self, enough: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if enough(self) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("it did not happen: {:?}", self.0.lock().unwrap());
    }
}
