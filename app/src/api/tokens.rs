//! What the person's own page reads.

use leptos::prelude::*;
use types::token::TokenSummary;

use super::Failure;
use super::wire::Wired;

/// The reader's tokens.
#[server(name = ReadTokens, prefix = "/ui", endpoint = "tokens", input = Wired, output = Wired)]
pub async fn tokens() -> Result<Vec<TokenSummary>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.tokens(&actor).await)
}
