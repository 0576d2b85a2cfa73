//! Which needs are met by whom: pure. Decisions count for the plan that they were made on, and for the groups that the approver is in.

use std::collections::HashMap;

use types::approval::{Decision, DecisionKind, NeedStatus};
use types::names::GroupName;
use types::policy::ApprovalNeed;
use types::request::RequestState;

/// Every need with who approved for it. `groups` knows the approvers; `requester` never counts.
pub(crate) fn status(
    needs: &[ApprovalNeed],
    decisions: &[Decision],
    digest: Option<&str>,
    requester: &str,
    state: RequestState,
    groups: &HashMap<String, Vec<GroupName>>,
) -> Vec<NeedStatus> {
    // What was approved stays approved for the reader, whatever became of an approver's groups since.
    let past = !matches!(
        state,
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
            let mut approved_by: Vec<String> = Vec::new();
            for decision in decisions {
                let counts = decision.decision == DecisionKind::Approve
                    && Some(decision.plan_digest.as_str()) == digest
                    && decision.approver != requester
                    && groups
                        .get(&decision.approver)
                        .is_some_and(|g| g.contains(&need.group));
                if counts && !approved_by.contains(&decision.approver) {
                    approved_by.push(decision.approver.clone());
                }
            }
            let met = past || approved_by.len() >= need.count as usize;
            NeedStatus {
                need: need.clone(),
                approved_by,
                met,
            }
        })
        .collect()
}

/// True when nobody else has to agree. A plan that was sent back without needs still wants one approver.
pub(crate) fn all_met(needs: &[NeedStatus], approvals: usize) -> bool {
    if needs.is_empty() {
        approvals > 0
    } else {
        needs.iter().all(|n| n.met)
    }
}

#[cfg(test)]
mod tests {
    use types::ids::DecisionId;
    use types::policy::Severity;
    use types::time::Timestamp;

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
            current: true,
            at: Timestamp::new(time::OffsetDateTime::UNIX_EPOCH),
        }
    }

    fn met(needs: &[ApprovalNeed], decisions: &[Decision], groups: &[(&str, &[&str])]) -> bool {
        let groups = groups
            .iter()
            .map(|(who, g)| {
                (
                    (*who).to_owned(),
                    g.iter().map(|g| g.parse().unwrap()).collect(),
                )
            })
            .collect();
        let status = status(
            needs,
            decisions,
            Some("d1"),
            "developer",
            RequestState::AwaitingApproval,
            &groups,
        );
        all_met(&status, decisions.len())
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
    }

    #[test]
    fn the_requester_never_counts_and_two_means_two_people() {
        let two = [need("platform-approvers", 2)];
        let groups: &[(&str, &[&str])] = &[
            ("developer", &["platform-approvers"]),
            ("approver", &["platform-approvers"]),
            ("admin", &["platform-approvers"]),
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
        assert!(met(
            &two,
            &[approve("approver", "d1"), approve("admin", "d1")],
            groups
        ));
    }
}
