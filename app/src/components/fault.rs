//! An Azure error, whole: what it means first, then Azure's own words with the ids that its support asks for.

use leptos::prelude::*;
use types::fault::AzureFault;

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
            {message}
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
        {details
            .iter()
            .map(|inner| {
                view! { <div class="mt-2 border-t border-deny/40 pt-2">{layer(inner)}</div> }
            })
            .collect::<Vec<_>>()}
    }
    .into_any()
}
