//! How a deployment and its operations look on the wire (facts: deployments.md 2). What they mean is decided in `deployments.rs`.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::duration;
use super::{Deployment, NESTED, Phase, Progress, Step, rfc3339};
use crate::wire::ids;

impl Deployment {
    /// The deployment as ARM shows it.
    pub(crate) fn show(&self) -> Value {
        let mut properties = json!({
            "templateHash": u64::from_str_radix(self.template.get(..16).unwrap_or("0"), 16).unwrap_or(0).to_string(),
            "parameters": self.parameters,
            "mode": if self.complete { "Complete" } else { "Incremental" },
            "provisioningState": self.state.name(),
            "timestamp": rfc3339(self.ended.unwrap_or(self.started)),
            "duration": duration(self.started, self.ended.unwrap_or(self.started)),
            "correlationId": self.correlation,
            "providers": self.providers(),
            "dependencies": self.dependencies(),
        });
        if let Some(outputs) = &self.outputs {
            properties["outputs"] = outputs.clone();
        }
        if self.state == Phase::Succeeded {
            let ids: Vec<Value> = self
                .steps
                .iter()
                .filter(|step| !step.existing && !step.surplus && step.inside.is_none())
                .map(|step| json!({ "id": step.id }))
                .collect();
            properties["outputResources"] = Value::Array(ids);
        }
        if let Some(problem) = &self.problem {
            properties["error"] = json!(problem);
        }
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": NESTED,
            "properties": properties,
        });
        if let Some(location) = &self.location {
            shown["location"] = location.as_str().into();
        }
        if !self.tags.is_null() {
            shown["tags"] = self.tags.clone();
        }
        shown
    }

    fn providers(&self) -> Vec<Value> {
        let mut namespaces: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for step in &self.steps {
            if let Some((namespace, kind)) = step.kind.split_once('/') {
                namespaces.entry(namespace).or_default().insert(kind);
            }
        }
        namespaces
            .into_iter()
            .map(|(namespace, kinds)| {
                let kinds: Vec<Value> = kinds
                    .into_iter()
                    .map(|kind| json!({ "resourceType": kind, "locations": [null] }))
                    .collect();
                json!({ "namespace": namespace, "resourceTypes": kinds })
            })
            .collect()
    }

    fn dependencies(&self) -> Vec<Value> {
        let named: BTreeMap<String, &Step> = self
            .steps
            .iter()
            .map(|step| (ids::key(&step.id), step))
            .collect();
        let row = |step: &Step| json!({ "id": step.id, "resourceType": step.kind, "resourceName": step.name });
        self.steps
            .iter()
            .filter(|step| !step.after.is_empty())
            .map(|step| {
                let mut shown = row(step);
                shown["dependsOn"] = step
                    .after
                    .iter()
                    .filter_map(|id| named.get(&ids::key(id)))
                    .map(|step| row(step))
                    .collect();
                shown
            })
            .collect()
    }

    /// The deployment's operations: one row per resource that was begun, and the evaluation of the outputs (facts: deployments.md 2).
    pub(crate) fn operations(&self, now: OffsetDateTime) -> Vec<Value> {
        let mut rows: Vec<Value> = self
            .steps
            .iter()
            // What is in a nested deployment stands there.
            .filter(|step| step.inside.is_none())
            .filter_map(|step| {
                let started = step.started?;
                let mut properties = json!({
                    "provisioningOperation": match step {
                        Step { existing: true, .. } => "Read",
                        Step { surplus: true, .. } => "Delete",
                        _ => "Create",
                    },
                    "provisioningState": match step.state {
                        Progress::Waiting | Progress::Running => "Running",
                        Progress::Succeeded => "Succeeded",
                        Progress::Failed => "Failed",
                        Progress::Canceled => "Canceled",
                    },
                    "timestamp": rfc3339(step.ended.unwrap_or(started)),
                    "duration": duration(started, step.ended.unwrap_or(now)),
                    "trackingId": step.operation.unwrap_or(self.operation).to_string(),
                    "targetResource": { "id": step.id, "resourceType": step.kind, "resourceName": step.name },
                });
                if step.state != Progress::Running {
                    properties["statusCode"] = status_name(step.status).into();
                }
                if let Some(problem) = &step.problem {
                    properties["statusMessage"] = json!({ "status": "Failed", "error": problem });
                }
                Some(self.row(&step.ticket, &properties))
            })
            .collect();
        if let (Phase::Succeeded, Some(ended)) = (self.state, self.ended) {
            rows.push(self.row(
                &self.ticket,
                &json!({
                    "provisioningOperation": "EvaluateDeploymentOutput",
                    "provisioningState": "Succeeded",
                    "timestamp": rfc3339(ended),
                    "duration": "PT0S",
                    "trackingId": self.operation.to_string(),
                    "statusCode": "OK",
                }),
            ));
        }
        rows
    }

    fn row(&self, ticket: &str, properties: &Value) -> Value {
        json!({
            "id": format!("{}/operations/{ticket}", self.id),
            "operationId": ticket,
            "properties": properties,
        })
    }
}

fn status_name(status: u16) -> String {
    // .NET's names, as ARM writes them: "OK", "Created", "Conflict", "BadRequest".
    match StatusCode::from_u16(status) {
        Ok(status) => status
            .canonical_reason()
            .unwrap_or("")
            .replace([' ', '-'], ""),
        Err(_) => status.to_string(),
    }
}
