//! The job queue (apalis): a job names an operation to be advanced, is enqueued in the transaction of the rows it serves, and is taken again when its worker dies.
//! What the operation is and what comes next is not known here.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use apalis::prelude::{
    BackendExt as _, BoxDynError, TaskBuilder, WorkerBuilder, WorkerBuilderExt as _, WorkerContext,
};
use apalis::prelude::{IntervalStrategy, Strategy, StreamStrategy};
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;
use types::ids::OperationId;
use types::time::Timestamp;
use uuid::Uuid;

use crate::engine::{Conn, Engine, execute};
use crate::error::{Error, Result};
use crate::{Store, Tx};

/// The queue's name in apalis's tables.
const QUEUE: &str = "operation";

/// A dead worker's jobs are taken again after this many missed beats of this length.
const HEARTBEAT: Duration = Duration::from_secs(2);
const MISSED_HEARTBEATS: usize = 3;

/// How often the queue is looked at when nothing wakes it: jobs whose time has come, jobs of other processes.
const POLL: Duration = Duration::from_millis(200);

/// How long a stopping worker waits for the jobs at work; what is not done by then is taken by the next worker.
const GRACE: Duration = Duration::from_secs(10);

/// What stands in a job: which operation to advance, and how often advancing it failed unexpectedly in a row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Job {
    operation: OperationId,
    #[serde(default)]
    failures: u32,
}

/// How a worker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// A readable start of its name in the database; process id and a UUID are added, because a name used twice would take its own jobs away.
    pub name: String,
    /// Jobs at work at the same time.
    pub concurrency: usize,
}

impl Tx {
    /// Enqueues advancing an operation, now or not before `run_at`. The queue keeps whole seconds: `run_at` is rounded up, so a wait of less than a
    /// second is better slept in the handler. A rolled-back transaction enqueues nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn enqueue(
        &mut self,
        operation: OperationId,
        run_at: Option<Timestamp>,
    ) -> Result<()> {
        self.push(
            Job {
                operation,
                failures: 0,
            },
            run_at,
        )
        .await
    }

    async fn push(&mut self, job: Job, run_at: Option<Timestamp>) -> Result<()> {
        let args = serde_json::to_vec(&job).map_err(|_| Error::Other("a job".into()))?;
        let mut task = TaskBuilder::new(args);
        if let Some(at) = run_at {
            let at = at.get();
            let whole = at.unix_timestamp() + i64::from(at.nanosecond() > 0);
            task = task.run_at_timestamp(u64::try_from(whole).unwrap_or(0));
        }
        let tasks = vec![task.build()];
        match self.conn() {
            Conn::Sqlite(c) => apalis_sqlite::queries::push_tasks(c, QUEUE, &tasks)
                .await
                .map_err(sqlite_error)?,
            Conn::Postgres(c) => apalis_postgres::queries::push_tasks(c, QUEUE, tasks)
                .await
                .map_err(postgres_error)?,
        }
        self.has_jobs = true;
        Ok(())
    }
}

impl Store {
    /// Works on the queue until `shutdown` is cancelled, then waits up to 10 seconds for the jobs at work. Database trouble is waited out.
    ///
    /// `handler` advances one operation. Each call runs as a task of its own, so a slow or panicking one does not stop the heartbeat. `Err` (or a panic)
    /// means *unexpected*: it is logged here, and the job comes again after 1, 2, 4 … 60 seconds. A job may be delivered twice (a worker that was
    /// only slow): the operation's version must fence it.
    pub async fn run_worker<H, F>(&self, worker: Worker, handler: H, shutdown: CancellationToken)
    where
        H: Fn(OperationId) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = std::result::Result<(), String>> + Send + 'static,
    {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.take_orphans().await {
                tracing::warn!(%error, "the queue could not be looked through; trying again");
            }
            // A fresh name each time: the one before may still hold jobs, which go back when its heartbeat is missed.
            let name = format!("{}-{}-{}", worker.name, std::process::id(), Uuid::now_v7());
            let tidy = self.tidy();
            let work = self.work(&name, worker.concurrency, handler.clone(), &shutdown);
            let ended = tokio::select! {
                ended = work => ended,
                () = tidy => Ok(()),
            };
            match ended {
                Ok(()) => {}
                Err(error) => tracing::warn!(
                    error,
                    "the worker lost its queue; starting again in a second"
                ),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    async fn work<H, F>(
        &self,
        name: &str,
        concurrency: usize,
        handler: H,
        shutdown: &CancellationToken,
    ) -> std::result::Result<(), String>
    where
        H: Fn(OperationId) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = std::result::Result<(), String>> + Send + 'static,
    {
        let context = WorkerContext::new(name);
        let strategy = Strategy::new()
            .apply(StreamStrategy::new(BroadcastStream::new(
                self.shared.jobs.subscribe(),
            )))
            .apply(IntervalStrategy::new(POLL));
        let store = self.clone();
        let task = move |job: Job| {
            let store = store.clone();
            let handler = handler.clone();
            async move { store.advance(job, handler).await }
        };
        // Batches of one: with a job waiting in its buffer behind a full house, apalis sends no heartbeat.
        // No separate lock: the fetch marks the job as taken, and one write less is one fsync less.
        macro_rules! run {
            ($storage:expr) => {{
                // Boxed: the compiler cannot see through apalis's service types that this future may change threads.
                let mut run = WorkerBuilder::new(context.clone())
                    .backend($storage.poll_with_strategy(strategy))
                    .concurrency(concurrency.max(1))
                    .build(task)
                    .run()
                    .boxed();
                tokio::select! {
                    ended = &mut run => ended,
                    () = shutdown.cancelled() => {
                        let _ = context.stop();
                        match tokio::time::timeout(GRACE, run).await {
                            Ok(ended) => ended,
                            Err(_) => Ok(()),
                        }
                    }
                }
            }};
        }
        let ended = match &self.engine {
            Engine::Sqlite { writer, .. } => {
                let config = apalis_sqlite::Config::default()
                    .queue(QUEUE)
                    .batch_size(1)
                    .lock_tasks(false)
                    .heartbeat_interval(HEARTBEAT)
                    .missed_heartbeats(MISSED_HEARTBEATS);
                run!(apalis_sqlite::SqliteStorage::<Job>::new(writer).with_config(config))
            }
            Engine::Postgres(pool) => {
                let config = apalis_postgres::Config::default()
                    .queue(QUEUE)
                    .batch_size(1)
                    .lock_tasks(false)
                    .heartbeat_interval(HEARTBEAT)
                    .missed_heartbeats(MISSED_HEARTBEATS);
                run!(apalis_postgres::PostgresStorage::<Job>::new(pool).with_config(config))
            }
        };
        ended.map_err(|error| error.to_string())
    }

    /// One delivery of a job.
    async fn advance<H, F>(&self, job: Job, handler: H) -> std::result::Result<(), BoxDynError>
    where
        H: Fn(OperationId) -> F,
        F: Future<Output = std::result::Result<(), String>> + Send + 'static,
    {
        let failure = match tokio::spawn(handler(job.operation)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(error) if error.is_panic() => "the handler panicked".to_owned(),
            Err(_) => "the runtime is shutting down".to_owned(),
        };
        let wait = Duration::from_secs(1 << job.failures.min(6)).min(Duration::from_secs(60));
        tracing::error!(operation = %job.operation, failures = job.failures + 1, retry_seconds = wait.as_secs(), failure, "an operation could not be advanced");
        let again = Job {
            operation: job.operation,
            failures: job.failures.saturating_add(1),
        };
        let mut tx = self.begin().await?;
        let now = queue_now();
        tx.push(again, Some(now.plus(wait.try_into()?))).await?;
        tx.commit(now).await?;
        Ok(())
    }

    /// SQLite is one process: at its first start, whatever the queue says is at work belongs to a process that is dead. Waiting for its missed
    /// heartbeats would cost six seconds.
    async fn take_orphans(&self) -> Result<()> {
        if !matches!(self.engine, Engine::Sqlite { .. })
            || self.shared.orphans_taken.swap(true, Ordering::SeqCst)
        {
            return Ok(());
        }
        let mut lease = self.engine.write().await?;
        let taken = execute!(
            lease.conn(),
            "UPDATE Jobs SET status = 'Pending', lock_by = NULL, lock_at = NULL, attempts = attempts + 1 \
             WHERE job_type = $1 AND status IN ('Queued', 'Running')",
            QUEUE
        )?;
        if taken > 0 {
            tracing::info!(jobs = taken, "taking the jobs of the process before");
        }
        Ok(())
    }

    /// Deletes what the queue has done with, every minute. apalis's own `vacuum` would rewrite the whole database file.
    async fn tidy(&self) {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            if let Err(error) = self.delete_finished_jobs().await {
                tracing::warn!(%error, "finished jobs could not be deleted");
            }
        }
    }

    /// Deletes finished jobs and the names of workers that are long gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn delete_finished_jobs(&self) -> Result<u64> {
        const DONE: &str =
            "status IN ('Done', 'Killed') OR (status = 'Failed' AND attempts >= max_attempts)";
        let mut lease = self.engine.write().await?;
        match lease.conn() {
            Conn::Sqlite(c) => {
                let gone = execute!(
                    Conn::Sqlite(&mut *c),
                    sqlx::AssertSqlSafe(format!("DELETE FROM Jobs WHERE {DONE}"))
                )?;
                execute!(
                    Conn::Sqlite(c),
                    "DELETE FROM Workers WHERE last_seen < strftime('%s', 'now') - 3600 \
                     AND NOT EXISTS (SELECT 1 FROM Jobs WHERE lock_by = Workers.id)"
                )?;
                Ok(gone)
            }
            Conn::Postgres(c) => {
                let gone = execute!(
                    Conn::Postgres(&mut *c),
                    sqlx::AssertSqlSafe(format!("DELETE FROM apalis.jobs WHERE {DONE}"))
                )?;
                execute!(
                    Conn::Postgres(c),
                    "DELETE FROM apalis.workers w WHERE w.last_seen < now() - interval '1 hour' \
                     AND NOT EXISTS (SELECT 1 FROM apalis.jobs j WHERE j.lock_by = w.id)"
                )?;
                Ok(gone)
            }
        }
    }

    /// Jobs that wait or are at work: for readiness pages and tests.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn unfinished_jobs(&self) -> Result<u64> {
        let mut lease = self.engine.read().await?;
        let (count,): (i64,) = match lease.conn() {
            Conn::Sqlite(c) => {
                sqlx::query_as(
                    "SELECT COUNT(*) FROM Jobs WHERE status IN ('Pending', 'Queued', 'Running')",
                )
                .fetch_one(c)
                .await?
            }
            Conn::Postgres(c) => sqlx::query_as(
                "SELECT COUNT(*) FROM apalis.jobs WHERE status IN ('Pending', 'Queued', 'Running')",
            )
            .fetch_one(c)
            .await?,
        };
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

/// The queue runs on the machine's clock (apalis compares with it), whatever the portal's clock says.
#[expect(
    clippy::disallowed_methods,
    reason = "apalis compares run_at with the machine's clock, so the delay has to start from the same one"
)]
fn queue_now() -> Timestamp {
    Timestamp::new(SystemTime::now().into())
}

fn sqlite_error(error: apalis_sqlite::Error) -> Error {
    match error {
        apalis_sqlite::Error::Database(error) => error.into(),
        _ => Error::Other("queue".into()),
    }
}

fn postgres_error(error: apalis_postgres::Error) -> Error {
    match error {
        apalis_postgres::Error::Database(error) => error.into(),
        _ => Error::Other("queue".into()),
    }
}
