//! Buttons and links that look like buttons. What cannot be done now is not hidden: it is `aria-disabled` and says why.

use leptos::prelude::*;
use tailwind_fuse::*;

/// How loud a button is.
#[derive(TwVariant, PartialEq, Debug)]
pub(crate) enum Look {
    #[tw(default, class = "border-edge bg-surface text-ink hover:bg-sunken")]
    Plain,
    #[tw(
        class = "border-accent bg-accent text-accent-ink hover:bg-accent-strong hover:border-accent-strong"
    )]
    Primary,
    #[tw(class = "border-transparent text-ink-2 hover:bg-sunken hover:text-ink")]
    Quiet,
    #[tw(class = "border-edge bg-surface text-deny hover:bg-deny-bg")]
    Danger,
}

const BUTTON: &str = "inline-flex min-h-8 items-center justify-center gap-[7px] rounded-[7px] border px-3 py-1 text-[13.5px] leading-tight font-[560] whitespace-nowrap no-underline";
/// The look of a button that may not be pressed now.
pub(super) const OFF: &str = "inline-flex min-h-8 cursor-not-allowed items-center justify-center gap-[7px] rounded-[7px] border border-dashed border-edge bg-sunken px-3 py-1 text-[13.5px] leading-tight font-[560] whitespace-nowrap text-ink-3";

/// The classes of a button.
pub(crate) fn classes(look: Look) -> String {
    tw_join!(BUTTON, look.as_class())
}

/// A submit button of a form.
pub(crate) fn submit(look: Look, text: &'static str) -> AnyView {
    view! { <button type="submit" class=classes(look)>{text}</button> }.into_any()
}

/// A submit button that says which of a form's ways it is.
pub(crate) fn submit_as(
    look: Look,
    name: &'static str,
    value: &'static str,
    text: &'static str,
) -> AnyView {
    view! {
        <button type="submit" class=classes(look) name=name value=value>
            {text}
        </button>
    }
    .into_any()
}

/// A link that looks like a button.
pub(crate) fn link(look: Look, href: impl Into<String>, text: impl Into<String>) -> AnyView {
    let (href, text): (String, String) = (href.into(), text.into());
    view! { <a class=classes(look) href=href>{text}</a> }.into_any()
}

/// A button that may not be pressed now, with the reason right under it.
pub(crate) fn off(text: &'static str, reason: String) -> AnyView {
    let id = format!("why-not-{}", text.to_lowercase().replace(' ', "-"));
    view! {
        <span class="inline-flex max-w-64 flex-col items-start gap-1">
            <button type="button" class=OFF aria-disabled="true" aria-describedby=id.clone()>
                {text}
            </button>
            <span id=id class="text-xs text-ink-3">{reason}</span>
        </span>
    }
    .into_any()
}
