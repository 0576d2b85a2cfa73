//! A body on its way to becoming a resource: what it is checked against, what a provider may do with it, and the steps that are the same for all types. Storing it is `providers.rs`.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Habit, Kind, Order, Patch, checks, members, names, policy, skus};
use crate::state::model::{Power, Provisioning, Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
use crate::wire::json as at;

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
            // AKS's are bare; elsewhere they come in quotes, some with `W/` before them.
            (Condition::Is(tag), Some(resource)) => {
                let etag = resource.etag.to_string();
                if resource.kind.starts_with("Microsoft.ContainerService/") {
                    *tag == etag
                } else {
                    tag.contains(&etag)
                }
            }
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

pub(super) struct Prepared {
    pub(super) kind: &'static Kind,
    pub(super) resource: Resource,
    pub(super) created: bool,
    pub(super) doomed: Option<Problem>,
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
    let order = Order::inner(id, body.clone(), api_version);
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

/// Checks and completes a body; nothing is stored.
pub(super) fn prepare(scene: &Scene<'_>, order: &Order) -> Result<Prepared, Refusal> {
    let id = &order.id;
    let kind = checks::known(id, &order.api_version)?;
    if let Some(bad) = id.names.iter().find(|name| !ids::is_name(name)) {
        return Err(Refusal::bad(
            "InvalidResourceName",
            format!(
                "Resource name {bad} is invalid. It cannot contain <, >, %, &, :, \\, ?, / or control characters."
            ),
        ));
    }
    names::check(kind.name, id)?;
    if order.patch {
        kind.patch.allows(order)?;
    }
    let key = id.key();
    let old = scene.world.resource(&key).cloned();
    let old = old.as_deref();
    checks::check_scope(scene, id)?;
    // 404 whatever the condition says (<https://learn.microsoft.com/azure/aks/use-etags>, page of 2024-06-10; of AKS, elsewhere by analogy).
    if order.patch && old.is_none() {
        return Err(Refusal::resource_not_found(
            kind.name,
            &id.name(),
            id.group_name(),
        ));
    }
    if let Some(condition) = &order.condition {
        condition.check(old)?;
    }
    if old.is_some_and(|old| old.state == Provisioning::Deleting) {
        return Err(Refusal::conflict(
            "AnotherOperationInProgress",
            format!("The resource '{}' is being deleted.", id.text()),
        ));
    }
    if !order.body.is_object() {
        return Err(Refusal::bad(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: it is not a JSON object.",
        ));
    }
    // Over HTTP it was refused already; a template can build what no request could carry.
    if at::depth(&order.body) > at::DEEPEST {
        return Err(Refusal::bad("InvalidRequestContent", at::too_deep()));
    }
    checks::envelope(&order.body)?;
    let mut body = body_of(kind, order, old)?;
    let location = checks::location(kind, scene, id, &mut body, old)?;
    checks::tags(&body)?;
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
    checks::references_exist(&draft, scene)?;
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
        before: None,
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

/// The new body: a PUT's own, or the old one with a patch merged in. Identity, type and read-only members never come from the body.
fn body_of(kind: &Kind, order: &Order, old: Option<&Resource>) -> Result<Value, Refusal> {
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
    let mut given = members::read(kind, given)?;
    if let (true, Patch::TagsAlone, Value::Object(given)) = (order.patch, kind.patch, &mut given) {
        given.retain(|name, _| name == "tags");
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
    Ok(body)
}
