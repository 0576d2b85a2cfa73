//! How far the resources of a deployment are, and which can be begun. What beginning one does is in `deployments.rs`.

use std::collections::BTreeMap;

use http::StatusCode;

use super::{Deployment, Progress, Step};
use crate::state::model::{Status, World};
use crate::wire::errors::Problem;
use crate::wire::ids;

impl Deployment {
    /// Takes over the results of operations that have ended.
    pub(super) fn book(&mut self, world: &World) {
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
        // A nested deployment ends with the last of its resources. They stand behind it, so the innermost is looked at first.
        for index in (0..self.steps.len()).rev() {
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

    pub(super) fn ready(&self) -> Vec<usize> {
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

    pub(super) fn busy(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.state == Progress::Running)
    }
}
