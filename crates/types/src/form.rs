//! The request form as data: sections and fields made from a template's parameters and manifest, so that page, REST and checks agree.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue::TemplateSummary;
use crate::cost::Usd;
use crate::ids::{RequestId, SubmissionId};
use crate::project::Tier;
use crate::request::RequestDraft;

/// Everything that the request page needs before anything is typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestForm {
    /// The template.
    pub template: TemplateSummary,
    /// Sections in order; the first is *Where it belongs*, the last *Why and for how long*.
    pub sections: Vec<Section>,
    /// What the fields hold to begin with.
    pub draft: RequestDraft,
    /// Sent back with the form: the same number makes the same request, so a double click makes one.
    pub submission: SubmissionId,
    /// The request that is edited, with its version.
    pub editing: Option<Editing>,
}

/// The request that the form changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Editing {
    /// Which.
    pub request: RequestId,
    /// The version that was read.
    pub version: i64,
}

/// A fieldset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Section {
    /// Its legend.
    pub title: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Field {
    /// The form's field name: `name`, `region`, `parameters.vmSize`.
    pub name: String,
    /// Label.
    pub label: String,
    /// Help below it.
    pub help: Option<String>,
    /// Which control, with its choices and bounds.
    pub control: Control,
    /// Whether it must be filled in.
    pub required: bool,
    /// The default; what it holds now is in the draft.
    pub default: Option<Value>,
    /// Unit after the input.
    pub unit: Option<String>,
    /// Shown only when another field (by form name) has one of these values.
    pub visible_if: Option<Visibility>,
    /// A change of it changes other fields' choices: the page asks for the form again.
    pub reloads: bool,
}

/// When a field is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visibility {
    /// Another field's form name.
    pub field: String,
    /// Values that show this one.
    pub equals: Vec<Value>,
}

/// The control of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "control", rename_all = "kebab-case")]
pub enum Control {
    /// One line of text.
    Text {
        /// Regular expression for the whole value.
        pattern: Option<String>,
        /// Longest value in characters.
        max_length: Option<u64>,
        /// Shown while empty.
        placeholder: Option<String>,
    },
    /// Several lines.
    TextArea {
        /// Rows shown.
        rows: u32,
        /// Longest value in characters.
        max_length: Option<u64>,
        /// Monospace, such as for a key.
        monospace: bool,
    },
    /// A whole number.
    Number {
        /// Smallest.
        min: Option<i64>,
        /// Largest.
        max: Option<i64>,
    },
    /// Yes or no.
    Checkbox,
    /// One of a list.
    Select {
        /// The list.
        choices: Vec<Choice>,
    },
    /// One of a few, side by side.
    Segmented {
        /// The few.
        choices: Vec<Choice>,
    },
    /// VM sizes as cards, the rest behind *All sizes*.
    Sizes {
        /// The cards.
        offered: Vec<SizeChoice>,
        /// All others that are allowed here.
        more: Vec<SizeChoice>,
    },
    /// An OpenSSH public key.
    SshPublicKey,
    /// Name and value pairs.
    Tags,
    /// How long it lives: `7d`, `30d`, a date, or until deleted.
    Expiry {
        /// The offered spans.
        choices: Vec<Choice>,
    },
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Choice {
    /// Sent.
    pub value: String,
    /// Shown.
    pub label: String,
    /// Why it cannot be chosen, where it cannot.
    pub disabled: Option<String>,
}

/// One VM size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SizeChoice {
    /// Azure's name.
    pub value: String,
    /// Short name, such as `D2ds v6`.
    pub label: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in GiB.
    pub memory_gib: String,
    /// `x64` or `Arm`.
    pub architecture: String,
    /// Price a month; absent where none is known.
    pub monthly: Option<Usd>,
    /// True where that price has no public source.
    pub sample: bool,
    /// Why it cannot be chosen, where it cannot.
    pub disabled: Option<String>,
}

/// What the tier changes, for the help under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TierHelp {
    /// Tier.
    pub tier: Tier,
    /// Sentence.
    pub text: String,
}
