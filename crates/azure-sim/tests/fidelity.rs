//! The page about fidelity: it is up to date, it names everything that real clients used, and everything that it names is served.
#![expect(clippy::unwrap_used, reason = "a story stops where it goes wrong")]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use azure_sim::fidelity;
use azure_sim::seed;
use common::{Sim, fast};
use reqwest::Method;
use serde_json::json;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn seen(client: &str) -> BTreeSet<String> {
    let path = root().join(format!("conformance/seen/{client}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let (method, path) = line.split_once(' ').unwrap();
            fidelity::key(method, path)
        })
        .collect()
}

#[test]
fn the_page_is_up_to_date_and_names_what_the_clients_used() {
    let (sdk, az) = (seen("sdk"), seen("az"));
    let known: BTreeSet<String> = fidelity::operations()
        .iter()
        .map(fidelity::Operation::key)
        .collect();
    let unnamed: Vec<&String> = sdk
        .union(&az)
        .filter(|used| !known.contains(*used))
        .collect();
    assert!(unnamed.is_empty(), "not in the table: {unnamed:#?}");

    let page = root().join("docs/azure-fidelity.md");
    let text = fidelity::document(&sdk, &az);
    if std::env::var_os("SLIPWAY_BLESS").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(&page).unwrap_or_default() == text,
        "docs/azure-fidelity.md is out of date: SLIPWAY_BLESS=1 cargo test -p azure-sim --test fidelity"
    );
}

#[tokio::test]
async fn every_operation_of_the_table_is_served() {
    let sim = Sim::start(fast()).await;
    let group = sim.group("rg-all").await;
    for operation in fidelity::operations() {
        let path: Vec<&str> = operation
            .path
            .trim_start_matches('/')
            .split('/')
            .map(|part| match part {
                "{subscription}" => seed::SUBSCRIPTION_DEV,
                "{tenant}" => seed::TENANT,
                "{namespace}" => "Microsoft.Compute",
                "{location}" => "westeurope",
                "{profile}" | "{default}" => "default",
                part if part.starts_with('{') => "nothing",
                part => part,
            })
            .collect();
        let path = if operation.path.starts_with('/') {
            format!("/{}", path.join("/"))
        } else {
            format!("{group}/providers/{}", path.join("/"))
        };
        let method: Method = operation.method.parse().unwrap();
        let body = json!({});
        let body = (method != Method::GET && method != Method::HEAD).then_some(&body);
        // A version that nobody knows: what is served says so, or says that there is nothing of that name.
        let answer = sim
            .send(method, &format!("{path}?api-version=2000-01-01"), body)
            .await
            .unwrap();
        let unserved = [
            "InvalidResourcePath",
            "HttpMethodNotAllowed",
            "InvalidResourceType",
            "InvalidResourceNamespace",
            "InvalidResourceAction",
        ];
        assert!(
            !unserved.contains(&answer.code()) && answer.status != 405,
            "{} {}: {} {}",
            operation.method,
            operation.path,
            answer.status,
            answer.body
        );
    }
}
