//! What each tab of a stack's page shows.

use leptos::prelude::*;
use types::cost::CostEstimate;
use types::operation::OperationDetail;
use types::page::Page;
use types::request::TimelineEntry;
use types::stack::{StackDetail, StackState};

use crate::components::card::{CARD, FOLD, card, empty, padded};
use crate::components::chip::chip;
use crate::components::cost::estimate;
use crate::components::time::{ago, between, moment};
use crate::components::verdict::{controls, posture_bar, posture_words, say};
use crate::pages::list::earlier_with;
use crate::pages::operations::timeline;
use crate::words;

/// What runs, or what ran last; how to reach it; what it answered.
pub(super) fn now(stack: &StackDetail, operation: Option<&OperationDetail>) -> AnyView {
    // What a stack answered while it lived says nothing any more once it is gone.
    let gone = stack.summary.state == StackState::Deleted;
    let lives = !gone && (!stack.connect.is_empty() || !stack.outputs.is_empty());
    let running = operation.is_some_and(|operation| !operation.summary.state.has_ended());
    let last = operation.map(timeline);
    let nothing = last.is_none() && !lives;
    let reach = lives.then(|| {
        view! {
            {(!stack.connect.is_empty()).then(|| connect(stack))}
            {(!stack.outputs.is_empty()).then(|| outputs(stack))}
        }
    });
    if nothing {
        return view! {
            <section class=CARD>
                {empty(
                    "Nothing has run yet",
                    view! {
                        "The stack's name is reserved; its first operation begins when "
                        {match stack.requests.first() {
                            Some(id) => {
                                view! { <a class="underline" href=format!("/requests/{id}")>"its request"</a> }.into_any()
                            }
                            None => "its request".into_any(),
                        }}
                        " is approved."
                    }
                    .into_any(),
                )}
            </section>
        }
        .into_any();
    }
    // What runs is what people came for; later they come for the way in.
    if running {
        view! { {last} {reach} }.into_any()
    } else {
        view! { {reach} {last} }.into_any()
    }
}

fn connect(stack: &StackDetail) -> AnyView {
    let ways = stack
        .connect
        .iter()
        .map(|way| {
            view! {
                <li>
                    <h3>{way.title.clone()}</h3>
                    <pre class="mt-1 overflow-x-auto rounded-md bg-sunken px-3 py-2" tabindex="0">
                        {way.command.clone()}
                    </pre>
                    {way.note.clone().map(|note| view! { <p class="mt-1 text-xs text-ink-3">{note}</p> })}
                </li>
            }
        })
        .collect::<Vec<_>>();
    padded(
        "How to connect",
        "",
        view! { <ul class="grid grid-cols-1 gap-3">{ways}</ul> }.into_any(),
    )
}

fn outputs(stack: &StackDetail) -> AnyView {
    let rows = stack
        .outputs
        .iter()
        .map(|(name, value)| {
            view! {
                <div class="grid gap-x-3.5 border-t border-line px-4 py-2 first:border-t-0 xs:grid-cols-[minmax(0,12rem)_minmax(0,1fr)]">
                    <dt class="text-ink-3">{name.clone()}</dt>
                    <dd class="wrap-anywhere">
                        <code>{crate::forms::text(value)}</code>
                    </dd>
                </div>
            }
        })
        .collect::<Vec<_>>();
    card("Outputs", "", view! { <dl>{rows}</dl> }.into_any())
}

pub(super) fn resources(stack: &StackDetail) -> AnyView {
    if stack.resources.is_empty() {
        return view! {
            <section class=CARD>
                {empty("No resources yet", "They appear while the first operation makes them.".into_any())}
            </section>
        }
        .into_any();
    }
    let rows = stack
        .resources
        .iter()
        .map(|resource| {
            view! {
                <tr>
                    <th scope="row">
                        <span class="font-[580]">{words::kind_of_resource(&resource.kind)}</span>
                        " "
                        <span class="wrap-anywhere">{resource.name.clone()}</span>
                        <details class="text-xs text-ink-3">
                            <summary class=FOLD>"Azure id"</summary>
                            <code class="wrap-anywhere select-all">{resource.id.clone()}</code>
                        </details>
                    </th>
                    <td>{resource.state.clone()}</td>
                    <td class="num text-ink-2" data-label="seen">{ago(resource.seen_at)}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <section class=CARD>
            <table class="rows">
                <caption class="sr-only">"Resources of this stack"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Resource"</th>
                        <th scope="col">"State in Azure"</th>
                        <th scope="col" class="num">"Seen"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

pub(super) fn posture(stack: &StackDetail) -> AnyView {
    if stack.controls.is_empty() {
        return view! {
            <section class=CARD>
                {empty("No plan was applied yet", "The posture is that of the plan last applied.".into_any())}
            </section>
        }
        .into_any();
    }
    card(
        "Posture of the plan last applied",
        posture_words(&stack.summary.posture),
        view! {
            <div class="px-4 py-3.5">{posture_bar(&stack.summary.posture)}</div>
            <div class="border-t border-line">{controls(&stack.controls, &say)}</div>
        }
        .into_any(),
    )
}

pub(super) fn cost(stack: &StackDetail, planned: Option<&CostEstimate>) -> AnyView {
    match (planned, &stack.cost) {
        (Some(cost), _) => padded("Planned cost", "nothing was applied yet", estimate(cost)),
        (None, Some(cost)) => padded("Cost of the plan last applied", "", estimate(cost)),
        (None, None) => view! {
            <section class=CARD>
                {empty("No cost yet", "The estimate is that of the plan last applied.".into_any())}
            </section>
        }
        .into_any(),
    }
}

pub(super) fn changes(stack: &StackDetail) -> AnyView {
    if stack.operations.is_empty() {
        return no_changes();
    }
    let rows = stack
        .operations
        .iter()
        .map(|operation| {
            let (tone, state) = words::operation_state(operation.state);
            view! {
                <tr>
                    <th scope="row">
                        <a class="inline-block py-1 font-[580] hover:underline" href=format!("/operations/{}", operation.id)>
                            {words::operation_title(operation.kind, operation.revision)}
                        </a>
                        {operation
                            .request
                            .map(|id| {
                                view! {
                                    <div class="text-xs text-ink-3">
                                        <a class="inline-block py-1 underline" href=format!("/requests/{id}")>"its request"</a>
                                    </div>
                                }
                            })}
                    </th>
                    <td>{chip(tone, state)}</td>
                    <td class="num" data-label="took">
                        {operation.started_at.map(|from| between(from, operation.ended_at))}
                    </td>
                    <td class="num text-ink-2">{moment(operation.created_at)}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <section class=CARD>
            <table class="rows">
                <caption class="sr-only">"Operations on this stack, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Operation"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="num">"Took"</th>
                        <th scope="col" class="num">"Queued"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn no_changes() -> AnyView {
    view! {
        <section class=CARD>
            {empty("Nothing was changed yet", "Every operation on this stack stands here.".into_any())}
        </section>
    }
    .into_any()
}

/// What happened, newest first; `earlier` instead of the newest lines.
pub(super) fn activity(stack: &StackDetail, earlier: Option<&Page<TimelineEntry>>) -> AnyView {
    let shown = earlier.unwrap_or(&stack.activity);
    let rows = shown
        .iter()
        .map(|entry| {
            view! {
                <li class="flex flex-wrap gap-x-2 border-t border-line px-4 py-2 first:border-t-0">
                    <span class="min-w-0 flex-1 wrap-anywhere">
                        {entry.text.clone()} <span class="text-ink-3">" · " {entry.actor.clone()}</span>
                    </span>
                    <span class="text-xs text-ink-3">{moment(entry.at)}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    if rows.is_empty() {
        return view! {
            <section class=CARD>
                {empty("Nothing happened yet", "Who did what with this stack stands here.".into_any())}
            </section>
        }
        .into_any();
    }
    card(
        "Activity",
        "newest first",
        view! {
            {earlier_with(
                &format!("/stacks/{}", stack.summary.id),
                "activity",
                vec![("tab", "activity".to_owned())],
                "before",
                shown,
                earlier.is_some(),
            )}
            <ol>{rows}</ol>
        }
        .into_any(),
    )
}
