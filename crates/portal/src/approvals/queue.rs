//! The approvals queue: whom a waiting request needs, page by page, and how many wait for somebody. Deciding is in `approvals`.
//!
//! The rows of a page are proved and judged again, as a request is that is opened: they say the same, a few seconds late, and whoever can act finds the
//! request here (`judged`). The number in the navigation stands on every page; it takes the needs as they were stored, and ends at 99.

use std::sync::Arc;

use store::Waiting;
use types::actor::{Actor, Right};
use types::approval::{ApprovalCount, ApprovalItem, ApprovalTab, DecisionKind, NeedStatus};
use types::cost::Usd;
use types::page::Page;
use types::policy::Posture;
use types::request::{RequestState, RequestSummary};

use super::four_eyes::Authors;
use super::judged::{Judged, Row};
use crate::access::{Decidable, cannot_decide, scope_of, who_decides};
use crate::requests::sentences::listed;
use crate::requests::standing::{Counted, People};
use crate::{Error, Portal, Result};

/// Rows a page.
const PAGE: u32 = 25;
/// At most 75 plans are evaluated again for one page; a page may hold fewer than 25 rows although more follow.
pub const JUDGED_A_PAGE: u32 = 75;
/// Rows of one read where the queue is gone through.
const READ: u32 = 250;
/// Where the count ends: more is *99+*, and rows beyond these reads are not looked at.
const MOST: u64 = 99;
const READS: usize = 4;

impl Portal {
    /// A page of the queue: what waits for the actor (the longest waiting first), what waits for anybody, or what the actor decided (newest first). A page
    /// of the first may be short, or empty, and others come after it: as long as there is a cursor. What was altered in the database stands there with its
    /// title and state only.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a foreign cursor.
    pub async fn approvals(
        &self,
        actor: &Actor,
        tab: ApprovalTab,
        cursor: Option<String>,
    ) -> Result<Page<ApprovalItem>> {
        if tab == ApprovalTab::Mine {
            return Box::pin(self.waiting_for(actor, cursor)).await;
        }
        let readable = scope_of(actor, Right::Read);
        let queue = self
            .0
            .store
            .waiting(&readable, &actor.subject, tab, cursor.as_deref(), PAGE)
            .await?;
        self.left_out(&queue.unreadable);
        let mut items = Vec::with_capacity(queue.rows.len());
        let mut people = People::default();
        for waiting in queue.rows {
            items.push(match self.judged(&waiting).await? {
                Judged::Proved(row) => item(actor, &self.queued(row, &mut people).await?),
                Judged::Withheld(why) => withheld(waiting, why),
            });
        }
        Ok(Page {
            items,
            next_cursor: queue.next_cursor,
            total: None,
        })
    }

    /// How many requests wait for this actor, up to 99.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer.
    pub async fn approval_count(&self, actor: &Actor) -> Result<ApprovalCount> {
        let mut count = ApprovalCount::default();
        let mut people = People::default();
        let mut cursor: Option<String> = None;
        let decidable = scope_of(actor, Right::Approve);
        for _ in 0..READS {
            let queue = self
                .0
                .store
                .waiting_longest(&decidable, cursor.as_deref(), READ)
                .await?;
            self.left_out(&queue.unreadable);
            for waiting in queue.rows {
                let row = self.queued(stored(waiting), &mut people).await?;
                if cannot_decide(actor, &row.decidable()).is_some() {
                    continue;
                }
                if count.mine == MOST {
                    count.more = true;
                    return Ok(count);
                }
                count.mine += 1;
                count.oldest.get_or_insert(row.row.waiting.summary.id);
            }
            cursor = queue.next_cursor;
            if cursor.is_none() {
                return Ok(count);
            }
        }
        count.more = true;
        Ok(count)
    }

    async fn waiting_for(
        &self,
        actor: &Actor,
        cursor: Option<String>,
    ) -> Result<Page<ApprovalItem>> {
        let mut items = Vec::new();
        let mut people = People::default();
        let mut cursor = cursor;
        let mut judged = 0;
        let decidable = scope_of(actor, Right::Approve);
        loop {
            let queue = self
                .0
                .store
                .waiting_longest(&decidable, cursor.as_deref(), READ)
                .await?;
            self.left_out(&queue.unreadable);
            for waiting in queue.rows {
                if items.len() == PAGE as usize || judged == JUDGED_A_PAGE {
                    return Ok(Page {
                        items,
                        next_cursor: cursor,
                        total: None,
                    });
                }
                cursor = Some(waiting.cursor());
                // Whoever wrote it never decides it, whatever the rules say by now.
                let authors = Authors::of(&waiting.summary.requester, &waiting.authors);
                if authors.wrote(&actor.subject).is_some() {
                    continue;
                }
                judged += 1;
                match self.judged(&waiting).await? {
                    Judged::Proved(row) => {
                        let row = self.queued(row, &mut people).await?;
                        if cannot_decide(actor, &row.decidable()).is_none() {
                            items.push(item(actor, &row));
                        }
                    }
                    // Whom it needs is not known any more: every approver who did not write it looks.
                    Judged::Withheld(why) => items.push(withheld(waiting, why)),
                }
            }
            cursor = queue.next_cursor;
            if cursor.is_none() {
                return Ok(Page {
                    items,
                    next_cursor: None,
                    total: None,
                });
            }
        }
    }

    /// A row with who met its needs, by the people of now.
    async fn queued(&self, row: Arc<Row>, people: &mut People) -> Result<Queued> {
        let waiting = &row.waiting;
        let counted = Counted {
            project: &waiting.summary.project,
            needs: &waiting.needs,
            decisions: &waiting.decisions,
            authors: &row.authors,
            digest: Some(&waiting.plan_digest),
            state: waiting.summary.state,
        };
        let (needs, _) = self.count(&counted, None, people).await?;
        Ok(Queued { row, needs })
    }
}

/// A row as it was stored.
fn stored(waiting: Waiting) -> Arc<Row> {
    Arc::new(Row {
        authors: Authors::of(&waiting.summary.requester, &waiting.authors),
        waiting,
        refused: None,
    })
}

/// A row of the queue before it is shown.
struct Queued {
    row: Arc<Row>,
    needs: Vec<NeedStatus>,
}

impl Queued {
    fn decidable(&self) -> Decidable<'_> {
        let summary = &self.row.waiting.summary;
        Decidable {
            project: &summary.project,
            authors: &self.row.authors,
            state: summary.state,
            needs: &self.needs,
        }
    }
}

fn item(actor: &Actor, queued: &Queued) -> ApprovalItem {
    let mut why = why(actor, queued);
    if let Some(refused) = &queued.row.refused {
        why = format!("{why} {refused}");
    }
    let waiting = &queued.row.waiting;
    ApprovalItem {
        why,
        summary: waiting.plan_summary.clone(),
        plan_digest: waiting.plan_digest.clone(),
        authors: waiting.authors.clone(),
        waiting_since: waiting.waiting_since,
        request: waiting.summary.clone(),
        withheld: false,
    }
}

/// A row that says what is wrong with it, and nothing that its plan would be.
fn withheld(waiting: Waiting, why: &str) -> ApprovalItem {
    ApprovalItem {
        request: RequestSummary {
            monthly: Usd::default(),
            monthly_change: Usd::default(),
            unpriced: 0,
            posture: Posture::default(),
            warnings: 0,
            denials: 0,
            ..waiting.summary
        },
        why: why.to_owned(),
        summary: String::new(),
        plan_digest: String::new(),
        authors: Vec::new(),
        waiting_since: waiting.waiting_since,
        withheld: true,
    }
}

/// Why a row needs the actor, or why not.
fn why(actor: &Actor, row: &Queued) -> String {
    let (waiting, needs) = (&row.row.waiting, row.needs.as_slice());
    let s = &waiting.summary;
    if s.state != RequestState::AwaitingApproval {
        let mine = waiting
            .decisions
            .iter()
            .rev()
            .find(|d| d.approver == actor.subject);
        return mine.map_or_else(String::new, |d| match d.decision {
            DecisionKind::Approve => "You approved it.".to_owned(),
            DecisionKind::Reject => "You rejected it.".to_owned(),
            DecisionKind::RequestChanges => "You asked for changes.".to_owned(),
        });
    }
    if let Some(refusal) = cannot_decide(actor, &row.decidable()) {
        return match refusal {
            Error::Forbidden { .. } => who_decides(needs),
            other => other.to_string(),
        };
    }
    let open: Vec<&NeedStatus> = needs
        .iter()
        .filter(|n| !n.met && actor.groups.contains(&n.need.group))
        .collect();
    if open.is_empty() {
        return "It was sent back and wants an approver of the project.".to_owned();
    }
    let mut groups: Vec<&str> = Vec::new();
    for need in &open {
        if !groups.contains(&need.need.group.as_str()) {
            groups.push(need.need.group.as_str());
        }
    }
    let rules: Vec<&str> = open.iter().map(|n| n.need.title.as_str()).collect();
    format!("You are one of {}: {}.", listed(&groups), rules.join("; "))
}
