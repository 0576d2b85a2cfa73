//! What planned resources can cost a month: hours of machines and months of managed disks, at the most that the plan allows, from the cached retail prices.

use serde_json::Value;
use types::cost::{CostEstimate, CostLine, Usd};
use types::plan::{Change, PlannedResource, Target};

use crate::azure_facts::{Facts, Price};
use crate::capacity::{Machines, Nodes, machines};

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

/// The managed OS disk that AKS gives a node whose pool names no size, by the vCPUs of the node
/// (<https://learn.microsoft.com/azure/aks/concepts-storage>, page of 2026-07-30, read 2026-11-27).
const NODE_DISKS: [(u32, i64); 4] = [(7, 128), (15, 256), (63, 512), (u32::MAX, 1_024)];

/// Estimates a month of these resources, dearest line first. What has no known price is named; at least what a smaller one costs is counted for it.
pub(crate) fn estimate(
    resources: &[PlannedResource],
    target: &Target,
    facts: &Facts,
) -> CostEstimate {
    let mut sum = Sum {
        target,
        facts,
        lines: Vec::new(),
        least: Usd::default(),
        unpriced: Vec::new(),
    };
    for resource in resources.iter().filter(|r| r.change != Change::Delete) {
        sum.resource(resource);
    }
    sum.lines
        .sort_by_key(|line| std::cmp::Reverse(line.monthly));
    let monthly = sum.lines.iter().map(|line| line.monthly).sum();
    CostEstimate {
        monthly,
        monthly_least: (sum.least < monthly).then_some(sum.least),
        monthly_before: None,
        before_unpriced: 0,
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
    target: &'a Target,
    facts: &'a Facts,
    lines: Vec<CostLine>,
    least: Usd,
    unpriced: Vec<String>,
}

/// A managed disk, or one for each of several nodes.
struct Disk<'a> {
    what: &'a str,
    sku: &'a str,
    gib: Option<i64>,
    /// A performance tier above that of the size, which is then what is paid.
    tier: &'a Value,
    nodes: Nodes,
}

/// The price of something, or of the dearest smaller one that has a price.
enum Found {
    Price(Price),
    AtLeast(Price),
    Nothing,
}

const ONE: Nodes = Nodes {
    least: 1,
    most: 1,
    surge: 0,
};

impl Sum<'_> {
    fn resource(&mut self, resource: &PlannedResource) {
        let properties = &resource.body["properties"];
        match resource.kind.to_ascii_lowercase().as_str() {
            "microsoft.compute/virtualmachines" => {
                for machine in machines(resource) {
                    self.machines(resource, &machine);
                }
                self.disks_of_machine(resource, &properties["storageProfile"]);
                self.extras(
                    resource,
                    [
                        ("the Marketplace plan", !resource.body["plan"].is_null()),
                        (WINDOWS, runs_windows(properties)),
                        (
                            ULTRA,
                            is_set(&properties["additionalCapabilities"]["ultraSSDEnabled"]),
                        ),
                        (
                            ADDRESSES,
                            mentions(properties, "publicIPAddressConfiguration"),
                        ),
                    ],
                );
            }
            "microsoft.compute/disks" => {
                // A shared disk is charged for each machine that mounts it, but Ultra and Premium SSD v2, which have no price here anyway; a bursting one by
                // the hour and by its transactions
                // (<https://learn.microsoft.com/azure/virtual-machines/disks-understand-billing>, page of 2025-10-28, read 2026-11-27).
                let shares = &properties["maxShares"];
                self.extras(
                    resource,
                    [
                        ("on-demand bursting", is_set(&properties["burstingEnabled"])),
                        ("sharing", !shares.is_null() && *shares != 1),
                    ],
                );
                self.disk(
                    resource,
                    &Disk {
                        what: "Data disk",
                        sku: text(&resource.body["sku"]["name"]),
                        gib: properties["diskSizeGB"].as_i64(),
                        tier: &properties["tier"],
                        nodes: ONE,
                    },
                );
            }
            "microsoft.containerservice/managedclusters/agentpools" => {
                for pool in machines(resource) {
                    self.pool(resource, &pool);
                }
            }
            "microsoft.containerservice/managedclusters" => {
                // The control plane, load balancers and addresses.
                self.unpriced.push(resource.name.clone());
                for pool in machines(resource) {
                    self.pool(resource, &pool);
                }
            }
            kind if FREE.contains(&kind) => {}
            _ => self.unpriced.push(resource.name.clone()),
        }
    }

    /// What may cost on top of what is counted, and has no price here: named, so that people decide.
    fn extras<'n>(
        &mut self,
        resource: &PlannedResource,
        extras: impl IntoIterator<Item = (&'n str, bool)>,
    ) {
        for (what, there) in extras {
            if there {
                self.unpriced.push(format!("{what} of {}", resource.name));
            }
        }
    }

    fn disks_of_machine(&mut self, resource: &PlannedResource, storage: &Value) {
        let os = &storage["osDisk"];
        // Only what says so is on the host's own disk.
        if !text(&os["diffDiskSettings"]["option"]).eq_ignore_ascii_case("local") {
            self.disk(
                resource,
                &Disk {
                    what: "OS disk",
                    sku: text(&os["managedDisk"]["storageAccountType"]),
                    gib: os["diskSizeGB"].as_i64(),
                    tier: &Value::Null,
                    nodes: ONE,
                },
            );
        }
        // A disk that is attached is a resource of its own; the others come with the machine.
        let disks = &storage["dataDisks"];
        self.extras(
            resource,
            [("data disks", !disks.is_null() && !disks.is_array())],
        );
        let own = disks.as_array().into_iter().flatten();
        for disk in own.filter(|disk| !text(&disk["createOption"]).eq_ignore_ascii_case("attach")) {
            self.disk(
                resource,
                &Disk {
                    what: "Data disk",
                    sku: text(&disk["managedDisk"]["storageAccountType"]),
                    gib: disk["diskSizeGB"].as_i64(),
                    tier: &Value::Null,
                    nodes: ONE,
                },
            );
        }
    }

    fn pool(&mut self, resource: &PlannedResource, pool: &Machines<'_>) {
        self.machines(resource, pool);
        let properties = pool.properties;
        let system = text(&properties["osSKU"]).to_ascii_lowercase();
        self.extras(
            resource,
            [
                (
                    WINDOWS,
                    is_windows(&properties["osType"]) || system.starts_with("windows"),
                ),
                (ULTRA, is_set(&properties["enableUltraSSD"])),
                (
                    ADDRESSES,
                    is_set(&properties["enableNodePublicIP"])
                        || !properties["gatewayProfile"].is_null(),
                ),
            ],
        );
        // Without a word AKS takes an ephemeral disk only where it fits, so the managed one is the most that it can be.
        if pool.properties["osDiskType"] == "Ephemeral" {
            return;
        }
        let Some(nodes) = pool.nodes else {
            return;
        };
        let gib = match &pool.properties["osDiskSizeGB"] {
            Value::Null => self.node_disk(pool.size),
            size => match size.as_i64() {
                Some(0) => self.node_disk(pool.size),
                gib => gib,
            },
        };
        self.disk(
            resource,
            &Disk {
                what: "OS disks",
                // AKS takes Premium SSD for the OS disks of nodes.
                sku: "Premium_LRS",
                gib,
                tier: &Value::Null,
                nodes,
            },
        );
    }

    /// The size of a node's OS disk where the pool names none.
    fn node_disk(&self, size: Option<&str>) -> Option<i64> {
        let vcpus = self
            .facts
            .size(&self.target.subscription, &self.target.region, size?)?
            .vcpus;
        NODE_DISKS
            .iter()
            .find(|(most, _)| vcpus <= *most)
            .map(|(_, gib)| *gib)
    }

    fn machines(&mut self, resource: &PlannedResource, machines: &Machines<'_>) {
        let (Some(size), Some(nodes)) = (machines.size, machines.nodes) else {
            self.unpriced.push(resource.name.clone());
            return;
        };
        let (price, at_least) = match self.vm_price(size) {
            Found::Price(price) => (price, ""),
            Found::AtLeast(price) => {
                self.unpriced.push(resource.name.clone());
                (price, " (no price known; a smaller size counts)")
            }
            Found::Nothing => {
                self.unpriced.push(resource.name.clone());
                return;
            }
        };
        let label = match (machines.pooled, nodes.most) {
            (false, _) => format!("VM {size}"),
            (true, 1) => format!("1 node {size}"),
            (true, most) if nodes.least < most => format!("Up to {most} nodes {size}"),
            (true, most) => format!("{most} nodes {size}"),
        };
        let hours = HOURS * float(nodes.most);
        self.line(
            resource,
            format!("{label}{at_least}, {hours} h"),
            hours,
            "hour",
            price,
        );
        if nodes.surge > 0 {
            let hours = HOURS * float(nodes.surge);
            let surge = if nodes.surge == 1 { "node" } else { "nodes" };
            self.line(
                resource,
                format!(
                    "{} surge {surge} {size} while it is upgraded{at_least}, {hours} h",
                    nodes.surge
                ),
                hours,
                "hour",
                price,
            );
        }
        self.least = self.least + Usd::from_dollars(price.usd * HOURS * float(nodes.least));
    }

    fn vm_price(&self, size: &str) -> Found {
        let Target {
            subscription,
            region,
            ..
        } = self.target;
        if let Some(price) = self.facts.vm_price(region, size) {
            return Found::Price(price);
        }
        let Some(asked) = self.facts.size(subscription, region, size) else {
            return Found::Nothing;
        };
        dearest(
            self.facts
                .sizes(subscription, region)
                .unwrap_or_default()
                .into_iter()
                .filter(|known| known.family == asked.family && known.vcpus <= asked.vcpus)
                .filter_map(|known| self.facts.vm_price(region, &known.name)),
        )
    }

    fn disk(&mut self, resource: &PlannedResource, disk: &Disk<'_>) {
        let unknown = format!("{} of {}", disk.what, resource.name);
        let Some((tiers, gib)) = disk
            .gib
            .and_then(|gib| Some((disk_tiers(disk.sku, gib, disk.tier)?, gib)))
        else {
            self.unpriced.push(unknown);
            return;
        };
        let region = &self.target.region;
        let asked = tiers.last().map_or("", String::as_str);
        let found = match self.facts.disk_price(region, asked) {
            Some(price) if fits_largest(gib) => Found::Price(price),
            _ => dearest(
                tiers
                    .iter()
                    .filter_map(|tier| self.facts.disk_price(region, tier)),
            ),
        };
        let name = asked.split(' ').next().unwrap_or_default();
        let (price, at_least) = match found {
            Found::Price(price) => (price, ""),
            Found::AtLeast(price) => {
                self.unpriced.push(unknown);
                (price, " (no price known; a smaller tier counts)")
            }
            Found::Nothing => {
                self.unpriced.push(unknown);
                return;
            }
        };
        let count = disk.nodes.at_most();
        let each = if count == 1 {
            String::new()
        } else {
            format!("{count} × ")
        };
        self.line(
            resource,
            format!("{} {each}{name}, {gib} GiB{at_least}", disk.what),
            float(count),
            "month",
            price,
        );
        self.least = self.least + Usd::from_dollars(price.usd * float(disk.nodes.least));
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

const WINDOWS: &str = "the Windows licence";
const ULTRA: &str = "support for Ultra Disks";
const ADDRESSES: &str = "public addresses";

/// Whether something is switched on; what is known only after apply may be.
fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// The prices are those of Linux.
fn runs_windows(properties: &Value) -> bool {
    is_windows(&properties["storageProfile"]["osDisk"]["osType"])
        || !properties["osProfile"]["windowsConfiguration"].is_null()
}

fn is_windows(system: &Value) -> bool {
    match system {
        Value::Null => false,
        Value::String(system) => !system.eq_ignore_ascii_case("linux"),
        _ => true,
    }
}

/// Whether a member of this name has a value anywhere inside.
fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| (key == name && !value.is_null()) || mentions(value, name)),
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        _ => false,
    }
}

/// The dearest of smaller ones: the asked one costs no less.
fn dearest(prices: impl Iterator<Item = Price>) -> Found {
    prices
        .max_by(|a, b| a.usd.total_cmp(&b.usd))
        .map_or(Found::Nothing, Found::AtLeast)
}

/// Whether a disk of this size exists at all; a larger one has no tier.
fn fits_largest(gib: i64) -> bool {
    TIERS.last().is_some_and(|(largest, _)| gib <= *largest)
}

/// The billing tiers of a managed disk from the smallest to its own, such as `P10 LRS`; `None` for kinds that are not billed by tier
/// (Premium SSD v2, Ultra) and for a size or tier that is none.
fn disk_tiers(sku: &str, gib: i64, tier: &Value) -> Option<Vec<String>> {
    let (kind, redundancy) = sku.split_once('_')?;
    let letter = match kind {
        "Premium" => 'P',
        "StandardSSD" => 'E',
        "Standard" => 'S',
        _ => return None,
    };
    if gib <= 0 {
        return None;
    }
    let smallest = if letter == 'S' { 32 } else { 4 };
    let by_size = TIERS
        .iter()
        .position(|(most, _)| *most >= gib)
        .unwrap_or(TIERS.len() - 1);
    let by_tier = match tier {
        Value::Null => 0,
        Value::String(name) => {
            let number = name.strip_prefix(letter)?.parse::<u32>().ok()?;
            TIERS.iter().position(|(_, known)| *known == number)?
        }
        _ => return None,
    };
    Some(
        TIERS
            .iter()
            .enumerate()
            .filter(|(at, (most, _))| {
                *most >= smallest && (*at <= by_size.max(by_tier) || *most == smallest)
            })
            .map(|(_, (_, number))| format!("{letter}{number} {redundancy}"))
            .collect(),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

#[expect(clippy::cast_precision_loss, reason = "counts of nodes are small")]
fn float(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::azure_facts::{Fact, Prices, Size};

    fn facts() -> Facts {
        let now = "2026-11-22T14:02:11Z".parse().unwrap();
        let price = |usd: f64| Price { usd, sample: true };
        let mut disk_months = BTreeMap::new();
        for (at, (_, number)) in TIERS.iter().enumerate() {
            let dollars = 2.0_f64.powi(i32::try_from(at).unwrap());
            for (kind, more) in [("lrs", 1.0), ("zrs", 1.5)] {
                disk_months.insert(format!("p{number} {kind}"), price(dollars * more));
                disk_months.insert(format!("e{number} {kind}"), price(dollars * more / 2.0));
            }
            disk_months.insert(format!("s{number} lrs"), price(dollars / 4.0));
        }
        let mut facts = Facts::default();
        facts.insert(
            Fact::Prices {
                region: "westeurope".to_owned(),
                prices: Prices {
                    vm_hours: BTreeMap::from([("standard_d2ds_v6".to_owned(), price(1.0))]),
                    disk_months,
                },
            },
            now,
        );
        let size = |name: &str, vcpus: u32| Size {
            name: name.to_owned(),
            family: "standardDDSv6Family".to_owned(),
            vcpus,
            memory_gib: 8.0,
            architecture: "x64".to_owned(),
            zones: vec![],
            restricted: false,
            restricted_zones: vec![],
            trusted_launch: true,
            encryption_at_host: true,
            ephemeral_os: true,
        };
        facts.insert(
            Fact::Sizes {
                subscription: "s".to_owned(),
                region: "westeurope".to_owned(),
                sizes: vec![size("Standard_D2ds_v6", 2), size("Standard_D16ds_v6", 16)],
            },
            now,
        );
        facts
    }

    fn estimated(kind: &str, body: Value) -> CostEstimate {
        let target = Target {
            subscription: "s".to_owned(),
            subscription_name: String::new(),
            resource_group: String::new(),
            owns_group: true,
            region: "westeurope".to_owned(),
        };
        let resource = PlannedResource {
            id: "/x".to_owned(),
            kind: kind.to_owned(),
            name: "x".to_owned(),
            api_version: String::new(),
            change: Change::Create,
            depends_on: vec![],
            body,
            differences: vec![],
        };
        estimate(&[resource], &target, &facts())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a case reads best with its JSON in place"
    )]
    fn disk(sku: &str, properties: Value) -> CostEstimate {
        estimated(
            "Microsoft.Compute/disks",
            json!({ "sku": { "name": sku }, "properties": properties }),
        )
    }

    /// Cents, and whether everything has a price.
    fn told(cost: &CostEstimate) -> (i64, bool) {
        (cost.monthly.0, cost.unpriced.is_empty())
    }

    #[test]
    fn a_disk_costs_its_tier_or_is_unknown() {
        let sized = |sku: &str, gib: i64| told(&disk(sku, json!({ "diskSizeGB": gib })));
        assert_eq!(sized("Premium_LRS", 1), (100, true));
        assert_eq!(sized("Premium_LRS", 4), (100, true));
        assert_eq!(sized("Premium_LRS", 5), (200, true));
        assert_eq!(sized("Premium_ZRS", 4_096), (153_600, true));
        assert_eq!(sized("StandardSSD_ZRS", 32_767), (614_400, true));
        // The smallest Standard HDD is an S4.
        assert_eq!(sized("Standard_LRS", 4), (200, true));
        assert_eq!(sized("Standard_LRS", 33), (400, true));
        assert_eq!(sized("Premium_LRS", 32_767), (819_200, true));
        // No disk is that large: the largest one is a lower bound.
        assert_eq!(sized("Premium_LRS", 65_536), (819_200, false));
        for sku in [
            "PremiumV2_LRS",
            "UltraSSD_LRS",
            "Standard_ZRS",
            "",
            "Premium",
        ] {
            assert_eq!(sized(sku, 128), (0, false), "{sku}");
        }
        for gib in [
            json!(0),
            json!(-1),
            json!("128"),
            Value::Null,
            json!({ "$unknown": "x" }),
        ] {
            let found = disk("Premium_LRS", json!({ "diskSizeGB": gib.clone() }));
            assert_eq!(told(&found), (0, false), "{gib}");
        }
    }

    #[test]
    fn a_performance_tier_above_the_size_is_what_is_paid() {
        let tier = |tier: Value| {
            told(&disk(
                "Premium_LRS",
                json!({ "diskSizeGB": 4, "tier": tier }),
            ))
        };
        assert_eq!(tier(json!("P80")), (819_200, true));
        assert_eq!(tier(json!("P1")), (100, true));
        assert_eq!(tier(json!("E80")), (0, false));
        assert_eq!(tier(json!({ "$unknown": "x" })), (0, false));
        let bursting = disk(
            "Premium_LRS",
            json!({ "diskSizeGB": 4, "burstingEnabled": true }),
        );
        assert_eq!(told(&bursting), (100, false));
    }

    /// Everything that a body can ask for on top of its size and its disks: none of it may go as free.
    #[test]
    fn what_comes_on_top_has_no_price_and_is_named() {
        let unknown = || json!({ "$unknown": "reference('x').y" });
        let ephemeral = json!({ "diffDiskSettings": { "option": "Local" } });
        let named = |kind: &str, pointer: &str, value: Value| {
            let mut body = json!({
                "plan": null, "sku": { "name": "Premium_LRS" },
                "properties": {
                    "hardwareProfile": { "vmSize": "Standard_D2ds_v6" }, "storageProfile": { "osDisk": ephemeral.clone(), "dataDisks": [] },
                    "osProfile": { "windowsConfiguration": null }, "additionalCapabilities": { "ultraSSDEnabled": false },
                    "networkProfile": { "networkInterfaceConfigurations": [{ "properties": { "publicIPAddressConfiguration": null } }] },
                    "diskSizeGB": 4, "burstingEnabled": false, "maxShares": 1,
                    "vmSize": "Standard_D2ds_v6", "count": 1, "osDiskType": "Ephemeral", "osType": "Linux", "osSKU": "AzureContainerLinux",
                    "enableUltraSSD": false, "enableNodePublicIP": false, "gatewayProfile": null,
                },
            });
            assert_eq!(estimated(kind, body.clone()).unpriced, [""; 0]);
            *body.pointer_mut(pointer).unwrap() = value;
            estimated(kind, body).unpriced
        };
        const MACHINE: &str = "Microsoft.Compute/virtualMachines";
        const DISK: &str = "Microsoft.Compute/disks";
        const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";
        let address = "/properties/networkProfile/networkInterfaceConfigurations/0/properties/publicIPAddressConfiguration";
        for (kind, pointer, value, what) in [
            (
                MACHINE,
                "/plan",
                json!({ "name": "x" }),
                "the Marketplace plan",
            ),
            (
                MACHINE,
                "/properties/storageProfile/dataDisks",
                unknown(),
                "data disks",
            ),
            (
                MACHINE,
                "/properties/osProfile/windowsConfiguration",
                json!({}),
                WINDOWS,
            ),
            (
                MACHINE,
                "/properties/additionalCapabilities/ultraSSDEnabled",
                json!(true),
                ULTRA,
            ),
            (
                MACHINE,
                "/properties/additionalCapabilities/ultraSSDEnabled",
                unknown(),
                ULTRA,
            ),
            (MACHINE, address, json!({ "name": "x" }), ADDRESSES),
            (
                DISK,
                "/properties/burstingEnabled",
                json!(true),
                "on-demand bursting",
            ),
            (
                DISK,
                "/properties/burstingEnabled",
                unknown(),
                "on-demand bursting",
            ),
            (DISK, "/properties/maxShares", json!(2), "sharing"),
            (DISK, "/properties/maxShares", unknown(), "sharing"),
            (POOL, "/properties/osType", json!("Windows"), WINDOWS),
            (POOL, "/properties/osSKU", json!("Windows2022"), WINDOWS),
            (POOL, "/properties/enableUltraSSD", json!(true), ULTRA),
            (
                POOL,
                "/properties/enableNodePublicIP",
                json!(true),
                ADDRESSES,
            ),
            (POOL, "/properties/enableNodePublicIP", unknown(), ADDRESSES),
            (POOL, "/properties/gatewayProfile", json!({}), ADDRESSES),
        ] {
            assert_eq!(
                named(kind, pointer, value.clone()),
                [format!("{what} of x")],
                "{pointer} {value}"
            );
        }
        let os_disk = json!({ "osType": "Windows", "diffDiskSettings": { "option": "Local" } });
        let windows = named(MACHINE, "/properties/storageProfile/osDisk", os_disk);
        assert_eq!(windows, [format!("{WINDOWS} of x")]);
        // What is not said to be the host's own disk is a managed one.
        for settings in [unknown(), json!({}), json!({ "option": unknown() })] {
            let os_disk = json!({ "diffDiskSettings": settings });
            let found = named(MACHINE, "/properties/storageProfile/osDisk", os_disk);
            assert_eq!(found, ["OS disk of x"], "{settings}");
        }
    }

    #[test]
    fn the_disks_inside_a_machine_cost_and_an_ephemeral_one_does_not() {
        let machine = |storage: Value| {
            told(&estimated(
                "Microsoft.Compute/virtualMachines",
                json!({ "properties": { "hardwareProfile": { "vmSize": "Standard_D2ds_v6" }, "storageProfile": storage } }),
            ))
        };
        let managed =
            json!({ "diskSizeGB": 4, "managedDisk": { "storageAccountType": "Premium_LRS" } });
        let ephemeral = json!({ "diskSizeGB": 4, "diffDiskSettings": { "option": "Local" } });
        let data = |option: Value| json!([{ "lun": 0, "createOption": option, "diskSizeGB": 5, "managedDisk": { "storageAccountType": "Premium_LRS" } }]);
        assert_eq!(
            machine(json!({ "osDisk": managed.clone() })),
            (73_100, true)
        );
        assert_eq!(
            machine(json!({ "osDisk": ephemeral.clone() })),
            (73_000, true)
        );
        assert_eq!(machine(json!({ "osDisk": {} })), (73_000, false));
        for (option, cents) in [("Empty", 73_200), ("FromImage", 73_200), ("Attach", 73_000)] {
            let found =
                machine(json!({ "osDisk": ephemeral.clone(), "dataDisks": data(json!(option)) }));
            assert_eq!(found, (cents, true), "{option}");
        }
    }

    #[test]
    fn the_os_disks_of_nodes_cost_unless_they_are_ephemeral() {
        let pool = |properties: Value| {
            let mut body = json!({ "vmSize": "Standard_D2ds_v6", "count": 2, "upgradeSettings": { "maxSurge": "1" } });
            body.as_object_mut()
                .unwrap()
                .extend(properties.as_object().unwrap().clone());
            told(&estimated(
                "Microsoft.ContainerService/managedClusters/agentPools",
                json!({ "properties": body }),
            ))
        };
        let machines = 3 * 73_000;
        assert_eq!(pool(json!({ "osDiskType": "Ephemeral" })), (machines, true));
        assert_eq!(
            pool(json!({ "osDiskType": "Managed", "osDiskSizeGB": 64 })),
            (machines + 3 * 1_600, true)
        );
        // Without a type it may be either; without a size, or with 0, it is that of the node's vCPUs.
        assert_eq!(pool(json!({})), (machines + 3 * 3_200, true));
        assert_eq!(
            pool(json!({ "osDiskSizeGB": 0 })),
            (machines + 3 * 3_200, true)
        );
        assert_eq!(
            pool(json!({ "count": null, "enableAutoScaling": true, "minCount": 1 })),
            (0, false),
            "no most nodes"
        );
        // A size without a price is at least as dear as a smaller one of its series.
        let large = pool(json!({ "vmSize": "Standard_D16ds_v6", "osDiskType": "Ephemeral" }));
        assert_eq!(large, (machines, false));
        assert_eq!(
            pool(json!({ "vmSize": "Standard_X1", "osDiskType": "Ephemeral" })),
            (0, false)
        );
    }

    #[test]
    fn pools_inside_a_cluster_cost_like_pools() {
        let cluster = estimated(
            "Microsoft.ContainerService/managedClusters",
            json!({ "properties": { "agentPoolProfiles": [
                { "name": "a", "vmSize": "Standard_D2ds_v6", "count": 1, "osDiskType": "Ephemeral", "upgradeSettings": { "maxSurge": "0" } },
                { "name": "b", "vmSize": "Standard_D2ds_v6", "count": 2, "osDiskType": "Ephemeral", "upgradeSettings": { "maxSurge": "0" } },
            ] } }),
        );
        assert_eq!(
            told(&cluster),
            (219_000, false),
            "the control plane has no price here"
        );
    }
}
