//! The person's own page: who they are here, and their API tokens. A new token is shown once, on the page that its form leads to.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::actor::Actor;
use types::token::{CreatedToken, TokenSummary};

use crate::api::tokens::tokens;
use crate::components::button::{Look, classes, submit};
use crate::components::card::{CARD, card, empty, fact, facts, padded};
use crate::components::chip::Tone;
use crate::components::field::{Line, summary};
use crate::components::load::load;
use crate::components::page::{columns, head, notice};
use crate::components::time::{ago, date};
use crate::forms::submitted;
use crate::session::use_session;

pub(crate) fn page() -> AnyView {
    let mine = from_server(|| (), |()| tokens());
    let refused = submitted("/me");
    let created = refused
        .as_ref()
        .and_then(|refused| refused.created.clone())
        .map(|created| shown_once(&created))
        .or_else(|| {
            refused
                .as_ref()
                .is_some_and(|refused| refused.shown_before)
                .then(shown_before)
        });
    let submission = refused
        .as_ref()
        .and_then(|refused| refused.submission)
        .unwrap_or_else(|| types::ids::SubmissionId(uuid::Uuid::now_v7()));
    let actor = use_session().actor;
    let name = actor
        .as_ref()
        .map_or_else(|| "You".to_owned(), |actor| actor.name.clone());
    let form = view! {
        <form method="post" action="/me/tokens">
            <input type="hidden" name="submission" value=submission.to_string()/>
            {Line {
                name: "name",
                label: "What it is for",
                kind: "text",
                value: refused.as_ref().map(|r| r.value("name")).unwrap_or_default(),
                help: "So that you recognise it later.",
                error: refused.as_ref().and_then(|r| r.error("name")),
                required: true,
            }
                .view()}
            {Line {
                name: "days",
                label: "Days it is valid",
                kind: "number",
                value: refused
                    .as_ref()
                    .map(|r| r.value("days"))
                    .filter(|days| !days.is_empty())
                    .unwrap_or_else(|| "90".to_owned()),
                help: "1 to 365.",
                error: refused.as_ref().and_then(|r| r.error("days")),
                required: true,
            }
                .view()}
            {submit(Look::Primary, "Make token")}
        </form>
    };
    let main = view! {
        {load(mine, |tokens| card("Tokens", "for the REST API", list(&tokens)))}
        {padded("New token", "it can do what you can do", form.into_any())}
    }
    .into_any();
    view! {
        {head(name, vec![], ().into_any(), "Your roles here, and your tokens for automation.", ().into_any())}
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {created}
        {columns(main, "Your roles", actor.as_ref().map(roles).into_any())}
    }
    .into_any()
}

fn shown_once(created: &CreatedToken) -> AnyView {
    notice(
        Tone::Ok,
        format!("Token {} was made", created.token.name),
        view! {
            <p>"Copy it now; it is not shown again."</p>
            <p class="mt-2">
                <code id="new-token" class="rounded-md bg-surface px-2 py-1 text-ink select-all wrap-anywhere">
                    {created.value.clone()}
                </code>
            </p>
        }
        .into_any(),
    )
}

fn shown_before() -> AnyView {
    notice(
        Tone::Accent,
        "This token's value is not shown again",
        "A value is shown once, within ten minutes after its token was made. If you do not have it, revoke the token and make another."
            .into_any(),
    )
}

fn list(tokens: &[TokenSummary]) -> AnyView {
    if tokens.is_empty() {
        return empty(
            "You have no tokens",
            "A token lets a script do over the REST API what you can do here.".into_any(),
        );
    }
    let rows = tokens
        .iter()
        .map(|token| {
            view! {
                <tr>
                    <th scope="row">
                        <span class="font-[580]">{token.name.clone()}</span>
                        <div class="text-xs text-ink-3">
                            {if token.shown {
                                view! { <code>{token.prefix.clone()} "…"</code> }.into_any()
                            } else {
                                "value not shown".into_any()
                            }}
                        </div>
                    </th>
                    <td data-label="made">{date(token.created_at)}</td>
                    <td data-label="ends">{date(token.expires_at)}</td>
                    <td data-label="last used">
                        {token.last_used_at.map_or_else(|| "never".into_any(), ago)}
                    </td>
                    <td class="num">
                        <form method="post" action=format!("/me/tokens/{}/revoke", token.id)>
                            <button type="submit" class=classes(Look::Danger)>
                                "Revoke"
                                <span class="sr-only">" " {token.name.clone()}</span>
                            </button>
                        </form>
                    </td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <table class="rows">
            <caption class="sr-only">"Your tokens"</caption>
            <thead>
                <tr>
                    <th scope="col">"Token"</th>
                    <th scope="col">"Made"</th>
                    <th scope="col">"Ends"</th>
                    <th scope="col">"Last used"</th>
                    <th scope="col"><span class="sr-only">"Revoke"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn roles(actor: &Actor) -> AnyView {
    let projects = actor
        .memberships
        .iter()
        .map(|member| {
            view! {
                <li>
                    <a class="underline" href=format!("/projects/{}", member.project)>
                        {member.project.to_string()}
                    </a>
                    ": "
                    {member.role.as_str()}
                </li>
            }
        })
        .collect::<Vec<_>>();
    let projects = if projects.is_empty() {
        fact("none")
    } else {
        view! { <ul>{projects}</ul> }.into_any()
    };
    let words = |items: Vec<String>| {
        fact(if items.is_empty() {
            "none".to_owned()
        } else {
            items.join(", ")
        })
    };
    view! {
        <section class=format!("{CARD} px-4 py-3.5")>
            {facts(
                vec![
                    ("Signed in as", fact(actor.subject.clone())),
                    ("Projects", projects),
                    (
                        "Installation",
                        words(actor.installation.iter().map(|role| role.as_str().to_owned()).collect()),
                    ),
                    ("Groups", words(actor.groups.iter().map(ToString::to_string).collect())),
                ],
            )}
        </section>
    }
    .into_any()
}
