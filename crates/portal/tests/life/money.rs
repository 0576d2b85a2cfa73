//! Limits: never over, whatever comes at once; one number on pages and in rules; and a request that is denied holds nothing.

use portal::FormFor;
use types::access::Access;
use types::approval::DecisionKind;
use types::cost::Usd;
use types::ids::RequestId;
use types::operation::OperationState;
use types::policy::Verdict;
use types::project::{StackCount, Tier};
use types::request::{RequestDetail, RequestDraft, RequestKind, RequestState};
use types::stack::{StackFilter, StackState};

use crate::world::{Engine, World, pool, submission, vm};

/// Tags that the shipped rules want of every resource.
const TAGS: &[(&str, &str)] = &[("owner", "payments")];

async fn shipped(engine: Engine, budget: Option<Usd>, max_stacks: u32) -> World {
    let world = World::with_shipped_rules(engine).await;
    world.plant_with("payments", TAGS, budget, max_stacks).await;
    world
}

/// What the project's page says of a tier: the stacks that count, and the money.
async fn standing(world: &World, tier: Tier) -> (StackCount, Usd) {
    let owner = world.actor("owner").await;
    let project = world
        .portal
        .project(&owner, &"payments".parse().unwrap())
        .await
        .unwrap();
    (
        project.stacks[&tier],
        project
            .budgets
            .get(&tier)
            .map_or(Usd(0), |budget| budget.committed),
    )
}

/// A VM with a large data disk.
fn large(name: &str, tier: &str, gib: i64) -> RequestDraft {
    let mut draft = vm(name, tier);
    draft.parameters.insert("dataDisk".into(), true.into());
    draft.parameters.insert("dataDiskSizeGB".into(), gib.into());
    draft
}

async fn denied(world: &World, name: &str) -> RequestDetail {
    let mut draft = vm(name, "dev");
    draft.expiry = "365d".to_owned();
    let denied = world.send(draft).await;
    assert_eq!(denied.summary.state, RequestState::Denied, "{denied:#?}");
    denied
}

async fn a_denied_request_holds_nothing(engine: Engine) {
    let world = shipped(engine, Some(Usd(80_000)), 3).await;
    let developer = world.actor("developer").await;
    // More of them than the tier has places.
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(denied(&world, &format!("bad-{n}")).await);
    }
    assert_eq!(
        standing(&world, Tier::Dev).await,
        (StackCount::default(), Usd(0))
    );
    let stacks = world
        .portal
        .stacks(
            &developer,
            &StackFilter {
                state: Some(StackState::Reserved),
                ..StackFilter::default()
            },
        )
        .await
        .unwrap();
    assert!(stacks.items.is_empty(), "{stacks:#?}");

    // The name is free for anybody.
    let taken = world.send(vm("bad-0", "dev")).await;
    assert_eq!(taken.summary.state, RequestState::Approved);

    // Edit takes the name again; where somebody has it meanwhile, the field says so, and another name will do.
    let edit = |request: &RequestDetail, draft: RequestDraft| {
        let (id, version) = (request.summary.id, request.summary.version);
        let (portal, developer) = (world.portal.clone(), developer.clone());
        Box::pin(async move { portal.edit(&developer, id, version, draft).await })
    };
    let error = edit(&all[0], vm("bad-0", "dev")).await.unwrap_err();
    assert!(
        matches!(&error, portal::Error::Invalid { errors } if errors[0].field == "name" && errors[0].code == "name_taken"),
        "{error:?}"
    );
    let mended = edit(&all[0], vm("good-0", "dev")).await.unwrap();
    assert_eq!(mended.summary.state, RequestState::Approved);
    assert_eq!(mended.summary.name.as_str(), "good-0");
    let kept = edit(&all[1], vm("bad-1", "dev")).await.unwrap();
    assert_eq!(kept.summary.state, RequestState::Approved);
    assert_eq!(
        standing(&world, Tier::Dev).await.0,
        StackCount {
            active: 0,
            approved: 3
        }
    );
    // The names that they hold now are held.
    for name in ["good-0", "bad-1"] {
        let error = world
            .portal
            .submit(&developer, vm(name, "dev"), submission())
            .await
            .unwrap_err();
        assert_eq!(error.status(), 422, "{name}");
    }

    // What runs bears the name of the edit.
    let operation = world.run(mended.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    let stack = world
        .portal
        .stack(&developer, mended.summary.stack)
        .await
        .unwrap();
    assert_eq!(stack.summary.name.as_str(), "good-0");
    assert!(
        stack.resources.iter().any(|r| r.name == "vm-good-0"),
        "{:#?}",
        stack.resources
    );

    // The tier is full, and rule and page say the same of it.
    let full = world.send(vm("one-more", "dev")).await;
    assert_eq!(full.summary.state, RequestState::Denied);
    let denial = &full.plan.as_ref().unwrap().report.denials[0];
    let (stacks, _) = standing(&world, Tier::Dev).await;
    assert_eq!(stacks.words(3), "3 of 3 stacks: 1 active, 2 approved");
    assert!(
        denial
            .message
            .starts_with("The project has 3 of 3 stacks in dev: 1 active, 2 approved."),
        "{}",
        denial.message
    );
    // A denied edit gives the name back as well.
    let mut bad = vm("bad-2", "dev");
    bad.expiry = "365d".to_owned();
    let again = edit(&all[2], bad).await.unwrap();
    assert_eq!(again.summary.state, RequestState::Denied);
    let free = world
        .store
        .stack_by_name(
            &"payments".parse().unwrap(),
            Tier::Dev,
            &"bad-2".parse().unwrap(),
        )
        .await
        .unwrap();
    assert!(free.is_none(), "{free:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_request_holds_nothing_on_sqlite() {
    Box::pin(a_denied_request_holds_nothing(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_request_holds_nothing_on_postgres() {
    Box::pin(a_denied_request_holds_nothing(Engine::Postgres)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_sent_back_denied_gives_its_name_and_its_money_back() {
    let world = shipped(Engine::Sqlite, Some(Usd(80_000)), 20).await;
    let developer = world.actor("developer").await;
    let request = world.send(vm("moved", "dev")).await;
    let (stacks, committed) = standing(&world, Tier::Dev).await;
    assert_eq!(
        stacks,
        StackCount {
            active: 0,
            approved: 1
        }
    );
    assert_eq!(committed, request.summary.monthly);
    // The limit was lowered before the operation began.
    world.plant_with("payments", TAGS, Some(Usd(100)), 20).await;
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Cancelled);
    let told = world
        .portal
        .request(&developer, request.summary.id)
        .await
        .unwrap();
    assert_eq!(told.summary.state, RequestState::Denied);
    assert_eq!(
        standing(&world, Tier::Dev).await,
        (StackCount::default(), Usd(0))
    );
    world
        .plant_with("payments", TAGS, Some(Usd(80_000)), 20)
        .await;
    let again = world.send(vm("moved", "dev")).await;
    assert_eq!(again.summary.state, RequestState::Approved);
}

async fn at_once_never_over(engine: Engine) {
    let world = shipped(engine, Some(Usd(80_000)), 20).await;
    let developer = world.actor("developer").await;
    let sent = (0..24).map(|n| {
        world
            .portal
            .submit(&developer, vm(&format!("race-{n}"), "dev"), submission())
    });
    let answers: Vec<RequestDetail> = futures::future::join_all(sent)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let approved: Vec<&RequestDetail> = answers
        .iter()
        .filter(|a| a.summary.state == RequestState::Approved)
        .collect();
    let each = approved[0].summary.monthly;
    assert_eq!(
        approved.len(),
        usize::try_from(80_000 / each.0).unwrap(),
        "as many as fit"
    );
    let (stacks, committed) = standing(&world, Tier::Dev).await;
    assert_eq!(stacks.total(), approved.len() as u64);
    assert!(committed <= Usd(80_000), "{committed}");
    for denied in answers
        .iter()
        .filter(|a| a.summary.state != RequestState::Approved)
    {
        assert_eq!(denied.summary.state, RequestState::Denied);
        assert_eq!(denied.plan.as_ref().unwrap().report.denials[0].id, "GR-006");
    }
    // What was promised is kept: each still fits when it is carried out.
    for request in approved {
        let operation = world.run(request.summary.id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
    }
    assert_eq!(standing(&world, Tier::Dev).await.1, committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_never_over_on_sqlite() {
    Box::pin(at_once_never_over(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_never_over_on_postgres() {
    Box::pin(at_once_never_over(Engine::Postgres)).await;
}

async fn two_approvals_at_once_never_over(engine: Engine) {
    let world = shipped(engine, Some(Usd(400_000)), 20).await;
    for who in ["approver", "second"] {
        let groups = ["platform-approvers", "cost-approvers"].map(|g| g.parse().unwrap());
        world
            .portal
            .sign_in(who, who, groups.to_vec(), vec![])
            .await
            .unwrap();
    }
    // Each fits alone; both do not.
    let one = world.send(large("one", "prod", 16_384)).await;
    let two = world.send(large("two", "prod", 16_384)).await;
    for request in [&one, &two] {
        assert_eq!(request.summary.state, RequestState::AwaitingApproval);
        assert!(
            request.summary.monthly > Usd(200_000),
            "{}",
            request.summary.monthly
        );
    }
    let (a, b) = tokio::join!(
        world.decide("approver", &one, DecisionKind::Approve),
        world.decide("second", &two, DecisionKind::Approve)
    );
    let refused = match (a, b) {
        (Ok(ok), Err(error)) | (Err(error), Ok(ok)) => {
            assert_eq!(ok.summary.state, RequestState::Approved);
            error
        }
        other => panic!("one and only one: {other:#?}"),
    };
    assert_eq!(refused.code(), "denied_now");
    assert!(refused.to_string().contains("GR-006"), "{refused}");
    let (stacks, committed) = standing(&world, Tier::Prod).await;
    assert_eq!(
        stacks,
        StackCount {
            active: 0,
            approved: 1
        }
    );
    assert!(committed <= Usd(400_000), "{committed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvals_at_once_never_over_on_sqlite() {
    Box::pin(two_approvals_at_once_never_over(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvals_at_once_never_over_on_postgres() {
    Box::pin(two_approvals_at_once_never_over(Engine::Postgres)).await;
}

/// Somebody who opens a request days later reads budget and verdict of that moment, and cannot approve what would only be sent back.
async fn whoever_decides_sees_what_holds_now(engine: Engine) {
    let world = shipped(engine, Some(Usd(400_000)), 20).await;
    let groups = ["platform-approvers", "cost-approvers"].map(|g| g.parse().unwrap());
    world
        .portal
        .sign_in("approver", "approver", groups.to_vec(), vec![])
        .await
        .unwrap();
    let one = world.send(large("one", "prod", 16_384)).await;
    let two = world.send(large("two", "prod", 16_384)).await;
    let approver = world.actor("approver").await;
    let open = async |id| world.portal.request(&approver, id).await.unwrap();
    let committed = |request: &RequestDetail| {
        let budget = request.plan.as_ref().unwrap().cost.budget.as_ref().unwrap();
        budget.committed
    };
    let before = open(two.summary.id).await;
    assert_eq!(before.access.approve, Access::Allowed);
    assert_eq!((before.since_sent.len(), committed(&before)), (0, Usd(0)));

    world
        .decide("approver", &one, DecisionKind::Approve)
        .await
        .unwrap();
    let after = open(two.summary.id).await;
    assert_eq!(committed(&after), one.summary.monthly);
    assert!(
        matches!(&after.access.approve, Access::Disabled { reason } if reason.contains("GR-006")),
        "{:?}",
        after.access.approve
    );
    assert_eq!(after.access.decide, Access::Allowed, "to send it back");
    let told = after.since_sent.join(" ");
    assert!(told.contains("budget") && told.contains("GR-006"), "{told}");
    // What was approved stays what was sent: only what was found out about it is of now.
    let digest = |request: &RequestDetail| request.plan.as_ref().unwrap().digest.clone();
    assert_eq!(digest(&after), digest(&two));
    assert_eq!(after.plan_revision, two.plan_revision);

    let refused = world
        .decide("approver", &two, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "denied_now");
    let sent_back = world
        .decide("approver", &two, DecisionKind::RequestChanges)
        .await
        .unwrap();
    assert_eq!(sent_back.summary.state, RequestState::ChangesRequested);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_sees_what_holds_now_on_sqlite() {
    whoever_decides_sees_what_holds_now(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_sees_what_holds_now_on_postgres() {
    whoever_decides_sees_what_holds_now(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_what_it_adds_and_gives_nothing_before_it_is_gone() {
    let world = shipped(Engine::Sqlite, Some(Usd(150_000)), 20).await;
    let developer = world.actor("developer").await;
    let sized = |name: &str, most: i64| {
        let mut draft = pool(name);
        draft.parameters.insert("minCount".into(), 1.into());
        draft.parameters.insert("maxCount".into(), most.into());
        draft
    };
    let made = world.send(sized("grows", 3)).await;
    let operation = world.run(made.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    let (_, before) = standing(&world, Tier::Dev).await;
    assert_eq!(before, made.summary.monthly);
    let update = |most: i64| RequestDraft {
        kind: RequestKind::Update,
        stack: Some(made.summary.stack),
        ..sized("grows", most)
    };
    // Only the most changes: that is money all the same.
    let check = world
        .portal
        .check(&developer, &update(7), None)
        .await
        .unwrap();
    let plan = check.plan.unwrap();
    assert_eq!(plan.cost.monthly_before, Some(before));
    assert!(plan.cost.change() > Usd(50_000), "{:?}", plan.cost);
    assert_eq!(plan.report.verdict, Verdict::NeedsApproval);
    assert_eq!(plan.cost.budget.as_ref().unwrap().committed, before);
    let far = world
        .portal
        .check(&developer, &update(30), None)
        .await
        .unwrap();
    assert_eq!(far.plan.unwrap().report.verdict, Verdict::Denied);

    // A smaller one is approved at once; until it has run, the old amount counts.
    let smaller = world
        .portal
        .submit(&developer, update(1), submission())
        .await
        .unwrap();
    assert_eq!(smaller.summary.state, RequestState::Approved);
    assert!(smaller.summary.monthly_change < Usd(0));
    assert_eq!(standing(&world, Tier::Dev).await.1, before);
    let operation = world.run(smaller.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert_eq!(standing(&world, Tier::Dev).await.1, smaller.summary.monthly);
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_that_growing_pools_may_take_is_not_given_twice() {
    let world = shipped(Engine::Sqlite, None, 20).await;
    let approver = ["platform-approvers", "cost-approvers"].map(|g| g.parse().unwrap());
    world
        .portal
        .sign_in("approver", "approver", approver.to_vec(), vec![])
        .await
        .unwrap();
    let developer = world.actor("developer").await;
    let pool_of = |name: &str, most: i64| {
        let mut draft = pool(name);
        draft.parameters.insert("poolName".into(), name.into());
        draft.parameters.insert("minCount".into(), 1.into());
        draft.parameters.insert("maxCount".into(), most.into());
        draft
    };
    // The largest pool whose most nodes fit.
    let mut most = 100;
    let first = loop {
        let draft = pool_of("first", most);
        let plan = world
            .portal
            .check(&developer, &draft, None)
            .await
            .unwrap()
            .plan
            .unwrap();
        if plan.quota.iter().all(|line| line.fits) {
            break world.send(draft).await;
        }
        most -= 1;
    };
    world
        .decide("approver", &first, DecisionKind::Approve)
        .await
        .unwrap();
    let again = |name: &'static str| {
        let draft = pool_of(name, most);
        let (portal, developer) = (world.portal.clone(), developer.clone());
        async move {
            portal
                .check(&developer, &draft, None)
                .await
                .unwrap()
                .plan
                .unwrap()
        }
    };
    // While it is approved, and when Azure counts its one node.
    assert_eq!(again("second").await.report.verdict, Verdict::Denied);
    let operation = world.run(first.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    // Facts that are newer than the end of the operation: only what the stack holds speaks for its other nodes.
    world.clock.advance(time::Duration::minutes(1));
    world.portal.refresh_facts().await.unwrap();
    let plan = again("second").await;
    assert!(
        plan.report
            .denials
            .iter()
            .any(|denial| denial.id == "GR-008"),
        "{:#?}",
        plan.report.denials
    );
    assert!(plan.quota[0].reserved > 0, "{:#?}", plan.quota);
    // Deleted, it holds nothing.
    let deletion = world.delete(first.summary.stack, "first").await;
    world.run(deletion.summary.id).await;
    world.clock.advance(time::Duration::minutes(1));
    world.portal.refresh_facts().await.unwrap();
    assert_eq!(again("second").await.quota[0].reserved, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_passes_with_its_own_defaults() {
    // The smallest budgets of the sandbox.
    for (tier, budget) in [("dev", Usd(50_000)), ("prod", Usd(250_000))] {
        let world = shipped(Engine::Sqlite, Some(budget), 20).await;
        let developer = world.actor("developer").await;
        let templates = world.portal.templates(&developer).await.unwrap();
        assert_eq!(templates.len(), 3);
        for template in templates {
            let form = world
                .portal
                .request_form(
                    &developer,
                    FormFor {
                        template: Some(template.template.to_string()),
                        project: Some("payments".to_owned()),
                        tier: Some(tier.to_owned()),
                        ..FormFor::default()
                    },
                )
                .await
                .unwrap();
            let offered = portal::Catalogue::embedded()
                .unwrap()
                .get(&template.template)
                .unwrap()
                .manifest
                .tiers
                .clone();
            if !offered.contains(&tier.parse().unwrap()) {
                continue;
            }
            // What nobody can know beforehand: a name, a key, a reason.
            let mut draft = form.draft;
            draft.name = "untouched".to_owned();
            draft.justification = "The form as it opens.".to_owned();
            let words = |name: &str| match name {
                "sshPublicKey" => Some(vm("x", "dev").parameters["sshPublicKey"].clone()),
                "poolName" => Some("untouched".into()),
                _ => None,
            };
            for section in &form.sections {
                for field in section.fields.iter().filter(|field| field.required) {
                    if let Some(name) = field.name.strip_prefix("parameters.")
                        && let Some(value) = words(name)
                    {
                        draft.parameters.insert(name.to_owned(), value);
                    }
                }
            }
            let check = world.portal.check(&developer, &draft, None).await.unwrap();
            assert!(
                check.errors.is_empty(),
                "{} in {tier}: {:#?}",
                template.template,
                check.errors
            );
            let report = check.plan.unwrap().report;
            assert!(
                report.denials.is_empty(),
                "{} in {tier}: {:#?}",
                template.template,
                report.denials
            );
            if tier == "dev" {
                assert_eq!(
                    report.verdict,
                    Verdict::Allowed,
                    "{}: {:#?}",
                    template.template,
                    report.approvals
                );
            }
            assert!(matches!(check.submit, Access::Allowed));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_near_the_limit_is_not_counted_twice() {
    let world = shipped(Engine::Sqlite, Some(Usd(15_000)), 1).await;
    let developer = world.actor("developer").await;
    world
        .fault(serde_json::json!({
            "method": "PUT", "path": "virtualMachines/vm-again$", "times": 1,
            "action": { "type": "fail", "code": "AllocationFailed", "message": "No room." },
        }))
        .await;
    let request: RequestId = world.send(vm("again", "dev")).await.summary.id;
    let operation = world.run(request).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    let (stacks, committed) = standing(&world, Tier::Dev).await;
    assert_eq!(
        stacks,
        StackCount {
            active: 1,
            approved: 0
        }
    );
    assert!(
        committed > Usd(10_000),
        "what exists is counted: {committed}"
    );
    world.clear_faults().await;
    let told = world.portal.request(&developer, request).await.unwrap();
    let operation = world
        .portal
        .retry(&developer, told.summary.stack)
        .await
        .unwrap();
    let operation = world.drive(operation.summary.id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert_eq!(standing(&world, Tier::Dev).await.1, committed);
}

#[tokio::test]
async fn a_stack_in_prod_lives_longer_with_the_approval_that_its_creation_needed() {
    let world = shipped(Engine::Sqlite, Some(Usd(80_000)), 3).await;
    let developer = world.actor("developer").await;
    let groups = ["platform-approvers", "cost-approvers"].map(|g| g.parse().unwrap());
    world
        .portal
        .sign_in("approver", "approver", groups.to_vec(), vec![])
        .await
        .unwrap();
    let request = world.send(vm("kept", "prod")).await;
    assert_eq!(request.summary.state, RequestState::AwaitingApproval);
    world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap();
    let operation = world.run(request.summary.id).await;
    assert_eq!(operation.summary.state, OperationState::Succeeded);
    let stack = request.summary.stack;
    let ends = async || {
        let stack = world.store.stack(stack).await.unwrap();
        stack.unwrap().summary.expires_at
    };
    let before = ends().await;
    assert!(before.is_some());
    let extension = world
        .portal
        .extend_stack(
            &developer,
            stack,
            "60d".to_owned(),
            "It is still needed.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    assert_eq!(extension.summary.state, RequestState::AwaitingApproval);
    assert_eq!(ends().await, before, "nobody has agreed yet");
    world
        .decide("approver", &extension, DecisionKind::Approve)
        .await
        .unwrap();
    assert!(ends().await > before);
}
