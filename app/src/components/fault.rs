//! An Azure error, whole: what it means first, then Azure's own words with the ids that its support asks for.

use leptos::prelude::*;
use serde_json::Value;
use types::fault::{AzureFault, PolicyExpression, PolicyViolation};

use super::icon::{Icon, icon};

/// The error in its box, with those it was caused by.
pub(crate) fn fault(fault: &AzureFault) -> AnyView {
    view! {
        <div class="my-2 flex gap-2.5 rounded-card border border-deny bg-deny-bg px-3 py-2.5 text-[13px] text-ink">
            <span class="mt-0.5 text-deny">{icon(Icon::Cross)}</span>
            <div class="min-w-0">{layer(fault)}</div>
        </div>
    }
    .into_any()
}

/// What went wrong in the end, in one sentence: the innermost error is the cause, those around it say where it was met.
pub(crate) fn cause(fault: &AzureFault) -> String {
    let mut innermost = fault;
    while let Some(inner) = innermost.details.first() {
        innermost = inner;
    }
    innermost
        .explanation
        .clone()
        .unwrap_or_else(|| format!("{}: {}", innermost.code, innermost.message))
}

fn layer(fault: &AzureFault) -> AnyView {
    let AzureFault {
        status,
        code,
        message,
        target,
        details,
        policy,
        explanation,
        request_id,
        correlation_id,
    } = fault.clone();
    let ids: Vec<(&'static str, String)> = [
        ("about", target),
        ("HTTP status", status.map(|status| status.to_string())),
        ("request id", request_id),
        ("correlation id", correlation_id),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    view! {
        {explanation.map(|text| view! { <p class="mb-1 font-[580]">{text}</p> })}
        <p class="wrap-anywhere">
            <code class="font-[600]">{code}</code>
            ": "
            <bdi>{message}</bdi>
        </p>
        {(!ids.is_empty())
            .then(|| {
                view! {
                    <ul class="mt-1 text-xs text-ink-2">
                        {ids
                            .into_iter()
                            .map(|(name, value)| {
                                view! {
                                    <li class="wrap-anywhere">
                                        {name} " "<code>{value}</code>
                                    </li>
                                }
                            })
                            .collect::<Vec<_>>()}
                    </ul>
                }
            })}
        {(!policy.is_empty())
            .then(|| {
                view! {
                    <ul class="mt-1 text-xs text-ink-2">
                        {policy.iter().map(violation).collect::<Vec<_>>()}
                    </ul>
                }
            })}
        {details
            .iter()
            .map(|inner| {
                view! { <div class="mt-2 border-t border-deny/40 pt-2">{layer(inner)}</div> }
            })
            .collect::<Vec<_>>()}
    }
    .into_any()
}

/// The policy and its assignment, each by its id where it has no name, with what was compared.
fn violation(violation: &PolicyViolation) -> AnyView {
    let PolicyViolation {
        definition,
        definition_id,
        assignment,
        assignment_id,
        expressions,
    } = violation;
    let named = |before: &'static str, name: &Option<String>, id: &Option<String>| {
        let name = name.clone().or_else(|| id.clone())?;
        Some(view! { {before} " " <span class="font-[600]">{name}</span> })
    };
    view! {
        <li class="mt-1 wrap-anywhere">
            <p>
                {named("Policy", definition, definition_id)} " "
                {named("assigned as", assignment, assignment_id)}
            </p>
            {(!expressions.is_empty())
                .then(|| {
                    view! {
                        <ul class="list-disc pl-5">
                            {expressions.iter().map(expression).collect::<Vec<_>>()}
                        </ul>
                    }
                })}
        </li>
    }
    .into_any()
}

/// One comparison: `sku.name` is `B`; `In` `["A"]` does not hold.
fn expression(expression: &PolicyExpression) -> AnyView {
    let PolicyExpression {
        path,
        found,
        operator,
        wanted,
        result,
    } = expression;
    let path = path.clone().unwrap_or_else(|| "value".to_owned());
    let found = match found {
        Some(found) => view! { " is " <code>{json(found)}</code> }.into_any(),
        None => " is not set".into_any(),
    };
    let operator = operator
        .clone()
        .map(|operator| view! { "; " <code>{operator}</code> });
    let wanted = wanted
        .as_ref()
        .map(|wanted| view! { " " <code>{json(wanted)}</code> });
    let held = result.map(|held| if held { " holds" } else { " does not hold" });
    view! { <li><code>{path}</code> {found} {operator} {wanted} {held}</li> }.into_any()
}

/// As people type it; nothing would be invisible, so its quotes stay.
fn json(value: &Value) -> String {
    match crate::forms::text(value) {
        text if text.is_empty() => value.to_string(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_shown_with_what_it_compared() {
        let refused: AzureFault = serde_json::from_value(json!({
            "code": "RequestDisallowedByPolicy",
            "message": "Resource 'vm1' was disallowed by policy.",
            "policy": [{
                "definition": "Allowed sizes",
                "assignment_id": "/policyAssignments/sizes",
                "expressions": [
                    { "path": "properties.hardwareProfile.vmSize", "found": "Standard_D2as_v4", "operator": "In", "wanted": ["Standard_D1_v2"], "result": false },
                    { "path": "zones", "operator": "Exists", "wanted": "", "result": true },
                ],
            }],
        }))
        .unwrap();
        let outer = AzureFault {
            code: "DeploymentFailed".into(),
            policy: vec![],
            details: vec![refused.clone()],
            ..refused
        };
        let html = fault(&outer).to_html().replace("<!>", "");
        let text: String = html
            .split('<')
            .filter_map(|tag| tag.split_once('>'))
            .map(|(_, text)| text)
            .collect();
        for said in [
            "Policy Allowed sizes assigned as /policyAssignments/sizes",
            "properties.hardwareProfile.vmSize is Standard_D2as_v4; In [\"Standard_D1_v2\"] does not hold",
            "zones is not set; Exists \"\" holds",
        ] {
            assert_eq!(text.matches(said).count(), 1, "{said}: {text}");
        }
        assert!(!html.contains("style="), "{html}");
    }
}
