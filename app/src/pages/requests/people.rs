//! What people said and did about a request: approvals and decisions, what happened, comments.

use leptos::prelude::*;
use types::request::RequestDetail;

use super::plan;
use crate::components::button::{Look, submit};
use crate::components::card::{CARD, card};
use crate::components::chip::{Tone, chip};
use crate::components::field::area;
use crate::components::icon::{Icon, icon_in};
use crate::components::time::{ago, moment};
use crate::forms::Submitted;

/// Who has to agree, and who has.
pub(super) fn approvals(request: &RequestDetail) -> Option<AnyView> {
    if request.needs.is_empty() && request.decisions.is_empty() {
        return None;
    }
    let needs = request
        .needs
        .iter()
        .map(|status| {
            let (tone, sign) = if status.met {
                (Tone::Ok, Icon::Check)
            } else {
                (Tone::Wait, Icon::People)
            };
            let given = if status.approved_by.is_empty() {
                "none yet".to_owned()
            } else {
                format!("by {}", status.approved_by.join(", "))
            };
            view! {
                <li class="flex gap-[9px] border-t border-line px-4 py-2 text-[13px] first:border-t-0">
                    <span class=format!("mt-1 {}", tone.text())>{icon_in(sign, "size-[13px]")}</span>
                    <div class="min-w-0">
                        {status.need.message.clone()} " "
                        <span class="text-ink-2">
                            {format!("{} of {}: {given}.", status.need.count, status.need.group)}
                        </span>
                        " "<span class="font-mono text-2xs text-ink-3">{status.need.id.clone()}</span>
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let decisions = request
        .decisions
        .iter()
        .map(|decision| {
            use types::approval::DecisionKind;
            let (tone, word) = match decision.decision {
                DecisionKind::Approve => (Tone::Ok, "approved"),
                DecisionKind::Reject => (Tone::Deny, "rejected"),
                DecisionKind::RequestChanges => (Tone::Warn, "asked for changes"),
            };
            view! {
                <li class="border-t border-line px-4 py-2 text-[13px] first:border-t-0">
                    <span class="font-[560]">{decision.approver.clone()}</span> " " {chip(tone, word)} " "
                    <span class="text-xs text-ink-3">
                        {ago(decision.at)} ", plan " {plan::digest(&decision.plan_digest)}
                        {(!decision.current).then_some(", void: the plan was made again after it")}
                        {decision.break_glass.is_some().then_some(", under break glass")}
                    </span>
                    {(!decision.comment.is_empty())
                        .then(|| view! { <p class="whitespace-pre-line">{decision.comment.clone()}</p> })}
                </li>
            }
        })
        .collect::<Vec<_>>();
    Some(card(
        "Approvals",
        "",
        view! { <ul>{needs} {decisions}</ul> }.into_any(),
    ))
}

/// What happened, oldest first.
pub(super) fn timeline(request: &RequestDetail) -> AnyView {
    let entries = request
        .timeline
        .iter()
        .map(|entry| {
            view! {
                <li class="flex flex-wrap gap-x-2 border-t border-line px-4 py-2 text-[13px] first:border-t-0">
                    <span class="min-w-0 flex-1 wrap-anywhere">
                        {entry.text.clone()} <span class="text-ink-3">" · " {entry.actor.clone()}</span>
                    </span>
                    <span class="text-xs text-ink-3">{moment(entry.at)}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    card("What happened", "", view! { <ol>{entries}</ol> }.into_any())
}

/// What was said, and where to say more.
pub(super) fn comments(
    request: &RequestDetail,
    path: &str,
    refused: Option<&Submitted>,
) -> AnyView {
    let said = request
        .comments
        .iter()
        .map(|comment| {
            view! {
                <li class="border-t border-line px-4 py-2.5 first:border-t-0">
                    <p class="text-xs text-ink-3">
                        <span class="font-[560] text-ink">{comment.author.clone()}</span> " " {ago(comment.at)}
                    </p>
                    <p class="whitespace-pre-line wrap-anywhere">{comment.text.clone()}</p>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let none = said.is_empty();
    let write = match &request.access.comment {
        types::access::Access::Allowed => view! {
            <form method="post" action=format!("{path}/comment") class="border-t border-line px-4 py-3.5">
                {area(
                    "text",
                    "Write a comment",
                    refused.map(|refused| refused.value("text")).unwrap_or_default(),
                    "",
                    refused.and_then(|refused| refused.error("text")),
                    true,
                )}
                {submit(Look::Plain, "Comment")}
            </form>
        }
        .into_any(),
        types::access::Access::Disabled { reason } => {
            view! { <p class="border-t border-line px-4 py-3 text-xs text-ink-3">{reason.clone()}</p> }
                .into_any()
        }
        types::access::Access::Hidden => ().into_any(),
    };
    view! {
        <section class=CARD>
            <header class="border-b border-line px-4 py-[11px]">
                <h2>"Comments"</h2>
            </header>
            {none.then(|| view! { <p class="px-4 py-3 text-ink-3">"Nobody has written anything yet."</p> })}
            <ul>{said}</ul>
            {write}
        </section>
    }
    .into_any()
}
