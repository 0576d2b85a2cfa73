//! Rows of the approvals queue as they stand now: proved, judged by the rules of now, and kept for a few seconds, because an event wakes every open queue at
//! the same moment. Whom a row needs is counted anew each time, and a decision never meets what is kept here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use store::{Unreadable, Waiting};
use time::Duration;
use types::ids::RequestId;
use types::time::Timestamp;

use super::four_eyes::Authors;
use crate::plans::proof::is_altered;
use crate::worker::Trouble;
use crate::{Error, Portal, Result};

/// How long a judged row is shown again while its request has the same version. Project settings and other requests may have changed since.
const KEPT: Duration = Duration::seconds(5);
/// Requests that are remembered: a few kilobytes each. Beyond that, all are judged again.
const MOST: usize = 1_000;
/// How often a request is read again that is edited at this moment.
const TRIES: usize = 3;

const ALTERED: &str = "Altered: open it.";
const UNREADABLE: &str = "It cannot be shown: open it.";

/// A row and what is known of who may decide it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) waiting: Waiting,
    pub(super) authors: Authors,
    /// Why it cannot be approved now, where it was judged again.
    pub(super) refused: Option<String>,
}

/// What may be shown of a row.
#[derive(Debug, Clone)]
pub(super) enum Judged {
    /// All of it.
    Proved(Arc<Row>),
    /// Its title and state, and what is wrong with it: whatever else it says, nobody agreed to.
    Withheld(&'static str),
}

struct Kept {
    version: i64,
    at: Timestamp,
    judged: Judged,
}

/// One request's row. Whoever comes while it is judged waits for the answer.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// The rows of the last seconds, of everybody who looks.
#[derive(Default)]
pub(crate) struct JudgedRows(Mutex<HashMap<RequestId, Slot>>);

impl JudgedRows {
    fn slot(&self, id: RequestId) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(&id) {
            slots.clear();
        }
        Arc::clone(slots.entry(id).or_default())
    }
}

impl Kept {
    fn holds(&self, version: i64, now: Timestamp) -> bool {
        let age = now.since(self.at);
        self.version == version && age >= Duration::ZERO && age < KEPT
    }
}

impl Portal {
    /// A row as it stands now, or stood in the last seconds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::StorageFull`]. What is wrong with the one row is no error: it is withheld.
    pub(super) async fn judged(&self, waiting: &Waiting) -> Result<Judged> {
        let s = &waiting.summary;
        let slot = self.0.judged_rows.slot(s.id);
        let mut kept = slot.lock().await;
        if let Some(kept) = kept
            .as_ref()
            .filter(|kept| kept.holds(s.version, self.now()))
        {
            return Ok(kept.judged.clone());
        }
        let at = self.now();
        let (version, judged) = match Box::pin(self.read_and_judge(waiting)).await {
            Ok(row) => (row.waiting.summary.version, Judged::Proved(Arc::new(row))),
            Err(Trouble::Failed(error @ (Error::Unavailable { .. } | Error::StorageFull))) => {
                return Err(error);
            }
            Err(Trouble::Failed(error)) if is_altered(&error) => {
                (s.version, Judged::Withheld(ALTERED))
            }
            Err(trouble) => {
                self.told_once(s.id, &trouble);
                (s.version, Judged::Withheld(UNREADABLE))
            }
        };
        *kept = Some(Kept {
            version,
            at,
            judged: judged.clone(),
        });
        Ok(judged)
    }

    async fn read_and_judge(&self, waiting: &Waiting) -> std::result::Result<Row, Trouble> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Box::pin(self.judged_once(waiting)).await {
                Err(Trouble::Failed(Error::Conflict {
                    code: "stale_version",
                    ..
                })) if tries < TRIES => {}
                answer => return answer,
            }
        }
    }

    async fn judged_once(&self, waiting: &Waiting) -> std::result::Result<Row, Trouble> {
        let id = waiting.summary.id;
        let mut request = self
            .0
            .store
            .request(id)
            .await?
            .ok_or(Error::NotFound { what: "request" })?;
        self.prove(&request).await?;
        let today = Box::pin(self.judge_again(&mut request)).await?;
        let decisions = self.recorded_decisions(id).await?;
        let authors = self.authors_of(&request, &waiting.authors).await?;
        let (plan_summary, plan_digest) = request
            .plan
            .map(|plan| (plan.summary, plan.digest))
            .unwrap_or_default();
        Ok(Row {
            waiting: Waiting {
                summary: request.summary,
                plan_summary,
                plan_digest,
                needs: request.needs,
                authors: waiting.authors.clone(),
                decisions,
                waiting_since: waiting.waiting_since,
            },
            authors,
            refused: today.refused,
        })
    }

    /// Logs the rows that the queue leaves out.
    pub(super) fn left_out(&self, unreadable: &[Unreadable]) {
        for Unreadable { request, why } in unreadable {
            let why = Trouble::Unreadable(why.to_string());
            match request {
                Some(id) => self.told_once(*id, &why),
                None => tracing::warn!(%why, "the approvals queue leaves out a row"),
            }
        }
    }

    /// Every page would log the same.
    fn told_once(&self, id: RequestId, trouble: &Trouble) {
        let row = format!("queued request {id}");
        if self.0.passed_over.is_first(&row, self.now()) {
            tracing::warn!(row, %trouble, "the approvals queue cannot show this");
        }
    }
}
