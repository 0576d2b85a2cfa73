//! The door to what only the cloud knows. Values that nobody knows yet are explicit unknowns.

use std::fmt;

use serde_json::{Map, Value};

use crate::Error;

pub(crate) use types::unknown::MARK;
pub use types::unknown::is_unknown;

/// Answers what a template asks about live resources. `Ok(None)` means *not known*: the expression becomes an unknown.
pub trait Runtime {
    /// `reference(id)`: the resource's `properties`, or the whole resource where `full`.
    ///
    /// # Errors
    /// Whatever the cloud says, such as `ResourceNotFound`; make it with [`Error::runtime`].
    fn reference(
        &self,
        id: &str,
        api_version: Option<&str>,
        full: bool,
    ) -> Result<Option<Value>, Error>;

    /// `listKeys(id, …)` and every other function whose name begins with `list`; `function` is the name as written.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn list(
        &self,
        function: &str,
        id: &str,
        api_version: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, Error>;

    /// The template that a nested deployment links to, as JSON. `Ok(None)` ends the evaluation with
    /// [`Error::LinkedTemplate`]: what a linked template holds cannot be planned without it.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn linked(&self, _link: &Link) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    /// What is known of a tenant (`/tenants/{id}`: `countryCode`, `displayName`), a subscription (`/subscriptions/{id}`:
    /// `displayName`) or a management group (its id: `properties`), as an object of these members. The functions `tenant()`,
    /// `subscription()` and `managementGroup()` show them; a member that is not there is an unknown.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn scope(&self, _id: &str) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    /// `providers(namespace)`, all types of a resource provider, or with `kind` (`sites`, without the namespace) one of them:
    /// `resourceType`, `locations`, `apiVersions`.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn providers(&self, _namespace: &str, _kind: Option<&str>) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    /// `deployer()`: `objectId`, `tenantId` and `userPrincipalName` of who deploys.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn deployer(&self) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    /// `pickZones(provider, type, location, …)`: the zones as an array of strings.
    ///
    /// # Errors
    /// As [`Runtime::reference`].
    fn zones(
        &self,
        _kind: &str,
        _location: &str,
        _count: usize,
        _offset: usize,
    ) -> Result<Option<Vec<String>>, Error> {
        Ok(None)
    }
}

/// Where a linked template is: `templateLink` of a nested deployment, evaluated. One of `uri`, `id` and `relative_path` is there.
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/linked-templates>.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Its address.
    pub uri: Option<String>,
    /// The resource id of a template spec's version.
    pub id: Option<String>,
    /// Its path, relative to the template that links to it.
    pub relative_path: Option<String>,
    /// What is added to the address, such as a signature. Secret: never shown.
    pub query: Option<String>,
    /// The `contentVersion` that it must have.
    pub content_version: Option<String>,
}

impl fmt::Display for Link {
    /// The address, id or path, without the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self
            .uri
            .as_deref()
            .map(|uri| uri.split('?').next().unwrap_or(uri));
        let place = place
            .or(self.id.as_deref())
            .or(self.relative_path.as_deref());
        f.write_str(place.unwrap_or("(no address)"))
    }
}

/// The runtime of a plan: nothing is known before Azure is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknown;

impl Runtime for Unknown {
    fn reference(
        &self,
        _id: &str,
        _api_version: Option<&str>,
        _full: bool,
    ) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn list(
        &self,
        _function: &str,
        _id: &str,
        _api_version: Option<&str>,
        _body: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        Ok(None)
    }
}

/// Whether this value is, or holds anywhere inside, an unknown.
#[must_use]
pub fn has_unknown(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(members) => is_unknown(value) || members.values().any(has_unknown),
        _ => false,
    }
}

/// The unknown that stands for this expression.
#[must_use]
pub fn unknown(expression: impl Into<String>) -> Value {
    let mut object = Map::new();
    object.insert(MARK.to_owned(), Value::String(expression.into()));
    Value::Object(object)
}
