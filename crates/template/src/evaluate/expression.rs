//! Evaluates expressions, and the JSON that holds them.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Binding, Deployment, Frame, special};
use crate::expression::{Call, Expr};
use crate::functions::{self, Fault, Run};
use crate::node::{Key, Member, Node};
use crate::parse::MAX_RESOURCES;
use crate::runtime::{is_unknown, unknown};
use crate::schema::called;
use crate::{Error, place, schema};

/// Stack that must be left before a level of evaluation starts, and how much is added where it is not.
const RED_ZONE: usize = 128 * 1024;
const MORE_STACK: usize = 1024 * 1024;
/// Deepest nesting of a value that a function gives.
const MAX_VALUE_DEPTH: usize = 256;
/// Error messages show this much of an expression.
const SHOWN: usize = 200;

/// What an expression comes to.
enum Answer {
    Value(Value),
    /// It hangs on something unknown, and becomes an unknown of its own text.
    Unknown,
}

/// Where a node stands, written out only when an error needs it.
enum Place<'p> {
    Root(&'p str),
    Member(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn write(&self) -> String {
        match self {
            Self::Root(at) => (*at).to_owned(),
            Self::Member(outer, name) => place::member(&outer.write(), name),
            Self::Index(outer, index) => place::index(&outer.write(), *index),
        }
    }
}

impl Deployment<'_> {
    /// The value of a node that stands at `at` in this deployment's template.
    pub(crate) fn node(
        self: &Rc<Self>,
        node: &Node,
        frame: &Frame,
        at: &str,
    ) -> Result<Value, Error> {
        self.node_at(node, frame, &Place::Root(at))
    }

    fn node_at(
        self: &Rc<Self>,
        node: &Node,
        frame: &Frame,
        at: &Place<'_>,
    ) -> Result<Value, Error> {
        match node {
            Node::Value(value) => Ok(value.clone()),
            Node::Expr(expr) => self
                .eval(expr, frame)
                .map_err(|error| error.placed(|| self.at(&at.write()))),
            Node::Array(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(i, node)| self.node_at(node, frame, &Place::Index(at, i)))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Node::Object(members) => self.object(members, frame, at),
        }
    }

    fn object(
        self: &Rc<Self>,
        members: &[Member],
        frame: &Frame,
        at: &Place<'_>,
    ) -> Result<Value, Error> {
        let mut object = Map::with_capacity(members.len());
        for member in members {
            match member {
                Member::Plain(Key::Plain(name), node) => {
                    let value = self.node_at(node, frame, &Place::Member(at, name))?;
                    object.insert(name.clone(), value);
                }
                Member::Plain(Key::Expr(expr), node) => {
                    let placed = |error: Error| error.placed(|| self.at(&at.write()));
                    let name = match self.eval(expr, frame).map_err(placed)? {
                        Value::String(name) => name,
                        name if is_unknown(&name) => return Ok(name),
                        other => {
                            return Err(Error::invalid(
                                self.at(&at.write()),
                                format!(
                                    "the name of a property must be a string, `{expr}` is {}",
                                    called(&other)
                                ),
                            ));
                        }
                    };
                    let value = self.node_at(node, frame, &Place::Member(at, &name))?;
                    object.insert(name, value);
                }
                Member::Loop(entry) => {
                    let at = Place::Member(at, &entry.name).write();
                    let value =
                        self.loop_values(&entry.name, &entry.count, &entry.input, frame, &at)?;
                    object.insert(entry.name.clone(), value);
                }
            }
        }
        Ok(Value::Object(object))
    }

    /// A condition: `None` where it is not known.
    pub(crate) fn condition(
        self: &Rc<Self>,
        node: &Node,
        frame: &Frame,
        at: &str,
    ) -> Result<Option<bool>, Error> {
        match self.node(node, frame, at)? {
            Value::Bool(flag) => Ok(Some(flag)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            other if is_unknown(&other) => Ok(None),
            other => Err(Error::invalid(
                self.at(at),
                format!(
                    "a condition must be true or false, but is {}",
                    called(&other)
                ),
            )),
        }
    }

    /// How often a loop runs: `None` where it is not known.
    pub(crate) fn count(
        self: &Rc<Self>,
        node: &Node,
        frame: &Frame,
        at: &str,
    ) -> Result<Option<usize>, Error> {
        let value = self.node(node, frame, at)?;
        if is_unknown(&value) {
            return Ok(None);
        }
        let Some(count) = functions::int_of(&value) else {
            return Err(Error::invalid(
                self.at(at),
                format!(
                    "a loop's count must be an integer, but is {}",
                    called(&value)
                ),
            ));
        };
        match usize::try_from(count) {
            Ok(count) if count <= MAX_RESOURCES => Ok(Some(count)),
            Ok(count) => Err(Error::Limit {
                place: self.at(at),
                what: format!("a loop's count of {count}"),
                limit: MAX_RESOURCES as u64,
            }),
            Err(_) => Err(Error::invalid(
                self.at(at),
                format!("a loop's count must not be negative, but is {count}"),
            )),
        }
    }

    /// The value of an expression. Errors have no place yet.
    pub(crate) fn eval(self: &Rc<Self>, expr: &Expr, frame: &Frame) -> Result<Value, Error> {
        match expr {
            Expr::String(text) => Ok(Value::String(text.clone())),
            Expr::Int(number) => Ok((*number).into()),
            _ => {
                let _level = self.world.descend()?;
                let causes = &self.world.causes;
                let (result, met) = causes.watch(|| {
                    stacker::maybe_grow(RED_ZONE, MORE_STACK, || match expr {
                        Expr::Call(call) => self.call(expr, call, frame),
                        _ => self.access(expr, frame),
                    })
                });
                let untouched = met.is_empty();
                let value = match result? {
                    Answer::Value(value) => value,
                    Answer::Unknown => {
                        let text = expr.to_string();
                        causes.record(&text, met);
                        unknown(text)
                    }
                };
                // A function of its arguments alone makes no unknown where it met none.
                let pure = matches!(expr, Expr::Call(call) if call.function.is_some_and(|f| matches!(f.run, Run::Pure(_))));
                if !(pure && untouched) {
                    causes.meet_value(&value);
                }
                Ok(value)
            }
        }
    }

    fn call(self: &Rc<Self>, expr: &Expr, call: &Call, frame: &Frame) -> Result<Answer, Error> {
        let result = match call.function {
            None => self.user_function(call, frame).map_err(Fault::from),
            Some(function) => match function.run {
                Run::Special(run) => run(self, call, frame),
                Run::Pure(run) => {
                    let args = call
                        .args
                        .iter()
                        .map(|arg| self.eval(arg, frame))
                        .collect::<Result<Vec<_>, _>>()?;
                    if function.is_unknown_for(&args) {
                        Err(Fault::Unknown)
                    } else {
                        run(args)
                    }
                }
            },
        };
        match result {
            Ok(value) => {
                let Some(weight) = weight(&value, 0) else {
                    return Err(Error::Limit {
                        place: String::new(),
                        what: format!("the nesting of what `{}` makes", call.full_name()),
                        limit: MAX_VALUE_DEPTH as u64,
                    });
                };
                self.world.charge(weight / 16)?;
                if weight > functions::MAX_SIZE as u64 {
                    return Err(Error::Limit {
                        place: String::new(),
                        what: format!("what `{}` makes, in bytes,", call.full_name()),
                        limit: functions::MAX_SIZE as u64,
                    });
                }
                Ok(Answer::Value(value))
            }
            Err(Fault::Unknown) => Ok(Answer::Unknown),
            Err(Fault::Wrong(message)) => {
                Err(failed(expr, &format!("`{}`: {message}", call.full_name())))
            }
            Err(Fault::Refused(message)) => Err(refused(expr, message)),
            Err(Fault::Fail(message)) => Err(Error::Fail {
                place: String::new(),
                message,
            }),
            Err(Fault::Inner(error)) => Err(error),
        }
    }

    fn user_function(self: &Rc<Self>, call: &Call, frame: &Frame) -> Result<Value, Error> {
        let language = self.language();
        let Some(function) = language
            .template
            .functions
            .get(&call.full_name().to_lowercase())
        else {
            return Err(Error::UnsupportedFunction {
                place: String::new(),
                function: call.full_name(),
            });
        };
        if function.parameters.len() != call.args.len() {
            return Err(failed(
                &Expr::Call(Box::new(call.clone())),
                &format!(
                    "`{}` takes {} argument(s), not {}",
                    call.full_name(),
                    function.parameters.len(),
                    call.args.len()
                ),
            ));
        }
        let arguments = function
            .parameters
            .iter()
            .zip(&call.args)
            .map(|((name, schema), arg)| {
                let value = self.eval(arg, frame)?;
                let wrong = schema.as_object().and_then(|schema| {
                    schema::check(schema, &language.template.definitions, &value)
                        .into_iter()
                        .next()
                });
                match wrong {
                    Some(wrong) => Err(failed(
                        arg,
                        &format!("the argument `{name}` of `{}`: {wrong}", call.full_name()),
                    )),
                    None => Ok((name.clone(), value)),
                }
            })
            .collect::<Result<_, Error>>()?;
        let frame = Frame::default().with(Binding::Function(arguments));
        let value = language.node(&function.output, &frame, &function.place)?;
        let definitions = &language.template.definitions;
        match schema::check_output(&function.output_schema, definitions, &value, true) {
            Some(wrong) => Err(failed(
                &Expr::Call(Box::new(call.clone())),
                &format!("the output of `{}`: {wrong}", call.full_name()),
            )),
            None => Ok(value),
        }
    }

    /// Follows `.name` and `[index]`.
    fn access(self: &Rc<Self>, expr: &Expr, frame: &Frame) -> Result<Answer, Error> {
        let mut steps = Vec::new();
        let mut base = expr;
        while let Expr::Member(inner, _) | Expr::Index(inner, _) = base {
            steps.push(base);
            base = inner;
        }
        // Variables, parameters and the template itself are often large and read in part: look into them without copying the whole.
        let shared = self.shared(base, frame)?;
        let owned;
        let mut current = match &shared {
            Some(value) => &**value,
            None => {
                owned = self.eval(base, frame)?;
                &owned
            }
        };
        for step in steps.into_iter().rev() {
            if is_unknown(current) {
                self.world.causes.meet_value(current);
                return Ok(Answer::Unknown);
            }
            current = match step {
                Expr::Member(_, name) => found(step, current, &Value::String(name.clone()))?,
                Expr::Index(_, index) => {
                    let index = self.eval(index, frame)?;
                    if is_unknown(&index) {
                        return Ok(Answer::Unknown);
                    }
                    found(step, current, &index)?
                }
                _ => current,
            };
        }
        Ok(Answer::Value(current.clone()))
    }

    /// The parameter or variable that a plain `parameters('x')` or `variables('x')` names, and `deployment()`.
    fn shared(self: &Rc<Self>, expr: &Expr, frame: &Frame) -> Result<Option<Rc<Value>>, Error> {
        let Expr::Call(call) = expr else {
            return Ok(None);
        };
        if call.namespace.is_none()
            && call.args.is_empty()
            && call.name.eq_ignore_ascii_case("deployment")
        {
            return Ok(Some(special::scope::deployment_shown(self.language())));
        }
        let (None, [Expr::String(name)]) = (&call.namespace, call.args.as_slice()) else {
            return Ok(None);
        };
        if call.name.eq_ignore_ascii_case("variables") {
            self.language().variable(name).map(Some)
        } else if call.name.eq_ignore_ascii_case("parameters") && frame.arguments().is_none() {
            self.language().parameter(name).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// The member or item of a value. ARM's words, as public reports of refused deployments quote them.
fn found<'v>(expr: &Expr, value: &'v Value, key: &Value) -> Result<&'v Value, Error> {
    match (value, key) {
        (Value::Object(members), Value::String(name)) => functions::member(members, name)
            .ok_or_else(|| {
                let known = members
                    .keys()
                    .take(20)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ");
                refused(
                    expr,
                    format!(
                        "The language expression property '{name}' doesn't exist, available properties are '{known}'."
                    ),
                )
            }),
        (Value::Array(items), key) if functions::int_of(key).is_some() => {
            let index = functions::int_of(key).unwrap_or(-1);
            usize::try_from(index)
                .ok()
                .and_then(|i| items.get(i))
                .ok_or_else(|| {
                    refused(
                        expr,
                        format!(
                            "The language expression property array index '{index}' is out of bounds."
                        ),
                    )
                })
        }
        (Value::Null, _) => Err(failed(
            expr,
            "the value before it is null; use tryGet() where it may be",
        )),
        (value, key) => Err(failed(
            expr,
            &format!("{} is not found by {}", called(value), called(key)),
        )),
    }
}

/// A failure in the evaluator's own words, with the part of the expression that they are about.
fn failed(expr: &Expr, message: &str) -> Error {
    let expression = shown(expr);
    Error::Expression {
        place: String::new(),
        message: format!("{message} (in `{expression}`)"),
        expression,
    }
}

/// A failure in ARM's words.
fn refused(expr: &Expr, message: String) -> Error {
    Error::Expression {
        place: String::new(),
        expression: shown(expr),
        message,
    }
}

fn shown(expr: &Expr) -> String {
    let mut expression = expr.to_string();
    if let Some((at, _)) = expression.char_indices().nth(SHOWN) {
        expression.truncate(at);
        expression.push('…');
    }
    expression
}

/// Roughly the bytes that a value takes; `None` where it nests too deep to be looked through on an ordinary stack.
fn weight(value: &Value, depth: usize) -> Option<u64> {
    if depth > MAX_VALUE_DEPTH {
        return None;
    }
    Some(match value {
        Value::String(text) => text.len() as u64 + 4,
        Value::Array(items) => {
            let mut sum = 8;
            for item in items {
                sum += weight(item, depth + 1)?;
            }
            sum
        }
        Value::Object(members) => {
            let mut sum = 8;
            for (name, value) in members {
                sum += name.len() as u64 + 8 + weight(value, depth + 1)?;
            }
            sum
        }
        _ => 8,
    })
}
