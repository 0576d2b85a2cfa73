//! Microsoft.Network: virtual networks and subnets, security groups, interfaces, public addresses, NAT gateways.

mod range;
mod rules;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use range::Range;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Draft, Habit, Kind, Order, Scene};
use crate::state::Tx;
use crate::state::model::{Provisioning, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(crate) const VERSIONS: &[&str] = &[
    "2026-03-01",
    "2026-01-01",
    "2025-11-01",
    "2025-09-01",
    "2025-07-01",
    "2025-05-01",
    "2025-03-01",
    "2025-01-01",
    "2024-10-01",
    "2024-07-01",
    "2024-05-01",
    "2024-03-01",
    "2024-01-01",
    "2023-11-01",
    "2023-09-01",
    "2023-06-01",
    "2023-05-01",
    "2023-04-01",
    "2023-02-01",
    "2022-11-01",
    "2022-09-01",
    "2022-07-01",
    "2022-05-01",
    "2022-01-01",
    "2021-08-01",
    "2021-05-01",
    "2021-02-01",
    "2020-11-01",
    "2020-06-01",
    "2018-11-01",
    "2015-06-15",
];

pub(crate) const VNET: &str = "Microsoft.Network/virtualNetworks";
pub(crate) const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
pub(crate) const NIC: &str = "Microsoft.Network/networkInterfaces";
const NSG: &str = "Microsoft.Network/networkSecurityGroups";
const PUBLIC_IP: &str = "Microsoft.Network/publicIPAddresses";
const NAT: &str = "Microsoft.Network/natGateways";

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            create: 3.0,
            delete: 3.0,
            prepare: vnet,
            accepted: vnet_accepted,
            blocked: |world, vnet| {
                let key = vnet.key();
                let subnets: Vec<_> = world
                    .under(&key)
                    .map(|(_, subnet)| subnet.clone())
                    .collect();
                subnets
                    .iter()
                    .filter(|resource| resource.is(SUBNET))
                    .try_for_each(|subnet| subnet_blocked(world, subnet))
            },
            show: |world, vnet, shown| {
                let subnets: Vec<Value> = world
                    .under(&vnet.key())
                    .filter(|(_, resource)| resource.is(SUBNET))
                    .map(|(_, subnet)| subnet_row(world, subnet))
                    .collect();
                at::set(shown, "/properties/subnets", Value::Array(subnets));
                at::default(shown, "/properties/virtualNetworkPeerings", json!([]));
                at::default(shown, "/properties/enableDdosProtection", false);
            },
            ..Kind::base(VNET, VERSIONS, Habit::Network)
        },
        Kind {
            located: false,
            create: 2.0,
            delete: 2.0,
            prepare: subnet,
            blocked: subnet_blocked,
            show: |world, subnet, shown| {
                *shown = subnet_row(world, subnet);
            },
            ..Kind::base(SUBNET, VERSIONS, Habit::Network)
        },
        Kind {
            create: 2.0,
            delete: 2.0,
            prepare: nsg,
            blocked: |world, nsg| {
                free(
                    world,
                    nsg,
                    "InUseNetworkSecurityGroupCannotBeDeleted",
                    "Network security group",
                )
            },
            accepted: rules::spread,
            show: rules::show_group,
            ..Kind::base(NSG, VERSIONS, Habit::Network)
        },
        rules::kind(),
        Kind {
            create: 1.0,
            delete: 2.0,
            prepare: nic,
            blocked: |world, nic| free(world, nic, "NicInUse", "Network Interface"),
            show: |world, nic, shown| {
                let machine = world
                    .users(&nic.key())
                    .find(|user| user.is("Microsoft.Compute/virtualMachines"));
                if let Some(machine) = machine {
                    at::set(
                        shown,
                        "/properties/virtualMachine",
                        json!({ "id": machine.id }),
                    );
                }
                at::default(
                    shown,
                    "/properties/dnsSettings",
                    json!({ "dnsServers": [], "appliedDnsServers": [] }),
                );
                at::default(shown, "/properties/tapConfigurations", json!([]));
                at::default(shown, "/properties/nicType", "Standard");
            },
            ..Kind::base(NIC, VERSIONS, Habit::Network)
        },
        Kind {
            create: 2.0,
            delete: 3.0,
            prepare: public_ip,
            blocked: |world, address| {
                free(
                    world,
                    address,
                    "PublicIPAddressCannotBeDeleted",
                    "Public IP address",
                )
            },
            show: |world, address, shown| {
                if let Some(user) = world.users(&address.key()).next() {
                    at::set(
                        shown,
                        "/properties/ipConfiguration",
                        json!({ "id": format!("{}/ipConfigurations/ipconfig1", user.id) }),
                    );
                }
            },
            ..Kind::base(PUBLIC_IP, VERSIONS, Habit::Network)
        },
        Kind {
            create: 5.0,
            delete: 5.0,
            prepare: |draft, _| {
                draft.default("/sku", json!({ "name": "Standard" }));
                draft.default("/properties/idleTimeoutInMinutes", 4);
                Ok(())
            },
            blocked: |world, gateway| {
                free(
                    world,
                    gateway,
                    "InUseNatGatewayCannotBeDeleted",
                    "NAT gateway",
                )
            },
            show: |world, gateway, shown| {
                let subnets: Vec<Value> = world
                    .users(&gateway.key())
                    .filter(|user| user.is(SUBNET))
                    .map(|subnet| json!({ "id": subnet.id }))
                    .collect();
                if !subnets.is_empty() {
                    at::set(shown, "/properties/subnets", Value::Array(subnets));
                }
            },
            ..Kind::base(NAT, VERSIONS, Habit::Network)
        },
    ]
}

/// Refuses while anything uses it.
fn free(world: &World, resource: &Resource, code: &str, noun: &str) -> Result<(), Refusal> {
    let own = format!("{}/", resource.key());
    match world
        .users(&resource.key())
        .find(|user| user.state != Provisioning::Deleting && !user.key().starts_with(&own))
    {
        None => Ok(()),
        Some(user) => Err(Refusal::bad(
            code,
            format!(
                "{noun} {} is used by existing resource {}. In order to delete it, dissociate it from the resource. To learn more, see aka.ms/deletenic.",
                resource.id, user.id
            ),
        )),
    }
}

fn vnet(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/addressSpace/addressPrefixes")?;
    let space: Vec<Range> = at::texts(&draft.body, "/properties/addressSpace/addressPrefixes")
        .iter()
        .map(|text| Range::read(text))
        .collect::<Result<_, _>>()?;
    let mut seen: Vec<(String, Range)> = Vec::new();
    for subnet in at::list(&draft.body, "/properties/subnets") {
        let Some(name) = at::text(subnet, "/name") else {
            return Err(Refusal::required("subnets.name"));
        };
        let Some(prefix) = prefix_of(subnet) else {
            continue;
        };
        let range = Range::read(prefix)?;
        fits(name, &range, &space, &seen)?;
        seen.push((name.to_owned(), range));
    }
    // Subnets that the body does not name are deleted, which fails while they are used.
    if draft.body.pointer("/properties/subnets").is_some() {
        for (_, subnet) in scene.world.under(&draft.id.key()) {
            let kept = seen
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(subnet.name()));
            if subnet.is(SUBNET) && !kept {
                subnet_blocked(scene.world, subnet)?;
            }
        }
    }
    Ok(())
}

/// Subnets are resources of their own; the network's body does not keep them.
fn vnet_accepted(tx: &mut Tx<'_>, vnet: &Resource) -> Result<(), Refusal> {
    let Some(id) = Id::parse(&vnet.id) else {
        return Ok(());
    };
    let mut bare = Resource::clone(vnet);
    let Some(Value::Array(subnets)) = at::remove(&mut bare.body, "/properties/subnets") else {
        return Ok(());
    };
    tx.apply(crate::state::model::Change::Resource(
        bare.key(),
        Some(std::sync::Arc::new(bare)),
    ));
    let mut kept = BTreeSet::new();
    for subnet in subnets {
        let name = at::text(&subnet, "/name").unwrap_or_default().to_owned();
        let child = id.child("subnets", &name);
        kept.insert(child.key());
        super::put(
            tx,
            Order {
                id: child,
                body: json!({ "properties": subnet.get("properties").cloned().unwrap_or_else(|| json!({})) }),
                api_version: VERSIONS[0].to_owned(),
                patch: false,
                condition: None,
                doomed: None,
                hang: false,
                deployment: None,
            },
        )?;
    }
    let gone: Vec<String> = tx
        .under(&id.key())
        .filter(|(key, resource)| resource.is(SUBNET) && !kept.contains(*key))
        .map(|(key, _)| key.clone())
        .collect();
    for key in gone {
        super::remove(tx, &key);
    }
    Ok(())
}

fn prefix_of(subnet: &Value) -> Option<&str> {
    at::text(subnet, "/properties/addressPrefix")
        .or_else(|| at::text(subnet, "/properties/addressPrefixes/0"))
}

fn subnet(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    if prefix_of(&draft.body).is_none() && !at::present(&draft.body, "/properties/addressPrefix") {
        return Err(Refusal::required("addressPrefix"));
    }
    draft.default("/properties/privateEndpointNetworkPolicies", "Disabled");
    draft.default("/properties/privateLinkServiceNetworkPolicies", "Enabled");
    draft.default("/properties/delegations", json!([]));
    let (Some(prefix), Some(vnet)) = (prefix_of(&draft.body), draft.id.parent()) else {
        return Ok(());
    };
    let range = Range::read(prefix)?;
    let Some(network) = scene.world.resource(&vnet.key()) else {
        return Ok(());
    };
    let space: Vec<Range> = at::texts(&network.body, "/properties/addressSpace/addressPrefixes")
        .iter()
        .map(|text| Range::read(text))
        .collect::<Result<_, _>>()?;
    let own = draft.id.key();
    let others: Vec<(String, Range)> = scene
        .world
        .under(&vnet.key())
        .filter(|(key, resource)| resource.is(SUBNET) && **key != own)
        .filter_map(|(_, other)| {
            let range = Range::read(prefix_of(&other.body)?).ok()?;
            Some((other.name().to_owned(), range))
        })
        .collect();
    fits(draft.id.last_name(), &range, &space, &others)
}

fn fits(
    name: &str,
    range: &Range,
    space: &[Range],
    others: &[(String, Range)],
) -> Result<(), Refusal> {
    if !space.iter().any(|outer| outer.holds(range)) {
        return Err(Refusal::bad(
            "NetcfgInvalidSubnet",
            format!(
                "Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual network."
            ),
        ));
    }
    if let Some((other, _)) = others
        .iter()
        .find(|(other, taken)| !other.eq_ignore_ascii_case(name) && taken.meets(range))
    {
        return Err(Refusal::bad(
            "NetcfgSubnetRangesOverlap",
            format!(
                "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet '{other}'."
            ),
        ));
    }
    Ok(())
}

fn subnet_blocked(world: &World, subnet: &Resource) -> Result<(), Refusal> {
    match world
        .users(&subnet.key())
        .find(|user| user.state != Provisioning::Deleting)
    {
        None => Ok(()),
        Some(user) => Err(Refusal::bad(
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
                subnet.name(),
                user.id
            ),
        )),
    }
}

fn subnet_row(world: &World, subnet: &Resource) -> Value {
    let mut row = json!({
        "name": subnet.name(),
        "id": subnet.id,
        "etag": format!("W/\"{}\"", subnet.etag),
        "properties": subnet.body.get("properties").cloned().unwrap_or_else(|| json!({})),
        "type": SUBNET,
    });
    row["properties"]["provisioningState"] = subnet.state.name().into();
    let used: Vec<Value> = world
        .users(&subnet.key())
        .filter(|user| user.is(NIC))
        .take(500)
        .map(|nic| json!({ "id": format!("{}/ipConfigurations/{}", nic.id, nic.text("/properties/ipConfigurations/0/name").unwrap_or("ipconfig1")) }))
        .collect();
    if !used.is_empty() {
        row["properties"]["ipConfigurations"] = Value::Array(used);
    }
    row
}

fn nsg(draft: &mut Draft<'_>, _: &Scene<'_>) -> Result<(), Refusal> {
    draft.default("/properties/securityRules", json!([]));
    rules::check(at::list(&draft.body, "/properties/securityRules"))
}

fn nic(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let count = at::list(&draft.body, "/properties/ipConfigurations").len();
    if count == 0 && !at::present(&draft.body, "/properties/ipConfigurations") {
        return Err(Refusal::required("ipConfigurations"));
    }
    draft.default("/properties/enableAcceleratedNetworking", false);
    draft.default("/properties/enableIPForwarding", false);
    draft.default("/properties/disableTcpStateTracking", false);
    draft.default("/properties/hostedWorkloads", json!([]));
    let mac = Uuid::new_v5(&Uuid::NAMESPACE_URL, draft.id.key().as_bytes());
    let mac = mac.as_bytes();
    draft.default(
        "/properties/macAddress",
        format!("00-0D-3A-{:02X}-{:02X}-{:02X}", mac[0], mac[1], mac[2]),
    );
    let mut mine: BTreeSet<Ipv4Addr> = BTreeSet::new();
    for index in 0..count {
        let base = format!("/properties/ipConfigurations/{index}");
        draft.require(&format!("{base}/name"))?;
        draft.require(&format!("{base}/properties/subnet/id"))?;
        draft.default(&format!("{base}/properties/primary"), index == 0);
        draft.default(
            &format!("{base}/properties/privateIPAllocationMethod"),
            "Dynamic",
        );
        draft.default(
            &format!("{base}/properties/privateIPAddressVersion"),
            "IPv4",
        );
        let name = draft
            .text(&format!("{base}/name"))
            .unwrap_or_default()
            .to_owned();
        let id = format!("{}/ipConfigurations/{name}", draft.id.text());
        at::set(&mut draft.body, &format!("{base}/id"), id.into());
        at::set(
            &mut draft.body,
            &format!("{base}/properties/provisioningState"),
            "Succeeded".into(),
        );
        let Some(subnet_id) = draft.text(&format!("{base}/properties/subnet/id")) else {
            continue;
        };
        let subnet_key = ids::key(subnet_id);
        let Some(subnet) = scene.world.resource(&subnet_key) else {
            continue;
        };
        same_region(draft, scene, subnet)?;
        let address_at = format!("{base}/properties/privateIPAddress");
        let taken: BTreeSet<Ipv4Addr> = scene
            .world
            .users(&subnet_key)
            .filter(|user| user.is(NIC) && user.key() != draft.id.key())
            .flat_map(|user| addresses(&user.body))
            .chain(mine.iter().copied())
            .collect();
        let fixed = draft
            .text(&format!("{base}/properties/privateIPAllocationMethod"))
            .is_some_and(|method| method.eq_ignore_ascii_case("Static"));
        // A dynamic address stays the same for as long as the interface stays in its subnet.
        let before = draft
            .old
            .filter(|old| {
                old.text(&format!("{base}/properties/subnet/id"))
                    .is_some_and(|id| ids::key(id) == subnet_key)
            })
            .and_then(|old| old.text(&address_at)?.parse().ok());
        let range = Range::read(prefix_of(&subnet.body).unwrap_or("0.0.0.0/32"))?;
        let wanted: Option<Ipv4Addr> = if fixed {
            let Some(text) = draft.text(&address_at) else {
                return Err(Refusal::required(&format!(
                    "ipConfigurations[{index}].privateIPAddress"
                )));
            };
            let address = text.parse().ok().filter(|address| range.has(*address));
            let Some(address) = address else {
                return Err(Refusal::bad(
                    "PrivateIPAddressNotInSubnet",
                    format!(
                        "Private static IP address {text} does not belong to the range of subnet prefix {}.",
                        prefix_of(&subnet.body).unwrap_or("")
                    ),
                ));
            };
            if taken.contains(&address) {
                return Err(Refusal::bad(
                    "PrivateIPAddressIsAllocated",
                    format!(
                        "IP configuration {} is using the private IP address {address} which is already allocated.",
                        draft.id.text()
                    ),
                ));
            }
            Some(address)
        } else {
            before
                .filter(|address| !taken.contains(address))
                .or_else(|| range.first_free(&taken))
        };
        let Some(address) = wanted else {
            return Err(Refusal::bad(
                "SubnetIsFull",
                format!(
                    "Subnet {} with address prefix {} does not have enough capacity for 1 IP addresses.",
                    subnet.name(),
                    prefix_of(&subnet.body).unwrap_or("")
                ),
            ));
        };
        mine.insert(address);
        at::set(&mut draft.body, &address_at, address.to_string().into());
    }
    Ok(())
}

fn addresses(body: &Value) -> Vec<Ipv4Addr> {
    at::list(body, "/properties/ipConfigurations")
        .iter()
        .filter_map(|config| {
            at::text(config, "/properties/privateIPAddress")?
                .parse()
                .ok()
        })
        .collect()
}

fn same_region(draft: &Draft<'_>, scene: &Scene<'_>, subnet: &Resource) -> Result<(), Refusal> {
    let network = Id::parse(&subnet.id)
        .and_then(|id| id.parent())
        .and_then(|parent| scene.world.resource(&parent.key()));
    match network.and_then(|network| network.location()) {
        Some(location) if location != draft.location => Err(Refusal::bad(
            "InvalidResourceReference",
            format!(
                "Resource {} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
                subnet.id,
                draft.id.text()
            ),
        )),
        _ => Ok(()),
    }
}

fn public_ip(draft: &mut Draft<'_>, _: &Scene<'_>) -> Result<(), Refusal> {
    draft.default("/sku/name", "Standard");
    draft.default("/sku/tier", "Regional");
    draft.default("/properties/publicIPAddressVersion", "IPv4");
    draft.default("/properties/publicIPAllocationMethod", "Static");
    draft.default("/properties/idleTimeoutInMinutes", 4);
    let standard = draft.text("/sku/name") == Some("Standard");
    if standard && draft.text("/properties/publicIPAllocationMethod") == Some("Dynamic") {
        return Err(Refusal::bad(
            "StandardSkuPublicIPAddressesMustBeStatic",
            "Standard sku public IP addresses must use the static allocation method.",
        ));
    }
    // 203.0.113.0/24 is reserved for documentation: nobody's machine.
    let byte = Uuid::new_v5(&Uuid::NAMESPACE_URL, draft.id.key().as_bytes()).as_bytes()[0];
    draft.default("/properties/ipAddress", format!("203.0.113.{byte}"));
    Ok(())
}
