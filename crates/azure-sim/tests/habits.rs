//! What real clients lean on besides the resources: keys that verify tokens, policies that deny with their evaluation, limits told in headers, faults from a file, changes behind one's back, http beside https.

mod common;

use azure_sim::{Config, seed};
use common::{COMPUTE, GROUPS, NETWORK, Sim, fast};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const POLICY: &str = "2025-03-01";
const DISKS: &str = "2025-01-02";

fn disk(location: &str, sku: &str) -> Value {
    json!({ "location": location, "sku": { "name": sku }, "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 4 } })
}

#[tokio::test]
async fn a_token_names_the_key_that_is_published_and_a_changed_one_is_refused() {
    let mut sim = Sim::start(fast()).await;
    let published = sim
        .get(&format!("/{}/discovery/v2.0/keys", seed::TENANT))
        .await
        .body;
    let key = &published["keys"][0];
    assert_eq!((&key["kty"], &key["alg"]), (&json!("RSA"), &json!("RS256")));
    // 2048 bits in base64 without padding.
    assert_eq!(key["n"].as_str().unwrap().len(), 342);
    assert_eq!(key["e"], "AQAB");

    let groups = format!(
        "/subscriptions/{}/resourceGroups?api-version={GROUPS}",
        seed::SUBSCRIPTION_DEV
    );
    assert_eq!(sim.get(&groups).await.status, StatusCode::OK);
    let at = sim.token.rfind('.').unwrap() + 10;
    let other = if &sim.token[at..=at] == "A" { "B" } else { "A" };
    sim.token.replace_range(at..=at, other);
    let refused = sim.get(&groups).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
    );
}

#[tokio::test]
async fn a_policy_denies_in_preflight_and_at_the_provider_until_it_is_exempted() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-policy").await;
    let scope = format!("{group}/providers/Microsoft.Authorization");
    let definition = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/policyDefinitions/disks",
        seed::SUBSCRIPTION_DEV
    );
    let rule = json!({ "properties": {
        "mode": "Indexed", "parameters": { "allowed": { "type": "Array" }, "effect": { "type": "String", "defaultValue": "Deny" } },
        "policyRule": {
            "if": { "allOf": [
                { "field": "type", "equals": "microsoft.compute/disks" },
                { "field": "Microsoft.Compute/disks/sku.name", "notIn": "[parameters('allowed')]" },
            ] },
            "then": { "effect": "[parameters('effect')]" },
        },
    } });
    let made = sim
        .put(&format!("{definition}?api-version={POLICY}"), &rule)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let assignment = format!("{scope}/policyAssignments/premium");
    let missing = sim
        .put(
            &format!("{assignment}?api-version={POLICY}"),
            &json!({ "properties": { "policyDefinitionId": definition } }),
        )
        .await;
    assert_eq!(missing.code(), "MissingPolicyParameter");
    sim.put(
        &format!("{assignment}?api-version={POLICY}"),
        &json!({ "properties": { "policyDefinitionId": definition, "parameters": { "allowed": { "value": ["Premium_LRS"] } } } }),
    )
    .await;

    let path = format!("{group}/providers/Microsoft.Compute/disks/one");
    let denied = sim
        .put(
            &format!("{path}?api-version={DISKS}"),
            &disk("westeurope", "Standard_LRS"),
        )
        .await;
    assert_eq!(
        (denied.status, denied.code()),
        (StatusCode::FORBIDDEN, "RequestDisallowedByPolicy")
    );
    let seen = &denied.body["error"]["additionalInfo"][0]["info"]["evaluationDetails"]["evaluatedExpressions"];
    assert_eq!(
        seen[1],
        json!({
            "result": "True", "expressionKind": "Field", "expression": "Microsoft.Compute/disks/sku.name", "path": "sku.name",
            "expressionValue": "Standard_LRS", "targetValue": ["Premium_LRS"], "operator": "NotIn",
        })
    );

    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.Compute/disks", "apiVersion": DISKS, "name": "one", "location": "westeurope", "sku": { "name": "Standard_LRS" }, "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 4 } }],
    });
    let validate = format!(
        "{group}/providers/Microsoft.Resources/deployments/d/validate?api-version={GROUPS}"
    );
    let body = json!({ "properties": { "mode": "Incremental", "template": template } });
    let refused = sim.post(&validate, &body).await;
    assert_eq!(refused.code(), "InvalidTemplateDeployment");
    assert_eq!(
        refused.body["error"]["details"][0]["code"],
        "RequestDisallowedByPolicy"
    );

    let exempted = sim
        .put(
            &format!("{scope}/policyExemptions/for-now?api-version=2022-07-01-preview"),
            &json!({ "properties": { "policyAssignmentId": assignment, "exemptionCategory": "Waiver" } }),
        )
        .await;
    assert_eq!(exempted.status, StatusCode::CREATED, "{}", exempted.body);
    assert_eq!(sim.post(&validate, &body).await.status, StatusCode::OK);
    let made = sim
        .put(
            &format!("{path}?api-version={DISKS}"),
            &disk("westeurope", "Standard_LRS"),
        )
        .await;
    assert_eq!(made.status, StatusCode::ACCEPTED, "{}", made.body);
}

#[tokio::test]
async fn a_member_that_arm_does_not_know_is_refused() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-unknown").await;
    let mut body = disk("westeurope", "Premium_LRS");
    body["colour"] = "blue".into();
    let path = format!("{group}/providers/Microsoft.Compute/disks/one?api-version={DISKS}");
    let refused = sim.put(&path, &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "InvalidRequestContent")
    );
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("Could not find member 'colour'"),
        "{message}"
    );
}

#[tokio::test]
async fn compute_counts_calls_per_machine_and_says_when_to_come_back() {
    let sim = Sim::start(Config {
        throttle: true,
        ..fast()
    })
    .await;
    let group = sim.group("rg-limits").await;
    let path = format!(
        "{group}/providers/Microsoft.Compute/virtualMachines/vm/start?api-version={COMPUTE}"
    );
    let first = sim.post(&path, &json!({})).await;
    assert_eq!(
        first.header("x-ms-ratelimit-remaining-resource"),
        "Microsoft.Compute/UpdateVMResource;11,Microsoft.Compute/UpdateVMSubscription;1499"
    );
    let mut last = first;
    for _ in 0..12 {
        last = sim.post(&path, &json!({})).await;
    }
    assert_eq!(
        (last.status, last.code()),
        (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests")
    );
    let wait: u64 = last.header("retry-after").parse().unwrap();
    assert!((1..=15).contains(&wait), "{wait}");
    // Another machine has tokens of its own.
    let other = sim.post(&path.replace("/vm/", "/other/"), &json!({})).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_subscription_deployment_makes_a_group_and_what_goes_into_it() {
    let sim = Sim::start(fast()).await;
    let base = format!(
        "/subscriptions/{}/providers/Microsoft.Resources/deployments/whole",
        seed::SUBSCRIPTION_DEV
    );
    let inner = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [{ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": NETWORK, "name": "nsg", "location": "westeurope", "properties": {} }],
    });
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#", "contentVersion": "1.0.0.0",
        "resources": [
            { "type": "Microsoft.Resources/resourceGroups", "apiVersion": GROUPS, "name": "rg-whole", "location": "westeurope" },
            {
                "type": "Microsoft.Resources/deployments", "apiVersion": GROUPS, "name": "inner", "resourceGroup": "rg-whole",
                "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'rg-whole')]"],
                "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" }, "template": inner },
            },
        ],
    });
    let mut body = json!({ "properties": { "mode": "Incremental", "template": template } });
    let unplaced = sim
        .put(&format!("{base}?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(unplaced.code(), "InvalidDeployment");
    body["location"] = "westeurope".into();
    let put = sim
        .put(&format!("{base}?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    let ended = sim.wait(&put).await;
    assert_eq!(ended["status"], "Succeeded", "{ended}");
    let nsg = format!(
        "/subscriptions/{}/resourceGroups/rg-whole/providers/Microsoft.Network/networkSecurityGroups/nsg?api-version={NETWORK}",
        seed::SUBSCRIPTION_DEV
    );
    assert_eq!(sim.get(&nsg).await.status, StatusCode::OK);
}

#[tokio::test]
async fn image_versions_come_in_the_order_and_number_that_are_asked_for() {
    let sim = Sim::start(fast()).await;
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.Compute/locations/westeurope/publishers/MicrosoftCBLMariner/artifacttypes/vmimage/offers/azure-linux-3/skus/azure-linux-3-gen2/versions?api-version={COMPUTE}",
        seed::SUBSCRIPTION_DEV
    );
    let names = async |query: &str| -> Vec<String> {
        let seen = sim.get(&format!("{path}{query}")).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
        let rows = seen.body.as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = names("").await;
    assert!(all.len() > 1 && all.is_sorted(), "{all:?}");
    assert_eq!(
        names("&$top=1&$orderby=name desc").await,
        all[all.len() - 1..]
    );
    assert_eq!(names("&$top=2&$orderby=name%20asc").await, all[..2]);
    let refused = sim.get(&format!("{path}&$top=few")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "InvalidParameter")
    );
}

#[tokio::test]
async fn a_file_orders_faults_and_a_resource_changes_behind_everybodys_back() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(
        data.path().join("faults.json"),
        r#"[{"method": "GET", "path": "/locations$", "times": 1, "action": {"type": "respond", "status": 503, "code": "ServerBusy"}}]"#,
    )
    .unwrap();
    let sim = Sim::start(Config {
        data: Some(data.path().to_owned()),
        ..fast()
    })
    .await;
    let locations = format!(
        "/subscriptions/{}/locations?api-version=2022-12-01",
        seed::SUBSCRIPTION_DEV
    );
    assert_eq!(sim.get(&locations).await.code(), "ServerBusy");
    assert_eq!(sim.get(&locations).await.status, StatusCode::OK);

    let group = sim.group("rg-behind").await;
    let nsg = format!("{group}/providers/Microsoft.Network/networkSecurityGroups/nsg");
    let put = sim
        .put(
            &format!("{nsg}?api-version={NETWORK}"),
            &json!({ "location": "westeurope", "properties": {} }),
        )
        .await;
    sim.wait(&put).await;
    let changed = sim
        .send(
            Method::PATCH,
            &format!("/_sim/resources?id={nsg}"),
            Some(&json!({ "tags": { "by": "somebody" } })),
        )
        .await
        .unwrap();
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let seen = sim.get(&format!("{nsg}?api-version={NETWORK}")).await;
    assert_eq!(seen.body["tags"]["by"], "somebody");
    sim.delete(&format!("/_sim/resources?id={nsg}")).await;
    let gone = sim.get(&format!("{nsg}?api-version={NETWORK}")).await;
    assert_eq!(gone.code(), "ResourceNotFound");
    sim.running.shutdown().await;
}

#[tokio::test]
async fn a_list_that_lags_shows_what_was_and_a_resource_is_read_as_it_is() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-lag").await;
    let id = |name: &str| format!("{group}/providers/Microsoft.Compute/disks/{name}");
    let path = |name: &str| format!("{}?api-version={DISKS}", id(name));
    let make = async |name: &str| {
        let put = sim
            .put(&path(name), &disk("westeurope", "Premium_LRS"))
            .await;
        sim.wait(&put).await;
    };
    let listed = async || -> Vec<(String, Value)> {
        let list = format!("{group}/resources?api-version={GROUPS}");
        let rows = sim.get(&list).await.body["value"].take();
        let row = |row: &Value| {
            let name = row["name"].as_str().unwrap().to_owned();
            (name, row["tags"]["owner"].clone())
        };
        rows.as_array().unwrap().iter().map(row).collect()
    };
    let lag = |seconds: u32| json!({ "method": "GET", "path": "/resources$", "action": { "type": "lag", "seconds": seconds } });
    for name in ["gone", "kept"] {
        make(name).await;
    }
    sim.fault(&lag(3600)).await;
    make("new").await;
    let removed = sim
        .delete(&format!("/_sim/resources?id={}", id("gone")))
        .await;
    assert_eq!(removed.status, StatusCode::OK, "{}", removed.body);
    let tags = json!({ "tags": { "owner": "somebody" } });
    let change = format!("/_sim/resources?id={}", id("kept"));
    sim.send(Method::PATCH, &change, Some(&tags)).await.unwrap();

    let before = [
        ("gone".to_owned(), Value::Null),
        ("kept".to_owned(), Value::Null),
    ];
    assert_eq!(listed().await, before);
    assert_eq!(sim.get(&path("gone")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(sim.get(&path("new")).await.status, StatusCode::OK);
    assert_eq!(
        sim.get(&path("kept")).await.body["tags"]["owner"],
        "somebody"
    );

    let now = [
        ("kept".to_owned(), json!("somebody")),
        ("new".to_owned(), Value::Null),
    ];
    sim.delete("/_sim/faults").await;
    assert_eq!(listed().await, now);
    // Of a short lag nothing is left once it is over.
    sim.fault(&lag(2)).await;
    make("newest").await;
    assert_eq!(listed().await, now);
    sim.post("/_sim/clock", &json!({ "advance_seconds": 60 }))
        .await;
    assert_eq!(listed().await.len(), 3);
}

#[tokio::test]
async fn http_is_served_beside_https_where_asked_for_and_leads_on_over_http() {
    let sim = Sim::start(Config {
        transport: azure_sim::Transport::HttpsAndHttp,
        ..fast()
    })
    .await;
    let group = sim.group("rg-http").await;
    let plain = sim.running.endpoint.as_str().replace("https://", "http://");
    let deleted = sim
        .http
        .delete(format!(
            "{}{group}?api-version={GROUPS}",
            plain.trim_end_matches('/')
        ))
        .bearer_auth(&sim.token)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
    let poll = deleted.headers()["location"].to_str().unwrap();
    assert!(poll.starts_with(&plain), "{poll}");
}
