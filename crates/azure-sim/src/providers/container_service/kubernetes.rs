//! The Kubernetes versions that AKS offers: as text, as patches, as the answer of `kubernetesVersions`, and which of them a cluster may go to.

use serde_json::{Value, json};

use crate::providers::Draft;
use crate::wire::errors::Refusal;
use crate::wire::json as at;

/// Minor version, its patches oldest first, preview, long-term support only (facts: azure.md 1.6).
const KUBERNETES: &[(&str, &[&str], bool, bool)] = &[
    ("1.33", &["1.33.12"], false, true),
    ("1.34", &["1.34.9", "1.34.10"], false, false),
    ("1.35", &["1.35.6", "1.35.7"], false, false),
    ("1.36", &["1.36.2", "1.36.3"], false, false),
    ("1.37", &["1.37.0"], true, false),
];
const DEFAULT_VERSION: &str = "1.35";
const ASKED: &str = "/properties/kubernetesVersion";
const CURRENT: &str = "/properties/currentKubernetesVersion";

/// The version that the cluster will run: one that is offered, not below the one it runs, and not more than a minor version above.
pub(super) fn prepare(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    // `az aks create` sends an empty text for *whatever is the default*.
    if draft.text(ASKED) == Some("") {
        at::remove(&mut draft.body, ASKED);
    }
    let before = draft.old.and_then(|old| old.text(ASKED));
    draft.default(ASKED, before.unwrap_or(DEFAULT_VERSION));
    let Some(asked) = draft.text(ASKED) else {
        return Ok(());
    };
    let runs = draft.old.and_then(|old| old.text(CURRENT));
    let Some(exact) = resolve(asked, runs) else {
        return Err(Refusal::bad(
            "K8sVersionNotSupported",
            format!(
                "Managed cluster {} is on version {asked}, which is not supported in this region. Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list",
                draft.id.last_name()
            ),
        )
        .at("kubernetesVersion"));
    };
    if let Some(runs) = runs {
        reachable(runs, &exact)?;
    }
    let long = draft.text("/properties/supportPlan") == Some("AKSLongTermSupport");
    let only_long = KUBERNETES
        .iter()
        .any(|(version, _, _, lts)| *lts && minor(version) == minor(&exact));
    if only_long && !long && runs != Some(exact.as_str()) {
        return Err(Refusal::bad(
            "K8sVersionNotSupported",
            format!(
                "Managed cluster {} is on version {exact}, which is only available for Long-Term Support (LTS). If you intend to onboard to LTS, please ensure the cluster is in Premium tier and LTS support plan. For more information, please check https://aka.ms/aks/lts",
                draft.id.last_name()
            ),
        )
        .at("kubernetesVersion"));
    }
    at::set(&mut draft.body, CURRENT, exact.into());
    Ok(())
}

/// The patch that a text means where this one runs: a minor version alone is no reason to leave a patch of it
/// (<https://learn.microsoft.com/azure/aks/supported-kubernetes-versions#alias-minor-version>).
pub(crate) fn resolve(asked: &str, runs: Option<&str>) -> Option<String> {
    let same_minor = |runs: &&str| {
        *runs == asked
            || runs
                .rsplit_once('.')
                .is_some_and(|(minor, _)| minor == asked)
    };
    match runs.filter(same_minor) {
        Some(runs) => Some(runs.to_owned()),
        None => resolve_version(asked).map(str::to_owned),
    }
}

fn reachable(from: &str, to: &str) -> Result<(), Refusal> {
    let verb = if newer(from, to) {
        "Downgrading"
    } else if minor(to) > minor(from) + 1 {
        "Upgrading"
    } else {
        return Ok(());
    };
    let available: Vec<&str> = upgrades(from).map(|(version, _)| version).collect();
    Err(Refusal::bad(
        "OperationNotAllowed",
        format!(
            "{verb} Kubernetes version {from} to {to} is not allowed. Available upgrades: [{}]. Please see https://aka.ms/aks-supported-k8s-ver for version details.",
            available.join(" ")
        ),
    )
    .at("kubernetesVersion"))
}

/// `1.35` or `1.35.7` to the patch that runs.
fn resolve_version(text: &str) -> Option<&'static str> {
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

/// Where a control plane can go from this version, and which of them are previews.
pub(crate) fn upgrades(from: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let (minor_version, from) = (minor(from), from.to_owned());
    patches()
        .filter(move |(version, _)| newer(version, &from) && minor(version) <= minor_version + 1)
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
