//! The OpenAPI document: committed in docs/, printed by the binary, served by the server; all three the same.

mod support;

use std::process::Command;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

#[test]
fn the_committed_document_is_what_the_binary_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
        .arg("openapi")
        .output()
        .unwrap();
    assert!(output.status.success());
    let committed = std::fs::read_to_string(DOCUMENT).unwrap();
    assert!(
        committed == String::from_utf8_lossy(&output.stdout),
        "docs/openapi.json is out of date; run: cargo run -p server -- openapi > docs/openapi.json, and read what changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_of_the_document_wants_to_know_who_asks() {
    let data = tempfile::tempdir().unwrap();
    let slipway = support::sandbox(data.path());
    let http = reqwest::Client::new();
    let document: serde_json::Value = http
        .get(format!("{}/api/openapi.json", slipway.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mut asked = 0;
    for (path, verbs) in document["paths"].as_object().unwrap() {
        let address = format!(
            "{}{}",
            slipway.url,
            path.replace("{id}", "018f0000-0000-7000-8000-000000000000")
                .replace("{name}", "payments")
        );
        for verb in verbs.as_object().unwrap().keys() {
            let method = reqwest::Method::from_bytes(verb.to_uppercase().as_bytes()).unwrap();
            let answer = http
                .request(method, &address)
                .json(&serde_json::json!({}))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 401, "{verb} {path}");
            asked += 1;
        }
    }
    assert!(asked > 20, "the document lists the API: {asked}");
}
