//! Deployments that hold others, look at what they make, and clear up after themselves.

mod common;

use azure_sim::seed;
use common::{GROUPS, NETWORK, Sim, fast, machine_template};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SCHEMA: &str =
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

fn template(resources: &Value, outputs: &Value) -> Value {
    json!({ "$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources, "outputs": outputs })
}

fn rules(name: &str, tags: &Value) -> Value {
    json!({ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": NETWORK, "name": name, "location": "westeurope", "tags": tags })
}

/// Deploys and waits for the end, which it gives.
async fn deploy(sim: &Sim, path: &str, mode: &str, template: &Value) -> Value {
    let body = json!({ "properties": { "mode": mode, "template": template } });
    let begun = sim.put(path, &body).await;
    assert!(begun.status.is_success(), "{}", begun.body);
    sim.settled(path).await
}

/// Every Bicep module is a nested deployment, and modules hand each other their outputs.
#[tokio::test]
async fn modules_hand_on_their_outputs_and_each_is_a_deployment_of_its_own() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-modules").await;
    let deployments = format!("{group}/providers/Microsoft.Resources/deployments");
    let path = |name: &str| format!("{deployments}/{name}?api-version={GROUPS}");

    let inner = json!({
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "parameters": { "name": { "type": "string" }, "key": { "type": "securestring" } },
        "resources": [rules("[parameters('name')]", &json!({}))],
        "outputs": {
            "id": { "type": "string", "value": "[resourceId('Microsoft.Network/networkSecurityGroups', parameters('name'))]" },
            "guid": { "type": "string", "value": "[reference(resourceId('Microsoft.Network/networkSecurityGroups', parameters('name')), '2024-05-01').resourceGuid]" },
            "hidden": { "type": "securestring", "value": "[parameters('key')]" },
        },
    });
    let module = |name: &str, rules: &str, after: Value| {
        json!({
            "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": name, "dependsOn": after,
            "properties": { "mode": "Incremental", "expressionEvaluationOptions": { "scope": "inner" }, "template": inner,
                "parameters": { "name": { "value": rules }, "key": { "value": "s3cret" } } },
        })
    };
    let mut whole = template(
        &json!([
            module("first", "nsg-one", json!([])),
            module("second", "nsg-two", json!(["first"])),
        ]),
        &json!({
            "one": { "type": "string", "value": "[reference('first').outputs.id.value]" },
            "two": { "type": "string", "value": "[reference(resourceId('Microsoft.Resources/deployments', 'second'), '2022-09-01').outputs.id.value]" },
        }),
    );
    // Even a name may come from what another module made.
    whole["resources"][1]["properties"]["parameters"]["name"]["value"] =
        "[concat('nsg-', uniqueString(reference('first').outputs.guid.value))]".into();
    let done = deploy(&sim, &path("outer"), "Incremental", &whole).await;
    assert_eq!(
        done["properties"]["provisioningState"], "Succeeded",
        "{done}"
    );
    let outputs = &done["properties"]["outputs"];
    assert!(
        outputs["one"]["value"]
            .as_str()
            .unwrap()
            .ends_with("/networkSecurityGroups/nsg-one"),
        "{outputs}"
    );
    assert!(
        outputs["two"]["value"]
            .as_str()
            .unwrap()
            .contains("/networkSecurityGroups/nsg-"),
        "{outputs}"
    );
    let two = outputs["two"]["value"].as_str().unwrap();
    let made = sim.get(&format!("{two}?api-version={NETWORK}")).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let two = two.rsplit('/').next().unwrap();

    // Each module has its record, its operations, and keeps its secrets.
    let second = sim.get(&path("second")).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.body);
    let properties = &second.body["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["parameters"]["name"]["value"], two);
    assert!(
        !second.body.to_string().contains("s3cret"),
        "{}",
        second.body
    );
    assert_eq!(
        properties["outputs"]["hidden"],
        json!({ "type": "SecureString" })
    );
    let rows = async |name: &str| -> Vec<String> {
        let listed = sim
            .get(&format!(
                "{deployments}/{name}/operations?api-version={GROUPS}"
            ))
            .await;
        listed.body["value"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| row["properties"]["targetResource"]["resourceName"].as_str())
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(rows("outer").await, ["first", "second"]);
    assert_eq!(rows("second").await, [two]);
}

/// What a template asks of its own resources is answered when they are made, not by what was there before.
#[tokio::test]
async fn a_reference_to_what_is_deployed_tells_what_became_of_it() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-reference").await;
    let path =
        format!("{group}/providers/Microsoft.Resources/deployments/one?api-version={GROUPS}");
    let id = "resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')";
    let plain = template(&json!([rules("nsg", &json!({}))]), &json!({}));
    deploy(&sim, &path, "Incremental", &plain).await;

    let full = format!("[reference({id}, '2024-05-01', 'Full')]");
    let tagged = template(
        &json!([rules("nsg", &json!({ "team": "shop" }))]),
        &json!({
            "team": { "type": "string", "value": format!("[reference({id}, '2024-05-01', 'Full').tags.team]") },
            "full": { "type": "object", "value": full },
        }),
    );
    let done = deploy(&sim, &path, "Incremental", &tagged).await;
    let outputs = &done["properties"]["outputs"];
    assert_eq!(outputs["team"]["value"], "shop", "{done}");
    let full = &outputs["full"]["value"];
    assert_eq!(
        (
            &full["subscriptionId"],
            &full["resourceGroupName"],
            &full["resourceId"],
            &full["apiVersion"]
        ),
        (
            &json!(seed::SUBSCRIPTION_DEV),
            &json!("rg-reference"),
            &json!("Microsoft.Network/networkSecurityGroups/nsg"),
            &json!("2024-05-01")
        )
    );
    assert!(
        full.get("id").is_none() && full.get("name").is_none(),
        "{full}"
    );

    let absent = template(
        &json!([]),
        &json!({ "lost": { "type": "string", "value": format!("[reference({id}, '2024-05-01').nothing]") } }),
    );
    let failed = deploy(&sim, &path, "Incremental", &absent).await;
    let error = &failed["properties"]["error"];
    assert_eq!(
        (&error["code"], &error["details"][0]["target"]),
        (&json!("DeploymentOutputEvaluationFailed"), &json!("lost")),
        "{failed}"
    );
}

/// Complete mode leaves of the group what the template says, in an order that works, and says beforehand what goes.
#[tokio::test]
async fn complete_mode_deletes_what_the_template_does_not_name() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-complete").await;
    let path =
        format!("{group}/providers/Microsoft.Resources/deployments/one?api-version={GROUPS}");
    let machine = common::deployment(&machine_template(), &json!({ "name": "vm-old" }));
    let begun = sim.put(&path, &machine).await;
    assert!(begun.status.is_success(), "{}", begun.body);
    let made = sim.settled(&path).await;
    assert_eq!(
        made["properties"]["provisioningState"], "Succeeded",
        "{made}"
    );

    let only = template(&json!([rules("nsg-new", &json!({}))]), &json!({}));
    let what_if = path.replace("?", "/whatIf?");
    let asked = sim
        .post(
            &what_if,
            &json!({ "properties": { "mode": "Complete", "template": only } }),
        )
        .await;
    let told = sim.wait(&asked).await;
    let fates: Vec<(&str, &str)> = told["body"]["properties"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let id = row["resourceId"].as_str().unwrap();
            (
                id.rsplit('/').next().unwrap(),
                row["changeType"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(
        fates.contains(&("nsg-new", "Create")) && fates.contains(&("vm-old", "Delete")),
        "{fates:?}"
    );

    let done = deploy(&sim, &path, "Complete", &only).await;
    assert_eq!(
        done["properties"]["provisioningState"], "Succeeded",
        "{done}"
    );
    assert_eq!(done["properties"]["mode"], "Complete");
    let left = sim
        .get(&format!("{group}/resources?api-version={GROUPS}"))
        .await;
    let names: Vec<&str> = left.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["nsg-new"],
        "the machine, its interface and disk went"
    );

    let subscription = format!(
        "/subscriptions/{}/providers/Microsoft.Resources/deployments/all?api-version={GROUPS}",
        seed::SUBSCRIPTION_DEV
    );
    let body = json!({ "location": "westeurope", "properties": { "mode": "Complete", "template": template(&json!([]), &json!({})) } });
    let refused = sim.put(&subscription, &body).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::BAD_REQUEST, "InvalidDeployment")
    );
}
