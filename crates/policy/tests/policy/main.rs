//! The rules that Slipway ships and the door they are reached by, tested from outside.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its own files has nothing to say"
)]

mod door;
mod mutants;
mod reports;
mod rules;
mod suite;
