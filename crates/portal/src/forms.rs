//! The request form as data: made from a template's parameters and manifest, the project's settings and Azure's facts.
//!
//! `forms::fields` makes a field out of an ARM parameter, `forms::sizes` the choice of VM sizes. What a posted form means lives in `checks`.

mod fields;
pub(crate) mod regions;
pub(crate) mod sizes;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use types::actor::{Actor, Right};
use types::catalogue::{ManifestField, TemplateSummary, Widget};
use types::form::{Choice, Control, Editing, Field, RequestForm, Section};
use types::ids::{RequestId, StackId, SubmissionId};
use types::names::TemplateRef;
use types::project::{ProjectSettings, Tier, TierSettings};
use types::request::{RequestDraft, RequestKind};

use crate::azure_facts::Facts;
use crate::catalogue::Entry;
use crate::{Error, Portal, Result};

/// Which form is asked for.
#[derive(Debug, Clone, Default)]
pub struct FormFor {
    /// The template, `name` or `name@version`; not needed when `editing` or a stack in `draft` says it.
    pub template: Option<String>,
    /// The project to begin with; else the draft's, else the first that the actor may request in.
    pub project: Option<String>,
    /// The tier to begin with; else the draft's, else the first of the project.
    pub tier: Option<String>,
    /// The request to change.
    pub editing: Option<RequestId>,
    /// What was posted so far: kept, except private keys.
    pub draft: Option<RequestDraft>,
}

impl Portal {
    /// The request form: sections, fields with their choices, and what they hold to begin with.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a template, project or request that the actor cannot see; [`Error::Forbidden`] when there is no project to request in.
    pub async fn request_form(&self, actor: &Actor, form: FormFor) -> Result<RequestForm> {
        let edited = match form.editing {
            Some(id) => Some(self.editable(actor, id).await?),
            None => None,
        };
        let mut draft = match (form.draft, &edited) {
            (Some(draft), _) => draft,
            (None, Some(edited)) => edited.draft.clone(),
            (None, None) => RequestDraft::default(),
        };
        // Whoever sent them is told by the answer to that POST.
        let _ = draft.forget_secrets();
        if draft.kind == RequestKind::Update
            && let Some(id) = draft.stack
        {
            self.begin_with_stack(actor, id, &mut draft).await?;
        }
        let entry = self.form_template(form.template.as_deref(), &draft)?;
        let projects = self.projects_to_request_in(actor).await?;
        if projects.is_empty() {
            return Err(Error::Forbidden {
                right: Right::Request,
            });
        }
        let named = |name: &str| {
            projects
                .iter()
                .find(|project| project.name.as_str() == name)
        };
        let project = match form.project.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => named(name).ok_or(Error::NotFound { what: "project" })?,
            None => named(draft.project.trim())
                .or(projects.first())
                .ok_or(Error::NotFound { what: "project" })?,
        };
        let tier = [form.tier.as_deref(), Some(draft.tier.trim())]
            .into_iter()
            .flatten()
            .filter_map(|tier| tier.parse().ok())
            .find(|tier| project.tiers.contains_key(tier))
            .or_else(|| project.tiers.keys().next().copied())
            .ok_or(Error::NotFound { what: "project" })?;
        let facts = self.0.facts.snapshot();
        fill(&mut draft, &entry, project, tier);
        // A request that is edited opens as it was sent, with what its plan was denied for.
        if edited.is_none()
            && draft.kind == RequestKind::Create
            && draft.expiry.is_empty()
            && must_expire(tier)
        {
            FIRST_EXPIRY.clone_into(&mut draft.expiry);
        }
        Ok(RequestForm {
            sections: sections(&entry, &projects, project, tier, &draft, &facts),
            template: self.summary_of(&entry),
            draft,
            submission: SubmissionId(uuid::Uuid::now_v7()),
            editing: edited.map(|edited| Editing {
                request: edited.request,
                version: edited.version,
            }),
        })
    }

    /// An update's form begins with what was last applied; what was posted since stands.
    async fn begin_with_stack(
        &self,
        actor: &Actor,
        id: StackId,
        draft: &mut RequestDraft,
    ) -> Result<()> {
        let stack = self.stack_to_change(actor, id).await?;
        let begun = !draft.parameters.is_empty();
        self.prove_applied(&stack).await?;
        if let Some(request) = stack.applied_request
            && let Some(request) = self.0.store.request(request).await?
            && !begun
        {
            let justification = std::mem::take(&mut draft.justification);
            *draft = RequestDraft {
                kind: RequestKind::Update,
                stack: Some(id),
                justification,
                ..request.draft
            };
        }
        if draft.template.is_empty() {
            draft.template = stack.summary.template.to_string();
        }
        draft.name = stack.summary.name.to_string();
        draft.project = stack.summary.project.to_string();
        draft.tier = stack.summary.tier.as_str().to_owned();
        draft.region = stack.summary.target.region;
        Ok(())
    }

    fn form_template(&self, named: Option<&str>, draft: &RequestDraft) -> Result<Arc<Entry>> {
        let catalogue = &self.0.catalogue;
        let drafted: Option<TemplateRef> = draft.template.trim().parse().ok();
        let wanted = named.map(str::trim).filter(|named| !named.is_empty());
        let entry = match (wanted, drafted) {
            (Some(wanted), drafted) => {
                let exact = wanted
                    .parse()
                    .ok()
                    .or_else(|| drafted.filter(|reference| reference.name.as_str() == wanted));
                match exact {
                    Some(reference) => catalogue.get(&reference),
                    None => wanted.parse().ok().and_then(|name| catalogue.latest(&name)),
                }
            }
            (None, Some(drafted)) => catalogue.get(&drafted),
            (None, None) => None,
        };
        entry.cloned().ok_or(Error::NotFound { what: "template" })
    }

    /// Projects that the actor may send requests in, by title.
    async fn projects_to_request_in(&self, actor: &Actor) -> Result<Vec<ProjectSettings>> {
        let mut projects = self.0.store.projects().await?;
        projects.retain(|project| actor.may(Right::Request, Some(&project.name)));
        projects.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(projects)
    }

    fn summary_of(&self, entry: &Arc<Entry>) -> TemplateSummary {
        self.card(entry).summary.clone()
    }
}

/// Gives every field that holds nothing its beginning: the project's settings, the template's defaults, the first choice that can be taken.
fn fill(draft: &mut RequestDraft, entry: &Entry, project: &ProjectSettings, tier: Tier) {
    draft.template = entry.reference().to_string();
    draft.project = project.name.to_string();
    draft.tier = tier.as_str().to_owned();
    let settings = project.tiers.get(&tier);
    if draft.region.is_empty()
        && let Some(first) = settings.and_then(|settings| settings.regions.first())
    {
        draft.region.clone_from(first);
    }
    if draft.cost_centre.is_empty() {
        draft.cost_centre.clone_from(&project.cost_centre);
    }
    for (name, field) in &entry.manifest.fields {
        let known = draft.parameters.contains_key(name);
        if let Some(settings) = settings
            && let Some(first) = first_target(field, settings, &draft.region)
        {
            // A network of another project, tier or region cannot stay chosen.
            let keeps = draft
                .parameters
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|id| first.iter().any(|known| known.eq_ignore_ascii_case(id)));
            if !keeps {
                let value = first.first().cloned().unwrap_or_default();
                draft.parameters.insert(name.clone(), Value::String(value));
            }
        } else if !known && let Some(default) = entry.defaults.get(name) {
            draft.parameters.insert(name.clone(), default.clone());
        }
    }
}

/// How long a stack of dev or test lives unless the form says otherwise.
const FIRST_EXPIRY: &str = "30d";

/// Outside prod the guardrails want an expiry within 90 days; what they always deny cannot be chosen.
fn must_expire(tier: Tier) -> bool {
    tier != Tier::Prod
}

/// The ids that a network or cluster field may hold in a region; `None` for other fields.
fn first_target(
    field: &ManifestField,
    settings: &TierSettings,
    region: &str,
) -> Option<Vec<String>> {
    match field.widget {
        Some(Widget::Subnet) => Some(
            settings
                .subnets
                .iter()
                .filter(|subnet| subnet.region.eq_ignore_ascii_case(region))
                .map(|subnet| subnet.id.clone())
                .collect(),
        ),
        Some(Widget::Cluster) => Some(
            settings
                .clusters
                .iter()
                .filter(|cluster| cluster.region.eq_ignore_ascii_case(region))
                .map(|cluster| cluster.id.clone())
                .collect(),
        ),
        _ => None,
    }
}

/// All sections: where it belongs, the template's own, why and for how long.
fn sections(
    entry: &Entry,
    projects: &[ProjectSettings],
    project: &ProjectSettings,
    tier: Tier,
    draft: &RequestDraft,
    facts: &Facts,
) -> Vec<Section> {
    let settings = project.tiers.get(&tier);
    let around = fields::Surroundings {
        entry,
        facts,
        settings,
        region: &draft.region,
        zone: &draft.zone,
    };
    let mut own: IndexMap<&str, Vec<Field>> = IndexMap::new();
    for (name, manifest) in &entry.manifest.fields {
        if let Some(parameter) = entry.template.parameters().get(name) {
            own.entry(manifest.section.as_str())
                .or_default()
                .push(fields::field(name, manifest, parameter, &around));
        }
    }
    let mut sections = vec![belonging(projects, project, tier, draft)];
    sections.extend(own.into_iter().map(|(title, fields)| Section {
        title: title.to_owned(),
        fields,
    }));
    sections.push(reasons(tier));
    sections
}

fn choice(value: impl Into<String>, label: impl Into<String>) -> Choice {
    Choice {
        value: value.into(),
        label: label.into(),
        disabled: None,
    }
}

fn plain_field(name: &str, label: &str, help: Option<&str>, control: Control) -> Field {
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        help: help.map(str::to_owned),
        control,
        required: false,
        default: None,
        unit: None,
        visible_if: None,
        reloads: false,
    }
}

fn belonging(
    projects: &[ProjectSettings],
    project: &ProjectSettings,
    tier: Tier,
    draft: &RequestDraft,
) -> Section {
    let fixed = draft.stack.is_some() && draft.kind == RequestKind::Update;
    let stays = |choice: Choice, is: &str| {
        let disabled = (fixed && choice.value != is)
            .then(|| "It cannot be changed for a stack that exists.".to_owned());
        Choice { disabled, ..choice }
    };
    let mut regions: Vec<&String> = Vec::new();
    // The tier's own first, then those of the other tiers: a guardrail says why one of them is not allowed here.
    for settings in project
        .tiers
        .get(&tier)
        .into_iter()
        .chain(project.tiers.values())
    {
        for region in &settings.regions {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
    }
    let name_help = format!(
        "Lower case, digits, hyphens. It becomes part of the Azure names, such as rg-{}-{}-name-3f9c1a.",
        project.name,
        tier.as_str()
    );
    let fields = vec![
        Field {
            required: true,
            reloads: true,
            ..plain_field(
                "project",
                "Project",
                None,
                Control::Select {
                    choices: projects
                        .iter()
                        .map(|p| stays(choice(p.name.to_string(), p.title.clone()), &draft.project))
                        .collect(),
                },
            )
        },
        Field {
            required: true,
            reloads: true,
            ..plain_field(
                "tier",
                "Tier",
                Some(tier_help(tier)),
                Control::Segmented {
                    choices: project
                        .tiers
                        .keys()
                        .map(|t| stays(choice(t.as_str(), tier_title(*t)), &draft.tier))
                        .collect(),
                },
            )
        },
        Field {
            required: true,
            ..plain_field(
                "name",
                "Name",
                Some(&name_help),
                Control::Text {
                    pattern: Some("[a-z][a-z0-9-]{1,30}[a-z0-9]".to_owned()),
                    max_length: Some(32),
                    placeholder: None,
                },
            )
        },
        Field {
            required: true,
            reloads: true,
            ..plain_field(
                "region",
                "Region",
                None,
                Control::Select {
                    choices: regions
                        .into_iter()
                        .map(|region| stays(choice(region, regions::title(region)), &draft.region))
                        .collect(),
                },
            )
        },
        Field {
            reloads: true,
            ..plain_field(
                "zone",
                "Zone",
                Some("A zone is one of a region's separate buildings. A stack keeps its zone."),
                Control::Select {
                    choices: [
                        ("", "Any"),
                        ("1", "Zone 1"),
                        ("2", "Zone 2"),
                        ("3", "Zone 3"),
                    ]
                    .into_iter()
                    .map(|(value, label)| stays(choice(value, label), &draft.zone))
                    .collect(),
                },
            )
        },
    ];
    Section {
        title: "Where it belongs".to_owned(),
        fields,
    }
}

fn reasons(tier: Tier) -> Section {
    let spans = [
        ("7d", "7 days"),
        ("30d", "30 days"),
        ("90d", "90 days"),
        ("365d", "1 year"),
        ("", "Until deleted"),
    ];
    Section {
        title: "Why and for how long".to_owned(),
        fields: vec![
            plain_field(
                "expiry",
                "Lives until",
                Some(
                    "A number of days such as 30d, counted from the moment it is provisioned, or a date such as 2027-01-31.",
                ),
                Control::Expiry {
                    choices: spans
                        .map(|(value, label)| Choice {
                            disabled: (must_expire(tier) && matches!(value, "365d" | "")).then(
                                || format!("A {} stack must expire within 90 days.", tier.as_str()),
                            ),
                            ..choice(value, label)
                        })
                        .into(),
                },
            ),
            plain_field(
                "cost_centre",
                "Cost centre",
                None,
                Control::Text {
                    pattern: Some("[A-Za-z0-9 ._-]*".to_owned()),
                    max_length: Some(64),
                    placeholder: None,
                },
            ),
            plain_field(
                "tags",
                "Tags",
                Some("Beside the project's and Slipway's own."),
                Control::Tags,
            ),
            Field {
                required: tier == Tier::Prod,
                ..plain_field(
                    "justification",
                    "Justification for the approver",
                    None,
                    Control::TextArea {
                        rows: 2,
                        max_length: Some(2_000),
                        monospace: false,
                        placeholder: None,
                    },
                )
            },
        ],
    }
}

fn tier_title(tier: Tier) -> &'static str {
    match tier {
        Tier::Dev => "Dev",
        Tier::Test => "Test",
        Tier::Prod => "Prod",
    }
}

fn tier_help(tier: Tier) -> &'static str {
    match tier {
        Tier::Dev => "For trying things: most requests go ahead at once.",
        Tier::Test => "For testing releases: most requests go ahead at once.",
        Tier::Prod => "What customers depend on: stricter rules, and somebody has to approve.",
    }
}
