//! JSON with its expressions already parsed: what a template's values are kept as. How nodes are evaluated is in `evaluate`.

use serde_json::Value;

use crate::expression::{self, Expr, Text};
use crate::{Error, place};

/// Deepest JSON that is read; the JSON reader itself stops at the same depth.
pub(crate) const MAX_DEPTH: usize = 128;

/// A value of the template.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Nothing in it needs evaluation; strings are unescaped.
    Value(Value),
    Expr(Expr),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// One member of an object.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    Plain(Key, Node),
    /// One entry of a `copy` array: a property that is made by a loop.
    Loop(Loop),
}

/// A member's name; names may be expressions.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    Plain(String),
    Expr(Expr),
}

/// A loop over a property or a variable: `{"name": …, "count": …, "input": …}`.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    pub(crate) name: String,
    pub(crate) count: Node,
    pub(crate) input: Node,
}

impl Node {
    /// The text as the template has it, for people.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Value(Value::String(text)) => text.clone(),
            Self::Expr(expr) => format!("[{expr}]"),
            _ => String::new(),
        }
    }

    /// Reads a value in which objects may have `copy` loops.
    pub(crate) fn read(value: &Value, at: &str) -> Result<Self, Error> {
        read(value, at, true, 0)
    }

    /// Reads a value in which `copy` is a member like any other.
    pub(crate) fn read_plain(value: &Value, at: &str) -> Result<Self, Error> {
        read(value, at, false, 0)
    }
}

fn read(value: &Value, at: &str, loops: bool, depth: usize) -> Result<Node, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::Limit {
            place: at.to_owned(),
            what: "JSON nested this deep".into(),
            limit: MAX_DEPTH as u64,
        });
    }
    Ok(match value {
        Value::String(text) => match expression::read(text).map_err(|e| e.within(at))? {
            Text::Literal(literal) => Node::Value(Value::String(literal)),
            Text::Expression(expr) => Node::Expr(expr),
        },
        Value::Array(items) => {
            let nodes = items
                .iter()
                .enumerate()
                .map(|(i, item)| read(item, &place::index(at, i), loops, depth + 1))
                .collect::<Result<Vec<_>, _>>()?;
            if nodes.iter().all(|node| matches!(node, Node::Value(_))) {
                Node::Value(Value::Array(nodes.into_iter().filter_map(plain).collect()))
            } else {
                Node::Array(nodes)
            }
        }
        Value::Object(object) => {
            let mut members = Vec::with_capacity(object.len());
            let mut all_plain = true;
            for (name, value) in object {
                let at = place::member(at, name);
                if loops
                    && name.eq_ignore_ascii_case("copy")
                    && let Value::Array(entries) = value
                    && !entries.is_empty()
                    && entries
                        .iter()
                        .all(|entry| entry.get("count").is_some() && entry.get("name").is_some())
                {
                    all_plain = false;
                    for (i, entry) in entries.iter().enumerate() {
                        members.push(Member::Loop(read_loop(
                            entry,
                            &place::index(&at, i),
                            depth + 1,
                        )?));
                    }
                    continue;
                }
                let key = match expression::read(name).map_err(|e| e.within(&at))? {
                    Text::Literal(literal) => Key::Plain(literal),
                    Text::Expression(expr) => {
                        all_plain = false;
                        Key::Expr(expr)
                    }
                };
                let node = read(value, &at, loops, depth + 1)?;
                all_plain &= matches!(node, Node::Value(_));
                members.push(Member::Plain(key, node));
            }
            if all_plain {
                Node::Value(Value::Object(
                    members
                        .into_iter()
                        .filter_map(|member| match member {
                            Member::Plain(Key::Plain(key), node) => Some((key, plain(node)?)),
                            _ => None,
                        })
                        .collect(),
                ))
            } else {
                Node::Object(members)
            }
        }
        other => Node::Value(other.clone()),
    })
}

fn plain(node: Node) -> Option<Value> {
    match node {
        Node::Value(value) => Some(value),
        _ => None,
    }
}

/// Reads one entry of a `copy` array.
pub(crate) fn read_loop(entry: &Value, at: &str, depth: usize) -> Result<Loop, Error> {
    let name = entry.get("name").and_then(Value::as_str).ok_or_else(|| {
        Error::invalid(
            at,
            "a copy loop needs a `name` that is a string; name it after the property it makes",
        )
    })?;
    let count = entry.get("count").ok_or_else(|| {
        Error::invalid(at, "a copy loop needs a `count`; give the number of items")
    })?;
    let input = entry.get("input").ok_or_else(|| {
        Error::invalid(
            at,
            "a copy loop needs an `input`; give the value of one item",
        )
    })?;
    Ok(Loop {
        name: name.to_owned(),
        count: read(count, &place::member(at, "count"), false, depth)?,
        input: read(input, &place::member(at, "input"), true, depth)?,
    })
}
