//! The two engines behind one door: pools, connections, and the macros that run one SQL text on either. No table's queries live here.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use crate::error::{Error, Result};

/// The pools of one database.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// One connection writes, several read: SQLite has one write lock, and a queue in front of it is kinder than eight retries behind it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A connection taken from a pool, given back on drop.
pub(crate) enum Lease {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A connection to run SQL on, in a transaction or not.
pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// Runs one expression on whichever engine the connection belongs to.
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::engine::Conn::Sqlite($c) => $body,
            $crate::engine::Conn::Postgres($c) => $body,
        }
    };
}
pub(crate) use on;

/// Runs a statement with these binds; answers how many rows it touched.
macro_rules! execute {
    ($conn:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::on!($conn, |c| {
            sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
        }).map_err($crate::error::Error::from)
    };
}
pub(crate) use execute;

/// Reads all rows of a query with these binds.
macro_rules! fetch_all {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::on!($conn, |c| {
            sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
        }).map_err($crate::error::Error::from)
    };
}
pub(crate) use fetch_all;

/// Reads at most one row of a query with these binds.
macro_rules! fetch_optional {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::engine::on!($conn, |c| {
            sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
        }).map_err($crate::error::Error::from)
    };
}
pub(crate) use fetch_optional;

impl Lease {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Lease::Sqlite(c) => Conn::Sqlite(c),
            Lease::Postgres(c) => Conn::Postgres(c),
        }
    }
}

impl Conn<'_> {
    /// The same connection for one more statement.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Conn::Sqlite(c) => Conn::Sqlite(c),
            Conn::Postgres(c) => Conn::Postgres(c),
        }
    }
}

impl Engine {
    /// Opens `sqlite://<path>` (made where missing; `?max_page_count=N` limits the file to N pages of 4 KiB) or `postgres://…`.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            return Self::open_sqlite(url).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| Error::Url)?
                .application_name("slipway");
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(10))
                .connect_with(options)
                .await?;
            return Ok(Engine::Postgres(pool));
        }
        Err(Error::Url)
    }

    async fn open_sqlite(url: &str) -> Result<Self> {
        let (url, max_page_count) = take_max_page_count(url)?;
        let mut options = SqliteConnectOptions::from_str(&url)
            .map_err(|_| Error::Url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL would lose the last commits on power loss, and with them an operation that Azure has begun.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        if let Some(pages) = max_page_count {
            options = options.pragma("max_page_count", pages.to_string());
        }
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(Duration::from_secs(10))
            // A full disk makes SQLite roll back by itself; sqlx then still counts a transaction and fails every later one.
            // Such a connection is closed instead of handed out again.
            .after_release(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            // A write that strays to a reader must fail here, not race the writer.
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Engine::Sqlite { writer, readers })
    }

    /// A connection for reading; it sees what is committed.
    pub(crate) async fn read(&self) -> Result<Lease> {
        Ok(match self {
            Engine::Sqlite { readers, .. } => Lease::Sqlite(readers.acquire().await?),
            Engine::Postgres(pool) => Lease::Postgres(pool.acquire().await?),
        })
    }

    /// A connection for one statement that writes and commits by itself.
    pub(crate) async fn write(&self) -> Result<Lease> {
        Ok(match self {
            Engine::Sqlite { writer, .. } => Lease::Sqlite(writer.acquire().await?),
            Engine::Postgres(pool) => Lease::Postgres(pool.acquire().await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// Takes our own parameter out of an SQLite URL, because sqlx refuses one it does not know.
fn take_max_page_count(url: &str) -> Result<(String, Option<u32>)> {
    let Some((path, parameters)) = url.split_once('?') else {
        return Ok((url.to_owned(), None));
    };
    let mut pages = None;
    let mut others = vec![];
    for parameter in parameters.split('&') {
        match parameter.strip_prefix("max_page_count=") {
            Some(number) => pages = Some(number.parse().map_err(|_| Error::Url)?),
            None => others.push(parameter),
        }
    }
    let rest = if others.is_empty() {
        String::new()
    } else {
        format!("?{}", others.join("&"))
    };
    Ok((format!("{path}{rest}"), pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_writer_keeps_its_promises_after_the_queues_migrations() {
        let store = crate::Store::open("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        let Engine::Sqlite { writer, readers } = &store.engine else {
            panic!("not SQLite");
        };
        for (pool, query_only) in [(writer, 0), (readers, 1)] {
            for (pragma, wanted) in [
                ("PRAGMA synchronous", 2),
                ("PRAGMA foreign_keys", 1),
                ("PRAGMA busy_timeout", 5_000),
                ("PRAGMA query_only", query_only),
            ] {
                let (found,): (i64,) = sqlx::query_as(pragma).fetch_one(pool).await.unwrap();
                assert_eq!(found, wanted, "{pragma}");
            }
            let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode")
                .fetch_one(pool)
                .await
                .unwrap();
            assert_eq!(mode, "wal");
        }
    }

    #[test]
    fn the_page_limit_is_ours_and_the_rest_is_sqlx() {
        assert_eq!(
            take_max_page_count("sqlite:///a.db?mode=rwc&max_page_count=9").unwrap(),
            ("sqlite:///a.db?mode=rwc".to_owned(), Some(9))
        );
        assert_eq!(
            take_max_page_count("sqlite:///a.db").unwrap(),
            ("sqlite:///a.db".to_owned(), None)
        );
        assert!(take_max_page_count("sqlite:///a.db?max_page_count=many").is_err());
    }
}
