//! Persons: who signed in, with the groups and roles that the identity provider last gave them.

use sqlx::FromRow;
use types::actor::InstallationRole;
use types::names::GroupName;
use types::time::Timestamp;

use crate::columns::{At, Document};
use crate::engine::{execute, fetch_optional};
use crate::error::Result;
use crate::{Store, Tx};

/// A person. Their roles in projects are memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The identity provider's subject, or the persona's name.
    pub subject: String,
    /// Shown to people.
    pub name: String,
    /// Approver groups.
    pub groups: Vec<GroupName>,
    /// Roles in the whole installation.
    pub installation: Vec<InstallationRole>,
    /// When they last signed in.
    pub seen_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    subject: String,
    name: String,
    approver_groups: Document<Vec<GroupName>>,
    installation_roles: Document<Vec<InstallationRole>>,
    seen_at: At,
}

impl Tx {
    /// Adds a person or brings name, groups and roles up to date.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn put_person(&mut self, person: &Person) -> Result<()> {
        execute!(
            self.conn(),
            "INSERT INTO person (subject, name, approver_groups, installation_roles, seen_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (subject) DO UPDATE SET name = excluded.name, approver_groups = excluded.approver_groups, \
             installation_roles = excluded.installation_roles, seen_at = excluded.seen_at",
            person.subject.as_str(),
            person.name.as_str(),
            Document(&person.groups),
            Document(&person.installation),
            At(person.seen_at),
        )?;
        Ok(())
    }
}

impl Store {
    /// One person.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn person(&self, subject: &str) -> Result<Option<Person>> {
        let mut lease = self.engine.read().await?;
        let row = fetch_optional!(
            lease.conn(),
            Row,
            "SELECT * FROM person WHERE subject = $1",
            subject
        )?;
        Ok(row.map(|row| Person {
            subject: row.subject,
            name: row.name,
            groups: row.approver_groups.0,
            installation: row.installation_roles.0,
            seen_at: row.seen_at.into(),
        }))
    }
}
