//! The journal of one operation as it is stored between two transitions: its steps, what each works on, and how far each of those is. No decisions here.

use serde::{Deserialize, Serialize};
use types::fault::AzureFault;
use types::operation::{OperationKind, OperationState, ResourceProgress, StepName, StepState};
use types::time::Timestamp;

use crate::ownership::Subject;

/// An operation as [`super::next::next`] sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Journal {
    pub(crate) kind: OperationKind,
    pub(crate) state: OperationState,
    pub(crate) cancel_requested: bool,
    /// The stack owns its resource group: the group must bear the stack's tags before anything is written.
    pub(crate) owns_group: bool,
    pub(crate) steps: Vec<JournalStep>,
}

/// One step with its memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalStep {
    pub(crate) name: StepName,
    pub(crate) title: String,
    pub(crate) state: StepState,
    pub(crate) attempt: i32,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) note: Option<String>,
    pub(crate) fault: Option<AzureFault>,
    pub(crate) resources: Vec<ResourceProgress>,
    pub(crate) memo: Memo,
}

/// What a step remembers between two transitions; JSON in the store.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memo {
    /// What it works on, in order; empty means there is nothing to do.
    pub(crate) items: Vec<Item>,
    /// Nothing is due before this moment; a job with that `run_at` was queued by the same transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wake_at: Option<Timestamp>,
    /// Azure cannot be asked at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<Trouble>,
    /// An admin took it further: limits count from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumed_at: Option<Timestamp>,
}

/// One thing that a step works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Azure resource id; for the steps of a deployment, its name.
    pub(crate) id: String,
    /// Resource type; empty for a deployment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) kind: String,
    /// API version to delete it with; empty for everything else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) api_version: String,
    /// How far it is.
    #[serde(default)]
    pub(crate) phase: Phase,
}

/// How far one item is. Every phase can be resumed from, and none of them forgets a write that Azure may have taken.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Nothing is known.
    #[default]
    Fresh,
    /// The group was read at this moment and may be written.
    Looked { at: Timestamp },
    /// The scope was read at this moment, and nothing in it that the write would touch is anybody else's.
    Checked {
        at: Timestamp,
        /// The ETag of the resource as it was read, where its type's DELETE takes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
    },
    /// The deployment's name was free at this moment.
    Clear { at: Timestamp },
    /// A write was about to be sent at this moment; whether Azure took it is open.
    Sent { at: Timestamp },
    /// Azure took it and said how to follow it.
    Following {
        operation: Box<azure::LongRunning>,
        #[serde(default)]
        cancel_sent: bool,
    },
    /// The deployment exists; it is followed by its name, because the answer with the poll URL was lost.
    Named {
        #[serde(default)]
        cancel_sent: bool,
    },
    /// Azure says it is gone: look.
    Verify,
    /// Nothing is left to do.
    Done,
}

/// Since when, and how often, Azure could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) since: Timestamp,
    pub(crate) count: u32,
    pub(crate) note: String,
}

impl Item {
    /// Something that is not begun.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: String::new(),
            api_version: String::new(),
            phase: Phase::Fresh,
        }
    }
}

impl JournalStep {
    /// A step that is not begun.
    pub(crate) fn new(name: StepName, title: impl Into<String>, items: Vec<Item>) -> Self {
        Self {
            name,
            title: title.into(),
            state: StepState::Pending,
            attempt: 0,
            started_at: None,
            ended_at: None,
            note: None,
            fault: None,
            resources: Vec::new(),
            memo: Memo {
                items,
                ..Memo::default()
            },
        }
    }

    /// The item that is worked on.
    pub(crate) fn item(&self) -> Option<&Item> {
        self.memo.items.iter().find(|i| i.phase != Phase::Done)
    }

    /// The same, to be changed.
    pub(crate) fn item_mut(&mut self) -> Option<&mut Item> {
        self.memo.items.iter_mut().find(|i| i.phase != Phase::Done)
    }

    /// The resources that are still to be worked on: all are looked at before the first is touched.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        self.memo
            .items
            .iter()
            .filter(|item| item.phase != Phase::Done && !item.kind.is_empty())
            .map(|item| Subject {
                id: item.id.clone(),
                kind: item.kind.clone(),
            })
            .collect()
    }

    /// True when nothing more will happen in it.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.state, StepState::Succeeded | StepState::Skipped)
    }
}

impl Journal {
    /// When the next transition is due; absent when at once.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.step().and_then(|s| s.memo.wake_at)
    }

    /// The step that is worked on.
    pub(crate) fn step(&self) -> Option<&JournalStep> {
        self.steps.iter().find(|s| !s.is_settled())
    }

    /// The same, to be changed.
    pub(crate) fn step_mut(&mut self) -> Option<&mut JournalStep> {
        self.steps.iter_mut().find(|s| !s.is_settled())
    }
}
