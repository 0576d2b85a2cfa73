//! The whole table of four eyes, not a sample: every actor, on every request, with every set of editors, against a rule of a few lines that knows nothing
//! of the code. `server/tests/four_eyes.rs` walks what of it can be reached through the binary.

use std::collections::HashMap;

use types::access::Access;
use types::actor::{Actor, ActorKind, InstallationRole, Membership, Role};
use types::approval::{Decision, DecisionKind, NeedStatus};
use types::break_glass::BrokenGlass;
use types::ids::{BreakGlassId, DecisionId, TokenId};
use types::names::ProjectName;
use types::policy::{ApprovalNeed, Severity};
use types::request::{PlanAuthor, RequestKind, RequestState};
use types::time::Timestamp;

use super::{Approver, Authors, Sight};
use crate::access::{Decidable, Requester, cannot_decide, of_request};
use crate::approvals::needs;

const PEOPLE: [&str; 7] = [
    "reader",
    "developer",
    "approver",
    "owner",
    "admin",
    "auditor",
    "foreign",
];
const GROUP: &str = "platform-approvers";

/// The need of a request, and whether the actor has approved for it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Need {
    None,
    Open,
    OpenAndApprovedByActor,
    Met,
}

#[derive(Debug, Clone)]
struct Case {
    actor: &'static str,
    glass: bool,
    kind: ActorKind,
    in_group: bool,
    requester: &'static str,
    editors: Vec<&'static str>,
    /// The directory writes the authors' subjects in another way than the actor's.
    spelled_otherwise: bool,
    state: RequestState,
    need: Need,
}

/// The rule.
fn may_decide(case: &Case) -> bool {
    let wrote = case.requester == case.actor || case.editors.contains(&case.actor);
    let approves =
        matches!(case.actor, "approver" | "owner") || (case.actor == "admin" && case.glass);
    let needed = match case.need {
        Need::None | Need::Met => true,
        Need::Open => case.in_group,
        Need::OpenAndApprovedByActor => false,
    };
    case.state == RequestState::AwaitingApproval
        && case.kind != ActorKind::System
        && !wrote
        && approves
        && needed
}

fn project() -> ProjectName {
    "payments".parse().unwrap()
}

fn at() -> Timestamp {
    Timestamp::new(time::OffsetDateTime::UNIX_EPOCH)
}

fn actor(case: &Case) -> Actor {
    let member = |project: &str, role| Membership {
        project: project.parse().unwrap(),
        role,
    };
    let (memberships, installation) = match case.actor {
        "reader" => (vec![member("payments", Role::Reader)], vec![]),
        "developer" => (vec![member("payments", Role::Developer)], vec![]),
        "approver" => (vec![member("payments", Role::Approver)], vec![]),
        "owner" => (vec![member("payments", Role::Owner)], vec![]),
        "foreign" => (vec![member("search", Role::Owner)], vec![]),
        "admin" => (vec![], vec![InstallationRole::Admin]),
        _ => (vec![], vec![InstallationRole::Auditor]),
    };
    let glass = BrokenGlass {
        id: BreakGlassId(uuid::Uuid::nil()),
        project: project(),
        reason: "The approvers are away.".into(),
        ends_at: at(),
    };
    Actor {
        subject: case.actor.into(),
        name: case.actor.into(),
        kind: case.kind.clone(),
        memberships,
        installation,
        groups: case
            .in_group
            .then(|| GROUP.parse().unwrap())
            .into_iter()
            .collect(),
        break_glass: case.glass.then_some(glass).into_iter().collect(),
    }
}

fn spelled(case: &Case, subject: &str) -> String {
    if case.spelled_otherwise {
        format!(" {}", subject.to_uppercase())
    } else {
        subject.to_owned()
    }
}

fn needs_of(case: &Case) -> Vec<NeedStatus> {
    let approved_by = match case.need {
        Need::None => return vec![],
        Need::Open => vec!["nobody-of-these".to_owned()],
        Need::OpenAndApprovedByActor => vec![case.actor.to_owned()],
        Need::Met => vec!["a".to_owned(), "b".to_owned()],
    };
    vec![NeedStatus {
        need: need(2),
        met: case.need == Need::Met,
        approved_by,
    }]
}

fn need(count: u32) -> ApprovalNeed {
    ApprovalNeed {
        id: "GR-014".into(),
        title: String::new(),
        message: String::new(),
        path: String::new(),
        severity: Severity::Medium,
        group: GROUP.parse().unwrap(),
        count,
        docs: None,
    }
}

fn subsets() -> Vec<Vec<&'static str>> {
    (0..1_u32 << PEOPLE.len())
        .map(|bits| {
            (0..PEOPLE.len())
                .filter(|at| bits & (1 << at) != 0)
                .map(|at| PEOPLE[at])
                .collect()
        })
        .collect()
}

/// The whole product. In a state that cannot be decided, only nobody and everybody edited.
fn cases(mut visit: impl FnMut(&Case)) -> u64 {
    let kinds = [
        ActorKind::Person,
        ActorKind::Token {
            id: TokenId(uuid::Uuid::nil()),
        },
        ActorKind::System,
    ];
    let subsets = subsets();
    let mut seen = 0;
    for state in RequestState::ALL {
        for editors in &subsets {
            let extreme = editors.is_empty() || editors.len() == PEOPLE.len();
            if state != RequestState::AwaitingApproval && !extreme {
                continue;
            }
            for requester in PEOPLE {
                for actor in PEOPLE {
                    for glass in [false, true] {
                        if glass && actor != "admin" {
                            continue;
                        }
                        for kind in &kinds {
                            for bits in 0..4 {
                                for need in [
                                    Need::None,
                                    Need::Open,
                                    Need::OpenAndApprovedByActor,
                                    Need::Met,
                                ] {
                                    let in_group = bits & 1 != 0;
                                    if need == Need::OpenAndApprovedByActor && !in_group {
                                        continue;
                                    }
                                    visit(&Case {
                                        actor,
                                        glass,
                                        kind: kind.clone(),
                                        in_group,
                                        requester,
                                        editors: editors.clone(),
                                        spelled_otherwise: bits & 2 != 0,
                                        state,
                                        need,
                                    });
                                    seen += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    seen
}

#[test]
fn who_may_decide_is_the_rule_for_every_actor_requester_editors_role_and_state() {
    let project = project();
    let mut allowed = 0_u64;
    let seen = cases(|case| {
        let plans: Vec<PlanAuthor> = (1..)
            .zip(std::iter::once(case.requester).chain(case.editors.iter().copied()))
            .map(|(plan_revision, subject)| PlanAuthor {
                plan_revision,
                subject: spelled(case, subject),
                break_glass: None,
                at: at(),
            })
            .collect();
        let authors = Authors::of(&spelled(case, case.requester), &plans);
        let actor = actor(case);
        let needs = needs_of(case);
        let request = Decidable {
            project: &project,
            authors: &authors,
            state: case.state,
            needs: &needs,
        };
        let expected = may_decide(case);
        let refusal = cannot_decide(&actor, &request);
        assert_eq!(refusal.is_none(), expected, "{case:?}: {refusal:?}");
        // What the page offers is what would be done.
        let offered = of_request(
            &actor,
            RequestKind::Create,
            &Requester {
                subject: case.requester,
                left: false,
            },
            &request,
        )
        .decide;
        assert_eq!(
            offered == Access::Allowed,
            expected,
            "{case:?}: {offered:?}"
        );
        allowed += u64::from(expected);
    });
    assert!(
        seen > 200_000 && allowed > 1_000,
        "{seen} cases, {allowed} allowed"
    );
}

/// One recorded decision, in every way in which it may fail to count.
#[test]
fn an_approval_counts_only_as_the_rule_says() {
    let mut seen = 0;
    for bits in 0..1_u32 << 9 {
        let flag = |at: u32| bits & (1 << at) != 0;
        let [
            current,
            same_digest,
            known,
            requested,
            edited,
            in_group,
            approves,
            under_glass,
            breaks_glass,
        ] = [
            flag(0),
            flag(1),
            flag(2),
            flag(3),
            flag(4),
            flag(5),
            flag(6),
            flag(7),
            flag(8),
        ];
        for kind in [
            DecisionKind::Approve,
            DecisionKind::Reject,
            DecisionKind::RequestChanges,
        ] {
            let decision = Decision {
                id: DecisionId(uuid::Uuid::nil()),
                approver: "approver".into(),
                decision: kind,
                comment: String::new(),
                plan_digest: if same_digest { "now" } else { "before" }.into(),
                plan_revision: 1,
                current,
                break_glass: under_glass.then(|| BreakGlassId(uuid::Uuid::nil())),
                at: at(),
            };
            let edits = PlanAuthor {
                plan_revision: 2,
                subject: "approver".into(),
                break_glass: None,
                at: at(),
            };
            let authors = Authors::of(
                if requested { "approver" } else { "developer" },
                if edited {
                    std::slice::from_ref(&edits)
                } else {
                    &[]
                },
            );
            let approver = Approver {
                groups: in_group
                    .then(|| GROUP.parse().unwrap())
                    .into_iter()
                    .collect(),
                approves,
                breaks_glass,
            };
            let approvers: HashMap<String, Approver> = known
                .then(|| ("approver".to_owned(), approver))
                .into_iter()
                .collect();
            let sight = Sight {
                digest: Some("now"),
                state: RequestState::AwaitingApproval,
                authors: &authors,
                approvers: &approvers,
            };
            let still_may = approves || (under_glass && breaks_glass);
            let counts = kind == DecisionKind::Approve
                && current
                && same_digest
                && known
                && !requested
                && !edited
                && still_may;
            let decisions = [decision];
            let status = needs::status(&[need(1)], &decisions, &sight);
            assert_eq!(
                status[0].met,
                counts && in_group,
                "{decisions:?} {approvers:?}"
            );
            assert_eq!(needs::approvals(&decisions, &sight), usize::from(counts));
            seen += 1;
        }
    }
    assert_eq!(seen, 3 * 512);
}
