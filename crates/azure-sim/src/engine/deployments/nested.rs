//! The records of nested deployments: each is a deployment of its own to whoever asks. They run with the outer one, in `deployments.rs`.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Deployment, Phase, Progress, Step, evaluate, hex, outputs, store};
use crate::state::Tx;
use crate::state::model::Change;
use crate::wire::errors::Problem;
use crate::wire::ids::{self, Id};

/// What a nested deployment makes is known only now that it begins: names and numbers in it may come from what was made before.
pub(super) fn enter(outer: &mut Deployment, id: &str, evaluation: &template::Evaluation) {
    let within = |of: &dyn Fn(&str) -> Option<String>, inside: Option<&str>| {
        let mut around = inside.map(str::to_owned);
        // Deployments stand in one another 32 deep at most.
        for _ in 0..64 {
            let Some(here) = around else { return false };
            if here.eq_ignore_ascii_case(id) {
                return true;
            }
            around = of(&here);
        }
        false
    };
    let known = outer.steps.clone();
    let around_step = |id: &str| {
        let step = known.iter().find(|step| step.id.eq_ignore_ascii_case(id))?;
        step.inside.clone()
    };
    outer.steps.retain(|step| {
        step.state != Progress::Waiting || !within(&around_step, step.inside.as_deref())
    });
    let around_resource = |id: &str| {
        let found = evaluation
            .resources
            .iter()
            .find(|resource| resource.id.eq_ignore_ascii_case(id))?;
        found.deployment.clone()
    };
    let now = evaluation
        .resources
        .iter()
        .filter(|resource| within(&around_resource, resource.deployment.as_deref()))
        .map(Step::of);
    let behind = outer
        .steps
        .iter()
        .position(|step| step.id.eq_ignore_ascii_case(id))
        .map_or(outer.steps.len(), |at| at + 1);
    outer.steps.splice(behind..behind, now);
}

/// Writes down how far every nested deployment is that has begun.
pub(super) fn record(tx: &mut Tx<'_>, outer: &Deployment) {
    let begun: Vec<&Step> = outer
        .steps
        .iter()
        .filter(|step| step.is_nested() && !step.existing && step.state != Progress::Waiting)
        .filter(|step| !is_told(tx, outer, step))
        .collect();
    if begun.is_empty() {
        return;
    }
    let Ok(evaluation) = evaluate::again(tx, outer, tx.now) else {
        return;
    };
    for step in begun {
        let key = ids::key(&step.id);
        let resource = evaluation
            .resources
            .iter()
            .find(|resource| ids::key(&resource.id) == key);
        if let Some(resource) = resource {
            let record = record_of(tx, outer, step, resource);
            store(tx, record);
        }
    }
}

/// Whether the record is written and will not change.
fn is_told(tx: &Tx<'_>, outer: &Deployment, step: &Step) -> bool {
    tx.deployment(&ids::key(&step.id)).is_some_and(|record| {
        record.correlation == outer.correlation
            && !record.state.active()
            && step.state != Progress::Running
    })
}

fn record_of(
    tx: &mut Tx<'_>,
    outer: &Deployment,
    step: &Step,
    resource: &template::Resource,
) -> Deployment {
    let key = ids::key(&step.id);
    let old = tx
        .deployment(&key)
        .filter(|record| record.correlation == outer.correlation)
        .cloned();
    let template = resource.body.pointer("/properties/template");
    let text = template.map_or_else(|| "{}".to_owned(), Value::to_string);
    let digest = hex(&Sha256::digest(text.as_bytes()));
    if tx.template_text(&digest).is_none() {
        tx.apply(Change::Template(digest.clone(), Some(Arc::from(text))));
    }
    let inner: Vec<Step> = outer
        .steps
        .iter()
        .filter(|inner| inner.inside.as_deref().map(ids::key).as_ref() == Some(&key))
        .map(|inner| Step {
            inside: None,
            ..inner.clone()
        })
        .collect();
    let state = match step.state {
        Progress::Waiting | Progress::Running => Phase::Running,
        Progress::Succeeded => Phase::Succeeded,
        Progress::Failed => Phase::Failed,
        Progress::Canceled => Phase::Canceled,
    };
    let failed: Vec<Problem> = inner
        .iter()
        .filter(|step| step.state == Progress::Failed)
        .filter_map(|step| {
            Some(Problem {
                target: Some(step.id.clone()),
                ..step.problem.clone()?
            })
        })
        .collect();
    let scope = step
        .id
        .rsplit_once("/providers/")
        .map_or(outer.scope.as_str(), |(scope, _)| scope)
        .to_owned();
    let at_subscription = Id::parse(&step.id).is_some_and(|id| id.group.is_none());
    Deployment {
        id: step.id.clone(),
        name: step.name.clone(),
        scope,
        location: at_subscription
            .then(|| resource.location.clone().or_else(|| outer.location.clone()))
            .flatten(),
        complete: false,
        template: digest,
        given: Map::new(),
        parameters: parameters(resource),
        state,
        correlation: outer.correlation.clone(),
        operation: old.as_ref().map_or_else(Uuid::new_v4, |old| old.operation),
        ticket: old
            .as_ref()
            .map_or_else(|| format!("0858{}", &step.ticket), |old| old.ticket.clone()),
        guid_seed: outer.guid_seed,
        started: step.started.unwrap_or(outer.started),
        ended: step.ended,
        outputs: resource
            .outputs
            .as_ref()
            .filter(|_| state == Phase::Succeeded)
            .map(outputs::shown),
        problem: (state == Phase::Failed).then(|| Problem {
            details: failed,
            ..Problem::new(
                "DeploymentFailed",
                "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
            )
        }),
        steps: inner,
        tags: Value::Null,
    }
}

/// Its parameters as they are shown: what it was given, secure ones without a value.
fn parameters(resource: &template::Resource) -> Value {
    let given = resource.body.pointer("/properties/parameters");
    let declared = resource
        .body
        .pointer("/properties/template")
        .and_then(|template| template::Template::parse(&template.to_string()).ok());
    let Some(declared) = declared else {
        return json!({});
    };
    let shown = declared.parameters().iter().map(|(name, parameter)| {
        let mut shown = json!({ "type": parameter.kind.to_string() });
        let value = given
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .and_then(|(_, given)| given.get("value"));
        if let Some(value) = value.filter(|_| !parameter.kind.secure()) {
            shown["value"] = value.clone();
        }
        (name.clone(), shown)
    });
    Value::Object(shown.collect())
}
