//! Four eyes: who wrote a request, and whose approval of it counts. Pure; where the people come from is said in `requests::standing`.

#[cfg(test)]
mod table;

use std::collections::HashMap;

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
