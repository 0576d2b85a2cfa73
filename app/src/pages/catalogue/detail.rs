//! A template's page: what it provisions, every hardening default with its reason, controls, versions, documentation, the ARM template.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::actor::Right;
use types::catalogue::{Lifecycle, TemplateDetail};

use crate::api::catalogue::template;
use crate::components::button::{Look, link};
use crate::components::card::{CARD, card, code, fact, facts, padded};
use crate::components::chip::{Tone, chip};
use crate::components::icon::{Icon, icon_in};
use crate::components::load::load;
use crate::components::page::{columns, head, notice};
use crate::components::verdict::{controls, posture_bar, posture_words, say, source};
use crate::pages::{param, query, some};
use crate::session::use_session;
use crate::words;

pub(crate) fn page() -> AnyView {
    let (name, version) = (param("name"), query("version"));
    let detail = from_server(
        move || (name.get(), some(version.get())),
        |(name, version)| template(name, version),
    );
    load(detail, |detail| show(&detail))
}

fn show(detail: &TemplateDetail) -> AnyView {
    let TemplateDetail {
        summary, manifest, ..
    } = detail;
    let at = &summary.template;
    let (tone, support) = words::support(summary.support);
    let (life_tone, life) = words::lifecycle(summary.lifecycle);
    let may = use_session()
        .actor
        .is_some_and(|actor| actor.may_somewhere(Right::Request));
    let request = match summary.lifecycle {
        _ if !may => crate::components::button::off(
            "Request",
            format!(
                "This needs the role {} in a project.",
                Right::Request.needs()
            ),
        ),
        Lifecycle::Published | Lifecycle::Deprecated => link(
            Look::Primary,
            format!("/catalogue/{}/request?version={}", at.name, at.version),
            "Request",
        ),
        Lifecycle::Draft | Lifecycle::Retired => crate::components::button::off(
            "Request",
            format!("Version {} is {}.", at.version, life.to_lowercase()),
        ),
    };
    let main = view! {
        {manifest
            .support_note
            .clone()
            .map(|note| notice(if tone == Tone::Warn { Tone::Warn } else { Tone::Neutral }, support, note.into_any()))}
        {padded(
            "What it provisions",
            "",
            view! {
                <ul class="list-disc pl-5">
                    {manifest
                        .provisions
                        .iter()
                        .map(|text| view! { <li>{text.clone()}</li> })
                        .collect::<Vec<_>>()}
                </ul>
            }
                .into_any(),
        )}
        {hardening(detail)}
        {card(
            "Controls with the defaults",
            posture_words(&summary.posture),
            controls(&detail.controls, &say),
        )}
        {connect(detail)}
        <section class=format!("{CARD} px-4 py-3.5")>
            <h2 class="mb-2">"Documentation"</h2>
            <div class="prose" inner_html=detail.documentation_html.clone()></div>
        </section>
        {arm(detail)}
    }
    .into_any();
    let aside = view! {
        <section class=format!("{CARD} px-4 py-3.5")>
            {facts(
                vec![
                    ("Kind", fact(words::template_kind(summary.kind).0)),
                    ("System", fact(format!("{} {}", summary.os.name, summary.os.version))),
                    (
                        "Processor",
                        fact(
                            summary
                                .architectures
                                .iter()
                                .map(|a| words::architecture(*a))
                                .collect::<Vec<_>>()
                                .join(", "),
                        ),
                    ),
                    (
                        "Tiers",
                        fact(
                            manifest
                                .tiers
                                .iter()
                                .map(|t| words::tier(*t))
                                .collect::<Vec<_>>()
                                .join(", "),
                        ),
                    ),
                    ("Price from", fact(price(detail))),
                    ("Posture", posture_bar(&summary.posture)),
                    ("Content", code(detail.content_hash.chars().take(12).collect::<String>())),
                ],
            )}
        </section>
        {versions(detail)}
    }
    .into_any();
    view! {
        {head(
            summary.title.clone(),
            vec![("Catalogue".into(), "/catalogue".into())],
            view! {
                {chip(tone, support)}
                {(summary.lifecycle != Lifecycle::Published).then(|| chip(life_tone, life))}
            }
                .into_any(),
            format!("{} {} · {}", at.name, at.version, summary.summary),
            request,
        )}
        {columns(main, "About this template", aside)}
    }
    .into_any()
}

fn price(detail: &TemplateDetail) -> String {
    match detail.summary.monthly_from {
        None => "not known".to_owned(),
        Some(from) if detail.summary.price_is_sample => format!("{from} a month (sample price)"),
        Some(from) => format!("{from} a month"),
    }
}

fn hardening(detail: &TemplateDetail) -> AnyView {
    let defaults = detail
        .manifest
        .hardening
        .iter()
        .map(|default| {
            let docs = default.source.clone();
            view! {
                <li class="flex gap-[9px] border-t border-line px-4 py-2.5 first:border-t-0">
                    <span class="mt-1 text-ok">{icon_in(Icon::Shield, "size-[15px]")}</span>
                    <div class="min-w-0">
                        <h3>{default.title.clone()}</h3>
                        <p class="text-ink-2">{default.reason.clone()}</p>
                        <p class="mt-0.5 text-xs text-ink-3 wrap-anywhere">
                            <code>{default.setting.clone()}</code>
                            {(!default.controls.is_empty())
                                .then(|| format!(" · {}", default.controls.join(", ")))}
                        </p>
                        {docs.map(|docs| view! { <div class="text-xs text-ink-3">{source(docs)}</div> })}
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    card(
        "Hardening defaults",
        format!("{} settings, each with its reason", defaults.len()),
        view! { <ul>{defaults}</ul> }.into_any(),
    )
}

fn connect(detail: &TemplateDetail) -> Option<AnyView> {
    let lines = &detail.manifest.connect;
    (!lines.is_empty()).then(|| {
        padded(
            "How to reach it",
            "",
            view! {
                <ul class="grid grid-cols-1 gap-3">
                    {lines
                        .iter()
                        .map(|way| {
                            view! {
                                <li>
                                    <h3>{way.title.clone()}</h3>
                                    <pre class="mt-1 overflow-x-auto rounded-md bg-sunken px-3 py-2" tabindex="0">
                                        {way.command.clone()}
                                    </pre>
                                    {way
                                        .note
                                        .clone()
                                        .map(|note| view! { <p class="mt-1 text-xs text-ink-3">{note}</p> })}
                                </li>
                            }
                        })
                        .collect::<Vec<_>>()}
                </ul>
            }
            .into_any(),
        )
    })
}

fn versions(detail: &TemplateDetail) -> AnyView {
    let current = detail.summary.template.version.clone();
    let name = detail.summary.template.name.clone();
    let rows = detail
        .versions
        .iter()
        .map(|row| {
            let (tone, life) = words::lifecycle(row.lifecycle);
            let shown = row.version == current;
            view! {
                <li class="border-t border-line px-4 py-2.5 first:border-t-0">
                    <div class="flex items-center gap-2">
                        <a
                            class="inline-block py-0.5 font-[580] hover:underline"
                            href=format!("/catalogue/{name}?version={}", row.version)
                            aria-current=shown.then_some("true")
                        >
                            {row.version.to_string()}
                        </a>
                        {shown.then(|| view! { <span class="text-xs text-ink-3">"shown"</span> })}
                        <span class="ml-auto">{chip(tone, life)}</span>
                    </div>
                    <ul class="mt-1 list-disc pl-5 text-xs text-ink-2">
                        {row.changes.iter().map(|text| view! { <li>{text.clone()}</li> }).collect::<Vec<_>>()}
                    </ul>
                </li>
            }
        })
        .collect::<Vec<_>>();
    card("Versions", "", view! { <ul>{rows}</ul> }.into_any())
}

fn arm(detail: &TemplateDetail) -> AnyView {
    let text = serde_json::to_string_pretty(&detail.arm).unwrap_or_default();
    view! {
        <section class=CARD>
            <details>
                <summary class="flex items-center gap-2 px-4 py-[11px] hover:bg-sunken">
                    <h2>"ARM template"</h2>
                    <span class="ml-auto text-xs text-ink-3">"main.json, as Azure receives it"</span>
                </summary>
                <pre class="max-h-[32rem] overflow-auto border-t border-line bg-sunken px-4 py-3.5" tabindex="0">
                    {text}
                </pre>
            </details>
        </section>
    }
    .into_any()
}
