//! A request's page: the plan and what the rules say to it, who agreed, what happened, and what the reader may do.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::plan::Plan;
use types::request::{AlteredRequest, RequestDetail, RequestDraft, RequestKind, RequestState};
use types::time::Timestamp;

use super::decide::decide;
use super::list::title;
use super::people::{approvals, comments, timeline};
use super::plan;
use crate::api::Failure;
use crate::api::requests::{Earlier, RequestPage, RequestRead, request_page};
use crate::components::actions::Actions;
use crate::components::button::{Look, link};
use crate::components::card::{card, fact, facts, padded};
use crate::components::chip::{Tone, chip};
use crate::components::cost::estimate;
use crate::components::field::summary;
use crate::components::load::{failed, load};
use crate::components::page::{columns_aside_first, head, notice};
use crate::components::quota::quotas;
use crate::components::time::ago;
use crate::components::verdict::{controls, guardrails, posture_bar, posture_words, say};
use crate::forms::{Submitted, submitted};
use crate::live::{live, refresh_without_script, region, said};
use crate::pages::{param, query};
use crate::words;

pub(crate) fn page() -> AnyView {
    let id = param("id");
    let (comments, timeline, decisions) =
        (query("comments"), query("timeline"), query("decisions"));
    let page = from_server(
        move || {
            let earlier = Earlier {
                comments: comments.get(),
                timeline: timeline.get(),
                decisions: decisions.get(),
            };
            (id.get(), earlier)
        },
        |(id, earlier)| async move {
            match id.parse() {
                Ok(id) => request_page(id, earlier).await,
                Err(_) => Err(Failure::not_found("request")),
            }
        },
    );
    load(page, |page| match page {
        RequestRead::Whole(page) => show(&page),
        RequestRead::Altered(failure, left) => altered(&failure, &left),
    })
}

/// A request whose stored plan was altered: why nothing of it is shown, and the way to be rid of it.
fn altered(failure: &Failure, left: &AlteredRequest) -> AnyView {
    let path = format!("/requests/{}", left.id);
    let refused = submitted(&path);
    let (tone, state) = words::request_state(left.state);
    let actions = Actions::default()
        .post(
            &left.withdraw,
            Look::Danger,
            format!("{path}/withdraw"),
            "Withdraw",
            vec![("version", left.version.to_string())],
        )
        .view();
    view! {
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {failed(failure)}
        <div class="mx-auto flex max-w-xl flex-col items-center gap-3">
            {chip(tone, state)}
            {actions}
        </div>
    }
    .into_any()
}

fn show(page: &RequestPage) -> AnyView {
    let request = &page.request;
    let row = &request.summary;
    let path = format!("/requests/{}", row.id);
    let refused = submitted(&path);
    let (tone, state) = words::request_state(row.state);
    let running = matches!(
        row.state,
        RequestState::Checking | RequestState::Approved | RequestState::Executing
    );
    let mut actions = Actions::default();
    if let Some(id) = request.operation {
        actions = actions.with(link(Look::Plain, format!("/operations/{id}"), "Operation"));
    }
    if row.state == RequestState::Completed && row.kind != RequestKind::Delete {
        actions = actions.with(link(
            Look::Primary,
            format!("/stacks/{}", row.stack),
            "Open stack",
        ));
    }
    let mend = matches!(
        row.state,
        RequestState::Denied | RequestState::ChangesRequested
    );
    let actions = actions
        .link(
            &request.access.edit,
            if mend { Look::Primary } else { Look::Plain },
            format!("{path}/edit"),
            "Edit",
        )
        .post(
            &request.access.withdraw,
            Look::Danger,
            format!("{path}/withdraw"),
            "Withdraw",
            vec![("version", row.version.to_string())],
        )
        .view();
    let stream = (!row.state.is_final()).then(|| format!("/api/v1/events?stack={}", row.stack));
    view! {
        {live(stream)}
        {refresh_without_script(running)}
        {head(
            title(row),
            vec![("Requests".into(), "/requests".into())],
            said(chip(tone, state)),
            format!(
                "{} · {} · {}",
                row.project,
                row.template,
                words::written_by(&row.requester, &request.authors),
            ),
            region("actions", actions),
        )}
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {region("next", next_step(request))}
        {region("since", since_sent(request))}
        {columns_aside_first(main(page, &path, refused.as_ref()), "Verdict, cost and approvals", aside(page, &path, refused.as_ref()))}
    }
    .into_any()
}

/// What happens next, or what the reader should do, as one sentence on top.
fn next_step(request: &RequestDetail) -> Option<AnyView> {
    if let Some(reason) = &request.sent_back {
        return Some(notice(
            Tone::Warn,
            "It was sent back before it was executed",
            reason.clone().into_any(),
        ));
    }
    let reason = request
        .decisions
        .iter()
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

/// What is otherwise now than when a waiting request was sent; nothing where nothing is.
fn since_sent(request: &RequestDetail) -> Option<AnyView> {
    if request.since_sent.is_empty() {
        return None;
    }
    let lines = request
        .since_sent
        .iter()
        .map(|line| view! { <li>{line.clone()}</li> })
        .collect::<Vec<_>>();
    Some(notice(
        Tone::Warn,
        "Changed since it was sent",
        view! { <ul class="list-disc pl-4">{lines}</ul> }.into_any(),
    ))
}

fn main(page: &RequestPage, path: &str, refused: Option<&Submitted>) -> AnyView {
    let request = &page.request;
    let Some(plan) = &request.plan else {
        return view! {
            {region("plan", padded("Plan", "", "The plan is being made.".into_any()))}
            {region("timeline", timeline(page, path))}
            {region("comments", comments(page, path, refused))}
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
                {ends(&request.draft, plan).map(|ends| facts(vec![("Expires", fact(ends))]))}
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
                        <div class="border-t border-line">{controls(&plan.report.controls, &say)}</div>
                    }
                        .into_any(),
                )
            })}
    };
    view! {
        {region("plan", planned)}
        {region("timeline", timeline(page, path))}
        {region("comments", comments(page, path, refused))}
    }
    .into_any()
}

/// When it ends. Days count from the moment it begins to live, so there is no date yet.
fn ends(draft: &RequestDraft, plan: &Plan) -> Option<String> {
    let from = match draft.kind {
        RequestKind::Create => "it is provisioned",
        RequestKind::Extend => "the approval",
        RequestKind::Update => {
            let moved = plan.moves_end?;
            let day = |end: Option<Timestamp>| {
                end.map_or_else(|| "never".to_owned(), |end| end.get().date().to_string())
            };
            return Some(format!(
                "{} (before: {})",
                day(moved.after),
                day(moved.before)
            ));
        }
        RequestKind::Delete => return None,
    };
    Some(match draft.expiry.trim() {
        "" => "never".to_owned(),
        expiry => match expiry.strip_suffix('d') {
            Some("1") => format!("1 day after {from}"),
            Some(days) => format!("{days} days after {from}"),
            None => expiry.to_owned(),
        },
    })
}

fn aside(page: &RequestPage, path: &str, refused: Option<&Submitted>) -> AnyView {
    let request = &page.request;
    let decide = match request.access.decide {
        types::access::Access::Hidden => None,
        // On a phone this stands before the plan, so it says what is decided on.
        _ => Some(padded(
            "Decide",
            "",
            view! {
                {request
                    .plan
                    .as_ref()
                    .map(|plan| view! { <p class="mb-3 lg:hidden">{plan.summary.clone()}</p> })}
                {decide(request, String::new(), refused)}
            }
            .into_any(),
        )),
    };
    let plan = request.plan.as_ref().map(|plan| {
        view! {
            {card(
                "Guardrails",
                format!("{} checked", plan.report.guardrails_checked),
                guardrails(&plan.report, &say),
            )}
            {padded("Cost", "", estimate(&plan.cost))}
            {(!plan.quota.is_empty() || !plan.quota_unknown.is_empty())
                .then(|| {
                    padded("Quota", "", quotas(plan))
                })}
        }
    });
    view! {
        {region("decide", decide)}
        {region("approvals", approvals(page, path))}
        {region("verdict", plan)}
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
        |line| crate::components::cost::budget_words(line, plan.cost.unpriced_parts()),
    );
    let differs = if plan.differences.is_empty() {
        fact("nothing")
    } else {
        plan::differences(&plan.differences)
    };
    view! {
        <p>{plan.summary.clone()}</p>
        {since_sent(request)}
        {facts(
            vec![
                (
                    "Written by",
                    view! {
                        <span>{words::written_by(&row.requester, &request.authors)} ", " {ago(row.created_at)}</span>
                    }
                    .into_any(),
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
                ("Expires", fact(ends(&request.draft, plan).unwrap_or_else(|| "as before".to_owned()))),
                ("Cost a month", fact(crate::components::cost::change(row.monthly_change, row.unpriced))),
                ("Budget", fact(budget)),
                ("Posture", fact(posture_words(&plan.report.posture))),
            ],
        )}
        <div class="rounded-card border border-line bg-sunken">{guardrails(&plan.report, &say)}</div>
    }
    .into_any()
}
