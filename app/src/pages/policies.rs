//! The rules: guardrails and the controls of the baseline, each with what it wants and why.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::policy::{Rule, RuleKind};

use crate::api::policies::rules;
use crate::components::card::{card, empty};
use crate::components::chip::chip;
use crate::components::load::load;
use crate::components::page::plain_head;
use crate::components::verdict::source;
use crate::words;

pub(crate) fn page() -> AnyView {
    let all = from_server(|| (), |()| rules());
    view! {
        {plain_head(
            "Policies",
            "Guardrails deny, warn or ask for approval. Controls are the hardening baseline; their results are the posture.",
        )}
        {load(
            all,
            |rules| {
                let of = |kind: RuleKind| rules.iter().filter(move |rule| rule.kind == kind).collect::<Vec<_>>();
                view! {
                    <div class="grid items-start gap-3.5 xl:grid-cols-2">
                        {list("Guardrails", &of(RuleKind::Guardrail))}
                        {list("Baseline controls", &of(RuleKind::Control))}
                    </div>
                }
                    .into_any()
            },
        )}
    }
    .into_any()
}

fn list(title: &'static str, rules: &[&Rule]) -> AnyView {
    if rules.is_empty() {
        return card(
            title,
            "",
            empty("None", "No rule of this kind is loaded.".into_any()),
        );
    }
    let rows = rules
        .iter()
        .map(|rule| {
            let (tone, severity) = words::severity(rule.severity);
            view! {
                <li id=rule.id.clone() class="border-t border-line px-4 py-2.5 first:border-t-0 target:bg-accent-bg">
                    <div class="flex flex-wrap items-center gap-x-2">
                        <code class="text-ink-3">{rule.id.clone()}</code>
                        <h3>{rule.title.clone()}</h3>
                        <span class="ml-auto">{chip(tone, severity)}</span>
                    </div>
                    <p class="text-ink-2">{rule.description.clone()}</p>
                    {rule.docs.clone().map(|docs| view! { <div class="text-xs text-ink-3">{source(docs)}</div> })}
                </li>
            }
        })
        .collect::<Vec<_>>();
    card(
        title,
        format!("{} rules", rules.len()),
        view! { <ul>{rows}</ul> }.into_any(),
    )
}
