//! What management locks forbid (<https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>): deleting, or every change and action.
//!
//! ARM looks at them before a provider hears of a request, so they hold for what does not exist yet, and for actions that only read.

use http::Method;

use super::authorization::scope_of;
use crate::state::model::{Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids;

const BELOW_SCOPE: &str = "providers/microsoft.authorization/locks";

/// Refuses a request that a lock of its scope, or of one above, forbids. Locks themselves can always be changed and taken away.
pub(crate) fn allow(world: &World, method: &Method, path: &str) -> Result<(), Refusal> {
    let key = ids::key(path.trim_end_matches('/'));
    if *method == Method::GET || *method == Method::HEAD || key.contains(BELOW_SCOPE) {
        return Ok(());
    }
    let delete = *method == Method::DELETE;
    let binding = above(world, &key)
        .find(|lock| delete || lock.text("/properties/level") == Some("ReadOnly"));
    match binding {
        Some(lock) => Err(refusal(path, lock, delete)),
        None => Ok(()),
    }
}

/// Refuses to write what a ReadOnly lock of the resource's scope, or of one above, protects.
pub(crate) fn writable(world: &World, id: &str) -> Result<(), Refusal> {
    allow(world, &Method::PUT, id)
}

/// Refuses to delete what is locked: itself, something above it or something below it.
pub(crate) fn deletable(world: &World, id: &str) -> Result<(), Refusal> {
    allow(world, &Method::DELETE, id)?;
    let key = ids::key(id);
    if key.contains(BELOW_SCOPE) {
        return Ok(());
    }
    match world.under(&key).find(|(key, _)| is_lock(key)) {
        Some((_, lock)) => Err(refusal(id, lock, true)),
        None => Ok(()),
    }
}

fn is_lock(key: &str) -> bool {
    key.rsplit_once('/')
        .is_some_and(|(scope, _)| scope.ends_with(BELOW_SCOPE))
}

/// The locks of this scope and of all above it, the highest first.
fn above<'a>(world: &'a World, key: &'a str) -> impl Iterator<Item = &'a Resource> {
    let ends = key
        .match_indices('/')
        .map(|(at, _)| at)
        .filter(|at| *at > 0)
        .chain([key.len()]);
    ends.flat_map(move |end| {
        let scope = &key[..end];
        world
            .under(&format!("{scope}/{BELOW_SCOPE}"))
            .map(|(_, lock)| &**lock)
            .collect::<Vec<_>>()
    })
}

fn refusal(path: &str, lock: &Resource, delete: bool) -> Refusal {
    let scope = ids::Id::parse(&lock.id).map_or_else(String::new, |id| scope_of(&id));
    let act = if delete { "delete" } else { "write" };
    Refusal::conflict(
        "ScopeLocked",
        format!(
            "The scope '{path}' cannot perform {act} operation because following scope(s) are locked: '{scope}'. Please remove the lock and try again."
        ),
    )
    .by_gateway()
}
