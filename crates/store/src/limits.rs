//! What a tier's limits and Azure's quotas hold, and the locks under which they are checked. What a limit is, and whether something fits, is not said here.

use sqlx::FromRow;
use types::cost::Usd;
use types::ids::{RequestId, StackId};
use types::names::ProjectName;
use types::project::{StackCount, Tier};
use types::quota::QuotaLine;
use types::request::RequestSummary;
use types::time::Timestamp;

use crate::columns::{At, count, word, word_of};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

/// What one tier of a project holds, one stack left out of the sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierTotal {
    /// The tier.
    pub tier: Tier,
    /// Stacks that exist, and new ones that are approved. Denied requests and those that wait for a decision hold no place.
    pub stacks: StackCount,
    /// The most that the existing stacks can cost a month.
    pub monthly: Usd,
    /// The same of the stack that was left out.
    pub own: Usd,
    /// What approved and executing requests add to that. What they take off counts when it is gone.
    pub pending: Usd,
    /// How many parts of all these have no known price.
    pub unpriced: u32,
}

/// Quota that is held back although Azure does not count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaHeld {
    /// Subscription id, lower case.
    pub subscription: String,
    /// Region, lower case.
    pub region: String,
    /// Azure's name of the quota, lower case.
    pub family: String,
    /// How much.
    pub amount: i64,
    /// Of a request that has ended: when. Azure counts it in what it says later.
    pub until_asked_after: Option<Timestamp>,
}

#[derive(FromRow)]
struct TotalRow {
    tier: String,
    active: i64,
    approved: i64,
    monthly: i64,
    own: i64,
    pending: i64,
    unpriced: i64,
}

#[derive(FromRow)]
struct HeldRow {
    subscription: String,
    region: String,
    family: String,
    amount: i64,
}

#[derive(FromRow)]
struct EndedRow {
    subscription: String,
    region: String,
    family: String,
    amount: i64,
    updated_at: At,
}

// PostgreSQL's SUM over BIGINT is NUMERIC, hence the casts. A reserved stack's own amount is that of its request.
const TOTALS: &str = "SELECT tier, CAST(SUM(active) AS BIGINT) AS active, CAST(SUM(approved) AS BIGINT) AS approved, \
     CAST(SUM(monthly) AS BIGINT) AS monthly, CAST(SUM(own) AS BIGINT) AS own, CAST(SUM(pending) AS BIGINT) AS pending, \
     CAST(SUM(unpriced) AS BIGINT) AS unpriced FROM ( \
       SELECT s.tier AS tier, CASE WHEN s.id = $2 THEN 0 ELSE 1 END AS active, 0 AS approved, \
         CASE WHEN s.id = $2 THEN 0 ELSE s.monthly END AS monthly, CASE WHEN s.id = $2 THEN s.monthly ELSE 0 END AS own, \
         0 AS pending, s.unpriced AS unpriced \
       FROM stack s WHERE s.project = $1 AND s.state NOT IN ('reserved', 'deleted') \
       UNION ALL \
       SELECT r.tier, 0, CASE WHEN s.state = 'reserved' THEN 1 ELSE 0 END, 0, 0, \
         CASE WHEN s.state = 'reserved' THEN r.monthly WHEN r.monthly > s.monthly THEN r.monthly - s.monthly ELSE 0 END, r.unpriced \
       FROM request r JOIN stack s ON s.id = r.stack_id \
       WHERE r.project = $1 AND r.state IN ('approved', 'executing') AND r.kind IN ('create', 'update') AND r.stack_id <> $2 \
     ) AS parts GROUP BY tier ORDER BY tier";

const HELD: &str = "SELECT subscription, region, family, CAST(SUM(amount) AS BIGINT) AS amount FROM ( \
       SELECT q.subscription AS subscription, q.region AS region, q.family AS family, q.amount AS amount \
       FROM request r JOIN request_quota q ON q.request_id = r.id WHERE r.state IN ('approved', 'executing') AND r.stack_id <> $1 \
       UNION ALL \
       SELECT q.subscription, q.region, q.family, q.amount \
       FROM stack_quota q JOIN stack s ON s.id = q.stack_id WHERE s.state <> 'deleted' AND s.id <> $1 \
     ) AS parts GROUP BY subscription, region, family ORDER BY subscription, region, family";

const ENDED: &str = "SELECT q.subscription, q.region, q.family, q.amount, r.updated_at \
     FROM request r JOIN request_quota q ON q.request_id = r.id \
     WHERE r.state IN ('completed', 'failed', 'cancelled') AND r.updated_at >= $2 AND r.stack_id <> $1 \
     ORDER BY r.updated_at, q.subscription, q.region, q.family";

async fn tier_totals(
    conn: Conn<'_>,
    project: &ProjectName,
    beside: Option<StackId>,
) -> Result<Vec<TierTotal>> {
    let beside = beside.map_or(uuid::Uuid::nil(), |stack| stack.0);
    fetch_all!(conn, TotalRow, TOTALS, project.as_str(), beside)?
        .into_iter()
        .map(|row| {
            Ok(TierTotal {
                tier: word("stack.tier", row.tier)?,
                stacks: StackCount {
                    active: count("stacks", row.active)?,
                    approved: count("stacks", row.approved)?,
                },
                monthly: Usd(row.monthly),
                own: Usd(row.own),
                pending: Usd(row.pending),
                unpriced: count("unpriced", row.unpriced)?,
            })
        })
        .collect()
}

async fn quota_held(
    mut conn: Conn<'_>,
    beside: StackId,
    ended_since: Timestamp,
) -> Result<Vec<QuotaHeld>> {
    let mut held: Vec<QuotaHeld> = fetch_all!(conn.again(), HeldRow, HELD, beside.0)?
        .into_iter()
        .map(|row| QuotaHeld {
            subscription: row.subscription,
            region: row.region,
            family: row.family,
            amount: row.amount,
            until_asked_after: None,
        })
        .collect();
    held.extend(
        fetch_all!(conn, EndedRow, ENDED, beside.0, At(ended_since))?
            .into_iter()
            .map(|row| QuotaHeld {
                subscription: row.subscription,
                region: row.region,
                family: row.family,
                amount: row.amount,
                until_asked_after: Some(row.updated_at.into()),
            }),
    );
    Ok(held)
}

/// What a plan adds to each quota; what it gives back is not counted before it is given.
pub(crate) async fn put_request_quota(
    mut conn: Conn<'_>,
    request: RequestId,
    lines: &[QuotaLine],
) -> Result<()> {
    execute!(
        conn.again(),
        "DELETE FROM request_quota WHERE request_id = $1",
        request.0
    )?;
    for line in lines.iter().filter(|line| line.requested > 0) {
        execute!(
            conn.again(),
            "INSERT INTO request_quota (request_id, subscription, region, family, amount) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (request_id, subscription, region, family) DO UPDATE SET amount = request_quota.amount + excluded.amount",
            request.0,
            line.subscription.to_lowercase(),
            line.region.to_lowercase(),
            line.family.to_lowercase(),
            line.requested
        )?;
    }
    Ok(())
}

/// Requests that wait for people and make something: those hold a name and resource ids, and stand in somebody's queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenRequests {
    /// Those of one requester, wherever they are.
    pub of_person: u64,
    /// Those of everybody in one tier of a project.
    pub in_tier: u64,
}

// The condition is that of the index `request_open_by_requester`, word by word: SQLite takes a partial index only then.
const OPEN_OF_PERSON: &str = "SELECT COUNT(*) FROM request WHERE requester = $1 AND id <> $2 \
     AND state IN ('awaiting_approval', 'changes_requested') AND kind IN ('create', 'update')";

const OPEN_IN_TIER: &str = "SELECT COUNT(*) FROM request WHERE project = $1 AND tier = $2 AND id <> $3 \
     AND state IN ('awaiting_approval', 'changes_requested') AND kind IN ('create', 'update')";

impl Tx {
    /// How many requests a person has sent since then, as this transaction sees them.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn requests_since(&mut self, requester: &str, since: Timestamp) -> Result<u64> {
        let sent: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            "SELECT COUNT(*) FROM request WHERE requester = $1 AND created_at > $2",
            requester,
            At(since)
        )?;
        count("requests", sent.map_or(0, |(n,)| n))
    }

    /// How many requests beside this one wait, of its requester and in its tier, as this transaction sees them. Lock both limits first.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn open_requests(&mut self, beside: &RequestSummary) -> Result<OpenRequests> {
        let of_person: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            OPEN_OF_PERSON,
            beside.requester.as_str(),
            beside.id.0
        )?;
        let in_tier: Option<(i64,)> = fetch_optional!(
            self.conn(),
            (i64,),
            OPEN_IN_TIER,
            beside.project.as_str(),
            word_of(&beside.tier)?,
            beside.id.0
        )?;
        Ok(OpenRequests {
            of_person: count("requests", of_person.map_or(0, |(n,)| n))?,
            in_tier: count("requests", in_tier.map_or(0, |(n,)| n))?,
        })
    }

    /// Locks limits until the transaction ends: one that locks the same scope waits, and then sees what this one wrote.
    ///
    /// Call it before the transaction writes anything else. Transactions that hold a row and then wait for a limit could wait for each other;
    /// those that lock all their limits first, in the order of their names, cannot.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn lock_limits(&mut self, mut scopes: Vec<String>) -> Result<()> {
        scopes.sort_unstable();
        scopes.dedup();
        for scope in scopes {
            execute!(
                self.conn(),
                "INSERT INTO limit_lock (scope, taken) VALUES ($1, 1) ON CONFLICT (scope) DO UPDATE SET taken = limit_lock.taken + 1",
                scope
            )?;
        }
        Ok(())
    }

    /// [`Store::tier_totals`] as this transaction sees them.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn tier_totals(
        &mut self,
        project: &ProjectName,
        beside: Option<StackId>,
    ) -> Result<Vec<TierTotal>> {
        tier_totals(self.conn(), project, beside).await
    }

    /// [`Store::quota_held`] as this transaction sees it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn quota_held(
        &mut self,
        beside: StackId,
        ended_since: Timestamp,
    ) -> Result<Vec<QuotaHeld>> {
        quota_held(self.conn(), beside, ended_since).await
    }

    /// Holds quota for what a stack may draw without a request, by subscription, region and family. With `replace` this is all that it holds;
    /// without, it is the least: what is held already stays where it is more.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such stack.
    pub async fn hold_stack_quota(
        &mut self,
        stack: StackId,
        amounts: &[(&QuotaLine, i64)],
        replace: bool,
    ) -> Result<()> {
        if replace {
            execute!(
                self.conn(),
                "DELETE FROM stack_quota WHERE stack_id = $1",
                stack.0
            )?;
        }
        for (line, amount) in amounts.iter().filter(|(_, amount)| *amount > 0) {
            execute!(
                self.conn(),
                "INSERT INTO stack_quota (stack_id, subscription, region, family, amount) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (stack_id, subscription, region, family) DO UPDATE SET amount = \
                   CASE WHEN excluded.amount > stack_quota.amount THEN excluded.amount ELSE stack_quota.amount END",
                stack.0,
                line.subscription.to_lowercase(),
                line.region.to_lowercase(),
                line.family.to_lowercase(),
                *amount
            )?;
        }
        Ok(())
    }
}

impl Store {
    /// What a project's tiers hold; a tier without stacks and requests is left out. Of the stack `beside`, only `own` and `unpriced` count it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn tier_totals(
        &self,
        project: &ProjectName,
        beside: Option<StackId>,
    ) -> Result<Vec<TierTotal>> {
        let mut lease = self.engine.read().await?;
        tier_totals(lease.conn(), project, beside).await
    }

    /// Quota that is held back beside one stack: by approved and executing requests, by stacks that may grow, and by requests that ended since a moment.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn quota_held(
        &self,
        beside: StackId,
        ended_since: Timestamp,
    ) -> Result<Vec<QuotaHeld>> {
        let mut lease = self.engine.read().await?;
        quota_held(lease.conn(), beside, ended_since).await
    }
}
