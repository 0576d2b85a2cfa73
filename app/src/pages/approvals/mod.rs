//! Approvals: the queue with its reading pane, and the keyboard.

mod keys;
pub(crate) mod queue;
