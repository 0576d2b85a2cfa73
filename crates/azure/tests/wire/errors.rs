//! Azure's errors, in all their shapes, as people need them.

use azure::{ErrorKind, ResourceId, explain};
use serde_json::{Value, json};

use crate::stand_in::{StandIn, group, json as reply, with};

async fn asked_and_refused(status: u16, body: Value) -> azure::Error {
    let server =
        StandIn::start(move |asked| (!asked.path.contains("oauth2")).then(|| reply(status, &body)))
            .await;
    server.arm().groups().get(&group()).await.unwrap_err()
}

#[tokio::test]
async fn each_shape_is_read_and_sorted() {
    let envelope = asked_and_refused(404, json!({"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'x' could not be found."}})).await;
    assert_eq!(
        (envelope.kind(), envelope.status()),
        (ErrorKind::NotFound, Some(404))
    );
    assert_eq!(
        (envelope.request_id(), envelope.correlation_id()),
        (Some("request-1"), Some("correlation-1"))
    );

    let flat = asked_and_refused(400, json!({"code": "PropertyChangeNotAllowed", "details": null, "message": "Changing property is not allowed.", "subcode": "", "target": "agentPoolProfile.availabilityZone"})).await;
    assert_eq!(
        (flat.code(), flat.target()),
        (
            "PropertyChangeNotAllowed",
            Some("agentPoolProfile.availabilityZone")
        )
    );

    let quota = asked_and_refused(409, json!({"error": {"code": "OperationNotAllowed", "message": "Operation could not be completed as it results in exceeding approved standardDv5Family Cores quota."}})).await;
    assert_eq!(quota.kind(), ErrorKind::Quota);
    let busy = asked_and_refused(409, json!({"error": {"code": "OperationNotAllowed", "message": "Another operation is in progress."}})).await;
    assert_eq!(busy.kind(), ErrorKind::Conflict);
    assert!(busy.is_retryable());
    let never = asked_and_refused(409, json!({"code": "OperationNotAllowed", "message": "The cluster is stopped.", "subcode": "ClusterStopped"})).await;
    assert!(!never.is_retryable());
    assert_eq!(never.message(), "The cluster is stopped. (ClusterStopped)");

    let directory = asked_and_refused(400, json!({"odata.error": {"code": "Request_BadRequest", "message": {"lang": "en", "value": "Wrong."}, "innererror": {"code": "Inner", "message": "Why."}}})).await;
    assert_eq!(
        (
            directory.code(),
            directory.message(),
            directory.cause().code.as_str()
        ),
        ("Request_BadRequest", "Wrong.", "Inner")
    );

    let preflight = asked_and_refused(400, json!({"error": {"code": "InvalidTemplateDeployment", "message": "not valid", "details": [{"code": "QuotaExceeded", "message": "q"}]}})).await;
    assert_eq!(
        (preflight.kind(), preflight.cause().code.as_str()),
        (ErrorKind::Quota, "QuotaExceeded")
    );

    let html = asked_and_refused(400, json!("<html>no json object</html>")).await;
    assert_eq!((html.kind(), html.code()), (ErrorKind::Invalid, "Http400"));
}

/// AKS has codes of its own for a write that another one overtook; they come alone, and inside of what ARM makes of a deployment.
#[tokio::test]
async fn a_write_that_another_one_overtook_is_waited_out() {
    let flat = json!({"code": "EtagMismatch", "message": "Operation is not allowed: Another operation is in progress",
        "details": [{"code": "Unspecified", "message": "rpc error: code = FailedPrecondition desc = Etag mismatched"}],
        "subcode": "PutManagedClusterAndComponents_FailedPrecondition"});
    let inner = |code: &str| {
        json!({"error": {"code": "DeploymentFailed", "message": "At least one resource deployment operation failed.",
        "details": [{"code": "Conflict", "message": "conflict", "details": [{"code": code, "message": "lost"}]}]}})
    };
    for body in [flat, inner("EtagMismatch"), inner("OriginalEtagNotExpect")] {
        let lost = asked_and_refused(409, body.clone()).await;
        assert_eq!(lost.kind(), ErrorKind::Conflict, "{body}");
        assert!(lost.is_retryable() && lost.is_outdated(), "{body}");
    }
    let condition = json!({"code": "PreconditionFailed", "message": "no"});
    let condition = asked_and_refused(412, condition).await;
    assert!(condition.is_outdated() && !condition.is_retryable());
    let busy =
        json!({"code": "OperationNotAllowed", "message": "Another operation is in progress."});
    assert!(!asked_and_refused(409, busy).await.is_outdated());
}

/// What is not there can be forgotten; what cannot be seen must not be.
#[tokio::test]
async fn only_an_answer_that_says_so_means_that_something_is_gone() {
    let gone = json!({"error": {"code": "DeploymentNotFound", "message": "Deployment 'x' could not be found."}});
    let hidden = json!({"error": {"code": "SubscriptionNotFound", "message": "The subscription 'x' could not be found."}});
    let astray = json!({"error": {"code": "InvalidResourceNamespace", "message": "The resource namespace is invalid."}});
    for (body, kind) in [
        (gone, ErrorKind::NotFound),
        (hidden, ErrorKind::Forbidden),
        (astray, ErrorKind::Invalid),
        // A proxy's page.
        (json!("<html>Not Found</html>"), ErrorKind::BadAnswer),
    ] {
        let error = asked_and_refused(404, body.clone()).await;
        assert_eq!(error.kind(), kind, "{body}");
    }
}

#[tokio::test]
async fn a_policy_violation_names_the_policy_and_the_property() {
    let error = asked_and_refused(403, json!({"error": {"code": "RequestDisallowedByPolicy", "target": "vm1", "message": "Resource 'vm1' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{\"name\":\"a\"}}]'.",
        "additionalInfo": [{"type": "PolicyViolation", "info": {"policyDefinitionDisplayName": "Allowed sizes", "policyAssignmentId": "/a",
            "evaluationDetails": {"evaluatedExpressions": [{"result": "False", "path": "properties.hardwareProfile.vmSize", "expressionValue": "Standard_D2as_v4", "targetValue": ["Standard_D1_v2"], "operator": "In"}]}}}]}})).await;
    assert_eq!(error.kind(), ErrorKind::Policy);
    assert!(error.message().contains("disallowed by policy"));
    let violation = error.policy()[0];
    assert_eq!(violation.definition.as_deref(), Some("Allowed sizes"));
    assert_eq!(
        violation.expressions[0].path.as_deref(),
        Some("properties.hardwareProfile.vmSize")
    );
    assert_eq!(violation.expressions[0].result, Some(false));
    let shown = serde_json::to_value(error.fault()).unwrap();
    assert_eq!(
        shown["policy"],
        json!([{
            "definition": "Allowed sizes", "assignment_id": "/a",
            "expressions": [{"path": "properties.hardwareProfile.vmSize", "found": "Standard_D2as_v4", "operator": "In", "wanted": ["Standard_D1_v2"], "result": false}],
        }])
    );
}

#[tokio::test]
async fn a_page_gets_the_whole_error_with_what_to_do() {
    let text = "{\"error\": {\"code\": \"ZonalAllocationFailed\", \"message\": \"We do not have sufficient capacity.\"}}";
    let error = asked_and_refused(409, json!({"error": {"code": "ResourceDeploymentFailure", "message": "The resource could not be made.", "details": [{"code": "Conflict", "message": text}]}})).await;
    let fault = error.fault();
    assert_eq!(
        (fault.status, fault.code.as_str()),
        (Some(409), "ResourceDeploymentFailure")
    );
    let inner = &fault.details[0].details[0];
    assert_eq!(inner.code, "ZonalAllocationFailed");
    assert_eq!(
        inner.explanation.as_deref(),
        explain("zonalallocationfailed")
    );
    assert!(fault.request_id.is_some() && !format!("{fault:?}").contains("\\\"error\\\""));
    assert_eq!(explain("NobodyKnows"), None);
}

#[tokio::test]
async fn a_wrong_secret_keeps_the_authoritys_words() {
    let server = StandIn::start(|asked| {
        asked.path.contains("oauth2").then(|| {
            reply(
                401,
                &json!({"error": "invalid_client", "error_codes": [7000215],
        "error_description": "AADSTS7000215: Invalid client secret provided."}),
            )
        })
    })
    .await;
    let error = server.arm().check().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unauthorized, "AADSTS7000215")
    );
    assert!(error.message().contains("Invalid client secret provided"));
    assert!(error.fault().explanation.is_some());
}

#[tokio::test]
async fn existence_is_asked_cheaply_and_where_that_is_refused_with_a_read() {
    let server =
        StandIn::start(
            |asked| match (asked.method.as_str(), asked.path.rsplit('/').next()) {
                ("HEAD", Some("there")) => Some(with(204, &[], &Value::Null)),
                ("HEAD", Some("shy")) => Some(with(405, &[], &Value::Null)),
                ("GET", Some("shy")) => Some(reply(200, &json!({"id": "x"}))),
                ("HEAD", _) => Some(with(404, &[], &Value::Null)),
                _ => None,
            },
        )
        .await;
    let arm = server.arm();
    for (name, there) in [("there", true), ("shy", true), ("gone", false)] {
        let id =
            ResourceId::in_group(&group(), "Microsoft.Network/networkInterfaces", name).unwrap();
        assert_eq!(arm.resources().exists(&id).await.unwrap(), there, "{name}");
    }
}
