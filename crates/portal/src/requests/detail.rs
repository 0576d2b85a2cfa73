//! A request as its page shows it: the row with everything around it, and what the reader may do.

use store::Request;
use types::access::Access;
use types::actor::Actor;
use types::request::RequestDetail;

use super::said::SHOWN;
use super::standing::{Counted, People};
use crate::access::{Decidable, Requester};
use crate::approvals::{APPROVED_BEFORE, needs};
use crate::{Portal, Result, access};

impl Portal {
    /// Everything about a request that the actor may already read.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`] with `plan_altered` when its plan is not the one that was agreed to: nobody is shown it.
    pub(crate) async fn request_detail(
        &self,
        actor: &Actor,
        request: Request,
    ) -> Result<RequestDetail> {
        self.prove(&request).await?;
        Box::pin(self.proved_detail(actor, request)).await
    }

    /// The same of a request whose plan was proved, or taken away.
    pub(crate) async fn proved_detail(
        &self,
        actor: &Actor,
        mut request: Request,
    ) -> Result<RequestDetail> {
        let store = &self.0.store;
        let id = request.summary.id;
        let today = Box::pin(self.judge_again(&mut request)).await?;
        let decisions = self.recorded_decisions(id).await?;
        let plans = store.authors(id).await?;
        let authors = self.authors_of(&request, &plans).await?;
        let (met, _) = self
            .count(
                &Counted::of(&request, &decisions, &authors),
                None,
                &mut People::default(),
            )
            .await?;
        let mut access = access::of_request(
            actor,
            request.summary.kind,
            &Requester {
                subject: &request.summary.requester,
                left: self.requester_left(actor, &request.summary).await?,
            },
            &Decidable {
                project: &request.summary.project,
                authors: &authors,
                state: request.summary.state,
                needs: &met,
            },
        );
        if access.edit.is_allowed()
            && let Some(why) = self.lost_right(&request, &plans).await?
        {
            access.edit = Access::disabled(why);
        }
        if access.approve.is_allowed()
            && let Some(why) = today.refused
        {
            access.approve = Access::disabled(why);
        }
        if access.reject.is_allowed() && needs::approved_by(&decisions, &actor.subject) {
            access.reject = Access::disabled(APPROVED_BEFORE);
        }
        Ok(RequestDetail {
            since_sent: today.changes,
            comments: store.comments(id, None, SHOWN).await?,
            timeline: store.request_timeline(id, None, SHOWN).await?,
            operation: store.operation_of_request(id).await?,
            summary: request.summary,
            draft: request.draft,
            plan: request.plan,
            plan_revision: request.plan_revision,
            authors: plans,
            sent_back: request.sent_back,
            needs: met,
            decisions: store.decisions_page(id, None, SHOWN).await?,
            access,
        })
    }
}
