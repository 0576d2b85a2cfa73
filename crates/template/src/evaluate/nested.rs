//! Nested deployments: evaluates their inner template in its own scope, and gives its outputs to `reference()`.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::expand::{NestedDone, NestedState};
use super::order::circular;
use super::{Deployment, Done, Instance, MAX_NESTED};
use crate::cause::Cause;
use crate::node::Node;
use crate::runtime::{Link, has_unknown, is_unknown, unknown};
use crate::schema::called;
use crate::template::{Inner, Nested, NestedTemplate};
use crate::{Error, parse, place};

impl<'w> Deployment<'w> {
    /// What the nested deployment at this position comes to. Evaluated once.
    pub(crate) fn nested(self: &Rc<Self>, position: usize) -> Result<Rc<NestedDone>, Error> {
        let instance = self.instances()?.get(position).ok_or_else(|| {
            Error::invalid(self.at("resources"), "a nested deployment has vanished")
        })?;
        let declared = self.declared(instance)?;
        {
            let mut state = instance.nested.borrow_mut();
            match &*state {
                NestedState::Done(done) => return Ok(Rc::clone(done)),
                NestedState::Running => {
                    return Err(circular(self.at(&declared.place), &instance.id));
                }
                NestedState::Waiting => *state = NestedState::Running,
            }
        }
        let result = match &declared.nested {
            Some(nested) => self.evaluate_nested(instance, nested, &declared.place),
            None => Err(Error::invalid(
                self.at(&declared.place),
                "this is no nested deployment",
            )),
        };
        match result {
            Ok(done) => {
                let done = Rc::new(done);
                *instance.nested.borrow_mut() = NestedState::Done(Rc::clone(&done));
                Ok(done)
            }
            Err(error) => {
                *instance.nested.borrow_mut() = NestedState::Waiting;
                Err(error)
            }
        }
    }

    fn evaluate_nested(
        self: &Rc<Self>,
        instance: &Instance,
        nested: &Nested,
        at: &str,
    ) -> Result<NestedDone, Error> {
        if self.nesting >= MAX_NESTED {
            return Err(Error::Limit {
                place: self.at(at),
                what: "deployments nested in one another; this".into(),
                limit: MAX_NESTED as u64,
            });
        }
        let properties = place::member(at, "properties");
        let parameters_place = place::member(&properties, "parameters");
        let (evaluated, parameters_met) = self.world.causes.watch(|| {
            self.world.touching(|| {
                nested
                    .parameters
                    .as_ref()
                    .map(|node| self.node(node, &instance.frame, &parameters_place))
                    .transpose()
            })
        });
        let (parameters, touched) = evaluated?;
        let template_place = place::member(&properties, "template");
        let Some(template) = self.inner_template(instance, nested, &template_place)? else {
            // The template itself is not known: neither are its resources.
            return Ok(NestedDone {
                parameters,
                touched,
                template_known: false,
                done: Done {
                    resources: Vec::new(),
                    outputs: indexmap::IndexMap::new(),
                },
            });
        };
        // What an expression made is evaluated already: whatever expressions are left in it are the nested deployment's own.
        let inner_scope =
            nested.inner_scope || matches!(nested.template, NestedTemplate::Computed(_));
        // With outer scope they are held against their declarations too, though expressions take the values of the parent.
        let given = self.unwrapped(
            parameters.as_ref(),
            &template,
            &parameters_place,
            &parameters_met,
        )?;
        let location = match self.declared(instance)?.body {
            crate::node::Node::Object(_) | crate::node::Node::Value(_) => {
                let body = self.node(&self.declared(instance)?.body, &instance.frame, at);
                body.ok()
                    .and_then(|body| Some(body.get("location")?.as_str()?.to_owned()))
            }
            _ => None,
        };
        let scope = instance
            .target
            .clone()
            .unwrap_or_else(|| self.scope.clone());
        let inner = Deployment::new(
            self.world,
            template,
            scope,
            instance.name.clone(),
            location,
            &given,
        );
        let mut inner = match inner {
            Ok(inner) => inner,
            Err(Error::Parameter { name, message, .. }) => {
                return Err(Error::invalid(
                    self.at(&place::member(&parameters_place, &name)),
                    message,
                ));
            }
            Err(error) => return Err(error),
        };
        inner.place = self.at(&template_place);
        inner.nesting = self.nesting + 1;
        if !inner_scope {
            inner.outer = Some((Rc::clone(self), instance.frame.clone()));
        }
        let inner = Rc::new(inner);
        let done = stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, || inner.run())?;
        Ok(NestedDone {
            parameters,
            touched,
            template_known: true,
            done,
        })
    }

    fn inner_template(
        self: &Rc<Self>,
        instance: &Instance,
        nested: &Nested,
        at: &str,
    ) -> Result<Option<Arc<Inner>>, Error> {
        match &nested.template {
            NestedTemplate::Inline(template) => Ok(Some(Arc::clone(template))),
            NestedTemplate::Computed(expr) => {
                let value = self
                    .eval(expr, &instance.frame)
                    .map_err(|error| error.placed(|| self.at(at)))?;
                if is_unknown(&value) {
                    return Ok(None);
                }
                parse::template(&value)
                    .map(|template| Some(Arc::new(template)))
                    .map_err(|error| error.within(&self.at(at)))
            }
            NestedTemplate::Linked(link) => self.linked_template(link, instance, at),
        }
    }

    /// The template behind `templateLink`, through the runtime.
    fn linked_template(
        self: &Rc<Self>,
        link: &Node,
        instance: &Instance,
        at: &str,
    ) -> Result<Option<Arc<Inner>>, Error> {
        let at = format!("{at}Link");
        let link = self.node(link, &instance.frame, &at)?;
        let Value::Object(members) = &link else {
            return Err(Error::invalid(
                self.at(&at),
                "`templateLink` is an object with a `uri`, an `id` or a `relativePath`",
            ));
        };
        if has_unknown(&link) {
            return Ok(None);
        }
        let text = |name: &str| {
            parse::get(members, name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let link = Link {
            uri: text("uri"),
            id: text("id"),
            relative_path: text("relativePath"),
            query: text("queryString"),
            content_version: text("contentVersion"),
        };
        let Some(value) = self.world.runtime.linked(&link)? else {
            return Err(Error::LinkedTemplate {
                place: self.at(&at),
                link: link.to_string(),
            });
        };
        parse::check_depth(&value)?;
        parse::check_size(parse::size(&value))?;
        if let Some(wanted) = &link.content_version
            && value.get("contentVersion").and_then(Value::as_str) != Some(wanted)
        {
            return Err(Error::invalid(
                self.at(&at),
                format!("the linked template `{link}` is not of the content version {wanted}"),
            ));
        }
        parse::template(&value)
            .map(|template| Some(Arc::new(template)))
            .map_err(|error| error.within(&self.at(&at)))
    }

    /// Plain values out of `{"x": {"value": …}}`. A reference to a key vault is not known.
    fn unwrapped(
        &self,
        parameters: Option<&Value>,
        template: &Inner,
        at: &str,
        met: &BTreeSet<Cause>,
    ) -> Result<Map<String, Value>, Error> {
        let causes = &self.world.causes;
        let members = match parameters {
            None | Some(Value::Null) => return Ok(Map::new()),
            // Nothing is known of the parameters: every one is unknown.
            Some(value) if is_unknown(value) => {
                return Ok(template
                    .parameters
                    .keys()
                    .map(|name| {
                        let text = format!("parameters('{name}')");
                        causes.record(&text, met.iter().cloned());
                        (name.clone(), unknown(text))
                    })
                    .collect());
            }
            Some(Value::Object(members)) => members,
            Some(other) => {
                return Err(Error::invalid(
                    self.at(at),
                    format!("parameters are an object, but this is {}", called(other)),
                ));
            }
        };
        members
            .iter()
            .map(|(name, wrapped)| {
                let value = if is_unknown(wrapped) {
                    wrapped.clone()
                } else if let Some(value) = wrapped.get("value") {
                    value.clone()
                } else if wrapped.get("reference").is_some() {
                    let text = format!("parameters('{name}')");
                    causes.record(&text, [Cause::Secret(name.clone())]);
                    unknown(text)
                } else if wrapped.is_object() || wrapped.is_null() {
                    Value::Null
                } else {
                    return Err(Error::invalid(
                        self.at(&place::member(at, name)),
                        "a parameter of a nested deployment is an object with a `value` or a `reference`",
                    ));
                };
                Ok((name.clone(), value))
            })
            .collect()
    }

    /// What `listOutputsWithSecureValues()` of a nested deployment of this template gives: the values of its outputs by name, secure
    /// ones included. `None` where the resource is no such deployment or its template is not known.
    pub(crate) fn nested_outputs(self: &Rc<Self>, position: usize) -> Result<Option<Value>, Error> {
        let Some(instance) = self.instances()?.get(position) else {
            return Ok(None);
        };
        if instance.dropped || self.declared(instance)?.nested.is_none() {
            return Ok(None);
        }
        let done = self.nested(position)?;
        Ok(done.template_known.then(|| {
            let outputs = done.done.outputs.iter();
            Value::Object(
                outputs
                    .map(|(name, output)| (name.clone(), output.value.clone()))
                    .collect(),
            )
        }))
    }

    /// What `reference()` of a nested deployment of this template gives: its outputs, and for the rest unknowns.
    pub(crate) fn nested_properties(
        self: &Rc<Self>,
        position: usize,
        label: &str,
    ) -> Result<Value, Error> {
        let done = self.nested(position)?;
        let open = |name: &str| {
            let text = format!("{label}.{name}");
            self.world
                .causes
                .record(&text, [Cause::Reference(label.to_owned())]);
            unknown(text)
        };
        let outputs: Map<String, Value> = done
            .done
            .outputs
            .iter()
            .map(|(name, output)| {
                (
                    name.clone(),
                    json!({"type": output.kind.to_string(), "value": output.value}),
                )
            })
            .collect();
        let mut properties = Map::new();
        let outputs = if done.template_known {
            Value::Object(outputs)
        } else {
            open("outputs")
        };
        properties.insert("outputs".into(), outputs);
        for name in [
            "correlationId",
            "debugSetting",
            "dependencies",
            "duration",
            "mode",
            "onErrorDeployment",
            "outputResources",
            "parameters",
            "providers",
            "provisioningState",
            "templateHash",
            "timestamp",
        ] {
            properties.insert(name.into(), open(name));
        }
        Ok(Value::Object(properties))
    }
}
