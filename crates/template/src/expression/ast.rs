//! The parsed form of an expression, and how it is written out again.

use std::fmt;

use crate::functions::Function;

/// One expression.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    /// `'text'`
    String(String),
    /// `42`, `-1`
    Int(i64),
    /// `name(…)`, `namespace.name(…)`
    Call(Box<Call>),
    /// `base.name`
    Member(Box<Expr>, String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
}

/// A function call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The namespace of a user-defined function.
    pub(crate) namespace: Option<String>,
    /// As written; functions are found in any case.
    pub(crate) name: String,
    pub(crate) args: Vec<Expr>,
    /// `None` for user-defined functions, which are found when they are called.
    pub(crate) function: Option<&'static Function>,
}

impl Call {
    /// The name with its namespace, as written.
    pub(crate) fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for Expr {
    /// Canonical text without the outer brackets: reading it again gives the same expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Int(number) => write!(f, "{number}"),
            Self::Call(call) => {
                if let Some(namespace) = &call.namespace {
                    write!(f, "{namespace}.")?;
                }
                write!(f, "{}(", call.name)?;
                for (i, arg) in call.args.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{arg}")?;
                }
                f.write_str(")")
            }
            Self::Member(base, name) => write!(f, "{base}.{name}"),
            Self::Index(base, index) => write!(f, "{base}[{index}]"),
        }
    }
}
