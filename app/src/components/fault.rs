//! An Azure error, whole: what it means first, then Azure's own words with the ids that its support asks for.

use leptos::prelude::*;
use types::fault::AzureFault;

use super::icon::{Icon, icon};

/// The error in its box.
pub(crate) fn fault(fault: &AzureFault) -> AnyView {
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
        <div class="my-2 flex gap-2.5 rounded-card border border-deny bg-deny-bg px-3 py-2.5 text-[13px]">
            <span class="mt-0.5 text-deny">{icon(Icon::Cross)}</span>
            <div class="min-w-0">
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
                    })} {details.iter().map(self::fault).collect::<Vec<_>>()}
            </div>
        </div>
    }
    .into_any()
}
