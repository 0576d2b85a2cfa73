//! What is left of Azure's rate limits, for whoever looks after the installation.

use types::actor::Actor;
use types::limit::RateLimit;

use crate::access::sees_all;
use crate::{Error, Portal, Result};

impl Portal {
    /// Every bucket that a call of this process drew from, by subscription. For those who see every project.
    ///
    /// # Errors
    /// [`Error::NotFound`] without that right.
    pub fn rate_limits(&self, actor: &Actor) -> Result<Vec<RateLimit>> {
        if !sees_all(actor) {
            return Err(Error::NotFound { what: "page" });
        }
        let budgets = self.0.arm.budgets().into_iter();
        Ok(budgets
            .map(|budget| RateLimit {
                subscription: budget.subscription,
                limit: budget.limit.to_owned(),
                burst: budget.burst,
                per_second: budget.per_second,
                left: budget.left.floor(),
                waiting: budget.waiting as u64,
            })
            .collect())
    }
}
