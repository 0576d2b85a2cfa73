//! The projects that the reader sees.

use crate::api::wire::from_server;
use leptos::prelude::*;
use types::project::ProjectSettings;

use crate::api::projects::projects;
use crate::components::card::{CARD, empty};
use crate::components::load::load;
use crate::components::page::plain_head;
use crate::words;

pub(crate) fn page() -> AnyView {
    let all = from_server(|| (), |()| projects());
    view! {
        {plain_head("Projects", "A team's space: members and roles, regions and networks, budgets, three tiers.")}
        {load(
            all,
            |projects| {
                if projects.is_empty() {
                    return view! {
                        <section class=CARD>
                            {empty(
                                "You belong to no project",
                                "An owner of a project can add you, or an administrator.".into_any(),
                            )}
                        </section>
                    }
                        .into_any();
                }
                view! {
                    <ul class="grid grid-cols-1 gap-3.5 sm:grid-cols-2 xl:grid-cols-3">
                        {projects.iter().map(card).collect::<Vec<_>>()}
                    </ul>
                }
                    .into_any()
            },
        )}
    }
    .into_any()
}

fn card(project: &ProjectSettings) -> AnyView {
    let tiers = project
        .tiers
        .iter()
        .map(|(tier, settings)| {
            let budget = settings
                .budget
                .map_or_else(|| "no budget".to_owned(), |budget| format!("{budget} a month"));
            view! {
                <li class="flex gap-2 text-xs text-ink-2">
                    <span class="w-10 text-ink-3">{words::tier(*tier)}</span>
                    <span class="min-w-0 flex-1">
                        {settings.regions.iter().map(|r| words::region(r)).collect::<Vec<_>>().join(", ")}
                    </span>
                    <span class="whitespace-nowrap">{budget}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <li class=format!("{CARD} relative px-4 py-3.5 focus-within:border-accent hover:border-accent")>
            <h2>
                <a class="after:absolute after:inset-0 after:rounded-card" href=format!("/projects/{}", project.name)>
                    {project.title.clone()}
                </a>
            </h2>
            <p class="mb-2 text-xs text-ink-3">{format!("{} · cost centre {}", project.name, project.cost_centre)}</p>
            <ul class="grid gap-1">{tiers}</ul>
        </li>
    }
    .into_any()
}
