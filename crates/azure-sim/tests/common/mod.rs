//! A client for the stories: signs in as Azure's clients do, and follows operations by the URLs it was given.
#![expect(clippy::unwrap_used, reason = "a story stops where it goes wrong")]
#![allow(dead_code, reason = "every story uses a part of it")]

pub(crate) mod group;

use std::time::Duration;

use azure_sim::{Config, Running, seed};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub(crate) const GROUPS: &str = "2025-04-01";
pub(crate) const NETWORK: &str = "2025-05-01";
pub(crate) const COMPUTE: &str = "2025-11-01";
pub(crate) const AKS: &str = "2026-03-01";

pub(crate) struct Sim {
    pub(crate) running: Running,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    pub(crate) fn code(&self) -> &str {
        self.body
            .pointer("/error/code")
            .or_else(|| self.body.get("code"))
            .and_then(Value::as_str)
            .unwrap_or("")
    }
}

/// So fast that a virtual machine takes a tenth of a second.
pub(crate) fn fast() -> Config {
    Config {
        speed: 200.0,
        ..Config::default()
    }
}

impl Sim {
    pub(crate) async fn start(config: Config) -> Sim {
        let running = azure_sim::start(config).await.unwrap();
        let mut http = reqwest::Client::builder().timeout(Duration::from_secs(20));
        if !running.ca_pem.is_empty() {
            let root = reqwest::Certificate::from_pem(running.ca_pem.as_bytes()).unwrap();
            http = http.add_root_certificate(root);
        }
        let http = http.build().unwrap();
        let mut sim = Sim {
            running,
            http,
            token: String::new(),
        };
        sim.sign_in().await;
        sim
    }

    pub(crate) async fn sign_in(&mut self) {
        let (status, body) = self.ask_token(&self.running.client_secret).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    pub(crate) async fn ask_token(&self, secret: &str) -> (StatusCode, Value) {
        self.token(format!(
            "client_id={}&client_secret={secret}&grant_type=client_credentials&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
            self.running.client_id
        ))
        .await
    }

    /// Signs in with a workload's token.
    pub(crate) async fn ask_token_with(&self, assertion: &str) -> (StatusCode, Value) {
        self.token(format!(
            "client_id={}&client_assertion={assertion}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&grant_type=client_credentials&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
            self.running.client_id
        ))
        .await
    }

    /// What the kubelet would have projected.
    pub(crate) async fn workload(&self, wanted: &Value) -> String {
        let minted = self.post("/_sim/workload-token", wanted).await;
        minted.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn token(&self, form: String) -> (StatusCode, Value) {
        let answer = self
            .http
            .post(self.url(&format!("/{}/oauth2/v2.0/token", self.running.tenant_id)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        format!(
            "{}{path}",
            self.running.endpoint.as_str().trim_end_matches('/')
        )
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        // The control surface is asked with a fresh token: a story may have let the clock run past its own, or keep a bad one on purpose.
        let token = match path.starts_with("/_sim") {
            true => self.running.access_token().unwrap(),
            false => self.token.clone(),
        };
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// Follows `Azure-AsyncOperation`, or `Location`, to its end.
    pub(crate) async fn wait(&self, answer: &Answer) -> Value {
        let status = answer.header("azure-asyncoperation").to_owned();
        let location = answer.header("location").to_owned();
        for _ in 0..2000 {
            if !status.is_empty() {
                let seen = self.get(&status).await;
                assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
                let state = seen.body["status"].as_str().unwrap().to_owned();
                if ["Succeeded", "Failed", "Canceled"].contains(&state.as_str()) {
                    return seen.body;
                }
            } else {
                let seen = self.get(&location).await;
                if seen.status != StatusCode::ACCEPTED {
                    return json!({ "status": seen.status.as_u16(), "body": seen.body });
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the operation did not end: {status}{location}");
    }

    /// What lies at this path when it has come to rest.
    pub(crate) async fn settled(&self, path: &str) -> Value {
        for _ in 0..2000 {
            let seen = self.get(path).await;
            assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
            let state = seen.body["properties"]["provisioningState"].as_str();
            if ["Succeeded", "Failed", "Canceled"]
                .map(Some)
                .contains(&state)
            {
                return seen.body;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} does not come to rest");
    }

    pub(crate) async fn group(&self, name: &str) -> String {
        let path = format!(
            "/subscriptions/{}/resourceGroups/{name}",
            seed::SUBSCRIPTION_DEV
        );
        let body = json!({ "location": "westeurope", "tags": { "slipway-stack": "one" } });
        let made = self
            .put(&format!("{path}?api-version={GROUPS}"), &body)
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        path
    }

    pub(crate) async fn fault(&self, rule: &Value) {
        let added = self.post("/_sim/faults", rule).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    }

    pub(crate) async fn count(&self, kind: &str) -> u64 {
        self.get("/_sim/state").await.body["types"][kind]
            .as_u64()
            .unwrap_or(0)
    }
}

/// A security group, an interface in the seeded subnet and a machine, with expressions as templates have them.
pub(crate) fn machine_template() -> Value {
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "name": { "type": "string" },
            "size": { "type": "string", "defaultValue": "Standard_D2ds_v6" },
            "subnet": { "type": "string", "defaultValue": seed::SUBNET_DEV_WESTEUROPE },
            "secureBoot": { "type": "bool", "defaultValue": true },
        },
        "resources": [
            {
                "type": "Microsoft.Compute/virtualMachines", "apiVersion": COMPUTE,
                "name": "[parameters('name')]", "location": "[resourceGroup().location]", "zones": ["1"],
                "dependsOn": ["[resourceId('Microsoft.Network/networkInterfaces', concat(parameters('name'), '-nic'))]"],
                "properties": {
                    "hardwareProfile": { "vmSize": "[parameters('size')]" },
                    "securityProfile": { "securityType": "TrustedLaunch", "uefiSettings": { "secureBootEnabled": "[parameters('secureBoot')]", "vTpmEnabled": true }, "encryptionAtHost": true },
                    "storageProfile": {
                        "imageReference": { "publisher": "MicrosoftCBLMariner", "offer": "azure-linux-3", "sku": "azure-linux-3-gen2", "version": "latest" },
                        "osDisk": { "createOption": "FromImage", "diskSizeGB": 32, "deleteOption": "Delete", "managedDisk": { "storageAccountType": "Premium_LRS" } },
                    },
                    "osProfile": {
                        "computerName": "[parameters('name')]", "adminUsername": "azureops",
                        "linuxConfiguration": { "disablePasswordAuthentication": true, "ssh": { "publicKeys": [{ "path": "/home/azureops/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample" }] } },
                    },
                    "networkProfile": { "networkInterfaces": [{ "id": "[resourceId('Microsoft.Network/networkInterfaces', concat(parameters('name'), '-nic'))]", "properties": { "deleteOption": "Delete" } }] },
                    "diagnosticsProfile": { "bootDiagnostics": { "enabled": true } },
                },
            },
            {
                "type": "Microsoft.Network/networkInterfaces", "apiVersion": NETWORK,
                "name": "[concat(parameters('name'), '-nic')]", "location": "[resourceGroup().location]",
                "dependsOn": ["[resourceId('Microsoft.Network/networkSecurityGroups', concat(parameters('name'), '-nsg'))]"],
                "properties": {
                    "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', concat(parameters('name'), '-nsg'))]" },
                    "ipConfigurations": [{ "name": "ipconfig1", "properties": { "subnet": { "id": "[parameters('subnet')]" } } }],
                },
            },
            {
                "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": NETWORK,
                "name": "[concat(parameters('name'), '-nsg')]", "location": "[resourceGroup().location]",
                "properties": { "securityRules": [] },
            },
        ],
        "outputs": {
            "address": { "type": "string", "value": "[reference(resourceId('Microsoft.Network/networkInterfaces', concat(parameters('name'), '-nic'))).ipConfigurations[0].properties.privateIPAddress]" },
        },
    })
}

pub(crate) fn deployment(template: &Value, parameters: &Value) -> Value {
    let parameters: serde_json::Map<String, Value> = parameters
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), json!({ "value": value })))
        .collect();
    json!({ "properties": { "mode": "Incremental", "template": template, "parameters": parameters } })
}
