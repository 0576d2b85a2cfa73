//! Who acts, and the one table that says which role may do what.

use serde::{Deserialize, Serialize};

use crate::break_glass::BrokenGlass;
use crate::ids::TokenId;
use crate::names::{GroupName, ProjectName};

/// The subject of Slipway itself, which nobody else can have.
pub const SYSTEM: &str = "slipway";

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
    /// Projects in which this administrator may request and approve for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<BrokenGlass>,
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

impl ActorKind {
    /// Whether the actor's word is that of a person, at the browser or through a token of theirs: only then may it count as an approval.
    /// The kinds that count are named here one by one, so that a kind that is added later does not count.
    #[must_use]
    pub fn is_person(&self) -> bool {
        matches!(self, ActorKind::Person | ActorKind::Token { .. })
    }
}

/// A subject as four eyes compare it. Directories differ in how they write one and the same account (`Ada@contoso.com`, `ada@contoso.com `): letters
/// are compared without case, and blanks not at all. Two people who differ in nothing else count as one, which is the safe side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(String);

impl PersonKey {
    /// The key of a subject.
    #[must_use]
    pub fn of(subject: &str) -> Self {
        Self(
            subject
                .chars()
                .filter(|c| !c.is_whitespace())
                .flat_map(char::to_lowercase)
                .collect(),
        )
    }
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
    /// Administers the installation and resolves operations that need attention. Requests and approves only by breaking glass.
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
    /// Take *request* and *approve* in a project for half an hour, with a reason that its members read.
    BreakGlass,
}

impl Role {
    /// The table role × right for projects.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        use Right::{
            Approve, BreakGlass, ManageProject, Read, ReadAudit, Request, ResolveOperation,
        };
        match right {
            Read => true,
            Request => matches!(self, Role::Developer | Role::Owner),
            Approve => matches!(self, Role::Approver | Role::Owner),
            ManageProject => matches!(self, Role::Owner),
            ReadAudit | ResolveOperation | BreakGlass => false,
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
    /// The table role × right for the installation. An administrator neither requests nor approves by being one.
    #[must_use]
    pub fn grants(self, right: Right) -> bool {
        match self {
            InstallationRole::Admin => matches!(
                right,
                Right::Read
                    | Right::ReadAudit
                    | Right::ManageProject
                    | Right::ResolveOperation
                    | Right::BreakGlass
            ),
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
            Right::ResolveOperation | Right::BreakGlass => "admin",
        }
    }
}

impl Actor {
    /// Whether this actor has a right, in a project or (with `None`) in the installation.
    #[must_use]
    pub fn may(&self, right: Right, project: Option<&ProjectName>) -> bool {
        self.installation.iter().any(|role| role.grants(right))
            || project.is_some_and(|project| {
                self.is_granted(right, project) || self.breaks_glass_for(right, project).is_some()
            })
    }

    /// Whether this actor has a right in at least one project.
    #[must_use]
    pub fn may_somewhere(&self, right: Right) -> bool {
        self.may(right, None)
            || self
                .memberships
                .iter()
                .map(|m| &m.project)
                .chain(self.break_glass.iter().map(|glass| &glass.project))
                .any(|project| self.may(right, Some(project)))
    }

    /// The broken glass that gives a right which no role of this actor gives.
    #[must_use]
    pub fn breaks_glass_for(&self, right: Right, project: &ProjectName) -> Option<&BrokenGlass> {
        let gives = matches!(right, Right::Request | Right::Approve);
        self.break_glass
            .iter()
            .find(|glass| gives && glass.project == *project)
            .filter(|_| !self.is_granted(right, project))
    }

    fn is_granted(&self, right: Right, project: &ProjectName) -> bool {
        self.memberships
            .iter()
            .any(|m| m.project == *project && m.role.grants(right))
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
            break_glass: vec![],
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
            break_glass: vec![],
        };
        assert!(developer.may(Right::Request, Some(&"payments".parse().unwrap())));
        assert!(!developer.may(Right::Approve, Some(&"payments".parse().unwrap())));
        assert!(!developer.may(Right::Read, Some(&"search".parse().unwrap())));
    }

    #[test]
    fn an_admin_requests_and_approves_only_where_the_glass_is_broken() {
        let mut admin = Actor {
            subject: "admin".into(),
            name: "admin".into(),
            kind: ActorKind::Person,
            memberships: vec![],
            installation: vec![InstallationRole::Admin],
            groups: vec![],
            break_glass: vec![],
        };
        let (payments, search): (ProjectName, ProjectName) =
            ("payments".parse().unwrap(), "search".parse().unwrap());
        for right in [Right::Request, Right::Approve] {
            assert!(!admin.may(right, Some(&payments)) && !admin.may_somewhere(right));
        }
        admin.break_glass.push(BrokenGlass {
            id: crate::ids::BreakGlassId(uuid::Uuid::nil()),
            project: payments.clone(),
            reason: "The approvers are away.".into(),
            ends_at: crate::time::Timestamp::new(time::OffsetDateTime::UNIX_EPOCH),
        });
        for right in [Right::Request, Right::Approve] {
            assert!(admin.may(right, Some(&payments)) && admin.may_somewhere(right));
            assert!(!admin.may(right, Some(&search)) && !admin.may(right, None));
        }
    }

    #[test]
    fn only_people_count_and_one_person_is_one_however_the_subject_is_written() {
        assert!(ActorKind::Person.is_person());
        assert!(
            ActorKind::Token {
                id: TokenId(uuid::Uuid::nil())
            }
            .is_person()
        );
        assert!(!ActorKind::System.is_person());
        assert_eq!(
            PersonKey::of("Ada@Contoso.com"),
            PersonKey::of(" ada@contoso.com\u{a0}")
        );
        assert_ne!(PersonKey::of("ada"), PersonKey::of("adam"));
    }
}
