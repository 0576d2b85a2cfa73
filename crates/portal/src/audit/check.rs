//! Checking the whole record of a database: chain, checkpoints in their file and in the database, and the texts that lines prove.

use record::{Checkpoints, Read, Span, Verifier};
use store::Store;
use types::audit::{AuditCheck, Finding};

use super::texts::TextCheck;
use super::{PAGE, Signing};
use crate::Result;

/// Checks the record page by page, in bounded memory and without holding a lock: lines that are added meanwhile are not looked at.
///
/// # Errors
/// [`crate::Error::Unavailable`] when the database does not answer.
pub async fn check_record(store: &Store, signing: &Signing) -> Result<AuditCheck> {
    // Checkpoints before lines: what they sign is then in the database, or was taken out of it. And those in the database before those in the file, because
    // they are written the other way round.
    let kept = kept(store, signing).await?;
    let newest_kept = kept.newest().map_or(0, |checkpoint| checkpoint.seq);
    let (mut all, unread) = match signing.outside().await {
        Ok(outside) => (outside, None),
        Err(error) => (Checkpoints::default(), Some(error)),
    };
    let newest_outside = all.newest().map_or(0, |checkpoint| checkpoint.seq);
    // Either may show what the other does not.
    all.merge(kept);
    let (check, texts) = chain(store, signing, all).await?;
    if check.result.is_bad() {
        return Ok(check);
    }
    if let Some(error) = unread {
        return Ok(missing(
            check,
            format!("The checkpoints cannot be read: {error}."),
        ));
    }
    if signing.is_file() && newest_outside < newest_kept {
        let detail = format!(
            "The database has a checkpoint of line {newest_kept}, and the newest in the file signs line {newest_outside}: the file was cut, emptied or moved away."
        );
        return Ok(missing(check, detail));
    }
    if let Some((finding, seq, detail)) = texts.finish(store).await? {
        return Ok(AuditCheck {
            result: finding,
            first_bad: seq,
            detail,
            ..check
        });
    }
    if signing.keys.is_empty() {
        return Ok(AuditCheck {
            result: Finding::NotSigned,
            detail: format!(
                "{} lines, hash chain verified; not signed, because there is no key: whoever can write the database could have made all of it.",
                check.lines
            ),
            ..check
        });
    }
    Ok(check)
}

fn missing(check: AuditCheck, detail: String) -> AuditCheck {
    AuditCheck {
        result: Finding::CheckpointsMissing,
        detail,
        ..check
    }
}

/// The checkpoints that the database keeps, verified as those outside are.
async fn kept(store: &Store, signing: &Signing) -> Result<Checkpoints> {
    let mut kept = Checkpoints::default();
    let mut after = i64::MIN;
    while !signing.keys.is_empty() {
        let page = store.checkpoints_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        for (seq, text) in page {
            kept.add(&signing.keys, &text, || {
                format!("the checkpoint of line {seq} in the database")
            });
        }
    }
    Ok(kept)
}

async fn chain(
    store: &Store,
    signing: &Signing,
    checkpoints: Checkpoints,
) -> Result<(AuditCheck, TextCheck)> {
    let mut texts = TextCheck::begin(store).await?;
    let head = store.audit_head().await?.map_or(0, |head| head.seq);
    let mut verifier = Verifier::new(checkpoints, Span::default());
    verifier = verifier.running(if signing.keys.is_empty() {
        i64::MAX
    } else {
        signing.within_seconds()
    });
    let mut after = i64::MIN;
    'pages: loop {
        let page = store.audit_lines(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        for (seq, read) in page {
            if seq > head {
                break 'pages;
            }
            if let Read::Line(line) = &read {
                texts.note(line);
            }
            if verifier.push(read).is_break() {
                break 'pages;
            }
        }
        texts.compare(store).await?;
    }
    texts.compare(store).await?;
    Ok((verifier.finish(), texts))
}
