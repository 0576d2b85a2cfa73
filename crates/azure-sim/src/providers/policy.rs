//! Azure Policy as ARM applies it before a provider is asked: definitions, assignments, exemptions, and the refusal of what a `deny` policy forbids. How a condition is read is in `policy/condition.rs`.
//!
//! Of the effects, `deny` acts; the others are kept and shown, and do nothing here. What is checked of definitions and assignments is in `policy/checks.rs`.

mod checks;
mod condition;
mod expression;
mod subject;

use http::StatusCode;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Draft, Habit, Kind, Patch, Scene};
use crate::state::model::{Resource, World};
use crate::wire::errors::{Problem, Refusal};
use crate::wire::ids::{self, Id};
use crate::wire::json as at;
use condition::Question;
use expression::Parameters;
use subject::Subject;

pub(crate) const VERSIONS: &[&str] = &[
    "2026-07-01",
    "2026-06-01",
    "2025-11-01",
    "2025-03-01",
    "2025-01-01",
    "2024-05-01",
    "2024-04-01",
    "2023-04-01",
    "2022-06-01",
    "2021-06-01",
    "2020-09-01",
    "2020-03-01",
    "2019-09-01",
    "2019-06-01",
    "2019-01-01",
    "2018-05-01",
    "2018-03-01",
    "2016-12-01",
];
const EXEMPTION_VERSIONS: &[&str] = &[
    "2024-12-01-preview",
    "2022-07-01-preview",
    "2020-07-01-preview",
];
pub(crate) const DEFINITION: &str = "Microsoft.Authorization/policyDefinitions";
pub(crate) const ASSIGNMENT: &str = "Microsoft.Authorization/policyAssignments";
const EXEMPTION: &str = "Microsoft.Authorization/policyExemptions";

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            located: false,
            patch: Patch::Never,
            prepare: definition,
            blocked: |world, definition| checks::unassigned(world, definition),
            ..Kind::base(DEFINITION, VERSIONS, Habit::Sync)
        },
        Kind {
            located: false,
            prepare: assignment,
            ..Kind::base(ASSIGNMENT, VERSIONS, Habit::Sync)
        },
        Kind {
            located: false,
            prepare: exemption,
            ..Kind::base(EXEMPTION, EXEMPTION_VERSIONS, Habit::Sync)
        },
    ]
}

/// The built-in definitions that the simulator has, as the tenant shows them. Rules: Azure/azure-policy, `built-in-policies/policyDefinitions`.
pub(crate) fn built_in() -> Vec<Value> {
    let row = |name: &str, display: &str, mode: &str, parameters: Value, rule: Value| {
        json!({
            "id": format!("/providers/{DEFINITION}/{name}"), "name": name, "type": DEFINITION,
            "properties": { "displayName": display, "policyType": "BuiltIn", "mode": mode, "version": "1.0.0", "parameters": parameters, "policyRule": rule },
        })
    };
    vec![
        row(
            "e56962a6-4747-49cd-b67b-bf8b01975c4c",
            "Allowed locations",
            "Indexed",
            json!({ "listOfAllowedLocations": { "type": "Array", "metadata": { "displayName": "Allowed locations", "strongType": "location" } } }),
            json!({
                "if": { "allOf": [
                    { "field": "location", "notIn": "[parameters('listOfAllowedLocations')]" },
                    { "field": "location", "notEquals": "global" },
                    { "field": "type", "notEquals": "Microsoft.AzureActiveDirectory/b2cDirectories" },
                ] },
                "then": { "effect": "deny" },
            }),
        ),
        row(
            "cccc23c7-8427-4f53-ad12-b6a63eb452b3",
            "Allowed virtual machine size SKUs",
            "Indexed",
            json!({ "listOfAllowedSKUs": { "type": "Array", "metadata": { "displayName": "Allowed Size SKUs", "strongType": "VMSKUs" } } }),
            json!({
                "if": { "allOf": [
                    { "field": "type", "equals": "Microsoft.Compute/virtualMachines" },
                    { "not": { "field": "Microsoft.Compute/virtualMachines/sku.name", "in": "[parameters('listOfAllowedSKUs')]" } },
                ] },
                "then": { "effect": "Deny" },
            }),
        ),
        row(
            "871b6d14-10aa-478d-b590-94f262ecfa99",
            "Require a tag on resources",
            "Indexed",
            json!({ "tagName": { "type": "String", "metadata": { "displayName": "Tag Name" } } }),
            json!({
                "if": { "field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false" },
                "then": { "effect": "deny" },
            }),
        ),
    ]
}

fn definition(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/policyRule/if")?;
    draft.require("/properties/policyRule/then/effect")?;
    draft.default("/properties/mode", "All");
    draft.default("/properties/policyType", "Custom");
    draft.default("/properties/version", "1.0.0");
    draft.default("/properties/parameters", json!({}));
    stamp(draft, scene);
    checks::definition(draft.id.last_name(), &draft.body["properties"])
}

fn assignment(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/policyDefinitionId")?;
    let wanted = draft
        .text("/properties/policyDefinitionId")
        .unwrap_or_default()
        .to_owned();
    let planned = scene.planned.contains(&ids::key(&wanted));
    let found = find(scene.world, &wanted);
    if found.is_none() && !planned && !template::has_unknown(&draft.body) {
        return Err(Refusal::missing(
            "PolicyDefinitionNotFound",
            format!("The policy definition '{wanted}' could not be found."),
        ));
    }
    if let Some(found) = found {
        checks::parameters(draft.id.last_name(), &draft.body["properties"], &found)?;
    }
    let scope = scope_of(draft.id);
    at::set(&mut draft.body, "/properties/scope", scope.into());
    draft.default("/properties/enforcementMode", "Default");
    draft.default("/properties/parameters", json!({}));
    draft.default("/properties/notScopes", json!([]));
    stamp(draft, scene);
    Ok(())
}

fn exemption(draft: &mut Draft<'_>, scene: &Scene<'_>) -> Result<(), Refusal> {
    draft.require("/properties/policyAssignmentId")?;
    match draft.text("/properties/exemptionCategory") {
        Some("Waiver" | "Mitigated") => {}
        _ => {
            return Err(Refusal::bad(
                "InvalidPolicyExemption",
                "The exemption category must be 'Waiver' or 'Mitigated'.",
            ));
        }
    }
    let assignment = draft
        .text("/properties/policyAssignmentId")
        .unwrap_or_default()
        .to_owned();
    if !scene.exists(&ids::key(&assignment)) {
        return Err(Refusal::missing(
            "PolicyAssignmentNotFound",
            format!("The policy assignment '{assignment}' could not be found."),
        ));
    }
    Ok(())
}

/// Who made it and when, where policy keeps it.
fn stamp(draft: &mut Draft<'_>, scene: &Scene<'_>) {
    let now = scene.now.format(&Rfc3339).unwrap_or_default();
    draft.default(
        "/properties/metadata/createdBy",
        crate::seed::CLIENT_OBJECT_ID,
    );
    draft.default("/properties/metadata/createdOn", now);
}

fn scope_of(id: &Id) -> String {
    if id.extends.is_empty() {
        id.scope()
    } else {
        id.extends.clone()
    }
}

/// A definition by id, built in or not.
pub(crate) fn find(world: &World, id: &str) -> Option<Value> {
    if let Some(found) = built_in()
        .into_iter()
        .find(|row| at::text(row, "/id").is_some_and(|known| known.eq_ignore_ascii_case(id)))
    {
        return Some(found);
    }
    let found = world.resource(&ids::key(id))?;
    found
        .is(DEFINITION)
        .then(|| super::show(world, found, found.changed))
}

fn inside(key: &str, scope: &str) -> bool {
    key == scope || key.starts_with(&format!("{scope}/"))
}

/// Refuses a resource that assigned `deny` policies forbid, all of them named (facts: azure.md 4.6).
pub(crate) fn allows(
    world: &World,
    id: &Id,
    kind: &str,
    body: &Value,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    if kind.starts_with("Microsoft.Authorization/") {
        return Ok(());
    }
    let key = id.key();
    let mut violations: Vec<(Value, Value, Value)> = Vec::new();
    for assignment in world.of_kind(ASSIGNMENT) {
        let properties = &assignment.body["properties"];
        let scope = ids::key(at::text(properties, "/scope").unwrap_or_default());
        let left_out = at::texts(properties, "/notScopes")
            .iter()
            .any(|scope| inside(&key, &ids::key(scope)));
        let enforced = at::text(properties, "/enforcementMode")
            .is_none_or(|mode| mode.eq_ignore_ascii_case("Default"));
        if !inside(&key, &scope) || left_out || !enforced || exempt(world, assignment, &key, now) {
            continue;
        }
        let Some(definition) = at::text(properties, "/policyDefinitionId")
            .and_then(|definition| find(world, definition))
        else {
            continue;
        };
        // Indexed policies see only what has a region and tags.
        let indexed = at::text(&definition, "/properties/mode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("Indexed"));
        if indexed && body.get("location").is_none() {
            continue;
        }
        let Some((parameters, rule)) = Parameters::new(
            &definition["properties"]["parameters"],
            &properties["parameters"],
        )
        .and_then(|parameters| {
            let rule = parameters.resolve(&definition["properties"]["policyRule"])?;
            Some((parameters, rule))
        }) else {
            continue;
        };
        let deny = at::text(&rule, "/then/effect")
            .is_some_and(|effect| effect.eq_ignore_ascii_case("deny"));
        if !deny {
            continue;
        }
        let mut question = Question::new(Subject { id, kind, body }, &parameters);
        if question.holds(&rule["if"]) == Some(true) {
            violations.push((
                super::show(world, assignment, now),
                definition,
                Value::Array(question.trace),
            ));
        }
    }
    if violations.is_empty() {
        return Ok(());
    }
    Err(refusal(id, &violations))
}

fn exempt(world: &World, assignment: &Resource, key: &str, now: OffsetDateTime) -> bool {
    world.of_kind(EXEMPTION).any(|exemption| {
        let over = exemption
            .text("/properties/expiresOn")
            .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok())
            .is_some_and(|expires| expires <= now);
        let scope = Id::parse(&exemption.id).map(|id| ids::key(&scope_of(&id)));
        !over
            && scope.is_some_and(|scope| inside(key, &scope))
            && exemption
                .text("/properties/policyAssignmentId")
                .is_some_and(|id| ids::key(id) == assignment.key())
    })
}

fn refusal(id: &Id, violations: &[(Value, Value, Value)]) -> Refusal {
    let display = |row: &Value| {
        at::text(row, "/properties/displayName")
            .or_else(|| at::text(row, "/name"))
            .unwrap_or_default()
            .to_owned()
    };
    let named: Vec<Value> = violations
        .iter()
        .map(|(assignment, definition, _)| {
            json!({
                "policyAssignment": { "name": display(assignment), "id": assignment["id"] },
                "policyDefinition": { "name": display(definition), "id": definition["id"], "version": definition["properties"]["version"] },
            })
        })
        .collect();
    let mut problem = Problem::new(
        "RequestDisallowedByPolicy",
        format!(
            "Resource '{}' was disallowed by policy. Policy identifiers: '{}'.",
            id.last_name(),
            Value::Array(named)
        ),
    );
    problem.target = Some(id.last_name().to_owned());
    problem.additional_info = violations
        .iter()
        .map(|(assignment, definition, trace)| {
            let mut info = Map::new();
            let mut put = |name: &str, value: Value| info.insert(name.to_owned(), value);
            put(
                "evaluationDetails",
                json!({ "evaluatedExpressions": trace }),
            );
            put("policyDefinitionId", definition["id"].clone());
            put("policyDefinitionName", definition["name"].clone());
            put("policyDefinitionDisplayName", display(definition).into());
            put(
                "policyDefinitionVersion",
                definition["properties"]["version"].clone(),
            );
            put("policyDefinitionEffect", "deny".into());
            put("policyAssignmentId", assignment["id"].clone());
            put("policyAssignmentName", assignment["name"].clone());
            put("policyAssignmentDisplayName", display(assignment).into());
            put(
                "policyAssignmentScope",
                assignment["properties"]["scope"].clone(),
            );
            put(
                "policyAssignmentParameters",
                assignment["properties"]["parameters"].clone(),
            );
            put("policyExemptionIds", json!([]));
            json!({ "type": "PolicyViolation", "info": info })
        })
        .collect();
    Refusal {
        problem: Box::new(problem),
        ..Refusal::new(StatusCode::FORBIDDEN, "", "")
    }
}
