//! The whole way against the simulator, as against Azure: token, group, deployment followed by a second client, machine, deletion.
#![expect(
    clippy::unwrap_used,
    reason = "the set-up of a story may fail the story"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use azure::{
    Arm, Config, Credential, Deployment, DeploymentBody, DeploymentId, Endpoints, ErrorKind,
    GroupId, LongRunning, Poll, ResourceId, Secret, Started, SubscriptionId,
};
use azure_sim::{Running, seed};
use serde_json::{Map, Value, json};

async fn simulator() -> Running {
    let config = azure_sim::Config {
        speed: 200.0,
        ..azure_sim::Config::default()
    };
    azure_sim::start(config).await.unwrap()
}

fn client(simulator: &Running) -> Arm {
    let secret = Secret::new(simulator.client_secret.clone());
    let client_id = simulator.client_id.clone();
    client_as(simulator, Credential::ClientSecret { client_id, secret })
}

fn client_as(simulator: &Running, credential: Credential) -> Arm {
    let endpoints = Endpoints::single(&simulator.endpoint).unwrap();
    let mut config = Config::new(endpoints, simulator.tenant_id.clone(), credential);
    config.extra_roots_pem = Some(simulator.ca_pem.clone());
    Arm::new(config).unwrap()
}

/// Follows an operation to its end, as a worker does.
async fn follow(arm: &Arm, operation: &LongRunning) -> Poll {
    for _ in 0..600 {
        match arm.poll(operation).await.unwrap() {
            Poll::Running { .. } => tokio::time::sleep(Duration::from_millis(50)).await,
            end => return end,
        }
    }
    panic!("it does not end")
}

async fn done(arm: &Arm, started: Started) -> Value {
    match started {
        Started::Done(value) => value,
        Started::Running(operation) => match follow(arm, &operation).await {
            Poll::Succeeded(value) => value,
            end => panic!("{end:?}"),
        },
    }
}

fn template() -> Value {
    let nic = "[resourceId('Microsoft.Network/networkInterfaces', 'nic-web')]";
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"subnetId": {"type": "string"}, "location": {"type": "string", "defaultValue": "[resourceGroup().location]"}},
        "resources": [
            {"type": "Microsoft.Network/networkInterfaces", "apiVersion": "2025-05-01", "name": "nic-web", "location": "[parameters('location')]",
             "properties": {"ipConfigurations": [{"name": "primary", "properties": {"subnet": {"id": "[parameters('subnetId')]"}, "privateIPAllocationMethod": "Dynamic"}}]}},
            {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2025-04-01", "name": "web", "location": "[parameters('location')]",
             "dependsOn": [nic],
             "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": true, "vTpmEnabled": true}},
                "storageProfile": {
                    "imageReference": {"publisher": "MicrosoftCBLMariner", "offer": "azure-linux-3", "sku": "azure-linux-3-gen2", "version": "latest"},
                    "osDisk": {"createOption": "FromImage", "deleteOption": "Delete", "diskSizeGB": 32, "managedDisk": {"storageAccountType": "Premium_LRS"}}},
                "osProfile": {"computerName": "web", "adminUsername": "azureops", "linuxConfiguration": {"disablePasswordAuthentication": true,
                    "ssh": {"publicKeys": [{"path": "/home/azureops/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEq0o0JrTGv5yQGvE5yXq8lSrYQ0cPTdEYW0eYt9TQxn dev"}]}}},
                "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": true, "deleteOption": "Delete"}}]}}}
        ],
        "outputs": {"vmId": {"type": "string", "value": "[resourceId('Microsoft.Compute/virtualMachines', 'web')]"}}
    })
}

#[tokio::test]
async fn from_nothing_to_a_machine_and_back_to_nothing() {
    let simulator = simulator().await;
    let arm = client(&simulator);
    arm.check().await.unwrap();

    let subscription = SubscriptionId::parse(seed::SUBSCRIPTION_DEV).unwrap();
    let group = GroupId::new(subscription.clone(), "rg-shop-dev-web-a1b2c3").unwrap();
    assert_eq!(arm.groups().find(&group).await.unwrap(), None);
    let tags = BTreeMap::from([("slipway-stack".to_owned(), "0190".to_owned())]);
    done(
        &arm,
        arm.groups().put(&group, "westeurope", &tags).await.unwrap(),
    )
    .await;
    assert_eq!(
        arm.groups().get(&group).await.unwrap().tag("slipway-stack"),
        Some("0190")
    );

    let values = Map::from_iter([("subnetId".to_owned(), json!(seed::SUBNET_DEV_WESTEUROPE))]);
    let body = DeploymentBody::new(template(), values);
    let id = DeploymentId::new(group.clone(), "slipway-web-a1b2c3-1").unwrap();
    done(&arm, arm.deployments().validate(&id, &body).await.unwrap()).await;
    assert_eq!(arm.deployments().find(&id).await.unwrap(), None);

    let Started::Running(operation) = arm.deployments().put(&id, &body).await.unwrap() else {
        panic!("a deployment takes time")
    };
    let stored = serde_json::to_string(&operation).unwrap();
    drop(arm);

    // Another process finds the stored state and goes on.
    let arm = client(&simulator);
    let operation: LongRunning = serde_json::from_str(&stored).unwrap();
    let Poll::Succeeded(value) = follow(&arm, &operation).await else {
        panic!("{:?}", arm.deployments().get(&id).await)
    };
    let deployment = Deployment::try_from(value).unwrap();
    assert!(deployment.succeeded());
    let vm = ResourceId::parse(deployment.outputs["vmId"].as_str().unwrap()).unwrap();
    let rows = arm.deployments().operations(&id).await.unwrap();
    let mut kinds: Vec<_> = rows
        .iter()
        .map(|row| (row.resource_type.as_str(), row.state.as_str()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            ("Microsoft.Compute/virtualMachines", "Succeeded"),
            ("Microsoft.Network/networkInterfaces", "Succeeded"),
        ]
    );

    assert!(arm.resources().exists(&vm).await.unwrap());
    let view = arm.compute().instance_view(&vm).await.unwrap();
    assert_eq!(view.power_state.as_deref(), Some("running"));
    done(&arm, arm.compute().deallocate(&vm).await.unwrap()).await;
    let view = arm.compute().instance_view(&vm).await.unwrap();
    assert_eq!(view.power_state.as_deref(), Some("deallocated"));
    assert!(arm.groups().resources(&group).await.unwrap().len() >= 2);
    let late = arm.deployments().cancel(&id).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Conflict);

    done(&arm, arm.groups().delete(&group).await.unwrap()).await;
    assert_eq!(arm.groups().find(&group).await.unwrap(), None);
    assert_eq!(arm.resources().find(&vm).await.unwrap(), None);
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_catalogue_can_be_read() {
    let simulator = simulator().await;
    let arm = client(&simulator);
    let subscription = SubscriptionId::parse(seed::SUBSCRIPTION_DEV).unwrap();

    let skus = arm
        .compute()
        .skus(&subscription, "westeurope")
        .await
        .unwrap();
    let size = skus
        .iter()
        .find(|sku| sku.name == "Standard_D2s_v5")
        .unwrap();
    assert_eq!(size.vcpus(), Some(2));
    let usages = arm
        .compute()
        .usages(&subscription, "westeurope")
        .await
        .unwrap();
    assert!(
        usages
            .iter()
            .any(|usage| usage.name.eq_ignore_ascii_case(&size.family))
    );
    let image = azure::Image {
        publisher: "MicrosoftCBLMariner".to_owned(),
        offer: "azure-linux-3".to_owned(),
        sku: "azure-linux-3-gen2".to_owned(),
    };
    let versions = arm
        .compute()
        .image_versions(&subscription, "westeurope", &image)
        .await
        .unwrap();
    let newest = arm
        .compute()
        .image_version(&subscription, "westeurope", &image, &versions[0])
        .await
        .unwrap();
    assert!(newest.supports_trusted_launch());

    let cluster = ResourceId::parse(seed::CLUSTER_DEV).unwrap();
    let found = arm.aks().cluster(&cluster).await.unwrap();
    assert_eq!(
        found.kubernetes_version.as_deref(),
        Some(seed::KUBERNETES_VERSION)
    );
    assert!(found.private && !arm.aks().agent_pools(&cluster).await.unwrap().is_empty());
    let versions = arm
        .aks()
        .kubernetes_versions(&subscription, "westeurope")
        .await
        .unwrap();
    assert!(versions.iter().any(|version| {
        version
            .patches
            .iter()
            .any(|patch| patch == seed::KUBERNETES_VERSION)
    }));
    let network = ResourceId::parse(seed::VNET_DEV_WESTEUROPE).unwrap();
    let subnets = arm.network().subnets(&network).await.unwrap();
    assert!(
        subnets
            .iter()
            .any(|subnet| subnet.name == seed::SUBNET_NAME)
    );
    assert_eq!(
        arm.network()
            .virtual_networks(&subscription)
            .await
            .unwrap()
            .len(),
        2
    );

    let prices = arm
        .prices()
        .virtual_machines("westeurope", &["Standard_D2s_v5"])
        .await
        .unwrap();
    assert_eq!((prices[0].price, prices[0].sample), (0.115, false));
    let disks = arm.prices().managed_disks("westeurope").await.unwrap();
    assert!(
        disks.iter().any(|disk| disk.sku.starts_with("P4")),
        "{disks:?}"
    );

    let none = ResourceId::parse(&format!("{cluster}/agentPools/nobody")).unwrap();
    assert_eq!(
        arm.aks().agent_pool(&none).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    simulator.shutdown().await;
}

/// On Kubernetes there is no secret: a projected token, which the cluster replaces before it ends, is exchanged for Azure's.
#[tokio::test]
async fn a_workload_signs_in_with_the_token_that_its_cluster_projects() {
    let simulator = simulator().await;
    let directory = tempfile::tempdir().unwrap();
    let token_file = directory.path().join("azure-identity-token");
    let project = async |wanted: Value| {
        let root = reqwest::Certificate::from_pem(simulator.ca_pem.as_bytes()).unwrap();
        let http = reqwest::Client::builder().add_root_certificate(root);
        let minted = http
            .build()
            .unwrap()
            .post(simulator.endpoint.join("_sim/workload-token").unwrap())
            .bearer_auth(simulator.access_token().unwrap())
            .json(&wanted)
            .send()
            .await
            .unwrap();
        let minted: Value = serde_json::from_slice(&minted.bytes().await.unwrap()).unwrap();
        std::fs::write(&token_file, minted["token"].as_str().unwrap()).unwrap();
    };
    let client = || {
        let credential = Credential::WorkloadIdentity {
            client_id: Some(simulator.client_id.clone()),
            token_file: Some(token_file.clone()),
        };
        client_as(&simulator, credential)
    };

    project(json!({})).await;
    client().check().await.unwrap();

    // Whose service account it is decides, and Entra's words arrive.
    project(json!({ "subject": "system:serviceaccount:default:default" })).await;
    let stranger = client().check().await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::Unauthorized);
    assert_eq!(stranger.code(), "AADSTS700213", "{stranger}");
    let token = std::fs::read_to_string(&token_file).unwrap();
    assert!(!stranger.to_string().contains(&token), "{stranger}");

    // A token that is over, then the one that took its place.
    project(json!({ "expires_in": -3600 })).await;
    let late = client();
    let over = late.check().await.unwrap_err();
    assert_eq!(over.code(), "AADSTS700024", "{over}");
    project(json!({})).await;
    late.check().await.unwrap();
}

/// Bicep makes a deployment of every module; what a person wants to see is what the modules make.
#[tokio::test]
async fn progress_reaches_into_nested_deployments() {
    let simulator = simulator().await;
    let arm = client(&simulator);
    let subscription = SubscriptionId::parse(seed::SUBSCRIPTION_DEV).unwrap();
    let group = GroupId::new(subscription, "rg-shop-dev-modules").unwrap();
    arm.groups()
        .put(&group, "westeurope", &BTreeMap::new())
        .await
        .unwrap();
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    let rules = json!({ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2025-05-01", "name": "nsg-web", "location": "westeurope" });
    let nested = |name: &str, resource: Value| {
        json!({
            "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name,
            "properties": { "mode": "Incremental", "template": { "$schema": schema, "contentVersion": "1.0.0.0", "resources": [resource] } },
        })
    };
    let template = json!({
        "$schema": schema, "contentVersion": "1.0.0.0",
        "resources": [nested("network", nested("rules", rules))],
    });
    let id = DeploymentId::new(group, "all").unwrap();
    let body = DeploymentBody::new(template, Map::new());
    let started = arm.deployments().put(&id, &body).await.unwrap();
    done(&arm, started).await;
    let rows = arm.deployments().operations(&id).await.unwrap();
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.resource_name.as_str(), row.state.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("network", "Succeeded"),
            ("rules", "Succeeded"),
            ("nsg-web", "Succeeded")
        ]
    );
}
