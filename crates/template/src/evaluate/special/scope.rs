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
    special("tenant", 0, 0, |deployment, _, _| {
        let tenant = &deployment.world.context.tenant_id;
        Ok(json!({
            "id": format!("/tenants/{tenant}"),
            "tenantId": tenant,
            "countryCode": outside(deployment, "tenant().countryCode"),
            "displayName": outside(deployment, "tenant().displayName"),
        }))
    }),
    special("environment", 0, 0, |deployment, _, _| {
        Ok(deployment.world.context.environment.clone())
    }),
    special("deployment", 0, 0, deployment_),
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
    Ok(json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": language.world.context.tenant_id,
        "displayName": outside(language, "subscription().displayName"),
    }))
}

fn management_group(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let language = deployment.language();
    let Scope::ManagementGroup(name) = &language.scope else {
        return wrong("the deployment does not go to a management group");
    };
    Ok(json!({
        "id": language.scope.id(),
        "name": name,
        "type": "/providers/Microsoft.Management/managementGroups",
        "properties": outside(language, "managementGroup().properties"),
    }))
}

fn deployment_(deployment: &Rc<Deployment<'_>>, _: &Call, _: &Frame) -> Result<Value, Fault> {
    let language = deployment.language();
    let mut shown = json!({
        "name": language.name,
        "properties": {
            "template": language.template.header,
            "parameters": language.given_parameters(),
            "mode": "Incremental",
            "provisioningState": "Running",
        },
    });
    if let (Some(location), Value::Object(shown)) = (&language.location, &mut shown) {
        shown.insert("location".into(), location.clone().into());
    }
    Ok(shown)
}
