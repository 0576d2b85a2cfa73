//! Logic that needs all its arguments: `not`, `xor`, `bool`, and the constants. What stops early (`if`, `and`, `or`) is in `evaluate`.

use serde_json::Value;

use super::{Args, Fault, Function, Unknowns, int_of, pure, wrong};

pub(super) static TABLE: &[Function] = &[
    pure("not", 1, 1, Unknowns::Deep, |args| {
        Ok(Value::Bool(!Args::new(args).bool()?))
    }),
    pure("xor", 2, 2, Unknowns::Deep, |args| {
        let mut args = Args::new(args);
        Ok(Value::Bool(args.bool()? ^ args.bool()?))
    }),
    pure("bool", 1, 1, Unknowns::Deep, bool),
    pure("true", 0, 0, Unknowns::Own, |_| Ok(Value::Bool(true))),
    pure("false", 0, 0, Unknowns::Own, |_| Ok(Value::Bool(false))),
    pure("null", 0, 0, Unknowns::Own, |_| Ok(Value::Null)),
    pure("any", 1, 1, Unknowns::Own, |args| {
        Ok(Args::new(args).value())
    }),
];

fn bool(args: Vec<Value>) -> Result<Value, Fault> {
    let value = Args::new(args).value();
    let answer = match &value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        number => int_of(number).map(|number| number != 0),
    };
    match answer {
        Some(answer) => Ok(Value::Bool(answer)),
        None => wrong("only 'true', 'false', '1', '0' and integers become a bool"),
    }
}
