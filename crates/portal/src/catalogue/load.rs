//! Reads template files and checks that manifest and ARM template fit together; nothing that does not fit is offered.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::RegexBuilder;
use rust_embed::Embed;
use serde_json::{Value, json};
use template::{Parameter, ParameterType, Template};
use types::Object;
use types::catalogue::{Binding, Manifest, ManifestField, Widget};

use super::{Entry, readme};

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../../catalog"]
struct Files;

/// The files of a template version that Slipway reads.
const READ: [&str; 3] = ["manifest.yaml", "main.json", "README.md"];

/// A template that cannot be offered.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct CatalogueError {
    /// The file at fault, from the catalogue's root.
    pub file: String,
    /// What is wrong and what would be right.
    pub message: String,
}

fn error(file: impl Into<String>, message: impl Into<String>) -> CatalogueError {
    CatalogueError {
        file: file.into(),
        message: message.into(),
    }
}

/// What is built into the binary.
pub(super) fn embedded_files() -> Vec<(String, String)> {
    Files::iter()
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or_default();
            READ.contains(&name) && path.matches('/').count() == 2
        })
        .filter_map(|path| {
            let file = Files::get(&path)?;
            Some((
                path.into_owned(),
                String::from_utf8_lossy(&file.data).into_owned(),
            ))
        })
        .collect()
}

/// The files of a folder that belong to templates.
pub(super) fn files_in(folder: &Path) -> Result<Vec<(String, String)>, CatalogueError> {
    let mut files = Vec::new();
    for name in folders(folder)? {
        for version in folders(&name)? {
            for file in READ {
                let path = version.join(file);
                if path.is_file() {
                    let text = std::fs::read_to_string(&path)
                        .map_err(|cause| error(path.display().to_string(), cause.to_string()))?;
                    let shown = path.strip_prefix(folder).unwrap_or(&path);
                    files.push((shown.to_string_lossy().replace('\\', "/"), text));
                }
            }
        }
    }
    Ok(files)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let unreadable = |cause: std::io::Error| error(parent.display().to_string(), cause.to_string());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Checked entries, by name, newest version first.
pub(super) fn entries(
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Arc<Entry>>, CatalogueError> {
    let mut folders: BTreeMap<String, HashMap<String, String>> = BTreeMap::new();
    for (path, text) in files {
        if let Some((folder, file)) = path.rsplit_once('/') {
            folders
                .entry(folder.to_owned())
                .or_default()
                .insert(file.to_owned(), text);
        }
    }
    let mut entries = Vec::new();
    for (folder, files) in &folders {
        entries.push(Arc::new(entry(folder, files)?));
    }
    entries.sort_by(|a, b| {
        (
            &a.manifest.name,
            std::cmp::Reverse(a.manifest.version.parts()),
        )
            .cmp(&(
                &b.manifest.name,
                std::cmp::Reverse(b.manifest.version.parts()),
            ))
    });
    Ok(entries)
}

fn entry(folder: &str, files: &HashMap<String, String>) -> Result<Entry, CatalogueError> {
    let text = |file: &str| {
        files
            .get(file)
            .ok_or_else(|| error(format!("{folder}/{file}"), "This file is missing."))
    };
    let manifest_file = format!("{folder}/manifest.yaml");
    let manifest: Manifest = serde_saphyr::from_str(text("manifest.yaml")?)
        .map_err(|cause| error(&manifest_file, cause.to_string()))?;
    let template_file = format!("{folder}/main.json");
    let arm: Value = serde_json::from_str(text("main.json")?)
        .map_err(|cause| error(&template_file, format!("This is not JSON: {cause}")))?;
    let template = Template::from_value(arm.clone())
        .map_err(|cause| error(&template_file, cause.to_string()))?;

    let wanted = format!("{}/{}", manifest.name, manifest.version);
    if folder != wanted {
        return Err(error(
            manifest_file,
            format!("It says {wanted}, but stands in the folder {folder}. Both must say the same."),
        ));
    }
    let patterns = check(&manifest, &template).map_err(|message| error(&manifest_file, message))?;
    // As it is written, not as it was read: a new kind of field in a later Slipway must not change the hash of an older manifest.
    let written: Value = serde_saphyr::from_str(text("manifest.yaml")?)
        .map_err(|cause| error(&manifest_file, cause.to_string()))?;
    let content_hash = hash(&written, &arm).map_err(|message| error(&manifest_file, message))?;
    let defaults = manifest
        .fields
        .keys()
        .filter_map(|name| {
            let default = template.parameters().get(name)?.default.clone()?;
            Some((name.clone(), default))
        })
        .collect::<Object>();
    Ok(Entry {
        documentation_html: readme::to_html(text("README.md")?),
        manifest,
        template,
        arm,
        content_hash,
        defaults,
        patterns,
    })
}

/// The hash tells two templates apart only if every number in them has a text of its own.
fn hash(manifest: &Value, arm: &Value) -> Result<String, String> {
    if let Some(at) = crate::plans::digest::ambiguous(arm) {
        return Err(format!(
            "main.json{at} is a number that JSON readers do not agree on. Write whole numbers between −9,007,199,254,740,991 and \
             9,007,199,254,740,991 without a fraction, or a text."
        ));
    }
    let content = json!({ "manifest": manifest, "template": arm });
    crate::plans::digest::sha256_of(&content).map_err(|cause| cause.to_string())
}

/// Every field and binding against the parameters of the ARM template, both ways.
fn check(
    manifest: &Manifest,
    template: &Template,
) -> Result<HashMap<String, regex::Regex>, String> {
    let parameters = template.parameters();
    for (name, binding) in &manifest.bindings {
        if manifest.fields.contains_key(name) {
            return Err(format!(
                "The parameter {name} is both a field and a binding. It can be one of them."
            ));
        }
        let parameter = parameters
            .get(name)
            .ok_or_else(|| unknown("bindings", name))?;
        check_binding(name, *binding, parameter)?;
    }
    let mut patterns = HashMap::new();
    for (name, field) in &manifest.fields {
        let parameter = parameters
            .get(name)
            .ok_or_else(|| unknown("fields", name))?;
        check_field(name, field, parameter, manifest)?;
        if let Some(pattern) = &field.pattern {
            let whole = RegexBuilder::new(&format!("^(?:{pattern})$"))
                .size_limit(1 << 20)
                .build()
                .map_err(|cause| format!("The pattern of field {name} cannot be used: {cause}"))?;
            patterns.insert(name.clone(), whole);
        }
    }
    for (name, parameter) in parameters {
        let filled = manifest.fields.contains_key(name) || manifest.bindings.contains_key(name);
        if !filled && parameter.required() {
            return Err(format!(
                "The ARM parameter {name} has no default, and neither a field nor a binding fills it in."
            ));
        }
    }
    for name in manifest.fields.keys() {
        let mut next = Some(name);
        for _ in 0..=manifest.fields.len() {
            next = next
                .and_then(|name| manifest.fields.get(name)?.visible_if.as_ref())
                .map(|condition| &condition.field);
        }
        if next.is_some() {
            return Err(format!(
                "fields.{name}.visible_if: the conditions go in a circle."
            ));
        }
    }
    if manifest.tiers.is_empty() || manifest.architectures.is_empty() {
        return Err("A template names at least one tier and one architecture.".to_owned());
    }
    Ok(patterns)
}

fn unknown(part: &str, name: &str) -> String {
    format!("{part}.{name}: the ARM template has no parameter of this name.")
}

fn check_binding(name: &str, binding: Binding, parameter: &Parameter) -> Result<(), String> {
    let wanted = match binding {
        Binding::Zones => ParameterType::Array,
        Binding::Tags => ParameterType::Object,
        Binding::Name
        | Binding::Region
        | Binding::Tier
        | Binding::StackSuffix
        | Binding::ClusterName => ParameterType::String,
    };
    if parameter.kind == wanted {
        return Ok(());
    }
    Err(format!(
        "bindings.{name}: the ARM parameter is a {}, but this binding gives a {wanted}.",
        parameter.kind
    ))
}

fn check_field(
    name: &str,
    field: &ManifestField,
    parameter: &Parameter,
    manifest: &Manifest,
) -> Result<(), String> {
    if parameter.kind.secure() {
        return Err(format!(
            "fields.{name}: secure parameters cannot be filled in on a form; let the template read them from a key vault."
        ));
    }
    if let Some(widget) = field.widget {
        let fits = match widget {
            Widget::Size
            | Widget::Subnet
            | Widget::Cluster
            | Widget::SshPublicKey
            | Widget::Text => parameter.kind == ParameterType::String,
            Widget::TextArea => matches!(
                parameter.kind,
                ParameterType::String | ParameterType::Array | ParameterType::Object
            ),
            Widget::Number => parameter.kind == ParameterType::Int,
            Widget::Checkbox => parameter.kind == ParameterType::Bool,
            Widget::Segmented | Widget::Select => {
                parameter.allowed.is_some() || parameter.kind == ParameterType::Bool
            }
        };
        if !fits {
            return Err(format!(
                "fields.{name}: this widget does not fit an ARM parameter of type {}{}.",
                parameter.kind,
                if parameter.allowed.is_none() {
                    " without allowedValues"
                } else {
                    ""
                }
            ));
        }
    }
    if let Some(condition) = &field.visible_if
        && (!manifest.fields.contains_key(&condition.field) || condition.field == name)
    {
        return Err(format!(
            "fields.{name}.visible_if: {} is not another field of this template.",
            condition.field
        ));
    }
    if let Some(other) = &field.at_least
        && (parameter.kind != ParameterType::Int || !manifest.fields.contains_key(other))
    {
        return Err(format!(
            "fields.{name}.at_least: both this and {other} must be number fields of this template."
        ));
    }
    if field.visible_if.is_some() && parameter.required() {
        return Err(format!(
            "fields.{name}: a field that may be hidden needs a default in the ARM template."
        ));
    }
    Ok(())
}
