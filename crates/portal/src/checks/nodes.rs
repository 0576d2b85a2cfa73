//! Labels and taints of AKS node pools: the keys that AKS and Slipway keep for themselves, and what a pattern on one line cannot say.

use std::collections::HashSet;

use serde_json::Value;
use types::problem::FieldError;

use super::text::error;

/// Parameters that become the pool's property of the same name, in every template that has them.
const LABELS: &str = "nodeLabels";
const TAINTS: &str = "nodeTaints";

/// AKS's own prefix. Labels: *can't be used for any node*
/// (<https://learn.microsoft.com/azure/aks/use-labels#reserved-prefixes>, page of 2024-06-10, read 2026-11-27). Taints: *reserved for usage by AKS*, which
/// *already blocks* them, but for that of Spot pools (<https://github.com/Azure/karpenter-provider-azure/issues/1830>, 2026-08-05, read 2026-11-27).
const AKS: &str = "kubernetes.azure.com";
/// The one taint under that prefix that AKS takes.
const SPOT: &str = "kubernetes.azure.com/scalesetpriority=spot:";
/// Kubernetes' own domains. AKS takes node labels in them and below only in the namespaces of [`OPEN`] and below
/// (<https://github.com/Azure/AKS/issues/2866>, 2022-03-25; <https://github.com/Azure/AKS/issues/4613>, 2024-10-29).
const KUBERNETES: [&str; 2] = ["kubernetes.io", "k8s.io"];
const OPEN: [&str; 2] = ["node.kubernetes.io", "kubelet.kubernetes.io"];
/// Labels elsewhere that AKS sets and nobody changes: *Reserved system labels* of the page above; the four without a prefix also by the AKS release of
/// 2021-08-19 (<https://github.com/Azure/AKS/releases/tag/2021-08-19>) and <https://github.com/Azure/karpenter-provider-azure/issues/1707> (2026-06-04).
const SYSTEM_LABELS: [&str; 5] = [
    "node.kubernetes.io/instance-type",
    "agentpool",
    "storageprofile",
    "storagetier",
    "accelerator",
];
/// Longest DNS prefix of a key
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>, read 2026-11-27).
const LONGEST_PREFIX: usize = 253;

/// What is wrong with one of the two parameters; the first thing found.
pub(super) fn problem(at: &str, parameter: &str, value: &Value) -> Option<FieldError> {
    match (parameter, value) {
        (LABELS, Value::Object(labels)) => labels.keys().find_map(|key| label(at, key)),
        (TAINTS, Value::Array(taints)) => {
            let mut seen = HashSet::new();
            taints
                .iter()
                .filter_map(Value::as_str)
                .find_map(|taint| tainted(at, taint.trim(), &mut seen))
        }
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
    let prefix = prefix(&key);
    if prefix == AKS || SYSTEM_LABELS.contains(&key.as_str()) {
        return Some(error(
            at,
            "reserved_name",
            "AKS keeps labels under kubernetes.azure.com/ for itself, and agentpool, storageprofile, storagetier, accelerator and \
             node.kubernetes.io/instance-type. Choose another key.",
        ));
    }
    let kubernetes = KUBERNETES.iter().any(|domain| in_domain(prefix, domain));
    let open = OPEN.iter().any(|domain| in_domain(prefix, domain));
    if kubernetes && !open {
        return Some(error(
            at,
            "reserved_name",
            "Of the labels under kubernetes.io and k8s.io, AKS takes only those under node.kubernetes.io/ and kubelet.kubernetes.io/. Choose another key.",
        ));
    }
    too_long(at, prefix)
}

/// `seen`: key and effect of the taints before.
fn tainted<'a>(
    at: &str,
    taint: &'a str,
    seen: &mut HashSet<(&'a str, &'a str)>,
) -> Option<FieldError> {
    let key = taint.split_once('=').map_or(taint, |(key, _)| key);
    let effect = taint.rsplit_once(':').map_or("", |(_, effect)| effect);
    let lower = key.to_lowercase();
    if prefix(&lower) == AKS && !taint.starts_with(SPOT) {
        return Some(error(
            at,
            "reserved_name",
            "AKS keeps taints under kubernetes.azure.com/ for itself. Choose another key.",
        ));
    }
    // Kubernetes refuses the node: *taints must be unique by key and effect pair* (`validateNodeTaints` in kubernetes/kubernetes,
    // `pkg/apis/core/validation/validation.go`, read 2026-11-27). A pool fails only when its nodes do not join.
    if !seen.insert((key, effect)) {
        return Some(error(
            at,
            "duplicate",
            format!(
                "Two taints have the key {key} and the effect {effect}. A node takes one of them: remove the other."
            ),
        ));
    }
    too_long(at, prefix(&lower))
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

fn too_long(at: &str, prefix: &str) -> Option<FieldError> {
    (prefix.len() > LONGEST_PREFIX).then(|| {
        error(
            at,
            "too_long",
            format!("What stands before the / of a key has at most {LONGEST_PREFIX} characters."),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(parameter: &str, value: &Value) -> Option<String> {
        problem("parameters.x", parameter, value).map(|found| found.code)
    }

    #[test]
    fn keys_of_slipway_of_aks_and_of_kubernetes_are_refused_in_any_case() {
        for key in [
            "slipway-stack",
            "Slipway-Stack",
            " SLIPWAY-INSTALLATION ",
            "slipway-anything",
            "kubernetes.azure.com/mode",
            "Kubernetes.Azure.com/x",
            "kubernetes.io/os",
            "k8s.io/x",
            "topology.kubernetes.io/zone",
            "node-role.kubernetes.io/batch",
            "node-restriction.kubernetes.io/x",
            "Node-Restriction.Kubernetes.io/x",
            "team.k8s.io/x",
            "mynode.kubernetes.io/x",
            "node.k8s.io/x",
            "node.kubernetes.io/instance-type",
            "agentpool",
            "AgentPool",
            "storageprofile",
            "storagetier",
            "accelerator",
        ] {
            assert_eq!(
                refused(LABELS, &json!({ "team": "a", key: "b" })).as_deref(),
                Some("reserved_name"),
                "{key}"
            );
        }
        for key in [
            "team",
            "slipway",
            "example.com/slipway-stack",
            "example.com/agentpool",
            "azure.com/x",
            "mykubernetes.io/x",
            "kubernetes.io.example.com/x",
            "kubelet.kubernetes.io/x",
            "team.node.kubernetes.io/x",
            "node.kubernetes.io/exclude-from-external-load-balancers",
        ] {
            assert_eq!(refused(LABELS, &json!({ key: "b" })), None, "{key}");
        }
        assert_eq!(refused("other", &json!({ "slipway-stack": "b" })), None);
    }

    #[test]
    fn of_the_taints_of_aks_only_that_of_spot_pools_is_taken() {
        for taint in [
            "kubernetes.azure.com/x=c:NoSchedule",
            "kubernetes.azure.com/mode=gateway:NoSchedule",
            "kubernetes.azure.com/scalesetpriority=regular:NoSchedule",
            "kubernetes.azure.com/scalesetpriority=spotted:NoSchedule",
            "Kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
        ] {
            assert_eq!(
                refused(TAINTS, &json!(["a=b:NoExecute", taint])).as_deref(),
                Some("reserved_name"),
                "{taint}"
            );
        }
        for taint in [
            "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
            "CriticalAddonsOnly=true:NoSchedule",
            "team.kubernetes.azure.com/x=c:NoSchedule",
        ] {
            assert_eq!(refused(TAINTS, &json!([taint])), None, "{taint}");
        }
    }

    #[test]
    fn a_key_has_one_taint_of_an_effect_and_no_endless_prefix() {
        let twice = json!(["a=b:NoSchedule", "x=b:NoSchedule", "a=c:NoSchedule"]);
        assert_eq!(refused(TAINTS, &twice).as_deref(), Some("duplicate"));
        let apart = json!(["a=b:NoSchedule", "a=b:NoExecute", "A=b:NoSchedule"]);
        assert_eq!(refused(TAINTS, &apart), None);
        let key = |length: usize| format!("{}/x", "a".repeat(length));
        for (length, wanted) in [(253, None), (254, Some("too_long"))] {
            let labels = json!({ key(length): "b" });
            assert_eq!(refused(LABELS, &labels).as_deref(), wanted);
            let taints = json!([format!("{}=b:NoSchedule", key(length))]);
            assert_eq!(refused(TAINTS, &taints).as_deref(), wanted);
        }
    }
}
