//! A database that somebody wrote to by hand: what was not agreed to is not shown, not approved and never sent to Azure, and the record says so.

use portal::CrashPoints;
use record::{Line, Read};
use serde_json::json;
use sqlx::Connection as _;
use store::{NewAudit, NewDecision, Request};
use types::actor::Role;
use types::approval::{ApprovalTab, DecisionKind};
use types::ids::{DecisionId, OperationId, RequestId, StackId};
use types::operation::{OperationKind, OperationState, StepName};
use types::request::{RequestDetail, RequestState};
use types::stack::StackState;

use crate::world::{Engine, World, pool, submission, vm};

/// What whoever owns the database makes of a stack.
type AlterStack = fn(&mut store::Stack);

type Change = fn(&mut Request);

impl World {
    /// Writes a request's row, past the portal.
    async fn alter(&self, id: RequestId, change: impl FnOnce(&mut Request)) {
        let mut request = self.store.request(id).await.unwrap().unwrap();
        change(&mut request);
        let mut tx = self.store.begin().await.unwrap();
        tx.update_request(&mut request).await.unwrap();
        tx.commit(self.clock.now()).await.unwrap();
    }

    async fn alter_stack(&self, id: StackId, change: impl FnOnce(&mut store::Stack)) {
        let mut stack = self.store.stack(id).await.unwrap().unwrap();
        change(&mut stack);
        let mut tx = self.store.begin().await.unwrap();
        tx.update_stack(&mut stack).await.unwrap();
        tx.commit(self.clock.now()).await.unwrap();
    }

    async fn operation_of(&self, request: RequestId) -> OperationId {
        self.store
            .operation_of_request(request)
            .await
            .unwrap()
            .unwrap()
    }

    async fn read(&self, id: RequestId) -> portal::Result<RequestDetail> {
        let developer = self.actor("developer").await;
        self.portal.request(&developer, id).await
    }

    /// Puts an approval into the table of decisions, past the portal.
    async fn forge_approval(&self, request: &RequestDetail, approver: &str) -> DecisionId {
        let id = DecisionId(uuid::Uuid::now_v7());
        let now = self.clock.now();
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_decision(&NewDecision {
            id,
            request: request.summary.id,
            approver: approver.to_owned(),
            decision: DecisionKind::Approve,
            comment: String::new(),
            plan_digest: request.plan.as_ref().unwrap().digest.clone(),
            plan_revision: request.plan_revision,
            break_glass: None,
            waited_seconds: 0,
            at: now,
        })
        .await
        .unwrap();
        tx.commit(now).await.unwrap();
        id
    }

    /// Runs statements as whoever owns the database.
    async fn as_its_owner(&self, statements: &[String]) {
        if self.url.starts_with("sqlite") {
            let mut c = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            for sql in statements {
                let sql = sqlx::AssertSqlSafe(sql.clone());
                sqlx::query(sql).execute(&mut c).await.unwrap();
            }
        } else {
            let mut c = sqlx::PgConnection::connect(&self.url).await.unwrap();
            for sql in statements {
                let sql = sqlx::AssertSqlSafe(sql.clone());
                sqlx::query(sql).execute(&mut c).await.unwrap();
            }
        }
    }

    /// Takes away what keeps lines and checkpoints from being changed.
    async fn drop_triggers(&self) {
        let names: &[&str] = if self.url.starts_with("sqlite") {
            &["audit_event_no_update", "audit_checkpoint_no_delete"]
        } else {
            &[
                "audit_event_append_only ON audit_event",
                "audit_checkpoint_append_only ON audit_checkpoint",
            ]
        };
        let statements: Vec<String> = names
            .iter()
            .map(|name| format!("DROP TRIGGER {name}"))
            .collect();
        self.as_its_owner(&statements).await;
    }

    /// Every line of the record, as it is stored.
    async fn lines(&self) -> Vec<Line> {
        let lines = self.store.audit_lines(0, 10_000).await.unwrap();
        lines
            .into_iter()
            .map(|(_, read)| match read {
                Read::Line(line) => *line,
                Read::Unreadable => panic!("a line cannot be read"),
            })
            .collect()
    }

    /// Writes over lines that are there.
    async fn rewrite(&self, lines: &[Line]) {
        let text = |text: &str| text.replace('\'', "''");
        let statements: Vec<String> = lines
            .iter()
            .map(|line| {
                format!(
                    "UPDATE audit_event SET actor = '{}', action = '{}', subject_kind = '{}', subject_id = '{}', detail = '{}', previous_hash = '{}', hash = '{}' WHERE seq = {}",
                    text(&line.actor),
                    text(&line.action),
                    text(&line.subject_kind),
                    text(&line.subject_id),
                    text(&record::canonical(&line.detail).unwrap()),
                    line.previous_hash,
                    line.hash,
                    line.seq
                )
            })
            .collect();
        self.as_its_owner(&statements).await;
    }

    /// Makes an operation that nobody took up look as if it ran.
    async fn make_run(&self, id: OperationId) {
        let now = self.clock.now();
        let mut operation = self.store.operation(id).await.unwrap().unwrap();
        operation.summary.state = OperationState::Running;
        operation.summary.started_at = Some(now);
        let mut tx = self.store.begin().await.unwrap();
        tx.update_operation(&mut operation).await.unwrap();
        tx.commit(now).await.unwrap();
    }

    /// How many lines say that a stack was altered.
    async fn alterations(&self, stack: StackId) -> usize {
        self.store
            .audit_details(&stack.to_string(), "stack.plan_altered")
            .await
            .unwrap()
            .len()
    }

    async fn nothing_was_deployed(&self) {
        assert!(self.writes("PUT", "/deployments/").await.is_empty());
        assert!(self.writes("DELETE", "/resource").await.is_empty());
    }
}

fn other_key(request: &mut Request) {
    let key = json!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBsomebodyelses");
    let plan = request.plan.as_mut().unwrap();
    plan.parameters.insert("sshPublicKey".to_owned(), key);
}

/// Every place in a request's row that decides what Azure is sent, or who has to agree.
const ALTERATIONS: [(&str, Change); 20] = [
    ("a parameter", other_key),
    ("another size", |r| {
        let plan = r.plan.as_mut().unwrap();
        plan.parameters
            .insert("vmSize".to_owned(), json!("Standard_D4ds_v6"));
    }),
    ("a body", |r| {
        r.plan.as_mut().unwrap().resources[0].body["location"] = json!("northeurope");
    }),
    ("a number for another", |r| {
        r.plan.as_mut().unwrap().resources[0].body["properties"]["n"] =
            json!(9_007_199_254_740_993_i64);
    }),
    ("resources", |r| {
        r.plan.as_mut().unwrap().resources.pop();
    }),
    ("an order", |r| r.plan.as_mut().unwrap().resources.reverse()),
    ("deletions", |r| {
        let plan = r.plan.as_mut().unwrap();
        plan.deletions.push(types::plan::PlannedDeletion {
            id: plan.resources[0].id.clone(),
            kind: plan.resources[0].kind.clone(),
            name: plan.resources[0].name.clone(),
            api_version: plan.resources[0].api_version.clone(),
        });
    }),
    ("the group", |r| {
        "rg-platform-prod".clone_into(&mut r.plan.as_mut().unwrap().target.resource_group);
    }),
    ("whose group it is", |r| {
        r.plan.as_mut().unwrap().target.owns_group = false;
    }),
    ("the template's hash", |r| {
        r.plan.as_mut().unwrap().template_hash = "0".repeat(64);
    }),
    ("the digest", |r| {
        r.plan.as_mut().unwrap().digest = "0".repeat(64);
    }),
    ("the expiry", |r| r.draft.expiry.clear()),
    ("the justification", |r| {
        "A worker for the settlement queue, and more.".clone_into(&mut r.draft.justification);
    }),
    ("a tag", |r| {
        r.draft.tags.insert("team".to_owned(), "x".to_owned());
    }),
    ("the kind", |r| {
        r.draft.kind = types::request::RequestKind::Update;
    }),
    ("the needs", |r| r.needs.clear()),
    ("no plan", |r| r.plan = None),
    ("why it was sent back", |r| {
        r.sent_back = Some("It never was.".to_owned());
    }),
    ("the row's template", |r| {
        r.summary.template = "aks-node-pool@1.0.0".parse().unwrap();
    }),
    ("the row's name", |r| {
        r.summary.name = "another".parse().unwrap();
    }),
];

async fn what_waits(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    for (n, (what, change)) in ALTERATIONS.into_iter().enumerate() {
        let request = world.send(vm(&format!("waits-{n}"), "prod")).await;
        world.alter(request.summary.id, change).await;
        let error = world.read(request.summary.id).await.expect_err(what);
        assert_eq!(
            (error.status(), error.code()),
            (409, "plan_altered"),
            "{what}"
        );
        for decision in [DecisionKind::Approve, DecisionKind::Reject] {
            let error = world
                .decide("approver", &request, decision)
                .await
                .expect_err(what);
            assert_eq!(error.code(), "plan_altered", "{what}");
        }
        // Taking it back is always possible; what nobody agreed to is not shown with it.
        let developer = world.actor("developer").await;
        let stored = world
            .store
            .request(request.summary.id)
            .await
            .unwrap()
            .unwrap();
        let taken_back = world
            .portal
            .withdraw(&developer, request.summary.id, stored.summary.version)
            .await
            .unwrap();
        assert_eq!(taken_back.summary.state, RequestState::Withdrawn);
        assert!(taken_back.plan.is_none() && taken_back.draft.parameters.is_empty());
    }
    world.nothing_was_deployed().await;
    world.audited(&["request.plan_altered"]).await;
    let auditor = world.actor("auditor").await;
    let filter = types::audit::AuditFilter {
        action: Some("request.plan_altered".to_owned()),
        limit: Some(200),
        ..Default::default()
    };
    let lines = world.portal.audit(&auditor, &filter).await.unwrap().items;
    assert_eq!(
        lines.len(),
        ALTERATIONS.len(),
        "one line each, however often it is met"
    );
}

#[tokio::test]
async fn an_altered_plan_is_neither_shown_nor_decided_on_sqlite() {
    what_waits(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_altered_plan_is_neither_shown_nor_decided_on_postgres() {
    what_waits(Engine::Postgres).await;
}

#[tokio::test]
async fn the_queue_shows_nothing_of_an_altered_plan() {
    let world = World::new().await;
    let good = world.send(vm("unaltered", "prod")).await.summary;
    let mut altered = Vec::new();
    for (n, (_, change)) in ALTERATIONS.into_iter().enumerate() {
        let request = world.send(vm(&format!("queued-{n}"), "prod")).await;
        world.alter(request.summary.id, change).await;
        altered.push(request.summary.id);
    }
    let approver = world.actor("approver").await;
    for tab in [ApprovalTab::Mine, ApprovalTab::All] {
        let queue = world.portal.approvals(&approver, tab, None).await.unwrap();
        assert_eq!(queue.items.len(), 1 + altered.len(), "{tab:?}");
        for item in queue.items {
            if item.request.id == good.id {
                assert_eq!(item.request, good);
                assert!(!item.withheld && item.why.starts_with("You are one of"));
                continue;
            }
            assert!(altered.contains(&item.request.id));
            assert!(item.withheld, "{item:#?}");
            assert_eq!(item.why, "Altered: open it.");
            assert_eq!(item.request.state, RequestState::AwaitingApproval);
            assert_eq!((item.summary.as_str(), item.plan_digest.as_str()), ("", ""));
            assert!(item.authors.is_empty());
            let r = &item.request;
            assert_eq!((r.monthly, r.monthly_change), Default::default());
            assert_eq!((r.unpriced, r.warnings, r.denials), (0, 0, 0));
            assert_eq!(r.posture, Default::default());
        }
    }
    // What was shown a moment ago is no proof of what stands there now.
    world.alter(good.id, other_key).await;
    let queue = world
        .portal
        .approvals(&approver, ApprovalTab::Mine, None)
        .await
        .unwrap();
    assert!(queue.items.iter().all(|item| item.withheld));
}

#[tokio::test]
async fn a_plan_altered_after_its_approval_fails_and_holds_nothing() {
    let world = World::new().await;
    for (n, (what, change)) in ALTERATIONS.into_iter().enumerate() {
        let name = format!("queued-{n}");
        let request = world.send(vm(&name, "prod")).await;
        world
            .decide("approver", &request, DecisionKind::Approve)
            .await
            .unwrap();
        world.alter(request.summary.id, change).await;
        let operation = world.run(request.summary.id).await;
        assert_eq!(operation.summary.state, OperationState::Failed, "{what}");
        assert_eq!(operation.fault.unwrap().code, "PlanAltered", "{what}");
        let stored = world
            .store
            .request(request.summary.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.summary.state, RequestState::Failed, "{what}");
        // The name is free, and the same request, sent again, is made.
        world.send(vm(&name, "prod")).await;
    }
    world.nothing_was_deployed().await;
}

#[tokio::test]
async fn a_whole_other_plan_with_its_digest_is_not_what_was_approved() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let first = world.send(vm("swapped", "prod")).await;
    let before = world
        .store
        .request(first.summary.id)
        .await
        .unwrap()
        .unwrap();
    let back = world
        .decide("approver", &first, DecisionKind::RequestChanges)
        .await
        .unwrap();
    let mut draft = vm("swapped", "prod");
    draft
        .tags
        .insert("team".to_owned(), "settlement".to_owned());
    let edited = world
        .portal
        .edit(&developer, first.summary.id, back.summary.version, draft)
        .await
        .unwrap();
    // Draft, plan, needs and digest fit each other: they are those of the first plan, which nobody approved.
    let old = |request: &mut Request| {
        request.draft = before.draft.clone();
        request.plan = before.plan.clone();
        request.needs = before.needs.clone();
    };
    world.alter(first.summary.id, old).await;
    let error = world.read(first.summary.id).await.unwrap_err();
    assert_eq!(error.code(), "plan_altered");
    let error = world
        .decide("second", &first, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "plan_altered");
    // Restored, it can be approved; swapped afterwards, it does not begin.
    let restore = |request: &mut Request| {
        request.plan.clone_from(&edited.plan);
        request.draft = edited.draft.clone();
    };
    world.alter(first.summary.id, restore).await;
    world
        .decide("second", &edited, DecisionKind::Approve)
        .await
        .unwrap();
    world.alter(first.summary.id, old).await;
    let operation = world.run(first.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    world.nothing_was_deployed().await;
}

/// An apply that Azure keeps from being validated: it runs and has sent nothing.
async fn held(world: &World, name: &str) -> (RequestId, OperationId) {
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action":
            {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Away."}}))
        .await;
    let request = world.send(vm(name, "dev")).await.summary.id;
    let operation = world.operation_of(request).await;
    world.portal.advance(operation).await.unwrap();
    world.clear_faults().await;
    (request, operation)
}

#[tokio::test]
async fn a_plan_altered_while_it_runs_stops_for_an_admin_and_goes_on_when_it_is_restored() {
    let world = World::new().await;
    let (request, operation) = held(&world, "running").await;
    let good = world.store.request(request).await.unwrap().unwrap();
    assert_eq!(good.summary.state, RequestState::Executing);
    world.alter(request, other_key).await;
    world.clock.advance(time::Duration::minutes(2));
    let stopped = world.drive(operation).await;
    assert_eq!(stopped.summary.state, OperationState::NeedsAttention);
    assert_eq!(stopped.fault.unwrap().code, "PlanAltered");
    assert!(world.writes("PUT", "/deployments/").await.is_empty());
    // Taken further as it is, it stops again.
    let admin = world.actor("admin").await;
    world.portal.resolve(&admin, operation).await.unwrap();
    let again = world.drive(operation).await;
    assert_eq!(again.summary.state, OperationState::NeedsAttention);
    assert!(world.writes("PUT", "/deployments/").await.is_empty());
    world
        .alter(request, |r| r.plan.clone_from(&good.plan))
        .await;
    world.portal.resolve(&admin, operation).await.unwrap();
    let done = world.drive(operation).await;
    assert_eq!(done.summary.state, OperationState::Succeeded, "{done:#?}");
}

#[tokio::test]
async fn the_record_says_which_digest_was_executed() {
    let world = World::new().await;
    let request = world.send(vm("recorded", "prod")).await;
    let digest = request.plan.as_ref().unwrap().digest.clone();
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Succeeded);
    let auditor = world.actor("auditor").await;
    let filter = types::audit::AuditFilter {
        action: Some("operation.started".to_owned()),
        ..Default::default()
    };
    let lines = world.portal.audit(&auditor, &filter).await.unwrap().items;
    assert_eq!(lines[0].detail["plan_digest"], json!(digest));
    let stored = world
        .store
        .operation(operation.summary.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.plan_digest, Some(digest));
}

#[tokio::test]
async fn a_stack_whose_applied_plan_or_place_was_altered_is_not_planned_from() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("basis").await;
    let good = world.store.stack(stack).await.unwrap().unwrap();
    let alterations: [(&str, AlterStack); 8] = [
        ("resources", |s| {
            s.plan.as_mut().unwrap().resources.pop();
        }),
        ("a body", |s| {
            s.plan.as_mut().unwrap().resources[0].body["tags"] = json!({});
        }),
        ("the group", |s| {
            "rg-platform-dev".clone_into(&mut s.summary.target.resource_group);
        }),
        ("whose group it is", |s| s.summary.target.owns_group = false),
        ("no plan", |s| s.plan = None),
        ("what was applied", |s| s.applied_request = None),
        ("what was applied, and that it ever was", |s| {
            s.applied_request = None;
            s.plan = None;
        }),
        ("another request", |s| {
            s.applied_request = Some(RequestId(uuid::Uuid::now_v7()));
        }),
    ];
    for (what, change) in alterations {
        world.alter_stack(stack, change).await;
        let mut update = vm("basis", "dev");
        update.kind = types::request::RequestKind::Update;
        update.stack = Some(stack);
        let form = types::stack::DeleteStack {
            confirm: "basis".to_owned(),
            justification: "Away.".to_owned(),
        };
        let errors = [
            world
                .portal
                .submit(&developer, update, submission())
                .await
                .unwrap_err(),
            world
                .portal
                .delete_stack(&developer, stack, form, submission())
                .await
                .unwrap_err(),
            world
                .portal
                .extend_stack(
                    &developer,
                    stack,
                    "90d".to_owned(),
                    "On.".to_owned(),
                    submission(),
                )
                .await
                .unwrap_err(),
            world.portal.stack(&developer, stack).await.unwrap_err(),
            world
                .portal
                .power(&developer, stack, OperationKind::Stop)
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), "plan_altered", "{what}");
        }
        world
            .alter_stack(stack, |s| {
                s.plan.clone_from(&good.plan);
                s.summary.target = good.summary.target.clone();
                s.applied_request = good.applied_request;
            })
            .await;
    }
    world.audited(&["stack.plan_altered"]).await;
    let request = world.delete(stack, "basis").await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Succeeded);
}

#[tokio::test]
async fn the_request_that_a_stack_was_made_by_is_proved_before_it_is_deleted() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("made-by").await;
    let made_by = world
        .store
        .stack(stack)
        .await
        .unwrap()
        .unwrap()
        .applied_request
        .unwrap();
    world.alter(made_by, other_key).await;
    // Both copies, alike.
    let altered = world.store.request(made_by).await.unwrap().unwrap().plan;
    world.alter_stack(stack, |s| s.plan = altered).await;
    let form = types::stack::DeleteStack {
        confirm: "made-by".to_owned(),
        justification: "Away.".to_owned(),
    };
    let error = world
        .portal
        .delete_stack(&developer, stack, form, submission())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "plan_altered");
    assert!(world.writes("DELETE", "/resource").await.is_empty());
}

#[tokio::test]
async fn what_is_deleted_is_what_the_plan_says_and_not_what_the_journal_was_made_to_say() {
    let world = World::new().await;
    let made = world.send(pool("journal")).await;
    assert_eq!(
        world.run(made.summary.id).await.summary.state,
        OperationState::Succeeded
    );
    let request = world.delete(made.summary.stack, "journal").await;
    let id = world.operation_of(request.summary.id).await;
    let other = format!("{}/agentPools/system", azure_sim::seed::CLUSTER_DEV);
    let point_at_other = async || {
        let operation = world.store.operation(id).await.unwrap().unwrap();
        let mut steps = world.store.steps(id).await.unwrap();
        let removal = steps
            .iter_mut()
            .find(|s| s.step.name == StepName::Removal)
            .unwrap();
        removal.external_ref.as_mut().unwrap()["items"][0]["id"] = json!(other);
        let mut operation = operation;
        let mut tx = world.store.begin().await.unwrap();
        tx.update_operation(&mut operation).await.unwrap();
        tx.put_step(id, removal).await.unwrap();
        tx.commit(world.clock.now()).await.unwrap();
    };
    // Before it begins, the steps are made anew from the plan.
    point_at_other().await;
    world
        .fault(json!({"method": "DELETE", "path": "/agentPools/", "action":
            {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Away."}}))
        .await;
    world.portal.advance(id).await.unwrap();
    assert!(world.resource_exists(&other).await);
    // While it runs, what it is about to delete has to be in the plan.
    point_at_other().await;
    world.clear_faults().await;
    let operation = world.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    assert_eq!(operation.fault.unwrap().code, "PlanAltered");
    assert!(world.resource_exists(&other).await);
    assert!(world.writes("DELETE", "/agentPools/").await.is_empty());
    // Tried again, it deletes what it should.
    let developer = world.actor("developer").await;
    let again = world
        .portal
        .retry(&developer, made.summary.stack)
        .await
        .unwrap();
    let again = world.drive(again.summary.id).await;
    assert_eq!(again.summary.state, OperationState::Succeeded, "{again:#?}");
    assert!(world.resource_exists(&other).await);
}

#[tokio::test]
async fn what_is_tried_again_is_proved_again() {
    let world = World::new().await;
    world
        .fault(json!({"method": "PUT", "path": "/virtualMachines/", "times": 1,
            "action": {"type": "fail", "code": "AllocationFailed", "message": "Allocation failed."}}))
        .await;
    let request = world.send(vm("again", "dev")).await;
    assert_eq!(
        world.run(request.summary.id).await.summary.state,
        OperationState::Failed
    );
    let good = world
        .store
        .request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    world.alter(request.summary.id, other_key).await;
    let developer = world.actor("developer").await;
    let error = world
        .portal
        .retry(&developer, request.summary.stack)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "plan_altered");
    world
        .alter(request.summary.id, |r| r.plan.clone_from(&good.plan))
        .await;
    // Altered between the wish and the worker.
    let operation = world
        .portal
        .retry(&developer, request.summary.stack)
        .await
        .unwrap();
    world.alter(request.summary.id, other_key).await;
    let operation = world.drive(operation.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.fault.unwrap().code, "PlanAltered");
    let stack = world
        .store
        .stack(request.summary.stack)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stack.summary.state, StackState::Failed);
    assert_eq!(world.writes("PUT", "/deployments/slipway-").await.len(), 1);
}

#[tokio::test]
async fn an_approval_of_which_the_record_does_not_tell_counts_for_nothing() {
    let world = World::new().await;
    let mut draft = vm("forged", "dev");
    "It needs two approvers.".clone_into(&mut draft.justification);
    let request = world.send(draft).await;
    assert_eq!(request.summary.state, RequestState::AwaitingApproval);
    world.forge_approval(&request, "second").await;
    // With the forged one there would be two.
    let told = world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(told.summary.state, RequestState::AwaitingApproval);
    assert_eq!(told.needs[0].approved_by, ["approver"]);
    let told = world
        .decide("owner", &request, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(told.summary.state, RequestState::Approved);
    // Nor is it in the place of one that counts no longer when execution begins.
    world.role("approver", Some(Role::Reader)).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let told = world.read(request.summary.id).await.unwrap();
    assert_eq!(told.summary.state, RequestState::AwaitingApproval);
    assert!(
        told.sent_back
            .as_ref()
            .is_some_and(|why| why.contains("the audit record does not tell of it")),
        "{:?}",
        told.sent_back
    );
    world.nothing_was_deployed().await;
}

#[tokio::test]
async fn a_row_that_contradicts_itself_is_refused_however_often_its_version_moves() {
    let world = World::new().await;
    let request = world.send(vm("moving", "prod")).await;
    world.alter(request.summary.id, other_key).await;
    let store = world.store.clone();
    let id = request.summary.id;
    let moving = tokio::spawn(async move {
        while let Some(mut request) = store.request(id).await.unwrap() {
            let now = request.summary.updated_at;
            let mut tx = store.begin().await.unwrap();
            tx.update_request(&mut request).await.unwrap();
            tx.commit(now).await.unwrap();
        }
    });
    for _ in 0..20 {
        let error = world.read(id).await.unwrap_err();
        assert_eq!(error.code(), "plan_altered");
    }
    moving.abort();
}

#[tokio::test]
async fn a_stack_that_was_made_never_looks_as_if_it_was_not() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let stack = world.active("unmade").await;
    // As after a create that failed: nothing to compare with, and Delete is allowed.
    world
        .alter_stack(stack, |s| {
            s.applied_request = None;
            s.summary.state = StackState::Failed;
            s.plan.as_mut().unwrap().resources.clear();
        })
        .await;
    let form = types::stack::DeleteStack {
        confirm: "unmade".to_owned(),
        justification: "Away.".to_owned(),
    };
    let errors = [
        world
            .portal
            .delete_stack(&developer, stack, form, submission())
            .await
            .unwrap_err(),
        world.portal.stack(&developer, stack).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "plan_altered");
    }
    world
        .audited(&["stack.applied", "stack.plan_altered"])
        .await;
    assert!(world.writes("DELETE", "/resource").await.is_empty());
}

async fn ends(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let developer = world.actor("developer").await;
    let stack = world.active("mortal").await;
    let ends = world
        .store
        .stack(stack)
        .await
        .unwrap()
        .unwrap()
        .summary
        .expires_at;
    let later = ends.map(|at| at.plus(time::Duration::days(365)));
    // Nobody has to open it: the ends of all stacks are compared with the record.
    for (name, altered) in [("moved", later), ("endless", None)] {
        let other = world.active(name).await;
        world.portal.prove_ends().await.unwrap();
        assert_eq!(world.alterations(other).await, 0, "{name}");
        world
            .alter_stack(other, |s| s.summary.expires_at = altered)
            .await;
        for _ in 0..2 {
            world.portal.prove_ends().await.unwrap();
            assert_eq!(world.alterations(other).await, 1, "{name}");
        }
    }
    assert_eq!(world.alterations(stack).await, 0);
    for altered in [None, later] {
        world
            .alter_stack(stack, |s| s.summary.expires_at = altered)
            .await;
        let mut update = vm("mortal", "dev");
        update.kind = types::request::RequestKind::Update;
        update.stack = Some(stack);
        let errors = [
            world.portal.stack(&developer, stack).await.unwrap_err(),
            world
                .portal
                .submit(&developer, update, submission())
                .await
                .unwrap_err(),
            world
                .portal
                .power(&developer, stack, OperationKind::Stop)
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.code(), "plan_altered", "{altered:?}");
        }
    }
    world
        .alter_stack(stack, |s| s.summary.expires_at = ends)
        .await;
    // A longer life is recorded too.
    let extend = world
        .portal
        .extend_stack(
            &developer,
            stack,
            "90d".to_owned(),
            "On.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    if extend.summary.state == RequestState::AwaitingApproval {
        world
            .decide("approver", &extend, DecisionKind::Approve)
            .await
            .unwrap();
    }
    world.portal.stack(&developer, stack).await.unwrap();
    let lines = world.alterations(stack).await;
    world.portal.prove_ends().await.unwrap();
    assert_eq!(world.alterations(stack).await, lines);
    world
        .alter_stack(stack, |s| s.summary.expires_at = ends)
        .await;
    let error = world.portal.stack(&developer, stack).await.unwrap_err();
    assert_eq!(error.code(), "plan_altered");
}

#[tokio::test]
async fn a_stack_ends_when_the_record_says_on_sqlite() {
    ends(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_stack_ends_when_the_record_says_on_postgres() {
    ends(Engine::Postgres).await;
}

/// What whoever owns the database makes of an operation.
type AlterOperation = fn(&mut store::Operation);

#[tokio::test]
async fn an_operation_that_does_not_say_what_it_was_queued_for_never_begins() {
    let world = World::new().await;
    let forgeries: [(&str, AlterOperation); 4] = [
        ("no digest", |o| o.plan_digest = None),
        ("another digest", |o| o.plan_digest = Some("0".repeat(64))),
        ("no request", |o| o.summary.request = None),
        ("another kind", |o| o.summary.kind = OperationKind::Destroy),
    ];
    for (n, (what, change)) in forgeries.into_iter().enumerate() {
        let request = world.send(vm(&format!("forged-{n}"), "dev")).await;
        let queued = world.operation_of(request.summary.id).await;
        let mut forged = world.store.operation(queued).await.unwrap().unwrap();
        let mut gone = forged.clone();
        gone.summary.state = OperationState::Cancelled;
        forged.summary.id = OperationId(uuid::Uuid::now_v7());
        change(&mut forged);
        let mut tx = world.store.begin().await.unwrap();
        tx.update_operation(&mut gone).await.unwrap();
        tx.insert_operation(&forged).await.unwrap();
        tx.commit(world.clock.now()).await.unwrap();
        let ended = world.drive(forged.summary.id).await;
        assert_eq!(ended.summary.state, OperationState::Failed, "{what}");
        assert_eq!(ended.fault.unwrap().code, "PlanAltered", "{what}");
    }
    world.nothing_was_deployed().await;
    world.audited(&["operation.plan_altered"]).await;
}

#[tokio::test]
async fn a_request_that_is_said_to_have_begun_does_not_go_around_its_approval() {
    let world = World::new().await;
    let request = world.send(vm("begun", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    // The approver would not count any more, and nobody would ask.
    world.role("approver", Some(Role::Reader)).await;
    world
        .alter(request.summary.id, |r| {
            r.summary.state = RequestState::Failed
        })
        .await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.fault.unwrap().code, "PlanAltered");
    world.nothing_was_deployed().await;
}

#[tokio::test]
async fn a_request_of_which_the_record_does_not_tell_is_nobodys() {
    let world = World::new().await;
    let stack = world.active("copied").await;
    let made_by = world
        .store
        .stack(stack)
        .await
        .unwrap()
        .unwrap()
        .applied_request
        .unwrap();
    // All of it fits: it is the copy of one that was approved.
    let mut forged = world.store.request(made_by).await.unwrap().unwrap();
    forged.summary.id = RequestId(uuid::Uuid::now_v7());
    forged.summary.state = RequestState::Approved;
    let sent = store::Submission {
        id: submission(),
        content: String::new(),
    };
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_request(&forged, &sent).await.unwrap());
    tx.commit(world.clock.now()).await.unwrap();
    let error = world.read(forged.summary.id).await.unwrap_err();
    assert_eq!(error.code(), "plan_altered");
    world.portal.reconcile().await.unwrap();
    let operation = world.run(forged.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.fault.unwrap().code, "PlanAltered");
    assert_eq!(world.writes("PUT", "/deployments/slipway-").await.len(), 1);
}

#[tokio::test]
async fn what_was_sent_back_stays_sent_back() {
    let world = World::new().await;
    let request = world.send(vm("returned", "prod")).await;
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    world.role("approver", Some(Role::Reader)).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    world.read(request.summary.id).await.unwrap();
    world
        .alter(request.summary.id, |r| r.sent_back = None)
        .await;
    let error = world.read(request.summary.id).await.unwrap_err();
    assert_eq!(error.code(), "plan_altered");
}

#[tokio::test]
async fn the_record_does_not_vouch_for_an_altered_plan_whose_requester_left() {
    let world = World::new().await;
    let (developer, owner) = (world.actor("developer").await, world.actor("owner").await);
    let stack = world.active("vouched").await;
    let mut change = vm("vouched", "dev");
    change.kind = types::request::RequestKind::Update;
    change.stack = Some(stack);
    "This one wants two approvers.".clone_into(&mut change.justification);
    let first = world.send(change.clone()).await;
    let id = first.summary.id;
    let before = world.store.request(id).await.unwrap().unwrap();
    let back = world
        .decide("approver", &first, DecisionKind::RequestChanges)
        .await
        .unwrap();
    change.tags.insert("team".to_owned(), "core".to_owned());
    let edited = world
        .portal
        .edit(&developer, id, back.summary.version, change)
        .await
        .unwrap();
    let power = world
        .portal
        .power(&owner, stack, OperationKind::Restart)
        .await
        .unwrap();
    for approver in ["approver", "second"] {
        world
            .decide(approver, &edited, DecisionKind::Approve)
            .await
            .unwrap();
    }
    world.role("developer", Some(Role::Reader)).await;
    // While it waits for the restart it becomes the first plan again, with all that belongs to it.
    world
        .alter(id, |request| {
            request.draft = before.draft.clone();
            request.plan = before.plan.clone();
            request.needs = before.needs.clone();
        })
        .await;
    world.drive(power.summary.id).await;
    let told = world.store.recorded_plan(id).await.unwrap().unwrap();
    assert_eq!(told.digest, edited.plan.map(|plan| plan.digest));
    assert!(!told.sent_back);
    let operation = world.run(id).await;
    assert_eq!(operation.summary.state, OperationState::Failed);
    assert_eq!(operation.fault.unwrap().code, "PlanAltered");
    let stored = world.store.request(id).await.unwrap().unwrap();
    assert_eq!(stored.summary.state, RequestState::Failed);
}

#[tokio::test]
async fn a_broken_glass_of_which_the_record_does_not_tell_gives_nothing() {
    let world = World::new().await;
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_break_glass(&store::BreakGlass {
        id: types::ids::BreakGlassId(uuid::Uuid::now_v7()),
        project: "payments".parse().unwrap(),
        subject: "admin".to_owned(),
        reason: "Somebody wrote this row.".to_owned(),
        began_at: now,
        ends_at: now.plus(time::Duration::days(365)),
        ended_at: None,
        ended_by: None,
    })
    .await
    .unwrap();
    tx.commit(now).await.unwrap();
    assert!(world.actor("admin").await.break_glass.is_empty());
    let error = world
        .try_send("admin", vm("by-glass", "dev"))
        .await
        .unwrap_err();
    assert_eq!(error.status(), 403);
}

fn group_of(request: &RequestDetail) -> String {
    request.plan.as_ref().unwrap().target.resource_group.clone()
}

/// An operation that runs, as `start` leaves it, with everything but the line of its beginning; its request waits for an approval.
async fn forge_running(world: &World, name: &str) -> (RequestDetail, OperationId) {
    let model = world.send(vm("model", "prod")).await;
    world
        .decide("approver", &model, DecisionKind::Approve)
        .await
        .unwrap();
    let queued = world.operation_of(model.summary.id).await;
    let waits = world.send(vm(name, "prod")).await;
    assert_eq!(waits.summary.state, RequestState::AwaitingApproval);
    let s = &waits.summary;
    let now = world.clock.now();
    let mut operation = world.store.operation(queued).await.unwrap().unwrap();
    let of_model = format!("slipway-model-{}-1", model.summary.stack.short());
    let of_this = format!("slipway-{name}-{}-1", s.stack.short());
    operation.summary.id = OperationId(uuid::Uuid::now_v7());
    operation.summary.stack = s.stack;
    operation.summary.stack_name = s.name.clone();
    operation.summary.request = Some(s.id);
    operation.summary.state = OperationState::Running;
    operation.summary.started_at = Some(now);
    operation.plan_digest = Some(waits.plan.as_ref().unwrap().digest.clone());
    let mut steps = world.store.steps(queued).await.unwrap();
    for step in &mut steps {
        if let Some(resumed_by) = &mut step.external_ref {
            let text = resumed_by
                .to_string()
                .replace(&of_model, &of_this)
                .replace(&group_of(&model), &group_of(&waits));
            *resumed_by = serde_json::from_str(&text).unwrap();
        }
    }
    world
        .alter_stack(s.stack, |stack| {
            stack.revision = 1;
            stack.summary.state = StackState::Provisioning;
        })
        .await;
    world
        .alter(s.id, |request| {
            request.summary.state = RequestState::Executing
        })
        .await;
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_operation(&operation).await.unwrap();
    for step in &steps {
        tx.put_step(operation.summary.id, step).await.unwrap();
    }
    tx.enqueue(operation.summary.id, None).await.unwrap();
    tx.commit(now).await.unwrap();
    (waits, operation.summary.id)
}

async fn running_without_a_beginning(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let (waits, id) = forge_running(&world, "jumped").await;
    let admin = world.actor("admin").await;
    for _ in 0..2 {
        let stopped = world.drive(id).await;
        assert_eq!(stopped.summary.state, OperationState::NeedsAttention);
        assert_eq!(stopped.fault.unwrap().code, "PlanAltered");
        world.portal.resolve(&admin, id).await.unwrap();
    }
    world.nothing_was_deployed().await;
    let subscription = &waits.plan.as_ref().unwrap().target.subscription;
    assert!(!world.group_exists(subscription, &group_of(&waits)).await);
    world.audited(&["operation.plan_altered"]).await;
    // Lines of another operation, kind, plan or stack are none of this one's.
    let operation = world.store.operation(id).await.unwrap().unwrap();
    let s = &operation.summary;
    let good = json!({ "kind": s.kind, "revision": 1, "request": s.request, "stack": s.stack, "plan_digest": operation.plan_digest });
    let begin = async |id: OperationId, detail: serde_json::Value| {
        let about = ("operation", id.to_string(), "jumped");
        let mut tx = world.store.begin().await.unwrap();
        tx.audit(NewAudit::by(&admin, "operation.started", about, None).with(detail));
        tx.commit(world.clock.now()).await.unwrap();
    };
    begin(OperationId(uuid::Uuid::now_v7()), good.clone()).await;
    for (member, other) in [
        ("kind", json!("destroy")),
        ("revision", json!(2)),
        ("request", json!(null)),
        ("stack", json!(uuid::Uuid::now_v7())),
        ("plan_digest", json!("0".repeat(64))),
    ] {
        let mut detail = good.clone();
        detail[member] = other;
        begin(id, detail).await;
    }
    let stopped = world.drive(id).await;
    assert_eq!(stopped.summary.state, OperationState::NeedsAttention);
    world.nothing_was_deployed().await;
    // With the line, the same rows run: nothing else stopped them.
    begin(id, good).await;
    world.portal.resolve(&admin, id).await.unwrap();
    let done = world.drive(id).await;
    assert_eq!(done.summary.state, OperationState::Succeeded, "{done:#?}");
    assert_eq!(done.summary.request, Some(waits.summary.id));
}

#[tokio::test]
async fn what_never_began_does_not_run_on_sqlite() {
    running_without_a_beginning(Engine::Sqlite).await;
}

#[tokio::test]
async fn what_never_began_does_not_run_on_postgres() {
    running_without_a_beginning(Engine::Postgres).await;
}

#[tokio::test]
async fn what_has_ended_does_not_run_again() {
    let world = World::new().await;
    let request = world.send(vm("once", "dev")).await;
    let id = world.run(request.summary.id).await.summary.id;
    let sent = world.writes("PUT", "/deployments/slipway-").await.len();
    assert_eq!(sent, 1);
    for state in [OperationState::Running, OperationState::Queued] {
        let now = world.clock.now();
        let mut operation = world.store.operation(id).await.unwrap().unwrap();
        operation.summary.state = state;
        operation.summary.ended_at = None;
        let mut steps = world.store.steps(id).await.unwrap();
        let mut tx = world.store.begin().await.unwrap();
        tx.update_operation(&mut operation).await.unwrap();
        for step in &mut steps {
            step.step.state = types::operation::StepState::Pending;
            tx.put_step(id, step).await.unwrap();
        }
        tx.commit(now).await.unwrap();
        let again = world.drive(id).await;
        assert_eq!(again.fault.unwrap().code, "PlanAltered", "{state:?}");
    }
    let again = world.writes("PUT", "/deployments/slipway-").await.len();
    assert_eq!(again, sent);
}

#[tokio::test]
async fn neither_a_deletion_nor_a_machine_goes_by_an_operation_that_never_began() {
    let world = World::new().await;
    let developer = world.actor("developer").await;
    let switched = world.active("switched").await;
    let power = world
        .portal
        .power(&developer, switched, OperationKind::Stop)
        .await
        .unwrap();
    let guarded = world.active("guarded-one").await;
    let deletion = world.delete(guarded, "guarded-one").await;
    world
        .decide("approver", &deletion, DecisionKind::Approve)
        .await
        .unwrap();
    let deletion = world.operation_of(deletion.summary.id).await;
    for id in [power.summary.id, deletion] {
        world.make_run(id).await;
        let stopped = world.drive(id).await;
        assert_eq!(stopped.summary.state, OperationState::NeedsAttention);
        assert_eq!(stopped.fault.unwrap().code, "PlanAltered");
    }
    assert!(world.writes("POST", "/deallocate").await.is_empty());
    assert!(world.writes("DELETE", "/resource").await.is_empty());
}

/// An old line that tells of an approval for as long as the lie is needed.
async fn borrowed_line(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let request = world.send(vm("borrowed", "prod")).await;
    let decision = ("approver", world.forge_approval(&request, "approver").await);
    let old = world.lines().await.swap_remove(0);
    world.drop_triggers().await;
    world
        .rewrite(&[approval_in_place_of(&old, &request, decision)])
        .await;
    world
        .alter(request.summary.id, |r| {
            r.summary.state = RequestState::Approved
        })
        .await;
    world.portal.reconcile().await.unwrap();
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    world.rewrite(std::slice::from_ref(&old)).await;
    let told = world.read(request.summary.id).await.unwrap();
    assert_eq!(told.summary.state, RequestState::AwaitingApproval);
    assert!(
        told.sent_back
            .is_some_and(|why| { why.contains("the audit record does not tell of it") })
    );
    // Nor is it one of two.
    let mut draft = vm("borrowed-two", "dev");
    "It needs two approvers.".clone_into(&mut draft.justification);
    let request = world.send(draft).await;
    let decision = ("second", world.forge_approval(&request, "second").await);
    world
        .rewrite(&[approval_in_place_of(&old, &request, decision)])
        .await;
    let told = world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    assert_eq!(told.summary.state, RequestState::AwaitingApproval);
    world.nothing_was_deployed().await;
}

/// The line, telling of an approval. Its hash stays the old one.
fn approval_in_place_of(
    old: &Line,
    request: &RequestDetail,
    (approver, decision): (&str, DecisionId),
) -> Line {
    Line {
        actor: approver.to_owned(),
        action: "request.approved".to_owned(),
        subject_kind: "request".to_owned(),
        subject_id: request.summary.id.to_string(),
        detail: json!({
            "decision": decision,
            "plan_digest": request.plan.as_ref().unwrap().digest,
            "plan_revision": request.plan_revision,
        }),
        ..old.clone()
    }
}

#[tokio::test]
async fn an_approval_in_a_borrowed_line_counts_for_nothing_on_sqlite() {
    borrowed_line(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_approval_in_a_borrowed_line_counts_for_nothing_on_postgres() {
    borrowed_line(Engine::Postgres).await;
}

/// As a borrowed line, with every hash from there on computed anew. What signs it is outside.
async fn borrowed_chain(engine: Engine) {
    let world = World::with(engine, CrashPoints::default()).await;
    let world = world.signed().await;
    assert!(world.portal.sign_audit(true).await.unwrap());
    let request = world.send(vm("rechained", "prod")).await;
    let decision = ("approver", world.forge_approval(&request, "approver").await);
    let mut lines = world.lines().await;
    lines[0] = approval_in_place_of(&lines[0], &request, decision);
    let mut previous = record::BEGINNING.to_owned();
    for line in &mut lines {
        line.hash = line.hash_after(&previous).unwrap();
        line.previous_hash = std::mem::replace(&mut previous, line.hash.clone());
    }
    world.drop_triggers().await;
    world.rewrite(&lines).await;
    // Where the database has no checkpoint any more, the file has it.
    world
        .as_its_owner(&["DELETE FROM audit_checkpoint".to_owned()])
        .await;
    world
        .alter(request.summary.id, |r| {
            r.summary.state = RequestState::Approved
        })
        .await;
    world.portal.reconcile().await.unwrap();
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    world.nothing_was_deployed().await;
}

#[tokio::test]
async fn an_approval_in_a_chain_made_anew_counts_for_nothing_on_sqlite() {
    borrowed_chain(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_approval_in_a_chain_made_anew_counts_for_nothing_on_postgres() {
    borrowed_chain(Engine::Postgres).await;
}

#[tokio::test]
async fn what_is_approved_runs_where_the_record_is_signed() {
    let world = World::new().await.signed().await;
    for (name, sign) in [("unsigned", false), ("between", true), ("after", true)] {
        let request = world.send(vm(name, "prod")).await;
        if sign {
            assert!(world.portal.sign_audit(true).await.unwrap());
        }
        world
            .decide("approver", &request, DecisionKind::Approve)
            .await
            .unwrap();
        if name == "after" {
            assert!(world.portal.sign_audit(true).await.unwrap());
        }
        let done = world.run(request.summary.id).await;
        assert_eq!(done.summary.state, OperationState::Succeeded, "{name}");
    }
}
