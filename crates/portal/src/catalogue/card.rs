//! The card of a template: what it costs and how it stands with its defaults, from a plan for a made-up project.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use types::actor::{Actor, ActorKind};
use types::catalogue::{TemplateSummary, Widget};
use types::ids::{InstallationId, StackId};
use types::names::TemplateRef;
use types::plan::Plan;
use types::policy::{ControlResult, Posture};
use types::project::{ClusterRef, ProjectSettings, SubnetRef, SubscriptionRef, TierSettings};
use types::request::RequestDraft;
use types::time::Timestamp;

use super::{Catalogue, Entry};
use crate::azure_facts::Facts;
use crate::plans::{Ground, Standing, plan};

/// A public key that nobody holds the other half of: 32 bytes without meaning.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJRyZTtBhq6JJQm3KHk9n5m0WqzVX0c3hV1hO8l6mF2x example";

/// Cards by template, each with the snapshot it was made from. Made again when the facts change.
#[derive(Debug, Default)]
pub(super) struct Cards(Mutex<HashMap<TemplateRef, (u64, Arc<Card>)>>);

/// What is worked out for a template once per snapshot of facts.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) summary: TemplateSummary,
    pub(crate) controls: Vec<ControlResult>,
}

impl Cards {
    pub(super) fn of(
        &self,
        entry: &Entry,
        catalogue: &Catalogue,
        policies: &policy::Bundle,
        facts: &Facts,
        now: Timestamp,
    ) -> Arc<Card> {
        let reference = entry.reference();
        let known = {
            let cards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cards.get(&reference).cloned()
        };
        if let Some((epoch, card)) = known
            && epoch == facts.epoch
        {
            return card;
        }
        let card = Arc::new(make(entry, catalogue, policies, facts, now));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(reference, (facts.epoch, Arc::clone(&card)));
        card
    }
}

fn make(
    entry: &Entry,
    catalogue: &Catalogue,
    policies: &policy::Bundle,
    facts: &Facts,
    now: Timestamp,
) -> Card {
    let plan = with_defaults(entry, catalogue, policies, facts, now);
    let (posture, controls, cost) = plan.map_or_else(
        || (Posture::default(), Vec::new(), None),
        |plan| (plan.report.posture, plan.report.controls, Some(plan.cost)),
    );
    // A sum that leaves something out is no price to begin with.
    let cost = cost.filter(|cost| cost.unpriced.is_empty() && !cost.lines.is_empty());
    let manifest = &entry.manifest;
    Card {
        summary: TemplateSummary {
            template: entry.reference(),
            title: manifest.title.clone(),
            summary: manifest.summary.clone(),
            kind: manifest.kind,
            os: manifest.os.clone(),
            support: manifest.support,
            lifecycle: manifest.lifecycle,
            architectures: manifest.architectures.clone(),
            monthly_from: cost
                .as_ref()
                .map(|cost| cost.monthly_least.unwrap_or(cost.monthly)),
            price_is_sample: cost
                .as_ref()
                .is_some_and(|cost| cost.lines.iter().any(|line| line.sample)),
            posture,
        },
        controls,
    }
}

/// The plan of a first request with nothing changed: in the least strict tier, in the region whose facts are known.
fn with_defaults(
    entry: &Entry,
    catalogue: &Catalogue,
    policies: &policy::Bundle,
    facts: &Facts,
    now: Timestamp,
) -> Option<Plan> {
    let (subscription, region) = facts.somewhere();
    let network = format!(
        "/subscriptions/{subscription}/resourceGroups/rg-example/providers/Microsoft.Network/virtualNetworks/vnet-example/subnets/workload"
    );
    let subnet = facts.subnet_in(&subscription, &region).unwrap_or(network);
    let cluster = facts.cluster_in(&subscription, &region).unwrap_or_else(|| {
        format!(
            "/subscriptions/{subscription}/resourceGroups/rg-example/providers/Microsoft.ContainerService/managedClusters/aks-example"
        )
    });
    let tier = *entry.manifest.tiers.first()?;
    let project = ProjectSettings {
        name: "example".parse().ok()?,
        title: "Example".to_owned(),
        cost_centre: "0000".to_owned(),
        default_tags: indexmap::IndexMap::new(),
        tiers: [(
            tier,
            TierSettings {
                subscription: SubscriptionRef {
                    id: subscription.clone(),
                    name: "Example".to_owned(),
                },
                regions: vec![region.clone()],
                subnets: vec![SubnetRef {
                    id: subnet.clone(),
                    title: "example".to_owned(),
                    region: region.clone(),
                }],
                clusters: vec![ClusterRef {
                    id: cluster.clone(),
                    title: "example".to_owned(),
                    region: region.clone(),
                }],
                budget: None,
                max_stacks: 100,
            },
        )]
        .into_iter()
        .collect(),
    };
    let parameters = entry
        .manifest
        .fields
        .iter()
        .filter(|(name, _)| !entry.defaults.contains_key(*name))
        .map(|(name, field)| {
            let value = match field.widget {
                Some(Widget::SshPublicKey) => KEY,
                Some(Widget::Subnet) => &subnet,
                Some(Widget::Cluster) => &cluster,
                _ => "example",
            };
            (name.clone(), Value::from(value))
        })
        .collect();
    let draft = RequestDraft {
        tier: tier.as_str().to_owned(),
        project: project.name.to_string(),
        template: entry.reference().to_string(),
        name: "example".to_owned(),
        region,
        zone: "1".to_owned(),
        expiry: "30d".to_owned(),
        justification: "The template as it is.".to_owned(),
        parameters,
        ..RequestDraft::default()
    };
    let ground = Ground {
        installation: InstallationId(uuid::Uuid::nil()),
        catalogue,
        policies,
        facts,
        project: &project,
        standing: &Standing::default(),
        actor: &Actor {
            subject: "example".to_owned(),
            name: "example".to_owned(),
            kind: ActorKind::System,
            memberships: Vec::new(),
            installation: Vec::new(),
            groups: Vec::new(),
            break_glass: Vec::new(),
        },
        stack: None,
        stack_id: StackId(uuid::Uuid::nil()),
        tenant_id: "00000000-0000-0000-0000-000000000000",
        pinned_now: now,
        looked_through: true,
        now,
    };
    match plan(&draft, &ground) {
        Ok(outcome) => Some(outcome.plan),
        Err(errors) => {
            tracing::debug!(template = %entry.reference(), ?errors, "a template has no plan with its defaults");
            None
        }
    }
}
