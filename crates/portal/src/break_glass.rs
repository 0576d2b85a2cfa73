//! Break glass: an administrator takes *request* and *approve* in one project for half an hour. What they then do is checked as for anybody, four eyes
//! too; only the two rights come from here.

use serde_json::{Value, json};
use store::BreakGlass as Stored;
use time::Duration;
use types::access::Access;
use types::actor::{Actor, ActorKind, Right};
use types::break_glass::{
    BreakGlass, BrokenGlass, LONGEST_REASON, MINUTES, NewBreakGlass, SHORTEST_REASON,
};
use types::ids::BreakGlassId;
use types::names::ProjectName;
use types::project::ProjectSettings;

use crate::access::{may, may_read};
use crate::requests::free_text;
use crate::trail::Trail;
use crate::{Error, Portal, Result};

/// Lines on a project's page.
const LINES: u32 = 50;
/// The line that says that glass was broken, and until when.
pub(crate) const GLASS_BROKEN: &str = "project.glass_broken";
/// The line that says that it was ended before its time.
pub(crate) const GLASS_MENDED: &str = "project.glass_mended";

/// Whether the record tells of a broken glass as its row does: the same administrator and end, and that nobody ended it. A row without an end that was
/// set, or one that somebody wrote, gives nothing.
pub(crate) fn is_recorded(
    glass: &BrokenGlass,
    subject: &str,
    began: &[(String, Value)],
    ended: &[(String, Value)],
) -> bool {
    let about = |detail: &Value| detail.get("break_glass") == Some(&json!(glass.id));
    began.iter().any(|(by, detail)| {
        by == subject && about(detail) && detail.get("ends_at") == Some(&json!(glass.ends_at))
    }) && !ended.iter().any(|(_, detail)| about(detail))
}

impl Portal {
    /// Breaks glass in a project. Every stack of the project says so in its activity.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody but administrators; [`Error::Refused`] with `person_needed` for a token; [`Error::Invalid`] without a reason;
    /// [`Error::Conflict`] while the actor's glass in this project is broken.
    pub async fn break_glass(
        &self,
        actor: &Actor,
        project: &ProjectName,
        new: NewBreakGlass,
    ) -> Result<BreakGlass> {
        let settings = self.project_of_glass(actor, project).await?;
        may(actor, Right::BreakGlass, project)?;
        at_the_browser(actor)?;
        let reason = free_text("reason", &new.reason, LONGEST_REASON)?;
        if reason.chars().count() < SHORTEST_REASON {
            return Err(Error::field(
                "reason",
                "too_short",
                format!(
                    "Say why in at least {SHORTEST_REASON} characters; the project's members read it."
                ),
            ));
        }
        if is_broken(&actor.break_glass, project) {
            return Err(active());
        }
        let now = self.now();
        let glass = Stored {
            id: BreakGlassId(uuid::Uuid::now_v7()),
            project: project.clone(),
            subject: actor.subject.clone(),
            reason,
            began_at: now,
            ends_at: now.plus(Duration::minutes(i64::from(MINUTES))),
            ended_at: None,
            ended_by: None,
        };
        let stacks = self.0.store.stacks_of_project(project).await?;
        let trail = Trail { actor, now };
        let sentence = format!(
            "Broke glass in {project} for {MINUTES} minutes: “{}”",
            glass.reason
        );
        let mut tx = self.0.store.begin().await?;
        tx.lock(&format!("glass/{project}/{}", actor.subject))
            .await?;
        // Asked again: of two clicks at the same moment, only one breaks it.
        let broken = tx.broken_glass_of(&actor.subject, now).await?;
        if is_broken(&broken, project) {
            return Err(active());
        }
        tx.insert_break_glass(&glass).await?;
        trail.project(
            &mut tx,
            project,
            &settings.title,
            GLASS_BROKEN,
            json!({ "break_glass": glass.id, "reason": glass.reason, "ends_at": glass.ends_at }),
        );
        for stack in &stacks {
            trail.of_stack(&mut tx, stack.id, &sentence).await?;
        }
        tx.commit(now).await?;
        Ok(self.shown(actor, glass))
    }

    /// When glass was broken in a project, the newest first. Everybody who may read the project may read this: it is there to be seen.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read the project.
    pub async fn broken_glass_in(
        &self,
        actor: &Actor,
        project: &ProjectName,
    ) -> Result<Vec<BreakGlass>> {
        self.project_of_glass(actor, project).await?;
        let all = self.0.store.break_glass_in(project, LINES).await?;
        Ok(all
            .into_iter()
            .map(|glass| self.shown(actor, glass))
            .collect())
    }

    /// One time that glass was broken, in a project that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read the project.
    pub async fn one_break_glass(&self, actor: &Actor, id: BreakGlassId) -> Result<BreakGlass> {
        let glass = self.0.store.break_glass_by_id(id).await?;
        let glass = glass.ok_or(Error::NotFound {
            what: "break glass",
        })?;
        may_read(actor, &glass.project, "break glass")?;
        Ok(self.shown(actor, glass))
    }

    /// Ends a broken glass before its time. Its administrator may, every other one, and the project's owners.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for everybody else; [`Error::Conflict`] when it has ended.
    pub async fn end_break_glass(
        &self,
        actor: &Actor,
        project: &ProjectName,
        id: BreakGlassId,
    ) -> Result<BreakGlass> {
        let settings = self.project_of_glass(actor, project).await?;
        let glass = self.0.store.break_glass(project, id).await?;
        let mut glass = glass.ok_or(Error::NotFound {
            what: "break glass",
        })?;
        may(actor, Right::ManageProject, project)?;
        let now = self.now();
        let mut tx = self.0.store.begin().await?;
        if !tx.end_break_glass(project, id, &actor.subject, now).await? {
            return Err(Error::Conflict {
                code: "break_glass_ended",
                detail: "It has ended already.".to_owned(),
            });
        }
        Trail { actor, now }.project(
            &mut tx,
            project,
            &settings.title,
            GLASS_MENDED,
            json!({ "break_glass": id }),
        );
        tx.commit(now).await?;
        glass.ended_at = Some(now);
        glass.ended_by = Some(actor.subject.clone());
        Ok(self.shown(actor, glass))
    }

    /// Whether the actor may break glass in a project, for its page.
    pub(crate) fn break_glass_access(actor: &Actor, project: &ProjectName) -> Access {
        if !actor.may(Right::BreakGlass, Some(project)) {
            Access::Hidden
        } else if is_broken(&actor.break_glass, project) {
            Access::disabled("You have broken glass here already; it has not ended yet.")
        } else {
            Access::Allowed
        }
    }

    async fn project_of_glass(
        &self,
        actor: &Actor,
        project: &ProjectName,
    ) -> Result<ProjectSettings> {
        may_read(actor, project, "project")?;
        self.0
            .store
            .project(project)
            .await?
            .ok_or(Error::NotFound { what: "project" })
    }

    fn shown(&self, actor: &Actor, glass: Stored) -> BreakGlass {
        let active = glass.is_active(self.now());
        let end = if active && actor.may(Right::ManageProject, Some(&glass.project)) {
            Access::Allowed
        } else {
            Access::Hidden
        };
        BreakGlass {
            id: glass.id,
            project: glass.project,
            by: glass.subject,
            reason: glass.reason,
            began_at: glass.began_at,
            ends_at: glass.ends_at,
            ended_at: glass.ended_at,
            ended_by: glass.ended_by,
            active,
            end,
        }
    }
}

fn is_broken(broken: &[BrokenGlass], project: &ProjectName) -> bool {
    broken.iter().any(|glass| glass.project == *project)
}

fn active() -> Error {
    Error::Conflict {
        code: "break_glass_active",
        detail: "You have broken glass in this project already; it has not ended yet.".to_owned(),
    }
}

/// A leaked token of an administrator must not be able to take rights.
fn at_the_browser(actor: &Actor) -> Result<()> {
    match actor.kind {
        ActorKind::Person => Ok(()),
        _ => Err(Error::Refused {
            code: "person_needed",
            detail: "Glass is broken by a person in the browser, never by a token.".to_owned(),
        }),
    }
}
