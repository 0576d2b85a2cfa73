//! The table of resource types and what all of them have in common: PUT, PATCH, DELETE, showing. What is special to a type lives in its provider's file.
//! How a body becomes a resource is in `providers/draft.rs`, what is checked of any of them in `providers/checks.rs`.

pub(crate) mod agent_pools;
pub(crate) mod authorization;
mod bearer;
mod checks;
pub(crate) mod compute;
pub(crate) mod container_service;
pub(crate) mod disks;
mod draft;
pub(crate) mod identity;
pub(crate) mod images;
pub(crate) mod locks;
pub(crate) mod machines;
mod members;
mod names;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod resources;
pub(crate) mod skus;
pub(crate) mod upgrades;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::{self, Begin};
use crate::state::Tx;
use crate::state::model::{Change, Effect, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::Id;
use crate::wire::json as at;
pub(crate) use checks::{check_version, known, known_kind, normal_location, tags};
pub(crate) use draft::{Condition, Draft, Scene, preflight};
use draft::{Prepared, prepare};

/// One resource type.
pub(crate) struct Kind {
    /// Canonical casing.
    pub(crate) name: &'static str,
    /// Newest first.
    pub(crate) versions: &'static [&'static str],
    pub(crate) habit: Habit,
    pub(crate) patch: Patch,
    /// Whether it has a region of its own.
    pub(crate) located: bool,
    /// Seconds that Azure takes.
    pub(crate) create: f64,
    pub(crate) update: f64,
    pub(crate) delete: f64,
    /// Checks and completes a body; the world is only looked at.
    pub(crate) prepare: fn(&mut Draft<'_>, &Scene<'_>) -> Result<(), Refusal>,
    /// What an accepted PUT makes besides the resource itself.
    pub(crate) accepted: fn(&mut Tx<'_>, &Resource) -> Result<(), Refusal>,
    /// Why it cannot be deleted now.
    pub(crate) blocked: fn(&World, &Resource) -> Result<(), Refusal>,
    /// What goes with it.
    pub(crate) removed: fn(&mut Tx<'_>, &Resource),
    /// Adds what is only derived: to the whole resource as it is shown.
    pub(crate) show: fn(&World, &Resource, &mut Value),
}

/// How a provider does its long-running operations (facts: azure.md 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Answers when it is done.
    Sync,
    Compute,
    Disks,
    Network,
    Aks,
}

/// What a PATCH may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patch {
    /// Whatever a PUT may.
    Merge,
    /// Tags; the rest changes by PUT only.
    Tags,
    /// Tags; the rest is not even read.
    TagsAlone,
    /// The type has no PATCH.
    Never,
}

impl Patch {
    /// Words: <https://github.com/Azure/azure-sdk-for-go/issues/2608>.
    fn allows(self, order: &Order) -> Result<(), Refusal> {
        match self {
            Patch::Tags if order.body.get("properties").is_some() => Err(Refusal::bad(
                "OnlyTagsSupportedForPatch",
                "PATCH request content includes properties property. Only tags property is currently supported.",
            )),
            Patch::Never => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "HttpMethodNotAllowed",
                format!(
                    "The HTTP method 'PATCH' is not supported at scope '{}'.",
                    order.id.text()
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl Kind {
    pub(crate) fn base(
        name: &'static str,
        versions: &'static [&'static str],
        habit: Habit,
    ) -> Kind {
        Kind {
            name,
            versions,
            habit,
            patch: Patch::Merge,
            located: true,
            create: 1.0,
            update: 1.0,
            delete: 1.0,
            prepare: |_, _| Ok(()),
            accepted: |_, _| Ok(()),
            blocked: |_, _| Ok(()),
            removed: |_, _| {},
            show: |_, _, _| {},
        }
    }

    pub(crate) fn namespace(&self) -> &'static str {
        self.name.split_once('/').map_or(self.name, |split| split.0)
    }

    pub(crate) fn short(&self) -> &'static str {
        self.name.split_once('/').map_or(self.name, |split| split.1)
    }
}

/// All types, by name in lower case.
pub(crate) fn kinds() -> &'static BTreeMap<String, Kind> {
    static KINDS: std::sync::OnceLock<BTreeMap<String, Kind>> = std::sync::OnceLock::new();
    KINDS.get_or_init(|| {
        [
            compute::kinds(),
            network::kinds(),
            container_service::kinds(),
            identity::kinds(),
            authorization::kinds(),
            policy::kinds(),
        ]
        .into_iter()
        .flatten()
        .map(|kind| (kind.name.to_ascii_lowercase(), kind))
        .collect()
    })
}

pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    kinds().get(&name.to_ascii_lowercase())
}

/// A PUT or PATCH as it came, over HTTP or from a deployment.
pub(crate) struct Order {
    pub(crate) id: Id,
    pub(crate) body: Value,
    pub(crate) api_version: String,
    pub(crate) patch: bool,
    pub(crate) condition: Option<Condition>,
    pub(crate) doomed: Option<Problem>,
    pub(crate) hang: bool,
    pub(crate) deployment: Option<String>,
}

impl Order {
    /// A plain PUT that no client sent: of what stands in the body of another resource, or in a template.
    pub(crate) fn inner(id: Id, body: Value, api_version: &str) -> Order {
        Order {
            id,
            body,
            api_version: api_version.to_owned(),
            patch: false,
            condition: None,
            doomed: None,
            hang: false,
            deployment: None,
        }
    }
}

/// What came of a PUT.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) id: String,
    pub(crate) operation: Option<Uuid>,
    pub(crate) created: bool,
}

/// Does a PUT or PATCH: checks, stores, and begins the operation that the provider would.
pub(crate) fn put(tx: &mut Tx<'_>, order: Order) -> Result<Put, Refusal> {
    locks::writable(tx, &order.id.text())?;
    let prepared = {
        let scene = Scene::live(tx, tx.now);
        prepare(&scene, &order)?
    };
    let Prepared {
        kind,
        mut resource,
        created,
        doomed,
    } = prepared;
    let key = resource.key();
    if kind.habit != Habit::Sync {
        let seconds = if created { kind.create } else { kind.update };
        let operation = engine::begin(
            tx,
            Begin {
                subject: resource.id.clone(),
                effect: Effect::Put { created },
                seconds: (!order.hang).then_some(seconds),
                doomed,
                deployment: order.deployment,
            },
        );
        resource.operation = Some(operation);
    }
    let put = Put {
        id: resource.id.clone(),
        operation: resource.operation,
        created,
    };
    let resource = Arc::new(resource);
    tx.apply(Change::Resource(key, Some(resource.clone())));
    (kind.accepted)(tx, &resource)?;
    Ok(put)
}

/// Begins a deletion, for a client or for a deployment that clears up. `None`: there is nothing to delete.
pub(crate) fn delete(
    tx: &mut Tx<'_>,
    id: &Id,
    condition: Option<&Condition>,
    doomed: Option<Problem>,
    hang: bool,
    deployment: Option<String>,
) -> Result<Option<Put>, Refusal> {
    let key = id.key();
    // 204 whatever the condition says (facts: azure.md 4.3, ETag matrix).
    let Some(resource) = tx.resource(&key).cloned() else {
        return Ok(None);
    };
    if let Some(condition) = condition {
        condition.check(Some(&resource))?;
    }
    locks::deletable(tx, &resource.id)?;
    let Some(kind) = kind(&resource.kind) else {
        return Ok(None);
    };
    if resource.state == Provisioning::Deleting
        && let Some(operation) = resource.operation
    {
        return Ok(Some(Put {
            id: resource.id.clone(),
            operation: Some(operation),
            created: false,
        }));
    }
    (kind.blocked)(tx, &resource)?;
    if kind.habit == Habit::Sync {
        remove(tx, &key);
        return Ok(Some(Put {
            id: resource.id.clone(),
            operation: None,
            created: false,
        }));
    }
    let operation = engine::begin(
        tx,
        Begin {
            subject: resource.id.clone(),
            effect: Effect::Delete,
            seconds: (!hang).then_some(kind.delete),
            doomed,
            deployment,
        },
    );
    let mut leaving = Resource::clone(&resource);
    leaving.state = Provisioning::Deleting;
    leaving.operation = Some(operation);
    tx.apply(Change::Resource(key, Some(Arc::new(leaving))));
    Ok(Some(Put {
        id: resource.id.clone(),
        operation: Some(operation),
        created: false,
    }))
}

/// Takes a resource out, with its children, what extends it, and what its type says goes along.
pub(crate) fn remove(tx: &mut Tx<'_>, key: &str) {
    let Some(resource) = tx.resource(key).cloned() else {
        return;
    };
    let below: Vec<(String, Arc<Resource>)> = tx
        .under(key)
        .map(|(key, child)| (key.clone(), child.clone()))
        .collect();
    for (key, child) in below {
        engine::preempt(tx, &child);
        tx.apply(Change::Resource(key, None));
    }
    engine::preempt(tx, &resource);
    tx.apply(Change::Resource(key.to_owned(), None));
    if let Some(kind) = kind(&resource.kind) {
        (kind.removed)(tx, &resource);
    }
}

/// A resource as GET shows it.
pub(crate) fn show(world: &World, resource: &Resource, now: OffsetDateTime) -> Value {
    let _ = now;
    let mut shown = Map::new();
    shown.insert("name".to_owned(), resource.name().into());
    shown.insert("id".to_owned(), resource.id.as_str().into());
    shown.insert("type".to_owned(), resource.kind.as_str().into());
    if let Value::Object(body) = &resource.body {
        for (name, value) in body {
            shown.insert(name.clone(), value.clone());
        }
    }
    let mut shown = Value::Object(shown);
    let Some(kind) = kind(&resource.kind) else {
        return shown;
    };
    if kind.habit != Habit::Sync {
        at::set(
            &mut shown,
            "/properties/provisioningState",
            resource.state.name().into(),
        );
    }
    if kind.habit == Habit::Network {
        at::set(
            &mut shown,
            "/etag",
            format!("W/\"{}\"", resource.etag).into(),
        );
        at::default(
            &mut shown,
            "/properties/resourceGuid",
            Uuid::new_v5(&Uuid::NAMESPACE_URL, resource.id.to_lowercase().as_bytes()).to_string(),
        );
    }
    (kind.show)(world, resource, &mut shown);
    shown
}

/// The short form that lists of all resources use. A child has its whole name in it, and a disk the machine that has it attached.
pub(crate) fn summary(world: &World, resource: &Resource, now: OffsetDateTime) -> Value {
    let name = Id::parse(&resource.id).map_or_else(|| resource.name().to_owned(), |id| id.name());
    let mut row = json!({ "id": resource.id, "name": name, "type": resource.kind });
    for name in ["location", "tags", "sku", "kind", "zones", "identity"] {
        if let Some(value) = resource.body.get(name) {
            row[name] = value.clone();
        }
    }
    if resource.is(disks::DISK)
        && let Some(machine) = show(world, resource, now).get("managedBy")
    {
        row["managedBy"] = machine.clone();
    }
    row
}
