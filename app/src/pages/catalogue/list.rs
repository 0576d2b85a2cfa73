//! The cards of the catalogue, filtered by kind, processor and words; the filter is the address.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::catalogue::{Architecture, TemplateKind, TemplateSummary};

use crate::api::catalogue::templates;
use crate::components::button::{Look, classes};
use crate::components::card::{CARD, empty};
use crate::components::chip::chip;
use crate::components::field::INPUT;
use crate::components::icon::icon_in;
use crate::components::load::load;
use crate::components::page::plain_head;
use crate::components::verdict::posture_chip;
use crate::pages::{address, query};
use crate::words;

#[derive(Clone, PartialEq)]
struct Filter {
    kind: String,
    arch: String,
    text: String,
}

pub(crate) fn page() -> AnyView {
    let (kind, arch, text) = (query("kind"), query("arch"), query("text"));
    let cards = from_server(|| (), |()| templates());
    view! {
        {plain_head(
            "Catalogue",
            "Hardened templates for Linux on Azure. Every default is explained on the template's page.",
        )}
        {load(
            cards,
            move |templates| {
                (move || {
                    let filter = Filter { kind: kind.get(), arch: arch.get(), text: text.get() };
                    shown(&templates, &filter)
                })
                    .into_any()
            },
        )}
    }
    .into_any()
}

fn shown(templates: &[TemplateSummary], filter: &Filter) -> AnyView {
    let words = filter.text.to_lowercase();
    let fits = |template: &&TemplateSummary, kind: &str, arch: &str| {
        (kind.is_empty() || is_kind(template.kind, kind))
            && (arch.is_empty()
                || template
                    .architectures
                    .iter()
                    .any(|a| words::architecture(*a).eq_ignore_ascii_case(arch)))
            && (words.is_empty()
                || format!(
                    "{} {} {}",
                    template.title, template.summary, template.template
                )
                .to_lowercase()
                .contains(&words))
    };
    let count = |kind: &str| {
        templates
            .iter()
            .filter(|t| fits(t, kind, &filter.arch))
            .count()
    };
    let kinds = [("", "All"), ("vm", "Virtual machine"), ("aks", "AKS")].map(|(kind, label)| {
        segment(
            format!("{label} {}", count(kind)),
            address(
                "/catalogue",
                &[
                    ("kind", kind.to_owned()),
                    ("arch", filter.arch.clone()),
                    ("text", filter.text.clone()),
                ],
            ),
            filter.kind == kind,
        )
    });
    let architectures = [("", "Any"), ("x64", "x64"), ("arm", "Arm")].map(|(arch, label)| {
        segment(
            label.to_owned(),
            address(
                "/catalogue",
                &[
                    ("kind", filter.kind.clone()),
                    ("arch", arch.to_owned()),
                    ("text", filter.text.clone()),
                ],
            ),
            filter.arch == arch,
        )
    });
    let cards: Vec<_> = templates
        .iter()
        .filter(|t| fits(t, &filter.kind, &filter.arch))
        .map(card)
        .collect();
    let none = cards.is_empty();
    view! {
        <div class="mb-4 flex flex-wrap items-center gap-2">
            <form method="get" action="/catalogue" role="search" class="flex w-full gap-2 sm:w-80">
                <input type="hidden" name="kind" value=filter.kind.clone()/>
                <input type="hidden" name="arch" value=filter.arch.clone()/>
                <label class="sr-only" for="filter-text">"Filter templates"</label>
                <input
                    class=INPUT
                    id="filter-text"
                    type="search"
                    name="text"
                    placeholder="Filter templates"
                    value=filter.text.clone()
                />
                <button type="submit" class=classes(Look::Plain)>"Filter"</button>
            </form>
            <nav aria-label="Kind" class="inline-flex overflow-hidden rounded-[7px] border border-edge">
                {kinds.into_iter().collect::<Vec<_>>()}
            </nav>
            <nav aria-label="Processor" class="inline-flex overflow-hidden rounded-[7px] border border-edge">
                {architectures.into_iter().collect::<Vec<_>>()}
            </nav>
        </div>
        {if none {
            empty(
                "No template fits this filter",
                view! { <a class="underline" href="/catalogue">"Show all templates"</a> }.into_any(),
            )
        } else {
            view! {
                <ul class="grid grid-cols-1 gap-3.5 sm:grid-cols-2 xl:grid-cols-3 3xl:grid-cols-4">{cards}</ul>
            }
                .into_any()
        }}
    }
    .into_any()
}

fn is_kind(kind: TemplateKind, wanted: &str) -> bool {
    match wanted {
        "vm" => kind == TemplateKind::VirtualMachine,
        "aks" => kind != TemplateKind::VirtualMachine,
        _ => true,
    }
}

fn segment(text: String, href: String, current: bool) -> AnyView {
    view! {
        <a
            class="border-r border-edge bg-surface px-3 py-1.5 font-[540] whitespace-nowrap text-ink-2 -outline-offset-2 last:border-r-0 hover:bg-sunken aria-[current=true]:bg-accent-bg aria-[current=true]:text-accent"
            href=href
            aria-current=current.then_some("true")
        >
            {text}
        </a>
    }
    .into_any()
}

fn card(template: &TemplateSummary) -> AnyView {
    let (kind, sign) = words::template_kind(template.kind);
    let (tone, support) = words::support(template.support);
    let href = format!("/catalogue/{}", template.template.name);
    let processors = template
        .architectures
        .iter()
        .map(|a: &Architecture| words::architecture(*a))
        .collect::<Vec<_>>()
        .join(" or ");
    let price = template.monthly_from.map_or_else(
        || view! { <span class="text-ink-3">"no price known"</span> }.into_any(),
        |from| {
            let note = if template.price_is_sample {
                " (sample price)"
            } else {
                ""
            };
            view! {
                <span>
                    "from "<b class="font-[640] text-ink">{from.to_string()}</b>" a month"{note}
                </span>
            }
            .into_any()
        },
    );
    view! {
        <li class=format!("{CARD} relative flex flex-col px-4 py-3.5 focus-within:border-accent hover:border-accent")>
            <div class="flex items-start gap-[11px]">
                <span class="mt-0.5 text-accent">{icon_in(sign, "size-[18px]")}</span>
                <div class="min-w-0 flex-1">
                    <h2>
                        <a class="after:absolute after:inset-0 after:rounded-card" href=href>
                            {template.title.clone()}
                        </a>
                    </h2>
                    <p class="text-xs text-ink-3 wrap-anywhere">
                        {format!(
                            "{} {} · {} {}",
                            template.template.name,
                            template.template.version,
                            template.os.name,
                            template.os.version,
                        )}
                    </p>
                </div>
                {chip(tone, support)}
            </div>
            <p class="mt-2.5 mb-3 text-ink-2">{template.summary.clone()}</p>
            <p class="mt-auto mb-2 text-xs text-ink-3">{format!("{kind}, {processors}")}</p>
            <div class="flex flex-wrap items-center gap-2">
                {posture_chip(&template.posture)}
                <span class="ml-auto text-xs text-ink-2">{price}</span>
            </div>
        </li>
    }
    .into_any()
}
