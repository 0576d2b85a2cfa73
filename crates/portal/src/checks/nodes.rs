//! Labels and taints of AKS node pools: the keys that AKS and Slipway keep for themselves.

use serde_json::Value;
use types::problem::FieldError;

use super::text::error;

/// Parameters that become the pool's property of the same name, in every template that has them.
const LABELS: &str = "nodeLabels";
const TAINTS: &str = "nodeTaints";

/// Prefixes that AKS keeps for itself, *can't be used for any node*
/// (<https://learn.microsoft.com/azure/aks/use-labels#reserved-prefixes>, page of 2024-06-10, read 2026-11-27).
const PREFIXES: [&str; 2] = ["kubernetes.azure.com", "kubernetes.io"];
/// Labels under other prefixes that AKS sets and nobody changes (same page, *Reserved system labels*).
const SYSTEM_LABELS: [&str; 3] = [
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];
/// The prefix of AKS's own taints, such as that of Spot pools: *modifications to system taints aren't allowed*
/// (<https://learn.microsoft.com/azure/aks/use-node-taints>, read 2026-11-27).
const TAINT_PREFIX: &str = "kubernetes.azure.com";

/// What is wrong with the keys of one of the two parameters; the first thing found.
pub(super) fn problem(at: &str, parameter: &str, value: &Value) -> Option<FieldError> {
    match (parameter, value) {
        (LABELS, Value::Object(labels)) => labels.keys().find_map(|key| label(at, key)),
        (TAINTS, Value::Array(taints)) => taints
            .iter()
            .filter_map(Value::as_str)
            .find_map(|taint| tainted(at, taint)),
        _ => None,
    }
}

fn label(at: &str, key: &str) -> Option<FieldError> {
    // ARM does not tell capitals in names apart, Kubernetes does: both readings must be harmless.
    let key = key.trim().to_lowercase();
    if key.starts_with("slipway-") {
        return Some(error(
            at,
            "reserved_name",
            "Slipway sets labels that begin with slipway- itself; leave them out.",
        ));
    }
    let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
    (PREFIXES.contains(&prefix) || SYSTEM_LABELS.contains(&key.as_str())).then(|| {
        error(
            at,
            "reserved_name",
            "AKS keeps labels under kubernetes.azure.com/ and kubernetes.io/ for itself, and those of size, region and zone. Choose another key.",
        )
    })
}

fn tainted(at: &str, taint: &str) -> Option<FieldError> {
    let key = taint.trim().to_lowercase();
    let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
    (prefix == TAINT_PREFIX).then(|| {
        error(
            at,
            "reserved_name",
            "AKS keeps taints under kubernetes.azure.com/ for itself. Choose another key.",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_slipway_and_of_aks_are_refused_in_any_case() {
        let refused = |parameter: &str, value: Value| {
            problem("parameters.x", parameter, &value).map(|found| found.code)
        };
        for key in [
            "slipway-stack",
            "Slipway-Stack",
            " SLIPWAY-INSTALLATION ",
            "slipway-anything",
            "kubernetes.azure.com/mode",
            "Kubernetes.Azure.com/x",
            "kubernetes.io/os",
            "node.kubernetes.io/instance-type",
            "topology.kubernetes.io/zone",
        ] {
            assert_eq!(
                refused(LABELS, json!({ "team": "a", key: "b" })).as_deref(),
                Some("reserved_name"),
                "{key}"
            );
        }
        for key in [
            "team",
            "slipway",
            "example.com/slipway-stack",
            "azure.com/x",
            "node.kubernetes.io/exclude-from-external-load-balancers",
        ] {
            assert_eq!(refused(LABELS, json!({ key: "b" })), None, "{key}");
        }
        let spot = "Kubernetes.azure.com/scalesetpriority=spot:NoSchedule";
        assert!(refused(TAINTS, json!(["a=b:NoExecute", spot])).is_some());
        assert_eq!(
            refused(TAINTS, json!(["CriticalAddonsOnly=true:NoSchedule"])),
            None
        );
        assert_eq!(refused("other", json!({ "slipway-stack": "b" })), None);
    }
}
