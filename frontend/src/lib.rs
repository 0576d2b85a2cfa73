//! The WebAssembly entry: it exports the islands of `app`, and does nothing else.

// Each island is a function of its own that the page's script calls; they come along with the crate.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's module script once the WebAssembly is there, before the islands.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
