//! Any resource by its id, without knowing its type: read, exists, delete, write. Values stay JSON, so that nothing unknown is lost on the way back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

use crate::Arm;
use crate::error::{Error, ErrorKind, Result};
use crate::groups::found;
use crate::id::ResourceId;
use crate::long_running::{Started, Verb};
use crate::transport::{Call, CallKind, Repeat};

/// Calls about any resource; see [`Arm::resources`]. The `api-version` is the pinned one of the type, else the newest stable one that its provider names.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    pub(crate) arm: &'a Arm,
}

/// The `api-version` that Slipway is written against for a type. Types are split finely: virtual machines and disks have different versions.
/// Source: the newest stable versions of Azure's published types on 2026-08-20, held back to versions that are a year old where nothing newer is needed.
#[must_use]
pub fn api_version(kind: &str) -> Option<&'static str> {
    let (namespace, rest) = kind.split_once('/')?;
    let first = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
    Some(
        match (namespace.to_ascii_lowercase().as_str(), first.as_str()) {
            (
                "microsoft.compute",
                "disks" | "snapshots" | "diskencryptionsets" | "diskaccesses",
            ) => "2025-01-02",
            (
                "microsoft.compute",
                "virtualmachines"
                | "virtualmachinescalesets"
                | "availabilitysets"
                | "sshpublickeys",
            ) => "2025-04-01",
            ("microsoft.network", _) => "2025-05-01",
            ("microsoft.containerservice", _) => "2026-03-01",
            ("microsoft.resources", "deployments") => crate::groups::API_VERSION,
            ("microsoft.authorization", "locks") => "2020-05-01",
            ("microsoft.authorization", "roleassignments" | "roledefinitions") => "2022-04-01",
            ("microsoft.managedidentity", "userassignedidentities") => "2024-11-30",
            ("microsoft.keyvault", "vaults") => "2026-02-01",
            ("microsoft.maintenance", _) => "2023-04-01",
            ("microsoft.insights", "datacollectionrules" | "datacollectionruleassociations") => {
                "2024-03-11"
            }
            _ => return None,
        },
    )
}

/// The ETag in a resource's body, for the types whose DELETE takes `If-Match`: AKS clusters and node pools
/// (`AgentPools_Delete` and `ManagedClusters_Delete`, REST specification of api-version 2026-03-01; <https://learn.microsoft.com/azure/aks/use-etags>, page of
/// 2024-06-10; both read 2026-11-27). `None` for every other type.
#[must_use]
pub fn etag<'a>(kind: &str, body: &'a Value) -> Option<&'a str> {
    let pointer = match kind.to_ascii_lowercase().as_str() {
        "microsoft.containerservice/managedclusters" => "/eTag",
        "microsoft.containerservice/managedclusters/agentpools" => "/properties/eTag",
        _ => return None,
    };
    body.pointer(pointer)?
        .as_str()
        .filter(|etag| !etag.is_empty())
}

impl Resources<'_> {
    /// Reads a resource, whole.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it does not exist.
    pub async fn get(&self, id: &ResourceId) -> Result<Value> {
        let version = self.version(id).await?;
        self.arm.get(id.as_str(), &version, &[]).await
    }

    /// Reads a resource that may not exist.
    ///
    /// # Errors
    /// Anything but "not found".
    pub async fn find(&self, id: &ResourceId) -> Result<Option<Value>> {
        found(self.get(id).await)
    }

    /// Whether a resource exists. Not every provider answers HEAD; those are asked with GET.
    ///
    /// # Errors
    /// Anything but "not found".
    pub async fn exists(&self, id: &ResourceId) -> Result<bool> {
        let url = self.arm.url(id.as_str(), &self.version(id).await?, &[]);
        let call = Call::new(Method::HEAD, url, CallKind::Read, Repeat::Safe);
        match self.arm.transport().send(call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) if matches!(error.status(), Some(400 | 405)) => {
                Ok(self.find(id).await?.is_some())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a resource. Read it first, change the value, write it back: ARM replaces what is there.
    ///
    /// # Errors
    /// [`ErrorKind::LostAnswer`] when it may have been done.
    pub async fn put(&self, id: &ResourceId, body: Value) -> Result<Started> {
        let url = self.arm.url(id.as_str(), &self.version(id).await?, &[]);
        self.arm
            .write(Verb::Put, Call::put(url, body, Repeat::Unsafe))
            .await
    }

    /// Deletes a resource; `Done` too when it was gone already (ARM answers 204).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when its group or parent is gone, [`ErrorKind::Locked`], [`ErrorKind::Conflict`] (something still uses it).
    pub async fn delete(&self, id: &ResourceId) -> Result<Started> {
        self.delete_call(id, None).await
    }

    /// Deletes a resource as it was read: `etag` is the one that its body had then, sent as it stands in `If-Match`. Only for types whose DELETE is
    /// documented to take one; see [`etag`].
    ///
    /// # Errors
    /// As [`Resources::delete`], and [`ErrorKind::Conflict`] with status 412 when it was changed since.
    pub async fn delete_unchanged(&self, id: &ResourceId, etag: &str) -> Result<Started> {
        let etag = HeaderValue::from_str(etag)
            .map_err(|_| Error::bad_answer("Azure's ETag cannot be sent in a header".to_owned()))?;
        self.delete_call(id, Some(etag)).await
    }

    async fn delete_call(&self, id: &ResourceId, if_match: Option<HeaderValue>) -> Result<Started> {
        let url = self.arm.url(id.as_str(), &self.version(id).await?, &[]);
        let call = Call {
            if_match,
            ..Call::delete(url)
        };
        self.arm.write(Verb::Delete, call).await
    }

    async fn version(&self, id: &ResourceId) -> Result<String> {
        if let Some(version) = api_version(id.kind()) {
            return Ok(version.to_owned());
        }
        let kind = id.kind().to_lowercase();
        if let Some(version) = self.arm.inner.provider_versions.get(&kind) {
            return Ok(version);
        }
        let (namespace, rest) = id.kind().split_once('/').unwrap_or((id.kind(), ""));
        let path = format!("/subscriptions/{}/providers/{namespace}", id.subscription());
        let provider: Provider = self.arm.get(&path, crate::groups::API_VERSION, &[]).await?;
        let version = provider.newest(rest).ok_or_else(|| {
            Error::invalid(
                "UnknownResourceType",
                format!("the provider {namespace} names no api-version for `{rest}`"),
            )
        })?;
        self.arm.inner.provider_versions.put(kind, version.clone());
        Ok(version)
    }
}

#[derive(Deserialize)]
struct Provider {
    #[serde(rename = "resourceTypes", default)]
    types: Vec<ProviderType>,
}

#[derive(Deserialize)]
struct ProviderType {
    #[serde(rename = "resourceType")]
    name: String,
    #[serde(rename = "apiVersions", default)]
    versions: Vec<String>,
}

impl Provider {
    /// The newest stable version, else the newest preview; dates sort as text.
    fn newest(&self, name: &str) -> Option<String> {
        let kind = self
            .types
            .iter()
            .find(|kind| kind.name.eq_ignore_ascii_case(name))?;
        let stable = kind
            .versions
            .iter()
            .filter(|version| version.len() == 10)
            .max();
        stable.or_else(|| kind.versions.iter().max()).cloned()
    }
}

/// Versions that providers named, by type in lower case, for the life of the client.
#[derive(Default)]
pub(crate) struct VersionCache(Mutex<HashMap<String, String>>);

impl VersionCache {
    fn get(&self, kind: &str) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(kind)
            .cloned()
    }

    fn put(&self, kind: String, version: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(kind, version);
    }
}
