//! The WebAssembly entry: it hydrates the page that the server rendered, and does nothing else.
