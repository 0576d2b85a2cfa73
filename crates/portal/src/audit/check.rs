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
    // Checkpoints first: what they sign is then in the database, or was taken out of it.
    let outside = signing.outside().await;
    let (outside, unread) = match outside {
        Ok(outside) => (outside, None),
        Err(error) => (Checkpoints::default(), Some(error)),
    };
    let newest_outside = outside.newest().map(|checkpoint| checkpoint.seq);
    let all = with_kept(store, signing, outside).await?;
    let newest = all.newest().map(|checkpoint| checkpoint.seq);
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
    if signing.is_file() && newest_outside < newest {
        let detail = format!(
            "The database has a checkpoint of line {}, and the newest in the file signs line {}: the file was cut, emptied or moved away.",
            newest.unwrap_or_default(),
            newest_outside.unwrap_or_default()
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

/// The checkpoints outside the database and those in it, verified alike: either may show what the other does not.
async fn with_kept(store: &Store, signing: &Signing, mut all: Checkpoints) -> Result<Checkpoints> {
    if signing.keys.is_empty() {
        return Ok(all);
    }
    let mut after = i64::MIN;
    loop {
        let page = store.checkpoints_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(all);
        };
        after = *last;
        for (seq, text) in page {
            if all
                .good
                .binary_search_by_key(&seq, |known| known.seq)
                .is_err()
            {
                all.add(&signing.keys, &text, || {
                    format!("the checkpoint of line {seq} in the database")
                });
            }
        }
    }
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
