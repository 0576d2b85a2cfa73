//! One transaction: begins, collects audit lines, events and jobs beside the rows, commits all of it, then wakes who waits.

use sqlx::{Postgres, Sqlite, Transaction};
use types::time::Timestamp;

use crate::audit::NewAudit;
use crate::engine::{Conn, Engine, execute};
use crate::error::Result;
use crate::event::NewEvent;
use crate::{Store, audit, event};

/// A transaction. Dropped without [`Tx::commit`], nothing of it happened: no row, no event, no audit line, no job.
#[must_use = "a transaction does nothing until it is committed"]
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    store: Store,
    audits: Vec<NewAudit>,
    events: Vec<NewEvent>,
    pub(crate) has_jobs: bool,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// PostgreSQL's advisory lock around the tail of the audit chain and of the event sequence ("slipway" in ASCII).
/// Under it, numbers are given out in the order of commits: a reader that has seen event 7 never meets event 6 later.
const CHAIN_LOCK: i64 = 0x0073_6c69_7077_6179;

impl Tx {
    pub(crate) async fn begin(store: &Store) -> Result<Self> {
        let inner = match &store.engine {
            // A deferred transaction would fail half-way with SQLITE_BUSY when its first write comes after a read.
            Engine::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Engine::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Self {
            inner,
            store: store.clone(),
            audits: Vec::new(),
            events: Vec::new(),
            has_jobs: false,
        })
    }

    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match &mut self.inner {
            Inner::Sqlite(tx) => Conn::Sqlite(tx),
            Inner::Postgres(tx) => Conn::Postgres(tx),
        }
    }

    /// Holds `what` until this transaction ends: another one that asks for the same text waits. For limits that a count decides, where there may be no row to
    /// hold. Take it before anything else of the transaction. SQLite has one writer, which is lock enough.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn lock(&mut self, what: &str) -> Result<()> {
        if let Conn::Postgres(c) = self.conn() {
            execute!(
                Conn::Postgres(c),
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                what
            )?;
        }
        Ok(())
    }

    /// Adds a line to the audit chain; it is numbered, hashed and written at commit.
    pub fn audit(&mut self, line: NewAudit) {
        self.audits.push(line);
    }

    /// Tells pages and clients that something changed; it is numbered and written at commit.
    pub fn event(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Makes everything true, then wakes subscribers and workers. `now` is the time of the audit lines and events.
    ///
    /// # Errors
    /// Any; then nothing of the transaction happened. [`crate::Error::Unavailable`] may also mean that the answer was lost: read again before repeating.
    pub async fn commit(mut self, now: Timestamp) -> Result<()> {
        let audits = std::mem::take(&mut self.audits);
        let events = std::mem::take(&mut self.events);
        let mut latest = None;
        if !audits.is_empty() || !events.is_empty() {
            if let Conn::Postgres(c) = self.conn() {
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(CHAIN_LOCK)
                    .execute(c)
                    .await?;
            }
            audit::append(self.conn(), audits, now).await?;
            latest = event::append(self.conn(), events, now).await?;
            if let (Some(seq), Conn::Postgres(c)) = (latest, self.conn()) {
                execute!(
                    Conn::Postgres(c),
                    "SELECT pg_notify('slipway_event', $1)",
                    seq.to_string()
                )?;
            }
        }
        match self.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        // Nobody listening is fine.
        if let Some(seq) = latest {
            let _ = self.store.shared.events.send(seq);
        }
        if self.has_jobs {
            let _ = self.store.shared.jobs.send(());
        }
        Ok(())
    }

    /// Takes everything back, at once rather than when the connection is next used.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the connection broke; the database then takes it back by itself.
    pub async fn rollback(self) -> Result<()> {
        match self.inner {
            Inner::Sqlite(tx) => tx.rollback().await?,
            Inner::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}
