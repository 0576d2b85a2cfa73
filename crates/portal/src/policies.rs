//! The rules, for the page that explains them.

use types::actor::Actor;
use types::policy::Rule;

use crate::{Error, Portal, Result};

impl Portal {
    /// Every guardrail and control, by id.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn rules(&self, actor: &Actor) -> Result<Vec<Rule>> {
        let _ = (actor,);
        Err(Error::internal("rules is being built"))
    }
}
