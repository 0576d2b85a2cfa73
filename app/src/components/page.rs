//! The head of a page: its title, where it stands, its one heading, what can be done with it.

use leptos::prelude::*;

use super::escaped;

/// The way down to a page: text and address.
pub(crate) type Crumbs = Vec<(String, String)>;

/// Title, breadcrumbs, heading, a sentence, and actions. Heading and sentence are a region of live pages.
pub(crate) fn head(
    title: impl Into<String>,
    crumbs: Crumbs,
    chips: AnyView,
    sentence: impl Into<String>,
    actions: AnyView,
) -> AnyView {
    let (title, sentence): (String, String) = (title.into(), sentence.into());
    view! {
        {escaped::title(title.clone())}
        {breadcrumbs(crumbs)}
        <div class="mb-5 flex flex-wrap items-start gap-x-4 gap-y-3">
            <div class="min-w-0 flex-1 basis-72" data-live="head">
                <h1 class="flex flex-wrap items-center gap-x-2.5 gap-y-1 wrap-anywhere">
                    <bdi>{title}</bdi> {chips}
                </h1>
                {(!sentence.is_empty())
                    .then(|| view! { <p class="mt-0.5 text-ink-2 wrap-anywhere">{sentence}</p> })}
            </div>
            <div class="flex flex-wrap items-start gap-2">{actions}</div>
        </div>
    }
    .into_any()
}

/// As [`head`] for a page without breadcrumbs, chips or actions.
pub(crate) fn plain_head(title: impl Into<String>, sentence: impl Into<String>) -> AnyView {
    head(title, vec![], ().into_any(), sentence, ().into_any())
}

fn breadcrumbs(crumbs: Crumbs) -> Option<AnyView> {
    if crumbs.is_empty() {
        return None;
    }
    let items = crumbs
        .into_iter()
        .map(|(text, href)| {
            view! {
                <li class="after:px-1.5 after:content-['/'] last:after:content-none">
                    <a class="inline-block min-w-6 py-[3px] hover:underline" href=href><bdi>{text}</bdi></a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    Some(
        view! {
            <nav aria-label="Breadcrumbs" class="mb-1 text-xs text-ink-3">
                <ol class="flex flex-wrap">{items}</ol>
            </nav>
        }
        .into_any(),
    )
}

/// A page of two columns: what is worked on, and what accompanies it and stays in view.
pub(crate) fn columns(main: AnyView, aside_label: &'static str, aside: AnyView) -> AnyView {
    two(main, aside_label, aside, "")
}

fn two(main: AnyView, aside_label: &'static str, aside: AnyView, place: &'static str) -> AnyView {
    let class = format!("grid min-w-0 grid-cols-1 gap-3.5 lg:sticky lg:top-[70px] {place}");
    view! {
        <div class="grid grid-cols-1 items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem] xl:grid-cols-[minmax(0,1fr)_23.5rem]">
            <div class="grid min-w-0 grid-cols-1 gap-3.5">{main}</div>
            <aside class=class aria-label=aside_label>
                {aside}
            </aside>
        </div>
    }
    .into_any()
}

/// As [`columns`]; where there is room for one only, what accompanies comes first.
pub(crate) fn columns_aside_first(
    main: AnyView,
    aside_label: &'static str,
    aside: AnyView,
) -> AnyView {
    two(main, aside_label, aside, "max-lg:order-first")
}

/// A notice across the page that a screen reader speaks.
pub(crate) fn notice(
    tone: super::chip::Tone,
    title: impl Into<String>,
    detail: AnyView,
) -> AnyView {
    use super::chip::Tone;
    use super::icon::{Icon, icon};
    let title: String = title.into();
    let (frame, sign, role) = match tone {
        Tone::Deny => ("border-deny bg-deny-bg", Icon::Cross, "alert"),
        Tone::Warn => ("border-warn bg-warn-bg", Icon::Warning, "status"),
        Tone::Ok => ("border-ok bg-ok-bg", Icon::Check, "status"),
        Tone::Neutral => ("border-line bg-sunken", Icon::Info, "status"),
        _ => ("border-line bg-sunken", Icon::Clock, "status"),
    };
    view! {
        <div role=role class=format!("mb-4 flex gap-3 rounded-card border px-4 py-3 {frame}")>
            <span class=format!("mt-[3px] {}", tone.text())>{icon(sign)}</span>
            <div class="min-w-0">
                <p class="font-[620]">{title}</p>
                <div class="text-ink-2">{detail}</div>
            </div>
        </div>
    }
    .into_any()
}
