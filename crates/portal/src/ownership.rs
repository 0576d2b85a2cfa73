//! Ownership: which Azure resources are this stack's. Pure; what reads Azure is in `operations::perform`, what reserves ids in `ownership::reservations`.
//!
//! Three things decide, in this order: the tags `slipway-stack` and `slipway-installation` on the resource, where its type has none the reservation of its id
//! (see `ownership::kinds`), and for a child of an own resource its parent. Whatever is left over is not the stack's: no operation touches it.

mod kinds;
mod reservations;
mod scope;
#[cfg(test)]
mod table;
mod words;

use serde_json::Value;
use types::ids::{InstallationId, StackId};

pub(crate) use kinds::{Mark, mark_of};
pub(crate) use reservations::{GROUP, REREAD, ids, implied, plan_ids};
pub(crate) use scope::{
    Look, POOL, Seen, Subject, doubtful, going_with_the_group, in_group, in_place, replace,
};
pub(crate) use words::fault;

/// The tag with the id of the stack.
pub(crate) const STACK_TAG: &str = "slipway-stack";
/// The tag with the id of the installation: two installations may share a subscription.
pub(crate) const INSTALLATION_TAG: &str = "slipway-installation";

/// Whose operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mine {
    pub(crate) stack: StackId,
    pub(crate) installation: InstallationId,
}

impl Mine {
    /// The two tags of what this stack makes.
    pub(crate) fn tags(&self) -> [(&'static str, String); 2] {
        [
            (STACK_TAG, self.stack.to_string()),
            (INSTALLATION_TAG, self.installation.to_string()),
        ]
    }
}

/// What a resource's tags say of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    stack: Option<String>,
    installation: Option<String>,
}

impl Marks {
    /// Reads tags; Azure compares their names without regard to case.
    pub(crate) fn of<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let mut marks = Self::default();
        for (name, value) in tags {
            if name.eq_ignore_ascii_case(STACK_TAG) {
                marks.stack = Some(value.clone());
            } else if name.eq_ignore_ascii_case(INSTALLATION_TAG) {
                marks.installation = Some(value.clone());
            }
        }
        marks
    }

    /// Reads the tags of a resource's JSON, where its type keeps them.
    pub(crate) fn in_body(kind: &str, body: &Value) -> Self {
        let pointer = match mark_of(kind) {
            Mark::Tags(pointer) => pointer,
            Mark::ReservedId => "/tags",
        };
        let mut marks = Self::default();
        let tags = body.pointer(pointer).and_then(Value::as_object);
        for (name, value) in tags.into_iter().flatten() {
            let value = value.as_str().map(str::to_owned);
            if name.eq_ignore_ascii_case(STACK_TAG) {
                marks.stack = value;
            } else if name.eq_ignore_ascii_case(INSTALLATION_TAG) {
                marks.installation = value;
            }
        }
        marks
    }

    /// Whether they are this stack's. What was made before resources bore the installation's id bears the stack's alone, which no other installation has.
    pub(crate) fn are(&self, mine: &Mine) -> bool {
        let stack = self.stack.as_deref().and_then(|id| id.parse().ok());
        stack == Some(mine.stack)
            && self
                .installation
                .as_deref()
                .is_none_or(|id| id.parse() == Ok(mine.installation))
    }

    /// Whose they are, when they are not this stack's.
    fn owner(&self, mine: &Mine) -> Owner {
        match (&self.installation, &self.stack) {
            (Some(installation), _) if installation.parse() != Ok(mine.installation) => {
                Owner::Installation
            }
            (_, Some(stack)) => stack.parse().map_or(Owner::Nobody, Owner::Stack),
            _ => Owner::Nobody,
        }
    }
}

/// Who owns what is not the stack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Another stack, by its tags or its reservation.
    Stack(StackId),
    /// Another installation of Slipway.
    Installation,
    /// It bears no tag of Slipway's: people or other tools made it, or the tags were taken off.
    Nobody,
}

/// Whose a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// There is none.
    Absent,
    /// This stack's.
    Ours,
    /// Not this stack's.
    Foreign(Owner),
}

/// Whose something is that bears marks which are not this stack's; `None` for what is ours or bears none.
pub(crate) fn anothers(mine: &Mine, marks: &Marks) -> Option<Owner> {
    let owner = marks.owner(mine);
    (!marks.are(mine) && owner != Owner::Nobody).then_some(owner)
}

/// Decides whose a resource is. `sent` says that this stack reserved the id and a write of it was about to be sent: that owns what cannot bear tags.
/// Tags speak first whatever the type: what bears somebody else's is theirs, reserved or not.
pub(crate) fn whose(mine: &Mine, kind: &str, seen: Option<&Marks>, sent: bool) -> Whose {
    let Some(marks) = seen else {
        return Whose::Absent;
    };
    if marks.are(mine) {
        return Whose::Ours;
    }
    match (marks.owner(mine), mark_of(kind)) {
        (Owner::Nobody, Mark::ReservedId) if sent => Whose::Ours,
        (owner, _) => Whose::Foreign(owner),
    }
}

/// A resource that stands in the way because it is not the stack's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotOurs {
    /// Azure resource id.
    pub(crate) id: String,
    /// Resource type.
    pub(crate) kind: String,
    /// Whose it is.
    pub(crate) owner: Owner,
    /// The owner in words, where they may be told more than the kind of owner.
    pub(crate) named: Option<String>,
}

impl NotOurs {
    pub(crate) fn new(id: impl Into<String>, kind: impl Into<String>, owner: Owner) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            owner,
            named: None,
        }
    }
}
