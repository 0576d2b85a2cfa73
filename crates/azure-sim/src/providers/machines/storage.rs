//! A machine's disks: what its storage profile must say, and the disks that come and go with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{MACHINE, OS_DISK, STORAGE};
use crate::engine::deployments::hex;
use crate::providers::{Draft, Scene, disks, images, remove, skus};
use crate::state::Tx;
use crate::state::model::Resource;
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(super) fn prepare(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    size: Option<&'static skus::Sku>,
) -> Result<(), Refusal> {
    let machine = draft.id.last_name().to_owned();
    let reference = draft
        .body
        .pointer(&format!("{STORAGE}/imageReference"))
        .cloned();
    let from_image = draft
        .text(&format!("{OS_DISK}/createOption"))
        .is_some_and(|option| option.eq_ignore_ascii_case("FromImage"));
    if from_image {
        let Some(reference) = &reference else {
            return Err(Refusal::required("storageProfile.imageReference"));
        };
        if reference.get("publisher").is_some() && !template::has_unknown(reference) {
            let (image, exact) = images::resolve(reference)?;
            at::set(
                &mut draft.body,
                &format!("{STORAGE}/imageReference/exactVersion"),
                exact.into(),
            );
            if let Some(size) = size
                && size.arm != image.arm
            {
                let name = |arm: bool| if arm { "Arm64" } else { "x64" };
                return Err(Refusal::bad(
                    "BadRequest",
                    format!(
                        "Cannot create a VM of size '{}' because this VM size only supports a CPU Architecture of '{}', but an image or disk with CPU Architecture '{}' was given. Please use an image or disk with CPU Architecture of '{}'.",
                        size.name,
                        name(size.arm),
                        name(image.arm),
                        name(size.arm)
                    ),
                ));
            }
            if let Some(size) = size
                && image.generation_1
                && (size.v6() || size.confidential)
            {
                return Err(Refusal::bad(
                    "BadRequest",
                    format!(
                        "The selected VM size '{}' cannot boot Hypervisor Generation '1'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size.",
                        size.name
                    ),
                ));
            }
        }
    }
    let suffix = hex(Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("{}{}", draft.id.key(), scene.now).as_bytes(),
    )
    .as_bytes());
    let before = draft
        .old
        .and_then(|old| old.text(&format!("{OS_DISK}/name")))
        .map(str::to_owned);
    draft.default(
        &format!("{OS_DISK}/name"),
        before.unwrap_or_else(|| format!("{machine}_disk1_{suffix}")),
    );
    draft.default(&format!("{OS_DISK}/osType"), "Linux");
    draft.default(&format!("{OS_DISK}/caching"), "ReadWrite");
    draft.default(&format!("{OS_DISK}/deleteOption"), "Detach");
    draft.default(&format!("{OS_DISK}/diskSizeGB"), 5);
    draft.default(
        &format!("{OS_DISK}/managedDisk/storageAccountType"),
        "Premium_LRS",
    );
    if at::number(&draft.body, &format!("{OS_DISK}/diskSizeGB")).is_some_and(|size| size < 5) {
        return Err(Refusal::bad(
            "InvalidParameter",
            "The specified disk size is smaller than the size of the corresponding disk in the VM image. This is not allowed. Please choose equal or greater size or do not specify an explicit size.",
        )
        .at("osDisk.diskSizeGB"));
    }
    let os_name = draft
        .text(&format!("{OS_DISK}/name"))
        .unwrap_or_default()
        .to_owned();
    let os_id = draft
        .id
        .sibling("Microsoft.Compute", "disks", &os_name)
        .text();
    if from_image {
        at::set(
            &mut draft.body,
            &format!("{OS_DISK}/managedDisk/id"),
            os_id.into(),
        );
    }

    draft.default(&format!("{STORAGE}/dataDisks"), json!([]));
    let count = at::list(&draft.body, &format!("{STORAGE}/dataDisks")).len();
    if let Some(size) = size
        && count > size.data_disks
    {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            format!("The maximum number of data disks allowed to be attached to a VM of this size is {}.", size.data_disks),
        )
        .at("dataDisks"));
    }
    let mut luns = BTreeSet::new();
    for index in 0..count {
        let base = format!("{STORAGE}/dataDisks/{index}");
        if draft.body.pointer(&base).is_some_and(template::is_unknown) {
            continue;
        }
        draft.require(&format!("{base}/lun"))?;
        draft.require(&format!("{base}/createOption"))?;
        if let Some(lun) = at::number(&draft.body, &format!("{base}/lun"))
            && !luns.insert(lun)
        {
            return Err(Refusal::bad(
                "InvalidParameter",
                format!("A disk with LUN {lun} is already specified."),
            )
            .at("dataDisks.lun"));
        }
        draft.default(&format!("{base}/caching"), "None");
        draft.default(&format!("{base}/deleteOption"), "Detach");
        let option = draft
            .text(&format!("{base}/createOption"))
            .unwrap_or("")
            .to_lowercase();
        if option == "attach" {
            draft.require(&format!("{base}/managedDisk/id"))?;
            let id = draft
                .text(&format!("{base}/managedDisk/id"))
                .unwrap_or("")
                .to_owned();
            let own = draft.id.key();
            if let Some(user) = scene
                .world
                .users(&ids::key(&id))
                .find(|user| user.is(MACHINE) && user.key() != own)
            {
                return Err(Refusal::conflict(
                    "AttachDiskWhileBeingDetached",
                    format!(
                        "Disk {id} cannot be attached because it is attached to VM {}.",
                        user.id
                    ),
                ));
            }
        } else {
            let lun = at::number(&draft.body, &format!("{base}/lun")).unwrap_or(0);
            let before = draft
                .old
                .map(|old| at::list(&old.body, &format!("{STORAGE}/dataDisks")))
                .into_iter()
                .flatten()
                .find(|disk| at::number(disk, "/lun") == Some(lun))
                .and_then(|disk| at::text(disk, "/name"))
                .map(str::to_owned);
            draft.default(
                &format!("{base}/name"),
                before.unwrap_or_else(|| format!("{machine}_disk{}_{suffix}", lun + 2)),
            );
            draft.default(
                &format!("{base}/managedDisk/storageAccountType"),
                "Premium_LRS",
            );
            let name = draft
                .text(&format!("{base}/name"))
                .unwrap_or_default()
                .to_owned();
            let id = draft.id.sibling("Microsoft.Compute", "disks", &name).text();
            at::set(
                &mut draft.body,
                &format!("{base}/managedDisk/id"),
                id.into(),
            );
        }
    }
    Ok(())
}

pub(in crate::providers) fn accepted(tx: &mut Tx<'_>, machine: &Resource) -> Result<(), Refusal> {
    let Some(id) = Id::parse(&machine.id) else {
        return Ok(());
    };
    let own = |profile: &Value, expected: &str| {
        at::text(profile, "/createOption")
            .is_some_and(|option| option.eq_ignore_ascii_case(expected))
    };
    if let Some(profile) = machine.body.pointer(OS_DISK)
        && own(profile, "FromImage")
    {
        let name = at::text(profile, "/name").unwrap_or("os");
        let disk = id.sibling("Microsoft.Compute", "disks", name);
        disks::of_machine(tx, machine, &disk, profile, true);
    }
    for profile in at::list(&machine.body, &format!("{STORAGE}/dataDisks")) {
        if own(profile, "Empty") {
            let name = at::text(profile, "/name").unwrap_or("data");
            let disk = id.sibling("Microsoft.Compute", "disks", name);
            disks::of_machine(tx, machine, &disk, profile, false);
        }
    }
    Ok(())
}

/// Takes along what its deleteOption says; the rest stays, unattached.
pub(in crate::providers) fn removed(tx: &mut Tx<'_>, machine: &Resource) {
    let goes = |row: &Value, pointer: &str| {
        at::text(row, pointer).is_some_and(|option| option.eq_ignore_ascii_case("Delete"))
    };
    let mut leaving: Vec<String> = Vec::new();
    let disks = machine
        .body
        .pointer(OS_DISK)
        .into_iter()
        .chain(at::list(&machine.body, &format!("{STORAGE}/dataDisks")));
    for disk in disks {
        if goes(disk, "/deleteOption") {
            leaving.extend(at::text(disk, "/managedDisk/id").map(ids::key));
        }
    }
    for nic in at::list(
        &machine.body,
        "/properties/networkProfile/networkInterfaces",
    ) {
        if !goes(nic, "/properties/deleteOption") {
            continue;
        }
        let Some(key) = at::text(nic, "/id").map(ids::key) else {
            continue;
        };
        if let Some(interface) = tx.resource(&key) {
            for config in at::list(&interface.body, "/properties/ipConfigurations") {
                let address = "/properties/publicIPAddress";
                if goes(config, &format!("{address}/properties/deleteOption")) {
                    leaving.extend(at::text(config, &format!("{address}/id")).map(ids::key));
                }
            }
        }
        leaving.push(key);
    }
    for key in leaving {
        remove(tx, &key);
    }
}
