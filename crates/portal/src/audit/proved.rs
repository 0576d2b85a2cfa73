//! Lines that decide something, proved where they decide. Somebody who can write the database may change an old line, wait until it has been believed, and put
//! it back: a check of the whole record finds nothing afterwards. So a line counts only if the chain leads from it to the next checkpoint.

use std::collections::BTreeSet;

use record::{Known, Line, Run};

use super::PAGE;
use crate::{Error, Portal, Result};

/// Checkpoints read at once. The first one counts, unless its signature does not fit.
const CHECKPOINTS: u32 = 16;
/// How many lines after one that no checkpoint signs yet have to fit. Signing leaves far fewer unsigned.
const UNSIGNED: i64 = 10_000;

impl Portal {
    /// Those of the lines about a subject that `wanted` asks for, oldest first. The answer says whether all that are stored are proved.
    pub(crate) async fn proved_lines(
        &self,
        subject: &str,
        wanted: impl Fn(&Line) -> bool,
    ) -> Result<(Vec<Line>, bool)> {
        let stored = self.0.store.audit_lines_about(subject).await?;
        let numbers: Vec<i64> = stored
            .iter()
            .filter(|line| wanted(line))
            .map(|line| line.seq)
            .collect();
        let mut lines = self.prove_lines(&numbers).await?;
        // What was read with the chain counts: it may be another text by now than the one that was found.
        lines.retain(|line| line.subject_id == subject && wanted(line));
        let all = lines.len() == numbers.len();
        Ok((lines, all))
    }

    /// The lines with these numbers that are proved, in order: each has its own hash, fits the lines beside it, and leads to the next checkpoint, where there
    /// is one.
    pub(crate) async fn prove_lines(&self, numbers: &[i64]) -> Result<Vec<Line>> {
        let store = &self.0.store;
        let mut open: BTreeSet<i64> = numbers.iter().copied().collect();
        let mut proved = Vec::new();
        while let Some(first) = open.first().copied() {
            // Before the lines: what it signs is in the database then.
            let signed = self.next_checkpoint(first).await?;
            let to = match &signed {
                Some(checkpoint) => checkpoint.seq,
                None => first.saturating_add(UNSIGNED),
            };
            let mut run = Run::new(signed.map(|checkpoint| checkpoint.hash));
            // From the line before on.
            let mut after = first.saturating_sub(2);
            while after < to {
                let rest = u32::try_from(to - after).unwrap_or(PAGE);
                let page = store.audit_lines(after, rest.min(PAGE)).await?;
                let Some((last, _)) = page.last() else {
                    break;
                };
                after = *last;
                for (seq, read) in page {
                    if seq <= to {
                        run.push(seq, read, open.contains(&seq));
                    }
                }
            }
            proved.extend(run.finish());
            open.retain(|seq| *seq > to);
        }
        Ok(proved)
    }

    /// The first checkpoint that is known to sign the line `seq`. The database's own counts as any other does, by its signature. Somebody may have removed it
    /// there; then the file outside and this process' memory have a later one.
    async fn next_checkpoint(&self, seq: i64) -> Result<Option<Known>> {
        let signing = &self.0.signing;
        if signing.keys.is_empty() {
            return Ok(None);
        }
        let signs = |known: &Known| known.seq >= seq;
        let mut after = seq.saturating_sub(1);
        loop {
            let page = self.0.store.checkpoints_after(after, CHECKPOINTS).await?;
            let good = page
                .iter()
                .find_map(|(_, text)| signing.keys.read(text).ok().filter(signs));
            if good.is_some() {
                return Ok(good);
            }
            match page.last() {
                Some((last, _)) => after = *last,
                None => break,
            }
        }
        let outside = signing.newest_outside().await.map_err(|error| {
            tracing::error!(%error, "the checkpoint file cannot be read");
            Error::Unavailable {
                detail: "The file of the audit checkpoints cannot be read.".to_owned(),
                retry_after: None,
            }
        })?;
        let remembered = self.0.watch.signed.newest();
        let later = outside.good.into_iter().chain(remembered).filter(signs);
        Ok(later.min_by_key(|known| known.seq))
    }
}
