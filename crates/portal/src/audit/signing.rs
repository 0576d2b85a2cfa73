//! Signing the record: where the key comes from is the server's business; when a checkpoint is due, and what must hold before one is written, is decided here.

use std::io::BufReader;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use record::{Checkpoints, Keys, Known, PublicKey, SigningKey, Span, Verifier};
use store::Store;

use super::PAGE;
use crate::{Error, Portal, Result};

/// Where checkpoints leave the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Appended to a file.
    File(PathBuf),
    /// One structured line of the log each.
    Log,
}

/// How the record is signed.
#[derive(Debug)]
pub struct Signing {
    key: Option<SigningKey>,
    /// The keys whose checkpoints count.
    pub(super) keys: Arc<Keys>,
    to: Destination,
    lines: i64,
    every: Duration,
}

impl Default for Signing {
    /// No key: the record is chained and not signed.
    fn default() -> Self {
        Self::new(None, &[], Destination::Log, 1, Duration::from_secs(60))
    }
}

impl Signing {
    /// Signs with `key` every `lines` lines, and after `every` while there are new ones. `earlier` are keys that signed before.
    #[must_use]
    pub fn new(
        key: Option<SigningKey>,
        earlier: &[PublicKey],
        to: Destination,
        lines: i64,
        every: Duration,
    ) -> Self {
        let own = key.as_ref().map(SigningKey::public);
        let keys: Vec<PublicKey> = own.into_iter().chain(earlier.iter().copied()).collect();
        Self {
            key,
            keys: Arc::new(Keys::new(&keys)),
            to,
            lines: lines.max(1),
            every,
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.to, Destination::File(_)) && !self.keys.is_empty()
    }

    fn every_seconds(&self) -> i64 {
        i64::try_from(self.every.as_secs())
            .unwrap_or(i64::MAX)
            .max(1)
    }

    /// What checkpoints promise: twice the time between two, so that a slow disk or a restart breaks no promise.
    pub(super) fn within_seconds(&self) -> i64 {
        self.every_seconds().saturating_mul(2)
    }

    /// The checkpoints outside the database. What went to the log cannot be read again.
    pub(super) async fn outside(&self) -> std::io::Result<Checkpoints> {
        let Destination::File(path) = &self.to else {
            return Ok(Checkpoints::default());
        };
        if self.keys.is_empty() {
            return Ok(Checkpoints::default());
        }
        let (path, keys) = (path.clone(), self.keys.clone());
        // Off the runtime's threads: the disk may be slow, and signatures are verified.
        let read = move || {
            let mut found = Checkpoints::default();
            match std::fs::File::open(&path) {
                Ok(file) => record::read_checkpoints(
                    BufReader::new(file),
                    &path.display().to_string(),
                    &keys,
                    &mut found,
                )?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            Ok(found)
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// The last checkpoints outside the database.
    pub(super) async fn newest_outside(&self) -> std::io::Result<Checkpoints> {
        let Destination::File(path) = &self.to else {
            return Ok(Checkpoints::default());
        };
        let (path, keys) = (path.clone(), self.keys.clone());
        tokio::task::spawn_blocking(move || record::read_newest(&path, &keys)).await?
    }

    async fn hand_out(&self, text: &str) -> Result<()> {
        match &self.to {
            Destination::File(path) => {
                let (file, line) = (path.clone(), text.to_owned());
                let written =
                    tokio::task::spawn_blocking(move || record::append(&file, &line)).await;
                written
                    .unwrap_or_else(|error| Err(error.into()))
                    .map_err(|error| {
                        tracing::error!(%error, file = %path.display(), "the checkpoint file cannot be written");
                        Error::Unavailable {
                            detail: "The file of the audit checkpoints cannot be written.".to_owned(),
                            retry_after: None,
                        }
                    })
            }
            Destination::Log => {
                tracing::info!(checkpoint = text, "audit checkpoint");
                Ok(())
            }
        }
    }
}

/// The newest checkpoint that this process wrote or saw: also a database and a file that were both cut do not go back behind it.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<Option<Known>>);

impl Remembered {
    pub(super) fn newest(&self) -> Option<Known> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, checkpoint: Known) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest
            .as_ref()
            .is_none_or(|known| known.seq <= checkpoint.seq)
        {
            *newest = Some(checkpoint);
        }
    }
}

impl Portal {
    /// Signs the record up to its last line, if that is due or `always`, and if it goes on from what was signed before; false when it does not go on.
    /// Only one replica signs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer or the file cannot be written.
    pub async fn sign_audit(&self, always: bool) -> Result<bool> {
        let signing = &self.0.signing;
        let Some(key) = &signing.key else {
            return Ok(true);
        };
        let store = &self.0.store;
        let Some(head) = store.audit_head().await? else {
            return Ok(true);
        };
        if !always && !self.is_due(head.seq).await? {
            return Ok(true);
        }
        let Some(_turn) = store.signing_turn().await? else {
            return Ok(true);
        };
        let outside = signing.outside().await.map_err(|error| {
            tracing::error!(%error, "the checkpoint file cannot be read");
            Error::Unavailable {
                detail: "The file of the audit checkpoints cannot be read.".to_owned(),
                retry_after: None,
            }
        })?;
        let signed_outside = outside.newest().map(|checkpoint| checkpoint.seq);
        let before = self.newest(outside).await?;
        if !goes_on(store, before.as_ref(), head.seq).await? {
            tracing::error!(
                signed = before.map_or(0, |checkpoint| checkpoint.seq),
                lines = head.seq,
                "the audit record does not go on from its newest checkpoint, so it is not signed any more; docs/audit.md says what to do"
            );
            return Ok(false);
        }
        if let Some(before) = &before {
            self.0.watch.signed.remember(before.clone());
        }
        let fingerprint = key.public().fingerprint();
        let nothing_new = before
            .as_ref()
            .is_some_and(|known| known.seq == head.seq && *known.key == *fingerprint)
            && (!signing.is_file() || signed_outside == Some(head.seq));
        if nothing_new {
            return Ok(true);
        }
        let checkpoint = record::sign(
            key,
            head.seq,
            &head.hash,
            self.now(),
            signing.within_seconds(),
        )
        .map_err(Error::internal)?;
        let text = checkpoint.to_text().map_err(Error::internal)?;
        signing.hand_out(&text).await?;
        store
            .keep_checkpoint(checkpoint.seq, &checkpoint.key, &text)
            .await?;
        self.0
            .watch
            .signed
            .remember(signing.keys.read(&text).map_err(Error::internal)?);
        Ok(true)
    }

    /// New lines, and enough of them, or enough time since the last checkpoint.
    async fn is_due(&self, head: i64) -> Result<bool> {
        let signing = &self.0.signing;
        let newest = match self.0.store.newest_checkpoint().await? {
            Some(text) => signing.keys.read(&text).ok(),
            None => None,
        };
        let Some(newest) = newest else {
            return Ok(true);
        };
        let new = head - newest.seq;
        let since = self.now().since(newest.at).whole_seconds();
        Ok(new >= signing.lines || (new > 0 && since >= signing.every_seconds()))
    }

    /// The newest checkpoint that is known: outside the database, in it, or from this process' own memory.
    async fn newest(&self, mut known: Checkpoints) -> Result<Option<Known>> {
        let mut newest = known.good.pop();
        let kept = self.0.store.newest_checkpoint().await?;
        let kept = kept.and_then(|text| self.0.signing.keys.read(&text).ok());
        for other in [kept, self.0.watch.signed.newest()].into_iter().flatten() {
            if newest.as_ref().is_none_or(|known| known.seq < other.seq) {
                newest = Some(other);
            }
        }
        Ok(newest)
    }
}

/// Whether the lines from the checkpoint on fit it and each other. What is before it is looked at by the check of the whole record.
async fn goes_on(store: &Store, before: Option<&Known>, head: i64) -> Result<bool> {
    let from = before.map_or(1, |checkpoint| checkpoint.seq);
    if from > head {
        return Ok(false);
    }
    let known = Checkpoints {
        good: before.cloned().into_iter().collect(),
        foreign: None,
    };
    let mut verifier = Verifier::new(
        known,
        Span {
            from,
            to: Some(head),
        },
    )
    .running(i64::MAX);
    let mut after = from - 1;
    'pages: while after < head {
        let page = store.audit_lines(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        for (seq, read) in page {
            if seq > head || verifier.push(read).is_break() {
                break 'pages;
            }
        }
    }
    // Silence between old lines is no reason not to sign them now.
    let found = verifier.finish().result;
    Ok(!found.is_bad() || found == types::audit::Finding::CheckpointsMissing)
}
