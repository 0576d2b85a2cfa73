//! What a line that does not fit stands for: was it rewritten, moved or doubled, or is one before it gone? The lines after it tell.

use types::audit::Finding;

use crate::line::Line;

/// How far the lines after a bad one are searched for the one that belongs in its place.
const SEARCHED: u32 = 100_000;

/// A place in the chain where the line that belongs there is not.
#[derive(Debug)]
pub(crate) struct Suspect {
    /// The place.
    pub(crate) place: i64,
    /// The hash of the line before it; unknown at the beginning of a part of the record.
    previous: Option<String>,
    kind: Kind,
    searched: u32,
}

#[derive(Debug)]
enum Kind {
    /// The line that came has a later number.
    Gap,
    /// The line that came has the number of this place and another content.
    Content {
        bad: Box<Line>,
        /// Hashes that the line which belongs here may have had.
        wanted: Vec<String>,
        /// The content belongs to a later place.
        moved: bool,
    },
    /// What came cannot be read as a line.
    Unreadable,
}

/// Of what kind a bad place is, and where it begins.
pub(crate) type Verdict = (Finding, i64);

impl Suspect {
    /// A line with a later number came.
    pub(crate) fn gap(place: i64, previous: Option<String>) -> Self {
        Self {
            place,
            previous,
            kind: Kind::Gap,
            searched: 0,
        }
    }

    /// Something came that is no line.
    pub(crate) fn unreadable(place: i64) -> Self {
        Self {
            place,
            previous: None,
            kind: Kind::Unreadable,
            searched: 0,
        }
    }

    /// `bad` came with the right number but does not fit. Answers at once where the lines before it tell enough; `last` is the line before, `signed` says
    /// that a checkpoint holds it.
    pub(crate) fn content(
        bad: Line,
        previous: Option<String>,
        last: Option<&Line>,
        signed: bool,
    ) -> Result<Self, Verdict> {
        let place = bad.seq;
        let fits = |seq: i64, previous: &str, hash: &str| {
            bad.hash_at(seq, previous).is_ok_and(|found| found == hash)
        };
        if let Some(last) = last {
            let again = fits(place - 1, &bad.previous_hash, &bad.hash)
                || fits(place - 1, &last.previous_hash, &last.hash)
                || bad.tells_the_same(last);
            if again {
                return Err((Finding::Duplicated, place));
            }
        }
        if fits(place, &bad.previous_hash, &bad.hash) {
            // This line is whole, and names another hash for the line before: that one was written anew with a hash of its own.
            let before = last.is_some() && !signed;
            return Err((Finding::Rewritten, if before { place - 1 } else { place }));
        }
        Ok(Self {
            place,
            previous,
            kind: Kind::Content {
                // A line moved from the next place still names the hash of the one that belongs here; one whose content was swapped still bears it.
                wanted: vec![bad.previous_hash.clone(), bad.hash.clone()],
                bad: Box::new(bad),
                moved: false,
            },
            searched: 0,
        })
    }

    /// Looks at a line that comes later; answers once it is clear.
    pub(crate) fn look(&mut self, later: &Line) -> Option<Verdict> {
        self.searched += 1;
        if self.searched > SEARCHED {
            return Some(self.conclude());
        }
        match &mut self.kind {
            Kind::Unreadable => Some((Finding::Rewritten, self.place)),
            Kind::Gap => (later.seq == self.place).then_some((Finding::Reordered, self.place)),
            Kind::Content { bad, wanted, moved } => {
                if self.searched == 1 {
                    wanted.push(later.previous_hash.clone());
                }
                let belongs_here = self.previous.as_ref().is_some_and(|previous| {
                    later
                        .hash_at(self.place, previous)
                        .is_ok_and(|hash| wanted.contains(&hash))
                });
                if belongs_here {
                    return Some((Finding::Reordered, self.place));
                }
                *moved = *moved
                    || [
                        (&bad.previous_hash, &bad.hash),
                        (&later.previous_hash, &later.hash),
                    ]
                    .into_iter()
                    .any(|(previous, hash)| {
                        bad.hash_at(later.seq, previous)
                            .is_ok_and(|found| found == *hash)
                    });
                None
            }
        }
    }

    /// The answer when no later line tells more.
    pub(crate) fn conclude(&self) -> Verdict {
        let finding = match &self.kind {
            Kind::Gap | Kind::Content { moved: true, .. } => Finding::Cut,
            Kind::Content { bad, .. } if self.follows_a_gap(bad) => Finding::Cut,
            Kind::Content { .. } | Kind::Unreadable => Finding::Rewritten,
        };
        (finding, self.place)
    }

    /// True when the content belongs to the next place, which nothing came after: the last line, renumbered over a gap.
    fn follows_a_gap(&self, bad: &Line) -> bool {
        bad.hash_at(self.place + 1, &bad.previous_hash)
            .is_ok_and(|hash| hash == bad.hash)
    }
}
