//! The one table of functions: name, number of arguments, how unknown arguments are met, and what computes it.
//! One file per subject below; functions that need the deployment (parameters, scopes, loops, lambdas) are computed in `evaluate`.

mod array;
mod comparison;
mod date;
mod dotnet;
mod encoding;
mod hash;
mod json;
mod logical;
mod network;
mod numeric;
mod object;
mod roles;
mod set;
mod string;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::Value;

use crate::Error;
use crate::evaluate::{Deployment, Frame, special};
use crate::expression::Call;
use crate::runtime::{has_unknown, is_unknown};
use crate::schema::called;

pub(crate) use comparison::same;
pub(crate) use date::formatted;
pub(crate) use dotnet::text_of;
pub(crate) use hash::hash_of;
pub(crate) use numeric::int_of;
pub use roles::BUILT_IN_ROLES;

/// Longest text and largest value (in bytes and values) that a function may make: a template that needs more cannot be sent
/// to Azure anyway, and a hostile one must not fill the memory.
pub(crate) const MAX_SIZE: usize = 4 * 1024 * 1024;

/// One built-in function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    least: usize,
    most: usize,
    pub(crate) unknowns: Unknowns,
    pub(crate) run: Run,
}

/// When an unknown argument makes the result unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknowns {
    /// When it is, or is anywhere inside, an argument: the function looks at every part.
    Deep,
    /// When an argument itself is unknown: the function moves parts without looking into them.
    Shallow,
    /// The function decides.
    Own,
}

/// What computes a function.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// From its arguments alone.
    Pure(fn(Vec<Value>) -> Result<Value, Fault>),
    /// From its unevaluated arguments and the deployment.
    Special(Special),
}

/// A function that sees the deployment: evaluates its own arguments.
pub(crate) type Special = for<'w> fn(&Rc<Deployment<'w>>, &Call, &Frame) -> Result<Value, Fault>;

/// Why a function has no result.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It depends on something unknown.
    Unknown,
    /// The arguments do not fit; the message says what would.
    Wrong(String),
    /// The same in a sentence of ARM's own, which needs no more around it.
    Refused(String),
    /// `fail()`.
    Fail(String),
    /// An error from within, already with its place.
    Inner(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Inner(error)
    }
}

/// Ends a function with a message.
pub(crate) fn wrong<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Wrong(message.into()))
}

/// Ends a function with ARM's own sentence.
pub(crate) fn refused<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(message.into()))
}

impl Function {
    /// Whether it takes this many arguments; otherwise says how many it takes.
    pub(crate) fn accepts(&self, count: usize) -> Result<(), String> {
        if (self.least..=self.most).contains(&count) {
            return Ok(());
        }
        let arguments = |n: usize| {
            if n == 1 {
                "1 argument".to_owned()
            } else {
                format!("{n} arguments")
            }
        };
        Err(if self.least == self.most {
            arguments(self.least)
        } else if self.most == MANY {
            format!("at least {}", arguments(self.least))
        } else {
            format!("{} to {}", self.least, arguments(self.most))
        })
    }

    /// Whether these arguments make the result unknown before it is computed.
    pub(crate) fn is_unknown_for(&self, args: &[Value]) -> bool {
        match self.unknowns {
            Unknowns::Deep => args.iter().any(has_unknown),
            Unknowns::Shallow => args.iter().any(is_unknown),
            Unknowns::Own => false,
        }
    }
}

/// No upper bound on the number of arguments.
pub(crate) const MANY: usize = usize::MAX;

const fn pure(
    name: &'static str,
    least: usize,
    most: usize,
    unknowns: Unknowns,
    run: fn(Vec<Value>) -> Result<Value, Fault>,
) -> Function {
    Function {
        name,
        least,
        most,
        unknowns,
        run: Run::Pure(run),
    }
}

pub(crate) const fn special(
    name: &'static str,
    least: usize,
    most: usize,
    run: Special,
) -> Function {
    Function {
        name,
        least,
        most,
        unknowns: Unknowns::Own,
        run: Run::Special(run),
    }
}

static BY_NAME: LazyLock<HashMap<String, &'static Function>> = LazyLock::new(|| {
    [
        array::TABLE,
        comparison::TABLE,
        date::TABLE,
        encoding::TABLE,
        hash::TABLE,
        json::TABLE,
        logical::TABLE,
        network::TABLE,
        numeric::TABLE,
        object::TABLE,
        roles::TABLE,
        set::TABLE,
        string::TABLE,
        special::lambda::TABLE,
        special::language::TABLE,
        special::live::TABLE,
        special::resource::TABLE,
        special::scope::TABLE,
        special::zones::TABLE,
    ]
    .into_iter()
    .flatten()
    .map(|function| (function.name.to_ascii_lowercase(), function))
    .collect()
});

/// The built-in function of this name, in any case. Every name that begins with `list` is one.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let lower = name.to_ascii_lowercase();
    BY_NAME
        .get(&lower)
        .copied()
        .or_else(|| lower.starts_with("list").then_some(&special::live::LIST))
}

/// The arguments, by position and type. Messages count from 1 and never show a value: it may be a secret.
pub(crate) struct Args {
    values: std::vec::IntoIter<Value>,
    position: usize,
}

impl Args {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self {
            values: values.into_iter(),
            position: 0,
        }
    }

    pub(crate) fn next(&mut self) -> Option<Value> {
        self.position += 1;
        self.values.next()
    }

    pub(crate) fn value(&mut self) -> Value {
        self.next().unwrap_or(Value::Null)
    }

    pub(crate) fn rest(self) -> Vec<Value> {
        self.values.collect()
    }

    fn expected<T>(&self, wanted: &str, found: &Value) -> Result<T, Fault> {
        if is_unknown(found) {
            return Err(Fault::Unknown);
        }
        wrong(format!(
            "argument {} must be {wanted}, but is {}",
            self.position,
            called(found)
        ))
    }

    pub(crate) fn string(&mut self) -> Result<String, Fault> {
        match self.value() {
            Value::String(text) => Ok(text),
            other => self.expected("a string", &other),
        }
    }

    pub(crate) fn optional_string(&mut self) -> Result<Option<String>, Fault> {
        match self.next() {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => self.expected("a string", &other),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, Fault> {
        let value = self.value();
        match int_of(&value) {
            Some(number) => Ok(number),
            None => self.expected("an integer", &value),
        }
    }

    pub(crate) fn optional_int(&mut self) -> Result<Option<i64>, Fault> {
        match self.next() {
            None => Ok(None),
            Some(value) => match int_of(&value) {
                Some(number) => Ok(Some(number)),
                None => self.expected("an integer", &value),
            },
        }
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Fault> {
        match self.value() {
            Value::Bool(flag) => Ok(flag),
            other => self.expected("a bool; write `true()` or `false()`, or compare", &other),
        }
    }

    pub(crate) fn array(&mut self) -> Result<Vec<Value>, Fault> {
        match self.value() {
            Value::Array(items) => Ok(items),
            other => self.expected("an array", &other),
        }
    }

    pub(crate) fn object(&mut self) -> Result<serde_json::Map<String, Value>, Fault> {
        match self.value() {
            Value::Object(members)
                if !(members.len() == 1 && members.contains_key(crate::runtime::MARK)) =>
            {
                Ok(members)
            }
            other => self.expected("an object", &other),
        }
    }
}

/// A member in any case: exact first.
pub(crate) fn member<'v>(
    object: &'v serde_json::Map<String, Value>,
    name: &str,
) -> Option<&'v Value> {
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}
