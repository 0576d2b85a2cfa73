//! What a deployment gives back: its outputs, evaluated when everything is made, secure ones without a value.

use serde_json::{Value, json};

use super::{Deployment, evaluate};
use crate::state::model::World;
use crate::wire::errors::Problem;
use crate::wire::json as at;

/// The outputs as they are shown, when everything is made.
pub(super) fn of(world: &World, deployment: &Deployment) -> Result<Value, Problem> {
    let failed = |name: &str, why: Problem| Problem {
        details: vec![Problem {
            target: Some(name.to_owned()),
            ..why
        }],
        ..Problem::new(
            "DeploymentOutputEvaluationFailed",
            format!(
                "Unable to evaluate template outputs: '{name}'. Please see error details and deployment operations. Please see https://aka.ms/arm-common-errors for usage details."
            ),
        )
    };
    let evaluation = evaluate::again(world, deployment, deployment.started).map_err(|error| {
        let name = error
            .place()
            .strip_prefix("outputs.")
            .and_then(|rest| rest.split(['.', '[']).next())
            .unwrap_or_default();
        failed(name, Problem::new(error.code(), error.to_string()))
    })?;
    let unfit = evaluation.outputs.iter().find_map(|(name, output)| {
        if template::has_unknown(&output.value) {
            let text = format!(
                "The template output '{name}' is not valid: a value that it needs is not known to this simulator."
            );
            return Some((name, text));
        }
        let deep = at::depth(&output.value) > at::DEEPEST;
        deep.then(|| (name, at::too_deep()))
    });
    match unfit {
        Some((name, text)) => Err(failed(name, Problem::new("InvalidTemplate", text))),
        None => Ok(shown(&evaluation.outputs)),
    }
}

pub(super) fn shown<'a>(
    outputs: impl IntoIterator<Item = (&'a String, &'a template::Output)>,
) -> Value {
    let shown = outputs.into_iter().map(|(name, output)| {
        let mut shown = json!({ "type": output.kind.to_string() });
        if !output.kind.secure() {
            shown["value"] = output.value.clone();
        }
        (name.clone(), shown)
    });
    Value::Object(shown.collect())
}
