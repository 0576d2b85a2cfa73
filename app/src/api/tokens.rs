//! What the person's own page reads.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::token::TokenSummary;

use super::Failure;

/// The reader's tokens.
#[server(name = ReadTokens, prefix = "/ui", endpoint = "tokens", input = Json)]
pub async fn tokens() -> Result<Vec<TokenSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.tokens(&actor).await)
}
