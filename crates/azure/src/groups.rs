//! Resource groups: read, make, delete, and what is in them. Reference: Microsoft.Resources 2025-04-01.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Arm;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, SubscriptionId, check_segment};
use crate::long_running::{Started, Verb};
use crate::transport::{Call, CallKind, Repeat};

pub(crate) const API_VERSION: &str = "2025-04-01";

/// Calls about resource groups; see [`Arm::groups`].
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    pub(crate) arm: &'a Arm,
}

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name, in the case it was last written with.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The resource that made it (a cluster's node group), if one did.
    #[serde(rename = "managedBy", default)]
    pub managed_by: Option<String>,
    #[serde(default)]
    properties: GroupProperties,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct GroupProperties {
    #[serde(rename = "provisioningState", default)]
    provisioning_state: String,
}

impl Group {
    /// `Succeeded`, `Deleting`, ….
    #[must_use]
    pub fn provisioning_state(&self) -> &str {
        &self.properties.provisioning_state
    }

    /// A tag's value; tag names compare without regard to case.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A row of a resource list: enough to know what it is, not its properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenericResource {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its full type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its region.
    #[serde(default)]
    pub location: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The resource that made it, if one did.
    #[serde(rename = "managedBy", default)]
    pub managed_by: Option<String>,
}

impl Groups<'_> {
    /// Reads a group.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it does not exist.
    pub async fn get(&self, id: &GroupId) -> Result<Group> {
        self.arm.get(&id.to_string(), API_VERSION, &[]).await
    }

    /// Reads a group that may not exist.
    ///
    /// # Errors
    /// Anything but "not found".
    pub async fn find(&self, id: &GroupId) -> Result<Option<Group>> {
        found(self.get(id).await)
    }

    /// The groups of a subscription.
    ///
    /// # Errors
    /// As any read.
    pub async fn list(&self, subscription: &SubscriptionId) -> Result<Vec<Group>> {
        let path = format!("/subscriptions/{subscription}/resourcegroups");
        self.arm.list(&path, API_VERSION, &[]).await
    }

    /// Makes a group, or replaces its tags; ARM answers at once. The region of an existing group cannot change ([`ErrorKind::Conflict`]).
    /// `tags` is the whole map: read the group first to keep others'.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`], [`ErrorKind::Policy`], [`ErrorKind::Conflict`] (`InvalidResourceGroupLocation`, `ResourceGroupBeingDeleted`).
    pub async fn put(
        &self,
        id: &GroupId,
        location: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Started> {
        check_segment(location)?;
        let url = self.arm.url(&id.to_string(), API_VERSION, &[]);
        let body = json!({ "location": location, "tags": tags });
        self.arm
            .write(Verb::Put, Call::put(url, body, Repeat::Safe))
            .await
    }

    /// Deletes a group and everything in it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when it is gone already; [`ErrorKind::Locked`] when a lock stands in the way.
    pub async fn delete(&self, id: &GroupId) -> Result<Started> {
        let url = self.arm.url(&id.to_string(), API_VERSION, &[]);
        self.arm.write(Verb::Delete, Call::delete(url)).await
    }

    /// What is in a group, all pages.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the group does not exist.
    pub async fn resources(&self, id: &GroupId) -> Result<Vec<GenericResource>> {
        let path = format!("{id}/resources");
        self.arm.list(&path, API_VERSION, &[]).await
    }
}

/// "Not found" as `None`.
pub(crate) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Typed reading of an answer.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|error| Error::bad_answer(format!("Azure's answer has another shape: {error}")))
}

impl TryFrom<serde_json::Value> for Group {
    type Error = Error;

    fn try_from(value: serde_json::Value) -> Result<Self> {
        typed(value)
    }
}

/// The four verbs that every group of calls is made of.
impl Arm {
    pub(crate) fn url(&self, path: &str, api_version: &str, query: &[(&str, &str)]) -> url::Url {
        self.transport().url(path, api_version, query)
    }

    pub(crate) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        api_version: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let call = Call::get(self.url(path, api_version, query), CallKind::Read);
        typed(self.transport().send(call).await?.body)
    }

    /// All pages of a list. `nextLink` must stay at the endpoint.
    pub(crate) async fn list<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        api_version: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>> {
        self.list_as(CallKind::Read, path, api_version, query).await
    }

    /// As [`Arm::list`], counted as what it is for: a look at how far something is waits behind the looks before a write.
    pub(crate) async fn list_as<T: serde::de::DeserializeOwned>(
        &self,
        kind: CallKind,
        path: &str,
        api_version: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Page<T> {
            value: Vec<T>,
            #[serde(rename = "nextLink", default)]
            next_link: Option<String>,
        }
        /// A list that leads in circles ends here.
        const PAGES: usize = 1000;
        let mut url = self.url(path, api_version, query);
        let mut items = Vec::new();
        for _ in 0..PAGES {
            let call = Call::get(url, kind);
            let page: Page<T> = typed(self.transport().send(call).await?.body)?;
            items.extend(page.value);
            match page.next_link.filter(|link| !link.is_empty()) {
                Some(link) => url = self.transport().own_url(&link)?,
                None => return Ok(items),
            }
        }
        Err(Error::bad_answer("a list of Azure has no end"))
    }

    pub(crate) async fn write(&self, verb: Verb, call: Call) -> Result<Started> {
        let url = call.url.clone();
        let answer = self.transport().send(call).await?;
        crate::long_running::started(self.transport(), url, verb, answer)
    }
}
