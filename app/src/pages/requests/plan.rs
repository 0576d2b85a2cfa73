//! A plan as people read it: what happens to which resource, what differs from the template, where it goes.

use leptos::prelude::*;
use types::plan::{Difference, Plan, PlannedResource};

use crate::components::card::{FOLD, card, code, fact, facts};
use crate::components::chip::chip_with;
use crate::components::time::moment;
use crate::words;

/// The resources with what happens to each; bodies behind a fold.
pub(crate) fn resources(plan: &Plan) -> AnyView {
    let (deleted_tone, deleted_sign, deleted) = words::change(types::plan::Change::Delete);
    let deletions = plan
        .deletions
        .iter()
        .map(|resource| {
            view! {
                <li class="border-t border-line px-4 py-2.5 first:border-t-0">
                    <div class="flex flex-wrap items-center gap-2">
                        {chip_with(deleted_tone, deleted_sign, deleted)}
                        <span class="font-[560]">{words::kind_of_resource(&resource.kind)}</span>
                        <span class="wrap-anywhere">{resource.name.clone()}</span>
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let n = plan.resources.len() + plan.deletions.len();
    card(
        "Resources",
        format!("{n} in {}", plan.target.resource_group),
        view! {
            <ul>
                {plan.resources.iter().map(resource).collect::<Vec<_>>()}
                {deletions}
            </ul>
        }
        .into_any(),
    )
}

fn resource(resource: &PlannedResource) -> AnyView {
    let (tone, sign, word) = words::change(resource.change);
    let body = serde_json::to_string_pretty(&resource.body).unwrap_or_default();
    view! {
        <li class="border-t border-line px-4 py-2.5 first:border-t-0">
            <div class="flex flex-wrap items-center gap-2">
                {chip_with(tone, sign, word)}
                <span class="font-[560]">{words::kind_of_resource(&resource.kind)}</span>
                <span class="wrap-anywhere">{resource.name.clone()}</span>
            </div>
            {differences(&resource.differences)}
            <details class="text-xs text-ink-2">
                <summary class=FOLD>"As Azure receives it"</summary>
                <p class="mt-1 wrap-anywhere">
                    <code>{resource.id.clone()}</code>
                </p>
                <p>{format!("{}, API version {}", resource.kind, resource.api_version)}</p>
                <pre class="mt-1 max-h-96 overflow-auto rounded-md bg-sunken px-3 py-2" tabindex="0">{body}</pre>
            </details>
        </li>
    }
    .into_any()
}

/// Properties with their two values.
pub(crate) fn differences(differences: &[Difference]) -> AnyView {
    if differences.is_empty() {
        return ().into_any();
    }
    view! {
        <ul class="mt-1 text-xs text-ink-2">
            {differences
                .iter()
                .map(|difference| {
                    let before = difference.before.as_ref().map_or("none".to_owned(), crate::forms::text);
                    let after = difference.after.as_ref().map_or("none".to_owned(), crate::forms::text);
                    view! {
                        <li class="wrap-anywhere">
                            {difference.path.clone()} ": "
                            <del class="text-ink-3">{shorten(before)}</del> " → "
                            <ins class="font-[560] text-ink no-underline">{shorten(after)}</ins>
                        </li>
                    }
                })
                .collect::<Vec<_>>()}
        </ul>
    }
    .into_any()
}

fn shorten(text: String) -> String {
    if text.chars().count() > 80 {
        text.chars().take(79).chain(['…']).collect()
    } else if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}

/// Where it goes and what exactly is agreed to.
pub(crate) fn target(plan: &Plan) -> AnyView {
    facts(vec![
        ("Region", fact(words::region(&plan.target.region))),
        (
            "Resource group",
            view! {
                <span>
                    {plan.target.resource_group.clone()}
                    {(!plan.target.owns_group)
                        .then(|| view! { <span class="text-ink-3">" (shared, not this stack's own)"</span> })}
                </span>
            }
            .into_any(),
        ),
        ("Subscription", fact(plan.target.subscription_name.clone())),
        ("Template", fact(plan.template.to_string())),
        ("Plan", digest(&plan.digest)),
        ("Evaluated", moment(plan.evaluated_at)),
    ])
}

/// A digest, short, whole on demand.
pub(crate) fn digest(digest: &str) -> AnyView {
    let short: String = if digest.len() > 12 && digest.is_ascii() {
        format!("{}…{}", &digest[..6], &digest[digest.len() - 4..])
    } else {
        digest.to_owned()
    };
    view! { <span title=digest.to_owned()>{code(short)}</span> }.into_any()
}
