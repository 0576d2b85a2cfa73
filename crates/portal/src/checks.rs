//! Checks: a draft read field by field, and the dry run that the form shows while it is being written.
//!
//! `checks::draft` reads a whole draft, `checks::values` a template's fields, `checks::text` refuses text that no field takes, `checks::reserved` names
//! and numbers that no draft may hold.

mod draft;
mod expiry;
mod limits;
mod nodes;
mod reserved;
mod tags;
mod text;
mod values;

use types::access::Access;
use types::actor::{Actor, Right};
use types::check::Check;
use types::ids::{RequestId, StackId};
use types::names::StackName;
use types::policy::Verdict;
use types::problem::{FieldError, capped};
use types::project::Tier;
use types::request::{RequestDraft, RequestKind};

use crate::access::may;
use crate::plans::{PlanOutcome, approvers};
use crate::{Error, Portal, Result, equivalents};

pub use draft::{ParsedDraft, parse};
pub(crate) use values::plain;

impl Portal {
    /// What rules, prices and quota say to a draft. Bad fields are no failure: they are in `errors`. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a stack or request that the actor cannot see, and when the database does not answer.
    pub async fn check(
        &self,
        actor: &Actor,
        draft: &RequestDraft,
        editing: Option<RequestId>,
    ) -> Result<Check> {
        let edited = match editing {
            Some(id) => Some(self.editable(actor, id).await?),
            None => None,
        };
        let mut draft = draft.clone();
        // The text for other tools is made of the draft: a private key must not come back in it. What is too much is refused as it is, and nothing of it
        // comes back.
        let secrets = match limits::problems(&draft).is_empty() {
            true => draft.forget_secrets(),
            false => Vec::new(),
        };
        let mut others = Vec::new();
        if let Some(edited) = &edited {
            others = of_another_request(&draft, edited.kind, edited.stack);
            draft.kind = edited.draft.kind;
            draft.stack = edited.draft.stack;
        }
        let stack = match draft.stack {
            Some(id) if draft.kind != RequestKind::Create => {
                Some(self.stack_to_change(actor, id).await?)
            }
            _ => None,
        };
        // A new stack has no id before it is sent; a check's own id shows in names and tags only.
        let stack_id = match (&stack, &edited) {
            (Some(stack), _) => stack.summary.id,
            (None, Some(edited)) => edited.stack,
            (None, None) => StackId(uuid::Uuid::now_v7()),
        };
        // The draft was looked through above, unless it is too much: that is refused before anything in it is read.
        let made =
            Box::pin(self.make_plan_again(actor, &draft, stack.as_ref(), stack_id, self.now()))
                .await;
        let (plan, mut errors, parsed) = match made {
            Ok(made) => {
                let PlanOutcome { plan, parsed } = made.outcome;
                (Some(plan), Vec::new(), Some(parsed))
            }
            Err(Error::Invalid { errors }) => (None, errors, None),
            Err(other) => return Err(other),
        };
        errors.extend(others);
        if !secrets.is_empty() {
            errors.retain(|error| secrets.iter().all(|secret| secret.field != error.field));
            errors = secrets.into_iter().chain(errors).collect();
        }
        if let Some(parsed) = &parsed
            && parsed.kind == RequestKind::Create
        {
            errors.extend(
                self.name_taken(&parsed.project, parsed.tier, &parsed.name, stack_id)
                    .await?,
            );
        }
        let submit = match &parsed {
            Some(parsed) => match may(actor, Right::Request, &parsed.project) {
                Ok(()) => submit(&errors, plan.as_ref()),
                Err(missing) => Access::disabled(missing.to_string()),
            },
            None => submit(&errors, None),
        };
        let approvers = plan
            .as_ref()
            .map(|plan| approvers(&plan.report))
            .unwrap_or_default();
        let usual_minutes = if approvers.is_empty() {
            None
        } else {
            self.usual_minutes(actor).await?
        };
        // What is as large as this is refused, and not repeated in three languages.
        let equivalents = if limits::is_large(&draft) {
            Vec::new()
        } else {
            equivalents::of(&draft, plan.as_ref(), &self.0.public_url)
        };
        Ok(Check {
            equivalents,
            errors: capped(errors),
            plan,
            approvers,
            usual_minutes,
            submit,
        })
    }

    /// The error on `name` when another stack of the tier holds it.
    pub(crate) async fn name_taken(
        &self,
        project: &types::names::ProjectName,
        tier: Tier,
        name: &StackName,
        own: StackId,
    ) -> Result<Option<FieldError>> {
        let holder = self.0.store.stack_by_name(project, tier, name).await?;
        Ok(holder
            .filter(|holder| holder.summary.id != own)
            .map(|_| FieldError {
                field: "name".to_owned(),
                message: format!(
                    "{project} has a stack named {name} in {} already. Choose another name.",
                    tier.as_str()
                ),
                code: "name_taken".to_owned(),
            }))
    }

    /// A stack that a draft is about, for somebody who sees it.
    pub(crate) async fn stack_to_change(&self, actor: &Actor, id: StackId) -> Result<store::Stack> {
        let missing = Error::NotFound { what: "stack" };
        let stack = self.0.store.stack(id).await?.ok_or(missing)?;
        crate::access::may_read(actor, &stack.summary.project, "stack")?;
        Ok(stack)
    }

    /// A request that is edited, for somebody who sees it.
    pub(crate) async fn editable(&self, actor: &Actor, id: RequestId) -> Result<Edited> {
        let missing = Error::NotFound { what: "request" };
        let request = self.0.store.request(id).await?.ok_or(missing)?;
        crate::access::may_read(actor, &request.summary.project, "request")?;
        Ok(Edited {
            request: id,
            version: request.summary.version,
            kind: request.summary.kind,
            stack: request.summary.stack,
            draft: request.draft,
        })
    }
}

/// A request that is edited.
pub(crate) struct Edited {
    pub(crate) request: RequestId,
    pub(crate) version: i64,
    pub(crate) kind: RequestKind,
    pub(crate) stack: StackId,
    pub(crate) draft: RequestDraft,
}

/// What a draft says otherwise than the request that it edits: what a request does, and to which stack, is settled when it is sent.
pub(crate) fn of_another_request(
    draft: &RequestDraft,
    kind: RequestKind,
    stack: StackId,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if draft.kind != kind {
        errors.push(text::error(
            "kind",
            "create_only",
            format!(
                "The kind of a request cannot be changed. Send `\"kind\": \"{}\"`, or make a new request.",
                kind.as_str()
            ),
        ));
    }
    if draft.stack.is_some_and(|given| given != stack) {
        errors.push(text::error(
            "stack",
            "create_only",
            "The stack of a request cannot be changed. Make a new request for this one.",
        ));
    }
    errors
}

/// Whether it could be sent. A denied request can be sent too, but nothing would come of it: the form says what to change first.
fn submit(errors: &[FieldError], plan: Option<&types::plan::Plan>) -> Access {
    match errors {
        [] => {}
        [one] => return Access::disabled(one.message.clone()),
        many => return Access::disabled(format!("{} fields need another value.", many.len())),
    }
    match plan {
        None => Access::disabled("There is no plan yet."),
        Some(plan) if plan.report.verdict == Verdict::Denied => {
            let mut messages = plan
                .report
                .denials
                .iter()
                .map(|denial| denial.message.as_str());
            let first = messages.next().unwrap_or("A guardrail denies this.");
            let more = messages.count();
            Access::disabled(if more == 0 {
                first.to_owned()
            } else {
                format!("{first} (and {more} more)")
            })
        }
        Some(_) => Access::Allowed,
    }
}

/// Characters that no single line may hold: they show it as something else than it is.
pub(crate) fn is_deceptive(c: char) -> bool {
    text::deceptive(c, text::Lines::One)
}

/// What is wrong with text that people write for people, such as a comment; several lines are fine.
pub(crate) fn problem_of_text(field: &str, text: &str, longest: usize) -> Option<FieldError> {
    text::problem(field, text, text::Lines::Many, longest)
}
