//! The application: contexts, the router with every page's address, and the frame around them.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::SsrMode;
use leptos_router::components::{FlatRoutes, Redirect, Route, Router};
use leptos_router::path;

use crate::components::frame::frame;
use crate::once::Once;
use crate::pages;
use crate::session::{Session, Waiting};

/// All pages; rendered on the server only. What needs script is an island: the request form, live pages, the queue's keyboard, forms that are sent once.
///
/// Every route is rendered with [`SsrMode::Async`]: the status code depends on the data, and a page must be whole without JavaScript.
/// Addresses such as `/requests/:id/:action` exist because a refused POST is answered with the page at the address that was posted to.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let session = Session::current();
    provide_context(Waiting::read(&session));
    provide_context(session);
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Slipway".to_owned() } else { format!("{title} · Slipway") }
        }/>
        <Router>
            <Framed/>
        </Router>
        <Once/>
    }
}

#[component]
fn Framed() -> impl IntoView {
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
                <Route path=path!("/projects/:name/:action") view=pages::projects::detail::page ssr=SsrMode::Async/>
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
