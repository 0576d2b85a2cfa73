//! What the form knows while it is filled in, and how typing becomes a check. Nothing here runs on the server but the first values.

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use types::access::Access;
use types::check::Check;
use types::form::{Field, RequestForm};
use types::ids::RequestId;
use types::policy::Fix;
use types::problem::FieldError;
use types::request::RequestDraft;
use types::secret::{looks_private, refusal};
use web_sys::{Event, SubmitEvent};

use super::dom;
use crate::api::Failure;
use crate::api::catalogue::{check, request_form};
use crate::forms::{get, set, shape, typed};

/// How long typing must rest before the draft is checked.
const REST: Duration = Duration::from_millis(250);

/// Everything that the page's parts share; copies are the same state.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// Sections and choices; changes when project, tier or region do.
    pub(super) form: RwSignal<RequestForm>,
    /// What is filled in.
    pub(super) draft: RwSignal<RequestDraft>,
    /// What the server last said to it.
    pub(super) check: RwSignal<Result<Check, Failure>>,
    /// True while an answer is awaited.
    pub(super) checking: RwSignal<bool>,
    /// True once the form is on its way: a second press does nothing.
    pub(super) sending: RwSignal<bool>,
    /// Fields that were touched: only they complain about being empty.
    touched: RwSignal<BTreeSet<String>>,
    /// True once somebody asked for everything: after *Check*, *Send* or a refusal.
    all: RwSignal<bool>,
    /// Errors of a refused POST, until their field changes.
    refused: RwSignal<Vec<FieldError>>,
    /// A field in which somebody pasted a private key.
    private_key: RwSignal<Option<String>>,
    /// Counts reloads of the choices, so that only the last one counts.
    reloads: StoredValue<u32>,
    editing: StoredValue<Option<RequestId>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// Counts checks, so that a late answer does not overwrite a later question's.
    round: StoredValue<u32>,
}

impl State {
    pub(super) fn new(
        form: RequestForm,
        check: Result<Check, Failure>,
        refused: Option<Vec<FieldError>>,
    ) -> Self {
        let draft = form.draft.clone();
        let editing = form.editing.as_ref().map(|editing| editing.request);
        Self {
            form: RwSignal::new(form),
            draft: RwSignal::new(draft),
            check: RwSignal::new(check),
            checking: RwSignal::new(false),
            sending: RwSignal::new(false),
            touched: RwSignal::new(BTreeSet::new()),
            all: RwSignal::new(refused.is_some() || editing.is_some()),
            refused: RwSignal::new(refused.unwrap_or_default()),
            private_key: RwSignal::new(None),
            reloads: StoredValue::new(0),
            editing: StoredValue::new(editing),
            timer: StoredValue::new(None),
            round: StoredValue::new(0),
        }
    }

    /// Catches up with the browser: it may have restored fields, and a page that comes back from history must be able to send again.
    pub(super) fn follow(self) {
        Effect::new(move |_| {
            if self.adopt() {
                self.soon();
            }
            let back = window_event_listener_untyped("pageshow", move |_| self.sending.set(false));
            on_cleanup(move || back.remove());
        });
    }

    /// A key went down in a field.
    pub(super) fn typed(self, event: &Event) {
        if let Some((name, value)) = dom::value_of(event) {
            self.put(&name, &value);
        }
    }

    /// A field was left or a choice was made.
    pub(super) fn changed(self, event: &Event) {
        let Some((name, value)) = dom::value_of(event) else {
            return;
        };
        self.put(&name, &value);
        if name == "expiry" {
            dom::write("expiry_date", "");
        }
        if self.field(&name).is_some_and(|field| field.reloads) {
            self.reload();
        }
    }

    /// A remedy was pressed.
    pub(super) fn mend(self, fix: &Fix) {
        let (Some(name), Some(value)) = (&fix.field, &fix.value) else {
            return;
        };
        let value = typed(value);
        self.put(name, &value);
        dom::write(name, &value);
        if self.field(name).is_some_and(|field| field.reloads) {
            self.reload();
        }
    }

    /// Somebody sends, or asks for a check.
    pub(super) fn submitted(self, event: &SubmitEvent) {
        let sends = dom::submitter_value(event).as_deref() == Some("send");
        if sends && self.why_not().is_none() && !self.sending.get_untracked() {
            self.sending.set(true);
            return;
        }
        event.prevent_default();
        if self.sending.get_untracked() {
            return;
        }
        self.all.set(true);
        self.ask();
        if sends {
            // What must be changed first is where the focus goes.
            request_animation_frame(dom::focus_first_bad);
        }
    }

    /// Why it cannot be sent now.
    pub(super) fn why_not(self) -> Option<String> {
        self.check.with(|check| match check {
            Ok(check) => match &check.submit {
                Access::Allowed => None,
                Access::Disabled { reason } => Some(reason.clone()),
                Access::Hidden => Some("You may not send this request.".to_owned()),
            },
            // The server that could not check will say what it thinks when it is sent.
            Err(_) => None,
        })
    }

    /// Whether a field is shown now.
    pub(super) fn shows(self, field: &Field) -> bool {
        field.visible_if.as_ref().is_none_or(|when| {
            self.draft.with(|draft| {
                let now = get(draft, &when.field);
                when.equals.iter().any(|value| typed(value) == now)
            })
        })
    }

    /// What to say beside a field: the first error, or the first guardrail that denies because of it, with its remedy.
    pub(super) fn complaint(self, name: &str) -> Option<(String, Option<Fix>)> {
        if self
            .private_key
            .with(|field| field.as_deref() == Some(name))
        {
            return Some((refusal(name).message, None));
        }
        let is_it = |error: &&FieldError| error.field == name;
        if let Some(error) = self
            .refused
            .with(|errors| errors.iter().find(is_it).cloned())
        {
            return Some((error.message, None));
        }
        let speaks = self.all.get() || self.touched.with(|touched| touched.contains(name));
        self.check.with(|check| {
            let check = check.as_ref().ok()?;
            if let Some(error) = check.errors.iter().find(is_it) {
                return speaks.then(|| (error.message.clone(), None));
            }
            let report = &check.plan.as_ref()?.report;
            report
                .denials
                .iter()
                .find(|denial| denial.field.as_deref() == Some(name))
                .map(|denial| (denial.message.clone(), denial.fix.clone()))
        })
    }

    /// The label of a field, for saying which one is meant.
    pub(super) fn label(self, name: &str) -> String {
        self.field(name)
            .map_or_else(|| name.to_owned(), |field| field.label)
    }

    fn field(self, name: &str) -> Option<Field> {
        self.form.with_untracked(|form| {
            form.sections
                .iter()
                .flat_map(|section| &section.fields)
                .find(|field| field.name == name)
                .cloned()
        })
    }

    fn put(self, name: &str, value: &str) {
        if looks_private(value) {
            dom::write(name, "");
            // Also in the draft: the event that follows the emptied field must find nothing new, or it would take the message away.
            self.draft.update(|draft| set(draft, name, "", "text"));
            self.private_key.set(Some(name.to_owned()));
            self.soon();
            return;
        }
        let shape = self.field(name).map_or("text", |field| shape(&field));
        let before = self.draft.with_untracked(|draft| get(draft, name));
        self.draft.update(|draft| set(draft, name, value, shape));
        if self.draft.with_untracked(|draft| get(draft, name)) == before {
            return;
        }
        self.private_key.set(None);
        self.touched.update(|touched| {
            touched.insert(name.to_owned());
        });
        self.refused
            .update(|errors| errors.retain(|error| error.field != name));
        self.soon();
    }

    /// Takes over what stands in the fields; true when that is not what the draft holds.
    fn adopt(self) -> bool {
        let mut differs = false;
        for (name, value) in dom::values("request-form") {
            if matches!(name.as_str(), "kind" | "template" | "stack") {
                continue;
            }
            let shape = self.field(&name).map_or("text", |field| shape(&field));
            self.draft.update(|draft| {
                let before = get(draft, &name);
                set(draft, &name, &value, shape);
                differs |= get(draft, &name) != before;
            });
        }
        differs
    }

    fn soon(self) {
        self.checking.set(true);
        self.timer.update_value(|timer| {
            if let Some(timer) = timer.take() {
                timer.clear();
            }
            *timer = set_timeout_with_handle(move || self.ask(), REST).ok();
        });
    }

    fn ask(self) {
        let round = self.next_round();
        let draft = self.draft.get_untracked();
        let editing = self.editing.get_value();
        self.checking.set(true);
        spawn_local(async move {
            let answer = check(draft, editing).await;
            self.take(round, answer);
        });
    }

    /// Project, tier or region changed: other fields have other choices now. Checks go on meanwhile; only a later reload makes this one void.
    fn reload(self) {
        self.reloads.update_value(|reloads| *reloads += 1);
        let turn = self.reloads.get_value();
        let sent = self.draft.get_untracked();
        let editing = self.editing.get_value();
        self.checking.set(true);
        spawn_local(async move {
            let template = Some(sent.template.clone());
            let project = Some(sent.project.clone());
            let tier = Some(sent.tier.clone());
            let form = request_form(template, project, tier, editing, Some(sent.clone())).await;
            if self.reloads.try_get_value() != Some(turn) {
                return;
            }
            if let Ok(form) = form {
                let proposed = self.keep_typed(&form, &sent);
                self.form.set(form);
                self.draft.set(proposed);
                // What holds when the new fields stand: another choice may have been made by then.
                request_animation_frame(move || {
                    self.draft
                        .try_with_untracked(|draft| dom::write_all("request-form", draft));
                });
            }
            self.ask();
        });
    }

    /// The proposals of a form that was asked for with `sent`, with what was typed since then.
    fn keep_typed(self, form: &RequestForm, sent: &RequestDraft) -> RequestDraft {
        let mut draft = form.draft.clone();
        self.draft.with_untracked(|now| {
            for field in form.sections.iter().flat_map(|section| &section.fields) {
                let typed = get(now, &field.name);
                if typed != get(sent, &field.name) {
                    set(&mut draft, &field.name, &typed, shape(field));
                }
            }
        });
        draft
    }

    fn next_round(self) -> u32 {
        self.round.update_value(|round| *round += 1);
        self.round.get_value()
    }

    fn take(self, round: u32, answer: Result<Check, Failure>) {
        // The page may be gone, or a later question under way.
        if self.round.try_get_value() == Some(round) {
            self.check.set(answer);
            self.checking.set(false);
        }
    }
}
