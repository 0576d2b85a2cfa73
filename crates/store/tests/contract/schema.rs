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
