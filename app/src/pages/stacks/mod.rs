//! Stacks: the list, a stack's page with its tabs, and the forms that end or prolong its life.

pub(crate) mod delete;
pub(crate) mod detail;
pub(crate) mod extend;
pub(crate) mod list;
mod tabs;

use crate::api::wire::Read;
use crate::api::wire::from_server;
use leptos::prelude::*;
use types::stack::StackDetail;

use crate::api::Failure;
use crate::api::stacks::stack;

/// The stack that the address names.
fn read(id: Memo<String>) -> Read<StackDetail> {
    from_server(
        move || id.get(),
        |id| async move {
            match id.parse() {
                Ok(id) => stack(id).await,
                Err(_) => Err(Failure::not_found("stack")),
            }
        },
    )
}

/// A number for a form's submission: made with the page, so that a double click makes one request.
fn submission() -> String {
    uuid::Uuid::now_v7().to_string()
}
