//! Integer arithmetic: 64 bits, overflow is an error, division cuts towards zero.

use serde_json::{Number, Value};

use super::{Args, Fault, Function, MANY, Unknowns, called, pure, wrong};

pub(super) static TABLE: &[Function] = &[
    pure("add", 2, 2, Unknowns::Deep, |args| {
        two(args, "the sum", i64::checked_add)
    }),
    pure("sub", 2, 2, Unknowns::Deep, |args| {
        two(args, "the difference", i64::checked_sub)
    }),
    pure("mul", 2, 2, Unknowns::Deep, |args| {
        two(args, "the product", i64::checked_mul)
    }),
    pure("div", 2, 2, Unknowns::Deep, |args| {
        two(args, "the quotient", i64::checked_div)
    }),
    pure("mod", 2, 2, Unknowns::Deep, |args| {
        two(args, "the remainder", i64::checked_rem)
    }),
    pure("int", 1, 1, Unknowns::Deep, int),
    pure("float", 1, 1, Unknowns::Deep, float),
    pure("min", 1, MANY, Unknowns::Deep, |args| {
        extreme(args, Iterator::min)
    }),
    pure("max", 1, MANY, Unknowns::Deep, |args| {
        extreme(args, Iterator::max)
    }),
];

/// The integer, where a value is one. A whole number that JSON wrote with a fraction counts.
pub(crate) fn int_of(value: &Value) -> Option<i64> {
    let Value::Number(number) = value else {
        return None;
    };
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

fn two(args: Vec<Value>, what: &str, compute: fn(i64, i64) -> Option<i64>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (a, b) = (args.int()?, args.int()?);
    match compute(a, b) {
        Some(result) => Ok(result.into()),
        None if b == 0 => wrong("division by zero; check the second argument"),
        None => wrong(format!("{what} of {a} and {b} does not fit 64 bits")),
    }
}

fn int(args: Vec<Value>) -> Result<Value, Fault> {
    let value = Args::new(args).value();
    if let Value::Number(number) = &value {
        #[expect(clippy::cast_possible_truncation, reason = "int() cuts fractions off")]
        return match number
            .as_i64()
            .or_else(|| number.as_f64().map(|float| float as i64))
        {
            Some(number) => Ok(number.into()),
            None => wrong("the number does not fit 64 bits"),
        };
    }
    match value.as_str().map(|text| text.trim().parse::<i64>()) {
        Some(Ok(number)) => Ok(number.into()),
        Some(Err(_)) => wrong("the string is not an integer"),
        None => wrong(format!(
            "a string or an integer becomes an integer, not {}",
            called(&value)
        )),
    }
}

fn float(args: Vec<Value>) -> Result<Value, Fault> {
    let value = Args::new(args).value();
    let number = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    match number.and_then(Number::from_f64) {
        Some(number) => Ok(Value::Number(number)),
        None => wrong("a string with a number or an integer becomes a float"),
    }
}

fn extreme(
    args: Vec<Value>,
    choose: fn(std::vec::IntoIter<i64>) -> Option<i64>,
) -> Result<Value, Fault> {
    let values = match args.as_slice() {
        [Value::Array(items)] => items.clone(),
        _ => args,
    };
    let mut numbers = Vec::with_capacity(values.len());
    for value in &values {
        match int_of(value) {
            Some(number) => numbers.push(number),
            None => {
                return wrong(format!(
                    "integers or one array of integers are wanted, found {}",
                    called(value)
                ));
            }
        }
    }
    match choose(numbers.into_iter()) {
        Some(number) => Ok(number.into()),
        None => wrong("an empty array has neither least nor greatest item"),
    }
}
