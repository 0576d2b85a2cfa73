//! Sizes, quotas, images and virtual machines. Requests are built by `azure_mgmt_compute` and carried by our transport (`compute/sdk.rs`).
//!
//! Answers are read by structs of this file where the SDK's would refuse a whole list for one unknown word in one row.

use std::collections::BTreeMap;

use azure_mgmt_compute::package_2024_07_01::models;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Arm;
use crate::error::{Error, Result};
use crate::groups::typed;
use crate::id::{GroupId, ResourceId, SubscriptionId, check_segment};
use crate::long_running::{Started, Verb, started};

mod sdk;

pub(crate) use sdk::Sdk;

/// Calls about compute; see [`Arm::compute`].
#[derive(Clone, Copy)]
pub struct Compute<'a> {
    pub(crate) arm: &'a Arm,
}

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
    /// The quota family, such as `standardDSv5Family`; compare with [`Usage::name`] without regard to case.
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

/// How much of a quota is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// `cores`, `standardDSv5Family`, ….
    pub name: String,
    /// For people: `Total Regional vCPUs`.
    pub label: String,
    /// Used now.
    pub used: i64,
    /// The quota.
    pub limit: i64,
}

/// A marketplace image without its version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Image {
    /// Such as `MicrosoftCBLMariner`.
    pub publisher: String,
    /// Such as `azure-linux-3`.
    pub offer: String,
    /// Such as `azure-linux-3-gen2`.
    pub sku: String,
}

/// What a version of an image says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageVersion {
    /// The version, such as `3.20260901.0`.
    pub version: String,
    /// `V1` or `V2`.
    pub hyper_v_generation: Option<String>,
    /// `x64` or `Arm64`.
    pub architecture: Option<String>,
    /// `SecurityType`, `IsAcceleratedNetworkSupported`, `DiskControllerTypes`, ….
    pub features: BTreeMap<String, String>,
    /// Whether the publisher's terms must be accepted first.
    pub needs_terms: bool,
    /// `Active`, `ScheduledForDeprecation`, `Deprecated`, where Azure says.
    pub deprecation: Option<String>,
}

impl ImageVersion {
    /// Whether the image may run with Trusted Launch, by its `SecurityType` feature (`TrustedLaunchSupported`, `TrustedLaunchAndConfidentialVmSupported`).
    #[must_use]
    pub fn supports_trusted_launch(&self) -> bool {
        self.features.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("SecurityType") && value.contains("TrustedLaunch")
        })
    }
}

/// What a virtual machine is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    /// `running`, `deallocated`, …; `None` while it is being made.
    pub power_state: Option<String>,
    /// `succeeded`, `updating`, `failed`, ….
    pub provisioning_state: Option<String>,
    /// Its host name.
    pub computer_name: Option<String>,
    /// The operating system, as the agent reports it.
    pub os_name: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// The agent's word: `Ready`, `Not Ready`.
    pub agent_status: Option<String>,
    /// Everything Azure said about the machine itself.
    pub statuses: Vec<InstanceStatus>,
}

/// One status of an instance view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct InstanceStatus {
    /// Such as `PowerState/running`.
    pub code: String,
    /// `Info`, `Warning`, `Error`.
    #[serde(default)]
    pub level: Option<String>,
    /// For people: `VM running`.
    #[serde(default, alias = "display_status")]
    pub display_status: Option<String>,
    /// More, mostly for errors.
    #[serde(default)]
    pub message: Option<String>,
    /// When, RFC 3339 as Azure wrote it; power states carry none.
    #[serde(default)]
    pub time: Option<String>,
}

impl Compute<'_> {
    /// The compute SKUs of a region, virtual machine sizes and others.
    ///
    /// # Errors
    /// As any read; [`crate::ErrorKind::Invalid`] for a region that cannot be one.
    pub async fn skus(&self, subscription: &SubscriptionId, region: &str) -> Result<Vec<Sku>> {
        let region = check_region(region)?;
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.Compute/skus");
        let filter = format!("location eq '{region}'");
        // Not by the SDK: one restriction with a new reason code would make it refuse the list.
        let rows: Vec<WireSku> = self
            .arm
            .list(&path, "2021-07-01", &[("$filter", &filter)])
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.in_region(region))
            .collect())
    }

    /// The compute quotas of a region.
    ///
    /// # Errors
    /// As any read.
    pub async fn usages(&self, subscription: &SubscriptionId, region: &str) -> Result<Vec<Usage>> {
        let region = check_region(region)?;
        let pages: Vec<models::ListUsagesResult> = self
            .sdk()
            .usage_client()
            .list(region, subscription.as_str())
            .into_stream()
            .try_collect()
            .await
            .map_err(sdk::error)?;
        Ok(pages
            .into_iter()
            .flat_map(|page| page.value)
            .map(|usage| Usage {
                label: usage
                    .name
                    .localized_value
                    .or_else(|| usage.name.value.clone())
                    .unwrap_or_default(),
                name: usage.name.value.unwrap_or_default(),
                used: usage.current_value.into(),
                limit: usage.limit,
            })
            .collect())
    }

    /// The versions of an image in a region, newest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the region does not have the image.
    pub async fn image_versions(
        &self,
        subscription: &SubscriptionId,
        region: &str,
        image: &Image,
    ) -> Result<Vec<String>> {
        image.check()?;
        let response = self
            .sdk()
            .virtual_machine_images_client()
            .list(
                check_region(region)?,
                &image.publisher,
                &image.offer,
                &image.sku,
                subscription.as_str(),
            )
            .send()
            .await
            .map_err(sdk::error)?;
        #[derive(Deserialize)]
        struct Row {
            name: String,
        }
        let rows: Vec<Row> = typed(sdk::answer(response.into_raw_response()).await?.body)?;
        let mut versions: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version_parts(version)));
        Ok(versions)
    }

    /// What a version of an image says about itself.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the region does not have it.
    pub async fn image_version(
        &self,
        subscription: &SubscriptionId,
        region: &str,
        image: &Image,
        version: &str,
    ) -> Result<ImageVersion> {
        image.check()?;
        let response = self
            .sdk()
            .virtual_machine_images_client()
            .get(
                check_region(region)?,
                &image.publisher,
                &image.offer,
                &image.sku,
                check_segment(version)?,
                subscription.as_str(),
            )
            .send()
            .await
            .map_err(sdk::error)?;
        let wire: WireImage = typed(sdk::answer(response.into_raw_response()).await?.body)?;
        Ok(wire.into())
    }

    /// What a virtual machine is doing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it does not exist.
    pub async fn instance_view(&self, vm: &ResourceId) -> Result<InstanceView> {
        let (group, name) = machine(vm)?;
        let response = self
            .sdk()
            .virtual_machines_client()
            .instance_view(group.name(), name, group.subscription().as_str())
            .send()
            .await
            .map_err(sdk::error)?;
        let wire: WireView = typed(sdk::answer(response.into_raw_response()).await?.body)?;
        Ok(wire.into())
    }

    /// Starts a virtual machine.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::Capacity`], [`crate::ErrorKind::Conflict`] while something else is done to it.
    pub async fn start(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .start(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "start", call.await.map(Into::into)).await
    }

    /// Restarts a virtual machine.
    ///
    /// # Errors
    /// As [`Compute::start`]; [`crate::ErrorKind::Conflict`] when it is not running.
    pub async fn restart(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .restart(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "restart", call.await.map(Into::into)).await
    }

    /// Shuts the guest down and keeps the allocation: the machine goes on costing.
    ///
    /// # Errors
    /// As [`Compute::start`].
    pub async fn power_off(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .power_off(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "powerOff", call.await.map(Into::into))
            .await
    }

    /// Shuts down and gives the allocation back: only disks go on costing.
    ///
    /// # Errors
    /// As [`Compute::start`].
    pub async fn deallocate(&self, vm: &ResourceId) -> Result<Started> {
        let (group, name) = machine(vm)?;
        let call = self
            .sdk()
            .virtual_machines_client()
            .deallocate(group.name(), name, group.subscription().as_str())
            .send();
        self.action(vm, "deallocate", call.await.map(Into::into))
            .await
    }

    async fn action(
        &self,
        vm: &ResourceId,
        verb: &str,
        sent: azure_core::Result<azure_core::Response>,
    ) -> Result<Started> {
        let answer = sdk::answer(sent.map_err(sdk::error)?).await?;
        let url = self.arm.url(&format!("{vm}/{verb}"), sdk::API_VERSION, &[]);
        started(self.arm.transport(), url, Verb::Post, answer)
    }

    fn sdk(&self) -> &azure_mgmt_compute::package_2024_07_01::Client {
        &self.arm.inner.compute.client
    }
}

impl Image {
    fn check(&self) -> Result<()> {
        check_segment(&self.publisher)?;
        check_segment(&self.offer)?;
        check_segment(&self.sku)?;
        Ok(())
    }
}

/// Regions are lower-case letters and digits; anything else would end up in a filter's quotes.
pub(crate) fn check_region(region: &str) -> Result<&str> {
    let letters = |c: char| c.is_ascii_alphanumeric();
    if region.is_empty() || region.len() > 40 || !region.chars().all(letters) {
        return Err(Error::invalid(
            "InvalidRegion",
            "a region's name consists of letters and digits, such as westeurope",
        ));
    }
    Ok(region)
}

fn machine(vm: &ResourceId) -> Result<(&GroupId, &str)> {
    match vm.group() {
        Some(group) if vm.is_kind("Microsoft.Compute/virtualMachines") => Ok((group, vm.name())),
        _ => Err(Error::invalid(
            "NotAVirtualMachine",
            format!("`{vm}` is not the id of a virtual machine"),
        )),
    }
}

/// `3.20260901.0` in numbers: text order would put 18.04.9 after 18.04.10.
fn version_parts(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSku {
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
struct WireLocation {
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    zones: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WirePair {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRestriction {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    reason_code: Option<String>,
    #[serde(default)]
    restriction_info: Option<WireRestrictionInfo>,
}

#[derive(Default, Deserialize)]
struct WireRestrictionInfo {
    #[serde(default)]
    locations: Option<Vec<String>>,
    #[serde(default)]
    zones: Option<Vec<String>>,
}

impl WireSku {
    fn in_region(self, region: &str) -> Option<Sku> {
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
    fn in_region(self, region: &str) -> Option<Restriction> {
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

fn pairs(list: Option<Vec<WirePair>>) -> BTreeMap<String, String> {
    list.unwrap_or_default()
        .into_iter()
        .map(|pair| (pair.name, pair.value.unwrap_or_default()))
        .collect()
}

#[derive(Deserialize)]
struct WireImage {
    name: String,
    #[serde(default)]
    properties: WireImageProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireImageProperties {
    #[serde(default)]
    plan: Option<Value>,
    #[serde(default, rename = "hyperVGeneration")]
    hyper_v_generation: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    features: Option<Vec<WirePair>>,
    #[serde(default)]
    image_deprecation_status: Option<WireDeprecation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDeprecation {
    #[serde(default)]
    image_state: Option<String>,
}

impl From<WireImage> for ImageVersion {
    fn from(wire: WireImage) -> Self {
        let properties = wire.properties;
        Self {
            version: wire.name,
            hyper_v_generation: properties.hyper_v_generation,
            architecture: properties.architecture,
            features: pairs(properties.features),
            needs_terms: properties.plan.is_some_and(|plan| plan.is_object()),
            deprecation: properties
                .image_deprecation_status
                .and_then(|status| status.image_state),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireView {
    #[serde(default)]
    computer_name: Option<String>,
    #[serde(default)]
    os_name: Option<String>,
    #[serde(default)]
    os_version: Option<String>,
    #[serde(default)]
    vm_agent: Option<WireAgent>,
    #[serde(default)]
    statuses: Option<Vec<InstanceStatus>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAgent {
    #[serde(default)]
    vm_agent_version: Option<String>,
    #[serde(default)]
    statuses: Option<Vec<InstanceStatus>>,
}

impl From<WireView> for InstanceView {
    fn from(wire: WireView) -> Self {
        let statuses = wire.statuses.unwrap_or_default();
        let state = |prefix: &str| {
            statuses.iter().find_map(|status| {
                let (kind, rest) = status.code.split_once('/')?;
                // `ProvisioningState/failed/AllocationFailed`: the state is the middle part.
                kind.eq_ignore_ascii_case(prefix)
                    .then(|| rest.split('/').next().unwrap_or(rest).to_owned())
            })
        };
        let agent = wire.vm_agent;
        Self {
            power_state: state("PowerState"),
            provisioning_state: state("ProvisioningState"),
            computer_name: wire.computer_name,
            os_name: wire.os_name,
            os_version: wire.os_version,
            agent_status: agent
                .as_ref()
                .and_then(|agent| agent.statuses.as_ref()?.first()?.display_status.clone()),
            agent_version: agent.and_then(|agent| agent.vm_agent_version),
            statuses,
        }
    }
}
