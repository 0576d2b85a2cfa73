//! From JSON to a parsed template: shape, limits, every expression. Values are not computed here.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::expression::{self, Text};
use crate::node::{Loop, Node, read_loop};
use crate::template::{
    Declaration, Declared, DeclaredOutput, Inner, Nested, NestedTemplate, OutputValue,
    ResourceLoop, UserFunction, Variable,
};
use crate::{Error, place, schema};

/// ARM's limits, <https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits>.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_PARAMETERS: usize = 256;
const MAX_VARIABLES: usize = 256;
const MAX_VARIABLES_SYMBOLIC: usize = 512;
const MAX_OUTPUTS: usize = 64;
/// Of resources, copies included.
pub(crate) const MAX_RESOURCES: usize = 800;

const TOP: [&str; 13] = [
    "$schema",
    "contentVersion",
    "languageVersion",
    "apiProfile",
    "metadata",
    "definitions",
    "imports",
    "parameters",
    "functions",
    "variables",
    "resources",
    "outputs",
    "extensions",
];

pub(crate) fn check_size(bytes: usize) -> Result<(), Error> {
    limit("", "a template of this many bytes", bytes, MAX_BYTES)
}

/// Roughly the bytes of a value's compact text, without writing it.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 2,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(object) => {
            object
                .iter()
                .map(|(k, v)| k.len() + 4 + size(v))
                .sum::<usize>()
                + 2
        }
    }
}

fn limit(at: &str, what: &str, found: usize, limit: usize) -> Result<(), Error> {
    if found <= limit {
        return Ok(());
    }
    Err(Error::Limit {
        place: at.to_owned(),
        what: format!("{what} ({found})"),
        limit: limit as u64,
    })
}

/// Reads a whole template.
pub(crate) fn template(value: &Value) -> Result<Inner, Error> {
    let Value::Object(top) = value else {
        return Err(Error::invalid(
            "",
            "a template is a JSON object with `$schema`, `contentVersion` and `resources`",
        ));
    };
    for name in top.keys() {
        if !TOP.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Error::invalid(
                name.as_str(),
                format!("`{name}` is no part of a template; remove it, or put it under `metadata`"),
            ));
        }
    }
    for name in ["$schema", "contentVersion"] {
        if !get(top, name).is_some_and(Value::is_string) {
            return Err(Error::invalid(
                name,
                format!(
                    "a template needs `{name}`, a string; `az bicep build` writes it, or copy it from Microsoft's examples"
                ),
            ));
        }
    }
    let symbolic = match get(top, "languageVersion") {
        None => false,
        Some(Value::String(version)) if version == "1.0" => false,
        Some(Value::String(version)) if version.starts_with("2.") => true,
        Some(_) => {
            return Err(Error::invalid(
                "languageVersion",
                "only the language versions 1.0 and 2.0 are known",
            ));
        }
    };
    let empty = Map::new();
    let definitions = object(top, "definitions", "")?.unwrap_or(&empty).clone();
    let (parameters, declarations) = parameters(top, &definitions, symbolic)?;
    let functions = functions(top)?;
    let variables = variables(top, symbolic)?;
    let mut resources = Vec::new();
    match get(top, "resources") {
        Some(list) => read_resources(list, "resources", None, symbolic, &mut resources)?,
        None => {
            return Err(Error::invalid(
                "resources",
                "a template needs `resources`; write an empty list for none",
            ));
        }
    }
    limit(
        "resources",
        "a number of resources",
        resources.len(),
        MAX_RESOURCES,
    )?;
    let outputs = outputs(top, &definitions, symbolic)?;
    let header = top
        .iter()
        .filter(|(name, _)| {
            ![
                "parameters",
                "variables",
                "resources",
                "outputs",
                "definitions",
                "functions",
            ]
            .iter()
            .any(|left_out| left_out.eq_ignore_ascii_case(name))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(Inner {
        header: Value::Object(header),
        symbolic,
        parameters,
        declarations,
        definitions,
        functions,
        variables,
        resources,
        outputs,
    })
}

/// A member in any case, as ARM reads its own properties.
pub(crate) fn get<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).or_else(|| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

fn object<'v>(
    top: &'v Map<String, Value>,
    name: &str,
    at: &str,
) -> Result<Option<&'v Map<String, Value>>, Error> {
    match get(top, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Error::invalid(
            place::member(at, name),
            format!("`{name}` is an object"),
        )),
    }
}

type Parameters = (
    IndexMap<String, crate::Parameter>,
    HashMap<String, Declaration>,
);

fn parameters(
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

fn functions(top: &Map<String, Value>) -> Result<HashMap<String, UserFunction>, Error> {
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
                        Some(name) => Ok(name.to_lowercase()),
                        None => Err(Error::invalid(
                            at.as_str(),
                            "each parameter of a function needs a `name`",
                        )),
                    },
                )
                .collect::<Result<_, _>>()?;
            let output_place = place::member(&at, "output.value");
            let output = body
                .get("output")
                .and_then(|output| output.get("value"))
                .ok_or_else(|| {
                    Error::invalid(at.as_str(), "a function needs an `output` with a `value`")
                })?;
            functions.insert(
                format!("{name}.{function}").to_lowercase(),
                UserFunction {
                    parameters,
                    output: Node::read_plain(output, &output_place)?,
                    place: output_place,
                },
            );
        }
    }
    Ok(functions)
}

fn variables(top: &Map<String, Value>, symbolic: bool) -> Result<HashMap<String, Variable>, Error> {
    let mut variables = HashMap::new();
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

/// Reads a list of resources (or, with symbolic names, an object of them) and their children into `out`.
fn read_resources(
    list: &Value,
    at: &str,
    parent: Option<usize>,
    symbolic: bool,
    out: &mut Vec<Declared>,
) -> Result<(), Error> {
    match list {
        Value::Array(items) if !symbolic || items.is_empty() || parent.is_some() => {
            for (i, item) in items.iter().enumerate() {
                resource(item, place::index(at, i), None, parent, symbolic, out)?;
            }
            Ok(())
        }
        Value::Object(items) if symbolic => {
            for (name, item) in items {
                resource(
                    item,
                    place::member(at, name),
                    Some(name.clone()),
                    parent,
                    symbolic,
                    out,
                )?;
            }
            Ok(())
        }
        _ if symbolic => Err(Error::invalid(
            at,
            "with language version 2.0 resources are an object with a symbolic name for each; name them, or remove `languageVersion`",
        )),
        _ => Err(Error::invalid(
            at,
            "resources are a list; for an object with symbolic names write `\"languageVersion\": \"2.0\"`",
        )),
    }
}

fn resource(
    value: &Value,
    at: String,
    symbolic_name: Option<String>,
    parent: Option<usize>,
    symbolic: bool,
    out: &mut Vec<Declared>,
) -> Result<(), Error> {
    let Value::Object(members) = value else {
        return Err(Error::invalid(
            at,
            "a resource is an object with `type`, `apiVersion` and `name`",
        ));
    };
    for name in ["import", "extension"] {
        if get(members, name).is_some() {
            return Err(Error::invalid(
                place::member(&at, name),
                "resources of extensions other than Azure are not supported; leave this resource out of the template",
            ));
        }
    }
    let node = |name: &str| -> Result<Option<Node>, Error> {
        get(members, name)
            .filter(|value| !value.is_null())
            .map(|value| Node::read_plain(value, &place::member(&at, name)))
            .transpose()
    };
    let kind = match get(members, "type") {
        Some(Value::String(kind)) if !kind.is_empty() && !kind.starts_with('[') => kind.clone(),
        Some(Value::String(_)) => {
            return Err(Error::invalid(
                place::member(&at, "type"),
                "a resource's type is plain text, not an expression",
            ));
        }
        _ => {
            return Err(Error::invalid(
                at,
                "a resource needs a `type`, such as `Microsoft.Compute/virtualMachines`",
            ));
        }
    };
    let kind = match parent.and_then(|index| out.get(index)) {
        Some(parent) if !kind.starts_with(&format!("{}/", parent.kind)) => {
            format!("{}/{kind}", parent.kind)
        }
        _ => kind,
    };
    if !kind.contains('/') {
        return Err(Error::invalid(
            place::member(&at, "type"),
            format!(
                "`{kind}` is no full resource type; write it with its provider, as in `Microsoft.Compute/virtualMachines`"
            ),
        ));
    }
    let Some(name) = node("name")? else {
        return Err(Error::invalid(at, "a resource needs a `name`"));
    };
    let existing = get(members, "existing")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let api_version = node("apiVersion")?;
    if api_version.is_none() && !existing {
        return Err(Error::invalid(at, "a resource needs an `apiVersion`"));
    }
    let copy = match get(members, "copy") {
        None | Some(Value::Null) => None,
        Some(copy) => Some(resource_loop(
            copy,
            &place::member(&at, "copy"),
            symbolic_name.as_deref(),
        )?),
    };
    let is_deployment = kind.eq_ignore_ascii_case("Microsoft.Resources/deployments");
    let nested = if is_deployment {
        nested(members, &at)?
    } else {
        None
    };
    let body = body(members, &at, is_deployment, nested.is_some(), existing)?;
    let declared = Declared {
        symbolic_name,
        parent,
        kind,
        api_version,
        name,
        existing,
        condition: node("condition")?,
        copy,
        scope: node("scope")?,
        subscription: if is_deployment || existing {
            node("subscriptionId")?
        } else {
            None
        },
        resource_group: if is_deployment || existing {
            node("resourceGroup")?
        } else {
            None
        },
        depends_on: node("dependsOn")?,
        body,
        nested,
        place: at.clone(),
    };
    let index = out.len();
    out.push(declared);
    if let Some(children) = get(members, "resources") {
        read_resources(
            children,
            &place::member(&at, "resources"),
            Some(index),
            symbolic,
            out,
        )?;
    }
    Ok(())
}

/// Everything of a resource that is sent to Azure, but name, type and API version, which are computed.
fn body(
    members: &Map<String, Value>,
    at: &str,
    is_deployment: bool,
    has_template: bool,
    existing: bool,
) -> Result<Node, Error> {
    const CONTROL: [&str; 10] = [
        "type",
        "apiVersion",
        "name",
        "existing",
        "condition",
        "copy",
        "scope",
        "dependsOn",
        "resources",
        "comments",
    ];
    let mut kept = Map::new();
    for (name, value) in members {
        let control = CONTROL
            .iter()
            .any(|control| control.eq_ignore_ascii_case(name));
        let target = (is_deployment || existing)
            && ["subscriptionId", "resourceGroup"]
                .iter()
                .any(|target| target.eq_ignore_ascii_case(name));
        if control || target {
            continue;
        }
        if has_template && name.eq_ignore_ascii_case("properties") {
            // The inner template is kept as it is: its expressions are not this template's. Both parts are read by `nested`.
            let properties = value.as_object().map(|properties| {
                properties
                    .iter()
                    .filter(|(name, _)| {
                        !["template", "parameters"]
                            .iter()
                            .any(|part| part.eq_ignore_ascii_case(name))
                    })
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            });
            kept.insert(
                name.clone(),
                properties.map_or_else(|| value.clone(), Value::Object),
            );
            continue;
        }
        kept.insert(name.clone(), value.clone());
    }
    Node::read(&Value::Object(kept), at)
}

fn resource_loop(
    copy: &Value,
    at: &str,
    symbolic_name: Option<&str>,
) -> Result<ResourceLoop, Error> {
    let Value::Object(members) = copy else {
        return Err(Error::invalid(
            at,
            "a resource's `copy` is an object with `name` and `count`",
        ));
    };
    let name = get(members, "name")
        .and_then(Value::as_str)
        .or(symbolic_name);
    let Some(name) = name else {
        return Err(Error::invalid(
            at,
            "a copy loop needs a `name` that is a string",
        ));
    };
    let Some(count) = get(members, "count") else {
        return Err(Error::invalid(at, "a copy loop needs a `count`"));
    };
    let serial = match get(members, "mode").map(Value::as_str) {
        None => false,
        Some(Some(mode)) if mode.eq_ignore_ascii_case("parallel") => false,
        Some(Some(mode)) if mode.eq_ignore_ascii_case("serial") => true,
        Some(_) => {
            return Err(Error::invalid(
                place::member(at, "mode"),
                "the mode of a loop is `Serial` or `Parallel`",
            ));
        }
    };
    Ok(ResourceLoop {
        name: name.to_owned(),
        count: Node::read_plain(count, &place::member(at, "count"))?,
        serial,
        batch_size: get(members, "batchSize")
            .map(|size| Node::read_plain(size, &place::member(at, "batchSize")))
            .transpose()?,
    })
}

fn nested(members: &Map<String, Value>, at: &str) -> Result<Option<Nested>, Error> {
    let at = place::member(at, "properties");
    let Some(Value::Object(properties)) = get(members, "properties") else {
        return Ok(None);
    };
    let inner_scope = get(properties, "expressionEvaluationOptions")
        .and_then(|options| options.get("scope"))
        .and_then(Value::as_str)
        .is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
    let template_place = place::member(&at, "template");
    let template = match get(properties, "template") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => {
            match expression::read(text).map_err(|e| e.within(&template_place))? {
                Text::Expression(expr) => NestedTemplate::Computed(expr),
                Text::Literal(_) => {
                    return Err(Error::invalid(
                        template_place,
                        "a nested template is an object",
                    ));
                }
            }
        }
        Some(inline) => NestedTemplate::Inline(
            Arc::new(template(inline).map_err(|error| error.within(&template_place))?),
            inline.clone(),
        ),
    };
    let parameters = get(properties, "parameters")
        .filter(|value| !value.is_null())
        .map(|value| Node::read(value, &place::member(&at, "parameters")))
        .transpose()?;
    Ok(Some(Nested {
        template,
        inner_scope,
        parameters,
    }))
}

fn outputs(
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
                nullable: declared.nullable,
                condition: get(members, "condition")
                    .map(|condition| Node::read_plain(condition, &place::member(&at, "condition")))
                    .transpose()?,
                value,
            })
        })
        .collect()
}
