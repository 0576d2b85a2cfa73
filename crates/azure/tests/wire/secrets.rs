//! No token and no secret in any log, error or `Debug`, also with everything turned on.

use std::io::Write;
use std::sync::{Arc, Mutex};

use azure::{DeploymentBody, Endpoints, ResourceId, Secret, TRACING_DIRECTIVES};
use serde_json::{Map, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::stand_in::{
    CLIENT_SECRET, StandIn, TOKEN, deployment, group, json as reply, subscription,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

async fn everything_logged(directives: &[&str]) -> String {
    let log = Log::default();
    let writer = log.clone();
    let mut filter = EnvFilter::new("trace");
    for directive in directives {
        filter = filter.add_directive(directive.parse().unwrap());
    }
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(move || writer.clone())
        .with_ansi(false);
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = StandIn::start(|asked| {
        asked
            .path
            .ends_with("/usages")
            .then(|| reply(200, &json!({"value": []})))
    })
    .await;
    let arm = server.arm();
    arm.compute()
        .usages(&subscription(), "westeurope")
        .await
        .unwrap();
    let vm = ResourceId::in_group(&group(), "Microsoft.Compute/virtualMachines", "web").unwrap();
    let mut values = Map::new();
    values.insert("password".to_owned(), json!("parameter-that-must-not-show"));
    let body = DeploymentBody::new(json!({}), values);
    let errors = [
        arm.compute().start(&vm).await.unwrap_err(),
        arm.groups().get(&group()).await.unwrap_err(),
        arm.deployments()
            .put(&deployment(), &body)
            .await
            .unwrap_err(),
    ];
    format!(
        "{}\n{errors:?}\n{arm:?}\n{:?}\n{body:?}",
        log.text(),
        server.config()
    )
}

#[tokio::test]
async fn nothing_secret_shows_with_or_without_the_pinned_directives() {
    let bare = everything_logged(&[]).await;
    assert!(
        bare.contains("azure_core"),
        "the SDK's own debug output is on in this half"
    );
    let pinned = everything_logged(TRACING_DIRECTIVES).await;
    assert!(pinned.contains("Azure answered"), "our own lines stay");
    assert!(!pinned.contains("performing request") && !pinned.contains("transport policy"));
    for text in [bare, pinned] {
        for secret in [TOKEN, CLIENT_SECRET, "parameter-that-must-not-show"] {
            assert!(!text.contains(secret), "{secret} shows");
        }
    }
    let secret = Secret::from(CLIENT_SECRET);
    assert_eq!(
        (format!("{secret}"), format!("{secret:?}")),
        ("***".to_owned(), "***".to_owned())
    );
}

#[tokio::test]
async fn a_configuration_that_would_send_a_token_in_clear_text_is_refused() {
    let server = StandIn::start(|_| None).await;
    for address in [
        "http://management.azure.com/",
        "https://management.azure.com/path",
        "https://user@management.azure.com/",
    ] {
        let mut config = server.config();
        config.endpoints.resource_manager = address.parse().unwrap();
        assert_eq!(
            azure::Arm::new(config).unwrap_err().kind(),
            azure::ErrorKind::Config,
            "{address}"
        );
    }
    for cloud in [
        Endpoints::public(),
        Endpoints::us_government(),
        Endpoints::china(),
    ] {
        let mut config = server.config();
        config.endpoints = cloud;
        assert!(azure::Arm::new(config).is_ok());
    }
}
