//! The worker: the queue's jobs, the background refresh of Azure facts, expiry, the reconciler that finds operations without a job, the proof of ends, and
//! the audit record's checkpoints. What a round does when one of its rows fails is in `rows`.

mod rows;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::idempotency::KEPT;
use crate::{Error, Portal, Result};

pub(crate) use rows::{PassedOver, ROWS, Trouble, readable};

/// Operations that one process moves at the same time. Each mostly waits for Azure.
const CONCURRENCY: usize = 32;
/// How often expiry, pruning and the reconciler come round.
const ROUND: Duration = Duration::from_secs(60);
/// How often Azure's facts are asked anew.
const FACTS: Duration = Duration::from_secs(15 * 60);
/// How often the ends of stacks are compared with the audit record.
const PROOFS: Duration = Duration::from_secs(60 * 60);
/// The first try after Azure could not be asked for its facts.
const FACTS_AGAIN: Duration = Duration::from_secs(20);
/// An operation that did not move for so long gets a job, whether it has one or not: a second one finds nothing to do.
const QUIET: time::Duration = time::Duration::seconds(30);
/// How long events, and tokens that have ended, are kept.
const EVENTS: time::Duration = time::Duration::days(30);

impl Portal {
    /// Works until `stop` is cancelled, then ends what it holds and returns.
    ///
    /// # Errors
    /// None today: database trouble is waited out, and logged.
    pub async fn run_worker(&self, stop: CancellationToken) -> Result<()> {
        let portal = self.clone();
        let handler = move |operation| {
            let portal = portal.clone();
            async move {
                portal
                    .advance(operation)
                    .await
                    .map_err(|error| error.to_string())
            }
        };
        let worker = store::Worker {
            name: "slipway".to_owned(),
            concurrency: CONCURRENCY,
        };
        let queue = self.0.store.run_worker(worker, handler, stop.clone());
        tokio::join!(
            queue,
            self.rounds(&stop),
            self.facts(&stop),
            self.proofs(&stop),
            self.watch_audit(&stop)
        );
        Ok(())
    }

    /// One round of what time does; every part takes no input and may be run at any time, by any replica.
    ///
    /// # Errors
    /// The first part that failed; the others were run all the same.
    pub async fn reconcile(&self) -> Result<()> {
        let parts = [
            self.requeue_quiet().await,
            self.queue_approved().await,
            self.expire_requests().await,
            self.expire_stacks().await,
            self.prune().await,
        ];
        parts.into_iter().collect()
    }

    async fn rounds(&self, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.reconcile().await {
                tracing::warn!(%error, "a round of the reconciler failed; the next one comes in a minute");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    async fn facts(&self, stop: &CancellationToken) {
        if let Err(error) = self.load_facts().await {
            tracing::warn!(%error, "the Azure facts of last time could not be read");
        }
        loop {
            let wait = match self.refresh_facts().await {
                Ok(()) => FACTS,
                Err(error) => {
                    tracing::warn!(%error, "Azure's facts could not be read; the last ones hold");
                    FACTS_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn proofs(&self, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.prove_ends().await {
                tracing::warn!(%error, "the ends of stacks could not be compared with the audit record; the next round comes in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PROOFS) => {}
            }
        }
    }

    /// Operations that should move and did not: their job is lost, or sleeps.
    async fn requeue_quiet(&self) -> Result<()> {
        let now = self.now();
        let mut after = None;
        loop {
            let page = self
                .0
                .store
                .operations_quiet_since(now.plus(-QUIET), after, ROWS)
                .await?;
            let mut tx = self.0.store.begin().await?;
            for id in &page {
                tx.enqueue(*id, None).await?;
            }
            tx.commit(now).await?;
            after = page.last().copied();
            if page.len() < ROWS as usize {
                return Ok(());
            }
        }
    }

    async fn prune(&self) -> Result<()> {
        let now = self.now();
        self.0
            .store
            .prune(now, now.plus(-EVENTS), now.plus(-KEPT))
            .await?;
        Ok::<(), Error>(())
    }
}
