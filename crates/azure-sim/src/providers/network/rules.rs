//! Security rules: what Azure checks of them, and how a rule that is a resource of its own and the list inside its security group stay one thing.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{NIC, NSG, SUBNET, VERSIONS, traffic};
use crate::providers::{Draft, Habit, Kind, Patch, Scene, names};
use crate::state::Tx;
use crate::state::model::{Change, Provisioning, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::Id;
use crate::wire::json as at;

pub(super) const RULE: &str = "Microsoft.Network/networkSecurityGroups/securityRules";
const LIST: &str = "/properties/securityRules";

pub(super) fn kind() -> Kind {
    Kind {
        located: false,
        patch: Patch::Never,
        create: 1.0,
        delete: 1.0,
        prepare: rule,
        accepted: |tx, rule| {
            replace_in_group(tx, rule, true);
            Ok(())
        },
        removed: |tx, rule| replace_in_group(tx, rule, false),
        show: |_, rule, shown| *shown = row(rule),
        ..Kind::base(RULE, VERSIONS, Habit::Network)
    }
}

/// A rule is good when the whole list is good with it.
fn rule(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let own = draft.id.last_name().to_owned();
    let mut list: Vec<Value> = draft
        .id
        .parent()
        .and_then(|parent| scene.world.resource(&parent.key()).cloned())
        .map(|group| at::list(&group.body, LIST).to_vec())
        .unwrap_or_default();
    list.retain(|other| !named(other, &own));
    list.push(json!({ "name": own, "properties": draft.body.get("properties") }));
    check(&list)
}

fn named(row: &Value, name: &str) -> bool {
    at::text(row, "/name").is_some_and(|other| other.eq_ignore_ascii_case(name))
}

/// What Azure says about the rules of a group.
pub(super) fn check(rules: &[Value]) -> Result<(), Refusal> {
    let mut taken: BTreeSet<(String, i64)> = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        if template::is_unknown(rule) {
            continue;
        }
        let name = at::text(rule, "/name").unwrap_or_default().to_owned();
        let wrong = |what: &str| {
            Refusal::bad(
                "SecurityRuleInvalid",
                format!("Security rule {name} (index {index}) is not valid: {what}."),
            )
        };
        names::network(&name)?;
        for part in ["protocol", "access", "direction", "priority"] {
            if !at::present(rule, &format!("/properties/{part}")) {
                return Err(Refusal::required(&format!("securityRules[{index}].{part}")));
            }
        }
        let one =
            |what: &str, allowed: &[&str]| match at::text(rule, &format!("/properties/{what}")) {
                Some(text)
                    if !allowed
                        .iter()
                        .any(|allowed| allowed.eq_ignore_ascii_case(text)) =>
                {
                    Err(wrong(&format!(
                        "{what} '{text}' is not one of {}",
                        allowed.join(", ")
                    )))
                }
                _ => Ok(()),
            };
        one("access", &["Allow", "Deny"])?;
        one("direction", &["Inbound", "Outbound"])?;
        one("protocol", &["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"])?;
        if let Some(priority) = at::number(rule, "/properties/priority") {
            if !(100..=4096).contains(&priority) {
                return Err(Refusal::bad(
                    "SecurityRuleInvalidPriority",
                    format!(
                        "Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096."
                    ),
                ));
            }
            let direction = at::text(rule, "/properties/direction")
                .unwrap_or_default()
                .to_lowercase();
            if !taken.insert((direction, priority)) {
                return Err(Refusal::bad(
                    "SecurityRuleConflict",
                    format!(
                        "Security rule {name} conflicts with another rule. Rules cannot have the same Priority and Direction."
                    ),
                ));
            }
        }
        for (one, many) in [
            ("sourceAddressPrefix", "sourceAddressPrefixes"),
            ("destinationAddressPrefix", "destinationAddressPrefixes"),
            ("sourcePortRange", "sourcePortRanges"),
            ("destinationPortRange", "destinationPortRanges"),
        ] {
            let value = at::text(rule, &format!("/properties/{one}")).map(str::to_owned);
            for value in value
                .into_iter()
                .chain(at::texts(rule, &format!("/properties/{many}")))
            {
                if one.ends_with("PortRange") {
                    traffic::port(&value)?;
                } else {
                    traffic::prefix(&value)?;
                }
            }
            let group = one.replace("AddressPrefix", "ApplicationSecurityGroups");
            if ![one, many, &group]
                .iter()
                .any(|part| at::present(rule, &format!("/properties/{part}")))
            {
                return Err(Refusal::required(&format!("securityRules[{index}].{one}")));
            }
        }
    }
    Ok(())
}

/// After a group's own PUT: its rules are resources too, and those that it no longer lists are gone.
pub(super) fn spread(tx: &mut Tx<'_>, group: &Resource) -> Result<(), Refusal> {
    let Some(id) = Id::parse(&group.id) else {
        return Ok(());
    };
    let mut kept = BTreeSet::new();
    for rule in at::list(&group.body, LIST) {
        let Some(name) = at::text(rule, "/name") else {
            continue;
        };
        let child = id.child("securityRules", name);
        kept.insert(child.key());
        let resource = Resource {
            id: child.text(),
            kind: RULE.to_owned(),
            body: json!({ "properties": rule.get("properties") }),
            state: Provisioning::Succeeded,
            before: None,
            etag: group.etag,
            operation: None,
            power: None,
            created: tx.now,
            changed: tx.now,
            problem: None,
            hidden: None,
        };
        tx.apply(Change::Resource(child.key(), Some(Arc::new(resource))));
    }
    let gone: Vec<String> = tx
        .under(&group.key())
        .filter(|(key, resource)| resource.is(RULE) && !kept.contains(*key))
        .map(|(key, _)| key.clone())
        .collect();
    for key in gone {
        tx.apply(Change::Resource(key, None));
    }
    Ok(())
}

fn replace_in_group(tx: &mut Tx<'_>, rule: &Resource, stays: bool) {
    let parent = Id::parse(&rule.id).and_then(|id| id.parent());
    let Some(group) = parent.and_then(|parent| tx.resource(&parent.key()).cloned()) else {
        return;
    };
    let mut list = at::list(&group.body, LIST).to_vec();
    list.retain(|other| !named(other, rule.name()));
    if stays {
        list.push(json!({ "name": rule.name(), "properties": rule.body.get("properties") }));
    }
    let mut changed = Resource::clone(&group);
    changed.etag = Uuid::new_v4();
    at::set(&mut changed.body, LIST, Value::Array(list));
    tx.apply(Change::Resource(group.key(), Some(Arc::new(changed))));
}

fn row(rule: &Resource) -> Value {
    let mut row = json!({
        "name": rule.name(),
        "id": rule.id,
        "etag": format!("W/\"{}\"", rule.etag),
        "type": RULE,
        "properties": rule.body.get("properties").cloned().unwrap_or_else(|| json!({})),
    });
    row["properties"]["provisioningState"] = rule.state.name().into();
    row
}

/// The rules that every group has and nobody can change.
pub(super) fn show_group(world: &World, nsg: &Resource, shown: &mut Value) {
    if let Some(rules) = shown
        .pointer_mut("/properties/securityRules")
        .and_then(Value::as_array_mut)
    {
        for rule in rules {
            let name = at::text(rule, "/name").unwrap_or_default().to_owned();
            at::set(
                rule,
                "/id",
                format!("{}/securityRules/{name}", nsg.id).into(),
            );
            at::set(rule, "/type", format!("{NSG}/securityRules").into());
            at::set(rule, "/etag", format!("W/\"{}\"", nsg.etag).into());
            at::set(
                rule,
                "/properties/provisioningState",
                nsg.state.name().into(),
            );
        }
    }
    let default = |name: &str,
                   priority: u32,
                   direction: &str,
                   access: &str,
                   from: &str,
                   to: &str| {
        json!({
            "name": name,
            "id": format!("{}/defaultSecurityRules/{name}", nsg.id),
            "properties": {
                "provisioningState": nsg.state.name(), "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
                "sourceAddressPrefix": from, "destinationAddressPrefix": to, "access": access, "priority": priority, "direction": direction,
            },
        })
    };
    at::set(
        shown,
        "/properties/defaultSecurityRules",
        json!([
            default(
                "AllowVnetInBound",
                65000,
                "Inbound",
                "Allow",
                "VirtualNetwork",
                "VirtualNetwork"
            ),
            default(
                "AllowAzureLoadBalancerInBound",
                65001,
                "Inbound",
                "Allow",
                "AzureLoadBalancer",
                "*"
            ),
            default("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
            default(
                "AllowVnetOutBound",
                65000,
                "Outbound",
                "Allow",
                "VirtualNetwork",
                "VirtualNetwork"
            ),
            default(
                "AllowInternetOutBound",
                65001,
                "Outbound",
                "Allow",
                "*",
                "Internet"
            ),
            default("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
        ]),
    );
    for (kind, name) in [(SUBNET, "subnets"), (NIC, "networkInterfaces")] {
        let users: Vec<Value> = world
            .users(&nsg.key())
            .filter(|user| user.is(kind))
            .take(500)
            .map(|user| json!({ "id": user.id }))
            .collect();
        if !users.is_empty() {
            at::set(shown, &format!("/properties/{name}"), Value::Array(users));
        }
    }
}
