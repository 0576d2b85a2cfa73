//! Cards and lists of facts: the two ways in which pages group what belongs together.

use leptos::prelude::*;

/// The surface that groups things.
pub(crate) const CARD: &str = "rounded-card border border-line bg-surface";

/// The summary of a fold inside running text.
pub(crate) const FOLD: &str =
    "inline-block py-[3px] underline decoration-dotted underline-offset-2 hover:text-ink";

/// A card with a heading; `aside` stands small at the heading's right.
pub(crate) fn card(title: impl Into<String>, aside: impl Into<String>, body: AnyView) -> AnyView {
    let (title, aside): (String, String) = (title.into(), aside.into());
    view! {
        <section class=CARD>
            <header class="flex flex-wrap items-baseline gap-x-3 border-b border-line px-4 py-[11px]">
                <h2>{title}</h2>
                {(!aside.is_empty())
                    .then(|| view! { <span class="ml-auto text-xs text-ink-3">{aside}</span> })}
            </header>
            {body}
        </section>
    }
    .into_any()
}

/// As [`card`], its body with the usual distance to the edge.
pub(crate) fn padded(title: impl Into<String>, aside: impl Into<String>, body: AnyView) -> AnyView {
    card(
        title,
        aside,
        view! { <div class="px-4 py-3.5">{body}</div> }.into_any(),
    )
}

/// Terms and what they are.
pub(crate) fn facts(pairs: Vec<(&'static str, AnyView)>) -> AnyView {
    view! {
        <dl class="grid grid-cols-[minmax(0,6.5rem)_minmax(0,1fr)] gap-x-3.5 xs:grid-cols-[minmax(0,8.5rem)_minmax(0,1fr)] gap-y-[7px]">
            {pairs
                .into_iter()
                .map(|(term, fact)| {
                    view! {
                        <dt class="text-ink-3">{term}</dt>
                        <dd class="wrap-anywhere">{fact}</dd>
                    }
                })
                .collect::<Vec<_>>()}
        </dl>
    }
    .into_any()
}

/// Plain text as a fact.
pub(crate) fn fact(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    text.into_any()
}

/// An id or a digest: small and monospace.
pub(crate) fn code(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <code class="text-xs wrap-anywhere">{text}</code> }.into_any()
}

/// What stands where a list is empty: why, and what to do.
pub(crate) fn empty(title: &'static str, what_next: AnyView) -> AnyView {
    view! {
        <div class="px-4 py-12 text-center">
            <p class="font-[620]">{title}</p>
            <div class="mx-auto mt-1 max-w-md text-ink-2">{what_next}</div>
        </div>
    }
    .into_any()
}
