//! A resource group and what stands in it, for stories of networks and of what is assigned to them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Answer, NETWORK, Sim, fast};

/// A group, and the ways to ask for what is in it.
pub(crate) struct Group {
    pub(crate) sim: Sim,
    pub(crate) path: String,
}

impl Group {
    pub(crate) async fn new(name: &str) -> Group {
        let sim = Sim::start(fast()).await;
        let path = sim.group(name).await;
        Group { sim, path }
    }

    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}/providers/Microsoft.Network/{name}", self.path)
    }

    pub(crate) async fn put(&self, name: &str, body: &Value) -> Answer {
        let path = format!("{}?api-version={NETWORK}", self.id(name));
        self.sim.put(&path, body).await
    }

    /// Makes something, to the end.
    pub(crate) async fn make(&self, name: &str, body: &Value) -> Value {
        let made = self.put(name, body).await;
        assert!(made.status.is_success(), "{name}: {}", made.body);
        self.sim
            .settled(&format!("{}?api-version={NETWORK}", self.id(name)))
            .await
    }

    pub(crate) async fn refused(&self, name: &str, body: &Value, code: &str) -> Answer {
        let seen = self.put(name, body).await;
        assert_eq!(
            (seen.status, seen.code()),
            (StatusCode::BAD_REQUEST, code),
            "{name} {body}: {}",
            seen.body
        );
        seen
    }

    pub(crate) async fn get(&self, name: &str) -> Value {
        let path = format!("{}?api-version={NETWORK}", self.id(name));
        self.sim.get(&path).await.body
    }
}

pub(crate) fn rule(name: &str, source: &str, port: &str) -> Value {
    json!({ "name": name, "properties": {
        "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port,
    } })
}

pub(crate) fn nsg(rules: &[Value]) -> Value {
    json!({ "location": "westeurope", "properties": { "securityRules": rules } })
}
