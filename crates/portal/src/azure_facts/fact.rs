//! One fact about Azure as it is kept in the database: its key and its value as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A fact with what it is about. Its JSON is what the table `azure_fact` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// VM sizes that a subscription may use in a region.
    Sizes {
        /// Subscription id.
        subscription: String,
        /// Region name.
        region: String,
        /// The sizes.
        sizes: Vec<Size>,
    },
    /// Quotas of a subscription in a region.
    Usages {
        /// Subscription id.
        subscription: String,
        /// Region name.
        region: String,
        /// The quotas.
        usages: Vec<Usage>,
    },
    /// Prices in a region.
    Prices {
        /// Region name.
        region: String,
        /// The prices.
        prices: Prices,
    },
    /// A marketplace image.
    Image {
        /// `publisher:offer:sku`.
        urn: String,
        /// What its newest version says.
        image: ImageFact,
    },
    /// Kubernetes versions that a subscription may use in a region.
    Kubernetes {
        /// Subscription id.
        subscription: String,
        /// Region name.
        region: String,
        /// The versions.
        versions: Vec<KubernetesFact>,
    },
    /// An AKS cluster.
    Cluster {
        /// Resource id.
        id: String,
        /// What plans need of it.
        cluster: ClusterFact,
    },
    /// The node pools of an AKS cluster.
    Pools {
        /// Resource id of the cluster.
        cluster: String,
        /// The pools.
        pools: Vec<PoolFact>,
    },
    /// A subnet.
    Subnet {
        /// Resource id.
        id: String,
        /// What plans need of it.
        subnet: SubnetFact,
    },
}

impl Fact {
    /// What the fact is about: one row per key. In lower case.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Sizes {
                subscription,
                region,
                ..
            } => format!("sizes/{subscription}/{region}"),
            Self::Usages {
                subscription,
                region,
                ..
            } => format!("usages/{subscription}/{region}"),
            Self::Prices { region, .. } => format!("prices/{region}"),
            Self::Image { urn, .. } => format!("image/{urn}"),
            Self::Kubernetes {
                subscription,
                region,
                ..
            } => format!("kubernetes/{subscription}/{region}"),
            Self::Cluster { id, .. } => format!("cluster{id}"),
            Self::Pools { cluster, .. } => format!("pools{cluster}"),
            Self::Subnet { id, .. } => format!("subnet{id}"),
        }
        .to_lowercase()
    }
}

/// A VM size in one region, out of `Microsoft.Compute/skus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Azure's name, such as `Standard_D2ds_v6`.
    pub name: String,
    /// The quota family.
    pub family: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// `x64` or `Arm64`.
    pub architecture: String,
    /// Zones that have it.
    pub zones: Vec<String>,
    /// True when this subscription may not use it in the region at all.
    pub restricted: bool,
    /// Zones in which this subscription may not use it.
    pub restricted_zones: Vec<String>,
    /// Whether Trusted Launch works on it.
    pub trusted_launch: bool,
    /// Whether encryption at host works on it.
    pub encryption_at_host: bool,
    /// Whether it can hold its OS disk on its own local disk.
    pub ephemeral_os: bool,
}

/// One quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Azure's name, such as `cores`.
    pub name: String,
    /// The name people read.
    pub label: String,
    /// In use.
    pub used: i64,
    /// The limit.
    pub limit: i64,
}

/// Prices in one region, in US dollars. Keys are in lower case.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Prices {
    /// An hour of a VM size, by its name.
    pub vm_hours: BTreeMap<String, Price>,
    /// A month of a managed disk, by tier and redundancy, such as `p10 lrs`.
    pub disk_months: BTreeMap<String, Price>,
}

/// A price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// US dollars per unit.
    pub usd: f64,
    /// True where it has no public source: shown as *sample price*.
    pub sample: bool,
}

/// What the newest version of a marketplace image says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFact {
    /// `features.SecurityType`, empty when the image names none.
    pub security_type: String,
    /// `features.DiskControllerTypes`, such as `SCSI` and `NVMe`.
    pub disk_controllers: Vec<String>,
    /// `V1` or `V2`.
    pub generation: String,
    /// `x64` or `Arm64`.
    pub architecture: String,
}

/// A Kubernetes minor version of AKS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesFact {
    /// Such as `1.35`.
    pub version: String,
    /// Preview.
    pub is_preview: bool,
    /// Such as `KubernetesOfficial`.
    pub support_plans: Vec<String>,
}

/// What plans need of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFact {
    /// Its name.
    pub name: String,
    /// Region.
    pub region: String,
    /// Such as `1.35.7`.
    pub kubernetes_version: String,
    /// `autoUpgradeProfile.nodeOSUpgradeChannel`; empty when absent.
    pub node_os_upgrade_channel: String,
    /// Whether its API server is private.
    pub private: bool,
}

/// What plans need of a node pool that exists: its name is taken, and its tags say by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFact {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What plans need of a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetFact {
    /// Region of its virtual network.
    pub region: String,
    /// Whether it has a network security group of its own.
    pub network_security_group: bool,
    /// `defaultOutboundAccess`; absent when Azure does not say.
    pub default_outbound_access: Option<bool>,
}
