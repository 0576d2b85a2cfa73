//! Why values are not known: the causes, and the ledger that carries them from where they arise to every unknown that hangs on them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde_json::Value;

use crate::runtime::{MARK, is_unknown};

/// What would have to be asked before a value could be known. Everything else in a template is computed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// `reference()` of this resource (its id, or its name where ids are only being made).
    Reference(String),
    /// A function whose name begins with `list`, with the resource it asks.
    List(String),
    /// Facts of what is there already: an `existing` resource, another group, the subscription, the tenant.
    Existing(String),
    /// `deployer()`.
    Deployer,
    /// `pickZones()` of a type or region that no public list has.
    Zones(String),
    /// A nested deployment's parameter that is taken from a key vault.
    Secret(String),
    /// A parameter that was given as an unknown.
    Given(String),
}

impl Cause {
    /// Whether the language itself leaves this open until Azure is asked: `reference`, `list*`, `existing`, `deployer`. The
    /// rest is left open by this evaluator or by its caller.
    #[must_use]
    pub fn is_lawful(&self) -> bool {
        matches!(
            self,
            Self::Reference(_) | Self::List(_) | Self::Existing(_) | Self::Deployer
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(what) => write!(f, "reference: {what}"),
            Self::List(what) => write!(f, "list: {what}"),
            Self::Existing(what) => write!(f, "existing: {what}"),
            Self::Deployer => f.write_str("deployer"),
            Self::Zones(what) => write!(f, "pickZones: {what}"),
            Self::Secret(what) => write!(f, "key vault: {what}"),
            Self::Given(what) => write!(f, "given: {what}"),
        }
    }
}

/// A hostile template must not make the ledger large: an unknown with this many causes is explained well enough.
const MOST: usize = 16;

/// The causes of every unknown of an evaluation, by the unknown's text.
#[derive(Default)]
pub(crate) struct Ledger {
    by_text: RefCell<HashMap<String, BTreeSet<Cause>>>,
    /// What has been met so far by each computation that is going on; the innermost last.
    going_on: RefCell<Vec<BTreeSet<Cause>>>,
}

impl Ledger {
    /// Runs `work` and gives what it met, which is not told to the computation around it.
    pub(crate) fn watch<T>(&self, work: impl FnOnce() -> T) -> (T, BTreeSet<Cause>) {
        self.going_on.borrow_mut().push(BTreeSet::new());
        let result = work();
        let met = self.going_on.borrow_mut().pop().unwrap_or_default();
        (result, met)
    }

    /// The computation that is going on met this.
    pub(crate) fn meet(&self, cause: Cause) {
        if let Some(met) = self.going_on.borrow_mut().last_mut()
            && met.len() < MOST
        {
            met.insert(cause);
        }
    }

    /// The computation that is going on met every unknown in this value.
    pub(crate) fn meet_value(&self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.meet_value(item)),
            Value::Object(members) if is_unknown(value) => {
                if let Some(text) = members.get(MARK).and_then(Value::as_str) {
                    self.meet_text(text);
                }
            }
            Value::Object(members) => members.values().for_each(|value| self.meet_value(value)),
            _ => {}
        }
    }

    /// The computation that is going on met the unknown of this text.
    pub(crate) fn meet_text(&self, text: &str) {
        let mut going_on = self.going_on.borrow_mut();
        let Some(met) = going_on.last_mut() else {
            return;
        };
        if let Some(causes) = self.by_text.borrow().get(text) {
            for cause in causes {
                if met.len() < MOST {
                    met.insert(cause.clone());
                }
            }
        }
    }

    /// The unknown of this text has these causes.
    pub(crate) fn record(&self, text: &str, causes: impl IntoIterator<Item = Cause>) {
        let mut by_text = self.by_text.borrow_mut();
        if !by_text.contains_key(text) {
            by_text.insert(text.to_owned(), BTreeSet::new());
        }
        if let Some(known) = by_text.get_mut(text) {
            for cause in causes {
                if known.len() < MOST {
                    known.insert(cause);
                }
            }
        }
    }

    pub(crate) fn into_map(self) -> BTreeMap<String, Vec<Cause>> {
        self.by_text
            .into_inner()
            .into_iter()
            .map(|(text, causes)| (text, causes.into_iter().collect()))
            .collect()
    }
}
