//! What a plan draws on Azure's quotas: virtual processors, of the region and of each size family.

use std::collections::BTreeMap;

use types::plan::{Change, PlannedResource};
use types::quota::QuotaLine;

use crate::azure_facts::Facts;
use crate::plans::{Ground, Planned};

/// Azure's name of the quota of all families together.
const CORES: &str = "cores";

/// One line per quota that the plan touches, the family's before the region's; nothing where usage is not known.
pub(crate) fn lines(planned: &Planned, ground: &Ground<'_>) -> Vec<QuotaLine> {
    let target = &planned.target;
    let count = |resources: &[PlannedResource]| {
        processors(
            resources,
            ground.facts,
            &target.subscription,
            &target.region,
        )
    };
    let after = count(&planned.resources);
    let before = ground
        .stack
        .filter(|stack| !stack.resources.is_empty())
        .and_then(|stack| stack.plan.as_ref())
        .map(|plan| count(&plan.resources))
        .unwrap_or_default();
    let mut lines: Vec<QuotaLine> = after
        .iter()
        .filter_map(|(family, amount)| {
            let requested = amount - before.get(family).copied().unwrap_or(0);
            let (usage, fetched_at) =
                ground
                    .facts
                    .usage(&target.subscription, &target.region, family)?;
            let reserved = ground
                .standing
                .reserved
                .iter()
                .filter(|held| {
                    held.subscription.eq_ignore_ascii_case(&target.subscription)
                        && held.region.eq_ignore_ascii_case(&target.region)
                        && held.family.eq_ignore_ascii_case(family)
                })
                .map(|held| held.amount)
                .sum::<i64>();
            Some(QuotaLine {
                subscription: target.subscription.clone(),
                region: target.region.clone(),
                family: usage.name.clone(),
                label: usage.label.clone(),
                used: usage.used,
                reserved,
                requested,
                limit: usage.limit,
                // What needs no more than before always fits.
                fits: requested <= 0 || usage.used + reserved + requested <= usage.limit,
                fetched_at,
            })
        })
        .collect();
    lines.sort_by_key(|line| line.family.eq_ignore_ascii_case(CORES));
    lines
}

/// Virtual processors by family, lower case, and all of them under `cores`.
fn processors(
    resources: &[PlannedResource],
    facts: &Facts,
    subscription: &str,
    region: &str,
) -> BTreeMap<String, i64> {
    let mut by_family = BTreeMap::new();
    for resource in resources.iter().filter(|r| r.change != Change::Delete) {
        let Some((name, count)) = machines(resource) else {
            continue;
        };
        if let Some(size) = facts.size(subscription, region, name) {
            let amount = i64::from(size.vcpus).saturating_mul(count);
            for family in [size.family.to_lowercase(), CORES.to_owned()] {
                *by_family.entry(family).or_insert(0) += amount;
            }
        }
    }
    by_family
}

/// The size of a resource's machines and how many they are.
pub(crate) fn machines(resource: &PlannedResource) -> Option<(&str, i64)> {
    let properties = &resource.body["properties"];
    match resource.kind.to_ascii_lowercase().as_str() {
        "microsoft.compute/virtualmachines" => {
            Some((properties["hardwareProfile"]["vmSize"].as_str()?, 1))
        }
        "microsoft.containerservice/managedclusters/agentpools" => {
            let nodes = properties["count"].as_i64().unwrap_or(0);
            Some((properties["vmSize"].as_str()?, nodes))
        }
        _ => None,
    }
}
