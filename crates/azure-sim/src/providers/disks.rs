//! Managed disks, also those that a machine brings with it.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Draft, Scene};
use crate::state::Tx;
use crate::state::model::{Change, Provisioning, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(super) const VERSIONS: &[&str] = &[
    "2026-03-02",
    "2025-01-02",
    "2024-03-02",
    "2023-10-02",
    "2023-04-02",
    "2023-01-02",
    "2022-07-02",
    "2022-03-02",
    "2021-12-01",
    "2021-04-01",
    "2020-12-01",
    "2020-09-30",
    "2019-07-01",
];

pub(crate) const DISK: &str = "Microsoft.Compute/disks";

pub(super) fn prepare(draft: &mut Draft<'_>, _: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/creationData/createOption")?;
    let option = draft
        .text("/properties/creationData/createOption")
        .unwrap_or("")
        .to_owned();
    if option.eq_ignore_ascii_case("Empty") {
        draft.require("/properties/diskSizeGB")?;
    }
    if let Some(size) = at::number(&draft.body, "/properties/diskSizeGB") {
        if !(1..=65_536).contains(&size) {
            return Err(Refusal::bad(
                "InvalidParameter",
                format!("The value '{size}' of parameter 'disk.diskSizeGB' is out of range. The value must be between '1' and '65536', inclusive."),
            )
            .at("disk.diskSizeGB"));
        }
        let before = draft
            .old
            .and_then(|old| at::number(&old.body, "/properties/diskSizeGB"));
        if before.is_some_and(|before| size < before) {
            return Err(
                Refusal::bad("ResizeDiskError", "Disk size cannot be decreased.")
                    .at("disk.diskSizeGB"),
            );
        }
    }
    draft.default("/sku/name", "Standard_LRS");
    let tier = draft
        .text("/sku/name")
        .and_then(|name| name.split('_').next())
        .unwrap_or("Standard")
        .to_owned();
    draft.default("/sku/tier", tier);
    draft.default(
        "/properties/encryption",
        json!({ "type": "EncryptionAtRestWithPlatformKey" }),
    );
    draft.default("/properties/networkAccessPolicy", "AllowAll");
    draft.default("/properties/publicNetworkAccess", "Enabled");
    draft.keep("/properties/creationData/createOption")?;
    draft.keep("/zones")?;
    Ok(())
}

pub(super) fn show(world: &World, disk: &Resource, shown: &mut Value) {
    let owner = owner(world, disk);
    at::set(
        shown,
        "/properties/diskState",
        if owner.is_some() {
            "Attached"
        } else {
            "Unattached"
        }
        .into(),
    );
    if let Some(owner) = owner {
        at::set(shown, "/managedBy", owner.id.as_str().into());
    }
    if let Some(size) = at::number(&disk.body, "/properties/diskSizeGB") {
        at::set(shown, "/properties/diskSizeBytes", (size << 30).into());
    }
    at::set(
        shown,
        "/properties/timeCreated",
        crate::engine::deployments::rfc3339(disk.created).into(),
    );
    at::set(
        shown,
        "/properties/uniqueId",
        Uuid::new_v5(&Uuid::NAMESPACE_URL, disk.key().as_bytes())
            .to_string()
            .into(),
    );
}

fn owner<'w>(world: &'w World, disk: &Resource) -> Option<&'w Arc<Resource>> {
    world
        .users(&disk.key())
        .find(|user| user.is("Microsoft.Compute/virtualMachines"))
}

pub(super) fn blocked(world: &World, disk: &Resource) -> Result<(), Refusal> {
    match owner(world, disk) {
        Some(machine) if machine.state != Provisioning::Deleting => Err(Refusal::conflict(
            "OperationNotAllowed",
            format!(
                "Disk {} is attached to VM {}. The disk cannot be deleted while it is attached.",
                disk.name(),
                machine.id
            ),
        )),
        _ => Ok(()),
    }
}

/// Makes the disk that a machine's body describes; it exists from the moment the machine does.
pub(super) fn of_machine(tx: &mut Tx<'_>, machine: &Resource, id: &Id, profile: &Value, os: bool) {
    let key = ids::key(&id.text());
    if tx.resource(&key).is_some() {
        return;
    }
    let mut creation = json!({ "createOption": if os { "FromImage" } else { "Empty" } });
    if os
        && let Some(image) = machine
            .body
            .pointer("/properties/storageProfile/imageReference")
    {
        creation["imageReference"] = image.clone();
    }
    let sku = at::text(profile, "/managedDisk/storageAccountType").unwrap_or("Premium_LRS");
    let mut body = json!({
        "location": machine.location(),
        "sku": { "name": sku, "tier": sku.split('_').next() },
        "properties": {
            "creationData": creation,
            "diskSizeGB": profile.get("diskSizeGB").cloned().unwrap_or_else(|| 4.into()),
            "encryption": match at::text(profile, "/managedDisk/diskEncryptionSet/id") {
                Some(set) => json!({ "type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": set }),
                None => json!({ "type": "EncryptionAtRestWithPlatformKey" }),
            },
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
        },
    });
    if os {
        at::set(&mut body, "/properties/osType", "Linux".into());
        at::set(&mut body, "/properties/hyperVGeneration", "V2".into());
    }
    for name in ["zones", "tags"] {
        if let Some(value) = machine.body.get(name) {
            at::set(&mut body, &format!("/{name}"), value.clone());
        }
    }
    let disk = Resource {
        id: id.text(),
        kind: DISK.to_owned(),
        body,
        state: Provisioning::Succeeded,
        before: None,
        etag: Uuid::new_v4(),
        operation: None,
        power: None,
        created: tx.now,
        changed: tx.now,
        problem: None,
        hidden: None,
    };
    tx.apply(Change::Resource(key, Some(Arc::new(disk))));
}
