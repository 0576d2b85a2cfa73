//! From JSON to a parsed template: its sections, its limits, every expression. Declarations and resources have a file each;
//! values are not computed here.

mod declarations;
mod places;
mod resources;

use serde_json::{Map, Value};

use crate::node::MAX_DEPTH;
use crate::template::Inner;
use crate::{Error, place};
use declarations::{functions, outputs, parameters, variables};
use resources::read_resources;

/// ARM's limits, <https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits>.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_PARAMETERS: usize = 256;
const MAX_VARIABLES: usize = 256;
const MAX_VARIABLES_SYMBOLIC: usize = 512;
const MAX_OUTPUTS: usize = 64;
/// Of resources, copies included.
pub(crate) const MAX_RESOURCES: usize = 800;

const TOP: [&str; 14] = [
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
    "asserts",
];

pub(crate) fn check_size(bytes: usize) -> Result<(), Error> {
    limit("", "a template of this many bytes", bytes, MAX_BYTES)
}

/// Refuses values that nest deeper than JSON that is read from text may: every later walk through them is by recursion.
pub(crate) fn check_depth(value: &Value) -> Result<(), Error> {
    let mut open = vec![(value, 0_usize)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(Error::Limit {
                place: String::new(),
                what: "JSON nested this deep".into(),
                limit: MAX_DEPTH as u64,
            });
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    Ok(())
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

/// Reads a whole template, and checks that its functions stand where they may.
pub(crate) fn template(value: &Value) -> Result<Inner, Error> {
    let template = read(value)?;
    places::check(&template)?;
    Ok(template)
}

/// Reads the template of a nested deployment of outer scope: all of it is part of the outer resource's body, where every
/// function may stand.
fn read(value: &Value) -> Result<Inner, Error> {
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
    Ok(Inner {
        document: value.clone(),
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
