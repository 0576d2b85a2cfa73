//! The deployment engine: accepts a template, makes its resources in order of their dependencies, each as an operation of its own, and keeps the history. HTTP is in `wire/deployments.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::evaluate::{self, Live};
use super::{Begin, begin, close, duration};
use crate::faults;
use crate::providers::{self, Put, Scene};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Group, Status, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};

/// ARM keeps 800 per scope and cleans up before that (facts: deployments.md 1).
const CLEAN_AT: usize = 700;
const CLEAN_TO: usize = 600;

/// A deployment and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The id of its resource group.
    pub(crate) scope: String,
    /// Digest of the template's text.
    pub(crate) template: String,
    /// Plain parameter values; emptied when it has ended, because some are secret.
    pub(crate) given: Map<String, Value>,
    /// Parameters as they are shown: secure ones without a value.
    pub(crate) parameters: Value,
    pub(crate) state: Phase,
    pub(crate) correlation: String,
    pub(crate) operation: Uuid,
    /// The 20 digits in its status URL.
    pub(crate) ticket: String,
    pub(crate) guid_seed: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) started: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
    pub(crate) steps: Vec<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outputs: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) tags: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Accepted,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Accepted => "Accepted",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Canceled => "Canceled",
        }
    }

    pub(crate) fn active(self) -> bool {
        matches!(self, Phase::Accepted | Phase::Running)
    }
}

/// One resource of a deployment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) api_version: String,
    pub(crate) existing: bool,
    /// The nested deployment it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inside: Option<String>,
    pub(crate) after: Vec<String>,
    pub(crate) state: Progress,
    /// The 16 hex digits in its URL.
    pub(crate) ticket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Uuid>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) started: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
    pub(crate) status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Waiting,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

const NESTED: &str = "Microsoft.Resources/deployments";

/// A deployment as it was asked for, evaluated and found possible.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) group: Arc<Group>,
    pub(crate) text: String,
    pub(crate) digest: String,
    pub(crate) given: Map<String, Value>,
    pub(crate) parameters: Value,
    pub(crate) resources: Vec<template::Resource>,
    pub(crate) guid_seed: Uuid,
    pub(crate) tags: Value,
}

impl Draft {
    /// Reads, evaluates and preflights: what `validate` does, and what a PUT does before it accepts.
    pub(crate) fn read(
        world: &World,
        group: &Arc<Group>,
        name: &str,
        body: &Value,
        now: OffsetDateTime,
    ) -> Result<Draft, Refusal> {
        let name_fits = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '(' | ')'));
        if name.len() > 64 {
            return Err(Refusal::bad(
                "DeploymentNameLengthLimitExceeded",
                format!(
                    "The provided deployment name '{name}' exceeds the maximum length of '64' characters."
                ),
            ));
        }
        if !name_fits {
            return Err(Refusal::bad(
                "InvalidDeploymentName",
                format!("The provided deployment name '{name}' is not valid."),
            ));
        }
        let Some(properties) = body.get("properties").filter(|value| value.is_object()) else {
            return Err(Refusal::bad(
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'Required property 'properties' not found in JSON.'.",
            ));
        };
        match properties.get("mode").and_then(Value::as_str) {
            Some(mode) if mode.eq_ignore_ascii_case("Incremental") => {}
            Some(mode) if mode.eq_ignore_ascii_case("Complete") => {
                return Err(Refusal::bad(
                    "InvalidDeploymentMode",
                    "This simulator runs incremental deployments only; complete mode deletes what the template does not name.",
                ));
            }
            _ => {
                return Err(Refusal::bad(
                    "InvalidRequestContent",
                    "The request content was invalid and could not be deserialized: 'Required property 'mode' expects a value but got null. Path 'properties.mode'.'.",
                ));
            }
        }
        let text = match properties.get("template") {
            Some(template) if template.is_object() => template.to_string(),
            _ if properties.get("templateLink").is_some() => {
                return Err(Refusal::bad(
                    "InvalidContentLink",
                    "Unable to download deployment content: this simulator reads inline templates only. Send the template in 'properties.template'.",
                ));
            }
            _ => {
                return Err(Refusal::bad(
                    "InvalidTemplate",
                    "Deployment template validation failed: 'The template is missing.'.",
                ));
            }
        };
        if text.len() > 4 << 20 {
            return Err(Refusal::bad(
                "RequestContentTooLarge",
                "The template is larger than the limit of 4 MB.",
            ));
        }
        let given = evaluate::plain(properties.get("parameters"))?;
        let template = template::Template::parse(&text).map_err(|error| invalid(&error))?;
        let wrong = template::check_parameters(&template, &given);
        if let Some(first) = wrong.first() {
            let details = wrong
                .iter()
                .map(|error| Problem {
                    target: Some(error.name.clone()),
                    ..Problem::new(&error.code, &error.message)
                })
                .collect();
            return Err(Refusal::bad(
                "InvalidTemplate",
                format!(
                    "Deployment template validation failed: '{}'.",
                    first.message
                ),
            )
            .with_details(details));
        }
        let guid_seed = Uuid::new_v4();
        let context = evaluate::context(group, name, now, guid_seed);
        let live = Live {
            world,
            pending: BTreeSet::new(),
            ahead: true,
            now,
        };
        // Twice: only the first tells what the deployment itself will make, which must stay unknown until it is made.
        let first = template::evaluate(&template, &given, &context, &live)
            .map_err(|error| invalid(&error))?;
        let live = Live {
            pending: first
                .resources
                .iter()
                .filter(|resource| !resource.existing)
                .map(|resource| ids::key(&resource.id))
                .collect(),
            ..live
        };
        let evaluation = template::evaluate(&template, &given, &context, &live)
            .map_err(|error| invalid(&error))?;
        let mut parameters = Map::new();
        for (name, declared) in template.parameters() {
            let mut shown = Map::new();
            shown.insert("type".to_owned(), declared.kind.to_string().into());
            if !declared.kind.secure()
                && let Some(value) = evaluation.parameters.get(name)
            {
                shown.insert("value".to_owned(), value.clone());
            }
            parameters.insert(name.clone(), Value::Object(shown));
        }
        let draft = Draft {
            name: name.to_owned(),
            group: group.clone(),
            digest: hex(&Sha256::digest(text.as_bytes())),
            text,
            given,
            parameters: Value::Object(parameters),
            resources: evaluation.resources,
            guid_seed,
            tags: body.get("tags").cloned().unwrap_or(Value::Null),
        };
        draft.preflight(world, now)?;
        Ok(draft)
    }

    /// Asks every provider whether it would take its resources, quota included, before any is made.
    fn preflight(&self, world: &World, now: OffsetDateTime) -> Result<(), Refusal> {
        let planned: BTreeSet<String> = self
            .resources
            .iter()
            .map(|resource| ids::key(&resource.id))
            .collect();
        let mut scene = Scene {
            world,
            planned,
            preflight: true,
            now,
            cores: BTreeMap::new(),
        };
        let mut details = Vec::new();
        for resource in &self.resources {
            if resource.existing
                || resource.kind.eq_ignore_ascii_case(NESTED)
                || resource.id.contains("<unknown:")
            {
                continue;
            }
            if let Err(refusal) = providers::preflight(
                &mut scene,
                &resource.id,
                &resource.api_version,
                &resource.body,
            ) {
                let mut problem = *refusal.problem;
                if problem.target.is_none() {
                    problem.target = Some(resource.id.clone());
                }
                details.push(problem);
            }
        }
        if details.is_empty() {
            return Ok(());
        }
        Err(Refusal::bad(
            "InvalidTemplateDeployment",
            format!(
                "The template deployment '{}' is not valid according to the validation procedure. The tracking id is '{}'. See inner errors for details.",
                self.name,
                Uuid::new_v4()
            ),
        )
        .with_details(details))
    }
}

fn invalid(error: &template::Error) -> Refusal {
    Refusal::bad(
        error.code(),
        format!("Deployment template validation failed: '{error}'."),
    )
}

/// Accepts a deployment; its first resources start a moment later.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    draft: Draft,
    correlation: &str,
) -> Result<(Arc<Deployment>, bool), Refusal> {
    let id = format!("{}/providers/{NESTED}/{}", draft.group.id, draft.name);
    let key = ids::key(&id);
    let old = tx.deployment(&key).cloned();
    if let Some(old) = &old
        && old.state.active()
    {
        return Err(Refusal::conflict(
            "DeploymentActive",
            format!(
                "Unable to edit or replace deployment '{}': previous deployment from '{}' is still active (expiration time is '{}'). Please see https://aka.ms/arm-deploy for usage details.",
                draft.name,
                rfc3339(old.started),
                rfc3339(old.started + time::Duration::days(7)),
            ),
        ));
    }
    clean(tx, &ids::key(&draft.group.id));
    if tx.template_text(&draft.digest).is_none() {
        tx.apply(Change::Template(
            draft.digest.clone(),
            Some(Arc::from(draft.text)),
        ));
    }
    let operation = begin(
        tx,
        Begin {
            subject: id.clone(),
            effect: Effect::Deployment,
            seconds: Some(1.0),
            doomed: None,
            deployment: None,
        },
    );
    let steps = draft
        .resources
        .iter()
        .map(|resource| Step {
            id: resource.id.clone(),
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            api_version: resource.api_version.clone(),
            existing: resource.existing,
            inside: resource.deployment.clone(),
            after: resource.depends_on.clone(),
            state: Progress::Waiting,
            ticket: hex(&rand::random::<[u8; 8]>()).to_uppercase(),
            operation: None,
            started: None,
            ended: None,
            status: 0,
            problem: None,
        })
        .collect();
    let deployment = Arc::new(Deployment {
        id,
        name: draft.name,
        scope: draft.group.id.clone(),
        template: draft.digest,
        given: draft.given,
        parameters: draft.parameters,
        state: Phase::Accepted,
        correlation: correlation.to_owned(),
        operation,
        ticket: format!("0858{:016}", rand::random::<u64>() % 10_000_000_000_000_000),
        guid_seed: draft.guid_seed,
        started: tx.now,
        ended: None,
        steps,
        outputs: None,
        problem: None,
        tags: draft.tags,
    });
    tx.apply(Change::Deployment(key, Some(deployment.clone())));
    Ok((deployment, old.is_none()))
}

fn clean(tx: &mut Tx<'_>, group: &str) {
    let mut ended: Vec<(OffsetDateTime, String)> = tx
        .deployments_under(group)
        .filter(|(_, deployment)| !deployment.state.active())
        .map(|(key, deployment)| (deployment.started, key.clone()))
        .collect();
    if ended.len() < CLEAN_AT {
        return;
    }
    ended.sort();
    let surplus = ended.len() - CLEAN_TO;
    for (_, key) in ended.into_iter().take(surplus) {
        tx.apply(Change::Deployment(key, None));
    }
}

/// The moment after acceptance: from here its resources decide how long it takes.
pub(crate) fn accepted(tx: &mut Tx<'_>, key: &str, operation: Uuid) {
    let hanging = tx.operation(operation).map(|operation| {
        let mut operation = crate::state::model::Operation::clone(operation);
        operation.deadline = None;
        Arc::new(operation)
    });
    tx.apply(Change::Operation(operation, hanging));
    let Some(deployment) = tx.deployment(key) else {
        close(tx, operation, Status::Canceled, None);
        return;
    };
    let mut deployment = Deployment::clone(deployment);
    if deployment.state == Phase::Accepted {
        deployment.state = Phase::Running;
        store(tx, deployment);
        advance(tx, key);
    }
}

fn store(tx: &mut Tx<'_>, deployment: Deployment) {
    let key = ids::key(&deployment.id);
    tx.apply(Change::Deployment(key, Some(Arc::new(deployment))));
}

/// Books what has ended, starts what can start, and ends the deployment when nothing is left.
pub(crate) fn advance(tx: &mut Tx<'_>, key: &str) {
    loop {
        let Some(current) = tx.deployment(key) else {
            return;
        };
        if current.state != Phase::Running {
            return;
        }
        let mut deployment = Deployment::clone(current);
        deployment.book(tx);
        let ready = deployment.ready();
        if ready.is_empty() {
            if !deployment.busy() {
                finish(tx, deployment);
            } else {
                store(tx, deployment);
            }
            return;
        }
        let evaluation = evaluate::again(tx, &deployment, tx.now);
        for index in ready {
            let outcome = match &evaluation {
                Ok(evaluation) => start(tx, &deployment, index, evaluation),
                Err(error) => Err(invalid(error)),
            };
            let now = tx.now;
            let step = &mut deployment.steps[index];
            step.started = Some(now);
            match outcome {
                Ok(Some(put)) => {
                    step.status = if put.created { 201 } else { 200 };
                    step.operation = put.operation;
                    if put.operation.is_some() || step.kind.eq_ignore_ascii_case(NESTED) {
                        step.state = Progress::Running;
                    } else {
                        step.state = Progress::Succeeded;
                        step.ended = Some(now);
                    }
                }
                Ok(None) => {
                    step.status = 200;
                    step.state = Progress::Succeeded;
                    step.ended = Some(now);
                }
                Err(refusal) => {
                    step.status = refusal.status.as_u16();
                    step.state = Progress::Failed;
                    step.ended = Some(now);
                    step.problem = Some(*refusal.problem);
                }
            }
        }
        store(tx, deployment);
    }
}

/// Makes one resource. `None` means that there was nothing to make.
fn start(
    tx: &mut Tx<'_>,
    deployment: &Deployment,
    index: usize,
    evaluation: &template::Evaluation,
) -> Result<Option<Put>, Refusal> {
    let step = &deployment.steps[index];
    if step.existing {
        return Ok(None);
    }
    if step.kind.eq_ignore_ascii_case(NESTED) {
        return Ok(Some(Put {
            id: step.id.clone(),
            operation: None,
            created: true,
        }));
    }
    let key = ids::key(&step.id);
    let Some(resource) = evaluation
        .resources
        .iter()
        .find(|resource| ids::key(&resource.id) == key)
    else {
        return Ok(None);
    };
    if template::has_unknown(&resource.body) {
        return Err(Refusal::bad(
            "InvalidTemplate",
            format!(
                "Unable to process template language expressions for resource '{}': a value that it needs is not known yet.",
                resource.id
            ),
        ));
    }
    let Some(id) = Id::parse(&resource.id) else {
        return Err(Refusal::bad(
            "InvalidTemplate",
            format!("'{}' is not a resource id.", resource.id),
        ));
    };
    let order = faults::for_operation(tx, "PUT", &resource.id);
    if let Some(refusal) = order.refusal {
        return Err(refusal);
    }
    let mark = tx.mark();
    let put = providers::put(
        tx,
        providers::Order {
            id,
            body: resource.body.clone(),
            api_version: resource.api_version.clone(),
            patch: false,
            condition: None,
            doomed: order.doomed,
            hang: order.hang,
            deployment: Some(ids::key(&deployment.id)),
        },
    );
    if put.is_err() {
        tx.rollback(mark);
    }
    put.map(Some)
}

fn finish(tx: &mut Tx<'_>, mut deployment: Deployment) {
    let failed: Vec<Problem> = deployment
        .steps
        .iter()
        .filter(|step| step.state == Progress::Failed && !step.kind.eq_ignore_ascii_case(NESTED))
        .filter_map(|step| {
            let mut problem = step.problem.clone()?;
            if problem.target.is_none() {
                problem.target = Some(step.id.clone());
            }
            Some(problem)
        })
        .collect();
    let problem = if failed.is_empty() {
        match evaluate::again(tx, &deployment, tx.now) {
            Ok(evaluation) => {
                let mut outputs = Map::new();
                for (name, output) in evaluation.outputs {
                    let mut shown = json!({ "type": output.kind.to_string() });
                    if !output.kind.secure() {
                        shown["value"] = output.value;
                    }
                    outputs.insert(name, shown);
                }
                deployment.outputs = Some(Value::Object(outputs));
                None
            }
            Err(error) => Some(Problem::new(
                "DeploymentOutputEvaluationFailed",
                format!(
                    "Unable to evaluate template outputs: '{error}'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details."
                ),
            )),
        }
    } else {
        Some(Problem {
            details: failed,
            ..Problem::new(
                "DeploymentFailed",
                "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
            )
        })
    };
    deployment.state = if problem.is_none() {
        Phase::Succeeded
    } else {
        Phase::Failed
    };
    let status = if problem.is_none() {
        Status::Succeeded
    } else {
        Status::Failed
    };
    end(tx, deployment, status, problem);
}

fn end(tx: &mut Tx<'_>, mut deployment: Deployment, status: Status, problem: Option<Problem>) {
    deployment.ended = Some(tx.now);
    deployment.problem.clone_from(&problem);
    deployment.given = Map::new();
    close(tx, deployment.operation, status, problem);
    store(tx, deployment);
}

/// Stops a deployment where it is: nothing new starts, what runs in its provider runs on.
pub(crate) fn cancel(tx: &mut Tx<'_>, key: &str) -> Result<(), Refusal> {
    let Some(deployment) = tx.deployment(key) else {
        return Err(not_found(key));
    };
    if !deployment.state.active() {
        return Err(Refusal::conflict(
            "DeploymentCannotBeCancelled",
            format!(
                "The deployment '{}' cannot be cancelled because it is in the state '{}'.",
                deployment.name,
                deployment.state.name()
            ),
        ));
    }
    let mut deployment = Deployment::clone(deployment);
    deployment.state = Phase::Canceled;
    let now = tx.now;
    for step in &mut deployment.steps {
        if step.state == Progress::Running {
            step.state = Progress::Canceled;
            step.ended = Some(now);
        }
    }
    let problem = Problem::new(
        "DeploymentCanceled",
        "The deployment was canceled. Resources that were being made are left as they are.",
    );
    end(tx, deployment, Status::Canceled, Some(problem));
    Ok(())
}

pub(crate) fn not_found(key: &str) -> Refusal {
    let name = key.rsplit('/').next().unwrap_or("");
    Refusal::missing(
        "DeploymentNotFound",
        format!("Deployment '{name}' could not be found."),
    )
}

impl Deployment {
    /// Takes over the results of operations that have ended.
    fn book(&mut self, world: &World) {
        for step in &mut self.steps {
            let Some(operation) = step.operation.and_then(|id| world.operation(id)) else {
                continue;
            };
            if step.state != Progress::Running || operation.status == Status::InProgress {
                continue;
            }
            step.ended = operation.ended;
            if operation.status == Status::Succeeded {
                step.state = Progress::Succeeded;
            } else {
                step.state = Progress::Failed;
                step.status = StatusCode::CONFLICT.as_u16();
                let inner = operation
                    .problem
                    .clone()
                    .unwrap_or_else(|| Problem::new("Canceled", "The operation was canceled."));
                step.problem = Some(Problem {
                    details: vec![inner],
                    ..Problem::new(
                        "ResourceDeploymentFailure",
                        "The resource write operation failed to complete successfully, because it reached terminal provisioning state 'Failed'.",
                    )
                });
            }
        }
        // A nested deployment ends with the last of its resources.
        for index in 0..self.steps.len() {
            let nested = &self.steps[index];
            if nested.state != Progress::Running || nested.operation.is_some() {
                continue;
            }
            let id = ids::key(&nested.id);
            let inner: Vec<&Step> = self
                .steps
                .iter()
                .filter(|step| step.inside.as_deref().map(ids::key).as_deref() == Some(&id))
                .collect();
            let failed = inner.iter().any(|step| step.state == Progress::Failed);
            let open = inner
                .iter()
                .any(|step| matches!(step.state, Progress::Running | Progress::Waiting));
            let running = inner.iter().any(|step| step.state == Progress::Running);
            let ended = inner.iter().filter_map(|step| step.ended).max();
            let step = &mut self.steps[index];
            if failed && !running {
                step.state = Progress::Failed;
                step.status = StatusCode::CONFLICT.as_u16();
                step.ended = ended;
                step.problem = Some(Problem::new(
                    "DeploymentFailed",
                    "At least one resource deployment operation failed.",
                ));
            } else if !open {
                step.state = Progress::Succeeded;
                step.ended = ended.or(step.started);
            }
        }
    }

    fn ready(&self) -> Vec<usize> {
        let states: BTreeMap<String, Progress> = self
            .steps
            .iter()
            .map(|step| (ids::key(&step.id), step.state))
            .collect();
        let done = |id: &String| {
            states
                .get(&ids::key(id))
                .is_none_or(|state| *state == Progress::Succeeded)
        };
        let entered = |id: &String| {
            states
                .get(&ids::key(id))
                .is_none_or(|state| *state == Progress::Running)
        };
        self.steps
            .iter()
            .enumerate()
            .filter(|(_, step)| {
                let outer = step.inside.as_ref();
                step.state == Progress::Waiting
                    && outer.is_none_or(entered)
                    && step
                        .after
                        .iter()
                        .filter(|id| outer.is_none_or(|outer| !outer.eq_ignore_ascii_case(id)))
                        .all(done)
            })
            .map(|(index, _)| index)
            .collect()
    }

    fn busy(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.state == Progress::Running)
    }

    /// Keys of what it has not made yet.
    pub(crate) fn pending(&self) -> BTreeSet<String> {
        self.steps
            .iter()
            .filter(|step| {
                !step.existing && matches!(step.state, Progress::Waiting | Progress::Running)
            })
            .map(|step| ids::key(&step.id))
            .collect()
    }

    /// The deployment as ARM shows it.
    pub(crate) fn show(&self) -> Value {
        let mut properties = json!({
            "templateHash": u64::from_str_radix(self.template.get(..16).unwrap_or("0"), 16).unwrap_or(0).to_string(),
            "parameters": self.parameters,
            "mode": "Incremental",
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
                .filter(|step| !step.existing)
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
            .filter_map(|step| {
                let started = step.started?;
                let mut properties = json!({
                    "provisioningOperation": if step.existing { "Read" } else { "Create" },
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

pub(crate) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
