//! A parsed template: what [`Template`] holds. How it is read is in `parse`.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::expression::Expr;
use crate::node::{Loop, Node};
use crate::{Error, Parameter, functions, parse, schema};

/// A template whose shape and expressions have been checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) inner: Arc<Inner>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::NotJson`], [`Error::Limit`], or what is wrong with its shape or an expression.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::check_size(text.len())?;
        let value = serde_json::from_str(text).map_err(|error| Error::NotJson {
            message: error.to_string(),
        })?;
        Ok(Self {
            inner: Arc::new(parse::template(&value)?),
        })
    }

    /// Reads a template that is already JSON.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn from_value(value: Value) -> Result<Self, Error> {
        if let Err(error) = parse::check_depth(&value) {
            dismantle(value);
            return Err(error);
        }
        parse::check_size(parse::size(&value))?;
        Ok(Self {
            inner: Arc::new(parse::template(&value)?),
        })
    }

    /// Declared parameters by name, in the order of the template.
    #[must_use]
    pub fn parameters(&self) -> &IndexMap<String, Parameter> {
        &self.inner.parameters
    }

    /// What `deployment().properties.templateHash` gives: 64 bits in decimal, the same for the same document. Azure's own
    /// algorithm is not public: the number differs from Azure's.
    #[must_use]
    pub fn hash(&self) -> String {
        self.inner.hash()
    }
}

/// Drops a value level by level: dropping a tower of JSON by recursion would exhaust the stack.
fn dismantle(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

#[derive(Debug)]
pub(crate) struct Inner {
    /// The document as written: what `deployment()` shows of it.
    pub(crate) document: Value,
    /// Resources have symbolic names (language version 2.0).
    pub(crate) symbolic: bool,
    pub(crate) parameters: IndexMap<String, Parameter>,
    /// Declarations by lower-case name.
    pub(crate) declarations: HashMap<String, Declaration>,
    /// User-defined types, as written.
    pub(crate) definitions: Map<String, Value>,
    /// User-defined functions by lower-case `namespace.name`.
    pub(crate) functions: HashMap<String, UserFunction>,
    /// Variables by lower-case name, in the order of the template.
    pub(crate) variables: IndexMap<String, Variable>,
    pub(crate) resources: Vec<Declared>,
    pub(crate) outputs: Vec<DeclaredOutput>,
}

impl Inner {
    pub(crate) fn hash(&self) -> String {
        functions::hash_of(&self.document.to_string()).to_string()
    }
}

/// A parameter as declared.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    /// The declaration itself: it is the schema of the value.
    pub(crate) schema: Value,
    pub(crate) default: Option<Node>,
}

#[derive(Debug)]
pub(crate) struct UserFunction {
    /// Parameters' names, lower case, and their types, in order.
    pub(crate) parameters: Vec<(String, Value)>,
    pub(crate) output: Node,
    /// The declaration of the output: the schema of what the function gives.
    pub(crate) output_schema: Map<String, Value>,
    pub(crate) place: String,
}

#[derive(Debug)]
pub(crate) enum Variable {
    Node { name: String, value: Node },
    Loop(Loop),
}

impl Variable {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Node { name, .. } => name,
            Self::Loop(entry) => &entry.name,
        }
    }
}

/// A resource as declared. Children stand after their parent.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) place: String,
    pub(crate) symbolic_name: Option<String>,
    /// Index of the resource that this one is nested in.
    pub(crate) parent: Option<usize>,
    /// Full type, with the parents' types.
    pub(crate) kind: String,
    pub(crate) api_version: Option<Node>,
    pub(crate) name: Node,
    pub(crate) existing: bool,
    pub(crate) condition: Option<Node>,
    pub(crate) copy: Option<ResourceLoop>,
    pub(crate) scope: Option<Node>,
    pub(crate) subscription: Option<Node>,
    pub(crate) resource_group: Option<Node>,
    pub(crate) depends_on: Option<Node>,
    /// Everything that is sent to Azure but name, type and API version.
    pub(crate) body: Node,
    pub(crate) nested: Option<Nested>,
    /// Whether it has a `location`.
    pub(crate) located: bool,
    /// The extension, other than Azure, that the resource belongs to: it can be read, but not evaluated.
    pub(crate) extension: Option<String>,
}

#[derive(Debug)]
pub(crate) struct ResourceLoop {
    pub(crate) name: String,
    pub(crate) count: Node,
    pub(crate) serial: bool,
    pub(crate) batch_size: Option<Node>,
}

/// A nested deployment with its template, in the document or linked.
#[derive(Debug)]
pub(crate) struct Nested {
    pub(crate) template: NestedTemplate,
    /// Expressions are evaluated with the inner template's own parameters and variables.
    pub(crate) inner_scope: bool,
    pub(crate) parameters: Option<Node>,
}

#[derive(Debug)]
pub(crate) enum NestedTemplate {
    Inline(Arc<Inner>),
    Computed(Expr),
    /// `templateLink`.
    Linked(Node),
}

#[derive(Debug)]
pub(crate) struct DeclaredOutput {
    pub(crate) name: String,
    pub(crate) kind: crate::ParameterType,
    /// The declaration itself: it is the schema of the value.
    pub(crate) schema: Map<String, Value>,
    pub(crate) condition: Option<Node>,
    pub(crate) value: OutputValue,
}

impl DeclaredOutput {
    /// What the value breaks of the declaration.
    pub(crate) fn wrong(&self, value: &Value, template: &Inner) -> Option<String> {
        schema::check_output(
            &self.schema,
            &template.definitions,
            value,
            template.symbolic,
        )
    }

    /// Takes out of the value what its user-defined type declares secure.
    pub(crate) fn hide_secrets(&self, value: &mut Value, template: &Inner) {
        schema::without_secrets(&self.schema, &template.definitions, value);
    }
}

#[derive(Debug)]
pub(crate) enum OutputValue {
    One(Node),
    Loop { count: Node, input: Node },
}
