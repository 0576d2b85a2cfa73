//! A machine's disks: what its storage profile must say, and the disks that come and go with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{MACHINE, OS_DISK, STORAGE, not_a_reference};
use crate::engine::deployments::hex;
use crate::providers::{Draft, Scene, disks, images, remove, skus};
use crate::state::Tx;
use crate::state::model::{Power, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

/// Completes and checks the storage profile of a machine of this size.
pub(super) fn prepare(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    size: Option<&'static skus::Sku>,
) -> Result<(), Refusal> {
    let suffix = hex(Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("{}{}", draft.id.key(), scene.now).as_bytes(),
    )
    .as_bytes());
    let mut taken = BTreeSet::new();
    os_disk(draft, scene, size, &suffix)?;
    taken.extend(
        draft
            .text(&format!("{OS_DISK}/managedDisk/id"))
            .map(ids::key),
    );
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
        if let Some(lun) = at::number(&draft.body, &format!("{base}/lun"))
            && !luns.insert(lun)
        {
            return Err(Refusal::bad(
                "InvalidParameter",
                format!("A disk at LUN {lun} already exists."),
            )
            .at("dataDisks.lun"));
        }
        data_disk(draft, scene, &base, &suffix)?;
        if let Some(id) = draft.text(&format!("{base}/managedDisk/id"))
            && !taken.insert(ids::key(id))
        {
            let name = id.rsplit('/').next().unwrap_or_default();
            return Err(Refusal::bad(
                "InvalidParameter",
                format!("A disk named '{name}' already exists."),
            )
            .at("dataDisks"));
        }
    }
    Ok(())
}

fn os_disk(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    size: Option<&'static skus::Sku>,
    suffix: &str,
) -> Result<(), Refusal> {
    let from_image = draft
        .text(&format!("{OS_DISK}/createOption"))
        .is_some_and(|option| option.eq_ignore_ascii_case("FromImage"));
    if from_image {
        image(draft, size)?;
    }
    disk_name(draft, OS_DISK, "osDisk")?;
    let before = draft
        .old
        .and_then(|old| old.text(&format!("{OS_DISK}/name")))
        .map(str::to_owned);
    let machine = draft.id.last_name().to_owned();
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
    if from_image {
        made(draft, scene, OS_DISK)?;
    } else {
        attached(draft, scene, OS_DISK)?;
    }
    resized(draft, scene, OS_DISK)
}

fn image(draft: &mut Draft<'_>, size: Option<&'static skus::Sku>) -> Result<(), Refusal> {
    let pointer = format!("{STORAGE}/imageReference");
    let Some(reference) = draft.body.pointer(&pointer).cloned() else {
        return Err(Refusal::required("storageProfile.imageReference"));
    };
    if reference.get("publisher").is_none() || template::has_unknown(&reference) {
        return Ok(());
    }
    let (image, exact) = images::resolve(&reference)?;
    at::set(
        &mut draft.body,
        &format!("{pointer}/exactVersion"),
        exact.into(),
    );
    let Some(size) = size else {
        return Ok(());
    };
    if size.arm != image.arm {
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
    if image.generation_1 && (size.v6() || size.confidential) {
        return Err(Refusal::bad(
            "BadRequest",
            format!(
                "The selected VM size '{}' cannot boot Hypervisor Generation '1'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size.",
                size.name
            ),
        ));
    }
    Ok(())
}

fn data_disk(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    base: &str,
    suffix: &str,
) -> Result<(), Refusal> {
    draft.require(&format!("{base}/createOption"))?;
    disk_name(draft, base, "dataDisk")?;
    draft.default(&format!("{base}/caching"), "None");
    draft.default(&format!("{base}/deleteOption"), "Detach");
    let option = draft
        .text(&format!("{base}/createOption"))
        .unwrap_or("")
        .to_lowercase();
    if option == "attach" {
        draft.require(&format!("{base}/managedDisk/id"))?;
        attached(draft, scene, base)?;
        return resized(draft, scene, base);
    }
    let lun = at::number(&draft.body, &format!("{base}/lun")).unwrap_or(0);
    let before = draft
        .old
        .map(|old| at::list(&old.body, &format!("{STORAGE}/dataDisks")))
        .into_iter()
        .flatten()
        .find(|disk| at::number(disk, "/lun") == Some(lun));
    let name = before.and_then(|disk| at::text(disk, "/name")).map_or_else(
        || format!("{}_disk{}_{suffix}", draft.id.last_name(), lun + 2),
        str::to_owned,
    );
    let size = before.and_then(|disk| disk.get("diskSizeGB")).cloned();
    draft.default(&format!("{base}/name"), name);
    draft.default(
        &format!("{base}/managedDisk/storageAccountType"),
        "Premium_LRS",
    );
    if let Some(size) = size {
        draft.default(&format!("{base}/diskSizeGB"), size);
    }
    if option == "empty" && !at::present(&draft.body, &format!("{base}/diskSizeGB")) {
        return Err(Refusal::required("dataDisk.diskSizeGB"));
    }
    made(draft, scene, base)?;
    resized(draft, scene, base)
}

/// Names in the body become names of disks. `what` is how Azure calls the member.
fn disk_name(draft: &Draft<'_>, base: &str, what: &str) -> Result<(), Refusal> {
    let Some(name) = draft.text(&format!("{base}/name")) else {
        return Ok(());
    };
    let fits = (1..=80).contains(&name.chars().count())
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(['-', '.'])
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidParameter",
        format!(
            "The entity name '{what}.name' is invalid according to its validation rule: ^[^_\\W][\\w-._]{{0,79}}(?<![-.])$."
        ),
    )
    .at(format!("{what}.name")))
}

/// A disk that is made with the machine: its id follows from its name, and nothing may bear the name yet.
fn made(draft: &mut Draft<'_>, scene: &Scene<'_>, base: &str) -> Result<(), Refusal> {
    let Some(name) = draft.text(&format!("{base}/name")) else {
        return Ok(());
    };
    let disk = draft.id.sibling("Microsoft.Compute", "disks", name);
    let taken = scene.world.resource(&disk.key()).is_some() && row(draft, &disk.key()).is_none();
    if taken && !scene.preflight {
        return Err(Refusal::conflict(
            "ConflictingUserInput",
            format!(
                "Disk {name} already exists in resource group {}. Only CreateOption.Attach is supported.",
                draft.id.group_name().to_uppercase()
            ),
        )
        .at(disk.text()));
    }
    at::set(
        &mut draft.body,
        &format!("{base}/managedDisk/id"),
        disk.text().into(),
    );
    Ok(())
}

/// A disk that is there already must be a disk, of the same subscription, and of no other machine.
fn attached(draft: &Draft<'_>, scene: &Scene<'_>, base: &str) -> Result<(), Refusal> {
    let Some(given) = draft.text(&format!("{base}/managedDisk/id")) else {
        return Ok(());
    };
    let Some(id) = Id::parse(given).filter(|id| id.kind().eq_ignore_ascii_case(disks::DISK)) else {
        return Err(not_a_reference(given).at("managedDisk.id"));
    };
    let subscription = &draft.id.subscription;
    if !id.subscription.eq_ignore_ascii_case(subscription) {
        return Err(Refusal::bad(
            "InvalidParameter",
            format!(
                "Subscription {subscription} of the request must match the subscription {} contained in the managed disk id.",
                id.subscription
            ),
        )
        .at("managedDisk.id"));
    }
    let own = draft.id.key();
    let user = scene
        .world
        .users(&id.key())
        .find(|user| user.is(MACHINE) && user.key() != own);
    match user {
        Some(user) => Err(Refusal::conflict(
            "ConflictingUserInput",
            format!(
                "Disk '{given}' cannot be attached as the disk is already owned by VM '{}'.",
                user.id
            ),
        )
        .at(given)),
        None => Ok(()),
    }
}

/// The row of this disk in the machine as it stands.
fn row<'a>(draft: &Draft<'a>, key: &str) -> Option<&'a Value> {
    let old = draft.old?;
    rows(&old.body)
        .find(|disk| at::text(disk, "/managedDisk/id").is_some_and(|id| ids::key(id) == key))
}

/// The OS disk and all data disks of a machine's body.
fn rows(body: &Value) -> impl Iterator<Item = &Value> {
    body.pointer(OS_DISK)
        .into_iter()
        .chain(at::list(body, &format!("{STORAGE}/dataDisks")))
}

/// A managed disk is grown by itself, not through its machine: for a machine that has its place the answer differs, but it is no in both cases.
fn resized(draft: &Draft<'_>, scene: &Scene<'_>, base: &str) -> Result<(), Refusal> {
    let size = |body: &Value| at::number(body, "/diskSizeGB");
    let Some(wanted) = draft.body.pointer(base).and_then(size) else {
        return Ok(());
    };
    let Some(id) = draft.text(&format!("{base}/managedDisk/id")) else {
        return Ok(());
    };
    let key = ids::key(id);
    let (Some(before), Some(disk)) = (row(draft, &key), scene.world.resource(&key)) else {
        return Ok(());
    };
    let real = at::number(&disk.body, "/properties/diskSizeGB");
    if scene.preflight || size(before) == Some(wanted) || real == Some(wanted) {
        return Ok(());
    }
    let refusal = if draft.power == Some(Power::Deallocated) {
        Refusal::conflict(
            "ResizeDiskError",
            format!(
                "Managed disk resize via Virtual Machine '{}' is not allowed. Please resize disk resource at {id}.",
                draft.id.last_name()
            ),
        )
    } else {
        Refusal::conflict(
            "OperationNotAllowed",
            "Disk resizing is allowed only when creating a VM or when the VM is deallocated.",
        )
    };
    Err(refusal.at("disk.diskSizeGB"))
}

/// The sizes of the disks as they are: one may have grown since the machine was written.
pub(super) fn show(world: &World, shown: &mut Value) {
    let data = at::list(shown, &format!("{STORAGE}/dataDisks")).len();
    let bases = (0..data).map(|index| format!("{STORAGE}/dataDisks/{index}"));
    for base in std::iter::once(OS_DISK.to_owned()).chain(bases) {
        let size = at::text(shown, &format!("{base}/managedDisk/id"))
            .and_then(|id| world.resource(&ids::key(id)))
            .and_then(|disk| disk.body.pointer("/properties/diskSizeGB"))
            .cloned();
        if let Some(size) = size {
            at::set(shown, &format!("{base}/diskSizeGB"), size);
        }
    }
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
    for disk in rows(&machine.body) {
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
