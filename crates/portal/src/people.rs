//! People: who signed in, and the actor made of their row, groups and memberships.

use serde_json::json;
use store::{NewAudit, Person};
use types::actor::{Actor, ActorKind, InstallationRole, PersonKey, Right, SYSTEM};
use types::break_glass::BrokenGlass;
use types::names::GroupName;

use crate::break_glass::{GLASS_BROKEN, GLASS_MENDED, is_recorded};
use crate::origin::with_origin;
use crate::{Error, Portal, Result};

impl Portal {
    /// The actor of somebody who signed in before; what a session turns into on every page.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn actor_for_subject(&self, subject: &str) -> Result<Option<Actor>> {
        let Some(person) = self.0.store.person(subject).await? else {
            return Ok(None);
        };
        let memberships = self.0.store.memberships(subject).await?;
        let break_glass = self.broken_glass(subject, &person.installation).await?;
        Ok(Some(Actor {
            subject: person.subject,
            name: person.name,
            kind: ActorKind::Person,
            memberships,
            installation: person.installation,
            groups: person.groups,
            break_glass,
        }))
    }

    /// What gives an administrator rights in projects now. It ends with the role, and by the clock at each call.
    async fn broken_glass(
        &self,
        subject: &str,
        roles: &[InstallationRole],
    ) -> Result<Vec<BrokenGlass>> {
        if !roles.iter().any(|role| role.grants(Right::BreakGlass)) {
            return Ok(Vec::new());
        }
        let store = &self.0.store;
        let mut broken = Vec::new();
        for glass in store.broken_glass_of(subject, self.now()).await? {
            let project = glass.project.to_string();
            let began = store.audit_details(&project, GLASS_BROKEN).await?;
            let ended = store.audit_details(&project, GLASS_MENDED).await?;
            if is_recorded(&glass, subject, &began, &ended) {
                broken.push(glass);
            }
        }
        Ok(broken)
    }

    /// Records that somebody signed in, with the groups and roles that the identity provider says.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a subject that is empty, longer than 200 characters, begins or ends with a blank, or is Slipway's own.
    pub async fn sign_in(
        &self,
        subject: &str,
        name: &str,
        groups: Vec<GroupName>,
        roles: Vec<InstallationRole>,
    ) -> Result<Actor> {
        let reserved = PersonKey::of(subject) == PersonKey::of(SYSTEM);
        if subject.is_empty()
            || subject.trim() != subject
            || subject.chars().count() > 200
            || subject.chars().any(char::is_control)
            || reserved
        {
            self.sign_in_refused("subject_not_allowed").await;
            return Err(Error::field(
                "subject",
                "not_allowed",
                "The identity provider sent a subject that cannot be used.",
            ));
        }
        let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
        let name = if name.trim().is_empty() {
            subject.to_owned()
        } else {
            name
        };
        let now = self.now();
        let person = Person {
            subject: subject.to_owned(),
            name,
            groups,
            installation: roles,
            seen_at: now,
        };
        let actor = Actor {
            subject: person.subject.clone(),
            name: person.name.clone(),
            kind: ActorKind::Person,
            memberships: self.0.store.memberships(subject).await?,
            installation: person.installation.clone(),
            groups: person.groups.clone(),
            break_glass: self.broken_glass(subject, &person.installation).await?,
        };
        let mut tx = self.0.store.begin().await?;
        tx.put_person(&person).await?;
        tx.audit(
            NewAudit::by(
                &actor,
                "person.signed_in",
                ("person", actor.subject.clone(), &actor.name),
                None,
            )
            .with(with_origin(
                json!({ "groups": actor.groups, "roles": actor.installation }),
            )),
        );
        tx.commit(now).await?;
        Ok(actor)
    }

    /// Records that somebody signed out; the session itself is the server's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let mut tx = self.0.store.begin().await?;
        tx.audit(
            NewAudit::by(
                actor,
                "person.signed_out",
                ("person", actor.subject.clone(), &actor.name),
                None,
            )
            .with(with_origin(json!({}))),
        );
        tx.commit(self.now()).await?;
        Ok(())
    }
}
