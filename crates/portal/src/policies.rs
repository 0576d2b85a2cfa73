//! The rules, for the page that explains them.

use types::actor::Actor;
use types::policy::Rule;

use crate::{Portal, Result};

impl Portal {
    /// Every guardrail and control, guardrails first, each kind by id. Everybody who is signed in may read them: they bind everybody.
    ///
    /// # Errors
    /// None today.
    pub async fn rules(&self, actor: &Actor) -> Result<Vec<Rule>> {
        let _ = actor;
        Ok(self.0.policies.rules().to_vec())
    }
}
