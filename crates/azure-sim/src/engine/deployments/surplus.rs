//! Complete mode: what is in the group and not in the template is deleted when everything else has succeeded
//! (<https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes>). The rest of a deployment's life is in `deployments.rs`.

use std::collections::BTreeSet;

use super::{Deployment, Progress, Step, hex};
use crate::providers;
use crate::state::Tx;
use crate::state::model::{Resource, World};
use crate::wire::errors::Problem;
use crate::wire::ids::{self, Id};

/// The group's own resources that are none of these. Children go with their parents, and what extends the group stays.
pub(crate) fn surplus<'a>(
    world: &'a World,
    group: &str,
    named: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a Resource> {
    let key = ids::key(group);
    world
        .under(&key)
        .filter(|(key, resource)| {
            let own = Id::parse(&resource.id)
                .is_some_and(|id| id.extends.is_empty() && id.types.len() == 1);
            own && !resource.kind.starts_with("Microsoft.Authorization/") && !named.contains(*key)
        })
        .map(|(_, resource)| &**resource)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Begins to delete what can go now; what something else still uses waits for that. False when there is nothing left to wait for.
pub(super) fn clear(tx: &mut Tx<'_>, deployment: &mut Deployment) -> bool {
    let named: BTreeSet<String> = deployment
        .steps
        .iter()
        .map(|step| ids::key(&step.id))
        .collect();
    let left: Vec<(String, String)> = surplus(tx, &deployment.scope, &named)
        .map(|resource| (resource.id.clone(), resource.kind.clone()))
        .collect();
    let mut refused = Vec::new();
    for (id, kind) in left {
        let Some(parsed) = Id::parse(&id) else {
            continue;
        };
        let owner = Some(ids::key(&deployment.id));
        let deleted = providers::delete(tx, &parsed, None, None, false, owner);
        let mut step = Step {
            name: parsed.name(),
            id,
            kind,
            api_version: String::new(),
            existing: false,
            surplus: true,
            inside: None,
            after: Vec::new(),
            state: Progress::Succeeded,
            ticket: hex(&rand::random::<[u8; 8]>()).to_uppercase(),
            operation: None,
            started: Some(tx.now),
            ended: Some(tx.now),
            status: 200,
            problem: None,
        };
        match deleted {
            Ok(Some(put)) if put.operation.is_some() => {
                step.state = Progress::Running;
                step.operation = put.operation;
                step.ended = None;
                deployment.steps.push(step);
            }
            Ok(_) => deployment.steps.push(step),
            Err(refusal) => {
                step.state = Progress::Failed;
                step.status = refusal.status.as_u16();
                step.problem = Some(*refusal.problem);
                refused.push(step);
            }
        }
    }
    if deployment.busy() {
        return true;
    }
    // Nothing that runs will free them any more.
    for mut step in refused {
        let locked = step
            .problem
            .as_ref()
            .is_some_and(|problem| problem.code == "ScopeLocked");
        if locked {
            // Left where they are, without a word.
            continue;
        }
        step.problem = step.problem.map(|inner| Problem {
            details: vec![inner],
            ..Problem::new(
                "DeploymentFailedCleanUp",
                "The deployment operation failed, because it was unable to cleanup. Please see https://aka.ms/arm-debug for usage details.",
            )
        });
        deployment.steps.push(step);
    }
    false
}
