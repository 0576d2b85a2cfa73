//! A request as its page shows it: the row with everything around it, and what the reader may do.

use std::collections::HashMap;

use store::Request;
use types::actor::Actor;
use types::approval::{Decision, NeedStatus};
use types::names::GroupName;
use types::request::RequestDetail;

use crate::approvals::needs;
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
        self.proved_detail(actor, request).await
    }

    /// The same of a request whose plan was proved, or taken away.
    pub(crate) async fn proved_detail(
        &self,
        actor: &Actor,
        request: Request,
    ) -> Result<RequestDetail> {
        let store = &self.0.store;
        let id = request.summary.id;
        let decisions = store.decisions(id).await?;
        let needs = self.needs_of(&request, &decisions).await?;
        let access = access::of_request(
            actor,
            &request.summary.project,
            &request.summary.requester,
            request.summary.kind,
            request.summary.state,
            &needs,
        );
        Ok(RequestDetail {
            comments: store.comments(id).await?,
            timeline: store.request_timeline(id).await?,
            operation: store.operation_of_request(id).await?,
            summary: request.summary,
            draft: request.draft,
            plan: request.plan,
            sent_back: request.sent_back,
            needs,
            decisions,
            access,
        })
    }

    /// The request's needs and who met them.
    pub(crate) async fn needs_of(
        &self,
        request: &Request,
        decisions: &[Decision],
    ) -> Result<Vec<NeedStatus>> {
        let groups = self.groups_of_approvers(decisions, None).await?;
        Ok(needs::status(
            &request.needs,
            decisions,
            request.plan.as_ref().map(|p| p.digest.as_str()),
            &request.summary.requester,
            request.summary.state,
            &groups,
        ))
    }

    /// The groups of everybody who decided; those of the one who is deciding now are as their session says.
    pub(crate) async fn groups_of_approvers(
        &self,
        decisions: &[Decision],
        deciding: Option<&Actor>,
    ) -> Result<HashMap<String, Vec<GroupName>>> {
        let mut groups: HashMap<String, Vec<GroupName>> = HashMap::new();
        if let Some(actor) = deciding {
            groups.insert(actor.subject.clone(), actor.groups.clone());
        }
        for decision in decisions {
            if !groups.contains_key(&decision.approver) {
                let person = self.0.store.person(&decision.approver).await?;
                groups.insert(
                    decision.approver.clone(),
                    person.map(|p| p.groups).unwrap_or_default(),
                );
            }
        }
        Ok(groups)
    }
}
