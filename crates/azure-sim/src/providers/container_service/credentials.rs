//! How to reach a cluster: its kubeconfigs.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{CLUSTER, flat};
use crate::state::model::Resource;
use crate::wire::errors::Refusal;
use crate::wire::json as at;

/// `listClusterUserCredential` and `listClusterAdminCredential`: a kubeconfig without any secret; `kubelogin` brings the token.
pub(crate) fn credentials(resource: &Resource, function: &str) -> Result<Value, Refusal> {
    let function = function.to_ascii_lowercase();
    if !resource.is(CLUSTER) {
        return Err(Refusal::bad(
            "InvalidRequestUri",
            format!(
                "The function '{function}' is not supported for '{}'.",
                resource.kind
            ),
        ));
    }
    let admin = match function.as_str() {
        "listclusterusercredential" | "listclustermonitoringusercredential" => false,
        "listclusteradmincredential" => true,
        _ => {
            return Err(Refusal::bad(
                "InvalidRequestUri",
                format!("The function '{function}' is not supported for '{CLUSTER}'."),
            ));
        }
    };
    if admin && at::flag(&resource.body, "/properties/disableLocalAccounts") == Some(true) {
        return Err(flat(Refusal::bad(
            "BadRequest",
            "Getting static credential is not allowed because this cluster is set to disable local accounts.",
        )));
    }
    let host = resource
        .text("/properties/privateFQDN")
        .or_else(|| resource.text("/properties/fqdn"))
        .unwrap_or("localhost");
    let name = resource.name();
    let who = if admin { "clusterAdmin" } else { "clusterUser" };
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters:\n- name: {name}\n  cluster:\n    server: https://{host}:443\ncontexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {who}_{name}\nusers:\n- name: {who}_{name}\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: kubelogin\n      args: [get-token, --login, azurecli, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]\n      interactiveMode: IfAvailable\n      provideClusterInfo: false\n"
    );
    Ok(json!({ "kubeconfigs": [{ "name": who, "value": BASE64_STANDARD.encode(config) }] }))
}
