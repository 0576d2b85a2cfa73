//! Microsoft.ContainerService: clusters. Node pools have a file of their own; Kubernetes versions, the node resource group and credentials are below.

mod command;
mod credentials;
mod kubernetes;
mod node_group;

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Draft, Habit, Kind, Order, Patch, Scene, agent_pools, bearer, identity};
use crate::seed;
use crate::state::Tx;
use crate::state::model::{Change, Power, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(crate) use command::answer;
pub(crate) use credentials::credentials;
pub(crate) use kubernetes::{minor, newer, patches, resolve, upgrades, versions};

pub(crate) const VERSIONS: &[&str] = &[
    "2026-08-01",
    "2026-07-01",
    "2026-06-01",
    "2026-05-02-preview",
    "2026-05-01",
    "2026-03-02-preview",
    "2026-03-01",
    "2026-02-01",
    "2026-01-01",
    "2025-10-01",
    "2025-09-01",
    "2025-08-01",
    "2025-07-01",
    "2025-06-01",
    "2025-05-01",
    "2025-04-01",
    "2025-03-01",
    "2025-02-01",
    "2025-01-01",
    "2024-10-01",
    "2024-09-01",
    "2024-08-01",
    "2024-07-01",
    "2024-06-01",
    "2024-05-01",
    "2024-02-01",
    "2024-01-01",
    "2023-11-01",
    "2023-10-01",
    "2023-08-01",
    "2023-05-01",
    "2023-01-02-preview",
];
pub(crate) const CLUSTER: &str = "Microsoft.ContainerService/managedClusters";
pub(crate) const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            create: 60.0,
            update: 20.0,
            delete: 40.0,
            prepare: cluster,
            patch: Patch::TagsAlone,
            accepted,
            blocked: node_group::blocked,
            removed: node_group::remove,
            show,
            ..Kind::base(CLUSTER, VERSIONS, Habit::Aks)
        },
        Kind {
            located: false,
            patch: Patch::Never,
            create: 40.0,
            update: 20.0,
            delete: 30.0,
            prepare: |draft, scene| agent_pools::prepare(draft, scene).map_err(flat),
            blocked: |world, pool| agent_pools::blocked(world, pool).map_err(flat),
            show: agent_pools::show,
            ..Kind::base(POOL, VERSIONS, Habit::Aks)
        },
    ]
}

/// This provider writes its errors without the wrapper (facts: azure.md 4.5).
pub(crate) fn flat(refusal: Refusal) -> Refusal {
    Refusal {
        flat: true,
        ..refusal
    }
}

fn cluster(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    prepare(draft, scene).map_err(flat)
}

fn wrong(code: &str, message: impl Into<String>, target: &str) -> Refusal {
    Refusal::bad(code, message).at(target)
}

fn prepare(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    if let Some(old) = draft.old {
        busy(scene.world, old)?;
        started(old)?;
    }
    let name = draft.id.last_name();
    let alnum = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = name.len() <= 63
        && alnum(name.chars().next())
        && alnum(name.chars().last())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !fits {
        return Err(wrong(
            "InvalidParameter",
            format!(
                "The length or characters of the managed cluster name '{name}' are not valid: 1 to 63 letters, digits, hyphens and underscores, beginning and ending with a letter or digit."
            ),
            "name",
        ));
    }
    draft.require("/properties")?;
    if !at::present(&draft.body, "/properties/dnsPrefix")
        && !at::present(&draft.body, "/properties/fqdnSubdomain")
    {
        draft.keep("/properties/dnsPrefix")?;
        draft.require("/properties/dnsPrefix")?;
    }
    kubernetes::prepare(draft)?;
    acts_as(draft, scene)?;
    let p = "/properties";
    if draft.flag("/properties/disableLocalAccounts")
        && !at::present(&draft.body, "/properties/aadProfile")
    {
        return Err(wrong(
            "BadRequest",
            "disableLocalAccounts requires the cluster to be AAD-enabled.",
            "disableLocalAccounts",
        ));
    }
    if draft.flag("/properties/aadProfile/enableAzureRBAC")
        && !draft.flag("/properties/aadProfile/managed")
    {
        return Err(wrong(
            "BadRequest",
            "Azure RBAC requires managed AAD.",
            "aadProfile.enableAzureRBAC",
        ));
    }
    if draft.flag("/properties/securityProfile/workloadIdentity/enabled")
        && !draft.flag("/properties/oidcIssuerProfile/enabled")
    {
        return Err(wrong(
            "BadRequest",
            "Workload identity requires the OIDC issuer to be enabled.",
            "securityProfile.workloadIdentity",
        ));
    }
    if draft.flag("/properties/apiServerAccessProfile/enablePrivateCluster")
        && !at::list(
            &draft.body,
            "/properties/apiServerAccessProfile/authorizedIPRanges",
        )
        .is_empty()
    {
        return Err(wrong(
            "BadRequest",
            "Authorized IP ranges cannot be used with a private cluster.",
            "apiServerAccessProfile.authorizedIPRanges",
        ));
    }
    if draft.text("/properties/networkProfile/networkPolicy") == Some("cilium")
        && draft.text("/properties/networkProfile/networkDataplane") != Some("cilium")
    {
        return Err(wrong(
            "BadRequest",
            "Network policy cilium requires network dataplane cilium.",
            "networkProfile.networkPolicy",
        ));
    }
    if draft.old.is_none() && at::list(&draft.body, "/properties/agentPoolProfiles").is_empty() {
        return Err(Refusal::required("agentPoolProfiles"));
    }
    for pointer in [
        "/properties/dnsPrefix",
        "/properties/nodeResourceGroup",
        "/properties/networkProfile/outboundType",
        "/properties/networkProfile/networkPlugin",
        "/properties/networkProfile/podCidr",
        "/properties/networkProfile/serviceCidr",
    ] {
        draft.keep(pointer)?;
    }
    if draft.old.is_none() {
        node_group::prepare(draft, scene)?;
    }
    for (pointer, value) in [
        ("/sku", json!({ "name": "Base", "tier": "Free" })),
        ("/properties/enableRBAC", true.into()),
        ("/properties/disableLocalAccounts", false.into()),
        ("/properties/supportPlan", "KubernetesOfficial".into()),
        ("/properties/maxAgentPools", 100.into()),
        ("/properties/networkProfile/networkPlugin", "azure".into()),
        (
            "/properties/networkProfile/networkPluginMode",
            "overlay".into(),
        ),
        (
            "/properties/networkProfile/networkDataplane",
            "azure".into(),
        ),
        (
            "/properties/networkProfile/loadBalancerSku",
            "standard".into(),
        ),
        (
            "/properties/networkProfile/outboundType",
            "loadBalancer".into(),
        ),
        ("/properties/networkProfile/podCidr", "10.244.0.0/16".into()),
        (
            "/properties/networkProfile/serviceCidr",
            "10.0.0.0/16".into(),
        ),
        (
            "/properties/networkProfile/dnsServiceIP",
            "10.0.0.10".into(),
        ),
        ("/properties/networkProfile/ipFamilies", json!(["IPv4"])),
        (
            "/properties/autoUpgradeProfile/nodeOSUpgradeChannel",
            "NodeImage".into(),
        ),
        ("/properties/securityProfile", json!({})),
        ("/properties/workloadAutoScalerProfile", json!({})),
        (
            "/properties/storageProfile",
            json!({ "diskCSIDriver": { "enabled": true }, "fileCSIDriver": { "enabled": true }, "snapshotController": { "enabled": true } }),
        ),
    ] {
        at::default(&mut draft.body, pointer, value);
    }
    for (one, many) in [("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")] {
        if let Some(cidr) = draft
            .text(&format!("{p}/networkProfile/{one}"))
            .map(str::to_owned)
        {
            draft.default(&format!("{p}/networkProfile/{many}"), json!([cidr]));
        }
    }
    let unique = Uuid::new_v5(&Uuid::NAMESPACE_URL, draft.id.key().as_bytes())
        .simple()
        .to_string();
    let dns = draft
        .text("/properties/dnsPrefix")
        .unwrap_or("aks")
        .to_owned();
    let host = format!("{dns}-{}.hcp.{}.azmk8s.io", &unique[..8], draft.location);
    let host_key = if draft.flag("/properties/apiServerAccessProfile/enablePrivateCluster") {
        "privateFQDN"
    } else {
        "fqdn"
    };
    draft.default(&format!("{p}/{host_key}"), host.clone());
    draft.default("/properties/azurePortalFQDN", host);
    draft.default("/properties/resourceUID", unique.clone());
    if draft.flag("/properties/oidcIssuerProfile/enabled") {
        draft.default(
            "/properties/oidcIssuerProfile/issuerURL",
            format!(
                "https://{}.oic.prod-aks.azure.com/{}/{unique}/",
                draft.location,
                seed::TENANT
            ),
        );
    }

    // The pools are checked as they will stand in this cluster.
    let profiles = at::list(&draft.body, "/properties/agentPoolProfiles").to_vec();
    if let (Some(old), Some(plane)) = (
        draft.old,
        draft.text("/properties/currentKubernetesVersion"),
    ) {
        agent_pools::follow(scene.world, old, &profiles, plane)?;
    }
    let mut system = draft.old.is_some();
    for profile in profiles {
        let Some(pool) = at::text(&profile, "/name").map(str::to_owned) else {
            return Err(Refusal::required("agentPoolProfiles.name"));
        };
        let id = draft.id.child("agentPools", &pool);
        let old = scene.world.resource(&id.key()).cloned();
        let mut pool = Draft {
            id: &id,
            old: old.as_deref(),
            body: json!({ "properties": profile }),
            api_version: draft.api_version,
            location: draft.location.clone(),
            hidden: None,
            power: None,
            doomed: None,
        };
        agent_pools::check(&mut pool, scene, &draft.body)?;
        system |= pool.text("/properties/mode") == Some("System");
    }
    if !system {
        return Err(wrong(
            "BadRequest",
            "Managed cluster must have at least one agent pool with mode System.",
            "agentPoolProfiles",
        ));
    }
    draft.power.get_or_insert(Power::Running);
    Ok(())
}

/// Whose rights the cluster has in Azure: an identity of its own, or a service principal. Their secrets are used up here.
fn acts_as(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    const PRINCIPAL: &str = "/properties/servicePrincipalProfile";
    if let Some(old) = draft.old
        && !at::present(&draft.body, "/identity")
        && !at::present(&draft.body, PRINCIPAL)
    {
        for pointer in ["/identity", PRINCIPAL] {
            if let Some(before) = old.body.pointer(pointer) {
                at::set(&mut draft.body, pointer, before.clone());
            }
        }
    }
    bearer::prepare(draft, scene, false)?;
    if at::present(&draft.body, "/identity") {
        draft.default(&format!("{PRINCIPAL}/clientId"), "msi");
    } else if !at::present(&draft.body, &format!("{PRINCIPAL}/clientId")) {
        return Err(wrong(
            "InvalidParameter",
            "Required parameter servicePrincipalProfile is missing (null).",
            "servicePrincipalProfile",
        ));
    }
    for secret in [
        "servicePrincipalProfile/secret",
        "windowsProfile/adminPassword",
        "aadProfile/serverAppSecret",
    ] {
        at::remove(&mut draft.body, &format!("/properties/{secret}"));
    }
    Ok(())
}

/// Nothing can be done to a cluster that is stopped but start it or delete it.
pub(crate) fn started(cluster: &Resource) -> Result<(), Refusal> {
    if cluster.power != Some(Power::Stopped) {
        return Ok(());
    }
    let id = Id::parse(&cluster.id);
    let (subscription, group) = id
        .as_ref()
        .map_or(("", ""), |id| (id.subscription.as_str(), id.group_name()));
    Err(Refusal::bad(
        "OperationNotAllowed",
        format!(
            "An error has occurred in subscription {subscription}, resourceGroup: {group} request: Managed Cluster is in stopped state, no operations except for start are allowed."
        ),
    ))
}

/// Only one operation at a time, on the cluster or any of its pools.
pub(crate) fn busy(world: &World, cluster: &Resource) -> Result<(), Refusal> {
    let key = cluster.key();
    let other = world
        .under(&key)
        .map(|(_, child)| child)
        .find(|child| child.is(POOL) && child.operation.is_some());
    let what = match (cluster.operation, other) {
        (Some(_), _) => Some((cluster.name(), cluster.state)),
        (None, Some(pool)) => Some((pool.name(), pool.state)),
        (None, None) => None,
    };
    match what {
        None => Ok(()),
        Some((name, state)) => Err(Refusal::conflict(
            "OperationNotAllowed",
            format!(
                "Operation is not allowed: Another operation ({name} - {}) is in progress, please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details",
                state.name()
            ),
        )),
    }
}

/// Pools become resources of their own, and the node resource group appears.
fn accepted(tx: &mut Tx<'_>, cluster: &Resource) -> Result<(), Refusal> {
    let Some(id) = Id::parse(&cluster.id) else {
        return Ok(());
    };
    let mut bare = Resource::clone(cluster);
    let profiles = at::remove(&mut bare.body, "/properties/agentPoolProfiles");
    // Pools may only be changed while their cluster is idle, except by the cluster's own PUT.
    let operation = bare.operation.take();
    let mut bare = Arc::new(bare);
    tx.apply(Change::Resource(cluster.key(), Some(bare.clone())));
    if let Some(Value::Array(profiles)) = profiles {
        for mut profile in profiles {
            let name = at::text(&profile, "/name").unwrap_or_default().to_owned();
            at::remove(&mut profile, "/name");
            let put = super::put(
                tx,
                Order::inner(
                    id.child("agentPools", &name),
                    json!({ "properties": profile }),
                    VERSIONS[0],
                ),
            )?;
            // It ends with its cluster, but must not block the next pool of the same body.
            let key = ids::key(&put.id);
            if let Some(pool) = tx.resource(&key).cloned() {
                let mut pool = Resource::clone(&pool);
                if let Some(own) = pool.operation.take() {
                    tx.apply(Change::Operation(own, None));
                }
                pool.state = crate::state::model::Provisioning::Succeeded;
                tx.apply(Change::Resource(key, Some(Arc::new(pool))));
            }
        }
    }
    Arc::make_mut(&mut bare).operation = operation;
    tx.apply(Change::Resource(cluster.key(), Some(bare)));
    node_group::make(tx, cluster, &id);
    Ok(())
}

fn show(world: &World, cluster: &Resource, shown: &mut Value) {
    let pools: Vec<Value> = world
        .under(&cluster.key())
        .filter(|(_, child)| child.is(POOL))
        .map(|(_, pool)| agent_pools::profile(world, pool))
        .collect();
    at::set(shown, "/properties/agentPoolProfiles", Value::Array(pools));
    let power = match cluster.power {
        Some(Power::Stopped) => "Stopped",
        _ => "Running",
    };
    at::set(shown, "/properties/powerState", json!({ "code": power }));
    at::set(shown, "/eTag", cluster.etag.to_string().into());
    // The provider's own casing (facts: azure.md 3.1).
    at::set(
        shown,
        "/type",
        "Microsoft.ContainerService/ManagedClusters".into(),
    );
    at::set(
        shown,
        "/id",
        cluster
            .id
            .replace("/resourceGroups/", "/resourcegroups/")
            .into(),
    );
    if cluster.state == crate::state::model::Provisioning::Succeeded
        && let Some(id) = Id::parse(&cluster.id)
        && let Some(group) = cluster.text("/properties/nodeResourceGroup")
    {
        // The identity of the nodes: one that was given, or one that AKS makes for them.
        let kubelet = "/properties/identityProfile/kubeletidentity";
        let made = format!(
            "/subscriptions/{}/resourcegroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}-agentpool",
            id.subscription,
            cluster.name()
        );
        let given = cluster.text(&format!("{kubelet}/resourceId"));
        let resource = given.unwrap_or(&made);
        let key = ids::key(resource);
        at::set(
            shown,
            kubelet,
            json!({ "resourceId": resource, "clientId": identity::client(&key), "objectId": identity::principal(&key) }),
        );
    }
}
