//! Sizes and other SKUs, as a region offers them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A size of a virtual machine (or another compute SKU) as one region offers it. Source: Microsoft.Compute/skus 2021-07-01.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sku {
    /// Such as `Standard_D2s_v5`.
    pub name: String,
    /// `virtualMachines`, `disks`, ….
    pub kind: String,
    /// `Standard` or `Basic`; empty where Azure gives none.
    pub tier: String,
    /// Such as `D2s_v5`.
    pub size: String,
    /// The quota family, such as `standardDSv5Family`; compare with [`Usage::name`](super::Usage::name) without regard to case.
    pub family: String,
    /// The region that was asked for.
    pub region: String,
    /// Zones of that region that have it, restricted ones included.
    pub zones: Vec<String>,
    /// What it can do, all values text: `vCPUs`, `MemoryGB`, `EncryptionAtHostSupported` = `True`, ….
    pub capabilities: BTreeMap<String, String>,
    /// Why this subscription may not use it everywhere.
    pub restrictions: Vec<Restriction>,
}

/// Why a subscription may not use a size in a region or in some of its zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// `NotAvailableForSubscription`, `QuotaId`, ….
    pub reason: String,
    /// The zones it holds for; empty means the whole region.
    pub zones: Vec<String>,
}

impl Sku {
    /// A capability's value.
    #[must_use]
    pub fn capability(&self, name: &str) -> Option<&str> {
        self.capabilities
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a capability says `True`; absent means no.
    #[must_use]
    pub fn can(&self, name: &str) -> bool {
        self.capability(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Virtual processors; quota counts these.
    #[must_use]
    pub fn vcpus(&self) -> Option<u32> {
        self.capability("vCPUs")?.parse().ok()
    }

    /// Memory in GiB.
    #[must_use]
    pub fn memory_gb(&self) -> Option<f64> {
        self.capability("MemoryGB")?.parse().ok()
    }

    /// Trusted Launch: generation 2, and not marked as unable. Azure signals this in the negative.
    #[must_use]
    pub fn supports_trusted_launch(&self) -> bool {
        let generation = self.capability("HyperVGenerations").unwrap_or_default();
        generation.split(',').any(|one| one.trim() == "V2") && !self.can("TrustedLaunchDisabled")
    }

    /// Why it cannot be used in the region at all, if so.
    #[must_use]
    pub fn blocked(&self) -> Option<&str> {
        self.restrictions
            .iter()
            .find(|restriction| restriction.zones.is_empty())
            .map(|restriction| restriction.reason.as_str())
    }

    /// The zones this subscription may use.
    #[must_use]
    pub fn usable_zones(&self) -> Vec<&str> {
        if self.blocked().is_some() {
            return Vec::new();
        }
        let restricted = |zone: &String| {
            self.restrictions
                .iter()
                .any(|restriction| restriction.zones.contains(zone))
        };
        self.zones
            .iter()
            .filter(|zone| !restricted(zone))
            .map(String::as_str)
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSku {
    #[serde(default)]
    resource_type: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    tier: Option<String>,
    #[serde(default)]
    size: Option<String>,
    #[serde(default)]
    family: Option<String>,
    #[serde(default)]
    location_info: Option<Vec<WireLocation>>,
    #[serde(default)]
    capabilities: Option<Vec<WirePair>>,
    #[serde(default)]
    restrictions: Option<Vec<WireRestriction>>,
}

#[derive(Deserialize)]
pub(super) struct WireLocation {
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    zones: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct WirePair {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRestriction {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    reason_code: Option<String>,
    #[serde(default)]
    restriction_info: Option<WireRestrictionInfo>,
}

#[derive(Default, Deserialize)]
pub(super) struct WireRestrictionInfo {
    #[serde(default)]
    locations: Option<Vec<String>>,
    #[serde(default)]
    zones: Option<Vec<String>>,
}

impl WireSku {
    pub(super) fn in_region(self, region: &str) -> Option<Sku> {
        let zones = self
            .location_info
            .unwrap_or_default()
            .into_iter()
            .filter(|place| {
                place
                    .location
                    .as_deref()
                    .is_none_or(|name| name.eq_ignore_ascii_case(region))
            })
            .flat_map(|place| place.zones.unwrap_or_default());
        let mut zones: Vec<String> = zones.collect();
        zones.sort();
        Some(Sku {
            name: self.name?,
            kind: self.resource_type.unwrap_or_default(),
            tier: self.tier.unwrap_or_default(),
            size: self.size.unwrap_or_default(),
            family: self.family.unwrap_or_default(),
            region: region.to_owned(),
            zones,
            capabilities: pairs(self.capabilities),
            restrictions: self
                .restrictions
                .unwrap_or_default()
                .into_iter()
                .filter_map(|restriction| restriction.in_region(region))
                .collect(),
        })
    }
}

impl WireRestriction {
    pub(super) fn in_region(self, region: &str) -> Option<Restriction> {
        let info = self.restriction_info.unwrap_or_default();
        let here = info.locations.is_none_or(|places| {
            places.is_empty()
                || places
                    .iter()
                    .any(|place| place.eq_ignore_ascii_case(region))
        });
        let zonal = self
            .kind
            .is_some_and(|kind| kind.eq_ignore_ascii_case("Zone"));
        let zones = if zonal {
            info.zones.unwrap_or_default()
        } else {
            Vec::new()
        };
        // A zone restriction without zones restricts nothing.
        (here && !(zonal && zones.is_empty())).then(|| Restriction {
            reason: self.reason_code.unwrap_or_else(|| "Unknown".to_owned()),
            zones,
        })
    }
}

pub(super) fn pairs(list: Option<Vec<WirePair>>) -> BTreeMap<String, String> {
    list.unwrap_or_default()
        .into_iter()
        .map(|pair| (pair.name, pair.value.unwrap_or_default()))
        .collect()
}
