//! The policy input of a plan: everything that a rule may look at, in the shape of `docs/reference/policy-input.schema.json`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use types::Object;
use types::actor::ActorKind;
use types::catalogue::Widget;
use types::cost::CostEstimate;
use types::policy::Input;
use types::request::RequestKind;

use super::{Ground, Planned};
use crate::azure_facts::Size;
use crate::capacity::machines;
use crate::checks::ParsedDraft;
use crate::quotas::Draw;

/// Puts the input together.
pub(super) fn build(
    draft: &ParsedDraft,
    planned: &Planned,
    cost: &CostEstimate,
    quota: &Draw,
    ground: &Ground<'_>,
) -> Input {
    Input {
        plan: plan(draft, planned, cost, quota),
        request: request(draft, ground),
        project: project(draft, ground),
        actor: actor(ground),
        stack: stack(ground),
        context: context(draft, planned, ground),
        now: ground.now.to_string(),
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

fn plan(draft: &ParsedDraft, planned: &Planned, cost: &CostEstimate, quota: &Draw) -> Object {
    let manifest = &draft.template.manifest;
    let resources: Vec<Value> = planned
        .resources
        .iter()
        .map(|resource| {
            json!({
                "id": resource.id,
                "type": resource.kind,
                "name": resource.name,
                "api_version": resource.api_version,
                "location": resource.body.get("location"),
                "change": resource.change,
                "body": resource.body,
            })
        })
        .collect();
    let deletions: Vec<Value> = planned
        .deletions
        .iter()
        .map(|gone| json!({ "id": gone.id, "type": gone.kind, "name": gone.name }))
        .collect();
    let lines: Vec<Value> = quota
        .lines
        .iter()
        .map(|line| {
            json!({
                "family": line.family,
                "region": line.region,
                "used": line.used,
                "reserved": line.reserved,
                "requested": line.requested,
                "limit": line.limit,
                "fits": line.fits,
            })
        })
        .collect();
    object(json!({
        "template": {
            "name": manifest.name,
            "version": manifest.version,
            "title": manifest.title,
            "kind": manifest.kind,
            "os": manifest.os,
            "support": manifest.support,
            "lifecycle": manifest.lifecycle,
            "tiers": manifest.tiers,
        },
        "resources": resources,
        "deletions": deletions,
        "target": {
            "subscription": planned.target.subscription,
            "resource_group": planned.target.resource_group,
            "owns_group": planned.target.owns_group,
            "region": planned.target.region,
        },
        "parameters": planned.parameters,
        "cost": {
            "monthly_usd": cost.monthly,
            "monthly_least_usd": cost.monthly_least.unwrap_or(cost.monthly),
            "monthly_before_usd": cost.monthly_before,
            "unpriced": cost.unpriced,
            "budget": cost.budget.as_ref().map(|budget| json!({
                "limit_usd": budget.limit,
                "committed_usd": budget.committed,
                "after_usd": budget.after,
                "unpriced": budget.unpriced,
            })),
        },
        "quota": lines,
        "quota_unknown": quota.unknown,
    }))
}

fn request(draft: &ParsedDraft, ground: &Ground<'_>) -> Object {
    let lifetime_days = draft
        .expires_at
        .map(|ends| ends.since(ground.now).whole_days());
    let extends = draft.kind == RequestKind::Extend
        || super::moves_end(draft, ground).is_some_and(|end| end.is_later());
    object(json!({
        "kind": draft.kind.as_str(),
        "extends": extends,
        "name": draft.name,
        "tier": draft.tier.as_str(),
        "region": draft.region,
        "zone": draft.zone.as_deref().unwrap_or(""),
        "tags": draft.tags,
        "cost_centre": draft.cost_centre,
        "expires_at": draft.expires_at,
        "lifetime_days": lifetime_days,
        "justification": draft.justification,
        "requester": ground.actor.subject,
    }))
}

fn project(draft: &ParsedDraft, ground: &Ground<'_>) -> Object {
    let project = ground.project;
    let Some(settings) = project.tiers.get(&draft.tier) else {
        return Object::new();
    };
    object(json!({
        "name": project.name,
        "tier": draft.tier.as_str(),
        "regions": settings.regions,
        "subscription": settings.subscription.id,
        "subnets": settings.subnets.iter().map(|subnet| &subnet.id).collect::<Vec<_>>(),
        "clusters": settings.clusters.iter().map(|cluster| &cluster.id).collect::<Vec<_>>(),
        "budget_usd": settings.budget,
        "max_stacks": settings.max_stacks,
        "stacks": ground.standing.stacks.total(),
        "stacks_active": ground.standing.stacks.active,
        "stacks_approved": ground.standing.stacks.approved,
        "default_tags": project.default_tags,
    }))
}

fn actor(ground: &Ground<'_>) -> Object {
    let actor = ground.actor;
    let kind = match actor.kind {
        ActorKind::Person => "person",
        ActorKind::Token { .. } => "token",
        ActorKind::System => "system",
    };
    let roles: Vec<&str> = actor
        .memberships
        .iter()
        .filter(|membership| membership.project == ground.project.name)
        .map(|membership| membership.role.as_str())
        .chain(actor.installation.iter().map(|role| role.as_str()))
        .collect();
    object(json!({
        "subject": actor.subject,
        "kind": kind,
        "roles": roles,
        "groups": actor.groups,
    }))
}

fn stack(ground: &Ground<'_>) -> Option<Object> {
    let stack = ground.stack?;
    Some(object(json!({
        "id": stack.id,
        "name": stack.name,
        "tier": stack.tier.as_str(),
        "state": stack.state.as_str(),
        "template": stack.template,
        "expires_at": stack.expires_at,
        "owner": stack.owner,
    })))
}

/// Only what this plan can be about: the project's own targets, the sizes it takes or could take instead, the images it boots.
fn context(draft: &ParsedDraft, planned: &Planned, ground: &Ground<'_>) -> Object {
    let facts = ground.facts;
    let target = &planned.target;
    let settings = ground.project.tiers.get(&draft.tier);
    let mut clusters = Object::new();
    let mut subnets = Object::new();
    for cluster in settings.iter().flat_map(|settings| &settings.clusters) {
        if let Some(known) = facts.cluster(&cluster.id) {
            clusters.insert(
                cluster.id.to_lowercase(),
                json!({
                    "name": known.name,
                    "region": known.region,
                    "kubernetes_version": known.kubernetes_version,
                    "node_os_upgrade_channel": known.node_os_upgrade_channel,
                    "private": known.private,
                }),
            );
        }
    }
    for subnet in settings.iter().flat_map(|settings| &settings.subnets) {
        if let Some(known) = facts.subnet(&subnet.id) {
            subnets.insert(
                subnet.id.to_lowercase(),
                json!({
                    "region": known.region,
                    "network_security_group": known.network_security_group,
                    "default_outbound_access": known.default_outbound_access,
                }),
            );
        }
    }
    let sizes: Object = size_names(draft, planned)
        .into_iter()
        .filter_map(|name| {
            let size = facts.size(&target.subscription, &target.region, &name)?;
            Some((name, size_value(size)))
        })
        .collect();
    let images: Object = planned
        .resources
        .iter()
        .filter_map(|resource| {
            let image = &resource.body["properties"]["storageProfile"]["imageReference"];
            let urn = format!(
                "{}:{}:{}",
                image["publisher"].as_str()?,
                image["offer"].as_str()?,
                image["sku"].as_str()?
            );
            let known = facts.image(&urn)?;
            Some((urn, json!(known)))
        })
        .collect();
    let kubernetes: Object = facts
        .kubernetes(&target.subscription, &target.region)
        .iter()
        .map(|known| {
            (
                known.version.clone(),
                json!({ "is_preview": known.is_preview, "support_plans": known.support_plans }),
            )
        })
        .collect();
    let other_stacks: Vec<Value> = ground
        .standing
        .other_stacks
        .iter()
        .map(|other| {
            json!({
                "name": other.name,
                "tier": other.tier.as_str(),
                "template": other.template.name,
                "version": other.template.version,
            })
        })
        .collect();
    object(json!({
        "clusters": clusters,
        "subnets": subnets,
        "sizes": sizes,
        "images": images,
        "kubernetes": kubernetes,
        "other_stacks": other_stacks,
    }))
}

fn size_names(draft: &ParsedDraft, planned: &Planned) -> BTreeSet<String> {
    let taken = planned
        .resources
        .iter()
        .flat_map(machines)
        .filter_map(|machines| machines.size.map(str::to_owned));
    let offered = draft
        .template
        .manifest
        .fields
        .values()
        .filter(|field| field.widget == Some(Widget::Size))
        .flat_map(|field| field.offered.iter().cloned());
    taken.chain(offered).collect()
}

fn size_value(size: &Size) -> Value {
    json!({
        "vcpus": size.vcpus,
        "memory_gib": size.memory_gib,
        "architecture": size.architecture,
        "zones": size.zones,
        "restricted": size.restricted,
        "restricted_zones": size.restricted_zones,
        "trusted_launch": size.trusted_launch,
        "encryption_at_host": size.encryption_at_host,
        "family": size.family,
    })
}
