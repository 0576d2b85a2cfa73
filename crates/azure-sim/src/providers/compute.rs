//! Microsoft.Compute: its types. Machines, disks, sizes and images have files of their own.

use serde_json::{Value, json};

use super::{Habit, Kind, disks, machines, skus};
use crate::state::model::{Power, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::Id;
use crate::wire::json as at;

pub(crate) const VERSIONS: &[&str] = &[
    "2026-04-01",
    "2026-03-01",
    "2025-11-01",
    "2025-04-01",
    "2024-11-01",
    "2024-07-01",
    "2024-03-01",
    "2023-09-01",
    "2023-07-01",
    "2023-03-01",
    "2022-11-01",
    "2022-08-01",
    "2022-03-01",
    "2021-11-01",
    "2021-07-01",
    "2021-03-01",
    "2020-12-01",
    "2020-06-01",
    "2019-12-01",
    "2019-07-01",
    "2017-03-30",
];
pub(crate) const SKU_VERSIONS: &[&str] = &["2021-07-01", "2019-04-01", "2017-09-01"];

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            create: 20.0,
            update: 5.0,
            delete: 15.0,
            prepare: machines::prepare,
            accepted: machines::accepted,
            removed: machines::removed,
            show: machines::show,
            ..Kind::base(machines::MACHINE, VERSIONS, Habit::Compute)
        },
        Kind {
            create: 15.0,
            update: 5.0,
            delete: 5.0,
            prepare: |draft, scene| {
                if !scene.preflight {
                    running(scene.world, draft.id)?;
                }
                draft.require("/properties/publisher")?;
                draft.require("/properties/type")?;
                draft.require("/properties/typeHandlerVersion")?;
                // Never shown, so never kept.
                at::remove(&mut draft.body, "/properties/protectedSettings");
                draft.default("/properties/autoUpgradeMinorVersion", false);
                Ok(())
            },
            blocked: |world, extension| match Id::parse(&extension.id) {
                Some(id) => running(world, &id),
                None => Ok(()),
            },
            ..Kind::base(machines::EXTENSION, VERSIONS, Habit::Compute)
        },
        Kind {
            create: 2.0,
            update: 2.0,
            delete: 2.0,
            prepare: disks::prepare,
            blocked: disks::blocked,
            show: disks::show,
            ..Kind::base(disks::DISK, disks::VERSIONS, Habit::Disks)
        },
        Kind {
            prepare: |draft, _| match draft.text("/properties/publicKey") {
                Some(key) if !key.starts_with("ssh-rsa ") && !key.starts_with("ssh-ed25519 ") => {
                    Err(Refusal::bad(
                        "InvalidParameter",
                        "The value of parameter publicKey is invalid.",
                    )
                    .at("publicKey"))
                }
                _ => Ok(()),
            },
            ..Kind::base("Microsoft.Compute/sshPublicKeys", VERSIONS, Habit::Sync)
        },
    ]
}

/// An extension is changed by the agent in its machine, which must run for it.
fn running(world: &World, extension: &Id) -> Result<(), Refusal> {
    let machine = extension
        .parent()
        .and_then(|machine| world.resource(&machine.key()));
    match machine.and_then(|machine| machine.power) {
        None | Some(Power::Running | Power::Starting) => Ok(()),
        Some(_) => Err(Refusal::conflict(
            "OperationNotAllowed",
            "Cannot modify extensions in the VM when the VM is not running.",
        )),
    }
}

/// `vmSizes`, the old list of sizes: all of a region, or those that a machine of this size could have.
pub(crate) fn sizes(of: Option<&str>) -> Value {
    let own = of.and_then(skus::find);
    let rows: Vec<Value> = skus::SKUS
        .iter()
        .filter(|sku| own.is_none_or(|own| own.arm == sku.arm))
        .map(skus::Sku::size)
        .collect();
    json!({ "value": rows })
}
