//! Reads resources: their control members (type, name, condition, copy, scope), their bodies, and the templates of nested deployments.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{get, read, template};
use crate::expression::{self, Text};
use crate::node::Node;
use crate::template::{Declared, Nested, NestedTemplate, ResourceLoop};
use crate::{Error, place};

/// Reads a list of resources (or, with symbolic names, an object of them) and their children into `out`.
pub(super) fn read_resources(
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
    let extension = ["import", "extension"]
        .iter()
        .find_map(|name| get(members, name))
        .map(|name| name.as_str().unwrap_or("unnamed").to_owned());
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
    // Types of extensions have names of their own kind, such as `core/Service@v1`.
    if !kind.contains('/') && extension.is_none() {
        return Err(Error::invalid(
            place::member(&at, "type"),
            format!(
                "`{kind}` is no full resource type; write it with its provider, as in `Microsoft.Compute/virtualMachines`"
            ),
        ));
    }
    let name = match node("name")? {
        Some(name) => name,
        None if extension.is_some() => Node::Value(Value::Null),
        None => return Err(Error::invalid(at, "a resource needs a `name`")),
    };
    let existing = get(members, "existing")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let api_version = node("apiVersion")?;
    if api_version.is_none() && !existing && extension.is_none() {
        return Err(Error::invalid(at, "a resource needs an `apiVersion`"));
    }
    let copy = match get(members, "copy") {
        None | Some(Value::Null) => None,
        // The words of public reports.
        Some(_) if parent.is_some() => {
            return Err(Error::refused(
                place::member(&at, "copy"),
                format!(
                    "The template resource '{}' is not valid. Copying nested resources is not supported. Please see https://aka.ms/arm-copy for usage details.",
                    name.written()
                ),
            ));
        }
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
        located: get(members, "location").is_some_and(|location| !location.is_null()),
        extension,
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
    const CONTROL: [&str; 14] = [
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
        "metadata",
        "@options",
        "import",
        "extension",
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
        None | Some(Value::Null) => match get(properties, "templateLink") {
            None | Some(Value::Null) => return Ok(None),
            Some(link) => {
                if get(properties, "parametersLink").is_some() {
                    return Err(Error::invalid(
                        place::member(&at, "parametersLink"),
                        "`parametersLink` is not supported; write the parameters as `parameters`",
                    ));
                }
                NestedTemplate::Linked(Node::read_plain(link, &place::member(&at, "templateLink"))?)
            }
        },
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
        Some(inline) => {
            let inner = if inner_scope {
                template(inline)
            } else {
                read(inline)
            };
            NestedTemplate::Inline(Arc::new(
                inner.map_err(|error| error.within(&template_place))?,
            ))
        }
    };
    let parameters = get(properties, "parameters")
        .filter(|value| !value.is_null())
        .map(|value| Node::read(value, &place::member(&at, "parameters")))
        .transpose()?;
    Ok(Some(Nested {
        // A linked template never sees the parameters and variables of the one that links to it.
        inner_scope: inner_scope || matches!(template, NestedTemplate::Linked(_)),
        template,
        parameters,
    }))
}
