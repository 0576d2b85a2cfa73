//! Proof that a stored plan is the one that people agreed to: hashed where it is read, compared with what the audit record says of it, and refused, with
//! a line in the record, when it is another. Making plans is `plans`, what a digest covers is `plans::digest`.

use serde_json::json;
use store::{NewAudit, Request, Stack};
use types::approval::NeedStatus;
use types::plan::{Plan, Target};
use types::request::RequestSummary;
use types::stack::StackSummary;

use super::digest;
use crate::requests::stale_stack;
use crate::requests::standing::{Counted, People};
use crate::{Error, Portal, Result};

/// What a request or stack answers whose stored plan is not the one that was agreed to.
pub(crate) const ALTERED: &str = "plan_altered";

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Altered {
    /// Which part, as the record names it.
    part: &'static str,
    /// The digest that should be there.
    recorded: Option<String>,
    /// The digest that stands there.
    stored: Option<String>,
}

impl Portal {
    /// The stored plan of a request is what its digest names, its needs are its plan's, its row says what plan and stack say, and the audit record tells
    /// of the same digest.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `plan_altered`, and the record has a line of it then; with `stale_version` when the request is another one by now.
    pub(crate) async fn prove(&self, request: &Request) -> Result<()> {
        let altered = match own_alteration(request) {
            Some(altered) => altered,
            None => match self.alteration(request).await? {
                None => return Ok(()),
                Some(altered) => {
                    // An edit may have come between reading the request and what it is compared with: then the newer one fits.
                    let again = self.0.store.request(request.summary.id).await?;
                    if let Some(again) = again
                        && again.summary.version != request.summary.version
                        && own_alteration(&again).is_none()
                        && self.alteration(&again).await?.is_none()
                    {
                        return Err(Error::stale("request"));
                    }
                    altered
                }
            },
        };
        let s = &request.summary;
        self.refuse_altered(
            ("request", s.id.to_string(), s.name.as_str()),
            &s.project,
            &altered,
        )
        .await
    }

    /// What does not fit between a request's row, its stack and the record.
    async fn alteration(&self, request: &Request) -> Result<Option<Altered>> {
        let stored = request.plan.as_ref().map(|plan| &plan.digest);
        let recorded = self.0.store.recorded_digest(request.summary.id).await?;
        let stack = self.known_stack(request.summary.stack).await?;
        let part = if recorded.is_some() && recorded.as_ref() != stored {
            "digest"
        } else if let Some(column) = foreign_column(&request.summary, &stack.summary) {
            column
        } else {
            return Ok(None);
        };
        Ok(Some(Altered {
            part,
            recorded,
            stored: stored.cloned(),
        }))
    }

    /// A stack's applied plan and place are those of the request that was applied last. `applied` was proved before.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_stack(&self, stack: &Stack, applied: &Request) -> Result<()> {
        let Some(altered) = stack_alteration(stack, applied) else {
            return Ok(());
        };
        // What was applied last may be another request by now.
        let again = self.0.store.stack(stack.summary.id).await?;
        if let Some(again) = again
            && again.summary.version != stack.summary.version
            && (again.applied_request != stack.applied_request
                || stack_alteration(&again, applied).is_none())
        {
            return Err(stale_stack(store::Error::Stale));
        }
        let s = &stack.summary;
        self.refuse_altered(
            ("stack", s.id.to_string(), s.name.as_str()),
            &s.project,
            &altered,
        )
        .await
    }

    /// A stack is what was applied to it last, if anything was.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_applied(&self, stack: &Stack) -> Result<()> {
        let Some(applied) = stack.applied_request else {
            return Ok(());
        };
        let Some(applied) = self.0.store.request(applied).await? else {
            return Err(Error::internal(format!("request {applied} is missing")));
        };
        self.prove(&applied).await?;
        self.prove_stack(stack, &applied).await
    }

    /// The stored plan is what the operation was queued for.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_operation(
        &self,
        operation: &store::Operation,
        request: &Request,
    ) -> Result<()> {
        self.prove(request).await?;
        let stored = request.plan.as_ref().map(|plan| plan.digest.as_str());
        // Operations that were queued by a Slipway that did not write the digest down have none.
        let queued = operation.plan_digest.as_deref();
        if queued.is_none() || queued == stored {
            return Ok(());
        }
        let s = &operation.summary;
        self.refuse_altered(
            ("operation", s.id.to_string(), s.stack_name.as_str()),
            &s.project,
            &Altered {
                part: "digest",
                recorded: queued.map(str::to_owned),
                stored: stored.map(str::to_owned),
            },
        )
        .await
    }

    /// Why the decisions on record do not carry this plan, made just now; `None` when they do, or when nobody has to agree.
    pub(crate) async fn not_agreed(
        &self,
        request: &Request,
        plan: &Plan,
        digest: &str,
    ) -> Result<Option<String>> {
        if plan.report.approvals.is_empty() {
            return Ok(None);
        }
        let decisions = self.recorded_decisions(request.summary.id).await?;
        let written = self.0.store.authors(request.summary.id).await?;
        let authors = self.authors_of(request, &written).await?;
        let counted = Counted {
            needs: &plan.report.approvals,
            digest: Some(digest),
            state: types::request::RequestState::AwaitingApproval,
            ..Counted::of(request, &decisions, &authors)
        };
        let (status, _) = self.count(&counted, None, &mut People::default()).await?;
        Ok((!status.iter().all(|need| need.met)).then(|| missing(&status)))
    }

    /// One line in the record for each alteration, however often it is met.
    async fn refuse_altered(
        &self,
        subject: (&'static str, String, &str),
        project: &types::names::ProjectName,
        altered: &Altered,
    ) -> Result<()> {
        let (kind, id, name) = subject;
        let action = format!("{kind}.plan_altered");
        let detail = json!({ "part": altered.part, "recorded_digest": altered.recorded, "stored_digest": altered.stored });
        let told = self.0.store.last_audit_detail(&id, &action).await?;
        if told.as_ref() != Some(&detail) {
            tracing::error!(
                subject = kind,
                %id,
                part = altered.part,
                "the stored plan is not the one that was agreed to"
            );
            let now = self.now();
            let mut tx = self.0.store.begin().await?;
            tx.audit(
                NewAudit::by(&crate::system(), &action, (kind, id, name), Some(project))
                    .with(detail),
            );
            tx.commit(now).await?;
        }
        Err(altered_error(kind))
    }
}

fn altered_error(kind: &str) -> Error {
    Error::Conflict {
        code: ALTERED,
        detail: format!(
            "The plan stored for this {kind} is not the one that was agreed to: it was changed in the database. Nothing of it is shown, approved or sent \
             to Azure. Tell an admin; the audit record has both digests."
        ),
    }
}

/// Whether this is the refusal of an altered plan.
pub(crate) fn is_altered(error: &Error) -> bool {
    matches!(error, Error::Conflict { code: ALTERED, .. })
}

/// What does not fit within the request's own row. It is written as one, so no change on its way explains it.
fn own_alteration(request: &Request) -> Option<Altered> {
    let plan = request.plan.as_ref()?;
    let part = if !digest::names(&request.draft, request.summary.stack, plan) {
        "plan"
    } else if request.draft.kind != request.summary.kind {
        "kind"
    } else if request.summary.template != plan.template {
        "template"
    } else if request.needs != plan.report.approvals {
        "needs"
    } else {
        return None;
    };
    Some(Altered {
        part,
        recorded: Some(plan.digest.clone()),
        stored: None,
    })
}

/// The column in which a request says otherwise than its stack. An edit changes the name of both together; project and tier never change.
fn foreign_column(request: &RequestSummary, stack: &StackSummary) -> Option<&'static str> {
    if request.project != stack.project {
        Some("project")
    } else if request.tier != stack.tier {
        Some("tier")
    } else if request.name != stack.name {
        Some("name")
    } else {
        None
    }
}

/// What does not fit between a stack and the request that was applied to it last.
fn stack_alteration(stack: &Stack, applied: &Request) -> Option<Altered> {
    let planned = applied.plan.as_ref();
    // Before the first success the stack's copy is that of a try, which Edit may have replaced since.
    let copy = stack
        .plan
        .as_ref()
        .filter(|_| stack.applied_request.is_some());
    let same = match (copy, planned) {
        (Some(copy), Some(planned)) => digest::same(copy, planned),
        _ => stack.applied_request.is_none(),
    };
    let part = if !same {
        "applied plan"
    } else if planned.is_some_and(|plan| !same_place(&stack.summary.target, &plan.target)) {
        "target"
    } else {
        return None;
    };
    Some(Altered {
        part,
        recorded: planned.map(|plan| plan.digest.clone()),
        stored: copy.map(|copy| copy.digest.clone()),
    })
}

/// The subscription's title may have changed; the rest says where it is.
fn same_place(one: &Target, other: &Target) -> bool {
    (
        &one.subscription,
        &one.resource_group,
        one.owns_group,
        &one.region,
    ) == (
        &other.subscription,
        &other.resource_group,
        other.owns_group,
        &other.region,
    )
}

fn missing(needs: &[NeedStatus]) -> String {
    let open: Vec<String> = needs
        .iter()
        .filter(|need| !need.met)
        .map(|need| {
            format!(
                "{} has {} of {} approvals of {}",
                need.need.id,
                need.approved_by.len(),
                need.need.count,
                need.need.group
            )
        })
        .collect();
    format!(
        "The decisions on record do not approve this plan: {}.",
        open.join("; ")
    )
}
