//! Stacks: reading them, asking for deletion or a longer life, switching them on and off, and trying again. How that is executed lives in `operations`.

use indexmap::IndexMap;
use serde_json::{Value, json};
use store::{Stack, StackRequest};
use types::actor::{Actor, Right};
use types::approval::DecisionKind;
use types::ids::{RequestId, StackId, SubmissionId};
use types::operation::{OperationDetail, OperationKind, OperationSummary};
use types::page::{Page, Paging};
use types::request::{RequestDetail, RequestDraft, RequestKind, RequestState, TimelineEntry};
use types::stack::{ConnectLine, DeleteStack, StackDetail, StackFilter, StackState, StackSummary};

use crate::access::{
    EXPIRED, StackSituation, is_slipways, may, may_read, may_retry, may_switch, of_stack, scope,
};
use crate::operations::Since;
use crate::operations::steps::{deletes, is_machine};
use crate::plans::proof::RETRIED;
use crate::requests::said::{SHOWN, lines};
use crate::trail::Trail;
use crate::{Error, Portal, Result};

/// Operations on a stack's page.
const OPERATIONS: u32 = 100;
/// Requests that a stack's page names.
const REQUESTS: usize = 50;

impl Portal {
    /// A page of the stacks that the actor may see, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a foreign cursor.
    pub async fn stacks(&self, actor: &Actor, filter: &StackFilter) -> Result<Page<StackSummary>> {
        Ok(self.0.store.stacks(&scope(actor), filter).await?)
    }

    /// One stack, whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project.
    pub async fn stack(&self, actor: &Actor, id: StackId) -> Result<StackDetail> {
        let stack = self.readable_stack(actor, id).await?;
        let store = &self.0.store;
        self.prove_applied(&stack).await?;
        let situation = self.situation(&stack).await?;
        let access = of_stack(actor, &situation);
        let digest = stack.plan.as_ref().map(|p| p.digest.clone());
        Ok(StackDetail {
            resources: store.stack_resources(id).await?,
            connect: self.connect(&stack),
            cost: stack.plan.as_ref().map(|p| p.cost.clone()),
            controls: stack
                .plan
                .as_ref()
                .map(|p| p.report.controls.clone())
                .unwrap_or_default(),
            operations: self.operations_of(id).await?,
            running: store.running_operation(id).await?,
            requests: store
                .requests_of_stack(id)
                .await?
                .into_iter()
                .map(|r| r.id)
                .take(REQUESTS)
                .collect(),
            approved_by: self.approvers_of(&stack).await?,
            plan_digest: digest,
            activity: store.stack_activity(id, None, SHOWN).await?,
            outputs: stack.outputs,
            fault: stack
                .fault
                .filter(|_| stack.summary.state == StackState::Failed),
            access,
            summary: stack.summary,
        })
    }

    /// A page of what happened to a stack, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] also without the right to read its project; [`Error::Invalid`] for a foreign cursor.
    pub async fn activity(
        &self,
        actor: &Actor,
        id: StackId,
        paging: &Paging,
    ) -> Result<Page<TimelineEntry>> {
        self.readable_stack(actor, id).await?;
        let cursor = paging.cursor.as_deref();
        Ok(self
            .0
            .store
            .stack_activity(id, cursor, lines(paging))
            .await?)
    }

    /// Asks for deletion: a request like any other, policy says who has to agree.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the name typed again is not the stack's.
    pub async fn delete_stack(
        &self,
        actor: &Actor,
        id: StackId,
        form: DeleteStack,
        submission: SubmissionId,
    ) -> Result<RequestDetail> {
        let stack = self.readable_stack(actor, id).await?;
        may(actor, Right::Request, &stack.summary.project)?;
        if form.confirm.trim() != stack.summary.name.as_str() {
            return Err(Error::field(
                "confirm",
                "confirm",
                format!(
                    "Type the stack's name, {}, to delete it.",
                    stack.summary.name
                ),
            ));
        }
        let draft = RequestDraft {
            kind: RequestKind::Delete,
            stack: Some(id),
            justification: form.justification,
            ..RequestDraft::default()
        };
        self.submit(actor, draft, submission).await
    }

    /// Asks that it lives longer; `expiry` as in a draft. No resource changes.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `expiry`.
    pub async fn extend_stack(
        &self,
        actor: &Actor,
        id: StackId,
        expiry: String,
        justification: String,
        submission: SubmissionId,
    ) -> Result<RequestDetail> {
        let draft = RequestDraft {
            kind: RequestKind::Extend,
            stack: Some(id),
            expiry,
            justification,
            ..RequestDraft::default()
        };
        self.submit(actor, draft, submission).await
    }

    /// Starts, stops or restarts the stack's machines; answers with the queued operation.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something else runs or the state does not fit, and with `plan_altered`; [`Error::Invalid`] for a kind that is no power
    /// action.
    pub async fn power(
        &self,
        actor: &Actor,
        id: StackId,
        kind: OperationKind,
    ) -> Result<OperationDetail> {
        let mut stack = self.readable_stack(actor, id).await?;
        may(actor, Right::Request, &stack.summary.project)?;
        let (from, action, sentence) = match kind {
            OperationKind::Start => (
                StackState::Stopped,
                "stack.start_requested",
                "Asked to start it.",
            ),
            OperationKind::Stop => (
                StackState::Active,
                "stack.stop_requested",
                "Asked to stop it.",
            ),
            OperationKind::Restart => (
                StackState::Active,
                "stack.restart_requested",
                "Asked to restart it.",
            ),
            _ => {
                return Err(Error::field(
                    "kind",
                    "not_allowed",
                    "One of: start, stop, restart.",
                ));
            }
        };
        let situation = self.situation(&stack).await?;
        if !situation.has_machines {
            return Err(Error::Conflict {
                code: "no_machines",
                detail: "This stack has no machine of its own that could be switched.".to_owned(),
            });
        }
        may_switch(&situation, from).map_err(not_now)?;
        self.prove_applied(&stack).await?;
        let trail = Trail {
            actor,
            now: self.now(),
        };
        let mut tx = self.0.store.begin().await?;
        let operation = self
            .queue_operation(&mut tx, &trail, &mut stack, None, kind)
            .await?;
        trail
            .stack(
                &mut tx,
                &stack,
                action,
                sentence,
                json!({ "operation": operation }),
            )
            .await?;
        tx.commit(trail.now).await?;
        self.operation(actor, operation).await
    }

    /// Tries the last operation of a failed stack again: a new apply with a new revision, or the deletion once more.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `plan_changed` when the plan would be another one by now: then a new request is needed.
    pub async fn retry(&self, actor: &Actor, id: StackId) -> Result<OperationDetail> {
        let mut stack = self.readable_stack(actor, id).await?;
        may(actor, Right::Request, &stack.summary.project)?;
        let situation = self.situation(&stack).await?;
        may_retry(&situation).map_err(not_now)?;
        let last = self
            .operations_of(id)
            .await?
            .into_iter()
            // One that never began left nothing behind: its request went on without it, and may be rejected, withdrawn or another one by now.
            .find(|o| {
                matches!(o.kind, OperationKind::Apply | OperationKind::Destroy)
                    && o.started_at.is_some()
            });
        let Some((last, request)) = last.and_then(|o| Some((o.kind, o.request?))) else {
            return Err(not_now("There is nothing to try again.".to_owned()));
        };
        let request = self
            .0
            .store
            .request(request)
            .await?
            .ok_or_else(|| Error::internal("the request of an operation is missing"))?;
        if !request.summary.state.has_begun() {
            return Err(not_now(format!(
                "Its request is {} and is not carried out.",
                request.summary.state.as_str().replace('_', " ")
            )));
        }
        if situation.expired && last == OperationKind::Apply {
            return Err(not_now(EXPIRED.to_owned()));
        }
        self.prove(&request).await?;
        if let Some(why) = self.changed_since(actor, &stack, &request, last).await? {
            return Err(Error::Conflict {
                code: "plan_changed",
                detail: format!("{why} Send a new request for it, or delete the stack."),
            });
        }
        let trail = Trail {
            actor,
            now: self.now(),
        };
        let mut tx = self.0.store.begin().await?;
        let operation = self
            .queue_operation(&mut tx, &trail, &mut stack, Some(&request), last)
            .await?;
        // After the stack's row is held, as everywhere: two transactions never wait for each other.
        if let Some(plan) = request
            .plan
            .as_ref()
            .filter(|_| last == OperationKind::Apply)
        {
            self.reserve(&mut tx, actor, &stack.summary, plan, None)
                .await?;
        }
        trail
            .stack(
                &mut tx,
                &stack,
                RETRIED,
                "Asked to try again.",
                json!({ "operation": operation }),
            )
            .await?;
        tx.commit(trail.now).await?;
        self.operation(actor, operation).await
    }

    /// Why what is tried again is no longer what was agreed to.
    async fn changed_since(
        &self,
        actor: &Actor,
        stack: &Stack,
        request: &store::Request,
        kind: OperationKind,
    ) -> Result<Option<String>> {
        let Some(plan) = &request.plan else {
            return Ok(None);
        };
        // Who tries again answers for it, where who sent it no longer may.
        let authors = self.0.store.authors(request.summary.id).await?;
        let made = match self.lost_right(request, &authors).await? {
            Some(_) => Box::pin(self.plan_again_by(actor, request)).await,
            None => Box::pin(self.plan_again(request)).await,
        };
        let made = match made {
            Ok(outcome) => Some(outcome.plan),
            // What is half deleted is deleted to its end, whatever its template has become.
            Err(Error::Invalid { .. }) if kind == OperationKind::Destroy => None,
            Err(Error::Invalid { errors }) => {
                let words: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
                return Ok(Some(format!(
                    "The plan can no longer be made: {}",
                    words.join(" ")
                )));
            }
            Err(error) => return Err(error),
        };
        let made = made.as_ref().unwrap_or(plan);
        if kind == OperationKind::Apply
            && let Some(denial) = made.report.denials.first()
        {
            return Ok(Some(format!("{} denies it: {}", denial.id, denial.message)));
        }
        if kind == OperationKind::Apply
            && let Some(why) = crate::operations::differs(plan, made, Since::of(request))
        {
            return Ok(Some(why));
        }
        // What is deleted already is no longer planned; what came since was never agreed to.
        let resources = self.0.store.stack_resources(stack.summary.id).await?;
        if kind == OperationKind::Destroy
            && let Some(new) = resources.iter().find(|r| !deletes(plan, &r.id))
        {
            return Ok(Some(format!(
                "{} came after the deletion was agreed to.",
                new.name
            )));
        }
        self.not_agreed(request, made, &plan.digest).await
    }

    /// A stack that the actor may see.
    pub(crate) async fn readable_stack(&self, actor: &Actor, id: StackId) -> Result<Stack> {
        let stack = self
            .0
            .store
            .stack(id)
            .await?
            .ok_or(Error::NotFound { what: "stack" })?;
        may_read(actor, &stack.summary.project, "stack")?;
        Ok(stack)
    }

    /// What stands in the way of changing it.
    pub(crate) async fn situation<'a>(&self, stack: &'a Stack) -> Result<StackSituation<'a>> {
        self.situation_without(stack, &[]).await
    }

    /// The same as if these requests about it had ended.
    pub(crate) async fn situation_without<'a>(
        &self,
        stack: &'a Stack,
        closing: &[RequestId],
    ) -> Result<StackSituation<'a>> {
        let store = &self.0.store;
        let id = stack.summary.id;
        let busy = match store.running_operation(id).await? {
            None => false,
            Some(_) if closing.is_empty() => true,
            // One that has not begun ends with its request.
            Some(running) => store.operation(running).await?.is_none_or(|operation| {
                let request = operation.summary.request;
                request.is_none_or(|request| !closing.contains(&request))
            }),
        };
        let open =
            store.requests_of_stack(id).await?.into_iter().find(|r| {
                !r.state.is_final() && !is_denied_deletion(r) && !closing.contains(&r.id)
            });
        let resources = store.stack_resources(id).await?;
        Ok(StackSituation {
            project: &stack.summary.project,
            state: stack.summary.state,
            busy,
            open_request: open.map(|r| r.kind),
            has_machines: resources.iter().any(|r| is_machine(&r.kind)),
            expires: stack.summary.expires_at.is_some(),
            expired: stack
                .summary
                .expires_at
                .is_some_and(|end| end <= self.now()),
        })
    }

    /// The newest operations on a stack, the newest first.
    pub(crate) async fn operations_of(&self, id: StackId) -> Result<Vec<OperationSummary>> {
        let filter = store::OperationFilter {
            stack: Some(id),
            limit: Some(OPERATIONS),
            ..store::OperationFilter::default()
        };
        Ok(self
            .0
            .store
            .operations(&store::Scope::All, &filter)
            .await?
            .items)
    }

    async fn approvers_of(&self, stack: &Stack) -> Result<Vec<String>> {
        // Before the first success: the request that is being carried out.
        let request = match stack.applied_request {
            Some(applied) => Some(applied),
            None => {
                let requests = self.0.store.requests_of_stack(stack.summary.id).await?;
                let begun = requests.iter().find(|request| request.state.has_begun());
                begun.map(|request| request.id)
            }
        };
        let Some(request) = request else {
            return Ok(Vec::new());
        };
        let mut approvers: Vec<String> = Vec::new();
        for decision in self.recorded_decisions(request).await? {
            if decision.decision == DecisionKind::Approve
                && decision.current
                && !approvers.contains(&decision.approver)
            {
                approvers.push(decision.approver);
            }
        }
        Ok(approvers)
    }

    /// The template's ways in, for a stack that is there.
    fn connect(&self, stack: &Stack) -> Vec<ConnectLine> {
        let lives = matches!(
            stack.summary.state,
            StackState::Active | StackState::Stopped | StackState::Updating
        );
        let Some(entry) = self
            .0
            .catalogue
            .get(&stack.summary.template)
            .filter(|_| lives)
        else {
            return Vec::new();
        };
        entry
            .manifest
            .connect
            .iter()
            .filter_map(|line| {
                Some(ConnectLine {
                    title: line.title.clone(),
                    command: filled(&line.command, &stack.outputs)?,
                    note: line.note.clone(),
                })
            })
            .collect()
    }
}

/// Slipway's own request that a guardrail denies: nobody can edit or withdraw it, so it stands in nobody's way. It is made anew the next day.
fn is_denied_deletion(request: &StackRequest) -> bool {
    request.state == RequestState::Denied && is_slipways(&request.requester)
}

fn not_now(reason: String) -> Error {
    Error::Conflict {
        code: "stack_busy",
        detail: reason,
    }
}

/// `{output.name}` becomes the output; a line whose output is not there is left out.
fn filled(command: &str, outputs: &IndexMap<String, Value>) -> Option<String> {
    let mut text = String::with_capacity(command.len());
    let mut rest = command;
    while let Some((before, after)) = rest.split_once("{output.") {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        match outputs.get(name)? {
            Value::String(value) => text.push_str(value),
            Value::Null => return None,
            other => text.push_str(&other.to_string()),
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_in_is_filled_with_outputs_or_left_out() {
        let outputs: IndexMap<String, Value> = [
            ("ip".to_owned(), Value::from("10.10.0.4")),
            ("port".to_owned(), Value::from(22)),
        ]
        .into();
        assert_eq!(
            filled("ssh -p {output.port} azureuser@{output.ip}", &outputs).as_deref(),
            Some("ssh -p 22 azureuser@10.10.0.4")
        );
        assert_eq!(filled("plain", &outputs).as_deref(), Some("plain"));
        assert_eq!(filled("ssh {output.missing}", &outputs), None);
    }
}
