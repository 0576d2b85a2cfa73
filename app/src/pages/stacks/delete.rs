//! The form that asks for a stack's deletion: its name has to be typed again.

use leptos::prelude::*;
use types::access::Access;
use types::stack::StackDetail;

use super::{read, submission};
use crate::components::button::{Look, link, off, submit};
use crate::components::card::CARD;
use crate::components::chip::Tone;
use crate::components::field::{Line, area, summary};
use crate::components::load::load;
use crate::components::page::{head, notice};
use crate::forms::submitted;
use crate::pages::param;

pub(crate) fn page() -> AnyView {
    let id = param("id");
    let number = submission();
    load(read(id), move |stack| show(&stack, number.clone()))
}

fn show(stack: &StackDetail, number: String) -> AnyView {
    let row = &stack.summary;
    let path = format!("/stacks/{}", row.id);
    let refused = submitted(&format!("{path}/delete"));
    let number = refused
        .as_ref()
        .and_then(|refused| refused.submission)
        .map_or(number, |id| id.to_string());
    let form = match &stack.access.delete {
        Access::Allowed => view! {
            <form method="post" class=format!("{CARD} max-w-2xl px-4 py-4")>
                <input type="hidden" name="submission" value=number/>
                {Line {
                    name: "confirm",
                    label: "The stack's name, typed again",
                    kind: "text",
                    value: refused.as_ref().map(|r| r.value("confirm")).unwrap_or_default(),
                    help: "So that nobody deletes the wrong one.",
                    error: refused.as_ref().and_then(|r| r.error("confirm")),
                    required: true,
                }
                    .view()}
                {area(
                    "justification",
                    "Why",
                    refused.as_ref().map(|r| r.value("justification")).unwrap_or_default(),
                    "Whoever has to approve reads this.",
                    refused.as_ref().and_then(|r| r.error("justification")),
                    false,
                )}
                <div class="flex gap-2">
                    {submit(Look::Danger, "Request deletion")} {link(Look::Quiet, path.clone(), "Keep it")}
                </div>
            </form>
        }
        .into_any(),
        Access::Disabled { reason } => off("Request deletion", reason.clone()),
        Access::Hidden => view! { <p>"You may not delete this stack."</p> }.into_any(),
    };
    let n = stack.resources.len();
    let what = if row.target.owns_group {
        format!(
            "The resource group {} goes with everything in it: {n} resource{} known to Slipway, and the data on its disks. Nothing can be brought back.",
            row.target.resource_group,
            if n == 1 { "" } else { "s" }
        )
    } else {
        format!(
            "The stack's own {n} resource{} in {} go; the group and what else is in it stay.",
            if n == 1 { "" } else { "s" },
            row.target.resource_group
        )
    };
    view! {
        {head(
            format!("Delete {}", row.name),
            vec![
                ("Stacks".into(), "/stacks".into()),
                (row.name.to_string(), path.clone()),
            ],
            ().into_any(),
            format!("{} · {} · {}", row.project, row.tier.as_str(), row.template),
            ().into_any(),
        )}
        <div class="max-w-2xl">
            {refused.as_ref().map(|r| summary(r.problem.as_ref(), &r.errors))}
            {notice(Tone::Warn, "This removes what is in Azure", what.into_any())}
        </div>
        {form}
    }
    .into_any()
}
