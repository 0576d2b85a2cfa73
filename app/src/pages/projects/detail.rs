//! A project's page: per tier what may be used and spent, and who belongs.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::project::{ProjectDetail, Tier, TierSettings};

use crate::api::projects::project;
use crate::components::button::{Look, link};
use crate::components::card::{card, fact, facts, padded};
use crate::components::cost::budget;
use crate::components::load::load;
use crate::components::page::{columns, head};
use crate::pages::{address, param};
use crate::words;

pub(crate) fn page() -> AnyView {
    let name = param("name");
    let detail = from_server(move || name.get(), project);
    load(detail, |detail| show(&detail))
}

fn show(project: &ProjectDetail) -> AnyView {
    let settings = &project.settings;
    let here = |path: &str| address(path, &[("project", settings.name.to_string())]);
    let tiers = settings
        .tiers
        .iter()
        .map(|(tier, tier_settings)| self::tier(project, *tier, tier_settings))
        .collect::<Vec<_>>()
        .into_any();
    let members = project
        .members
        .iter()
        .map(|member| {
            view! {
                <li class="flex gap-2 border-t border-line px-4 py-2 first:border-t-0">
                    <span class="min-w-0 flex-1 wrap-anywhere">{member.name.clone()}</span>
                    <span class="text-ink-2">{member.role.as_str()}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let tags = settings
        .default_tags
        .iter()
        .map(|(name, value)| view! { <li class="wrap-anywhere"><code>{format!("{name}={value}")}</code></li> })
        .collect::<Vec<_>>();
    let aside = view! {
        {card("Members", format!("{}", project.members.len()), view! { <ul>{members}</ul> }.into_any())}
        {(!tags.is_empty())
            .then(|| padded("Tags of every resource", "", view! { <ul>{tags}</ul> }.into_any()))}
    }
    .into_any();
    view! {
        {head(
            settings.title.clone(),
            vec![("Projects".into(), "/projects".into())],
            ().into_any(),
            format!("{} · cost centre {}", settings.name, settings.cost_centre),
            view! {
                {link(Look::Plain, here("/stacks"), "Stacks")} {link(Look::Plain, here("/requests"), "Requests")}
            }
                .into_any(),
        )}
        {columns(tiers, "Members and tags", aside)}
    }
    .into_any()
}

fn tier(project: &ProjectDetail, tier: Tier, settings: &TierSettings) -> AnyView {
    let stacks = project.stacks.get(&tier).copied().unwrap_or_default();
    let list = |items: Vec<String>| {
        if items.is_empty() {
            fact("none")
        } else {
            view! { <ul>{items.into_iter().map(|text| view! { <li>{text}</li> }).collect::<Vec<_>>()}</ul> }
                .into_any()
        }
    };
    padded(
        words::tier(tier),
        stacks.words(settings.max_stacks),
        view! {
            {facts(
                vec![
                    ("Subscription", fact(settings.subscription.name.clone())),
                    ("Regions", list(settings.regions.iter().map(|r| words::region(r)).collect())),
                    ("Subnets", list(settings.subnets.iter().map(|s| s.title.clone()).collect())),
                    ("Clusters", list(settings.clusters.iter().map(|c| c.title.clone()).collect())),
                ],
            )}
            {project.budgets.get(&tier).map(|line| budget(line, 0))}
        }
        .into_any(),
    )
}
