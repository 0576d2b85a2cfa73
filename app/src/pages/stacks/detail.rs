//! A stack's page: tabs in the address; *Now* shows what runs or how to reach it. It is live as long as something runs.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::access::Access;
use types::cost::CostEstimate;
use types::fault::AzureFault;
use types::ids::RequestId;
use types::operation::OperationDetail;
use types::page::Page;
use types::request::TimelineEntry;
use types::stack::{StackDetail, StackState};

use super::tabs::{activity, changes, cost, now, posture, resources};
use crate::api::Failure;
use crate::api::operations::operation;
use crate::api::requests::request;
use crate::api::stacks::{activity as earlier_activity, stack};
use crate::components::actions::Actions;
use crate::components::button::Look;
use crate::components::card::{CARD, code, fact, facts};
use crate::components::chip::{Tone, chip};
use crate::components::escaped;
use crate::components::fault::{cause, fault};
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

/// The stack with the operation that runs, or that ended last, and what it is planned to cost while nothing was applied yet.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Loaded {
    stack: StackDetail,
    operation: Option<OperationDetail>,
    planned: Option<CostEstimate>,
    /// Activity before the newest lines, where the address asks for it.
    earlier: Option<Page<TimelineEntry>>,
}

async fn read((id, before): (String, String)) -> Result<Loaded, Failure> {
    let id = id.parse().map_err(|_| Failure::not_found("stack"))?;
    let stack = stack(id).await?;
    let shown = stack
        .running
        .or_else(|| stack.operations.first().map(|operation| operation.id));
    let operation = match shown {
        Some(id) => operation(id).await.ok(),
        None => None,
    };
    let planned = match (&stack.cost, stack.requests.first()) {
        (None, Some(id)) => planned(*id).await,
        _ => None,
    };
    let earlier = match before.as_str() {
        "" => None,
        _ => Some(earlier_activity(stack.summary.id, before).await?),
    };
    Ok(Loaded {
        stack,
        operation,
        planned,
        earlier,
    })
}

/// What the plan of a request says about cost; nothing where it cannot be read, for the page says enough without.
async fn planned(id: RequestId) -> Option<CostEstimate> {
    Some(request(id).await.ok()?.plan?.cost)
}

pub(crate) fn page() -> AnyView {
    let (id, tab, before) = (param("id"), query("tab"), query("before"));
    let loaded = from_server(move || (id.get(), before.get()), read);
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
    // While an operation runs the reasons of all buttons come down to one.
    let running = stack.running.is_some();
    let gate = |access: &Access| match access {
        Access::Disabled { .. } if running => Access::disabled(
            "An operation is running; until it has ended, nothing else can be done.",
        ),
        other => other.clone(),
    };
    let post = |actions: Actions, access: &Access, look, action: &str, text| {
        actions.post(
            &gate(access),
            look,
            format!("{path}/{action}"),
            text,
            vec![],
        )
    };
    let change = crate::pages::address(
        &format!("/catalogue/{}/request", row.template.name),
        &[("stack", row.id.to_string())],
    );
    let mut actions = Actions::default();
    if let Some(operation) = loaded
        .operation
        .as_ref()
        .filter(|operation| !operation.summary.state.has_ended())
    {
        actions = actions.post(
            &operation.cancel,
            Look::Danger,
            format!("/operations/{}/cancel", operation.summary.id),
            "Cancel",
            vec![("next", path.clone())],
        );
    }
    let actions = post(actions, &access.retry, Look::Primary, "retry", "Retry");
    let actions = post(actions, &access.start, Look::Plain, "start", "Start");
    let actions = post(actions, &access.stop, Look::Plain, "stop", "Stop");
    let actions = post(actions, &access.restart, Look::Plain, "restart", "Restart")
        .link(&gate(&access.update), Look::Plain, change, "Change")
        .link(
            &gate(&access.extend),
            Look::Plain,
            format!("{path}/extend"),
            "Extend",
        )
        .link(
            &gate(&access.delete),
            Look::Danger,
            format!("{path}/delete"),
            "Delete",
        )
        .view();
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
        {region("fault", stack.fault.as_ref().map(|error| failed(error, loaded.operation.as_ref())))}
    }
    .into_any()
}

/// What it will cost, as long as nothing of it is there to cost anything.
fn planned_cost(loaded: &Loaded) -> Option<&CostEstimate> {
    matches!(
        loaded.stack.summary.state,
        StackState::Reserved | StackState::Provisioning
    )
    .then(|| loaded.stack.cost.as_ref().or(loaded.planned.as_ref()))
    .flatten()
}

/// What went wrong. Azure's words stand whole at the step that failed; here the cause is enough, unless no step can be shown.
fn failed(error: &AzureFault, operation: Option<&OperationDetail>) -> AnyView {
    let told = operation.filter(|operation| {
        operation.fault.is_some() || operation.steps.iter().any(|step| step.fault.is_some())
    });
    let detail = match told {
        Some(operation) => view! {
            <p>{cause(error)}</p>
            <p>
                <a class="underline" href=format!("/operations/{}", operation.summary.id)>"The operation"</a>
                " says at which step, and everything that Azure answered."
            </p>
        }
        .into_any(),
        None => fault(error),
    };
    notice(
        Tone::Deny,
        "The last operation failed; what exists is kept and costs",
        detail,
    )
}

fn shown(loaded: &Loaded, tab: &str) -> AnyView {
    let stack = &loaded.stack;
    let path = format!("/stacks/{}", stack.summary.id);
    let known = ["now", "resources", "posture", "cost", "changes", "activity"];
    let tab = if known.contains(&tab) { tab } else { "now" };
    let one = |name: &'static str, text, count: Option<usize>| Tab {
        text,
        count: count.map(|n| n.to_string()),
        href: crate::pages::address(&path, &[("tab", name.to_owned())]),
        current: tab == name,
    };
    let body = match tab {
        "resources" => resources(stack),
        "posture" => posture(stack),
        "cost" => cost(stack, planned_cost(loaded)),
        "changes" => changes(stack),
        "activity" => activity(stack, loaded.earlier.as_ref()),
        _ => now(stack, loaded.operation.as_ref()),
    };
    let title = (tab != "now").then(|| escaped::title(format!("{}: {tab}", stack.summary.name)));
    view! {
        {title}
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
        {columns(body, "About this stack", about(loaded))}
    }
    .into_any()
}

fn about(loaded: &Loaded) -> AnyView {
    let stack = &loaded.stack;
    let row = &stack.summary;
    let approved = fact(match row.state {
        _ if !stack.approved_by.is_empty() => stack.approved_by.join(", "),
        StackState::Reserved => "nobody yet".to_owned(),
        _ => "nobody had to".to_owned(),
    });
    let cost = fact(match planned_cost(loaded) {
        _ if row.state == StackState::Deleted => "nothing any more".to_owned(),
        Some(cost) => format!("{} a month, planned", cost.span()),
        None if stack.cost.is_none() => "not priced yet".to_owned(),
        None => format!(
            "{} a month at most, estimated",
            row.monthly.with_unknown(row.unpriced)
        ),
    });
    let lives = match (row.state, row.expires_at) {
        (StackState::Deleted, _) => ("Deleted", moment(row.updated_at)),
        (_, None) => ("Lives until", fact("deleted")),
        (_, Some(end)) => ("Lives until", date(end)),
    };
    let requests = stack
        .requests
        .iter()
        .map(|id| {
            view! {
                <a class="mr-2 inline-block min-w-6 py-0.5 underline" href=format!("/requests/{id}")>
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
                    ("Cost", cost),
                    lives,
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
