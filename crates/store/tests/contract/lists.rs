//! Stories of long lists: pages that neither repeat nor skip, filters, and an index for each of them.

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{Error, Scope, StackEnd};
use types::request::{RequestFilter, RequestState};
use types::stack::{StackFilter, StackState};

use crate::world::{World, moment, now, project, request, sent, stack};

crate::stories![
    pages_neither_repeat_nor_skip,
    filters_find_what_they_say,
    a_list_of_many_requests_uses_an_index,
    stacks_at_rest_come_in_the_order_of_their_ends,
];

/// Adds requests to three projects in turn, several at the very same moment.
async fn fill(world: &World, count: usize) {
    for name in ["search", "ledger"] {
        world.add_project(name).await;
    }
    let mut tx = world.store.begin().await.unwrap();
    for i in 0..count {
        let mut stack = stack(&format!("stack-{i}"));
        stack.summary.project = project(["payments", "search", "ledger"][i % 3]);
        stack.summary.state = StackState::Active;
        stack.summary.created_at = moment(i64::try_from(i / 4).unwrap() * 500_000);
        let mut request = request(&stack);
        request.summary.created_at = stack.summary.created_at;
        request.summary.requester = ["developer", "owner"][i % 2].into();
        request.summary.state = [RequestState::Completed, RequestState::Denied][i / 3 % 2];
        tx.insert_request(&request, &sent(&request)).await.unwrap();
        tx.insert_stack(&stack).await.unwrap();
    }
    tx.commit(now()).await.unwrap();
}

async fn pages_neither_repeat_nor_skip(world: World) {
    fill(&world, 60).await;
    let two = Scope::Projects(vec![project("payments"), project("search")]);
    for (scope, wanted) in [(Scope::All, 60), (two, 40)] {
        let mut filter = RequestFilter {
            limit: Some(7),
            ..RequestFilter::default()
        };
        let mut seen = vec![];
        loop {
            let page = world
                .store
                .requests(&scope, "developer", &filter)
                .await
                .unwrap();
            assert!(page.items.len() <= 7);
            seen.extend(page.items.into_iter().map(|row| (row.created_at, row.id.0)));
            filter.cursor = page.next_cursor;
            if filter.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), wanted);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
    }
    let mut filter = StackFilter {
        limit: Some(50),
        ..StackFilter::default()
    };
    let page = world.store.stacks(&Scope::All, &filter).await.unwrap();
    filter.cursor = page.next_cursor;
    let rest = world.store.stacks(&Scope::All, &filter).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len()), (50, 10));
    for foreign in ["", "x", "bm90IG91cnM", "eyJhIjoxfQ"] {
        let filter = RequestFilter {
            cursor: Some(foreign.into()),
            ..RequestFilter::default()
        };
        assert_eq!(
            world.store.requests(&Scope::All, "", &filter).await,
            Err(Error::Cursor)
        );
    }
}

async fn filters_find_what_they_say(world: World) {
    fill(&world, 60).await;
    let count = |scope: Scope, filter: RequestFilter| {
        let store = world.store.clone();
        async move {
            let filter = RequestFilter {
                limit: Some(100),
                ..filter
            };
            store
                .requests(&scope, "owner", &filter)
                .await
                .unwrap()
                .items
                .len()
        }
    };
    let filter = RequestFilter::default;
    let payments = Some(project("payments"));
    let only = RequestFilter {
        project: payments.clone(),
        ..filter()
    };
    assert_eq!(count(Scope::All, only.clone()).await, 20);
    assert_eq!(
        count(Scope::Projects(vec![project("search")]), only).await,
        0
    );
    assert_eq!(count(Scope::Projects(vec![]), filter()).await, 0);
    let denied = RequestFilter {
        state: Some(RequestState::Denied),
        ..filter()
    };
    assert_eq!(count(Scope::All, denied).await, 30);
    let mine = RequestFilter {
        mine: true,
        project: payments,
        ..filter()
    };
    assert_eq!(count(Scope::All, mine).await, 10);
    for (text, found) in [
        ("stack-5", 11),
        ("STACK-59", 1),
        ("%", 0),
        ("_", 0),
        ("'; --", 0),
    ] {
        let named = RequestFilter {
            text: Some(text.into()),
            ..filter()
        };
        assert_eq!(count(Scope::All, named).await, found, "{text}");
    }
    let deleted = StackFilter {
        state: Some(StackState::Deleted),
        ..StackFilter::default()
    };
    assert!(
        world
            .store
            .stacks(&Scope::All, &deleted)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

async fn a_list_of_many_requests_uses_an_index(world: World) {
    fill(&world, 3).await;
    const COLUMNS: &str = "kind, state, project, tier, stack_id, name, template, requester, monthly, monthly_change, posture, warnings, denials, \
        plan_digest, plan_summary, waiting_since, sent_back";
    if world.store.is_shared() {
        let mut c = PgConnection::connect(&world.url).await.unwrap();
        let sql = format!(
            "INSERT INTO request (id, {COLUMNS}, created_at, updated_at, version) SELECT gen_random_uuid(), {COLUMNS}, \
             created_at + n * interval '1 second', updated_at, version FROM request, generate_series(1, 10000) AS n"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut c)
            .await
            .unwrap();
        sqlx::query("ANALYZE").execute(&mut c).await.unwrap();
    } else {
        let mut c = SqliteConnection::connect(&world.url).await.unwrap();
        let sql = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000) \
             INSERT INTO request (id, {COLUMNS}, created_at, updated_at, version) SELECT randomblob(16), {COLUMNS}, \
             strftime('%Y-%m-%dT%H:%M:%f000Z', created_at, n || ' seconds'), updated_at, version FROM request, numbers"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut c)
            .await
            .unwrap();
    }
    let two = Scope::Projects(vec![project("payments"), project("search")]);
    let filter = RequestFilter::default;
    for scope in [Scope::All, two] {
        for filter in [
            filter(),
            RequestFilter {
                state: Some(RequestState::AwaitingApproval),
                ..filter()
            },
            RequestFilter {
                mine: true,
                ..filter()
            },
            RequestFilter {
                project: Some(project("payments")),
                ..filter()
            },
        ] {
            let how = world
                .store
                .explain_requests(&scope, "developer", &filter)
                .await
                .unwrap()
                .join("\n");
            if world.store.is_shared() {
                assert!(
                    how.contains("Index Scan") && !how.contains("Seq Scan"),
                    "{how}"
                );
            } else {
                assert!(
                    how.contains("USING INDEX request_")
                        && !how.lines().any(|line| line.trim() == "SCAN request"),
                    "{how}"
                );
            }
            let page = world
                .store
                .requests(&scope, "developer", &filter)
                .await
                .unwrap();
            assert!(page.items.len() <= 25);
        }
    }
}

async fn stacks_at_rest_come_in_the_order_of_their_ends(world: World) {
    let mut ids = vec![];
    let mut tx = world.store.begin().await.unwrap();
    for (name, state, ends) in [
        ("last", StackState::Active, Some(300)),
        ("first", StackState::Failed, Some(100)),
        ("also-first", StackState::Stopped, Some(100)),
        ("endless", StackState::Active, None),
        ("gone", StackState::Deleted, Some(50)),
        ("reserved", StackState::Reserved, Some(50)),
        ("later", StackState::Active, Some(900)),
    ] {
        let mut stack = stack(name);
        stack.summary.state = state;
        stack.summary.expires_at = ends.map(moment);
        tx.insert_stack(&stack).await.unwrap();
        ids.push(stack.summary.id);
    }
    tx.commit(now()).await.unwrap();
    let mut same = [ids[1], ids[2]];
    same.sort_unstable();

    let mut ending = vec![];
    loop {
        let after = ending.last().copied();
        let page = world
            .store
            .stacks_expiring_before(moment(900), after, 1)
            .await
            .unwrap();
        let Some(id) = page.first() else { break };
        ending.push(*id);
    }
    assert_eq!(ending, [same[0], same[1], ids[0]]);

    let mut ends = vec![];
    loop {
        let after = ends.last().map(|row: &StackEnd| row.stack);
        let page = world.store.stack_ends(after, 2).await.unwrap();
        ends.extend_from_slice(&page);
        if page.len() < 2 {
            break;
        }
    }
    let mut wanted: Vec<StackEnd> = [
        (0, Some(300)),
        (1, Some(100)),
        (2, Some(100)),
        (3, None),
        (6, Some(900)),
    ]
    .map(|(n, ends)| StackEnd {
        stack: ids[n],
        ends: ends.map(|ends| moment(ends).micros_text()),
    })
    .into();
    wanted.sort_unstable_by_key(|row| row.stack);
    assert_eq!(ends, wanted);

    // A moment of PostgreSQL that no calendar has hides no other stack, and is no panic.
    if world.store.is_shared() {
        let mut c = PgConnection::connect(&world.url).await.unwrap();
        sqlx::query("UPDATE stack SET expires_at = 'infinity' WHERE name = 'last'")
            .execute(&mut c)
            .await
            .unwrap();
        let again = world.store.stack_ends(None, 10).await.unwrap();
        assert_eq!(again.len(), wanted.len());
        let unreadable = world.store.stack(ids[0]).await;
        assert!(
            matches!(unreadable, Err(Error::Corrupt(_))),
            "{unreadable:?}"
        );
    }
}
