//! The frame of every page: skip link, main navigation, the bar with the installation and the person, and the main region.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use types::actor::{Actor, Right};
use types::approval::ApprovalCount;

use super::button::{Look, classes};
use super::field::summary;
use super::icon::{Icon, icon, mark};
use crate::forms::RefusedAddress;
use crate::live::region;
use crate::session::{Session, Waiting, use_session};
use crate::words::waiting;

/// Wraps a page.
pub(crate) fn frame(page: AnyView) -> AnyView {
    let Session {
        actor,
        installation,
    } = use_session();
    let sandbox = installation.sandbox.then(|| {
        view! {
            <span class="min-w-0 truncate rounded-full bg-warn-bg px-2.5 py-0.5 text-xs font-[600] text-warn">
                "Sandbox" <span class="max-xs:sr-only">": simulated Azure"</span>
            </span>
        }
    });
    let signed_in = actor.is_some();
    let layout = if signed_in {
        "grid min-h-dvh grid-cols-1 grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[216px_minmax(0,1fr)] md:grid-rows-1"
    } else {
        "grid min-h-dvh grid-cols-1"
    };
    view! {
        <a
            href="#main"
            class="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-20 focus:rounded-md focus:bg-accent focus:px-3 focus:py-1.5 focus:text-accent-ink"
        >
            "Skip to content"
        </a>
        <div class=layout>
            {actor.as_ref().map(navigation)}
            <div class="flex min-w-0 flex-col">
                <header class="sticky top-0 z-10 flex h-[52px] items-center gap-3 border-b border-line bg-bg px-4 md:px-6">
                    {(!signed_in)
                        .then(|| {
                            view! {
                                <span class="flex items-center gap-2 text-[15px] font-[680] tracking-tight">
                                    {mark()} "Slipway"
                                </span>
                            }
                        })} {sandbox} <div class="ml-auto flex items-center gap-3">{actor.as_ref().map(person)}</div>
                </header>
                <main id="main" tabindex="-1" class="w-full max-w-[1480px] flex-1 px-4 pt-[22px] pb-16 md:px-6">
                    {use_context::<RefusedAddress>()
                        .map(|RefusedAddress(problem)| summary(Some(&problem), &problem.errors))}
                    {page}
                </main>
                <footer class="border-t border-line px-4 py-3 text-xs text-ink-3 md:px-6">
                    <nav aria-label="Help" class="flex flex-wrap gap-x-4 gap-y-1">
                        <span class="py-[3px]">"Slipway " {installation.version}</span>
                        <a class="py-[3px] hover:underline" href="/docs/problems">"Problems explained"</a>
                        <a class="py-[3px] hover:underline" href="/docs/rest">"REST API"</a>
                    </nav>
                </footer>
            </div>
        </div>
    }
    .into_any()
}

fn navigation(actor: &Actor) -> AnyView {
    let count = use_context::<Option<Waiting>>().flatten();
    let count = view! {
        <Suspense>
            {move || Suspend::new(async move {
                let count = match count {
                    Some(Waiting(count)) => count.await.unwrap_or_default(),
                    None => ApprovalCount::default(),
                };
                (count.mine > 0)
                    .then(|| {
                        view! {
                            <span class="ml-auto rounded-full bg-accent px-[7px] text-[12px] leading-[18px] font-[600] text-accent-ink">
                                {waiting(&count)}<span class="sr-only">" waiting for you"</span>
                            </span>
                        }
                    })
            })}
        </Suspense>
    }
    .into_any();
    let may_audit = actor.may(Right::ReadAudit, None);
    view! {
        <div class="min-w-0 border-b border-line md:sticky md:top-0 md:h-dvh md:overflow-y-auto md:border-r md:border-b-0">
            <nav
                aria-label="Main"
                class="relative flex flex-wrap gap-0.5 p-2 md:flex-col md:flex-nowrap md:px-2.5 md:py-3.5"
            >
                <a
                    href="/catalogue"
                    class="flex items-center gap-[9px] px-2 py-1 text-[15px] font-[680] tracking-tight md:pb-4"
                >
                    {mark()} <span class="max-md:sr-only">"Slipway"</span>
                </a>
                {item("/catalogue", Icon::Catalogue, "Catalogue", ().into_any())}
                {item("/requests", Icon::Requests, "Requests", ().into_any())}
                {item("/stacks", Icon::Stacks, "Stacks", ().into_any())}
                {item("/approvals", Icon::Approvals, "Approvals", region("waiting", count))}
                <span class="px-2 pt-3.5 pb-1 text-[11.5px] font-[600] text-ink-3 max-md:hidden">
                    "Administration"
                </span>
                {item("/policies", Icon::Policies, "Policies", ().into_any())}
                {item("/projects", Icon::Projects, "Projects", ().into_any())}
                {may_audit.then(|| item("/audit", Icon::Audit, "Audit", ().into_any()))}
            </nav>
        </div>
    }
    .into_any()
}

fn item(href: &'static str, sign: Icon, text: &'static str, after: AnyView) -> AnyView {
    let path = use_location().pathname;
    let current = move || {
        path.with(|path| {
            path == href
                || path
                    .strip_prefix(href)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
        .then_some("page")
    };
    view! {
        <a
            href=href
            aria-current=current
            class="flex items-center gap-2.5 rounded-md px-2 py-1.5 font-[500] whitespace-nowrap text-ink-2 hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-bg aria-[current=page]:text-accent"
        >
            <span class="max-sm:hidden">{icon(sign)}</span>
            {text}
            {after}
        </a>
    }
    .into_any()
}

fn person(actor: &Actor) -> AnyView {
    let initials: String = actor
        .name
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    let name = actor.name.clone();
    view! {
        <a
            href="/me"
            class="flex items-center gap-2 rounded-md px-1 py-0.5 text-ink-2 hover:text-ink"
            title="Your page and your tokens"
        >
            <span
                aria-hidden="true"
                class="grid size-7 place-items-center rounded-full bg-accent-bg text-[11.5px] font-[650] text-accent"
            >
                {initials}
            </span>
            <span class="max-w-40 truncate max-sm:sr-only">{name}</span>
        </a>
        <form method="post" action="/sign-out">
            <button type="submit" class=classes(Look::Quiet)>
                "Sign out"
            </button>
        </form>
    }
    .into_any()
}
