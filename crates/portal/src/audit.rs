//! The audit record: reading it, checking it, exporting it. Lines are written by the transaction they record; signing is in `signing`.

mod check;
mod proved;
pub(crate) mod refusals;
mod signing;
pub(crate) mod texts;

use std::time::{Duration, Instant};

use futures::Stream;
use record::Read;
use tokio_util::sync::CancellationToken;
use types::actor::{Actor, Right};
use types::audit::{AuditCheck, AuditEvent, AuditFilter};
use types::page::Page;

pub use check::check_record;
pub use signing::{Destination, Signing};

use crate::{Error, Portal, Result};

/// Lines read at once: some 500 kB.
const PAGE: u32 = 1_000;
/// How often a running installation checks its whole record by itself.
const HOURLY: Duration = Duration::from_secs(60 * 60);
/// How often the worker looks whether there is something to sign.
const LOOK: Duration = Duration::from_secs(5);

/// How long signing rests after it failed or was refused: the log would fill up with the same line.
const REST: Duration = Duration::from_secs(5 * 60);
/// The page shows a check that is so many times older than it took: at most a tenth of the time goes into checking.
const REUSED: u32 = 10;

/// What of the record a running installation keeps in memory.
#[derive(Default)]
pub(crate) struct Watch {
    /// The last check. One runs at a time: each reads the whole record.
    last: tokio::sync::Mutex<Option<Checked>>,
    pub(crate) signed: signing::Remembered,
    pub(crate) refusals: refusals::Refusals,
}

struct Checked {
    began: Instant,
    took: Duration,
    check: AuditCheck,
}

impl Portal {
    /// A page of the record, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody but auditors and admins.
    pub async fn audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<Page<AuditEvent>> {
        may_audit(actor)?;
        Ok(self
            .0
            .store
            .audit_events(&store::Scope::All, filter)
            .await?)
    }

    /// Checks the whole record: every hash, every checkpoint outside the database, and every text that a line proves.
    ///
    /// # Errors
    /// As [`Portal::audit`].
    pub async fn check_audit(&self, actor: &Actor) -> Result<AuditCheck> {
        may_audit(actor)?;
        self.check_audit_now(false).await
    }

    /// As [`Portal::check_audit`], for a page that is loaded again and again: of a large record, the answer may be seconds old.
    ///
    /// # Errors
    /// As [`Portal::audit`].
    pub async fn recent_audit_check(&self, actor: &Actor) -> Result<AuditCheck> {
        may_audit(actor)?;
        self.check_audit_now(true).await
    }

    /// Lines `from` to `to` of the record as canonical JSON, one a line, read page by page while they are taken. Ends with the line that is the last one now.
    ///
    /// # Errors
    /// As [`Portal::audit`].
    pub async fn export_audit(
        &self,
        actor: &Actor,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Result<impl Stream<Item = Result<String>> + Send + use<>> {
        may_audit(actor)?;
        export_record(self.0.store.clone(), from, to).await
    }

    async fn check_audit_now(&self, recent: bool) -> Result<AuditCheck> {
        let arrived = Instant::now();
        let mut last = self.0.watch.last.lock().await;
        if let Some(last) = &*last {
            // Who waited for a check that began after they asked has their answer.
            let fresh = last.began >= arrived;
            if fresh || (recent && last.began.elapsed() <= last.took * REUSED) {
                return Ok(last.check.clone());
            }
        }
        let began = Instant::now();
        let check = check_record(&self.0.store, &self.0.signing).await?;
        *last = Some(Checked {
            began,
            took: began.elapsed(),
            check: check.clone(),
        });
        Ok(check)
    }

    /// Checks the record now and every hour, signs it as it grows, and says loudly when it was changed.
    pub(crate) async fn watch_audit(&self, stop: &CancellationToken) {
        let mut checked: Option<Instant> = None;
        let mut rests_until = Instant::now();
        loop {
            self.tell_refusals(false).await;
            let first = checked.is_none();
            if checked.is_none_or(|at| at.elapsed() >= HOURLY) {
                self.alarm().await;
                checked = Some(Instant::now());
            }
            // A first checkpoint also where nothing is new: there may be another key, or a file that was moved away.
            if Instant::now() >= rests_until && !self.try_to_sign(first).await {
                rests_until = Instant::now() + REST;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Ends the record of this process: what was counted is written, and what was written is signed.
    ///
    /// # Errors
    /// As [`Portal::sign_audit`].
    pub async fn close_audit(&self) -> Result<()> {
        self.tell_refusals(true).await;
        self.sign_audit(true).await?;
        Ok(())
    }

    async fn alarm(&self) {
        match self.check_audit_now(false).await {
            Ok(check) if check.result.is_bad() => tracing::error!(
                result = check.result.word(),
                first_bad = check.first_bad,
                detail = check.detail,
                "the audit record is not the one that was written, or its proof is missing; docs/audit.md says what to do"
            ),
            Ok(check) => {
                tracing::info!(
                    result = check.result.word(),
                    lines = check.lines,
                    "the audit record was checked"
                );
            }
            Err(error) => tracing::warn!(%error, "the audit record could not be checked"),
        }
    }

    /// False when it should not be tried again at once.
    async fn try_to_sign(&self, always: bool) -> bool {
        match self.sign_audit(always).await {
            Ok(goes_on) => goes_on,
            Err(error) => {
                tracing::warn!(%error, "no checkpoint of the audit record could be written; it is tried again in some minutes");
                false
            }
        }
    }
}

/// Lines `from` to `to` as canonical JSON, without the end of a line, read page by page while they are taken.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer.
pub async fn export_record(
    store: store::Store,
    from: Option<i64>,
    to: Option<i64>,
) -> Result<impl Stream<Item = Result<String>> + Send + use<>> {
    let head = store.audit_head().await?.map_or(0, |head| head.seq);
    let last = to.map_or(head, |to| to.min(head));
    // Without `from`, also a line with a number that Slipway never gives: leaving it out would hide it.
    let after = from.map_or(i64::MIN, |from| from.saturating_sub(1));
    let start = (store, after, Vec::new().into_iter());
    Ok(futures::stream::try_unfold(
        start,
        move |(store, mut after, mut page)| async move {
            loop {
                if let Some((seq, read)) = page.next() {
                    if seq > last {
                        return Ok(None);
                    }
                    after = seq;
                    let text = exported(seq, read);
                    return Ok(Some((text, (store, after, page))));
                }
                page = store.audit_lines(after, PAGE).await?.into_iter();
                if page.as_slice().is_empty() {
                    return Ok(None);
                }
            }
        },
    ))
}

/// A row that is no line of ours is exported too, as something that no check accepts: what is left out could be taken for cut.
fn exported(seq: i64, read: Read) -> String {
    let text = match read {
        Read::Line(line) => line.to_text().ok(),
        Read::Unreadable => None,
    };
    text.unwrap_or_else(|| format!("{{\"seq\":{seq},\"unreadable\":true}}"))
}

fn may_audit(actor: &Actor) -> Result<()> {
    if actor.may(Right::ReadAudit, None) {
        Ok(())
    } else {
        Err(Error::Forbidden {
            right: Right::ReadAudit,
        })
    }
}
