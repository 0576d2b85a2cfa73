//! Which needs are met by whom: pure. Approvals count for the plan that they were made on, and for the groups that the approver is in.

use types::actor::PersonKey;
use types::approval::{Decision, DecisionKind, NeedStatus};
use types::policy::ApprovalNeed;
use types::request::RequestState;

use super::four_eyes::Sight;

/// Every need with who approved for it.
pub(crate) fn status(
    needs: &[ApprovalNeed],
    decisions: &[Decision],
    sight: &Sight<'_>,
) -> Vec<NeedStatus> {
    // What was approved stays approved for the reader, whatever became of an approver's groups since. Before it is executed it is counted again.
    let past = !matches!(
        sight.state,
        RequestState::Checking
            | RequestState::Denied
            | RequestState::AwaitingApproval
            | RequestState::ChangesRequested
            | RequestState::Rejected
            | RequestState::Withdrawn
            | RequestState::Expired
    );
    needs
        .iter()
        .map(|need| {
            let approved_by = counting(decisions, sight, |approver| {
                approver.groups.contains(&need.group)
            });
            let met = past || approved_by.len() >= need.count as usize;
            NeedStatus {
                need: need.clone(),
                approved_by,
                met,
            }
        })
        .collect()
}

/// How many people approved the plan of now, whatever their groups.
pub(crate) fn approvals(decisions: &[Decision], sight: &Sight<'_>) -> usize {
    counting(decisions, sight, |_| true).len()
}

/// Whether somebody approved the plan of now. They decide it once: were a need dropped since, their approval of then may be all that is asked for.
pub(crate) fn approved_by(decisions: &[Decision], subject: &str) -> bool {
    let person = PersonKey::of(subject);
    decisions.iter().any(|decision| {
        decision.current
            && decision.decision == DecisionKind::Approve
            && PersonKey::of(&decision.approver) == person
    })
}

/// True when nobody else has to agree. A plan that was sent back without needs still wants one approver.
pub(crate) fn all_met(needs: &[NeedStatus], approvals: usize) -> bool {
    if needs.is_empty() {
        approvals > 0
    } else {
        needs.iter().all(|n| n.met)
    }
}

/// The people whose approval counts, each once.
fn counting(
    decisions: &[Decision],
    sight: &Sight<'_>,
    wanted: impl Fn(&super::four_eyes::Approver) -> bool,
) -> Vec<String> {
    let mut people: Vec<PersonKey> = Vec::new();
    let mut subjects: Vec<String> = Vec::new();
    for decision in decisions {
        let person = PersonKey::of(&decision.approver);
        let counts = sight.approver_of(decision).is_some_and(&wanted);
        if counts && !people.contains(&person) {
            people.push(person);
            subjects.push(decision.approver.clone());
        }
    }
    subjects
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use types::ids::DecisionId;
    use types::policy::Severity;
    use types::time::Timestamp;

    use super::super::four_eyes::{Approver, Authors};
    use super::*;

    fn need(group: &str, count: u32) -> ApprovalNeed {
        ApprovalNeed {
            id: "GR-001".into(),
            title: String::new(),
            message: String::new(),
            path: String::new(),
            severity: Severity::Medium,
            group: group.parse().unwrap(),
            count,
            docs: None,
        }
    }

    fn approve(who: &str, digest: &str) -> Decision {
        Decision {
            id: DecisionId(uuid::Uuid::nil()),
            approver: who.into(),
            decision: DecisionKind::Approve,
            comment: String::new(),
            plan_digest: digest.into(),
            plan_revision: 1,
            current: true,
            break_glass: None,
            at: Timestamp::new(time::OffsetDateTime::UNIX_EPOCH),
        }
    }

    fn met(needs: &[ApprovalNeed], decisions: &[Decision], groups: &[(&str, &[&str])]) -> bool {
        let approvers: HashMap<String, Approver> = groups
            .iter()
            .map(|(who, g)| {
                let groups = g.iter().map(|g| g.parse().unwrap()).collect();
                let approver = Approver {
                    groups,
                    approves: true,
                    breaks_glass: false,
                };
                ((*who).to_owned(), approver)
            })
            .collect();
        let authors = Authors::of("developer", &[]);
        let sight = Sight {
            digest: Some("d1"),
            state: RequestState::AwaitingApproval,
            authors: &authors,
            approvers: &approvers,
        };
        let status = status(needs, decisions, &sight);
        all_met(&status, approvals(decisions, &sight))
    }

    #[test]
    fn an_approval_counts_for_its_groups_and_its_plan_only() {
        let platform = [need("platform-approvers", 1)];
        let both = [need("platform-approvers", 1), need("cost-approvers", 1)];
        let in_both: &[(&str, &[&str])] =
            &[("approver", &["platform-approvers", "cost-approvers"])];
        let in_one: &[(&str, &[&str])] = &[("approver", &["platform-approvers"])];
        assert!(met(&platform, &[approve("approver", "d1")], in_one));
        assert!(met(&both, &[approve("approver", "d1")], in_both));
        assert!(!met(&both, &[approve("approver", "d1")], in_one));
        assert!(!met(&platform, &[approve("approver", "d0")], in_one));
        assert!(!met(&platform, &[], in_one));
        let void = Decision {
            current: false,
            ..approve("approver", "d1")
        };
        assert!(
            !met(&platform, &[void], in_one),
            "an earlier plan with the same digest is another plan"
        );
    }

    #[test]
    fn the_requester_never_counts_and_two_means_two_people() {
        let two = [need("platform-approvers", 2)];
        let groups: &[(&str, &[&str])] = &[
            ("developer", &["platform-approvers"]),
            ("approver", &["platform-approvers"]),
            ("Approver ", &["platform-approvers"]),
            ("second", &["platform-approvers"]),
        ];
        assert!(!met(
            &two,
            &[approve("developer", "d1"), approve("approver", "d1")],
            groups
        ));
        assert!(!met(
            &two,
            &[approve("approver", "d1"), approve("approver", "d1")],
            groups
        ));
        assert!(
            !met(
                &two,
                &[approve("approver", "d1"), approve("Approver ", "d1")],
                groups
            ),
            "one person under two spellings of a subject"
        );
        assert!(met(
            &two,
            &[approve("approver", "d1"), approve("second", "d1")],
            groups
        ));
    }
}
