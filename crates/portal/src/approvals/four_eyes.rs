//! Four eyes: who wrote a request, and whose approval of it counts. Pure; where the people come from is said in `requests::standing`.

#[cfg(test)]
mod table;

use std::collections::HashMap;

use store::RecordedApproval;
use types::actor::PersonKey;
use types::approval::{Decision, DecisionKind};
use types::names::GroupName;
use types::request::{PlanAuthor, RequestState};

/// Everybody who wrote a plan of a request. Nobody of them decides it, also when what they wrote was replaced since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authors {
    requester: PersonKey,
    editors: Vec<PersonKey>,
}

/// What somebody did to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// They sent it.
    Requested,
    /// They edited it.
    Edited,
}

impl Authors {
    pub(crate) fn of(requester: &str, plans: &[PlanAuthor]) -> Self {
        Self {
            requester: PersonKey::of(requester),
            editors: plans
                .iter()
                .map(|plan| PersonKey::of(&plan.subject))
                .collect(),
        }
    }

    /// The same with everybody whom the record knows as an author: rows can be rewritten, lines cannot.
    pub(crate) fn with(mut self, recorded: &[String]) -> Self {
        let people = recorded.iter().map(|subject| PersonKey::of(subject));
        self.editors.extend(people);
        self
    }

    /// Whether this subject wrote any plan of the request. A token has the subject of its person.
    pub(crate) fn wrote(&self, subject: &str) -> Option<Wrote> {
        let subject = PersonKey::of(subject);
        if subject == self.requester {
            Some(Wrote::Requested)
        } else if self.editors.contains(&subject) {
            Some(Wrote::Edited)
        } else {
            None
        }
    }
}

/// The decisions without the approvals of which the record does not tell: somebody wrote those into the database.
pub(crate) fn recorded(decisions: Vec<Decision>, lines: &[RecordedApproval]) -> Vec<Decision> {
    let told = |decision: &Decision| {
        lines.iter().any(|line| {
            line.approver == decision.approver
                && line.plan_digest == decision.plan_digest
                && line.plan_revision == decision.plan_revision
                && line.decision == decision.id
        })
    };
    decisions
        .into_iter()
        .filter(|decision| decision.decision != DecisionKind::Approve || told(decision))
        .collect()
}

/// A person who decided, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Approver {
    /// Their approver groups.
    pub(crate) groups: Vec<GroupName>,
    /// They have the right to approve in the request's project.
    pub(crate) approves: bool,
    /// They may break glass: what they approved under broken glass counts after it has ended.
    pub(crate) breaks_glass: bool,
}

/// All that the counting of approvals looks at, besides needs and decisions.
pub(crate) struct Sight<'a> {
    pub(crate) digest: Option<&'a str>,
    pub(crate) state: RequestState,
    pub(crate) authors: &'a Authors,
    /// Everybody who decided. Only people are known here: a subject that is missing never counts.
    pub(crate) approvers: &'a HashMap<String, Approver>,
}

impl<'a> Sight<'a> {
    /// The approver of this decision, if it is an approval that counts: of the plan of now, by somebody who wrote none and who still may.
    pub(crate) fn approver_of(&self, decision: &Decision) -> Option<&'a Approver> {
        let of_now = decision.current && Some(decision.plan_digest.as_str()) == self.digest;
        self.approvers
            .get(&decision.approver)
            .filter(|_| decision.decision == DecisionKind::Approve && of_now)
            .filter(|_| self.authors.wrote(&decision.approver).is_none())
            .filter(|approver| {
                approver.approves || (decision.break_glass.is_some() && approver.breaks_glass)
            })
    }
}

#[cfg(test)]
mod tests {
    use types::ids::DecisionId;
    use types::time::Timestamp;

    use super::*;

    fn decision(id: u128, approver: &str, kind: DecisionKind) -> Decision {
        Decision {
            id: DecisionId(uuid::Uuid::from_u128(id)),
            approver: approver.into(),
            decision: kind,
            comment: String::new(),
            plan_digest: "d1".into(),
            plan_revision: 1,
            current: true,
            break_glass: None,
            at: Timestamp::new(time::OffsetDateTime::UNIX_EPOCH),
        }
    }

    fn line(id: u128, approver: &str, digest: &str) -> RecordedApproval {
        RecordedApproval {
            approver: approver.into(),
            decision: DecisionId(uuid::Uuid::from_u128(id)),
            plan_digest: digest.into(),
            plan_revision: 1,
        }
    }

    #[test]
    fn an_approval_without_its_line_is_none() {
        let counts = |lines: &[RecordedApproval]| {
            let row = decision(1, "approver", DecisionKind::Approve);
            !recorded(vec![row], lines).is_empty()
        };
        assert!(counts(&[line(1, "approver", "d1")]));
        assert!(!counts(&[]));
        assert!(!counts(&[line(2, "approver", "d1")]));
        assert!(!counts(&[line(1, "second", "d1")]));
        assert!(!counts(&[line(1, "approver", "d0")]));
        let earlier = RecordedApproval {
            plan_revision: 0,
            ..line(1, "approver", "d1")
        };
        assert!(!counts(&[earlier]), "of a plan that was replaced");
        let rejected = decision(1, "approver", DecisionKind::Reject);
        assert_eq!(recorded(vec![rejected], &[]).len(), 1);
    }

    #[test]
    fn who_is_an_author_in_the_record_is_one_whatever_the_rows_say() {
        let rows = Authors::of("outsider", &[]);
        assert_eq!(rows.wrote("developer"), None);
        let both = rows.with(&["developer".to_owned()]);
        assert_eq!(both.wrote("Developer"), Some(Wrote::Edited));
        assert_eq!(both.wrote("outsider"), Some(Wrote::Requested));
    }
}
