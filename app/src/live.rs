//! Live pages: an event stream says that something changed, the page is fetched again, and its regions take over what is new. Events are never trusted for
//! what they say, and the browser carries no code that lays out a page.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_location;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, DomParser, Element, Event, EventSource, Headers, HtmlElement, HtmlInputElement,
    RequestInit, Response, SupportedType,
};

/// How often the page is fetched although no event came: a proxy may swallow the stream.
const POLL: Duration = Duration::from_secs(10);
/// Events come in bursts; one fetch answers a burst.
const SETTLE: Duration = Duration::from_millis(150);
/// The element that a page carries as long as something may change on it; also where changes are told to screen readers.
const MARK: &str = "live";

/// Keeps the page's regions up to date while the stream at `url` speaks. Stands outside of all regions.
pub(crate) fn live(url: Option<String>) -> Option<AnyView> {
    live_every(url, Duration::ZERO)
}

/// As [`live`], for a page that costs much to make: it is fetched at most once per `rest`.
/// An event that comes after a rest is answered at once.
pub(crate) fn live_every(url: Option<String>, rest: Duration) -> Option<AnyView> {
    let page = use_location();
    url.map(|url| {
        let page = format!(
            "{}{}",
            page.pathname.get_untracked(),
            page.search.with_untracked(|search| if search.is_empty() {
                String::new()
            } else {
                format!("?{search}")
            })
        );
        let rest = u32::try_from(rest.as_millis()).unwrap_or(u32::MAX);
        view! { <Live url page rest/> }.into_any()
    })
}

/// A part of a page that takes over its next state. Its name is unique on the page; nothing interactive but links, forms and folds stands in it.
pub(crate) fn region(name: &'static str, content: impl IntoAny) -> AnyView {
    view! {
        <div class="contents" data-live=name>
            {content.into_any()}
        </div>
    }
    .into_any()
}

/// Words that are spoken when they change, such as a state.
pub(crate) fn said(content: AnyView) -> AnyView {
    view! {
        <span class="contents" data-says="">
            {content}
        </span>
    }
    .into_any()
}

/// Without JavaScript a page that runs loads itself again every three seconds.
pub(crate) fn refresh_without_script(running: bool) -> Option<AnyView> {
    running.then(crate::components::escaped::refresh)
}

/// `page` is the address of what is shown. The browser's own may be another one: a refused form is answered with a page, at the form's address.
/// `rest` are the milliseconds between two fetches at least.
#[island]
fn Live(url: String, page: String, rest: u32) -> impl IntoView {
    Effect::new(move |_| Following::start(&url, page.clone(), rest));
    view! { <p class="sr-only" role="status" id=MARK></p> }
}

/// One page that is followed, until the server's page says that nothing moves any more.
struct Following {
    page: String,
    rest: Duration,
    /// When the last fetch began, in the milliseconds of the browser's clock.
    fetched: Cell<f64>,
    stream: Option<EventSource>,
    poll: Cell<Option<IntervalHandle>>,
    /// True from an event until its fetch has been answered.
    busy: Cell<bool>,
    /// An event came while a fetch was under way: its answer may be too old.
    again: Cell<bool>,
}

impl Following {
    fn start(url: &str, page: String, rest: u32) {
        let this = Rc::new(Self {
            page,
            rest: Duration::from_millis(rest.into()),
            fetched: Cell::new(0.0),
            stream: EventSource::new(url).ok(),
            poll: Cell::new(None),
            busy: Cell::new(false),
            again: Cell::new(false),
        });
        if let Some(stream) = &this.stream {
            let this = Rc::clone(&this);
            let woken = Closure::<dyn FnMut(Event)>::new(move |_| this.soon());
            stream.set_onmessage(Some(woken.as_ref().unchecked_ref()));
            // Both are kept as long as the document, as the stream is.
            woken.forget();
        }
        if let Some(stream) = this.stream.clone() {
            let this = Rc::clone(&this);
            // A stream that ends is opened again by the browser, unless the server refuses: then the page says why.
            let refused = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
                let refused = event
                    .target()
                    .and_then(|target| target.dyn_into::<EventSource>().ok())
                    .is_some_and(|stream| stream.ready_state() == EventSource::CLOSED);
                if refused {
                    this.soon();
                }
            });
            stream.set_onerror(Some(refused.as_ref().unchecked_ref()));
            refused.forget();
        }
        let poll = {
            let this = Rc::clone(&this);
            set_interval_with_handle(move || this.soon(), POLL).ok()
        };
        this.poll.set(poll);
    }

    fn soon(self: &Rc<Self>) {
        if self.busy.replace(true) {
            self.again.set(true);
            return;
        }
        let since = (js_sys::Date::now() - self.fetched.get()).max(0.0);
        let wait = self
            .rest
            .saturating_sub(Duration::try_from_secs_f64(since / 1000.0).unwrap_or(Duration::MAX));
        let this = Rc::clone(self);
        set_timeout(move || spawn_local(this.catch_up()), wait.max(SETTLE));
    }

    async fn catch_up(self: Rc<Self>) {
        self.again.set(false);
        self.fetched.set(js_sys::Date::now());
        let page = fetch(&self.page).await;
        self.busy.set(false);
        // A server that did not answer is asked again at the next event or poll.
        let Ok(page) = page else { return };
        let Some(page) = page else {
            self.leave();
            return;
        };
        take_over(&page, &self.page);
        if page.get_element_by_id(MARK).is_none() {
            self.end();
        } else if self.again.get() {
            self.soon();
        }
    }

    /// The reader is signed out or may not read this page any more: loaded once, it says so. What somebody is writing stays.
    fn leave(&self) {
        self.end();
        if !regions(&document()).iter().any(is_being_filled) {
            let _ = window().location().replace(&self.page);
        }
    }

    fn end(&self) {
        if let Some(stream) = &self.stream {
            stream.close();
        }
        if let Some(poll) = self.poll.take() {
            poll.clear();
        }
    }
}

/// The page at `address`, as the server would show it now; `None` where it leads to signing in, or is not the reader's to see.
async fn fetch(address: &str) -> Result<Option<Document>, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "text/html")?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    let answer = JsFuture::from(window().fetch_with_str_and_init(address, &init)).await?;
    let answer: Response = answer.dyn_into()?;
    if answer.redirected() || matches!(answer.status(), 401 | 403 | 404) {
        return Ok(None);
    }
    if !answer.ok() {
        return Err(JsValue::NULL);
    }
    let text = JsFuture::from(answer.text()?).await?;
    let page = DomParser::new()?.parse_from_string(
        &text.as_string().unwrap_or_default(),
        SupportedType::TextHtml,
    )?;
    Ok(Some(page))
}

/// Brings every region to its state in `page`. A page that has other regions now is loaded anew, unless somebody is writing in this one.
fn take_over(page: &Document, address: &str) {
    let said = spoken(&document());
    let (old, new) = (regions(&document()), regions(page));
    let names = |regions: &[Element]| regions.iter().map(name).collect::<Vec<_>>();
    if names(&old) == names(&new) {
        for (old, new) in old.iter().zip(&new) {
            exchange(old, new);
        }
    } else if !old.iter().any(is_being_filled) {
        let _ = window().location().replace(address);
        return;
    }
    let now = spoken(page);
    if let (true, Some(mark)) = (now != said, document().get_element_by_id(MARK)) {
        mark.set_text_content(now.as_deref());
    }
}

/// Replaces one region where it differs, keeping open folds and the focus; a region that somebody writes in is left alone.
fn exchange(old: &Element, new: &Element) {
    let folds = (all(old, "details"), all(new, "details"));
    for (old, new) in folds.0.iter().zip(&folds.1) {
        let _ = new.toggle_attribute_with_force("open", old.has_attribute("open"));
    }
    if old.inner_html() == new.inner_html() || is_being_filled(old) {
        return;
    }
    let focused = document()
        .active_element()
        .filter(|active| old.contains(Some(active)));
    let next = match &focused {
        None => None,
        Some(focused) => match all(new, FOCUSABLE)
            .into_iter()
            .find(|candidate| is_like(candidate, focused))
        {
            // What has the focus is gone in the new state: it is taken from nobody.
            None => return,
            found => found,
        },
    };
    let _ = old.replace_with_with_node_1(new);
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}

const FOCUSABLE: &str = "a, button, summary, [tabindex]";

fn is_like(one: &Element, other: &Element) -> bool {
    one.tag_name() == other.tag_name()
        && one.get_attribute("href") == other.get_attribute("href")
        && one.text_content() == other.text_content()
}

/// Whether a field in the region has the focus, or holds what the server did not put there.
fn is_being_filled(region: &Element) -> bool {
    let active = document().active_element();
    all(region, "input, textarea, select")
        .into_iter()
        .any(|field| {
            if active.as_ref() == Some(&field) {
                return true;
            }
            match field.dyn_ref::<HtmlInputElement>() {
                Some(input) => match input.type_().as_str() {
                    "hidden" | "submit" | "button" => false,
                    "checkbox" | "radio" => input.checked() != input.default_checked(),
                    _ => !input.value().is_empty(),
                },
                None => {
                    field.tag_name() == "TEXTAREA"
                        && js_sys::Reflect::get(&field, &"value".into())
                            .is_ok_and(|text| text.as_string().is_some_and(|text| !text.is_empty()))
                }
            }
        })
}

fn regions(page: &Document) -> Vec<Element> {
    page.document_element()
        .map(|root| all(&root, "[data-live]"))
        .unwrap_or_default()
}

fn name(region: &Element) -> Option<String> {
    region.get_attribute("data-live")
}

fn spoken(page: &Document) -> Option<String> {
    page.query_selector("[data-says]")
        .ok()
        .flatten()?
        .text_content()
}

fn all(within: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = within.query_selector_all(selector) else {
        return vec![];
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect()
}
