//! What the project pages read.

use leptos::prelude::*;
use types::project::{ProjectDetail, ProjectSettings};

use super::Failure;
use super::wire::Wired;

/// The projects that the reader sees.
#[server(name = ReadProjects, prefix = "/ui", endpoint = "projects", input = Wired, output = Wired)]
pub async fn projects() -> Result<Vec<ProjectSettings>, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    answer(portal.projects(&actor).await)
}

/// One project.
#[server(name = ReadProject, prefix = "/ui", endpoint = "project", input = Wired, output = Wired)]
pub async fn project(name: String) -> Result<ProjectDetail, Failure> {
    use super::context::{answer, door};
    let (portal, actor) = door()?;
    let name = name.parse().map_err(|_| Failure::not_found("project"))?;
    answer(portal.project(&actor, &name).await)
}
