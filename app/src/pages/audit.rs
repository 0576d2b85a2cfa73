//! The audit record: who did what, in order, and whether it is the one that was written.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::audit::{AuditCheck, AuditEvent, AuditFilter, Finding};
use types::page::Page;

use crate::api::Failure;
use crate::api::audit::{audit, check_audit};
use crate::components::button::{self, Look};
use crate::components::card::{CARD, FOLD, empty};
use crate::components::chip::{Tone, chip_with};
use crate::components::icon::Icon;
use crate::components::load::load;
use crate::components::page::{head, notice};
use crate::components::time::{clock, date};
use crate::pages::list::{Choice, filters, pager, project_choices};
use crate::pages::{query, some};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Record {
    page: Page<AuditEvent>,
    check: Option<AuditCheck>,
}

async fn read(filter: AuditFilter) -> Result<Record, Failure> {
    let page = audit(filter).await?;
    let check = check_audit().await.ok();
    Ok(Record { page, check })
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
                chip(record.check.as_ref()),
                "Who did what, in order. Each line carries the hash of the line before; signed checkpoints leave the database.",
                button::link(Look::Plain, "/api/v1/audit/export", "Export (JSON lines)"),
            )}
            {proof(record.check.as_ref())}
            {bar}
            {table(&record.page, &filter.get_untracked())}
        }
        .into_any()
    })
}

fn chip(check: Option<&AuditCheck>) -> AnyView {
    let Some(check) = check else {
        return ().into_any();
    };
    match check.result {
        Finding::Ok if check.signed.is_some() => chip_with(Tone::Ok, Icon::Check, "Verified"),
        Finding::Ok => chip_with(Tone::Neutral, Icon::Clock, "Not signed yet"),
        Finding::NotSigned => chip_with(Tone::Warn, Icon::Warning, "Not signed"),
        _ => chip_with(Tone::Deny, Icon::Cross, "Not verified"),
    }
}

/// What the check means, in words: how many entries, what is signed, what is not, and what to do where it is not the record that was written.
fn proof(check: Option<&AuditCheck>) -> AnyView {
    let Some(check) = check else {
        return notice(
            Tone::Warn,
            "The record could not be checked",
            "Load the page again in a moment.".into_any(),
        );
    };
    if check.result.is_bad() {
        let title = match check.first_bad {
            Some(line) => format!("Not verified: {} at line {line}", words(check.result)),
            None => format!("Not verified: {}", words(check.result)),
        };
        return notice(
            Tone::Deny,
            title,
            view! {
                <p>{check.detail.clone()}</p>
                <p>{proven(check)}</p>
                <p>
                    "A restore from a backup also ends here. An administrator finds what to do under "
                    "“When a check fails” in the operator's guide, docs/audit.md."
                </p>
            }
            .into_any(),
        );
    }
    let entries = entries(check.lines);
    if check.result == Finding::NotSigned {
        return notice(
            Tone::Warn,
            format!("{entries}, hash chain verified; not signed"),
            "Without a key outside the database, whoever can write the database can make all of it anew. An administrator sets one with --audit-key."
                .into_any(),
        );
    }
    let Some(signed) = &check.signed else {
        return notice(
            Tone::Neutral,
            format!("{entries}, hash chain verified; not signed yet"),
            "The first checkpoint comes within minutes.".into_any(),
        );
    };
    view! {
        <p class="mb-4 text-ink-2">
            {format!("{entries}, hash chain verified; signed up to {} at ", signed.seq)}
            {clock(signed.at)} " UTC, " {date(signed.at)} ". "
            {match check.unsigned {
                0 => "Nobody changed them since without the signing key.".to_owned(),
                n => {
                    format!(
                        "Nobody changed these since without the signing key; the last {} are not signed yet.",
                        entries_short(n),
                    )
                }
            }}
        </p>
    }
    .into_any()
}

fn entries(lines: i64) -> String {
    match lines {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    }
}

fn entries_short(lines: i64) -> String {
    match lines {
        1 => "one".to_owned(),
        n => n.to_string(),
    }
}

fn proven(check: &AuditCheck) -> String {
    match &check.signed {
        Some(signed) => format!(
            "Verified: lines 1 to {}. What comes after is not.",
            signed.seq
        ),
        None => "No line is verified.".to_owned(),
    }
}

/// A finding as a title has it.
fn words(finding: Finding) -> &'static str {
    match finding {
        Finding::Ok => "all fits",
        Finding::NotSigned => "not signed",
        Finding::Rewritten => "the record was rewritten",
        Finding::Cut => "lines are missing",
        Finding::Reordered => "the record was reordered",
        Finding::Duplicated => "a line comes twice",
        Finding::Emptied => "the record was emptied",
        Finding::Rebuilt => "the record was rebuilt",
        Finding::ForeignCheckpoint => "a checkpoint is signed by somebody else",
        Finding::CheckpointsMissing => "checkpoints are missing",
        Finding::TextAltered => "a comment or decision was changed",
        Finding::TextRemoved => "a comment or decision is gone",
        Finding::TextAdded => "a comment or decision was put in",
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
