//! Expands declared resources to instances: loops and conditions. Names and ids are in `identity`; bodies come later, in `resource`.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::identity::{UNKNOWN_OPEN, base_of};
use super::world::Touched;
use super::{Binding, Deployment, Done, Frame, Scope, copy_text};
use crate::parse::MAX_RESOURCES;
use crate::runtime::MARK;
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

    pub(super) fn instance(
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
