//! What an operation does next: one pure function over the journal. What Azure answers is taken up in `record`, asking it is done in `perform`.

use time::Duration;
use types::fault::AzureFault;
use types::operation::{OperationKind, OperationState, StepName, StepState};
use types::time::Timestamp;

use super::journal::{Journal, JournalStep, Phase};

/// How long Azure may be out of reach, or contradict itself, before an admin is asked.
pub(crate) const TROUBLE_LIMIT: Duration = Duration::hours(1);
/// How long one step may run before an admin is asked: longer than the slowest cluster deployment known.
pub(crate) const STEP_LIMIT: Duration = Duration::hours(6);
/// How old a look at the guard may be when the write goes out.
pub(crate) const LOOK_LIMIT: Duration = Duration::seconds(30);
/// How long a PUT whose answer was lost may still be under way inside Azure: within it, *not found* proves nothing.
pub(crate) const GRACE: Duration = Duration::seconds(10);

/// The next thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Nothing is due: it ended, waits for an admin, or sleeps.
    Rest,
    /// Take it out of the queue.
    Start,
    /// Begin the step.
    Begin,
    /// Read the owned resource group and its tags.
    ReadGroup,
    /// Read afresh what the write that follows is about: the group, and the lists that name its resources with their tags.
    ReadScope,
    /// Create the owned group, or write its tags again.
    PutGroup,
    /// Delete the owned group.
    DeleteGroup,
    /// Look whether the owned group is gone.
    LookForGroup,
    /// Ask ARM to validate the deployment.
    Validate,
    /// Read the deployment by its name.
    ReadDeployment,
    /// Send the deployment.
    PutDeployment,
    /// Ask ARM to stop the deployment.
    CancelDeployment,
    /// Ask how far what Azure took is.
    Follow(Box<azure::LongRunning>),
    /// Delete the resource with this id.
    DeleteResource,
    /// Look whether the resource is gone.
    LookForResource,
    /// Start, stop or restart the machine.
    Power,
    /// Read outputs and resources of the finished deployment.
    Collect,
    /// End the step without doing more, because somebody asked for it.
    Stop,
    /// End the operation.
    End(End),
}

impl Action {
    /// A word for crash points and traces.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Action::Rest => "rest",
            Action::Start => "start",
            Action::Begin => "begin",
            Action::ReadGroup => "read_group",
            Action::ReadScope => "read_scope",
            Action::PutGroup => "put_group",
            Action::DeleteGroup => "delete_group",
            Action::LookForGroup => "look_for_group",
            Action::Validate => "validate",
            Action::ReadDeployment => "read_deployment",
            Action::PutDeployment => "put_deployment",
            Action::CancelDeployment => "cancel_deployment",
            Action::Follow(_) => "follow",
            Action::DeleteResource => "delete_resource",
            Action::LookForResource => "look_for_resource",
            Action::Power => "power",
            Action::Collect => "collect",
            Action::Stop => "stop",
            Action::End(_) => "end",
        }
    }

    /// True when Azure may change by it: the operation is taken by its version right before.
    pub(crate) fn writes(&self) -> bool {
        matches!(
            self,
            Action::PutGroup
                | Action::DeleteGroup
                | Action::PutDeployment
                | Action::CancelDeployment
                | Action::DeleteResource
                | Action::Power
        )
    }
}

/// How an operation ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Succeeded,
    Cancelled,
    Failed(AzureFault),
    NeedsAttention(AzureFault),
}

/// Decides. Pure: the same journal at the same moment gives the same action.
pub(crate) fn next(journal: &Journal, now: Timestamp) -> Action {
    match journal.state {
        OperationState::Queued if journal.cancel_requested => return Action::End(End::Cancelled),
        OperationState::Queued | OperationState::Running
            if journal.wake_at().is_some_and(|at| at > now) =>
        {
            return Action::Rest;
        }
        OperationState::Queued => return Action::Start,
        OperationState::Running => {}
        _ => return Action::Rest,
    }
    let Some(step) = journal.step() else {
        return Action::End(End::Succeeded);
    };
    match step.state {
        StepState::Failed => Action::End(End::Failed(fault_of(step))),
        StepState::Cancelled => Action::End(End::Cancelled),
        StepState::Pending if journal.cancel_requested && stops_before(step.name) => Action::Stop,
        StepState::Pending => Action::Begin,
        _ => match limit(step, now) {
            Some(fault) => Action::End(End::NeedsAttention(fault)),
            None => within(journal, step, now),
        },
    }
}

fn within(journal: &Journal, step: &JournalStep, now: Timestamp) -> Action {
    let Some(item) = step.item() else {
        // A running step without an open item is settled by `record`; a journal written by hand ends up here.
        return Action::Begin;
    };
    let cancel = journal.cancel_requested;
    let guard_is_fresh = |at: Timestamp| now.since(at) <= LOOK_LIMIT;
    match (step.name, &item.phase) {
        (_, Phase::Done) => Action::Begin,

        (StepName::ResourceGroup, Phase::Looked { at }) if !cancel && guard_is_fresh(*at) => {
            Action::PutGroup
        }
        (StepName::ResourceGroup, _) if cancel => Action::Stop,
        (StepName::ResourceGroup, _) => Action::ReadGroup,

        (StepName::Preflight, _) if cancel => Action::Stop,
        (StepName::Preflight, Phase::Following { operation, .. }) => {
            Action::Follow(operation.clone())
        }
        (StepName::Preflight, _) => Action::Validate,

        (StepName::Deployment, phase) => deployment(journal, phase, now),

        (StepName::Leftovers, Phase::Following { operation, .. })
        | (StepName::Removal | StepName::Power, Phase::Following { operation, .. }) => {
            Action::Follow(operation.clone())
        }
        (StepName::Leftovers, Phase::Verify) => Action::LookForResource,
        (StepName::Leftovers, _) if cancel => Action::Stop,
        (StepName::Leftovers, Phase::Checked { at, .. }) if guard_is_fresh(*at) => {
            Action::DeleteResource
        }

        (StepName::Removal, phase) => match (journal.owns_group, phase) {
            (true, Phase::Verify) => Action::LookForGroup,
            (false, Phase::Verify) => Action::LookForResource,
            (true, Phase::Checked { at, .. }) if guard_is_fresh(*at) => Action::DeleteGroup,
            (false, Phase::Checked { at, .. }) if guard_is_fresh(*at) => Action::DeleteResource,
            _ => Action::ReadScope,
        },

        (StepName::Power, Phase::Checked { at, .. }) if guard_is_fresh(*at) => Action::Power,
        (StepName::Leftovers | StepName::Power, _) => Action::ReadScope,
        (StepName::Collect | StepName::Read, _) => Action::Collect,
    }
}

/// The deployment: its name decides whatever a crash or a lost answer left open. The scope is read last, right before the PUT, and again for each PUT.
fn deployment(journal: &Journal, phase: &Phase, now: Timestamp) -> Action {
    let cancel = journal.cancel_requested;
    match phase {
        Phase::Following {
            cancel_sent: false, ..
        }
        | Phase::Named { cancel_sent: false }
            if cancel =>
        {
            Action::CancelDeployment
        }
        Phase::Following { operation, .. } => Action::Follow(operation.clone()),
        Phase::Named { .. } | Phase::Sent { .. } => Action::ReadDeployment,
        _ if cancel => Action::Stop,
        Phase::Checked { at, .. } if now.since(*at) <= LOOK_LIMIT => Action::PutDeployment,
        Phase::Clear { at } if now.since(*at) <= LOOK_LIMIT => Action::ReadScope,
        _ => Action::ReadDeployment,
    }
}

/// Once the deployment has finished only writing things down is left, and a deletion that has begun cannot be stopped in Azure.
fn stops_before(step: StepName) -> bool {
    !matches!(step, StepName::Collect)
}

/// Whether a wish to cancel could still change something; the reason when not.
pub(crate) fn cancellable(journal: &Journal) -> Result<(), &'static str> {
    if journal.state.has_ended() {
        return Err("It has ended.");
    }
    if journal.cancel_requested {
        return Err("It is being cancelled.");
    }
    if journal.state == OperationState::Queued {
        return Ok(());
    }
    let Some(step) = journal.step() else {
        return Err("It is done; only the last line is being written.");
    };
    let begun = step.state != StepState::Pending;
    match (journal.kind, step.name) {
        (OperationKind::Apply, StepName::Collect) => {
            Err("The deployment has finished; only its result is being written down.")
        }
        (OperationKind::Destroy, _) if begun => {
            Err("Azure cannot stop a deletion once it has begun.")
        }
        (OperationKind::Start | OperationKind::Stop | OperationKind::Restart, _) if begun => {
            Err("Azure cannot stop a power action once it has begun.")
        }
        _ => Ok(()),
    }
}

fn limit(step: &JournalStep, now: Timestamp) -> Option<AzureFault> {
    if let Some(trouble) = &step.memo.trouble
        && now.since(trouble.since) > TROUBLE_LIMIT
    {
        return Some(fault(
            "GaveUpWaiting",
            format!(
                "This step could not go on for an hour: {}. What Azure was told before stays as it is.",
                trouble.note.trim_end_matches('.')
            ),
            "Find out why, then let an admin take the operation further.",
        ));
    }
    let since = step.memo.resumed_at.or(step.started_at)?;
    (now.since(since) > STEP_LIMIT).then(|| {
        fault(
            "RunsTooLong",
            format!("{} has been running for six hours.", step.title),
            "Look at it in the Azure portal, then let an admin take the operation further.",
        )
    })
}

fn fault_of(step: &JournalStep) -> AzureFault {
    step.fault.clone().unwrap_or_else(|| {
        fault(
            "StepFailed",
            format!("{} failed.", step.title),
            "Try again; if it fails again, tell an admin.",
        )
    })
}

/// A fault that Slipway found itself.
pub(crate) fn fault(
    code: &str,
    message: impl Into<String>,
    explanation: impl Into<String>,
) -> AzureFault {
    AzureFault {
        status: None,
        code: code.to_owned(),
        message: message.into(),
        target: None,
        details: Vec::new(),
        policy: Vec::new(),
        explanation: Some(explanation.into()),
        request_id: None,
        correlation_id: None,
    }
}
