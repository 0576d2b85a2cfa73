//! Bodies as they are read: members that nobody knows, values of the wrong kind, other casing, and what is read-only; each provider in its own way.

mod common;

use common::{AKS, COMPUTE, NETWORK, Sim, fast};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn disk(properties: &Value) -> Value {
    json!({ "location": "westeurope", "sku": { "name": "Premium_LRS" }, "properties": properties })
}

/// *Reserved for Azure use*, by the Tags REST reference (api-version 2021-04-01, read 2026-11-27).
#[tokio::test]
async fn a_tag_does_not_begin_with_a_name_of_azures_own() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-tagged").await;
    let path = format!("{group}/providers/Microsoft.Compute/disks/one?api-version=2024-03-02");
    let tagged = |name: &str| {
        let properties = json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": 4 });
        let mut body = disk(&properties);
        body["tags"] = json!({ "team": "a", name: "b" });
        body
    };
    for name in ["microsoft-x", "AzureTeam", "windows"] {
        let refused = sim.put(&path, &tagged(name)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "InvalidTagName"),
            "{name}: {}",
            refused.body
        );
    }
    let taken = sim.put(&path, &tagged("my-azure")).await;
    assert!(taken.status.is_success(), "{}", taken.body);
}

#[tokio::test]
async fn compute_names_the_member_and_its_place() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-bodies").await;
    let machine =
        format!("{group}/providers/Microsoft.Compute/virtualMachines/vm?api-version={COMPUTE}");
    let body = json!({
        "location": "westeurope",
        "properties": {
            "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
            "storageProfile": { "dataDisks": [{ "lun": 0, "createOption": "Empty", "cacheing": "None" }] },
        },
    });
    let refused = sim.put(&machine, &body).await;
    let error = &refused.body["error"];
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "BadRequest")
    );
    assert_eq!(
        error["target"],
        "vm.properties.storageProfile.dataDisks[0].cacheing"
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("Could not find member 'cacheing' on object of type 'DataDisk'. Path 'properties.storageProfile.dataDisks[0].cacheing', line 1, position "),
        "{message}"
    );

    let path = format!("{group}/providers/Microsoft.Compute/disks/d?api-version=2024-03-02");
    for (properties, expected) in [
        (
            json!({ "creationData": { "createOption": "Sideways" }, "diskSizeGB": 8 }),
            "Error converting value \"Sideways\" to type 'DiskCreateOption'. Path 'properties.creationData.createOption'",
        ),
        (
            json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": 1.5 }),
            "Error converting value 1.5 to type 'System.Int32'. Path 'properties.diskSizeGB'",
        ),
        (
            json!({ "creationData": ["Empty"], "diskSizeGB": 8 }),
            "because the type requires a JSON object",
        ),
    ] {
        let refused = sim.put(&path, &disk(&properties)).await;
        let message = refused.body["error"]["message"].as_str().unwrap();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{message}");
        assert!(message.contains(expected), "{message}");
    }

    // .NET reads names and words without case, and numbers from text; what is read-only is what the service says.
    let body = json!({
        "Location": "westeurope", "sku": { "Name": "premium_lrs" },
        "properties": { "CreationData": { "createOption": "empty" }, "diskSizeGB": "8", "diskState": "Attached", "timeCreated": "1999-01-01T00:00:00Z" },
    });
    let begun = sim.put(&path, &body).await;
    assert!(begun.status.is_success(), "{}", begun.body);
    sim.wait(&begun).await;
    let made = sim.get(&path).await.body;
    assert_eq!(
        (
            &made["sku"]["name"],
            &made["properties"]["creationData"]["createOption"],
            &made["properties"]["diskSizeGB"],
            &made["properties"]["diskState"]
        ),
        (
            &json!("Premium_LRS"),
            &json!("Empty"),
            &json!(8),
            &json!("Unattached")
        ),
        "{made}"
    );
}

#[tokio::test]
async fn network_tells_every_fault_and_aks_the_first_in_the_words_of_go() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-bodies").await;
    let network =
        format!("{group}/providers/Microsoft.Network/virtualNetworks/vnet?api-version={NETWORK}");
    let body = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnetz": [], "enableDdosProtection": "maybe" } });
    let refused = sim.put(&network, &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "InvalidRequestFormat")
    );
    let details: Vec<(&str, &str)> = refused.body["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["code"].as_str().unwrap(),
                row["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(
        details[0].0 == "InvalidJson"
            && details[0].1.starts_with(
                "Could not find member 'subnetz' on object of type 'VirtualNetworkProperties'."
            ),
        "{details:?}"
    );

    let cluster = format!(
        "{group}/providers/Microsoft.ContainerService/managedClusters/aks?api-version={AKS}"
    );
    for (properties, expected) in [
        (
            json!({ "dnsPrefix": "aks", "sshAccess": "disabled" }),
            "UnmarshalEntity encountered error: json: unknown field \"sshAccess\" Check that the field",
        ),
        (
            json!({ "dnsPrefix": "aks", "enableRBAC": "yes" }),
            "json: cannot unmarshal string into Go struct field Properties.properties.enableRBAC of type bool",
        ),
        (
            json!({ "dnsPrefix": 5 }),
            "json: cannot unmarshal number into Go struct field Properties.properties.dnsPrefix of type string",
        ),
    ] {
        let body = json!({ "location": "westeurope", "identity": { "type": "SystemAssigned" }, "properties": properties });
        let refused = sim.put(&cluster, &body).await;
        assert_eq!(
            (refused.status, refused.body["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("UnmarshalError")),
            "{}",
            refused.body
        );
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}
