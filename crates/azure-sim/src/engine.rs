//! What happens by itself as time goes by: operations end when their deadline has come, and what waited for them goes on. What an operation means for a type is in `providers`.

pub(crate) mod clock;
pub(crate) mod deployments;
pub(crate) mod evaluate;
pub(crate) mod limits;

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::providers;
use crate::state::model::{Change, Effect, Operation, Power, Provisioning, Resource, Status};
use crate::state::{State, Tx};
use crate::wire::errors::Problem;
use crate::wire::ids;

/// How many ended operations are kept for whoever polls late.
const KEEP_ENDED: usize = 20_000;

/// Sleeps until something is due, lets it happen, and again; until told to stop.
pub(crate) async fn run(state: Arc<State>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    loop {
        let wait = match state.next_due() {
            Some(due) => (due - state.clock.now()).max(time::Duration::ZERO),
            None => time::Duration::HOUR,
        };
        let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
        tokio::select! {
            () = tokio::time::sleep(wait) => {
                let (_, ticket) = state.write(|_| Ok(()));
                drop(ticket);
            }
            () = state.woken.notified() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Lets everything happen that is due, each at its own time: after a long sleep the story is told as if nobody had slept.
pub(crate) fn settle(tx: &mut Tx<'_>) {
    let now = tx.now;
    while let Some(operation) = tx.due(now) {
        tx.now = operation.deadline.unwrap_or(now);
        end(tx, &operation);
    }
    tx.now = now;
    for id in tx.stale_operations(KEEP_ENDED) {
        tx.apply(Change::Operation(id, None));
    }
}

/// An operation about to begin.
pub(crate) struct Begin {
    pub(crate) subject: String,
    pub(crate) effect: Effect,
    /// How long it takes in Azure; `None` when something else ends it.
    pub(crate) seconds: Option<f64>,
    pub(crate) doomed: Option<Problem>,
    pub(crate) deployment: Option<String>,
}

pub(crate) fn begin(tx: &mut Tx<'_>, begin: Begin) -> Uuid {
    let takes_over = matches!(
        begin.effect,
        Effect::Put { .. } | Effect::Delete | Effect::Power(_) | Effect::NodeImage
    );
    if takes_over && let Some(resource) = tx.resource(&ids::key(&begin.subject)).cloned() {
        preempt(tx, &resource);
    }
    let id = Uuid::new_v4();
    let deadline = begin.seconds.map(|seconds| tx.after(seconds));
    let operation = Operation {
        id,
        subject: begin.subject,
        effect: begin.effect,
        status: Status::InProgress,
        started: tx.now,
        deadline,
        ended: None,
        doomed: begin.doomed,
        problem: None,
        deployment: begin.deployment,
    };
    tx.apply(Change::Operation(id, Some(Arc::new(operation))));
    id
}

/// Ends what was ordered to hang on a resource: something newer takes over, or the resource is no more.
pub(crate) fn preempt(tx: &mut Tx<'_>, resource: &Resource) {
    let hanging = resource
        .operation
        .and_then(|id| tx.operation(id))
        .filter(|operation| operation.status == Status::InProgress && operation.deadline.is_none())
        .filter(|operation| operation.effect != Effect::Delete)
        .map(|operation| operation.id);
    if let Some(id) = hanging {
        let problem = Problem::new(
            "OperationPreempted",
            "Operation execution has been preempted by a more recent operation.",
        );
        close(tx, id, Status::Canceled, Some(problem));
    }
}

/// Moves an operation's end.
pub(crate) fn postpone(tx: &mut Tx<'_>, id: Uuid, wait: time::Duration) {
    let Some(operation) = tx.operation(id) else {
        return;
    };
    let mut operation = Operation::clone(operation);
    operation.deadline = operation.deadline.map(|deadline| deadline + wait);
    tx.apply(Change::Operation(id, Some(Arc::new(operation))));
}

/// Ends an operation in the books only.
pub(crate) fn close(tx: &mut Tx<'_>, id: Uuid, status: Status, problem: Option<Problem>) {
    let Some(operation) = tx.operation(id) else {
        return;
    };
    let mut operation = Operation::clone(operation);
    operation.status = status;
    operation.ended = Some(tx.now);
    operation.problem = problem;
    tx.apply(Change::Operation(id, Some(Arc::new(operation))));
}

fn end(tx: &mut Tx<'_>, operation: &Operation) {
    let key = ids::key(&operation.subject);
    if operation.effect == Effect::Deployment {
        deployments::accepted(tx, &key, operation.id);
        return;
    }
    let mut problem = operation.doomed.clone();
    match &operation.effect {
        Effect::Put { .. } => change(tx, &key, operation.id, problem.as_ref(), |_| {}),
        Effect::Power(power) => {
            let power = *power;
            change(tx, &key, operation.id, problem.as_ref(), move |resource| {
                resource.power = Some(power);
            });
        }
        Effect::NodeImage => {
            change(tx, &key, operation.id, problem.as_ref(), |_| {});
        }
        Effect::Delete if problem.is_none() => providers::remove(tx, &key),
        Effect::Delete => change(tx, &key, operation.id, problem.as_ref(), |_| {}),
        Effect::DeleteGroup => {
            problem = problem.or_else(|| providers::resources::group_blocked(tx, &key));
            if problem.is_none() {
                providers::resources::remove_group(tx, &key);
            } else {
                providers::resources::keep_group(tx, &key);
            }
        }
        Effect::Deployment | Effect::Answer(_) | Effect::Gone => {}
    }
    let status = if problem.is_none() {
        Status::Succeeded
    } else {
        Status::Failed
    };
    close(tx, operation.id, status, problem);
    if let Some(deployment) = &operation.deployment {
        deployments::advance(tx, deployment);
    }
}

/// Settles a resource after its operation. A resource that a later operation has taken over is left to that one.
fn change(
    tx: &mut Tx<'_>,
    key: &str,
    operation: Uuid,
    problem: Option<&Problem>,
    act: impl FnOnce(&mut Resource),
) {
    let Some(resource) = tx.resource(key).cloned() else {
        return;
    };
    if resource.operation != Some(operation) {
        return;
    }
    let mut resource = Resource::clone(&resource);
    resource.operation = None;
    resource.changed = tx.now;
    resource.etag = Uuid::new_v4();
    resource.problem = problem.cloned();
    match problem {
        None => {
            resource.state = Provisioning::Succeeded;
            if resource.power == Some(Power::Starting) {
                resource.power = Some(Power::Running);
            }
            act(&mut resource);
        }
        Some(_) => {
            resource.state = Provisioning::Failed;
            if resource.power == Some(Power::Starting) {
                resource.power = Some(Power::Stopped);
            }
        }
    }
    let cluster = resource.is("Microsoft.ContainerService/managedClusters");
    tx.apply(Change::Resource(key.to_owned(), Some(Arc::new(resource))));
    if cluster {
        renew_pools(tx, key);
    }
}

/// What is done to a cluster renews the ETags of its pools too (<https://learn.microsoft.com/azure/aks/use-etags>, page of 2024-06-10).
fn renew_pools(tx: &mut Tx<'_>, cluster: &str) {
    let pools: Vec<(String, Arc<Resource>)> = tx
        .under(cluster)
        .filter(|(_, child)| child.is("Microsoft.ContainerService/managedClusters/agentPools"))
        .map(|(key, pool)| (key.clone(), Arc::clone(pool)))
        .collect();
    for (key, pool) in pools {
        let mut pool = Resource::clone(&pool);
        pool.etag = Uuid::new_v4();
        tx.apply(Change::Resource(key, Some(Arc::new(pool))));
    }
}

/// Writes a duration as ARM does, `PT27.0709147S`.
pub(crate) fn duration(from: OffsetDateTime, to: OffsetDateTime) -> String {
    let seconds = (to - from).as_seconds_f64().max(0.0);
    if seconds < 60.0 {
        format!("PT{seconds:.7}S")
    } else {
        format!("PT{}M{:.7}S", (seconds / 60.0) as u64, seconds % 60.0)
    }
}
