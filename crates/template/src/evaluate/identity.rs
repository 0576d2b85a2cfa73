//! Which resource an instance is: its name, its id, where it goes. How many there are is in `expand`.

use std::rc::Rc;

use serde_json::Value;

use super::scope::resource_id;
use super::{Binding, Deployment, Instance, Scope};
use crate::functions::text_of;
use crate::runtime::{MARK, is_unknown};
use crate::schema::called;
use crate::template::Declared;
use crate::{Error, place};

/// Which resource an instance is.
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) api_version: String,
}

impl Deployment<'_> {
    /// What the resource with this symbolic name (`vm`, `vm[2]`) is, also while names are being made: then its own name is made
    /// apart. `None` where there is no such resource.
    pub(crate) fn identity(self: &Rc<Self>, name: &str) -> Result<Option<Identity>, Error> {
        let is = |given: Option<&String>, name: &str| {
            given.is_some_and(|given| given.eq_ignore_ascii_case(name))
        };
        let (base, index) = match name.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((base, index)) => (base, index.parse::<usize>().ok()),
            None => (name, None),
        };
        let Some((position, declared)) = (self.template.resources.iter().enumerate())
            .find(|(_, declared)| is(declared.symbolic_name.as_ref(), base))
        else {
            return Ok(None);
        };
        let identity = |instance: &Instance| Identity {
            id: instance.id.clone(),
            name: instance.name.clone(),
            kind: declared.kind.clone(),
            api_version: instance.api_version.clone(),
        };
        if !self.is_expanding() {
            let found = self
                .instances()?
                .iter()
                .find(|instance| is(instance.symbolic_name.as_ref(), name));
            return Ok(found.map(identity));
        }
        let frame = match (&declared.copy, index) {
            (Some(copy), index @ Some(_)) => self
                .base_frame()
                .with(Binding::copy(&copy.name, index, true)),
            (Some(_), None) => return Ok(None),
            (None, _) => self.base_frame(),
        };
        let parent = declared.parent.and_then(|i| self.template.resources.get(i));
        let parent = match parent.map(|parent| parent.symbolic_name.as_deref()) {
            None => None,
            Some(Some(parent)) => self.identity(parent)?,
            Some(None) => return Ok(None),
        };
        let prefix = parent.as_ref().map(|parent| parent.name.as_str());
        let base = parent.as_ref().map(|parent| base_of(&parent.id, self));
        self.instance(position, declared, frame, prefix, base.as_deref())
            .map(|instance| Some(identity(&instance)))
    }

    pub(super) fn identify(
        self: &Rc<Self>,
        declared: &Declared,
        instance: &mut Instance,
        prefix: Option<&str>,
        base: Option<&str>,
    ) -> Result<(), Error> {
        let at = |part: &str| place::member(&declared.place, part);
        let frame = instance.frame.clone();
        let text = |node: &crate::node::Node, part: &str| -> Result<Option<String>, Error> {
            let value = self.node(node, &frame, &at(part))?;
            match &value {
                Value::String(text) => Ok(Some(text.clone())),
                Value::Number(_) => Ok(Some(text_of(&value))),
                Value::Null => Ok(None),
                other if is_unknown(other) => Ok(Some(shown_unknown(other))),
                other => Err(Error::invalid(
                    self.at(&at(part)),
                    format!("`{part}` must be a string, but is {}", called(other)),
                )),
            }
        };
        let optional = |node: &Option<crate::node::Node>, part: &str| match node {
            Some(node) => text(node, part),
            None => Ok(None),
        };
        instance.api_version = optional(&declared.api_version, "apiVersion")?.unwrap_or_default();
        let name = text(&declared.name, "name")?.unwrap_or_default();
        if name.trim().is_empty() {
            return Err(Error::invalid(
                self.at(&at("name")),
                "the name is empty; give the resource a name",
            ));
        }
        // Children nested in their parent are written with the last part of the name.
        instance.name = match prefix {
            Some(prefix)
                if !name
                    .to_lowercase()
                    .starts_with(&format!("{}/", prefix.to_lowercase())) =>
            {
                format!("{prefix}/{name}")
            }
            _ => name,
        };
        let scope = optional(&declared.scope, "scope")?;
        let subscription =
            optional(&declared.subscription, "subscriptionId")?.filter(|s| !s.is_empty());
        let group = optional(&declared.resource_group, "resourceGroup")?.filter(|s| !s.is_empty());
        let base = if let Some(base) = base {
            base.to_owned()
        } else if subscription.is_some() || group.is_some() {
            let subscription = subscription
                .or_else(|| self.language_scope().subscription().map(str::to_owned))
                .unwrap_or_default();
            match group {
                Some(group) => Scope::Group {
                    subscription,
                    group,
                }
                .id(),
                None => Scope::Subscription(subscription).id(),
            }
        } else if let Some(scope) = scope {
            if scope.starts_with('/') {
                scope.trim_end_matches('/').to_owned()
            } else if scope.starts_with(UNKNOWN_OPEN) {
                scope
            } else if let Some(scope) = Scope::read(&scope) {
                scope.id()
            } else {
                self.extended(&scope)
                    .ok_or_else(|| {
                        Error::invalid(
                            self.at(&at("scope")),
                            format!("`{scope}` is no scope; write a resource id, or `<type>/<name>` of a resource of this deployment"),
                        )
                    })?
            }
        } else {
            self.scope.id()
        };
        if declared.nested.is_some() {
            instance.target = Scope::read(&base);
            if !declared.located
                && !instance.dropped
                && matches!(instance.target, Some(Scope::Subscription(_)))
            {
                return Err(Error::Refused {
                    code: "InvalidDeployment".into(),
                    place: self.at(&declared.place),
                    expression: String::new(),
                    message: format!(
                        "The 'location' property must be specified for '{}'. Please see https://aka.ms/deploy-to-subscription for usage details.",
                        instance.name
                    ),
                });
            }
        }
        instance.id = self.id(declared, &base, &instance.name, &at("name"))?;
        Ok(())
    }

    /// Where this deployment itself goes.
    pub(crate) fn language_scope(&self) -> &Scope {
        &self.scope
    }

    /// The id of a resource that is named `<type>/<name>`, as `scope` of an extension names it.
    fn extended(&self, scope: &str) -> Option<String> {
        let parts: Vec<&str> = scope.split('/').collect();
        if parts.len() < 3 || !parts.len().is_multiple_of(2) && parts.len() < 3 {
            return None;
        }
        // `Microsoft.Storage/storageAccounts/name` and `Microsoft.Sql/servers/databases/server/database`.
        let (provider, rest) = parts.split_first()?;
        if !rest.len().is_multiple_of(2) {
            return None;
        }
        let (types, names) = rest.split_at(rest.len() / 2);
        resource_id(
            &self.scope.id(),
            &format!("{provider}/{}", types.join("/")),
            names,
        )
    }

    fn id(&self, declared: &Declared, base: &str, name: &str, at: &str) -> Result<String, Error> {
        if let Some(id) = resource_id(base, &declared.kind, &name.split('/').collect::<Vec<_>>()) {
            return Ok(id);
        }
        if name.contains(UNKNOWN_OPEN) {
            return Ok(format!("{base}/providers/{}/{name}", declared.kind));
        }
        let wanted = declared.kind.matches('/').count();
        Err(Error::invalid(
            self.at(at),
            format!(
                "the type `{}` wants a name of {wanted} part(s) with `/` between, `{name}` has {}",
                declared.kind,
                name.split('/').count()
            ),
        ))
    }
}

/// Stands for a slash in the part of a name that is not known.
pub(crate) const SLASH: &str = "∕";

/// How a part of a name that is not known begins.
pub(super) const UNKNOWN_OPEN: &str = "<unknown: ";

/// An unknown within a name. Slashes would part the name, so they are left out.
fn shown_unknown(value: &Value) -> String {
    let text = value.get(MARK).and_then(Value::as_str).unwrap_or_default();
    format!("{UNKNOWN_OPEN}{}>", text.replace('/', SLASH))
}

/// What stands before `/providers/` in the id of a parent.
pub(super) fn base_of(parent: &str, deployment: &Deployment<'_>) -> String {
    parent
        .rfind("/providers/")
        .and_then(|at| parent.get(..at))
        .map_or_else(|| deployment.scope.id(), str::to_owned)
}
