//! The catalogue: sizes, quotas, images, machines, clusters, networks, prices, in the shapes that are recorded.

use azure::{Image, ResourceId};
use serde_json::{Value, json};

use crate::stand_in::{StandIn, group, json as reply, subscription, with};

#[tokio::test]
async fn sizes_keep_what_azure_says_even_in_new_words() {
    let server = StandIn::start(|asked| {
        asked.path.ends_with("/skus").then(|| reply(200, &json!({"value": [
            {"resourceType": "virtualMachines", "name": "Standard_D2s_v5", "tier": "Standard", "size": "D2s_v5", "family": "standardDSv5Family", "locations": ["westeurope"],
             "locationInfo": [{"location": "westeurope", "zones": ["3", "1", "2"], "zoneDetails": []}],
             "capabilities": [{"name": "vCPUs", "value": "2"}, {"name": "MemoryGB", "value": "8"}, {"name": "HyperVGenerations", "value": "V1,V2"}, {"name": "EncryptionAtHostSupported", "value": "True"}],
             "restrictions": [{"type": "Zone", "values": ["westeurope"], "restrictionInfo": {"locations": ["westeurope"], "zones": ["3"]}, "reasonCode": "NotAvailableForSubscription"}]},
            {"resourceType": "virtualMachines", "name": "Standard_D16plds_v5", "family": "x", "capabilities": [{"name": "HyperVGenerations", "value": "V2"}, {"name": "TrustedLaunchDisabled", "value": "True"}],
             "restrictions": [{"type": "Location", "values": ["westeurope"], "restrictionInfo": {"locations": ["westeurope"]}, "reasonCode": "AReasonOfTomorrow"}]}]})))
    })
    .await;
    let skus = server
        .arm()
        .compute()
        .skus(&subscription(), "westeurope")
        .await
        .unwrap();
    let (first, second) = (&skus[0], &skus[1]);
    assert_eq!(
        (first.vcpus(), first.memory_gb(), first.blocked()),
        (Some(2), Some(8.0), None)
    );
    assert_eq!(first.usable_zones(), ["1", "2"]);
    assert!(first.can("EncryptionAtHostSupported") && first.supports_trusted_launch());
    assert_eq!(second.blocked(), Some("AReasonOfTomorrow"));
    assert!(!second.supports_trusted_launch());
    assert!(
        server.asked()[0]
            .query
            .contains("filter=location+eq+%27westeurope%27"),
        "{}",
        server.asked()[0].query
    );
    assert!(
        server
            .arm()
            .compute()
            .skus(&subscription(), "west' or '1")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn quotas_images_and_machines_come_through_the_sdk_with_our_token() {
    let server = StandIn::start(|asked| {
        if asked.path.ends_with("/usages") {
            return Some(reply(200, &json!({"value": [{"limit": 260, "unit": "Count", "currentValue": 4, "name": {"value": "cores", "localizedValue": "Total Regional vCPUs"}}]})));
        }
        if asked.path.ends_with("/versions") {
            return Some(reply(200, &json!([{"location": "westeurope", "name": "3.9.0", "id": "/a"}, {"location": "westeurope", "name": "3.20260901.0", "id": "/b"}])));
        }
        if asked.path.ends_with("/versions/3.20260901.0") {
            return Some(reply(200, &json!({"location": "westeurope", "name": "3.20260901.0", "properties": {"hyperVGeneration": "V2", "architecture": "x64", "plan": null,
                "features": [{"name": "SecurityType", "value": "TrustedLaunchAndConfidentialVmSupported"}], "osDiskImage": {"operatingSystem": "Linux", "sizeInGb": 5}}})));
        }
        if asked.path.ends_with("/instanceView") {
            return Some(reply(200, &json!({"computerName": "web", "vmAgent": {"vmAgentVersion": "2.1", "statuses": [{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready"}]},
                "statuses": [{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded", "time": "2017-08-18T21:47:29.2486954+00:00"},
                             {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"}]})));
        }
        asked.is("POST", "/deallocate").then(|| with(202, &[("azure-asyncoperation", "/status/1?api-version=2024-07-01")], &Value::Null))
    })
    .await;
    let arm = server.arm();
    let usages = arm
        .compute()
        .usages(&subscription(), "westeurope")
        .await
        .unwrap();
    assert_eq!(
        (usages[0].name.as_str(), usages[0].used, usages[0].limit),
        ("cores", 4, 260)
    );

    let image = Image {
        publisher: "MicrosoftCBLMariner".to_owned(),
        offer: "azure-linux-3".to_owned(),
        sku: "azure-linux-3-gen2".to_owned(),
    };
    let versions = arm
        .compute()
        .image_versions(&subscription(), "westeurope", &image)
        .await
        .unwrap();
    assert_eq!(versions, ["3.20260901.0", "3.9.0"]);
    let version = arm
        .compute()
        .image_version(&subscription(), "westeurope", &image, &versions[0])
        .await
        .unwrap();
    assert!(version.supports_trusted_launch() && !version.needs_terms);

    let vm = ResourceId::in_group(&group(), "Microsoft.Compute/virtualMachines", "web").unwrap();
    let view = arm.compute().instance_view(&vm).await.unwrap();
    assert_eq!(
        (view.power_state.as_deref(), view.agent_status.as_deref()),
        (Some("running"), Some("Ready"))
    );
    let started = arm.compute().deallocate(&vm).await.unwrap();
    assert!(
        matches!(started, azure::Started::Running(operation) if operation.method == azure::Verb::Post)
    );
    let missing =
        ResourceId::in_group(&group(), "Microsoft.Compute/virtualMachines", "gone").unwrap();
    let error = arm.compute().start(&missing).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.request_id()),
        (
            azure::ErrorKind::NotFound,
            "ResourceNotFound",
            Some("request-1")
        )
    );

    for asked in server.asked() {
        assert!(
            asked
                .authorization
                .as_deref()
                .is_some_and(|value| value.starts_with("Bearer token-")),
            "{asked:?}"
        );
        assert!(asked.client_request_id.is_some());
    }
}

#[tokio::test]
async fn kubernetes_versions_and_subnets() {
    let server = StandIn::start(|asked| {
        if asked.path.ends_with("/kubernetesVersions") {
            return Some(reply(200, &json!({"values": [{"version": "1.36", "isPreview": true, "patchVersions": {"1.36.10": {}, "1.36.2": {}}, "capabilities": {"supportPlan": ["KubernetesOfficial"]}}, {"version": "1.9", "isDefault": true}]})));
        }
        asked.path.ends_with("/virtualNetworks").then(|| reply(200, &json!({"value": [{"id": "/n", "name": "n", "location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"id": "/n/s", "name": "s", "properties": {"addressPrefix": "10.0.0.0/24", "defaultOutboundAccess": false, "networkSecurityGroup": {"id": "/nsg"}}}]}}]})))
    })
    .await;
    let versions = server
        .arm()
        .aks()
        .kubernetes_versions(&subscription(), "westeurope")
        .await
        .unwrap();
    assert_eq!(versions[0].version, "1.9");
    assert_eq!(versions[1].patches, ["1.36.2", "1.36.10"]);
    let networks = server
        .arm()
        .network()
        .virtual_networks(&subscription())
        .await
        .unwrap();
    let subnet = &networks[0].subnets[0];
    assert_eq!(
        (subnet.prefixes[0].as_str(), subnet.default_outbound_access),
        ("10.0.0.0/24", Some(false))
    );
}

#[tokio::test]
async fn the_price_of_a_linux_machine_is_picked_out_of_the_list_without_a_token() {
    fn row(sku: &str, product: &str, sku_name: &str, price: f64) -> Value {
        json!({"currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "armRegionName": "westeurope", "effectiveStartDate": "2024-01-01T00:00:00Z",
            "meterName": sku_name, "productName": product, "skuName": sku_name, "unitOfMeasure": "1 Hour", "type": "Consumption", "isPrimaryMeterRegion": true, "armSkuName": sku})
    }
    let server = StandIn::start(|asked| {
        if asked.path != "/api/retail/prices" {
            return None;
        }
        let page = |items: Vec<Value>, next: Value| {
            reply(
                200,
                &json!({"Items": items, "NextPageLink": next, "Count": items.len()}),
            )
        };
        Some(if asked.query.contains("skip") {
            let mut sample = row(
                "Standard_D4s_v5",
                "Virtual Machines Dsv5 Series",
                "D4s v5",
                0.23,
            );
            sample["x-slipway-sample"] = json!(true);
            page(
                vec![
                    sample,
                    row(
                        "Standard_D4as_v5",
                        "Virtual Machines Dasv5 Series",
                        "D4as v5",
                        0.172,
                    ),
                ],
                Value::Null,
            )
        } else {
            let link = "/api/retail/prices?skip=100".to_owned();
            page(
                vec![
                    row(
                        "Standard_D2s_v5",
                        "Virtual Machines Dsv5 Series Windows",
                        "D2s v5",
                        0.207,
                    ),
                    row(
                        "Standard_D2s_v5",
                        "Virtual Machines Dsv5 Series",
                        "D2s v5 Spot",
                        0.02,
                    ),
                    row(
                        "Standard_D2s_v5",
                        "Virtual Machines Dsv5 Series",
                        "D2s v5",
                        0.115,
                    ),
                    row(
                        "Standard_D2as_v5",
                        "Virtual Machines Dasv5 Series",
                        "D2as v5",
                        0.178,
                    ),
                ],
                json!(link),
            )
        })
    })
    .await;
    let sizes = [
        "Standard_D2s_v5",
        "Standard_D4s_v5",
        "Standard_D2as_v5",
        "Standard_D4as_v5",
    ];
    let prices = server
        .arm()
        .prices()
        .virtual_machines("westeurope", &sizes)
        .await
        .unwrap();
    let found: Vec<_> = prices
        .iter()
        .map(|price| {
            (
                price.sku.as_str(),
                price.price,
                price.sample,
                price.doubtful,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("Standard_D2as_v5", 0.178, false, true),
            ("Standard_D2s_v5", 0.115, false, false),
            ("Standard_D4as_v5", 0.172, false, true),
            ("Standard_D4s_v5", 0.23, true, false),
        ]
    );
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.authorization.is_none())
    );
    assert_eq!(server.tokens_asked(), 0);
    assert!(
        server
            .arm()
            .prices()
            .virtual_machines("westeurope", &["x' or 'a' eq 'a"])
            .await
            .is_err()
    );
}
