//! Functions that see the deployment, by subject. They evaluate their own arguments and decide themselves what an unknown does.

pub(crate) mod lambda;
pub(crate) mod language;
pub(crate) mod live;
pub(crate) mod resource;
pub(crate) mod scope;
pub(crate) mod zones;

use std::rc::Rc;

use serde_json::Value;

use super::{Deployment, Frame};
use crate::expression::Call;
use crate::functions::{Args, Fault};
use crate::runtime::is_unknown;

/// All arguments, evaluated; an unknown one makes the result unknown.
fn known_args(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Args, Fault> {
    let args = call
        .args
        .iter()
        .map(|arg| deployment.eval(arg, frame))
        .collect::<Result<Vec<Value>, _>>()?;
    if args.iter().any(is_unknown) {
        return Err(Fault::Unknown);
    }
    Ok(Args::new(args))
}

/// One argument, evaluated.
fn arg(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    position: usize,
    frame: &Frame,
) -> Result<Value, Fault> {
    match call.args.get(position) {
        Some(expr) => Ok(deployment.eval(expr, frame)?),
        None => Ok(Value::Null),
    }
}
