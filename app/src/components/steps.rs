//! An operation's steps as a timeline: what is done, what runs, what waits, each with its resources, durations and, where it failed, Azure's words.

use leptos::prelude::*;
use types::operation::{OperationDetail, ResourceProgress, Step, StepState};
use types::time::Timestamp;

use super::chip::Tone;
use super::fault::{cause, fault};
use super::icon::{Icon, icon_in};
use super::time::{between, took};
use crate::words::kind_of_resource;

/// All steps of an operation.
pub(crate) fn steps(operation: &OperationDetail) -> AnyView {
    let ended = operation.summary.state.has_ended();
    let steps: Vec<_> = operation.steps.iter().map(|one| step(one, ended)).collect();
    view! { <ol class="py-1.5">{steps}</ol> }.into_any()
}

/// One step; of an operation that has `ended`, nothing is waited for any more.
fn step(step: &Step, ended: bool) -> AnyView {
    let duration = duration(step.started_at, step.ended_at, step.state);
    let attempt = (step.attempt > 1).then(|| format!("attempt {}", step.attempt));
    let state = match step.state {
        StepState::Pending => "not begun",
        StepState::Running => "under way",
        StepState::Succeeded => "done",
        StepState::Skipped => "not needed",
        StepState::Failed => "failed",
        StepState::Cancelled => "cancelled",
    };
    let words = match step.state {
        StepState::Succeeded | StepState::Running | StepState::Pending => None,
        _ => Some(state),
    };
    view! {
        <li class="grid grid-cols-[22px_minmax(0,1fr)_auto] gap-2.5 px-4 py-[7px]">
            {dot(step.state)}
            <span class="wrap-anywhere">
                {step.title.clone()} <span class="sr-only">": " {state}</span>
            </span>
            <span class="text-xs text-ink-3">
                {words} {(words.is_some() && !duration.is_empty()).then_some(", ")} {duration}
                {attempt.map(|text| view! { <span class="ml-1">" ("{text}")"</span> })}
            </span>
            {(step.note.is_some() || step.fault.is_some() || !step.resources.is_empty())
                .then(|| {
                    view! {
                        <div class="col-span-2 col-start-2 text-xs text-ink-2 max-xs:col-span-3 max-xs:col-start-1">
                            {step.note.clone().map(|text| view! { <p>{text}</p> })}
                            {step.fault.as_ref().map(fault)}
                            {(!step.resources.is_empty())
                                .then(|| {
                                    view! {
                                        <ul>{step.resources.iter().map(|one| resource(one, step, ended)).collect::<Vec<_>>()}</ul>
                                    }
                                })}
                        </div>
                    }
                })}
        </li>
    }
    .into_any()
}

fn duration(from: Option<Timestamp>, to: Option<Timestamp>, state: StepState) -> String {
    match (from, state) {
        (None, _) | (_, StepState::Pending | StepState::Skipped) => String::new(),
        (Some(from), _) => between(from, to),
    }
}

fn dot(state: StepState) -> AnyView {
    let (class, sign) = match state {
        StepState::Succeeded => ("bg-ok-bg text-ok", Some(Icon::Check)),
        StepState::Running => (
            "animate-turn border-2 border-accent border-r-transparent motion-reduce:border-r-accent",
            None,
        ),
        StepState::Failed => ("bg-deny-bg text-deny", Some(Icon::Cross)),
        StepState::Cancelled => ("bg-warn-bg text-warn", Some(Icon::Minus)),
        StepState::Skipped => ("bg-sunken text-ink-3", Some(Icon::Minus)),
        StepState::Pending => ("border-[1.5px] border-dashed border-edge", None),
    };
    view! {
        <span aria-hidden="true" class=format!("mt-0.5 grid size-4 place-items-center rounded-full {class}")>
            {sign.map(|sign| icon_in(sign, "size-[11px]"))}
        </span>
    }
    .into_any()
}

/// One resource of a step. Its error is said whole, unless the step has just said it: then in one sentence.
fn resource(resource: &ResourceProgress, step: &Step, ended: bool) -> AnyView {
    let whole = step.fault.is_none();
    let over = ended || !matches!(step.state, StepState::Pending | StepState::Running);
    let (tone, sign, word) = match resource.state.as_str() {
        "Succeeded" => (Tone::Ok, Icon::Check, None),
        "Deleted" => (Tone::Ok, Icon::Check, Some("deleted")),
        "Failed" => (Tone::Deny, Icon::Cross, Some("failed")),
        "Canceled" | "Cancelled" => (Tone::Warn, Icon::Minus, Some("cancelled")),
        "Waiting" if over => (Tone::Neutral, Icon::Minus, Some("not begun")),
        "Waiting" => (Tone::Neutral, Icon::Clock, Some("waits")),
        "Deleting" => (Tone::Accent, Icon::Clock, Some("deleting")),
        "Running" | "Creating" | "Accepted" => (Tone::Accent, Icon::Clock, Some("creating")),
        "Updating" => (Tone::Accent, Icon::Clock, Some("updating")),
        _ => (Tone::Accent, Icon::Clock, None),
    };
    let word = word.map_or_else(
        || {
            if resource.state == "Succeeded" {
                String::new()
            } else {
                resource.state.clone()
            }
        },
        str::to_owned,
    );
    let took = resource.duration_ms.map(took).unwrap_or_default();
    let both = if word.is_empty() || took.is_empty() {
        ""
    } else {
        ", "
    };
    view! {
        <li class="grid grid-cols-[16px_minmax(0,1fr)_auto] gap-2 py-0.5">
            <span class=format!("mt-[3px] {}", tone.text())>{icon_in(sign, "size-[13px]")}</span>
            <span class="wrap-anywhere">
                {kind_of_resource(&resource.kind)} " " {resource.name.clone()}
            </span>
            <span class="text-ink-3">{word} {both} {took}</span>
            {resource
                .fault
                .as_ref()
                .map(|error| {
                    let said = if whole { fault(error) } else { cause(error).into_any() };
                    view! { <div class="col-span-2 col-start-2 text-deny">{said}</div> }
                })}
        </li>
    }
    .into_any()
}
