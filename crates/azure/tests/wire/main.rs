//! Stories at the wire: a loopback https server answers as Azure is recorded to answer, and the client is used through its public door only.
#![expect(
    clippy::unwrap_used,
    reason = "the set-up of a story may fail the story"
)]

mod errors;
mod ids;
mod operations;
mod reads;
mod retries;
mod secrets;
mod stand_in;
