//! Outputs of a deployment: their conditions, their loops, and whether they are of their types.

use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::Value;

use super::Deployment;
use crate::runtime::unknown;
use crate::template::{DeclaredOutput, OutputValue};
use crate::{Error, Output, place};

impl Deployment<'_> {
    pub(super) fn outputs(self: &Rc<Self>) -> Result<IndexMap<String, Output>, Error> {
        let mut outputs = IndexMap::new();
        for declared in &self.template.outputs {
            let value = self.output(declared).map_err(|error| {
                error.told(|text| {
                    format!(
                        "The template output '{}' is not valid: {text}",
                        declared.name
                    )
                })
            })?;
            if let Some(value) = value {
                outputs.insert(
                    declared.name.clone(),
                    Output {
                        kind: declared.kind,
                        value,
                    },
                );
            }
        }
        Ok(outputs)
    }

    /// The value of an output; `None` where its condition is false.
    fn output(self: &Rc<Self>, declared: &DeclaredOutput) -> Result<Option<Value>, Error> {
        let frame = self.base_frame();
        let at = place::member("outputs", &declared.name);
        if let Some(condition) = &declared.condition {
            let at = place::member(&at, "condition");
            let causes = &self.world.causes;
            let (holds, met) = causes.watch(|| self.condition(condition, &frame, &at));
            match holds? {
                Some(true) => {}
                Some(false) => return Ok(None),
                None => {
                    let text = format!("outputs('{}')", declared.name);
                    causes.record(&text, met);
                    return Ok(Some(unknown(text)));
                }
            }
        }
        let value = match &declared.value {
            OutputValue::One(node) => self.node(node, &frame, &place::member(&at, "value"))?,
            OutputValue::Loop { count, input } => self.loop_values(
                &declared.name,
                count,
                input,
                &frame,
                &place::member(&at, "copy"),
            )?,
        };
        if let Some(wrong) = declared.wrong(&value, &self.template) {
            return Err(Error::Expression {
                place: self.at(&at),
                expression: String::new(),
                message: wrong,
            });
        }
        Ok(Some(value))
    }
}
