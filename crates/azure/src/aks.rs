//! Kubernetes clusters, their node pools, and the versions a region offers. Reference: Microsoft.ContainerService 2026-03-01.
//!
//! Every typed view keeps the whole JSON too: an edit goes through that, never through the view.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Arm;
use crate::compute::check_region;
use crate::error::{Error, Result};
use crate::groups::typed;
use crate::id::{ResourceId, SubscriptionId};

const API_VERSION: &str = "2026-03-01";
const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

/// Calls about AKS; see [`Arm::aks`].
#[derive(Clone, Copy)]
pub struct Aks<'a> {
    pub(crate) arm: &'a Arm,
}

/// A cluster: what lists and forms need, and the whole of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// The version it runs, such as `1.35.7`.
    pub kubernetes_version: Option<String>,
    /// `Succeeded`, `Updating`, ….
    pub provisioning_state: Option<String>,
    /// `Running` or `Stopped`.
    pub power_state: Option<String>,
    /// The node OS upgrade channel (`NodeImage`, …).
    pub node_os_upgrade_channel: Option<String>,
    /// The group that AKS keeps the nodes in.
    pub node_resource_group: Option<String>,
    /// Whether the API server has no public address.
    pub private: bool,
    /// As Azure sent it.
    pub raw: Value,
}

/// A node pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentPool {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `System` or `User`.
    pub mode: Option<String>,
    /// Such as `AzureContainerLinux`.
    pub os_sku: Option<String>,
    /// The nodes' size.
    pub vm_size: Option<String>,
    /// Nodes now.
    pub count: Option<i64>,
    /// Fewest nodes, where it scales by itself.
    pub min_count: Option<i64>,
    /// Most nodes, where it scales by itself.
    pub max_count: Option<i64>,
    /// The version it runs.
    pub kubernetes_version: Option<String>,
    /// The nodes' image, such as `AKSAzureContainerLinux-202606.01.0`.
    pub node_image_version: Option<String>,
    /// `Succeeded`, `Updating`, ….
    pub provisioning_state: Option<String>,
    /// `Running` or `Stopped`.
    pub power_state: Option<String>,
    /// As Azure sent it.
    pub raw: Value,
}

/// A minor version that a region offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesVersion {
    /// Such as `1.35`.
    pub version: String,
    /// Whether a cluster without a version gets this one.
    pub is_default: bool,
    /// Whether it is a preview.
    pub is_preview: bool,
    /// Its patch versions, oldest first.
    pub patches: Vec<String>,
    /// `KubernetesOfficial`, `AKSLongTermSupport`.
    pub support_plans: Vec<String>,
}

impl Aks<'_> {
    /// The clusters of a subscription.
    ///
    /// # Errors
    /// As any read.
    pub async fn clusters(&self, subscription: &SubscriptionId) -> Result<Vec<Cluster>> {
        let path = format!("/subscriptions/{subscription}/providers/{CLUSTER}");
        let values: Vec<Value> = self.arm.list(&path, API_VERSION, &[]).await?;
        values.into_iter().map(Cluster::try_from).collect()
    }

    /// Reads a cluster.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it does not exist; [`crate::ErrorKind::Invalid`] for an id of something else.
    pub async fn cluster(&self, id: &ResourceId) -> Result<Cluster> {
        expect(id, CLUSTER, "cluster")?;
        let value: Value = self.arm.get(id.as_str(), API_VERSION, &[]).await?;
        value.try_into()
    }

    /// The node pools of a cluster.
    ///
    /// # Errors
    /// As [`Aks::cluster`].
    pub async fn agent_pools(&self, cluster: &ResourceId) -> Result<Vec<AgentPool>> {
        expect(cluster, CLUSTER, "cluster")?;
        let path = format!("{cluster}/agentPools");
        let values: Vec<Value> = self.arm.list(&path, API_VERSION, &[]).await?;
        values.into_iter().map(AgentPool::try_from).collect()
    }

    /// Reads a node pool.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when it or its cluster does not exist; [`crate::ErrorKind::Invalid`] for an id of something else.
    pub async fn agent_pool(&self, id: &ResourceId) -> Result<AgentPool> {
        expect(id, POOL, "node pool")?;
        let value: Value = self.arm.get(id.as_str(), API_VERSION, &[]).await?;
        value.try_into()
    }

    /// The Kubernetes versions that a region offers, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn kubernetes_versions(
        &self,
        subscription: &SubscriptionId,
        region: &str,
    ) -> Result<Vec<KubernetesVersion>> {
        let region = check_region(region)?;
        let path = format!(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{region}/kubernetesVersions"
        );
        let wire: WireVersions = self.arm.get(&path, API_VERSION, &[]).await?;
        let mut versions: Vec<KubernetesVersion> =
            wire.values.into_iter().map(Into::into).collect();
        versions.sort_by_key(|version| parts(&version.version));
        Ok(versions)
    }
}

fn expect(id: &ResourceId, kind: &str, what: &str) -> Result<()> {
    if id.is_kind(kind) {
        return Ok(());
    }
    Err(Error::invalid(
        "WrongResourceType",
        format!("`{id}` is not the id of a {what}"),
    ))
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn required(value: &Value, pointer: &str) -> Result<String> {
    text(value, pointer)
        .ok_or_else(|| Error::bad_answer(format!("Azure's answer has no `{pointer}`")))
}

impl TryFrom<Value> for Cluster {
    type Error = Error;

    fn try_from(raw: Value) -> Result<Self> {
        Ok(Self {
            id: required(&raw, "/id")?,
            name: required(&raw, "/name")?,
            location: required(&raw, "/location")?,
            kubernetes_version: text(&raw, "/properties/currentKubernetesVersion")
                .or_else(|| text(&raw, "/properties/kubernetesVersion")),
            provisioning_state: text(&raw, "/properties/provisioningState"),
            power_state: text(&raw, "/properties/powerState/code"),
            node_os_upgrade_channel: text(
                &raw,
                "/properties/autoUpgradeProfile/nodeOSUpgradeChannel",
            ),
            node_resource_group: text(&raw, "/properties/nodeResourceGroup"),
            private: raw.pointer("/properties/apiServerAccessProfile/enablePrivateCluster")
                == Some(&Value::Bool(true)),
            raw,
        })
    }
}

impl TryFrom<Value> for AgentPool {
    type Error = Error;

    fn try_from(raw: Value) -> Result<Self> {
        let number = |pointer: &str| raw.pointer(pointer).and_then(Value::as_i64);
        Ok(Self {
            id: required(&raw, "/id")?,
            name: required(&raw, "/name")?,
            mode: text(&raw, "/properties/mode"),
            os_sku: text(&raw, "/properties/osSKU"),
            vm_size: text(&raw, "/properties/vmSize"),
            count: number("/properties/count"),
            min_count: number("/properties/minCount"),
            max_count: number("/properties/maxCount"),
            kubernetes_version: text(&raw, "/properties/currentOrchestratorVersion")
                .or_else(|| text(&raw, "/properties/orchestratorVersion")),
            node_image_version: text(&raw, "/properties/nodeImageVersion"),
            provisioning_state: text(&raw, "/properties/provisioningState"),
            power_state: text(&raw, "/properties/powerState/code"),
            raw,
        })
    }
}

/// The list's key is `values`, unlike every other list of ARM.
#[derive(Deserialize)]
struct WireVersions {
    values: Vec<Value>,
}

impl From<Value> for KubernetesVersion {
    fn from(value: Value) -> Self {
        let flag = |key: &str| value.get(key) == Some(&Value::Bool(true));
        let mut patches: Vec<String> = value
            .get("patchVersions")
            .and_then(Value::as_object)
            .map(|patches| patches.keys().cloned().collect())
            .unwrap_or_default();
        patches.sort_by_key(|patch| parts(patch));
        let plans = value.pointer("/capabilities/supportPlan").cloned();
        Self {
            version: text(&value, "/version").unwrap_or_default(),
            is_default: flag("isDefault"),
            is_preview: flag("isPreview"),
            patches,
            support_plans: plans
                .and_then(|plans| typed(plans).ok())
                .unwrap_or_default(),
        }
    }
}

fn parts(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}
