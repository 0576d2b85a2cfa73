//! What a check found, in sentences.

use types::audit::{AuditCheck, Finding};

/// The finding in one sentence. `from` is the first line that was looked at, `mismatch` is the checkpoint that does not fit, `due` the last line that must be there, `foreign` a bad checkpoint.
pub(crate) fn sentence(
    check: &AuditCheck,
    from: i64,
    mismatch: Option<i64>,
    due: Option<i64>,
    foreign: Option<&str>,
) -> String {
    let at = check.first_bad.unwrap_or_default();
    match check.result {
        Finding::NotSigned if check.lines == 0 => {
            "There is no line, and no checkpoint says that there was one.".to_owned()
        }
        Finding::NotSigned => format!(
            "Lines {from} to {}, hash chain verified; not signed, because no checkpoint lies in this part: whoever can write the database could have made all of it.",
            from + check.lines - 1
        ),
        Finding::Ok => match &check.signed {
            Some(signed) => format!(
                "{} lines, hash chain verified; signed up to line {} at {}.",
                check.lines, signed.seq, signed.at
            ),
            None => format!(
                "{} lines, hash chain verified; none is signed.",
                check.lines
            ),
        },
        Finding::Rewritten => {
            format!("Line {at} is not the line that was written: its hash does not fit.")
        }
        Finding::Cut => match due.filter(|due| *due >= at) {
            Some(due) => format!(
                "Line {at} is missing: there are {} good lines, and the record had at least {due}.",
                check.lines
            ),
            None => format!("Line {at} is missing: the lines after it are there."),
        },
        Finding::Reordered => format!("Line {at} stands in another place."),
        Finding::Duplicated => format!("Line {at} repeats a line that stands before it."),
        Finding::Emptied => format!(
            "There is no line, and the record had at least {}.",
            due.unwrap_or(1)
        ),
        Finding::Rebuilt => format!(
            "Lines {at} to {} fit each other but not the checkpoint of line {}: at least one of them was changed, and every hash after it computed anew.",
            mismatch.unwrap_or(at),
            mismatch.unwrap_or(at)
        ),
        Finding::ForeignCheckpoint => format!(
            "A checkpoint does not count: {}.",
            foreign.unwrap_or("its signature does not fit")
        ),
        Finding::CheckpointsMissing => match &check.signed {
            Some(signed) => format!(
                "The newest checkpoint signs line {}, and lines were written for longer after it than a running installation waits: checkpoints are missing.",
                signed.seq
            ),
            None => "There is no checkpoint for these lines: the hash chain fits, but whoever can write the database could have made all of it."
                .to_owned(),
        },
        // These are found beside the chain, where their sentence is made.
        Finding::TextAltered | Finding::TextRemoved | Finding::TextAdded => String::new(),
    }
}

/// The whole report for people: the fixed word first, then what is proven and what is not. `from` is the first line that was looked at.
#[must_use]
pub fn describe(check: &AuditCheck, from: i64) -> String {
    let mut text = format!("{}: {}\n", check.result.word(), check.detail);
    // A checkpoint of the line before a part proves nothing in it.
    let signed = check.signed.as_ref().filter(|signed| signed.seq >= from);
    let proven = match signed {
        Some(signed) => format!(
            "Proven: the lines {from} to {} are those that were signed at {} with the key {}.\n",
            signed.seq, signed.at, signed.key
        ),
        None => "Proven: nothing, because no checkpoint fits.\n".to_owned(),
    };
    text.push_str(&proven);
    let first = signed.map_or(from, |signed| signed.seq + 1);
    if check.result.is_bad() {
        text.push_str(&format!("Not proven: everything from line {first} on.\n"));
    } else if check.unsigned > 0 {
        let why = match signed {
            Some(signed) => format!("which stand after the checkpoint of line {}", signed.seq),
            None => "which no checkpoint signs".to_owned(),
        };
        text.push_str(&format!(
            "Not proven: lines {first} to {}, {why}.\n",
            first + check.unsigned - 1
        ));
    }
    text
}
