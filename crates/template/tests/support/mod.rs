//! What the stories share: a place to deploy to, and short ways to evaluate a template or one expression.
#![allow(dead_code, reason = "each story uses its part")]

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use template::{
    Context, Error, Evaluation, Resource, ResourceGroup, Runtime, Template, Unknown, is_unknown,
};
use time::macros::datetime;
use uuid::Uuid;

pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-0000000000aa";
pub(crate) const GROUP: &str =
    "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/rg";

/// A deployment to the group `rg` in West Europe.
pub(crate) fn context() -> Context {
    Context {
        tenant_id: "00000000-0000-0000-0000-0000000000bb".into(),
        subscription_id: SUBSCRIPTION.into(),
        resource_group: Some(ResourceGroup {
            name: "rg".into(),
            location: "westeurope".into(),
            tags: IndexMap::from([("owner".to_owned(), "team".to_owned())]),
        }),
        management_group: None,
        deployment_name: "main".into(),
        deployment_location: None,
        utc_now: datetime!(2020-04-07 14:53:14.5 UTC),
        guid_seed: Uuid::from_u128(7),
        environment: Context::public_cloud(),
    }
}

/// A classic template out of its parts.
pub(crate) fn template(parts: Value) -> Value {
    let mut whole = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
    });
    if let (Value::Object(whole), Value::Object(parts)) = (&mut whole, parts) {
        whole.extend(parts);
    }
    whole
}

/// Evaluates as a plan does.
pub(crate) fn plan(parts: Value, given: Value) -> Result<Evaluation, Error> {
    with(parts, given, &context(), &Unknown)
}

pub(crate) fn with(
    parts: Value,
    given: Value,
    context: &Context,
    runtime: &dyn Runtime,
) -> Result<Evaluation, Error> {
    let template = Template::from_value(template(parts))?;
    let given = match given {
        Value::Object(given) => given,
        _ => Map::new(),
    };
    template::evaluate(&template, &given, context, runtime)
}

/// The value of one expression, brackets included, in a template that is otherwise empty.
pub(crate) fn eval(expression: &str) -> Result<Value, Error> {
    eval_with(expression, &Unknown)
}

pub(crate) fn eval_with(expression: &str, runtime: &dyn Runtime) -> Result<Value, Error> {
    let parts = json!({"languageVersion": "2.0", "resources": {}, "outputs": {"it": {"value": expression, "nullable": true}}});
    with(parts, json!({}), &context(), runtime)
        .map(|evaluation| evaluation.outputs["it"].value.clone())
}

/// The message of the error that an expression ends with.
pub(crate) fn refusal(expression: &str) -> String {
    match eval(expression) {
        Ok(value) => panic!("{expression} gives {value}, an error was expected"),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn names(evaluation: &Evaluation) -> Vec<&str> {
    evaluation
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect()
}

pub(crate) fn named<'e>(evaluation: &'e Evaluation, name: &str) -> &'e Resource {
    evaluation
        .resources
        .iter()
        .find(|resource| resource.name == name)
        .unwrap_or_else(|| panic!("no resource is named {name}: {:?}", names(evaluation)))
}

/// A storage account, the smallest of resources.
pub(crate) fn account(name: &str) -> Value {
    json!({"type": "Microsoft.Storage/storageAccounts", "apiVersion": "2023-01-01", "name": name, "location": "westeurope"})
}

/// Whether a value may be what a plan foretold: the same, but anything where the plan had an unknown.
pub(crate) fn fits(plan: &Value, live: &Value) -> bool {
    if is_unknown(plan) {
        return true;
    }
    match (plan, live) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| fits(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| fits(a, b)))
        }
        (a, b) => a == b,
    }
}
