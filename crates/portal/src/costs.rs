//! What planned resources cost a month: hours of machines and months of managed disks, from the cached retail prices.

use serde_json::Value;
use types::cost::{CostEstimate, CostLine, Usd};
use types::plan::{Change, PlannedResource};

use crate::azure_facts::{Facts, Price};

/// Hours in a month, as Azure's own calculator counts (8,760 / 12).
pub(crate) const HOURS: f64 = 730.0;

/// Resource types that cost nothing by themselves.
const FREE: [&str; 6] = [
    "microsoft.network/networkinterfaces",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.managedidentity/userassignedidentities",
    "microsoft.compute/virtualmachines/extensions",
    "microsoft.authorization/roleassignments",
];

/// Sizes in GiB and numbers of the tiers of managed disks
/// (<https://learn.microsoft.com/azure/virtual-machines/disks-types>); the letter says the kind.
const TIERS: [(i64, u32); 14] = [
    (4, 1),
    (8, 2),
    (16, 3),
    (32, 4),
    (64, 6),
    (128, 10),
    (256, 15),
    (512, 20),
    (1_024, 30),
    (2_048, 40),
    (4_096, 50),
    (8_192, 60),
    (16_384, 70),
    (32_767, 80),
];

/// Estimates a month of these resources in a region, dearest line first. What has no known price is named, not guessed.
pub(crate) fn estimate(resources: &[PlannedResource], region: &str, facts: &Facts) -> CostEstimate {
    let mut sum = Sum {
        region,
        facts,
        lines: Vec::new(),
        unpriced: Vec::new(),
    };
    for resource in resources.iter().filter(|r| r.change != Change::Delete) {
        sum.resource(resource);
    }
    sum.lines
        .sort_by_key(|line| std::cmp::Reverse(line.monthly));
    CostEstimate {
        monthly: sum.lines.iter().map(|line| line.monthly).sum(),
        monthly_before: None,
        lines: sum.lines,
        unpriced: sum.unpriced,
        budget: None,
    }
}

/// What a month of one machine costs.
pub(crate) fn vm_month(facts: &Facts, region: &str, size: &str) -> Option<(Usd, bool)> {
    let price = facts.vm_price(region, size)?;
    Some((Usd::from_dollars(price.usd * HOURS), price.sample))
}

struct Sum<'a> {
    region: &'a str,
    facts: &'a Facts,
    lines: Vec<CostLine>,
    unpriced: Vec<String>,
}

impl Sum<'_> {
    fn resource(&mut self, resource: &PlannedResource) {
        let properties = &resource.body["properties"];
        match resource.kind.to_ascii_lowercase().as_str() {
            "microsoft.compute/virtualmachines" => {
                let size = text(&properties["hardwareProfile"]["vmSize"]);
                self.machines(resource, size, 1, &format!("VM {size}"));
                let disk = &properties["storageProfile"]["osDisk"];
                if disk["diffDiskSettings"].is_null() {
                    let sku = text(&disk["managedDisk"]["storageAccountType"]);
                    self.disk(resource, sku, disk["diskSizeGB"].as_i64(), "OS disk", 1);
                }
            }
            "microsoft.compute/disks" => {
                let sku = text(&resource.body["sku"]["name"]);
                self.disk(
                    resource,
                    sku,
                    properties["diskSizeGB"].as_i64(),
                    "Data disk",
                    1,
                );
            }
            "microsoft.containerservice/managedclusters/agentpools" => {
                let size = text(&properties["vmSize"]);
                let nodes = properties["count"].as_i64().unwrap_or(0);
                let most = properties["maxCount"].as_i64().unwrap_or(nodes);
                let label = if most > nodes {
                    format!("{nodes} nodes {size} (autoscaling up to {most})")
                } else {
                    format!("{nodes} nodes {size}")
                };
                self.machines(resource, size, nodes, &label);
                if properties["osDiskType"] != "Ephemeral" {
                    // AKS takes Premium SSD for the OS disks of nodes.
                    let size = properties["osDiskSizeGB"].as_i64();
                    self.disk(resource, "Premium_LRS", size, "OS disks", nodes);
                }
            }
            kind if FREE.contains(&kind) => {}
            _ => self.unpriced.push(resource.name.clone()),
        }
    }

    fn machines(&mut self, resource: &PlannedResource, size: &str, count: i64, label: &str) {
        match self.facts.vm_price(self.region, size) {
            Some(price) => {
                let hours = HOURS * float(count);
                self.line(
                    resource,
                    format!("{label}, {hours} h"),
                    hours,
                    "hour",
                    price,
                );
            }
            None => self.unpriced.push(resource.name.clone()),
        }
    }

    fn disk(
        &mut self,
        resource: &PlannedResource,
        sku: &str,
        gib: Option<i64>,
        what: &str,
        count: i64,
    ) {
        let priced = gib.and_then(|gib| {
            let tier = disk_tier(sku, gib)?;
            let price = self.facts.disk_price(self.region, &tier)?;
            Some((gib, tier, price))
        });
        match priced {
            Some((gib, tier, price)) => {
                let name = tier.split(' ').next().unwrap_or_default();
                self.line(
                    resource,
                    format!("{what} {name}, {gib} GiB"),
                    float(count),
                    "month",
                    price,
                );
            }
            None => self.unpriced.push(format!("{what} of {}", resource.name)),
        }
    }

    fn line(
        &mut self,
        resource: &PlannedResource,
        label: String,
        quantity: f64,
        unit: &str,
        price: Price,
    ) {
        self.lines.push(CostLine {
            label,
            resource: resource.name.clone(),
            quantity,
            unit: unit.to_owned(),
            unit_price: price.usd,
            monthly: Usd::from_dollars(price.usd * quantity),
            sample: price.sample,
        });
    }
}

/// The billing tier of a managed disk, such as `P10 LRS`; `None` for kinds that are not billed by tier.
pub(crate) fn disk_tier(sku: &str, gib: i64) -> Option<String> {
    let (kind, redundancy) = sku.split_once('_')?;
    let letter = match kind {
        "Premium" => 'P',
        "StandardSSD" => 'E',
        "Standard" => 'S',
        _ => return None,
    };
    let smallest = if letter == 'S' { 32 } else { 4 };
    let (_, number) = TIERS.iter().find(|(most, _)| *most >= gib.max(smallest))?;
    Some(format!("{letter}{number} {redundancy}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

#[expect(clippy::cast_precision_loss, reason = "counts of nodes are small")]
fn float(count: i64) -> f64 {
    count as f64
}
