//! Node pools: defaults, and the rules of what an operating system, a size and a version allow together (facts: azure.md 1.5, 1.6, 3.1). How far a version may be from its cluster's is in `versions`,
//! which labels and taints nodes may have in `labels`.

mod labels;
mod versions;

use serde_json::{Value, json};

use super::container_service::{POOL, busy, minor, started};
use super::{Draft, Scene, skus};
use crate::state::model::{Power, Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids::Id;
use crate::wire::json as at;

pub(super) use versions::follow;

pub(super) fn prepare(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let Some(parent) = draft.id.parent() else {
        return Ok(());
    };
    let cluster = scene.world.resource(&parent.key()).cloned();
    let body = match &cluster {
        Some(cluster) => {
            if !scene.preflight {
                busy(scene.world, cluster)?;
                started(cluster)?;
            }
            cluster.body.clone()
        }
        // Made by the same deployment: its own PUT will check the two together.
        None => json!({}),
    };
    check(draft, scene, &body)?;
    // Kept for the quota, which counts per region; not shown.
    let location = draft.location.clone();
    at::set(&mut draft.body, "/location", location.into());
    draft.power.get_or_insert(Power::Running);
    Ok(())
}

fn wrong(message: impl Into<String>, target: &str) -> Refusal {
    Refusal::bad("InvalidParameter", message).at(format!("agentPoolProfile.{target}"))
}

/// Completes and checks a pool as part of a cluster with this body.
pub(super) fn check(
    draft: &mut Draft<'_>,
    scene: &Scene<'_>,
    cluster: &Value,
) -> Result<(), Refusal> {
    let name = draft.id.last_name().to_owned();
    let fits = (1..=12).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !fits {
        return Err(wrong(
            format!(
                "The value of parameter agentPoolProfile.name is invalid: '{name}'. It must match ^[a-z][a-z0-9]{{0,11}}$."
            ),
            "name",
        ));
    }
    at::remove(&mut draft.body, "/properties/name");
    draft.require("/properties/vmSize")?;
    labels::check(draft)?;
    for pointer in [
        "vmSize",
        "osDiskType",
        "osDiskSizeGB",
        "vnetSubnetID",
        "osType",
        "type",
        "maxPods",
        "kubeletDiskType",
        "enableFIPS",
    ] {
        let pointer = format!("/properties/{pointer}");
        draft.keep(&pointer).map_err(unchangeable)?;
    }
    if draft.old.is_some() {
        draft
            .keep("/properties/availabilityZones")
            .map_err(unchangeable)?;
        draft.keep("/properties/osSKU").or(Ok(()))?;
        draft.keep("/properties/mode").or(Ok(()))?;
        draft.keep("/properties/count").or(Ok(()))?;
    }
    let zones = at::texts(&draft.body, "/properties/availabilityZones");
    let sku = match draft.text("/properties/vmSize") {
        Some(size) => Some(skus::available(size, &draft.location, &zones, &name)?),
        None => None,
    };
    let (version, exact) = versions::of(draft, cluster)?;

    draft.default("/properties/count", 1);
    counts(draft)?;
    draft.default("/properties/mode", "User");
    draft.default("/properties/osType", "Linux");
    draft.default("/properties/osSKU", "Ubuntu");
    operating_system(draft, sku, &exact, cluster)?;
    if let Some(sku) = sku {
        let count = at::number(&draft.body, "/properties/count").unwrap_or(1);
        skus::quota(draft, scene, sku, sku.vcpus * count)?;
        let ephemeral = if sku.temporary_disk() {
            "Ephemeral"
        } else {
            "Managed"
        };
        draft.default("/properties/osDiskType", ephemeral);
        if draft.text("/properties/osDiskType") == Some("Ephemeral") && !sku.temporary_disk() {
            return Err(wrong(
                format!(
                    "The virtual machine size {} has no disk that could hold an ephemeral OS disk. See https://aka.ms/aks/ephemeral-os for more information.",
                    sku.name
                ),
                "osDiskType",
            ));
        }
    }
    if let Some(size) = at::number(&draft.body, "/properties/osDiskSizeGB")
        && !(0..=2048).contains(&size)
    {
        return Err(wrong(
            "The value of parameter agentPoolProfile.osDiskSizeGB is out of range: 0 to 2048.",
            "osDiskSizeGB",
        ));
    }
    if !matches!(
        at::number(&draft.body, "/properties/osDiskSizeGB"),
        Some(1..)
    ) && !draft
        .body
        .pointer("/properties/osDiskSizeGB")
        .is_some_and(template::is_unknown)
    {
        at::set(&mut draft.body, "/properties/osDiskSizeGB", 128.into());
    }
    for (pointer, value) in [
        ("type", Value::from("VirtualMachineScaleSets")),
        ("maxPods", 110.into()),
        ("kubeletDiskType", "OS".into()),
        ("scaleDownMode", "Delete".into()),
        ("enableAutoScaling", false.into()),
        ("enableFIPS", false.into()),
        ("enableNodePublicIP", false.into()),
        ("enableEncryptionAtHost", false.into()),
        ("enableUltraSSD", false.into()),
        ("upgradeSettings", json!({ "maxSurge": "10%" })),
    ] {
        at::default(&mut draft.body, &format!("/properties/{pointer}"), value);
    }
    at::set(
        &mut draft.body,
        "/properties/orchestratorVersion",
        version.into(),
    );
    at::set(
        &mut draft.body,
        "/properties/currentOrchestratorVersion",
        exact.into(),
    );
    let image = node_image(draft, sku.is_some_and(|sku| sku.arm));
    at::set(
        &mut draft.body,
        "/properties/nodeImageVersion",
        image.into(),
    );
    Ok(())
}

/// The provider names the property in its own way.
fn unchangeable(mut refusal: Refusal) -> Refusal {
    let property = refusal.problem.target.take().unwrap_or_default();
    Refusal::conflict(
        "PropertyChangeNotAllowed",
        format!("Changing property \"agentPoolProfile.{property}\" is not allowed. You can create a new node pool and drain the old one."),
    )
    .at(format!("agentPoolProfile.{property}"))
}

fn counts(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let number =
        |draft: &Draft<'_>, name: &str| at::number(&draft.body, &format!("/properties/{name}"));
    let system = draft.text("/properties/mode") == Some("System");
    if draft.flag("/properties/enableAutoScaling") {
        draft.require("/properties/minCount")?;
        draft.require("/properties/maxCount")?;
        if let (Some(min), Some(max)) = (number(draft, "minCount"), number(draft, "maxCount")) {
            if min > max || !(0..=1000).contains(&min) || !(0..=1000).contains(&max) {
                return Err(wrong(
                    format!(
                        "minCount {min} and maxCount {max} must be between 0 and 1000, and minCount not greater than maxCount."
                    ),
                    "minCount",
                ));
            }
            let count = number(draft, "count").unwrap_or(min).clamp(min, max);
            at::set(&mut draft.body, "/properties/count", count.into());
        }
    } else if at::present(&draft.body, "/properties/minCount")
        || at::present(&draft.body, "/properties/maxCount")
    {
        return Err(wrong(
            "minCount and maxCount need enableAutoScaling.",
            "minCount",
        ));
    }
    if let Some(count) = number(draft, "count") {
        let least = i64::from(system);
        if !(least..=1000).contains(&count) {
            return Err(wrong(
                format!(
                    "The value of parameter agentPoolProfile.count is invalid: {count} is not between {least} and 1000."
                ),
                "count",
            ));
        }
    }
    Ok(())
}

fn operating_system(
    draft: &mut Draft<'_>,
    sku: Option<&'static skus::Sku>,
    version: &str,
    cluster: &Value,
) -> Result<(), Refusal> {
    let Some(os) = draft.text("/properties/osSKU").map(str::to_owned) else {
        return Ok(());
    };
    let secure_boot = draft.flag("/properties/securityProfile/enableSecureBoot");
    let vtpm = draft.flag("/properties/securityProfile/enableVTPM");
    let fips = draft.flag("/properties/enableFIPS");
    let kata = draft
        .text("/properties/workloadRuntime")
        .is_some_and(|runtime| runtime.eq_ignore_ascii_case("KataVmIsolation"));
    let arm = sku.is_some_and(|sku| sku.arm);
    let kubernetes = minor(version);
    let since = |first: &str| draft.api_version >= first;
    let refuse = |message: String| Err(wrong(message, "osSKU"));
    let invalid = || {
        wrong(
            format!(
                "OSSKU='{os}' is invalid, details: API version {} does not know it.",
                draft.api_version
            ),
            "osSKU",
        )
    };
    match os.as_str() {
        "Ubuntu" | "AzureLinux" => {}
        "Ubuntu2204" if since("2025-03-01") => {}
        "Ubuntu2404" if since("2025-10-01") => {}
        "AzureLinux3" if since("2025-07-01") => {
            if !(28..=36).contains(&kubernetes) {
                return refuse(format!(
                    "OSSKU='AzureLinux3' is supported on Kubernetes 1.28 to 1.36, not on {version}."
                ));
            }
        }
        "AzureContainerLinux" if since("2026-03-01") => {
            if kubernetes < 34 {
                return refuse(format!(
                    "OSSKU='AzureContainerLinux' needs Kubernetes 1.34 or later, not {version}."
                ));
            }
            if !secure_boot || !vtpm {
                return Err(wrong(
                    "OSSKU='AzureContainerLinux' requires securityProfile.enableSecureBoot and securityProfile.enableVTPM to be true.",
                    "securityProfile",
                ));
            }
            if kata {
                return refuse("OSSKU='AzureContainerLinux' does not support Pod Sandboxing (KataVmIsolation).".to_owned());
            }
            if sku.is_some_and(|sku| sku.confidential) {
                return refuse(
                    "OSSKU='AzureContainerLinux' does not support confidential VM sizes."
                        .to_owned(),
                );
            }
            if sku.is_some_and(|sku| sku.arm && !sku.v6()) {
                return refuse(
                    "OSSKU='AzureContainerLinux' on Arm64 needs a v6 (Cobalt) size.".to_owned(),
                );
            }
            channel(cluster, &os)?;
        }
        "AzureLinuxOSGuard" => {
            if kubernetes < 32 || !secure_boot || !vtpm || !fips || arm {
                return refuse("OSSKU='AzureLinuxOSGuard' needs Kubernetes 1.32, enableFIPS, secure boot and vTPM, on a size that is not Arm64.".to_owned());
            }
            channel(cluster, &os)?;
        }
        "CBLMariner" | "Flatcar" => {
            return refuse(format!(
                "OSSKU='{os}' is retired; node pools with it can no longer be created."
            ));
        }
        _ => return Err(invalid()),
    }
    if matches!(os.as_str(), "AzureLinux" | "AzureLinux3") {
        let launch = secure_boot || vtpm;
        if fips && (launch || kata) {
            return refuse(format!(
                "OSSKU='{os}': FIPS cannot be combined with Trusted Launch or Pod Sandboxing."
            ));
        }
        if arm && (launch || kata) {
            return refuse(format!(
                "OSSKU='{os}': Arm64 cannot be combined with Trusted Launch or Pod Sandboxing."
            ));
        }
    }
    Ok(())
}

fn channel(cluster: &Value, os: &str) -> Result<(), Refusal> {
    match at::text(cluster, "/properties/autoUpgradeProfile/nodeOSUpgradeChannel") {
        Some(channel @ ("SecurityPatch" | "Unmanaged")) => Err(Refusal::bad(
            "InvalidParameter",
            format!("nodeOSUpgradeChannel '{channel}' is not supported with OSSKU='{os}': it must be NodeImage or None."),
        )
        .at("autoUpgradeProfile.nodeOSUpgradeChannel")),
        _ => Ok(()),
    }
}

fn node_image(draft: &Draft<'_>, arm: bool) -> String {
    let launch = draft.flag("/properties/securityProfile/enableSecureBoot");
    let fips = draft.flag("/properties/enableFIPS");
    match draft.text("/properties/osSKU").unwrap_or("") {
        "AzureContainerLinux" => "AKSAzureContainerLinux-202610.01.0".to_owned(),
        "AzureLinux" | "AzureLinux3" => {
            let variant = match (arm, fips, launch) {
                (true, true, _) => "arm64fips",
                (true, false, _) => "arm64",
                (false, true, _) => "fips",
                (false, false, true) => "TL",
                (false, false, false) => "",
            };
            format!("AKSAzureLinux-V3gen2{variant}-202610.01.0")
        }
        "AzureLinuxOSGuard" => "AKSAzureLinux-OSGuardOSGuardV3gen2fipsTL-202610.01.0".to_owned(),
        _ => format!(
            "AKSUbuntu-2404gen2{}containerd-202610.01.0",
            if arm { "arm64" } else { "" }
        ),
    }
}

pub(super) fn blocked(world: &World, pool: &Resource) -> Result<(), Refusal> {
    let Some(parent) = Id::parse(&pool.id).and_then(|id| id.parent()) else {
        return Ok(());
    };
    let Some(cluster) = world.resource(&parent.key()) else {
        return Ok(());
    };
    busy(world, cluster)?;
    started(cluster)?;
    let own = pool.key();
    let other = world.under(&parent.key()).any(|(key, other)| {
        other.is(POOL) && *key != own && other.text("/properties/mode") == Some("System")
    });
    if pool.text("/properties/mode") == Some("System") && !other {
        return Err(Refusal::bad(
            "OperationNotAllowed",
            format!(
                "There has to be at least one system agent pool: {} is the last.",
                pool.name()
            ),
        ));
    }
    Ok(())
}

pub(super) fn show(world: &World, pool: &Resource, shown: &mut Value) {
    at::remove(shown, "/location");
    at::set(
        shown,
        "/properties/powerState",
        json!({ "code": power(world, pool) }),
    );
    at::set(shown, "/properties/eTag", pool.etag.to_string().into());
}

/// The pool as it stands inside its cluster.
pub(super) fn profile(world: &World, pool: &Resource) -> Value {
    let mut profile = pool
        .body
        .get("properties")
        .cloned()
        .unwrap_or_else(|| json!({}));
    at::set(&mut profile, "/name", pool.name().into());
    at::set(&mut profile, "/provisioningState", pool.state.name().into());
    at::set(&mut profile, "/eTag", pool.etag.to_string().into());
    at::set(
        &mut profile,
        "/powerState",
        json!({ "code": power(world, pool) }),
    );
    profile
}

/// No pool runs in a cluster that is stopped.
fn power(world: &World, pool: &Resource) -> &'static str {
    let cluster = Id::parse(&pool.id)
        .and_then(|id| id.parent())
        .and_then(|parent| world.resource(&parent.key()));
    let stopped = |resource: &Resource| resource.power == Some(Power::Stopped);
    if stopped(pool) || cluster.is_some_and(|cluster| stopped(cluster)) {
        "Stopped"
    } else {
        "Running"
    }
}
