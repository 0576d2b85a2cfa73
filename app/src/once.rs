//! Forms are sent once: a second press while a form is on its way does nothing.

#![expect(
    unreachable_pub,
    reason = "`#[island]` makes what it expands to public"
)]

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

const SENT: &str = "data-sent";

/// Watches all forms of the page. A page that comes back from history may send again.
#[island]
pub(crate) fn Once() -> impl IntoView {
    Effect::new(|_| {
        // Both live as long as the document.
        let _ = window_event_listener(leptos::ev::submit, |event| {
            let form = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            if let (Some(form), false) = (form, event.default_prevented()) {
                if form.has_attribute(SENT) {
                    event.prevent_default();
                } else {
                    let _ = form.set_attribute(SENT, "");
                }
            }
        });
        let _ = window_event_listener_untyped("pageshow", |_| {
            let Ok(forms) = document().query_selector_all("form[data-sent]") else {
                return;
            };
            for at in 0..forms.length() {
                if let Some(form) = forms
                    .item(at)
                    .and_then(|form| form.dyn_into::<Element>().ok())
                {
                    let _ = form.remove_attribute(SENT);
                }
            }
        });
    });
}
