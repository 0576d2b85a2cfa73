//! A scope as it was read right before a write: which lists tell of the resources in question, and what in them is not the stack's. Pure.

use std::collections::BTreeSet;

use store::Reservation;
use types::ids::StackId;

use super::{Marks, Mine, NotOurs, Owner, Whose, whose};

/// Node pools: the one child type whose siblings come in one list with their tags.
pub(crate) const POOL: &str = "Microsoft.ContainerService/managedClusters/agentPools";
const EXTENSION: &str = "Microsoft.Compute/virtualMachines/extensions";

/// A resource that an operation is about to write or delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Azure resource id.
    pub(crate) id: String,
    /// Resource type.
    pub(crate) kind: String,
}

/// A resource that Azure has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) marks: Marks,
    /// The resource that made it or uses it up, as a machine does its disks.
    pub(crate) managed_by: Option<String>,
    /// Its ETag, where its type's DELETE takes one.
    pub(crate) etag: Option<String>,
}

/// What has to be read to know of some resources: as few lists as possible, because reads are rationed. All ids in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Resource groups whose resources are listed.
    pub(crate) groups: BTreeSet<String>,
    /// Clusters whose node pools are listed.
    pub(crate) clusters: BTreeSet<String>,
    /// What is in no list: read one by one.
    pub(crate) singles: BTreeSet<String>,
    /// The resources in question that the lists tell of.
    pub(crate) listed: BTreeSet<String>,
}

impl Look {
    /// Azure's list of a group holds top-level resources and machine extensions; other children and extension resources (locks, role assignments) are in no
    /// list. Those of a parent that is looked at too share its fate and are not read.
    pub(crate) fn at(subjects: &[Subject]) -> Self {
        let mut look = Self::default();
        for subject in subjects {
            let key = subject.id.to_lowercase();
            let extends = key.matches("/providers/").count() > 1;
            let top = subject.kind.matches('/').count() == 1 && !extends;
            if subject.kind.eq_ignore_ascii_case(POOL) {
                look.clusters.extend(parent(&key));
                look.listed.insert(key);
            } else if key.contains("/resourcegroups/")
                && (top || subject.kind.eq_ignore_ascii_case(EXTENSION) && !extends)
            {
                look.groups.insert(store::scope_key(&key));
                look.listed.insert(key);
            } else if !subjects.iter().any(|other| is_under(&key, &other.id)) {
                look.singles.insert(key);
            }
        }
        look
    }
}

/// At most this many foreign rows are read again; more cannot be explained by a lagging list.
const MOST_FOREIGN: usize = 20;

/// Which resources have to be read by themselves, because what a list says of them decides and the list may be older than Azure is: ARM serves
/// `…/resources` from a regional cache, in which what was just made is missing and what was just deleted still stands (Azure/AKS#1964, 2020-11-17;
/// Azure/azure-rest-api-specs#21221, 2022-11-21). A read by itself is nearer to the truth and not surely of now: it "can work", and its result "can vary
/// depending on the region to which the call was internally made" (Microsoft's answer there, 2022-11-22). As few as are safe, because reads are rationed:
/// by ARM, 25 a second for a subscription
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>), and by AKS, which has buckets of its own
/// (<https://learn.microsoft.com/azure/aks/quotas-skus-regions>, page of 2026-08-03):
///
/// - what the list says is foreign: nothing is refused for something that is gone or has its tags back;
/// - for a PUT, what the list does not have (`absent`): what somebody made in its place is not taken over. Not in a group that this very operation has
///   made (`fresh`): a stack's first apply would cost as many reads as it has resources, and nobody knew the group before;
/// - for a DELETE or a power action, what is `going`: it cannot be undone, and the list may show the tags of before. What has an ETag is spared: the
///   condition on it says the same. What should have one and comes without is read, and goes without a condition if it still has none.
pub(crate) fn doubtful(
    seen: &[Seen],
    foreign: &[NotOurs],
    absent: &[String],
    going: &[String],
    fresh: bool,
) -> BTreeSet<String> {
    let listed = |id: &str| find(seen, id);
    let foreign = foreign
        .iter()
        .filter(|one| listed(&one.id).is_some())
        .take(MOST_FOREIGN)
        .map(|one| one.id.to_lowercase());
    // What would be inside of something that is not there is not there either.
    let absent = absent
        .iter()
        .filter(|id| !fresh && !absent.iter().any(|other| is_under(id, other)))
        .map(|id| id.to_lowercase());
    let going = going
        .iter()
        .filter(|id| listed(id).is_none_or(|one| one.etag.is_none()))
        .map(|id| id.to_lowercase());
    foreign.chain(absent).chain(going).collect()
}

/// What goes with a group and is the stack's by its own tags: a child shares its parent's fate and is not read.
pub(crate) fn going_with_the_group(mine: &Mine, seen: &[Seen]) -> Vec<String> {
    seen.iter()
        .filter(|one| one.marks.are(mine) && !seen.iter().any(|other| is_under(&one.id, &other.id)))
        .map(|one| one.id.clone())
        .collect()
}

/// Puts what was read by itself in the place of what a list said. `None` is not there.
pub(crate) fn replace(seen: &mut Vec<Seen>, id: &str, now: Option<Seen>) {
    let key = id.to_lowercase();
    let before = seen
        .iter()
        .position(|one| one.id.to_lowercase() == key)
        .map(|at| seen.remove(at));
    if let Some(now) = now {
        seen.push(match before {
            // In the list's spelling, which people read.
            Some(before) => Seen {
                managed_by: now.managed_by.or(before.managed_by),
                marks: now.marks,
                etag: now.etag,
                ..before
            },
            None => now,
        });
    }
}

fn parent(key: &str) -> Option<String> {
    let (kind, _) = key.rsplit_once('/')?;
    let (parent, _) = kind.rsplit_once('/')?;
    Some(parent.to_owned())
}

/// Whether an id is inside another one, without regard to case.
pub(super) fn is_under(id: &str, other: &str) -> bool {
    let (id, other) = (id.to_lowercase(), other.to_lowercase());
    id.strip_prefix(&other)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn find<'a>(seen: &'a [Seen], id: &str) -> Option<&'a Seen> {
    // A `to_lowercase` on both sides, because Azure's ids are not ASCII alone.
    let key = id.to_lowercase();
    seen.iter().find(|one| one.id.to_lowercase() == key)
}

fn sent(held: &[Reservation], stack: StackId, id: &str) -> bool {
    let key = id.to_lowercase();
    held.iter()
        .any(|r| r.stack == stack && r.sent && r.id.to_lowercase() == key)
}

/// What of `subjects` is not the stack's, and which of them are not there. `held` is what stacks hold in these places.
pub(crate) fn in_place(
    mine: &Mine,
    subjects: &[Subject],
    seen: &[Seen],
    held: &[Reservation],
) -> (Vec<NotOurs>, Vec<String>) {
    let mut foreign = Vec::new();
    let mut absent = Vec::new();
    for subject in subjects {
        let one = find(seen, &subject.id);
        // A child of one of them cannot be anybody else's while its parent is ours, unless it says so.
        let own_child = subjects.iter().any(|other| {
            is_under(&subject.id, &other.id) && !sent_by_another(held, mine.stack, &subject.id)
        });
        let known = own_child || sent(held, mine.stack, &subject.id);
        match whose(mine, &subject.kind, one.map(|s| &s.marks), known) {
            Whose::Ours => {}
            Whose::Absent => absent.push(subject.id.clone()),
            Whose::Foreign(Owner::Nobody) if own_child => {}
            Whose::Foreign(owner) => {
                foreign.push(NotOurs::new(&subject.id, &subject.kind, owner));
            }
        }
        // What another stack has made at this id or inside it goes with it, or is overwritten.
        for other in others(held, mine.stack) {
            if other.id.eq_ignore_ascii_case(&subject.id) || is_under(&other.id, &subject.id) {
                add(
                    &mut foreign,
                    NotOurs::new(&other.id, &other.kind, Owner::Stack(other.stack)),
                );
            }
        }
    }
    (foreign, absent)
}

/// What inside the stack's own resource group is not the stack's: Azure would delete it with the group.
///
/// Accounted for are: what bears the stack's tags; children of that; what Azure says is managed by that; ids that the plan implies (`implied`: a machine's OS
/// disk, which Azure makes); and types without tags whose reserved id was sent.
pub(crate) fn in_group(
    mine: &Mine,
    group: &str,
    seen: &[Seen],
    implied: &[Subject],
    held: &[Reservation],
) -> Vec<NotOurs> {
    let mut foreign = Vec::new();
    let ours: Vec<&Seen> = seen.iter().filter(|one| one.marks.are(mine)).collect();
    for one in seen {
        let Whose::Foreign(owner) = whose(
            mine,
            &one.kind,
            Some(&one.marks),
            sent(held, mine.stack, &one.id),
        ) else {
            continue;
        };
        let accounted = owner == Owner::Nobody
            && (implied.iter().any(|i| i.id.eq_ignore_ascii_case(&one.id))
                || ours.iter().any(|own| {
                    is_under(&one.id, &own.id)
                        || one
                            .managed_by
                            .as_deref()
                            .is_some_and(|by| by.eq_ignore_ascii_case(&own.id))
                }));
        if !accounted {
            foreign.push(NotOurs::new(&one.id, &one.kind, owner));
        }
    }
    for other in others(held, mine.stack) {
        if is_under(&other.id, group) {
            add(
                &mut foreign,
                NotOurs::new(&other.id, &other.kind, Owner::Stack(other.stack)),
            );
        }
    }
    foreign
}

/// What other stacks have made, or may have.
fn others(held: &[Reservation], stack: StackId) -> impl Iterator<Item = &Reservation> {
    held.iter().filter(move |r| r.stack != stack && r.sent)
}

fn sent_by_another(held: &[Reservation], stack: StackId, id: &str) -> bool {
    others(held, stack).any(|r| r.id.eq_ignore_ascii_case(id))
}

fn add(foreign: &mut Vec<NotOurs>, one: NotOurs) {
    if !foreign
        .iter()
        .any(|known| known.id.eq_ignore_ascii_case(&one.id))
    {
        foreign.push(one);
    }
}
