//! Verifying a record line by line, in bounded memory: each hash, each number, and each checkpoint at its place. The first thing that is wrong is named.

use std::ops::ControlFlow;

use types::audit::{AuditCheck, Finding, SignedUpTo};
use types::time::Timestamp;

use crate::checkpoint::Known;
use crate::file::Checkpoints;
use crate::line::{BEGINNING, Line};
use crate::report;
use crate::suspect::{Suspect, Verdict};

/// How much longer than promised a line may stay unsigned before checkpoints count as missing, in seconds: clocks of replicas differ.
const GRACE: i64 = 120;

/// What came in place of a line.
#[derive(Debug)]
pub enum Read {
    /// A line.
    Line(Box<Line>),
    /// Something that cannot be read as one.
    Unreadable,
}

/// Which part of the record is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first line.
    pub from: i64,
    /// The last line that must be there; what the checkpoints say when absent.
    pub to: Option<i64>,
}

impl Default for Span {
    fn default() -> Self {
        Self { from: 1, to: None }
    }
}

/// Takes lines one by one, then says what they prove.
#[derive(Debug)]
pub struct Verifier {
    span: Span,
    checkpoints: Vec<Known>,
    /// Index of the next checkpoint to come.
    next: usize,
    foreign: Option<String>,
    /// There is no checkpoint at all.
    without: bool,
    /// The place of the next line.
    place: i64,
    /// The hash of the line before; unknown at the beginning of a part.
    previous: Option<String>,
    last: Option<Line>,
    signed: Option<SignedUpTo>,
    /// When the first line after the last checkpoint was written.
    unsigned_since: Option<Timestamp>,
    /// An installation that runs signs within so many seconds; an export without any checkpoint proves nothing.
    runs_within: Option<i64>,
    suspect: Option<Suspect>,
    found: Option<Verdict>,
    lines: i64,
}

impl Verifier {
    /// Verifies `span` against these checkpoints.
    #[must_use]
    pub fn new(checkpoints: Checkpoints, span: Span) -> Self {
        let mut good = checkpoints.good;
        let before = good
            .iter()
            .rev()
            .find(|checkpoint| checkpoint.seq == span.from - 1)
            .cloned();
        let without = good.is_empty();
        good.retain(|checkpoint| checkpoint.seq >= span.from);
        Self {
            span,
            checkpoints: good,
            next: 0,
            without,
            foreign: checkpoints
                .foreign
                .map(|(place, error)| format!("{place}: {error}")),
            place: span.from,
            previous: match &before {
                Some(checkpoint) => Some(checkpoint.hash.clone()),
                None if span.from == 1 => Some(BEGINNING.to_owned()),
                None => None,
            },
            last: None,
            signed: before.as_ref().map(signed_up_to),
            unsigned_since: None,
            runs_within: None,
            suspect: None,
            found: None,
            lines: 0,
        }
    }

    /// Verifies a running installation, which may be younger than its first checkpoint.
    #[must_use]
    pub fn running(mut self, within: i64) -> Self {
        self.runs_within = Some(within);
        self
    }

    /// Takes the next line. Breaks once nothing that follows can change the answer.
    pub fn push(&mut self, read: Read) -> ControlFlow<()> {
        if let Some(suspect) = &mut self.suspect {
            if let Read::Line(line) = &read {
                self.found = suspect.look(line);
            }
        } else {
            match read {
                Read::Line(line) => self.take(*line),
                Read::Unreadable => self.suspect = Some(Suspect::unreadable(self.place)),
            }
        }
        match self.found {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn take(&mut self, line: Line) {
        if line.seq > self.place {
            let mut suspect = Suspect::gap(self.place, self.previous.clone());
            self.found = suspect.look(&line);
            self.suspect = Some(suspect);
            return;
        }
        if line.seq < self.place {
            // Every number from the first on has come: this one comes again, or never belonged to the record.
            let seen = line.seq >= self.span.from && self.last.is_some();
            let finding = if seen {
                Finding::Duplicated
            } else {
                Finding::Rewritten
            };
            self.found = Some((finding, line.seq));
            return;
        }
        let previous = self
            .previous
            .clone()
            .unwrap_or_else(|| line.previous_hash.clone());
        let fits = line.previous_hash == previous
            && line
                .hash_after(&previous)
                .is_ok_and(|hash| hash == line.hash);
        if fits {
            self.accept(line);
            return;
        }
        let signed = self
            .signed
            .as_ref()
            .is_some_and(|signed| signed.seq == line.seq - 1);
        match Suspect::content(line, self.previous.clone(), self.last.as_ref(), signed) {
            Ok(suspect) => self.suspect = Some(suspect),
            Err(found) => self.found = Some(found),
        }
    }

    fn accept(&mut self, line: Line) {
        while let Some(checkpoint) = self
            .checkpoints
            .get(self.next)
            .filter(|checkpoint| checkpoint.seq == line.seq)
        {
            if checkpoint.hash != line.hash {
                let first = self.first_unsigned();
                self.lines += 1;
                self.found = Some((Finding::Rebuilt, first));
                self.place = line.seq + 1;
                return;
            }
            self.signed = Some(signed_up_to(checkpoint));
            self.unsigned_since = None;
            self.next += 1;
        }
        let signed = self
            .signed
            .as_ref()
            .is_some_and(|signed| signed.seq == line.seq);
        if !signed && self.unsigned_since.is_none() {
            self.unsigned_since = line.at.parse().ok();
        }
        self.lines += 1;
        self.place = line.seq + 1;
        self.previous = Some(line.hash.clone());
        self.last = Some(line);
    }

    fn first_unsigned(&self) -> i64 {
        self.signed
            .as_ref()
            .map_or(self.span.from, |signed| signed.seq + 1)
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> AuditCheck {
        let (result, first_bad) = match self.verdict() {
            Some((finding, place)) => (finding, Some(place)),
            None if self.foreign.is_some() => (Finding::ForeignCheckpoint, None),
            None if self.is_unsigned_part() => (Finding::NotSigned, None),
            None => (Finding::Ok, None),
        };
        // A bad checkpoint among the good ones says more than the silence that it left.
        let result = match result {
            Finding::CheckpointsMissing if self.foreign.is_some() => Finding::ForeignCheckpoint,
            other => other,
        };
        let proven = self.signed.as_ref().map_or(self.span.from - 1, |s| s.seq);
        let mut check = AuditCheck {
            result,
            lines: self.lines,
            first_bad,
            detail: String::new(),
            unsigned: (self.place - 1 - proven).max(0),
            signed: self.signed.clone(),
        };
        check.detail = report::sentence(
            &check,
            self.span.from,
            self.checkpoints
                .get(self.next)
                .map(|checkpoint| checkpoint.seq),
            self.newest_due(),
            self.foreign.as_deref(),
        );
        check
    }

    /// Whether no checkpoint lies inside what is verified: lines that were computed anew as a whole fit each other, and even a signed line before them. A
    /// running installation may be younger than its first checkpoint.
    fn is_unsigned_part(&self) -> bool {
        let inside = self
            .signed
            .as_ref()
            .is_some_and(|signed| signed.seq >= self.span.from);
        self.runs_within.is_none() && !inside
    }

    /// The last line that must be there.
    fn newest_due(&self) -> Option<i64> {
        let signed = self
            .checkpoints
            .iter()
            .map(|checkpoint| checkpoint.seq)
            .rfind(|seq| self.span.to.is_none_or(|to| *seq <= to));
        signed.max(self.span.to)
    }

    fn verdict(&self) -> Option<Verdict> {
        if self.found.is_some() {
            return self.found;
        }
        if let Some(suspect) = &self.suspect {
            return Some(suspect.conclude());
        }
        let last = self.place - 1;
        if self.newest_due().is_some_and(|due| due > last) {
            let emptied = self.lines == 0 && self.span.from == 1;
            return Some(if emptied {
                (Finding::Emptied, 1)
            } else {
                (Finding::Cut, self.place)
            });
        }
        let within = match (self.checkpoints.last(), self.runs_within) {
            (Some(checkpoint), _) => checkpoint.within,
            (None, Some(within)) => within,
            (None, None) if self.without => {
                return Some((Finding::CheckpointsMissing, self.span.from));
            }
            (None, None) => return None,
        };
        let silent = match (&self.last, self.unsigned_since) {
            (Some(last), Some(since)) => last
                .at
                .parse::<Timestamp>()
                .is_ok_and(|at| at.since(since).whole_seconds() > within.saturating_add(GRACE)),
            _ => false,
        };
        silent.then(|| (Finding::CheckpointsMissing, self.first_unsigned()))
    }
}

fn signed_up_to(checkpoint: &Known) -> SignedUpTo {
    SignedUpTo {
        seq: checkpoint.seq,
        at: checkpoint.at,
        key: checkpoint.key.to_string(),
    }
}
