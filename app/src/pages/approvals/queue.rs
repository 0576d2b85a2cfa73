//! The approvals queue: rows on the left, the selected request on the right, decided by mouse or keyboard. Tab and selection are the address.

use std::time::Duration;

use leptos::prelude::*;
use types::approval::{ApprovalCount, ApprovalItem, ApprovalTab};
use types::ids::RequestId;
use types::page::Page;
use types::request::RequestDetail;

use super::keys::Keys;
use crate::api::Failure;
use crate::api::approvals::{approvals, usual_minutes};
use crate::api::requests::request;
use crate::api::wire::from_server;
use crate::components::card::{CARD, empty};
use crate::components::chip::{Tone, chip};
use crate::components::cost::change;
use crate::components::load::load;
use crate::components::page::{columns, columns_aside_first, head, notice};
use crate::components::tabs::{Tab, tabs};
use crate::components::time::{span, usually};
use crate::components::verdict::posture_chip;
use crate::live::{live_every, region};
use crate::pages::list::pager;
use crate::pages::requests::{decide::decide, detail::brief, list::title};
use crate::pages::{address, query, some};
use crate::session::Waiting;
use crate::words::{request_state, waiting, written_by};

/// A page may make 75 plans, each kept for some seconds: it is not fetched more often than that helps.
const REST: Duration = Duration::from_secs(3);

/// One tab's rows, how many wait, and the selected request.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Queue {
    tab: ApprovalTab,
    page: Page<ApprovalItem>,
    /// Where the page begins; rows keep it in their addresses, so that a row is selected on the page that it is on.
    cursor: Option<String>,
    mine: ApprovalCount,
    usual: Option<u32>,
    chosen: Option<RequestId>,
    /// The selected request, or why it cannot be shown: the rows are there all the same.
    selected: Option<Result<RequestDetail, Failure>>,
    /// True when the address names the selected one: on a phone it then stands before the rows.
    opened: bool,
}

pub(crate) fn page() -> AnyView {
    let (tab, selected, cursor) = (query("tab"), query("selected"), query("cursor"));
    let mine = use_context::<Option<Waiting>>().flatten();
    let queue = from_server(
        move || (tab_of(&tab.get()), selected.get(), some(cursor.get())),
        move |(tab, selected, cursor)| read(tab, selected, cursor, mine),
    );
    load(queue, |queue| show(&queue))
}

async fn read(
    tab: ApprovalTab,
    selected: String,
    cursor: Option<String>,
    mine: Option<Waiting>,
) -> Result<Queue, Failure> {
    let page = approvals(tab, cursor.clone()).await?;
    let mut mine = match mine {
        Some(Waiting(count)) => count.await.unwrap_or_default(),
        None => ApprovalCount::default(),
    };
    // The rows are judged by the facts of now, the count by those of then: where they are all here, they are the count.
    if tab == ApprovalTab::Mine && cursor.is_none() && page.next_cursor.is_none() {
        mine.mine = page.items.len() as u64;
        mine.more = false;
    }
    let usual = usual_minutes().await.ok().flatten();
    let named = selected
        .parse()
        .ok()
        .filter(|id: &RequestId| page.items.iter().any(|item| item.request.id == *id));
    let chosen = named.or_else(|| page.items.first().map(|item| item.request.id));
    let selected = match chosen {
        Some(id) => Some(request(id).await),
        None => None,
    };
    Ok(Queue {
        tab,
        page,
        cursor,
        mine,
        usual,
        chosen,
        selected,
        opened: named.is_some(),
    })
}

fn tab_of(text: &str) -> ApprovalTab {
    match text {
        "all" => ApprovalTab::All,
        "decided" => ApprovalTab::Decided,
        _ => ApprovalTab::Mine,
    }
}

fn name_of(tab: ApprovalTab) -> &'static str {
    match tab {
        ApprovalTab::Mine => "mine",
        ApprovalTab::All => "all",
        ApprovalTab::Decided => "decided",
    }
}

fn show(queue: &Queue) -> AnyView {
    let sentence = match (queue.mine.mine, queue.mine.more) {
        (0, false) => "Nothing waits for you.".to_owned(),
        (0, true) => "There may be requests for you on later pages.".to_owned(),
        (1, false) => "One request waits for you.".to_owned(),
        _ => format!("{} requests wait for you.", waiting(&queue.mine)),
    };
    let sentence = match queue.usual {
        Some(minutes) => format!("{sentence} A decision usually takes {}.", usually(minutes)),
        None => sentence,
    };
    let tab = |which: ApprovalTab, text, count| Tab {
        text,
        count,
        href: address("/approvals", &[("tab", name_of(which).to_owned())]),
        current: queue.tab == which,
    };
    view! {
        {live_every(Some("/api/v1/events".to_owned()), REST)}
        {head("Approvals", vec![], ().into_any(), sentence, view! { <Keys/> }.into_any())}
        {region("tabs", tabs(
            "Which approvals",
            vec![
                tab(ApprovalTab::Mine, "Waiting for me", Some(waiting(&queue.mine))),
                tab(ApprovalTab::All, "All waiting", None),
                tab(ApprovalTab::Decided, "Decided by me", None),
            ],
        ))}
        {if queue.page.items.is_empty() {
            view! {
                <section class=CARD>
                    {empty(
                        match queue.tab {
                            _ if queue.page.next_cursor.is_some() => "No requests for you on this page",
                            ApprovalTab::Mine if queue.cursor.is_some() => "Nothing more waits for you",
                            ApprovalTab::Mine => "Nothing waits for you",
                            ApprovalTab::All => "Nothing waits for anybody",
                            ApprovalTab::Decided => "You have decided nothing yet",
                        },
                        view! {
                            "A request appears here when a guardrail wants the approval of a group that you belong to. "
                            {(queue.tab == ApprovalTab::Mine)
                                .then(|| view! { <a class="underline" href="/approvals?tab=all">"See all that wait"</a> })}
                            {(queue.tab == ApprovalTab::All)
                                .then(|| view! { <a class="underline" href="/requests">"See all requests"</a> })}
                        }
                            .into_any(),
                    )}
                </section>
                {paging(queue)}
            }
                .into_any()
        } else {
            let lay = if queue.opened { columns_aside_first } else { columns };
            lay(region("rows", table(queue)), "The selected request", region("pane", pane(queue)))
        }}
    }
    .into_any()
}

fn table(queue: &Queue) -> AnyView {
    let rows = queue
        .page
        .items
        .iter()
        .map(|item| row(item, queue))
        .collect::<Vec<_>>();
    view! {
        <section class=CARD id="queue" tabindex="-1">
            <table class="rows">
                <caption class="sr-only">"Requests that wait for approval"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Request"</th>
                        <th scope="col">"Why you"</th>
                        <th scope="col">"Verdict"</th>
                        <th scope="col" class="num">"Cost a month"</th>
                        <th scope="col" class="num">"Waiting"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
        {paging(queue)}
    }
    .into_any()
}

fn paging(queue: &Queue) -> AnyView {
    pager(
        "/approvals",
        queue.page.next_cursor.clone(),
        None,
        vec![("tab", name_of(queue.tab).to_owned())],
        queue.cursor.is_some(),
    )
}

fn row(item: &ApprovalItem, queue: &Queue) -> AnyView {
    let request = &item.request;
    let waiting = crate::clock::now()
        .since(item.waiting_since)
        .whole_seconds();
    let tone = match waiting {
        ..3_600 => "text-ink-2",
        3_600..10_800 => "text-warn",
        _ => "text-deny",
    };
    let current = queue.chosen == Some(request.id);
    let href = address(
        "/approvals",
        &[
            ("tab", name_of(queue.tab).to_owned()),
            ("selected", request.id.to_string()),
            ("cursor", queue.cursor.clone().unwrap_or_default()),
        ],
    );
    let link = view! {
        <a class="font-[600] hover:underline" href=href data-queue="row" data-request=request.id.to_string() aria-current=current.then_some("true")>
            {title(request)}
        </a>
    };
    if item.withheld {
        let (tone, state) = request_state(request.state);
        return view! {
            <tr aria-current=current.then_some("true")>
                <th scope="row">{link}</th>
                <td class="whole text-xs">{item.why.clone()}</td>
                <td>{chip(tone, state)}</td>
                <td></td>
                <td></td>
            </tr>
        }
        .into_any();
    }
    view! {
        <tr aria-current=current.then_some("true")>
            <th scope="row">
                {link}
                <div class="text-xs text-ink-2">
                    {format!("{} · {}", request.project, request.template)}
                </div>
                <div class="text-xs text-ink-2">{written_by(&request.requester, &item.authors)}</div>
                <div class="text-xs text-ink-3">{item.summary.clone()}</div>
            </th>
            <td class="whole text-xs">{item.why.clone()}</td>
            <td>
                {posture_chip(&request.posture)}
                {(request.denials > 0)
                    .then(|| {
                        view! { " " {chip(Tone::Deny, format!("{} denied", request.denials))} }
                    })}
                {(request.warnings > 0)
                    .then(|| {
                        view! {
                            " "
                            {chip(
                                Tone::Warn,
                                format!(
                                    "{} warning{}",
                                    request.warnings,
                                    if request.warnings == 1 { "" } else { "s" },
                                ),
                            )}
                        }
                    })}
            </td>
            <td class="num">{change(request.monthly_change, request.unpriced)}</td>
            <td class=format!("num {tone}")>{span(waiting)}</td>
        </tr>
    }
    .into_any()
}

fn pane(queue: &Queue) -> AnyView {
    let request = match &queue.selected {
        None => return ().into_any(),
        Some(Err(failure)) => return not_shown(failure),
        Some(Ok(request)) => request,
    };
    let next = address("/approvals", &[("tab", name_of(queue.tab).to_owned())]);
    view! {
        <section class=CARD>
            <header class="border-b border-line px-4 py-[11px]">
                <h2>
                    <a class="hover:underline" href=format!("/requests/{}", request.summary.id)>
                        {title(&request.summary)}
                    </a>
                </h2>
            </header>
            <div class="grid grid-cols-1 gap-3.5 px-4 py-3.5">
                {brief(request)} {decide(request, next, None)}
                <a class="inline-block py-[3px] text-xs underline" href=format!("/requests/{}", request.summary.id)>
                    "Everything about this request"
                </a>
            </div>
        </section>
    }
    .into_any()
}

/// Why the selected request cannot be shown.
fn not_shown(failure: &Failure) -> AnyView {
    let code = failure.code.clone();
    notice(
        Tone::Deny,
        failure.title.clone(),
        view! {
            {failure.detail.clone()} " "
            <a class="underline" href=format!("/docs/problems#{code}")>"What this means"</a>
        }
        .into_any(),
    )
}
