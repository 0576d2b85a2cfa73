//! What the simulator serves, operation by operation, and where it knowingly differs from Azure: the source of `docs/azure-fidelity.md`. How an operation works is in `wire` and `providers`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::providers::{self, Patch};

/// One operation of the simulator.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `GET`, `PUT`, …
    pub method: &'static str,
    /// From the last provider on, names in braces: `Microsoft.Compute/disks/{name}`; a whole path where no provider stands in it.
    pub path: String,
    /// What a reader should know that Azure does otherwise; empty for nothing.
    pub differs: &'static str,
}

impl Operation {
    /// How requests are compared with it: lower case, names emptied.
    pub fn key(&self) -> String {
        let path: Vec<String> = self
            .path
            .trim_start_matches('/')
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    "{}".to_owned()
                } else {
                    part.to_ascii_lowercase()
                }
            })
            .collect();
        format!("{} {}", self.method, path.join("/"))
    }
}

/// What is different of a type, in all its operations.
fn of_type(name: &str) -> &'static str {
    match name {
        "Microsoft.Compute/virtualMachines" => {
            "Headers of a direct PUT are by analogy. There is no guest: nothing boots, the agent is always ready"
        }
        "Microsoft.Compute/virtualMachines/extensions" => {
            "Nothing is installed; every extension succeeds"
        }
        "Microsoft.Compute/disks" => "Only creation options Empty and FromImage are checked",
        "Microsoft.Network/publicIPAddresses" => {
            "Addresses are from 203.0.113.0/24, reserved for documentation, and may repeat"
        }
        "Microsoft.Network/natGateways" => {
            "Kept and shown; nothing is checked but references and who has an address"
        }
        "Microsoft.Network/networkSecurityGroups" => {
            "Service tags of a family are taken whatever follows (`Azure…`, `Microsoft…`), and prefixes that do not begin at their first address"
        }
        "Microsoft.ContainerService/managedClusters" => {
            "No Kubernetes runs; the node resource group stays empty"
        }
        "Microsoft.ContainerService/managedClusters/agentPools" => {
            "Node images are not tied to dates. Of labels and taints only reserved keys are refused; the wording for labels without a prefix and for taints is ours"
        }
        "Microsoft.Authorization/roleAssignments" => {
            "Kept and shown; the one application may do everything"
        }
        "Microsoft.Authorization/policyDefinitions" => {
            "The functions `requestContext()` and `policy()` are refused. Three built-in definitions"
        }
        "Microsoft.Authorization/policyAssignments" => {
            "Only `deny` acts; assignments act at once, in Azure after minutes"
        }
        _ => "",
    }
}

/// Operations that do not follow from the table of types.
#[rustfmt::skip]
const OTHERS: &[(&str, &str, &str)] = &[
    ("GET", "/metadata/endpoints", "Only what clients read of a cloud"),
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", ""),
    ("GET", "/{tenant}/discovery/v2.0/keys", "One RS256 key, never rotated"),
    ("POST", "/{tenant}/oauth2/v2.0/token", "Client credentials only: by secret, or by the assertion of the one workload that the federated credential names"),
    ("GET", "/workloads/.well-known/openid-configuration", "The issuer of a cluster that is not there; `POST /_sim/workload-token` projects its tokens"),
    ("GET", "/workloads/openid/v1/jwks", ""),
    ("GET", "/images/aliases.json", "Two aliases"),
    ("GET", "/api/retail/prices", "A sample of sizes, two regions with sourced prices"),
    ("GET", "/tenants", ""),
    ("GET", "/subscriptions", ""),
    ("GET", "/subscriptions/{subscription}", ""),
    ("GET", "/subscriptions/{subscription}/locations", "Four regions"),
    ("GET", "/subscriptions/{subscription}/tagNames", "Always empty"),
    ("GET", "/subscriptions/{subscription}/providers", "Types that are served here"),
    ("GET", "/subscriptions/{subscription}/providers/{namespace}", ""),
    ("POST", "/subscriptions/{subscription}/providers/{namespace}/register", "Everything is registered from the start"),
    ("GET", "/subscriptions/{subscription}/resources", "`$filter`: equalities joined by `and`. Of children, only the extensions of machines"),
    ("GET", "/subscriptions/{subscription}/operationresults/{operation}", ""),
    ("GET", "/subscriptions/{subscription}/resourceGroups", ""),
    ("GET", "/subscriptions/{subscription}/resourceGroups/{name}", ""),
    ("HEAD", "/subscriptions/{subscription}/resourceGroups/{name}", ""),
    ("PUT", "/subscriptions/{subscription}/resourceGroups/{name}", ""),
    ("PATCH", "/subscriptions/{subscription}/resourceGroups/{name}", ""),
    ("DELETE", "/subscriptions/{subscription}/resourceGroups/{name}", "All at once at the end, not resource by resource"),
    ("GET", "/subscriptions/{subscription}/resourceGroups/{name}/resources", "Of children, only the extensions of machines. Always of now; Azure's list comes from a regional cache that lags behind (Azure/AKS#1964), which the fault `lag` plays. A resource read by itself never lags here; in Azure it may (Azure/azure-rest-api-specs#21221)"),
    ("GET", "/subscriptions/{subscription}/resourceGroups/{name}/deployments/{deployment}/operations", ""),
    ("GET", "Microsoft.Resources/tags/{default}", ""),
    ("PUT", "Microsoft.Resources/tags/{default}", "Answers at once, where new versions of Azure may answer 202"),
    ("PATCH", "Microsoft.Resources/tags/{default}", "Answers at once, where new versions of Azure may answer 202"),
    ("DELETE", "Microsoft.Resources/tags/{default}", ""),
    ("GET", "Microsoft.Resources/deployments", ""),
    ("GET", "Microsoft.Resources/deployments/{name}", ""),
    ("HEAD", "Microsoft.Resources/deployments/{name}", ""),
    ("PUT", "Microsoft.Resources/deployments/{name}", "Inline templates only; groups and subscriptions, not management groups or the tenant"),
    ("DELETE", "Microsoft.Resources/deployments/{name}", ""),
    ("POST", "Microsoft.Resources/deployments/{name}/validate", "Always 200 or 400, never 202"),
    ("POST", "Microsoft.Resources/deployments/{name}/whatIf", "Of a resource, what the template leaves out counts as unchanged; `Array` changes are told as `Modify`"),
    ("POST", "Microsoft.Resources/deployments/{name}/cancel", ""),
    ("POST", "Microsoft.Resources/deployments/{name}/exportTemplate", ""),
    ("GET", "Microsoft.Resources/deployments/{name}/operations", ""),
    ("GET", "Microsoft.Resources/deployments/{name}/operations/{operation}", ""),
    ("GET", "Microsoft.Resources/deployments/{name}/operationStatuses/{operation}", ""),
    ("GET", "Microsoft.Compute/skus", "Twenty-odd sizes; `$filter` by location only"),
    ("GET", "Microsoft.Compute/locations/{location}/usages", "Limits are made up; families of the sizes that are served"),
    ("GET", "Microsoft.Compute/locations/{location}/vmSizes", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers", "Azure Linux images and five extensions; version numbers are made up"),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/offers", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/offers/{offer}/skus", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/offers/{offer}/skus/{sku}/versions", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/offers/{offer}/skus/{sku}/versions/{version}", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/types", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/types/{name}/versions", ""),
    ("GET", "Microsoft.Compute/locations/{location}/publishers/{publisher}/artifacttypes/{type}/types/{name}/versions/{version}", ""),
    ("GET", "Microsoft.Compute/locations/{location}/operations/{operation}", ""),
    ("GET", "Microsoft.Compute/locations/{location}/DiskOperations/{operation}", ""),
    ("GET", "Microsoft.Compute/virtualMachines/{name}/instanceView", "Agent and boot are always well"),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/start", ""),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/powerOff", ""),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/restart", ""),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/deallocate", ""),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/redeploy", "There is no other host to go to"),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/reapply", ""),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/simulateEviction", "Evicted at once; the wording of the refusal without spot priority is ours"),
    ("GET", "Microsoft.Compute/virtualMachines/{name}/vmSizes", "All sizes of the same processor architecture"),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/runCommand", "Nothing is run; the answer says so"),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/assessPatches", "No patch is ever missing"),
    ("POST", "Microsoft.Compute/virtualMachines/{name}/retrieveBootDiagnosticsData", "The addresses lead nowhere"),
    ("GET", "Microsoft.Network/locations/{location}/usages", "Always empty"),
    ("GET", "Microsoft.Network/locations/{location}/operations/{operation}", ""),
    ("GET", "Microsoft.Network/locations/{location}/operationResults/{operation}", ""),
    ("GET", "Microsoft.ContainerService/locations/{location}/kubernetesVersions", "Versions as of September 2026"),
    ("GET", "Microsoft.ContainerService/locations/{location}/operations/{operation}", ""),
    ("GET", "Microsoft.ContainerService/locations/{location}/operationresults/{operation}", ""),
    ("GET", "Microsoft.ContainerService/managedClusters/{name}/upgradeProfiles/{profile}", ""),
    ("GET", "Microsoft.ContainerService/managedClusters/{name}/availableAgentPoolVersions", ""),
    ("GET", "Microsoft.ContainerService/managedClusters/{name}/agentPools/{pool}/upgradeProfiles/{profile}", "No version was recently used"),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/start", ""),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/stop", ""),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/rotateClusterCertificates", "Shown as Updating while it runs"),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/runCommand", "Nothing is run and the log says so; the result is at the operation's Location only. The wording for a cluster that forbids it is ours"),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/listClusterUserCredential", "A kubeconfig without any secret, for `kubelogin`"),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/listClusterAdminCredential", "A kubeconfig without any secret"),
    ("POST", "Microsoft.ContainerService/managedClusters/{name}/agentPools/{pool}/upgradeNodeImageVersion", ""),
    ("GET", "Microsoft.Authorization/roleDefinitions", "Some hundred built-in roles; what they allow is told of ten. None can be made"),
    ("GET", "Microsoft.Authorization/roleDefinitions/{name}", ""),
    ("GET", "Microsoft.Authorization/policySetDefinitions", "Always empty"),
    ("GET", "Microsoft.Authorization/policySetDefinitions/{name}", "Never found"),
    ("GET", "Microsoft.Authorization/permissions", "Everything is allowed"),
];

/// Everything that is served, in the order of the document.
pub fn operations() -> Vec<Operation> {
    let mut all: Vec<Operation> = OTHERS
        .iter()
        .map(|(method, path, differs)| Operation {
            method,
            path: (*path).to_owned(),
            differs,
        })
        .collect();
    for kind in providers::kinds().values() {
        let (namespace, types) = (kind.namespace(), kind.short());
        let parts: Vec<&str> = types.split('/').collect();
        let list = format!("{namespace}/{}", parts.join("/{parent}/"));
        let one = format!("{list}/{{name}}");
        let differs = of_type(kind.name);
        let row = |method: &'static str, path: &str, differs: &'static str| Operation {
            method,
            path: path.to_owned(),
            differs,
        };
        all.push(row("PUT", &one, differs));
        if kind.patch != Patch::Never {
            all.push(row("PATCH", &one, ""));
        }
        all.push(row("GET", &one, ""));
        all.push(row("DELETE", &one, ""));
        all.push(row("GET", &list, ""));
    }
    all
}

/// A request's path as [`Operation::key`] writes it.
pub fn key(method: &str, path: &str) -> String {
    let parts: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .map(str::to_ascii_lowercase)
        .collect();
    // Types and names alternate behind a provider, collections and names everywhere else.
    let from = parts
        .iter()
        .rposition(|part| part == "providers")
        .filter(|at| {
            parts.len() > at + 2 && !(parts.len() == at + 3 && parts[at + 2] == "register")
        })
        .map(|at| at + 1);
    let fixed = ["metadata", "images", "api"].contains(&parts[0].as_str());
    let tenant = parts.get(1).is_some_and(|part| {
        ["oauth2", "v2.0", "discovery", ".well-known"].contains(&part.as_str())
    });
    let kept: Vec<String> = match from {
        Some(from) => parts[from..]
            .iter()
            .enumerate()
            .map(|(at, part)| emptied(part, at > 0 && at % 2 == 0))
            .collect(),
        None => parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                emptied(
                    part,
                    if tenant {
                        at == 0
                    } else {
                        !fixed && at % 2 == 1
                    },
                )
            })
            .collect(),
    };
    format!("{method} {}", kept.join("/"))
}

fn emptied(part: &str, name: bool) -> String {
    if name {
        "{}".to_owned()
    } else {
        part.to_owned()
    }
}

/// `docs/azure-fidelity.md`. The sets are the operations (as [`key`] writes them) that each client used with success in its story.
pub fn document(sdk: &BTreeSet<String>, az: &BTreeSet<String>) -> String {
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for operation in operations() {
        let first = operation.path.split('/').next().unwrap_or_default();
        let group = if first.starts_with("Microsoft.") {
            first.to_owned()
        } else {
            "ARM, Entra and prices".to_owned()
        };
        groups.entry(group).or_default().push(operation);
    }
    let mut text = String::from(HEAD);
    let total: usize = groups.values().map(Vec::len).sum();
    let proven = groups
        .values()
        .flatten()
        .filter(|operation| sdk.contains(&operation.key()) || az.contains(&operation.key()))
        .count();
    let _ = writeln!(
        text,
        "{total} operations are served; {proven} of them are used by the stories of the unmodified clients.\n"
    );
    for (group, operations) in groups {
        let _ = writeln!(text, "## {group}\n");
        text.push_str("| operation | Python SDK | az | knowingly different |\n|---|---|---|---|\n");
        for operation in operations {
            let seen = |by: &BTreeSet<String>| {
                if by.contains(&operation.key()) {
                    "used"
                } else {
                    ""
                }
            };
            let _ = writeln!(
                text,
                "| `{} {}` | {} | {} | {} |",
                operation.method,
                operation.path,
                seen(sdk),
                seen(az),
                operation.differs
            );
        }
        text.push('\n');
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = "# How faithful the simulator is

`slipway sim` answers as Azure Resource Manager does, far enough that Microsoft's own tools accept it unmodified: the SDK for Python and the Azure CLI each
tell a story against it (`cargo xtask test conformance`, which installs both in virtual environments of its own). This page is generated from the simulator's
table of operations and from what those stories used; `SLIPWAY_BLESS=1 cargo test -p azure-sim --test fidelity` writes it, and the same test fails when it is out of date.

Paths begin behind the last `/providers/`; *used* means that the story made this call and it went through.

";

const TAIL: &str = "## What holds for all of them

- **Time** runs faster (`--sim-speed`) and can be stepped (`POST /_sim/clock`); durations are Azure's, divided.
- **Versions**: each type has its list of api-versions; all of them answer in the same shape, the newest.
- **Validation** covers required values, ranges, references, what cannot change and the compatibility rules of sizes, images and node systems. Bodies of Compute, Network and ContainerService are read by tables of Microsoft's SDK (`conformance/members.py`): unknown
  members, wrong JSON types and unknown words are refused in each provider's own words, as far as those are known; read-only members are ignored. One table
  per type, the newest, holds for all versions. Elsewhere, members that Azure does not know are refused beside `properties` and kept below it.
  Names of tags that begin with `microsoft`, `azure` or `windows` are refused on resources, not on groups; code and words are ours.
- **Throttling**: ARM's token buckets per subscription, Compute's per machine and per subscription. The buckets that AKS has for its own calls
  ([quotas-skus-regions](https://learn.microsoft.com/azure/aks/quotas-skus-regions), page of 2026-08-03) are not there. What Compute calls its buckets in
  `x-ms-ratelimit-remaining-resource` is not established; the names here are ours.
- **Permissions**: one application, which may do everything. Tokens are checked for signature, issuer, audience, tenant and time.
- **Names of the world**: one tenant, four regions, prices and quotas of a sample.
- Signing tokens needs a processor with AES, AVX2, BMI and ADX (x86-64 since about 2013), or a 64-bit Arm.
";
