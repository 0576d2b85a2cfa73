//! What a change leaves behind, in the change's own transaction: an audit line, an event for live pages, and a sentence for people.

use serde_json::Value;
use store::{NewActivity, NewAudit, NewEvent, Request, Stack, Tx};
use types::actor::Actor;
use types::break_glass::BrokenGlass;
use types::event::Subject;
use types::ids::{OperationId, RequestId, StackId};
use types::names::{ProjectName, StackName};
use types::time::Timestamp;

use crate::Result;

/// Who changes something, and when.
#[derive(Clone, Copy)]
pub(crate) struct Trail<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) now: Timestamp,
}

/// One request, as far as its trail needs it.
pub(crate) struct RequestMark<'a> {
    pub(crate) id: RequestId,
    pub(crate) stack: StackId,
    pub(crate) name: &'a StackName,
    pub(crate) project: &'a ProjectName,
}

/// One operation, as far as its trail needs it.
pub(crate) struct OperationMark<'a> {
    pub(crate) id: OperationId,
    pub(crate) stack: StackId,
    pub(crate) stack_name: &'a StackName,
    pub(crate) project: &'a ProjectName,
    pub(crate) request: Option<RequestId>,
}

impl Trail<'_> {
    /// A request changed. `detail` is for the record: never a secret.
    pub(crate) async fn request(
        &self,
        tx: &mut Tx,
        request: &Request,
        action: &str,
        sentence: &str,
        detail: Value,
    ) -> Result<()> {
        let s = &request.summary;
        let mark = RequestMark {
            id: s.id,
            stack: s.stack,
            name: &s.name,
            project: &s.project,
        };
        self.marked_request(tx, &mark, action, sentence, detail)
            .await
    }

    /// The same of a request that was not read whole.
    pub(crate) async fn marked_request(
        &self,
        tx: &mut Tx,
        request: &RequestMark<'_>,
        action: &str,
        sentence: &str,
        detail: Value,
    ) -> Result<()> {
        tx.audit(
            NewAudit::by(
                self.actor,
                action,
                ("request", request.id.to_string(), request.name.as_str()),
                Some(request.project),
            )
            .with(self.marked(request.project, detail)),
        );
        tx.event(NewEvent {
            subject: Subject::Request,
            id: request.id.to_string(),
            stack: Some(request.stack),
            project: Some(request.project.clone()),
            kind: action.to_owned(),
        });
        self.sentence(
            tx,
            request.project,
            (Some(request.id), Some(request.stack)),
            sentence,
        )
        .await
    }

    /// A stack changed, or somebody asked something of it.
    pub(crate) async fn stack(
        &self,
        tx: &mut Tx,
        stack: &Stack,
        action: &str,
        sentence: &str,
        detail: Value,
    ) -> Result<()> {
        let s = &stack.summary;
        tx.audit(
            NewAudit::by(
                self.actor,
                action,
                ("stack", s.id.to_string(), s.name.as_str()),
                Some(&s.project),
            )
            .with(self.marked(&s.project, detail)),
        );
        self.stack_changed(tx, stack, action);
        self.sentence(tx, &s.project, (None, Some(s.id)), sentence)
            .await
    }

    /// A stack's pages should read again; what happened is recorded elsewhere.
    pub(crate) fn stack_changed(&self, tx: &mut Tx, stack: &Stack, kind: &str) {
        tx.event(NewEvent {
            subject: Subject::Stack,
            id: stack.summary.id.to_string(),
            stack: Some(stack.summary.id),
            project: Some(stack.summary.project.clone()),
            kind: kind.to_owned(),
        });
    }

    /// An operation began, ended, or was told something.
    pub(crate) async fn operation(
        &self,
        tx: &mut Tx,
        operation: &OperationMark<'_>,
        action: &str,
        sentence: &str,
        detail: Value,
    ) -> Result<()> {
        tx.audit(
            NewAudit::by(
                self.actor,
                action,
                (
                    "operation",
                    operation.id.to_string(),
                    operation.stack_name.as_str(),
                ),
                Some(operation.project),
            )
            .with(self.marked(operation.project, detail)),
        );
        self.operation_changed(tx, operation, action);
        self.sentence(
            tx,
            operation.project,
            (operation.request, Some(operation.stack)),
            sentence,
        )
        .await
    }

    /// An operation's page should read again.
    pub(crate) fn operation_changed(&self, tx: &mut Tx, operation: &OperationMark<'_>, kind: &str) {
        tx.event(NewEvent {
            subject: Subject::Operation,
            id: operation.id.to_string(),
            stack: Some(operation.stack),
            project: Some(operation.project.clone()),
            kind: kind.to_owned(),
        });
    }

    /// A project changed: for the record and for its page. What its stacks say of it is [`Trail::of_stack`].
    pub(crate) fn project(
        &self,
        tx: &mut Tx,
        project: &ProjectName,
        title: &str,
        action: &str,
        detail: Value,
    ) {
        tx.audit(
            NewAudit::by(
                self.actor,
                action,
                ("project", project.to_string(), title),
                Some(project),
            )
            .with(detail),
        );
        tx.event(NewEvent {
            subject: Subject::Project,
            id: project.to_string(),
            stack: None,
            project: Some(project.clone()),
            kind: action.to_owned(),
        });
    }

    /// A sentence in a stack's activity about something that is recorded elsewhere.
    pub(crate) async fn of_stack(&self, tx: &mut Tx, stack: StackId, sentence: &str) -> Result<()> {
        self.write(tx, (None, Some(stack)), sentence.to_owned())
            .await
    }

    /// The broken glass under which the actor does everything in a project.
    fn glass(&self, project: &ProjectName) -> Option<&BrokenGlass> {
        self.actor
            .break_glass
            .iter()
            .find(|glass| glass.project == *project)
    }

    /// The record says under which broken glass something was done.
    fn marked(&self, project: &ProjectName, detail: Value) -> Value {
        let Some(glass) = self.glass(project) else {
            return detail;
        };
        let mut detail = match detail {
            Value::Object(detail) => detail,
            _ => serde_json::Map::new(),
        };
        detail.insert("break_glass".to_owned(), glass.id.to_string().into());
        Value::Object(detail)
    }

    async fn sentence(
        &self,
        tx: &mut Tx,
        project: &ProjectName,
        of: (Option<RequestId>, Option<StackId>),
        text: &str,
    ) -> Result<()> {
        let text = match self.glass(project) {
            Some(glass) => format!("{text} Under break glass: “{}”", glass.reason),
            None => text.to_owned(),
        };
        self.write(tx, of, text).await
    }

    async fn write(
        &self,
        tx: &mut Tx,
        (request, stack): (Option<RequestId>, Option<StackId>),
        text: String,
    ) -> Result<()> {
        tx.insert_activity(&NewActivity {
            request,
            stack,
            actor: self.actor.name.clone(),
            text,
            at: self.now,
        })
        .await?;
        Ok(())
    }
}

impl<'a> OperationMark<'a> {
    /// The mark of an operation's row.
    pub(crate) fn of(summary: &'a types::operation::OperationSummary) -> Self {
        Self {
            id: summary.id,
            stack: summary.stack,
            stack_name: &summary.stack_name,
            project: &summary.project,
            request: summary.request,
        }
    }
}
