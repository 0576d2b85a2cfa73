//! What the policies page reads.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::policy::Rule;

use super::Failure;

/// All guardrails and controls.
#[server(name = ReadRules, prefix = "/ui", endpoint = "rules", input = Json)]
pub async fn rules() -> Result<Vec<Rule>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.rules(&actor).await)
}
