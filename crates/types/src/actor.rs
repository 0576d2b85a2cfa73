//! Who acts, and the one table that says which role may do what.

use serde::{Deserialize, Serialize};

use crate::ids::TokenId;
use crate::names::{GroupName, ProjectName};

/// Somebody or something that asks Slipway for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// Stable subject: the identity provider's, or the persona's name in the sandbox.
    pub subject: String,
    /// Shown to people.
    pub name: String,
    /// A person in a browser, or a token.
    pub kind: ActorKind,
    /// Roles in projects.
    pub memberships: Vec<Membership>,
    /// Roles in the whole installation.
    pub installation: Vec<InstallationRole>,
    /// Approver groups this actor belongs to.
    pub groups: Vec<GroupName>,
}

/// How the actor came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum ActorKind {
    /// A browser session.
    Person,
    /// A bearer token of this person.
    Token {
        /// Which token.
        id: TokenId,
    },
    /// Slipway itself: the worker, expiry.
    System,
}

/// One role in one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The project.
    pub project: ProjectName,
    /// The role there.
    pub role: Role,
}

/// Roles within a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees the project.
    Reader,
    /// Requests and changes stacks.
    Developer,
    /// Decides requests.
    Approver,
    /// Everything in the project, members too.
    Owner,
}

/// Roles across all projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InstallationRole {
    /// Administers the installation and resolves operations that need attention.
    Admin,
    /// Reads everything, changes nothing.
    Auditor,
}

/// What can be done; checked by `portal` and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See a project's requests, stacks and operations.
    Read,
    /// Send, edit and withdraw requests; comment; power actions.
    Request,
    /// Decide a request of somebody else.
    Approve,
    /// Change members and settings of a project.
    ManageProject,
    /// Read the audit record.
    ReadAudit,
    /// Take an operation that needs attention further.
    ResolveOperation,
}

impl Role {
    /// The table role × right for projects.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        use Right::{Approve, ManageProject, Read, ReadAudit, Request, ResolveOperation};
        match right {
            Read => true,
            Request => matches!(self, Role::Developer | Role::Owner),
            Approve => matches!(self, Role::Approver | Role::Owner),
            ManageProject => matches!(self, Role::Owner),
            ReadAudit | ResolveOperation => false,
        }
    }

    /// The word as shown and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Developer => "developer",
            Role::Approver => "approver",
            Role::Owner => "owner",
        }
    }
}

impl InstallationRole {
    /// The table role × right for the installation.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        match self {
            InstallationRole::Admin => true,
            InstallationRole::Auditor => matches!(right, Right::Read | Right::ReadAudit),
        }
    }

    /// The word as shown and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            InstallationRole::Admin => "admin",
            InstallationRole::Auditor => "auditor",
        }
    }
}

impl Right {
    /// The roles that grant it, for the sentence of a 403.
    #[must_use]
    pub fn needs(self) -> &'static str {
        match self {
            Right::Read => "reader",
            Right::Request => "developer or owner",
            Right::Approve => "approver or owner",
            Right::ManageProject => "owner",
            Right::ReadAudit => "auditor or admin",
            Right::ResolveOperation => "admin",
        }
    }
}

impl Actor {
    /// Whether this actor has a right, in a project or (with `None`) in the installation.
    #[must_use]
    pub fn may(&self, right: Right, project: Option<&ProjectName>) -> bool {
        self.installation.iter().any(|role| role.grants(right))
            || project.is_some_and(|project| {
                self.memberships
                    .iter()
                    .any(|m| m.project == *project && m.role.grants(right))
            })
    }

    /// True for Slipway itself.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(self.kind, ActorKind::System)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_reads_everything_and_changes_nothing() {
        let auditor = Actor {
            subject: "auditor".into(),
            name: "auditor".into(),
            kind: ActorKind::Person,
            memberships: vec![],
            installation: vec![InstallationRole::Auditor],
            groups: vec![],
        };
        let project: ProjectName = "payments".parse().unwrap();
        assert!(auditor.may(Right::Read, Some(&project)) && auditor.may(Right::ReadAudit, None));
        for right in [
            Right::Request,
            Right::Approve,
            Right::ManageProject,
            Right::ResolveOperation,
        ] {
            assert!(!auditor.may(right, Some(&project)), "{right:?}");
        }
    }

    #[test]
    fn a_developer_of_one_project_is_nobody_in_another() {
        let developer = Actor {
            subject: "developer".into(),
            name: "developer".into(),
            kind: ActorKind::Person,
            memberships: vec![Membership {
                project: "payments".parse().unwrap(),
                role: Role::Developer,
            }],
            installation: vec![],
            groups: vec![],
        };
        assert!(developer.may(Right::Request, Some(&"payments".parse().unwrap())));
        assert!(!developer.may(Right::Approve, Some(&"payments".parse().unwrap())));
        assert!(!developer.may(Right::Read, Some(&"search".parse().unwrap())));
    }
}
