//! The grammar of expressions, by recursive descent:
//!
//! ```text
//! expression = primary { "." name | "[" expression "]" }
//! primary    = string | integer | [ name "." ] name "(" [ expression { "," expression } ] ")"
//! ```

use super::ast::{Call, Expr};
use super::lexer::{Token, syntax, tokens};
use crate::Error;
use crate::functions;

/// Deepest nesting. Far beyond what people or Bicep write, and safe on a small stack.
const MAX_DEPTH: usize = 100;

/// Reads one whole expression (without its outer brackets).
pub(super) fn parse(text: &str) -> Result<Expr, Error> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        other => Err(syntax(
            parser.at(),
            &format!(
                "the expression ends before {}; remove what follows",
                other.shown()
            ),
        )),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .or_else(|| self.tokens.last())
            .map_or(0, |(_, at)| *at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn expect(&mut self, wanted: &Token, place: &str) -> Result<(), Error> {
        if self.peek() == wanted {
            self.next += 1;
            return Ok(());
        }
        Err(syntax(
            self.at(),
            &format!(
                "expected {} {place}, found {}",
                wanted.shown(),
                self.peek().shown()
            ),
        ))
    }

    fn expression(&mut self) -> Result<Expr, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(syntax(
                self.at(),
                &format!("expressions nest deeper than {MAX_DEPTH}; move parts to variables"),
            ));
        }
        let mut base = self.primary()?;
        // Each suffix makes the tree one level deeper, so suffixes count as depth too.
        let mut suffixes = 0;
        loop {
            match self.peek() {
                Token::Dot => {
                    self.next += 1;
                    let at = self.at();
                    match self.take() {
                        Token::Name(name) => base = Expr::Member(Box::new(base), name),
                        other => {
                            return Err(syntax(
                                at,
                                &format!(
                                    "expected a property name after `.`, found {}",
                                    other.shown()
                                ),
                            ));
                        }
                    }
                }
                Token::OpenIndex => {
                    self.next += 1;
                    let index = self.expression()?;
                    self.expect(&Token::CloseIndex, "after the index")?;
                    base = Expr::Index(Box::new(base), Box::new(index));
                }
                _ => break,
            }
            suffixes += 1;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(syntax(
                    self.at(),
                    &format!("more than {MAX_DEPTH} properties in a row; move parts to variables"),
                ));
            }
        }
        self.depth -= suffixes + 1;
        Ok(base)
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        let at = self.at();
        match self.take() {
            Token::String(text) => Ok(Expr::String(text)),
            Token::Int(number) => Ok(Expr::Int(number)),
            Token::Name(name) => self.call(name),
            Token::End => Err(syntax(
                at,
                "the expression is empty or breaks off; expected a function call, a string or an integer",
            )),
            other => Err(syntax(
                at,
                &format!(
                    "expected a function call, a string or an integer, found {}",
                    other.shown()
                ),
            )),
        }
    }

    fn call(&mut self, first: String) -> Result<Expr, Error> {
        let (mut namespace, mut name) = (None, first);
        if *self.peek() == Token::Dot {
            self.next += 1;
            let at = self.at();
            match self.take() {
                Token::Name(second) => namespace = Some(std::mem::replace(&mut name, second)),
                other => {
                    return Err(syntax(
                        at,
                        &format!(
                            "expected a function name after `{name}.`, found {}",
                            other.shown()
                        ),
                    ));
                }
            }
        }
        if *self.peek() != Token::Open {
            return Err(syntax(
                self.at(),
                &format!(
                    "`{name}` must be called with parentheses; write text in single quotes, and true or false as `true()` or `false()`"
                ),
            ));
        }
        self.next += 1;
        let mut args = Vec::new();
        if *self.peek() == Token::Close {
            self.next += 1;
        } else {
            loop {
                args.push(self.expression()?);
                match self.peek() {
                    Token::Comma => self.next += 1,
                    _ => {
                        break self.expect(
                            &Token::Close,
                            &format!("or `,` in the arguments of `{name}`"),
                        )?;
                    }
                }
            }
        }
        // `sys` is the namespace of the built-in functions.
        let builtin = namespace
            .as_deref()
            .is_none_or(|n| n.eq_ignore_ascii_case("sys"));
        let function = if builtin {
            let Some(function) = functions::find(&name) else {
                return Err(Error::UnsupportedFunction {
                    place: String::new(),
                    function: name,
                });
            };
            if let Err(wanted) = function.accepts(args.len()) {
                let call = Call {
                    namespace,
                    name,
                    args,
                    function: Some(function),
                };
                let (name, given) = (call.name.clone(), call.args.len());
                let expression = Expr::Call(Box::new(call)).to_string();
                return Err(Error::Expression {
                    place: String::new(),
                    message: format!("`{name}` takes {wanted}, not {given} (in `{expression}`)"),
                    expression,
                });
            }
            Some(function)
        } else {
            None
        };
        Ok(Expr::Call(Box::new(Call {
            namespace,
            name,
            args,
            function,
        })))
    }
}
