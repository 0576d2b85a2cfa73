//! A stack's page: tabs in the address; *Now* shows what runs or how to reach it. It is live as long as something runs.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::access::Access;
use types::operation::OperationDetail;
use types::stack::{StackDetail, StackState};

use super::tabs::{activity, changes, cost, now, posture, resources};
use crate::api::Failure;
use crate::api::operations::operation;
use crate::api::stacks::stack;
use crate::components::button::{Look, gated_link, gated_post};
use crate::components::card::{CARD, code, fact, facts};
use crate::components::chip::{Tone, chip};
use crate::components::fault::fault;
use crate::components::field::summary;
use crate::components::load::load;
use crate::components::page::{columns, head, notice};
use crate::components::tabs::{Tab, tabs};
use crate::components::time::{date, moment};
use crate::components::verdict::posture_words;
use crate::forms::submitted;
use crate::live::{live, refresh_without_script, region, said};
use crate::pages::requests::plan::digest;
use crate::pages::{param, query};
use crate::words;

/// The stack with the operation that runs, or that ended last.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Loaded {
    stack: StackDetail,
    operation: Option<OperationDetail>,
}

async fn read(id: String) -> Result<Loaded, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found("stack"))?;
    let stack = stack(id).await?;
    let shown = stack
        .running
        .or_else(|| stack.operations.first().map(|operation| operation.id));
    let operation = match shown {
        Some(id) => operation(id).await.ok(),
        None => None,
    };
    Ok(Loaded { stack, operation })
}

pub(crate) fn page() -> AnyView {
    let (id, tab) = (param("id"), query("tab"));
    let loaded = from_server(move || id.get(), read);
    load(loaded, move |loaded| {
        let stream =
            is_moving(&loaded).then(|| format!("/api/v1/events?stack={}", loaded.stack.summary.id));
        view! {
            {live(stream)}
            {frame(&loaded)}
            {region("stack", shown(&loaded, &tab.get()))}
        }
        .into_any()
    })
}

fn is_moving(loaded: &Loaded) -> bool {
    loaded.stack.running.is_some()
        || matches!(
            loaded.stack.summary.state,
            StackState::Reserved
                | StackState::Provisioning
                | StackState::Updating
                | StackState::Deleting
        )
}

fn frame(loaded: &Loaded) -> AnyView {
    let stack = &loaded.stack;
    let row = &stack.summary;
    let path = format!("/stacks/{}", row.id);
    let refused = submitted(&path);
    let (tone, state) = words::stack_state(row.state);
    let access = &stack.access;
    let cancel = loaded
        .operation
        .as_ref()
        .filter(|operation| !operation.summary.state.has_ended())
        .map(|operation| {
            gated_post(
                &operation.cancel,
                Look::Danger,
                format!("/operations/{}/cancel", operation.summary.id),
                "Cancel",
                vec![("next", path.clone())],
            )
        });
    let post = |access: &Access, look, action: &str, text| {
        gated_post(access, look, format!("{path}/{action}"), text, vec![])
    };
    let actions = view! {
        {cancel}
        {post(&access.retry, Look::Primary, "retry", "Retry")}
        {post(&access.start, Look::Plain, "start", "Start")}
        {post(&access.stop, Look::Plain, "stop", "Stop")}
        {post(&access.restart, Look::Plain, "restart", "Restart")}
        {gated_link(
            &access.update,
            Look::Plain,
            crate::pages::address(
                &format!("/catalogue/{}/request", row.template.name),
                &[("stack", row.id.to_string())],
            ),
            "Change",
        )}
        {gated_link(&access.extend, Look::Plain, format!("{path}/extend"), "Extend")}
        {gated_link(&access.delete, Look::Danger, format!("{path}/delete"), "Delete")}
    }
    .into_any();
    view! {
        {refresh_without_script(is_moving(loaded))}
        {head(
            row.name.to_string(),
            vec![
                ("Stacks".into(), "/stacks".into()),
                (
                    row.project.to_string(),
                    crate::pages::address("/stacks", &[("project", row.project.to_string())]),
                ),
            ],
            said(chip(tone, state)),
            format!(
                "{} · {} · {} · {}",
                row.template,
                row.tier.as_str(),
                words::region(&row.target.region),
                row.target.resource_group,
            ),
            region("actions", actions),
        )}
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {region(
            "fault",
            stack
                .fault
                .as_ref()
                .map(|error| {
                    notice(
                        Tone::Deny,
                        "The last operation failed; what exists is kept and costs",
                        fault(error),
                    )
                }),
        )}
    }
    .into_any()
}

fn shown(loaded: &Loaded, tab: &str) -> AnyView {
    let stack = &loaded.stack;
    let path = format!("/stacks/{}", stack.summary.id);
    let known = ["now", "resources", "posture", "cost", "changes", "activity"];
    let tab = if known.contains(&tab) { tab } else { "now" };
    let one = |name: &'static str, text, count: Option<usize>| Tab {
        text,
        count: count.map(|n| n as u64),
        href: crate::pages::address(&path, &[("tab", name.to_owned())]),
        current: tab == name,
    };
    let body = match tab {
        "resources" => resources(stack),
        "posture" => posture(stack),
        "cost" => cost(stack),
        "changes" => changes(stack),
        "activity" => activity(stack),
        _ => now(stack, loaded.operation.as_ref()),
    };
    view! {
        {tabs(
            "Parts of this stack",
            vec![
                one("now", "Now", None),
                one("resources", "Resources", Some(stack.resources.len())),
                one("posture", "Posture", None),
                one("cost", "Cost", None),
                one("changes", "Changes", Some(stack.operations.len())),
                one("activity", "Activity", None),
            ],
        )}
        {columns(body, "About this stack", about(stack))}
    }
    .into_any()
}

fn about(stack: &StackDetail) -> AnyView {
    let row = &stack.summary;
    let approved = if stack.approved_by.is_empty() {
        fact("nobody had to")
    } else {
        fact(stack.approved_by.join(", "))
    };
    let requests = stack
        .requests
        .iter()
        .map(|id| {
            view! {
                <a class="mr-2 underline" href=format!("/requests/{id}")>
                    {code(id.short())}
                </a>
            }
        })
        .collect::<Vec<_>>()
        .into_any();
    view! {
        <section class=format!("{CARD} px-4 py-3.5")>
            {facts(
                vec![
                    ("Requested by", fact(row.owner.clone())),
                    ("Approved by", approved),
                    (
                        "Plan",
                        stack.plan_digest.as_deref().map_or_else(|| fact("none applied yet"), digest),
                    ),
                    ("Cost", fact(format!("{} a month, estimated", row.monthly))),
                    (
                        "Lives until",
                        row.expires_at.map_or_else(|| fact("deleted"), date),
                    ),
                    ("Posture", fact(posture_words(&row.posture))),
                    ("Subscription", fact(row.target.subscription_name.clone())),
                    ("Made", moment(row.created_at)),
                    ("Requests", requests),
                    ("Id", code(row.id.to_string())),
                ],
            )}
        </section>
    }
    .into_any()
}
