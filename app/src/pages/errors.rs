//! The page for an address that is no page.

use leptos::prelude::*;

use crate::api::Failure;
use crate::components::load::failed;

/// 404 inside the frame.
pub(crate) fn not_found() -> AnyView {
    failed(&Failure::not_found("page"))
}
