//! Lambdas: `map`, `filter`, `reduce`, `sort`, `toObject`, `groupBy`, `mapValues`.
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-lambda>.

use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::language::literal;
use super::{arg, known_args};
use crate::evaluate::{Binding, Deployment, Frame};
use crate::expression::{Call, Expr};
use crate::functions::{Fault, Function, MANY, special, text_of, wrong};
use crate::runtime::is_unknown;
use crate::schema::called;

pub(crate) static TABLE: &[Function] = &[
    special("lambda", 1, MANY, |_, _, _| {
        wrong(
            "a lambda stands as an argument of map, filter, reduce, sort, toObject, groupBy or mapValues",
        )
    }),
    special("lambdaVariables", 1, 1, variables),
    special("map", 2, 2, map),
    special("filter", 2, 2, filter),
    special("reduce", 3, 3, reduce),
    special("sort", 2, 2, sort),
    special("toObject", 2, 3, to_object),
    special("groupBy", 2, 3, group_by),
    special("mapValues", 2, 2, map_values),
];

/// A lambda: names of its variables and its body.
struct Lambda<'e> {
    names: Vec<&'e str>,
    body: &'e Expr,
}

impl<'e> Lambda<'e> {
    /// The lambda at this position, with `least` to `most` variables.
    fn read(call: &'e Call, position: usize, least: usize, most: usize) -> Result<Self, Fault> {
        let lambda = match call.args.get(position) {
            Some(Expr::Call(inner))
                if inner.namespace.is_none() && inner.name.eq_ignore_ascii_case("lambda") =>
            {
                inner
            }
            _ => {
                return wrong(format!(
                    "argument {} must be a lambda, such as `lambda('x', …)`",
                    position + 1
                ));
            }
        };
        let Some((body, names)) = lambda.args.split_last() else {
            return wrong("a lambda needs a body");
        };
        let names: Option<Vec<&str>> = names.iter().map(literal).collect();
        match names {
            Some(names) if (least..=most).contains(&names.len()) => Ok(Self { names, body }),
            Some(names) => wrong(format!(
                "the lambda has {} variable(s), {least} to {most} are wanted",
                names.len()
            )),
            None => wrong("the variables of a lambda are strings"),
        }
    }

    fn call(
        &self,
        deployment: &Rc<Deployment<'_>>,
        frame: &Frame,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Value, Fault> {
        let variables = self
            .names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(values)
            .collect();
        Ok(deployment.eval(self.body, &frame.with(Binding::Lambda(variables)))?)
    }
}

fn variables(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let name = known_args(deployment, call, frame)?.string()?;
    match frame.lambda_variable(&name) {
        Some(value) => Ok(value.clone()),
        None => wrong(format!("there is no lambda variable `{name}` here")),
    }
}

fn items(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Vec<Value>, Fault> {
    match arg(deployment, call, 0, frame)? {
        Value::Array(items) => Ok(items),
        other if is_unknown(&other) => Err(Fault::Unknown),
        other => wrong(format!(
            "argument 1 must be an array, but is {}",
            called(&other)
        )),
    }
}

fn map(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let lambda = Lambda::read(call, 1, 1, 2)?;
    items(deployment, call, frame)?
        .into_iter()
        .enumerate()
        .map(|(i, item)| lambda.call(deployment, frame, [item, i.into()]))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

fn filter(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let lambda = Lambda::read(call, 1, 1, 2)?;
    let mut kept = Vec::new();
    let mut open = false;
    for (i, item) in items(deployment, call, frame)?.into_iter().enumerate() {
        match lambda.call(deployment, frame, [item.clone(), i.into()])? {
            Value::Bool(true) => kept.push(item),
            Value::Bool(false) => {}
            other if is_unknown(&other) => open = true,
            other => {
                return wrong(format!(
                    "the lambda must give a bool, but gives {}",
                    called(&other)
                ));
            }
        }
    }
    if open {
        Err(Fault::Unknown)
    } else {
        Ok(Value::Array(kept))
    }
}

fn reduce(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let lambda = Lambda::read(call, 2, 2, 3)?;
    let items = items(deployment, call, frame)?;
    let mut current = arg(deployment, call, 1, frame)?;
    for (i, item) in items.into_iter().enumerate() {
        current = lambda.call(deployment, frame, [current, item, i.into()])?;
    }
    Ok(current)
}

/// The lambda says whether its first variable comes before its second.
fn sort(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let lambda = Lambda::read(call, 1, 2, 2)?;
    let items = items(deployment, call, frame)?;
    let mut failure = None;
    let mut before = |a: &Value, b: &Value| -> bool {
        if failure.is_some() {
            return false;
        }
        match lambda.call(deployment, frame, [a.clone(), b.clone()]) {
            Ok(Value::Bool(flag)) => flag,
            Ok(other) if is_unknown(&other) => {
                failure = Some(Fault::Unknown);
                false
            }
            Ok(other) => {
                failure = Some(Fault::Wrong(format!(
                    "the lambda must give a bool, but gives {}",
                    called(&other)
                )));
                false
            }
            Err(fault) => {
                failure = Some(fault);
                false
            }
        }
    };
    let sorted = merge_sort(items, &mut before);
    match failure {
        Some(fault) => Err(fault),
        None => Ok(Value::Array(sorted)),
    }
}

/// A stable sort that any lambda survives: the library's may panic where the order contradicts itself.
fn merge_sort(mut items: Vec<Value>, before: &mut dyn FnMut(&Value, &Value) -> bool) -> Vec<Value> {
    if items.len() < 2 {
        return items;
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(items, before);
    let right = merge_sort(right, before);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if before(b, a) => Ordering::Greater,
            (Some(_), _) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return merged,
        };
        merged.extend(if order == Ordering::Less {
            left.next()
        } else {
            right.next()
        });
    }
}

fn key(
    deployment: &Rc<Deployment<'_>>,
    frame: &Frame,
    lambda: &Lambda<'_>,
    values: [Value; 2],
) -> Result<String, Fault> {
    match lambda.call(deployment, frame, values)? {
        key @ (Value::String(_) | Value::Number(_)) => Ok(text_of(&key)),
        other if is_unknown(&other) => Err(Fault::Unknown),
        other => wrong(format!(
            "the key must be a string, but is {}",
            called(&other)
        )),
    }
}

fn to_object(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let keys = Lambda::read(call, 1, 1, 2)?;
    let values = if call.args.len() > 2 {
        Some(Lambda::read(call, 2, 1, 2)?)
    } else {
        None
    };
    let mut object = Map::new();
    for (i, item) in items(deployment, call, frame)?.into_iter().enumerate() {
        let key = key(deployment, frame, &keys, [item.clone(), i.into()])?;
        let value = match &values {
            Some(lambda) => lambda.call(deployment, frame, [item, i.into()])?,
            None => item,
        };
        object.insert(key, value);
    }
    Ok(Value::Object(object))
}

fn group_by(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let keys = Lambda::read(call, 1, 1, 2)?;
    let values = if call.args.len() > 2 {
        Some(Lambda::read(call, 2, 1, 2)?)
    } else {
        None
    };
    let mut object = Map::new();
    for (i, item) in items(deployment, call, frame)?.into_iter().enumerate() {
        let key = key(deployment, frame, &keys, [item.clone(), i.into()])?;
        let value = match &values {
            Some(lambda) => lambda.call(deployment, frame, [item, i.into()])?,
            None => item,
        };
        if let Value::Array(group) = object
            .entry(key)
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            group.push(value);
        }
    }
    Ok(Value::Object(object))
}

fn map_values(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let lambda = Lambda::read(call, 1, 1, 1)?;
    match arg(deployment, call, 0, frame)? {
        other if is_unknown(&other) => Err(Fault::Unknown),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| Ok((name, lambda.call(deployment, frame, [value])?)))
            .collect::<Result<Map<_, _>, Fault>>()
            .map(Value::Object),
        other => wrong(format!(
            "argument 1 must be an object, but is {}",
            called(&other)
        )),
    }
}
