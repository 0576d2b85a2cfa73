//! Asks Azure what an action says and turns what comes back into an [`Answer`]. Nothing is decided and nothing stored here.

pub(crate) mod trouble;

use std::collections::BTreeMap;

use azure::{
    DeploymentBody, DeploymentId, ErrorKind, GroupId, Poll, ResourceId, Started, SubscriptionId,
};
use indexmap::IndexMap;
use serde_json::Value;
use types::fault::AzureFault;
use types::ids::StackId;
use types::operation::{OperationKind, ResourceProgress, StepName};
use types::plan::{Plan, Target};

use self::trouble::{answer_of, refused, wait_of};
use super::journal::{Item, JournalStep};
use super::next::{Action, fault};
use super::record::{Answer, GroupSeen};
use super::steps::STACK_TAG;

/// What an action needs to know beside the journal.
pub(crate) struct Scene<'a> {
    pub(crate) arm: &'a azure::Arm,
    pub(crate) kind: OperationKind,
    pub(crate) stack: StackId,
    pub(crate) target: &'a Target,
    /// The plan that is applied; absent for power actions.
    pub(crate) plan: Option<&'a Plan>,
    /// The template as ARM takes it.
    pub(crate) template: Option<&'a Value>,
    /// Tags of the owned resource group.
    pub(crate) tags: &'a BTreeMap<String, String>,
    /// The deployment's name.
    pub(crate) deployment: &'a str,
}

/// What is known beside the answer, to be stored with it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Resources seen, in their state.
    pub(crate) resources: Vec<ResourceProgress>,
    /// The deployment's outputs.
    pub(crate) outputs: Option<IndexMap<String, Value>>,
}

/// Performs one action on the step's open item.
pub(crate) async fn perform(
    scene: &Scene<'_>,
    step: &JournalStep,
    action: &Action,
) -> (Answer, Found) {
    let mut found = Found::default();
    let item = step.item();
    let answer = match action {
        Action::ReadGroup | Action::LookForGroup => scene.read_group().await,
        Action::PutGroup => scene.put_group().await,
        Action::DeleteGroup => scene.delete_group().await,
        Action::Validate => scene.validate().await,
        Action::ReadDeployment => scene.read_deployment(step, &mut found).await,
        Action::PutDeployment => scene.put_deployment().await,
        Action::CancelDeployment => scene.cancel_deployment().await,
        Action::Follow(operation) => scene.follow(step, operation, &mut found).await,
        Action::DeleteResource => scene.delete_resource(item).await,
        Action::LookForResource => scene.look_for_resource(item).await,
        Action::Power => scene.power(item).await,
        Action::Collect => scene.collect(&mut found).await,
        Action::Rest | Action::Start | Action::Begin | Action::Stop | Action::End(_) => {
            Ok(Answer::Nothing)
        }
    };
    (answer.unwrap_or_else(|answer| answer), found)
}

/// Both ways end in an answer; `Err` only saves the `match`.
type Asked = Result<Answer, Answer>;

impl Scene<'_> {
    fn group(&self) -> Result<GroupId, Answer> {
        let subscription = SubscriptionId::parse(&self.target.subscription).map_err(refused)?;
        GroupId::new(subscription, &self.target.resource_group).map_err(refused)
    }

    fn deployment(&self) -> Result<DeploymentId, Answer> {
        DeploymentId::new(self.group()?, self.deployment).map_err(refused)
    }

    fn seen(&self, group: &azure::Group) -> GroupSeen {
        if group.tag(STACK_TAG) != Some(self.stack.to_string().as_str()) {
            GroupSeen::Foreign
        } else if group.provisioning_state().eq_ignore_ascii_case("Deleting") {
            GroupSeen::OursGoing
        } else {
            GroupSeen::Ours
        }
    }

    async fn read_group(&self) -> Asked {
        let group = self.arm.groups().find(&self.group()?).await;
        Ok(Answer::Group(match group.map_err(|e| answer_of(&e))? {
            None => GroupSeen::Absent,
            Some(group) => self.seen(&group),
        }))
    }

    /// Reads once more right before it writes: ARM replaces the whole tag map, so what others tagged is carried over.
    async fn put_group(&self) -> Asked {
        let id = self.group()?;
        let there = self
            .arm
            .groups()
            .find(&id)
            .await
            .map_err(|e| answer_of(&e))?;
        let mut tags = BTreeMap::new();
        if let Some(group) = &there {
            let seen = self.seen(group);
            if seen != GroupSeen::Ours {
                return Ok(Answer::Group(seen));
            }
            tags.clone_from(&group.tags);
        }
        for (name, value) in self.tags {
            tags.retain(|known, _| !known.eq_ignore_ascii_case(name));
            tags.insert(name.clone(), value.clone());
        }
        let location = there
            .as_ref()
            .map_or(self.target.region.as_str(), |g| g.location.as_str());
        self.arm
            .groups()
            .put(&id, location, &tags)
            .await
            .map_err(|e| answer_of(&e))?;
        Ok(Answer::Finished)
    }

    async fn delete_group(&self) -> Asked {
        match self.arm.groups().delete(&self.group()?).await {
            Ok(started) => Ok(taken(started)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answer::Finished),
            Err(error) => Err(answer_of(&error)),
        }
    }

    fn body(&self) -> Result<DeploymentBody, Answer> {
        let (Some(plan), Some(template)) = (self.plan, self.template) else {
            return Err(Answer::Refused(Box::new(fault(
                "TemplateNotFound",
                "The catalogue no longer has the template of this plan.",
                "Put the template version back into the catalogue, then try again.",
            ))));
        };
        // Every default is sent as it was planned: ARM would evaluate utcNow() and newGuid() anew.
        let values = plan
            .parameters
            .iter()
            .filter(|(_, value)| !template::is_unknown(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Ok(DeploymentBody::new(template.clone(), values))
    }

    async fn validate(&self) -> Asked {
        let started = self
            .arm
            .deployments()
            .validate(&self.deployment()?, &self.body()?)
            .await;
        Ok(taken(started.map_err(|e| answer_of(&e))?))
    }

    async fn put_deployment(&self) -> Asked {
        let sent = self
            .arm
            .deployments()
            .put(&self.deployment()?, &self.body()?)
            .await;
        match sent {
            Ok(Started::Running(operation)) => Ok(Answer::Accepted(Box::new(operation))),
            Ok(Started::Done(_)) => Ok(Answer::Succeeded { resources: None }),
            // A revision's name is used once: this is an answer to our own earlier PUT.
            Err(error) if error.has_code("DeploymentActive") => Ok(Answer::Running {
                after: None,
                resources: None,
                operation: None,
            }),
            // A 5xx may come from a gateway in front of an ARM that took it: the name decides.
            Err(error) if error.kind() == ErrorKind::Unavailable && error.status().is_some() => {
                Ok(trouble::of(&error, true))
            }
            Err(error) => Err(answer_of(&error)),
        }
    }

    async fn cancel_deployment(&self) -> Asked {
        match self.arm.deployments().cancel(&self.deployment()?).await {
            // Over already: following it tells how.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(Answer::Finished),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answer::Finished),
            Err(error) => Err(answer_of(&error)),
            Ok(()) => Ok(Answer::Finished),
        }
    }

    async fn read_deployment(&self, step: &JournalStep, found: &mut Found) -> Asked {
        let id = self.deployment()?;
        let deployment = self
            .arm
            .deployments()
            .find(&id)
            .await
            // Azure works on, whether it may be read just now or not.
            .map_err(|e| trouble::of(&e, false))?;
        let Some(deployment) = deployment else {
            return Ok(Answer::Absent);
        };
        let resources = self.progress(step, found).await;
        if !deployment.is_final() {
            return Ok(Answer::Running {
                after: None,
                resources,
                operation: None,
            });
        }
        if deployment.succeeded() {
            return Ok(Answer::Succeeded { resources });
        }
        let cancelled = deployment.state.eq_ignore_ascii_case("Canceled");
        let fault = deployment
            .failure()
            .map_or_else(|| ended_badly(cancelled, None), |error| error.fault());
        Ok(Answer::Ended {
            fault: Box::new(with_cause(fault, resources.as_deref())),
            cancelled,
            resources,
        })
    }

    async fn follow(
        &self,
        step: &JournalStep,
        operation: &azure::LongRunning,
        found: &mut Found,
    ) -> Asked {
        let poll = match self.arm.poll(operation).await {
            Ok(poll) => poll,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ForeignPollUrl
                ) =>
            {
                return Ok(Answer::Absent);
            }
            // That it cannot be read now says nothing of how it ends.
            Err(error) => return Err(trouble::of(&error, false)),
        };
        let resources = match step.name {
            StepName::Deployment => self.progress(step, found).await,
            StepName::Removal if self.target.owns_group => self.remaining(step).await,
            _ => None,
        };
        Ok(match poll {
            Poll::Running { retry_after, .. } => Answer::Running {
                after: wait_of(retry_after),
                resources,
                operation: None,
            },
            Poll::Succeeded(_) => Answer::Succeeded { resources },
            Poll::Failed(error) => Answer::Ended {
                fault: Box::new(with_cause(error.fault(), resources.as_deref())),
                cancelled: false,
                resources,
            },
            Poll::Canceled => Answer::Ended {
                fault: Box::new(ended_badly(true, operation.request_id.clone())),
                cancelled: true,
                resources,
            },
        })
    }

    /// How far each resource of the deployment is. Not knowing it is no trouble: the next poll tells.
    async fn progress(
        &self,
        step: &JournalStep,
        found: &mut Found,
    ) -> Option<Vec<ResourceProgress>> {
        let id = self.deployment().ok()?;
        let operations = match self.arm.deployments().operations(&id).await {
            Ok(operations) => operations,
            Err(error) => {
                tracing::debug!(%error, "no progress of the deployment this time");
                return None;
            }
        };
        let mut resources = step.resources.clone();
        for row in operations {
            let seen = ResourceProgress {
                id: row.resource_id,
                kind: row.resource_type,
                name: row.resource_name,
                state: row.state,
                duration_ms: row
                    .duration
                    .and_then(|d| i64::try_from(d.whole_milliseconds()).ok()),
                fault: row.error.map(|error| error.fault()),
            };
            if !seen
                .kind
                .eq_ignore_ascii_case("Microsoft.Resources/deployments")
            {
                found.resources.push(seen.clone());
            }
            match resources
                .iter_mut()
                .find(|r| r.id.eq_ignore_ascii_case(&seen.id))
            {
                Some(known) => *known = seen,
                None => resources.push(seen),
            }
        }
        Some(resources)
    }

    /// What of the group is still there while it is being deleted.
    async fn remaining(&self, step: &JournalStep) -> Option<Vec<ResourceProgress>> {
        let there = self
            .arm
            .groups()
            .resources(&self.group().ok()?)
            .await
            .ok()?;
        let mut resources = step.resources.clone();
        for resource in &mut resources {
            let left = there
                .iter()
                .any(|r| r.id.eq_ignore_ascii_case(&resource.id));
            // A child (a subnet, a pool) is in no list: it goes with its parent.
            let listed = resource.kind.matches('/').count() == 1;
            if listed && !left {
                "Deleted".clone_into(&mut resource.state);
            }
        }
        Some(resources)
    }

    async fn delete_resource(&self, item: Option<&Item>) -> Asked {
        match self.arm.resources().delete(&resource(item)?).await {
            Ok(started) => Ok(taken(started)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answer::Finished),
            Err(error) => Err(answer_of(&error)),
        }
    }

    async fn look_for_resource(&self, item: Option<&Item>) -> Asked {
        match self.arm.resources().find(&resource(item)?).await {
            Ok(None) => Ok(Answer::Absent),
            Ok(Some(value)) => {
                let state = value
                    .pointer("/properties/provisioningState")
                    .and_then(Value::as_str);
                if state.is_some_and(|s| s.eq_ignore_ascii_case("Deleting")) {
                    return Ok(Answer::Running {
                        after: None,
                        resources: None,
                        operation: None,
                    });
                }
                Ok(Answer::Present)
            }
            Err(error) => Err(answer_of(&error)),
        }
    }

    async fn power(&self, item: Option<&Item>) -> Asked {
        let id = resource(item)?;
        let compute = self.arm.compute();
        let started = match self.kind {
            OperationKind::Start => compute.start(&id).await,
            OperationKind::Stop => compute.deallocate(&id).await,
            _ => compute.restart(&id).await,
        };
        Ok(taken(started.map_err(|e| answer_of(&e))?))
    }

    async fn collect(&self, found: &mut Found) -> Asked {
        let deployment = self
            .arm
            .deployments()
            .find(&self.deployment()?)
            .await
            .map_err(|e| answer_of(&e))?;
        let Some(deployment) = deployment else {
            return Ok(Answer::Absent);
        };
        found.outputs = Some(deployment.outputs.into_iter().collect());
        for id in deployment.output_resources {
            let Ok(id) = ResourceId::parse(&id) else {
                continue;
            };
            found.resources.push(ResourceProgress {
                kind: id.kind().to_owned(),
                name: id.name().to_owned(),
                id: id.as_str().to_owned(),
                state: "Succeeded".to_owned(),
                duration_ms: None,
                fault: None,
            });
        }
        Ok(Answer::Finished)
    }
}

fn resource(item: Option<&Item>) -> Result<ResourceId, Answer> {
    let id = item.map_or("", |item| item.id.as_str());
    ResourceId::parse(id).map_err(refused)
}

fn taken(started: Started) -> Answer {
    match started {
        Started::Done(_) => Answer::Finished,
        Started::Running(operation) => Answer::Accepted(Box::new(operation)),
    }
}

fn ended_badly(cancelled: bool, request_id: Option<String>) -> AzureFault {
    let mut fault = if cancelled {
        fault(
            "Canceled",
            "The deployment was cancelled in Azure.",
            "If nobody here asked for it, look into Azure's activity log for who did. Then try again.",
        )
    } else {
        fault(
            "DeploymentFailed",
            "The deployment failed, and Azure gives no reason.",
            "Look at the resources below and at Azure's activity log, then try again.",
        )
    };
    fault.request_id = request_id;
    fault
}

/// What failed stands at the resources; the deployment's own error often says only *at least one failed*.
fn with_cause(mut fault: AzureFault, resources: Option<&[ResourceProgress]>) -> AzureFault {
    if fault.details.is_empty()
        && let Some(resources) = resources
    {
        fault.details = resources.iter().filter_map(|r| r.fault.clone()).collect();
    }
    fault
}
