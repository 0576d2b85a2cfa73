//! The list of requests; its filter is the address.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::page::Page;
use types::request::{RequestFilter, RequestState, RequestSummary};

use crate::api::requests::requests;
use crate::components::button::{Look, link};
use crate::components::card::{CARD, empty};
use crate::components::chip::{Tone, chip};
use crate::components::cost::change;
use crate::components::load::load;
use crate::components::page::head;
use crate::components::time::ago;
use crate::pages::list::{Choice, filters, pager, project_choices};
use crate::pages::{query, some};
use crate::words;

pub(crate) fn page() -> AnyView {
    let (project, state, mine, text, cursor) = (
        query("project"),
        query("state"),
        query("mine"),
        query("text"),
        query("cursor"),
    );
    let filter = Memo::new(move |_| RequestFilter {
        project: project.get().parse().ok(),
        state: state_of(&state.get()),
        mine: mine.get() == "true",
        text: some(text.get()),
        cursor: some(cursor.get()),
        limit: None,
    });
    let rows = from_server(move || filter.get(), requests);
    let filter_bar = move || {
        let filter = filter.get();
        let chosen = filter.state.map(RequestState::as_str).unwrap_or_default();
        filters(
            "/requests",
            "Part of the name",
            filter.text.unwrap_or_default(),
            vec![
                Choice {
                    name: "project",
                    label: "Project",
                    choices: project_choices(),
                    chosen: filter.project.map(String::from).unwrap_or_default(),
                },
                Choice {
                    name: "state",
                    label: "State",
                    choices: std::iter::once((String::new(), "All states".to_owned()))
                        .chain(RequestState::ALL.iter().map(|state| {
                            (
                                state.as_str().to_owned(),
                                words::request_state(*state).1.to_owned(),
                            )
                        }))
                        .collect(),
                    chosen: chosen.to_owned(),
                },
                Choice {
                    name: "mine",
                    label: "Whose",
                    choices: vec![
                        (String::new(), "Everybody's".to_owned()),
                        ("true".to_owned(), "Mine".to_owned()),
                    ],
                    chosen: if filter.mine {
                        "true".into()
                    } else {
                        String::new()
                    },
                },
            ],
        )
    };
    view! {
        {head(
            "Requests",
            vec![],
            ().into_any(),
            "Every proposed change to a stack, with its plan and who agreed.",
            link(Look::Primary, "/catalogue", "New request"),
        )}
        {filter_bar}
        {load(rows, move |page| table(&page, &filter.get_untracked()))}
    }
    .into_any()
}

fn state_of(text: &str) -> Option<RequestState> {
    RequestState::ALL
        .into_iter()
        .find(|state| state.as_str() == text)
}

fn table(page: &Page<RequestSummary>, filter: &RequestFilter) -> AnyView {
    if page.items.is_empty() {
        let filtered = RequestFilter {
            cursor: None,
            ..filter.clone()
        } != RequestFilter::default();
        return view! {
            <section class=CARD>
                {if filtered {
                    empty(
                        "No request fits this filter",
                        view! { <a class="underline" href="/requests">"Show all requests"</a> }.into_any(),
                    )
                } else {
                    empty(
                        "Nothing was requested yet",
                        view! {
                            "Pick a template in the "<a class="underline" href="/catalogue">"catalogue"</a>
                            " and request it; it appears here with its plan."
                        }
                            .into_any(),
                    )
                }}
            </section>
        }
        .into_any();
    }
    let rows = page.items.iter().map(row).collect::<Vec<_>>();
    view! {
        <section class=CARD>
            <table class="rows">
                <caption class="sr-only">"Requests, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Request"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Requested by"</th>
                        <th scope="col" class="num">"Cost a month"</th>
                        <th scope="col" class="num">"Sent"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
        {pager(
            "/requests",
            page.next_cursor.clone(),
            page.total,
            vec![
                ("project", filter.project.clone().map(String::from).unwrap_or_default()),
                ("state", filter.state.map(RequestState::as_str).unwrap_or_default().to_owned()),
                ("mine", if filter.mine { "true".to_owned() } else { String::new() }),
                ("text", filter.text.clone().unwrap_or_default()),
            ],
            filter.cursor.is_some(),
        )}
    }
    .into_any()
}

fn row(request: &RequestSummary) -> AnyView {
    let (tone, state) = words::request_state(request.state);
    view! {
        <tr>
            <th scope="row">
                <a class="font-[600] hover:underline" href=format!("/requests/{}", request.id)>
                    {title(request)}
                </a>
                <div class="text-xs text-ink-2">
                    {format!("{} · {}", request.project, request.template)}
                </div>
            </th>
            <td>
                {chip(tone, state)}
                {(request.denials > 0)
                    .then(|| {
                        view! { " " {chip(Tone::Deny, format!("{} denied", request.denials))} }
                    })}
                {(request.warnings > 0)
                    .then(|| {
                        view! {
                            " "
                            {chip(
                                Tone::Warn,
                                format!(
                                    "{} warning{}",
                                    request.warnings,
                                    if request.warnings == 1 { "" } else { "s" },
                                ),
                            )}
                        }
                    })}
            </td>
            <td data-label="by">{request.requester.clone()}</td>
            <td class="num">{change(request.monthly_change, request.unpriced)}</td>
            <td class="num text-ink-2">{ago(request.created_at)}</td>
        </tr>
    }
    .into_any()
}

/// `Create settlement-worker in prod`.
pub(crate) fn title(request: &RequestSummary) -> String {
    format!(
        "{} {} in {}",
        words::request_kind(request.kind),
        request.name,
        request.tier.as_str()
    )
}
