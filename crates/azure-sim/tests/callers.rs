//! The simulator is nobody's tool but its owner's: pages of other sites, foreign names and callers without a token change nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a story stops where something is not as it should be"
)]

mod common;

use azure_sim::Config;
use common::{GROUPS, Sim, fast};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Every route of the control surface, with a body where it takes one.
fn control() -> Vec<(Method, &'static str, Option<Value>)> {
    let group = "/_sim/resources?id=/subscriptions/51179a1e-0000-4000-8000-0000000000d1/resourceGroups/rg-mine";
    vec![
        (Method::GET, "/_sim/requests", None),
        (Method::GET, "/_sim/state", None),
        (Method::GET, "/_sim/limits", None),
        (Method::GET, "/_sim/faults", None),
        (
            Method::POST,
            "/_sim/faults",
            Some(json!({ "path": ".", "action": { "type": "hang" } })),
        ),
        (Method::DELETE, "/_sim/faults", None),
        (
            Method::PATCH,
            group,
            Some(json!({ "tags": { "by": "evil" } })),
        ),
        (Method::DELETE, group, None),
        (Method::POST, "/_sim/workload-token", Some(json!({}))),
        (Method::GET, "/_sim/clock", None),
        (
            Method::POST,
            "/_sim/clock",
            Some(json!({ "advance_seconds": 86_400 })),
        ),
    ]
}

/// A call with other headers than the owner's.
async fn call(
    sim: &Sim,
    (method, path, body): &(Method, &str, Option<Value>),
    token: bool,
    headers: &[(&str, &str)],
) -> StatusCode {
    let mut request = sim.http.request(method.clone(), sim.url(path));
    if token {
        request = request.bearer_auth(&sim.token);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let mut request = request.build().unwrap();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    sim.http.execute(request).await.unwrap().status()
}

/// What nobody may have changed: the group, the faults, the time.
async fn untouched(sim: &Sim, group: &str) {
    let seen = sim.get(&format!("{group}?api-version={GROUPS}")).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!(seen.body["tags"], json!({ "slipway-stack": "one" }));
    assert_eq!(sim.get("/_sim/faults").await.body["value"], json!([]));
    assert_eq!(
        sim.get("/_sim/clock").await.body["ahead_seconds"],
        json!(0.0)
    );
}

#[tokio::test]
async fn the_control_surface_takes_a_token_of_the_simulators_own_authority() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-mine").await;
    for route in control() {
        assert_eq!(
            call(&sim, &route, false, &[]).await,
            StatusCode::UNAUTHORIZED,
            "{route:?}"
        );
        let forged = [("authorization", "Bearer x.y.z")];
        assert_eq!(
            call(&sim, &route, false, &forged).await,
            StatusCode::UNAUTHORIZED,
            "{route:?}"
        );
    }
    untouched(&sim, &group).await;
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_even_with_a_token() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-mine").await;
    let pages: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "https://127.0.0.1:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for route in control() {
        for page in pages {
            assert_eq!(
                call(&sim, &route, true, page).await,
                StatusCode::FORBIDDEN,
                "{route:?} {page:?}"
            );
        }
    }
    untouched(&sim, &group).await;
}

#[tokio::test]
async fn a_body_that_a_form_of_another_site_could_send_is_not_read() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-mine").await;
    for route in control() {
        if route.2.is_none() {
            continue;
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded"] {
            assert_eq!(
                call(&sim, &route, true, &[("content-type", kind)]).await,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "{route:?}"
            );
        }
    }
    untouched(&sim, &group).await;
}

#[tokio::test]
async fn a_foreign_name_for_this_machine_is_refused_on_every_route() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-mine").await;
    let arm: Vec<(Method, String)> = vec![
        (Method::GET, format!("/subscriptions?api-version={GROUPS}")),
        (Method::DELETE, format!("{group}?api-version={GROUPS}")),
        (
            Method::GET,
            "/metadata/endpoints?api-version=2022-09-01".to_owned(),
        ),
        (Method::GET, "/api/retail/prices".to_owned()),
    ];
    let mut routes = control();
    routes.extend(
        arm.iter()
            .map(|(method, path)| (method.clone(), path.as_str(), None)),
    );
    for host in [
        "evil.example",
        "evil.example:443",
        "127.0.0.1",
        "localhost:1",
    ] {
        for route in &routes {
            assert_eq!(
                call(&sim, route, true, &[("host", host)]).await,
                StatusCode::MISDIRECTED_REQUEST,
                "{route:?} as {host}"
            );
        }
    }
    let port = sim.running.endpoint.port().unwrap();
    let own = [("host", &*format!("localhost:{port}"))];
    assert_eq!(call(&sim, &routes[1], true, &own).await, StatusCode::OK);
    untouched(&sim, &group).await;
}

#[tokio::test]
async fn http_is_refused_unless_asked_for() {
    let sim = Sim::start(fast()).await;
    let plain = sim.running.endpoint.as_str().replace("https://", "http://");
    let refused = sim
        .http
        .get(format!("{plain}_sim/state"))
        .bearer_auth(&sim.token)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("--http"));
}

/// State, journal, request log and keys hold what people typed and what opens the simulator.
#[cfg(unix)]
#[tokio::test]
async fn the_data_directory_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("azure-sim");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = Config {
        data: Some(data.clone()),
        ..fast()
    };
    let sim = Sim::start(config).await;
    sim.group("rg-mine").await;
    sim.running.shutdown().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    for kind in ["journal-", "snapshot-", "requests.jsonl", "identity.json"] {
        assert!(
            names.iter().any(|name| name.starts_with(kind)),
            "{kind}: {names:?}"
        );
    }
}
