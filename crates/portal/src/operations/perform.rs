//! Asks Azure what an action says and turns what comes back into an [`Answer`]. Nothing is decided and nothing stored here.

pub(crate) mod trouble;

use std::collections::BTreeMap;

use azure::{
    DeploymentBody, DeploymentId, ErrorKind, GroupId, Poll, ResourceId, Started, SubscriptionId,
};
use indexmap::IndexMap;
use serde_json::Value;
use store::Reservation;
use types::fault::AzureFault;
use types::operation::{OperationKind, ResourceProgress, StepName};
use types::plan::{Plan, Target};

use self::trouble::{answer_of, refused, wait_of};
use super::journal::{Item, JournalStep, Phase};
use super::next::{Action, fault};
use super::record::{Answer, GroupSeen};
use crate::ownership::{
    GROUP, Look, Marks, Mine, NotOurs, POOL, Seen, Subject, Whose, anothers, doubtful,
    going_with_the_group, in_group, in_place, replace, whose,
};

/// What an action needs to know beside the journal.
pub(crate) struct Scene<'a> {
    pub(crate) arm: &'a azure::Arm,
    pub(crate) kind: OperationKind,
    /// Whose operation it is.
    pub(crate) mine: Mine,
    pub(crate) target: &'a Target,
    /// The plan that is applied; absent for power actions.
    pub(crate) plan: Option<&'a Plan>,
    /// The template as ARM takes it.
    pub(crate) template: Option<&'a Value>,
    /// Tags of the owned resource group.
    pub(crate) tags: &'a BTreeMap<String, String>,
    /// The deployment's name.
    pub(crate) deployment: &'a str,
    /// What the next write is about.
    pub(crate) subjects: &'a [Subject],
    /// What Azure makes beside the template's resources.
    pub(crate) implied: &'a [Subject],
    /// What stacks hold in these places.
    pub(crate) held: &'a [Reservation],
    /// The operation is the stack's first apply, in a group of its own: it made the group itself.
    pub(crate) fresh: bool,
}

/// What a deployment of the plan is about.
pub(crate) fn subjects_of(plan: &Plan) -> Vec<Subject> {
    plan.resources
        .iter()
        .map(|r| Subject {
            id: r.id.clone(),
            kind: r.kind.clone(),
        })
        .collect()
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
        Action::ReadScope => scene.read_scope(step).await,
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

    /// The group, unless it is not the stack's.
    fn seen(&self, group: &azure::Group) -> Result<GroupSeen, Answer> {
        match whose(&self.mine, GROUP, Some(&Marks::of(&group.tags)), false) {
            Whose::Foreign(owner) => {
                Err(Answer::NotOurs(vec![NotOurs::new(&group.id, GROUP, owner)]))
            }
            _ if group.provisioning_state().eq_ignore_ascii_case("Deleting") => {
                Ok(GroupSeen::OursGoing)
            }
            _ => Ok(GroupSeen::Ours),
        }
    }

    async fn group_now(&self) -> Result<GroupSeen, Answer> {
        let group = self.arm.groups().find(&self.group()?).await;
        match group.map_err(|e| answer_of(&e))? {
            None => Ok(GroupSeen::Absent),
            Some(group) => self.seen(&group),
        }
    }

    async fn read_group(&self) -> Asked {
        Ok(Answer::Group(self.group_now().await?))
    }

    /// Reads what the next write is about and says what of it is not the stack's.
    async fn read_scope(&self, step: &JournalStep) -> Asked {
        let owns = self.target.owns_group;
        let group = if owns {
            self.group_now().await?
        } else {
            GroupSeen::Ours
        };
        if group != GroupSeen::Ours {
            return Ok(Answer::Scope {
                group,
                absent: Vec::new(),
                etag: None,
            });
        }
        let goes_whole = owns && step.name == StepName::Removal;
        let (foreign, absent, etag) = if goes_whole {
            (self.in_own_group().await?, Vec::new(), None)
        } else {
            self.in_places(step).await?
        };
        if foreign.is_empty() {
            Ok(Answer::Scope {
                group,
                absent,
                etag,
            })
        } else {
            Ok(Answer::NotOurs(foreign))
        }
    }

    /// What of the own group is not the stack's.
    async fn in_own_group(&self) -> Result<Vec<NotOurs>, Answer> {
        let id = self.group()?.to_string();
        let mut look = Look::default();
        look.groups.insert(id.clone());
        let mut seen = self.look(&look).await?;
        let judge = |seen: &[Seen]| in_group(&self.mine, &id, seen, self.implied, self.held);
        let going = going_with_the_group(&self.mine, &seen);
        let again = doubtful(&seen, &judge(&seen), &[], &going, false);
        self.look_again(&mut seen, again).await?;
        Ok(judge(&seen))
    }

    /// What at the subjects' ids is not the stack's, which of them are not there, and the ETag of the one that is about to be deleted.
    async fn in_places(
        &self,
        step: &JournalStep,
    ) -> Result<(Vec<NotOurs>, Vec<String>, Option<String>), Answer> {
        let look = Look::at(self.subjects);
        let mut seen = self.look(&look).await?;
        let judge = |seen: &[Seen]| in_place(&self.mine, self.subjects, seen, self.held);
        let (foreign, absent) = judge(&seen);
        let going: Vec<String> = match step.name {
            StepName::Deployment => Vec::new(),
            _ => step
                .item()
                .map(|item| item.id.clone())
                .into_iter()
                .collect(),
        };
        // What is absent matters to a PUT only: a DELETE looks for it by itself.
        let absent = match step.name {
            StepName::Deployment => absent,
            _ => Vec::new(),
        };
        let mut again = doubtful(&seen, &foreign, &absent, &going, self.fresh);
        again.retain(|id| look.listed.contains(id));
        self.look_again(&mut seen, again).await?;
        let (foreign, absent) = judge(&seen);
        let etag = going.first().and_then(|id| {
            let one = seen.iter().find(|one| one.id.eq_ignore_ascii_case(id))?;
            one.etag.clone()
        });
        Ok((foreign, absent, etag))
    }

    /// Reads resources one by one and puts them in the place of what lists said.
    async fn look_again(
        &self,
        seen: &mut Vec<Seen>,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<(), Answer> {
        for id in ids {
            let foreign = seen
                .iter()
                .any(|one| one.id.to_lowercase() == id && !one.marks.are(&self.mine));
            match self.single(&id).await {
                Ok(now) => replace(seen, &id, now),
                // Of a type that may not be read, the list's word stands: it stays foreign.
                Err(Answer::Refused(_)) if foreign => {}
                Err(answer) => return Err(answer),
            }
        }
        Ok(())
    }

    async fn single(&self, id: &str) -> Result<Option<Seen>, Answer> {
        let parsed = ResourceId::parse(id).map_err(refused)?;
        let found = self.arm.resources().find(&parsed).await;
        Ok(found.map_err(|e| answer_of(&e))?.map(|body| Seen {
            marks: Marks::in_body(parsed.kind(), &body),
            managed_by: body["managedBy"].as_str().map(str::to_owned),
            etag: azure::etag(parsed.kind(), &body).map(str::to_owned),
            kind: parsed.kind().to_owned(),
            id: id.to_owned(),
        }))
    }

    /// Reads the lists; a group or cluster that is not there holds nothing.
    async fn look(&self, look: &Look) -> Result<Vec<Seen>, Answer> {
        let mut seen = Vec::new();
        for group in &look.groups {
            let id = GroupId::parse(group).map_err(refused)?;
            let rows = or_none(self.arm.groups().resources(&id).await)?;
            seen.extend(rows.unwrap_or_default().into_iter().map(|row| Seen {
                marks: Marks::of(&row.tags),
                id: row.id,
                kind: row.kind,
                managed_by: row.managed_by,
                etag: None,
            }));
        }
        for cluster in &look.clusters {
            let id = ResourceId::parse(cluster).map_err(refused)?;
            let pools = or_none(self.arm.aks().agent_pools(&id).await)?;
            seen.extend(pools.unwrap_or_default().into_iter().map(|pool| Seen {
                marks: Marks::in_body(POOL, &pool.raw),
                etag: azure::etag(POOL, &pool.raw).map(str::to_owned),
                id: pool.id,
                kind: POOL.to_owned(),
                managed_by: None,
            }));
        }
        for single in &look.singles {
            seen.extend(self.single(single).await?);
        }
        Ok(seen)
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
            let seen = self.seen(group)?;
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
        let tags = self.mine.tags();
        let tags = tags
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Ok(DeploymentBody::new(template.clone(), values).tagged(tags.collect()))
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
        // The name carries six digits of the stack's id: another installation's may end alike.
        if let Some(owner) = anothers(&self.mine, &Marks::of(&deployment.tags)) {
            return Ok(Answer::NotOurs(vec![NotOurs::new(
                &deployment.id,
                "Microsoft.Resources/deployments",
                owner,
            )]));
        }
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

    /// A node pool is deleted only as it was read, where Azure gave an ETag with it. No other type that templates make takes such a condition for its DELETE.
    async fn delete_resource(&self, item: Option<&Item>) -> Asked {
        let (id, resources) = (resource(item)?, self.arm.resources());
        let etag = match item.map(|item| &item.phase) {
            Some(Phase::Checked { etag, .. }) => etag.as_deref(),
            _ => None,
        };
        let deleted = match etag {
            Some(etag) => resources.delete_unchanged(&id, etag).await,
            None => resources.delete(&id).await,
        };
        match deleted {
            Ok(started) => Ok(taken(started)),
            // Without a condition it is busy: what was read then was not said to be the last word.
            Err(error) if etag.is_some() && error.is_outdated() => Ok(Answer::Changed),
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
                let kind = item.map_or("", |item| item.kind.as_str());
                let marks = Marks::in_body(kind, &value);
                Ok(match whose(&self.mine, kind, Some(&marks), true) {
                    Whose::Foreign(owner) => {
                        let id = item.map_or("", |item| item.id.as_str());
                        Answer::NotOurs(vec![NotOurs::new(id, kind, owner)])
                    }
                    Whose::Ours | Whose::Absent => Answer::Present,
                })
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

/// "Not found" as `None`.
fn or_none<T>(read: azure::Result<T>) -> Result<Option<T>, Answer> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(answer_of(&error)),
    }
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
