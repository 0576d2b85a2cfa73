//! Icons: 24-unit line drawings, always beside words, never instead of them.

use leptos::prelude::*;

use super::escaped::drawing;

/// Every icon there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Catalogue,
    Requests,
    Stacks,
    Approvals,
    Policies,
    Projects,
    Audit,
    Machine,
    Cluster,
    NodePool,
    Shield,
    Check,
    Cross,
    Warning,
    Unknown,
    Clock,
    People,
    Plus,
    Minus,
    Change,
    Keep,
    Chevron,
    Info,
}

impl Icon {
    fn paths(self) -> &'static str {
        match self {
            Icon::Catalogue => {
                r#"<path d="M12 3 4 7v10l8 4 8-4V7z"/><path d="m4 7 8 4 8-4M12 11v10"/>"#
            }
            Icon::Requests => r#"<path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01"/>"#,
            Icon::Stacks => r#"<path d="m12 3 9 5-9 5-9-5z"/><path d="m3 13 9 5 9-5"/>"#,
            Icon::Approvals => {
                r#"<path d="M4 13 6 5h12l2 8v6H4z"/><path d="M4 13h5l1 3h4l1-3h5"/>"#
            }
            Icon::Policies => r#"<path d="M12 4v16M7 20h10M5 7h14M5 7l-2 6h5zM19 7l-3 6h5z"/>"#,
            Icon::Projects => r#"<path d="M3 6h6l2 2h10v11H3z"/>"#,
            Icon::Audit => r#"<path d="M6 3h9l4 4v14H6z"/><path d="M14 3v5h5M9 13h6M9 17h6"/>"#,
            Icon::Machine => {
                r#"<rect x="4" y="4" width="16" height="7" rx="1.5"/><rect x="4" y="13" width="16" height="7" rx="1.5"/><path d="M8 7.5h.01M8 16.5h.01"/>"#
            }
            Icon::Cluster => {
                r#"<circle cx="12" cy="12" r="8"/><circle cx="12" cy="12" r="2"/><path d="M12 4v6M12 14v6M4 12h6M14 12h6"/>"#
            }
            Icon::NodePool => {
                r#"<rect x="4" y="4" width="6.5" height="6.5" rx="1"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1"/><path d="M16.75 13.5v6.5M13.5 16.75H20"/>"#
            }
            Icon::Shield => r#"<path d="M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6z"/>"#,
            Icon::Check => r#"<path d="m5 12 5 5 9-10"/>"#,
            Icon::Cross => r#"<path d="m6 6 12 12M18 6 6 18"/>"#,
            Icon::Warning => r#"<path d="M12 4 2.5 20h19z"/><path d="M12 10v4M12 17h.01"/>"#,
            Icon::Unknown => {
                r#"<circle cx="12" cy="12" r="8.5"/><path d="M10 10a2 2 0 1 1 2.6 1.9c-.6.2-.6.7-.6 1.1M12 16h.01"/>"#
            }
            Icon::Clock => r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 8v4l3 2"/>"#,
            Icon::People => {
                r#"<circle cx="9" cy="8" r="3"/><path d="M3 20c0-4 3-6 6-6s6 2 6 6M16 5a3 3 0 0 1 0 6M18 14c2 1 3 3 3 6"/>"#
            }
            Icon::Plus => r#"<path d="M12 5v14M5 12h14"/>"#,
            Icon::Minus => r#"<path d="M5 12h14"/>"#,
            Icon::Change => r#"<path d="M4 9h13l-3-3M20 15H7l3 3"/>"#,
            Icon::Keep => r#"<path d="M5 9h14M5 15h14"/>"#,
            Icon::Info => r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8h.01"/>"#,
            Icon::Chevron => r#"<path d="m9 6 6 6-6 6"/>"#,
        }
    }
}

/// An icon in the size of the text beside it.
pub(crate) fn icon(icon: Icon) -> AnyView {
    icon_in(icon, "size-4")
}

/// An icon with its own size and place.
pub(crate) fn icon_in(icon: Icon, class: &'static str) -> AnyView {
    drawing(format!("{class} flex-none"), true, icon.paths())
}

/// Slipway's mark: a hull on its slip.
pub(crate) fn mark() -> AnyView {
    drawing(
        "size-[22px] flex-none".to_owned(),
        false,
        r#"<path d="M2 15 22 9v3L2 18z" fill="var(--color-accent)"/><path d="M6 11.5 12 4l6 4.2z" fill="currentColor"/>"#,
    )
}
