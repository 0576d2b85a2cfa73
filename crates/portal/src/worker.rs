//! The worker: the queue's jobs, the background refresh of Azure facts, expiry, and the reconciler that finds operations without a job.

use tokio_util::sync::CancellationToken;

use crate::{Error, Portal, Result};

impl Portal {
    /// Works until `stop` is cancelled, then ends what it holds and returns.
    ///
    /// # Errors
    /// When the queue cannot be opened.
    pub async fn run_worker(&self, stop: CancellationToken) -> Result<()> {
        let _ = stop;
        Err(Error::internal("run_worker is being built"))
    }
}
