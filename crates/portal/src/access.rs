//! Rights at the door, and what a page may offer: every *no* comes with its reason. The table role × right itself is `types::actor`.

use types::access::Access;
use types::actor::{Actor, InstallationRole, PersonKey, Right};
use types::approval::NeedStatus;
use types::names::ProjectName;
use types::request::{RequestAccess, RequestKind, RequestState};
use types::stack::{StackAccess, StackState};

use crate::approvals::four_eyes::{Authors, Wrote};
use crate::{Error, Result};

/// May the actor see it? Otherwise it does not exist for them.
pub(crate) fn may_read(actor: &Actor, project: &ProjectName, what: &'static str) -> Result<()> {
    if actor.is_system() || actor.may(Right::Read, Some(project)) {
        Ok(())
    } else {
        Err(Error::NotFound { what })
    }
}

/// May the actor do it, to something that they see?
pub(crate) fn may(actor: &Actor, right: Right, project: &ProjectName) -> Result<()> {
    if actor.is_system() || actor.may(right, Some(project)) {
        Ok(())
    } else {
        Err(Error::Forbidden { right })
    }
}

/// Sees everything, whatever the project.
pub(crate) fn sees_all(actor: &Actor) -> bool {
    actor.is_system() || actor.may(Right::Read, None)
}

/// What lists may show the actor.
pub(crate) fn scope(actor: &Actor) -> store::Scope {
    scope_of(actor, Right::Read)
}

/// The projects in which the actor has a right.
pub(crate) fn scope_of(actor: &Actor, right: Right) -> store::Scope {
    if actor.is_system() || actor.may(right, None) {
        return store::Scope::All;
    }
    let glass = actor.break_glass.iter().map(|glass| &glass.project);
    let mut projects: Vec<ProjectName> = actor
        .memberships
        .iter()
        .map(|membership| &membership.project)
        .chain(glass)
        .filter(|project| actor.may(right, Some(project)))
        .cloned()
        .collect();
    projects.sort();
    projects.dedup();
    store::Scope::Projects(projects)
}

/// A control for people with a right: left out for everybody else.
fn with_right(actor: &Actor, right: Right, project: &ProjectName, then: Access) -> Access {
    if actor.may(right, Some(project)) {
        then
    } else {
        Access::Hidden
    }
}

/// What the question who may decide looks at.
pub(crate) struct Decidable<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) authors: &'a Authors,
    pub(crate) state: RequestState,
    pub(crate) needs: &'a [NeedStatus],
}

/// Why this actor cannot decide this request; `None` when they can. Page, REST, tokens, queue and count all ask here.
pub(crate) fn cannot_decide(actor: &Actor, request: &Decidable<'_>) -> Option<Error> {
    let needs = request.needs;
    if request.state != RequestState::AwaitingApproval {
        return Some(Error::Conflict {
            code: "not_awaiting_approval",
            detail: format!(
                "This request is {}: only one that waits for approval can be decided.",
                words(request.state)
            ),
        });
    }
    if !actor.kind.is_person() {
        return Some(Error::Refused {
            code: "person_needed",
            detail: "Only a person decides a request.".to_owned(),
        });
    }
    if let Some(wrote) = request.authors.wrote(&actor.subject) {
        let what = match wrote {
            Wrote::Requested => "sent",
            Wrote::Edited => "edited",
        };
        return Some(Error::Refused {
            code: "four_eyes",
            detail: format!(
                "You {what} this request, so someone else must decide it. {}",
                who_decides(needs)
            ),
        });
    }
    if !actor.may(Right::Approve, Some(request.project)) {
        return Some(Error::Forbidden {
            right: Right::Approve,
        });
    }
    let open: Vec<&NeedStatus> = needs.iter().filter(|n| !n.met).collect();
    if !open.is_empty() && !open.iter().any(|n| actor.groups.contains(&n.need.group)) {
        return Some(Error::Refused {
            code: "not_in_group",
            detail: who_decides(needs),
        });
    }
    let own = PersonKey::of(&actor.subject);
    if open
        .iter()
        .filter(|n| actor.groups.contains(&n.need.group))
        .any(|n| n.approved_by.iter().any(|who| PersonKey::of(who) == own))
    {
        return Some(Error::Conflict {
            code: "already_decided",
            detail: "You approved this plan already; it waits for someone else.".to_owned(),
        });
    }
    None
}

/// Who can decide, as a sentence.
pub(crate) fn who_decides(needs: &[NeedStatus]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for need in needs.iter().filter(|n| !n.met) {
        if !groups.contains(&need.need.group.as_str()) {
            groups.push(need.need.group.as_str());
        }
    }
    match groups.as_slice() {
        [] => "Only an approver of the project who did not write it can decide.".to_owned(),
        groups => format!(
            "Only an approver of {} who did not write it can decide.",
            groups.join(" or ")
        ),
    }
}

const BY_BREAKING_GLASS: &str =
    "If none of them can, an administrator breaks glass on the project's page.";

/// Whether the actor may take this request back: who sent it may, and nobody else. What was sent by somebody who may not request any more (`left`) is an
/// admin's to withdraw, or it would stand in its stack's way until it expires.
pub(crate) fn may_withdraw(
    actor: &Actor,
    project: &ProjectName,
    requester: &str,
    left: bool,
) -> Result<()> {
    if is_slipways(requester) {
        return may_stop(actor, project, requester);
    }
    let administers = actor.installation.contains(&InstallationRole::Admin);
    if actor.is_system() || (left && administers) {
        return Ok(());
    }
    may(actor, Right::Request, project)?;
    // To the letter: where a person is barred any spelling counts, where one is allowed only their own.
    if actor.subject == requester {
        return Ok(());
    }
    Err(Error::Refused {
        code: "not_requester",
        detail: format!(
            "Only {requester}, who sent this request, can withdraw it. If that person has left the project, an admin can."
        ),
    })
}

/// Whether the actor may stop what a request has begun, or an operation without a request: whoever may request in the project. What Slipway asked for itself,
/// the deletion of an expired stack, is an admin's to stop: whoever could withdraw it could keep any stack for ever.
pub(crate) fn may_stop(actor: &Actor, project: &ProjectName, requester: &str) -> Result<()> {
    if !is_slipways(requester) {
        return may(actor, Right::Request, project);
    }
    if actor.is_system() || actor.installation.contains(&InstallationRole::Admin) {
        return Ok(());
    }
    Err(Error::Refused {
        code: "system_request",
        detail: "Slipway asked for this deletion because the stack has expired. Only an admin can withdraw it; after that the stack can be extended."
            .to_owned(),
    })
}

/// Whether Slipway asked for it.
pub(crate) fn is_slipways(requester: &str) -> bool {
    requester == crate::system().subject
}

/// Who sent a request.
pub(crate) struct Requester<'a> {
    pub(crate) subject: &'a str,
    /// They may not request in the project any more.
    pub(crate) left: bool,
}

/// What the actor may do to a request.
pub(crate) fn of_request(
    actor: &Actor,
    kind: RequestKind,
    requester: &Requester<'_>,
    request: &Decidable<'_>,
) -> RequestAccess {
    let Decidable {
        project,
        state,
        needs,
        ..
    } = *request;
    let edit = match state {
        _ if !matches!(kind, RequestKind::Create | RequestKind::Update) => Access::Hidden,
        RequestState::Denied | RequestState::ChangesRequested => Access::Allowed,
        RequestState::AwaitingApproval => Access::disabled(
            "It waits for approval. To change it, withdraw it and send a new one, or ask the approver to request changes.",
        ),
        _ => Access::Hidden,
    };
    let decide = match cannot_decide(actor, request) {
        None => Access::Allowed,
        Some(_) if state != RequestState::AwaitingApproval => Access::Hidden,
        Some(Error::Forbidden { .. }) if actor.may(Right::BreakGlass, None) => {
            Access::disabled(format!("{} {BY_BREAKING_GLASS}", who_decides(needs)))
        }
        Some(Error::Forbidden { .. }) => Access::disabled(who_decides(needs)),
        Some(error) => Access::disabled(error.to_string()),
    };
    let comment =
        if actor.may(Right::Request, Some(project)) || actor.may(Right::Approve, Some(project)) {
            Access::Allowed
        } else {
            Access::Hidden
        };
    RequestAccess {
        edit: with_right(actor, Right::Request, project, edit),
        withdraw: of_withdrawing(actor, state, project, requester),
        approve: decide.clone(),
        reject: decide.clone(),
        decide,
        comment,
    }
}

/// Whether the actor may take a request back, for its page.
pub(crate) fn of_withdrawing(
    actor: &Actor,
    state: RequestState,
    project: &ProjectName,
    requester: &Requester<'_>,
) -> Access {
    let withdraw = match withdrawable(state) {
        Ok(()) => Access::Allowed,
        Err(_) if state.is_final() => Access::Hidden,
        Err(reason) => Access::disabled(reason),
    };
    match may_withdraw(actor, project, requester.subject, requester.left) {
        Ok(()) => withdraw,
        Err(refused @ Error::Refused { .. })
            if withdraw == Access::Allowed && actor.may(Right::Request, Some(project)) =>
        {
            Access::disabled(refused.to_string())
        }
        Err(_) => Access::Hidden,
    }
}

/// Whether a request can be taken back, with the reason when not.
pub(crate) fn withdrawable(state: RequestState) -> std::result::Result<(), &'static str> {
    match state {
        RequestState::Denied
        | RequestState::AwaitingApproval
        | RequestState::ChangesRequested
        | RequestState::Approved => Ok(()),
        RequestState::Checking => Err("Its plan is being made; try again in a moment."),
        RequestState::Executing => Err("It is being executed: cancel its operation instead."),
        _ => Err("It has ended."),
    }
}

/// What stands in the way of changing a stack.
pub(crate) struct StackSituation<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) state: StackState,
    /// An operation that has not ended.
    pub(crate) busy: bool,
    /// A request about it that has not ended: its kind.
    pub(crate) open_request: Option<RequestKind>,
    /// It has a machine that can be switched off.
    pub(crate) has_machines: bool,
    pub(crate) expires: bool,
    /// Its end has come: what runs on it would only put off its deletion.
    pub(crate) expired: bool,
}

/// What an expired stack answers to everything that would keep it busy.
pub(crate) const EXPIRED: &str = "It has expired and will be deleted; extend it first.";

const BUSY: &str = "An operation is running on it; wait until it has ended.";

/// What the actor may do to a stack.
pub(crate) fn of_stack(actor: &Actor, situation: &StackSituation<'_>) -> StackAccess {
    let allowed = |access: std::result::Result<(), String>| {
        let access = match access {
            Ok(()) => Access::Allowed,
            Err(reason) => Access::disabled(reason),
        };
        with_right(actor, Right::Request, situation.project, access)
    };
    let gone = matches!(situation.state, StackState::Deleted | StackState::Reserved);
    if gone {
        return StackAccess {
            update: Access::Hidden,
            delete: Access::Hidden,
            extend: Access::Hidden,
            retry: Access::Hidden,
            start: Access::Hidden,
            stop: Access::Hidden,
            restart: Access::Hidden,
        };
    }
    let power = |access| {
        if situation.has_machines {
            allowed(access)
        } else {
            Access::Hidden
        }
    };
    StackAccess {
        update: allowed(may_update(situation)),
        delete: allowed(may_delete(situation)),
        extend: if situation.expires {
            allowed(may_extend(situation))
        } else {
            Access::Hidden
        },
        retry: if situation.state == StackState::Failed {
            allowed(may_retry(situation))
        } else {
            Access::Hidden
        },
        start: power(may_switch(situation, StackState::Stopped)),
        stop: power(may_switch(situation, StackState::Active)),
        restart: power(may_switch(situation, StackState::Active)),
    }
}

fn no_open_request(situation: &StackSituation<'_>) -> std::result::Result<(), String> {
    match situation.open_request {
        Some(kind) => Err(format!(
            "A request to {} it is open; finish or withdraw that first.",
            kind.as_str()
        )),
        None => Ok(()),
    }
}

/// A change needs a stack that lives or failed, and no other request in flight.
pub(crate) fn may_update(situation: &StackSituation<'_>) -> std::result::Result<(), String> {
    if situation.expired {
        return Err(EXPIRED.to_owned());
    }
    no_open_request(situation)?;
    match situation.state {
        StackState::Active | StackState::Failed if !situation.busy => Ok(()),
        StackState::Stopped => Err("It is stopped; start it first.".to_owned()),
        _ => Err(BUSY.to_owned()),
    }
}

/// Deleting is possible from every state at rest.
pub(crate) fn may_delete(situation: &StackSituation<'_>) -> std::result::Result<(), String> {
    no_open_request(situation)?;
    match situation.state {
        StackState::Active | StackState::Stopped | StackState::Failed if !situation.busy => Ok(()),
        _ => Err(BUSY.to_owned()),
    }
}

/// Extending changes no resource, so a running operation does not matter.
pub(crate) fn may_extend(situation: &StackSituation<'_>) -> std::result::Result<(), String> {
    no_open_request(situation)?;
    match situation.state {
        StackState::Active | StackState::Stopped | StackState::Updating | StackState::Failed => {
            Ok(())
        }
        _ => Err("It does not live yet, or no longer.".to_owned()),
    }
}

/// Only what failed is tried again.
pub(crate) fn may_retry(situation: &StackSituation<'_>) -> std::result::Result<(), String> {
    no_open_request(situation)?;
    match situation.state {
        StackState::Failed if !situation.busy => Ok(()),
        StackState::Failed => Err(BUSY.to_owned()),
        _ => Err("It did not fail.".to_owned()),
    }
}

/// Power actions need a stack at rest in the right state.
pub(crate) fn may_switch(
    situation: &StackSituation<'_>,
    from: StackState,
) -> std::result::Result<(), String> {
    if situation.expired {
        return Err(EXPIRED.to_owned());
    }
    if situation.busy {
        return Err(BUSY.to_owned());
    }
    match (situation.state, from) {
        (state, from) if state == from => Ok(()),
        (StackState::Active, _) => Err("It runs already.".to_owned()),
        (StackState::Stopped, _) => Err("It is stopped.".to_owned()),
        (StackState::Failed, _) => {
            Err("Its last change failed; try again or delete it.".to_owned())
        }
        _ => Err(BUSY.to_owned()),
    }
}

/// A request's state in the middle of a sentence.
pub(crate) fn words(state: RequestState) -> &'static str {
    match state {
        RequestState::Checking => "being checked",
        RequestState::Denied => "denied",
        RequestState::AwaitingApproval => "waiting for approval",
        RequestState::Approved => "approved",
        RequestState::Rejected => "rejected",
        RequestState::ChangesRequested => "sent back for changes",
        RequestState::Withdrawn => "withdrawn",
        RequestState::Expired => "expired",
        RequestState::Executing => "being executed",
        RequestState::Completed => "completed",
        RequestState::Failed => "failed",
        RequestState::Cancelled => "cancelled",
    }
}
