//! An operation's page: its steps, live; cancel, and for an admin the way out of *needs attention*.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::operation::{OperationDetail, OperationState};

use crate::api::Failure;
use crate::api::operations::operation;
use crate::components::actions::Actions;
use crate::components::button::Look;
use crate::components::card::{CARD, code, fact, facts};
use crate::components::chip::{Tone, chip};
use crate::components::fault::fault;
use crate::components::field::summary;
use crate::components::load::load;
use crate::components::page::{columns, head, notice};
use crate::components::steps::steps;
use crate::components::time::{between, clock, moment};
use crate::forms::submitted;
use crate::live::{live, refresh_without_script, region, said};
use crate::pages::param;
use crate::words;

pub(crate) fn page() -> AnyView {
    let id = param("id");
    let detail = from_server(
        move || id.get(),
        |id| async move {
            match id.parse() {
                Ok(id) => operation(id).await,
                Err(_) => Err(Failure::not_found("operation")),
            }
        },
    );
    load(detail, |detail| show(&detail))
}

fn show(operation: &OperationDetail) -> AnyView {
    let row = &operation.summary;
    let path = format!("/operations/{}", row.id);
    let refused = submitted(&path);
    let (tone, state) = words::operation_state(row.state);
    let stack_path = format!("/stacks/{}", row.stack);
    let mut actions = Actions::default();
    if !row.state.has_ended() {
        actions = actions.post(
            &operation.cancel,
            Look::Danger,
            format!("{path}/cancel"),
            "Cancel",
            vec![],
        );
    }
    if row.state == OperationState::NeedsAttention {
        actions = actions.post(
            &operation.resolve,
            Look::Primary,
            format!("{path}/resolve"),
            "Take it further",
            vec![],
        );
    }
    let actions = actions.view();
    let about = view! {
        <section class=format!("{CARD} px-4 py-3.5")>
            {facts(
                vec![
                    (
                        "Stack",
                        view! {
                            <a class="underline" href=stack_path.clone()>
                                {row.stack_name.to_string()}
                            </a>
                        }
                            .into_any(),
                    ),
                    ("Project", fact(format!("{}, {}", row.project, row.tier.as_str()))),
                    (
                        "Request",
                        row
                            .request
                            .map_or_else(
                                || fact("none: a power action"),
                                |id| {
                                    view! {
                                        <a class="underline" href=format!("/requests/{id}")>
                                            {code(id.short())}
                                        </a>
                                    }
                                        .into_any()
                                },
                            ),
                    ),
                    ("Queued", moment(row.created_at)),
                    ("Started", row.started_at.map_or_else(|| fact("not yet"), moment)),
                    ("Ended", row.ended_at.map_or_else(|| fact("not yet"), moment)),
                    (
                        "Took",
                        fact(
                            row.started_at.map_or_else(|| "nothing yet".to_owned(), |from| between(from, row.ended_at)),
                        ),
                    ),
                    ("Id", code(row.id.to_string())),
                ],
            )}
        </section>
    }
    .into_any();
    let stream = (!row.state.has_ended()).then(|| format!("/api/v1/operations/{}/events", row.id));
    view! {
        {live(stream)}
        {refresh_without_script(!row.state.has_ended())}
        {head(
            format!("{} of {}", words::operation_title(row.kind, row.revision), row.stack_name),
            vec![
                ("Stacks".into(), "/stacks".into()),
                (row.stack_name.to_string(), stack_path),
            ],
            said(chip(tone, state)),
            "",
            region("actions", actions),
        )}
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {columns(
            region("operation", timeline(operation)),
            "About this operation",
            region("about", about),
        )}
    }
    .into_any()
}

/// The steps in their card, with what went wrong; also on the stack's page.
pub(crate) fn timeline(operation: &OperationDetail) -> AnyView {
    let row = &operation.summary;
    let (tone, state) = words::operation_state(row.state);
    let live = !row.state.has_ended();
    let started = row.started_at.map(|from| {
        view! {
            <span class="ml-auto text-xs text-ink-3">
                "started " {clock(from)} {row.ended_at.map(|to| format!(", took {}", between(from, Some(to))))}
            </span>
        }
    });
    let shown_in_step = operation.steps.iter().any(|step| step.fault.is_some());
    view! {
        {(row.state == OperationState::NeedsAttention)
            .then(|| {
                notice(
                    Tone::Wait,
                    "Slipway cannot finish this alone",
                    "An administrator looks at what Azure has and takes the operation further. Nothing is tried until then.".into_any(),
                )
            })}
        {(operation.cancel_requested && live)
            .then(|| {
                notice(
                    Tone::Warn,
                    "It is being cancelled",
                    "It stops at the next point where stopping leaves nothing half made that nobody knows of.".into_any(),
                )
            })}
        <section class=CARD>
            <header class="flex flex-wrap items-center gap-x-2 border-b border-line px-4 py-[11px]">
                <h2>{words::operation_title(row.kind, row.revision)}</h2>
                {if live {
                    view! {
                        <span class="inline-flex items-center gap-1.5 text-xs font-[580] text-ok before:size-[7px] before:rounded-full before:bg-current before:content-['']">
                            <span aria-live="polite">{if row.state == OperationState::Queued { "queued" } else { "live" }}</span>
                        </span>
                    }
                        .into_any()
                } else {
                    chip(tone, state)
                }}
                {started}
            </header>
            {operation
                .fault
                .as_ref()
                .filter(|_| !shown_in_step)
                .map(|error| view! { <div class="px-4 pt-2">{fault(error)}</div> })}
            {steps(operation)}
        </section>
    }
    .into_any()
}
