//! Stories of requests and stacks: sent twice, changed at the same time, named alike, decided.

use serde_json::json;
use store::{
    BreakGlass, Conflict, Error, NewActivity, NewAudit, NewDecision, RecordedApproval,
    RecordedPlan, Scope, SecretValue,
};
use types::approval::{ApprovalTab, DecisionKind};
use types::ids::{BreakGlassId, CommentId, DecisionId, RequestId, StackId};
use types::project::Tier;
use types::request::{Comment, PlanAuthor, RequestState, RequestSummary};
use types::stack::{StackResource, StackState};
use uuid::Uuid;

use crate::world::{World, changed, developer, moment, now, plan, project, request, sent, stack};

crate::stories![
    what_was_sent_is_what_is_read,
    a_form_sent_eight_times_at_once_makes_one_request,
    a_submission_belongs_to_its_sender,
    what_the_record_says_of_a_plan_is_found_by_its_request,
    who_wrote_and_who_approved_is_found_in_the_record,
    the_slower_of_two_changes_loses_and_changes_nothing,
    a_name_is_held_until_the_stack_is_gone,
    a_dropped_transaction_leaves_nothing,
    a_decision_belongs_to_its_plan,
    who_wrote_which_plan_is_kept_in_order,
    broken_glass_gives_rights_until_it_ends,
    the_queue_of_approvals_says_what_is_needed,
    requests_in_a_state_are_found_page_by_page,
    what_waits_is_counted_by_person_and_by_tier,
    what_was_said_and_done_is_read_page_by_page,
    azure_ids_are_one_in_any_case_of_letters,
    a_project_adds_up_its_stacks_and_promises,
    secrets_go_when_the_operation_ends,
];

async fn what_was_sent_is_what_is_read(world: World) {
    let mut stack = stack("web");
    let request = request(&stack);
    stack.plan = Some(plan("digest-1"));
    stack.applied_request = Some(request.summary.id);
    let mut tx = world.store.begin().await.unwrap();
    assert!(tx.insert_request(&request, &sent(&request)).await.unwrap());
    tx.insert_stack(&stack).await.unwrap();
    assert_eq!(
        tx.request(request.summary.id).await.unwrap().as_ref(),
        Some(&request)
    );
    tx.commit(now()).await.unwrap();

    let read = world.store.request(request.summary.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&request));
    // The order in which people wrote keys survives both engines.
    let tags: Vec<_> = read.unwrap().draft.tags.into_keys().collect();
    assert_eq!(tags, ["zone", "app"]);
    let read = world.store.stack(stack.summary.id).await.unwrap().unwrap();
    assert_eq!(read, stack);
    assert_eq!(read.outputs.keys().collect::<Vec<_>>(), ["zebra", "apple"]);
    let settings = world
        .store
        .project(&project("payments"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(settings.default_tags.keys().collect::<Vec<_>>(), ["z", "a"]);
    let about = world
        .store
        .requests_of_stack(stack.summary.id)
        .await
        .unwrap();
    let [about] = about.as_slice() else {
        panic!("{about:#?}");
    };
    let s = &request.summary;
    assert_eq!(
        (
            about.id,
            about.kind,
            about.state,
            &about.requester,
            about.version
        ),
        (s.id, s.kind, s.state, &s.requester, s.version)
    );
}

async fn a_form_sent_eight_times_at_once_makes_one_request(world: World) {
    let submission = sent(&request(&stack("web")));
    let sends = (0..8).map(|_| {
        let store = world.store.clone();
        let submission = submission.clone();
        tokio::spawn(async move {
            let mine = stack("web");
            let form = request(&mine);
            let mut tx = store.begin().await.unwrap();
            let first = tx.insert_request(&form, &submission).await.unwrap();
            if first {
                tx.insert_stack(&mine).await.unwrap();
                tx.audit(NewAudit::by(
                    &developer(),
                    "request.submitted",
                    ("request", form.summary.id.to_string(), "web"),
                    Some(&form.summary.project),
                ));
                tx.event(changed(mine.summary.id));
            }
            tx.commit(now()).await.unwrap();
            first
        })
    });
    let mut firsts = 0;
    for send in futures::future::join_all(sends).await {
        firsts += u32::from(send.unwrap());
    }
    assert_eq!(firsts, 1);
    let page = world
        .store
        .requests(&Scope::All, "developer", &Default::default())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(world.check_audit().await.lines, 1);
    assert_eq!(
        world
            .store
            .events_after(0, &Scope::All, &Default::default(), 100)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn a_submission_belongs_to_its_sender(world: World) {
    let number = sent(&request(&stack("any")));
    let mut made = Vec::new();
    for (name, who) in [("hers", "developer"), ("his", "owner"), ("its", "slipway")] {
        let stack = stack(name);
        let mut request = request(&stack);
        request.summary.requester = who.into();
        let mut tx = world.store.begin().await.unwrap();
        assert!(tx.insert_request(&request, &number).await.unwrap(), "{who}");
        tx.insert_stack(&stack).await.unwrap();
        tx.commit(now()).await.unwrap();
        made.push((who, request.summary.id));
    }
    for (who, id) in made {
        let found = world
            .store
            .submitted(who, number.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.request, found.content),
            (id, Some(number.content.clone())),
            "{who}"
        );
    }
    assert_eq!(
        world.store.submitted("approver", number.id).await.unwrap(),
        None
    );
}

async fn what_the_record_says_of_a_plan_is_found_by_its_request(world: World) {
    let request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let id = request.summary.id;
    assert_eq!(world.store.recorded_plan(id).await.unwrap(), None);
    for (action, digest) in [
        ("request.submitted", "one"),
        ("request.edited", "two"),
        // What somebody typed into a decision is no plan of this request.
        ("request.approved", "typed"),
        ("request.commented", "typed"),
    ] {
        let mut tx = world.store.begin().await.unwrap();
        tx.audit(
            NewAudit::by(
                &developer(),
                action,
                ("request", id.to_string(), "web"),
                Some(&request.summary.project),
            )
            .with(serde_json::json!({ "plan_digest": digest })),
        );
        tx.commit(now()).await.unwrap();
    }
    assert_eq!(
        world.store.recorded_plan(id).await.unwrap(),
        Some(RecordedPlan {
            digest: Some("two".to_owned()),
            sent_back: false
        })
    );
    // The newest line counts, also where it does not say what it should.
    let mut tx = world.store.begin().await.unwrap();
    tx.audit(NewAudit::by(
        &developer(),
        "request.sent_back",
        ("request", id.to_string(), "web"),
        Some(&request.summary.project),
    ));
    tx.commit(now()).await.unwrap();
    assert_eq!(
        world.store.recorded_plan(id).await.unwrap(),
        Some(RecordedPlan {
            digest: None,
            sent_back: true
        })
    );
    let said = world
        .store
        .last_audit_detail(&id.to_string(), "request.submitted")
        .await
        .unwrap();
    assert_eq!(said, Some(serde_json::json!({ "plan_digest": "one" })));
}

async fn who_wrote_and_who_approved_is_found_in_the_record(world: World) {
    let request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let other = world
        .add_request("other", RequestState::AwaitingApproval)
        .await;
    let id = request.summary.id;
    let decision = DecisionId(Uuid::now_v7());
    for (about, action, who, detail) in [
        (
            id,
            "request.submitted",
            "developer",
            json!({ "plan_digest": "one" }),
        ),
        (
            id,
            "request.edited",
            "owner",
            json!({ "plan_digest": "two" }),
        ),
        (id, "request.commented", "reader", json!({})),
        (
            id,
            "request.approved",
            "approver",
            json!({ "plan_digest": "one" }),
        ),
        (
            id,
            "request.approved",
            "second",
            json!({ "plan_digest": "two", "plan_revision": 2, "decision": decision }),
        ),
        (
            id,
            "request.approved",
            "odd",
            json!({ "plan_digest": "two", "plan_revision": 2, "decision": 7 }),
        ),
        (
            other.summary.id,
            "request.approved",
            "approver",
            json!({ "plan_digest": "two" }),
        ),
        (
            other.summary.id,
            "request.edited",
            "stranger",
            json!({ "plan_digest": "two" }),
        ),
    ] {
        let mut line = NewAudit::by(
            &developer(),
            action,
            ("request", about.to_string(), "web"),
            Some(&request.summary.project),
        )
        .with(detail);
        who.clone_into(&mut line.actor);
        let mut tx = world.store.begin().await.unwrap();
        tx.audit(line);
        tx.commit(now()).await.unwrap();
    }
    // A line that does not say which decision it is about tells of none.
    assert_eq!(
        world.store.recorded_approvals(id).await.unwrap(),
        [RecordedApproval {
            approver: "second".to_owned(),
            decision,
            plan_digest: "two".to_owned(),
            plan_revision: 2,
        }]
    );
    assert_eq!(
        world.store.recorded_authors(id).await.unwrap(),
        ["developer", "owner"]
    );
}

async fn the_slower_of_two_changes_loses_and_changes_nothing(world: World) {
    let mut first = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let mut second = first.clone();

    first.summary.state = RequestState::Approved;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_request(&mut first).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(first.summary.version, 2);

    second.summary.state = RequestState::Withdrawn;
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(tx.update_request(&mut second).await, Err(Error::Stale));
    drop(tx);
    assert_eq!(
        world.store.request(first.summary.id).await.unwrap(),
        Some(first.clone())
    );

    let mut nobody = first.clone();
    nobody.summary.id = types::ids::RequestId(Uuid::now_v7());
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(tx.update_request(&mut nobody).await, Err(Error::NotFound));
    drop(tx);

    // The same for a stack, raced: of eight who read version 1, one wins.
    let stack = world.add_stack("raced", StackState::Active).await;
    let races = (0..8).map(|_| {
        let store = world.store.clone();
        let mut stack = stack.clone();
        tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            stack.summary.state = StackState::Updating;
            let won = tx.update_stack(&mut stack).await;
            if won.is_ok() {
                tx.commit(now()).await.unwrap();
            }
            won
        })
    });
    let results: Vec<_> = futures::future::join_all(races)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(results.iter().filter(|won| won.is_ok()).count(), 1);
    assert_eq!(
        results
            .iter()
            .filter(|won| **won == Err(Error::Stale))
            .count(),
        7
    );
}

async fn a_name_is_held_until_the_stack_is_gone(world: World) {
    let mut held = world.add_stack("web", StackState::Reserved).await;
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.insert_stack(&stack("web")).await,
        Err(Error::Conflict(Conflict::StackNameTaken))
    );
    drop(tx);
    // Another tier is another name.
    let mut other = stack("web");
    other.summary.tier = Tier::Prod;
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_stack(&other).await.unwrap();
    tx.commit(now()).await.unwrap();

    held.summary.state = StackState::Deleted;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_stack(&mut held).await.unwrap();
    tx.insert_stack(&stack("web")).await.unwrap();
    tx.commit(now()).await.unwrap();
    let holder = world
        .store
        .stack_by_name(&project("payments"), Tier::Dev, &"web".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_ne!(holder.summary.id, held.summary.id);
}

async fn a_dropped_transaction_leaves_nothing(world: World) {
    let stack = stack("web");
    let request = request(&stack);
    let mut heard = world.store.subscribe();
    for explicitly in [false, true] {
        let mut tx = world.store.begin().await.unwrap();
        tx.insert_request(&request, &sent(&request)).await.unwrap();
        tx.insert_stack(&stack).await.unwrap();
        tx.audit(NewAudit::by(
            &developer(),
            "request.submitted",
            ("request", request.summary.id.to_string(), "web"),
            None,
        ));
        tx.event(changed(stack.summary.id));
        if explicitly {
            tx.rollback().await.unwrap();
        } else {
            drop(tx);
        }
    }
    // A request whose stack never came is refused at the end, whole.
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_request(&request, &sent(&request)).await.unwrap();
    assert_eq!(
        tx.commit(now()).await,
        Err(Error::Conflict(Conflict::Missing))
    );

    assert_eq!(world.store.request(request.summary.id).await.unwrap(), None);
    assert_eq!(world.store.stack(stack.summary.id).await.unwrap(), None);
    assert_eq!(world.check_audit().await.lines, 0);
    assert_eq!(world.store.latest_event().await.unwrap(), 0);
    assert!(heard.try_recv().is_err());
}

async fn a_decision_belongs_to_its_plan(world: World) {
    let mut request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let decision = |digest: &str, plan_revision: i64| NewDecision {
        id: DecisionId(Uuid::now_v7()),
        request: request.summary.id,
        approver: "approver".into(),
        decision: DecisionKind::Approve,
        comment: "fine".into(),
        plan_digest: digest.into(),
        plan_revision,
        break_glass: None,
        waited_seconds: 90,
        at: moment(30),
    };
    let first = decision("digest-1", 1);
    let again = decision("digest-1", 1);
    let later = decision("digest-1", 2);

    let mut tx = world.store.begin().await.unwrap();
    tx.insert_decision(&first).await.unwrap();
    assert!(tx.decisions(request.summary.id).await.unwrap()[0].current);
    tx.commit(now()).await.unwrap();
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(
        tx.insert_decision(&again).await,
        Err(Error::Conflict(Conflict::AlreadyDecided))
    );
    drop(tx);

    // A new plan makes the old approval worth nothing, and the same person may decide again, also where nothing of the plan changed.
    request.plan_revision = 2;
    let mut tx = world.store.begin().await.unwrap();
    tx.update_request(&mut request).await.unwrap();
    tx.commit(now()).await.unwrap();
    let decisions = world.store.decisions(request.summary.id).await.unwrap();
    assert_eq!((decisions.len(), decisions[0].current), (1, false));
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_decision(&later).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(world.store.recent_waits(10).await.unwrap(), [90, 90]);
}

async fn who_wrote_which_plan_is_kept_in_order(world: World) {
    let request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let author = |plan_revision: i64, subject: &str| PlanAuthor {
        plan_revision,
        subject: subject.into(),
        break_glass: (subject == "admin").then(|| BreakGlassId(Uuid::nil())),
        at: moment(plan_revision),
    };
    let wrote = [
        author(1, "developer"),
        author(2, "admin"),
        author(3, "developer"),
    ];
    let mut tx = world.store.begin().await.unwrap();
    for author in wrote.iter().rev() {
        tx.insert_author(request.summary.id, author).await.unwrap();
    }
    tx.commit(now()).await.unwrap();
    assert_eq!(
        world.store.authors(request.summary.id).await.unwrap(),
        wrote
    );
    let queue = world
        .store
        .waiting(&Scope::All, "approver", ApprovalTab::All, None, 50)
        .await
        .unwrap();
    assert_eq!(queue.rows[0].authors, wrote);
    let mut tx = world.store.begin().await.unwrap();
    assert!(
        tx.insert_author(request.summary.id, &wrote[0])
            .await
            .is_err()
    );
}

async fn broken_glass_gives_rights_until_it_ends(world: World) {
    world.add_project("search").await;
    let glass = |name: &str, ends: i64| BreakGlass {
        id: BreakGlassId(Uuid::now_v7()),
        project: project(name),
        subject: "admin".into(),
        reason: "The approvers are away.".into(),
        began_at: moment(0),
        ends_at: moment(ends),
        ended_at: None,
        ended_by: None,
    };
    let (short, long, other) = (
        glass("payments", 10),
        glass("payments", 20),
        glass("search", 20),
    );
    let mut tx = world.store.begin().await.unwrap();
    for glass in [&short, &long, &other] {
        tx.insert_break_glass(glass).await.unwrap();
    }
    tx.commit(now()).await.unwrap();
    let of = async |micros: i64| {
        let all = world.store.broken_glass_of("admin", moment(micros)).await;
        all.unwrap().into_iter().map(|g| g.id).collect::<Vec<_>>()
    };
    assert_eq!(of(9).await.len(), 3);
    // The last moment is not one of it.
    assert_eq!(of(10).await, [long.id, other.id]);
    assert!(
        world
            .store
            .broken_glass_of("Admin", moment(9))
            .await
            .unwrap()
            .is_empty()
    );

    let mut tx = world.store.begin().await.unwrap();
    let end = (moment(12), "owner");
    assert!(
        !tx.end_break_glass(&project("payments"), other.id, end.1, end.0)
            .await
            .unwrap()
    );
    assert!(
        !tx.end_break_glass(&project("payments"), short.id, end.1, end.0)
            .await
            .unwrap()
    );
    assert!(
        tx.end_break_glass(&project("payments"), long.id, end.1, end.0)
            .await
            .unwrap()
    );
    assert!(
        !tx.end_break_glass(&project("payments"), long.id, end.1, end.0)
            .await
            .unwrap()
    );
    tx.commit(now()).await.unwrap();
    assert_eq!(of(13).await, [other.id]);
    let read = world
        .store
        .break_glass(&project("payments"), long.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.ended_at, read.ended_by.as_deref()),
        (Some(moment(12)), Some("owner"))
    );
    let listed = world
        .store
        .break_glass_in(&project("payments"), 10)
        .await
        .unwrap();
    assert_eq!(listed.len(), 2);
}

async fn the_queue_of_approvals_says_what_is_needed(world: World) {
    let waiting = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let other = world.add_request("api", RequestState::Completed).await;
    let mut tx = world.store.begin().await.unwrap();
    tx.insert_decision(&NewDecision {
        id: DecisionId(Uuid::now_v7()),
        request: other.summary.id,
        approver: "approver".into(),
        decision: DecisionKind::Approve,
        comment: String::new(),
        plan_digest: "digest-1".into(),
        plan_revision: 1,
        break_glass: None,
        waited_seconds: 5,
        at: moment(40),
    })
    .await
    .unwrap();
    tx.insert_comment(
        waiting.summary.id,
        &Comment {
            id: CommentId(Uuid::now_v7()),
            author: "approver".into(),
            text: "Why so big?".into(),
            at: moment(41),
        },
    )
    .await
    .unwrap();
    tx.insert_activity(&NewActivity {
        request: Some(waiting.summary.id),
        stack: Some(waiting.summary.stack),
        actor: "developer".into(),
        text: "Sent the request.".into(),
        at: moment(42),
    })
    .await
    .unwrap();
    tx.commit(now()).await.unwrap();

    let scope = Scope::Projects(vec![project("payments"), project("search")]);
    let tab = |tab| world.store.waiting(&scope, "approver", tab, None, 50);
    let page = tab(ApprovalTab::All).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    let item = &page.rows[0];
    assert_eq!(item.summary, waiting.summary);
    assert_eq!(item.needs, waiting.needs);
    assert_eq!(item.plan_summary, "Creates a machine.");
    assert_eq!(item.plan_digest, "digest-1");
    assert_eq!(item.waiting_since, moment(12));
    let page = tab(ApprovalTab::Decided).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.rows[0].summary.id, other.summary.id);
    assert_eq!(page.rows[0].decisions.len(), 1);

    let id = waiting.summary.id;
    assert_eq!(
        world.store.comments(id, None, 10).await.unwrap().items[0].text,
        "Why so big?"
    );
    let timeline = world.store.request_timeline(id, None, 10).await.unwrap();
    assert_eq!((timeline.items.len(), timeline.total), (1, Some(1)));
    let activity = world
        .store
        .stack_activity(waiting.summary.stack, None, 10)
        .await
        .unwrap();
    assert_eq!(activity.items[0].text, "Sent the request.");
}

async fn requests_in_a_state_are_found_page_by_page(world: World) {
    let store = &world.store;
    let mut waiting = Vec::new();
    for n in 0..5 {
        let request = world
            .add_request(&format!("web-{n}"), RequestState::AwaitingApproval)
            .await;
        waiting.push(request.summary.id);
    }
    let denied = world.add_request("api", RequestState::Denied).await;
    waiting.sort_unstable();
    let mut found: Vec<RequestId> = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .requests_in_state(RequestState::AwaitingApproval, None, after, 2)
            .await
            .unwrap();
        after = page.last().copied();
        found.extend(&page);
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(found, waiting);
    let quiet = |state, since| store.requests_in_state(state, Some(since), None, 10);
    // What waits for approval is asked for since when it waits, the others when they were last written.
    let of = async |since| {
        quiet(RequestState::AwaitingApproval, moment(since))
            .await
            .unwrap()
            .len()
    };
    assert_eq!((of(11).await, of(12).await), (0, 5));
    let updated = denied.summary.updated_at;
    assert_eq!(
        quiet(RequestState::Denied, updated).await.unwrap(),
        [denied.summary.id]
    );
    let before = updated.plus(-time::Duration::MICROSECOND);
    assert_eq!(quiet(RequestState::Denied, before).await.unwrap(), []);

    // The queue in the order of its waiting, page by page as well.
    let mut last = store.request(waiting[0]).await.unwrap().unwrap();
    last.waiting_since = Some(moment(90));
    let mut tx = store.begin().await.unwrap();
    tx.update_request(&mut last).await.unwrap();
    tx.commit(now()).await.unwrap();
    for scope in [
        Scope::All,
        Scope::Projects(vec![project("payments"), project("search")]),
    ] {
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = store
                .waiting_longest(&scope, cursor.as_deref(), 2)
                .await
                .unwrap();
            assert!(page.rows.len() <= 2 && page.unreadable.is_empty());
            seen.extend(page.rows.into_iter().map(|row| row.summary.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut wanted = waiting.clone();
        wanted.rotate_left(1);
        assert_eq!(seen, wanted);
    }
    let nowhere = Scope::Projects(vec![]);
    let none = store.waiting_longest(&nowhere, None, 9).await.unwrap();
    assert_eq!(none, store::Queue::default());
    assert_eq!(
        store.waiting_longest(&Scope::All, Some("odd"), 9).await,
        Err(Error::Cursor)
    );
}

async fn what_waits_is_counted_by_person_and_by_tier(world: World) {
    let mut all = Vec::new();
    for (n, state) in [
        RequestState::AwaitingApproval,
        RequestState::ChangesRequested,
        RequestState::Denied,
        RequestState::Approved,
        RequestState::Withdrawn,
    ]
    .into_iter()
    .enumerate()
    {
        all.push(world.add_request(&format!("web-{n}"), state).await.summary);
    }
    let mut tx = world.store.begin().await.unwrap();
    let counted = async |tx: &mut store::Tx, beside: &RequestSummary| {
        let open = tx.open_requests(beside).await.unwrap();
        (open.of_person, open.in_tier)
    };
    assert_eq!(counted(&mut tx, &all[4]).await, (2, 2));
    assert_eq!(counted(&mut tx, &all[0]).await, (1, 1), "not itself");
    let mut other = all[4].clone();
    other.requester = "somebody".into();
    assert_eq!(counted(&mut tx, &other).await, (0, 2));
    other.tier = Tier::Prod;
    assert_eq!(counted(&mut tx, &other).await, (0, 0));
}

async fn what_was_said_and_done_is_read_page_by_page(world: World) {
    let store = &world.store;
    let request = world
        .add_request("web", RequestState::AwaitingApproval)
        .await;
    let (id, stack) = (request.summary.id, request.summary.stack);
    let mut tx = store.begin().await.unwrap();
    tx.lock("comments").await.unwrap();
    for n in 0..7 {
        // Two at each moment: the order is by id then, and no page loses or repeats one.
        let at = moment(100 + n / 2);
        tx.insert_comment(
            id,
            &Comment {
                id: CommentId(Uuid::now_v7()),
                author: "developer".into(),
                text: format!("comment {n}"),
                at,
            },
        )
        .await
        .unwrap();
        tx.insert_activity(&NewActivity {
            request: Some(id),
            stack: Some(stack),
            actor: "developer".into(),
            text: format!("line {n}"),
            at,
        })
        .await
        .unwrap();
        tx.insert_decision(&NewDecision {
            id: DecisionId(Uuid::now_v7()),
            request: id,
            approver: format!("approver {n}"),
            decision: DecisionKind::Approve,
            comment: String::new(),
            plan_digest: "digest-1".into(),
            plan_revision: 1,
            break_glass: None,
            waited_seconds: 1,
            at,
        })
        .await
        .unwrap();
    }
    assert_eq!(tx.count_comments(id).await.unwrap(), 7);
    tx.commit(now()).await.unwrap();

    let wanted = |what: &str| {
        (0..7)
            .rev()
            .map(|n| format!("{what} {n}"))
            .collect::<Vec<_>>()
    };
    let (mut comments, mut lines, mut activity, mut approvers) = (vec![], vec![], vec![], vec![]);
    let (mut c, mut t, mut a, mut d) = (None, None, None, None);
    for (page, rows) in [3, 3, 1].into_iter().enumerate() {
        let said = store.comments(id, c.as_deref(), 3).await.unwrap();
        let told = store.request_timeline(id, t.as_deref(), 3).await.unwrap();
        let done = store.stack_activity(stack, a.as_deref(), 3).await.unwrap();
        let decided = store.decisions_page(id, d.as_deref(), 3).await.unwrap();
        assert_eq!(
            [
                said.items.len(),
                told.items.len(),
                done.items.len(),
                decided.items.len()
            ],
            [rows; 4],
            "page {page}"
        );
        assert_eq!(
            [said.total, told.total, done.total, decided.total],
            [Some(7); 4]
        );
        comments.extend(said.items.into_iter().map(|comment| comment.text));
        lines.extend(told.items.into_iter().map(|line| line.text));
        activity.extend(done.items.into_iter().map(|line| line.text));
        approvers.extend(decided.items.into_iter().map(|decision| decision.approver));
        (c, t) = (said.next_cursor, told.next_cursor);
        (a, d) = (done.next_cursor, decided.next_cursor);
    }
    assert_eq!([c, t, a, d], [None, None, None, None]);
    assert_eq!(comments, wanted("comment"));
    assert_eq!(lines, wanted("line"));
    assert_eq!(activity, wanted("line"));
    assert_eq!(approvers, wanted("approver"));

    let known = store.comments(id, None, 1).await.unwrap().items.remove(0);
    assert_eq!(
        store.comment(known.id).await.unwrap(),
        Some((id, known.clone()))
    );
    assert_eq!(
        store.comment(CommentId(Uuid::now_v7())).await.unwrap(),
        None
    );
    assert_eq!(
        store.comments(id, Some("nonsense"), 3).await,
        Err(Error::Cursor)
    );
    assert_eq!(
        store.stack_activity(stack, Some("x!"), 3).await,
        Err(Error::Cursor)
    );
}

async fn azure_ids_are_one_in_any_case_of_letters(world: World) {
    let stack = world.add_stack("web", StackState::Active).await;
    let resource = |id: &str, state: &str| StackResource {
        id: id.into(),
        kind: "Microsoft.Compute/virtualMachines".into(),
        name: "vm".into(),
        state: state.into(),
        seen_at: moment(50),
    };
    let id = stack.summary.id;
    let mut tx = world.store.begin().await.unwrap();
    for seen in [
        resource("/subscriptions/S/resourceGroups/RG/vm", "Creating"),
        resource("/subscriptions/s/resourcegroups/rg/vm", "Succeeded"),
    ] {
        tx.put_stack_resource(id, &seen).await.unwrap();
    }
    assert_eq!(
        tx.stack_resources(id).await.unwrap(),
        [resource(
            "/subscriptions/s/resourcegroups/rg/vm",
            "Succeeded"
        )]
    );
    tx.delete_stack_resource(id, "/SUBSCRIPTIONS/s/resourceGroups/rg/VM")
        .await
        .unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(world.store.stack_resources(id).await.unwrap(), []);
}

async fn a_project_adds_up_its_stacks_and_promises(world: World) {
    let one = world.add_stack("one", StackState::Active).await;
    world.add_stack("two", StackState::Failed).await;
    world.add_stack("gone", StackState::Deleted).await;
    world.add_request("soon", RequestState::Approved).await;
    // A name that is held is no place, until its request is approved.
    world
        .add_request("asked", RequestState::AwaitingApproval)
        .await;
    world.add_request("refused", RequestState::Denied).await;
    let totals = |beside| {
        let store = world.store.clone();
        async move {
            let mut totals = store
                .tier_totals(&project("payments"), beside)
                .await
                .unwrap();
            assert_eq!(totals.len(), 1);
            totals.remove(0)
        }
    };
    let dev = totals(None).await;
    assert_eq!(
        (dev.tier, dev.stacks.active, dev.stacks.approved),
        (Tier::Dev, 2, 1)
    );
    assert_eq!(
        (dev.monthly.0, dev.own.0, dev.pending.0, dev.unpriced),
        (18_250, 0, 9_125, 0)
    );
    // Beside one of them, only what it costs itself is told.
    let dev = totals(Some(one.summary.id)).await;
    assert_eq!(dev.stacks.total(), 2);
    assert_eq!(
        (dev.monthly.0, dev.own.0, dev.pending.0),
        (9_125, 9_125, 9_125)
    );

    // An update counts with what it adds; one that takes off counts when it is gone.
    for (monthly, pending) in [(20_000, 20_000), (5_000, 9_125)] {
        let mut change = request(&one);
        change.summary.kind = types::request::RequestKind::Update;
        change.summary.state = RequestState::Executing;
        change.summary.monthly = types::cost::Usd(monthly);
        change.summary.unpriced = 1;
        let mut tx = world.store.begin().await.unwrap();
        assert!(tx.insert_request(&change, &sent(&change)).await.unwrap());
        tx.commit(now()).await.unwrap();
        let dev = totals(None).await;
        assert_eq!((dev.pending.0, dev.unpriced), (pending, 1), "{monthly}");
        change.summary.state = RequestState::Completed;
        let mut tx = world.store.begin().await.unwrap();
        tx.update_request(&mut change).await.unwrap();
        tx.commit(now()).await.unwrap();
    }
    let holding = world
        .store
        .stacks_of_project(&project("payments"))
        .await
        .unwrap();
    assert_eq!(holding.len(), 5);
    let ending: Vec<StackId> = world
        .store
        .stacks_expiring_before(moment(501), None, 10)
        .await
        .unwrap();
    assert_eq!(ending.len(), 2);
    // One at a time, each once.
    let mut after = None;
    for stack in ending {
        let page = world
            .store
            .stacks_expiring_before(moment(501), after, 1)
            .await
            .unwrap();
        assert_eq!(page, [stack]);
        after = Some(stack);
    }
    assert_eq!(
        world
            .store
            .stacks_expiring_before(moment(501), after, 1)
            .await
            .unwrap(),
        []
    );
    assert!(
        world
            .store
            .stacks_expiring_before(moment(500), None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn secrets_go_when_the_operation_ends(world: World) {
    let request = world.add_request("web", RequestState::Approved).await;
    let secret = SecretValue {
        name: "adminPassword".into(),
        ciphertext: vec![0, 159, 146, 150],
    };
    let id = request.summary.id;
    let mut tx = world.store.begin().await.unwrap();
    tx.put_secret(id, &secret, now()).await.unwrap();
    tx.commit(now()).await.unwrap();
    assert_eq!(
        world.store.secrets(id).await.unwrap(),
        std::slice::from_ref(&secret)
    );
    assert!(!format!("{secret:?}").contains("159"));
    let mut tx = world.store.begin().await.unwrap();
    assert_eq!(tx.erase_secrets(id).await.unwrap(), 1);
    tx.commit(now()).await.unwrap();
    assert!(world.store.secrets(id).await.unwrap().is_empty());
}
