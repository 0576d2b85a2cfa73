//! Makes the body of an instance, and resolves what it depends on.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::expand::NestedDone;
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
    /// Makes one resource (and, of a nested deployment, its resources) and adds it to `out`.
    pub(super) fn resource(
        self: &Rc<Self>,
        position: usize,
        instance: &Instance,
        out: &mut Vec<Resource>,
    ) -> Result<(), Error> {
        let declared = self.declared(instance)?;
        let mut depends_on = self.explicit(declared, instance)?;
        let (body, touched) = self
            .world
            .touching(|| self.node(&declared.body, &instance.frame, &declared.place))?;
        depends_on.extend(touched);
        depends_on.extend(self.batch_before(instance)?);
        let nested = if declared.nested.is_some() {
            Some(self.nested(position)?)
        } else {
            None
        };
        if let Some(nested) = &nested {
            depends_on.extend(nested.touched.iter().cloned());
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

    /// Ids from `dependsOn`. What a false condition drops is left out, as ARM does.
    fn explicit(
        self: &Rc<Self>,
        declared: &Declared,
        instance: &Instance,
    ) -> Result<Vec<String>, Error> {
        let Some(node) = &declared.depends_on else {
            return Ok(Vec::new());
        };
        let at = place::member(&declared.place, "dependsOn");
        let items = match self.node(node, &instance.frame, &at)? {
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
        let mut ids = Vec::new();
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
            match self.target(name)? {
                Target::Instances(found) => {
                    let instances = self.instances()?;
                    ids.extend(
                        found
                            .into_iter()
                            .filter_map(|i| instances.get(i))
                            .filter(|found| !found.dropped)
                            .map(|found| found.id.clone()),
                    );
                }
                // Resources of an outer or another deployment: order between deployments is theirs.
                Target::Id(id) => ids.push(id),
                Target::None => {
                    return Err(Error::invalid(
                        self.at(&place::index(&at, i)),
                        format!(
                            "`{name}` is not a resource of this template; write its id, its name or its symbolic name"
                        ),
                    ));
                }
            }
        }
        Ok(ids)
    }

    /// In a serial loop each batch waits for the one before.
    fn batch_before(self: &Rc<Self>, instance: &Instance) -> Result<Vec<String>, Error> {
        let Some(batch) = &instance.batch else {
            return Ok(Vec::new());
        };
        let own = batch.index / batch.size;
        Ok(self
            .instances()?
            .iter()
            .filter(|other| {
                other.declared == instance.declared
                    && !other.dropped
                    && other
                        .batch
                        .as_ref()
                        .is_some_and(|other| other.index / other.size + 1 == own)
            })
            .map(|other| other.id.clone())
            .collect())
    }

    /// Finds what `name` means: a symbolic name (`vm`, `vm[2]`), an id, a loop's name, a resource's name, `<type>/<name>`.
    pub(crate) fn target(self: &Rc<Self>, name: &str) -> Result<Target, Error> {
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
        if let Some(NestedTemplate::Inline(_, template)) =
            declared.nested.as_ref().map(|nested| &nested.template)
        {
            properties.insert("template".into(), template.clone());
        }
    }
    Value::Object(whole)
}
