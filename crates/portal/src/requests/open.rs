//! How many requests may wait for people at the same time, and how many one person sends in a day. Each that waits holds a name and resource ids, and stands
//! in the approvers' queue; each is kept.

use store::{Request, Tx};
use time::Duration;
use types::policy::Verdict;
use types::request::RequestKind;

use crate::plans::ground::reserves;
use crate::{Error, Portal, Result};

/// How many requests may wait for a decision or for changes at the same time. Denied ones hold nothing and do not count; approved ones are bounded by
/// the tier's stacks. A pipeline whose requests need no approval never meets these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenLimits {
    /// Of one person, tokens included, in all projects together.
    pub per_person: u32,
    /// Of everybody in one tier of a project.
    pub per_tier: u32,
    /// How many requests one person sends within a day, whatever becomes of them: each is kept with its plan, denied ones too.
    pub per_day: u32,
}

impl Default for OpenLimits {
    fn default() -> Self {
        Self {
            per_person: 50,
            per_tier: 200,
            per_day: 2_000,
        }
    }
}

impl Portal {
    /// Whether its requester may send one more today. Deletions always may, Slipway's own among them.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `too_many_requests_today`.
    pub(super) async fn refuse_too_many_today(&self, tx: &mut Tx, request: &Request) -> Result<()> {
        let s = &request.summary;
        let most = self.0.open_limits.per_day;
        if s.kind == RequestKind::Delete {
            return Ok(());
        }
        let since = s.created_at.plus(-Duration::days(1));
        if tx.requests_since(&s.requester, since).await? <= u64::from(most) {
            return Ok(());
        }
        Err(Error::Conflict {
            code: "too_many_requests_today",
            detail: format!(
                "{} has sent {most} requests within a day, and one person may send no more. Nothing was sent; edit one that was denied, or come back later.",
                s.requester
            ),
        })
    }

    /// Whether one more request may wait, in the transaction that writes it and holds the locks of both limits (`settle_plan` takes them). Deletions
    /// and extensions always may: a stack has one of them at most, and refusing it would keep a stack nobody wants, or let one expire that is needed.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `too_many_open_requests`.
    pub(super) async fn refuse_too_many_open(&self, tx: &mut Tx, request: &Request) -> Result<()> {
        let s = &request.summary;
        let waits = request
            .plan
            .as_ref()
            .is_some_and(|plan| plan.report.verdict == Verdict::NeedsApproval);
        if !waits || !reserves(s.kind) {
            return Ok(());
        }
        let limits = self.0.open_limits;
        let open = tx.open_requests(s).await?;
        let remedy = "Wait until some of them are decided, or withdraw those that nobody needs any more; then send this one again.";
        let detail = if open.of_person >= u64::from(limits.per_person) {
            format!(
                "{} already has {} requests that wait for a decision or for changes, and one person may have {}. {remedy}",
                s.requester, open.of_person, limits.per_person
            )
        } else if open.in_tier >= u64::from(limits.per_tier) {
            format!(
                "{} already has {} requests in {} that wait for a decision or for changes, and a tier of a project may have {}. {remedy}",
                s.project,
                open.in_tier,
                s.tier.as_str(),
                limits.per_tier
            )
        } else {
            return Ok(());
        };
        Err(Error::Conflict {
            code: "too_many_open_requests",
            detail,
        })
    }
}
