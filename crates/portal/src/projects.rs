//! Projects: reading them, and planting those of the configuration at start.

use types::actor::Actor;
use types::names::ProjectName;
use types::project::{Member, ProjectDetail, ProjectSettings};

use crate::{Error, Portal, Result};

impl Portal {
    /// The projects that the actor may see, by name.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn projects(&self, actor: &Actor) -> Result<Vec<ProjectSettings>> {
        let _ = (actor,);
        Err(Error::internal("projects is being built"))
    }

    /// One project, whole.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn project(&self, actor: &Actor, name: &ProjectName) -> Result<ProjectDetail> {
        let _ = (actor, name);
        Err(Error::internal("project is being built"))
    }

    /// Writes a project of the configuration with its members; the same again changes nothing. Called at start, not by people.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn seed_project(
        &self,
        settings: ProjectSettings,
        members: Vec<Member>,
    ) -> Result<()> {
        let _ = (settings, members);
        Err(Error::internal("seed_project is being built"))
    }
}
