//! The approvals queue: whom a waiting request needs, page by page, and how many wait for somebody. Deciding is in `approvals`.
//!
//! The rows of a page are judged again, as a request is that is opened: they say the same, and whoever can act finds the request here. The number in the
//! navigation stands on every page; it takes the needs as they were stored, and ends at 99.

use store::{Scope, Waiting};
use types::actor::{Actor, Right};
use types::approval::{ApprovalCount, ApprovalItem, ApprovalTab, DecisionKind, NeedStatus};
use types::page::Page;
use types::request::RequestState;

use super::four_eyes::Authors;
use crate::access::{Decidable, cannot_decide, scope, who_decides};
use crate::requests::sentences::listed;
use crate::requests::standing::{Counted, People};
use crate::{Error, Portal, Result};

/// Rows a page.
const PAGE: u32 = 25;
/// Requests that are judged again for one page of *waiting for me*: a plan each. Where most of them wait for others, the page is short and the next goes on.
const JUDGED: usize = 75;
/// Rows of one read where the queue is gone through.
const READ: u32 = 250;
/// Where the count ends: more is *99+*, and rows beyond these reads are not looked at.
const MOST: u64 = 99;
const READS: usize = 4;

impl Portal {
    /// A page of the queue: what waits for the actor (the longest waiting first), what waits for anybody, or what the actor decided (newest first). A page
    /// of the first may be short, or empty, and others come after it: as long as there is a cursor.
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
        let page = self
            .0
            .store
            .waiting(&scope(actor), &actor.subject, tab, cursor.as_deref(), PAGE)
            .await?;
        let mut items = Vec::with_capacity(page.items.len());
        let mut people = People::default();
        for waiting in page.items {
            let row = Box::pin(self.queued_now(waiting, &mut people)).await?;
            items.push(item(actor, row));
        }
        Ok(Page {
            items,
            next_cursor: page.next_cursor,
            total: page.total,
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
        for _ in 0..READS {
            let rows = self
                .0
                .store
                .waiting_longest(&decidable(actor), cursor.as_deref(), READ)
                .await?;
            let last = rows.len() < READ as usize;
            cursor = rows.last().map(Waiting::cursor);
            for waiting in rows {
                let row = self.queued(waiting, &mut people).await?;
                if cannot_decide(actor, &row.decidable()).is_some() {
                    continue;
                }
                if count.mine == MOST {
                    count.more = true;
                    return Ok(count);
                }
                count.mine += 1;
                count.oldest.get_or_insert(row.waiting.summary.id);
            }
            if last {
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
        loop {
            let rows = self
                .0
                .store
                .waiting_longest(&decidable(actor), cursor.as_deref(), READ)
                .await?;
            let last = rows.len() < READ as usize;
            for waiting in rows {
                if items.len() == PAGE as usize || judged == JUDGED {
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
                let row = Box::pin(self.queued_now(waiting, &mut people)).await?;
                if cannot_decide(actor, &row.decidable()).is_none() {
                    items.push(item(actor, row));
                }
            }
            if last {
                return Ok(Page {
                    items,
                    next_cursor: None,
                    total: None,
                });
            }
        }
    }

    /// A row as it was stored.
    async fn queued(&self, waiting: Waiting, people: &mut People) -> Result<Queued> {
        let authors = Authors::of(&waiting.summary.requester, &waiting.authors);
        let counted = Counted {
            project: &waiting.summary.project,
            needs: &waiting.needs,
            decisions: &waiting.decisions,
            authors: &authors,
            digest: Some(&waiting.plan_digest),
            state: waiting.summary.state,
        };
        let (needs, _) = self.count(&counted, None, people).await?;
        Ok(Queued {
            waiting,
            authors,
            needs,
            refused: None,
        })
    }

    /// A row as the page of its request shows it. Where that cannot be shown, the row stays as it was stored: the request's page says what is wrong.
    async fn queued_now(&self, waiting: Waiting, people: &mut People) -> Result<Queued> {
        match self.judged(&waiting, people).await {
            Ok(Some(row)) => Ok(row),
            Err(error @ (Error::Unavailable { .. } | Error::StorageFull)) => Err(error),
            Ok(None) | Err(_) => self.queued(waiting, people).await,
        }
    }

    /// The row judged again; `None` where it waits no longer.
    async fn judged(&self, waiting: &Waiting, people: &mut People) -> Result<Option<Queued>> {
        let id = waiting.summary.id;
        if waiting.summary.state != RequestState::AwaitingApproval {
            return Ok(None);
        }
        let request = self.0.store.request(id).await?;
        let Some(mut request) =
            request.filter(|request| request.summary.state == RequestState::AwaitingApproval)
        else {
            return Ok(None);
        };
        let today = Box::pin(self.judge_again(&mut request)).await?;
        let decisions = self.recorded_decisions(id).await?;
        let authors = self.authors_of(&request, &waiting.authors).await?;
        let (needs, _) = self
            .count(&Counted::of(&request, &decisions, &authors), None, people)
            .await?;
        let (plan_summary, plan_digest) = request
            .plan
            .map(|plan| (plan.summary, plan.digest))
            .unwrap_or_default();
        Ok(Some(Queued {
            waiting: Waiting {
                summary: request.summary,
                plan_summary,
                plan_digest,
                needs: request.needs,
                authors: waiting.authors.clone(),
                decisions,
                waiting_since: waiting.waiting_since,
            },
            authors,
            needs,
            refused: today.refused,
        }))
    }
}

/// Where the actor may decide at all.
fn decidable(actor: &Actor) -> Scope {
    if actor.may(Right::Approve, None) {
        return Scope::All;
    }
    let mut projects: Vec<_> = actor
        .memberships
        .iter()
        .map(|membership| &membership.project)
        .chain(actor.break_glass.iter().map(|glass| &glass.project))
        .filter(|project| actor.may(Right::Approve, Some(project)))
        .cloned()
        .collect();
    projects.sort();
    projects.dedup();
    Scope::Projects(projects)
}

/// A row of the queue before it is shown.
struct Queued {
    waiting: Waiting,
    authors: Authors,
    needs: Vec<NeedStatus>,
    /// Why it cannot be approved now, where it was judged again.
    refused: Option<String>,
}

impl Queued {
    fn decidable(&self) -> Decidable<'_> {
        Decidable {
            project: &self.waiting.summary.project,
            authors: &self.authors,
            state: self.waiting.summary.state,
            needs: &self.needs,
        }
    }
}

fn item(actor: &Actor, row: Queued) -> ApprovalItem {
    let mut why = why(actor, &row);
    if let Some(refused) = &row.refused {
        why = format!("{why} {refused}");
    }
    let waiting = row.waiting;
    ApprovalItem {
        why,
        summary: waiting.plan_summary,
        plan_digest: waiting.plan_digest,
        authors: waiting.authors,
        waiting_since: waiting.waiting_since,
        request: waiting.summary,
    }
}

/// Why a row needs the actor, or why not.
fn why(actor: &Actor, row: &Queued) -> String {
    let (waiting, needs) = (&row.waiting, row.needs.as_slice());
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
