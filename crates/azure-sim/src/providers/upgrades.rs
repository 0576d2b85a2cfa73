//! Which Kubernetes versions a cluster and its pools can go to: upgrade profiles and the versions for a new pool. The table of versions is in `container_service.rs`.

use serde_json::{Value, json};

use super::container_service::{self, POOL, minor};
use crate::state::model::{Resource, World};
use crate::wire::ids::Id;

/// `upgradeProfiles/default` of a cluster or of a pool, or `availableAgentPoolVersions`.
pub(crate) fn profile(world: &World, resource: &Resource, what: &str) -> Value {
    let cluster = if resource.is(POOL) {
        Id::parse(&resource.id)
            .and_then(|id| id.parent())
            .and_then(|parent| world.resource(&parent.key()))
            .map_or(resource, |cluster| cluster.as_ref())
    } else {
        resource
    };
    let plane = cluster
        .text("/properties/currentKubernetesVersion")
        .unwrap_or_default();
    if what == "availableagentpoolversions" {
        // Up to three minor versions behind the control plane.
        let versions: Vec<Value> = container_service::patches()
            .filter(|(version, _)| {
                minor(version) + 3 >= minor(plane)
                    && !container_service::newer(version, plane)
            })
            .map(|(version, preview)| json!({ "default": version == plane, "kubernetesVersion": version, "isPreview": preview }))
            .collect();
        return json!({
            "id": format!("{}/availableAgentPoolVersions", cluster.id), "name": "default",
            "type": "Microsoft.ContainerService/managedClusters/availableAgentPoolVersions",
            "properties": { "agentPoolVersions": versions },
        });
    }
    if resource.is(POOL) {
        let own = resource
            .text("/properties/currentOrchestratorVersion")
            .unwrap_or_default();
        let upgrades: Vec<Value> = container_service::patches()
            .filter(|(version, _)| {
                container_service::newer(version, own) && !container_service::newer(version, plane)
            })
            .map(|(version, preview)| json!({ "kubernetesVersion": version, "isPreview": preview }))
            .collect();
        return json!({
            "id": format!("{}/upgradeProfiles/default", resource.id), "name": "default",
            "type": "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
            "properties": {
                "kubernetesVersion": own, "osType": "Linux", "upgrades": upgrades,
                "latestNodeImageVersion": resource.text("/properties/nodeImageVersion"),
                "recentlyUsedVersions": [],
            },
        });
    }
    let upgrades: Vec<Value> = container_service::upgrades(plane)
        .map(|(version, preview)| json!({ "kubernetesVersion": version, "isPreview": preview }))
        .collect();
    let pools: Vec<Value> = world
        .under(&cluster.key())
        .filter(|(_, child)| child.is(POOL))
        .map(|(_, pool)| json!({ "name": pool.name(), "kubernetesVersion": pool.text("/properties/currentOrchestratorVersion"), "osType": "Linux", "upgrades": upgrades }))
        .collect();
    json!({
        "id": format!("{}/upgradeprofiles/default", cluster.id), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/upgradeprofiles",
        "properties": {
            "controlPlaneProfile": { "kubernetesVersion": plane, "osType": "Linux", "upgrades": upgrades },
            "agentPoolProfiles": pools,
        },
    })
}
