//! Buttons and links that look like buttons. What cannot be done now is not hidden: it is `aria-disabled` and says why.

use leptos::prelude::*;
use tailwind_fuse::*;
use types::access::Access;

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
const OFF: &str = "inline-flex min-h-8 cursor-not-allowed items-center justify-center gap-[7px] rounded-[7px] border border-dashed border-edge bg-sunken px-3 py-1 text-[13.5px] leading-tight font-[560] whitespace-nowrap text-ink-3";

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
        <span class="inline-flex max-w-64 flex-col gap-1">
            <button type="button" class=OFF aria-disabled="true" aria-describedby=id.clone()>
                {text}
            </button>
            <span id=id class="text-xs text-ink-3">{reason}</span>
        </span>
    }
    .into_any()
}

/// A link that is there, off with its reason, or left out, as the reader's rights say.
pub(crate) fn gated_link(access: &Access, look: Look, href: String, text: &'static str) -> AnyView {
    match access {
        Access::Allowed => link(look, href, text),
        Access::Disabled { reason } => off(text, reason.clone()),
        Access::Hidden => ().into_any(),
    }
}

/// A form that is nothing but a button.
pub(crate) fn gated_post(
    access: &Access,
    look: Look,
    action: String,
    text: &'static str,
    hidden: Vec<(&'static str, String)>,
) -> AnyView {
    match access {
        Access::Allowed => view! {
            <form method="post" action=action>
                {hidden
                    .into_iter()
                    .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
                    .collect::<Vec<_>>()} {submit(look, text)}
            </form>
        }
        .into_any(),
        Access::Disabled { reason } => off(text, reason.clone()),
        Access::Hidden => ().into_any(),
    }
}
