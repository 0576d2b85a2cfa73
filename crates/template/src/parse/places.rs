//! Where functions may stand: what only Azure knows is not there yet when names are made, variables and counts are computed.
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#valid-uses>; for
//! user-defined functions <https://learn.microsoft.com/azure/azure-resource-manager/templates/user-defined-functions#limitations>.

use crate::error::misplaced_text;
use crate::expression::{Call, Expr};
use crate::node::{Key, Loop, Member, Node};
use crate::template::{Declared, Inner, Variable};
use crate::{Error, place};

/// Refuses functions that stand where ARM does not take them.
pub(super) fn check(template: &Inner) -> Result<(), Error> {
    for declared in template.declarations.values() {
        let at = place::member("parameters", &declared.name);
        if let Some(call) = declared
            .default
            .as_ref()
            .and_then(|node| find(node, &is_live))
        {
            let sentence = misplaced_text(&call.full_name());
            return Err(Error::refused(
                place::member(&at, "defaultValue"),
                format!(
                    "The template parameter '{}' is not valid: {sentence}",
                    declared.name
                ),
            ));
        }
    }
    for variable in template.variables.values() {
        let refused = |call: &Call| is_live(call) || is_nameless_index(call);
        let found = match variable {
            Variable::Node { value, .. } => find(value, &refused),
            Variable::Loop(entry) => in_loop(entry, &refused),
        };
        if let Some(call) = found {
            let sentence = misplaced_text(&call.full_name());
            return Err(Error::refused(
                place::member("variables", variable.name()),
                format!(
                    "The template variable '{}' is not valid: {sentence}",
                    variable.name()
                ),
            ));
        }
    }
    for resource in &template.resources {
        if let Some((part, call)) = in_identity(resource) {
            return Err(Error::refused(
                place::member(&resource.place, part),
                format!(
                    "The template resource '{}' is not valid: {}",
                    resource.name.written(),
                    misplaced_text(&call.full_name())
                ),
            ));
        }
    }
    for function in template.functions.values() {
        let refused = |call: &Call| {
            is_live(call)
                || call.name.eq_ignore_ascii_case("variables") && call.function.is_some()
                || call.function.is_none() && !template.symbolic
        };
        if let Some(call) = find(&function.output, &refused) {
            return Err(Error::refused(
                function.place.as_str(),
                misplaced_text(&call.full_name()),
            ));
        }
    }
    Ok(())
}

/// The first call of something live in the parts that say which resource it is and how often, with the part.
fn in_identity(resource: &Declared) -> Option<(&'static str, &Call)> {
    let copy = resource.copy.as_ref();
    [
        ("name", Some(&resource.name)),
        ("apiVersion", resource.api_version.as_ref()),
        ("copy", copy.map(|copy| &copy.count)),
        ("copy", copy.and_then(|copy| copy.batch_size.as_ref())),
    ]
    .into_iter()
    .find_map(|(part, node)| Some((part, find(node?, &is_live)?)))
}

/// `reference`, `references` and every function whose name begins with `list`.
fn is_live(call: &Call) -> bool {
    call.function.is_some_and(|function| {
        let name = function.name.to_ascii_lowercase();
        name == "reference" || name == "references" || name.starts_with("list")
    })
}

/// `copyIndex()` without the name of a loop: that of a resource.
fn is_nameless_index(call: &Call) -> bool {
    call.name.eq_ignore_ascii_case("copyIndex")
        && call.function.is_some()
        && matches!(call.args.first(), None | Some(Expr::Int(_)))
}

/// The first call in a value that is one of these.
fn find<'n>(node: &'n Node, wanted: &dyn Fn(&Call) -> bool) -> Option<&'n Call> {
    match node {
        Node::Value(_) => None,
        Node::Expr(expr) => in_expression(expr, wanted),
        Node::Array(items) => items.iter().find_map(|item| find(item, wanted)),
        Node::Object(members) => members.iter().find_map(|member| match member {
            Member::Plain(Key::Plain(_), value) => find(value, wanted),
            Member::Plain(Key::Expr(name), value) => {
                in_expression(name, wanted).or_else(|| find(value, wanted))
            }
            Member::Loop(entry) => in_loop(entry, wanted),
        }),
    }
}

fn in_loop<'n>(entry: &'n Loop, wanted: &dyn Fn(&Call) -> bool) -> Option<&'n Call> {
    find(&entry.count, wanted).or_else(|| find(&entry.input, wanted))
}

fn in_expression<'n>(expr: &'n Expr, wanted: &dyn Fn(&Call) -> bool) -> Option<&'n Call> {
    match expr {
        Expr::String(_) | Expr::Int(_) => None,
        Expr::Call(call) if wanted(call) => Some(call),
        Expr::Call(call) => call.args.iter().find_map(|arg| in_expression(arg, wanted)),
        Expr::Member(base, _) => in_expression(base, wanted),
        Expr::Index(base, index) => {
            in_expression(base, wanted).or_else(|| in_expression(index, wanted))
        }
    }
}
