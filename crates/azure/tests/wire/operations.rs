//! What Azure accepted and then works on: found again from its stored state, followed to its end, and never followed elsewhere.

use azure::{DeploymentBody, ErrorKind, LongRunning, Poll, PollKind, ResourceId, Started, WhatIf};
use serde_json::{Map, Value, json};

use crate::stand_in::{Reply, StandIn, deployment, group, json as reply, with};

fn body() -> DeploymentBody {
    let mut values = Map::new();
    values.insert("vmName".to_owned(), json!("web"));
    DeploymentBody::new(json!({"resources": []}), values)
}

fn running(started: Started) -> LongRunning {
    match started {
        Started::Running(operation) => operation,
        Started::Done(value) => panic!("done at once: {value}"),
    }
}

fn deployment_json(state: &str) -> Value {
    json!({"id": deployment().to_string(), "name": deployment().name(), "properties": {
        "provisioningState": state, "timestamp": "2026-11-22T10:00:00.1234567Z", "duration": "PT1M2.5S", "correlationId": "c-1",
        "outputs": {"vmId": {"type": "String", "value": "/subscriptions/x"}, "key": {"type": "SecureString"}},
        "outputResources": [{"id": "/subscriptions/x/disk"}]}})
}

#[tokio::test]
async fn a_second_process_finishes_a_deployment_from_its_stored_state() {
    // The poll address is opaque: parameters and signature must come back as they were given.
    let poll = "/operationStatuses/08586075330413108263?api-version=2025-04-01&t=638&c=MIIHhz%2BCC&s=a%2Fb%3D%3D";
    let server = StandIn::start(move |asked| {
        if asked.is("PUT", "slipway-web-a1b2c3-1") {
            return Some(with(
                201,
                &[("azure-asyncoperation", poll), ("retry-after", "3")],
                &deployment_json("Accepted"),
            ));
        }
        if asked.path.contains("operationStatuses") {
            let status = if asked.nth == 0 {
                "Running"
            } else {
                "Succeeded"
            };
            return Some(with(
                200,
                &[("retry-after", "7")],
                &json!({"status": status}),
            ));
        }
        asked
            .is("GET", "slipway-web-a1b2c3-1")
            .then(|| reply(200, &deployment_json("Succeeded")))
    })
    .await;

    let operation = running(
        server
            .arm()
            .deployments()
            .put(&deployment(), &body())
            .await
            .unwrap(),
    );
    assert_eq!(operation.poll.kind, PollKind::AsyncOperation);
    assert_eq!(operation.retry_after, Some(3));
    assert_eq!(operation.request_id.as_deref(), Some("request-1"));
    let stored = serde_json::to_string(&operation).unwrap();

    let second = server.arm();
    let operation: LongRunning = serde_json::from_str(&stored).unwrap();
    let Poll::Running {
        state, retry_after, ..
    } = second.poll(&operation).await.unwrap()
    else {
        panic!("not running")
    };
    assert_eq!(
        (state.as_str(), retry_after.map(|wait| wait.as_secs())),
        ("Running", Some(7))
    );
    let Poll::Succeeded(value) = second.poll(&operation).await.unwrap() else {
        panic!("not done")
    };
    let made = azure::Deployment::try_from(value).unwrap();
    assert!(made.succeeded() && made.is_final());
    assert_eq!(made.outputs.get("vmId"), Some(&json!("/subscriptions/x")));
    assert!(
        !made.outputs.contains_key("key"),
        "a secure output has no value"
    );
    assert_eq!(made.duration, Some(time::Duration::milliseconds(62_500)));

    let asked = server.asked();
    let polls: Vec<_> = asked
        .iter()
        .filter(|asked| asked.path.contains("operationStatuses"))
        .collect();
    assert_eq!(format!("{}?{}", polls[0].path, polls[0].query), poll);
    assert_eq!(
        asked.iter().filter(|asked| asked.method == "PUT").count(),
        1
    );
    let put: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(put["properties"]["mode"], "Incremental");
    assert_eq!(put["properties"]["parameters"]["vmName"]["value"], "web");
    assert!(asked.iter().all(|asked| {
        asked
            .client_request_id
            .as_ref()
            .is_some_and(|id| id.len() == 36)
    }));
}

#[tokio::test]
async fn the_token_never_follows_a_poll_address_to_another_origin() {
    let thief = StandIn::start(|_| Some(reply(200, &json!({"status": "Succeeded"})))).await;
    let address = thief.url("/steal?api-version=1");
    let server = StandIn::start(move |asked| {
        asked.is("PUT", "-1").then(|| {
            with(
                201,
                &[("azure-asyncoperation", &address)],
                &deployment_json("Accepted"),
            )
        })
    })
    .await;
    let arm = server.arm();
    let error = arm
        .deployments()
        .put(&deployment(), &body())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignPollUrl);

    // The same when somebody changed the stored state.
    let forged: LongRunning = serde_json::from_value(json!({
        "resource_url": server.url("/x"), "method": "put", "retry_after": null, "request_id": null, "correlation_id": null,
        "started_at": "2026-11-22T10:00:00Z", "poll": {"kind": "async_operation", "url": thief.url("/steal")}}))
    .unwrap();
    assert_eq!(
        arm.poll(&forged).await.unwrap_err().kind(),
        ErrorKind::ForeignPollUrl
    );
    assert!(
        thief.asked().is_empty(),
        "nothing was sent to the other origin"
    );
}

#[tokio::test]
async fn what_azure_answers_about_an_operation_is_told_apart() {
    let server = StandIn::start(|asked| {
        if asked.method == "DELETE" {
            return Some(with(202, &[("location", "/operationresults/1?api-version=2025-04-01")], &Value::Null));
        }
        if asked.path.ends_with("operationresults/1") {
            return Some(if asked.nth == 0 { with(202, &[("retry-after", "15")], &Value::Null) } else { with(200, &[], &Value::Null) });
        }
        if asked.is("POST", "/whatIf") {
            return Some(with(202, &[("location", "/operationresults/2?api-version=2025-04-01")], &Value::Null));
        }
        if asked.path.ends_with("operationresults/2") {
            return Some(reply(200, &json!({"status": "Succeeded", "properties": {"changes": [
                {"resourceId": "/a", "changeType": "Modify", "delta": [{"path": "sku.name", "propertyChangeType": "Modify", "before": "a", "after": "b"}]},
                {"resourceId": "/b", "changeType": "NoEffectYetUnknown"}]}})));
        }
        if asked.is("PUT", "-1") {
            return Some(with(201, &[("azure-asyncoperation", "/status/3")], &deployment_json("Accepted")));
        }
        match (asked.path.as_str(), asked.nth) {
            ("/status/3", 0) => Some(reply(200, &json!({"status": "Canceled"}))),
            ("/status/3", 1) => Some(reply(200, &json!({"status": "Failed", "error": {"code": "DeploymentFailed", "message": "At least one.", "details": [
                {"code": "Conflict", "message": "{\r\n  \"error\": {\r\n \"code\": \"SkuNotAvailable\", \"message\": \"No D2s.\", \"target\": \"sku.name\"}}"}]}}))),
            ("/status/3", _) => Some(reply(404, &json!({"error": {"code": "NotFound", "message": "forgotten"}}))),
            _ => None,
        }
    })
    .await;
    let arm = server.arm();

    let delete = running(arm.groups().delete(&group()).await.unwrap());
    assert_eq!(delete.poll.kind, PollKind::Location);
    assert!(
        matches!(arm.poll(&delete).await.unwrap(), Poll::Running { retry_after: Some(wait), .. } if wait.as_secs() == 15)
    );
    assert!(matches!(
        arm.poll(&delete).await.unwrap(),
        Poll::Succeeded(Value::Null)
    ));

    let what_if = running(
        arm.deployments()
            .what_if(&deployment(), &body())
            .await
            .unwrap(),
    );
    let Poll::Succeeded(value) = arm.poll(&what_if).await.unwrap() else {
        panic!("not done")
    };
    let what_if = WhatIf::try_from(value).unwrap();
    assert_eq!(what_if.changes[0].change_type, azure::ChangeKind::Modify);
    assert_eq!(
        what_if.changes[1].change_type,
        azure::ChangeKind::Unsupported
    );

    let put = running(arm.deployments().put(&deployment(), &body()).await.unwrap());
    assert!(matches!(arm.poll(&put).await.unwrap(), Poll::Canceled));
    let Poll::Failed(error) = arm.poll(&put).await.unwrap() else {
        panic!("not failed")
    };
    assert_eq!(error.kind(), ErrorKind::Capacity);
    assert_eq!(
        (error.cause().code.as_str(), error.cause().target.as_deref()),
        ("SkuNotAvailable", Some("sku.name"))
    );
    // Azure has forgotten the operation: that says nothing about the deployment.
    assert_eq!(
        arm.poll(&put).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn without_a_poll_address_the_resource_itself_tells() {
    let server = StandIn::start(|asked| {
        let state = |word: &str| json!({"id": "x", "properties": {"provisioningState": word}});
        match (asked.method.as_str(), asked.nth) {
            ("PUT", _) => Some(reply(201, &state("Creating"))),
            ("GET", 0) => Some(reply(200, &state("Creating"))),
            ("GET", _) => Some(reply(200, &state("Succeeded"))),
            ("DELETE", _) => Some(Reply::Answer(204, Vec::new(), String::new())),
            _ => None,
        }
    })
    .await;
    let arm = server.arm();
    let vm = ResourceId::in_group(&group(), "Microsoft.Compute/virtualMachines", "web").unwrap();
    let put = running(
        arm.resources()
            .put(&vm, json!({"location": "westeurope"}))
            .await
            .unwrap(),
    );
    assert_eq!(put.poll.kind, PollKind::ProvisioningState);
    assert!(
        matches!(arm.poll(&put).await.unwrap(), Poll::Running { state, .. } if state == "Creating")
    );
    assert!(matches!(arm.poll(&put).await.unwrap(), Poll::Succeeded(_)));
    assert_eq!(
        arm.resources().delete(&vm).await.unwrap(),
        Started::Done(Value::Null)
    );
}

#[tokio::test]
async fn progress_shows_resources_only_and_all_pages() {
    let server = StandIn::start(|asked| {
        let row = |id: &str, kind: &str, state: &str| json!({"id": format!("/x/operations/{id}"), "operationId": id, "properties": {
            "provisioningOperation": kind, "provisioningState": state, "timestamp": "2026-11-22T10:00:00Z", "duration": "PT4.6434236S", "statusCode": "Conflict",
            "serviceRequestId": "98d1", "statusMessage": {"status": "Failed", "error": {"code": "ResourceDeploymentFailure", "message": "m", "details": [{"code": "QuotaExceeded", "message": "q"}]}},
            "targetResource": {"id": "/vm", "resourceType": "Microsoft.Compute/virtualMachines", "resourceName": "web"}}});
        if !asked.path.ends_with("/operations") {
            return None;
        }
        Some(if asked.query.contains("skip") {
            reply(200, &json!({"value": [row("3", "Read", "Succeeded"), {"id": "4", "operationId": "4", "properties": {"provisioningOperation": "EvaluateDeploymentOutput", "provisioningState": "Succeeded"}}, row("5", "Create", "Running")]}))
        } else {
            reply(200, &json!({"value": [row("1", "Create", "Failed")], "nextLink": format!("{}?api-version=2025-04-01&$skiptoken=skip", asked.path)}))
        })
    })
    .await;
    let rows = server
        .arm()
        .deployments()
        .operations(&deployment())
        .await
        .unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.state.as_str()))
        .collect();
    assert_eq!(shown, [("1", "Failed"), ("5", "Running")]);
    let error = rows[0].error.as_ref().unwrap();
    assert_eq!(
        (error.kind(), error.request_id()),
        (ErrorKind::Quota, Some("98d1"))
    );
    assert_eq!(rows[1].error, None);
}

/// Silence is no success, and a failure bears the ids of the request that began it: the activity log knows no others.
#[tokio::test]
async fn an_answer_that_says_nothing_ends_nothing() {
    let poll = "/operationStatuses/1?api-version=2025-04-01";
    let server = StandIn::start(move |asked| {
        if asked.is("PUT", "slipway-web-a1b2c3-1") {
            return Some(with(
                201,
                &[("azure-asyncoperation", poll)],
                &deployment_json("Accepted"),
            ));
        }
        let failed =
            json!({"status": "Failed", "error": {"code": "DeploymentFailed", "message": "No."}});
        let answer = [json!(null), json!({}), failed];
        asked
            .path
            .contains("operationStatuses")
            .then(|| with(200, &[], &answer[asked.nth.min(2)]))
    })
    .await;
    let arm = server.arm();
    let operation = running(arm.deployments().put(&deployment(), &body()).await.unwrap());
    for _ in 0..2 {
        let silent = arm.poll(&operation).await.unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::BadAnswer, "{silent}");
    }
    let Poll::Failed(error) = arm.poll(&operation).await.unwrap() else {
        panic!("it failed")
    };
    assert_eq!(
        (error.code(), error.request_id()),
        ("DeploymentFailed", operation.request_id.as_deref())
    );
}
