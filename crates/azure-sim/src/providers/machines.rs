//! Virtual machines: what Azure checks and fills in, the disks that come and go with them, instance view and power. Reading APIs of compute are in `compute.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Draft, Scene, disks, images, skus};
use crate::engine::deployments::{hex, rfc3339};
use crate::engine::{self, Begin};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Power, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(crate) const MACHINE: &str = "Microsoft.Compute/virtualMachines";

const STORAGE: &str = "/properties/storageProfile";
const OS_DISK: &str = "/properties/storageProfile/osDisk";
const UEFI: &str = "/properties/securityProfile/uefiSettings";
const SECURITY: &str = "/properties/securityProfile/securityType";

pub(super) fn prepare(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/hardwareProfile/vmSize")?;
    draft.require("/properties/networkProfile/networkInterfaces")?;
    hide(draft)?;
    if let Some(old) = draft.old {
        // A PUT of an existing machine that leaves these out means: as they are.
        for pointer in [
            STORAGE,
            "/properties/storageProfile/imageReference",
            "/properties/osProfile",
        ] {
            if draft.body.pointer(pointer).is_none()
                && let Some(before) = old.body.pointer(pointer)
            {
                at::set(&mut draft.body, pointer, before.clone());
            }
        }
    }
    draft.require(&format!("{OS_DISK}/createOption"))?;
    let size = match draft.text("/properties/hardwareProfile/vmSize") {
        None => None,
        Some(name) => {
            let zones = at::texts(&draft.body, "/zones");
            let sku = skus::available(name, &draft.location, &zones, draft.id.last_name())?;
            skus::quota(draft, scene, sku, sku.vcpus)?;
            Some(sku)
        }
    };
    os_profile(draft)?;
    storage(draft, scene, size)?;
    security(draft, size)?;
    interfaces(draft, scene)?;
    for pointer in [
        "/zones",
        "/properties/osProfile/computerName",
        "/properties/osProfile/adminUsername",
        "/properties/osProfile/linuxConfiguration/disablePasswordAuthentication",
        "/properties/osProfile/linuxConfiguration/ssh/publicKeys",
        "/properties/storageProfile/imageReference/publisher",
        "/properties/storageProfile/imageReference/offer",
        "/properties/storageProfile/imageReference/sku",
        "/properties/storageProfile/osDisk/name",
        "/properties/priority",
    ] {
        draft.keep(pointer)?;
    }
    let unique = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!(
            "{}{}",
            draft.id.key(),
            draft.old.map_or(scene.now, |old| old.created)
        )
        .as_bytes(),
    );
    at::set(
        &mut draft.body,
        "/properties/vmId",
        unique.to_string().into(),
    );
    draft.power.get_or_insert(Power::Starting);
    Ok(())
}

/// What Azure takes and never shows is replaced by a digest, which still notices a change.
fn hide(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    at::remove(&mut draft.body, "/properties/osProfile/adminPassword")
        .is_some()
        .then(|| {
            at::set(
                &mut draft.body,
                "/properties/osProfile/hasPassword",
                true.into(),
            )
        });
    let Some(data) = at::remove(&mut draft.body, "/properties/osProfile/customData") else {
        return Ok(());
    };
    let digest = hex(&Sha256::digest(data.to_string().as_bytes()));
    if draft.old.is_some() && draft.hidden.as_ref() != Some(&digest) {
        return Err(Refusal::unchangeable("osProfile.customData"));
    }
    draft.hidden = Some(digest);
    Ok(())
}

fn os_profile(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let attached = draft
        .text(&format!("{OS_DISK}/createOption"))
        .is_some_and(|option| option.eq_ignore_ascii_case("Attach"));
    if attached {
        return Ok(());
    }
    draft.require("/properties/osProfile")?;
    draft.require("/properties/osProfile/adminUsername")?;
    draft.default("/properties/osProfile/computerName", draft.id.last_name());
    if let Some(user) = draft.text("/properties/osProfile/adminUsername")
        && ["root", "admin", "administrator", "user", "test", "guest"]
            .contains(&user.to_lowercase().as_str())
    {
        return Err(Refusal::bad(
            "InvalidParameter",
            "The Admin Username specified is not allowed.",
        )
        .at("adminUsername"));
    }
    let password = draft.flag("/properties/osProfile/hasPassword");
    at::remove(&mut draft.body, "/properties/osProfile/hasPassword");
    let linux = "/properties/osProfile/linuxConfiguration";
    draft.default(&format!("{linux}/disablePasswordAuthentication"), false);
    draft.default(&format!("{linux}/provisionVMAgent"), true);
    draft.default(&format!("{linux}/patchSettings/patchMode"), "ImageDefault");
    draft.default(
        &format!("{linux}/patchSettings/assessmentMode"),
        "ImageDefault",
    );
    draft.default("/properties/osProfile/secrets", json!([]));
    draft.default("/properties/osProfile/allowExtensionOperations", true);
    draft.default("/properties/osProfile/requireGuestProvisionSignal", true);
    let keys = at::list(&draft.body, &format!("{linux}/ssh/publicKeys"));
    for key in keys {
        let Some(data) = at::text(key, "/keyData") else {
            continue;
        };
        let kind = data.split_whitespace().next().unwrap_or("");
        if !matches!(kind, "ssh-rsa" | "ssh-ed25519") {
            return Err(Refusal::bad(
                "InvalidParameter",
                "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
            )
            .at("linuxConfiguration.ssh.publicKeys.keyData"));
        }
        let home = draft
            .text("/properties/osProfile/adminUsername")
            .map(|user| format!("/home/{user}/.ssh/authorized_keys"));
        if let (Some(path), Some(home)) = (at::text(key, "/path"), home)
            && path != home
        {
            return Err(Refusal::bad(
                "InvalidParameter",
                format!("Destination path for SSH public keys is currently limited to its default value {home} due to a known issue in Linux provisioning agent."),
            )
            .at("linuxConfiguration.ssh.publicKeys.path"));
        }
    }
    let disabled = draft.flag(&format!("{linux}/disablePasswordAuthentication"));
    let no_keys =
        keys.is_empty() && !at::present(&draft.body, &format!("{linux}/ssh/publicKeys/0"));
    if disabled && no_keys && draft.old.is_none() {
        return Err(Refusal::bad(
            "InvalidParameter",
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
        )
        .at("linuxConfiguration"));
    }
    if !disabled && !password && no_keys && draft.old.is_none() {
        return Err(Refusal::required("osProfile.adminPassword"));
    }
    Ok(())
}

fn storage(
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

/// Trusted Launch: default, support of image and size, and 4.0's unsigned boot chain (facts: azure.md 1.3, TRAP 1).
fn security(draft: &mut Draft<'_>, size: Option<&'static skus::Sku>) -> Result<(), Refusal> {
    let reference = draft
        .body
        .pointer(&format!("{STORAGE}/imageReference"))
        .cloned();
    let Some(reference) = reference.filter(|reference| {
        reference.get("publisher").is_some() && !template::has_unknown(reference)
    }) else {
        return Ok(());
    };
    let (image, _) = images::resolve(&reference)?;
    let able =
        image.security.contains("TrustedLaunch") && size.is_none_or(|size| !size.confidential);
    if able && draft.old.is_none() && !at::present(&draft.body, SECURITY) {
        // Trusted Launch by default: what is left out is switched on.
        at::set(&mut draft.body, SECURITY, "TrustedLaunch".into());
        draft.default(&format!("{UEFI}/secureBootEnabled"), true);
        draft.default(&format!("{UEFI}/vTpmEnabled"), true);
    }
    let kind = draft.text(SECURITY).unwrap_or("Standard").to_owned();
    if kind.eq_ignore_ascii_case("TrustedLaunch") && !able {
        return Err(Refusal::bad(
            "BadRequest",
            format!(
                "Use of TrustedLaunch setting is not supported for the provided image or VM size. Please select Trusted Launch Supported Gen2 OS Image ({}:{}:{}). For more information, see https://aka.ms/TrustedLaunch-FAQ.",
                image.publisher, image.offer, image.sku
            ),
        )
        .at("securityProfile.securityType"));
    }
    if kind.eq_ignore_ascii_case("ConfidentialVM") && size.is_some_and(|size| !size.confidential) {
        return Err(Refusal::bad(
            "BadRequest",
            "The VM size is not supported for creation of VMs and Virtual Machine Scale Set with 'ConfidentialVM' security type.",
        )
        .at("vmSize"));
    }
    if kind.eq_ignore_ascii_case("Standard")
        && at::flag(&draft.body, &format!("{UEFI}/secureBootEnabled")) == Some(true)
    {
        return Err(Refusal::bad(
            "BadRequest",
            "The property 'securityProfile.uefiSettings' is not valid because the 'UefiSettings' requires security type TrustedLaunch or ConfidentialVM.",
        )
        .at("securityProfile.uefiSettings"));
    }
    let unsigned = image.offer == "azurelinux-4";
    if unsigned && draft.old.is_none() && draft.flag(&format!("{UEFI}/secureBootEnabled")) {
        draft.doomed.get_or_insert_with(|| {
            Problem::new(
                "OSProvisioningTimedOut",
                format!(
                    "OS Provisioning for VM '{}' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later. For details on how to check current provisioning state of Windows VMs, refer to https://aka.ms/WindowsVMLifecycle and Linux VMs, refer to https://aka.ms/LinuxVMLifecycle.",
                    draft.id.last_name()
                ),
            )
        });
    }
    Ok(())
}

fn interfaces(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let own = draft.id.key();
    let count = at::list(&draft.body, "/properties/networkProfile/networkInterfaces").len();
    for index in 0..count {
        let base = format!("/properties/networkProfile/networkInterfaces/{index}");
        draft.require(&format!("{base}/id"))?;
        if count == 1 {
            draft.default(&format!("{base}/properties/primary"), true);
        }
        let Some(id) = draft.text(&format!("{base}/id")).map(str::to_owned) else {
            continue;
        };
        let key = ids::key(&id);
        if let Some(user) = scene
            .world
            .users(&key)
            .find(|user| user.is(MACHINE) && user.key() != own)
        {
            return Err(Refusal::bad(
                "NicInUse",
                format!(
                    "Network Interface {id} is used by existing resource {}. In order to reuse it, dissociate it from the resource.",
                    user.id
                ),
            ));
        }
        let elsewhere = scene
            .world
            .resource(&key)
            .and_then(|nic| nic.location())
            .is_some_and(|location| location != draft.location);
        if elsewhere {
            return Err(Refusal::bad(
                "InvalidParameter",
                format!(
                    "The network interface '{id}' is not in the location of the virtual machine."
                ),
            ));
        }
    }
    Ok(())
}

pub(super) fn accepted(tx: &mut Tx<'_>, machine: &Resource) -> Result<(), Refusal> {
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
pub(super) fn removed(tx: &mut Tx<'_>, machine: &Resource) {
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
        super::remove(tx, &key);
    }
}

pub(super) fn show(world: &World, machine: &Resource, shown: &mut Value) {
    at::set(
        shown,
        "/properties/timeCreated",
        rfc3339(machine.created).into(),
    );
    at::set(shown, "/etag", format!("\"{}\"", machine.etag).into());
    let extensions: Vec<Value> = world
        .under(&machine.key())
        .filter(|(_, child)| child.is("Microsoft.Compute/virtualMachines/extensions"))
        .map(|(_, extension)| json!({ "id": extension.id }))
        .collect();
    if !extensions.is_empty() {
        at::set(shown, "/resources", Value::Array(extensions));
    }
}

/// What an action says that changes nothing: `runCommand`, `assessPatches`, `retrieveBootDiagnosticsData`.
pub(crate) fn answer(
    machine: &Resource,
    action: &str,
    given: &Value,
    now: time::OffsetDateTime,
) -> Result<Value, Refusal> {
    let running = machine.power == Some(Power::Running);
    if !running && action != "retrievebootdiagnosticsdata" {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            "Cannot modify extensions in the VM when the VM is not running.",
        ));
    }
    match action {
        "runcommand" => {
            let command = at::text(given, "/commandId").unwrap_or_default();
            if !["RunShellScript", "ifconfig"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(command))
            {
                return Err(Refusal::missing(
                    "NotFound",
                    format!("The entity was not found: command '{command}'."),
                ));
            }
            // Nothing is run: there is no machine. The script's length is all that is told of it.
            let lines = at::list(given, "/script").len();
            Ok(json!({ "value": [{
                "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
                "message": format!("Enable succeeded: \n[stdout]\nsimulated: {lines} lines were not run\n\n[stderr]\n"),
            }] }))
        }
        "assesspatches" => Ok(json!({
            "status": "Succeeded", "assessmentActivityId": Uuid::new_v4(), "rebootPending": false,
            "criticalAndSecurityPatchCount": 0, "otherPatchCount": 0, "startDateTime": rfc3339(now), "availablePatches": [],
        })),
        _ => Ok(json!({
            "consoleScreenshotBlobUri": "https://simulated.blob.core.windows.net/bootdiagnostics/screenshot.bmp",
            "serialConsoleLogBlobUri": "https://simulated.blob.core.windows.net/bootdiagnostics/serialconsole.log",
        })),
    }
}

/// `…/instanceView` and `$expand=instanceView` (facts: deployments.md 3).
pub(crate) fn instance_view(world: &World, machine: &Resource) -> Value {
    let time = rfc3339(machine.changed);
    let provisioning = match (&machine.problem, machine.state) {
        (Some(problem), Provisioning::Failed) => json!({
            "code": format!("ProvisioningState/failed/{}", problem.code), "level": "Error",
            "displayStatus": "Provisioning failed", "message": problem.message, "time": time,
        }),
        (_, state) => {
            let name = state.name().to_lowercase();
            let display = match state {
                Provisioning::Succeeded => "Provisioning succeeded",
                Provisioning::Creating => "Creating",
                Provisioning::Deleting => "Deleting",
                _ => "Updating",
            };
            json!({ "code": format!("ProvisioningState/{name}"), "level": "Info", "displayStatus": display, "time": time })
        }
    };
    let disk_time = rfc3339(machine.created);
    let disks: Vec<Value> = machine
        .body
        .pointer(OS_DISK)
        .into_iter()
        .chain(at::list(&machine.body, &format!("{STORAGE}/dataDisks")))
        .map(|disk| {
            json!({
                "name": disk.get("name"),
                "statuses": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": disk_time }],
            })
        })
        .collect();
    let mut statuses = vec![provisioning];
    if let Some(power) = machine.power {
        statuses.push(json!({
            "code": format!("PowerState/{}", power.name()), "level": "Info", "displayStatus": format!("VM {}", power.name()),
        }));
    }
    let mut view = json!({ "disks": disks, "statuses": statuses, "hyperVGeneration": "V2" });
    if machine.power == Some(Power::Running) && machine.state == Provisioning::Succeeded {
        view["computerName"] = machine.text("/properties/osProfile/computerName").into();
        view["osName"] = "azurelinux".into();
        view["vmAgent"] = json!({
            "vmAgentVersion": "2.11.1.12",
            "statuses": [{ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "message": "Guest Agent is running", "time": time }],
        });
        view["bootDiagnostics"] = json!({});
    }
    let extensions: Vec<Value> = world
        .under(&machine.key())
        .filter(|(_, child)| child.is("Microsoft.Compute/virtualMachines/extensions"))
        .map(|(_, extension)| json!({ "name": extension.name(), "type": extension.text("/properties/type"), "typeHandlerVersion": extension.text("/properties/typeHandlerVersion") }))
        .collect();
    if !extensions.is_empty() {
        view["extensions"] = Value::Array(extensions);
    }
    view
}

/// start, powerOff, restart, deallocate. Answers the operation.
pub(crate) fn power(
    tx: &mut Tx<'_>,
    key: &str,
    action: &str,
    doomed: Option<Problem>,
    hang: bool,
) -> Result<Uuid, Refusal> {
    let Some(machine) = tx.resource(key).cloned() else {
        return Err(Refusal::missing(
            "ResourceNotFound",
            "The machine was not found.",
        ));
    };
    let (during, after, seconds) = match action {
        "start" => (Power::Starting, Power::Running, 10.0),
        "poweroff" => (Power::Stopping, Power::Stopped, 10.0),
        "restart" => (Power::Starting, Power::Running, 15.0),
        "deallocate" => (Power::Deallocating, Power::Deallocated, 15.0),
        _ => {
            return Err(Refusal::missing(
                "NotFound",
                format!("Unknown action '{action}'."),
            ));
        }
    };
    if machine.operation.is_some() {
        return Err(Refusal::conflict(
            "Conflict",
            format!(
                "The request failed due to conflict with a concurrent request on '{}'.",
                machine.id
            ),
        ));
    }
    if action == "restart" && matches!(machine.power, Some(Power::Deallocated | Power::Stopped)) {
        return Err(Refusal::conflict(
            "OperationNotAllowed",
            "Operation 'restart' is not allowed on VM since the VM is either deallocated or stopped. Please start the VM.",
        ));
    }
    let operation = engine::begin(
        tx,
        Begin {
            subject: machine.id.clone(),
            effect: Effect::Power(after),
            seconds: (!hang).then_some(seconds),
            doomed,
            deployment: None,
        },
    );
    let mut changing = Resource::clone(&machine);
    changing.state = Provisioning::Updating;
    changing.power = Some(during);
    changing.operation = Some(operation);
    changing.changed = tx.now;
    tx.apply(Change::Resource(key.to_owned(), Some(Arc::new(changing))));
    Ok(operation)
}
