//! Fields of small forms, and what all fields share: label, help, error tied to the input, and the summary of errors on top of a form.

use leptos::prelude::*;
use types::problem::{FieldError, Problem};

use super::chip::Tone;
use super::escaped::TextArea;
use super::icon::{Icon, icon_in};
use super::page::notice;

/// The look of every text-like input; a bad one is told by `aria-invalid`.
pub(crate) const INPUT: &str = "block min-h-[34px] w-full rounded-[7px] border border-edge bg-surface px-2.5 py-1 text-ink placeholder:text-ink-3 aria-[invalid=true]:border-deny aria-[invalid=true]:ring-3 aria-[invalid=true]:ring-deny-bg";

/// The look of a label.
pub(crate) const LABEL: &str = "mb-[5px] block font-[560]";

/// Dots in names would make ids that CSS and scripts have to escape.
pub(crate) fn id_of(name: &str) -> String {
    format!("f-{}", name.replace(['.', ' '], "-"))
}

/// What `aria-describedby` of a field names: its help and its error, where it has them.
pub(crate) fn described_by(name: &str, help: bool, error: bool) -> Option<String> {
    let id = id_of(name);
    match (help, error) {
        (true, true) => Some(format!("{id}-error {id}-help")),
        (true, false) => Some(format!("{id}-help")),
        (false, true) => Some(format!("{id}-error")),
        (false, false) => None,
    }
}

/// The help under a field.
pub(crate) fn help(name: &str, text: String) -> AnyView {
    view! {
        <p id=format!("{}-help", id_of(name)) class="mt-[5px] text-xs text-ink-3">
            {text}
        </p>
    }
    .into_any()
}

/// The error under a field.
pub(crate) fn error(name: &str, message: AnyView) -> AnyView {
    view! {
        <p id=format!("{}-error", id_of(name)) class="mt-1.5 flex gap-1.5 text-xs text-deny">
            <span class="mt-0.5">{icon_in(Icon::Cross, "size-[13px]")}</span>
            <span class="min-w-0">{message}</span>
        </p>
    }
    .into_any()
}

/// One line of text of a small form.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) help: &'static str,
    pub(crate) error: Option<String>,
    pub(crate) required: bool,
}

impl Line {
    /// The field.
    pub(crate) fn view(self) -> AnyView {
        let name = self.name;
        let described = described_by(name, !self.help.is_empty(), self.error.is_some());
        view! {
            <div class="mb-4 max-w-[620px]">
                <label class=LABEL for=id_of(name)>
                    {self.label}
                </label>
                <input
                    class=INPUT
                    id=id_of(name)
                    name=name
                    type=self.kind
                    value=self.value
                    required=self.required
                    autocomplete="off"
                    aria-invalid=self.error.is_some().then_some("true")
                    aria-describedby=described
                />
                {self.error.map(|message| error(name, message.into_any()))}
                {(!self.help.is_empty()).then(|| help(name, self.help.to_owned()))}
            </div>
        }
        .into_any()
    }
}

/// Several lines of text of a small form.
pub(crate) fn area(
    name: &'static str,
    label: &'static str,
    value: String,
    help_text: &'static str,
    problem: Option<String>,
    required: bool,
) -> AnyView {
    let described = described_by(name, !help_text.is_empty(), problem.is_some());
    let area = TextArea {
        class: format!("{INPUT} resize-y"),
        id: id_of(name),
        name: name.to_owned(),
        value,
        placeholder: None,
        rows: 3,
        required,
        spellcheck: true,
        invalid: Signal::stored(problem.is_some()),
        described: Signal::stored(described),
    };
    view! {
        <div class="mb-4 max-w-[620px]">
            <label class=LABEL for=id_of(name)>
                {label}
            </label>
            {area.view()}
            {problem.map(|message| error(name, message.into_any()))}
            {(!help_text.is_empty()).then(|| help(name, help_text.to_owned()))}
        </div>
    }
    .into_any()
}

/// What went wrong with a form as a whole, and a link to each bad field.
pub(crate) fn summary(problem: Option<&Problem>, errors: &[FieldError]) -> AnyView {
    if problem.is_none() && errors.is_empty() {
        return ().into_any();
    }
    let title = problem.map_or_else(
        || "This cannot be sent yet".to_owned(),
        |problem| problem.title.clone(),
    );
    let detail = problem
        .filter(|problem| errors.is_empty() || problem.errors.is_empty())
        .map(|problem| problem.detail.clone());
    let links = errors
        .iter()
        .map(|error| {
            let message = error.message.clone();
            if error.field.is_empty() {
                return view! { <li>{message}</li> }.into_any();
            }
            view! {
                <li>
                    <a class="underline underline-offset-2" href=format!("#{}", id_of(&error.field))>
                        {message}
                    </a>
                </li>
            }
            .into_any()
        })
        .collect::<Vec<_>>();
    notice(
        Tone::Deny,
        title,
        view! {
            {detail.map(|text| view! { <p>{text}</p> })}
            {(!links.is_empty()).then(|| view! { <ul class="list-disc pl-5">{links}</ul> })}
        }
        .into_any(),
    )
}
