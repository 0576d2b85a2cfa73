//! The rows of a round: what fails with one of them stays with that one. The others have their turn in the same round.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use time::Duration;
use types::time::Timestamp;

use crate::plans::proof::is_altered;
use crate::{Error, Portal, Result};

/// Rows of one read. A round goes through all of them, page by page: what cannot be dealt with must not hide what stands behind it.
pub(crate) const ROWS: u32 = 500;
/// How long a row is left alone that cannot be read or meets a fault of ours: the next try would only log the same again.
const REST: Duration = Duration::hours(1);
/// Most rows that are remembered. Beyond that the list is emptied, and failures are logged again.
const MOST: usize = 10_000;

/// Why a row of a round was passed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What is stored cannot be understood.
    #[error("the database holds something there that Slipway cannot read ({0})")]
    Unreadable(String),
    /// What was done with it failed.
    #[error("{0}")]
    Failed(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Self {
        match error {
            // Not an internal error yet: that would be logged in every round.
            store::Error::Corrupt(what) => Self::Unreadable(what),
            other => Self::Failed(other.into()),
        }
    }
}

/// A row that was read by its id; `None` where there is nothing to do about it any more.
pub(crate) fn readable<T>(
    read: store::Result<Option<T>>,
) -> std::result::Result<Option<T>, Trouble> {
    Ok(read?)
}

/// Rows that are left alone, and until when.
#[derive(Debug, Default)]
pub(crate) struct PassedOver(Mutex<HashMap<String, Timestamp>>);

impl PassedOver {
    fn rests(&self, row: &str, now: Timestamp) -> bool {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(row).is_some_and(|until| now < *until)
    }

    /// Whether nobody was told of the row within the last hour; from now on somebody was.
    pub(crate) fn is_first(&self, row: &str, now: Timestamp) -> bool {
        if self.rests(row, now) {
            return false;
        }
        self.rest(row.to_owned(), now.plus(REST));
        true
    }

    fn rest(&self, row: String, until: Timestamp) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST {
            rows.clear();
        }
        rows.insert(row, until);
    }
}

impl Portal {
    /// Deals with one row of a round. What is wrong with it is logged, once an hour where it will not pass by itself, and keeps nobody from the others.
    ///
    /// # Errors
    /// When the database does not answer or is full: the other rows would come to the same, one time-out after the other.
    pub(crate) async fn each<F>(
        &self,
        what: &str,
        id: impl Display,
        deal: impl FnOnce() -> F,
    ) -> Result<()>
    where
        F: Future<Output = std::result::Result<(), Trouble>>,
    {
        let row = format!("{what} {id}");
        let now = self.now();
        if self.0.passed_over.rests(&row, now) {
            return Ok(());
        }
        // On the heap: some of these make a plan.
        let trouble = match Box::pin(deal()).await {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        match &trouble {
            // Somebody, or another replica, was faster. A plan that was altered is no such thing: its row stays until an admin looks at it.
            Trouble::Failed(error @ Error::Conflict { .. }) if !is_altered(error) => return Ok(()),
            Trouble::Failed(Error::StorageFull) => return Err(Error::StorageFull),
            // The database may be away, or only Azure, or only this row locked.
            Trouble::Failed(Error::Unavailable { .. }) => self.ready().await?,
            _ => self.0.passed_over.rest(row.clone(), now.plus(REST)),
        }
        tracing::warn!(row, %trouble, "a round passes this over and goes on with the others");
        Ok(())
    }
}
