//! Resource ids: `resourceId` and its kin; which resource a symbolic name means; `providers`.

use std::rc::Rc;

use serde_json::{Value, json};

use super::known_args;
use crate::cause::Cause;
use crate::evaluate::scope::resource_id;
use crate::evaluate::{Deployment, Frame, Scope};
use crate::expression::{Call, Expr};
use crate::functions::{Fault, Function, MANY, refused, special, text_of, wrong};
use crate::schema::called;

pub(crate) static TABLE: &[Function] = &[
    special("resourceId", 2, MANY, |deployment, call, frame| {
        id(deployment, call, frame, 2, |scope, given| {
            match (scope, given) {
                (Scope::Group { subscription, .. }, [group]) => Ok(group_id(subscription, group)),
                (scope, []) => Ok(scope.id()),
                (Scope::Subscription(subscription), [group]) => Ok(group_id(subscription, group)),
                (_, [subscription, group]) => Ok(group_id(subscription, group)),
                _ => wrong("the subscription is wanted before the resource group here"),
            }
        })
    }),
    special(
        "subscriptionResourceId",
        2,
        MANY,
        |deployment, call, frame| {
            id(deployment, call, frame, 1, |scope, given| {
                match (given.first(), scope.subscription()) {
                    (Some(subscription), _) => Ok(format!("/subscriptions/{subscription}")),
                    (None, Some(subscription)) => Ok(format!("/subscriptions/{subscription}")),
                    (None, None) => {
                        wrong("the deployment has no subscription; give one as the first argument")
                    }
                }
            })
        },
    ),
    special(
        "managementGroupResourceId",
        2,
        MANY,
        |deployment, call, frame| {
            let of =
                |name: &str| format!("/providers/Microsoft.Management/managementGroups/{name}");
            id(deployment, call, frame, 1, |scope, given| {
                match (given.first(), scope) {
                    (Some(name), _) => Ok(of(name)),
                    (None, Scope::ManagementGroup(name)) => Ok(of(name)),
                    (None, _) => wrong(
                        "the deployment does not go to a management group; give one as the first argument",
                    ),
                }
            })
        },
    ),
    special("tenantResourceId", 2, MANY, |deployment, call, frame| {
        id(deployment, call, frame, 0, |_, _| Ok(String::new()))
    }),
    special("extensionResourceId", 3, MANY, extension_resource_id),
    special("resourceInfo", 1, 1, resource_info),
    special("providers", 1, 2, providers),
];

/// `id`, `name`, `type` and `apiVersion` of the resource with this symbolic name, without asking for it.
fn resource_info(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
) -> Result<Value, Fault> {
    let name = known_args(deployment, call, frame)?.string()?;
    match deployment.language().identity(&name)? {
        Some(identity) => Ok(json!({
            "id": identity.id,
            "name": identity.name,
            "type": identity.kind,
            "apiVersion": identity.api_version,
        })),
        None => refused(format!(
            "The template reference '{name}' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details."
        )),
    }
}

/// Deprecated, but documented: <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#providers>.
fn providers(deployment: &Rc<Deployment<'_>>, call: &Call, frame: &Frame) -> Result<Value, Fault> {
    let mut args = known_args(deployment, call, frame)?;
    let namespace = args.string()?;
    let kind = args.optional_string()?;
    let answer = deployment
        .world
        .runtime
        .providers(&namespace, kind.as_deref())?;
    answer.ok_or_else(|| {
        let text = Expr::Call(Box::new(call.clone())).to_string();
        deployment.world.causes.meet(Cause::Existing(text));
        Fault::Unknown
    })
}

fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

fn strings(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
) -> Result<Vec<String>, Fault> {
    known_args(deployment, call, frame)?
        .rest()
        .into_iter()
        .enumerate()
        .map(|(i, value)| match value {
            Value::String(_) | Value::Number(_) => Ok(text_of(&value)),
            other => wrong(format!(
                "argument {} must be a string, but is {}",
                i + 1,
                called(&other)
            )),
        })
        .collect()
}

/// The id of `[scope…], type, names…`, where up to `most` arguments before the type say the scope.
fn id(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
    most: usize,
    base: impl Fn(&Scope, &[String]) -> Result<String, Fault>,
) -> Result<Value, Fault> {
    let args = strings(deployment, call, frame)?;
    // The type is the first argument with a slash whose parts the names after it match.
    let Some(at) = (0..=most).find(|at| {
        args.get(*at).is_some_and(|kind| {
            let kind = kind.trim_end_matches('/');
            kind.contains('/') && kind.matches('/').count() == args.len() - at - 1
        })
    }) else {
        return wrong(
            "a full resource type such as `Microsoft.Compute/virtualMachines` is wanted, followed by one name for each part of it after the provider",
        );
    };
    let base = base(
        &deployment.language().scope,
        args.get(..at).unwrap_or_default(),
    )?;
    made(&base, args.get(at..).unwrap_or_default())
}

fn extension_resource_id(
    deployment: &Rc<Deployment<'_>>,
    call: &Call,
    frame: &Frame,
) -> Result<Value, Fault> {
    let args = strings(deployment, call, frame)?;
    let (base, rest) = args.split_first().ok_or(Fault::Unknown)?;
    made(base.trim_end_matches('/'), rest)
}

fn made(base: &str, kind_and_names: &[String]) -> Result<Value, Fault> {
    let made = kind_and_names.split_first().and_then(|(kind, names)| {
        resource_id(
            base,
            // ARM takes `Microsoft.Resources/resourceGroups/` for the same type.
            kind.trim_end_matches('/'),
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    });
    match made {
        Some(id) => Ok(id.into()),
        None => wrong("the type wants one name for each of its parts after the provider"),
    }
}
