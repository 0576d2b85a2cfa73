//! What a plan draws on Azure's quotas: virtual processors, of the region and of each size family, at the most that the plan allows.

use std::collections::BTreeMap;

use types::plan::{Change, PlannedResource};
use types::quota::QuotaLine;
use types::request::RequestKind;

use crate::azure_facts::Facts;
use crate::capacity::machines;
use crate::forms::regions;
use crate::plans::{Ground, Planned};

/// Azure's name of the quota of all families together.
const CORES: &str = "cores";

/// What a plan draws.
#[derive(Debug, Default)]
pub(crate) struct Draw {
    /// One line per quota that the plan touches, the family's before the region's.
    pub(crate) lines: Vec<QuotaLine>,
    /// What cannot be judged, in words: a size or a number of machines that is not known, a quota whose use Azure has not told.
    pub(crate) unknown: Vec<String>,
}

/// Holds the plan against the quotas.
pub(crate) fn draw(planned: &Planned, kind: RequestKind, ground: &Ground<'_>) -> Draw {
    let target = &planned.target;
    let mut draw = Draw::default();
    let after = processors(planned.resources.iter(), target, ground.facts, |unknown| {
        draw.unknown.push(unknown);
    });
    let before = before(planned, ground);
    for (family, amount) in &after {
        let had = before.get(family).copied().unwrap_or_default();
        let requested = amount.most - had.most;
        let Some((usage, fetched_at)) =
            ground
                .facts
                .usage(&target.subscription, &target.region, family)
        else {
            if requested > 0 {
                draw.unknown.push(format!(
                    "the quota {family} in {}",
                    regions::title(&target.region)
                ));
            }
            continue;
        };
        let reserved = ground
            .standing
            .reserved
            .iter()
            .filter(|held| held.is_of(&target.subscription, &target.region, family))
            .map(|held| held.amount)
            .sum::<i64>()
            // The nodes that the stack's own pools may still add, as they are now.
            + (had.most - had.least);
        draw.lines.push(QuotaLine {
            subscription: target.subscription.clone(),
            region: target.region.clone(),
            family: usage.name.clone(),
            label: usage.label.clone(),
            used: usage.used,
            reserved,
            requested,
            headroom: amount.most - amount.least,
            limit: usage.limit,
            // What needs no more than before always fits.
            fits: requested <= 0
                || usage
                    .used
                    .saturating_add(reserved)
                    .saturating_add(requested)
                    <= usage.limit,
            fetched_at,
        });
    }
    draw.lines
        .sort_by_key(|line| line.family.eq_ignore_ascii_case(CORES));
    if !matches!(kind, RequestKind::Create | RequestKind::Update) {
        draw.unknown.clear();
    }
    draw
}

/// What the stack's machines draw as they are: of the last plan, those that exist.
fn before(planned: &Planned, ground: &Ground<'_>) -> BTreeMap<String, Amount> {
    let Some((stack, plan)) = ground
        .stack
        .and_then(|stack| Some((stack, stack.plan.as_ref()?)))
    else {
        return BTreeMap::new();
    };
    let exists = |resource: &&PlannedResource| {
        stack
            .resources
            .iter()
            .any(|known| known.id.eq_ignore_ascii_case(&resource.id))
    };
    processors(
        plan.resources.iter().filter(exists),
        &planned.target,
        ground.facts,
        |_| {},
    )
}

/// Virtual processors that run at least and that may run at most.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    least: i64,
    most: i64,
}

/// Virtual processors by family, lower case, and all of them under `cores`.
fn processors<'a>(
    resources: impl Iterator<Item = &'a PlannedResource>,
    target: &types::plan::Target,
    facts: &Facts,
    mut unknown: impl FnMut(String),
) -> BTreeMap<String, Amount> {
    let mut by_family: BTreeMap<String, Amount> = BTreeMap::new();
    for resource in resources.filter(|r| r.change != Change::Delete) {
        for machines in machines(resource) {
            let size = machines
                .size
                .and_then(|size| facts.size(&target.subscription, &target.region, size));
            let (Some(size), Some(nodes)) = (size, machines.nodes) else {
                unknown(format!("the machines of {}", resource.name));
                continue;
            };
            if machines.may_be_spot() {
                unknown(format!("the Spot machines of {}", resource.name));
                continue;
            }
            let vcpus = i64::from(size.vcpus);
            for family in [size.family.to_lowercase(), CORES.to_owned()] {
                let amount = by_family.entry(family).or_default();
                amount.least = amount
                    .least
                    .saturating_add(vcpus.saturating_mul(nodes.least));
                amount.most = amount
                    .most
                    .saturating_add(vcpus.saturating_mul(nodes.at_most()));
            }
        }
    }
    by_family
}
