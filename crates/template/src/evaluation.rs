//! What an evaluation gives: concrete resources, outputs, and the parameters that led there.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::{Cause, ParameterType};

/// A template made concrete.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Every resource, in the order of the template; loops expanded, children flattened, what a false condition drops left
    /// out. A nested deployment is followed by its own resources.
    pub resources: Vec<Resource>,
    /// Outputs by name; those with a false condition are left out.
    pub outputs: IndexMap<String, Output>,
    /// The parameters as used: what was given, and defaults for the rest.
    pub parameters: Map<String, Value>,
    pub(crate) causes: BTreeMap<String, Vec<Cause>>,
}

impl Evaluation {
    /// Why the unknown of this expression is not known; empty for expressions that no unknown of this evaluation has. Takes the
    /// text of an unknown as it stands in a body, in [`Resource::uncertain`] or within a name. Where two deployments of one
    /// evaluation hold unknowns of the same text, both are told.
    #[must_use]
    pub fn causes(&self, expression: &str) -> &[Cause] {
        self.causes
            .get(expression)
            // Within names slashes are written otherwise, for they would part the name.
            .or_else(|| {
                self.causes
                    .get(&expression.replace(crate::evaluate::SLASH, "/"))
            })
            .map_or(&[], Vec::as_slice)
    }
}

/// One resource as it would be sent to Azure.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The full resource id. A part of the name that is not known stands as `<unknown: expression>`.
    pub id: String,
    /// The full type, such as `Microsoft.Network/virtualNetworks/subnets`.
    pub kind: String,
    /// The full name, `network/subnet` for a child.
    pub name: String,
    /// The API version it is written with.
    pub api_version: String,
    /// Its region, where it has one and it is known.
    pub location: Option<String>,
    /// Its key in a template of language version 2.0; copies bear an index, `vm[0]`.
    pub symbolic_name: Option<String>,
    /// Only looked up, never written (`existing`).
    pub existing: bool,
    /// Ids of what must be there first: from `dependsOn`, from `reference()`, from a serial loop, and for resources of a
    /// nested deployment from the deployment itself. In order of first mention, without doubles, only resources of this
    /// evaluation. As in ARM a child does not wait for its parent unless the template says so.
    pub depends_on: Vec<String>,
    /// The body as it is PUT: no `condition`, `copy`, `dependsOn`, `scope`; `name`, `type` and `apiVersion` are in. Of a nested
    /// deployment the parameters are evaluated and the inner template is as written.
    pub body: Value,
    /// Of a nested deployment: its outputs, secure ones included; `None` where its template is not known, and for everything else.
    pub outputs: Option<IndexMap<String, Output>>,
    /// The id of the nested deployment that this resource belongs to; `None` for the template's own resources.
    pub deployment: Option<String>,
    /// The condition or loop count that is not known: the resource may or may not come to be.
    pub uncertain: Option<String>,
    /// A loop in serial mode: the loop's name and how many of its resources may be made at once.
    pub batch: Option<Batch>,
}

/// The serial mode of the loop that a resource comes from. The order is already in [`Resource::depends_on`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The loop's name.
    pub name: String,
    /// How many at once.
    pub size: u64,
    /// This resource's index in the loop.
    pub index: u64,
}

/// One output.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its declared type.
    pub kind: ParameterType,
    /// Its value; unknown leaves where it needs the cloud. Parts that a user-defined type declares secure are left out; a value
    /// that is secure as a whole is there, for its kind says so.
    pub value: Value,
}
