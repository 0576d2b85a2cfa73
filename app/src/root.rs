//! The application: contexts, the router with every page's address, and the frame around them.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Redirect, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::path;
use wasm_bindgen::JsCast;

use crate::components::frame::frame;
use crate::forms::Submitted;
use crate::pages;
use crate::session::Session;

/// All pages. Every route is rendered with [`SsrMode::Async`]: the status code depends on the data, and a page must be whole without JavaScript.
///
/// Addresses such as `/requests/:id/:action` exist because a refused POST is answered with the page at the address that was posted to.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Session::share());
    let submitted = RwSignal::new(Submitted::share());
    provide_context(submitted);
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Slipway".to_owned() } else { format!("{title} · Slipway") }
        }/>
        <Router>
            <Framed submitted/>
        </Router>
    }
}

#[component]
fn Framed(submitted: RwSignal<Option<Submitted>>) -> impl IntoView {
    let path = use_location().pathname;
    // A refused form belongs to the page that the server sent. After going elsewhere it is history, and the reading position is the new page's.
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            submitted.set(None);
            if let Some(main) = document().get_element_by_id("main") {
                if let Some(main) = main.dyn_ref::<web_sys::HtmlElement>() {
                    let _ = main.focus();
                }
            }
        }
        now
    });
    // Says to the style sheet that scripts run: what is for pages without them goes.
    Effect::new(move |_| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-ready", "1");
        }
    });
    send_forms_once();
    frame(
        view! {
            <FlatRoutes fallback=pages::errors::not_found>
                <Route path=path!("/") view=|| view! { <Redirect path="/catalogue"/> } ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=pages::sign_in::page ssr=SsrMode::Async/>
                <Route path=path!("/catalogue") view=pages::catalogue::list::page ssr=SsrMode::Async/>
                <Route path=path!("/catalogue/:name") view=pages::catalogue::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/catalogue/:name/request") view=pages::form::create ssr=SsrMode::Async/>
                <Route path=path!("/requests") view=pages::requests::list::page ssr=SsrMode::Async/>
                <Route path=path!("/requests/:id") view=pages::requests::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/requests/:id/edit") view=pages::form::edit ssr=SsrMode::Async/>
                <Route path=path!("/requests/:id/:action") view=pages::requests::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/approvals") view=pages::approvals::queue::page ssr=SsrMode::Async/>
                <Route path=path!("/stacks") view=pages::stacks::list::page ssr=SsrMode::Async/>
                <Route path=path!("/stacks/:id") view=pages::stacks::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/stacks/:id/delete") view=pages::stacks::delete::page ssr=SsrMode::Async/>
                <Route path=path!("/stacks/:id/extend") view=pages::stacks::extend::page ssr=SsrMode::Async/>
                <Route path=path!("/stacks/:id/:action") view=pages::stacks::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/operations/:id") view=pages::operations::page ssr=SsrMode::Async/>
                <Route path=path!("/operations/:id/:action") view=pages::operations::page ssr=SsrMode::Async/>
                <Route path=path!("/audit") view=pages::audit::page ssr=SsrMode::Async/>
                <Route path=path!("/policies") view=pages::policies::page ssr=SsrMode::Async/>
                <Route path=path!("/projects") view=pages::projects::list::page ssr=SsrMode::Async/>
                <Route path=path!("/projects/:name") view=pages::projects::detail::page ssr=SsrMode::Async/>
                <Route path=path!("/me") view=pages::me::page ssr=SsrMode::Async/>
                <Route path=path!("/me/tokens") view=pages::me::page ssr=SsrMode::Async/>
                <Route path=path!("/me/tokens/:id/revoke") view=pages::me::page ssr=SsrMode::Async/>
                <Route path=path!("/docs") view=pages::docs::problems ssr=SsrMode::Async/>
                <Route path=path!("/docs/problems") view=pages::docs::problems ssr=SsrMode::Async/>
                <Route path=path!("/docs/rest") view=pages::docs::rest ssr=SsrMode::Async/>
            </FlatRoutes>
        }
        .into_any(),
    )
}

/// A second press while a form is on its way does nothing. A page that comes back from history may send again.
fn send_forms_once() {
    const SENT: &str = "data-sent";
    Effect::new(move |_| {
        let submit = window_event_listener(leptos::ev::submit, |event| {
            let form = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            if let (Some(form), false) = (form, event.default_prevented()) {
                if form.has_attribute(SENT) {
                    event.prevent_default();
                } else {
                    let _ = form.set_attribute(SENT, "");
                }
            }
        });
        let back = window_event_listener_untyped("pageshow", |_| {
            let Ok(forms) = document().query_selector_all("form[data-sent]") else {
                return;
            };
            for at in 0..forms.length() {
                if let Some(form) = forms
                    .item(at)
                    .and_then(|form| form.dyn_into::<web_sys::Element>().ok())
                {
                    let _ = form.remove_attribute(SENT);
                }
            }
        });
        on_cleanup(move || {
            submit.remove();
            back.remove();
        });
    });
}
