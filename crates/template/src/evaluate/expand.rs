//! Expands declared resources to instances: loops, conditions, names and ids. Bodies come later, in `resource`.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::scope::resource_id;
use super::world::Touched;
use super::{Binding, Deployment, Done, Frame, Scope, copy_text};
use crate::functions::text_of;
use crate::parse::MAX_RESOURCES;
use crate::runtime::{MARK, is_unknown};
use crate::schema::called;
use crate::template::Declared;
use crate::{Batch, Error, place};

/// One resource to be, or one that a false condition drops.
pub(crate) struct Instance {
    /// Index of its declaration.
    pub(crate) declared: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) api_version: String,
    pub(crate) symbolic_name: Option<String>,
    /// A false condition drops it.
    pub(crate) dropped: bool,
    pub(crate) uncertain: Option<String>,
    /// The loop it comes from, lower case.
    pub(crate) loop_name: Option<String>,
    pub(crate) index: usize,
    pub(crate) batch: Option<Batch>,
    pub(crate) frame: Frame,
    /// Where a nested deployment goes.
    pub(crate) target: Option<Scope>,
    /// What a nested deployment came to.
    pub(crate) nested: RefCell<NestedState>,
}

/// Which resource an instance is.
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) api_version: String,
}

/// A nested deployment is evaluated once, when its outputs are asked for or its turn comes.
#[derive(Default)]
pub(crate) enum NestedState {
    #[default]
    Waiting,
    Running,
    Done(Rc<NestedDone>),
}

pub(crate) struct NestedDone {
    /// The parameters as they are sent.
    pub(crate) parameters: Option<Value>,
    pub(crate) done: Done,
    /// A template that is itself computed from an unknown has resources and outputs that nobody knows.
    pub(crate) template_known: bool,
    /// What the parameters asked for.
    pub(super) touched: Touched,
}

impl<'w> Deployment<'w> {
    /// All instances of this deployment's resources.
    pub(crate) fn instances(self: &Rc<Self>) -> Result<&[Instance], Error> {
        if let Some(instances) = self.instances.get() {
            return Ok(instances);
        }
        if self.expanding.replace(true) {
            return Err(Error::invalid(
                "",
                "a name, condition or count asks for a resource of its own template; only bodies and outputs may",
            ));
        }
        let expanded = self.expand();
        self.expanding.set(false);
        let expanded = expanded?;
        Ok(self.instances.get_or_init(|| expanded))
    }

    /// Whether names are being made right now, when no resource can be looked up.
    pub(crate) fn is_expanding(&self) -> bool {
        self.expanding.get()
    }

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

    fn expand(self: &Rc<Self>) -> Result<Vec<Instance>, Error> {
        let mut instances: Vec<Instance> = Vec::new();
        for (declared_index, declared) in self.template.resources.iter().enumerate() {
            // A child exists once for each instance of its parent.
            let parents: Vec<Option<usize>> = match declared.parent {
                None => vec![None],
                Some(parent) => (0..instances.len())
                    .filter(|i| {
                        instances
                            .get(*i)
                            .is_some_and(|instance| instance.declared == parent)
                    })
                    .map(Some)
                    .collect(),
            };
            for parent in parents {
                let (frame, prefix, base) = match parent.and_then(|i| instances.get(i)) {
                    Some(parent) => (
                        parent.frame.clone(),
                        Some(parent.name.clone()),
                        Some(base_of(&parent.id, self)),
                    ),
                    None => (self.base_frame(), None, None),
                };
                let expanded = self.expand_one(
                    declared_index,
                    declared,
                    &frame,
                    prefix.as_deref(),
                    base.as_deref(),
                    &mut instances,
                );
                expanded.map_err(|error| {
                    error.told(|text| {
                        format!(
                            "The template resource '{}' is not valid: {text}",
                            declared.name.written()
                        )
                    })
                })?;
            }
        }
        Ok(instances)
    }

    fn expand_one(
        self: &Rc<Self>,
        declared_index: usize,
        declared: &Declared,
        outer: &Frame,
        prefix: Option<&str>,
        base: Option<&str>,
        instances: &mut Vec<Instance>,
    ) -> Result<(), Error> {
        let Some(copy) = &declared.copy else {
            let mut instance =
                self.instance(declared_index, declared, outer.clone(), prefix, base)?;
            instance.symbolic_name.clone_from(&declared.symbolic_name);
            return push(instances, instance, declared, self);
        };
        let at = place::member(&declared.place, "copy");
        let causes = &self.world.causes;
        let (count, met) =
            causes.watch(|| self.count(&copy.count, outer, &place::member(&at, "count")));
        let count = count?;
        if count.is_none() {
            causes.record(&copy_text(&copy.name), met);
        }
        let size = match &copy.batch_size {
            Some(size) => {
                let at = place::member(&at, "batchSize");
                match self.count(size, outer, &at)? {
                    Some(0) => {
                        return Err(Error::invalid(
                            self.at(&at),
                            "the batch size of a loop must be at least 1",
                        ));
                    }
                    size => size.unwrap_or(1),
                }
            }
            None => 1,
        };
        let indexes: Vec<Option<usize>> = match count {
            Some(count) => (0..count).map(Some).collect(),
            // How many is not known: one stands for all.
            None => vec![None],
        };
        for index in indexes {
            let frame = outer.with(Binding::copy(&copy.name, index, true));
            let mut instance = self.instance(declared_index, declared, frame, prefix, base)?;
            instance.symbolic_name = declared.symbolic_name.as_ref().map(|name| match index {
                Some(index) => format!("{name}[{index}]"),
                None => format!("{name}[?]"),
            });
            instance.loop_name = Some(copy.name.to_lowercase());
            instance.index = index.unwrap_or(0);
            if index.is_none() && instance.uncertain.is_none() {
                instance.uncertain = Some(copy_text(&copy.name));
            }
            if copy.serial {
                instance.batch = Some(Batch {
                    name: copy.name.clone(),
                    size: size as u64,
                    index: instance.index as u64,
                });
            }
            push(instances, instance, declared, self)?;
        }
        Ok(())
    }

    fn instance(
        self: &Rc<Self>,
        declared_index: usize,
        declared: &Declared,
        frame: Frame,
        prefix: Option<&str>,
        base: Option<&str>,
    ) -> Result<Instance, Error> {
        let at = |part: &str| place::member(&declared.place, part);
        let mut uncertain = None;
        let dropped = match &declared.condition {
            None => false,
            Some(condition) => {
                let value = self.condition(condition, &frame, &at("condition"))?;
                if value.is_none() {
                    let text = self.node(condition, &frame, &at("condition"))?;
                    uncertain = text.get(MARK).and_then(Value::as_str).map(str::to_owned);
                }
                value == Some(false)
            }
        };
        if !dropped && let Some(extension) = &declared.extension {
            return Err(Error::invalid(
                self.at(&declared.place),
                format!(
                    "the resource belongs to the extension `{extension}`; only Azure's own resources are supported, leave it out of the template"
                ),
            ));
        }
        let mut instance = Instance {
            declared: declared_index,
            id: String::new(),
            name: String::new(),
            api_version: String::new(),
            symbolic_name: None,
            dropped,
            uncertain,
            loop_name: None,
            index: 0,
            batch: None,
            frame,
            target: None,
            nested: RefCell::default(),
        };
        // Names of dropped resources need not make sense, but where they do they are what `dependsOn` may name.
        match self.identify(declared, &mut instance, prefix, base) {
            Err(_) if dropped => Ok(instance),
            Err(error) => Err(error),
            Ok(()) => Ok(instance),
        }
    }

    fn identify(
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
fn base_of(parent: &str, deployment: &Deployment<'_>) -> String {
    parent
        .rfind("/providers/")
        .and_then(|at| parent.get(..at))
        .map_or_else(|| deployment.scope.id(), str::to_owned)
}

fn push(
    instances: &mut Vec<Instance>,
    instance: Instance,
    declared: &Declared,
    deployment: &Deployment<'_>,
) -> Result<(), Error> {
    if instances.len() >= MAX_RESOURCES {
        return Err(Error::Limit {
            place: deployment.at(&declared.place),
            what: "the number of resources, copies included,".into(),
            limit: MAX_RESOURCES as u64,
        });
    }
    let double = !instance.dropped
        && !declared.existing
        && instance.uncertain.is_none()
        && instances.iter().any(|other| {
            !other.dropped
                && other.uncertain.is_none()
                && other.id.eq_ignore_ascii_case(&instance.id)
                && deployment
                    .template
                    .resources
                    .get(other.declared)
                    .is_some_and(|other| !other.existing)
        });
    if double && !instance.id.contains(UNKNOWN_OPEN) {
        return Err(Error::invalid(
            deployment.at(&declared.place),
            format!(
                "the resource `{}` is declared twice; give each its own name (in loops with copyIndex())",
                instance.id
            ),
        ));
    }
    instances.push(instance);
    Ok(())
}
