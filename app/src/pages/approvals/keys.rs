//! The queue's keyboard: `j` and `k` move, `a` approves after asking once more, `r` and `c` lead to the comment. Only while the focus is in the queue, and
//! only until somebody switches it off; the choice stays in this browser.
//!
//! A key acts on the row that has the focus and on no other. Where the pane shows another request, the key opens the focused one first and says so: nobody
//! decides on a plan that they do not see.

#![expect(
    unreachable_pub,
    reason = "`#[island]` makes what it expands to public"
)]

use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, Storage};

use crate::components::button::{Look, classes};

/// In the browser's storage: the keys are switched off.
const OFF: &str = "slipway-queue-keys-off";
/// In the tab's storage: a key led to the page that loads now, and what it has to say.
const MOVED: &str = "slipway-queue-moved";
const SAYS: &str = "slipway-queue-says";
/// In the address after a decision that the server took: what the tab's storage says of it is true.
const DONE: &str = "done=1";

const ROW: &str = "[data-queue=row]";
const CURRENT: &str = "[data-queue=row][aria-current]";

/// What the keys do, the switch, and what a key did. Only shown where scripts run.
#[island]
pub(crate) fn Keys() -> impl IntoView {
    let off = RwSignal::new(false);
    let said = RwSignal::new(String::new());
    let asked = RwSignal::new(String::new());
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        off.set(is_off());
        if taken(MOVED).is_some() {
            focus(CURRENT);
            let done = location()
                .search()
                .is_ok_and(|search| search.contains(DONE));
            if let Some(text) = taken(SAYS)
                && (done || !text.starts_with("Approved"))
            {
                said.set(text);
            }
            if done {
                forget_done();
            }
        }
        // The queue's rows are exchanged while it is looked at; the document stays.
        let _ = window_event_listener(leptos::ev::keydown, move |event| {
            pressed(
                &event,
                &Way {
                    said,
                    asked,
                    dialog,
                },
            );
        });
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
                {key("c", "request changes")}
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
                "Keyboard shortcuts in the queue"
            </label>
            <p role="status" class="min-h-5 text-right text-ink-2" data-queue="said">
                {move || said.get()}
            </p>
            <dialog
                node_ref=dialog
                aria-labelledby="queue-asks"
                class="m-auto max-w-md rounded-card border border-line bg-surface p-4 text-sm text-ink"
                // Escape closes it, and the focus goes back to the row it came from.
                on:close=move |_| focus(CURRENT)
            >
                <p id="queue-asks" class="mb-3 font-[600] whitespace-pre-line">{move || asked.get()}</p>
                <div class="flex justify-end gap-2">
                    <button
                        type="button"
                        class=classes(Look::Plain)
                        on:click=move |_| {
                            if let Some(dialog) = dialog.get_untracked() {
                                dialog.close();
                            }
                        }
                    >
                        "Cancel"
                    </button>
                    <button type="button" autofocus class=classes(Look::Primary) on:click=move |_| approve_now()>
                        "Approve"
                    </button>
                </div>
            </dialog>
        </div>
    }
}

/// Where a key's answer goes.
struct Way {
    said: RwSignal<String>,
    asked: RwSignal<String>,
    dialog: NodeRef<Dialog>,
}

fn is_off() -> bool {
    window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(OFF).ok().flatten())
        .is_some()
}

/// A key went down; single keys count inside the queue, Ctrl and Enter in the comment that a single key led to.
fn pressed(event: &KeyboardEvent, way: &Way) {
    let Some(target) = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
    else {
        return;
    };
    if target.id() == "f-comment" {
        from_the_comment(event);
        return;
    }
    let in_queue = matches!(target.closest("#queue"), Ok(Some(_)));
    if !in_queue || event.ctrl_key() || event.alt_key() || event.meta_key() || is_off() {
        return;
    }
    let row = target
        .closest("tr")
        .ok()
        .flatten()
        .and_then(|line| line.query_selector(ROW).ok().flatten())
        .and_then(|row| row.dyn_into::<HtmlElement>().ok());
    match event.key().as_str() {
        "j" => step(row.as_ref(), 1),
        "k" => step(row.as_ref(), -1),
        "a" => on_row(row, way, "approve", approve),
        "r" => on_row(row, way, "reject", |row, way| {
            comment(row, way, "reject", "rejects")
        }),
        "c" => on_row(row, way, "request changes", |row, way| {
            comment(row, way, "request_changes", "requests changes of");
        }),
        _ => return,
    }
    event.prevent_default();
}

/// Lets a key act on the focused row, or opens that row where another is shown.
fn on_row(row: Option<HtmlElement>, way: &Way, does: &str, act: impl FnOnce(&HtmlElement, &Way)) {
    let Some(row) = row else {
        way.said
            .set("No request has the focus. Press j to move to one.".to_owned());
        return;
    };
    if shown(&row) {
        act(&row, way);
        return;
    }
    let key = does.chars().next().unwrap_or_default();
    keep(
        SAYS,
        &format!("Opened {}. Press {key} again to {does}.", name(&row)),
    );
    open(&row);
}

/// Whether the pane shows this row's request: then its decide form, if there is one, is this request's.
fn shown(row: &HtmlElement) -> bool {
    row.has_attribute("aria-current")
        && decide_form().is_none_or(|form| {
            form.get_attribute("data-request") == row.get_attribute("data-request")
        })
}

fn decide_form() -> Option<Element> {
    document().get_element_by_id("decide")
}

fn button(decision: &str) -> Option<HtmlElement> {
    decide_form()?
        .query_selector(&format!("button[value={decision}]"))
        .ok()
        .flatten()
        .and_then(|button| button.dyn_into().ok())
}

fn name(row: &HtmlElement) -> String {
    row.text_content().unwrap_or_default().trim().to_owned()
}

/// Selects the row after or before the focused one (or the selected one) and keeps the focus on it.
fn step(from: Option<&HtmlElement>, by: i32) {
    let all = rows();
    let at = all
        .iter()
        .position(|row| match from {
            Some(from) => row == from,
            None => row.has_attribute("aria-current"),
        })
        .and_then(|at| i32::try_from(at).ok())
        .unwrap_or(0);
    if let Some(row) = usize::try_from(at + by).ok().and_then(|to| all.get(to)) {
        open(row);
    }
}

fn rows() -> Vec<HtmlElement> {
    let Ok(rows) = document().query_selector_all(ROW) else {
        return Vec::new();
    };
    (0..rows.length())
        .filter_map(|at| rows.item(at)?.dyn_into().ok())
        .collect()
}

fn open(row: &HtmlElement) {
    keep(MOVED, "1");
    row.click();
}

/// Asks once more: the question names what is approved, and the focus goes to its button.
fn approve(row: &HtmlElement, way: &Way) {
    if button("approve").is_none() {
        let why = document()
            .get_element_by_id("why-not-approve")
            .and_then(|why| why.text_content())
            .unwrap_or_default();
        way.said
            .set(format!("{} cannot be approved. {why}", name(row)));
        return;
    }
    way.asked.set(format!("Approve {}?", name(row)));
    if let Some(dialog) = way.dialog.get_untracked() {
        let _ = dialog.show_modal();
    }
}

/// The question was answered with yes: the decision is sent, and leads on to the row after this one.
fn approve_now() {
    let (Some(form), Some(button)) = (decide_form(), button("approve")) else {
        return;
    };
    let all = rows();
    let at = all.iter().position(|row| row.has_attribute("aria-current"));
    let current = at.and_then(|at| all.get(at));
    let next = at.and_then(|at| all.get(at + 1).or_else(|| all.get(at.checked_sub(1)?)));
    if let Some(input) = form
        .query_selector("input[name=next]")
        .ok()
        .flatten()
        .and_then(|input| input.dyn_into::<HtmlInputElement>().ok())
    {
        let to = next
            .and_then(|row| row.get_attribute("href"))
            .unwrap_or_else(|| input.value());
        let joint = if to.contains('?') { '&' } else { '?' };
        input.set_value(&format!("{to}{joint}{DONE}"));
    }
    keep(MOVED, "1");
    keep(
        SAYS,
        &format!("Approved {}.", current.map(name).unwrap_or_default()),
    );
    button.click();
}

/// Leads to the comment; Ctrl and Enter then send the decision that the key was for.
fn comment(row: &HtmlElement, way: &Way, decision: &str, does: &str) {
    let Some(form) = decide_form() else {
        way.said.set(format!("{} cannot be decided.", name(row)));
        return;
    };
    let _ = form.set_attribute("data-key", decision);
    way.said.set(format!(
        "Say why. Ctrl+Enter {does} {}; Escape leads back.",
        name(row)
    ));
    focus("#f-comment");
}

fn from_the_comment(event: &KeyboardEvent) {
    let wished = decide_form().and_then(|form| form.get_attribute("data-key"));
    match (event.key().as_str(), wished) {
        ("Enter", Some(decision)) if event.ctrl_key() || event.meta_key() => {
            event.prevent_default();
            keep(MOVED, "1");
            if let Some(button) = button(&decision) {
                button.click();
            }
        }
        ("Escape", Some(_)) => focus(CURRENT),
        _ => {}
    }
}

fn tab_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn keep(what: &str, text: &str) {
    if let Some(storage) = tab_storage() {
        let _ = storage.set_item(what, text);
    }
}

/// Reads what was kept, once.
fn taken(what: &str) -> Option<String> {
    let storage = tab_storage()?;
    let text = storage.get_item(what).ok().flatten()?;
    let _ = storage.remove_item(what);
    Some(text)
}

/// Takes the mark of a decision out of the address: a reload must not tell it again.
fn forget_done() {
    let (Ok(path), Ok(search)) = (location().pathname(), location().search()) else {
        return;
    };
    let rest: Vec<&str> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|part| *part != DONE)
        .collect();
    let address = format!("{path}?{}", rest.join("&"));
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
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
