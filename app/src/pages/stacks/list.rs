//! The list of stacks; its filter is the address.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::page::Page;
use types::stack::{StackFilter, StackState, StackSummary};

use crate::api::stacks::stacks;
use crate::components::button::{Look, link};
use crate::components::card::{CARD, empty};
use crate::components::chip::chip;
use crate::components::load::load;
use crate::components::page::head;
use crate::components::time::{ago, date};
use crate::components::verdict::posture_chip;
use crate::pages::list::{Choice, filters, pager, project_choices};
use crate::pages::{query, some};
use crate::words;

pub(crate) fn page() -> AnyView {
    let (project, state, text, cursor) = (
        query("project"),
        query("state"),
        query("text"),
        query("cursor"),
    );
    let filter = Memo::new(move |_| StackFilter {
        project: project.get().parse().ok(),
        state: words::STACK_STATES
            .into_iter()
            .find(|one| one.as_str() == state.get()),
        text: some(text.get()),
        cursor: some(cursor.get()),
        limit: None,
    });
    let rows = from_server(move || filter.get(), stacks);
    let filter_bar = move || {
        let filter = filter.get();
        filters(
            "/stacks",
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
                    choices: std::iter::once((String::new(), "All that live".to_owned()))
                        .chain(words::STACK_STATES.into_iter().map(|state| {
                            (
                                state.as_str().to_owned(),
                                words::stack_state(state).1.to_owned(),
                            )
                        }))
                        .collect(),
                    chosen: filter
                        .state
                        .map(StackState::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                },
            ],
        )
    };
    view! {
        {head(
            "Stacks",
            vec![],
            ().into_any(),
            "What lives in Azure because somebody requested it here.",
            link(Look::Primary, "/catalogue", "New request"),
        )}
        {filter_bar}
        {load(rows, move |page| table(&page, &filter.get_untracked()))}
    }
    .into_any()
}

fn table(page: &Page<StackSummary>, filter: &StackFilter) -> AnyView {
    if page.items.is_empty() {
        let filtered = StackFilter {
            cursor: None,
            ..filter.clone()
        } != StackFilter::default();
        return view! {
            <section class=CARD>
                {if filtered {
                    empty(
                        "No stack fits this filter",
                        view! { <a class="underline" href="/stacks">"Show all that live"</a> }.into_any(),
                    )
                } else {
                    empty(
                        "Nothing lives here yet",
                        view! {
                            "A stack appears when a request is approved. Begin in the "
                            <a class="underline" href="/catalogue">"catalogue"</a>"."
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
                <caption class="sr-only">"Stacks, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Stack"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Where"</th>
                        <th scope="col">"Posture"</th>
                        <th scope="col" class="num">"Cost a month"</th>
                        <th scope="col" class="num">"Lives until"</th>
                        <th scope="col" class="num">"Changed"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
        {pager(
            "/stacks",
            page.next_cursor.clone(),
            page.total,
            vec![
                ("project", filter.project.clone().map(String::from).unwrap_or_default()),
                ("state", filter.state.map(StackState::as_str).unwrap_or_default().to_owned()),
                ("text", filter.text.clone().unwrap_or_default()),
            ],
            filter.cursor.is_some(),
        )}
    }
    .into_any()
}

fn row(stack: &StackSummary) -> AnyView {
    let (tone, state) = words::stack_state(stack.state);
    view! {
        <tr>
            <th scope="row">
                <a class="font-[600] hover:underline" href=format!("/stacks/{}", stack.id)>
                    {stack.name.to_string()}
                </a>
                <div class="text-xs text-ink-2">
                    {format!("{} · {} · {}", stack.project, stack.tier.as_str(), stack.template)}
                </div>
            </th>
            <td>{chip(tone, state)}</td>
            <td class="text-xs wrap-anywhere">
                {words::region(&stack.target.region)}
                <div class="text-ink-3">{stack.target.resource_group.clone()}</div>
            </td>
            <td>{posture_chip(&stack.posture)}</td>
            <td class="num" data-label="cost">{cost(stack)}</td>
            <td class="num" data-label="until">
                {stack.expires_at.map_or_else(|| "deleted".into_any(), date)}
            </td>
            <td class="num text-ink-2">{ago(stack.updated_at)}</td>
        </tr>
    }
    .into_any()
}

/// A stack that nothing was applied for has no cost of its own yet; its page tells what is planned.
fn cost(stack: &StackSummary) -> String {
    match stack.state {
        StackState::Reserved | StackState::Provisioning if stack.monthly.0 == 0 => {
            "not yet".to_owned()
        }
        StackState::Deleted => "none".to_owned(),
        _ => stack.monthly.with_unknown(stack.unpriced),
    }
}
