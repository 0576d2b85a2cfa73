//! Label and taint keys that AKS refuses on a node pool. What the kubelet refuses when a node joins is not here.

use serde_json::Value;

use crate::providers::Draft;
use crate::wire::errors::Refusal;

const AKS: &str = "kubernetes.azure.com";
/// The one taint under AKS's prefix that it takes (<https://github.com/Azure/karpenter-provider-azure/issues/1830>, 2026-08-05).
const SPOT: &str = "kubernetes.azure.com/scalesetpriority=spot:";
const KUBERNETES: [&str; 2] = ["kubernetes.io", "k8s.io"];
const OPEN: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
/// Labels that AKS sets (<https://learn.microsoft.com/azure/aks/use-labels#reserved-system-labels>, page of 2024-06-10; AKS release of 2021-08-19;
/// <https://github.com/Azure/karpenter-provider-azure/issues/1707>, 2026-06-04).
const SYSTEM: [&str; 4] = ["agentpool", "storageprofile", "storagetier", "accelerator"];

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    if let Some(Value::Object(labels)) = draft.body.pointer("/properties/nodeLabels") {
        for (key, value) in labels {
            label(key, value.as_str().unwrap_or_default())?;
        }
    }
    if let Some(Value::Array(taints)) = draft.body.pointer("/properties/nodeTaints") {
        for taint in taints.iter().filter_map(Value::as_str) {
            tainted(taint)?;
        }
    }
    Ok(())
}

fn label(key: &str, value: &str) -> Result<(), Refusal> {
    let refuse =
        |message: String| Err(Refusal::bad("BadRequest", message).at(format!("{key}={value}")));
    let prefix = prefix(key);
    // <https://github.com/ams0/aks-nvme-ssd-provisioner/issues/5>, 2023-04-27.
    if prefix == AKS {
        return refuse(format!(
            "Invalid node label key {key}. The '{AKS}' prefix is preserved by aks system labels"
        ));
    }
    // <https://github.com/Azure/AKS/issues/2866>, 2022-03-25; still so in Azure/AKS#4613, 2024-10-29.
    let within = |domains: &[&str]| domains.iter().any(|domain| in_domain(prefix, domain));
    if within(&KUBERNETES) && !within(&OPEN) {
        return refuse("For Kubernetes version greater than or equal to 1.16, node label keys in the 'kubernetes.io' or 'k8s.io' namespace must begin with an allowed prefix (kubelet.kubernetes.io, node.kubernetes.io). For more information, please check https://aka.ms/aks-node-labels-116.".to_owned());
    }
    // The wording is ours.
    if SYSTEM.contains(&key) {
        return refuse(format!(
            "Invalid node label key {key}. It is reserved by aks system labels"
        ));
    }
    Ok(())
}

/// That AKS refuses them is documented, its words are not: these are ours.
fn tainted(taint: &str) -> Result<(), Refusal> {
    let key = taint.split_once('=').map_or(taint, |(key, _)| key);
    if prefix(key) != AKS || taint.starts_with(SPOT) {
        return Ok(());
    }
    Err(Refusal::bad(
        "BadRequest",
        format!(
            "Invalid node taint key {key}. The '{AKS}' prefix is preserved by aks system taints"
        ),
    )
    .at(taint))
}

fn prefix(key: &str) -> &str {
    key.split_once('/').map_or("", |(prefix, _)| prefix)
}

/// The domain itself or one below it.
fn in_domain(prefix: &str, domain: &str) -> bool {
    prefix == domain
        || prefix
            .strip_suffix(domain)
            .is_some_and(|below| below.ends_with('.'))
}
