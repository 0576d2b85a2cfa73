//! Virtual networks and their subnets. Subnets are resources of their own; the list in the network's body is only a way to write them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::range::Range;
use super::{NIC, SUBNET, VERSIONS, VNET, derived, duplicates, references};
use crate::providers::{self, Draft, Habit, Kind, Order, Patch, Scene, names};
use crate::state::Tx;
use crate::state::model::{Change, Provisioning, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

/// IPv4 subnets are this long at most, IPv6 ones exactly as long as this.
const LONGEST: u32 = 29;
const LENGTH_V6: u32 = 64;

pub(super) fn kind() -> Kind {
    Kind {
        create: 3.0,
        delete: 3.0,
        patch: Patch::Tags,
        prepare: vnet,
        accepted,
        blocked: |world, vnet| {
            subnets(world, &vnet.key()).try_for_each(|subnet| blocked(world, subnet))
        },
        show: |world, vnet, shown| {
            let rows: Vec<Value> = subnets(world, &vnet.key())
                .map(|subnet| row(world, subnet))
                .collect();
            at::set(shown, "/properties/subnets", Value::Array(rows));
            at::default(shown, "/properties/virtualNetworkPeerings", json!([]));
            at::default(shown, "/properties/enableDdosProtection", false);
        },
        ..Kind::base(VNET, VERSIONS, Habit::Network)
    }
}

pub(super) fn subnet_kind() -> Kind {
    Kind {
        located: false,
        create: 2.0,
        delete: 2.0,
        patch: Patch::Never,
        prepare: subnet,
        blocked,
        show: |world, subnet, shown| *shown = row(world, subnet),
        ..Kind::base(SUBNET, VERSIONS, Habit::Network)
    }
}

fn subnets<'w>(world: &'w World, vnet: &str) -> impl Iterator<Item = &'w Arc<Resource>> {
    world
        .under(vnet)
        .map(|(_, resource)| resource)
        .filter(|resource| resource.is(SUBNET))
}

fn vnet(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/addressSpace/addressPrefixes")?;
    references::check(draft)?;
    let place = Place {
        network: draft.id.last_name(),
        space: space(&draft.body, &draft.id.text())?,
    };
    let given = at::list(&draft.body, "/properties/subnets");
    let named = draft.body.pointer("/properties/subnets").is_some();
    duplicates(draft.id, given)?;
    let mut seen: Vec<(String, Range)> = Vec::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for subnet in given {
        if template::is_unknown(subnet) || subnet.get("name").is_some_and(template::is_unknown) {
            continue;
        }
        let name = at::text(subnet, "/name").unwrap_or_default();
        names::network(name)?;
        let id = draft.id.child("subnets", name);
        kept.insert(id.key());
        let ranges = ranges(subnet, &id.text())?;
        place.fits(name, &ranges, &seen)?;
        if let Some(old) = scene.world.resource(&id.key()) {
            readdressed(scene.world, old, &ranges)?;
        }
        seen.extend(ranges.into_iter().map(|range| (name.to_owned(), range)));
    }
    // A network that says nothing of its subnets keeps them; of those it leaves out of its list it is rid, unless they are used.
    for subnet in subnets(scene.world, &draft.id.key()) {
        if !named {
            let ranges = ranges(&subnet.body, &subnet.id)?;
            place.fits(subnet.name(), &ranges, &[])?;
        } else if !kept.contains(&subnet.key()) {
            blocked(scene.world, subnet)?;
        }
    }
    Ok(())
}

/// Subnets become resources of their own; the network's body does not keep them.
fn accepted(tx: &mut Tx<'_>, vnet: &Resource) -> Result<(), Refusal> {
    let Some(id) = Id::parse(&vnet.id) else {
        return Ok(());
    };
    let mut bare = Resource::clone(vnet);
    let Some(Value::Array(given)) = at::remove(&mut bare.body, "/properties/subnets") else {
        return Ok(());
    };
    tx.apply(Change::Resource(bare.key(), Some(Arc::new(bare))));
    let named = |subnet: &Value| id.child("subnets", at::text(subnet, "/name").unwrap_or_default());
    let kept: BTreeSet<String> = given.iter().map(|subnet| named(subnet).key()).collect();
    // First, because what comes may stand where they were.
    let gone: Vec<String> = subnets(tx, &id.key())
        .map(|subnet| subnet.key())
        .filter(|key| !kept.contains(key))
        .collect();
    for key in gone {
        providers::remove(tx, &key);
    }
    // All of them fit together, as the network was checked; one after the other they may stand in each other's place for a moment.
    let moving: Vec<Arc<Resource>> = subnets(tx, &id.key()).cloned().collect();
    for subnet in moving {
        let mut nowhere = Resource::clone(&subnet);
        at::remove(&mut nowhere.body, "/properties/addressPrefix");
        at::remove(&mut nowhere.body, "/properties/addressPrefixes");
        tx.apply(Change::Resource(subnet.key(), Some(Arc::new(nowhere))));
    }
    for subnet in given {
        providers::put(
            tx,
            Order::inner(
                named(&subnet),
                json!({ "properties": subnet.get("properties").cloned().unwrap_or_else(|| json!({})) }),
                VERSIONS[0],
            ),
        )?;
    }
    Ok(())
}

/// The prefixes of a subnet: one, or a list of them, for both families.
pub(super) fn prefixes(subnet: &Value) -> Vec<String> {
    let many = at::texts(subnet, "/properties/addressPrefixes");
    if !many.is_empty() {
        return many;
    }
    at::text(subnet, "/properties/addressPrefix")
        .map(str::to_owned)
        .into_iter()
        .collect()
}

pub(super) fn ranges(subnet: &Value, id: &str) -> Result<Vec<Range>, Refusal> {
    prefixes(subnet)
        .iter()
        .map(|text| Range::read(text, id))
        .collect()
}

/// The address space, or nothing where preflight knows only a part of it.
fn space(vnet: &Value, id: &str) -> Result<Vec<Range>, Refusal> {
    let prefixes = "/properties/addressSpace/addressPrefixes";
    if at::list(vnet, prefixes).iter().any(template::is_unknown) {
        return Ok(Vec::new());
    }
    at::texts(vnet, prefixes)
        .iter()
        .map(|text| Range::read(text, id))
        .collect()
}

fn subnet(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let given = ["/properties/addressPrefix", "/properties/addressPrefixes"];
    let empty = at::list(&draft.body, given[1]).is_empty()
        && draft.body.pointer(given[1]).is_some_and(Value::is_array);
    if !given.iter().any(|at| at::present(&draft.body, at))
        || (empty && !at::present(&draft.body, given[0]))
    {
        return Err(Refusal::required("addressPrefix"));
    }
    derived(draft, &["ipConfigurations"]);
    draft.default("/properties/privateEndpointNetworkPolicies", "Disabled");
    draft.default("/properties/privateLinkServiceNetworkPolicies", "Enabled");
    draft.default("/properties/delegations", json!([]));
    references::check(draft)?;
    let ranges = ranges(&draft.body, &draft.id.text())?;
    let Some(network) = draft
        .id
        .parent()
        .and_then(|parent| scene.world.resource(&parent.key()))
    else {
        return Ok(());
    };
    // What preflight cannot know yet may be anything.
    if ranges.is_empty() {
        return Ok(());
    }
    let own = draft.id.key();
    let mut others: Vec<(String, Range)> = Vec::new();
    for other in subnets(scene.world, &network.key()).filter(|other| other.key() != own) {
        for range in self::ranges(&other.body, &other.id)? {
            others.push((other.name().to_owned(), range));
        }
    }
    let place = Place {
        network: network.name(),
        space: space(&network.body, &network.id)?,
    };
    place.fits(draft.id.last_name(), &ranges, &others)?;
    match draft.old {
        Some(old) => readdressed(scene.world, old, &ranges),
        None => Ok(()),
    }
}

/// Where a subnet has to fit in.
struct Place<'a> {
    network: &'a str,
    space: Vec<Range>,
}

impl Place<'_> {
    /// Words: <https://github.com/MicrosoftDocs/azure-docs/pull/123869>.
    fn fits(
        &self,
        name: &str,
        ranges: &[Range],
        others: &[(String, Range)],
    ) -> Result<(), Refusal> {
        let network = self.network;
        for (index, range) in ranges.iter().enumerate() {
            let long = if range.v6 {
                range.length != LENGTH_V6
            } else {
                range.length > LONGEST
            };
            if long {
                return Err(Refusal::bad(
                    "NetcfgInvalidSubnet",
                    format!("Subnet '{name}' is not valid in virtual network '{network}'."),
                ));
            }
            if !self.space.is_empty() && !self.space.iter().any(|outer| outer.holds(range)) {
                return Err(Refusal::bad(
                    "NetcfgSubnetRangeOutsideVnet",
                    format!(
                        "Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual network '{network}'."
                    ),
                ));
            }
            let twice = ranges.iter().skip(index + 1).any(|next| next.meets(range));
            if twice || others.iter().any(|(_, taken)| taken.meets(range)) {
                return Err(Refusal::bad(
                    "NetcfgSubnetRangesOverlap",
                    format!(
                        "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '{network}'."
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// A prefix that somebody has an address of stays. Words: <https://github.com/hashicorp/terraform-provider-azurerm/issues/11211>.
fn readdressed(world: &World, old: &Resource, ranges: &[Range]) -> Result<(), Refusal> {
    let key = old.key();
    // Preflight may not know the new ones yet.
    if ranges.is_empty() {
        return Ok(());
    }
    for text in prefixes(&old.body) {
        let Ok(range) = Range::read(&text, &old.id) else {
            continue;
        };
        let used = world
            .users(&key)
            .filter(|user| user.state != Provisioning::Deleting)
            .any(|user| !user.is(NIC) || addresses_in(user, &key).any(|own| range.has(own)));
        if used && !ranges.contains(&range) {
            return Err(Refusal::bad(
                "InUsePrefixCannotBeDeleted",
                format!(
                    "IpPrefix {text} on Subnet {} has active allocations and cannot be deleted.",
                    old.name()
                ),
            ));
        }
    }
    Ok(())
}

/// The addresses that an interface has in this subnet.
pub(super) fn addresses_in(nic: &Resource, subnet: &str) -> impl Iterator<Item = IpAddr> {
    at::list(&nic.body, "/properties/ipConfigurations")
        .iter()
        .filter(move |config| {
            at::text(config, "/properties/subnet/id").is_some_and(|id| ids::key(id) == subnet)
        })
        .filter_map(|config| {
            at::text(config, "/properties/privateIPAddress")?
                .parse()
                .ok()
        })
}

fn blocked(world: &World, subnet: &Resource) -> Result<(), Refusal> {
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

fn row(world: &World, subnet: &Resource) -> Value {
    let mut row = json!({
        "name": subnet.name(),
        "id": subnet.id,
        "etag": format!("W/\"{}\"", subnet.etag),
        "properties": subnet.body.get("properties").cloned().unwrap_or_else(|| json!({})),
        "type": SUBNET,
    });
    row["properties"]["provisioningState"] = subnet.state.name().into();
    let key = subnet.key();
    let used: Vec<Value> = world
        .users(&key)
        .filter(|user| user.is(NIC))
        .flat_map(|nic| {
            at::list(&nic.body, "/properties/ipConfigurations")
                .iter()
                .filter(|config| {
                    at::text(config, "/properties/subnet/id").is_some_and(|id| ids::key(id) == key)
                })
                .filter_map(|config| Some(json!({ "id": at::text(config, "/id")? })))
        })
        .take(500)
        .collect();
    if !used.is_empty() {
        row["properties"]["ipConfigurations"] = Value::Array(used);
    }
    row
}
