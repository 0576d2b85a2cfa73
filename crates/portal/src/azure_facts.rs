//! What Slipway knows of Azure while it plans: sizes, quotas, prices, images, Kubernetes versions, clusters and subnets, as a snapshot in memory.
//!
//! Planning asks the snapshot only, so a check costs no round trip. How the snapshot is filled from Azure and kept in the database
//! lives in `azure_facts::refresh`; what one fact looks like in `azure_facts::fact`.

mod fact;
mod fetch;
mod refresh;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use types::time::Timestamp;

pub use fact::{
    ClusterFact, Fact, ImageFact, KubernetesFact, PoolFact, Price, Prices, Size, SubnetFact, Usage,
};

/// The current snapshot; clones share it.
#[derive(Debug, Clone, Default)]
pub struct AzureFacts(Arc<RwLock<Arc<Facts>>>);

impl AzureFacts {
    /// The facts as they are now. Hold it for one plan, so that everything in it is of one piece.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Facts> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds newer facts to the snapshot.
    pub fn learn(&self, facts: impl IntoIterator<Item = (Fact, Timestamp)>) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Facts::clone(&current);
        next.epoch += 1;
        for (fact, fetched_at) in facts {
            next.insert(fact, fetched_at);
        }
        *current = Arc::new(next);
    }
}

/// A fact and when Azure said so.
#[derive(Debug)]
pub struct Dated<T> {
    /// The fact.
    pub fact: Arc<T>,
    /// When Azure was asked.
    pub fetched_at: Timestamp,
}

impl<T> Clone for Dated<T> {
    fn clone(&self) -> Self {
        Self {
            fact: Arc::clone(&self.fact),
            fetched_at: self.fetched_at,
        }
    }
}

/// A subscription's id and a region.
type Place = (String, String);

/// One snapshot. All keys are in lower case: Azure compares names and ids without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Grows with every change, so that what was derived from a snapshot knows when it is stale.
    pub(crate) epoch: u64,
    sizes: HashMap<Place, Dated<HashMap<String, Size>>>,
    usages: HashMap<Place, Dated<HashMap<String, Usage>>>,
    prices: HashMap<String, Dated<Prices>>,
    images: HashMap<String, Dated<ImageFact>>,
    kubernetes: HashMap<Place, Dated<Vec<KubernetesFact>>>,
    clusters: HashMap<String, Dated<ClusterFact>>,
    pools: HashMap<String, Dated<Vec<PoolFact>>>,
    subnets: HashMap<String, Dated<SubnetFact>>,
}

impl Facts {
    /// True once any price is known.
    #[must_use]
    pub(crate) fn has_prices(&self) -> bool {
        !self.prices.is_empty()
    }

    /// Takes one fact over; a newer one replaces an older one of the same key.
    pub fn insert(&mut self, fact: Fact, fetched_at: Timestamp) {
        fn dated<T>(fact: T, fetched_at: Timestamp) -> Dated<T> {
            Dated {
                fact: Arc::new(fact),
                fetched_at,
            }
        }
        match fact {
            Fact::Sizes {
                subscription,
                region,
                sizes,
            } => {
                let by_name = sizes
                    .into_iter()
                    .map(|size| (size.name.to_lowercase(), size))
                    .collect();
                self.sizes
                    .insert(place(&subscription, &region), dated(by_name, fetched_at));
            }
            Fact::Usages {
                subscription,
                region,
                usages,
            } => {
                let by_name = usages
                    .into_iter()
                    .map(|usage| (usage.name.to_lowercase(), usage))
                    .collect();
                self.usages
                    .insert(place(&subscription, &region), dated(by_name, fetched_at));
            }
            Fact::Prices { region, prices } => {
                self.prices
                    .insert(region.to_lowercase(), dated(prices, fetched_at));
            }
            Fact::Image { urn, image } => {
                self.images
                    .insert(urn.to_lowercase(), dated(image, fetched_at));
            }
            Fact::Kubernetes {
                subscription,
                region,
                versions,
            } => {
                self.kubernetes
                    .insert(place(&subscription, &region), dated(versions, fetched_at));
            }
            Fact::Cluster { id, cluster } => {
                self.clusters
                    .insert(id.to_lowercase(), dated(cluster, fetched_at));
            }
            Fact::Pools { cluster, pools } => {
                self.pools
                    .insert(cluster.to_lowercase(), dated(pools, fetched_at));
            }
            Fact::Subnet { id, subnet } => {
                self.subnets
                    .insert(id.to_lowercase(), dated(subnet, fetched_at));
            }
        }
    }

    /// One VM size where it would be used; `None` when Azure does not offer it there or was not asked yet.
    #[must_use]
    pub fn size(&self, subscription: &str, region: &str, name: &str) -> Option<&Size> {
        self.sizes
            .get(&place(subscription, region))?
            .fact
            .get(&name.to_lowercase())
    }

    /// All VM sizes of a place, smallest first; `None` when Azure was not asked yet.
    #[must_use]
    pub fn sizes(&self, subscription: &str, region: &str) -> Option<Vec<&Size>> {
        let known = self.sizes.get(&place(subscription, region))?;
        let mut sizes: Vec<&Size> = known.fact.values().collect();
        sizes.sort_by(|a, b| (&a.family, a.vcpus, &a.name).cmp(&(&b.family, b.vcpus, &b.name)));
        Some(sizes)
    }

    /// Use and limit of one quota, with when Azure was asked.
    #[must_use]
    pub fn usage(
        &self,
        subscription: &str,
        region: &str,
        name: &str,
    ) -> Option<(&Usage, Timestamp)> {
        let known = self.usages.get(&place(subscription, region))?;
        let usage = known.fact.get(&name.to_lowercase())?;
        Some((usage, known.fetched_at))
    }

    /// What an hour of a VM size costs, Linux on demand.
    #[must_use]
    pub fn vm_price(&self, region: &str, size: &str) -> Option<Price> {
        self.prices
            .get(&region.to_lowercase())?
            .fact
            .vm_hours
            .get(&size.to_lowercase())
            .copied()
    }

    /// What a month of a managed disk costs, by tier and redundancy such as `P10 LRS`.
    #[must_use]
    pub fn disk_price(&self, region: &str, tier: &str) -> Option<Price> {
        self.prices
            .get(&region.to_lowercase())?
            .fact
            .disk_months
            .get(&tier.to_lowercase())
            .copied()
    }

    /// An image by `publisher:offer:sku`.
    #[must_use]
    pub fn image(&self, urn: &str) -> Option<&ImageFact> {
        self.images
            .get(&urn.to_lowercase())
            .map(|known| known.fact.as_ref())
    }

    /// Kubernetes versions of a place; empty when Azure was not asked yet.
    #[must_use]
    pub fn kubernetes(&self, subscription: &str, region: &str) -> &[KubernetesFact] {
        self.kubernetes
            .get(&place(subscription, region))
            .map_or(&[], |known| known.fact.as_slice())
    }

    /// A cluster by resource id.
    #[must_use]
    pub fn cluster(&self, id: &str) -> Option<&ClusterFact> {
        self.clusters
            .get(&id.to_lowercase())
            .map(|known| known.fact.as_ref())
    }

    /// The tags of the node pool with this resource id; `None` when its cluster had none such, or was not asked.
    #[must_use]
    pub fn pool_tags(&self, id: &str) -> Option<&BTreeMap<String, String>> {
        let key = id.to_lowercase();
        let (cluster, name) = key.split_once("/agentpools/")?;
        let known = self.pools.get(cluster)?;
        let pool = known.fact.iter().find(|p| p.name.to_lowercase() == name)?;
        Some(&pool.tags)
    }

    /// When the node pools of a cluster were last asked for.
    pub(crate) fn pools_of(&self, cluster: &str) -> Option<Timestamp> {
        self.pools
            .get(&cluster.to_lowercase())
            .map(|known| known.fetched_at)
    }

    /// A subnet by resource id.
    #[must_use]
    pub fn subnet(&self, id: &str) -> Option<&SubnetFact> {
        self.subnets
            .get(&id.to_lowercase())
            .map(|known| known.fact.as_ref())
    }

    /// A place whose sizes are known, the same one every time: what cards of the catalogue are reckoned for.
    pub(crate) fn somewhere(&self) -> (String, String) {
        self.sizes.keys().min().cloned().unwrap_or_else(|| {
            (
                "00000000-0000-0000-0000-000000000000".to_owned(),
                "westeurope".to_owned(),
            )
        })
    }

    /// A known subnet of a place.
    pub(crate) fn subnet_in(&self, subscription: &str, region: &str) -> Option<String> {
        let prefix = format!("/subscriptions/{}/", subscription.to_lowercase());
        self.subnets
            .iter()
            .filter(|(id, subnet)| id.starts_with(&prefix) && subnet.fact.region == region)
            .map(|(id, _)| id.clone())
            .min()
    }

    /// A known cluster of a place.
    pub(crate) fn cluster_in(&self, subscription: &str, region: &str) -> Option<String> {
        let prefix = format!("/subscriptions/{}/", subscription.to_lowercase());
        self.clusters
            .iter()
            .filter(|(id, cluster)| id.starts_with(&prefix) && cluster.fact.region == region)
            .map(|(id, _)| id.clone())
            .min()
    }

    /// When the usages of each place were last asked for.
    pub(crate) fn usages_asked(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.usages.values().map(|known| known.fetched_at)
    }

    /// When the usages of a place were last asked for.
    pub(crate) fn usages_of(&self, subscription: &str, region: &str) -> Option<Timestamp> {
        self.usages
            .get(&place(subscription, region))
            .map(|known| known.fetched_at)
    }

    /// Whether anything at all is known of a region: then it is one.
    #[must_use]
    pub fn knows_region(&self, region: &str) -> bool {
        let region = region.to_lowercase();
        self.prices.contains_key(&region) || self.sizes.keys().any(|(_, known)| *known == region)
    }
}

fn place(subscription: &str, region: &str) -> Place {
    (subscription.to_lowercase(), region.to_lowercase())
}
