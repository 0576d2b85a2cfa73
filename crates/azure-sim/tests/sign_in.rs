//! Who gets a token, and which tokens open the resource manager.

mod common;

use azure_sim::seed;
use common::{GROUPS, Sim, fast};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn without_a_good_token_the_answer_is_401_and_says_where_to_get_one() {
    let mut sim = Sim::start(fast()).await;
    let path = format!("/subscriptions?api-version={GROUPS}");
    let bare = sim.http.get(sim.url(&path)).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    let challenge = bare.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        challenge.contains(seed::TENANT) && challenge.contains("authorization_uri="),
        "{challenge}"
    );
    let good = sim.token.clone();
    sim.token = format!("{}x", &good[..good.len() - 2]);
    let forged = sim.get(&path).await;
    assert_eq!(
        (forged.status, forged.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
    );
    sim.token = good;
    assert_eq!(
        sim.get(&path).await.body["value"].as_array().unwrap().len(),
        2
    );
    sim.post("/_sim/clock", &json!({ "advance_seconds": 7200 }))
        .await;
    let old = sim.get(&path).await;
    assert_eq!(
        (old.status, old.code()),
        (StatusCode::UNAUTHORIZED, "ExpiredAuthenticationToken")
    );
    let (status, body) = sim.ask_token("wrong").await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
    );
}

/// A token that the resource manager did not ask for is as bad as none.
#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let mut sim = Sim::start(fast()).await;
    let form = format!(
        "client_id={}&client_secret={}&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
        sim.running.client_id, sim.running.client_secret
    );
    let (status, body) = sim.token(form).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    sim.token = body["access_token"].as_str().unwrap().to_owned();
    let path = format!("/subscriptions?api-version={GROUPS}");
    let elsewhere = sim.get(&path).await;
    assert_eq!(
        (elsewhere.status, elsewhere.code()),
        (
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationTokenAudience"
        )
    );
    // A workload's token opens the door of Entra, not that of the resource manager.
    sim.token = sim.workload(&json!({})).await;
    let raw = sim.get(&path).await;
    assert_eq!(
        (raw.status, raw.code()),
        (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
    );
}

#[tokio::test]
async fn a_workload_signs_in_by_its_clusters_token_and_only_as_the_federated_credential_says() {
    let mut sim = Sim::start(fast()).await;
    let number = |body: &serde_json::Value| body["error_codes"][0].as_u64().unwrap_or_default();

    let fit = sim.workload(&json!({})).await;
    let (status, body) = sim.ask_token_with(&fit).await;
    assert_eq!(status, StatusCode::OK, "{body}");

    for (wanted, expected) in [
        (
            json!({ "subject": "system:serviceaccount:default:default" }),
            700_213,
        ),
        (json!({ "audience": "https://example.com" }), 700_212),
        (json!({ "expires_in": -3600 }), 700_024),
    ] {
        let unfit = sim.workload(&wanted).await;
        let (status, body) = sim.ask_token_with(&unfit).await;
        assert_eq!(
            (status, number(&body)),
            (StatusCode::UNAUTHORIZED, expected),
            "{body}"
        );
    }
    // Entra's own key is not the cluster's; a changed token is nobody's.
    let entras = sim.token.clone();
    let forged = format!("{}AAAA", &fit[..fit.len() - 4]);
    for (unfit, expected) in [(entras.as_str(), 7_000_272), (&forged, 700_027)] {
        let (status, body) = sim.ask_token_with(unfit).await;
        assert_eq!(
            (status, number(&body)),
            (StatusCode::UNAUTHORIZED, expected),
            "{body}"
        );
    }
    let (status, body) = sim.ask_token_with("not.a.token").await;
    assert_eq!(
        (status, number(&body)),
        (StatusCode::BAD_REQUEST, 50027),
        "{body}"
    );

    sim.token = sim.ask_token_with(&fit).await.1["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/subscriptions?api-version={GROUPS}");
    assert_eq!(sim.get(&path).await.status, StatusCode::OK);
    // Whoever checks such a token finds the issuer's keys as for any cluster.
    let issuer = sim.get("/workloads/.well-known/openid-configuration").await;
    let keys = sim.get(issuer.body["jwks_uri"].as_str().unwrap()).await;
    assert_eq!(keys.body["keys"][0]["kty"], "RSA");
}
