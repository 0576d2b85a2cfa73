//! Management locks on groups and resources. Reference: Microsoft.Authorization/locks 2020-05-01.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Arm;
use crate::error::Result;
use crate::id::{GroupId, ResourceId, check_segment};
use crate::long_running::{Started, Verb};
use crate::transport::{Call, Repeat};

const API_VERSION: &str = "2020-05-01";

/// Calls about locks; see [`Arm::locks`]. They need the right `Microsoft.Authorization/locks/*`, which Contributor lacks.
#[derive(Clone, Copy)]
pub struct Locks<'a> {
    pub(crate) arm: &'a Arm,
}

/// What a lock forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockLevel {
    /// Changes are allowed, deletion is not.
    CanNotDelete,
    /// Neither.
    ReadOnly,
}

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Its id; what comes before `/providers/Microsoft.Authorization/locks/` is what it protects.
    pub id: String,
    /// Its name.
    pub name: String,
    properties: LockProperties,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockProperties {
    level: LockLevel,
    #[serde(default)]
    notes: Option<String>,
}

impl Lock {
    /// What it forbids.
    #[must_use]
    pub fn level(&self) -> LockLevel {
        self.properties.level
    }

    /// Why it is there.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.properties.notes.as_deref()
    }
}

impl Locks<'_> {
    /// The locks that hold for a group: its own and those of the subscription and of what is in it.
    ///
    /// # Errors
    /// As any read.
    pub async fn of_group(&self, group: &GroupId) -> Result<Vec<Lock>> {
        let path = format!("{group}/providers/Microsoft.Authorization/locks");
        self.arm.list(&path, API_VERSION, &[]).await
    }

    /// Locks a group. ARM answers at once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] without the right.
    pub async fn put_on_group(
        &self,
        group: &GroupId,
        name: &str,
        level: LockLevel,
        notes: &str,
    ) -> Result<Started> {
        self.put(&group.to_string(), name, level, notes).await
    }

    /// Locks a resource. ARM answers at once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forbidden`] without the right.
    pub async fn put_on_resource(
        &self,
        resource: &ResourceId,
        name: &str,
        level: LockLevel,
        notes: &str,
    ) -> Result<Started> {
        self.put(resource.as_str(), name, level, notes).await
    }

    /// Takes a lock away. It takes minutes until ARM forgets it everywhere.
    ///
    /// # Errors
    /// As any write.
    pub async fn delete(&self, lock: &ResourceId) -> Result<Started> {
        let url = self.arm.url(lock.as_str(), API_VERSION, &[]);
        self.arm.write(Verb::Delete, Call::delete(url)).await
    }

    async fn put(&self, scope: &str, name: &str, level: LockLevel, notes: &str) -> Result<Started> {
        let name = check_segment(name)?;
        let path = format!("{scope}/providers/Microsoft.Authorization/locks/{name}");
        let url = self.arm.url(&path, API_VERSION, &[]);
        let body = json!({ "properties": { "level": level, "notes": notes } });
        self.arm
            .write(Verb::Put, Call::put(url, body, Repeat::Safe))
            .await
    }
}
