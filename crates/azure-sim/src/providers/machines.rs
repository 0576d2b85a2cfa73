//! Virtual machines: what Azure checks and fills in. Their disks are in `storage`, what is done to one that exists in `running`; reading APIs of compute
//! are in `compute.rs`.

mod running;
mod storage;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Draft, Scene, bearer, images, network, skus};
use crate::engine::deployments::{hex, rfc3339};
use crate::state::model::{Power, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

pub(crate) use running::{answer, evict, instance_view, power};
pub(super) use storage::{accepted, removed};

pub(crate) const MACHINE: &str = "Microsoft.Compute/virtualMachines";
pub(crate) const EXTENSION: &str = "Microsoft.Compute/virtualMachines/extensions";
/// Shown only to those who ask for it by `$expand`.
pub(crate) const USER_DATA: &str = "/properties/userData";

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
            USER_DATA,
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
    bearer::prepare(draft, scene, true)?;
    os_profile(draft)?;
    storage::prepare(draft, scene, size)?;
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
    // What could not be brought up is tried again; a machine that was switched off stays off.
    let failed = draft
        .old
        .is_some_and(|old| old.state == Provisioning::Failed && old.power == Some(Power::Stopped));
    if failed {
        draft.power = Some(Power::Starting);
    }
    draft.power.get_or_insert(Power::Starting);
    Ok(())
}

/// An id in a place where another type of resource belongs.
fn not_a_reference(id: &str) -> Refusal {
    Refusal::bad(
        "InvalidParameter",
        format!("Id {id} is not a valid resource reference."),
    )
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
    host_name(draft)?;
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

/// What Linux does not take as a host's name; it is that of the machine where none is given.
fn host_name(draft: &Draft<'_>) -> Result<(), Refusal> {
    const FORBIDDEN: &str = "` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : ' \" , < > / ?";
    let Some(name) = draft.text("/properties/osProfile/computerName") else {
        return Ok(());
    };
    let wrong = |c: char| c == ' ' || FORBIDDEN.contains(c);
    if draft.old.is_some() || (name.chars().count() <= 64 && !name.contains(wrong)) {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidParameter",
        format!("Linux host name cannot exceed 64 characters in length or contain the following characters: {FORBIDDEN}."),
    )
    .at("computerName"))
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
    const INTERFACES: &str = "/properties/networkProfile/networkInterfaces";
    let own = draft.id.key();
    let count = at::list(&draft.body, INTERFACES).len();
    let before = draft.old.map(|old| at::list(&old.body, INTERFACES).len());
    let one_or_many = before.is_some_and(|before| (before > 1) != (count > 1));
    if one_or_many && !scene.preflight && draft.power != Some(Power::Deallocated) {
        return Err(Refusal::conflict(
            "AddingOrDeletingNetworkInterfacesOnARunningVirtualMachineNotSupported",
            format!(
                "Virtual machine {} with a single network interface must be stop-deallocated before it can be updated to have multiple network interfaces and vice-versa.",
                draft.id.text()
            ),
        ));
    }
    for index in 0..count {
        let base = format!("{INTERFACES}/{index}");
        draft.require(&format!("{base}/id"))?;
        if count == 1 {
            draft.default(&format!("{base}/properties/primary"), true);
        }
        let Some(id) = draft.text(&format!("{base}/id")).map(str::to_owned) else {
            continue;
        };
        let fits = Id::parse(&id).is_some_and(|id| id.kind().eq_ignore_ascii_case(network::NIC));
        if !fits {
            return Err(not_a_reference(&id).at("networkInterface.id"));
        }
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

pub(super) fn show(world: &World, machine: &Resource, shown: &mut Value) {
    at::set(
        shown,
        "/properties/timeCreated",
        rfc3339(machine.created).into(),
    );
    at::set(shown, "/etag", format!("\"{}\"", machine.etag).into());
    at::remove(shown, USER_DATA);
    storage::show(world, shown);
    let extensions: Vec<Value> = world
        .under(&machine.key())
        .filter(|(_, child)| child.is(EXTENSION))
        .map(|(_, extension)| json!({ "id": extension.id }))
        .collect();
    if !extensions.is_empty() {
        at::set(shown, "/resources", Value::Array(extensions));
    }
}
