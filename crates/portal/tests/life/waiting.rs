//! Requests that wait: how many may, who finds them, who takes them back, and that one which cannot be dealt with holds up no other.

use portal::{CrashPoints, OpenLimits};
use sqlx::Connection as _;
use time::Duration;
use types::actor::Role;
use types::approval::{ApprovalItem, ApprovalTab, DecisionKind};
use types::ids::RequestId;
use types::operation::OperationState;
use types::project::Tier;
use types::request::{RequestDetail, RequestDraft, RequestKind, RequestState};

use crate::world::{Engine, World, submission, vm};

/// How long a judged row of the queue is shown again.
const KEPT: Duration = Duration::seconds(5);

impl World {
    /// Runs statements past the store.
    async fn by_hand_in_sql(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let changed = if self.url.starts_with("sqlite") {
            let mut c = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            let done = sqlx::query(sql).execute(&mut c).await.unwrap();
            done.rows_affected()
        } else {
            let mut c = sqlx::PgConnection::connect(&self.url).await.unwrap();
            let done = sqlx::query(sql).execute(&mut c).await.unwrap();
            done.rows_affected()
        };
        assert!(changed > 0, "no such row");
    }

    /// Payments may use another region from now on.
    async fn leave_the_region(&self) {
        let name = "payments".parse().unwrap();
        let mut project = self.store.project(&name).await.unwrap().unwrap();
        for tier in project.tiers.values_mut() {
            tier.regions = vec!["northeurope".to_owned()];
        }
        let mut tx = self.store.begin().await.unwrap();
        tx.put_project(&project).await.unwrap();
        tx.commit(self.clock.now()).await.unwrap();
    }

    async fn state_of(&self, id: RequestId) -> RequestState {
        let auditor = self.actor("auditor").await;
        let request = self.portal.request(&auditor, id).await.unwrap();
        request.summary.state
    }

    async fn withdraw(&self, who: &str, id: RequestId) -> portal::Result<RequestDetail> {
        let actor = self.actor(who).await;
        let auditor = self.actor("auditor").await;
        let request = self.portal.request(&auditor, id).await.unwrap();
        self.portal
            .withdraw(&actor, id, request.summary.version)
            .await
    }

    /// Everything in *waiting for me*, page by page; the number of pages that it took.
    async fn mine(&self, who: &str) -> (Vec<ApprovalItem>, usize) {
        let actor = self.actor(who).await;
        let (mut items, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = self
                .portal
                .approvals(&actor, ApprovalTab::Mine, cursor)
                .await
                .unwrap();
            assert!(page.items.len() <= 25);
            items.extend(page.items);
            pages += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                return (items, pages);
            }
        }
    }
}

fn is_full(answer: portal::Result<RequestDetail>, says: &str) {
    let error = answer.expect_err("it is one too many");
    assert_eq!(
        (error.status(), error.code()),
        (409, "too_many_open_requests"),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains(says) && text.contains("withdraw those that nobody needs"),
        "{text}"
    );
}

async fn no_more_requests_wait_than_may(engine: Engine) {
    let limits = OpenLimits {
        per_person: 3,
        per_tier: 4,
        ..OpenLimits::default()
    };
    let world = World::with_open_limits(engine, limits).await;
    let developer = world.actor("developer").await;
    // A stack whose end comes while the queue is full.
    let ending = world.send(vm("ending", "prod")).await;
    world
        .decide("approver", &ending, DecisionKind::Approve)
        .await
        .unwrap();
    world.run(ending.summary.id).await;
    let guarded = world.active("guarded-here").await;
    world.clock.advance(Duration::days(29));

    // At the same moment: as many as may, and no name is held by the others.
    let sent = (0..8).map(|n| {
        world
            .portal
            .submit(&developer, vm(&format!("many-{n}"), "prod"), submission())
    });
    let answers = futures::future::join_all(sent).await;
    let mut waiting = Vec::new();
    for (n, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(request) => waiting.push(request),
            Err(error) => {
                is_full(Err(error), "developer already has 3 requests");
                let held = world
                    .store
                    .stack_by_name(
                        &"payments".parse().unwrap(),
                        Tier::Prod,
                        &format!("many-{n}").parse().unwrap(),
                    )
                    .await
                    .unwrap();
                assert!(held.is_none(), "many-{n}");
            }
        }
    }
    assert_eq!(waiting.len(), 3);

    // What needs no approval goes its way, and so do the end of a stack and a longer life.
    let quick = world.send(vm("quick", "dev")).await;
    assert_eq!(quick.summary.state, RequestState::Approved);
    let longer = world
        .portal
        .extend_stack(
            &developer,
            ending.summary.stack,
            "30d".to_owned(),
            "It is still needed.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    assert_eq!(longer.summary.state, RequestState::AwaitingApproval);
    world
        .withdraw("developer", longer.summary.id)
        .await
        .unwrap();
    let deletion = world.delete(guarded, "guarded-here").await;
    assert_eq!(deletion.summary.state, RequestState::AwaitingApproval);

    // What is denied holds nothing and does not count, until its edit would wait.
    let denied = RequestDraft {
        justification: "Please deny this.".to_owned(),
        ..vm("denied", "prod")
    };
    let denied = world.send(denied).await;
    assert_eq!(denied.summary.state, RequestState::Denied);
    let mended = world
        .portal
        .edit(
            &developer,
            denied.summary.id,
            denied.summary.version,
            vm("denied", "prod"),
        )
        .await;
    is_full(mended, "one person may have 3");
    assert_eq!(
        world.state_of(denied.summary.id).await,
        RequestState::Denied
    );

    // What was sent back still counts, and its edit is no new one.
    let back = world
        .decide("approver", &waiting[0], DecisionKind::RequestChanges)
        .await
        .unwrap();
    is_full(
        world.try_send("developer", vm("one-more", "prod")).await,
        "developer already has 3 requests",
    );
    let edited = world
        .portal
        .edit(
            &developer,
            back.summary.id,
            back.summary.version,
            back.draft.clone(),
        )
        .await
        .unwrap();
    assert_eq!(edited.summary.state, RequestState::AwaitingApproval);

    // Of a tier, whoever sends them.
    world.try_send("owner", vm("fourth", "prod")).await.unwrap();
    is_full(
        world.try_send("owner", vm("fifth", "prod")).await,
        "payments already has 4 requests in prod",
    );

    // Slipway asks for a deletion whatever waits.
    world.clock.advance(Duration::days(2));
    world.portal.reconcile().await.unwrap();
    let stack = world
        .portal
        .stack(&developer, ending.summary.stack)
        .await
        .unwrap();
    let asked = world
        .store
        .request(stack.requests[0])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            asked.summary.kind,
            asked.summary.requester.as_str(),
            asked.summary.state
        ),
        (
            RequestKind::Delete,
            "slipway",
            RequestState::AwaitingApproval
        )
    );

    // One that is taken back makes room.
    world
        .withdraw("developer", waiting[1].summary.id)
        .await
        .unwrap();
    world
        .try_send("developer", vm("room", "prod"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_wait_than_may_on_sqlite() {
    Box::pin(no_more_requests_wait_than_may(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_wait_than_may_on_postgres() {
    Box::pin(no_more_requests_wait_than_may(Engine::Postgres)).await;
}

async fn the_queue_comes_in_pages_and_its_count_ends(engine: Engine) {
    let limits = OpenLimits {
        per_person: 200,
        per_tier: 200,
        ..OpenLimits::default()
    };
    let world = World::with_open_limits(engine, limits).await;
    let first = world.send(vm("first", "prod")).await;
    let own = world.try_send("owner", vm("own", "prod")).await.unwrap();
    let mut all = vec![first.summary.id, own.summary.id];
    for n in 0..28 {
        let request = world.send(vm(&format!("more-{n}"), "prod")).await;
        all.push(request.summary.id);
    }
    let approver = world.actor("approver").await;
    let (items, pages) = world.mine("approver").await;
    assert!(items.iter().all(|item| !item.withheld));
    let shown: Vec<RequestId> = items.iter().map(|item| item.request.id).collect();
    assert_eq!(
        (shown, pages),
        (all.clone(), 2),
        "the longest waiting first"
    );
    let count = world.portal.approval_count(&approver).await.unwrap();
    assert_eq!(
        (count.mine, count.more, count.oldest),
        (30, false, Some(first.summary.id))
    );
    // What the owner sent is not the owner's to decide.
    all.remove(1);
    let (items, _) = world.mine("owner").await;
    let shown: Vec<RequestId> = items.iter().map(|item| item.request.id).collect();
    assert_eq!(shown, all);
    let error = world
        .portal
        .approvals(&approver, ApprovalTab::Mine, Some("odd".to_owned()))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "unknown_cursor");

    for n in 28..98 {
        world.send(vm(&format!("more-{n}"), "prod")).await;
    }
    let count = world.portal.approval_count(&approver).await.unwrap();
    assert_eq!((count.mine, count.more), (99, true));
    let developer = world.actor("developer").await;
    let nothing = world.portal.approval_count(&developer).await.unwrap();
    assert_eq!((nothing.mine, nothing.more), (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_comes_in_pages_and_its_count_ends_on_sqlite() {
    Box::pin(the_queue_comes_in_pages_and_its_count_ends(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_comes_in_pages_and_its_count_ends_on_postgres() {
    Box::pin(the_queue_comes_in_pages_and_its_count_ends(
        Engine::Postgres,
    ))
    .await;
}

/// The rules ask for another group than when the request was sent.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_can_act_now_finds_the_request_and_its_row_says_what_its_page_says() {
    let world = World::new().await;
    world
        .portal
        .sign_in(
            "second",
            "second",
            vec!["cost-approvers".parse().unwrap()],
            vec![],
        )
        .await
        .unwrap();
    let request = world.send(vm("unbudgeted", "prod")).await;
    let id = request.summary.id;
    assert_eq!(request.needs.len(), 1);
    assert!(world.mine("second").await.0.is_empty());

    world.plant_with("payments", &[], None, 20).await;
    world.clock.advance(KEPT);
    for (who, tab) in [
        ("second", ApprovalTab::Mine),
        ("approver", ApprovalTab::Mine),
        ("approver", ApprovalTab::All),
    ] {
        let actor = world.actor(who).await;
        let opened = world.portal.request(&actor, id).await.unwrap();
        assert_eq!(opened.needs.len(), 2, "{who}");
        assert!(opened.access.decide.is_allowed(), "{who}");
        let queue = world.portal.approvals(&actor, tab, None).await.unwrap();
        let [row] = queue.items.as_slice() else {
            panic!("{who} {tab:?}: {queue:#?}");
        };
        assert_eq!(row.request, opened.summary, "{who}");
    }
    // The other way round: what nobody asks for any more is not theirs.
    world.plant("payments", &[]).await;
    world.clock.advance(KEPT);
    assert!(world.mine("second").await.0.is_empty());
    assert_eq!(world.mine("approver").await.0.len(), 1);

    // What would be denied by now still waits for them, and says so.
    world.leave_the_region().await;
    world.clock.advance(KEPT);
    let approver = world.actor("approver").await;
    let opened = world.portal.request(&approver, id).await.unwrap();
    let (rows, _) = world.mine("approver").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].request, opened.summary);
    let types::access::Access::Disabled { reason } = &opened.access.approve else {
        panic!("{:#?}", opened.access);
    };
    assert!(rows[0].why.contains(reason), "{}", rows[0].why);
}

/// An event wakes every open queue at the same moment. Who decides meets nothing that is some seconds old.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_kept_for_seconds_and_a_decision_is_judged_anew() {
    let world = World::new().await;
    let request = world.send(vm("kept", "prod")).await;
    let (before, _) = world.mine("approver").await;
    world.leave_the_region().await;
    world.clock.advance(KEPT - Duration::milliseconds(1));
    assert_eq!(world.mine("approver").await.0, before);
    let refused = world
        .decide("approver", &request, DecisionKind::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "denied_now");
    world.clock.advance(Duration::milliseconds(1));
    let (after, _) = world.mine("approver").await;
    assert!(
        after[0].why.contains(&refused.to_string()),
        "{} {refused}",
        after[0].why
    );

    // Another version of the request is another row at once.
    let back = world
        .decide("approver", &request, DecisionKind::RequestChanges)
        .await
        .unwrap();
    assert!(world.mine("approver").await.0.is_empty());
    let actor = world.actor("approver").await;
    let decided = world
        .portal
        .approvals(&actor, ApprovalTab::Decided, None)
        .await
        .unwrap();
    assert_eq!(decided.items[0].request.version, back.summary.version);
    assert_eq!(decided.items[0].why, "You asked for changes.");
}

/// Actor by requester: who sent a request takes it back, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_requester_withdraws() {
    let world = World::new().await;
    world.role("second", Some(Role::Developer)).await;
    let actors = [
        "developer",
        "second",
        "owner",
        "approver",
        "reader",
        "admin",
        "auditor",
        "outsider",
        "stranger",
    ];
    for requester in ["developer", "second", "owner"] {
        for who in actors {
            let name = format!("of-{requester}-{who}");
            let request = world.try_send(requester, vm(&name, "prod")).await.unwrap();
            let id = request.summary.id;
            let actor = world.actor(who).await;
            let offered = world
                .portal
                .request(&actor, id)
                .await
                .is_ok_and(|seen| seen.access.withdraw.is_allowed());
            let done = world.withdraw(who, id).await;
            let may = who == requester;
            assert_eq!(offered, may, "{who} sees the request of {requester}");
            let expected = match who {
                _ if may => 200,
                "outsider" | "stranger" => 404,
                _ => 403,
            };
            let (status, code) = match &done {
                Ok(_) => (200, String::new()),
                Err(error) => (error.status(), error.code().to_owned()),
            };
            assert_eq!(status, expected, "{who} withdraws that of {requester}");
            let team = ["developer", "second", "owner"].contains(&who);
            assert_eq!(
                code == "not_requester",
                team && !may,
                "{who}, {requester}: {code}"
            );
            if !may {
                assert_eq!(world.state_of(id).await, RequestState::AwaitingApproval);
                world.withdraw(requester, id).await.unwrap();
            }
        }
    }

    // Whoever left cannot take it back any more: then an admin does, and still nobody of the team.
    let request = world.send(vm("left-behind", "prod")).await;
    let id = request.summary.id;
    world.role("developer", None).await;
    let error = world.withdraw("owner", id).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (403, "not_requester"));
    let admin = world.actor("admin").await;
    let seen = world.portal.request(&admin, id).await.unwrap();
    assert!(seen.access.withdraw.is_allowed());
    world.withdraw("admin", id).await.unwrap();
    assert_eq!(world.state_of(id).await, RequestState::Withdrawn);
}

/// Rows that somebody, or a disk, made unreadable.
async fn what_cannot_be_read_holds_up_no_other(engine: Engine) {
    let sqlite = matches!(engine, Engine::Sqlite);
    let world = World::with(engine, CrashPoints::default()).await;
    let mut stacks = Vec::new();
    for name in ["bad-stack", "good-stack", "held-stack"] {
        stacks.push(world.active(name).await);
    }
    world.clock.advance(Duration::days(20));
    let mut waiting = Vec::new();
    for name in [
        "bad-request",
        "good-one",
        "good-two",
        "bad-needs",
        "bad-posture",
    ] {
        waiting.push(world.send(vm(name, "prod")).await.summary.id);
    }
    let developer = world.actor("developer").await;
    let longer = world
        .portal
        .extend_stack(
            &developer,
            stacks[2],
            "30d".to_owned(),
            "It wants two approvers.".to_owned(),
            submission(),
        )
        .await
        .unwrap();
    assert_eq!(longer.summary.state, RequestState::AwaitingApproval);
    world
        .by_hand_in_sql(
            "UPDATE request_document SET draft = '\"broken\"' WHERE request_id = (SELECT id FROM request WHERE name = 'bad-request')",
        )
        .await;
    world
        .by_hand_in_sql(
            "UPDATE request_document SET needs = '\"broken\"' WHERE request_id = (SELECT id FROM request WHERE name = 'bad-needs')",
        )
        .await;
    world
        .by_hand_in_sql(
            "UPDATE request_document SET plan = '\"broken\"' WHERE request_id = (SELECT id FROM request WHERE name = 'held-stack' AND kind = 'extend')",
        )
        .await;
    world
        .by_hand_in_sql(
            "UPDATE request SET posture = '\"broken\"' WHERE name = 'bad-posture' OR (name = 'held-stack' AND kind = 'extend')",
        )
        .await;
    world
        .by_hand_in_sql("UPDATE stack SET posture = '\"broken\"' WHERE name = 'bad-stack'")
        .await;

    // The queue shows the others, and of the one whose row can be read that something is wrong with it.
    let approver = world.actor("approver").await;
    let expected = [(waiting[0], true), (waiting[1], false), (waiting[2], false)];
    let shown = |items: &[ApprovalItem]| {
        items
            .iter()
            .map(|item| (item.request.id, item.withheld))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&world.mine("approver").await.0), expected);
    let every = world
        .portal
        .approvals(&approver, ApprovalTab::All, None)
        .await
        .unwrap();
    let mut every = shown(&every.items);
    every.reverse();
    assert_eq!(every, expected);
    let count = world.portal.approval_count(&approver).await.unwrap();
    assert_eq!((count.mine, count.more), (3, false));

    world.clock.advance(Duration::days(15));
    for _ in 0..2 {
        world.portal.reconcile().await.unwrap();
    }
    for id in &waiting[1..3] {
        assert_eq!(world.state_of(*id).await, RequestState::Expired);
    }
    let still = world
        .store
        .requests_in_state(RequestState::AwaitingApproval, None, None, 10)
        .await
        .unwrap();
    assert_eq!(still, [waiting[0], waiting[3], waiting[4]]);
    // The broken stack is left alone; those that can be read end, also where a request about them cannot.
    let left_alone = world.store.requests_of_stack(stacks[0]).await.unwrap();
    assert_eq!(left_alone.len(), 1);
    for stack in &stacks[1..] {
        let requests = world.store.requests_of_stack(*stack).await.unwrap();
        assert_eq!(requests[0].kind, RequestKind::Delete);
        let operation = world.run(requests[0].id).await;
        assert_eq!(
            operation.summary.state,
            OperationState::Succeeded,
            "{operation:#?}"
        );
    }
    let held = world.store.requests_of_stack(stacks[2]).await.unwrap();
    assert_eq!(
        (held[1].id, held[1].state),
        (longer.summary.id, RequestState::Expired)
    );

    // Mended, it has its turn: within the hour in which it is left alone, or after it.
    world
        .by_hand_in_sql(
            "UPDATE request_document SET draft = (SELECT d.draft FROM request_document d JOIN request r ON r.id = d.request_id WHERE r.name = 'good-one') \
             WHERE request_id = (SELECT id FROM request WHERE name = 'bad-request')",
        )
        .await;
    world
        .by_hand_in_sql(
            "UPDATE stack SET posture = (SELECT posture FROM stack WHERE name = 'good-stack') WHERE name = 'bad-stack'",
        )
        .await;
    world.clock.advance(Duration::hours(2));
    world.portal.reconcile().await.unwrap();
    let mended = world.store.requests_of_stack(stacks[0]).await.unwrap();
    assert_eq!(mended[0].kind, RequestKind::Delete);
    let mended = world.store.request(waiting[0]).await.unwrap().unwrap();
    assert_eq!(mended.summary.state, RequestState::Expired);

    // Azure is asked for everybody else's facts, and what is known of it is read all the same.
    world
        .by_hand_in_sql("UPDATE project SET settings = '\"broken\"' WHERE name = 'search'")
        .await;
    world.portal.refresh_facts().await.unwrap();
    let price = world.send(vm("priced", "dev")).await.summary.monthly;
    for key in world.store.azure_fact_keys("prices").await.unwrap() {
        let fact = world.store.azure_fact("prices", &key).await.unwrap();
        let mut fact = fact.unwrap();
        assert_eq!(fact.fetched_at, world.clock.now(), "{key}");
        let hours = fact.body["prices"]["vm_hours"].as_object_mut().unwrap();
        for hour in hours.values_mut() {
            hour["usd"] = (2.0 * hour["usd"].as_f64().unwrap()).into();
        }
        world.store.put_azure_fact(&fact).await.unwrap();
    }
    // PostgreSQL keeps no text that is not JSON.
    world
        .by_hand_in_sql(if sqlite {
            "UPDATE azure_fact SET body = '{' WHERE kind = 'usages'"
        } else {
            "UPDATE azure_fact SET body = '\"broken\"' WHERE kind = 'usages'"
        })
        .await;
    world.portal.load_facts().await.unwrap();
    let dearer = world.send(vm("dearer", "dev")).await.summary.monthly;
    assert!(dearer > price, "{dearer} {price}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_holds_up_no_other_on_sqlite() {
    Box::pin(what_cannot_be_read_holds_up_no_other(Engine::Sqlite)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_holds_up_no_other_on_postgres() {
    Box::pin(what_cannot_be_read_holds_up_no_other(Engine::Postgres)).await;
}

/// Whatever becomes of them, one person sends so many in a day; what deletes always goes through, and the next day begins anew.
#[tokio::test]
async fn a_day_has_so_many_requests_of_one_person_and_no_more() {
    let limits = OpenLimits {
        per_day: 3,
        ..OpenLimits::default()
    };
    let world = World::with_open_limits(Engine::Sqlite, limits).await;
    let stack = world.active("kept").await;
    for name in ["second", "third"] {
        let mut denied = vm(name, "dev");
        "365d".clone_into(&mut denied.expiry);
        world.send(denied).await;
    }
    let error = world
        .try_send("developer", vm("fourth", "dev"))
        .await
        .expect_err("it is one too many");
    assert_eq!(
        (error.status(), error.code()),
        (409, "too_many_requests_today")
    );
    assert!(error.to_string().contains("3 requests within a day"));
    // It is hers alone, and nothing of it was kept.
    world.try_send("owner", vm("fourth", "dev")).await.unwrap();
    let deletion = world.delete(stack, "kept").await;
    world.run(deletion.summary.id).await;
    world.clock.advance(time::Duration::days(1));
    world
        .try_send("developer", vm("fifth", "dev"))
        .await
        .unwrap();
}
