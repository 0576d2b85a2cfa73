//! The WebAssembly entry: it hydrates the page that the server rendered, and does nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's module script once the WebAssembly is there.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::App);
}
