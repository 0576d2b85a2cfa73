//! Sign-in: in the sandbox one persona per role.

use leptos::prelude::*;

use super::query;
use crate::components::button::{Look, classes};
use crate::components::card::CARD;
use crate::components::field::summary;
use crate::components::page::plain_head;
use crate::forms::submitted;
use crate::session::use_session;

pub(crate) fn page() -> AnyView {
    let session = use_session();
    let refused = submitted("/sign-in");
    // Only a path of this site: an address elsewhere would make the sign-in page a springboard.
    let next = query("next").get_untracked();
    let next = if next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/\\") {
        next
    } else {
        String::new()
    };
    let problem = refused
        .as_ref()
        .map(|refused| summary(refused.problem.as_ref(), &refused.errors));
    let body = if session.installation.sandbox {
        let personas = session
            .installation
            .personas
            .into_iter()
            .map(|persona| {
                view! {
                    <li>
                        <button
                            type="submit"
                            name="subject"
                            value=persona.subject
                            class=format!("{CARD} block w-full px-4 py-3 text-left hover:border-accent hover:bg-accent-bg")
                        >
                            <span class="block font-[620]">{persona.title}</span>
                            <span class="block text-ink-2">{persona.what}</span>
                        </button>
                    </li>
                }
            })
            .collect::<Vec<_>>();
        view! {
            {plain_head(
                "Sign in",
                "This is the sandbox: Azure is simulated and nobody needs a password. Choose whom to be.",
            )}
            {problem}
            <form method="post" action="/sign-in">
                <input type="hidden" name="next" value=next/>
                <ul class="grid grid-cols-1 gap-2.5 sm:grid-cols-2">{personas}</ul>
            </form>
        }
        .into_any()
    } else {
        view! {
            {plain_head("Sign in", "Slipway knows you by your organisation's account.")}
            {problem}
            <form method="post" action="/sign-in">
                <input type="hidden" name="next" value=next/>
                <button type="submit" class=classes(Look::Primary)>
                    "Sign in with your organisation's account"
                </button>
            </form>
        }
        .into_any()
    };
    view! { <div class="mx-auto max-w-2xl py-8">{body}</div> }.into_any()
}
