//! The few places where the form touches the browser's elements directly: reading what was typed, writing what a remedy or a reload changed.

use js_sys::Reflect;
use leptos::prelude::*;
use types::request::RequestDraft;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, HtmlElement, HtmlInputElement, SubmitEvent};

use crate::components::field::id_of;
use crate::forms::get;

/// Name and value of the field that an event is about.
pub(super) fn value_of(event: &Event) -> Option<(String, String)> {
    let target: JsValue = event.target()?.into();
    field(&target)
}

/// The value of the button that submitted.
pub(super) fn submitter_value(event: &SubmitEvent) -> Option<String> {
    let button: JsValue = event.submitter()?.into();
    text(&button, "value")
}

/// All fields of a form with what they hold, unchecked choices left out.
pub(super) fn values(form: &str) -> Vec<(String, String)> {
    elements(form).iter().filter_map(field).collect()
}

/// Writes one value into its field, whichever kind of field it is.
pub(super) fn write(name: &str, value: &str) {
    for element in elements("request-form") {
        if text(&element, "name").as_deref() == Some(name) {
            put(&element, value);
        }
    }
}

/// Writes a whole draft into the fields: choices were exchanged under them.
pub(super) fn write_all(form: &str, draft: &RequestDraft) {
    for element in elements(form) {
        let Some(name) = text(&element, "name") else {
            continue;
        };
        let ours = !matches!(
            name.as_str(),
            "" | "submission" | "version" | "shapes" | "action" | "fix" | "expiry_date"
        );
        // The field that is being typed in is ahead of the draft. A choice never is: and a radio left out would stay off when another of its group was put on.
        let chosen = matches!(
            text(&element, "type").as_deref(),
            Some("radio" | "checkbox")
        );
        let active = document()
            .active_element()
            .is_some_and(|active| JsValue::from(active) == element);
        if ours && (chosen || !active) {
            put(&element, &get(draft, &name));
        }
    }
}

/// Moves the focus to the first field that complains.
pub(super) fn focus_first_bad() {
    if let Ok(Some(bad)) =
        document().query_selector("#request-form [aria-invalid=true], #request-form [data-bad]")
        && let Some(bad) = bad.dyn_ref::<HtmlElement>()
    {
        let _ = bad.focus();
    }
}

/// Moves the focus to a field by its name.
pub(super) fn focus(name: &str) {
    if let Some(element) = document()
        .get_element_by_id(&id_of(name))
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}

fn elements(form: &str) -> Vec<JsValue> {
    let Some(form) = document().get_element_by_id(form) else {
        return vec![];
    };
    let Ok(elements) = Reflect::get(&form, &"elements".into()) else {
        return vec![];
    };
    js_sys::Array::from(&elements).to_vec()
}

fn field(element: &JsValue) -> Option<(String, String)> {
    let name = text(element, "name")?;
    let kind = text(element, "type").unwrap_or_default();
    if name.is_empty() || matches!(kind.as_str(), "submit" | "hidden" | "button") {
        return None;
    }
    let input = element.dyn_ref::<HtmlInputElement>();
    match (kind.as_str(), input) {
        ("checkbox", Some(input)) => Some((name, input.checked().to_string())),
        ("radio", Some(input)) if !input.checked() => None,
        _ => Some((name, text(element, "value")?)),
    }
}

fn put(element: &JsValue, value: &str) {
    let kind = text(element, "type").unwrap_or_default();
    match (kind.as_str(), element.dyn_ref::<HtmlInputElement>()) {
        ("hidden" | "submit" | "button", _) => {}
        ("checkbox", Some(input)) => input.set_checked(value == "true"),
        ("radio", Some(input)) => input.set_checked(input.value() == value),
        _ => {
            if text(element, "value").as_deref() != Some(value) {
                let _ = Reflect::set(element, &"value".into(), &value.into());
            }
        }
    }
}

fn text(element: &JsValue, property: &str) -> Option<String> {
    Reflect::get(element, &property.into()).ok()?.as_string()
}
