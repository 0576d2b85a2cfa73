//! What a tier of a project and Azure's quotas hold: the one number that pages show, rules judge, and transactions check before they reserve.

use store::{QuotaHeld, TierTotal, Tx};
use tokio::sync::SemaphorePermit;
use types::cost::{BudgetLine, Usd};
use types::ids::StackId;
use types::names::ProjectName;
use types::plan::Target;
use types::project::Tier;
use types::time::Timestamp;

use crate::azure_facts::Facts;
use crate::plans::{OtherStack, Reserved, Standing};
use crate::{Error, Portal, Result};

/// Whose standing: one tier, with one stack left out.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) project: ProjectName,
    pub(crate) tier: Option<Tier>,
    pub(crate) beside: StackId,
}

/// Transactions of this process that check limits at the same time; the others wait for their turn before they take a connection. Else, on PostgreSQL,
/// all connections could wait for a lock whose holder needs one more.
pub(crate) const TURNS: usize = 4;

impl Portal {
    /// Begins a transaction that checks limits and reserves. Keep the turn until the transaction has ended.
    pub(crate) async fn begin_reserving(&self) -> Result<(SemaphorePermit<'_>, Tx)> {
        let turn = self.0.reserving.acquire().await.map_err(Error::internal)?;
        let tx = self.0.store.begin().await?;
        Ok((turn, tx))
    }

    /// What a tier holds now, all stacks counted.
    pub(crate) async fn tier_standing(
        &self,
        project: &ProjectName,
        tier: Tier,
    ) -> Result<Standing> {
        let place = Place {
            project: project.clone(),
            tier: Some(tier),
            beside: StackId(uuid::Uuid::nil()),
        };
        let facts = self.0.facts.snapshot();
        self.standing(&place, &facts, Vec::new()).await
    }

    /// What is held now beside one stack.
    pub(crate) async fn standing(
        &self,
        place: &Place,
        facts: &Facts,
        other_stacks: Vec<OtherStack>,
    ) -> Result<Standing> {
        let store = &self.0.store;
        let totals = store
            .tier_totals(&place.project, Some(place.beside))
            .await?;
        let held = store.quota_held(place.beside, oldest(facts)).await?;
        Ok(of(place, totals, held, facts, other_stacks))
    }
}

/// What is held as a transaction sees it, with the limits of the tier and of the quotas locked, and of the person whose request will wait: until the
/// transaction ends, nobody else reserves there.
pub(crate) async fn locked(
    tx: &mut Tx,
    place: &Place,
    target: &Target,
    facts: &Facts,
    other_stacks: Vec<OtherStack>,
    requester: Option<&str>,
) -> Result<Standing> {
    let tier = place.tier.map_or("", Tier::as_str);
    let mut limits = vec![
        format!("tier/{}/{tier}", place.project),
        // All quotas of the place: every plan with machines draws on that of the whole region.
        format!("quota/{}/{}", target.subscription, target.region).to_lowercase(),
    ];
    limits.extend(requester.map(|person| format!("person/{person}")));
    tx.lock_limits(limits).await?;
    let totals = tx.tier_totals(&place.project, Some(place.beside)).await?;
    let held = tx.quota_held(place.beside, oldest(facts)).await?;
    Ok(of(place, totals, held, facts, other_stacks))
}

/// Requests that ended before this are counted by Azure wherever it was asked.
fn oldest(facts: &Facts) -> Timestamp {
    facts
        .usages_asked()
        .min()
        .unwrap_or_else(|| Timestamp::new(time::OffsetDateTime::UNIX_EPOCH))
}

fn of(
    place: &Place,
    totals: Vec<TierTotal>,
    held: Vec<QuotaHeld>,
    facts: &Facts,
    other_stacks: Vec<OtherStack>,
) -> Standing {
    let total = totals
        .into_iter()
        .find(|total| Some(total.tier) == place.tier);
    let reserved = held
        .into_iter()
        // What ended before Azure was asked is in Azure's own count.
        .filter(|held| {
            held.until_asked_after.is_none_or(|ended| {
                facts
                    .usages_of(&held.subscription, &held.region)
                    .is_none_or(|asked| asked <= ended)
            })
        })
        .map(|held| Reserved {
            subscription: held.subscription,
            region: held.region,
            family: held.family,
            amount: held.amount,
        })
        .collect();
    Standing {
        reserved,
        other_stacks,
        ..total.map_or_else(Standing::default, |total| Standing {
            stacks: total.stacks,
            committed: total.monthly + total.pending,
            own: total.own,
            unpriced: total.unpriced,
            ..Standing::default()
        })
    }
}

impl Standing {
    /// The tier's budget with what is committed of it, the stack itself included.
    pub(crate) fn budget(&self, limit: Usd) -> BudgetLine {
        BudgetLine {
            limit,
            committed: self.committed + self.own,
            unpriced: self.unpriced,
            after: None,
        }
    }
}
