//! A machine's life through a deployment: validated, deployed in order, seen, switched off, deleted with its group; and a restart in the middle of it.

mod common;

use azure_sim::{Config, seed};
use common::{COMPUTE, GROUPS, NETWORK, Sim, deployment, fast, machine_template};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn a_machine_is_deployed_switched_off_and_deleted_without_a_trace() {
    let sim = Sim::start(fast()).await;
    let before = sim.get("/_sim/state").await.body["types"].clone();
    let group = sim.group("rg-web").await;
    let path = format!("{group}/providers/Microsoft.Resources/deployments/web-1");
    let body = deployment(&machine_template(), &json!({ "name": "web" }));

    let checked = sim
        .post(&format!("{path}/validate?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(checked.status, StatusCode::OK, "{}", checked.body);
    assert_eq!(
        checked.body["properties"]["validatedResources"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let put = sim
        .put(&format!("{path}?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    assert_eq!(put.body["properties"]["provisioningState"], "Accepted");
    let again = sim
        .put(&format!("{path}?api-version={GROUPS}"), &body)
        .await;
    assert_eq!(
        (again.status, again.code()),
        (StatusCode::CONFLICT, "DeploymentActive")
    );
    let ended = sim.wait(&put).await;
    assert_eq!(ended["status"], "Succeeded", "{ended}");

    let done = sim.get(&format!("{path}?api-version={GROUPS}")).await.body;
    let address = done["properties"]["outputs"]["address"]["value"]
        .as_str()
        .unwrap();
    assert!(address.starts_with("10.10."), "{done}");
    assert_eq!(
        done["properties"]["outputResources"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let operations = sim
        .get(&format!("{path}/operations?api-version={GROUPS}"))
        .await
        .body;
    let order: Vec<&str> = operations["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| {
            row.pointer("/properties/targetResource/resourceType")?
                .as_str()
        })
        .collect();
    assert_eq!(order.len(), 3, "{operations}");
    let time = |kind: &str| {
        operations["value"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| {
                row.pointer("/properties/targetResource/resourceType")
                    .and_then(Value::as_str)
                    == Some(kind)
            })
            .map(|row| row["properties"]["timestamp"].as_str().unwrap().to_owned())
            .unwrap()
    };
    assert!(
        time("Microsoft.Network/networkSecurityGroups")
            <= time("Microsoft.Network/networkInterfaces")
    );
    assert!(
        time("Microsoft.Network/networkInterfaces") < time("Microsoft.Compute/virtualMachines")
    );

    // Paths are compared without case, and the casing given is kept.
    let machine = format!("{group}/providers/Microsoft.Compute/virtualMachines/web");
    let shouted = machine
        .to_uppercase()
        .replace("/SUBSCRIPTIONS", "/subscriptions");
    let seen = sim
        .get(&format!(
            "{shouted}?api-version={COMPUTE}&$expand=instanceView"
        ))
        .await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!(seen.body["id"].as_str().unwrap(), machine);
    assert_eq!(seen.body["properties"]["provisioningState"], "Succeeded");
    let power = |body: &Value| {
        body["statuses"][1]["code"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    assert_eq!(
        power(&seen.body["properties"]["instanceView"]),
        "PowerState/running"
    );
    assert_eq!(sim.count("Microsoft.Compute/disks").await, 1);

    let off = sim
        .send(
            Method::POST,
            &format!("{machine}/deallocate?api-version={COMPUTE}"),
            None,
        )
        .await
        .unwrap();
    assert_eq!(off.status, StatusCode::ACCEPTED, "{}", off.body);
    assert_eq!(sim.wait(&off).await["status"], "Succeeded");
    let view = sim
        .get(&format!("{machine}/instanceView?api-version={COMPUTE}"))
        .await
        .body;
    assert_eq!(power(&view), "PowerState/deallocated", "{view}");

    let nic = sim
        .get(&format!(
            "{group}/providers/Microsoft.Network/networkInterfaces/web-nic?api-version={NETWORK}"
        ))
        .await
        .body;
    assert_eq!(nic["properties"]["virtualMachine"]["id"], machine);
    let busy = sim
        .delete(&format!(
            "{group}/providers/Microsoft.Network/networkInterfaces/web-nic?api-version={NETWORK}"
        ))
        .await;
    assert_eq!(
        (busy.status, busy.code()),
        (StatusCode::BAD_REQUEST, "NicInUse")
    );

    let deleting = sim.delete(&format!("{group}?api-version={GROUPS}")).await;
    assert_eq!(deleting.status, StatusCode::ACCEPTED);
    assert_eq!(sim.wait(&deleting).await["status"], 200);
    let gone = sim.get(&format!("{group}?api-version={GROUPS}")).await;
    assert_eq!(
        (gone.status, gone.code()),
        (StatusCode::NOT_FOUND, "ResourceGroupNotFound")
    );
    assert_eq!(sim.get("/_sim/state").await.body["types"], before);
}

#[tokio::test]
async fn deleting_a_machine_takes_along_what_its_delete_options_say() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-options").await;
    let put = sim
        .put(
            &format!("{group}/providers/Microsoft.Resources/deployments/d?api-version={GROUPS}"),
            &deployment(&machine_template(), &json!({ "name": "web" })),
        )
        .await;
    assert_eq!(sim.wait(&put).await["status"], "Succeeded");
    let deleting = sim
        .delete(&format!(
            "{group}/providers/Microsoft.Compute/virtualMachines/web?api-version={COMPUTE}"
        ))
        .await;
    assert_eq!(deleting.status, StatusCode::ACCEPTED);
    sim.wait(&deleting).await;
    let left = sim
        .get(&format!("{group}/resources?api-version={GROUPS}"))
        .await
        .body;
    let kinds: Vec<&str> = left["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["Microsoft.Network/networkSecurityGroups"]);
    let none = sim
        .delete(&format!(
            "{group}/providers/Microsoft.Compute/virtualMachines/web?api-version={COMPUTE}"
        ))
        .await;
    assert_eq!(none.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_deployment_finishes_it() {
    let data = tempfile::tempdir().unwrap();
    // Slow enough that the first run cannot finish it; the second lets time pass at once.
    let config = Config {
        speed: 1.0,
        data: Some(data.path().to_owned()),
        ..Config::default()
    };
    let mut sim = Sim::start(config.clone()).await;
    let group = sim.group("rg-restart").await;
    let path = format!("{group}/providers/Microsoft.Resources/deployments/d");
    let put = sim
        .put(
            &format!("{path}?api-version={GROUPS}"),
            &deployment(&machine_template(), &json!({ "name": "web" })),
        )
        .await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    let (endpoint, authority, token) = (
        sim.running.endpoint.clone(),
        sim.running.ca_pem.clone(),
        sim.token.clone(),
    );
    let second = azure_sim::start(config.clone()).await;
    assert!(matches!(second, Err(azure_sim::Error::InUse(_))));
    sim.running.shutdown().await;

    sim = Sim::start(config).await;
    assert_eq!(
        (&sim.running.endpoint, &sim.running.ca_pem),
        (&endpoint, &authority)
    );
    sim.token = token;
    let active = sim.get(&format!("{path}?api-version={GROUPS}")).await.body;
    assert_ne!(active["properties"]["provisioningState"], "Succeeded");
    let stepped = sim
        .post("/_sim/clock", &json!({ "advance_seconds": 120 }))
        .await;
    assert_eq!(stepped.status, StatusCode::OK);
    let ended = sim.wait(&put).await;
    assert_eq!(ended["status"], "Succeeded", "{ended}");
    let puts = sim
        .get("/_sim/requests?method=PUT&path=/deployments/")
        .await
        .body;
    assert_eq!(puts["value"].as_array().unwrap().len(), 1, "{puts}");
}

#[tokio::test]
async fn a_cancelled_deployment_leaves_what_it_has_made() {
    let sim = Sim::start(Config {
        speed: 1.0,
        ..Config::default()
    })
    .await;
    let group = sim.group("rg-cancel").await;
    let path = format!("{group}/providers/Microsoft.Resources/deployments/d");
    let put = sim
        .put(
            &format!("{path}?api-version={GROUPS}"),
            &deployment(&machine_template(), &json!({ "name": "web" })),
        )
        .await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.body);
    // Accepted (1 s), then the security group (2 s): the interface is running when it is cancelled.
    sim.post("/_sim/clock", &json!({ "advance_seconds": 3.2 }))
        .await;
    let cancelled = sim
        .send(
            Method::POST,
            &format!("{path}/cancel?api-version={GROUPS}"),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        cancelled.status,
        StatusCode::NO_CONTENT,
        "{}",
        cancelled.body
    );
    assert_eq!(sim.wait(&put).await["status"], "Canceled");
    sim.post("/_sim/clock", &json!({ "advance_seconds": 600 }))
        .await;
    let left = sim
        .get(&format!("{group}/resources?api-version={GROUPS}"))
        .await
        .body;
    assert_eq!(left["value"].as_array().unwrap().len(), 2, "{left}");
    let twice = sim
        .send(
            Method::POST,
            &format!("{path}/cancel?api-version={GROUPS}"),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        (twice.status, twice.code()),
        (StatusCode::CONFLICT, "DeploymentCannotBeCancelled")
    );
}

#[tokio::test]
async fn what_if_tells_created_and_changed_properties() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-whatif").await;
    let path = format!("{group}/providers/Microsoft.Resources/deployments/d");
    let ask = |size: &str| deployment(&machine_template(), &json!({ "name": "web", "size": size }));
    let told = sim
        .post(
            &format!("{path}/whatIf?api-version={GROUPS}"),
            &ask("Standard_D2ds_v6"),
        )
        .await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.body);
    let result = sim.wait(&told).await["body"].clone();
    assert_eq!(
        result["properties"]["changes"][0]["changeType"], "Create",
        "{result}"
    );
    let put = sim
        .put(
            &format!("{path}?api-version={GROUPS}"),
            &ask("Standard_D2ds_v6"),
        )
        .await;
    assert_eq!(sim.wait(&put).await["status"], "Succeeded");
    let told = sim
        .post(
            &format!("{path}/whatIf?api-version={GROUPS}"),
            &ask("Standard_D4ds_v6"),
        )
        .await;
    let result = sim.wait(&told).await["body"].clone();
    let machine = &result["properties"]["changes"][0];
    assert_eq!(machine["changeType"], "Modify", "{result}");
    assert_eq!(
        machine["delta"][0]["path"],
        "properties.hardwareProfile.vmSize"
    );
    assert_eq!(
        result["properties"]["changes"][1]["changeType"], "NoChange",
        "{result}"
    );
    assert_eq!(seed::REGIONS[0], "westeurope");
}
