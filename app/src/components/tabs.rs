//! Tabs whose state is the address: links, the current one marked.

use leptos::prelude::*;

/// One tab.
pub(crate) struct Tab {
    pub(crate) text: &'static str,
    pub(crate) count: Option<String>,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// A row of tabs; on a phone it takes two lines rather than hide some of them.
pub(crate) fn tabs(label: &'static str, tabs: Vec<Tab>) -> AnyView {
    let items = tabs
        .into_iter()
        .map(|tab| {
            view! {
                <li>
                    <a
                        class="-mb-px block border-b-2 border-transparent py-2 font-[540] whitespace-nowrap text-ink-2 hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
                        href=tab.href
                        aria-current=tab.current.then_some("page")
                    >
                        {tab.text}
                        {tab.count.map(|n| view! { <span class="ml-1.5 text-ink-3">{n}</span> })}
                    </a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <nav aria-label=label class="mb-[18px] border-b border-line">
            <ul class="flex flex-wrap gap-x-[18px]">{items}</ul>
        </nav>
    }
    .into_any()
}
