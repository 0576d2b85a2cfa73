//! Which members a body may have, of which JSON type, with which words: refuses what the providers refuse, each in its own way, and writes the rest as they do.
//! The tables in `members/` are made by `conformance/members.py` from Microsoft's SDK. What values mean is checked in each provider's file.
//!
//! Compute and Network read JSON with .NET's most used library: names and words without case, numbers and truths also as text. AKS reads it with Go's, which takes no
//! text for a number. Read-only members are ignored by all of them, because clients send back what they got.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Kind;
use crate::wire::errors::{Problem, Refusal};

#[derive(Deserialize)]
struct Table {
    /// The type of a resource's body, by the resource's type.
    resources: BTreeMap<String, String>,
    /// Members by type: `string`, `[DataDisk]`, `{string}`, the name of a type or an enumeration, `any`; `!` for read-only.
    types: BTreeMap<String, BTreeMap<String, String>>,
    enums: BTreeMap<String, Vec<String>>,
}

fn tables() -> &'static [Table] {
    static TABLES: OnceLock<Vec<Table>> = OnceLock::new();
    TABLES.get_or_init(|| {
        [
            include_str!("members/compute.json"),
            include_str!("members/network.json"),
            include_str!("members/containerservice.json"),
        ]
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect()
    })
}

/// The body as its provider reads it. A type without a table is taken as it is.
pub(super) fn read(kind: &Kind, body: Value) -> Result<Value, Refusal> {
    let found = tables().iter().find_map(|table| {
        let name = table.resources.get(kind.name)?;
        Some((table, name))
    });
    let Some((table, name)) = found else {
        return Ok(body);
    };
    let mut reader = Reader {
        table,
        strict: kind.namespace() == "Microsoft.ContainerService",
        faults: Vec::new(),
    };
    let given = body.clone();
    let body = reader.value(name, body, "");
    if reader.faults.is_empty() {
        return Ok(body);
    }
    let text = given.to_string();
    Err(match kind.namespace() {
        "Microsoft.ContainerService" => unmarshal(&reader.faults),
        "Microsoft.Network" => unparsable(&reader.faults, &text),
        _ => unbound(&reader.faults, &text, kind.short() == "virtualMachines"),
    })
}

struct Fault {
    /// `properties.storageProfile.dataDisks[0].caching`.
    path: String,
    what: What,
}

enum What {
    /// Its type has no such member.
    Unknown { of: String },
    /// A scalar of the wrong kind, or no word of its enumeration.
    Value { given: Value, wanted: String },
    /// An object, a list or a scalar where another of them belongs.
    Form { given: Value, wanted: String },
}

struct Reader<'t> {
    table: &'t Table,
    /// Go's reading instead of .NET's.
    strict: bool,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn value(&mut self, shape: &str, value: Value, path: &str) -> Value {
        if value.is_null() || template::is_unknown(&value) || shape == "any" {
            return value;
        }
        if let Some(inner) = shape.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            return match value {
                Value::Array(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| self.value(inner, item, &format!("{path}[{i}]")))
                    .collect(),
                other => self.form(other, shape, path),
            };
        }
        if let Some(inner) = shape.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            return match value {
                Value::Object(map) => map
                    .into_iter()
                    .map(|(name, item)| {
                        let item = self.value(inner, item, &join(path, &name));
                        (name, item)
                    })
                    .collect::<Map<_, _>>()
                    .into(),
                other => self.form(other, shape, path),
            };
        }
        if let Some(words) = self.table.enums.get(shape) {
            return self.word(words, shape, value, path);
        }
        if let Some(members) = self.table.types.get(shape) {
            return match value {
                Value::Object(map) => self.object(members, shape, map, path),
                other => self.form(other, shape, path),
            };
        }
        self.scalar(shape, value, path)
    }

    fn object(
        &mut self,
        members: &BTreeMap<String, String>,
        name: &str,
        given: Map<String, Value>,
        path: &str,
    ) -> Value {
        let mut read = Map::new();
        for (member, value) in given {
            let known = members
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(&member));
            match known {
                // ARM's own, which it reads before any provider.
                Some((known, _)) if path.is_empty() && (known == "identity" || known == "tags") => {
                    read.insert(known.clone(), value);
                }
                Some((_, shape)) if shape.ends_with('!') => {}
                Some((known, shape)) => {
                    let value = self.value(shape, value, &join(path, known));
                    read.insert(known.clone(), value);
                }
                // ARM has looked at the top of the body already, and takes more there than the provider does.
                None if path.is_empty() => {
                    read.insert(member, value);
                }
                None => self.faults.push(Fault {
                    path: join(path, &member),
                    what: What::Unknown {
                        of: name.to_owned(),
                    },
                }),
            }
        }
        Value::Object(read)
    }

    fn word(&mut self, words: &[String], shape: &str, value: Value, path: &str) -> Value {
        // AKS words its refusal of each enumeration differently; they are checked where they are used.
        if self.strict {
            return self.scalar("string", value, path);
        }
        let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
        let known = value
            .as_str()
            .and_then(|given| words.iter().find(|word| plain(word) == plain(given)));
        match known {
            Some(word) => word.as_str().into(),
            None => self.wrong(value, shape, path),
        }
    }

    fn scalar(&mut self, shape: &str, value: Value, path: &str) -> Value {
        if value.is_object() || value.is_array() {
            return self.form(value, shape, path);
        }
        let read = match (shape, &value) {
            ("string", Value::String(_)) | ("boolean", Value::Bool(_)) => Some(value.clone()),
            ("number", Value::Number(_)) => Some(value.clone()),
            ("integer", Value::Number(number)) if number.is_i64() => Some(value.clone()),
            _ if self.strict => None,
            ("string", Value::Number(number)) => Some(number.to_string().into()),
            ("string", Value::Bool(truth)) => Some(if *truth { "True" } else { "False" }.into()),
            ("boolean", Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(true.into()),
                "false" => Some(false.into()),
                _ => None,
            },
            ("integer", Value::Number(number)) => number
                .as_f64()
                .filter(|number| number.fract() == 0.0 && number.abs() < 1e15)
                .map(|number| Value::from(number as i64)),
            ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
            ("number", Value::String(text)) => text.trim().parse::<f64>().ok().map(Value::from),
            _ => None,
        };
        match read {
            Some(read) => read,
            None => self.wrong(value, shape, path),
        }
    }

    fn wrong(&mut self, value: Value, shape: &str, path: &str) -> Value {
        self.faults.push(Fault {
            path: path.to_owned(),
            what: What::Value {
                given: value,
                wanted: shape.to_owned(),
            },
        });
        Value::Null
    }

    fn form(&mut self, value: Value, shape: &str, path: &str) -> Value {
        self.faults.push(Fault {
            path: path.to_owned(),
            what: What::Form {
                given: value,
                wanted: shape.to_owned(),
            },
        });
        Value::Null
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Azure's own name of a type, as far as it has been seen: without what the published description adds.
fn own_name(shape: &str) -> &str {
    match shape {
        "VirtualMachineProperties" => "Properties",
        "string" => "System.String",
        "integer" => "System.Int32",
        "number" => "System.Double",
        "boolean" => "System.Boolean",
        other => other.strip_suffix("Format").unwrap_or(other),
    }
}

/// A fault in the words of .NET's JSON library, with its place in the body.
fn told(fault: &Fault, text: &str) -> String {
    let quoted = format!("\"{}\"", last(&fault.path));
    let position = text.find(&quoted).map_or(1, |at| at + quoted.len() + 1);
    let at = format!("Path '{}', line 1, position {position}.", fault.path);
    match &fault.what {
        What::Unknown { of } => format!(
            "Could not find member '{}' on object of type '{}'. {at}",
            last(&fault.path),
            own_name(of)
        ),
        What::Value { given, wanted } => {
            format!(
                "Error converting value {given} to type '{}'. {at}",
                own_name(wanted)
            )
        }
        What::Form { given, wanted } => {
            let (is, example) = match given {
                Value::Array(_) => ("JSON array", " (e.g. [1,2,3])"),
                Value::Object(_) => ("JSON object", " (e.g. {\"name\":\"value\"})"),
                _ => {
                    return format!(
                        "Error converting value {given} to type '{}'. {at}",
                        own_name(wanted)
                    );
                }
            };
            let needs = if wanted.starts_with('[') {
                "JSON array (e.g. [1,2,3])"
            } else if given.is_array() {
                "JSON object (e.g. {\"name\":\"value\"})"
            } else {
                "JSON primitive value (e.g. string, number, boolean, null)"
            };
            format!(
                "Cannot deserialize the current {is}{example} into type '{}' because the type requires a {needs} to deserialize correctly. {at}",
                own_name(wanted)
            )
        }
    }
}

/// Compute: one error, with the place as its target where the body is a machine's.
fn unbound(faults: &[Fault], text: &str, machine: bool) -> Refusal {
    let Some(first) = faults.first() else {
        return Refusal::bad("BadRequest", "The body cannot be read.");
    };
    let mut refusal = Refusal::bad("BadRequest", told(first, text));
    if machine {
        refusal.problem.target = Some(format!("vm.{}", first.path));
    }
    refusal
}

/// Network: every fault is a detail.
fn unparsable(faults: &[Fault], text: &str) -> Refusal {
    let details = faults
        .iter()
        .map(|fault| {
            let code = match &fault.what {
                What::Form { .. } => "InvalidRequestFormat",
                What::Unknown { .. } | What::Value { .. } => "InvalidJson",
            };
            Problem::new(code, told(fault, text))
        })
        .collect();
    Refusal::bad("InvalidRequestFormat", "Cannot parse the request.").with_details(details)
}

/// AKS: the first fault, flat, in the words of Go's library.
fn unmarshal(faults: &[Fault]) -> Refusal {
    let why = faults.first().map_or_else(String::new, |fault| match &fault.what {
        What::Unknown { .. } => format!(
            "json: unknown field \"{}\" Check that the field is in the right location, is spelled correctly, and is supported in the API version. Visit aka.ms/aks/apiversions for more API version information.",
            last(&fault.path)
        ),
        What::Value { given, wanted } | What::Form { given, wanted } => {
            let is = match given {
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) | Value::Null => "object",
            };
            let wants = match wanted.as_str() {
                "string" => "string",
                "boolean" => "bool",
                "integer" => "int32",
                "number" => "float64",
                list if list.starts_with('[') => "[]string",
                map if map.starts_with('{') => "map[string]string",
                named => named,
            };
            format!(
                "json: cannot unmarshal {is} into Go struct field Properties.{} of type {wants}",
                fault.path
            )
        }
    });
    Refusal {
        flat: true,
        ..Refusal::bad(
            "UnmarshalError",
            format!("UnmarshalEntity encountered error: {why}."),
        )
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_is_read() {
        let known: usize = super::tables()
            .iter()
            .map(|table| table.resources.len())
            .sum();
        assert_eq!(known, 13);
    }
}
