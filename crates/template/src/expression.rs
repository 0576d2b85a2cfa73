//! Template expressions: which strings are one, and the parsed form. The grammar is in `parser`, evaluation elsewhere.

mod ast;
mod lexer;
mod parser;

pub(crate) use ast::{Call, Expr};

use crate::Error;

/// ARM's limit on the characters of one expression
/// (<https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits>).
pub(crate) const MAX_CHARS: usize = 24_576;

/// What a string in a template is.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// Itself, unescaped.
    Literal(String),
    /// An expression, without its brackets.
    Expression(Expr),
}

/// Reads a string of a template: `[…]` is an expression, `[[…]` the literal `[…]`, everything else itself.
pub(crate) fn read(text: &str) -> Result<Text, Error> {
    if !(text.starts_with('[') && text.ends_with(']') && text.len() >= 2) {
        return Ok(Text::Literal(text.to_owned()));
    }
    if text.starts_with("[[") {
        return Ok(Text::Literal(text[1..].to_owned()));
    }
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        return Err(Error::Limit {
            place: String::new(),
            what: format!("an expression of {} characters", text.chars().count()),
            limit: MAX_CHARS as u64,
        });
    }
    parser::parse(&text[1..text.len() - 1]).map(Text::Expression)
}
