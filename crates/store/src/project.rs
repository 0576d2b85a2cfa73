//! Projects and their members.

use sqlx::FromRow;
use types::actor::{Membership, Role};
use types::names::ProjectName;
use types::project::{Member, ProjectSettings};

use crate::columns::{Document, name, word, word_of};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

#[derive(FromRow)]
struct MemberRow {
    subject: String,
    name: Option<String>,
    role: String,
}

async fn read(conn: Conn<'_>, project: &ProjectName) -> Result<Option<ProjectSettings>> {
    let row: Option<(Document<ProjectSettings>,)> = fetch_optional!(
        conn,
        (Document<ProjectSettings>,),
        "SELECT settings FROM project WHERE name = $1",
        project.as_str()
    )?;
    Ok(row.map(|(settings,)| settings.0))
}

impl Tx {
    /// One project's settings as this transaction sees them.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn project(&mut self, project: &ProjectName) -> Result<Option<ProjectSettings>> {
        read(self.conn(), project).await
    }

    /// Adds a project or brings its settings up to date.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn put_project(&mut self, settings: &ProjectSettings) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO project (name, settings) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET settings = excluded.settings",
            settings.name.as_str(),
            Document(settings)
        )?;
        Ok(())
    }

    /// Gives a person a role in a project, in place of the one they had.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such project.
    pub async fn put_member(
        &mut self,
        project: &ProjectName,
        subject: &str,
        role: Role,
    ) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO membership (project, subject, role) VALUES ($1, $2, $3) \
             ON CONFLICT (project, subject) DO UPDATE SET role = excluded.role",
            project.as_str(),
            subject,
            word_of(&role)?
        )?;
        Ok(())
    }

    /// Takes a person out of a project; false when they were not in it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn delete_member(&mut self, project: &ProjectName, subject: &str) -> Result<bool> {
        let gone = execute!(
            self.conn(),
            "DELETE FROM membership WHERE project = $1 AND subject = $2",
            project.as_str(),
            subject
        )?;
        Ok(gone > 0)
    }
}

impl Store {
    /// All projects, by name.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn projects(&self) -> Result<Vec<ProjectSettings>> {
        let mut lease = self.engine.read().await?;
        let rows: Vec<(Document<ProjectSettings>,)> = fetch_all!(
            lease.conn(),
            (Document<ProjectSettings>,),
            "SELECT settings FROM project ORDER BY name"
        )?;
        Ok(rows.into_iter().map(|(settings,)| settings.0).collect())
    }

    /// The names of all projects. Each project is read by itself, so that one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn project_names(&self) -> Result<Vec<String>> {
        let mut lease = self.engine.read().await?;
        let rows: Vec<(String,)> = fetch_all!(
            lease.conn(),
            (String,),
            "SELECT name FROM project ORDER BY name"
        )?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// One project.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn project(&self, project: &ProjectName) -> Result<Option<ProjectSettings>> {
        let mut lease = self.engine.read().await?;
        read(lease.conn(), project).await
    }

    /// A project's members, by subject; one who never signed in is shown by their subject.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn members(&self, project: &ProjectName) -> Result<Vec<Member>> {
        let mut lease = self.engine.read().await?;
        fetch_all!(
            lease.conn(),
            MemberRow,
            "SELECT m.subject, p.name, m.role FROM membership m LEFT JOIN person p ON p.subject = m.subject \
             WHERE m.project = $1 ORDER BY m.subject",
            project.as_str()
        )?
        .into_iter()
        .map(|row| {
            Ok(Member {
                name: row.name.unwrap_or_else(|| row.subject.clone()),
                subject: row.subject,
                role: word("membership.role", row.role)?,
            })
        })
        .collect()
    }

    /// A person's roles, by project.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn memberships(&self, subject: &str) -> Result<Vec<Membership>> {
        let mut lease = self.engine.read().await?;
        fetch_all!(
            lease.conn(),
            (String, String),
            "SELECT project, role FROM membership WHERE subject = $1 ORDER BY project",
            subject
        )?
        .into_iter()
        .map(|(project, role)| {
            Ok(Membership {
                project: name("membership.project", &project)?,
                role: word("membership.role", role)?,
            })
        })
        .collect()
    }
}
