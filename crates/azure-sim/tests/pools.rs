//! Node pools on the seeded cluster: what Azure Container Linux demands, one change at a time, and the provider's own habits.

mod common;

use azure_sim::seed;
use common::{AKS, Sim, fast};
use reqwest::StatusCode;
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
