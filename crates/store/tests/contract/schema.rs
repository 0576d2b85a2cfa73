//! The two schemas are one: same tables, columns, nullability and indexes; every SQLite table of ours is strict; migrations run twice without harm.

use std::collections::BTreeSet;

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{Error, Store};

use crate::world::World;

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    let mut c = SqliteConnection::connect(&sqlite.url).await.unwrap();
    let ours = "m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '!_%' ESCAPE '!' AND m.name NOT IN ('Jobs', 'Workers')";
    let columns_sqlite: BTreeSet<(String, String, bool)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT m.name, p.name, p.\"notnull\" = 0 FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND {ours}"
    )))
    .fetch_all(&mut c)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let indexes_sqlite: BTreeSet<(String, String)> = sqlx::query_as(
        "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name NOT IN ('Jobs', 'Workers')",
    )
    .fetch_all(&mut c)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let loose: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT m.name FROM pragma_table_list m WHERE m.type = 'table' AND NOT m.strict AND {ours}"
    )))
    .fetch_all(&mut c)
    .await
    .unwrap();
    assert_eq!(loose, [], "tables that are not STRICT");

    let mut c = PgConnection::connect(&postgres.url).await.unwrap();
    let columns_postgres: BTreeSet<(String, String, bool)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'",
    )
    .fetch_all(&mut c)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let indexes_postgres: BTreeSet<(String, String)> = sqlx::query_as(
        "SELECT tablename::text, indexname::text FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%' \
         AND indexname NOT LIKE '%\\_pkey'",
    )
    .fetch_all(&mut c)
    .await
    .unwrap()
    .into_iter()
    .collect();

    assert!(columns_sqlite.len() > 150, "{}", columns_sqlite.len());
    assert_eq!(columns_sqlite, columns_postgres);
    assert_eq!(indexes_sqlite, indexes_postgres);
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_two_at_once_are_safe() {
    for world in [World::sqlite().await, World::postgres().await] {
        let second = Store::open(&world.url).await.unwrap();
        let (one, two) = tokio::join!(world.store.migrate(), second.migrate());
        assert_eq!((one, two), (Ok(()), Ok(())));
        world.store.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_without_tables_is_not_ready_and_a_foreign_url_is_refused() {
    let empty = Store::open("sqlite::memory:").await.unwrap();
    assert!(empty.ping().await.is_err());
    empty.migrate().await.unwrap();
    empty.ping().await.unwrap();
    for url in ["mysql://db", "", "slipway.db"] {
        assert_eq!(Store::open(url).await.unwrap_err(), Error::Url);
    }
    let nobody = Store::open("postgres://nobody@127.0.0.1:1/none").await;
    assert!(matches!(nobody, Err(Error::Unavailable(_))), "{nobody:?}");
}

/// What the migrations find when authors and plan numbers are new: two requests, one edited, one decided on twice.
fn before_authors(id: impl Fn(u8) -> String, json: &str) -> String {
    let at = |second: u8| format!("'2026-11-22T12:00:{second:02}.000000Z'");
    let mut sql = format!(
        "INSERT INTO project (name, settings) VALUES ('payments', {json});\
         INSERT INTO stack (id, project, tier, name, state, template, owner, monthly, created_at, updated_at, version, revision, posture, target, outputs) \
         VALUES ({stack}, 'payments', 'dev', 'web', 'reserved', 't@1.0.0', 'developer', 0, {at}, {at}, 1, 0, {json}, {json}, {json});",
        stack = id(9),
        at = at(0)
    );
    for (request, digest) in [(1, "d2"), (2, "d9")] {
        sql.push_str(&format!(
            "INSERT INTO request (id, kind, state, project, tier, stack_id, name, template, requester, monthly, monthly_change, posture, warnings, denials, \
             plan_digest, plan_summary, created_at, updated_at, version) \
             VALUES ({}, 'create', 'awaiting_approval', 'payments', 'dev', {}, 'web', 't@1.0.0', 'developer', 0, 0, {json}, 0, 0, '{digest}', '', {at}, {at}, 1);",
            id(request),
            id(9),
            at = at(1)
        ));
    }
    for (n, request, approver, digest) in [
        (11, 1, "second", "d1"),
        (12, 1, "approver", "d2"),
        (13, 1, "second", "d2"),
        (14, 2, "approver", "d1"),
    ] {
        sql.push_str(&format!(
            "INSERT INTO decision (id, request_id, approver, decision, body, plan_digest, waited_seconds, at) \
             VALUES ({}, {}, '{approver}', 'approve', '', '{digest}', 0, {});",
            id(n),
            id(request),
            at(n)
        ));
    }
    for (seq, actor) in [(1, "owner"), (2, "owner"), (3, "developer")] {
        sql.push_str(&format!(
            "INSERT INTO audit_event (seq, at, actor, via, action, subject_kind, subject_id, subject_name, detail, previous_hash, hash) \
             VALUES ({seq}, {}, '{actor}', 'person', 'request.edited', 'request', '00000000-0000-0000-0000-0000000000ab', 'web', {json}, '', '');",
            at(seq + 20)
        ));
    }
    sql
}

#[tokio::test]
async fn requests_from_before_authors_were_kept_get_them_and_their_decisions_get_numbers() {
    // Request 1 is …ab, for its letters: the record writes an id in lower case and with dashes.
    let tail = |n: u8| {
        if n == 1 {
            "ab".to_owned()
        } else {
            format!("{n:02}")
        }
    };
    let decisions = "SELECT approver, plan_digest, plan_revision FROM decision ORDER BY at";
    let authors = "SELECT subject, plan_revision FROM request_author ORDER BY request_id DESC, at";
    let revisions = "SELECT plan_digest, plan_revision FROM request ORDER BY plan_digest";
    let mut found = Vec::new();

    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        folder.path().join("old.db").display()
    );
    let mut c = SqliteConnection::connect(&url).await.unwrap();
    let id = |n: u8| format!("X'000000000000000000000000000000{}'", tail(n));
    for sql in [
        include_str!("../../../../migrations/sqlite/0001_foundation.sql"),
        &before_authors(id, "'{}'"),
        include_str!("../../../../migrations/sqlite/0003_four_eyes.sql"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut c)
            .await
            .unwrap();
    }
    found.push((
        sqlx::query_as::<_, (String, String, i64)>(decisions)
            .fetch_all(&mut c)
            .await
            .unwrap(),
        sqlx::query_as::<_, (String, i64)>(authors)
            .fetch_all(&mut c)
            .await
            .unwrap(),
        sqlx::query_as::<_, (String, i64)>(revisions)
            .fetch_all(&mut c)
            .await
            .unwrap(),
    ));

    let database = tokio::task::spawn_blocking(test_postgres::Database::create)
        .await
        .unwrap()
        .unwrap();
    let mut c = PgConnection::connect(database.url()).await.unwrap();
    let id = |n: u8| format!("'00000000-0000-0000-0000-0000000000{}'", tail(n));
    for sql in [
        include_str!("../../../../migrations/postgres/0001_foundation.sql"),
        &before_authors(id, "'{}'"),
        include_str!("../../../../migrations/postgres/0003_four_eyes.sql"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut c)
            .await
            .unwrap();
    }
    found.push((
        sqlx::query_as::<_, (String, String, i64)>(decisions)
            .fetch_all(&mut c)
            .await
            .unwrap(),
        sqlx::query_as::<_, (String, i64)>(authors)
            .fetch_all(&mut c)
            .await
            .unwrap(),
        sqlx::query_as::<_, (String, i64)>(revisions)
            .fetch_all(&mut c)
            .await
            .unwrap(),
    ));

    for (decisions, authors, revisions) in found {
        let of = |approver: &str, digest: &str, n| (approver.to_owned(), digest.to_owned(), n);
        assert_eq!(
            decisions,
            [
                of("second", "d1", 1),
                of("approver", "d2", 2),
                of("second", "d2", 2),
                of("approver", "d1", 1),
            ]
        );
        let of = |text: &str, n| (text.to_owned(), n);
        assert_eq!(revisions, [of("d2", 2), of("d9", 2)]);
        assert_eq!(
            authors,
            [of("developer", 1), of("owner", 2), of("developer", 1)]
        );
    }
}

/// What the other migrations find: a stack with a resource and a plan, one that is gone, an approved request, keys, a token.
fn before_the_rest(id: impl Fn(u8) -> String, byte: impl Fn(u8) -> String) -> String {
    let at = "'2026-11-22T12:00:30.000000Z'";
    let plan = r#"'{"cost":{"unpriced":["a","b"]},"quota":[
        {"subscription":"S1","region":"WestEurope","family":"StandardDSv6","requested":4},
        {"subscription":"S1","region":"WestEurope","family":"cores","requested":0}]}'"#;
    let group = "/subscriptions/S1/resourceGroups/RG-web";
    let (there, gone, request) = (id(20), id(21), id(22));
    let mut sql = String::new();
    for (stack, name, state) in [(&there, "made", "active"), (&gone, "gone", "deleted")] {
        sql.push_str(&format!(
            "INSERT INTO stack (id, project, tier, name, state, template, owner, monthly, created_at, updated_at, version, revision, posture, target, outputs, plan) \
             VALUES ({stack}, 'payments', 'dev', '{name}', '{state}', 't@1.0.0', 'developer', 0, {at}, {at}, 1, 1, '{{}}', '{{}}', '{{}}', {plan});"
        ));
        let resource = format!("{group}/providers/Microsoft.Compute/virtualMachines/{name}");
        sql.push_str(&format!(
            "INSERT INTO stack_resource (stack_id, resource_key, resource_id, kind, name, state, seen_at) \
             VALUES ({stack}, '{}', '{resource}', 'Microsoft.Compute/virtualMachines', '{name}', 'Succeeded', {at});",
            resource.to_lowercase()
        ));
    }
    sql.push_str(&format!(
        "INSERT INTO request (id, kind, state, project, tier, stack_id, name, template, requester, monthly, monthly_change, posture, warnings, denials, \
         plan_digest, plan_summary, created_at, updated_at, version) \
         VALUES ({request}, 'update', 'approved', 'payments', 'dev', {there}, 'made', 't@1.0.0', 'developer', 0, 0, '{{}}', 0, 0, 'd5', '', {at}, {at}, 1);\
         INSERT INTO request_document (request_id, draft, needs, plan) VALUES ({request}, '{{}}', '[]', {plan});\
         INSERT INTO comment (id, request_id, author, body, at) VALUES ({}, {request}, 'developer', 'Please.', {at});\
         INSERT INTO operation (id, stack_id, request_id, kind, state, project, tier, stack_name, revision, requested_by, created_at, updated_at, version) \
         VALUES ({}, {there}, {request}, 'apply', 'queued', 'payments', 'dev', 'made', 1, 'developer', {at}, {at}, 1);\
         INSERT INTO api_token (id, subject, name, prefix, hash, created_at, expires_at) VALUES ({}, 'developer', 'ci', 'slw_', {}, {at}, {at});\
         INSERT INTO idempotency (actor, idempotency_key, request_hash, status, body, created_at) VALUES ('done', 'k', {hash}, 201, '{{}}', {at}), \
         ('refused', 'k', {hash}, 409, '{{}}', {at});",
        id(23),
        id(24),
        id(25),
        byte(1),
        hash = byte(2),
    ));
    sql
}

/// All migrations of an engine but the first, in their order.
fn after_the_first(engine: &str) -> Vec<String> {
    let folder = format!("{}/../../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files[1..]
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

/// What the migrations make of those rows: a text and a number each.
const MADE_OF_THEM: [&str; 8] = [
    "SELECT resource_key || ' in ' || scope_key, CAST(count(sent_at) AS BIGINT) FROM resource_reservation GROUP BY resource_key, scope_key",
    "SELECT 'their own numbers', CAST(count(*) AS BIGINT) FROM request WHERE submission = id AND submission_hash IS NULL",
    "SELECT name || ' has unpriced parts', CAST(unpriced AS BIGINT) FROM stack WHERE unpriced > 0 ORDER BY name",
    "SELECT name || ' asks for unpriced parts', CAST(unpriced AS BIGINT) FROM request WHERE unpriced > 0 ORDER BY name",
    "SELECT subscription || ' ' || region || ' ' || family, CAST(amount AS BIGINT) FROM request_quota",
    "SELECT actor, CAST(status AS BIGINT) FROM idempotency WHERE made_kind IS NULL ORDER BY actor",
    "SELECT name, CAST(count(shown_at) AS BIGINT) FROM api_token WHERE shown_at = created_at GROUP BY name",
    "SELECT 'queued for', CAST(count(*) AS BIGINT) FROM operation WHERE plan_digest IS NULL",
];

#[tokio::test]
async fn every_migration_takes_the_rows_that_were_there_along() {
    let tail = |n: u8| {
        if n == 1 {
            "ab".to_owned()
        } else {
            format!("{n:02}")
        }
    };
    let mut found: Vec<Vec<(String, i64)>> = Vec::new();

    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        folder.path().join("old.db").display()
    );
    let mut c = SqliteConnection::connect(&url).await.unwrap();
    let id = |n: u8| format!("X'000000000000000000000000000000{}'", tail(n));
    let mut steps = vec![
        include_str!("../../../../migrations/sqlite/0001_foundation.sql").to_owned(),
        before_authors(id, "'{}'"),
        before_the_rest(id, |n| format!("X'{n:02}'")),
    ];
    steps.extend(after_the_first("sqlite"));
    for sql in steps {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut c)
            .await
            .unwrap();
    }
    let mut rows = Vec::new();
    for sql in MADE_OF_THEM {
        let some: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut c).await.unwrap();
        rows.extend(some);
    }
    found.push(rows);

    let database = tokio::task::spawn_blocking(test_postgres::Database::create)
        .await
        .unwrap()
        .unwrap();
    let mut c = PgConnection::connect(database.url()).await.unwrap();
    let id = |n: u8| format!("'00000000-0000-0000-0000-0000000000{}'", tail(n));
    let mut steps = vec![
        include_str!("../../../../migrations/postgres/0001_foundation.sql").to_owned(),
        before_authors(id, "'{}'"),
        before_the_rest(id, |n| format!("'\\x{n:02}'")),
    ];
    steps.extend(after_the_first("postgres"));
    for sql in steps {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut c)
            .await
            .unwrap();
    }
    let mut rows = Vec::new();
    for sql in MADE_OF_THEM {
        let some: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut c).await.unwrap();
        rows.extend(some);
    }
    found.push(rows);

    for rows in found {
        let rows: Vec<(&str, i64)> = rows.iter().map(|(text, n)| (text.as_str(), *n)).collect();
        assert_eq!(
            rows,
            [
                (
                    "/subscriptions/s1/resourcegroups/rg-web/providers/microsoft.compute/virtualmachines/made in /subscriptions/s1/resourcegroups/rg-web",
                    1
                ),
                ("their own numbers", 3),
                ("gone has unpriced parts", 2),
                ("made has unpriced parts", 2),
                ("made asks for unpriced parts", 2),
                ("s1 westeurope standarddsv6", 4),
                ("done", 201),
                ("ci", 1),
                ("queued for", 1),
            ]
        );
    }
}
