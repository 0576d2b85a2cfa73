//! Asks Azure for facts and puts its answers into the shapes that are kept. Nothing is stored here.

use std::collections::{BTreeMap, BTreeSet};

use azure::{Arm, Image, ResourceId, Sku, SubscriptionId};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use super::refresh::Wanted;
use super::{
    ClusterFact, Fact, ImageFact, KubernetesFact, PoolFact, Price, Prices, Size, SubnetFact, Usage,
};

type Answer = Result<Vec<Fact>, azure::Error>;

/// Questions under way at once: a refresh must leave room in ARM's rate limits for people's requests.
const AT_ONCE: usize = 4;

/// Everything wanted, one answer for each question; a failure of one does not keep the others.
pub(super) async fn all(arm: &Arm, wanted: &Wanted) -> Vec<Result<Fact, azure::Error>> {
    let mut questions: Vec<BoxFuture<'_, Answer>> = Vec::new();
    let mut regions: BTreeMap<&str, &str> = BTreeMap::new();
    for (subscription, region) in &wanted.places {
        questions.push(Box::pin(usages(arm, subscription, region)));
        if !wanted.only_usages {
            regions.entry(region).or_insert(subscription);
            questions.push(Box::pin(sizes_and_versions(arm, subscription, region)));
        }
    }
    for (region, subscription) in regions {
        questions.push(Box::pin(prices(arm, subscription, region)));
    }
    for cluster in &wanted.clusters {
        questions.push(Box::pin(self::cluster(arm, cluster)));
    }
    let networks: BTreeSet<&str> = wanted
        .subnets
        .iter()
        .filter_map(|id| id.rsplitn(3, '/').nth(2))
        .collect();
    for network in networks {
        questions.push(Box::pin(subnets(arm, network, &wanted.subnets)));
    }
    if let Some((subscription, region)) = wanted.places.first() {
        for urn in &wanted.images {
            questions.push(Box::pin(image(arm, subscription, region, urn)));
        }
    }
    futures::stream::iter(questions)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<Answer>>()
        .await
        .into_iter()
        .flat_map(|answer| match answer {
            Ok(facts) => facts.into_iter().map(Ok).collect(),
            Err(cause) => vec![Err(cause)],
        })
        .collect()
}

async fn usages(arm: &Arm, subscription: &str, region: &str) -> Answer {
    let usages = arm
        .compute()
        .usages(&SubscriptionId::parse(subscription)?, region)
        .await?;
    Ok(vec![Fact::Usages {
        subscription: subscription.to_owned(),
        region: region.to_owned(),
        usages: usages
            .into_iter()
            .map(|usage| Usage {
                name: usage.name,
                label: usage.label,
                used: usage.used,
                limit: usage.limit,
            })
            .collect(),
    }])
}

async fn sizes_and_versions(arm: &Arm, subscription: &str, region: &str) -> Answer {
    let id = SubscriptionId::parse(subscription)?;
    let skus = arm.compute().skus(&id, region).await?;
    let versions = arm.aks().kubernetes_versions(&id, region).await?;
    Ok(vec![
        Fact::Sizes {
            subscription: subscription.to_owned(),
            region: region.to_owned(),
            sizes: skus.iter().filter_map(size).collect(),
        },
        Fact::Kubernetes {
            subscription: subscription.to_owned(),
            region: region.to_owned(),
            versions: versions
                .into_iter()
                .map(|version| KubernetesFact {
                    version: version.version,
                    is_preview: version.is_preview,
                    support_plans: version.support_plans,
                })
                .collect(),
        },
    ])
}

fn size(sku: &Sku) -> Option<Size> {
    if !sku.kind.eq_ignore_ascii_case("virtualMachines") {
        return None;
    }
    Some(Size {
        name: sku.name.clone(),
        family: sku.family.clone(),
        vcpus: sku.vcpus()?,
        memory_gib: sku.memory_gb()?,
        architecture: sku
            .capability("CpuArchitectureType")
            .unwrap_or("x64")
            .to_owned(),
        zones: sku.zones.clone(),
        restricted: sku.blocked().is_some(),
        restricted_zones: sku
            .restrictions
            .iter()
            .flat_map(|restriction| restriction.zones.iter().cloned())
            .collect(),
        trusted_launch: sku.supports_trusted_launch(),
        encryption_at_host: sku.can("EncryptionAtHostSupported"),
        ephemeral_os: sku.can("EphemeralOSDiskSupported"),
    })
}

/// Prices of the sizes that a template could run on: the whole list has hundreds that nobody could take.
async fn prices(arm: &Arm, subscription: &str, region: &str) -> Answer {
    let skus = arm
        .compute()
        .skus(&SubscriptionId::parse(subscription)?, region)
        .await?;
    let names: Vec<&str> = skus
        .iter()
        .filter(|sku| size(sku).is_some_and(|size| size.trusted_launch && size.encryption_at_host))
        .map(|sku| sku.name.as_str())
        .collect();
    let price = |price: &azure::Price| Price {
        usd: price.price,
        // A doubtful price is shown as the guess it is.
        sample: price.sample || price.doubtful,
    };
    let vm_hours = arm
        .prices()
        .virtual_machines(region, &names)
        .await?
        .iter()
        .filter(|one| one.unit.contains("Hour"))
        .map(|one| (one.sku.to_lowercase(), price(one)))
        .collect();
    let disk_months = arm
        .prices()
        .managed_disks(region)
        .await?
        .iter()
        .filter(|one| one.unit.contains("Month"))
        .map(|one| (one.sku.to_lowercase(), price(one)))
        .collect();
    Ok(vec![Fact::Prices {
        region: region.to_owned(),
        prices: Prices {
            vm_hours,
            disk_months,
        },
    }])
}

async fn cluster(arm: &Arm, id: &str) -> Answer {
    let cluster = arm.aks().cluster(&ResourceId::parse(id)?).await?;
    let pools = Fact::Pools {
        cluster: id.to_owned(),
        pools: pools(&cluster.raw),
    };
    let cluster = Fact::Cluster {
        id: id.to_owned(),
        cluster: ClusterFact {
            name: cluster.name,
            region: cluster.location,
            kubernetes_version: cluster.kubernetes_version.unwrap_or_default(),
            node_os_upgrade_channel: cluster.node_os_upgrade_channel.unwrap_or_default(),
            private: cluster.private,
        },
    };
    Ok(vec![cluster, pools])
}

/// A cluster shows its pools whole: no list of them has to be read beside it.
fn pools(cluster: &Value) -> Vec<PoolFact> {
    let profiles = cluster
        .pointer("/properties/agentPoolProfiles")
        .and_then(Value::as_array);
    profiles
        .into_iter()
        .flatten()
        .filter_map(|profile| {
            let tags = profile.get("tags").and_then(Value::as_object);
            Some(PoolFact {
                name: profile.get("name")?.as_str()?.to_owned(),
                tags: tags
                    .into_iter()
                    .flatten()
                    .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                    .collect(),
            })
        })
        .collect()
}

/// All wanted subnets of one network. The network is read too, because a subnet does not say its region.
async fn subnets(arm: &Arm, network: &str, wanted: &BTreeSet<String>) -> Answer {
    let id = ResourceId::parse(network)?;
    let networks = arm.network().virtual_networks(id.subscription()).await?;
    let Some(found) = networks
        .into_iter()
        .find(|known| known.id.eq_ignore_ascii_case(network))
    else {
        return Ok(Vec::new());
    };
    Ok(found
        .subnets
        .into_iter()
        .filter(|subnet| {
            wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(&subnet.id))
        })
        .map(|subnet| Fact::Subnet {
            id: subnet.id,
            subnet: SubnetFact {
                region: found.location.clone(),
                network_security_group: subnet.security_group.is_some(),
                default_outbound_access: subnet.default_outbound_access,
            },
        })
        .collect())
}

async fn image(arm: &Arm, subscription: &str, region: &str, urn: &str) -> Answer {
    let mut parts = urn.splitn(3, ':').map(str::to_owned);
    let (Some(publisher), Some(offer), Some(sku)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(Vec::new());
    };
    let id = SubscriptionId::parse(subscription)?;
    let image = Image {
        publisher,
        offer,
        sku,
    };
    let mut versions = arm.compute().image_versions(&id, region, &image).await?;
    versions.sort_by_key(|version| {
        version
            .split('.')
            .map(|part| part.parse::<u64>().unwrap_or(0))
            .collect::<Vec<_>>()
    });
    let Some(newest) = versions.last() else {
        return Ok(Vec::new());
    };
    let version = arm
        .compute()
        .image_version(&id, region, &image, newest)
        .await?;
    let feature = |name: &str| {
        version
            .features
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.as_str())
    };
    Ok(vec![Fact::Image {
        urn: urn.to_owned(),
        image: ImageFact {
            security_type: feature("SecurityType").to_owned(),
            disk_controllers: feature("DiskControllerTypes")
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            generation: version.hyper_v_generation.clone().unwrap_or_default(),
            architecture: version.architecture.clone().unwrap_or_default(),
        },
    }])
}
