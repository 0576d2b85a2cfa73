//! The words of the language itself: parameters, variables, loops, what stops early, and what is pinned.

use std::rc::Rc;

use serde_json::Value;

use super::{arg, known_args};
use crate::error::misplaced_text;
use crate::evaluate::{Deployment, Frame, copy_text};
use crate::expression::{Call, Expr};
use crate::functions::{Args, Fault, Function, MANY, int_of, refused, special, wrong};
use crate::runtime::is_unknown;
use crate::schema::called;

pub(crate) static TABLE: &[Function] = &[
    special("parameters", 1, 1, parameters),
    special("variables", 1, 1, variables),
    special("copyIndex", 0, 2, copy_index),
    special("if", 3, 3, if_),
    special("and", 1, MANY, |deployment, call, frame| {
        junction(deployment, call, frame, false)
    }),
    special("or", 1, MANY, |deployment, call, frame| {
        junction(deployment, call, frame, true)
    }),
    special("utcNow", 0, 1, utc_now),
    special("newGuid", 0, 0, |deployment, _, _| {
        only_in_defaults(deployment, "newGuid")?;
        Ok(deployment.world.new_guid().into())
    }),
    special("fail", 1, 1, fail),
];

fn parameters(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let name = known_args(deployment, call, frame)?.string()?;
    if let Some(arguments) = frame.arguments() {
        return match arguments.get(&name.to_lowercase()) {
            Some(value) => Ok(value.clone()),
            None => wrong(format!(
                "the function has no parameter `{name}`; functions see only their own parameters"
            )),
        };
    }
    Ok(Value::clone(&*deployment.language().parameter(&name)?))
}

fn variables(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let name = known_args(deployment, call, frame)?.string()?;
    Ok(Value::clone(&*deployment.language().variable(&name)?))
}

/// `copyIndex()`, `copyIndex(offset)`, `copyIndex('loop')`, `copyIndex('loop', offset)`.
fn copy_index(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let (name, offset) = match args.next() {
        None => (None, 0),
        Some(Value::String(name)) => (Some(name), args.optional_int()?.unwrap_or(0)),
        Some(offset) => match int_of(&offset) {
            Some(offset) => (None, offset),
            None => {
                return wrong(format!(
                    "a loop's name or an offset is wanted, found {}",
                    called(&offset)
                ));
            }
        },
    };
    match (frame.copy_index(name.as_deref()), name) {
        (Some((_, Some(index))), _) => match i64::try_from(index)
            .ok()
            .and_then(|index| index.checked_add(offset))
        {
            Some(index) => Ok(index.into()),
            None => wrong("the offset leaves 64 bits"),
        },
        (Some((name, None)), _) => {
            deployment.world.causes.meet_text(&copy_text(name));
            Err(Fault::Unknown)
        }
        (None, Some(name)) => wrong(format!(
            "there is no loop `{name}` around this expression; check its name"
        )),
        (None, None) => refused(
            "The template function 'copyIndex' is not expected at this location. The function can only be used in a resource with copy specified. Please see https://aka.ms/arm-copy for usage details.",
        ),
    }
}

/// Only the branch that is taken is computed.
fn if_(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let condition = arg(deployment, call, 0, frame)?;
    if is_unknown(&condition) {
        return Err(Fault::Unknown);
    }
    let chosen = if Args::new(vec![condition]).bool()? {
        1
    } else {
        2
    };
    arg(deployment, call, chosen, frame)
}

/// `and` stops at the first false, `or` at the first true. An unknown leaves the answer open unless another decides it.
fn junction(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
    decisive: bool,
) -> Result<Value, Fault> {
    let mut open = false;
    for (i, expr) in call.args.iter().enumerate() {
        let value = match deployment.eval(expr, frame) {
            Ok(value) => value,
            // Behind an unknown this argument might never have been computed: it must not fail the template.
            Err(_) if open => continue,
            Err(error) => return Err(error.into()),
        };
        match value {
            Value::Bool(flag) if flag == decisive => return Ok(Value::Bool(decisive)),
            Value::Bool(_) => {}
            value if is_unknown(&value) => open = true,
            _ if open => {}
            other => {
                return wrong(format!(
                    "argument {} must be a bool, but is {}",
                    i + 1,
                    called(&other)
                ));
            }
        }
    }
    if open {
        Err(Fault::Unknown)
    } else {
        Ok(Value::Bool(!decisive))
    }
}

/// `utcNow()` and `newGuid()` would differ from call to call: ARM takes them in the defaults of parameters alone.
fn only_in_defaults(deployment: &Deployment<'_>, name: &str) -> Result<(), Fault> {
    if deployment.world.in_default() {
        return Ok(());
    }
    refused(misplaced_text(name))
}

fn utc_now(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    only_in_defaults(deployment, "utcNow")?;
    let format = known_args(deployment, call, frame)?.optional_string()?;
    let now = deployment
        .world
        .context
        .utc_now
        .to_offset(time::UtcOffset::UTC);
    crate::functions::formatted(now, format.as_deref().unwrap_or("yyyyMMddTHHmmssZ"))
        .map(Value::String)
}

fn fail(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    Err(Fault::Fail(known_args(deployment, call, frame)?.string()?))
}

/// The plain string that an argument is, for names that must be written out.
pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String(text) => Some(text),
        _ => None,
    }
}
