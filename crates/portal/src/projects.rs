//! Projects: reading them, and planting those of the configuration at start.

use indexmap::IndexMap;
use types::actor::Actor;
use types::names::ProjectName;
use types::project::{Member, ProjectDetail, ProjectSettings};

use crate::access::{may_read, sees_all};
use crate::{Error, Portal, Result};

impl Portal {
    /// The projects that the actor may see, by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn projects(&self, actor: &Actor) -> Result<Vec<ProjectSettings>> {
        let mut projects = self.0.store.projects().await?;
        if !sees_all(actor) {
            projects.retain(|p| may_read(actor, &p.name, "project").is_ok());
        }
        Ok(projects)
    }

    /// One project, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read it.
    pub async fn project(&self, actor: &Actor, name: &ProjectName) -> Result<ProjectDetail> {
        may_read(actor, name, "project")?;
        let store = &self.0.store;
        let settings = store
            .project(name)
            .await?
            .ok_or(Error::NotFound { what: "project" })?;
        let mut stacks = IndexMap::new();
        let mut budgets = IndexMap::new();
        for (tier, tier_settings) in &settings.tiers {
            let standing = self.tier_standing(name, *tier).await?;
            stacks.insert(*tier, standing.stacks);
            if let Some(limit) = tier_settings.budget {
                budgets.insert(*tier, standing.budget(limit));
            }
        }
        Ok(ProjectDetail {
            members: store.members(name).await?,
            break_glass: self.broken_glass_in(actor, name).await?,
            break_glass_access: Self::break_glass_access(actor, name),
            settings,
            stacks,
            budgets,
        })
    }

    /// Writes a project of the configuration with its members; the same again changes nothing, and members that the configuration
    /// no longer has lose their role. Called at start, not by people.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn seed_project(
        &self,
        settings: ProjectSettings,
        members: Vec<Member>,
    ) -> Result<()> {
        let store = &self.0.store;
        let there = store.members(&settings.name).await?;
        let same = store.project(&settings.name).await?.as_ref() == Some(&settings)
            && there.len() == members.len()
            && members.iter().all(|m| {
                there
                    .iter()
                    .any(|t| t.subject == m.subject && t.role == m.role)
            });
        if same {
            return Ok(());
        }
        let mut tx = store.begin().await?;
        tx.put_project(&settings).await?;
        for gone in there
            .iter()
            .filter(|t| !members.iter().any(|m| m.subject == t.subject))
        {
            tx.delete_member(&settings.name, &gone.subject).await?;
        }
        for member in &members {
            tx.put_member(&settings.name, &member.subject, member.role)
                .await?;
        }
        tx.audit(
            store::NewAudit::by(
                &crate::system(),
                "project.configured",
                ("project", settings.name.to_string(), &settings.title),
                Some(&settings.name),
            )
            .with(serde_json::json!({
                "members": members.iter().map(|m| format!("{} {}", m.subject, m.role.as_str())).collect::<Vec<_>>(),
            })),
        );
        tx.commit(self.now()).await?;
        Ok(())
    }
}
