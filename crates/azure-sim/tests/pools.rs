//! Clusters and node pools: what Azure Container Linux demands, one change at a time, what a cluster owns and shows, which versions it may go to, and what is left of it when it is stopped.

mod common;

use azure_sim::{Config, seed};
use common::{AKS, Answer, GROUPS, Sim, fast};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn pool(secure_boot: bool) -> Value {
    json!({ "properties": {
        "mode": "User", "osType": "Linux", "osSKU": "AzureContainerLinux", "vmSize": "Standard_D4ds_v6", "count": 2,
        "vnetSubnetID": seed::SUBNET_DEV_WESTEUROPE, "enableEncryptionAtHost": true,
        "securityProfile": { "enableSecureBoot": secure_boot, "enableVTPM": true, "sshAccess": "Disabled" },
    } })
}

#[tokio::test]
async fn a_pool_is_added_to_the_seeded_cluster_and_taken_away() {
    let sim = Sim::start(fast()).await;
    let cluster = format!("{}?api-version={AKS}", seed::CLUSTER_DEV);
    let seen = sim.get(&cluster).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!(seen.body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        seen.body["properties"]["agentPoolProfiles"][0]["nodeImageVersion"],
        "AKSAzureContainerLinux-202610.01.0"
    );

    let path = |name: &str| format!("{}/agentPools/{name}?api-version={AKS}", seed::CLUSTER_DEV);
    let unsafe_boot = sim.put(&path("work"), &pool(false)).await;
    assert_eq!(
        (unsafe_boot.status, unsafe_boot.code()),
        (StatusCode::BAD_REQUEST, "InvalidParameter")
    );
    assert!(
        unsafe_boot.body.get("error").is_none(),
        "this provider writes errors flat: {}",
        unsafe_boot.body
    );
    let early = sim
        .put(&path("work").replace(AKS, "2025-10-01"), &pool(true))
        .await;
    assert_eq!(
        early.status,
        StatusCode::BAD_REQUEST,
        "the system does not exist in that version: {}",
        early.body
    );

    let put = sim.put(&path("work"), &pool(true)).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    assert_eq!(put.body["properties"]["provisioningState"], "Creating");
    assert!(
        put.header("azure-asyncoperation")
            .contains("api-version=2016-03-30")
    );
    assert!(put.header("location").is_empty());
    let second = sim.put(&path("other"), &pool(true)).await;
    assert_eq!(
        (second.status, second.code()),
        (StatusCode::CONFLICT, "OperationNotAllowed"),
        "{}",
        second.body
    );
    assert_eq!(sim.wait(&put).await["status"], "Succeeded");

    let mut other_size = pool(true);
    other_size["properties"]["vmSize"] = "Standard_D2ds_v6".into();
    let fixed = sim.put(&path("work"), &other_size).await;
    assert_eq!(
        (fixed.status, fixed.code()),
        (StatusCode::CONFLICT, "PropertyChangeNotAllowed")
    );

    let names = |body: &Value| {
        body["properties"]["agentPoolProfiles"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(names(&sim.get(&cluster).await.body), 2);
    let deleting = sim.delete(&path("work")).await;
    assert_eq!(deleting.status, StatusCode::ACCEPTED, "{}", deleting.body);
    assert!(deleting.header("location").contains("operationresults"));
    assert_eq!(sim.wait(&deleting).await["status"], "Succeeded");
    assert_eq!(names(&sim.get(&cluster).await.body), 1);
    let tags = json!({ "tags": { "a": "b" }, "properties": { "disableLocalAccounts": false } });
    let unpatched = sim
        .send(Method::PATCH, &path("system"), Some(&tags))
        .await
        .unwrap();
    assert_eq!(unpatched.status, StatusCode::METHOD_NOT_ALLOWED);
    let patched = sim
        .send(Method::PATCH, &cluster, Some(&tags))
        .await
        .unwrap();
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    assert_eq!(
        (
            &patched.body["tags"],
            &patched.body["properties"]["disableLocalAccounts"]
        ),
        (&json!({ "a": "b" }), &json!(true)),
        "a cluster's PATCH is for its tags"
    );
    sim.wait(&patched).await;
    let last = sim.delete(&path("system")).await;
    assert_eq!(last.status, StatusCode::BAD_REQUEST, "{}", last.body);

    let versions = sim
        .get(&format!("/subscriptions/{}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions?api-version={AKS}", seed::SUBSCRIPTION_DEV))
        .await
        .body;
    assert!(
        versions["values"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["version"] == "1.35" && row["isDefault"] == true)
    );
}

fn cluster(version: &str) -> Value {
    json!({ "location": "westeurope", "identity": { "type": "SystemAssigned" }, "properties": {
        "dnsPrefix": "one", "kubernetesVersion": version,
        "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5" }],
    } })
}

/// What <https://learn.microsoft.com/azure/aks/use-etags> says of DELETE, of a cluster and of what is not there (page of 2024-06-10, read 2026-11-27).
#[tokio::test]
async fn a_condition_holds_for_exactly_what_was_read() {
    let sim = Sim::start(fast()).await;
    let id = format!("{}/agentPools/work", seed::CLUSTER_DEV);
    let path = format!("{id}?api-version={AKS}");
    let put = sim.put(&path, &pool(true)).await;
    sim.wait(&put).await;
    let etag = async || {
        let seen = sim.get(&path).await.body;
        seen["properties"]["eTag"].as_str().unwrap().to_owned()
    };
    let delete = async |headers: &[(&str, &str)]| {
        let mut request = sim.http.delete(sim.url(&path)).bearer_auth(&sim.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.json().await.unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    };
    let read = etag().await;
    let tags = json!({ "properties": { "tags": { "owner": "somebody" } } });
    let change = format!("/_sim/resources?id={id}");
    let changed = sim.send(Method::PATCH, &change, Some(&tags)).await.unwrap();
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let refused = delete(&[("if-match", &read)]).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::PRECONDITION_FAILED, "PreconditionFailed")
    );
    let patch = async |path: &str, tag: &str| {
        let request = sim.http.patch(sim.url(path)).bearer_auth(&sim.token);
        let body = json!({ "tags": { "a": "b" } });
        let answer = request.header("if-match", tag).json(&body).send().await;
        let answer = answer.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.json().await.unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    };
    let cluster = format!("{}?api-version={AKS}", seed::CLUSTER_DEV);
    let absent = cluster.replace('?', "-gone?");
    for tag in ["*", "xyz"] {
        assert_eq!(patch(&absent, tag).await.status, StatusCode::NOT_FOUND);
    }
    let before = etag().await;
    assert_ne!(before, read);
    let whole = sim.get(&cluster).await.body["eTag"].clone();
    let patched = patch(&cluster, whole.as_str().unwrap()).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    sim.wait(&patched).await;
    let now = etag().await;
    assert_ne!(
        now, before,
        "what is done to the cluster is done to its pools"
    );
    for near in [
        before.clone(),
        format!("{now}, {before}"),
        format!("\"{now}\""),
    ] {
        assert_eq!(
            delete(&[("if-match", &near)]).await.status,
            StatusCode::PRECONDITION_FAILED,
            "{near}"
        );
    }
    for odd in [
        &[("if-match", now.as_str()), ("if-none-match", "*")][..],
        &[("if-none-match", now.as_str())][..],
    ] {
        let refused = delete(odd).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "BadRequest")
        );
    }
    let deleting = delete(&[("if-match", &now)]).await;
    assert_eq!(deleting.status, StatusCode::ACCEPTED, "{}", deleting.body);
    sim.wait(&deleting).await;
    assert_eq!(
        delete(&[("if-match", &now)]).await.status,
        StatusCode::NO_CONTENT,
        "what is gone is gone whatever the condition says"
    );
}

#[tokio::test]
async fn keys_that_aks_keeps_for_itself_are_refused_in_its_words() {
    let sim = Sim::start(fast()).await;
    let path = format!("{}/agentPools/work?api-version={AKS}", seed::CLUSTER_DEV);
    let with = |member: &str, value: Value| {
        let mut body = pool(true);
        body["properties"][member] = value;
        body
    };
    let preserved = "prefix is preserved by aks system labels";
    let allowed = "must begin with an allowed prefix (kubelet.kubernetes.io, node.kubernetes.io)";
    for (key, words) in [
        ("kubernetes.azure.com/mode", preserved),
        ("kubernetes.io/os", allowed),
        ("k8s.io/x", allowed),
        ("topology.kubernetes.io/zone", allowed),
        ("node-restriction.kubernetes.io/x", allowed),
        ("mynode.kubernetes.io/x", allowed),
        ("node.k8s.io/x", allowed),
        ("agentpool", "reserved"),
        ("storageprofile", "reserved"),
        ("storagetier", "reserved"),
        ("accelerator", "reserved"),
    ] {
        let refused = sim
            .put(&path, &with("nodeLabels", json!({ "team": "a", key: "b" })))
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "BadRequest"),
            "{key}: {}",
            refused.body
        );
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.contains(words), "{key}: {message}");
        assert_eq!(refused.body["target"], format!("{key}=b"));
    }
    let taint = "kubernetes.azure.com/mode=gateway:NoSchedule";
    let refused = sim.put(&path, &with("nodeTaints", json!([taint]))).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "BadRequest")
    );

    let mut body = with(
        "nodeTaints",
        json!([
            "a=b:NoSchedule",
            "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
        ]),
    );
    body["properties"]["nodeLabels"] = json!({
        "team": "a", "mykubernetes.io/x": "a", "node.kubernetes.io/x": "a",
        "x.kubelet.kubernetes.io/x": "a", "example.com/agentpool": "a",
    });
    let taken = sim.put(&path, &body).await;
    assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.body);
}

/// A cluster takes its node group along when it goes, so it must be its own.
#[tokio::test]
async fn a_cluster_neither_takes_over_nor_takes_along_a_group_of_somebody_else() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-clusters").await;
    let kept = sim.group("rg-kept").await;
    let path = format!(
        "{group}/providers/Microsoft.ContainerService/managedClusters/one?api-version={AKS}"
    );
    let named = |name: &str| {
        let mut body = cluster("1.35");
        body["properties"]["nodeResourceGroup"] = name.into();
        body
    };
    for (name, code) in [
        ("RG-Kept", "NodeResourceGroupAlreadyExists"),
        ("rg-clusters", "NodeResourceGroupSameAsResourceGroup"),
        (&"x".repeat(81), "InvalidParameter"),
        ("a/b", "InvalidParameter"),
    ] {
        let refused = sim.put(&path, &named(name)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, code),
            "{name}: {}",
            refused.body
        );
    }

    let put = sim.put(&path, &named("rg-nodes")).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    assert_eq!(sim.wait(&put).await["status"], "Succeeded");
    let nodes = kept.replace("rg-kept", "rg-nodes");
    let lock =
        format!("{nodes}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01");
    sim.put(&lock, &json!({ "properties": { "level": "CanNotDelete" } }))
        .await;
    let locked = sim.delete(&path).await;
    assert_eq!(
        (locked.status, locked.code()),
        (StatusCode::CONFLICT, "ScopeLocked")
    );
    assert_eq!(sim.delete(&lock).await.status, StatusCode::OK);

    // Its group goes, and another of the same name comes: that one is not the cluster's.
    let gone = sim.delete(&format!("{nodes}?api-version={GROUPS}")).await;
    sim.wait(&gone).await;
    sim.group("rg-nodes").await;
    let deleting = sim.delete(&path).await;
    assert_eq!(sim.wait(&deleting).await["status"], "Succeeded");
    for group in [nodes, kept] {
        let seen = sim.get(&format!("{group}?api-version={GROUPS}")).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    }
}

#[tokio::test]
async fn a_cluster_has_an_identity_and_keeps_no_secret() {
    let data = tempfile::tempdir().unwrap();
    let sim = Sim::start(Config {
        data: Some(data.path().to_owned()),
        ..fast()
    })
    .await;
    let group = sim.group("rg-identity").await;
    let path = format!(
        "{group}/providers/Microsoft.ContainerService/managedClusters/one?api-version={AKS}"
    );
    let mut body = cluster("1.35");
    body["identity"] = Value::Null;
    let nobody = sim.put(&path, &body).await;
    assert_eq!(
        (nobody.status, nobody.code()),
        (StatusCode::BAD_REQUEST, "InvalidParameter")
    );
    assert!(
        nobody.body["message"]
            .as_str()
            .unwrap()
            .contains("servicePrincipalProfile is missing"),
        "{}",
        nobody.body
    );
    for (identity, code) in [
        (json!({ "type": "Anybody" }), "InvalidRequestContent"),
        (
            json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { (seed::IDENTITY_DEV): {} } }),
            "InvalidRequestContent",
        ),
        (json!({ "type": "UserAssigned" }), "MissingIdentityIds"),
    ] {
        body["identity"] = identity;
        assert_eq!(sim.put(&path, &body).await.code(), code);
    }

    body["identity"] =
        json!({ "type": "UserAssigned", "userAssignedIdentities": { (seed::IDENTITY_DEV): {} } });
    body["properties"]["servicePrincipalProfile"] =
        json!({ "clientId": "msi", "secret": "hush-one" });
    body["properties"]["windowsProfile"] =
        json!({ "adminUsername": "azureops", "adminPassword": "hush-two" });
    let put = sim.put(&path, &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    assert_eq!(sim.wait(&put).await["status"], "Succeeded");
    let seen = sim.get(&path).await.body;
    let own = sim
        .get(&format!("{}?api-version=2024-11-30", seed::IDENTITY_DEV))
        .await
        .body;
    let borne = &seen["identity"]["userAssignedIdentities"][seed::IDENTITY_DEV];
    for name in ["principalId", "clientId"] {
        assert_eq!(borne[name], own["properties"][name], "{seen}");
    }
    assert!(seen["properties"]["identityProfile"]["kubeletidentity"]["objectId"].is_string());
    assert_eq!(
        seen["properties"]["windowsProfile"],
        json!({ "adminUsername": "azureops" })
    );

    let act = |action: &str, body: Value| {
        let path = path.replace("?", &format!("/{action}?"));
        let sim = &sim;
        async move { sim.post(&path, &body).await }
    };
    let rotated = act("rotateClusterCertificates", json!({})).await;
    assert_eq!(rotated.status, StatusCode::ACCEPTED, "{}", rotated.body);
    sim.wait(&rotated).await;
    let run = act("runCommand", json!({ "command": "kubectl get nodes" })).await;
    assert_eq!(run.status, StatusCode::ACCEPTED, "{}", run.body);
    sim.wait(&run).await;
    let result = sim.get(run.header("location")).await;
    assert_eq!(
        (result.status, &result.body["properties"]["exitCode"]),
        (StatusCode::OK, &json!(0))
    );
    let forbidden = sim
        .post(
            &format!("{}/runCommand?api-version={AKS}", seed::CLUSTER_DEV),
            &json!({ "command": "kubectl get nodes" }),
        )
        .await;
    assert_eq!(forbidden.status, StatusCode::BAD_REQUEST);

    // A PUT of what was read goes through, and one that leaves the identity out keeps it.
    let mut again = seen.clone();
    again.as_object_mut().unwrap().remove("identity");
    again["properties"]
        .as_object_mut()
        .unwrap()
        .remove("servicePrincipalProfile");
    let put = sim.put(&path, &again).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    sim.wait(&put).await;
    assert_eq!(sim.get(&path).await.body["identity"], seen["identity"]);

    sim.running.shutdown().await;
    let kept: String = std::fs::read_dir(data.path())
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    assert!(kept.contains("azureops"), "this is where it is kept");
    assert!(!kept.contains("hush"));
}

#[tokio::test]
async fn a_stopped_cluster_can_be_started_or_deleted_and_nothing_else() {
    let sim = Sim::start(fast()).await;
    let cluster = |below: &str| format!("{}{below}?api-version={AKS}", seed::CLUSTER_DEV);
    let stop = sim.post(&cluster("/stop"), &json!({})).await;
    assert_eq!(stop.status, StatusCode::ACCEPTED, "{}", stop.body);
    sim.wait(&stop).await;
    let seen = sim.get(&cluster("")).await.body;
    let stopped = json!({ "code": "Stopped" });
    assert_eq!(
        (
            &seen["properties"]["powerState"],
            &seen["properties"]["agentPoolProfiles"][0]["powerState"]
        ),
        (&stopped, &stopped)
    );
    let system = sim.get(&cluster("/agentPools/system")).await.body;
    assert_eq!(system["properties"]["powerState"], stopped);

    for (method, path, body) in [
        (Method::PUT, cluster(""), seen.clone()),
        (Method::PATCH, cluster(""), json!({ "tags": { "a": "b" } })),
        (Method::PUT, cluster("/agentPools/work"), pool(true)),
        (
            Method::POST,
            cluster("/agentPools/system/upgradeNodeImageVersion"),
            json!({}),
        ),
        (Method::POST, cluster("/stop"), json!({})),
    ] {
        let refused = sim.send(method.clone(), &path, Some(&body)).await.unwrap();
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "OperationNotAllowed"),
            "{method} {path}"
        );
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.contains("stopped state"), "{message}");
    }
    let start = sim.post(&cluster("/start"), &json!({})).await;
    sim.wait(&start).await;
    let put = sim.put(&cluster("/agentPools/work"), &pool(true)).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
}

#[tokio::test]
async fn versions_go_up_one_minor_at_a_time_and_pools_follow_their_cluster() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-versions").await;
    let base = format!("{group}/providers/Microsoft.ContainerService/managedClusters/one");
    let path = format!("{base}?api-version={AKS}");
    let apps = format!("{base}/agentPools/apps?api-version={AKS}");
    let refused = sim.put(&path, &cluster("1.29")).await;
    assert_eq!(refused.code(), "K8sVersionNotSupported");
    let refused = sim.put(&path, &cluster("1.33")).await;
    assert_eq!(
        refused.code(),
        "K8sVersionNotSupported",
        "long-term support is asked for apart"
    );
    let put = sim.put(&path, &cluster("1.34.9")).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    sim.wait(&put).await;

    // The minor version alone is no reason to leave a patch of it.
    let put = sim.put(&path, &cluster("1.34")).await;
    sim.wait(&put).await;
    let seen = sim.get(&path).await.body;
    assert_eq!(seen["properties"]["currentKubernetesVersion"], "1.34.9");
    for (version, word) in [("1.36", "Upgrading"), ("1.33.12", "Downgrading")] {
        let refused = sim.put(&path, &cluster(version)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "OperationNotAllowed"),
            "{version}"
        );
        let message = refused.body["message"].as_str().unwrap();
        assert!(
            message.starts_with(word)
                && message.contains("Available upgrades: [1.34.10 1.35.6 1.35.7]"),
            "{message}"
        );
    }

    let of_version = |version: &str| json!({ "properties": { "count": 1, "vmSize": "Standard_D2s_v5", "orchestratorVersion": version } });
    for above in ["1.34.10", "1.35.6"] {
        let refused = sim.put(&apps, &of_version(above)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "NodePoolMcVersionIncompatible"),
            "{above}"
        );
    }
    // A minor version alone means the cluster's patch of it.
    let put = sim.put(&apps, &of_version("1.34")).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    sim.wait(&put).await;
    let put = sim.put(&path, &cluster("1.35.7")).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    sim.wait(&put).await;
    let runs = sim.get(&apps).await.body;
    assert_eq!(
        runs["properties"]["currentOrchestratorVersion"], "1.34.9",
        "nobody asked the pool to go along"
    );
    let put = sim.put(&apps, &of_version("1.35.7")).await;
    sim.wait(&put).await;
    let back = sim.put(&apps, &of_version("1.34.10")).await;
    assert_eq!(
        (back.status, back.code()),
        (StatusCode::BAD_REQUEST, "OperationNotAllowed")
    );
}
