//! Reads what a template declares by name: parameters, user-defined functions, variables, outputs.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    MAX_OUTPUTS, MAX_PARAMETERS, MAX_VARIABLES, MAX_VARIABLES_SYMBOLIC, get, limit, object,
};
use crate::node::{Loop, Node, read_loop};
use crate::template::{Declaration, DeclaredOutput, OutputValue, UserFunction, Variable};
use crate::{Error, place, schema};

pub(super) type Parameters = (
    IndexMap<String, crate::Parameter>,
    HashMap<String, Declaration>,
);

pub(super) fn parameters(
    top: &Map<String, Value>,
    definitions: &Map<String, Value>,
    symbolic: bool,
) -> Result<Parameters, Error> {
    let mut parameters = IndexMap::new();
    let mut declarations = HashMap::new();
    let Some(declared) = object(top, "parameters", "")? else {
        return Ok((parameters, declarations));
    };
    limit(
        "parameters",
        "a number of parameters",
        declared.len(),
        MAX_PARAMETERS,
    )?;
    for (name, declaration) in declared {
        let at = place::member("parameters", name);
        let Value::Object(members) = declaration else {
            return Err(Error::invalid(
                at,
                "a parameter is declared by an object with a `type`",
            ));
        };
        let parameter = schema::parameter(members, definitions, symbolic, &at)?;
        let default = parameter
            .default
            .as_ref()
            .map(|value| Node::read_plain(value, &place::member(&at, "defaultValue")))
            .transpose()?;
        parameters.insert(name.clone(), parameter);
        let previous = declarations.insert(
            name.to_lowercase(),
            Declaration {
                name: name.clone(),
                schema: declaration.clone(),
                default,
            },
        );
        if let Some(previous) = previous {
            return Err(Error::invalid(
                at,
                format!(
                    "`{}` and `{name}` differ in case only; names are case-insensitive, rename one",
                    previous.name
                ),
            ));
        }
    }
    Ok((parameters, declarations))
}

pub(super) fn functions(top: &Map<String, Value>) -> Result<HashMap<String, UserFunction>, Error> {
    let mut functions = HashMap::new();
    let Some(namespaces) = get(top, "functions") else {
        return Ok(functions);
    };
    let Value::Array(namespaces) = namespaces else {
        return Err(Error::invalid(
            "functions",
            "`functions` is a list of namespaces",
        ));
    };
    for (i, namespace) in namespaces.iter().enumerate() {
        let at = place::index("functions", i);
        let name = namespace
            .get("namespace")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                Error::invalid(at.as_str(), "a list of functions needs a `namespace`")
            })?;
        let members = namespace.get("members").and_then(Value::as_object);
        for (function, body) in members.into_iter().flatten() {
            let at = place::member(&place::member(&at, "members"), function);
            let parameters = body
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(
                    |parameter| match parameter.get("name").and_then(Value::as_str) {
                        Some(name) => Ok((name.to_lowercase(), parameter.clone())),
                        None => Err(Error::invalid(
                            at.as_str(),
                            "each parameter of a function needs a `name`",
                        )),
                    },
                )
                .collect::<Result<_, _>>()?;
            let output_place = place::member(&at, "output.value");
            let declared = body.get("output").and_then(Value::as_object);
            let (Some(declared), Some(output)) = (
                declared,
                declared.and_then(|declared| declared.get("value")),
            ) else {
                return Err(Error::invalid(
                    at,
                    "a function needs an `output` with a `value`",
                ));
            };
            functions.insert(
                format!("{name}.{function}").to_lowercase(),
                UserFunction {
                    parameters,
                    output: Node::read_plain(output, &output_place)?,
                    output_schema: declared.clone(),
                    place: output_place,
                },
            );
        }
    }
    Ok(functions)
}

pub(super) fn variables(
    top: &Map<String, Value>,
    symbolic: bool,
) -> Result<IndexMap<String, Variable>, Error> {
    let mut variables = IndexMap::new();
    let Some(declared) = object(top, "variables", "")? else {
        return Ok(variables);
    };
    let most = if symbolic {
        MAX_VARIABLES_SYMBOLIC
    } else {
        MAX_VARIABLES
    };
    limit("variables", "a number of variables", declared.len(), most)?;
    for (name, value) in declared {
        let at = place::member("variables", name);
        if name.eq_ignore_ascii_case("copy")
            && let Value::Array(loops) = value
        {
            for (i, entry) in loops.iter().enumerate() {
                let entry: Loop = read_loop(entry, &place::index(&at, i), 0)?;
                variables.insert(entry.name.to_lowercase(), Variable::Loop(entry));
            }
            continue;
        }
        let value = Node::read(value, &at)?;
        variables.insert(
            name.to_lowercase(),
            Variable::Node {
                name: name.clone(),
                value,
            },
        );
    }
    Ok(variables)
}

pub(super) fn outputs(
    top: &Map<String, Value>,
    definitions: &Map<String, Value>,
    symbolic: bool,
) -> Result<Vec<DeclaredOutput>, Error> {
    let Some(declared) = object(top, "outputs", "")? else {
        return Ok(Vec::new());
    };
    limit(
        "outputs",
        "a number of outputs",
        declared.len(),
        MAX_OUTPUTS,
    )?;
    declared
        .iter()
        .map(|(name, output)| {
            let at = place::member("outputs", name);
            let Value::Object(members) = output else {
                return Err(Error::invalid(
                    at,
                    "an output is an object with `type` and `value`",
                ));
            };
            let declared = schema::parameter(members, definitions, symbolic, &at)?;
            let value = match (get(members, "value"), get(members, "copy")) {
                (Some(value), _) => {
                    OutputValue::One(Node::read(value, &place::member(&at, "value"))?)
                }
                (None, Some(Value::Object(copy))) => {
                    let at = place::member(&at, "copy");
                    let part = |name: &str| {
                        get(copy, name)
                            .ok_or_else(|| {
                                Error::invalid(
                                    at.as_str(),
                                    "an output's loop needs `count` and `input`",
                                )
                            })
                            .and_then(|value| Node::read(value, &place::member(&at, name)))
                    };
                    OutputValue::Loop {
                        count: part("count")?,
                        input: part("input")?,
                    }
                }
                _ => {
                    return Err(Error::invalid(
                        at,
                        "an output needs a `value`, or a `copy` with `count` and `input`",
                    ));
                }
            };
            Ok(DeclaredOutput {
                name: name.clone(),
                kind: declared.kind,
                schema: members.clone(),
                condition: get(members, "condition")
                    .map(|condition| Node::read_plain(condition, &place::member(&at, "condition")))
                    .transpose()?,
                value,
            })
        })
        .collect()
}
