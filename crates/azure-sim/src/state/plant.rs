//! What every new simulator contains (design: seeds): platform groups, networks and clusters under the names of `crate::seed`.

use serde_json::{Value, json};

use super::{State, Tx};
use crate::Error;
use crate::providers::{self, Order, resources};
use crate::seed;
use crate::state::model::{Change, Operation, Provisioning, Resource, Status};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};

/// Plants the seeds in those of the subscriptions that are named in `seed`.
pub(crate) fn plant(state: &State) -> Result<(), Error> {
    let (planted, _) = state.write(|tx| {
        let wanted = |id: &str| tx.settings.subscriptions.iter().any(|known| known.id == id);
        let (dev, prod) = (
            wanted(seed::SUBSCRIPTION_DEV),
            wanted(seed::SUBSCRIPTION_PROD),
        );
        if dev {
            tier(
                tx,
                seed::SUBSCRIPTION_DEV,
                seed::GROUP_DEV,
                "dev",
                &[
                    (seed::VNET_DEV_WESTEUROPE, "westeurope", 10),
                    (seed::VNET_DEV_NORTHEUROPE, "northeurope", 11),
                ],
                seed::CLUSTER_DEV,
                seed::IDENTITY_DEV,
            )?;
        }
        if prod {
            tier(
                tx,
                seed::SUBSCRIPTION_PROD,
                seed::GROUP_PROD,
                "prod",
                &[
                    (seed::VNET_PROD_WESTEUROPE, "westeurope", 20),
                    (seed::VNET_PROD_NORTHEUROPE, "northeurope", 21),
                ],
                seed::CLUSTER_PROD,
                seed::IDENTITY_PROD,
            )?;
        }
        Ok(())
    });
    planted.map_err(|refusal| {
        Error::Config(format!(
            "the seeds could not be planted: {}",
            refusal.problem.message
        ))
    })
}

fn tier(
    tx: &mut Tx<'_>,
    subscription: &str,
    group: &str,
    tier: &str,
    networks: &[(&str, &str, u8)],
    cluster: &str,
    identity: &str,
) -> Result<(), Refusal> {
    let tags = json!({ "environment": tier, "owner": "platform", "costCenter": "0000" });
    resources::put_group(
        tx,
        subscription,
        group,
        &json!({ "location": "westeurope", "tags": tags }),
        false,
    )?;
    let scope = ids::scope(subscription, Some(group));
    for (vnet, location, net) in networks {
        let security = format!(
            "{scope}/providers/Microsoft.Network/networkSecurityGroups/nsg-{tier}-{location}"
        );
        let rule = |name: &str, priority: u32, access: &str, source: &str, port: &str| {
            json!({ "name": name, "properties": {
                "priority": priority, "direction": "Inbound", "access": access, "protocol": "*",
                "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port,
            } })
        };
        make(
            tx,
            &security,
            "2025-05-01",
            json!({
                "location": location, "tags": tags,
                "properties": { "securityRules": [
                    rule("AllowVnetSsh", 100, "Allow", "VirtualNetwork", "22"),
                    rule("DenyAllInbound", 4096, "Deny", "*", "*"),
                ] },
            }),
        )?;
        let subnet = |name: &str, prefix: String| {
            json!({ "name": name, "properties": {
                "addressPrefix": prefix, "defaultOutboundAccess": false, "networkSecurityGroup": { "id": security },
                "privateEndpointNetworkPolicies": "Enabled",
            } })
        };
        make(
            tx,
            vnet,
            "2025-05-01",
            json!({
                "location": location, "tags": tags,
                "properties": {
                    "addressSpace": { "addressPrefixes": [format!("10.{net}.0.0/16")] },
                    "subnets": [subnet(seed::SUBNET_NAME, format!("10.{net}.0.0/17")), subnet("aks", format!("10.{net}.128.0/20"))],
                },
            }),
        )?;
    }
    make(
        tx,
        identity,
        "2024-11-30",
        json!({ "location": "westeurope", "tags": tags }),
    )?;
    let subnet = format!("{}/subnets/aks", networks[0].0);
    make(
        tx,
        cluster,
        "2026-03-01",
        cluster_body(&tags, identity, tier, &subnet),
    )
}

/// The hardened private cluster of facts azure.md 3.1, without what needs resources that the simulator has no types for.
fn cluster_body(tags: &Value, identity: &str, tier: &str, subnet: &str) -> Value {
    json!({
        "location": "westeurope", "tags": tags, "sku": { "name": "Base", "tier": "Standard" },
        "identity": { "type": "UserAssigned", "userAssignedIdentities": { identity: {} } },
        "properties": {
            "kubernetesVersion": seed::KUBERNETES_VERSION, "dnsPrefix": format!("aks-{tier}"), "enableRBAC": true, "disableLocalAccounts": true,
            "nodeResourceGroup": format!("rg-platform-{tier}-aks-nodes"), "nodeResourceGroupProfile": { "restrictionLevel": "ReadOnly" },
            "aadProfile": { "managed": true, "enableAzureRBAC": true, "tenantID": seed::TENANT },
            "apiServerAccessProfile": { "enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": false, "privateDNSZone": "system", "disableRunCommand": true },
            "oidcIssuerProfile": { "enabled": true },
            "securityProfile": { "workloadIdentity": { "enabled": true }, "imageCleaner": { "enabled": true, "intervalHours": 48 } },
            "addonProfiles": {
                "azurepolicy": { "enabled": true },
                "azureKeyvaultSecretsProvider": { "enabled": true, "config": { "enableSecretRotation": "true", "rotationPollInterval": "2m" } },
            },
            "networkProfile": {
                "networkPlugin": "azure", "networkPluginMode": "overlay", "networkDataplane": "cilium", "networkPolicy": "cilium",
                "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10", "loadBalancerSku": "standard", "outboundType": "userAssignedNATGateway",
            },
            "autoUpgradeProfile": { "upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage" },
            "agentPoolProfiles": [system_pool(subnet)],
        },
    })
}

fn system_pool(subnet: &str) -> Value {
    json!({
        "name": "system", "mode": "System", "type": "VirtualMachineScaleSets", "osType": "Linux", "osSKU": "AzureContainerLinux",
        "vmSize": "Standard_D4ds_v6", "count": 3, "enableAutoScaling": true, "minCount": 3, "maxCount": 6, "maxPods": 110,
        "availabilityZones": ["1", "2", "3"], "osDiskType": "Ephemeral", "osDiskSizeGB": 128, "kubeletDiskType": "OS",
        "enableEncryptionAtHost": true, "enableFIPS": false, "enableNodePublicIP": false,
        "securityProfile": { "enableSecureBoot": true, "enableVTPM": true, "sshAccess": "Disabled" },
        "upgradeSettings": { "maxSurge": "33%", "drainTimeoutInMinutes": 30, "nodeSoakDurationInMinutes": 5, "undrainableNodeBehavior": "Cordon" },
        "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"], "vnetSubnetID": subnet,
    })
}

/// Made by the same code as anybody's, but finished at once.
fn make(tx: &mut Tx<'_>, id: &str, api_version: &str, body: Value) -> Result<(), Refusal> {
    let Some(id) = Id::parse(id) else {
        return Err(Refusal::bad("InvalidSeed", id.to_owned()));
    };
    providers::put(tx, Order::inner(id.clone(), body, api_version))?;
    let key = id.key();
    let mut made: Vec<String> = tx.under(&key).map(|(key, _)| key.clone()).collect();
    made.push(key);
    for key in made {
        let Some(resource) = tx.resource(&key).cloned() else {
            continue;
        };
        let mut resource = Resource::clone(&resource);
        resource.state = Provisioning::Succeeded;
        if let Some(operation) = resource.operation.take()
            && let Some(operation) = tx.operation(operation).cloned()
        {
            let ended = Operation {
                status: Status::Succeeded,
                ended: Some(tx.now),
                ..Operation::clone(&operation)
            };
            tx.apply(Change::Operation(ended.id, Some(ended.into())));
        }
        tx.apply(Change::Resource(key, Some(resource.into())));
    }
    Ok(())
}
