//! A request's page: the plan and what the rules say to it, who agreed, what happened, and what the reader may do.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::request::{RequestDetail, RequestKind, RequestState};

use super::decide::decide;
use super::list::title;
use super::plan;
use crate::api::Failure;
use crate::api::requests::request;
use crate::components::button::{Look, gated_link, gated_post, link, submit};
use crate::components::card::{CARD, card, fact, facts, padded};
use crate::components::chip::{Tone, chip};
use crate::components::cost::estimate;
use crate::components::field::{area, summary};
use crate::components::icon::{Icon, icon_in};
use crate::components::load::load;
use crate::components::page::{columns, head, notice};
use crate::components::quota::quota;
use crate::components::time::{ago, moment};
use crate::components::verdict::{controls, guardrails, posture_bar, posture_words, say};
use crate::forms::{Submitted, submitted};
use crate::live::{live, refresh_without_script, region, said};
use crate::pages::param;
use crate::words;

pub(crate) fn page() -> AnyView {
    let id = param("id");
    let detail = from_server(
        move || id.get(),
        |id| async move {
            match id.parse() {
                Ok(id) => request(id).await,
                Err(_) => Err(Failure::not_found("request")),
            }
        },
    );
    load(detail, |detail| show(&detail))
}

fn show(request: &RequestDetail) -> AnyView {
    let row = &request.summary;
    let path = format!("/requests/{}", row.id);
    let refused = submitted(&path);
    let (tone, state) = words::request_state(row.state);
    let running = matches!(
        row.state,
        RequestState::Checking | RequestState::Approved | RequestState::Executing
    );
    let actions = view! {
        {request
            .operation
            .map(|id| link(Look::Plain, format!("/operations/{id}"), "Operation"))}
        {(row.state == RequestState::Completed && row.kind != RequestKind::Delete)
            .then(|| link(Look::Primary, format!("/stacks/{}", row.stack), "Open stack"))}
        {gated_link(
            &request.access.edit,
            if row.state == RequestState::Denied || row.state == RequestState::ChangesRequested {
                Look::Primary
            } else {
                Look::Plain
            },
            format!("{path}/edit"),
            "Edit",
        )}
        {gated_post(
            &request.access.withdraw,
            Look::Danger,
            format!("{path}/withdraw"),
            "Withdraw",
            vec![("version", row.version.to_string())],
        )}
    }
    .into_any();
    let stream = (!row.state.is_final()).then(|| format!("/api/v1/events?stack={}", row.stack));
    view! {
        {live(stream)}
        {refresh_without_script(running)}
        {head(
            title(row),
            vec![("Requests".into(), "/requests".into())],
            said(chip(tone, state)),
            format!("{} · {} · asked by {}", row.project, row.template, row.requester),
            region("actions", actions),
        )}
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {region("next", next_step(request))}
        {columns(main(request, &path, refused.as_ref()), "Verdict, cost and approvals", aside(request, refused.as_ref()))}
    }
    .into_any()
}

/// What happens next, or what the reader should do, as one sentence on top.
fn next_step(request: &RequestDetail) -> Option<AnyView> {
    if let Some(reason) = &request.sent_back {
        return Some(notice(
            Tone::Warn,
            "The plan was made again and is not the one that was approved",
            reason.clone().into_any(),
        ));
    }
    let reason = request
        .decisions
        .iter()
        .rev()
        .find(|decision| !decision.comment.is_empty())
        .map(|decision| format!("{}: {}", decision.approver, decision.comment));
    match request.summary.state {
        RequestState::Denied => Some(notice(
            Tone::Deny,
            "A guardrail denies this plan",
            "The verdict says which rule, why, and what to change. Edit opens the form with everything kept.".into_any(),
        )),
        RequestState::ChangesRequested => Some(notice(
            Tone::Warn,
            "An approver asks for changes",
            reason.unwrap_or_default().into_any(),
        )),
        RequestState::Rejected => {
            Some(notice(Tone::Deny, "Rejected", reason.unwrap_or_default().into_any()))
        }
        RequestState::Executing | RequestState::Approved => request.operation.map(|id| {
            notice(
                Tone::Accent,
                "It is being carried out",
                view! {
                    <a class="underline" href=format!("/operations/{id}")>"Follow the operation"</a>
                    ", step by step."
                }
                .into_any(),
            )
        }),
        RequestState::Failed => request.operation.map(|id| {
            notice(
                Tone::Deny,
                "The operation failed",
                view! {
                    <a class="underline" href=format!("/operations/{id}")>"The operation"</a>
                    " says at which step and what Azure answered. Retry and Delete are on the "
                    <a class="underline" href=format!("/stacks/{}", request.summary.stack)>"stack's page"</a>"."
                }
                .into_any(),
            )
        }),
        _ => None,
    }
}

fn main(request: &RequestDetail, path: &str, refused: Option<&Submitted>) -> AnyView {
    let Some(plan) = &request.plan else {
        return view! {
            {region("plan", padded("Plan", "", "The plan is being made.".into_any()))}
            {region("timeline", timeline(request))}
            {region("comments", comments(request, path, refused))}
        }
        .into_any();
    };
    let planned = view! {
        {padded(
            "Plan",
            "",
            view! {
                <p class="mb-3">{plan.summary.clone()}</p>
                {(!request.draft.justification.is_empty())
                    .then(|| {
                        view! {
                            <blockquote class="mb-3 border-l-2 border-line-2 pl-3 whitespace-pre-line text-ink-2">
                                {request.draft.justification.clone()}
                            </blockquote>
                        }
                    })}
                {plan::target(plan)}
                {(!plan.differences.is_empty())
                    .then(|| {
                        view! {
                            <h3 class="mt-4">"Differs from the template"</h3>
                            {plan::differences(&plan.differences)}
                        }
                    })}
            }
                .into_any(),
        )}
        {plan::resources(plan)}
        {(!plan.report.controls.is_empty())
            .then(|| {
                card(
                    "Posture",
                    posture_words(&plan.report.posture),
                    view! {
                        <div class="px-4 py-3.5">{posture_bar(&plan.report.posture)}</div>
                        <div class="border-t border-line">{controls(&plan.report.controls, say)}</div>
                    }
                        .into_any(),
                )
            })}
    };
    view! {
        {region("plan", planned)}
        {region("timeline", timeline(request))}
        {region("comments", comments(request, path, refused))}
    }
    .into_any()
}

fn aside(request: &RequestDetail, refused: Option<&Submitted>) -> AnyView {
    let decide = match request.access.decide {
        types::access::Access::Hidden => None,
        _ => Some(padded(
            "Decide",
            "",
            decide(request, String::new(), refused),
        )),
    };
    let plan = request.plan.as_ref().map(|plan| {
        view! {
            {card(
                "Guardrails",
                format!("{} checked", plan.report.guardrails_checked),
                guardrails(&plan.report, say),
            )}
            {padded("Cost", "", estimate(&plan.cost))}
            {(!plan.quota.is_empty())
                .then(|| {
                    padded("Quota", "", plan.quota.iter().map(quota).collect::<Vec<_>>().into_any())
                })}
        }
    });
    view! {
        {region("decide", decide)}
        {region("approvals", approvals(request))}
        {region("verdict", plan)}
    }
    .into_any()
}

fn approvals(request: &RequestDetail) -> Option<AnyView> {
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
                        {(!decision.current).then_some(" (an earlier plan)")}
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

fn timeline(request: &RequestDetail) -> AnyView {
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

fn comments(request: &RequestDetail, path: &str, refused: Option<&Submitted>) -> AnyView {
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

/// What an approver wants to know first, for the approvals queue.
pub(crate) fn brief(request: &RequestDetail) -> AnyView {
    let Some(plan) = &request.plan else {
        return ().into_any();
    };
    let row = &request.summary;
    let budget = plan.cost.budget.as_ref().map_or_else(
        || "none set".to_owned(),
        |line| {
            format!(
                "{} → {} of {}",
                line.committed,
                line.committed + crate::components::cost::added(&plan.cost),
                line.limit
            )
        },
    );
    let differs = if plan.differences.is_empty() {
        fact("nothing")
    } else {
        plan::differences(&plan.differences)
    };
    view! {
        <p>{plan.summary.clone()}</p>
        {facts(
            vec![
                (
                    "Asked by",
                    view! { <span>{row.requester.clone()} ", " {ago(row.created_at)}</span> }.into_any(),
                ),
                (
                    "Because",
                    fact(
                        if request.draft.justification.is_empty() {
                            "no reason given".to_owned()
                        } else {
                            request.draft.justification.clone()
                        },
                    ),
                ),
                ("Differs from template", differs),
                ("Cost a month", fact(crate::components::cost::change(row.monthly_change))),
                ("Budget", fact(budget)),
                ("Posture", fact(posture_words(&plan.report.posture))),
            ],
        )}
        <div class="rounded-card border border-line bg-sunken">{guardrails(&plan.report, say)}</div>
    }
    .into_any()
}
