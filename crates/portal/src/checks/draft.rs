//! Reads a draft: from plain text to typed values, with every error of every field at once. The template's own parameters are in `draft/parameters.rs`.

mod parameters;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use types::Object;
use types::catalogue::ManifestField;
use types::names::{ProjectName, StackName, TemplateRef};
use types::problem::FieldError;
use types::project::Tier;
use types::request::{RequestDraft, RequestKind};
use types::time::Timestamp;

use super::text::{Lines, error, unfit};
use super::{expiry, limits, reserved, tags, values};
use crate::catalogue::Entry;
use crate::plans::Ground;

/// Longest justification, in characters.
const JUSTIFICATION: usize = 2_000;
/// Shortest justification where one is needed.
const REASON: usize = 10;

/// A draft whose every field has been read.
#[derive(Debug, Clone)]
pub struct ParsedDraft {
    /// What it does.
    pub kind: RequestKind,
    /// Project.
    pub project: ProjectName,
    /// Tier.
    pub tier: Tier,
    /// The template's version.
    pub template: Arc<Entry>,
    /// The stack's name.
    pub name: StackName,
    /// Region.
    pub region: String,
    /// Zone; `None` for any.
    pub zone: Option<String>,
    /// The template's fields that were given and are shown; defaults are left out.
    pub parameters: Object,
    /// The chosen cluster's resource id, where the template asks for one.
    pub cluster: Option<String>,
    /// Cost centre; the project's where none was given.
    pub cost_centre: String,
    /// Tags of the request alone.
    pub tags: IndexMap<String, String>,
    /// The expiry as it was written.
    pub expiry: String,
    /// When the stack ends; `None` for until deleted.
    pub expires_at: Option<Timestamp>,
    /// Why.
    pub justification: String,
}

/// Reads a draft. For extend and delete, what the stack already is stands for what the draft leaves out.
///
/// # Errors
/// Everything that is wrong, in the order of the form.
pub fn parse(draft: &RequestDraft, ground: &Ground<'_>) -> Result<ParsedDraft, Vec<FieldError>> {
    let too_much = limits::problems(draft);
    if !too_much.is_empty() {
        return Err(too_much);
    }
    // What is read from here on, and repeated in messages, holds no private key.
    let mut draft = draft.clone();
    let mut errors = match ground.looked_through {
        true => Vec::new(),
        false => draft.forget_secrets(),
    };
    let mut reader = Reader {
        draft: &draft,
        ground,
        errors: Vec::new(),
    };
    let parsed = reader.read();
    let secrets = errors.len();
    for error in reader.errors {
        if errors[..secrets]
            .iter()
            .all(|secret| secret.field != error.field)
        {
            errors.push(error);
        }
    }
    match parsed {
        Some(parsed) if errors.is_empty() => Ok(parsed),
        _ => Err(errors),
    }
}

struct Reader<'a> {
    draft: &'a RequestDraft,
    ground: &'a Ground<'a>,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<ParsedDraft> {
        let kind = self.draft.kind;
        let stack = self.ground.stack;
        if kind != RequestKind::Create && stack.is_none() {
            self.wrong("stack", "required", "Say which stack this is about.");
            return None;
        }
        self.reserved();
        self.unused();
        let tier = self.tier();
        let template = self.template();
        let name = self.name();
        let (region, zone) = self.place();
        let (parameters, cluster) = match &template {
            Some(entry) if self.changes_resources() => self.parameters(entry, tier, &region),
            _ => (Object::new(), None),
        };
        let cost_centre = self.cost_centre();
        self.tags();
        let expires_at = self.expiry();
        let justification = self.justification(tier);
        Some(ParsedDraft {
            kind,
            project: self.ground.project.name.clone(),
            tier: tier?,
            template: template?,
            name: name?,
            region,
            zone,
            parameters,
            cluster,
            cost_centre,
            tags: self.draft.tags.clone(),
            expiry: self.draft.expiry.trim().to_owned(),
            expires_at,
            justification,
        })
    }

    /// Create and update carry a whole form; extend and delete a few fields of it.
    fn changes_resources(&self) -> bool {
        matches!(self.draft.kind, RequestKind::Create | RequestKind::Update)
    }

    fn wrong(&mut self, field: &str, code: &str, message: impl Into<String>) {
        self.errors.push(error(field, code, message));
    }

    /// In every parameter, used or not: what is not read here is read by somebody later.
    fn reserved(&mut self) {
        for (name, value) in &self.draft.parameters {
            let found = reserved::name_problem("parameters", name)
                .or_else(|| reserved::problem(&format!("parameters.{}", shown(name)), value));
            self.errors.extend(found);
        }
    }

    /// What this kind of request does nothing with. It is refused: whoever sends it believes that it does something.
    fn unused(&mut self) {
        let draft = self.draft;
        let Some(stack) = self
            .ground
            .stack
            .filter(|_| draft.kind != RequestKind::Create)
        else {
            if draft.stack.is_some() {
                self.wrong(
                    "stack",
                    "not_allowed",
                    "A new stack gets its id from Slipway; leave this out, or send an update.",
                );
            }
            return;
        };
        self.fixed("project", draft.project.trim(), stack.project.as_str());
        if self.changes_resources() {
            return;
        }
        let template = stack.template.to_string();
        self.fixed("template", draft.template.trim(), &template);
        self.fixed("zone", draft.zone.trim(), &stack.zone);
        let centre = draft.cost_centre.trim();
        self.fixed("cost_centre", centre, stack.draft.cost_centre.trim());
        let message = format!(
            "A request to {} a stack does not change this; leave it out.",
            draft.kind.as_str()
        );
        if !draft.parameters.is_empty() {
            self.wrong("parameters", "not_allowed", message.clone());
        }
        if !draft.tags.is_empty() {
            self.wrong("tags", "not_allowed", message.clone());
        }
        if draft.kind == RequestKind::Delete && !draft.expiry.trim().is_empty() {
            self.wrong("expiry", "not_allowed", message);
        }
    }

    /// Whether a one-line field holds nothing hostile; if it does, that is said.
    fn decent(&mut self, field: &str, text: &str, longest: usize) -> bool {
        let found = unfit(field, text, Lines::One, longest);
        let decent = found.is_none();
        self.errors.extend(found);
        decent
    }

    /// What a stack is cannot be changed by a request for it: an empty field means the same, another value is an error.
    fn fixed(&mut self, field: &str, given: &str, is: &str) {
        if !given.is_empty() && given != is {
            self.wrong(
                field,
                "create_only",
                format!(
                    "This stack's {field} is {} and stays so. Make a new stack for another.",
                    shown(is)
                ),
            );
        }
    }

    fn tier(&mut self) -> Option<Tier> {
        let given = self.draft.tier.trim();
        let tier = if let Some(stack) = self.ground.stack {
            self.fixed("tier", given, stack.tier.as_str());
            stack.tier
        } else {
            match given.parse::<Tier>() {
                Ok(tier) => tier,
                Err(cause) => {
                    self.wrong("tier", "not_allowed", cause.to_string());
                    return None;
                }
            }
        };
        if self.ground.project.tiers.contains_key(&tier) {
            return Some(tier);
        }
        self.wrong(
            "tier",
            "not_allowed",
            format!(
                "{} has no {} tier.",
                self.ground.project.title,
                tier.as_str()
            ),
        );
        None
    }

    fn template(&mut self) -> Option<Arc<Entry>> {
        let given = self.draft.template.trim();
        let stack = self.ground.stack;
        let reference = match stack {
            Some(stack) if given.is_empty() || !self.changes_resources() => stack.template.clone(),
            _ => match given.parse::<TemplateRef>() {
                Ok(reference) => reference,
                Err(cause) => {
                    self.wrong("template", "not_allowed", cause.to_string());
                    return None;
                }
            },
        };
        let Some(entry) = self.ground.catalogue.get(&reference) else {
            self.wrong(
                "template",
                "not_found",
                format!("The catalogue has no {reference}."),
            );
            return None;
        };
        if let Some(stack) = stack
            && stack.template.name != reference.name
        {
            self.wrong(
                "template",
                "create_only",
                format!(
                    "This stack was made from {}; only its version can change.",
                    stack.template.name
                ),
            );
            return None;
        }
        // A stack may be changed on the version that it has, whatever became of that version.
        let same = stack.is_some_and(|stack| stack.template == reference);
        if let Some(reason) = entry.closed().filter(|_| !same) {
            self.wrong("template", "not_allowed", reason);
            return None;
        }
        Some(Arc::clone(entry))
    }

    fn name(&mut self) -> Option<StackName> {
        let given = self.draft.name.trim();
        if let Some(stack) = self.ground.stack {
            self.fixed("name", given, stack.name.as_str());
            return Some(stack.name.clone());
        }
        if !self.decent("name", given, 200) {
            return None;
        }
        match given.parse() {
            Ok(name) => Some(name),
            Err(cause) => {
                let code = if given.is_empty() {
                    "required"
                } else {
                    "pattern"
                };
                self.wrong("name", code, cause.to_string());
                None
            }
        }
    }

    /// Region and zone. Whether the project may use the region is a guardrail's to say; here it only has to be one.
    fn place(&mut self) -> (String, Option<String>) {
        let region = self.draft.region.trim().to_owned();
        let zone = self.draft.zone.trim().to_owned();
        if let Some(stack) = self.ground.stack {
            self.fixed("region", &region, &stack.target.region);
            if self.changes_resources() && zone != stack.zone {
                self.wrong(
                    "zone",
                    "create_only",
                    "A stack's zone cannot be changed. Make a new stack for another.",
                );
            }
            return (stack.target.region.clone(), some(&stack.zone));
        }
        if region.is_empty() {
            self.wrong("region", "required", "Choose a region.");
        } else if self.decent("region", &region, 60) {
            let listed = self
                .ground
                .project
                .tiers
                .values()
                .any(|t| t.regions.contains(&region));
            if !listed && !self.ground.facts.knows_region(&region) {
                self.wrong(
                    "region",
                    "not_found",
                    "Slipway knows no Azure region of this name. Choose one of the list.",
                );
            }
        }
        if !["", "1", "2", "3"].contains(&zone.as_str()) {
            self.wrong(
                "zone",
                "not_allowed",
                "A zone is 1, 2 or 3, or empty for any.",
            );
        }
        (region, some(&zone))
    }

    fn cost_centre(&mut self) -> String {
        let given = self.draft.cost_centre.trim();
        if given.is_empty() {
            return self.ground.stack.map_or_else(
                || self.ground.project.cost_centre.clone(),
                |stack| stack.draft.cost_centre.clone(),
            );
        }
        if self.decent("cost_centre", given, 64)
            && !given
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'))
        {
            self.wrong(
                "cost_centre",
                "pattern",
                "A cost centre has letters, digits, spaces, hyphens, dots and underscores.",
            );
        }
        given.to_owned()
    }

    fn tags(&mut self) {
        let found = tags::problems(&self.draft.tags, &self.ground.project.default_tags);
        self.errors.extend(found);
    }

    fn expiry(&mut self) -> Option<Timestamp> {
        let given = self.draft.expiry.trim();
        let stack = self.ground.stack;
        if self.draft.kind == RequestKind::Delete {
            return stack.and_then(|stack| stack.expires_at);
        }
        if !self.decent("expiry", given, 40) {
            return None;
        }
        // An update leaves the stack's end as it is unless the form says another.
        if let Some(stack) = stack
            && self.draft.kind == RequestKind::Update
            && given == stack.draft.expiry.trim()
        {
            return stack.expires_at;
        }
        // A life counts from the moment it begins: the plan is made again then, so 30d becomes a date at that moment.
        let ends = match expiry::parse(given, self.ground.now) {
            Ok(ends) => ends,
            Err(message) => {
                self.wrong("expiry", "pattern", message);
                return None;
            }
        };
        if let Some(stack) = stack
            && self.draft.kind == RequestKind::Extend
        {
            match (stack.expires_at, ends) {
                (None, _) => self.wrong(
                    "expiry",
                    "not_allowed",
                    "This stack already lives until it is deleted.",
                ),
                (Some(was), Some(ends)) if ends <= was => {
                    self.wrong(
                        "expiry",
                        "out_of_range",
                        "This is not later than it lives already.",
                    );
                }
                _ => {}
            }
        }
        ends
    }

    fn justification(&mut self, tier: Option<Tier>) -> String {
        let given = self.draft.justification.trim();
        if let Some(found) = unfit("justification", given, Lines::Many, JUSTIFICATION) {
            self.errors.push(found);
        } else if tier == Some(Tier::Prod) && given.chars().count() < REASON {
            let code = if given.is_empty() {
                "required"
            } else {
                "too_short"
            };
            self.wrong(
                "justification",
                code,
                "In prod an approver reads this: say why in at least 10 characters.",
            );
        }
        given.to_owned()
    }
}

/// Whether a field is shown, given the other fields' values; one that hangs on a hidden field is hidden too.
pub(crate) fn shows(field: &ManifestField, values: &Object, entry: &Entry) -> bool {
    let Some(condition) = &field.visible_if else {
        return true;
    };
    let value = values
        .get(&condition.field)
        .or_else(|| entry.defaults.get(&condition.field));
    let matches = value.is_some_and(|value| {
        condition.equals.iter().any(|wanted| {
            wanted == value || values::plain(wanted) == values::plain(value) || on(value, wanted)
        })
    });
    // The catalogue refuses conditions that go in a circle, so this ends.
    matches
        && entry
            .manifest
            .fields
            .get(&condition.field)
            .is_none_or(|other| other.visible_if.is_none() || shows(other, values, entry))
}

/// A check box posts `on`.
fn on(value: &Value, wanted: &Value) -> bool {
    *wanted == Value::Bool(true) && matches!(value.as_str(), Some("on" | "yes"))
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A value inside a sentence, cut where it is long.
fn shown(value: &str) -> String {
    if value.chars().count() > 60 {
        let cut: String = value.chars().take(60).collect();
        format!("{cut}…")
    } else {
        value.to_owned()
    }
}
