//! People: who signed in, and the actor made of their row, groups and memberships.

use types::actor::{Actor, InstallationRole};
use types::names::GroupName;

use crate::{Error, Portal, Result};

impl Portal {
    /// The actor of somebody who signed in before; what a session turns into on every page.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn actor_for_subject(&self, subject: &str) -> Result<Option<Actor>> {
        let _ = (subject,);
        Err(Error::internal("actor_for_subject is being built"))
    }

    /// Records that somebody signed in, with the groups and roles that the identity provider says.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn sign_in(
        &self,
        subject: &str,
        name: &str,
        groups: Vec<GroupName>,
        roles: Vec<InstallationRole>,
    ) -> Result<Actor> {
        let _ = (subject, name, groups, roles);
        Err(Error::internal("sign_in is being built"))
    }

    /// Records that somebody signed out; the session itself is the server's.
    ///
    /// # Errors
    /// [`Error`] as everywhere: no right to read is [`Error::NotFound`].
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let _ = (actor,);
        Err(Error::internal("sign_out is being built"))
    }
}
