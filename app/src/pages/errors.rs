//! The page for an address that is no page.

use leptos::prelude::*;

use crate::api::Failure;
use crate::components::load::failed;

/// 404 inside the frame.
pub(crate) fn not_found() -> AnyView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    failed(&Failure::not_found("page"))
}
