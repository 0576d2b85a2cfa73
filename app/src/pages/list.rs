//! What all lists share: the filter bar as a plain GET form, the pager, the way to earlier lines.

use leptos::prelude::*;
use types::page::Page;

use super::address;
use crate::components::button::{Look, classes};
use crate::components::escaped;
use crate::components::field::INPUT;
use crate::session::use_session;

/// A filter with its choices (value, label).
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) choices: Vec<(String, String)>,
    pub(crate) chosen: String,
}

/// The projects that the reader belongs to; who reads all types the project into the address or comes from the project's page.
pub(crate) fn project_choices() -> Vec<(String, String)> {
    let actor = use_session().actor;
    let mut names: Vec<String> = actor
        .iter()
        .flat_map(|actor| &actor.memberships)
        .map(|member| member.project.to_string())
        .collect();
    names.sort();
    names.dedup();
    std::iter::once((String::new(), "All projects".to_owned()))
        .chain(names.into_iter().map(|name| (name.clone(), name)))
        .collect()
}

/// The filter bar. A choice that is not among the offered ones is kept, so that a link from elsewhere works.
pub(crate) fn filters(
    path: &'static str,
    asks: &'static str,
    text: String,
    choices: Vec<Choice>,
) -> AnyView {
    let selects = choices
        .into_iter()
        .map(|filter| {
            let id = format!("filter-{}", filter.name);
            let mut choices = filter.choices;
            if !choices.iter().any(|(value, _)| *value == filter.chosen) {
                choices.push((filter.chosen.clone(), filter.chosen.clone()));
            }
            let options = choices
                .into_iter()
                .map(|(value, label)| {
                    let selected = value == filter.chosen;
                    escaped::option(value, label, selected, false)
                })
                .collect::<Vec<_>>();
            view! {
                <div class="flex-1 basis-36 sm:flex-none">
                    <label class="sr-only" for=id.clone()>
                        {filter.label}
                    </label>
                    <select class=INPUT id=id name=filter.name>
                        {options}
                    </select>
                </div>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <form method="get" action=path role="search" class="mb-4 flex flex-wrap gap-2">
            <div class="w-full sm:w-64">
                <label class="sr-only" for="filter-text">
                    {asks}
                </label>
                <input class=INPUT id="filter-text" type="search" name="text" placeholder=asks value=text/>
            </div>
            {selects}
            <button type="submit" class=classes(Look::Plain)>
                "Filter"
            </button>
        </form>
    }
    .into_any()
}

/// The way to earlier lines of something whose newest are shown, and back. `what` is their name and the member of the address that holds the cursor.
pub(crate) fn earlier<T>(path: &str, what: &'static str, page: &Page<T>, later: bool) -> AnyView {
    earlier_with(path, what, vec![], what, page, later)
}

/// The same, where the address says more than the cursor.
pub(crate) fn earlier_with<T>(
    path: &str,
    what: &'static str,
    mut pairs: Vec<(&'static str, String)>,
    cursor: &'static str,
    page: &Page<T>,
    later: bool,
) -> AnyView {
    let newest = later.then(|| address(path, &pairs));
    let earlier = page.next_cursor.clone().map(|next| {
        pairs.push((cursor, next));
        address(path, &pairs)
    });
    if newest.is_none() && earlier.is_none() {
        return ().into_any();
    }
    let count = page
        .total
        .map(|total| format!("{} of {total}", page.items.len()));
    view! {
        <nav
            aria-label=format!("Pages of {what}")
            class="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2 text-xs text-ink-3"
        >
            {count}
            <span class="ml-auto flex gap-2">
                {newest.map(|href| crate::components::button::link(Look::Plain, href, "Newest"))}
                {earlier.map(|href| crate::components::button::link(Look::Plain, href, "Earlier"))}
            </span>
        </nav>
    }
    .into_any()
}

/// The way to the next page and back to the first.
pub(crate) fn pager(
    path: &str,
    next: Option<String>,
    total: Option<u64>,
    mut pairs: Vec<(&'static str, String)>,
    later: bool,
) -> AnyView {
    let first = later.then(|| address(path, &pairs));
    let next = next.map(|cursor| {
        pairs.push(("cursor", cursor));
        address(path, &pairs)
    });
    if first.is_none() && next.is_none() && total.is_none() {
        return ().into_any();
    }
    view! {
        <nav aria-label="Pages" class="mt-3 flex flex-wrap items-center gap-2 text-xs text-ink-3">
            {total.map(|n| view! { <span>{format!("{n} in all")}</span> })}
            <span class="ml-auto flex gap-2">
                {first.map(|href| crate::components::button::link(Look::Plain, href, "First page"))}
                {next.map(|href| crate::components::button::link(Look::Plain, href, "Next page"))}
            </span>
        </nav>
    }
    .into_any()
}
