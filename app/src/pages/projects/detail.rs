//! A project's page: per tier what may be used and spent, and who belongs.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::access::Access;
use types::break_glass::BreakGlass;
use types::project::{ProjectDetail, Tier, TierSettings};

use crate::api::projects::project;
use crate::components::button::{Look, link, off, submit};
use crate::components::card::{card, fact, facts, padded};
use crate::components::chip::{Tone, chip};
use crate::components::cost::budget;
use crate::components::field::{area, summary};
use crate::components::load::load;
use crate::components::page::{columns, head};
use crate::components::time::moment;
use crate::forms::{Submitted, submitted};
use crate::pages::{address, param};
use crate::words;

pub(crate) fn page() -> AnyView {
    let name = param("name");
    let detail = from_server(move || name.get(), project);
    load(detail, |detail| show(&detail))
}

fn show(project: &ProjectDetail) -> AnyView {
    let settings = &project.settings;
    let path = format!("/projects/{}", settings.name);
    let refused = submitted(&path);
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
        {break_glass(project, &path, refused.as_ref())}
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
        {refused.as_ref().map(|refused| summary(refused.problem.as_ref(), &refused.errors))}
        {columns(tiers, "Members, tags and break glass", aside)}
    }
    .into_any()
}

/// When administrators took rights here, and where they take them. Nothing where it never happened and the reader is no administrator.
fn break_glass(
    project: &ProjectDetail,
    path: &str,
    refused: Option<&Submitted>,
) -> Option<AnyView> {
    let form = match &project.break_glass_access {
        Access::Hidden => None,
        Access::Disabled { reason } => Some(off("Break glass", reason.clone())),
        Access::Allowed => Some(
            view! {
                <form method="post" action=format!("{path}/break-glass")>
                    <p class="mb-3 text-xs text-ink-3">
                        {format!(
                            "Gives you the rights to request and to approve here for {} minutes. The project's members see it, and it stands in the audit record. You cannot decide what you wrote.",
                            types::break_glass::MINUTES,
                        )}
                    </p>
                    {area(
                        "reason",
                        "Reason",
                        refused.map(|refused| refused.value("reason")).unwrap_or_default(),
                        "At least 10 characters.",
                        refused.and_then(|refused| refused.error("reason")),
                        true,
                    )}
                    {submit(Look::Danger, "Break glass")}
                </form>
            }
            .into_any(),
        ),
    };
    if form.is_none() && project.break_glass.is_empty() {
        return None;
    }
    let lines = project
        .break_glass
        .iter()
        .map(|glass| broken(glass, path))
        .collect::<Vec<_>>();
    Some(card(
        "Break glass",
        "administrators who requested or approved here",
        view! {
            <ul>{lines}</ul>
            {form.map(|form| view! { <div class="border-t border-line px-4 py-3.5 first:border-t-0">{form}</div> })}
        }
        .into_any(),
    ))
}

fn broken(glass: &BreakGlass, path: &str) -> AnyView {
    let until = match (&glass.ended_at, &glass.ended_by) {
        (Some(at), Some(by)) => view! { "ended " {moment(*at)} " by " {by.clone()} }.into_any(),
        _ => view! { "until " {moment(glass.ends_at)} }.into_any(),
    };
    view! {
        <li class="border-t border-line px-4 py-2.5 text-[13px] first:border-t-0">
            <p>
                <span class="font-[560]">{glass.by.clone()}</span> " "
                {if glass.active { chip(Tone::Warn, "active") } else { chip(Tone::Neutral, "ended") }}
            </p>
            <p class="whitespace-pre-line wrap-anywhere">{glass.reason.clone()}</p>
            <p class="text-xs text-ink-3">{moment(glass.began_at)} ", " {until}</p>
            {glass
                .end
                .is_allowed()
                .then(|| {
                    view! {
                        <form method="post" class="mt-2" action=format!("{path}/break-glass/{}/end", glass.id)>
                            {submit(Look::Plain, "End now")}
                        </form>
                    }
                })}
        </li>
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
