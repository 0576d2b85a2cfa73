//! Evaluation: one deployment ([`Deployment`]) with its parameters, variables and outputs, and the order of work.
//! What a whole evaluation shares, expressions, expansion of loops, bodies and nested deployments have a file each.

mod expand;
mod expression;
mod frame;
mod identity;
mod nested;
mod order;
mod outputs;
mod resource;
mod scope;
pub(crate) mod special;
mod world;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

pub(crate) use expand::Instance;
pub(crate) use frame::{Binding, Frame};
pub(crate) use identity::SLASH;
pub(crate) use scope::Scope;
pub(crate) use world::World;

use crate::cause::Cause;
use crate::node::Node;
use crate::runtime::{MARK, is_unknown, unknown};
use crate::template::{Declared, Inner, Variable};
use crate::{
    Context, Error, Evaluation, Output, Resource, ResourceGroup, Runtime, Template, parameter,
    place, schema,
};

/// Deepest chain of nested deployments.
const MAX_NESTED: usize = 32;

/// A value that is computed when it is first asked for.
enum Lazy {
    Running,
    Done(Rc<Value>),
}

/// One deployment under evaluation: the template's own, or a nested one.
pub(crate) struct Deployment<'w> {
    pub(crate) world: &'w World<'w>,
    pub(crate) template: Arc<Inner>,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) location: Option<String>,
    /// Given parameters by lower-case name.
    given: HashMap<String, Value>,
    parameters: RefCell<HashMap<String, Lazy>>,
    variables: RefCell<HashMap<String, Lazy>>,
    /// Where expressions are evaluated instead, for nested deployments of outer scope, and with which loops.
    outer: Option<(Rc<Deployment<'w>>, Frame)>,
    /// JSON path of this template in the outermost one.
    place: String,
    nesting: usize,
    expanding: Cell<bool>,
    instances: OnceCell<Vec<Instance>>,
    /// What `deployment()` shows: the whole template is in it, and one is made.
    shown: OnceCell<Rc<Value>>,
}

/// What a deployment comes to.
#[derive(Clone)]
pub(crate) struct Done {
    pub(crate) resources: Vec<Resource>,
    pub(crate) outputs: IndexMap<String, Output>,
}

/// Makes a template concrete; see [`crate::evaluate`].
pub(crate) fn evaluate(
    template: &Template,
    given: &Map<String, Value>,
    context: &Context,
    runtime: &dyn Runtime,
) -> Result<Evaluation, Error> {
    let world = World::new(runtime, context);
    for (name, value) in given {
        crate::parse::check_depth(value).map_err(|error| error.placed(|| name.clone()))?;
        record_given(&world, name, value);
    }
    let deployment = Deployment::new(
        &world,
        Arc::clone(&template.inner),
        Scope::of(context),
        context.deployment_name.clone(),
        context.deployment_location.clone(),
        given,
    )?;
    let deployment = Rc::new(deployment);
    let mut done = deployment.run()?;
    keep_known_dependencies(&mut done.resources);
    let mut parameters = Map::new();
    for name in template.inner.parameters.keys() {
        parameters.insert(name.clone(), Value::clone(&*deployment.parameter(name)?));
    }
    drop(deployment);
    for declared in &template.inner.outputs {
        if let Some(output) = done.outputs.get_mut(&declared.name) {
            declared.hide_secrets(&mut output.value, &template.inner);
        }
    }
    Ok(Evaluation {
        resources: done.resources,
        outputs: done.outputs,
        parameters,
        causes: world.causes.into_map(),
    })
}

/// Unknowns that the caller gives as parameters have the caller as their cause.
fn record_given(world: &World<'_>, name: &str, value: &Value) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| record_given(world, name, item)),
        Value::Object(members) if is_unknown(value) => {
            if let Some(text) = members.get(MARK).and_then(Value::as_str) {
                world.causes.record(text, [Cause::Given(name.to_owned())]);
            }
        }
        Value::Object(members) => members
            .values()
            .for_each(|value| record_given(world, name, value)),
        _ => {}
    }
}

/// What an unknown number of copies is called.
pub(crate) fn copy_text(name: &str) -> String {
    format!("copy('{name}')")
}

/// What ARM says of a name that the template does not declare.
fn not_found(what: &str, name: &str) -> Error {
    Error::Expression {
        place: String::new(),
        expression: format!("{what}s('{name}')"),
        message: format!(
            "The template {what} '{name}' is not found. Please see https://aka.ms/arm-syntax-{what}s for usage details."
        ),
    }
}

/// Dependencies on what is not made here order nothing.
fn keep_known_dependencies(resources: &mut [Resource]) {
    let ids: HashMap<String, String> = resources
        .iter()
        .map(|resource| (resource.id.to_lowercase(), resource.id.clone()))
        .collect();
    for resource in resources {
        let own = resource.id.to_lowercase();
        let mut seen = HashSet::new();
        resource.depends_on = resource
            .depends_on
            .iter()
            .map(|id| id.to_lowercase())
            .filter(|id| *id != own && seen.insert(id.clone()))
            .filter_map(|id| ids.get(&id).cloned())
            .collect();
    }
}

impl<'w> Deployment<'w> {
    fn new(
        world: &'w World<'w>,
        template: Arc<Inner>,
        scope: Scope,
        name: String,
        location: Option<String>,
        given: &Map<String, Value>,
    ) -> Result<Self, Error> {
        if let Some(first) = parameter::check(&template, given).into_iter().next() {
            return Err(Error::Parameter {
                name: first.name,
                code: first.code,
                message: first.message,
            });
        }
        Ok(Self {
            world,
            template,
            scope,
            name,
            location,
            given: given
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.to_lowercase(), value.clone()))
                .collect(),
            parameters: RefCell::default(),
            variables: RefCell::default(),
            outer: None,
            place: String::new(),
            nesting: 0,
            expanding: Cell::new(false),
            instances: OnceCell::new(),
            shown: OnceCell::new(),
        })
    }

    /// What `deployment()` shows; `make` makes it once.
    pub(crate) fn shown(&self, make: impl FnOnce() -> Value) -> Rc<Value> {
        Rc::clone(self.shown.get_or_init(|| Rc::new(make())))
    }

    /// The parameters as they were given, `{"x": {"value": 1}}`: what `deployment()` shows of them.
    pub(crate) fn given_parameters(&self) -> Value {
        self.template
            .parameters
            .keys()
            .filter_map(|name| {
                let value = self.given.get(&name.to_lowercase())?;
                Some((name.clone(), serde_json::json!({"value": value})))
            })
            .collect::<Map<_, _>>()
            .into()
    }

    /// Where this deployment goes, for people.
    pub(crate) fn scope_shown(&self) -> String {
        match self.scope.id() {
            id if id.is_empty() => format!("/tenants/{}", self.world.context.tenant_id),
            id => id,
        }
    }

    /// The deployment whose parameters, variables and scope the expressions mean.
    pub(crate) fn language(self: &Rc<Self>) -> &Rc<Self> {
        let mut current = self;
        while let Some((outer, _)) = &current.outer {
            current = outer;
        }
        current
    }

    /// The loops that stand around this whole deployment.
    fn base_frame(&self) -> Frame {
        self.outer
            .as_ref()
            .map_or_else(Frame::default, |(_, frame)| frame.clone())
    }

    fn at(&self, inner: &str) -> String {
        place::join(&self.place, inner)
    }

    fn run(self: &Rc<Self>) -> Result<Done, Error> {
        if self.outer.is_none() {
            for name in self.template.parameters.keys() {
                self.parameter(name)?;
            }
            // ARM computes variables that nothing uses as well.
            for variable in self.template.variables.values() {
                self.variable(variable.name())?;
            }
        }
        let instances = self.instances()?;
        let mut needs = Vec::with_capacity(instances.len());
        for instance in instances {
            needs.push(if instance.dropped {
                Vec::new()
            } else {
                self.needed_first(instance)?
            });
        }
        self.no_circle(&needs)?;
        let mut resources = Vec::new();
        for (i, (instance, needs)) in instances.iter().zip(&mut needs).enumerate() {
            if !instance.dropped {
                self.resource(i, instance, needs, &mut resources)?;
            }
        }
        // Bodies have told what they refer to by now.
        self.no_circle(&needs)?;
        Ok(Done {
            resources,
            outputs: self.outputs()?,
        })
    }

    fn no_circle(self: &Rc<Self>, needs: &[Vec<usize>]) -> Result<(), Error> {
        match order::circle(needs).and_then(|on| self.instances().ok()?.get(on)) {
            Some(on) => Err(order::circular(self.at(&self.declared(on)?.place), &on.id)),
            None => Ok(()),
        }
    }

    pub(crate) fn declared(&self, instance: &Instance) -> Result<&Declared, Error> {
        self.template
            .resources
            .get(instance.declared)
            .ok_or_else(|| Error::invalid(self.at("resources"), "a resource has vanished"))
    }

    /// A parameter's value: as given, or its default.
    pub(crate) fn parameter(self: &Rc<Self>, name: &str) -> Result<Rc<Value>, Error> {
        let key = name.to_lowercase();
        let Some(declared) = self.template.declarations.get(&key) else {
            return Err(not_found("parameter", name));
        };
        self.lazily(&self.parameters, &key, "parameter", name, || {
            if let Some(value) = self.given.get(&key) {
                return Ok(value.clone());
            }
            let at = place::member(&place::member("parameters", &declared.name), "defaultValue");
            let Some(default) = &declared.default else {
                return Ok(Value::Null);
            };
            let value = self
                .world
                .as_default(true, || self.node(default, &Frame::default(), &at))
                .map_err(|error| {
                    error.told(|text| {
                        format!(
                            "The template parameter '{}' is not valid: {text}",
                            declared.name
                        )
                    })
                })?;
            if let Value::Object(schema) = &declared.schema
                && !(value.is_null()
                    && self
                        .template
                        .parameters
                        .get(&declared.name)
                        .is_some_and(|p| p.nullable))
                && let Some(message) = schema::check(schema, &self.template.definitions, &value)
                    .into_iter()
                    .next()
            {
                return Err(Error::invalid(
                    self.at(&at),
                    format!("the default does not fit the parameter: {message}"),
                ));
            }
            Ok(value)
        })
    }

    pub(crate) fn variable(self: &Rc<Self>, name: &str) -> Result<Rc<Value>, Error> {
        let key = name.to_lowercase();
        let Some(variable) = self.template.variables.get(&key) else {
            return Err(not_found("variable", name));
        };
        self.lazily(&self.variables, &key, "variable", name, || {
            let at = place::member("variables", variable.name());
            let value = self.world.as_default(false, || match variable {
                Variable::Node { value, .. } => self.node(value, &Frame::default(), &at),
                Variable::Loop(entry) => self.loop_values(
                    &entry.name,
                    &entry.count,
                    &entry.input,
                    &Frame::default(),
                    &at,
                ),
            });
            value.map_err(|error| {
                error.told(|text| {
                    format!(
                        "The template variable '{}' is not valid: {text}",
                        variable.name()
                    )
                })
            })
        })
    }

    fn lazily(
        &self,
        store: &RefCell<HashMap<String, Lazy>>,
        key: &str,
        what: &str,
        name: &str,
        compute: impl FnOnce() -> Result<Value, Error>,
    ) -> Result<Rc<Value>, Error> {
        match store.borrow().get(key) {
            Some(Lazy::Done(value)) => return Ok(Rc::clone(value)),
            Some(Lazy::Running) => {
                return Err(Error::invalid(
                    "",
                    format!("the {what} `{name}` needs itself; break the circle"),
                ));
            }
            None => {}
        }
        store.borrow_mut().insert(key.to_owned(), Lazy::Running);
        // What it meets belongs to its value, not to whoever happens to ask first.
        match self.world.causes.watch(compute).0 {
            Ok(value) => {
                let value = Rc::new(value);
                store
                    .borrow_mut()
                    .insert(key.to_owned(), Lazy::Done(Rc::clone(&value)));
                Ok(value)
            }
            Err(error) => {
                store.borrow_mut().remove(key);
                Err(error)
            }
        }
    }

    /// The values of a loop that makes an array.
    fn loop_values(
        self: &Rc<Self>,
        name: &str,
        count: &Node,
        input: &Node,
        frame: &Frame,
        at: &str,
    ) -> Result<Value, Error> {
        let causes = &self.world.causes;
        let (count, met) = causes.watch(|| self.count(count, frame, &place::member(at, "count")));
        let Some(count) = count? else {
            let text = copy_text(name);
            causes.record(&text, met);
            causes.meet_text(&text);
            return Ok(unknown(text));
        };
        let mut items = Vec::with_capacity(count);
        for index in 0..count {
            let frame = frame.with(Binding::copy(name, Some(index), false));
            items.push(self.node(input, &frame, &place::member(at, "input"))?);
        }
        Ok(Value::Array(items))
    }

    /// The target group's tags and region, where they are known.
    pub(crate) fn known_group(&self, subscription: &str, name: &str) -> Option<&'w ResourceGroup> {
        let context = self.world.context;
        context.resource_group.as_ref().filter(|group| {
            group.name.eq_ignore_ascii_case(name)
                && context.subscription_id.eq_ignore_ascii_case(subscription)
        })
    }
}
