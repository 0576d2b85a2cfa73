//! Single lines of the record, proved by the lines after them: from a line to the next checkpoint each names the hash of the one before, and the checkpoint
//! signs the last hash. Verifying a whole record is in `verify`.

use crate::line::Line;
use crate::verify::Read;

/// Lines in order, some of them wanted. Which of those are proved is known once the last line has come.
#[derive(Debug)]
pub struct Run {
    /// The hash that a checkpoint signs, of the line that comes last.
    signed: Option<String>,
    /// Number and hash of the line before, if it fits.
    last: Option<(i64, String)>,
    /// Wanted lines from which the chain holds up to `last`.
    held: Vec<Line>,
}

impl Run {
    /// `signed` is the hash that a checkpoint signs. Without one, lines are only seen to fit each other.
    #[must_use]
    pub fn new(signed: Option<String>) -> Self {
        Self {
            signed,
            last: None,
            held: Vec::new(),
        }
    }

    /// Takes the line that is stored under the number `seq`.
    pub fn push(&mut self, seq: i64, read: Read, wanted: bool) {
        let line = match read {
            Read::Line(line) if line.seq == seq && is_whole(&line) => line,
            _ => {
                self.last = None;
                self.held.clear();
                return;
            }
        };
        let follows = match &self.last {
            Some((before, hash)) => before + 1 == seq && *hash == line.previous_hash,
            None => true,
        };
        if !follows {
            self.held.clear();
        }
        self.last = Some((seq, line.hash.clone()));
        // What a checkpoint signs is proved by what comes after it; anything else has to follow what stands before it, too.
        if wanted && (follows || self.signed.is_some()) {
            self.held.push(*line);
        }
    }

    /// The wanted lines that are those that were written.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        let leads_there = match (&self.signed, &self.last) {
            (None, _) => true,
            (Some(signed), Some((_, hash))) => signed == hash,
            (Some(_), None) => false,
        };
        if leads_there { self.held } else { Vec::new() }
    }
}

/// Whether a line's own hash is right.
fn is_whole(line: &Line) -> bool {
    line.hash_after(&line.previous_hash)
        .is_ok_and(|hash| hash == line.hash)
}
