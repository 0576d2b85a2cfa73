//! The template's own parameters in a draft: their types and limits, and whether the project may use the subnet, cluster or size that they name.

use serde_json::Value;
use types::Object;
use types::catalogue::Widget;
use types::problem::FieldError;
use types::project::{Tier, TierSettings};

use super::{Reader, shown, shows};
use crate::catalogue::Entry;
use crate::checks::{nodes, reserved, values};
use crate::plans::ExistingStack;

impl Reader<'_> {
    /// Without a tier all but the project's networks and clusters is read, so that every bad field is named at once.
    pub(super) fn parameters(
        &mut self,
        entry: &Entry,
        tier: Option<Tier>,
        region: &str,
    ) -> (Object, Option<String>) {
        let declared = entry.template.parameters();
        let mut given = Object::new();
        for (name, value) in &self.draft.parameters {
            let Some(field) = entry.manifest.fields.get(name) else {
                let shown = format!("parameters.{}", name.chars().take(60).collect::<String>());
                let message = if entry.manifest.bindings.contains_key(name) {
                    "Slipway fills this in itself; leave it out."
                } else {
                    "The template has no such field."
                };
                self.wrong(&shown, "unknown_field", message);
                continue;
            };
            let Some(parameter) = declared.get(name) else {
                continue;
            };
            // Named already, once.
            if reserved::problem(name, value).is_some() {
                continue;
            }
            match values::read(name, value, field, parameter, entry.patterns.get(name)) {
                Ok(Some(value)) => {
                    let found = nodes::problem(&format!("parameters.{name}"), name, &value);
                    self.errors.extend(found);
                    given.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(errors) => {
                    // What is not shown is not used, so what is wrong with it does not matter.
                    if shows(field, &self.draft.parameters, entry) {
                        self.errors.extend(errors);
                    }
                }
            }
        }
        let all = given.clone();
        given.retain(|name, _| {
            entry
                .manifest
                .fields
                .get(name)
                .is_some_and(|field| shows(field, &all, entry))
        });
        let failed = |errors: &[FieldError], name: &str| {
            errors
                .iter()
                .any(|e| e.field.strip_prefix("parameters.") == Some(name))
        };
        for (name, field) in &entry.manifest.fields {
            let required = declared
                .get(name)
                .is_some_and(template::Parameter::required);
            if required && !given.contains_key(name) && !failed(&self.errors, name) {
                let field_name = format!("parameters.{name}");
                self.wrong(
                    &field_name,
                    "required",
                    format!("{} is needed.", field.label),
                );
            }
        }
        self.ordered(entry, &given);
        let settings = tier.and_then(|tier| self.ground.project.tiers.get(&tier));
        let mut cluster = None;
        for (name, value) in &given {
            let field = &entry.manifest.fields[name];
            let text = value.as_str().unwrap_or_default();
            let at = format!("parameters.{name}");
            match (field.widget, settings) {
                (Some(Widget::Subnet), Some(settings)) => self.subnet(&at, text, region, settings),
                (Some(Widget::Cluster), Some(settings)) => {
                    cluster = self.cluster(&at, text, region, settings);
                }
                (Some(Widget::Size), Some(settings)) => {
                    self.size(&at, text, region, settings, entry);
                }
                _ => {}
            }
        }
        if let Some(stack) = self.ground.stack {
            self.unchanged(entry, &given, stack);
        }
        (given, cluster)
    }

    /// A most below its fewest.
    fn ordered(&mut self, entry: &Entry, given: &Object) {
        let number = |name: &str| {
            let value = given.get(name).or_else(|| entry.defaults.get(name));
            value.and_then(Value::as_i64)
        };
        for (name, field) in &entry.manifest.fields {
            if let Some(other) = &field.at_least
                && let (Some(most), Some(least)) = (number(name), number(other))
                && most < least
            {
                let label = crate::plans::label(entry, other);
                self.wrong(
                    &format!("parameters.{name}"),
                    "out_of_range",
                    format!("This cannot be less than {least} ({label})."),
                );
            }
        }
    }

    /// Subnets and clusters are the project's own: another one is refused here, whatever the rules say, because a cluster decides where a deployment goes.
    fn subnet(&mut self, at: &str, id: &str, region: &str, settings: &TierSettings) {
        match settings
            .subnets
            .iter()
            .find(|known| known.id.eq_ignore_ascii_case(id))
        {
            None => self.wrong(at, "not_allowed", "Choose one of the project's networks."),
            Some(subnet) if !subnet.region.eq_ignore_ascii_case(region) => {
                let message = format!(
                    "This network is in {}. Choose one in the region of the request.",
                    crate::forms::regions::title(&subnet.region)
                );
                self.wrong(at, "other_region", message);
            }
            Some(_) => {}
        }
    }

    fn cluster(
        &mut self,
        at: &str,
        id: &str,
        region: &str,
        settings: &TierSettings,
    ) -> Option<String> {
        match settings
            .clusters
            .iter()
            .find(|known| known.id.eq_ignore_ascii_case(id))
        {
            None => {
                self.wrong(at, "not_allowed", "Choose one of the project's clusters.");
                None
            }
            Some(cluster) if !cluster.region.eq_ignore_ascii_case(region) => {
                let message = format!(
                    "This cluster is in {}. Choose one in the region of the request.",
                    crate::forms::regions::title(&cluster.region)
                );
                self.wrong(at, "other_region", message);
                None
            }
            Some(cluster) => Some(cluster.id.clone()),
        }
    }

    fn size(&mut self, at: &str, name: &str, region: &str, settings: &TierSettings, entry: &Entry) {
        let facts = self.ground.facts;
        let subscription = &settings.subscription.id;
        if facts.sizes(subscription, region).is_none() {
            return;
        }
        match facts.size(subscription, region, name) {
            None => self.wrong(
                at,
                "not_found",
                format!(
                    "Azure offers no size of this name in {}.",
                    crate::forms::regions::title(region)
                ),
            ),
            Some(size) => {
                if let Some(reason) = crate::forms::sizes::unfit(size, entry) {
                    self.wrong(at, "not_allowed", reason);
                }
            }
        }
    }

    /// Azure cannot change some properties of what exists; better said here than by a failed deployment.
    fn unchanged(&mut self, entry: &Entry, given: &Object, stack: &ExistingStack) {
        let Some(plan) = &stack.plan else { return };
        for (name, field) in entry.manifest.fields.iter().filter(|(_, f)| f.create_only) {
            let was = plan.parameters.get(name);
            let becomes = given.get(name).or_else(|| entry.defaults.get(name));
            if let (Some(was), Some(becomes)) = (was, becomes)
                && was != becomes
            {
                let at = format!("parameters.{name}");
                self.wrong(
                    &at,
                    "create_only",
                    format!(
                        "{} is {} and cannot be changed later. Make a new stack for another.",
                        field.label,
                        shown(&values::plain(was))
                    ),
                );
            }
        }
    }
}
