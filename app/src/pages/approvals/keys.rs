//! The queue's keyboard: `j` and `k` move, `a` approves after asking once more, `r` and `c` lead to the comment. Only while the focus is in the queue, and
//! only until somebody switches it off; the choice stays in this browser.

#![expect(
    unreachable_pub,
    reason = "`#[island]` makes what it expands to public"
)]

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

const OFF: &str = "slipway-queue-keys-off";
const CURRENT: &str = "[data-queue=row][aria-current]";

/// Remembers over the next page load that a key led there, so that the focus goes on from the same row.
const MOVED: &str = "slipway-queue-moved";

/// What the keys do, and the switch. Only shown where scripts run.
#[island]
pub(crate) fn Keys() -> impl IntoView {
    let off = RwSignal::new(false);
    Effect::new(move |_| {
        off.set(is_off());
        if let Ok(Some(storage)) = window().session_storage()
            && let Ok(Some(_)) = storage.get_item(MOVED)
        {
            let _ = storage.remove_item(MOVED);
            focus(CURRENT);
        }
        // The queue's rows are exchanged while it is looked at; the document stays.
        let _ = window_event_listener(leptos::ev::keydown, |event| pressed(&event));
    });
    let key = |key: &'static str, does: &'static str| {
        view! {
            <span class="whitespace-nowrap">
                <kbd class="rounded border border-b-2 border-line-2 bg-surface px-[5px] text-[11px] font-[600] text-ink-2">
                    {key}
                </kbd>
                " "
                {does}
            </span>
        }
    };
    view! {
        <div class="scripted text-xs text-ink-3 max-md:hidden">
            <div class="flex flex-wrap justify-end gap-x-3 gap-y-1" class:opacity-40=move || off.get()>
                {key("j", "next")} {key("k", "previous")} {key("a", "approve")} {key("r", "reject")}
                {key("c", "comment")}
            </div>
            <label class="flex min-h-6 items-center justify-end gap-1.5">
                <input
                    class="accent-accent"
                    type="checkbox"
                    prop:checked=move || !off.get()
                    on:change=move |_| {
                        let now_off = !off.get_untracked();
                        if let Ok(Some(storage)) = window().local_storage() {
                            let _ = if now_off { storage.set_item(OFF, "1") } else { storage.remove_item(OFF) };
                        }
                        off.set(now_off);
                    }
                />
                "Single keys, while the queue has the focus"
            </label>
        </div>
    }
}

fn is_off() -> bool {
    window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(OFF).ok().flatten())
        .is_some()
}

/// A key went down; it counts inside the queue.
fn pressed(event: &KeyboardEvent) {
    let in_queue = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|target| matches!(target.closest("#queue"), Ok(Some(_))));
    if !in_queue || event.ctrl_key() || event.alt_key() || event.meta_key() || is_off() {
        return;
    }
    match event.key().as_str() {
        "j" => step(1),
        "k" => step(-1),
        "a" => approve(),
        "r" | "c" => focus("#f-comment"),
        _ => return,
    }
    event.prevent_default();
}

/// Selects the row after or before the current one and keeps the focus on it.
fn step(by: i32) {
    let Ok(rows) = document().query_selector_all("[data-queue=row]") else {
        return;
    };
    let all: Vec<HtmlElement> = (0..rows.length())
        .filter_map(|at| rows.item(at)?.dyn_into().ok())
        .collect();
    let at = all
        .iter()
        .position(|row| row.has_attribute("aria-current"))
        .and_then(|at| i32::try_from(at).ok())
        .unwrap_or(0);
    let to = usize::try_from(at + by).unwrap_or(0);
    if let Some(row) = all.get(to) {
        if let Ok(Some(storage)) = window().session_storage() {
            let _ = storage.set_item(MOVED, "1");
        }
        row.click();
    }
}

/// Asks once more: the confirmation names what is approved, and the focus goes to its button.
fn approve() {
    let Some(form) = document().get_element_by_id("decide") else {
        return;
    };
    let Ok(Some(button)) = form.query_selector("button[value=approve]") else {
        return;
    };
    let what = document()
        .query_selector(CURRENT)
        .ok()
        .flatten()
        .and_then(|row| row.text_content())
        .unwrap_or_default();
    let sure = window()
        .confirm_with_message(&format!("Approve: {}?", what.trim()))
        .unwrap_or(false);
    if let (true, Ok(button)) = (sure, button.dyn_into::<HtmlElement>()) {
        button.click();
    }
}

fn focus(selector: &str) {
    if let Some(element) = document()
        .query_selector(selector)
        .ok()
        .flatten()
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}
