//! Quotas and images; sizes are in `compute/skus.rs`, virtual machines in `compute/machines.rs`. Requests are built by `azure_mgmt_compute` and carried by
//! our transport (`compute/sdk.rs`).
//!
//! Answers are read by structs of these files where the SDK's would refuse a whole list for one unknown word in one row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Arm;
use crate::error::{Error, Result};
use crate::groups::typed;
use crate::id::{SubscriptionId, check_segment};

mod machines;
mod sdk;
mod skus;

pub use machines::{InstanceStatus, InstanceView};
pub use skus::{Restriction, Sku};
use skus::{WirePair, WireSku, pairs};

pub(crate) use sdk::Sdk;

/// Calls about compute; see [`Arm::compute`].
#[derive(Clone, Copy)]
pub struct Compute<'a> {
    pub(crate) arm: &'a Arm,
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
        let path = format!(
            "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{region}/usages"
        );
        // Not by the SDK, whose stream follows next pages without an end.
        let rows: Vec<WireUsage> = self.arm.list(&path, sdk::API_VERSION, &[]).await?;
        Ok(rows
            .into_iter()
            .map(|usage| Usage {
                label: usage
                    .name
                    .localized_value
                    .unwrap_or_else(|| usage.name.value.clone()),
                name: usage.name.value,
                used: usage.current_value,
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

/// `3.20260901.0` in numbers: text order would put 18.04.9 after 18.04.10.
fn version_parts(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    name: WireUsageName,
    current_value: i64,
    limit: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsageName {
    value: String,
    #[serde(default)]
    localized_value: Option<String>,
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
