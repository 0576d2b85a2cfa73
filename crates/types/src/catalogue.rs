//! The catalogue: a template's manifest as its author writes it, and the views of it that people see.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;
use crate::cost::Usd;
use crate::names::{TemplateName, TemplateRef, Version};
use crate::policy::{ControlResult, Posture};
use crate::project::Tier;

/// `manifest.yaml` of one template version; `docs/reference/manifest.schema.json` is its schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The template's name; must equal its folder's.
    pub name: TemplateName,
    /// The version; must equal its folder's.
    pub version: Version,
    /// Shown as heading.
    pub title: String,
    /// One or two sentences for the card.
    pub summary: String,
    /// What it provisions.
    pub kind: TemplateKind,
    /// The operating system.
    pub os: OperatingSystem,
    /// GA or preview.
    pub support: Support,
    /// What preview means here, or what support rests on.
    #[serde(default)]
    pub support_note: Option<String>,
    /// Where in its life this version is.
    pub lifecycle: Lifecycle,
    /// Processor architectures it offers.
    pub architectures: Vec<Architecture>,
    /// Owned resource group, or inside another's.
    pub placement: Placement,
    /// Tiers it is meant for; guardrails enforce it.
    pub tiers: Vec<Tier>,
    /// ARM parameters that a person fills in, in the order of the form.
    pub fields: IndexMap<String, ManifestField>,
    /// ARM parameters that Slipway fills in.
    pub bindings: IndexMap<String, Binding>,
    /// Every hardening default, with its reason.
    pub hardening: Vec<Hardening>,
    /// How to reach what was made.
    #[serde(default)]
    pub connect: Vec<Connect>,
    /// What it provisions, in words, for the template's page.
    pub provisions: Vec<String>,
    /// What changed in this version.
    #[serde(default)]
    pub changes: Vec<String>,
}

/// Kind of thing a template provisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TemplateKind {
    /// One virtual machine.
    VirtualMachine,
    /// A node pool in an existing cluster.
    NodePool,
    /// A whole cluster.
    Cluster,
}

/// Name and version of the operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperatingSystem {
    /// Such as `Azure Linux`.
    pub name: String,
    /// Such as `3.0`.
    pub version: String,
}

/// Microsoft's support state of what the template builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Generally available.
    Ga,
    /// Preview: for evaluation.
    Preview,
}

/// Life of a template version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Not offered.
    Draft,
    /// Offered.
    Published,
    /// Offered with a warning; new requests should take a later one.
    Deprecated,
    /// No new requests.
    Retired,
}

/// Processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// x86-64.
    X64,
    /// 64-bit Arm.
    Arm64,
}

/// Where the stack's resources live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// In a resource group of its own, deleted with the stack.
    OwnedGroup,
    /// In the resource group of the cluster it joins.
    ClusterGroup,
}

/// How one ARM parameter looks on the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ManifestField {
    /// Above the input.
    pub label: String,
    /// Below it.
    #[serde(default)]
    pub help: Option<String>,
    /// The fieldset it stands in.
    pub section: String,
    /// Which control; derived from the parameter's type where absent.
    #[serde(default)]
    pub widget: Option<Widget>,
    /// Shown only when another field has one of these values.
    #[serde(default)]
    pub visible_if: Option<VisibleIf>,
    /// Regular expression the value must match as a whole.
    #[serde(default)]
    pub pattern: Option<String>,
    /// What to say when it does not.
    #[serde(default)]
    pub pattern_help: Option<String>,
    /// An example that an empty text field shows.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// Unit shown after the input, such as `GiB`.
    #[serde(default)]
    pub unit: Option<String>,
    /// Labels of allowed values.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
    /// For `size`: the sizes offered as cards first; the project may allow more.
    #[serde(default)]
    pub offered: Vec<String>,
    /// Azure cannot change it later: an update that differs is refused on the form, before Azure would.
    #[serde(default)]
    pub create_only: bool,
    /// Another number field whose value this one may not fall below.
    #[serde(default)]
    pub at_least: Option<String>,
}

/// Controls beyond what a type implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Widget {
    /// VM size cards with processors, memory and price.
    Size,
    /// One of the project's subnets in the request's region; the value is the subnet's resource id.
    Subnet,
    /// One of the project's clusters; the value is the cluster's resource id.
    Cluster,
    /// An OpenSSH public key.
    SshPublicKey,
    /// Several lines.
    TextArea,
    /// One line.
    Text,
    /// A few values side by side.
    Segmented,
    /// A list of choices.
    Select,
    /// A whole number.
    Number,
    /// Yes or no.
    Checkbox,
}

/// When a field is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VisibleIf {
    /// Another ARM parameter of this template.
    pub field: String,
    /// Values of it that show this field.
    pub equals: Vec<Value>,
}

/// Where Slipway takes an ARM parameter's value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// The stack's name.
    Name,
    /// The region's Azure name.
    Region,
    /// The zones as an array of strings: empty for *any*.
    Zones,
    /// The tags: project defaults, request tags, and Slipway's own.
    Tags,
    /// The tier's word.
    Tier,
    /// The last six digits of the stack's id.
    StackSuffix,
    /// The chosen cluster's name (node pools).
    ClusterName,
}

/// One hardening default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    /// Such as `Secure Boot and vTPM`.
    pub title: String,
    /// What the template sets.
    pub setting: String,
    /// Why.
    pub reason: String,
    /// Controls it satisfies (or, for a stated exception, fails).
    #[serde(default)]
    pub controls: Vec<String>,
    /// Where the fact comes from.
    #[serde(default)]
    pub source: Option<String>,
}

/// A way in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Such as `SSH over the project's network`.
    pub title: String,
    /// A command; `{output.name}` stands for the deployment's output.
    pub command: String,
    /// What is needed for it to work.
    #[serde(default)]
    pub note: Option<String>,
}

/// A card of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateSummary {
    /// The latest published version.
    pub template: TemplateRef,
    /// Heading.
    pub title: String,
    /// Text of the card.
    pub summary: String,
    /// Kind.
    pub kind: TemplateKind,
    /// Operating system.
    pub os: OperatingSystem,
    /// GA or preview.
    pub support: Support,
    /// Lifecycle of that version.
    pub lifecycle: Lifecycle,
    /// Architectures.
    pub architectures: Vec<Architecture>,
    /// Cheapest monthly cost with the template's defaults; absent when no price is known.
    pub monthly_from: Option<Usd>,
    /// True where that price has no public source.
    pub price_is_sample: bool,
    /// Posture of the template with its defaults.
    pub posture: Posture,
}

/// A template's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateDetail {
    /// The card's facts for the version shown.
    pub summary: TemplateSummary,
    /// The manifest of the version shown.
    pub manifest: Manifest,
    /// All versions, newest first.
    pub versions: Vec<TemplateVersion>,
    /// Controls on the template with its defaults.
    pub controls: Vec<ControlResult>,
    /// The README as HTML, made safe on the server.
    pub documentation_html: String,
    /// `main.json`.
    pub arm: Value,
    /// SHA-256 over manifest and ARM template.
    pub content_hash: String,
    /// Default values of the ARM parameters.
    pub defaults: Object,
}

/// One row of the versions list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateVersion {
    /// The version.
    pub version: Version,
    /// Its state.
    pub lifecycle: Lifecycle,
    /// What changed.
    pub changes: Vec<String>,
}
