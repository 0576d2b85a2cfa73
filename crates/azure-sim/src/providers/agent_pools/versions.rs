//! The Kubernetes version of a pool, and how far it may be from its control plane's.

use serde_json::Value;

use crate::providers::Draft;
use crate::providers::container_service::{POOL, minor, newer, resolve};
use crate::state::model::{Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::json as at;

/// The version as asked for, and the patch that runs. It may lag behind the control plane by three minor versions, not be ahead of it
/// (<https://aka.ms/version-skew-policy>), and not go back.
pub(super) fn of(draft: &Draft<'_>, cluster: &Value) -> Result<(String, String), Refusal> {
    const ASKED: &str = "/properties/orchestratorVersion";
    const PLANE: &str = "/properties/currentKubernetesVersion";
    let refuse = |code: &str, message: String| {
        Err(Refusal::bad(code, message).at("agentPoolProfile.orchestratorVersion"))
    };
    let plane = at::text(cluster, PLANE);
    let runs = draft
        .old
        .and_then(|old| old.text("/properties/currentOrchestratorVersion"));
    let asked = match draft.text(ASKED) {
        // `az` sends an empty text for *as the control plane*.
        Some("") => plane,
        Some(asked) => Some(asked),
        None => draft.old.and_then(|old| old.text(ASKED)).or(plane),
    };
    let asked = asked.unwrap_or("1.35.7").to_owned();
    let own = runs.filter(|runs| minor(runs) == minor(&asked));
    let Some(exact) = resolve(&asked, own.or(plane)) else {
        return refuse(
            "K8sVersionNotSupported",
            format!(
                "Agent pool version {asked} is not supported in this region. For more information, please check https://aka.ms/supported-version-list"
            ),
        );
    };
    if let Some(runs) = runs.filter(|runs| newer(runs, &exact)) {
        return refuse(
            "OperationNotAllowed",
            format!(
                "Downgrading agent pool {} from Kubernetes version {runs} to {exact} is not allowed. Please see https://aka.ms/aks-supported-k8s-ver for version details.",
                draft.id.last_name()
            ),
        );
    }
    if let Some(plane) = plane
        && let Some(why) = apart(&exact, plane)
    {
        return refuse(
            "NodePoolMcVersionIncompatible",
            format!(
                "Node pool version {exact} and control plane version {plane} are incompatible. {why}. For more information, please check https://aka.ms/version-skew-policy"
            ),
        );
    }
    Ok((asked, exact))
}

/// Why a pool of this version cannot belong to such a control plane.
fn apart(pool: &str, plane: &str) -> Option<String> {
    let patch = |version: &str| version.rsplit('.').next().unwrap_or_default().to_owned();
    let (own, above) = (minor(pool), minor(plane));
    if own > above {
        Some(format!(
            "Minor version of node pool version {own} is bigger than control plane version {above}"
        ))
    } else if newer(pool, plane) {
        Some(format!(
            "Patch version of node pool version {} is bigger than control plane version {}",
            patch(pool),
            patch(plane)
        ))
    } else if own + 3 < above {
        Some(format!(
            "Minor version of node pool version {own} is more than 3 versions behind control plane version {above}"
        ))
    } else {
        None
    }
}

/// Whether the pools that a cluster's body leaves out can stay when the control plane goes to this version.
pub(in crate::providers) fn follow(
    world: &World,
    cluster: &Resource,
    profiles: &[Value],
    plane: &str,
) -> Result<(), Refusal> {
    for (_, pool) in world
        .under(&cluster.key())
        .filter(|(_, child)| child.is(POOL))
    {
        if profiles
            .iter()
            .any(|profile| at::text(profile, "/name") == Some(pool.name()))
        {
            continue;
        }
        let Some(runs) = pool.text("/properties/currentOrchestratorVersion") else {
            continue;
        };
        if let Some(why) = apart(runs, plane) {
            return Err(Refusal::bad(
                "NodePoolMcVersionIncompatible",
                format!(
                    "Node pool version {runs} and control plane version {plane} are incompatible. {why}. For more information, please check https://aka.ms/version-skew-policy"
                ),
            )
            .at("kubernetesVersion"));
        }
    }
    Ok(())
}
