//! What is done again, and what must never be.

use std::collections::BTreeMap;
use std::time::Duration;

use azure::{Arm, DeploymentBody, ErrorKind};
use serde_json::{Map, Value, json};

use crate::stand_in::{
    Reply, StandIn, TOKEN, deployment, group, json as reply, subscription, with,
};

fn group_json() -> Value {
    json!({"id": group().to_string(), "name": group().name(), "location": "westeurope", "tags": {"slipway-stack": "1"}, "properties": {"provisioningState": "Succeeded"}})
}

#[tokio::test]
async fn a_read_survives_a_dropped_connection_and_a_busy_server() {
    let server = StandIn::start(|asked| {
        (asked.method == "GET").then(|| match asked.nth {
            0 => Reply::HangUp,
            1 => with(
                503,
                &[("retry-after", "0")],
                &json!({"error": {"code": "ServerBusy", "message": "later"}}),
            ),
            2 => with(
                429,
                &[("retry-after-ms", "20")],
                &json!({"error": {"code": "TooManyRequests", "message": "later"}}),
            ),
            _ => reply(200, &group_json()),
        })
    })
    .await;
    let found = server.arm().groups().get(&group()).await.unwrap();
    assert_eq!(
        (found.tag("Slipway-Stack"), found.provisioning_state()),
        (Some("1"), "Succeeded")
    );
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_deployment_without_an_answer_is_not_sent_again() {
    for lost in [true, false] {
        let server = StandIn::start(move |asked| {
            (asked.method == "PUT").then(|| {
                if lost {
                    Reply::HangUp
                } else {
                    reply(
                        502,
                        &json!({"error": {"code": "BadGateway", "message": "who knows"}}),
                    )
                }
            })
        })
        .await;
        let body = DeploymentBody::new(json!({}), Map::new());
        let error = server
            .arm()
            .deployments()
            .put(&deployment(), &body)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LostAnswer);
        assert!(!error.is_retryable(), "the caller must look first");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn what_may_be_done_twice_is_sent_again() {
    let server = StandIn::start(|asked| {
        (asked.method == "PUT").then(|| {
            if asked.nth == 0 {
                Reply::HangUp
            } else {
                reply(201, &group_json())
            }
        })
    })
    .await;
    let tags = BTreeMap::from([("slipway-stack".to_owned(), "1".to_owned())]);
    server
        .arm()
        .groups()
        .put(&group(), "westeurope", &tags)
        .await
        .unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_long_wait_is_given_back_to_the_caller() {
    let server = StandIn::start(|asked| {
        (asked.method == "GET").then(|| {
            with(
                429,
                &[("retry-after", "900")],
                &json!({"error": {"code": "TooManyRequests", "message": "later"}}),
            )
        })
    })
    .await;
    let error = server.arm().groups().get(&group()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Throttled, Some(Duration::from_secs(900)))
    );
    assert!(error.is_retryable());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn one_token_serves_many_calls_and_a_refused_one_is_renewed_once() {
    let server = StandIn::start(|asked| {
        if asked.path.contains("oauth2") {
            return None;
        }
        let fresh = asked.authorization.as_deref() == Some(&format!("Bearer {TOKEN}-1"));
        Some(if fresh {
            reply(200, &group_json())
        } else {
            reply(
                401,
                &json!({"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}),
            )
        })
    })
    .await;
    let arm = server.arm();
    let (id, other) = (group(), arm.clone());
    let (groups, others) = (arm.groups(), other.groups());
    let (a, b) = tokio::join!(groups.get(&id), others.get(&id));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(
        server.tokens_asked(),
        2,
        "the first, and one that replaces it for both"
    );
    assert!(arm.groups().get(&id).await.is_ok());
    assert_eq!(server.tokens_asked(), 2);
}

#[tokio::test]
async fn azures_own_count_corrects_ours() {
    let server = StandIn::start(|asked| {
        (asked.method == "GET").then(|| {
            with(
                200,
                &[("x-ms-ratelimit-remaining-subscription-reads", "17")],
                &group_json(),
            )
        })
    })
    .await;
    let arm = server.arm();
    arm.groups().get(&group()).await.unwrap();
    let budgets = arm.budgets();
    assert_eq!(
        (
            budgets.len(),
            budgets[0].limit,
            budgets[0].subscription.as_str()
        ),
        (1, "reads", subscription().as_str())
    );
    assert!(budgets[0].left < 100.0, "{budgets:?}");
}

#[tokio::test]
async fn an_endpoint_that_nobody_serves_says_so() {
    let server = StandIn::start(|_| None).await;
    let mut config = server.config();
    config.endpoints.resource_manager = "https://127.0.0.1:9/".parse().unwrap();
    config.timeouts.call = Duration::from_secs(3);
    let error = Arm::new(config)
        .unwrap()
        .groups()
        .get(&group())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unavailable, "Unreachable")
    );
    assert!(error.is_retryable());
}
