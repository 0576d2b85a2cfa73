//! The fields: one control per kind, native elements only, so that they work everywhere and post themselves.

use leptos::prelude::*;
use types::form::{Control, Field, Section};
use types::policy::Fix;

use super::choices::{segmented, select, sizes};
use super::state::State;
use crate::components::escaped::TextArea;
use crate::components::field::{INPUT, LABEL, described_by, error, help, id_of};
use crate::forms::{get, typed};

/// All fieldsets; exchanged when project, tier or region change.
pub(super) fn sections(state: State) -> AnyView {
    let sections = move || {
        state.form.with(|form| {
            form.sections
                .iter()
                .map(|section| fieldset(state, section))
                .collect::<Vec<_>>()
        })
    };
    sections.into_any()
}

fn fieldset(state: State, section: &Section) -> AnyView {
    let fields = section
        .fields
        .iter()
        .map(|field| self::field(state, field))
        .collect::<Vec<_>>();
    view! {
        <fieldset class="mb-[22px] border-b border-line pb-1.5">
            <legend class="mb-3 text-[15px] font-[640]">{section.title.clone()}</legend>
            <div class="grid max-w-[640px] grid-cols-1 gap-x-3.5 xs:grid-cols-2">{fields}</div>
        </fieldset>
    }
    .into_any()
}

fn field(state: State, field: &Field) -> AnyView {
    let name = field.name.clone();
    let shown = {
        let field = field.clone();
        move || !state.shows(&field)
    };
    let wide = matches!(
        field.control,
        Control::TextArea { .. }
            | Control::Sizes { .. }
            | Control::SshPublicKey
            | Control::Tags
            | Control::Checkbox
    );
    let class = if wide {
        "mb-4 min-w-0 xs:col-span-2"
    } else {
        "mb-4 min-w-0"
    };
    let complaint = Memo::new({
        let name = name.clone();
        move |_| state.complaint(&name)
    });
    let bad = Signal::derive(move || complaint.with(Option::is_some));
    let with_help = field.help.is_some() || matches!(field.control, Control::Tags);
    let described = Signal::derive({
        let name = name.clone();
        move || described_by(&name, with_help, bad.get())
    });
    let value = state.draft.with_untracked(|draft| get(draft, &name));
    let help_text = field.help.clone().or_else(|| {
        matches!(field.control, Control::Tags)
            .then(|| "One per line, name=value. The project's own tags are added.".to_owned())
    });
    let has_default = field
        .default
        .as_ref()
        .is_some_and(|default| !typed(default).is_empty());
    // A choice always holds something; only where nothing may be typed does the label say so.
    let typed = matches!(
        field.control,
        Control::Text { .. }
            | Control::TextArea { .. }
            | Control::Number { .. }
            | Control::SshPublicKey
            | Control::Tags
    );
    let hint = (typed && !field.required && !has_default)
        .then(|| view! { <span class="font-[400] text-ink-3">" (optional)"</span> });
    let grouped = matches!(
        field.control,
        Control::Segmented { .. } | Control::Sizes { .. }
    );
    let Input { view, label_for } = input(field, value, bad, described);
    let label = field.label.clone();
    let trouble = {
        let name = name.clone();
        move || {
            complaint
                .get()
                .map(|(message, fix)| error(&name, said(state, message, fix)))
        }
    };
    let after = view! { {trouble} {help_text.map(|text| help(&name, text))} };
    if grouped {
        view! {
            <div
                class=class
                hidden=shown
                role="radiogroup"
                id=id_of(&name)
                tabindex="-1"
                aria-labelledby=format!("{}-label", id_of(&name))
                aria-describedby=move || described.get()
                data-bad=move || bad.get().then_some("")
            >
                <span class=LABEL id=format!("{}-label", id_of(&name))>
                    {label}
                    {hint}
                </span>
                {view}
                {after}
            </div>
        }
        .into_any()
    } else if matches!(field.control, Control::Checkbox) {
        view! {
            <div class=class hidden=shown>
                {view}
                {after}
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class=class hidden=shown>
                <label class=LABEL for=label_for>
                    {label}
                    {hint}
                </label>
                {view}
                {after}
            </div>
        }
        .into_any()
    }
}

/// A message with its remedy, if one press is enough.
fn said(state: State, message: String, fix: Option<Fix>) -> AnyView {
    view! { {message} " " {fix.map(|fix| remedy(state, fix))} }.into_any()
}

/// A remedy: a button that changes the field. Without JavaScript it posts the form with the change, and the page comes back with it.
pub(super) fn remedy(state: State, fix: Fix) -> AnyView {
    let (Some(field), Some(value)) = (fix.field.clone(), fix.value.clone()) else {
        return view! { <span class="text-ink-2">{fix.text}</span> }.into_any();
    };
    let posted = format!("{field}={}", typed(&value));
    let words = fix.text.clone();
    view! {
        <button
            type="submit"
            name="fix"
            value=posted
            class="inline-block min-h-6 text-left font-[580] text-accent underline underline-offset-2"
            on:click=move |event| {
                event.prevent_default();
                state.mend(&fix);
            }
        >
            {words}
        </button>
    }
    .into_any()
}

struct Input {
    view: AnyView,
    label_for: String,
}

fn input(
    field: &Field,
    value: String,
    bad: Signal<bool>,
    described: Signal<Option<String>>,
) -> Input {
    let name = field.name.clone();
    let id = id_of(&name);
    let required = field.required;
    let invalid = move || bad.get().then_some("true");
    let area = |rows, monospace, placeholder| {
        TextArea {
            class: if monospace {
                format!("{INPUT} resize-y font-mono text-xs")
            } else {
                format!("{INPUT} resize-y")
            },
            id: id.clone(),
            name: name.clone(),
            value: value.clone(),
            placeholder,
            rows,
            required,
            spellcheck: !monospace,
            invalid: bad,
            described,
        }
        .view()
    };
    let described = move || described.get();
    let view = match &field.control {
        Control::Text { placeholder, .. } => view! {
            <input
                class=INPUT
                type="text"
                id=id.clone()
                name=name
                value=value
                placeholder=placeholder.clone()
                required=required
                spellcheck="false"
                autocapitalize="off"
                aria-invalid=invalid
                aria-describedby=described
            />
        }
        .into_any(),
        Control::TextArea {
            rows,
            monospace,
            placeholder,
            ..
        } => area(*rows, *monospace, placeholder.clone()),
        Control::SshPublicKey => area(3, true, None),
        Control::Tags => area(3, true, None),
        Control::Number { min, max } => {
            let unit = field.unit.clone();
            view! {
                <span class="flex items-center gap-2">
                    <input
                        class=INPUT
                        type="number"
                        inputmode="numeric"
                        step="1"
                        id=id.clone()
                        name=name
                        value=value
                        min=min.map(|n| n.to_string())
                        max=max.map(|n| n.to_string())
                        required=required
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                    {unit.map(|unit| view! { <span class="text-ink-3">{unit}</span> })}
                </span>
            }
            .into_any()
        }
        Control::Checkbox => {
            let label = field.label.clone();
            let checked = value == "true";
            view! {
                <input type="hidden" name=name.clone() value="false"/>
                <label class="flex min-h-6 items-start gap-2 font-[560]" for=id.clone()>
                    <input
                        class="mt-[3px] size-4 flex-none accent-accent"
                        type="checkbox"
                        id=id.clone()
                        name=name
                        value="true"
                        checked=checked
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                    {label}
                </label>
            }
            .into_any()
        }
        Control::Select { choices } => {
            select(name, id.clone(), &value, choices, required, bad, described)
        }
        Control::Expiry { choices } => {
            let is_choice = choices.iter().any(|choice| choice.value == value);
            let date = if is_choice {
                String::new()
            } else {
                value.clone()
            };
            view! {
                {select(name, id.clone(), &value, choices, required, bad, described)}
                <label class="mt-1.5 flex items-center gap-2 text-xs whitespace-nowrap text-ink-3">
                    "or until"
                    <input class=INPUT type="date" name="expiry_date" value=date/>
                </label>
            }
            .into_any()
        }
        Control::Segmented { choices } => segmented(&name, &value, choices),
        Control::Sizes { offered, more } => sizes(&name, &value, offered, more),
    };
    Input {
        view,
        label_for: id,
    }
}
