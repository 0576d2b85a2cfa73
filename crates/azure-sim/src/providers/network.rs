//! Microsoft.Network: its types, and the small ones themselves: security groups, public addresses, NAT gateways.
//!
//! Networks with their subnets are in `network/vnet.rs`, interfaces in `network/interface.rs`, security rules in `network/rules.rs`.

mod interface;
mod range;
mod references;
mod rules;
mod traffic;
mod vnet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Draft, Habit, Kind, Patch, Scene};
use crate::state::model::{Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::Id;
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

/// All of them, for the rule of their names.
pub(super) const KINDS: [&str; 7] = [VNET, SUBNET, NIC, NSG, rules::RULE, PUBLIC_IP, NAT];

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        vnet::kind(),
        vnet::subnet_kind(),
        Kind {
            create: 2.0,
            delete: 2.0,
            patch: Patch::Tags,
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
        interface::kind(),
        Kind {
            create: 2.0,
            delete: 3.0,
            patch: Patch::Tags,
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
                let Some(user) = world.users(&address.key()).next() else {
                    return;
                };
                let place = if user.is(NAT) {
                    "/properties/natGateway"
                } else {
                    "/properties/ipConfiguration"
                };
                at::set(
                    shown,
                    place,
                    json!({ "id": interface::holder(user, &address.id) }),
                );
            },
            ..Kind::base(PUBLIC_IP, VERSIONS, Habit::Network)
        },
        Kind {
            create: 5.0,
            delete: 5.0,
            patch: Patch::Tags,
            prepare: nat,
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

/// Azure refuses a body that it cannot read as resources, and says in the details why. Words: <https://github.com/Azure/migAz/issues/181>.
fn unreadable(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::bad("InvalidRequestFormat", "Cannot parse the request.")
        .with_details(vec![Problem::new(code, message)])
}

/// Refuses a list in which a name comes twice, in whatever case.
fn duplicates(parent: &Id, children: &[Value]) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    let names = children.iter().filter_map(|child| at::text(child, "/name"));
    for name in names {
        if !seen.insert(name.to_lowercase()) {
            return Err(unreadable(
                "DuplicateResourceName",
                format!(
                    "Resource {} has two child resources with the same name ({name}).",
                    parent.text()
                ),
            ));
        }
    }
    Ok(())
}

/// Takes away what Azure only shows: a client that writes back what it read does not mean it.
fn derived(draft: &mut Draft<'_>, names: &[&str]) {
    for name in names {
        at::remove(&mut draft.body, &format!("/properties/{name}"));
    }
}

fn nsg(draft: &mut Draft<'_>, _: &Scene<'_>) -> Result<(), Refusal> {
    derived(
        draft,
        &["defaultSecurityRules", "networkInterfaces", "subnets"],
    );
    draft.default("/properties/securityRules", json!([]));
    let rules = at::list(&draft.body, "/properties/securityRules");
    duplicates(draft.id, rules)?;
    rules::check(rules)
}

fn nat(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    derived(draft, &["subnets"]);
    draft.default("/sku", json!({ "name": "Standard" }));
    draft.default("/properties/idleTimeoutInMinutes", 4);
    references::check(draft)?;
    let own = draft.id.text();
    at::list(&draft.body, "/properties/publicIpAddresses")
        .iter()
        .filter_map(|row| at::text(row, "/id"))
        .try_for_each(|address| interface::unallocated(scene.world, address, draft.id, &own))
}

fn public_ip(draft: &mut Draft<'_>, _: &Scene<'_>) -> Result<(), Refusal> {
    derived(draft, &["ipConfiguration", "natGateway"]);
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
