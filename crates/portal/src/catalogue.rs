//! The catalogue: every template version, read and checked once at start-up, and its cards and pages.
//!
//! Reading files and checking them against each other lives in `catalogue::load`, the README's HTML in `catalogue::readme`,
//! the plan behind a card in `catalogue::card`.

mod card;
mod load;
mod readme;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;
use template::Template;
use types::Object;
use types::actor::Actor;
use types::catalogue::{Lifecycle, Manifest, TemplateDetail, TemplateSummary, TemplateVersion};
use types::names::{TemplateName, TemplateRef, Version};

use crate::{Error, Portal, Result};

pub(crate) use card::Card;
pub use load::CatalogueError;

/// All template versions of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    /// By name, then newest version first.
    entries: Vec<Arc<Entry>>,
    cards: card::Cards,
}

/// One template version.
#[derive(Debug)]
pub struct Entry {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its ARM template, parsed.
    pub template: Template,
    /// Its ARM template as JSON.
    pub arm: Value,
    /// Its README as HTML without anything that could act.
    pub documentation_html: String,
    /// SHA-256 in hexadecimal over the canonical JSON (RFC 8785) of manifest and ARM template.
    pub content_hash: String,
    /// Default values of its fields, where they are plain values.
    pub defaults: Object,
    /// Compiled patterns of its fields; each matches whole values.
    pub(crate) patterns: HashMap<String, Regex>,
}

impl Entry {
    /// `name@version`.
    #[must_use]
    pub fn reference(&self) -> TemplateRef {
        TemplateRef {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
        }
    }

    /// The marketplace images that its ARM template names, as `publisher:offer:sku`.
    #[must_use]
    pub fn images(&self) -> Vec<String> {
        let mut found = Vec::new();
        images(&self.arm, &mut found);
        found
    }

    /// Why no new stack may be made of it, where that is so.
    #[must_use]
    pub fn closed(&self) -> Option<String> {
        match self.manifest.lifecycle {
            Lifecycle::Published | Lifecycle::Deprecated => None,
            Lifecycle::Draft => Some(format!("{} is not published yet.", self.reference())),
            Lifecycle::Retired => Some(format!(
                "{} is retired: nothing new is made of it. Take a later version.",
                self.reference()
            )),
        }
    }
}

fn images(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| images(item, found)),
        Value::Object(members) => {
            if let Some(image) = members.get("imageReference")
                && let (Some(publisher), Some(offer), Some(sku)) = (
                    image["publisher"].as_str(),
                    image["offer"].as_str(),
                    image["sku"].as_str(),
                )
            {
                found.push(format!("{publisher}:{offer}:{sku}"));
            }
            members.values().for_each(|value| images(value, found));
        }
        _ => {}
    }
}

impl Catalogue {
    /// The templates that are built into the binary.
    ///
    /// # Errors
    /// The first template that does not hold together; a release never has one.
    pub fn embedded() -> std::result::Result<Self, CatalogueError> {
        Self::from_files(load::embedded_files())
    }

    /// The templates of a folder, laid out as `<name>/<version>/{manifest.yaml, main.json, README.md}`.
    ///
    /// # Errors
    /// What cannot be read, or the first template that does not hold together.
    pub fn from_dir(folder: &Path) -> std::result::Result<Self, CatalogueError> {
        Self::from_files(load::files_in(folder)?)
    }

    /// The templates among files, each a path `<name>/<version>/<file>` and its text.
    ///
    /// # Errors
    /// The first template that does not hold together.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, String)>,
    ) -> std::result::Result<Self, CatalogueError> {
        Ok(Self(Arc::new(Shelf {
            entries: load::entries(files)?,
            cards: card::Cards::default(),
        })))
    }

    /// Every version of every template, by name, newest version first.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.0.entries.iter()
    }

    /// One version.
    #[must_use]
    pub fn get(&self, template: &TemplateRef) -> Option<&Arc<Entry>> {
        self.entries().find(|entry| {
            entry.manifest.name == template.name && entry.manifest.version == template.version
        })
    }

    /// All versions of a template, newest first.
    #[must_use]
    pub fn versions(&self, name: &TemplateName) -> Vec<&Arc<Entry>> {
        self.entries()
            .filter(|entry| entry.manifest.name == *name)
            .collect()
    }

    /// The version that new requests take: the newest published one, else the newest deprecated one.
    #[must_use]
    pub fn latest(&self, name: &TemplateName) -> Option<&Arc<Entry>> {
        let versions = self.versions(name);
        let newest = |wanted: Lifecycle| {
            versions
                .iter()
                .copied()
                .find(|entry| entry.manifest.lifecycle == wanted)
        };
        newest(Lifecycle::Published).or_else(|| newest(Lifecycle::Deprecated))
    }
}

impl Portal {
    /// The cards of the catalogue: each template's latest version on offer, by title.
    ///
    /// # Errors
    /// None today; everybody who is signed in may look.
    pub async fn templates(&self, actor: &Actor) -> Result<Vec<TemplateSummary>> {
        let _ = actor;
        let catalogue = &self.0.catalogue;
        let mut names: Vec<&TemplateName> = catalogue.entries().map(|e| &e.manifest.name).collect();
        names.dedup();
        let mut cards: Vec<TemplateSummary> = names
            .into_iter()
            .filter_map(|name| catalogue.latest(name))
            .map(|entry| self.card(entry).summary.clone())
            .collect();
        cards.sort_by(|a, b| (a.support, &a.title).cmp(&(b.support, &b.title)));
        Ok(cards)
    }

    /// A template's page; without a version, the one that new requests take.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn template(
        &self,
        actor: &Actor,
        name: &TemplateName,
        version: Option<&Version>,
    ) -> Result<TemplateDetail> {
        let _ = actor;
        let missing = || Error::NotFound { what: "template" };
        let catalogue = &self.0.catalogue;
        let versions = catalogue.versions(name);
        let entry = match version {
            Some(version) => versions
                .iter()
                .copied()
                .find(|entry| entry.manifest.version == *version),
            None => catalogue.latest(name).or_else(|| versions.first().copied()),
        }
        .ok_or_else(missing)?;
        let card = self.card(entry);
        Ok(TemplateDetail {
            summary: card.summary.clone(),
            manifest: entry.manifest.clone(),
            versions: versions
                .iter()
                .map(|entry| TemplateVersion {
                    version: entry.manifest.version.clone(),
                    lifecycle: entry.manifest.lifecycle,
                    changes: entry.manifest.changes.clone(),
                })
                .collect(),
            controls: card.controls.clone(),
            documentation_html: entry.documentation_html.clone(),
            arm: entry.arm.clone(),
            content_hash: entry.content_hash.clone(),
            defaults: entry.defaults.clone(),
        })
    }

    pub(crate) fn card(&self, entry: &Arc<Entry>) -> Arc<Card> {
        self.0.catalogue.0.cards.of(
            entry,
            &self.0.catalogue,
            &self.0.policies,
            &self.0.facts.snapshot(),
            self.now(),
        )
    }
}
