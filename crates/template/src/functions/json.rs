//! `json()` and `base64ToJson()`: text to value, as generously as ARM reads it.
//! ARM reads with Json.NET, which takes comments, single quotes, unquoted names and trailing commas
//! (<https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonTextReader.htm>); published modules load such files.

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::Value;

use super::encoding::decoded;
use super::{Args, Fault, Function, Unknowns, pure, wrong};
use crate::parse::check_depth;

pub(super) static TABLE: &[Function] = &[
    pure("json", 1, 1, Unknowns::Deep, |args| {
        read(&Args::new(args).string()?)
    }),
    pure("base64ToJson", 1, 1, Unknowns::Deep, |args| {
        read(&decoded(&Args::new(args).string()?)?)
    }),
];

const GENEROUS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: true,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: true,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: true,
    // No JSON value holds them.
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn read(text: &str) -> Result<Value, Fault> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    // No text at all is no value, which the generous reader would call null.
    if text.trim().is_empty() {
        return wrong("the text is empty, not JSON");
    }
    match parse_to_serde_value(text, &GENEROUS) {
        Ok(value) => {
            check_depth(&value)?;
            Ok(value)
        }
        // Positions only: the text may be a secret.
        Err(error) => wrong(format!(
            "the text is not JSON (line {}, column {})",
            error.line_display(),
            error.column_display()
        )),
    }
}
