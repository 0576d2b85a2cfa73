//! Cuts an expression into tokens.

use crate::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    String(String),
    Int(i64),
    Name(String),
    Open,
    Close,
    OpenIndex,
    CloseIndex,
    Comma,
    Dot,
    End,
}

impl Token {
    /// As an error message shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::String(text) => format!("the string '{text}'"),
            Self::Int(number) => number.to_string(),
            Self::Name(name) => format!("`{name}`"),
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::OpenIndex => "`[`".into(),
            Self::CloseIndex => "`]`".into(),
            Self::Comma => "`,`".into(),
            Self::Dot => "`.`".into(),
            Self::End => "the end".into(),
        }
    }
}

/// Tokens with the character offset of each in the string that holds the expression (which begins with a bracket).
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Error> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at + 1;
        at += 1;
        let token = match c {
            ' ' | '\t' | '\r' | '\n' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenIndex,
            ']' => Token::CloseIndex,
            ',' => Token::Comma,
            '.' => Token::Dot,
            '\'' => {
                let mut value = String::new();
                loop {
                    match (chars.get(at), chars.get(at + 1)) {
                        (Some('\''), Some('\'')) => {
                            value.push('\'');
                            at += 2;
                        }
                        (Some('\''), _) => {
                            at += 1;
                            break;
                        }
                        (Some(&other), _) => {
                            value.push(other);
                            at += 1;
                        }
                        (None, _) => {
                            return Err(syntax(
                                start,
                                "the string is not closed; end it with a single quote",
                            ));
                        }
                    }
                }
                Token::String(value)
            }
            '-' | '0'..='9' => {
                let from = at - 1;
                while chars.get(at).is_some_and(char::is_ascii_digit) {
                    at += 1;
                }
                if chars
                    .get(at)
                    .is_some_and(|c| c.is_alphanumeric() || *c == '_')
                {
                    return Err(syntax(
                        start,
                        "a number is followed by a letter; put text in single quotes",
                    ));
                }
                let digits: String = chars[from..at].iter().collect();
                match digits.parse() {
                    Ok(number) => Token::Int(number),
                    Err(_) => {
                        return Err(syntax(
                            start,
                            &format!("`{digits}` is not an integer of 64 bits"),
                        ));
                    }
                }
            }
            c if c.is_ascii_alphabetic() || c == '_' || c == '$' => {
                let from = at - 1;
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
                {
                    at += 1;
                }
                Token::Name(chars[from..at].iter().collect())
            }
            '"' => {
                return Err(syntax(
                    start,
                    "strings in expressions stand in single quotes",
                ));
            }
            other => {
                return Err(syntax(
                    start,
                    &format!("the character `{other}` has no meaning here"),
                ));
            }
        };
        out.push((token, start));
    }
    out.push((Token::End, chars.len() + 1));
    Ok(out)
}

pub(super) fn syntax(at: usize, message: &str) -> Error {
    Error::Syntax {
        place: String::new(),
        at,
        message: message.to_owned(),
    }
}
