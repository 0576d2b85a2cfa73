//! One form field out of one ARM parameter and its manifest entry.

use serde_json::Value;
use template::{Parameter, ParameterType};
use types::catalogue::{ManifestField, Widget};
use types::form::{Choice, Control, Field, Visibility};
use types::project::TierSettings;

use super::sizes;
use crate::azure_facts::Facts;
use crate::catalogue::Entry;
use crate::checks::plain;

/// Most choices that stand side by side.
const SIDE_BY_SIDE: usize = 3;

/// What a field's choices depend on.
pub(super) struct Surroundings<'a> {
    pub(super) entry: &'a Entry,
    pub(super) facts: &'a Facts,
    pub(super) settings: Option<&'a TierSettings>,
    pub(super) region: &'a str,
    pub(super) zone: &'a str,
}

/// Makes the field.
pub(super) fn field(
    name: &str,
    manifest: &ManifestField,
    parameter: &Parameter,
    around: &Surroundings<'_>,
) -> Field {
    let described = parameter
        .metadata
        .as_ref()
        .and_then(|metadata| metadata["description"].as_str())
        .map(str::to_owned);
    Field {
        name: format!("parameters.{name}"),
        label: manifest.label.clone(),
        help: manifest.help.clone().or(described),
        control: control(manifest, parameter, around),
        required: parameter.required(),
        default: parameter.default.clone(),
        unit: manifest.unit.clone(),
        visible_if: manifest.visible_if.as_ref().map(|condition| Visibility {
            field: format!("parameters.{}", condition.field),
            equals: condition.equals.clone(),
        }),
        reloads: false,
    }
}

fn control(manifest: &ManifestField, parameter: &Parameter, around: &Surroundings<'_>) -> Control {
    match manifest.widget.unwrap_or_else(|| implied(parameter)) {
        Widget::Size => {
            let subscription = around
                .settings
                .map_or("", |settings| settings.subscription.id.as_str());
            sizes::control(
                manifest,
                around.entry,
                around.facts,
                subscription,
                around.region,
                around.zone,
            )
        }
        Widget::Subnet => Control::Select {
            choices: around
                .settings
                .iter()
                .flat_map(|settings| &settings.subnets)
                .map(|subnet| target(&subnet.id, &subnet.title, &subnet.region, around.region))
                .collect(),
        },
        Widget::Cluster => Control::Select {
            choices: around
                .settings
                .iter()
                .flat_map(|settings| &settings.clusters)
                .map(|cluster| target(&cluster.id, &cluster.title, &cluster.region, around.region))
                .collect(),
        },
        Widget::SshPublicKey => Control::SshPublicKey,
        Widget::TextArea => Control::TextArea {
            rows: 3,
            max_length: parameter
                .max_length
                .filter(|_| parameter.kind == ParameterType::String),
            monospace: parameter.kind != ParameterType::String,
            placeholder: manifest.placeholder.clone(),
        },
        Widget::Text => Control::Text {
            pattern: manifest.pattern.clone(),
            max_length: parameter.max_length,
            placeholder: manifest.placeholder.clone(),
        },
        Widget::Number => Control::Number {
            min: parameter.min_value,
            max: parameter.max_value,
        },
        Widget::Checkbox => Control::Checkbox,
        Widget::Segmented => Control::Segmented {
            choices: choices(parameter),
        },
        Widget::Select => Control::Select {
            choices: choices(parameter),
        },
    }
}

/// The control that a type stands for where the manifest names none.
fn implied(parameter: &Parameter) -> Widget {
    match (&parameter.allowed, parameter.kind) {
        (Some(allowed), _) if allowed.len() <= SIDE_BY_SIDE => Widget::Segmented,
        (Some(_), _) => Widget::Select,
        (None, ParameterType::Int) => Widget::Number,
        (None, ParameterType::Bool) => Widget::Checkbox,
        (None, ParameterType::Array | ParameterType::Object) => Widget::TextArea,
        (None, _) => Widget::Text,
    }
}

fn choices(parameter: &Parameter) -> Vec<Choice> {
    match (&parameter.allowed, parameter.kind) {
        (Some(allowed), _) => allowed
            .iter()
            .map(|value| Choice {
                value: plain(value),
                label: title(value),
                disabled: None,
            })
            .collect(),
        (None, ParameterType::Bool) => [("true", "Yes"), ("false", "No")]
            .into_iter()
            .map(|(value, label)| Choice {
                value: value.to_owned(),
                label: label.to_owned(),
                disabled: None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Azure's words that people should not have to know.
fn title(value: &Value) -> String {
    let word = plain(value);
    match word.as_str() {
        "Premium_LRS" => "Premium SSD".to_owned(),
        "Premium_ZRS" => "Premium SSD, zone-redundant".to_owned(),
        "StandardSSD_LRS" => "Standard SSD".to_owned(),
        "StandardSSD_ZRS" => "Standard SSD, zone-redundant".to_owned(),
        "Standard_LRS" => "Standard HDD".to_owned(),
        _ => word,
    }
}

/// A network or cluster; one of another region is shown, because people look for it, and says why it cannot be taken.
fn target(id: &str, title: &str, region: &str, wanted: &str) -> Choice {
    let elsewhere = !wanted.is_empty() && !region.eq_ignore_ascii_case(wanted);
    Choice {
        value: id.to_owned(),
        label: title.to_owned(),
        disabled: elsewhere.then(|| format!("It is in {}.", super::regions::title(region))),
    }
}
