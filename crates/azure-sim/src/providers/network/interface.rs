//! Network interfaces: their configurations, the private addresses they get, and who has a public address.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::vnet::{addresses_in, prefixes, ranges};
use super::{NIC, VERSIONS, derived, duplicates, free, references};
use crate::providers::{Draft, Habit, Kind, Patch, Scene, names};
use crate::state::model::{Provisioning, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

const CONFIGURATIONS: &str = "/properties/ipConfigurations";

pub(super) fn kind() -> Kind {
    Kind {
        create: 1.0,
        delete: 2.0,
        patch: Patch::Tags,
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
    }
}

fn nic(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let given = at::list(&draft.body, CONFIGURATIONS);
    let count = given.len();
    let list = draft
        .body
        .pointer(CONFIGURATIONS)
        .is_some_and(Value::is_array);
    if !at::present(&draft.body, CONFIGURATIONS) || (list && count == 0) {
        return Err(Refusal::required("ipConfigurations"));
    }
    duplicates(draft.id, given)?;
    references::check(draft)?;
    derived(draft, &["virtualMachine"]);
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
    let mut mine: BTreeSet<IpAddr> = BTreeSet::new();
    let mut public: BTreeSet<String> = BTreeSet::new();
    for index in 0..count {
        configuration(draft, scene, index, &mut mine)?;
        let base = format!("{CONFIGURATIONS}/{index}");
        let Some(address) = draft.text(&format!("{base}/properties/publicIPAddress/id")) else {
            continue;
        };
        let own = draft.text(&format!("{base}/id")).unwrap_or_default();
        unallocated(scene.world, address, draft.id, own)?;
        if !public.insert(ids::key(address)) {
            return Err(allocated(own, address, &draft.id.text()));
        }
    }
    Ok(())
}

/// One configuration: its name, and an address of its subnet.
fn configuration(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    index: usize,
    mine: &mut BTreeSet<IpAddr>,
) -> Result<(), Refusal> {
    let base = format!("{CONFIGURATIONS}/{index}");
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
    if let Some(name) = draft.text(&format!("{base}/name")).map(str::to_owned) {
        names::network(&name)?;
        let id = draft.id.child("ipConfigurations", &name).text();
        at::set(&mut draft.body, &format!("{base}/id"), id.into());
    }
    at::set(
        &mut draft.body,
        &format!("{base}/properties/provisioningState"),
        "Succeeded".into(),
    );
    let Some(subnet_id) = draft.text(&format!("{base}/properties/subnet/id")) else {
        return Ok(());
    };
    let subnet_key = ids::key(subnet_id);
    let Some(subnet) = scene.world.resource(&subnet_key) else {
        return Ok(());
    };
    same_region(draft, scene, subnet)?;
    let address_at = format!("{base}/properties/privateIPAddress");
    let taken: BTreeSet<IpAddr> = scene
        .world
        .users(&subnet_key)
        .filter(|user| user.is(NIC) && user.key() != draft.id.key())
        .flat_map(|user| addresses_in(user, &subnet_key))
        .chain(mine.iter().copied())
        .collect();
    let is = |what: &str, wanted: &str| {
        draft
            .text(&format!("{base}/properties/{what}"))
            .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    };
    let fixed = is("privateIPAllocationMethod", "Static");
    let v6 = is("privateIPAddressVersion", "IPv6");
    let mut ranges = ranges(&subnet.body, &subnet.id)?;
    ranges.retain(|range| range.v6 == v6);
    let prefix = prefixes(&subnet.body).join(",");
    let wanted: Option<IpAddr> = if fixed {
        let Some(text) = draft.text(&address_at) else {
            if at::present(&draft.body, &address_at) {
                return Ok(());
            }
            return Err(Refusal::required(&format!(
                "ipConfigurations[{index}].privateIPAddress"
            )));
        };
        let address = text
            .parse()
            .ok()
            .filter(|address| ranges.iter().any(|range| range.gives(*address)));
        let Some(address) = address else {
            return Err(Refusal::bad(
                "PrivateIPAddressNotInSubnet",
                format!(
                    "Private static IP address {text} does not belong to the range of subnet prefix {prefix}."
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
        // A dynamic address stays the same for as long as the interface stays in its subnet.
        draft
            .old
            .and_then(|old| {
                let before = old.text(&format!("{base}/properties/subnet/id"))?;
                let address = old.text(&address_at)?.parse().ok()?;
                (ids::key(before) == subnet_key).then_some(address)
            })
            .filter(|address| {
                !taken.contains(address) && ranges.iter().any(|range| range.gives(*address))
            })
            .or_else(|| ranges.iter().find_map(|range| range.first_free(&taken)))
    };
    let Some(address) = wanted else {
        return Err(Refusal::bad(
            "SubnetIsFull",
            format!(
                "Subnet {} with address prefix {prefix} does not have enough capacity for 1 IP addresses.",
                subnet.name(),
            ),
        ));
    };
    mine.insert(address);
    at::set(&mut draft.body, &address_at, address.to_string().into());
    Ok(())
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

/// Refuses a public address that something else than `owner` has.
pub(super) fn unallocated(
    world: &World,
    address: &str,
    owner: &Id,
    referrer: &str,
) -> Result<(), Refusal> {
    let owner = owner.key();
    match world
        .users(&ids::key(address))
        .find(|user| user.state != Provisioning::Deleting && user.key() != owner)
    {
        None => Ok(()),
        Some(user) => Err(allocated(referrer, address, &holder(user, address))),
    }
}

/// Words: <https://github.com/MicrosoftLearning/AZ-100-MicrosoftAzureInfrastructureDeployment/issues/15>.
fn allocated(referrer: &str, address: &str, holder: &str) -> Refusal {
    Refusal::bad(
        "PublicIPAddressInUse",
        format!(
            "Resource {referrer} is referencing public IP address {address} that is already allocated to resource {holder}."
        ),
    )
}

/// What of a resource has a public address: the configuration of an interface, or the resource as a whole.
pub(super) fn holder(user: &Resource, address: &str) -> String {
    let key = ids::key(address);
    at::list(&user.body, CONFIGURATIONS)
        .iter()
        .find(|config| {
            at::text(config, "/properties/publicIPAddress/id").is_some_and(|id| ids::key(id) == key)
        })
        .and_then(|config| at::text(config, "/id"))
        .unwrap_or(&user.id)
        .to_owned()
}
