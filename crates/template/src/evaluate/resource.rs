//! Makes the body of an instance, and resolves what it depends on.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::expand::NestedDone;
use super::identity::UNKNOWN_OPEN;
use super::{Deployment, Instance};
use crate::runtime::is_unknown;
use crate::schema::called;
use crate::template::{Declared, NestedTemplate};
use crate::{Error, Resource, place};

/// What a name in `dependsOn` or `reference()` means.
pub(crate) enum Target {
    /// Instances of this deployment, by position.
    Instances(Vec<usize>),
    /// The id of a resource elsewhere.
    Id(String),
    None,
}

impl Deployment<'_> {
    /// Makes one resource (and, of a nested deployment, its resources) and adds it to `out`. `needs` are the positions of what it
    /// waits for; what its body refers to by name is added.
    pub(super) fn resource(
        self: &Rc<Self>,
        position: usize,
        instance: &Instance,
        needs: &mut Vec<usize>,
        out: &mut Vec<Resource>,
    ) -> Result<(), Error> {
        let declared = self.declared(instance)?;
        let instances = self.instances()?;
        let mut depends_on: Vec<String> = needs
            .iter()
            .filter_map(|i| instances.get(*i))
            .map(|needed| needed.id.clone())
            .collect();
        let (body, touched) = self
            .world
            .touching(|| self.node(&declared.body, &instance.frame, &declared.place))
            .map_err(|error| unprocessed(error, &instance.id))?;
        let nested = if declared.nested.is_some() {
            Some(self.nested(position)?)
        } else {
            None
        };
        for touched in nested
            .iter()
            .map(|nested| &nested.touched)
            .chain([&touched])
        {
            depends_on.extend(touched.ids.iter().cloned());
            needs.extend(touched.named.iter().filter_map(|id| {
                instances
                    .iter()
                    .position(|other| !other.dropped && other.id.eq_ignore_ascii_case(id))
            }));
        }
        let body = whole_body(body, declared, instance, nested.as_deref());
        let location = body
            .get("location")
            .and_then(Value::as_str)
            .map(str::to_owned);
        out.push(Resource {
            id: instance.id.clone(),
            kind: declared.kind.clone(),
            name: instance.name.clone(),
            api_version: instance.api_version.clone(),
            location,
            symbolic_name: instance.symbolic_name.clone(),
            existing: declared.existing,
            depends_on: depends_on.clone(),
            body,
            outputs: nested
                .as_deref()
                .filter(|nested| nested.template_known)
                .map(|nested| nested.done.outputs.clone()),
            deployment: None,
            uncertain: instance.uncertain.clone(),
            batch: instance.batch.clone(),
        });
        for mut inner in nested
            .iter()
            .flat_map(|nested| nested.done.resources.iter().cloned())
        {
            // A nested deployment's resources begin when the deployment begins.
            inner.depends_on.splice(0..0, depends_on.iter().cloned());
            inner.deployment.get_or_insert_with(|| instance.id.clone());
            if inner.uncertain.is_none() {
                inner.uncertain.clone_from(&instance.uncertain);
            }
            out.push(inner);
        }
        Ok(())
    }

    /// Positions of what must be there before this resource: from `dependsOn`, and in a serial loop the batch before.
    pub(super) fn needed_first(self: &Rc<Self>, instance: &Instance) -> Result<Vec<usize>, Error> {
        let mut needs = self.explicit(self.declared(instance)?, instance)?;
        needs.extend(self.batch_before(instance)?);
        Ok(needs)
    }

    /// Positions from `dependsOn`. What a false condition drops is left out, as ARM does.
    fn explicit(
        self: &Rc<Self>,
        declared: &Declared,
        instance: &Instance,
    ) -> Result<Vec<usize>, Error> {
        let Some(node) = &declared.depends_on else {
            return Ok(Vec::new());
        };
        let at = place::member(&declared.place, "dependsOn");
        let value = self
            .node(node, &instance.frame, &at)
            .map_err(|error| unprocessed(error, &instance.id))?;
        let items = match value {
            Value::Array(items) => items,
            unknown if is_unknown(&unknown) => return Ok(Vec::new()),
            Value::Null => return Ok(Vec::new()),
            other => {
                return Err(Error::invalid(
                    self.at(&at),
                    format!("`dependsOn` must be a list, but is {}", called(&other)),
                ));
            }
        };
        let instances = self.instances()?;
        let mut needs = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let Value::String(name) = item else {
                if item.is_null() || is_unknown(item) {
                    continue;
                }
                return Err(Error::invalid(
                    self.at(&place::index(&at, i)),
                    format!("a dependency must be a string, but is {}", called(item)),
                ));
            };
            match self.meant(name)? {
                Target::Instances(found) => needs.extend(
                    found
                        .into_iter()
                        .filter(|i| instances.get(*i).is_some_and(|found| !found.dropped)),
                ),
                Target::Id(id) => match self.elsewhere(&id, instances) {
                    Some(found) => needs.extend(found),
                    None => return Err(self.undefined(&at, i, name)),
                },
                Target::None if self.has_nameless(instances) => {}
                Target::None => return Err(self.undefined(&at, i, name)),
            }
        }
        Ok(needs)
    }

    /// Resources of this template that an id means which names another scope than theirs: it is their type and name that count.
    /// `None` where there is no such resource, and none whose id is not known.
    fn elsewhere(&self, id: &str, instances: &[Instance]) -> Option<Vec<usize>> {
        let tail = |id: &str| {
            id.to_lowercase()
                .rsplit_once("/providers/")
                .map(|(_, tail)| tail.to_owned())
        };
        let wanted = tail(id);
        let found: Vec<usize> = instances
            .iter()
            .enumerate()
            .filter(|(_, instance)| wanted.is_some() && tail(&instance.id) == wanted)
            .map(|(i, _)| i)
            .collect();
        if !found.is_empty() {
            let dropped = |i: &usize| instances.get(*i).is_none_or(|found| found.dropped);
            return Some(found.into_iter().filter(|i| !dropped(i)).collect());
        }
        self.has_nameless(instances).then(Vec::new)
    }

    /// Whether the template has resources whose names nobody knows: loops that make nothing, what a false condition drops before
    /// its name makes sense, names of unknown parts. A dependency may mean one of these.
    fn has_nameless(&self, instances: &[Instance]) -> bool {
        instances
            .iter()
            .any(|instance| instance.id.is_empty() || instance.id.contains(UNKNOWN_OPEN))
            || (0..self.template.resources.len())
                .any(|declared| !instances.iter().any(|other| other.declared == declared))
    }

    /// Source: <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found> and public reports.
    fn undefined(&self, at: &str, index: usize, name: &str) -> Error {
        Error::refused(
            self.at(&place::index(at, index)),
            format!(
                "The resource '{name}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details."
            ),
        )
    }

    /// In a serial loop each batch waits for the one before.
    fn batch_before(self: &Rc<Self>, instance: &Instance) -> Result<Vec<usize>, Error> {
        let Some(batch) = &instance.batch else {
            return Ok(Vec::new());
        };
        let own = batch.index / batch.size;
        Ok(self
            .instances()?
            .iter()
            .enumerate()
            .filter(|(_, other)| {
                other.declared == instance.declared
                    && !other.dropped
                    && other
                        .batch
                        .as_ref()
                        .is_some_and(|other| other.index / other.size + 1 == own)
            })
            .map(|(i, _)| i)
            .collect())
    }

    /// What `name` means to `reference()` and the like. Where it is no id, the resource that asks waits for it.
    pub(crate) fn target(self: &Rc<Self>, name: &str) -> Result<Target, Error> {
        let target = self.meant(name)?;
        if let Target::Instances(found) = &target
            && !name.starts_with('/')
        {
            let instances = self.instances()?;
            for found in found.iter().filter_map(|i| instances.get(*i)) {
                self.world.touch_name(&found.id);
            }
        }
        Ok(target)
    }

    /// Finds what `name` means: a symbolic name (`vm`, `vm[2]`), an id, a loop's name, a resource's name, `<type>/<name>`.
    fn meant(self: &Rc<Self>, name: &str) -> Result<Target, Error> {
        let instances = self.instances()?;
        let find = |matches: &dyn Fn(&Instance, &Declared) -> bool| -> Vec<usize> {
            instances
                .iter()
                .enumerate()
                .filter(|(_, instance)| {
                    self.template
                        .resources
                        .get(instance.declared)
                        .is_some_and(|declared| matches(instance, declared))
                })
                .map(|(i, _)| i)
                .collect()
        };
        if self.template.symbolic {
            let found = find(&|instance, declared| {
                instance
                    .symbolic_name
                    .as_ref()
                    .is_some_and(|n| n.eq_ignore_ascii_case(name))
                    || declared
                        .symbolic_name
                        .as_ref()
                        .is_some_and(|n| n.eq_ignore_ascii_case(name))
            });
            if !found.is_empty() {
                return Ok(Target::Instances(found));
            }
            // A loop without instances, or an index of one that is not known.
            let base = name.split_once('[').map_or(name, |(base, _)| base);
            if self.template.resources.iter().any(|declared| {
                declared
                    .symbolic_name
                    .as_ref()
                    .is_some_and(|n| n.eq_ignore_ascii_case(base))
            }) {
                return Ok(Target::Instances(Vec::new()));
            }
        }
        if name.starts_with('/') {
            let found = find(&|instance, _| instance.id.eq_ignore_ascii_case(name));
            return Ok(if found.is_empty() {
                Target::Id(name.to_owned())
            } else {
                Target::Instances(found)
            });
        }
        let lower = name.to_lowercase();
        let found = find(&|instance, _| instance.loop_name.as_ref() == Some(&lower));
        if !found.is_empty() {
            return Ok(Target::Instances(found));
        }
        if self.template.resources.iter().any(|declared| {
            declared
                .copy
                .as_ref()
                .is_some_and(|copy| copy.name.eq_ignore_ascii_case(name))
        }) {
            return Ok(Target::Instances(Vec::new()));
        }
        let found = find(&|instance, declared| {
            instance.name.eq_ignore_ascii_case(name)
                || (name.contains('.') && typed_name(declared, instance).eq_ignore_ascii_case(name))
                || (name.contains('.')
                    && format!("{}/{}", declared.kind, instance.name).eq_ignore_ascii_case(name))
        });
        if !found.is_empty() {
            return Ok(Target::Instances(found));
        }
        let found = find(&|instance, _| {
            instance
                .name
                .rsplit('/')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case(name))
        });
        Ok(if found.is_empty() {
            Target::None
        } else {
            Target::Instances(found)
        })
    }
}

/// An expression of a resource's body failed.
fn unprocessed(error: Error, id: &str) -> Error {
    error.told(|text| {
        format!("Unable to process template language expressions for resource '{id}'. '{text}'")
    })
}

/// `<provider>/<type>/<name>/<type>/<name>`
fn typed_name(declared: &Declared, instance: &Instance) -> String {
    let (provider, types) = declared
        .kind
        .split_once('/')
        .unwrap_or((&declared.kind, ""));
    let mut out = provider.to_owned();
    for (kind, name) in types.split('/').zip(instance.name.split('/')) {
        out.push('/');
        out.push_str(kind);
        out.push('/');
        out.push_str(name);
    }
    out
}

/// The body as it is PUT: type, API version and full name first.
fn whole_body(
    body: Value,
    declared: &Declared,
    instance: &Instance,
    nested: Option<&NestedDone>,
) -> Value {
    let mut whole = Map::new();
    whole.insert("type".into(), declared.kind.clone().into());
    whole.insert("apiVersion".into(), instance.api_version.clone().into());
    whole.insert("name".into(), instance.name.clone().into());
    if let Value::Object(members) = body {
        whole.extend(members);
    }
    if let (Some(nested), Some(Value::Object(properties))) = (nested, whole.get_mut("properties")) {
        if let Some(parameters) = &nested.parameters {
            properties.insert("parameters".into(), parameters.clone());
        }
        if let Some(NestedTemplate::Inline(template)) =
            declared.nested.as_ref().map(|nested| &nested.template)
        {
            properties.insert("template".into(), template.document.clone());
        }
    }
    Value::Object(whole)
}
