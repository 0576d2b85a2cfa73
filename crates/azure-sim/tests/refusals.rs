//! What Azure refuses, in Azure's words: versions, missing things, quota, capacity, names; and failures on order.

mod common;

use azure_sim::{Config, seed};
use common::{AKS, COMPUTE, GROUPS, NETWORK, Sim, deployment, fast, machine_template};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn versions_and_missing_things_are_told_apart() {
    let sim = Sim::start(fast()).await;
    let sub = format!("/subscriptions/{}", seed::SUBSCRIPTION_DEV);
    let group = sim.group("rg-errors").await;
    for (path, status, code) in [
        (
            format!("{sub}/resourceGroups"),
            400,
            "MissingApiVersionParameter",
        ),
        (
            format!("{sub}/resourceGroups?api-version=2001-01-01"),
            400,
            "InvalidApiVersionParameter",
        ),
        (
            format!("{group}/providers/Microsoft.Compute/virtualMachines/x?api-version=2001-01-01"),
            400,
            "NoRegisteredProviderFound",
        ),
        (
            format!("{group}/providers/Microsoft.Compute/virtualMachines/x?api-version={COMPUTE}"),
            404,
            "ResourceNotFound",
        ),
        (
            format!(
                "{sub}/resourceGroups/none/providers/Microsoft.Compute/virtualMachines/x?api-version={COMPUTE}"
            ),
            404,
            "ResourceGroupNotFound",
        ),
        (
            format!(
                "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups?api-version={GROUPS}"
            ),
            404,
            "SubscriptionNotFound",
        ),
        (
            format!("{group}/providers/Microsoft.Nothing/things/x?api-version={GROUPS}"),
            404,
            "InvalidResourceNamespace",
        ),
    ] {
        let seen = sim.get(&path).await;
        assert_eq!(
            (seen.status.as_u16(), seen.code()),
            (status, code),
            "{path}: {}",
            seen.body
        );
    }
    let made = sim.get(&format!("{group}?api-version={GROUPS}")).await;
    assert!(
        !made.header("x-ms-request-id").is_empty()
            && !made
                .header("x-ms-ratelimit-remaining-subscription-reads")
                .is_empty()
    );
    let nic = json!({ "location": "westeurope", "properties": { "ipConfigurations": [{ "name": "a", "properties": { "subnet": { "id": format!("{group}/providers/Microsoft.Network/virtualNetworks/v/subnets/s") } } }] } });
    let put = sim
        .put(
            &format!(
                "{group}/providers/Microsoft.Network/networkInterfaces/n?api-version={NETWORK}"
            ),
            &nic,
        )
        .await;
    assert_eq!(
        (put.status, put.code()),
        (StatusCode::BAD_REQUEST, "InvalidResourceReference")
    );
}

#[tokio::test]
async fn preflight_names_quota_size_and_parameter() {
    let sim = Sim::start(Config {
        cores: Some(12),
        ..fast()
    })
    .await;
    let group = sim.group("rg-quota").await;
    let validate = format!(
        "{group}/providers/Microsoft.Resources/deployments/d/validate?api-version={GROUPS}"
    );
    let checked = sim
        .post(
            &validate,
            &deployment(&machine_template(), &json!({ "name": "web" })),
        )
        .await;
    assert_eq!(
        (checked.status, checked.code()),
        (StatusCode::BAD_REQUEST, "InvalidTemplateDeployment")
    );
    assert_eq!(
        checked.body["error"]["details"][0]["code"], "QuotaExceeded",
        "{}",
        checked.body
    );
    let put = sim
        .put(
            &format!("{group}/providers/Microsoft.Resources/deployments/d?api-version={GROUPS}"),
            &deployment(&machine_template(), &json!({ "name": "web" })),
        )
        .await;
    assert_eq!(put.status, StatusCode::BAD_REQUEST);
    let missing = sim
        .post(&validate, &deployment(&machine_template(), &json!({})))
        .await;
    assert_eq!(
        (missing.status, missing.code()),
        (StatusCode::BAD_REQUEST, "InvalidTemplate"),
        "{}",
        missing.body
    );
    let sub = format!("/subscriptions/{}", seed::SUBSCRIPTION_DEV);
    let usages = sim
        .get(&format!(
            "{sub}/providers/Microsoft.Compute/locations/westeurope/usages?api-version={COMPUTE}"
        ))
        .await
        .body;
    let cores = usages["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"]["value"] == "cores")
        .unwrap();
    assert_eq!(
        (cores["currentValue"].as_i64(), cores["limit"].as_i64()),
        (Some(12), Some(12)),
        "three seeded nodes of four"
    );
    let skus = sim.get(&format!("{sub}/providers/Microsoft.Compute/skus?api-version=2021-07-01&$filter=location eq 'swedencentral'")).await.body;
    let restricted = skus["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "Standard_L8s_v3")
        .unwrap();
    assert_eq!(
        restricted["restrictions"][0]["reasonCode"],
        "NotAvailableForSubscription"
    );
}

#[tokio::test]
async fn a_failing_resource_fails_its_deployment_and_stops_what_depends_on_it() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-faults").await;
    sim.fault(&json!({ "method": "PUT", "path": "/networkInterfaces/", "times": 1, "action": { "type": "fail", "code": "AllocationFailed", "message": "Allocation failed." } })).await;
    let path = format!("{group}/providers/Microsoft.Resources/deployments/d");
    let body = deployment(&machine_template(), &json!({ "name": "web" }));
    let put = sim
        .put(&format!("{path}?api-version={GROUPS}"), &body)
        .await;
    let ended = sim.wait(&put).await;
    assert_eq!(
        (&ended["status"], &ended["error"]["code"]),
        (&json!("Failed"), &json!("DeploymentFailed")),
        "{ended}"
    );
    assert_eq!(
        ended["error"]["details"][0]["details"][0]["code"], "AllocationFailed",
        "{ended}"
    );
    let rows = sim
        .get(&format!("{path}/operations?api-version={GROUPS}"))
        .await
        .body;
    assert_eq!(
        rows["value"].as_array().unwrap().len(),
        2,
        "the machine was not begun: {rows}"
    );
    let retry = sim
        .put(&format!("{path}-2?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(sim.wait(&retry).await["status"], "Succeeded");
}

#[tokio::test]
async fn a_lost_answer_has_happened_and_a_lost_request_has_not() {
    let sim = Sim::start(fast()).await;
    let sub = format!("/subscriptions/{}", seed::SUBSCRIPTION_DEV);
    let body = json!({ "location": "westeurope" });
    for (when, name, then) in [("after", "rg-after", 200), ("before", "rg-before", 404)] {
        let path = format!("{sub}/resourceGroups/{name}?api-version={GROUPS}");
        // A client may repeat a request whose connection broke before any answer, so the rule acts twice.
        sim.fault(
            &json!({ "method": "PUT", "path": name, "action": { "type": "drop", "when": when } }),
        )
        .await;
        assert!(sim.send(Method::PUT, &path, Some(&body)).await.is_err());
        assert_eq!(sim.get(&path).await.status.as_u16(), then, "{when}");
    }
    sim.delete("/_sim/faults").await;
    sim.fault(&json!({ "times": 1, "action": { "type": "respond", "status": 429, "code": "TooManyRequests", "retry_after": 7 } })).await;
    let refused = sim.get(&format!("{sub}?api-version={GROUPS}")).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    assert_eq!(
        sim.get(&format!("{sub}?api-version={GROUPS}")).await.status,
        StatusCode::OK
    );
}

/// Only reading is left: no change, no action, no deployment, and none from outside either.
#[tokio::test]
async fn a_read_only_lock_stops_every_change_in_its_scope() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-frozen").await;
    let identity =
        format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one");
    let versioned = format!("{identity}?api-version=2024-11-30");
    let body = json!({ "location": "westeurope" });
    assert_eq!(sim.put(&versioned, &body).await.status, StatusCode::CREATED);
    let lock =
        format!("{group}/providers/Microsoft.Authorization/locks/frozen?api-version=2020-05-01");
    let level = json!({ "properties": { "level": "ReadOnly" } });
    assert_eq!(sim.put(&lock, &level).await.status, StatusCode::CREATED);

    let cluster = seed::CLUSTER_DEV;
    for (method, path, what) in [
        (Method::PUT, versioned.clone(), "write"),
        (
            Method::PUT,
            format!("{group}?api-version={GROUPS}"),
            "write",
        ),
        (
            Method::PATCH,
            format!("{group}/providers/Microsoft.Resources/tags/default?api-version={GROUPS}"),
            "write",
        ),
        (
            Method::POST,
            format!(
                "{group}/providers/Microsoft.Resources/deployments/d/validate?api-version={GROUPS}"
            ),
            "write",
        ),
        (Method::DELETE, versioned.clone(), "delete"),
    ] {
        let refused = sim.send(method.clone(), &path, Some(&body)).await.unwrap();
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::CONFLICT, "ScopeLocked"),
            "{method} {path}"
        );
        let message = refused.body["error"]["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("cannot perform {what} operation"))
                && message.contains("locked: '/subscriptions"),
            "{message}"
        );
    }
    assert_eq!(sim.get(&versioned).await.status, StatusCode::OK);
    assert_eq!(
        sim.get(&format!("{cluster}?api-version={AKS}"))
            .await
            .status,
        StatusCode::OK,
        "what is elsewhere is free"
    );

    // A deployment of the subscription reaches into the group, where the lock meets it.
    let inner = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30", "name": "id-two", "location": "westeurope" }],
    });
    let outer = json!({ "location": "westeurope", "properties": { "mode": "Incremental", "template": {
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "resourceGroup": "rg-frozen",
            "properties": { "mode": "Incremental", "template": inner } }],
    } } });
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Resources/deployments/outer?api-version={GROUPS}",
        seed::SUBSCRIPTION_DEV
    );
    assert!(sim.put(&path, &outer).await.status.is_success());
    let ended = sim.settled(&path).await;
    assert_eq!(ended["properties"]["provisioningState"], "Failed");
    assert!(ended.to_string().contains("ScopeLocked"), "{ended}");

    assert_eq!(sim.delete(&lock).await.status, StatusCode::OK);
    assert_eq!(sim.put(&versioned, &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_lock_keeps_a_group_and_prices_say_which_are_samples() {
    let sim = Sim::start(Config {
        transport: azure_sim::Transport::Http,
        ..fast()
    })
    .await;
    let group = sim.group("rg-locked").await;
    let lock =
        format!("{group}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01");
    assert_eq!(
        sim.put(&lock, &json!({ "properties": { "level": "CanNotDelete" } }))
            .await
            .status,
        StatusCode::CREATED
    );
    let refused = sim.delete(&format!("{group}?api-version={GROUPS}")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "ScopeLocked")
    );
    assert_eq!(sim.delete(&lock).await.status, StatusCode::OK);
    assert_eq!(
        sim.delete(&format!("{group}?api-version={GROUPS}"))
            .await
            .status,
        StatusCode::ACCEPTED
    );
    let prices = |region: &str| {
        format!(
            "/api/retail/prices?api-version=2023-01-01-preview&$filter=serviceName eq 'Virtual Machines' and armRegionName eq '{region}' and armSkuName eq 'Standard_D2s_v5' and priceType eq 'Consumption'"
        )
    };
    let sourced = sim.get(&prices("westeurope")).await.body;
    assert_eq!(sourced["Items"][0]["retailPrice"], 0.115, "{sourced}");
    assert!(sourced["Items"][0].get("x-slipway-sample").is_none());
    let sample = sim.get(&prices("northeurope")).await.body;
    assert_eq!(sample["Items"][0]["x-slipway-sample"], true, "{sample}");
    let outside = azure_sim::start(Config {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..Config::default()
    })
    .await;
    assert!(matches!(outside, Err(azure_sim::Error::NotLoopback(_))));
}

/// What no client should send: none of it ends the process, damages what is kept, or hits what it does not name.
#[tokio::test]
async fn hostile_requests_are_refused_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        data: Some(directory.path().to_owned()),
        ..fast()
    };
    let sim = Sim::start(config.clone()).await;
    let sub = format!("/subscriptions/{}", seed::SUBSCRIPTION_DEV);
    let group = sim.group("rg-hostile").await;
    let nested = |levels: usize| {
        let body = format!(
            "{{\"location\": \"westeurope\", \"properties\": {}1{}}}",
            "[".repeat(levels),
            "]".repeat(levels)
        );
        sim.http
            .put(sim.url(&format!(
                "{group}/providers/Microsoft.Network/networkSecurityGroups/deep?api-version={NETWORK}"
            )))
            .bearer_auth(&sim.token)
            .body(body)
            .send()
    };
    for levels in [110, 130, 400, 600, 100_000] {
        let answer = nested(levels).await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{levels} levels");
    }

    for method in [Method::PUT, Method::POST, Method::DELETE, Method::HEAD] {
        let answer = sim
            .send(method.clone(), &format!("{sub}?api-version={GROUPS}"), None)
            .await;
        assert_eq!(
            answer.unwrap().status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
    }
    // `&` is a character of a name, not the end of one.
    let beside = format!("{sub}/resourceGroups/rg-hostile&more?api-version={GROUPS}");
    let body = json!({ "location": "westeurope" });
    assert_eq!(
        sim.put(&beside, &body).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(sim.delete(&beside).await.status, StatusCode::NOT_FOUND);

    for path in [
        format!("{sub}/resources?api-version={GROUPS}&$top=5&$skiptoken=18446744073709551615"),
        "/api/retail/prices?$skip=18446744073709551615".to_owned(),
    ] {
        assert_eq!(sim.get(&path).await.status, StatusCode::OK, "{path}");
    }
    // Neither without a group, nor below something that it does not extend.
    let group_rules = format!("{group}/providers/Microsoft.Network/networkSecurityGroups/nsg");
    assert!(
        sim.put(&format!("{group_rules}?api-version={NETWORK}"), &body)
            .await
            .status
            .is_success()
    );
    for scope in [sub.clone(), format!("{group}/foo/bar"), group_rules.clone()] {
        let path = format!(
            "{scope}/providers/Microsoft.Network/networkSecurityGroups/lost?api-version={NETWORK}"
        );
        let refused = sim.put(&path, &body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::NOT_FOUND, "InvalidResourceType"),
            "{path}"
        );
    }
    let far = json!({ "advance_seconds": 300_000_000 });
    for _ in 0..11 {
        sim.post("/_sim/clock", &far).await;
    }
    assert_eq!(sim.get("/_sim/state").await.status, StatusCode::OK);

    // Whatever was taken can be read again.
    sim.running.shutdown().await;
    let mut again = Sim::start(config).await;
    again.sign_in().await;
    assert_eq!(
        again
            .get(&format!("{group}?api-version={GROUPS}"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn operations_answer_only_where_they_belong_and_tags_without_case() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-tags").await;
    let network = format!(
        "{group}/providers/Microsoft.Network/networkSecurityGroups/nsg?api-version={NETWORK}"
    );
    let begun = sim
        .put(&network, &json!({ "location": "westeurope" }))
        .await;
    let operation = begun.header("azure-asyncoperation").to_owned();
    assert_eq!(sim.get(&operation).await.status, StatusCode::OK);
    let elsewhere = operation.replace(seed::SUBSCRIPTION_DEV, seed::SUBSCRIPTION_PROD);
    assert_eq!(sim.get(&elsewhere).await.status, StatusCode::NOT_FOUND);

    let tags = format!("{group}/providers/Microsoft.Resources/tags/default?api-version={GROUPS}");
    let patch = |operation: &str, tags: serde_json::Value| json!({ "operation": operation, "properties": { "tags": tags } });
    let send = async |body: serde_json::Value| {
        let answer = sim.send(Method::PATCH, &tags, Some(&body)).await.unwrap();
        answer.body["properties"]["tags"].clone()
    };
    send(patch("Replace", json!({ "Owner": "one" }))).await;
    assert_eq!(
        send(patch("Merge", json!({ "owner": "two" }))).await,
        json!({ "Owner": "two" })
    );
    assert_eq!(
        send(patch("Delete", json!({ "owner": "another" }))).await,
        json!({ "Owner": "two" })
    );
    assert_eq!(
        send(patch("Delete", json!({ "OWNER": "two" }))).await,
        json!({})
    );
}
