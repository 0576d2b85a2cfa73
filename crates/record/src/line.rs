//! One line of the record: its members, its canonical form (RFC 8785) and its hash over the hash of the line before.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use types::time::Timestamp;

/// The hash before the first line.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One line as it is exported: every chained member, and the two hashes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Position in the chain, from 1, without gaps.
    pub seq: i64,
    /// When: UTC with six decimals, such as `2026-11-27T12:03:00.000000Z`. The hash covers this text, so no other spelling of the moment fits.
    pub at: String,
    /// Who: a subject.
    pub actor: String,
    /// How they came in.
    pub via: String,
    /// What.
    pub action: String,
    /// Kind of noun.
    pub subject_kind: String,
    /// Its id.
    pub subject_id: String,
    /// Its name.
    pub subject_name: String,
    /// Project.
    pub project: Option<String>,
    /// What else is known.
    pub detail: Json,
    /// Hash of the line before, in hexadecimal.
    pub previous_hash: String,
    /// Hash of this line, in hexadecimal.
    pub hash: String,
}

/// What the hash covers besides the hash before. Order does not matter: the JSON is canonical.
#[derive(Serialize)]
struct Chained<'a> {
    seq: i64,
    at: &'a str,
    actor: &'a str,
    via: &'a str,
    action: &'a str,
    subject_kind: &'a str,
    subject_id: &'a str,
    subject_name: &'a str,
    project: Option<&'a str>,
    detail: &'a Json,
}

/// A line that no installation of Slipway has written: not JSON, members missing or doubled, or another spelling than the canonical one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this line is not in the form in which Slipway writes it")]
pub struct Malformed;

impl Line {
    /// Reads one exported line. Only the canonical text is taken: two spellings of one line would let two readers read two things, as with a member that comes twice.
    ///
    /// # Errors
    /// [`Malformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let line: Self = serde_json::from_str(text).map_err(|_| Malformed)?;
        let exact = line.to_text()? == text && is_moment(&line.at);
        if exact { Ok(line) } else { Err(Malformed) }
    }

    /// The line as it is exported.
    ///
    /// # Errors
    /// [`Malformed`] when its detail holds a number that JSON cannot.
    pub fn to_text(&self) -> Result<String, Malformed> {
        canonical(self)
    }

    /// The hash that this line has after a line with the hash `previous`.
    ///
    /// # Errors
    /// As [`Line::to_text`].
    pub fn hash_after(&self, previous: &str) -> Result<String, Malformed> {
        self.hash_at(self.seq, previous)
    }

    /// The hash that this line would have in another place.
    pub(crate) fn hash_at(&self, seq: i64, previous: &str) -> Result<String, Malformed> {
        let chained = Chained {
            seq,
            at: &self.at,
            actor: &self.actor,
            via: &self.via,
            action: &self.action,
            subject_kind: &self.subject_kind,
            subject_id: &self.subject_id,
            subject_name: &self.subject_name,
            project: self.project.as_deref(),
            detail: &self.detail,
        };
        let text = canonical(&chained)?;
        let mut hasher = Sha256::new();
        hasher.update(previous.as_bytes());
        hasher.update(b"\n");
        hasher.update(text.as_bytes());
        Ok(hex(&hasher.finalize()))
    }

    /// True when both lines tell the same, wherever they stand.
    pub(crate) fn tells_the_same(&self, other: &Self) -> bool {
        let placed = |line: &Self| line.hash_at(0, BEGINNING);
        placed(self).is_ok() && placed(self) == placed(other)
    }
}

/// Canonical JSON (RFC 8785).
///
/// # Errors
/// [`Malformed`] when a number is not finite.
pub fn canonical<T: Serialize>(value: &T) -> Result<String, Malformed> {
    serde_json_canonicalizer::to_string(value).map_err(|_| Malformed)
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// True for 64 lower-case hexadecimal digits.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// True for the one spelling of a moment that the chain uses.
pub(crate) fn is_moment(text: &str) -> bool {
    text.parse::<Timestamp>()
        .is_ok_and(|at| at.micros_text() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        let mut line = Line {
            seq: 1,
            at: "2026-11-27T12:03:00.000000Z".to_owned(),
            actor: "alice".to_owned(),
            via: "person".to_owned(),
            action: "request.submitted".to_owned(),
            subject_kind: "request".to_owned(),
            subject_id: "r".to_owned(),
            subject_name: "wéb".to_owned(),
            project: None,
            detail: serde_json::json!({ "b": 1, "a": [1.5, "x"] }),
            previous_hash: BEGINNING.to_owned(),
            hash: String::new(),
        };
        line.hash = line.hash_after(BEGINNING).unwrap();
        line
    }

    #[test]
    fn only_the_canonical_text_is_read_back() {
        let text = line().to_text().unwrap();
        assert_eq!(Line::parse(&text).unwrap(), line());
        let spellings = [
            text.replace("\"actor\":", "\"actor\": "),
            text.replace("wéb", "w\\u00e9b"),
            text.replace("\"b\":1", "\"b\":1.0"),
            text.replace("\"b\":1", "\"b\":1e0"),
            text.replace("12:03:00.000000Z", "12:03:00Z"),
            text.replace("12:03:00.000000Z", "13:03:00.000000+01:00"),
            text.replace("\"project\":null,", ""),
            text.replace(
                "\"actor\":\"alice\"",
                "\"actor\":\"mallory\",\"actor\":\"alice\"",
            ),
            text.replace("\"seq\":1,", "\"seq\":1,\"note\":1,"),
            text.replace("{\"action\"", "{\"via\":\"person\",\"action\""),
            format!("{text} "),
            format!("\u{feff}{text}"),
            format!("{text}\r"),
            String::new(),
            "null".to_owned(),
        ];
        for spelling in spellings {
            assert_ne!(spelling, text);
            assert_eq!(Line::parse(&spelling), Err(Malformed), "{spelling}");
        }
    }
}
