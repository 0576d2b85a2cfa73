//! What the simulated world holds: groups, resources, operations and deployments, the changes that are journalled, and the indexes that follow from them. Nothing here decides anything.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::deployments::Deployment;
use crate::faults::{self, Rule};
use crate::providers;
use crate::wire::errors::Problem;
use crate::wire::ids;

/// A resource group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
    #[serde(default)]
    pub(crate) tags: Value,
    /// The cluster that owns a node resource group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) managed_by: Option<String>,
    /// The operation that deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleting: Option<Uuid>,
}

/// A resource as it is stored: what was PUT plus defaults, without `id`, `name` and `type`, which are derived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// With the casing that was given last.
    pub(crate) id: String,
    /// Canonical casing, from the table of types.
    pub(crate) kind: String,
    pub(crate) body: Value,
    pub(crate) state: Provisioning,
    /// The state before its group began to be deleted, which comes back when that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Provisioning>,
    pub(crate) etag: Uuid,
    /// The operation that is changing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Uuid>,
    /// Power state of what has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) power: Option<Power>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) changed: OffsetDateTime,
    /// Why the last operation failed; shown in instance views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
    /// A digest of what Azure takes but never gives back, to notice a change of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hidden: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Provisioning {
    Creating,
    Updating,
    Succeeded,
    Failed,
    Deleting,
    UpgradingNodeImageVersion,
    Starting,
    Stopping,
}

impl Provisioning {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Provisioning::Creating => "Creating",
            Provisioning::Updating => "Updating",
            Provisioning::Succeeded => "Succeeded",
            Provisioning::Failed => "Failed",
            Provisioning::Deleting => "Deleting",
            Provisioning::UpgradingNodeImageVersion => "UpgradingNodeImageVersion",
            Provisioning::Starting => "Starting",
            Provisioning::Stopping => "Stopping",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Power {
    Starting,
    Running,
    Stopping,
    Stopped,
    Deallocating,
    Deallocated,
}

impl Power {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Power::Starting => "starting",
            Power::Running => "running",
            Power::Stopping => "stopping",
            Power::Stopped => "stopped",
            Power::Deallocating => "deallocating",
            Power::Deallocated => "deallocated",
        }
    }
}

impl Resource {
    pub(crate) fn key(&self) -> String {
        ids::key(&self.id)
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.body.get("location").and_then(Value::as_str)
    }

    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        crate::wire::json::text(&self.body, pointer)
    }

    pub(crate) fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or("")
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }
}

/// Something that takes time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) id: Uuid,
    /// The id of the resource, group or deployment that it changes.
    pub(crate) subject: String,
    pub(crate) effect: Effect,
    pub(crate) status: Status,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) started: OffsetDateTime,
    /// When it ends by itself; `None` while something else decides, or when it hangs on order.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) deadline: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
    /// How it will end, if not well. Moves to `problem` when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) doomed: Option<Problem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
    /// The deployment (its key) that waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Effect {
    Put {
        created: bool,
    },
    Delete,
    DeleteGroup,
    Power(Power),
    NodeImage,
    Deployment,
    /// Nothing changes; this is the answer when it is done.
    Answer(Value),
    /// What is gone already is told to be gone.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    InProgress,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::InProgress => "InProgress",
            Status::Succeeded => "Succeeded",
            Status::Failed => "Failed",
            Status::Canceled => "Canceled",
        }
    }
}

/// One step of a transaction, as it stands in the journal. `None` removes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Change {
    Group(String, Option<Arc<Group>>),
    Resource(String, Option<Arc<Resource>>),
    Deployment(String, Option<Arc<Deployment>>),
    /// A template's text by its digest; many deployments share one.
    Template(String, Option<Arc<str>>),
    Operation(Uuid, Option<Arc<Operation>>),
    /// How far the clock was stepped, in milliseconds.
    Clock(i64),
    Faults(Arc<Vec<Rule>>),
}

/// Everything. Keys are ids in lower case.
#[derive(Debug, Default)]
pub(crate) struct World {
    groups: BTreeMap<String, Arc<Group>>,
    resources: BTreeMap<String, Arc<Resource>>,
    deployments: BTreeMap<String, Arc<Deployment>>,
    templates: BTreeMap<String, Arc<str>>,
    operations: BTreeMap<Uuid, Arc<Operation>>,
    ahead_ms: i64,
    faults: Arc<Vec<Rule>>,
    /// What resources were before each change, the oldest first; only as far back as a rule wants lists to lag, and not journalled.
    past: VecDeque<(OffsetDateTime, String, Option<Arc<Resource>>)>,
    /// Fixed for a run, not journalled.
    pub(crate) settings: Settings,

    due: BTreeSet<(OffsetDateTime, Uuid)>,
    ended: BTreeSet<(OffsetDateTime, Uuid)>,
    kinds: HashMap<String, BTreeSet<String>>,
    users: HashMap<String, BTreeSet<String>>,
    cores: HashMap<(String, String, String), i64>,
    parsed: Mutex<HashMap<String, template::Template>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) subscriptions: Vec<crate::Subscription>,
    pub(crate) cores: Option<i64>,
}

impl World {
    pub(crate) fn group(&self, key: &str) -> Option<&Arc<Group>> {
        self.groups.get(key)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    pub(crate) fn resource(&self, key: &str) -> Option<&Arc<Resource>> {
        self.resources.get(key)
    }

    /// Everything whose id begins with this one and a slash, in order of id.
    pub(crate) fn under(&self, key: &str) -> impl Iterator<Item = (&String, &Arc<Resource>)> {
        let prefix = format!("{key}/");
        self.resources
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// As [`World::under`], as it was at a moment.
    pub(crate) fn under_at(
        &self,
        key: &str,
        at: OffsetDateTime,
    ) -> BTreeMap<String, Arc<Resource>> {
        let mut then: BTreeMap<String, Arc<Resource>> = self
            .under(key)
            .map(|(key, resource)| (key.clone(), resource.clone()))
            .collect();
        let prefix = format!("{key}/");
        for (_, key, before) in self.past.iter().rev().take_while(|(when, ..)| *when > at) {
            if !key.starts_with(&prefix) {
                continue;
            }
            match before {
                Some(before) => then.insert(key.clone(), before.clone()),
                None => then.remove(key),
            };
        }
        then
    }

    /// Keeps what the changes of a transaction undo, for lists that lag.
    pub(crate) fn remember(&mut self, now: OffsetDateTime, undo: &[Change]) {
        let Some(lag) = faults::longest_lag(&self.faults) else {
            self.past.clear();
            return;
        };
        for change in undo {
            if let Change::Resource(key, before) = change {
                self.past.push_back((now, key.clone(), before.clone()));
            }
        }
        while self.past.front().is_some_and(|(at, ..)| *at < now - lag) {
            self.past.pop_front();
        }
    }

    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Arc<Resource>> {
        self.kinds
            .get(&kind.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .filter_map(|key| self.resources.get(key))
    }

    pub(crate) fn deployment(&self, key: &str) -> Option<&Arc<Deployment>> {
        self.deployments.get(key)
    }

    /// The deployments of one scope, not of the groups in it.
    pub(crate) fn deployments_under(
        &self,
        scope_key: &str,
    ) -> impl Iterator<Item = (&String, &Arc<Deployment>)> {
        let prefix = format!("{scope_key}/providers/microsoft.resources/deployments/");
        self.deployments
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
    }

    pub(crate) fn template_text(&self, digest: &str) -> Option<&Arc<str>> {
        self.templates.get(digest)
    }

    /// A stored template, parsed once per run.
    pub(crate) fn template(&self, digest: &str) -> Result<template::Template, template::Error> {
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = parsed.get(digest) {
            return Ok(template.clone());
        }
        let text = self.templates.get(digest).map_or("", |text| text);
        let template = template::Template::parse(text)?;
        parsed.insert(digest.to_owned(), template.clone());
        Ok(template)
    }

    pub(crate) fn operation(&self, id: Uuid) -> Option<&Arc<Operation>> {
        self.operations.get(&id)
    }

    pub(crate) fn faults(&self) -> &Arc<Vec<Rule>> {
        &self.faults
    }

    pub(crate) fn ahead_ms(&self) -> i64 {
        self.ahead_ms
    }

    pub(crate) fn next_due(&self) -> Option<OffsetDateTime> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The first operation whose deadline has come.
    pub(crate) fn due(&self, now: OffsetDateTime) -> Option<Arc<Operation>> {
        let (at, id) = self.due.first()?;
        (*at <= now)
            .then(|| self.operations.get(id).cloned())
            .flatten()
    }

    /// Ended operations, the oldest first, beyond those that are kept for late pollers.
    pub(crate) fn stale_operations(&self, keep: usize) -> Vec<Uuid> {
        let surplus = self.ended.len().saturating_sub(keep);
        self.ended.iter().take(surplus).map(|(_, id)| *id).collect()
    }

    /// The resources that mention this one in their bodies.
    pub(crate) fn users(&self, key: &str) -> impl Iterator<Item = &Arc<Resource>> {
        self.users
            .get(key)
            .into_iter()
            .flatten()
            .filter_map(|key| self.resources.get(key))
    }

    /// vCPUs in use of one family in one region of one subscription.
    pub(crate) fn cores(&self, subscription: &str, location: &str, family: &str) -> i64 {
        self.cores
            .get(&(
                subscription.to_ascii_lowercase(),
                location.to_owned(),
                family.to_ascii_lowercase(),
            ))
            .copied()
            .unwrap_or(0)
    }

    pub(crate) fn counts(&self) -> Value {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for resource in self.resources.values() {
            *kinds.entry(&resource.kind).or_default() += 1;
        }
        let running = self
            .operations
            .values()
            .filter(|operation| operation.status == Status::InProgress)
            .count();
        let mut counts = Map::new();
        counts.insert("resourceGroups".to_owned(), self.groups.len().into());
        counts.insert("deployments".to_owned(), self.deployments.len().into());
        counts.insert("operations".to_owned(), self.operations.len().into());
        counts.insert("operationsInProgress".to_owned(), running.into());
        counts.insert("resources".to_owned(), self.resources.len().into());
        counts.insert("types".to_owned(), serde_json::json!(kinds));
        Value::Object(counts)
    }

    /// All of it as changes: a snapshot.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let groups = self
            .groups
            .iter()
            .map(|(key, value)| Change::Group(key.clone(), Some(value.clone())));
        let resources = self
            .resources
            .iter()
            .map(|(key, value)| Change::Resource(key.clone(), Some(value.clone())));
        let deployments = self
            .deployments
            .iter()
            .map(|(key, value)| Change::Deployment(key.clone(), Some(value.clone())));
        let operations = self
            .operations
            .iter()
            .map(|(id, value)| Change::Operation(*id, Some(value.clone())));
        let templates = self
            .templates
            .iter()
            .map(|(digest, text)| Change::Template(digest.clone(), Some(text.clone())));
        groups
            .chain(resources)
            .chain(templates)
            .chain(deployments)
            .chain(operations)
            .chain([
                Change::Clock(self.ahead_ms),
                Change::Faults(self.faults.clone()),
            ])
            .collect()
    }

    /// Does one change and answers its inverse.
    pub(crate) fn apply(&mut self, change: &Change) -> Change {
        match change {
            Change::Group(key, new) => {
                Change::Group(key.clone(), swap(&mut self.groups, key, new.clone()))
            }
            Change::Deployment(key, new) => {
                Change::Deployment(key.clone(), swap(&mut self.deployments, key, new.clone()))
            }
            Change::Template(digest, new) => Change::Template(
                digest.clone(),
                swap(&mut self.templates, digest, new.clone()),
            ),
            Change::Resource(key, new) => {
                let old = swap(&mut self.resources, key, new.clone());
                if let Some(old) = &old {
                    self.index(key, old, false);
                }
                if let Some(new) = new {
                    self.index(key, new, true);
                }
                Change::Resource(key.clone(), old)
            }
            Change::Operation(id, new) => {
                let old = swap(&mut self.operations, id, new.clone());
                if let Some(old) = &old {
                    self.index_operation(old, false);
                }
                if let Some(new) = new {
                    self.index_operation(new, true);
                }
                Change::Operation(*id, old)
            }
            Change::Clock(ms) => Change::Clock(std::mem::replace(&mut self.ahead_ms, *ms)),
            Change::Faults(rules) => {
                Change::Faults(std::mem::replace(&mut self.faults, rules.clone()))
            }
        }
    }

    fn index_operation(&mut self, operation: &Operation, add: bool) {
        let (set, at) = match (operation.status, operation.deadline, operation.ended) {
            (Status::InProgress, Some(at), _) => (&mut self.due, at),
            (Status::InProgress, None, _) | (_, _, None) => return,
            (_, _, Some(at)) => (&mut self.ended, at),
        };
        if add {
            set.insert((at, operation.id));
        } else {
            set.remove(&(at, operation.id));
        }
    }

    fn index(&mut self, key: &str, resource: &Resource, add: bool) {
        let kind = resource.kind.to_ascii_lowercase();
        let uses = references(&resource.body);
        if add {
            self.kinds.entry(kind).or_default().insert(key.to_owned());
            for used in uses {
                self.users.entry(used).or_default().insert(key.to_owned());
            }
        } else {
            drop_from(&mut self.kinds, &kind, key);
            for used in uses {
                drop_from(&mut self.users, &used, key);
            }
        }
        if let Some((family, cores)) = providers::skus::cores_of(resource)
            && let Some(id) = ids::Id::parse(&resource.id)
        {
            let location = resource.location().unwrap_or("").to_owned();
            let entry = self
                .cores
                .entry((
                    id.subscription.to_ascii_lowercase(),
                    location,
                    family.to_ascii_lowercase(),
                ))
                .or_default();
            *entry += if add { cores } else { -cores };
        }
    }
}

fn swap<K: Ord + Clone, V: ?Sized>(
    map: &mut BTreeMap<K, Arc<V>>,
    key: &K,
    new: Option<Arc<V>>,
) -> Option<Arc<V>> {
    match new {
        Some(new) => map.insert(key.clone(), new),
        None => map.remove(key),
    }
}

fn drop_from(index: &mut HashMap<String, BTreeSet<String>>, name: &str, key: &str) {
    if let Some(keys) = index.get_mut(name) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(name);
        }
    }
}

/// The keys of every resource that a body mentions: members called `id` or known to hold ids, and the names of user-assigned identities.
pub(crate) fn references(body: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(body, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text)
                        if matches!(
                            name.as_str(),
                            "id" | "vnetSubnetID" | "podSubnetID" | "diskEncryptionSetID"
                        ) && is_id(text) =>
                    {
                        found.insert(ids::key(text));
                    }
                    Value::Object(inner) if name == "userAssignedIdentities" => {
                        found.extend(inner.keys().filter(|id| is_id(id)).map(|id| ids::key(id)));
                    }
                    _ => collect(value, found),
                }
            }
        }
        _ => {}
    }
}

fn is_id(text: &str) -> bool {
    text.get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/"))
}
