//! The Kubernetes versions that AKS offers, as text, as patches and as the answer of `kubernetesVersions`.

use serde_json::{Value, json};

/// Minor version, its patches oldest first, preview, long-term support only (facts: azure.md 1.6).
const KUBERNETES: &[(&str, &[&str], bool, bool)] = &[
    ("1.33", &["1.33.12"], false, true),
    ("1.34", &["1.34.9", "1.34.10"], false, false),
    ("1.35", &["1.35.6", "1.35.7"], false, false),
    ("1.36", &["1.36.2", "1.36.3"], false, false),
    ("1.37", &["1.37.0"], true, false),
];
pub(super) const DEFAULT_VERSION: &str = "1.35";

/// `1.35` or `1.35.7` to the patch that runs.
pub(crate) fn resolve_version(text: &str) -> Option<&'static str> {
    KUBERNETES.iter().find_map(|(minor, patches, _, _)| {
        if text == *minor {
            patches.last().copied()
        } else {
            patches.iter().find(|patch| **patch == text).copied()
        }
    })
}

/// The minor part as a number, 35 for `1.35.7`.
pub(crate) fn minor(version: &str) -> u32 {
    version
        .split('.')
        .nth(1)
        .and_then(|minor| minor.parse().ok())
        .unwrap_or(0)
}

/// `Microsoft.ContainerService/locations/{location}/kubernetesVersions`; the key is `values`.
pub(crate) fn versions() -> Value {
    let rows: Vec<Value> = KUBERNETES
        .iter()
        .map(|(minor_version, patches, preview, lts)| {
            let upgrades = |from: &str| -> Vec<&str> {
                KUBERNETES
                    .iter()
                    .filter(|(other, ..)| {
                        (minor(minor_version)..=minor(minor_version) + 1).contains(&minor(other))
                    })
                    .flat_map(|(_, patches, ..)| patches.iter().copied())
                    .filter(|patch| patch_of(patch) > patch_of(from))
                    .collect()
            };
            let plans = if *lts {
                json!(["AKSLongTermSupport"])
            } else {
                json!(["KubernetesOfficial", "AKSLongTermSupport"])
            };
            let patch_versions: serde_json::Map<String, Value> = patches
                .iter()
                .map(|patch| ((*patch).to_owned(), json!({ "upgrades": upgrades(patch) })))
                .collect();
            let mut row = json!({
                "version": minor_version,
                "capabilities": { "supportPlan": plans },
                "patchVersions": patch_versions,
            });
            if *preview {
                row["isPreview"] = true.into();
            }
            if *minor_version == DEFAULT_VERSION {
                row["isDefault"] = true.into();
            }
            row
        })
        .collect();
    json!({ "values": rows })
}

/// Every patch version that is offered, and whether it is a preview.
pub(crate) fn patches() -> impl Iterator<Item = (&'static str, bool)> {
    KUBERNETES
        .iter()
        .flat_map(|(_, patches, preview, _)| patches.iter().map(|patch| (*patch, *preview)))
}

pub(crate) fn newer(version: &str, than: &str) -> bool {
    patch_of(version) > patch_of(than)
}

fn patch_of(version: &str) -> (u32, u32) {
    let patch = version
        .rsplit('.')
        .next()
        .and_then(|patch| patch.parse().ok())
        .unwrap_or(0);
    (minor(version), patch)
}
