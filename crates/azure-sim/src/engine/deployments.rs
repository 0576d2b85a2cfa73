//! The deployment engine: accepts a template, makes its resources in order of their dependencies, each as an operation of its own, and keeps the history. HTTP is in `wire/deployments.rs`.
//! How a request becomes a deployment is in `deployments/draft.rs`, how one is shown in `deployments/view.rs`, the records of nested ones are in `deployments/nested.rs`, what complete mode deletes in `deployments/surplus.rs`, which resource is next in `deployments/order.rs`, and its outputs in `deployments/outputs.rs`.

mod draft;
mod nested;
mod order;
mod outputs;
mod surplus;
mod view;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::evaluate;
use super::{Begin, begin, close, postpone};
use crate::faults;
use crate::providers::{self, Put, resources};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Status};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
pub(crate) use draft::{Draft, Site};
use draft::{RESOURCE_GROUP, invalid};
pub(crate) use surplus::surplus;

/// ARM keeps 800 per scope and cleans up before that (facts: deployments.md 1).
const CLEAN_AT: usize = 700;
const CLEAN_TO: usize = 600;

/// A deployment and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The id of its resource group, or of its subscription.
    pub(crate) scope: String,
    /// Where a deployment to a subscription keeps its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// Whether it deletes what its template does not name.
    #[serde(default)]
    pub(crate) complete: bool,
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
    /// Not in the template, and deleted for that.
    #[serde(default)]
    pub(crate) surplus: bool,
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

impl Step {
    /// A resource that is still to be made.
    fn of(resource: &template::Resource) -> Step {
        Step {
            id: resource.id.clone(),
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            api_version: resource.api_version.clone(),
            existing: resource.existing,
            surplus: false,
            inside: resource.deployment.clone(),
            after: resource.depends_on.clone(),
            state: Progress::Waiting,
            ticket: hex(&rand::random::<[u8; 8]>()).to_uppercase(),
            operation: None,
            started: None,
            ended: None,
            status: 0,
            problem: None,
        }
    }

    /// Still to be made, or being made.
    pub(crate) fn pending(&self) -> bool {
        !self.existing
            && !self.surplus
            && matches!(self.state, Progress::Waiting | Progress::Running)
    }

    pub(crate) fn is_nested(&self) -> bool {
        self.kind.eq_ignore_ascii_case(NESTED)
    }
}

pub(crate) const NESTED: &str = "Microsoft.Resources/deployments";
const MACHINE: &str = "Microsoft.Compute/virtualMachines";

/// Accepts a deployment; its first resources start a moment later.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    draft: Draft,
    correlation: &str,
) -> Result<(Arc<Deployment>, bool), Refusal> {
    let id = format!("{}/providers/{NESTED}/{}", draft.site.id, draft.name);
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
    if let (Some(old), Some(location)) = (&old, &draft.site.location)
        && old
            .location
            .as_ref()
            .is_some_and(|before| before != location)
    {
        return Err(Refusal::conflict(
            "InvalidDeploymentLocation",
            format!(
                "Invalid deployment location '{location}'. The deployment '{}' already exists in location '{}'.",
                draft.name,
                old.location.as_deref().unwrap_or_default()
            ),
        ));
    }
    clean(tx, &ids::key(&draft.site.id));
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
    let steps = draft.resources.iter().map(Step::of).collect();
    let deployment = Arc::new(Deployment {
        id,
        name: draft.name,
        scope: draft.site.id.clone(),
        location: draft.site.location.clone(),
        complete: draft.complete,
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
        nested::record(tx, &deployment);
        let ready = deployment.ready();
        if ready.is_empty() {
            let clearing = deployment.complete
                && deployment
                    .steps
                    .iter()
                    .all(|step| step.state == Progress::Succeeded || step.surplus)
                && surplus::clear(tx, &mut deployment);
            if clearing || deployment.busy() {
                store(tx, deployment);
            } else {
                finish(tx, deployment);
            }
            return;
        }
        let evaluation = evaluate::again(tx, &deployment, tx.now);
        let mut entered = Vec::new();
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
                    if put.operation.is_some() || step.is_nested() {
                        step.state = Progress::Running;
                        if step.is_nested() {
                            entered.push(step.id.clone());
                        }
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
        if let Ok(evaluation) = &evaluation {
            for id in entered {
                nested::enter(&mut deployment, &id, evaluation);
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
    if step.is_nested() {
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
    if step.kind.eq_ignore_ascii_case(RESOURCE_GROUP) {
        return make_group(tx, resource).map(Some);
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
    match &put {
        Err(_) => tx.rollback(mark),
        Ok(put) if step.kind.eq_ignore_ascii_case(MACHINE) => {
            let subscription = resource.id.split('/').nth(2).unwrap_or_default();
            let wait = tx.limits.book_machine(subscription, tx.now);
            if let Some(operation) = put.operation.filter(|_| wait.is_positive()) {
                postpone(tx, operation, wait);
            }
        }
        Ok(_) => {}
    }
    put.map(Some)
}

/// A resource group in a template: ARM makes it itself, at once.
fn make_group(tx: &mut Tx<'_>, resource: &template::Resource) -> Result<Put, Refusal> {
    let (subscription, name) = draft::group_of(&resource.id).ok_or_else(|| {
        Refusal::bad(
            "InvalidTemplate",
            format!("'{}' is not the id of a resource group.", resource.id),
        )
    })?;
    let (group, created) = resources::put_group(tx, subscription, name, &resource.body, false)?;
    Ok(Put {
        id: group.id.clone(),
        operation: None,
        created,
    })
}

fn finish(tx: &mut Tx<'_>, mut deployment: Deployment) {
    // What waits for something that never ends badly nor well waits for itself.
    let stuck = |step: &&mut Step| step.state == Progress::Waiting;
    if deployment
        .steps
        .iter()
        .all(|step| step.state != Progress::Failed)
    {
        for step in deployment.steps.iter_mut().filter(stuck) {
            step.state = Progress::Failed;
            step.problem = Some(Problem::new(
                "InvalidTemplate",
                format!("Circular dependency detected on resource: '{}'.", step.id),
            ));
        }
    }
    // Of a nested deployment its resources tell more than it does itself.
    let failed_within = |nested: &Step| {
        deployment.steps.iter().any(|step| {
            let inside = step.inside.as_deref();
            step.state == Progress::Failed
                && inside.is_some_and(|id| id.eq_ignore_ascii_case(&nested.id))
        })
    };
    let failed: Vec<Problem> = deployment
        .steps
        .iter()
        .filter(|step| step.state == Progress::Failed && !failed_within(step))
        .filter_map(|step| {
            let mut problem = step.problem.clone()?;
            if problem.target.is_none() {
                problem.target = Some(step.id.clone());
            }
            Some(problem)
        })
        .collect();
    let problem = if failed.is_empty() {
        match outputs::of(tx, &deployment) {
            Ok(outputs) => {
                deployment.outputs = Some(outputs);
                None
            }
            Err(problem) => Some(problem),
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
    nested::record(tx, &deployment);
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

pub(crate) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
