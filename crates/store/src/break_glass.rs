//! Broken glass: when administrators took *request* and *approve* in a project, why, and when it ended.

use sqlx::FromRow;
use types::break_glass::BrokenGlass;
use types::ids::BreakGlassId;
use types::names::ProjectName;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::{At, moment, name};
use crate::engine::{Conn, execute, fetch_all, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

/// One time that glass was broken, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Its id.
    pub id: BreakGlassId,
    /// The project.
    pub project: ProjectName,
    /// The administrator.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// When.
    pub began_at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// When it was ended before that.
    pub ended_at: Option<Timestamp>,
    /// Who ended it before that.
    pub ended_by: Option<String>,
}

impl BreakGlass {
    /// Whether it gives its rights at a moment.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.ends_at
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    project: String,
    subject: String,
    reason: String,
    began_at: At,
    ends_at: At,
    ended_at: Option<At>,
    ended_by: Option<String>,
}

impl TryFrom<Row> for BreakGlass {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(BreakGlass {
            id: BreakGlassId(row.id),
            project: name("break_glass.project", &row.project)?,
            subject: row.subject,
            reason: row.reason,
            began_at: row.began_at.into(),
            ends_at: row.ends_at.into(),
            ended_at: moment(row.ended_at),
            ended_by: row.ended_by,
        })
    }
}

async fn broken_of(conn: Conn<'_>, subject: &str, now: Timestamp) -> Result<Vec<BrokenGlass>> {
    fetch_all!(
        conn,
        Row,
        "SELECT * FROM break_glass WHERE subject = $1 AND ends_at > $2 AND ended_at IS NULL ORDER BY began_at, id",
        subject,
        At(now)
    )?
    .into_iter()
    .map(|row| {
        let glass = BreakGlass::try_from(row)?;
        Ok(BrokenGlass {
            id: glass.id,
            project: glass.project,
            reason: glass.reason,
            ends_at: glass.ends_at,
        })
    })
    .collect()
}

impl Tx {
    /// What gives an administrator rights at a moment, as this transaction sees it, the oldest first.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn broken_glass_of(
        &mut self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<BrokenGlass>> {
        broken_of(self.conn(), subject, now).await
    }

    /// Records that glass was broken.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] when there is no such project.
    pub async fn insert_break_glass(&mut self, new: &BreakGlass) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO break_glass (id, project, subject, reason, began_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6)",
            new.id.0,
            new.project.as_str(),
            new.subject.as_str(),
            new.reason.as_str(),
            At(new.began_at),
            At(new.ends_at),
        )?;
        Ok(())
    }

    /// Ends one before its time; false when it had ended, or there is none of this id in the project.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn end_break_glass(
        &mut self,
        project: &ProjectName,
        id: BreakGlassId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let ended = execute!(
            self.conn(),
            "UPDATE break_glass SET ended_at = $3, ended_by = $4 WHERE id = $1 AND project = $2 AND ended_at IS NULL AND ends_at > $3",
            id.0,
            project.as_str(),
            At(now),
            by,
        )?;
        Ok(ended > 0)
    }
}

impl Store {
    /// When glass was broken in a project, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn break_glass_in(
        &self,
        project: &ProjectName,
        limit: u32,
    ) -> Result<Vec<BreakGlass>> {
        let mut lease = self.engine.read().await?;
        fetch_all!(
            lease.conn(),
            Row,
            "SELECT * FROM break_glass WHERE project = $1 ORDER BY began_at DESC, id DESC LIMIT $2",
            project.as_str(),
            i64::from(limit)
        )?
        .into_iter()
        .map(BreakGlass::try_from)
        .collect()
    }

    /// One of a project.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn break_glass(
        &self,
        project: &ProjectName,
        id: BreakGlassId,
    ) -> Result<Option<BreakGlass>> {
        let mut lease = self.engine.read().await?;
        fetch_optional!(
            lease.conn(),
            Row,
            "SELECT * FROM break_glass WHERE id = $1 AND project = $2",
            id.0,
            project.as_str()
        )?
        .map(BreakGlass::try_from)
        .transpose()
    }

    /// The one with this id, whatever its project.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn break_glass_by_id(&self, id: BreakGlassId) -> Result<Option<BreakGlass>> {
        let mut lease = self.engine.read().await?;
        fetch_optional!(
            lease.conn(),
            Row,
            "SELECT * FROM break_glass WHERE id = $1",
            id.0
        )?
        .map(BreakGlass::try_from)
        .transpose()
    }

    /// What gives an administrator rights at a moment, the oldest first.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn broken_glass_of(&self, subject: &str, now: Timestamp) -> Result<Vec<BrokenGlass>> {
        let mut lease = self.engine.read().await?;
        broken_of(lease.conn(), subject, now).await
    }
}
