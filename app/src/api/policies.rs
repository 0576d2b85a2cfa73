//! What the policies page reads.

use leptos::prelude::*;
use types::policy::Rule;

use super::Failure;
use super::wire::Wired;

/// All guardrails and controls.
#[server(name = ReadRules, prefix = "/ui", endpoint = "rules", input = Wired, output = Wired)]
pub async fn rules() -> Result<Vec<Rule>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.rules(&actor).await)
}
