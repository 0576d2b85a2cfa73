//! Slipway's database: every table's queries, the job queue and its transaction. SQLite or PostgreSQL, one SQL text for both. Nothing is decided here.
//!
//! - [`Store`] reads (what is committed) and makes the few single writes that stand alone (sessions, facts, idempotency).
//! - [`Tx`] is one transaction and holds every other write: request, stack, audit, events and jobs become true together or not at all.
//! - Every noun has its module with its record type; the methods hang on `Store` and `Tx`.
//!
//! Two traps. On SQLite there is one writer: while a `Tx` is open, awaiting a *writing* method of `Store` (or a second `begin`) waits for itself until
//! the pool gives up after 10 seconds; reads go on. And [`Tx::audit`] and [`Tx::event`] are kept until [`Tx::commit`], which writes them last: the
//! chain's lock is then always taken after the rows' locks, so that two transactions cannot wait for each other.

#![recursion_limit = "256"]

mod activity;
mod audit;
mod audit_chain;
mod audit_checkpoint;
mod author;
mod azure_fact;
mod break_glass;
mod columns;
mod comment;
mod decision;
mod ended_token;
mod engine;
mod error;
mod event;
mod idempotency;
mod installation;
mod limits;
mod list;
mod operation;
mod person;
mod project;
mod queue;
mod request;
mod reservation;
mod secret;
mod session;
mod stack;
mod token;
mod turn;
mod tx;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::broadcast;
use types::time::Timestamp;

pub use activity::NewActivity;
pub use audit::{NewAudit, RecordedApproval, RecordedPlan};
pub use audit_chain::{AuditHead, KeptDecision, KeptText, TextKind};
pub use azure_fact::AzureFact;
pub use break_glass::BreakGlass;
pub use decision::NewDecision;
pub use ended_token::EndedToken;
pub use error::{Conflict, Error, Result};
pub use event::{EventFilter, NewEvent};
pub use idempotency::{Idempotency, Made};
pub use limits::{OpenRequests, QuotaHeld, TierTotal};
pub use list::Scope;
pub use operation::{Operation, OperationFilter, Step};
pub use person::Person;
pub use queue::Worker;
pub use request::{Queue, Request, StackRequest, Submission, Submitted, Unreadable, Waiting};
pub use reservation::{Reservation, scope_key};
pub use secret::SecretValue;
pub use session::Session;
pub use stack::{NamedStack, Stack, StackEnd};
pub use token::ApiToken;
pub use turn::Turn;
pub use tx::Tx;

use engine::Engine;

/// How long a revoked token is known as one.
const REVOKED_TOKENS: time::Duration = time::Duration::days(365);

/// The database. Cheap to clone; all clones share pools and wake-ups.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    pub(crate) shared: Arc<Shared>,
}

/// What all clones share and the last one drops.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The latest event's sequence, after each commit that had events.
    pub(crate) events: broadcast::Sender<i64>,
    /// One tick after each commit that enqueued a job.
    pub(crate) jobs: broadcast::Sender<()>,
    /// True once this process looked for jobs that a dead process held (SQLite only).
    pub(crate) orphans_taken: AtomicBool,
    /// PostgreSQL: the task that hears other processes' commits.
    listener: Option<tokio::task::JoinHandle<()>>,
    /// The folder of a throw-away database.
    _throw_away: Option<tempfile::TempDir>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Store {
    /// Opens `sqlite:///path/slipway.db` (made where missing), `postgres://…`, or `sqlite::memory:`, which is a throw-away file in the temporary folder:
    /// a real in-memory database has one connection, and readers would wait for the writer.
    ///
    /// # Errors
    /// [`Error::Url`] for another address; [`Error::Unavailable`] where nothing answers.
    pub async fn open(url: &str) -> Result<Self> {
        let (events, _) = broadcast::channel(256);
        let (jobs, _) = broadcast::channel(16);
        let mut throw_away = None;
        let engine = if url == "sqlite::memory:" {
            let folder = tempfile::tempdir().map_err(sqlx::Error::Io)?;
            let url = format!("sqlite://{}", folder.path().join("slipway.db").display());
            throw_away = Some(folder);
            Engine::open(&url).await?
        } else {
            Engine::open(url).await?
        };
        let listener = match &engine {
            Engine::Sqlite { .. } => None,
            Engine::Postgres(pool) => {
                Some(tokio::spawn(event::listen(pool.clone(), events.clone())))
            }
        };
        Ok(Self {
            engine,
            shared: Arc::new(Shared {
                events,
                jobs,
                orphans_taken: AtomicBool::new(false),
                listener,
                _throw_away: throw_away,
            }),
        })
    }

    /// Brings the tables to this version: the queue's own first, then ours. Idempotent; PostgreSQL replicas that start together wait for each other.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the database is newer than this program or a migration was changed.
    pub async fn migrate(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite { writer, .. } => {
                // Not `SqliteStorage::setup`: that sets `synchronous = OFF` on the writer.
                let mut queue = apalis_sqlite::SqliteStorage::migrations();
                queue.dangerous_set_table_name("_apalis_migrations");
                queue.run(writer).await?;
                sqlx::migrate!("../../migrations/sqlite")
                    .run(writer)
                    .await?;
            }
            Engine::Postgres(pool) => {
                let mut queue = apalis_postgres::PostgresStorage::migrations();
                queue.dangerous_set_table_name("_apalis_migrations");
                queue.run(pool).await?;
                sqlx::migrate!("../../migrations/postgres")
                    .run(pool)
                    .await?;
            }
        }
        Ok(())
    }

    /// Asks the database for a sign of life, writer included: for readiness.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not answer; [`Error::Corrupt`] when the tables are missing.
    pub async fn ping(&self) -> Result<()> {
        let mut lease = self.engine.read().await?;
        let _: Option<(i64,)> = engine::fetch_optional!(
            lease.conn(),
            (i64,),
            "SELECT seq FROM event ORDER BY seq DESC LIMIT 1"
        )?;
        Ok(())
    }

    /// Begins a transaction. On SQLite it waits for the one writer.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection becomes free within 10 seconds.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self).await
    }

    /// Hears the sequence number of the latest event after each commit, in this process and (PostgreSQL) in others. It is a hint to read
    /// [`Store::events_after`]: numbers may repeat, skip or come late.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<i64> {
        self.shared.events.subscribe()
    }

    /// Wakes everybody who subscribed, here and (PostgreSQL) in other processes, although no event was written: after rights ended, so that streams notice.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer; this process was woken all the same.
    pub async fn wake(&self) -> Result<()> {
        // Nobody listening is fine.
        let _ = self.shared.events.send(0);
        if let Engine::Postgres(pool) = &self.engine {
            sqlx::query("SELECT pg_notify('slipway_event', '0')")
                .execute(pool)
                .await?;
        }
        Ok(())
    }

    /// True when several processes may share this database (PostgreSQL).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Closes the pools, waiting for connections that are out.
    pub async fn close(&self) {
        if let Some(listener) = &self.shared.listener {
            listener.abort();
        }
        self.engine.close().await;
    }

    /// Deletes what has had its time: events before `events_before`, tokens that ended before it, idempotency records before `keys_before`, sessions that
    /// ended before `now`, and what is remembered of tokens that were revoked a year ago.
    /// Answers how many rows went.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn prune(
        &self,
        now: Timestamp,
        events_before: Timestamp,
        keys_before: Timestamp,
    ) -> Result<u64> {
        let mut lease = self.engine.write().await?;
        let mut gone = 0;
        for (sql, before) in [
            ("DELETE FROM event WHERE at < $1", events_before),
            ("DELETE FROM api_token WHERE expires_at < $1", events_before),
            ("DELETE FROM idempotency WHERE created_at < $1", keys_before),
            ("DELETE FROM session WHERE expires_at < $1", now),
            (
                "DELETE FROM revoked_token WHERE revoked_at < $1",
                now.plus(-REVOKED_TOKENS),
            ),
        ] {
            gone += engine::execute!(lease.conn(), sql, columns::At(before))?;
        }
        Ok(gone)
    }
}
