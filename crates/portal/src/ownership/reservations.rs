//! Resource ids that plans reserve, in the transaction that sends the request: what clashes with what others hold, and who may be told whose it is.

use serde_json::Value;
use store::{Reservation, Stack, Tx};
use types::actor::Actor;
use types::ids::StackId;
use types::names::ProjectName;
use types::plan::Plan;
use types::problem::FieldError;
use types::project::TierSettings;
use types::stack::StackSummary;

use super::scope::is_under;
use super::words::{belongs, capital, noun};
use super::{Look, Marks, Mine, NotOurs, Owner, Subject, Whose, whose};
use crate::access::may_read;
use crate::azure_facts::Facts;
use crate::checks::ParsedDraft;
use crate::plans::PlanOutcome;
use crate::plans::ground::reserves;
use crate::{Error, Portal, Result};

/// How old a list of node pools may be when a refusal is based on it: what was in the way may be gone since.
pub(crate) const REREAD: time::Duration = time::Duration::seconds(2);

/// The type of resource groups.
pub(crate) const GROUP: &str = "Microsoft.Resources/resourceGroups";
const MACHINE: &str = "Microsoft.Compute/virtualMachines";
const DISK: &str = "Microsoft.Compute/disks";

/// Everything that a plan makes, its own resource group and what Azure makes for it included.
pub(crate) fn plan_ids(plan: &Plan) -> Vec<Subject> {
    let target = &plan.target;
    let group = target.owns_group.then(|| Subject {
        id: format!(
            "/subscriptions/{}/resourceGroups/{}",
            target.subscription, target.resource_group
        ),
        kind: GROUP.to_owned(),
    });
    let planned = plan.resources.iter().map(|r| Subject {
        id: r.id.clone(),
        kind: r.kind.clone(),
    });
    let mut all: Vec<Subject> = group
        .into_iter()
        .chain(planned)
        .chain(implied(plan))
        .collect();
    // One order for everybody: two transactions never wait for each other.
    all.sort_by_key(|one| one.id.to_lowercase());
    all.dedup_by_key(|one| one.id.to_lowercase());
    all
}

/// The ids alone.
pub(crate) fn ids(subjects: &[Subject]) -> Vec<&str> {
    subjects.iter().map(|one| one.id.as_str()).collect()
}

/// What Azure makes beside the template's resources: the OS disk of a machine, by the name that the template gives it.
pub(crate) fn implied(plan: &Plan) -> Vec<Subject> {
    plan.resources
        .iter()
        .filter(|r| r.kind.eq_ignore_ascii_case(MACHINE))
        .filter_map(|machine| {
            let name = machine
                .body
                .pointer("/properties/storageProfile/osDisk/name")
                .and_then(Value::as_str)?;
            let (group, _) = machine.id.split_once("/providers/")?;
            Some(Subject {
                id: format!("{group}/providers/{DISK}/{name}"),
                kind: DISK.to_owned(),
            })
        })
        .collect()
}

/// Ids under which anybody may make children: the clusters and virtual networks that the project may use.
fn shared(tier: Option<&TierSettings>) -> Vec<String> {
    let Some(tier) = tier else {
        return Vec::new();
    };
    let clusters = tier.clusters.iter().map(|c| c.id.clone());
    let networks = tier
        .subnets
        .iter()
        .filter_map(|s| Some(s.id.rsplit_once("/subnets/")?.0.to_owned()));
    clusters.chain(networks).collect()
}

/// What another stack holds that these ids would take: the same id, one inside it, or one that it is inside of. A shared target, and what it is inside of,
/// is in nobody's way. `wanted` is what the stack does not hold yet.
pub(super) fn clashes(
    stack: StackId,
    wanted: &[Subject],
    held: &[Reservation],
    shared: &[String],
) -> Vec<NotOurs> {
    let new: Vec<&Subject> = wanted
        .iter()
        .filter(|want| {
            !held
                .iter()
                .any(|r| r.stack == stack && same(&r.id, &want.id))
        })
        .collect();
    let mut found = Vec::new();
    for want in new {
        let clash = held.iter().find(|other| {
            let through_shared = || {
                shared.iter().any(|target| {
                    is_under(&want.id, target)
                        && (same(&other.id, target) || is_under(target, &other.id))
                })
            };
            other.stack != stack
                && (same(&other.id, &want.id)
                    || is_under(&other.id, &want.id)
                    || (is_under(&want.id, &other.id) && !through_shared()))
        });
        if let Some(other) = clash {
            found.push(NotOurs::new(
                &want.id,
                &want.kind,
                Owner::Stack(other.stack),
            ));
        }
    }
    found
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What the cached lists of clusters say is at these ids and not the stack's.
fn existing(mine: &Mine, wanted: &[Subject], held: &[Reservation], facts: &Facts) -> Vec<NotOurs> {
    wanted
        .iter()
        .filter_map(|want| {
            let tags = facts.pool_tags(&want.id)?;
            let sent = held
                .iter()
                .any(|r| r.stack == mine.stack && r.sent && same(&r.id, &want.id));
            match whose(mine, &want.kind, Some(&Marks::of(tags)), sent) {
                Whose::Foreign(owner) => Some(NotOurs::new(&want.id, &want.kind, owner)),
                Whose::Absent | Whose::Ours => None,
            }
        })
        .collect()
}

/// The field whose value became the last part of the id, else the stack's name, which is part of most names.
fn field(parsed: &ParsedDraft, id: &str) -> String {
    let last = id.rsplit('/').next().unwrap_or(id);
    let fields = &parsed.template.manifest.fields;
    fields
        .keys()
        .find(|name| {
            parsed
                .parameters
                .get(*name)
                .and_then(Value::as_str)
                .is_some_and(|value| value.eq_ignore_ascii_case(last))
        })
        .map_or_else(|| "name".to_owned(), |name| format!("parameters.{name}"))
}

fn errors(parsed: &ParsedDraft, found: &[NotOurs]) -> Vec<FieldError> {
    found
        .iter()
        .map(|one| FieldError {
            field: field(parsed, &one.id),
            message: format!(
                "{} exists already, or is reserved, and {}. Choose another name.",
                capital(&noun(one)),
                belongs(one)
            ),
            code: "resource_taken".to_owned(),
        })
        .collect()
}

impl Portal {
    /// Whose operation one on this stack is.
    pub(crate) fn mine(&self, stack: StackId) -> Mine {
        Mine {
            stack,
            installation: self.0.installation,
        }
    }

    /// Refuses a plan that would make what exists already and is not the stack's, by what stacks hold and what is known of clusters. Lists that are older than
    /// `reread` are asked for again before a refusal is based on them; without it nothing is asked of Azure.
    ///
    /// # Errors
    /// [`Error::Invalid`] with `resource_taken` on the field that named it.
    pub(crate) async fn refuse_taken(
        &self,
        actor: &Actor,
        plan: &Plan,
        parsed: &ParsedDraft,
        stack: StackId,
        reread: Option<time::Duration>,
    ) -> Result<()> {
        if !reserves(parsed.kind) {
            return Ok(());
        }
        let project = self.0.store.project(&parsed.project).await?;
        let tier = project.as_ref().and_then(|p| p.tiers.get(&parsed.tier));
        let wanted = plan_ids(plan);
        let held = self.0.store.reservations_near(&ids(&wanted)).await?;
        let found = clashes(stack, &wanted, &held, &shared(tier));
        self.refuse(actor, parsed, found).await?;
        let mine = self.mine(stack);
        let mut found = existing(&mine, &wanted, &held, &self.0.facts.snapshot());
        if let Some(age) = reread
            && !found.is_empty()
        {
            self.refresh_pools(&wanted, age).await;
            found = existing(&mine, &wanted, &held, &self.0.facts.snapshot());
        }
        self.refuse(actor, parsed, found).await
    }

    /// The same by lists of node pools that are at most `age` old: before a request is kept, and before it is executed.
    ///
    /// # Errors
    /// As [`Portal::refuse_taken`].
    pub(crate) async fn refuse_taken_by_now(
        &self,
        actor: &Actor,
        outcome: &PlanOutcome,
        stack: StackId,
        age: time::Duration,
    ) -> Result<()> {
        let wanted = plan_ids(&outcome.plan);
        if !reserves(outcome.parsed.kind) || Look::at(&wanted).clusters.is_empty() {
            return Ok(());
        }
        self.refresh_pools(&wanted, age).await;
        self.refuse_taken(actor, &outcome.plan, &outcome.parsed, stack, Some(REREAD))
            .await
    }

    /// Reserves what a plan makes, in the transaction that sends, edits or begins it; what an earlier plan of the stack reserved and never sent is given back.
    ///
    /// # Errors
    /// [`Error::Invalid`] with `resource_taken` on the field that named it: somebody else was faster.
    pub(crate) async fn reserve(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        stack: &StackSummary,
        plan: &Plan,
        parsed: Option<&ParsedDraft>,
    ) -> Result<()> {
        // Of this transaction: it may hold limits that others wait for, each with a connection.
        let project = tx.project(&stack.project).await?;
        let tier = project.as_ref().and_then(|p| p.tiers.get(&stack.tier));
        let stack = stack.id;
        let wanted = plan_ids(plan);
        let held = tx.reservations_near(&ids(&wanted)).await?;
        let mut found = clashes(stack, &wanted, &held, &shared(tier));
        if let Some(parsed) = parsed
            && !found.is_empty()
        {
            for one in &mut found {
                if let Owner::Stack(owner) = one.owner {
                    // Of this transaction: others may wait for it, each with a connection.
                    one.named = named(tx.stack(owner).await?, sees(actor));
                }
            }
            return Err(Error::Invalid {
                errors: errors(parsed, &found),
            });
        }
        if let Some(one) = found.first() {
            return Err(taken(one));
        }
        tx.release_unsent(stack, &ids(&wanted)).await?;
        let rows: Vec<(&str, &str)> = wanted
            .iter()
            .map(|w| (w.id.as_str(), w.kind.as_str()))
            .collect();
        tx.reserve(stack, &rows).await?;
        Ok(())
    }

    async fn refuse(
        &self,
        actor: &Actor,
        parsed: &ParsedDraft,
        mut found: Vec<NotOurs>,
    ) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        self.name_owners(&mut found, sees(actor)).await?;
        Err(Error::Invalid {
            errors: errors(parsed, &found),
        })
    }

    /// Names the owning stacks of projects that may be told of.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub(crate) async fn name_owners(
        &self,
        found: &mut [NotOurs],
        told: impl Fn(&ProjectName) -> bool,
    ) -> Result<()> {
        for one in found {
            if let Owner::Stack(id) = one.owner {
                one.named = named(self.0.store.stack(id).await?, &told);
            }
        }
        Ok(())
    }
}

/// The projects whose stacks an actor may be told of.
fn sees(actor: &Actor) -> impl Fn(&ProjectName) -> bool + '_ {
    move |project: &ProjectName| may_read(actor, project, "stack").is_ok()
}

/// A stack in words; `None` for one that must not be told of.
fn named(stack: Option<Stack>, told: impl Fn(&ProjectName) -> bool) -> Option<String> {
    match stack {
        Some(stack) if told(&stack.summary.project) => Some(format!(
            "the stack {} of {} {}",
            stack.summary.name,
            stack.summary.project,
            stack.summary.tier.as_str()
        )),
        Some(_) => None,
        None => Some("a stack that this installation does not know".to_owned()),
    }
}

fn taken(one: &NotOurs) -> Error {
    Error::Conflict {
        code: "resource_taken",
        detail: format!(
            "{} exists already, or is reserved, and {}. Send a new request with another name.",
            capital(&noun(one)),
            belongs(one)
        ),
    }
}
