//! The resources of a plan: the template evaluated for a draft, or what exists when nothing or everything goes.

use serde_json::{Value, json};
use template::{Context, ResourceGroup, Unknown};
use types::Object;
use types::catalogue::{Binding, Placement};
use types::plan::{Change, PlannedDeletion, PlannedResource, Target};
use types::problem::FieldError;

use super::{Ground, Planned, changes, tags, template_error};
use crate::checks::ParsedDraft;
use crate::ownership::{Mark, Marks, Mine, mark_of};

/// Evaluates the template.
pub(super) fn evaluate(
    draft: &ParsedDraft,
    ground: &Ground<'_>,
) -> Result<Planned, Vec<FieldError>> {
    let target = target(draft, ground)?;
    let given = parameters(draft, ground, &target);
    let entry = &draft.template;
    let wrong: Vec<FieldError> = template::check_parameters(&entry.template, &given)
        .into_iter()
        .map(|wrong| FieldError {
            field: format!("parameters.{}", wrong.name),
            message: wrong.message,
            code: "not_allowed".to_owned(),
        })
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let context = Context {
        tenant_id: ground.tenant_id.to_owned(),
        subscription_id: target.subscription.clone(),
        resource_group: Some(ResourceGroup {
            name: target.resource_group.clone(),
            location: target.region.clone(),
            tags: mine(ground)
                .tags()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }),
        management_group: None,
        // The revision is left out: a retry takes a new one, and the plan stays the same.
        deployment_name: format!("slipway-{}-{}", draft.name, ground.stack_id.short()),
        deployment_location: None,
        utc_now: ground.pinned_now.get(),
        guid_seed: ground.stack_id.0,
        environment: Context::public_cloud(),
    };
    let evaluation = template::evaluate(&entry.template, &given, &context, &Unknown)
        .map_err(|cause| vec![template_error(cause.to_string())])?;
    let before = ground.stack.and_then(|stack| stack.plan.as_ref());
    let resources = changes::compared(
        ordered(
            evaluation
                .resources
                .into_iter()
                .filter(|resource| !resource.existing)
                .map(planned)
                .collect(),
        ),
        before,
        ground.stack,
        // It may exist although nothing recorded it: the process that made it was killed.
        |id| {
            let tags = ground.facts.pool_tags(id);
            tags.is_some_and(|tags| Marks::of(tags).are(&mine(ground)))
        },
    );
    tagged(&resources, &mine(ground))?;
    let deletions = changes::leftovers(&resources, ground.stack);
    Ok(Planned {
        parameters: evaluation.parameters,
        resources,
        deletions,
        target,
    })
}

fn mine(ground: &Ground<'_>) -> Mine {
    Mine {
        stack: ground.stack_id,
        installation: ground.installation,
    }
}

/// What a stack makes must show whose it is: a template that forgets the tags would make what nobody could recognise later.
fn tagged(resources: &[PlannedResource], mine: &Mine) -> Result<(), Vec<FieldError>> {
    let forgotten: Vec<&str> = resources
        .iter()
        .filter(|r| matches!(mark_of(&r.kind), Mark::Tags(_)))
        .filter(|r| !Marks::in_body(&r.kind, &r.body).are(mine))
        .map(|r| r.name.as_str())
        .collect();
    if forgotten.is_empty() {
        return Ok(());
    }
    Err(vec![template_error(format!(
        "The template does not give the tags parameter to {}. Every resource that can bear tags must have it.",
        forgotten.join(", ")
    ))])
}

/// Extending changes no resource.
pub(super) fn kept(draft: &ParsedDraft, ground: &Ground<'_>) -> Planned {
    let _ = draft;
    let plan = ground.stack.and_then(|stack| stack.plan.as_ref());
    Planned {
        parameters: plan.map(|plan| plan.parameters.clone()).unwrap_or_default(),
        resources: plan
            .map(|plan| {
                plan.resources
                    .iter()
                    .map(|resource| PlannedResource {
                        change: Change::Keep,
                        differences: Vec::new(),
                        ..resource.clone()
                    })
                    .collect()
            })
            .unwrap_or_default(),
        deletions: Vec::new(),
        target: stack_target(ground),
    }
}

/// Deleting lists everything that is recorded, dependants first.
pub(super) fn removed(draft: &ParsedDraft, ground: &Ground<'_>) -> Planned {
    let _ = draft;
    Planned {
        parameters: Object::new(),
        resources: Vec::new(),
        deletions: changes::everything(ground.stack),
        target: stack_target(ground),
    }
}

fn stack_target(ground: &Ground<'_>) -> Target {
    ground.stack.map_or_else(
        || Target {
            subscription: String::new(),
            subscription_name: String::new(),
            resource_group: String::new(),
            owns_group: false,
            region: String::new(),
        },
        |stack| stack.target.clone(),
    )
}

/// Where it goes: the stack's place if it has one, a group of its own, or the group of the cluster it joins.
fn target(draft: &ParsedDraft, ground: &Ground<'_>) -> Result<Target, Vec<FieldError>> {
    if let Some(stack) = ground.stack {
        return Ok(stack.target.clone());
    }
    let settings = ground
        .project
        .tiers
        .get(&draft.tier)
        .ok_or_else(|| vec![template_error("The project has no such tier.")])?;
    match draft.template.manifest.placement {
        Placement::OwnedGroup => Ok(Target {
            subscription: settings.subscription.id.clone(),
            subscription_name: settings.subscription.name.clone(),
            resource_group: format!(
                "rg-{}-{}-{}-{}",
                draft.project,
                draft.tier.as_str(),
                draft.name,
                ground.stack_id.short()
            ),
            owns_group: true,
            region: draft.region.clone(),
        }),
        Placement::ClusterGroup => {
            let cluster = draft.cluster.as_deref().and_then(ClusterId::parse);
            let cluster = cluster.ok_or_else(|| {
                vec![template_error(
                    "This template goes into a cluster's resource group, and no cluster was chosen.",
                )]
            })?;
            Ok(Target {
                subscription: cluster.subscription.to_owned(),
                subscription_name: settings.subscription.name.clone(),
                resource_group: cluster.group.to_owned(),
                owns_group: false,
                region: draft.region.clone(),
            })
        }
    }
}

struct ClusterId<'a> {
    subscription: &'a str,
    group: &'a str,
    name: &'a str,
}

impl<'a> ClusterId<'a> {
    /// `/subscriptions/S/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/N`; AKS itself writes `resourcegroups`.
    fn parse(id: &'a str) -> Option<Self> {
        let parts: Vec<&str> = id.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            [s, subscription, g, group, p, provider, kind, name]
                if s.eq_ignore_ascii_case("subscriptions")
                    && g.eq_ignore_ascii_case("resourceGroups")
                    && p.eq_ignore_ascii_case("providers")
                    && provider.eq_ignore_ascii_case("Microsoft.ContainerService")
                    && kind.eq_ignore_ascii_case("managedClusters") =>
            {
                Some(Self {
                    subscription,
                    group,
                    name,
                })
            }
            _ => None,
        }
    }
}

/// The fields and what Slipway fills in.
fn parameters(draft: &ParsedDraft, ground: &Ground<'_>, target: &Target) -> Object {
    let mut given = draft.parameters.clone();
    for (name, binding) in &draft.template.manifest.bindings {
        let value = match binding {
            Binding::Name => json!(draft.name),
            Binding::Region => json!(target.region),
            Binding::Zones => draft.zone.iter().cloned().map(Value::String).collect(),
            Binding::Tags => Value::Object(tags::of_stack(
                &mine(ground),
                &draft.project,
                draft.tier,
                &draft.cost_centre,
                &ground.project.default_tags,
                &draft.tags,
            )),
            Binding::Tier => json!(draft.tier.as_str()),
            Binding::StackSuffix => json!(ground.stack_id.short()),
            Binding::ClusterName => {
                let cluster = draft.cluster.as_deref().and_then(ClusterId::parse);
                json!(cluster.map_or("", |cluster| cluster.name))
            }
        };
        given.insert(name.clone(), value);
    }
    given
}

fn planned(resource: template::Resource) -> PlannedResource {
    PlannedResource {
        id: resource.id,
        kind: resource.kind,
        name: resource.name,
        api_version: resource.api_version,
        change: Change::Create,
        depends_on: resource.depends_on,
        body: resource.body,
        differences: Vec::new(),
    }
}

/// Dependencies first; what does not depend on each other keeps the template's order.
fn ordered(mut waiting: Vec<PlannedResource>) -> Vec<PlannedResource> {
    let mut done: Vec<PlannedResource> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = waiting
            .iter()
            .position(|candidate| {
                candidate.depends_on.iter().all(|needed| {
                    !waiting.iter().any(|other| {
                        other.id.eq_ignore_ascii_case(needed) && other.id != candidate.id
                    })
                })
            })
            // A circle: Azure will refuse it; the order does not matter then.
            .unwrap_or(0);
        done.push(waiting.remove(ready));
    }
    done
}

/// The deletion of a planned resource.
pub(super) fn deletion(resource: &PlannedResource) -> PlannedDeletion {
    PlannedDeletion {
        id: resource.id.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        api_version: resource.api_version.clone(),
    }
}
