//! The table of resource types and what all of them have in common: PUT, PATCH, DELETE, showing. What is special to a type lives in its provider's file.

pub(crate) mod agent_pools;
pub(crate) mod authorization;
pub(crate) mod compute;
pub(crate) mod container_service;
pub(crate) mod disks;
pub(crate) mod identity;
pub(crate) mod images;
pub(crate) mod machines;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod resources;
pub(crate) mod skus;
pub(crate) mod upgrades;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::engine::{self, Begin};
use crate::seed;
use crate::state::Tx;
use crate::state::model::{Change, Effect, Power, Provisioning, Resource, World, references};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

/// One resource type.
pub(crate) struct Kind {
    /// Canonical casing.
    pub(crate) name: &'static str,
    /// Newest first.
    pub(crate) versions: &'static [&'static str],
    pub(crate) habit: Habit,
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

/// `If-Match` and `If-None-Match: *`.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Exists,
    Is(String),
    Absent,
}

impl Condition {
    pub(crate) fn check(&self, resource: Option<&Resource>) -> Result<(), Refusal> {
        let holds = match (self, resource) {
            (Condition::Absent, found) => found.is_none(),
            (Condition::Exists, found) => found.is_some(),
            (Condition::Is(tag), Some(resource)) => tag.contains(&resource.etag.to_string()),
            (Condition::Is(_), None) => false,
        };
        if holds {
            Ok(())
        } else {
            Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "The condition of the If-Match or If-None-Match header is not met.",
            ))
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

/// What a body is checked against.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    /// Keys of what the same deployment will make.
    pub(crate) planned: BTreeSet<String>,
    pub(crate) preflight: bool,
    pub(crate) now: OffsetDateTime,
    /// vCPUs that earlier resources of the same preflight asked for, by subscription, region and family.
    pub(crate) cores: BTreeMap<(String, String, String), i64>,
}

impl Scene<'_> {
    pub(crate) fn live(world: &World, now: OffsetDateTime) -> Scene<'_> {
        Scene {
            world,
            planned: BTreeSet::new(),
            preflight: false,
            now,
            cores: BTreeMap::new(),
        }
    }

    pub(crate) fn exists(&self, key: &str) -> bool {
        self.planned.contains(key)
            || self
                .world
                .resource(key)
                .is_some_and(|found| found.state != Provisioning::Deleting)
    }
}

/// A body on its way to becoming a resource.
pub(crate) struct Draft<'a> {
    pub(crate) id: &'a Id,
    pub(crate) old: Option<&'a Resource>,
    pub(crate) body: Value,
    pub(crate) api_version: &'a str,
    pub(crate) location: String,
    pub(crate) hidden: Option<String>,
    pub(crate) power: Option<Power>,
    pub(crate) doomed: Option<Problem>,
}

impl Draft<'_> {
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        at::text(&self.body, pointer)
    }

    pub(crate) fn flag(&self, pointer: &str) -> bool {
        at::flag(&self.body, pointer).unwrap_or(false)
    }

    pub(crate) fn default(&mut self, pointer: &str, value: impl Into<Value>) {
        at::default(&mut self.body, pointer, value);
    }

    pub(crate) fn require(&self, pointer: &str) -> Result<(), Refusal> {
        if at::present(&self.body, pointer) {
            return Ok(());
        }
        let path = pointer
            .trim_start_matches('/')
            .trim_start_matches("properties/")
            .replace('/', ".");
        Err(Refusal::required(&path))
    }

    /// Refuses a change of what cannot change; what the new body does not mention stays.
    pub(crate) fn keep(&mut self, pointer: &str) -> Result<(), Refusal> {
        let Some(before) = self.old.and_then(|old| old.body.pointer(pointer)).cloned() else {
            return Ok(());
        };
        match self.body.pointer(pointer) {
            None => at::set(&mut self.body, pointer, before),
            Some(now) if template::has_unknown(now) => {}
            Some(now) if same(now, &before) => {}
            Some(_) => {
                let path = pointer
                    .trim_start_matches('/')
                    .trim_start_matches("properties/")
                    .replace('/', ".");
                return Err(Refusal::unchangeable(&path));
            }
        }
        Ok(())
    }
}

/// Enums and ids compare without case, and an empty list is no list.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

struct Prepared {
    kind: &'static Kind,
    resource: Resource,
    created: bool,
    doomed: Option<Problem>,
}

/// Whether a provider would take this resource, without making it. Asked-for cores add up in the scene.
pub(crate) fn preflight(
    scene: &mut Scene<'_>,
    id: &str,
    api_version: &str,
    body: &Value,
) -> Result<(), Refusal> {
    let Some(id) = Id::parse(id) else {
        return Err(Refusal::bad(
            "InvalidTemplate",
            format!("'{id}' is not a resource id."),
        ));
    };
    let order = Order {
        id,
        body: body.clone(),
        api_version: api_version.to_owned(),
        patch: false,
        condition: None,
        doomed: None,
        hang: false,
        deployment: None,
    };
    let prepared = prepare(scene, &order)?;
    if let Some((family, cores)) = skus::cores_of(&prepared.resource) {
        let before = scene
            .world
            .resource(&prepared.resource.key())
            .and_then(|old| skus::cores_of(old))
            .filter(|(old, _)| *old == family)
            .map_or(0, |(_, cores)| cores);
        let key = (
            order.id.subscription.to_ascii_lowercase(),
            prepared.resource.location().unwrap_or("").to_owned(),
            family.to_ascii_lowercase(),
        );
        *scene.cores.entry(key).or_default() += cores - before;
    }
    Ok(())
}

/// Checks that the type exists and knows the version.
pub(crate) fn known(id: &Id, api_version: &str) -> Result<&'static Kind, Refusal> {
    known_kind(&id.kind(), api_version)
}

pub(crate) fn known_kind(name: &str, api_version: &str) -> Result<&'static Kind, Refusal> {
    let Some(kind) = kind(name) else {
        let (namespace, short) = name.split_once('/').unwrap_or((name, ""));
        let served = kinds()
            .values()
            .any(|kind| kind.namespace().eq_ignore_ascii_case(namespace));
        return Err(if served {
            Refusal::missing(
                "InvalidResourceType",
                format!(
                    "The resource type '{short}' could not be found in the namespace '{namespace}' for api version '{api_version}'."
                ),
            )
        } else {
            Refusal::missing(
                "InvalidResourceNamespace",
                format!("The resource namespace '{namespace}' is invalid."),
            )
        });
    };
    check_version(kind.short(), kind.versions, api_version)?;
    Ok(kind)
}

pub(crate) fn check_version(
    short: &str,
    versions: &[&str],
    api_version: &str,
) -> Result<(), Refusal> {
    if versions
        .iter()
        .any(|version| version.eq_ignore_ascii_case(api_version))
    {
        return Ok(());
    }
    Err(Refusal::bad(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location '{}' and API version '{api_version}' for type '{short}'. The supported api-versions are '{}'. The supported locations are '{}'.",
            seed::REGIONS[0],
            versions.join(", "),
            seed::REGIONS.join(", "),
        ),
    )
    .by_gateway())
}

fn prepare(scene: &Scene<'_>, order: &Order) -> Result<Prepared, Refusal> {
    let id = &order.id;
    let kind = known(id, &order.api_version)?;
    if let Some(bad) = id.names.iter().find(|name| !ids::is_name(name)) {
        return Err(Refusal::bad(
            "InvalidResourceName",
            format!(
                "Resource name {bad} is invalid. It cannot contain <, >, %, &, :, \\, ?, / or control characters."
            ),
        ));
    }
    let key = id.key();
    let old = scene.world.resource(&key).cloned();
    let old = old.as_deref();
    check_scope(scene, id)?;
    if let Some(condition) = &order.condition {
        condition.check(old)?;
    }
    if old.is_some_and(|old| old.state == Provisioning::Deleting) {
        return Err(Refusal::conflict(
            "AnotherOperationInProgress",
            format!("The resource '{}' is being deleted.", id.text()),
        ));
    }
    if order.patch && old.is_none() {
        return Err(Refusal::resource_not_found(
            kind.name,
            &id.name(),
            id.group_name(),
        ));
    }
    if !order.body.is_object() {
        return Err(Refusal::bad(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: it is not a JSON object.",
        ));
    }
    let mut body = body_of(order, old);
    let location = location(kind, scene, id, &mut body, old)?;
    tags(&body)?;
    policy::allows(scene.world, id, kind.name, &body, scene.now)?;

    let mut draft = Draft {
        id,
        old,
        body,
        api_version: &order.api_version,
        location,
        hidden: old.and_then(|old| old.hidden.clone()),
        power: old.and_then(|old| old.power),
        doomed: order.doomed.clone(),
    };
    // Before the type adds ids of what it will make itself.
    references_exist(&draft, scene)?;
    (kind.prepare)(&mut draft, scene)?;

    let sync = kind.habit == Habit::Sync;
    let state = match (sync, old) {
        (true, _) => Provisioning::Succeeded,
        (false, None) => Provisioning::Creating,
        (false, Some(_)) => Provisioning::Updating,
    };
    let (hidden, power, doomed) = (draft.hidden, draft.power, draft.doomed);
    let resource = Resource {
        id: canonical(kind, id).text(),
        kind: kind.name.to_owned(),
        body: draft.body,
        state,
        etag: Uuid::new_v4(),
        operation: None,
        power,
        created: old.map_or(scene.now, |old| old.created),
        changed: scene.now,
        problem: None,
        hidden,
    };
    Ok(Prepared {
        kind,
        resource,
        created: old.is_none(),
        doomed,
    })
}

/// The type's own casing, the names as given.
fn canonical(kind: &Kind, id: &Id) -> Id {
    let mut canonical = id.clone();
    kind.namespace().clone_into(&mut canonical.namespace);
    canonical.types = kind.short().split('/').map(str::to_owned).collect();
    canonical
}

fn check_scope(scene: &Scene<'_>, id: &Id) -> Result<(), Refusal> {
    if id.group.is_some() {
        let key = ids::key(&id.scope());
        match scene.world.group(&key) {
            None if scene.planned.contains(&key) => {}
            None => return Err(Refusal::group_not_found(id.group_name())),
            Some(group) if group.deleting.is_some() => {
                return Err(Refusal::conflict(
                    "ResourceGroupBeingDeleted",
                    format!(
                        "The resource group '{}' is in deprovisioning state and cannot perform this operation.",
                        group.name
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    if let Some(parent) = id.parent()
        && !scene.exists(&parent.key())
    {
        return Err(Refusal::missing(
            "ParentResourceNotFound",
            format!(
                "Failed to perform 'write' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
                id.types.join("/"),
                parent.text()
            ),
        ));
    }
    if !id.extends.is_empty()
        && let Some(extended) = Id::parse(&id.extends)
        // Scopes of types that are not served here, such as a management group, are taken as they are given.
        && kind(&extended.kind()).is_some()
        && !scene.exists(&extended.key())
    {
        return Err(Refusal::resource_not_found(
            &extended.kind(),
            &extended.name(),
            extended.group_name(),
        ));
    }
    Ok(())
}

/// The new body: a PUT's own, or the old one with a patch merged in. Identity, type and read-only members never come from the body.
fn body_of(order: &Order, old: Option<&Resource>) -> Value {
    let mut given = order.body.clone();
    if let Value::Object(map) = &mut given {
        for name in [
            "id",
            "name",
            "type",
            "apiVersion",
            "etag",
            "systemData",
            "resources",
        ] {
            map.shift_remove(name);
        }
    }
    let mut body = match (order.patch, old) {
        (true, Some(old)) => {
            let mut body = old.body.clone();
            // PATCH replaces the tags as a whole (facts: azure.md 4.1).
            if given.get("tags").is_some() {
                at::remove(&mut body, "/tags");
            }
            at::merge(&mut body, &given);
            body
        }
        _ => given,
    };
    at::strip_nulls(&mut body);
    at::remove(&mut body, "/properties/provisioningState");
    body
}

fn location(
    kind: &Kind,
    scene: &Scene<'_>,
    id: &Id,
    body: &mut Value,
    old: Option<&Resource>,
) -> Result<String, Refusal> {
    if !kind.located {
        at::remove(body, "/location");
        let owner = id
            .parent()
            .and_then(|parent| scene.world.resource(&parent.key()))
            .and_then(|parent| parent.location());
        return Ok(owner.unwrap_or(seed::REGIONS[0]).to_owned());
    }
    let Some(given) = at::text(body, "/location") else {
        if body.get("location").is_some_and(template::is_unknown) {
            return Ok(seed::REGIONS[0].to_owned());
        }
        return Err(Refusal::bad(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    };
    let location = normal_location(given);
    if !seed::REGIONS.contains(&location.as_str()) {
        return Err(Refusal::bad(
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{given}' is not available for resource type '{}'. List of available regions for the resource type is '{}'.",
                kind.name,
                seed::REGIONS.join(",")
            ),
        ));
    }
    if let Some(before) = old.and_then(Resource::location)
        && before != location
    {
        return Err(Refusal::conflict(
            "InvalidResourceLocation",
            format!(
                "The resource '{}' already exists in location '{before}' in resource group '{}'. A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
                id.last_name(),
                id.group_name()
            ),
        ));
    }
    at::set(body, "/location", location.as_str().into());
    Ok(location)
}

/// `West Europe` is `westeurope`.
pub(crate) fn normal_location(name: &str) -> String {
    name.replace(' ', "").to_ascii_lowercase()
}

pub(crate) fn tags(body: &Value) -> Result<(), Refusal> {
    let Some(tags) = body.get("tags") else {
        return Ok(());
    };
    if template::is_unknown(tags) {
        return Ok(());
    }
    let Some(tags) = tags.as_object() else {
        return Err(Refusal::bad(
            "InvalidRequestContent",
            "The request content was invalid: 'tags' must be an object.",
        ));
    };
    if tags.len() > 50 {
        return Err(Refusal::bad(
            "InvalidTags",
            "The number of tags exceeds the maximum of 50.",
        ));
    }
    for (name, value) in tags {
        let fits = template::is_unknown(value)
            || value
                .as_str()
                .is_some_and(|value| value.chars().count() <= 256);
        if name.chars().count() > 512 || name.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            return Err(Refusal::bad(
                "InvalidTagNameCharacters",
                format!(
                    "The tag name '{name}' is too long or has one of the reserved characters '<,>,%,&,\\,?,/'."
                ),
            ));
        }
        if !fits {
            return Err(Refusal::bad(
                "InvalidTagValue",
                format!("The value of tag '{name}' must be a text of at most 256 characters."),
            ));
        }
    }
    Ok(())
}

/// What a body points at must be there, as far as the simulator has such a type at all.
fn references_exist(draft: &Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    let own = draft.id.key();
    for key in references(&draft.body) {
        let Some(id) = Id::parse(&key) else { continue };
        if kind(&id.kind()).is_none() || key.starts_with(&own) || scene.exists(&key) {
            continue;
        }
        let network = draft.id.namespace.eq_ignore_ascii_case("Microsoft.Network");
        return Err(if network {
            Refusal::bad(
                "InvalidResourceReference",
                format!(
                    "Resource {key} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
                    draft.id.text()
                ),
            )
        } else {
            Refusal {
                gateway: false,
                ..Refusal::new(
                    StatusCode::NOT_FOUND,
                    "NotFound",
                    format!(
                        "Resource {key} referenced by {} was not found.",
                        draft.id.text()
                    ),
                )
            }
        });
    }
    Ok(())
}

/// Does a PUT or PATCH: checks, stores, and begins the operation that the provider would.
pub(crate) fn put(tx: &mut Tx<'_>, order: Order) -> Result<Put, Refusal> {
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

/// Begins a deletion. `None`: there is nothing to delete.
pub(crate) fn delete(
    tx: &mut Tx<'_>,
    id: &Id,
    condition: Option<&Condition>,
    doomed: Option<Problem>,
    hang: bool,
) -> Result<Option<Put>, Refusal> {
    let key = id.key();
    // 204 whatever the condition says (facts: azure.md 4.3, ETag matrix).
    let Some(resource) = tx.resource(&key).cloned() else {
        return Ok(None);
    };
    if let Some(condition) = condition {
        condition.check(Some(&resource))?;
    }
    authorization::unlocked(tx, &key)?;
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
            deployment: None,
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
    let below: Vec<String> = tx.under(key).map(|(key, _)| key.clone()).collect();
    for child in below {
        tx.apply(Change::Resource(child, None));
    }
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

/// The short form that lists of all resources use.
pub(crate) fn summary(resource: &Resource) -> Value {
    let mut shown = json!({ "id": resource.id, "name": resource.name(), "type": resource.kind });
    for name in [
        "location",
        "tags",
        "sku",
        "kind",
        "zones",
        "identity",
        "managedBy",
    ] {
        if let Some(value) = resource.body.get(name) {
            shown[name] = value.clone();
        }
    }
    shown
}
