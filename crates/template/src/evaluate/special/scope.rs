//! Where the deployment goes: `resourceGroup()`, `subscription()`, `deployment()` and the like.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::cause::Cause;
use crate::evaluate::{Deployment, Frame, Scope};
use crate::expression::Call;
use crate::functions::{Fault, Function, special, wrong};
use crate::runtime::unknown;

pub(crate) static TABLE: &[Function] = &[
    special("resourceGroup", 0, 0, resource_group),
    special("subscription", 0, 0, subscription),
    special("managementGroup", 0, 0, management_group),
    special("tenant", 0, 0, tenant),
    special("environment", 0, 0, |deployment, _, _| {
        Ok(deployment.world.context.environment.clone())
    }),
    special("deployment", 0, 0, |deployment, _, _| {
        Ok(Value::clone(&*deployment_shown(deployment.language())))
    }),
];

/// A fact of a scope that is there already, which only the cloud knows.
fn outside(deployment: &Deployment<'_>, text: &str) -> Value {
    let what = format!("{text} of {}", deployment.scope_shown());
    deployment
        .world
        .causes
        .record(text, [Cause::Existing(what)]);
    unknown(text)
}

/// Adds to a scope what the runtime knows of it; what it does not know is an unknown of the call's text.
fn described(
    deployment: &Deployment<'_>,
    mut shown: Map<String, Value>,
    call: &str,
    members: &[&str],
) -> Result<Value, Fault> {
    let id = shown
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let known = deployment.world.runtime.scope(&id)?;
    for name in members {
        let value = known
            .as_ref()
            .and_then(|known| known.get(*name))
            .filter(|value| !value.is_null())
            .cloned()
            .unwrap_or_else(|| outside(deployment, &format!("{call}.{name}")));
        shown.insert((*name).to_owned(), value);
    }
    Ok(Value::Object(shown))
}

fn tenant(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let tenant = &deployment.world.context.tenant_id;
    let mut shown = Map::new();
    shown.insert("id".into(), format!("/tenants/{tenant}").into());
    shown.insert("tenantId".into(), tenant.clone().into());
    described(
        deployment,
        shown,
        "tenant()",
        &["countryCode", "displayName"],
    )
}

fn resource_group(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let language = deployment.language();
    let Scope::Group {
        subscription,
        group,
    } = &language.scope
    else {
        return wrong(
            "the deployment does not go to a resource group; use subscription() or deployment() instead",
        );
    };
    let id = language.scope.id();
    let (location, tags) = match language.known_group(subscription, group) {
        Some(known) => (
            Value::from(known.location.clone()),
            known
                .tags
                .iter()
                .map(|(name, tag)| (name.clone(), tag.clone().into()))
                .collect::<Map<_, _>>()
                .into(),
        ),
        // Another group than the target: only the cloud knows it.
        None => match language.world.runtime.reference(&id, None, true)? {
            Some(group) => (
                group.get("location").cloned().unwrap_or(Value::Null),
                group.get("tags").cloned().unwrap_or_else(|| json!({})),
            ),
            None => (
                outside(language, "resourceGroup().location"),
                outside(language, "resourceGroup().tags"),
            ),
        },
    };
    Ok(json!({
        "id": id,
        "name": group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "tags": tags,
        "properties": {"provisioningState": "Succeeded"},
    }))
}

fn subscription(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let language = deployment.language();
    let Some(id) = language.scope.subscription() else {
        return wrong("the deployment does not go to a subscription");
    };
    let tenant = &language.world.context.tenant_id;
    let mut shown = Map::new();
    shown.insert("id".into(), format!("/subscriptions/{id}").into());
    shown.insert("subscriptionId".into(), id.into());
    shown.insert("tenantId".into(), tenant.clone().into());
    described(language, shown, "subscription()", &["displayName"])
}

fn management_group(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let language = deployment.language();
    let Scope::ManagementGroup(name) = &language.scope else {
        return wrong("the deployment does not go to a management group");
    };
    let mut shown = Map::new();
    shown.insert("id".into(), language.scope.id().into());
    shown.insert("name".into(), name.clone().into());
    let kind = "/providers/Microsoft.Management/managementGroups";
    shown.insert("type".into(), kind.into());
    described(language, shown, "managementGroup()", &["properties"])
}

/// What `deployment()` gives, while the deployment is being evaluated.
/// Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#deployment>.
pub(crate) fn deployment_shown(language: &Deployment<'_>) -> Rc<Value> {
    language.shown(|| {
        let mut shown = json!({
            "name": language.name,
            "properties": {
                "template": language.template.document,
                "templateHash": language.template.hash(),
                "parameters": language.given_parameters(),
                "mode": "Incremental",
                "provisioningState": "Accepted",
            },
        });
        if let (Some(location), Value::Object(shown)) = (&language.location, &mut shown) {
            shown.insert("location".into(), location.clone().into());
        }
        shown
    })
}
