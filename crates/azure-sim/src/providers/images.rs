//! The marketplace images that the simulator has: the Azure Linux ones (facts: azure.md 1.4), with the features that decide about Trusted Launch.
//!
//! Version numbers are made up; that 4.0 lists Trusted Launch is not established (facts: azure.md 7).

use serde_json::{Value, json};

use crate::wire::errors::Refusal;
use crate::wire::json as at;

/// One image SKU with its versions, oldest first.
pub(crate) struct Image {
    pub(crate) publisher: &'static str,
    pub(crate) offer: &'static str,
    pub(crate) sku: &'static str,
    pub(crate) generation_1: bool,
    pub(crate) arm: bool,
    /// The `SecurityType` feature; empty for none.
    pub(crate) security: &'static str,
    pub(crate) versions: &'static [&'static str],
}

const V3: &[&str] = &["3.20260801.01", "3.20260903.02", "3.20261005.01"];
const V4: &[&str] = &["4.20260902.01", "4.20261012.01"];
const MARINER: &str = "MicrosoftCBLMariner";

#[rustfmt::skip]
pub(crate) const IMAGES: &[Image] = &[
    image("microsoftazurelinux", "azurelinux-4", "4", false, false, "TrustedLaunchSupported", V4),
    image("microsoftazurelinux", "azurelinux-4", "4-arm64", false, true, "TrustedLaunchSupported", V4),
    image(MARINER, "azure-linux-3", "azure-linux-3-gen2", false, false, "TrustedLaunchSupported", V3),
    image(MARINER, "azure-linux-3", "azure-linux-3", true, false, "", V3),
    image(MARINER, "azure-linux-3", "azure-linux-3-gen2-fips", false, false, "", V3),
    image(MARINER, "azure-linux-3", "azure-linux-3-arm64", false, true, "TrustedLaunchSupported", V3),
    image(MARINER, "azure-linux-3", "azure-linux-3-arm64-gen2-fips", false, true, "", V3),
];

const fn image(
    publisher: &'static str,
    offer: &'static str,
    sku: &'static str,
    generation_1: bool,
    arm: bool,
    security: &'static str,
    versions: &'static [&'static str],
) -> Image {
    Image {
        publisher,
        offer,
        sku,
        generation_1,
        arm,
        security,
        versions,
    }
}

/// The document of image aliases, in the shape that `az` reads.
pub(crate) fn aliases() -> Value {
    json!({
        "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json",
        "contentVersion": "1.0.0.0", "parameters": {}, "resources": [],
        "outputs": { "aliases": { "type": "object", "value": { "Linux": {
            "AzureLinux3": { "publisher": MARINER, "offer": "azure-linux-3", "sku": "azure-linux-3-gen2", "version": "latest", "architecture": "x64" },
            "AzureLinux4": { "publisher": "microsoftazurelinux", "offer": "azurelinux-4", "sku": "4", "version": "latest", "architecture": "x64" },
        } } } },
    })
}

/// The image of a reference and its exact version.
pub(crate) fn resolve(reference: &Value) -> Result<(&'static Image, &'static str), Refusal> {
    let part = |name: &str| reference.get(name).and_then(Value::as_str).unwrap_or("");
    let version = part("version");
    let found = find(part("publisher"), part("offer"), part("sku")).and_then(|image| {
        let exact = if version.eq_ignore_ascii_case("latest") {
            image.versions.last()
        } else {
            image.versions.iter().find(|known| **known == version)
        };
        exact.map(|exact| (image, *exact))
    });
    found.ok_or_else(|| Refusal {
        gateway: false,
        ..Refusal::new(
            http::StatusCode::NOT_FOUND,
            "PlatformImageNotFound",
            format!(
                "The platform image '{}:{}:{}:{version}' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile.",
                part("publisher"),
                part("offer"),
                part("sku")
            ),
        )
    })
}

pub(crate) fn find(publisher: &str, offer: &str, sku: &str) -> Option<&'static Image> {
    IMAGES.iter().find(|image| {
        image.publisher.eq_ignore_ascii_case(publisher)
            && image.offer.eq_ignore_ascii_case(offer)
            && image.sku.eq_ignore_ascii_case(sku)
    })
}

/// The extensions that the marketplace has here: publisher, type, version. The version numbers are made up.
const EXTENSIONS: [(&str, &str, &str); 5] = [
    (
        "Microsoft.Azure.ActiveDirectory",
        "AADSSHLoginForLinux",
        "1.0.3112.1",
    ),
    (
        "Microsoft.Azure.Security.LinuxAttestation",
        "GuestAttestation",
        "1.0.30.0",
    ),
    (
        "Microsoft.Azure.Monitor",
        "AzureMonitorLinuxAgent",
        "1.38.1.0",
    ),
    ("Microsoft.Azure.Extensions", "CustomScript", "2.1.13.0"),
    (
        "Microsoft.GuestConfiguration",
        "ConfigurationforLinux",
        "1.26.93.0",
    ),
];

/// `publishers/P/artifacttypes/vmextension/types[/T/versions[/V]]`.
fn extensions(base: &str, location: &str, path: &[String]) -> Result<Value, Refusal> {
    let part = |index: usize| path.get(index).map_or("", String::as_str);
    let found: Vec<_> = EXTENSIONS
        .iter()
        .filter(|(publisher, kind, _)| {
            publisher.eq_ignore_ascii_case(part(0))
                && (path.len() < 5 || kind.eq_ignore_ascii_case(part(4)))
        })
        .collect();
    if found.is_empty() {
        return Err(Refusal {
            gateway: false,
            ..Refusal::new(
                http::StatusCode::NOT_FOUND,
                "NotFound",
                format!("Artifact: VMExtension was not found: {}.", path.join("/")),
            )
        });
    }
    let rows: Vec<Value> = found
        .into_iter()
        .map(|(publisher, kind, version)| {
            let of_type = format!("{base}/Publishers/{publisher}/ArtifactTypes/VMExtension/Types/{kind}");
            if path.len() < 5 {
                json!({ "location": location, "name": kind, "id": of_type })
            } else {
                json!({
                    "location": location, "name": version, "id": format!("{of_type}/Versions/{version}"),
                    "properties": { "operatingSystem": "Linux", "computeRole": "IaaS", "vmScaleSetEnabled": true, "supportsMultipleExtensions": false },
                })
            }
        })
        .collect();
    match rows.first() {
        Some(one) if path.len() > 6 => Ok(one.clone()),
        _ => Ok(Value::Array(rows)),
    }
}

/// `…/publishers[/P/artifacttypes/vmimage/offers[/O/skus[/S/versions[/V]]]]`: the names after `publishers`, in pairs.
///
/// Versions come in the order and number that are asked for, in that of their names else.
pub(crate) fn browse(
    subscription: &str,
    location: &str,
    path: &[String],
    top: Option<&str>,
    order: Option<&str>,
) -> Result<Value, Refusal> {
    let mut found = all(subscription, location, path)?;
    let versions = path
        .last()
        .is_some_and(|last| last.eq_ignore_ascii_case("versions"));
    if let (Value::Array(rows), true) = (&mut found, versions) {
        arrange(rows, top, order)?;
    }
    Ok(found)
}

fn arrange(rows: &mut Vec<Value>, top: Option<&str>, order: Option<&str>) -> Result<(), Refusal> {
    let refuse = |name: &str, value: &str| {
        Refusal::bad(
            "InvalidParameter",
            format!("The value '{value}' of parameter '{name}' is invalid."),
        )
        .at(name)
    };
    // Parts of a version compare as the numbers that they are.
    let key = |row: &Value| -> Vec<u64> {
        at::text(row, "/name")
            .unwrap_or_default()
            .split('.')
            .map(|part| part.parse().unwrap_or_default())
            .collect()
    };
    rows.sort_by_key(key);
    match order.map(|order| order.split_whitespace().collect::<Vec<_>>()) {
        None => {}
        Some(words) => match words.as_slice() {
            [] | ["name"] | ["name", "asc"] => {}
            ["name", "desc"] => rows.reverse(),
            _ => return Err(refuse("$orderby", order.unwrap_or_default())),
        },
    }
    if let Some(top) = top {
        rows.truncate(top.parse().map_err(|_| refuse("$top", top))?);
    }
    Ok(())
}

fn all(subscription: &str, location: &str, path: &[String]) -> Result<Value, Refusal> {
    let base =
        format!("/Subscriptions/{subscription}/Providers/Microsoft.Compute/Locations/{location}");
    let names = |found: Vec<(String, String)>| {
        let mut rows: Vec<Value> = Vec::new();
        for (name, id) in found {
            if !rows.iter().any(|row| row["name"] == name.as_str()) {
                rows.push(json!({ "location": location, "name": name, "id": id }));
            }
        }
        // A bare array, unlike every other list (facts: azure.md 4.9).
        Value::Array(rows)
    };
    if path
        .get(2)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("vmextension"))
    {
        return extensions(&base, location, path);
    }
    let part = |index: usize| path.get(index).map_or("", String::as_str);
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let fits = |image: &&Image| {
        (path.len() < 2 || same(image.publisher, part(0)))
            && (path.len() < 6 || same(image.offer, part(4)))
            && (path.len() < 8 || same(image.sku, part(6)))
    };
    let chosen: Vec<&Image> = IMAGES.iter().filter(fits).collect();
    if chosen.is_empty() {
        return Err(Refusal {
            gateway: false,
            ..Refusal::new(
                http::StatusCode::NOT_FOUND,
                "NotFound",
                format!("Artifact: VMImage was not found: {}.", path.join("/")),
            )
        });
    }
    let upto = |image: &Image, level: usize| {
        let mut id = format!("{base}/Publishers/{}", image.publisher);
        if level > 0 {
            id.push_str(&format!("/ArtifactTypes/VMImage/Offers/{}", image.offer));
        }
        if level > 1 {
            id.push_str(&format!("/Skus/{}", image.sku));
        }
        id
    };
    Ok(match path.len() {
        0 => names(
            chosen
                .iter()
                .map(|image| (image.publisher.to_owned(), upto(image, 0)))
                .chain(EXTENSIONS.iter().map(|(publisher, ..)| {
                    (
                        (*publisher).to_owned(),
                        format!("{base}/Publishers/{publisher}"),
                    )
                }))
                .collect(),
        ),
        1..=4 => names(
            chosen
                .iter()
                .map(|image| (image.offer.to_owned(), upto(image, 1)))
                .collect(),
        ),
        5 | 6 => names(
            chosen
                .iter()
                .map(|image| (image.sku.to_owned(), upto(image, 2)))
                .collect(),
        ),
        7 | 8 if part(7).is_empty() || same(part(7), "versions") => names(
            chosen
                .iter()
                .flat_map(|image| {
                    image.versions.iter().map(move |version| {
                        (
                            (*version).to_owned(),
                            format!("{}/Versions/{version}", upto(image, 2)),
                        )
                    })
                })
                .collect(),
        ),
        _ => {
            let image = chosen[0];
            let version = part(8);
            let Some(version) = image
                .versions
                .iter()
                .find(|known| **known == version)
                .or_else(|| {
                    same(version, "latest")
                        .then(|| image.versions.last())
                        .flatten()
                })
            else {
                return Err(Refusal {
                    gateway: false,
                    ..Refusal::new(
                        http::StatusCode::NOT_FOUND,
                        "NotFound",
                        format!("Artifact: VMImage was not found: {version}."),
                    )
                });
            };
            let mut features = vec![
                json!({ "name": "IsAcceleratedNetworkSupported", "value": "True" }),
                json!({ "name": "DiskControllerTypes", "value": "SCSI, NVMe" }),
                json!({ "name": "IsHibernateSupported", "value": "False" }),
            ];
            if !image.security.is_empty() {
                features.insert(
                    0,
                    json!({ "name": "SecurityType", "value": image.security }),
                );
            }
            json!({
                "location": location,
                "name": version,
                "id": format!("{}/Versions/{version}", upto(image, 2)),
                "properties": {
                    "hyperVGeneration": if image.generation_1 { "V1" } else { "V2" },
                    "architecture": if image.arm { "Arm64" } else { "x64" },
                    "replicaType": "Managed",
                    "disallowed": { "vmDiskType": "Unmanaged" },
                    "automaticOSUpgradeProperties": { "automaticOSUpgradeSupported": false },
                    "features": features,
                    "osDiskImage": { "operatingSystem": "Linux", "sizeInGb": 5 },
                    "dataDiskImages": [],
                },
            })
        }
    })
}
