//! What an operation's page reads.

use leptos::prelude::*;
use types::ids::OperationId;
use types::operation::OperationDetail;

use super::Failure;
use super::wire::Wired;

/// One operation with its steps.
#[server(name = ReadOperation, prefix = "/ui", endpoint = "operation", input = Wired, output = Wired)]
pub async fn operation(id: OperationId) -> Result<OperationDetail, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.operation(&actor, id).await)
}
