//! Checkpoints: a place in the chain, its hash and the time, signed by a key that is not in the database.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use types::time::Timestamp;

use crate::key::{PublicKey, SigningKey};
use crate::line::{Malformed, canonical, is_hash, is_moment};

/// What every checkpoint says it is: the key signs nothing else by accident.
const KIND: &str = "slipway-audit-checkpoint";
const VERSION: u32 = 1;

/// One signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    kind: String,
    version: u32,
    /// Fingerprint of the key that signed it. One installation has one key, so it names the record too.
    pub key: String,
    /// The line that it signs, and by the chain every line before.
    pub seq: i64,
    /// How many lines there were.
    pub lines: i64,
    /// The line's hash.
    pub hash: String,
    /// When it was signed; UTC with six decimals.
    pub at: String,
    /// A running installation signs each new line within so many seconds; a longer silence means that checkpoints are missing.
    pub within: i64,
    /// Ed25519 over the canonical JSON (RFC 8785) of all other members, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    signature: String,
}

/// Why a text is no checkpoint of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not written as Slipway writes checkpoints.
    #[error("it is not in the form of a checkpoint")]
    Malformed,
    /// A newer Slipway wrote it.
    #[error("it has version {0}, which this version of Slipway does not know")]
    Version(u32),
    /// None of the keys has its fingerprint.
    #[error("it is signed by another key, with the fingerprint {0}")]
    UnknownKey(String),
    /// The signature does not fit.
    #[error("its signature does not fit")]
    Signature,
}

/// Signs the line `seq`, which has `hash`.
///
/// # Errors
/// [`Malformed`] never, for a hash of the chain.
pub fn sign(
    key: &SigningKey,
    seq: i64,
    hash: &str,
    at: Timestamp,
    within: i64,
) -> Result<Checkpoint, Malformed> {
    let mut checkpoint = Checkpoint {
        kind: KIND.to_owned(),
        version: VERSION,
        key: key.public().fingerprint(),
        seq,
        lines: seq,
        hash: hash.to_owned(),
        at: at.micros_text(),
        within,
        signature: String::new(),
    };
    checkpoint.signature = key.sign(canonical(&checkpoint)?.as_bytes());
    Ok(checkpoint)
}

impl Checkpoint {
    /// The checkpoint as it is written: one line of canonical JSON.
    ///
    /// # Errors
    /// [`Malformed`] never, for a checkpoint that was signed or read.
    pub fn to_text(&self) -> Result<String, Malformed> {
        canonical(self)
    }

    fn signed_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let body = Self {
            signature: String::new(),
            ..self.clone()
        };
        canonical(&body)
            .map(String::into_bytes)
            .map_err(|_| CheckpointError::Malformed)
    }
}

/// A checkpoint whose signature fits, as far as it is needed to verify lines: there may be hundreds of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The line that it signs.
    pub seq: i64,
    /// The line's hash.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// Fingerprint of the key.
    pub key: Arc<str>,
    /// How long a line may stay unsigned, in seconds.
    pub within: i64,
}

/// The keys whose checkpoints count.
#[derive(Debug, Default)]
pub struct Keys {
    keys: Vec<(Arc<str>, PublicKey)>,
    /// SHA-256 of texts whose signature fitted: a check reads the same checkpoints again every time.
    seen: Mutex<HashSet<[u8; 32]>>,
}

impl Keys {
    /// These keys.
    #[must_use]
    pub fn new(keys: &[PublicKey]) -> Self {
        Self {
            keys: keys
                .iter()
                .map(|key| (key.fingerprint().into(), *key))
                .collect(),
            seen: Mutex::default(),
        }
    }

    /// True without any key: nothing can be verified.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Reads one checkpoint and verifies its signature.
    ///
    /// # Errors
    /// [`CheckpointError`] for every text that none of the keys signed.
    pub fn read(&self, text: &str) -> Result<Known, CheckpointError> {
        let checkpoint: Checkpoint =
            serde_json::from_str(text).map_err(|_| CheckpointError::Malformed)?;
        if checkpoint.kind == KIND && checkpoint.version > VERSION {
            return Err(CheckpointError::Version(checkpoint.version));
        }
        let exact = canonical(&checkpoint).is_ok_and(|canonical| canonical == text);
        let sound = checkpoint.kind == KIND
            && checkpoint.version == VERSION
            && checkpoint.seq >= 1
            && checkpoint.lines == checkpoint.seq
            && checkpoint.within >= 1
            && is_hash(&checkpoint.hash)
            && is_hash(&checkpoint.key)
            && is_moment(&checkpoint.at);
        if !exact || !sound {
            return Err(CheckpointError::Malformed);
        }
        let Some((print, key)) = self
            .keys
            .iter()
            .find(|(print, _)| **print == *checkpoint.key)
        else {
            return Err(CheckpointError::UnknownKey(checkpoint.key));
        };
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(&digest) {
            if !key.verifies(&checkpoint.signed_bytes()?, &checkpoint.signature) {
                return Err(CheckpointError::Signature);
            }
            seen.insert(digest);
        }
        Ok(Known {
            seq: checkpoint.seq,
            hash: checkpoint.hash,
            at: checkpoint
                .at
                .parse()
                .map_err(|_| CheckpointError::Malformed)?,
            key: print.clone(),
            within: checkpoint.within,
        })
    }
}
