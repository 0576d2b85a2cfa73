//! .NET's ways of writing values: `ToString()` of JSON values, composite formats (`{0,8:N2}`), number formats.
//! Source: <https://learn.microsoft.com/dotnet/standard/base-types/composite-formatting>, invariant culture.

use serde_json::Value;

use super::{Fault, MAX_SIZE, wrong};

/// A value as `string()` writes it: text as it is, bools as `True` and `False`, null as nothing, the rest as compact JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Arrays and objects within a composite format are JSON with single quotes. Source: Microsoft's own test of the evaluator,
/// Azure/bicep, `src/Bicep.Core.IntegrationTests/EvaluationTests.cs`, `String_expressions_are_evaluated_successfully`.
fn single_quoted(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push('\'');
            for c in text.chars() {
                match c {
                    '\'' => out.push_str("\\'"),
                    '"' => out.push('"'),
                    other => {
                        let json = Value::String(other.to_string()).to_string();
                        out.push_str(json.trim_matches('"'));
                    }
                }
            }
            out.push('\'');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                single_quoted(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (i, (name, value)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                single_quoted(&Value::String(name.clone()), out);
                out.push(':');
                single_quoted(value, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Fills a composite format.
pub(super) fn composite(format: &str, args: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.peek() == Some(&'{') => {
                chars.next();
                out.push('{');
            }
            '}' if chars.peek() == Some(&'}') => {
                chars.next();
                out.push('}');
            }
            '{' => {
                let mut item = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => item.push(c),
                        None => {
                            return wrong(
                                "a `{` of the format is not closed; write `{{` for a brace",
                            );
                        }
                    }
                }
                out.push_str(&filled(&item, args)?);
            }
            '}' => return wrong("a `}` of the format stands alone; write `}}` for a brace"),
            other => out.push(other),
        }
        if out.len() > MAX_SIZE {
            return wrong("the text becomes too large");
        }
    }
    Ok(out)
}

/// One format item: `index[,alignment][:format]`.
fn filled(item: &str, args: &[Value]) -> Result<String, Fault> {
    let (head, format) = match item.split_once(':') {
        Some((head, format)) => (head, Some(format)),
        None => (item, None),
    };
    let (index, alignment) = match head.split_once(',') {
        Some((index, alignment)) => (index, Some(alignment)),
        None => (head, None),
    };
    let Ok(index) = index.trim().parse::<usize>() else {
        return wrong("a format item is a number in braces, such as `{0}`");
    };
    let Some(value) = args.get(index) else {
        return wrong(format!(
            "the format names item {index}, but {} value(s) are given; items count from 0",
            args.len()
        ));
    };
    let text = match (value, format) {
        (Value::Number(_), Some(format)) if !format.is_empty() => number(value, format)?,
        (Value::Array(_) | Value::Object(_), _) => {
            let mut text = String::new();
            single_quoted(value, &mut text);
            text
        }
        _ => text_of(value),
    };
    let Some(alignment) = alignment else {
        return Ok(text);
    };
    let Ok(alignment) = alignment.trim().parse::<i64>() else {
        return wrong("the alignment of a format item is an integer");
    };
    let width = usize::try_from(alignment.unsigned_abs()).unwrap_or(usize::MAX);
    let missing = width.saturating_sub(text.encode_utf16().count());
    if missing > MAX_SIZE / 4 {
        return wrong("the text becomes too large");
    }
    let padding = " ".repeat(missing);
    Ok(if alignment < 0 {
        text + &padding
    } else {
        padding + &text
    })
}

/// A number by a standard format (`D3`, `N0`, `X`, `F2`, `P1`, `E`, `G`, `C`) or a custom one (`000`, `#,##0.00`).
fn number(value: &Value, format: &str) -> Result<String, Fault> {
    let mut chars = format.chars();
    let letter = chars.next().unwrap_or('G');
    let digits = chars.as_str();
    let standard = letter.is_ascii_alphabetic()
        && digits.len() <= 2
        && digits.chars().all(|c| c.is_ascii_digit());
    if !standard {
        return custom(value, format);
    }
    let precision: Option<usize> = digits.parse().ok();
    let integer = value.as_i64();
    let float = value.as_f64().unwrap_or_default();
    let fixed = |precision: usize| match integer {
        Some(number) if precision == 0 => number.to_string(),
        Some(number) => format!("{number}.{}", "0".repeat(precision)),
        None => rounded(float, precision, 0),
    };
    Ok(match (letter.to_ascii_uppercase(), integer) {
        ('D', Some(number)) => {
            let width = precision.unwrap_or(0);
            format!(
                "{}{:0>width$}",
                if number < 0 { "-" } else { "" },
                number.unsigned_abs()
            )
        }
        ('X', Some(number)) => {
            let width = precision.unwrap_or(0);
            if letter == 'X' {
                format!("{number:0>width$X}")
            } else {
                format!("{number:0>width$x}")
            }
        }
        ('N', _) => grouped(&fixed(precision.unwrap_or(2))),
        ('F', _) => fixed(precision.unwrap_or(2)),
        ('C', _) => {
            let text = grouped(&fixed(precision.unwrap_or(2)));
            match text.strip_prefix('-') {
                Some(text) => format!("(¤{text})"),
                None => format!("¤{text}"),
            }
        }
        ('P', _) => {
            let precision = precision.unwrap_or(2);
            format!("{} %", grouped(&rounded(float, precision, 2)))
        }
        ('E', _) => {
            let precision = precision.unwrap_or(6);
            let text = format!("{float:.precision$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}{letter}{sign}{:03}", exponent.unsigned_abs())
        }
        ('G' | 'R', _) if precision.unwrap_or(0) == 0 => value.to_string(),
        _ => {
            return wrong(format!(
                "the number format `{format}` is not supported; use D, X, N, F, P, E or 0 and #"
            ));
        }
    })
}

/// Thousands parted by commas.
fn grouped(text: &str) -> String {
    let (sign, rest) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A number times a power of ten with this many decimals; what lies in the middle goes away from zero, as in .NET. Rust rounds it
/// to even.
fn rounded(number: f64, precision: usize, shift: usize) -> String {
    // No number of 64 bits has more decimals than these.
    let exact = format!("{:.1075}", number.abs());
    let (whole, decimals) = exact.split_once('.').unwrap_or((&exact, ""));
    let kept = shift + precision;
    let mut carry = decimals
        .as_bytes()
        .get(kept)
        .is_some_and(|digit| *digit >= b'5');
    let mut digits: Vec<u8> = whole.bytes().chain(decimals.bytes().take(kept)).collect();
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    if carry {
        digits.insert(0, b'1');
    }
    let mut text: String = digits.into_iter().map(char::from).collect();
    let point = text.len().saturating_sub(precision);
    if precision > 0 {
        text.insert(point, '.');
    }
    let leading = text.bytes().take_while(|digit| *digit == b'0').count();
    text.drain(..leading.min(point.saturating_sub(1)));
    if number.is_sign_negative() {
        text.insert(0, '-');
    }
    text
}

/// A custom format of `0`, `#`, `,` and `.`, with plain text before and after; a `%` in it stands for a hundredfold number.
fn custom(value: &Value, format: &str) -> Result<String, Fault> {
    let is_digit = |c: char| matches!(c, '0' | '#' | ',' | '.');
    let (Some(from), Some(to)) = (format.find(is_digit), format.rfind(is_digit)) else {
        return wrong(format!(
            "the number format `{format}` is not supported; use D, X, N, F, P, E or 0 and #"
        ));
    };
    let (before, pattern, after) = (&format[..from], &format[from..=to], &format[to + 1..]);
    if !pattern.chars().all(is_digit)
        || pattern.len() > 64
        || [before, after]
            .iter()
            .any(|s| s.contains([';', '\\', '\'']))
    {
        return wrong(format!(
            "the number format `{format}` is not supported; use D, X, N, F, P, E or 0 and #"
        ));
    }
    let (whole, fraction) = pattern.split_once('.').unwrap_or((pattern, ""));
    let least = whole.chars().filter(|c| *c == '0').count();
    let most = fraction.chars().filter(|c| *c != ',').count();
    let percent = [before, after].iter().any(|s| s.contains('%'));
    let (shift, times) = if percent { (2, 100) } else { (0, 1) };
    let text = match value.as_i64().and_then(|number| number.checked_mul(times)) {
        Some(number) if most == 0 => number.to_string(),
        Some(number) => format!("{number}.{}", "0".repeat(most)),
        None => rounded(value.as_f64().unwrap_or_default(), most, shift),
    };
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (digits, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = digits.trim_start_matches('0');
    let mut out = format!("{digits:0>least$}");
    if whole.contains(',') {
        out = grouped(&out);
    }
    let needed = fraction.chars().filter(|c| *c == '0').count();
    let mut decimals = decimals.to_owned();
    while decimals.len() > needed && decimals.ends_with('0') {
        decimals.pop();
    }
    if !decimals.is_empty() {
        out.push('.');
        out.push_str(&decimals);
    }
    Ok(format!("{sign}{before}{out}{after}"))
}
