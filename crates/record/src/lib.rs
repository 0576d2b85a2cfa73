//! What the audit record proves: lines in canonical form, their SHA-256 chain, checkpoints signed with Ed25519, and the verification of all three.
//! No database and no HTTP: `slipway audit verify` needs nothing but this crate.

mod checkpoint;
mod file;
mod key;
mod line;
mod report;
mod run;
mod suspect;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, Keys, Known, sign};
pub use file::{Checkpoints, append, read_checkpoints, read_newest};
pub use key::{KeyError, PublicKey, SigningKey, make_key_file};
pub use line::{BEGINNING, Line, Malformed, canonical, sha256};
pub use report::describe;
pub use run::Run;
pub use verify::{Read, Span, Verifier};
