//! Proof that a stored plan is the one that people agreed to: the plan is hashed where it is read and compared with the audit record. An altered plan is
//! refused, and the record gets a line of that. Making plans is `plans`, what a digest covers is `plans::digest`.

mod basis;
mod told;

use serde_json::json;
use store::{NewAudit, Operation, Request};
use types::approval::NeedStatus;
use types::operation::OperationKind;
use types::plan::Plan;
use types::request::{RequestKind, RequestState, RequestSummary};
use types::stack::StackSummary;

use super::digest;
use crate::requests::standing::{Counted, People};
use crate::{Error, Portal, Result};

pub(crate) use basis::APPLIED;
pub(crate) use told::STARTED;

/// The code of the refusal of an altered plan.
pub(crate) const ALTERED: &str = "plan_altered";
/// The line that names the operation of a retry.
pub(crate) const RETRIED: &str = "stack.retry_requested";

/// A difference between what is stored and what was agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Altered {
    /// Which part, as the record names it.
    part: &'static str,
    /// The digest that should be there.
    recorded: Option<String>,
    /// The digest that is stored.
    stored: Option<String>,
}

impl Portal {
    /// Proves a request: the digest is that of the stored plan, the needs are the plan's, the row agrees with plan and stack, and the audit record has the
    /// same digest.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `plan_altered`, and the record has a line of it then; with `stale_version` when the request is another one by now.
    pub(crate) async fn prove(&self, request: &Request) -> Result<()> {
        let altered = match own_alteration(request) {
            Some(altered) => altered,
            None => match self.alteration(request).await? {
                None => return Ok(()),
                Some(altered) => {
                    // Somebody may have edited the request since it was read: then the newer one fits.
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

    /// The difference between a request's row, its stack and the record. A request without a line in the audit record counts as altered.
    async fn alteration(&self, request: &Request) -> Result<Option<Altered>> {
        let stored = request.plan.as_ref().map(|plan| &plan.digest);
        let told = self.0.store.recorded_plan(request.summary.id).await?;
        let sent_back = told.as_ref().is_some_and(|told| told.sent_back);
        let recorded = told.and_then(|told| told.digest);
        let stack = self.known_stack(request.summary.stack).await?;
        let part = if recorded.is_none() || recorded.as_ref() != stored {
            "digest"
        } else if sent_back != request.sent_back.is_some() {
            // A request that was sent back needs an approval, whatever the guardrails ask for.
            "sent_back"
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

    /// Proves an operation: it was queued for the stored plan, and its kind is the one that its request asks for. Only switching a machine needs no request.
    ///
    /// # Errors
    /// As [`Portal::prove`].
    pub(crate) async fn prove_operation(
        &self,
        operation: &Operation,
        request: Option<&Request>,
    ) -> Result<()> {
        let s = &operation.summary;
        let queued = operation.plan_digest.as_deref();
        let (part, stored) = match request {
            None if switches(s.kind) && s.request.is_none() => return Ok(()),
            None => ("request", None),
            Some(request) => {
                self.prove(request).await?;
                let stored = request.plan.as_ref().map(|plan| plan.digest.as_str());
                let part = if queued.is_none() || queued != stored {
                    "digest"
                } else if request.summary.stack != s.stack {
                    "stack"
                } else if !executes(s.kind, request.summary.kind) {
                    "kind"
                } else {
                    return Ok(());
                };
                (part, stored)
            }
        };
        self.refuse_operation(operation, part, stored).await
    }

    async fn refuse_operation(
        &self,
        operation: &Operation,
        part: &'static str,
        stored: Option<&str>,
    ) -> Result<()> {
        let s = &operation.summary;
        self.refuse_altered(
            ("operation", s.id.to_string(), s.stack_name.as_str()),
            &s.project,
            &Altered {
                part,
                recorded: operation.plan_digest.clone(),
                stored: stored.map(str::to_owned),
            },
        )
        .await
    }

    /// Why the recorded decisions do not approve this plan, made just now; `None` when they do, or when the plan needs no approval.
    pub(crate) async fn not_agreed(
        &self,
        request: &Request,
        plan: &Plan,
        digest: &str,
    ) -> Result<Option<String>> {
        if plan.report.approvals.is_empty() {
            return Ok(None);
        }
        let decisions = self.proved_decisions(request.summary.id).await?;
        let written = self.0.store.authors(request.summary.id).await?;
        let authors = self.authors_of(request, &written).await?;
        let counted = Counted {
            needs: &plan.report.approvals,
            digest: Some(digest),
            state: RequestState::AwaitingApproval,
            ..Counted::of(request, &decisions, &authors)
        };
        let (status, _) = self.count(&counted, None, &mut People::default()).await?;
        Ok((!status.iter().all(|need| need.met)).then(|| missing(&status)))
    }

    /// Refuses an altered plan. An alteration that is met again gets no second line in the record.
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

/// Whether operations of this kind need no request.
fn switches(kind: OperationKind) -> bool {
    matches!(
        kind,
        OperationKind::Start
            | OperationKind::Stop
            | OperationKind::Restart
            | OperationKind::Refresh
    )
}

/// Whether an operation of this kind executes a request of that kind.
fn executes(operation: OperationKind, request: RequestKind) -> bool {
    match request {
        RequestKind::Create | RequestKind::Update => operation == OperationKind::Apply,
        RequestKind::Delete => operation == OperationKind::Destroy,
        // An extension needs no operation.
        RequestKind::Extend => false,
    }
}

fn altered_error(kind: &str) -> Error {
    Error::Conflict {
        code: ALTERED,
        detail: format!(
            "The plan stored for this {kind} is not the one that was agreed to: it was changed in the database. Nothing of it is shown, approved or sent \
             to Azure. Tell an admin; the audit record has both digests.{}",
            if kind == "request" {
                " It can be withdrawn while it has not begun; its version is in the list of requests."
            } else {
                ""
            }
        ),
    }
}

/// Whether this is the refusal of an altered plan.
pub(crate) fn is_altered(error: &Error) -> bool {
    matches!(error, Error::Conflict { code: ALTERED, .. })
}

/// The difference within the request's own row. A row is written as a whole, so no concurrent change explains a difference.
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

/// The column in which a request differs from its stack. An edit changes the name of both in one transaction; project and tier never change.
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
