//! The document around the application, rendered on the server only: head, hashed assets, the script that starts the WebAssembly.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos::reactive::owner::Owner;
use leptos_meta::MetaTags;

use crate::root::App;

/// Paths of the built assets, as the browser asks for them; `server` knows them (their names carry hashes) and puts them in context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    /// The style sheet, such as `/pkg/slipway.3f9c1a.css`.
    pub css: String,
    /// The JavaScript that loads the WebAssembly.
    pub js: String,
    /// The WebAssembly.
    pub wasm: String,
}

/// The whole HTML document. Without [`Assets`] in context the page is plain but works.
pub fn shell() -> impl IntoView {
    // Only islands are taken over by the browser: what pages read is not sent along a second time.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    // Hashed names come from `Assets`; leptos' own lookup would read a file on every render.
    let assets = use_context::<Assets>();
    let nonce = use_nonce();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f7f8f9"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0d1214"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {assets
                    .map(|Assets { css, js, wasm }| {
                        // Both paths come from the build; as JSON strings they cannot leave the script.
                        let start = format!(
                            "const m = await import({}); await m.default({{module_or_path: {}}}); {ISLANDS}",
                            json(&js),
                            json(&wasm),
                        );
                        view! {
                            <link rel="stylesheet" href=css/>
                            <link rel="modulepreload" href=js nonce=nonce.clone()/>
                            <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                            <script type="module" nonce=nonce>
                                {start}
                            </script>
                        }
                    })}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Wakes the islands. The mark on the root tells the style sheet that scripts run: what is for pages without them goes.
const ISLANDS: &str = r#"m.hydrate(); for (const island of document.querySelectorAll("leptos-island")) m[island.dataset.component](island); document.documentElement.dataset.ready = "1";"#;

fn json(path: &str) -> String {
    serde_json::to_string(path)
        .unwrap_or_else(|_| "\"\"".to_owned())
        .replace('<', "\\u003c")
}
