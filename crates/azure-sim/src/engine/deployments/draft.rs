//! A deployment as it was asked for: read, evaluated, and put to every provider before anything is made. Running it is `deployments.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::evaluate::{self, Live};
use super::{NESTED, hex};
use crate::providers::{self, Scene};
use crate::state::model::{Group, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids;

pub(super) const RESOURCE_GROUP: &str = "Microsoft.Resources/resourceGroups";

/// Where a deployment goes.
#[derive(Clone)]
pub(crate) struct Site {
    /// The id of the group or subscription.
    pub(crate) id: String,
    pub(crate) subscription: String,
    pub(crate) group: Option<Arc<Group>>,
    /// Of a deployment to a subscription, which has no group to take it from.
    pub(crate) location: Option<String>,
}

impl Site {
    pub(crate) fn group(group: &Arc<Group>) -> Site {
        Site {
            id: group.id.clone(),
            subscription: group.subscription.clone(),
            group: Some(group.clone()),
            location: None,
        }
    }

    pub(crate) fn subscription(subscription: &str, location: Option<&str>) -> Site {
        Site {
            id: ids::scope(subscription, None),
            subscription: subscription.to_owned(),
            group: None,
            location: location.map(providers::normal_location),
        }
    }
}

/// Subscription and name in the id of a resource group.
pub(super) fn group_of(id: &str) -> Option<(&str, &str)> {
    let mut parts = id.strip_prefix('/')?.split('/');
    let (_, subscription, _, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some((subscription, name))
}

/// A deployment as it was asked for, evaluated and found possible.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) site: Site,
    /// Whether what the template does not name is deleted.
    pub(crate) complete: bool,
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
        site: &Site,
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
        let complete = match properties.get("mode").and_then(Value::as_str) {
            Some(mode) if mode.eq_ignore_ascii_case("Incremental") => false,
            Some(mode) if mode.eq_ignore_ascii_case("Complete") => {
                if site.group.is_none() {
                    return Err(Refusal::bad(
                        "InvalidDeployment",
                        "Specified deployment mode 'Complete' is not supported for deployment at the current scope. Please see https://aka.ms/deployment-modes for usage details.",
                    ));
                }
                true
            }
            _ => {
                return Err(Refusal::bad(
                    "InvalidRequestContent",
                    "The request content was invalid and could not be deserialized: 'Required property 'mode' expects a value but got null. Path 'properties.mode'.'.",
                ));
            }
        };
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
        let context = evaluate::context(site, name, now, guid_seed);
        let live = Live {
            world,
            steps: None,
            now,
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
            site: site.clone(),
            complete,
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
                || resource.kind.eq_ignore_ascii_case(RESOURCE_GROUP)
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

pub(super) fn invalid(error: &template::Error) -> Refusal {
    Refusal::bad(
        error.code(),
        format!("Deployment template validation failed: '{error}'."),
    )
}
