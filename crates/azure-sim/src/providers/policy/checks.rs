//! What Azure checks of a policy definition and of the parameters of an assignment, before anything is evaluated.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{ASSIGNMENT, condition, expression};
use crate::state::model::{Resource, World};
use crate::wire::errors::Refusal;
use crate::wire::ids;
use crate::wire::json as at;

/// Source: <https://learn.microsoft.com/azure/governance/policy/concepts/effect-basics>, and those of the modes of other providers.
const EFFECTS: [&str; 13] = [
    "addToNetworkGroup",
    "append",
    "audit",
    "auditIfNotExists",
    "deny",
    "denyAction",
    "deployIfNotExists",
    "disabled",
    "enforceOPAConstraint",
    "enforceRegoPolicy",
    "manual",
    "modify",
    "mutate",
];

/// Checks a definition's rule, and that its parameters are those that it uses.
pub(super) fn definition(name: &str, properties: &Value) -> Result<(), Refusal> {
    let rule = &properties["policyRule"];
    if template::has_unknown(rule) {
        return Ok(());
    }
    rule_reads(rule).map_err(|what| {
        Refusal::bad(
            "InvalidPolicyRule",
            format!("Failed to parse policy rule: '{what}'."),
        )
    })?;
    let mut used = BTreeSet::new();
    uses(rule, &mut used);
    let declared = properties["parameters"].as_object();
    let names: Vec<&String> = declared.into_iter().flat_map(Map::keys).collect();
    if let Some(unknown) = used
        .iter()
        .find(|used| !names.iter().any(|name| name.eq_ignore_ascii_case(used)))
    {
        return Err(Refusal::bad(
            "InvalidPolicyParameters",
            format!(
                "A function or parameter in policy '{name}' could not be validated. If using template functions, try following the tips in: https://aka.ms/policy-avoiding-template-failures. The inner exception 'The policy '{name}' has undefined parameter '{unknown}' which is used in the policy rule. Please either define it in policy definition or remove the reference in policy rule.'."
            ),
        ));
    }
    let unused: Vec<&str> = names
        .iter()
        .filter(|name| !used.iter().any(|used| used.eq_ignore_ascii_case(name)))
        .map(|name| name.as_str())
        .collect();
    // A name that is computed may be any.
    if unused.is_empty() || names_are_computed(rule) {
        return Ok(());
    }
    Err(Refusal::bad(
        "UnusedPolicyParameters",
        format!(
            "The policy '{name}' has defined parameters '{}' which are not used in the policy rule. Please either remove these parameters from the definition or ensure that they are used in the policy rule.",
            unused.join(",")
        ),
    ))
}

fn rule_reads(rule: &Value) -> Result<(), String> {
    let members = rule.as_object().into_iter().flat_map(Map::keys);
    for member in members {
        if !["if", "then"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(member))
        {
            return Err(format!(
                "Could not find member '{member}' on object of type 'PolicyRule'. Path '{member}'."
            ));
        }
    }
    condition::check(&rule["if"], 0)?;
    let effect = &rule["then"]["effect"];
    let known = match effect.as_str() {
        Some(text) if expression::inner(effect).is_none() => {
            EFFECTS.iter().any(|known| known.eq_ignore_ascii_case(text))
        }
        text => text.is_some(),
    };
    if known {
        return Ok(());
    }
    Err(format!("The policy effect {effect} is not known."))
}

/// The parameters that a rule names. A deployment's template inside of it has parameters of its own.
fn uses(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| uses(item, found)),
        Value::Object(map) => map
            .iter()
            .filter(|(name, value)| !(name.eq_ignore_ascii_case("template") && value.is_object()))
            .for_each(|(_, value)| uses(value, found)),
        _ => {
            if let Some(text) = expression::inner(value) {
                found.extend(expression::parameters(text));
            }
        }
    }
}

fn names_are_computed(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(names_are_computed),
        Value::Object(map) => map.values().any(names_are_computed),
        _ => expression::inner(value).is_some_and(|text| {
            let lower = text.to_ascii_lowercase();
            lower.matches("parameters(").count() > expression::parameters(text).len()
        }),
    }
}

/// Checks the values that an assignment gives to the parameters of its definition. Words: <https://github.com/Azure/terraform-azurerm-caf-enterprise-scale/pull/282>, <https://github.com/Azure/Azure-Landing-Zones/issues/442>.
pub(super) fn parameters(
    name: &str,
    assignment: &Value,
    definition: &Value,
) -> Result<(), Refusal> {
    let rows = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let declared = rows(&definition["properties"]["parameters"]);
    let given = rows(&assignment["parameters"]);
    let of = at::text(definition, "/name").unwrap_or_default();
    let without = |these: &Map<String, Value>, those: &Map<String, Value>| -> Vec<String> {
        these
            .keys()
            .filter(|name| !those.keys().any(|other| other.eq_ignore_ascii_case(name)))
            .cloned()
            .collect()
    };
    let unknown = without(&given, &declared);
    if !unknown.is_empty() {
        return Err(Refusal::bad(
            "UndefinedPolicyParameter",
            format!(
                "The policy assignment '{name}' has the parameter(s) '{}' which are not defined in the policy definition '{of}'.",
                unknown.join(",")
            ),
        ));
    }
    let needed: Map<String, Value> = declared
        .iter()
        .filter(|(_, parameter)| parameter.get("defaultValue").is_none())
        .map(|(name, parameter)| (name.clone(), parameter.clone()))
        .collect();
    let missing = without(&needed, &given);
    if !missing.is_empty() {
        return Err(Refusal::bad(
            "MissingPolicyParameter",
            format!(
                "The policy assignment '{name}' is missing the parameter(s) '{}' as defined in the policy definition '{of}'. Please either provide a value in the assignment or define a default value in the policy definition.",
                missing.join(",")
            ),
        ));
    }
    for (parameter, value) in &given {
        let allowed = declared
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(parameter))
            .map_or(&[][..], |(_, declared)| {
                at::list(declared, "/allowedValues")
            });
        let value = value.get("value").unwrap_or(&Value::Null);
        if allowed.is_empty() || template::has_unknown(value) {
            continue;
        }
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        if let Some(other) = values.iter().find(|value| !allowed.contains(value)) {
            let allowed: Vec<String> = allowed.iter().map(text).collect();
            return Err(Refusal::bad(
                "PolicyParameterValueNotAllowed",
                format!(
                    "The value '{}' is not allowed for policy parameter '{parameter}' in policy definition '{of}'. The allowed values are '{}'.",
                    text(other),
                    allowed.join(", ")
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses to delete a definition that is assigned. Words: <https://github.com/Azure/Azure-Landing-Zones/issues/444>, <https://github.com/azuredemoenvironment/ade/issues/37>.
pub(super) fn unassigned(world: &World, definition: &Resource) -> Result<(), Refusal> {
    let key = definition.key();
    let assignment = world.of_kind(ASSIGNMENT).find(|assignment| {
        assignment
            .text("/properties/policyDefinitionId")
            .is_some_and(|id| ids::key(id) == key)
    });
    match assignment {
        None => Ok(()),
        Some(assignment) => Err(Refusal::bad(
            "InvalidDeletePolicyDefinitionRequest",
            format!(
                "The policy definition '{}' cannot be deleted. It is referenced by the policy assignment '{}'. Please delete all policy assignments referencing the policy.",
                definition.name(),
                assignment.id
            ),
        )),
    }
}
