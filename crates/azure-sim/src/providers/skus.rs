//! Compute SKUs: what sizes exist where, what they can do, and how many vCPUs of a family may be used. Prices are in `prices.rs`.
//!
//! Names, families and capability names follow the SKU API (facts: azure.md 4.9, deployments.md 3); memory, disk and interface counts are Microsoft's published figures for these sizes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Draft, Scene};
use crate::seed::REGIONS;
use crate::state::model::{Resource, World};
use crate::wire::errors::Refusal;

/// One virtual machine size.
pub(crate) struct Sku {
    pub(crate) name: &'static str,
    pub(crate) family: &'static str,
    pub(crate) vcpus: i64,
    memory_gb: &'static str,
    pub(crate) arm: bool,
    /// Local NVMe or temporary disk in MB; 0 for none.
    local_mb: i64,
    pub(crate) data_disks: usize,
    interfaces: u8,
    pub(crate) confidential: bool,
    /// USD per hour, Linux, eastus and westeurope; the same source for both (facts: azure.md 6).
    pub(crate) price: (f64, f64),
}

#[rustfmt::skip]
pub(crate) const SKUS: &[Sku] = &[
    sku("Standard_D2s_v5", "standardDSv5Family", 2, "8", 0, 4, 2, (0.096, 0.115)),
    sku("Standard_D4s_v5", "standardDSv5Family", 4, "16", 0, 8, 2, (0.192, 0.230)),
    sku("Standard_D4as_v5", "standardDASv5Family", 4, "16", 0, 8, 2, (0.172, 0.208)),
    sku("Standard_D2s_v6", "StandardDsv6Family", 2, "8", 0, 4, 2, (0.101, 0.121)),
    sku("Standard_D2ds_v6", "StandardDdsv6Family", 2, "8", 112_640, 4, 2, (0.125, 0.149)),
    sku("Standard_D4ds_v6", "StandardDdsv6Family", 4, "16", 225_280, 12, 2, (0.249, 0.298)),
    sku("Standard_D2as_v6", "StandardDasv6Family", 2, "8", 0, 4, 2, (0.0908, 0.110)),
    arm("Standard_D2ps_v6", "StandardDpsv6Family", 2, "8", 4, (0.0702, 0.0838)),
    arm("Standard_D4ps_v6", "StandardDpsv6Family", 4, "16", 8, (0.140, 0.168)),
    sku("Standard_E2s_v5", "standardESv5Family", 2, "16", 0, 4, 2, (0.126, 0.152)),
    sku("Standard_E4s_v5", "standardESv5Family", 4, "32", 0, 8, 2, (0.252, 0.304)),
    sku("Standard_F2s_v2", "standardFSv2Family", 2, "4", 16_384, 4, 2, (0.0846, 0.097)),
    sku("Standard_F4as_v6", "StandardFasv6Family", 4, "16", 0, 8, 2, (0.273, 0.330)),
    sku("Standard_L8s_v3", "standardLSv3Family", 8, "64", 81_920, 16, 4, (0.696, 0.832)),
    cvm("Standard_DC2as_v5", "standardDCASv5Family", 2, "8", 4, (0.086, 0.104)),
    cvm("Standard_DC4as_v5", "standardDCASv5Family", 4, "16", 8, (0.172, 0.208)),
];

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
const fn sku(
    name: &'static str,
    family: &'static str,
    vcpus: i64,
    memory_gb: &'static str,
    local_mb: i64,
    data_disks: usize,
    interfaces: u8,
    price: (f64, f64),
) -> Sku {
    Sku {
        name,
        family,
        vcpus,
        memory_gb,
        arm: false,
        local_mb,
        data_disks,
        interfaces,
        confidential: false,
        price,
    }
}

const fn arm(
    name: &'static str,
    family: &'static str,
    vcpus: i64,
    memory_gb: &'static str,
    data_disks: usize,
    price: (f64, f64),
) -> Sku {
    Sku {
        arm: true,
        ..sku(name, family, vcpus, memory_gb, 0, data_disks, 2, price)
    }
}

const fn cvm(
    name: &'static str,
    family: &'static str,
    vcpus: i64,
    memory_gb: &'static str,
    data_disks: usize,
    price: (f64, f64),
) -> Sku {
    Sku {
        confidential: true,
        ..sku(name, family, vcpus, memory_gb, 0, data_disks, 2, price)
    }
}

pub(crate) fn find(name: &str) -> Option<&'static Sku> {
    SKUS.iter().find(|sku| sku.name.eq_ignore_ascii_case(name))
}

/// Sizes that this subscription may not use somewhere: a whole region, or single zones of it.
fn restriction(sku: &Sku, location: &str) -> Option<Option<&'static [&'static str]>> {
    match (sku.name, location) {
        ("Standard_L8s_v3", "swedencentral") => Some(None),
        ("Standard_F4as_v6", "westeurope") => Some(Some(&["3"])),
        _ => None,
    }
}

impl Sku {
    pub(crate) fn temporary_disk(&self) -> bool {
        self.local_mb > 0
    }

    pub(crate) fn v6(&self) -> bool {
        self.name.ends_with("_v6")
    }

    fn capabilities(&self) -> Vec<Value> {
        let mut rows: Vec<(&str, String)> = vec![
            ("MaxResourceVolumeMB", self.local_mb.to_string()),
            ("OSVhdSizeMB", "1047552".to_owned()),
            ("vCPUs", self.vcpus.to_string()),
            ("MemoryPreservingMaintenanceSupported", "True".to_owned()),
            (
                "HyperVGenerations",
                if self.arm || self.v6() || self.confidential {
                    "V2"
                } else {
                    "V1,V2"
                }
                .to_owned(),
            ),
            ("MemoryGB", self.memory_gb.to_owned()),
            ("MaxDataDiskCount", self.data_disks.to_string()),
            (
                "CpuArchitectureType",
                if self.arm { "Arm64" } else { "x64" }.to_owned(),
            ),
            ("LowPriorityCapable", "True".to_owned()),
            ("PremiumIO", "True".to_owned()),
            ("vCPUsAvailable", self.vcpus.to_string()),
            ("vCPUsPerCore", if self.arm { "1" } else { "2" }.to_owned()),
            (
                "EphemeralOSDiskSupported",
                if self.temporary_disk() {
                    "True"
                } else {
                    "False"
                }
                .to_owned(),
            ),
            ("EncryptionAtHostSupported", "True".to_owned()),
            ("AcceleratedNetworkingEnabled", "True".to_owned()),
            ("MaxNetworkInterfaces", self.interfaces.to_string()),
            (
                "DiskControllerTypes",
                if self.v6() { "NVMe" } else { "SCSI" }.to_owned(),
            ),
        ];
        if self.temporary_disk() {
            let placement = if self.v6() {
                "NvmeDisk"
            } else {
                "ResourceDisk,CacheDisk"
            };
            rows.push(("SupportedEphemeralOSDiskPlacements", placement.to_owned()));
        }
        if self.confidential {
            rows.push(("ConfidentialComputingType", "SNP".to_owned()));
            rows.push(("TrustedLaunchDisabled", "True".to_owned()));
        }
        rows.into_iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect()
    }

    /// As the old list of sizes writes it.
    pub(crate) fn size(&self) -> Value {
        let memory: i64 = self.memory_gb.parse().unwrap_or_default();
        json!({
            "name": self.name, "numberOfCores": self.vcpus, "memoryInMB": memory << 10, "maxDataDiskCount": self.data_disks,
            "osDiskSizeInMB": 1_047_552, "resourceDiskSizeInMB": self.local_mb,
        })
    }

    fn row(&self, location: &str) -> Value {
        let restrictions = match restriction(self, location) {
            None => json!([]),
            Some(None) => json!([{
                "type": "Location", "values": [location],
                "restrictionInfo": { "locations": [location] },
                "reasonCode": "NotAvailableForSubscription",
            }]),
            Some(Some(zones)) => json!([{
                "type": "Zone", "values": [location],
                "restrictionInfo": { "locations": [location], "zones": zones },
                "reasonCode": "NotAvailableForSubscription",
            }]),
        };
        json!({
            "resourceType": "virtualMachines",
            "name": self.name,
            "tier": "Standard",
            "size": self.name.trim_start_matches("Standard_"),
            "family": self.family,
            "locations": [location],
            "locationInfo": [{ "location": location, "zones": ["1", "2", "3"], "zoneDetails": [] }],
            "capabilities": self.capabilities(),
            "restrictions": restrictions,
        })
    }
}

/// `Microsoft.Compute/skus`, all regions or the one of the filter.
pub(crate) fn list(location: Option<&str>) -> Value {
    let rows: Vec<Value> = REGIONS
        .iter()
        .filter(|region| location.is_none_or(|wanted| wanted.eq_ignore_ascii_case(region)))
        .flat_map(|region| {
            let disks = ["Premium_LRS", "StandardSSD_LRS", "Standard_LRS", "Premium_ZRS"]
                .into_iter()
                .map(move |name| {
                    json!({
                        "resourceType": "disks", "name": name, "tier": name.split('_').next(), "size": "P10",
                        "locations": [region],
                        "locationInfo": [{ "location": region, "zones": ["1", "2", "3"], "zoneDetails": [] }],
                        "capabilities": [], "restrictions": [],
                    })
                });
            SKUS.iter().map(move |sku| sku.row(region)).chain(disks)
        })
        .collect();
    json!({ "value": rows })
}

/// Family and number of the vCPUs that a machine or a pool uses.
pub(crate) fn cores_of(resource: &Resource) -> Option<(&'static str, i64)> {
    if resource.is("Microsoft.Compute/virtualMachines") {
        let sku = find(resource.text("/properties/hardwareProfile/vmSize")?)?;
        return Some((sku.family, sku.vcpus));
    }
    if resource.is("Microsoft.ContainerService/managedClusters/agentPools") {
        let sku = find(resource.text("/properties/vmSize")?)?;
        let count = crate::wire::json::number(&resource.body, "/properties/count").unwrap_or(1);
        return Some((sku.family, sku.vcpus * count));
    }
    None
}

/// vCPUs that a family may use per region. One family is small, so that its end can be seen.
fn limit(world: &World, family: &str) -> i64 {
    match (world.settings.cores, family) {
        (Some(all), _) => all,
        (None, "standardDCASv5Family") => 8,
        (None, "standardLSv3Family") => 16,
        (None, _) => 350,
    }
}

fn total_limit(world: &World) -> i64 {
    world.settings.cores.unwrap_or(1000)
}

fn total(world: &World, subscription: &str, location: &str) -> i64 {
    families()
        .into_keys()
        .map(|family| world.cores(subscription, location, family))
        .sum()
}

fn families() -> BTreeMap<&'static str, ()> {
    SKUS.iter().map(|sku| (sku.family, ())).collect()
}

/// `Microsoft.Compute/locations/{location}/usages`.
pub(crate) fn usages(world: &World, subscription: &str, location: &str) -> Value {
    let row = |name: &str, localized: String, current: i64, limit: i64| {
        json!({
            "unit": "Count", "currentValue": current, "limit": limit,
            "name": { "value": name, "localizedValue": localized },
        })
    };
    let machines = world
        .of_kind("Microsoft.Compute/virtualMachines")
        .filter(|machine| {
            machine.location() == Some(location)
                && crate::wire::ids::Id::parse(&machine.id)
                    .is_some_and(|id| id.subscription.eq_ignore_ascii_case(subscription))
        })
        .count();
    let machines = i64::try_from(machines).unwrap_or(i64::MAX);
    let mut rows = vec![
        row("availabilitySets", "Availability Sets".to_owned(), 0, 2500),
        row(
            "cores",
            "Total Regional vCPUs".to_owned(),
            total(world, subscription, location),
            total_limit(world),
        ),
        row(
            "virtualMachines",
            "Virtual Machines".to_owned(),
            machines,
            25_000,
        ),
        row(
            "virtualMachineScaleSets",
            "Virtual Machine Scale Sets".to_owned(),
            0,
            2500,
        ),
        row(
            "lowPriorityCores",
            "Total Regional Low-priority vCPUs".to_owned(),
            0,
            100,
        ),
    ];
    for family in families().into_keys() {
        rows.push(row(
            family,
            format!("{family} vCPUs"),
            world.cores(subscription, location, family),
            limit(world, family),
        ));
    }
    json!({ "value": rows })
}

/// The size must exist in the region and be allowed to this subscription, in these zones.
pub(crate) fn available(
    name: &str,
    location: &str,
    zones: &[String],
    resource: &str,
) -> Result<&'static Sku, Refusal> {
    let Some(sku) = find(name) else {
        return Err(Refusal::bad(
            "InvalidParameter",
            format!(
                "The value {name} provided for the VM size is not valid. The valid sizes in the current region are: {}.",
                SKUS.iter().map(|sku| sku.name).collect::<Vec<_>>().join(",")
            ),
        )
        .at("vmSize"));
    };
    if let Some(zone) = zones
        .iter()
        .find(|zone| !matches!(zone.as_str(), "1" | "2" | "3"))
    {
        return Err(Refusal::bad(
            "AvailabilityZoneNotSupported",
            format!(
                "The zone(s) '{zone}' for resource '{resource}' is not supported. The supported zones for location '{location}' are '1,2,3'."
            ),
        ));
    }
    let refused = match restriction(sku, location) {
        None => false,
        Some(None) => true,
        Some(Some(restricted)) => zones.iter().any(|zone| restricted.contains(&zone.as_str())),
    };
    if refused {
        return Err(Refusal::conflict(
            "SkuNotAvailable",
            format!(
                "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {name}' is currently not available in location '{location}'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details."
            ),
        )
        .at("sku.name"));
    }
    Ok(sku)
}

/// Refuses what would use more vCPUs than the family, or the region, allows.
pub(crate) fn quota(
    draft: &Draft<'_>,
    scene: &Scene<'_>,
    sku: &Sku,
    cores: i64,
) -> Result<(), Refusal> {
    let before = draft
        .old
        .and_then(cores_of)
        .filter(|(family, _)| *family == sku.family)
        .map_or(0, |(_, cores)| cores);
    let more = cores - before;
    if more <= 0 {
        return Ok(());
    }
    let subscription = &draft.id.subscription;
    let asked = |family: Option<&str>| -> i64 {
        scene
            .cores
            .iter()
            .filter(|((in_subscription, location, asked), _)| {
                in_subscription.eq_ignore_ascii_case(subscription)
                    && *location == draft.location
                    && family.is_none_or(|family| family.eq_ignore_ascii_case(asked))
            })
            .map(|(_, cores)| cores)
            .sum()
    };
    let checks = [
        (
            sku.family,
            limit(scene.world, sku.family),
            scene.world.cores(subscription, &draft.location, sku.family) + asked(Some(sku.family)),
        ),
        (
            "Total Regional",
            total_limit(scene.world),
            total(scene.world, subscription, &draft.location) + asked(None),
        ),
    ];
    for (what, limit, used) in checks {
        if used + more > limit {
            // Preflight says QuotaExceeded, the provider itself OperationNotAllowed (facts: azure.md 4.5).
            let code = if scene.preflight {
                "QuotaExceeded"
            } else {
                "OperationNotAllowed"
            };
            return Err(Refusal::conflict(
                code,
                format!(
                    "Operation could not be completed as it results in exceeding approved {what} Cores quota. Additional details - Deployment Model: Resource Manager, Location: {}, Current Limit: {limit}, Current Usage: {used}, Additional Required: {more}, (Minimum) New Limit Required: {}. Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting . Submit a request for Quota increase at https://aka.ms/ProdportalCRP/?#create/Microsoft.Support/Parameters/ by specifying parameters listed in the 'Details' section for deployment to succeed.",
                    draft.location,
                    used + more
                ),
            ));
        }
    }
    Ok(())
}
