//! The audit record: who did what, in order, and whether the chain holds.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::audit::{AuditEvent, AuditFilter, ChainCheck};
use types::page::Page;

use crate::api::Failure;
use crate::api::audit::{audit, check_audit_chain};
use crate::components::card::{CARD, FOLD, empty};
use crate::components::chip::{Tone, chip_with};
use crate::components::icon::Icon;
use crate::components::load::load;
use crate::components::page::head;
use crate::components::time::{clock, date};
use crate::pages::list::{Choice, filters, pager, project_choices};
use crate::pages::{query, some};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Record {
    page: Page<AuditEvent>,
    chain: Option<ChainCheck>,
}

async fn read(filter: AuditFilter) -> Result<Record, Failure> {
    let page = audit(filter).await?;
    let chain = check_audit_chain().await.ok();
    Ok(Record { page, chain })
}

pub(crate) fn page() -> AnyView {
    let (project, actor, action, text, cursor) = (
        query("project"),
        query("actor"),
        query("action"),
        query("text"),
        query("cursor"),
    );
    let subject = query("subject_id");
    let filter = Memo::new(move |_| AuditFilter {
        project: project.get().parse().ok(),
        actor: some(actor.get()).or_else(|| some(text.get())),
        action: some(action.get()),
        subject_id: some(subject.get()),
        cursor: some(cursor.get()),
        limit: None,
    });
    let record = from_server(move || filter.get(), read);
    let bar = move || {
        let filter = filter.get();
        let actions = [
            ("", "All actions"),
            ("request", "Requests"),
            ("stack", "Stacks"),
            ("operation", "Operations"),
            ("token", "Tokens"),
            ("person", "Sign-in"),
        ]
        .map(|(value, label)| (value.to_owned(), label.to_owned()))
        .to_vec();
        filters(
            "/audit",
            "Who, exactly",
            filter.actor.unwrap_or_default(),
            vec![
                Choice {
                    name: "project",
                    label: "Project",
                    choices: project_choices(),
                    chosen: filter.project.map(String::from).unwrap_or_default(),
                },
                Choice {
                    name: "action",
                    label: "Action",
                    choices: actions,
                    chosen: filter.action.unwrap_or_default(),
                },
            ],
        )
    };
    load(record, move |record| {
        view! {
            {head(
                "Audit",
                vec![],
                chain(record.chain.as_ref()),
                "Who did what, in order. Each line carries the hash of the line before.",
                ().into_any(),
            )}
            {bar}
            {table(&record.page, &filter.get_untracked())}
        }
        .into_any()
    })
}

fn chain(check: Option<&ChainCheck>) -> AnyView {
    match check {
        None => ().into_any(),
        Some(ChainCheck {
            lines,
            broken_at: None,
        }) => chip_with(
            Tone::Ok,
            Icon::Check,
            format!("chain of {lines} lines holds"),
        ),
        Some(ChainCheck {
            broken_at: Some(at),
            ..
        }) => chip_with(
            Tone::Deny,
            Icon::Cross,
            format!("chain broken at line {at}"),
        ),
    }
}

fn table(page: &Page<AuditEvent>, filter: &AuditFilter) -> AnyView {
    if page.items.is_empty() {
        return view! {
            <section class=CARD>
                {empty(
                    "No line fits",
                    view! { <a class="underline" href="/audit">"Show the whole record"</a> }.into_any(),
                )}
            </section>
        }
        .into_any();
    }
    let rows = page.items.iter().map(row).collect::<Vec<_>>();
    view! {
        <section class=CARD>
            <table class="rows">
                <caption class="sr-only">"Audit record, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Line"</th>
                        <th scope="col">"When, UTC"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"About"</th>
                        <th scope="col">"Hash"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
        {pager(
            "/audit",
            page.next_cursor.clone(),
            page.total,
            vec![
                ("project", filter.project.clone().map(String::from).unwrap_or_default()),
                ("actor", filter.actor.clone().unwrap_or_default()),
                ("action", filter.action.clone().unwrap_or_default()),
                ("subject_id", filter.subject_id.clone().unwrap_or_default()),
            ],
            filter.cursor.is_some(),
        )}
    }
    .into_any()
}

fn row(event: &AuditEvent) -> AnyView {
    let href = match event.subject_kind.as_str() {
        "request" => Some(format!("/requests/{}", event.subject_id)),
        "stack" => Some(format!("/stacks/{}", event.subject_id)),
        "operation" => Some(format!("/operations/{}", event.subject_id)),
        _ => None,
    };
    let name = if event.subject_name.is_empty() {
        event.subject_id.clone()
    } else {
        event.subject_name.clone()
    };
    let detail = match &event.detail {
        serde_json::Value::Null => None,
        serde_json::Value::Object(map) if map.is_empty() => None,
        other => serde_json::to_string_pretty(other).ok(),
    };
    let hash: String = event.hash.chars().take(10).collect();
    view! {
        <tr>
            <td class="text-ink-3" data-label="line">{event.seq}</td>
            <td class="whitespace-nowrap">{date(event.at)} " " {clock(event.at)}</td>
            <td>
                {event.actor.clone()}
                <div class="text-xs text-ink-3">{event.via.clone()}</div>
            </td>
            <td class="whole">
                <code>{event.action.clone()}</code>
                {detail
                    .map(|text| {
                        view! {
                            <details class="text-xs text-ink-2">
                                <summary class=FOLD>"Details"</summary>
                                <pre class="max-w-[60vw] overflow-x-auto lg:max-w-md" tabindex="0">{text}</pre>
                            </details>
                        }
                    })}
            </td>
            <td class="wrap-anywhere">
                {match href {
                    Some(href) => view! { <a class="underline" href=href>{name}</a> }.into_any(),
                    None => name.into_any(),
                }}
                <div class="text-xs text-ink-3">
                    {event.subject_kind.clone()} {event.project.as_ref().map(|project| format!(" · {project}"))}
                </div>
            </td>
            <td data-label="hash">
                <code class="text-xs text-ink-3" title=event.hash.clone()>{hash}</code>
            </td>
        </tr>
    }
    .into_any()
}
