//! The ARM template language: parses a template and evaluates it to concrete resources, without asking Azure.
//!
//! [`Template::parse`] reads and checks the shape and every expression once; [`evaluate`] makes it concrete for given
//! parameters and a [`Context`]. What only the cloud knows comes through a [`Runtime`]; where that answers `None` the value is
//! an explicit unknown, `{"$unknown": "<expression>"}`, and stays one through every function whose result depends on it.
//! Why it is not known is told by [`Evaluation::causes`]: nothing but [`Cause`]s makes an unknown.
//! Evaluation is pure: the same template, parameters, context and runtime answers give the same result.
//!
//! Nothing here knows Slipway's words but *template*; no I/O, no clock.

mod cause;
mod context;
mod error;
mod evaluate;
mod evaluation;
mod expression;
mod functions;
mod node;
mod parameter;
mod parse;
mod place;
mod runtime;
mod schema;
mod template;

pub use cause::Cause;
pub use context::{Context, ResourceGroup};
pub use error::Error;
pub use evaluation::{Batch, Evaluation, Output, Resource};
pub use functions::BUILT_IN_ROLES;
pub use parameter::{Parameter, ParameterError, ParameterType, check_parameters};
pub use runtime::{Link, Runtime, Unknown, has_unknown, is_unknown, unknown};
pub use template::Template;

use serde_json::{Map, Value};

/// Makes a template concrete.
///
/// `given` holds plain values by parameter name (names are case-insensitive); every one is checked first.
///
/// # Errors
/// The first thing that is wrong, with its place; see [`Error`].
pub fn evaluate(
    template: &Template,
    given: &Map<String, Value>,
    context: &Context,
    runtime: &dyn Runtime,
) -> Result<Evaluation, Error> {
    evaluate::evaluate(template, given, context, runtime)
}
