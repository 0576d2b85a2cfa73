//! What appears under a name that Slipway uses: another installation's deployment, a stranger's pool after a deletion, another template under a version.

use portal::{Catalogue, CrashPoints};
use serde_json::{Map, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use types::operation::OperationState;

use crate::world::{Engine, World, pool, vm};

#[tokio::test]
async fn another_installations_deployment_of_the_same_name_is_not_taken_for_the_own() {
    let world = World::new().await;
    let request = world.send(pool("batch")).await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    let target = request.plan.as_ref().unwrap().target.clone();
    let name = format!("slipway-batch-{}-1", request.summary.stack.short());
    let empty = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
    });
    let tags = [(
        "slipway-installation",
        "01938e5b-0000-7000-8000-00000000f00d",
    )];
    let body = azure::DeploymentBody::new(empty, Map::new())
        .tagged(tags.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    world.deploy_by_hand(&target, &name, &body).await;

    let operation = world.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    let fault = operation.fault.as_ref().unwrap();
    assert_eq!(fault.code, "not_ours", "{fault:?}");
    assert!(
        fault.message.contains("another Slipway installation"),
        "{fault:?}"
    );
    // The one that was put by hand is the only one.
    assert_eq!(world.writes("PUT", "/deployments/slipway-").await.len(), 1);
}

#[tokio::test]
async fn what_a_stranger_makes_right_after_the_deletion_stays_and_the_deletion_is_done() {
    let held = Arc::new(AtomicBool::new(false));
    let holds = Arc::clone(&held);
    let crash_points = CrashPoints::failing(move |name, _| {
        name == "look_for_resource.answered" && holds.load(Ordering::Relaxed)
    });
    let world = World::with(Engine::Sqlite, crash_points).await;
    let request = world.send(pool("batch")).await;
    assert_eq!(
        world.run(request.summary.id).await.summary.state,
        OperationState::Succeeded
    );
    let body = world.resource(&id_of("batch")).await.unwrap();

    // The deletion is through, and its proof is held up until a stranger has made a pool of this name.
    held.store(true, Ordering::Relaxed);
    let deletion = world
        .delete(request.summary.stack, "batch")
        .await
        .summary
        .id;
    let id = world
        .store
        .operation_of_request(deletion)
        .await
        .unwrap()
        .unwrap();
    for _ in 0..60 {
        let _ = world.portal.advance(id).await;
        world.clock.advance(time::Duration::seconds(20));
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        if !world.resource_exists(&id_of("batch")).await {
            break;
        }
    }
    assert!(!world.resource_exists(&id_of("batch")).await);
    let theirs = json!({ "properties": {
        "mode": "User",
        "count": 1,
        "vmSize": body["properties"]["vmSize"],
        "tags": { "slipway-installation": "01938e5b-0000-7000-8000-00000000f00d" },
    } });
    let theirs = world.by_hand(&id_of("batch"), theirs).await;
    held.store(false, Ordering::Relaxed);

    let operation = world.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Succeeded,
        "{operation:#?}"
    );
    assert_eq!(world.resource(&id_of("batch")).await, Some(theirs));
    assert_eq!(world.writes("DELETE", "/agentPools/batch").await.len(), 1);
}

#[tokio::test]
async fn a_template_that_was_replaced_under_its_version_is_not_sent() {
    let world = World::new().await;
    world
        .fault(json!({"method": "POST", "path": "/validate$", "action":
            {"type": "respond", "status": 503, "code": "ServiceUnavailable", "message": "Away."}}))
        .await;
    let request = world.send(vm("replaced", "dev")).await;
    let id = world
        .store
        .operation_of_request(request.summary.id)
        .await
        .unwrap()
        .unwrap();
    world.portal.advance(id).await.unwrap();
    world.clear_faults().await;
    // The binary that goes on has the same version with another content.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let mut files = vec![];
    for entry in Catalogue::from_dir(&folder).unwrap().entries() {
        let reference = entry.reference();
        let (name, version) = (reference.name.to_string(), reference.version.to_string());
        for file in ["manifest.yaml", "main.json", "README.md"] {
            let path = format!("{name}/{version}/{file}");
            let mut text = std::fs::read_to_string(folder.join(&path)).unwrap();
            if file == "main.json" {
                let mut template: serde_json::Value = serde_json::from_str(&text).unwrap();
                template["outputs"] = json!({});
                text = template.to_string();
            }
            files.push((path, text));
        }
    }
    let after = world.upgraded(Catalogue::from_files(files).unwrap()).await;
    let operation = after.drive(id).await;
    assert_eq!(
        operation.summary.state,
        OperationState::Failed,
        "{operation:#?}"
    );
    assert_eq!(operation.fault.as_ref().unwrap().code, "TemplateNotFound");
    assert!(
        after
            .writes("PUT", "/deployments/slipway-")
            .await
            .is_empty()
    );
}

fn id_of(name: &str) -> String {
    format!("{}/agentPools/{name}", azure_sim::seed::CLUSTER_DEV)
}
