//! Nested deployments: evaluates their inner template in its own scope, and gives its outputs to `reference()`.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::expand::{NestedDone, NestedState};
use super::{Deployment, Done, Instance, MAX_NESTED};
use crate::runtime::{is_unknown, unknown};
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
                    return Err(Error::invalid(
                        self.at(&declared.place),
                        format!(
                            "the nested deployment `{}` needs its own outputs; break the circle",
                            instance.name
                        ),
                    ));
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
        let (parameters, touched) = self.world.touching(|| {
            nested
                .parameters
                .as_ref()
                .map(|node| self.node(node, &instance.frame, &parameters_place))
                .transpose()
        })?;
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
        let given = if nested.inner_scope {
            self.unwrapped(parameters.as_ref(), &template, &parameters_place)?
        } else {
            Map::new()
        };
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
            // Of outer scope: the template's own parameters are never read.
            Err(Error::Parameter { name, message, .. }) => {
                return Err(Error::invalid(
                    self.at(&place::member(&parameters_place, &name)),
                    format!("the nested template's parameter `{name}`: {message}"),
                ));
            }
            Err(error) => return Err(error),
        };
        inner.place = self.at(&template_place);
        inner.nesting = self.nesting + 1;
        if !nested.inner_scope {
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
            NestedTemplate::Inline(template, _) => Ok(Some(Arc::clone(template))),
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
        }
    }

    /// Plain values out of `{"x": {"value": …}}`. A reference to a key vault is not known.
    fn unwrapped(
        &self,
        parameters: Option<&Value>,
        template: &Inner,
        at: &str,
    ) -> Result<Map<String, Value>, Error> {
        let members = match parameters {
            None | Some(Value::Null) => return Ok(Map::new()),
            // Nothing is known of the parameters: every one is unknown.
            Some(value) if is_unknown(value) => {
                return Ok(template
                    .parameters
                    .keys()
                    .map(|name| (name.clone(), unknown(format!("parameters('{name}')"))))
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
                    unknown(format!("parameters('{name}')"))
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

    /// What `reference()` of a nested deployment of this template gives: its outputs, and for the rest unknowns.
    pub(crate) fn nested_properties(
        self: &Rc<Self>,
        position: usize,
        label: &str,
    ) -> Result<Value, Error> {
        let done = self.nested(position)?;
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
            unknown(format!("{label}.outputs"))
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
            properties.insert(name.into(), unknown(format!("{label}.{name}")));
        }
        Ok(Value::Object(properties))
    }
}
