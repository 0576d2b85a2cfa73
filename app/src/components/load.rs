//! Showing or failing: how everything that a page reads gets on it.

use leptos::prelude::*;

use super::button::{Look, link};
use super::escaped;
use crate::api::Failure;
use crate::api::wire::Read;

/// Shows what a resource holds, or the reason why it could not be read. The page is sent when it is there.
pub(crate) fn load<T>(
    resource: Read<T>,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    view! {
        <Suspense>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(value) => show(value),
                        Err(failure) => failed(&failure),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// A failure instead of a page: what it is, and the way on.
pub(crate) fn failed(failure: &Failure) -> AnyView {
    let Failure {
        status,
        title,
        detail,
        code,
        trace_id,
        ..
    } = failure.clone();
    let way_on = match status {
        401 => link(Look::Primary, "/sign-in", "Sign in"),
        404 | 403 => link(Look::Plain, "/catalogue", "To the catalogue"),
        _ => view! {
            <a class=super::button::classes(Look::Plain) href="">"Load the page again"</a>
        }
        .into_any(),
    };
    view! {
        {escaped::title(title.clone())}
        <section class="mx-auto max-w-xl py-16 text-center" role="alert">
            {(status > 0)
                .then(|| view! { <p class="font-mono text-xs text-ink-3">{status.to_string()}</p> })}
            <h1>{title}</h1>
            <p class="mt-1 text-ink-2">{detail}</p>
            <p class="mt-1 text-xs text-ink-3">
                <a class="underline" href=format!("/docs/problems#{code}")>"What this means"</a>
                {trace_id
                    .map(|id| view! { <span>" · for the administrator: "<code>{id}</code></span> })}
            </p>
            <div class="mt-5">{way_on}</div>
        </section>
    }
    .into_any()
}
