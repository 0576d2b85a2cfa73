//! Fields that offer choices: lists, segments, and the cards of sizes. Native elements, so that the keyboard and forms know them.

use leptos::prelude::*;
use types::form::{Choice, SizeChoice};

use crate::components::escaped;
use crate::components::field::{INPUT, id_of};

/// As many cards beside each other as have room for their words.
const GRID: &str = "grid grid-cols-[repeat(auto-fill,minmax(9rem,1fr))] gap-2.5";

/// A list to choose one from.
pub(super) fn select(
    name: String,
    id: String,
    value: &str,
    choices: &[Choice],
    required: bool,
    bad: Signal<bool>,
    described: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> AnyView {
    let mut shown: Vec<Choice> = choices.to_vec();
    if !shown.iter().any(|choice| choice.value == value) {
        // A value that may not be chosen any more stays visible, so that the complaint about it makes sense.
        let label = if value.is_empty() {
            "Choose".to_owned()
        } else {
            value.to_owned()
        };
        shown.insert(
            0,
            Choice {
                value: value.to_owned(),
                label,
                disabled: None,
            },
        );
    }
    let options = shown
        .into_iter()
        .map(|choice| {
            let selected = choice.value == value;
            let label = match &choice.disabled {
                Some(reason) => format!("{} ({reason})", choice.label),
                None => choice.label,
            };
            let disabled = choice.disabled.is_some() && !selected;
            escaped::option(choice.value, label, selected, disabled)
        })
        .collect::<Vec<_>>();
    view! {
        <select
            class=INPUT
            id=id
            name=name
            required=required
            aria-invalid=move || bad.get().then_some("true")
            aria-describedby=described
        >
            {options}
        </select>
    }
    .into_any()
}

/// A few choices beside each other.
pub(super) fn segmented(name: &str, value: &str, choices: &[Choice]) -> AnyView {
    let options = choices
        .iter()
        .map(|choice| {
            let id = format!("{}-{}", id_of(name), choice.value);
            let label_for = id.clone();
            view! {
                <label
                    for=label_for
                    class="flex cursor-pointer items-center border-r border-edge bg-surface px-3.5 py-1 font-[540] text-ink-2 last:border-r-0 has-checked:bg-accent-bg has-checked:text-accent has-disabled:cursor-not-allowed has-disabled:text-ink-3 has-disabled:line-through has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-accent"
                    title=choice.disabled.clone()
                >
                    <input
                        class="sr-only"
                        type="radio"
                        id=id
                        name=name.to_owned()
                        value=choice.value.clone()
                        checked=choice.value == value
                        disabled=choice.disabled.is_some()
                    />
                    {choice.label.clone()}
                </label>
            }
        })
        .collect::<Vec<_>>();
    let reasons = choices
        .iter()
        .filter_map(|choice| {
            let reason = choice.disabled.clone()?;
            Some(view! {
                <p class="mt-[5px] text-xs text-ink-3">{format!("{}: {reason}", choice.label)}</p>
            })
        })
        .collect::<Vec<_>>();
    view! {
        <div class="inline-flex min-h-[34px] flex-wrap items-stretch overflow-hidden rounded-[7px] border border-edge">{options}</div>
        {reasons}
    }
    .into_any()
}

/// Sizes with what they offer and cost: the usual ones, and behind a fold all others.
pub(super) fn sizes(
    name: &str,
    value: &str,
    offered: &[SizeChoice],
    more: &[SizeChoice],
) -> AnyView {
    let open = more.iter().any(|size| size.value == value);
    let all = more.len();
    view! {
        <div class=GRID>
            {offered.iter().map(|choice| size(name, value, choice)).collect::<Vec<_>>()}
        </div>
        {(all > 0)
            .then(|| {
                view! {
                    <details class="mt-1.5" open=open>
                        <summary class="inline-block py-[3px] text-xs font-[580] text-accent underline underline-offset-2">
                            {format!("{all} more sizes allowed here")}
                        </summary>
                        <div class=format!("{GRID} -mx-1 mt-1 max-h-96 overflow-y-auto p-1")>
                            {more.iter().map(|choice| size(name, value, choice)).collect::<Vec<_>>()}
                        </div>
                    </details>
                }
            })}
    }
    .into_any()
}

fn size(name: &str, value: &str, size: &SizeChoice) -> AnyView {
    let id = format!("{}-{}", id_of(name), size.value);
    let label_for = id.clone();
    let price = size.monthly.map_or_else(
        || "no price known".to_owned(),
        |usd| format!("{usd} a month"),
    );
    view! {
        <label
            for=label_for
            class="block cursor-pointer rounded-card border border-edge bg-surface px-3 py-2.5 has-checked:border-accent has-checked:bg-accent-bg has-checked:ring-1 has-checked:ring-accent has-disabled:cursor-not-allowed has-disabled:border-dashed has-disabled:bg-sunken has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
        >
            <input
                class="sr-only"
                type="radio"
                id=id
                name=name.to_owned()
                value=size.value.clone()
                checked=size.value == value
                disabled=size.disabled.is_some()
            />
            <b class="block font-[600]">{size.label.clone()}</b>
            <span class="block text-xs text-ink-2">
                {format!("{} vCPU, {} GiB, {}", size.vcpus, size.memory_gib, size.architecture)}
            </span>
            <span class="block text-xs text-ink-2">
                {price} {size.sample.then_some(" (sample price)")}
            </span>
            {size
                .disabled
                .clone()
                .map(|reason| view! { <span class="mt-1 block text-xs text-warn">{reason}</span> })}
        </label>
    }
    .into_any()
}
