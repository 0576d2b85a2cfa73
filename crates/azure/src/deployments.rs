//! Deployments at resource group scope: start, read, follow, check, preview, cancel. Reference: Microsoft.Resources/deployments 2025-04-01.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::Arm;
use crate::error::{Detail, Error, Result, body};
use crate::groups::{API_VERSION, found, typed};
use crate::id::{DeploymentId, GroupId};
use crate::long_running::{Started, Verb};
use crate::transport::{Call, CallKind, Repeat};

/// Calls about deployments; see [`Arm::deployments`].
#[derive(Clone, Copy)]
pub struct Deployments<'a> {
    pub(crate) arm: &'a Arm,
}

/// What is deployed: a template and its parameters, always incremental. Its `Debug` shows no parameter value.
#[derive(Clone, PartialEq)]
pub struct DeploymentBody {
    template: Value,
    parameters: Map<String, Value>,
    tags: BTreeMap<String, String>,
}

impl DeploymentBody {
    /// A template and plain parameter values (`{"vmName": "web"}`).
    #[must_use]
    pub fn new(template: Value, values: Map<String, Value>) -> Self {
        let parameters = values
            .into_iter()
            .map(|(name, value)| (name, json!({ "value": value })))
            .collect();
        Self {
            template,
            parameters,
            tags: BTreeMap::new(),
        }
    }

    /// Tags of the deployment itself; its resources do not get them.
    #[must_use]
    pub fn tagged(mut self, tags: BTreeMap<String, String>) -> Self {
        self.tags = tags;
        self
    }

    /// Takes a parameter's value from a Key Vault: ARM reads it, Slipway never sees it. The vault must allow template deployment.
    #[must_use]
    pub fn reference(mut self, name: &str, vault_id: &str, secret: &str) -> Self {
        let reference = json!({
            "reference": { "keyVault": { "id": vault_id }, "secretName": secret }
        });
        self.parameters.insert(name.to_owned(), reference);
        self
    }

    fn wire(&self) -> Value {
        let mut body = json!({ "properties": {
            "mode": "Incremental",
            "template": self.template,
            "parameters": self.parameters,
        }});
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

impl fmt::Debug for DeploymentBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.parameters.keys().collect();
        f.debug_struct("DeploymentBody")
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}

/// A deployment as ARM has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Accepted`, `Running`, `Succeeded`, `Failed`, `Canceled`, ….
    pub state: String,
    /// When it last changed.
    pub timestamp: Option<OffsetDateTime>,
    /// How long it took so far.
    pub duration: Option<time::Duration>,
    /// Finds it in the activity log.
    pub correlation_id: Option<String>,
    /// Ids of what it made or changed; only when done.
    pub output_resources: Vec<String>,
    /// The template's outputs, values only (`{"vmId": "…"}`); only when done. Secure outputs have no value.
    pub outputs: Map<String, Value>,
    /// Why it failed.
    pub error: Option<Detail>,
    /// Its own tags.
    pub tags: BTreeMap<String, String>,
}

impl Deployment {
    /// Whether nothing will change any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        ["Succeeded", "Failed", "Canceled"]
            .iter()
            .any(|word| self.state.eq_ignore_ascii_case(word))
    }

    /// Whether it went well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.state.eq_ignore_ascii_case("Succeeded")
    }

    /// The error of a failed deployment as one to show.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        let detail = self.error.clone()?;
        Some(Error::failed(detail).with_ids(None, self.correlation_id.clone()))
    }
}

impl TryFrom<Value> for Deployment {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        #[derive(Deserialize)]
        struct Wire {
            id: String,
            name: String,
            properties: Properties,
            #[serde(default)]
            tags: Option<BTreeMap<String, String>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Properties {
            provisioning_state: String,
            timestamp: Option<String>,
            duration: Option<String>,
            correlation_id: Option<String>,
            #[serde(default)]
            output_resources: Option<Vec<OutputResource>>,
            #[serde(default)]
            outputs: Option<Map<String, Value>>,
            #[serde(default)]
            error: Option<Value>,
        }
        #[derive(Deserialize)]
        struct OutputResource {
            id: String,
        }
        let Wire {
            id,
            name,
            properties,
            tags,
        } = typed(value)?;
        let outputs = properties.outputs.unwrap_or_default();
        Ok(Self {
            id,
            name,
            state: properties.provisioning_state,
            timestamp: properties.timestamp.as_deref().and_then(instant),
            duration: properties.duration.as_deref().and_then(iso_duration),
            correlation_id: properties.correlation_id,
            output_resources: properties
                .output_resources
                .unwrap_or_default()
                .into_iter()
                .map(|resource| resource.id)
                .collect(),
            outputs: outputs
                .into_iter()
                .filter_map(|(name, mut output)| Some((name, output.get_mut("value")?.take())))
                .collect(),
            error: properties.error.as_ref().and_then(body::from_value),
            tags: tags.unwrap_or_default(),
        })
    }
}

/// One resource's part in a deployment: the row of a progress list.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentOperation {
    /// The operation's own id, stable between reads.
    pub id: String,
    /// `Create` (a PUT, also of what exists), `Delete`, `Action`, `Waiting`, …
    pub provisioning_operation: String,
    /// `Running`, `Succeeded`, `Failed`, …
    pub state: String,
    /// The resource.
    pub resource_id: String,
    /// Its full type.
    pub resource_type: String,
    /// Its full name.
    pub resource_name: String,
    /// When it last changed.
    pub timestamp: Option<OffsetDateTime>,
    /// How long it took so far.
    pub duration: Option<time::Duration>,
    /// Azure's word for the HTTP status, such as `Created` or `Conflict`.
    pub status_code: Option<String>,
    /// Why it failed.
    pub error: Option<Error>,
}

/// What `validate` found.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Ids of the resources that would be written.
    pub resources: Vec<String>,
    /// Remarks that do not stop it, each `level`, `code`, `message`.
    pub diagnostics: Vec<(String, String, String)>,
}

impl TryFrom<Value> for Validation {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        let properties = value.get("properties").unwrap_or(&value);
        let list = |key: &str| {
            properties
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Self {
            resources: list("validatedResources")
                .iter()
                .map(|resource| text(resource, "id"))
                .collect(),
            diagnostics: list("diagnostics")
                .iter()
                .map(|row| (text(row, "level"), text(row, "code"), text(row, "message")))
                .collect(),
        })
    }
}

/// What `whatIf` foresees. It cannot resolve `reference()`, so it reports noise.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// One row per resource.
    pub changes: Vec<WhatIfChange>,
}

/// One resource of a what-if.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfChange {
    /// The resource.
    pub resource_id: String,
    /// What would happen to it.
    pub change_type: ChangeKind,
    /// As it is.
    #[serde(default)]
    pub before: Option<Value>,
    /// As it would be.
    #[serde(default)]
    pub after: Option<Value>,
    /// Property changes as ARM gives them: `path`, `propertyChangeType`, `before`, `after`, `children`.
    #[serde(default)]
    pub delta: Option<Vec<Value>>,
}

/// What a what-if foresees for a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Made.
    Create,
    /// Deleted; never in incremental mode.
    Delete,
    /// In the group, not in the template: left alone.
    Ignore,
    /// Written, with changes that cannot be told.
    Deploy,
    /// Written without a change.
    NoChange,
    /// Changed.
    Modify,
    /// Cannot be foreseen.
    #[serde(other)]
    Unsupported,
}

impl TryFrom<Value> for WhatIf {
    type Error = Error;

    fn try_from(mut value: Value) -> Result<Self> {
        if let Some(detail) = value.get("error").and_then(body::from_value) {
            return Err(Error::failed(detail));
        }
        let changes = value
            .pointer_mut("/properties/changes")
            .or(None)
            .map(Value::take)
            .unwrap_or_else(|| Value::Array(Vec::new()));
        Ok(Self {
            changes: typed(changes)?,
        })
    }
}

impl Deployments<'_> {
    /// Starts a deployment. It is sent once: after [`crate::ErrorKind::LostAnswer`] a [`Deployments::find`] of the same name tells what happened.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] (`InvalidTemplate`, `InvalidTemplateDeployment`), [`crate::ErrorKind::Policy`], [`crate::ErrorKind::Quota`],
    /// [`crate::ErrorKind::Conflict`] (`DeploymentActive`), [`crate::ErrorKind::NotFound`] (the group), [`crate::ErrorKind::LostAnswer`].
    pub async fn put(&self, id: &DeploymentId, body: &DeploymentBody) -> Result<Started> {
        let url = self.arm.url(&id.to_string(), API_VERSION, &[]);
        self.arm
            .write(Verb::Put, Call::put(url, body.wire(), Repeat::Unsafe))
            .await
    }

    /// Reads a deployment.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none of that name.
    pub async fn get(&self, id: &DeploymentId) -> Result<Deployment> {
        let value: Value = self.arm.get(&id.to_string(), API_VERSION, &[]).await?;
        value.try_into()
    }

    /// Reads a deployment that may not exist.
    ///
    /// # Errors
    /// Anything but "not found".
    pub async fn find(&self, id: &DeploymentId) -> Result<Option<Deployment>> {
        found(self.get(id).await)
    }

    /// The deployments of a group, newest last as ARM sends them.
    ///
    /// # Errors
    /// As any read.
    pub async fn list(&self, group: &GroupId) -> Result<Vec<Deployment>> {
        let path = format!("{group}/providers/Microsoft.Resources/deployments");
        let values: Vec<Value> = self.arm.list(&path, API_VERSION, &[]).await?;
        values.into_iter().map(Deployment::try_from).collect()
    }

    /// The progress per resource, all pages. Rows that are no resource (output evaluation, lookups of existing ones, clean-up) are left out.
    /// The row of a nested deployment in a resource group is followed by the rows of that deployment, which ARM keeps with it; one
    /// whose record is not there yet has none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is no such deployment.
    pub async fn operations(&self, id: &DeploymentId) -> Result<Vec<DeploymentOperation>> {
        let mut rows = self.own_operations(id).await?;
        let mut at = 0;
        // Rows are looked at while more come in behind them: deployments within deployments.
        while let Some(row) = rows.get(at) {
            at += 1;
            let Ok(nested) = DeploymentId::parse(&row.resource_id) else {
                continue;
            };
            let inner = match self.own_operations(&nested).await {
                Err(error) if error.kind() == crate::ErrorKind::NotFound => continue,
                inner => inner?,
            };
            // A deployment that names itself, or one around it, has been told already.
            let new: Vec<_> = inner
                .into_iter()
                .filter(|row| {
                    !rows
                        .iter()
                        .any(|known| known.resource_id.eq_ignore_ascii_case(&row.resource_id))
                })
                .collect();
            rows.splice(at..at, new);
        }
        Ok(rows)
    }

    async fn own_operations(&self, id: &DeploymentId) -> Result<Vec<DeploymentOperation>> {
        let path = format!("{id}/operations");
        let values: Vec<Value> = self
            .arm
            .list_as(CallKind::Poll, &path, API_VERSION, &[])
            .await?;
        Ok(values.iter().filter_map(operation).collect())
    }

    /// Lets ARM check template, parameters, names, quota and policy without changing anything. `Done` holds a [`Validation`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`], [`crate::ErrorKind::Policy`], [`crate::ErrorKind::Quota`]: what the PUT would have said.
    pub async fn validate(&self, id: &DeploymentId, body: &DeploymentBody) -> Result<Started> {
        let url = self.arm.url(&format!("{id}/validate"), API_VERSION, &[]);
        let call = Call::post(url, Some(body.wire()), Repeat::Safe);
        self.arm.write(Verb::Post, call).await
    }

    /// Asks ARM what would change; usually `Running`, and the poll's result is a [`WhatIf`].
    ///
    /// # Errors
    /// As [`Deployments::validate`].
    pub async fn what_if(&self, id: &DeploymentId, body: &DeploymentBody) -> Result<Started> {
        let url = self.arm.url(&format!("{id}/whatIf"), API_VERSION, &[]);
        let mut wire = body.wire();
        wire["properties"]["whatIfSettings"] = json!({ "resultFormat": "FullResourcePayloads" });
        self.arm
            .write(Verb::Post, Call::post(url, Some(wire), Repeat::Safe))
            .await
    }

    /// Stops a deployment that is accepted or running; what it made stays. Its state becomes `Canceled` a little later.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] (`DeploymentCannotBeCancelled`) when it is over.
    pub async fn cancel(&self, id: &DeploymentId) -> Result<()> {
        let url = self.arm.url(&format!("{id}/cancel"), API_VERSION, &[]);
        let call = Call::post(url, None, Repeat::Safe);
        self.arm.transport().send(call).await.map(|_| ())
    }

    /// Forgets a deployment's record; no resource is touched.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] while it runs.
    pub async fn delete(&self, id: &DeploymentId) -> Result<Started> {
        let url = self.arm.url(&id.to_string(), API_VERSION, &[]);
        self.arm.write(Verb::Delete, Call::delete(url)).await
    }
}

/// Reads a row; `None` hides it.
fn operation(row: &Value) -> Option<DeploymentOperation> {
    let properties = row.get("properties")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = text(properties, "provisioningOperation").unwrap_or_default();
    let hidden = ["EvaluateDeploymentOutput", "Read", "DeploymentCleanup"];
    if hidden.iter().any(|word| kind.eq_ignore_ascii_case(word)) {
        return None;
    }
    let target = properties.get("targetResource")?;
    let state = text(properties, "provisioningState").unwrap_or_default();
    let failed = state.eq_ignore_ascii_case("Failed");
    let error = properties
        .get("statusMessage")
        .filter(|_| failed)
        .map(|message| operation_error(message, text(properties, "serviceRequestId")));
    Some(DeploymentOperation {
        id: text(row, "operationId").or_else(|| text(row, "id"))?,
        provisioning_operation: kind,
        state,
        resource_id: text(target, "id")?,
        resource_type: text(target, "resourceType").unwrap_or_default(),
        resource_name: text(target, "resourceName").unwrap_or_default(),
        timestamp: text(properties, "timestamp").as_deref().and_then(instant),
        duration: text(properties, "duration")
            .as_deref()
            .and_then(iso_duration),
        status_code: text(properties, "statusCode"),
        error,
    })
}

/// `statusMessage` is an object with `error`, an error itself, or text.
fn operation_error(message: &Value, request_id: Option<String>) -> Error {
    let detail = body::from_value(message).unwrap_or_else(|| Detail {
        code: "OperationFailed".to_owned(),
        message: match message {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        ..Detail::default()
    });
    Error::failed(detail).with_ids(request_id, None)
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
}

/// `PT1H2M3.45S` as ARM writes it; `P1DT…` for what takes days.
fn iso_duration(text: &str) -> Option<time::Duration> {
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in text.strip_prefix('P')?.chars() {
        match c {
            'T' => {}
            '0'..='9' | '.' => number.push(c),
            unit => {
                let value: f64 = number.parse().ok()?;
                number.clear();
                seconds += value
                    * match unit {
                        'D' => 86_400.0,
                        'H' => 3_600.0,
                        'M' => 60.0,
                        'S' => 1.0,
                        _ => return None,
                    };
            }
        }
    }
    time::Duration::checked_seconds_f64(seconds)
}
