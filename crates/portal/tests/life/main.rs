//! The life of a stack, told through the portal's door: a real database, the simulator over HTTPS, and people in their roles.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a story stops where something is not as it should be"
)]

mod ends;
mod four_eyes;
mod money;
mod operations;
mod ownership;
mod people;
mod requests;
mod same_name;
mod tampering;
mod waiting;
mod world;
