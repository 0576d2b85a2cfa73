//! The names that are bound around an expression: loop indexes, lambda variables, arguments of user-defined functions.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

/// Bindings, the innermost first. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Frame(Option<Rc<Link>>);

struct Link {
    binding: Binding,
    outer: Frame,
}

/// One binding.
pub(crate) enum Binding {
    Copy {
        name: String,
        /// `None` where the loop's count is not known.
        index: Option<usize>,
        /// Meant by `copyIndex()` without a name: a resource's loop.
        resource: bool,
    },
    Lambda(Vec<(String, Value)>),
    /// Arguments by lower-case name.
    Function(HashMap<String, Value>),
}

impl Binding {
    pub(crate) fn copy(name: &str, index: Option<usize>, resource: bool) -> Self {
        Self::Copy {
            name: name.to_owned(),
            index,
            resource,
        }
    }
}

impl Frame {
    pub(crate) fn with(&self, binding: Binding) -> Self {
        Self(Some(Rc::new(Link {
            binding,
            outer: self.clone(),
        })))
    }

    fn bindings(&self) -> impl Iterator<Item = &Binding> {
        let mut current = self;
        std::iter::from_fn(move || {
            let link = current.0.as_deref()?;
            current = &link.outer;
            Some(&link.binding)
        })
    }

    /// The index of the loop of this name; without a name, of the nearest resource loop, else of the nearest loop.
    /// With the loop's name. The outer `None`: there is no such loop.
    pub(crate) fn copy_index(&self, wanted: Option<&str>) -> Option<(&str, Option<usize>)> {
        let mut nearest = None;
        for binding in self.bindings() {
            let Binding::Copy {
                name,
                index,
                resource,
            } = binding
            else {
                continue;
            };
            match wanted {
                Some(wanted) if name.eq_ignore_ascii_case(wanted) => {
                    return Some((name, *index));
                }
                None if *resource => return Some((name, *index)),
                None => nearest = nearest.or(Some((name.as_str(), *index))),
                Some(_) => {}
            }
        }
        nearest
    }

    pub(crate) fn lambda_variable(&self, wanted: &str) -> Option<&Value> {
        self.bindings().find_map(|binding| match binding {
            Binding::Lambda(variables) => variables
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value),
            _ => None,
        })
    }

    /// The arguments of the user-defined function that is being computed, if one is.
    pub(crate) fn arguments(&self) -> Option<&HashMap<String, Value>> {
        self.bindings().find_map(|binding| match binding {
            Binding::Function(arguments) => Some(arguments),
            _ => None,
        })
    }
}
