//! The people behind a request, as they are now: who wrote it and still may request, who approved it and still may approve.
//! What follows from that is decided in `approvals::four_eyes`, here it is looked up.

use std::collections::HashMap;

use store::Request;
use types::actor::{Actor, InstallationRole, Right, SYSTEM};
use types::approval::{Decision, NeedStatus};
use types::ids::RequestId;
use types::names::ProjectName;
use types::policy::ApprovalNeed;
use types::request::{PlanAuthor, RequestState, RequestSummary};

use super::sentences::listed;
use crate::access::is_slipways;
use crate::approvals::four_eyes::{Approver, Authors, Sight, recorded};
use crate::approvals::needs;
use crate::{Portal, Result};

/// People who were looked up, so that a list of requests asks for each of them once.
#[derive(Default)]
pub(crate) struct People(HashMap<String, Option<Actor>>);

/// One plan's approvals, before they are counted.
pub(crate) struct Counted<'a> {
    pub(crate) project: &'a ProjectName,
    pub(crate) needs: &'a [ApprovalNeed],
    pub(crate) decisions: &'a [Decision],
    pub(crate) authors: &'a Authors,
    pub(crate) digest: Option<&'a str>,
    pub(crate) state: RequestState,
}

impl<'a> Counted<'a> {
    pub(crate) fn of(
        request: &'a Request,
        decisions: &'a [Decision],
        authors: &'a Authors,
    ) -> Self {
        Self {
            project: &request.summary.project,
            needs: &request.needs,
            decisions,
            authors,
            digest: request.plan.as_ref().map(|plan| plan.digest.as_str()),
            state: request.summary.state,
        }
    }
}

impl Portal {
    /// The decisions on a request. An approval is one only if the record tells of it.
    pub(crate) async fn recorded_decisions(&self, id: RequestId) -> Result<Vec<Decision>> {
        // Decisions first: each was committed with its line.
        let decisions = self.0.store.decisions(id).await?;
        let lines = self.0.store.recorded_approvals(id).await?;
        Ok(recorded(decisions, &lines))
    }

    /// Everybody who wrote a plan of a request, by its rows or by the record.
    pub(crate) async fn authors_of(
        &self,
        request: &Request,
        rows: &[PlanAuthor],
    ) -> Result<Authors> {
        let lines = self.0.store.recorded_authors(request.summary.id).await?;
        Ok(Authors::of(&request.summary.requester, rows).with(&lines))
    }

    /// Every need with who met it, and how many people approved in all. `deciding` counts as their session says, not as the database does.
    pub(crate) async fn count(
        &self,
        counted: &Counted<'_>,
        deciding: Option<&Actor>,
        people: &mut People,
    ) -> Result<(Vec<NeedStatus>, usize)> {
        let mut approvers: HashMap<String, Approver> = HashMap::new();
        for decision in counted.decisions {
            let subject = &decision.approver;
            let now = match deciding.filter(|actor| actor.subject == *subject) {
                Some(actor) => Some(actor),
                None => self.look_up(subject, people).await?,
            };
            if let Some(actor) = now {
                approvers.insert(subject.clone(), approver(actor, counted.project));
            }
        }
        let sight = Sight {
            digest: counted.digest,
            state: counted.state,
            authors: counted.authors,
            approvers: &approvers,
        };
        Ok((
            needs::status(counted.needs, counted.decisions, &sight),
            needs::approvals(counted.decisions, &sight),
        ))
    }

    /// Why a request may not be executed: who wrote it lost the right to request. `None` while they have it. Slipway's own requests are nobody's.
    ///
    /// Asked are the requester, and the last person who edited the request: it is their plan that is executed. What was written under broken glass
    /// stays good as long as its author administers.
    pub(crate) async fn lost_right(
        &self,
        request: &Request,
        authors: &[PlanAuthor],
    ) -> Result<Option<String>> {
        let project = &request.summary.project;
        let requester = request.summary.requester.as_str();
        let wrote = types::request::last_edit(authors);
        // By the record too: rows can be rewritten or deleted.
        let recorded = self.0.store.recorded_authors(request.summary.id).await?;
        let mut people = vec![requester];
        people.extend(wrote.map(|author| author.subject.as_str()));
        people.extend(recorded.first().map(String::as_str));
        people.extend(recorded.last().map(String::as_str));
        let mut asked = std::collections::HashSet::new();
        people.retain(|subject| asked.insert(*subject));
        for subject in people.into_iter().filter(|subject| *subject != SYSTEM) {
            let under_glass = authors
                .iter()
                .any(|author| author.subject == subject && author.break_glass.is_some());
            let may = self.actor_for_subject(subject).await?.is_some_and(|actor| {
                actor.may(Right::Request, Some(project))
                    || (under_glass && actor.may(Right::BreakGlass, None))
            });
            if !may {
                let what = if subject == requester {
                    "sent"
                } else {
                    "edited"
                };
                return Ok(Some(format!(
                    "{subject}, who {what} this request, no longer has the role {} in {project}. Someone who has it can send a new request, and an admin can withdraw this one.",
                    Right::Request.needs()
                )));
            }
        }
        Ok(None)
    }

    /// Whether whoever sent a request may not request in its project any more. Only administrators are told: nobody else can do anything about it.
    pub(crate) async fn requester_left(
        &self,
        actor: &Actor,
        request: &RequestSummary,
    ) -> Result<bool> {
        if !actor.installation.contains(&InstallationRole::Admin) || is_slipways(&request.requester)
        {
            return Ok(false);
        }
        let requester = self.actor_for_subject(&request.requester).await?;
        Ok(!requester
            .is_some_and(|requester| requester.may(Right::Request, Some(&request.project))))
    }

    /// Why an approved request is not approved any more: who approved it lost the group or the role. `None` while enough approvals count,
    /// and for what needed none.
    pub(crate) async fn lost_approval(
        &self,
        request: &Request,
        authors: &[PlanAuthor],
    ) -> Result<Option<String>> {
        if request.needs.is_empty() && request.sent_back.is_none() {
            return Ok(None);
        }
        let stored = self.0.store.decisions(request.summary.id).await?.len();
        let decisions = self.proved_decisions(request.summary.id).await?;
        let authors = self.authors_of(request, authors).await?;
        let counted = Counted {
            state: RequestState::AwaitingApproval,
            ..Counted::of(request, &decisions, &authors)
        };
        let (status, approvals) = self.count(&counted, None, &mut People::default()).await?;
        if needs::all_met(&status, approvals) {
            return Ok(None);
        }
        let mut missing: Vec<&str> = status
            .iter()
            .filter(|need| !need.met)
            .map(|need| need.need.group.as_str())
            .collect();
        missing.dedup();
        let whose = if missing.is_empty() {
            "an approver of the project".to_owned()
        } else {
            listed(&missing)
        };
        let why = if decisions.len() < stored {
            "An approval does not count, because the audit record does not tell of it."
        } else {
            "An approval no longer counts, because the approver lost the role or the group."
        };
        Ok(Some(format!(
            "{why} It needs an approval by {whose} again."
        )))
    }

    async fn look_up<'p>(
        &self,
        subject: &str,
        people: &'p mut People,
    ) -> Result<Option<&'p Actor>> {
        if !people.0.contains_key(subject) {
            let person = self.actor_for_subject(subject).await?;
            people.0.insert(subject.to_owned(), person);
        }
        Ok(people.0.get(subject).and_then(Option::as_ref))
    }
}

fn approver(actor: &Actor, project: &ProjectName) -> Approver {
    Approver {
        groups: actor.groups.clone(),
        approves: actor.kind.is_person() && actor.may(Right::Approve, Some(project)),
        breaks_glass: actor.may(Right::BreakGlass, None),
    }
}

/// The line that says who wrote a plan, for the author's table.
pub(crate) fn author_of(
    actor: &Actor,
    project: &ProjectName,
    plan_revision: i64,
    at: types::time::Timestamp,
) -> PlanAuthor {
    PlanAuthor {
        plan_revision,
        subject: actor.subject.clone(),
        break_glass: actor
            .breaks_glass_for(Right::Request, project)
            .map(|glass| glass.id),
        at,
    }
}
