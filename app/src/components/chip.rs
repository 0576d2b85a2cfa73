//! Tones and chips: colour only where it means something (green holds, amber warns, red blocks, violet waits for a person).

use leptos::prelude::*;
use tailwind_fuse::*;

use super::icon::{Icon, icon_in};

/// What a thing means, as a colour.
#[derive(TwVariant, PartialEq, Debug)]
pub(crate) enum Tone {
    #[tw(default, class = "text-ink-2 bg-sunken")]
    Neutral,
    #[tw(class = "text-ok bg-ok-bg")]
    Ok,
    #[tw(class = "text-warn bg-warn-bg")]
    Warn,
    #[tw(class = "text-deny bg-deny-bg")]
    Deny,
    #[tw(class = "text-wait bg-wait-bg")]
    Wait,
    #[tw(class = "text-accent bg-accent-bg")]
    Accent,
}

impl Tone {
    /// The text colour alone.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Tone::Neutral => "text-ink-3",
            Tone::Ok => "text-ok",
            Tone::Warn => "text-warn",
            Tone::Deny => "text-deny",
            Tone::Wait => "text-wait",
            Tone::Accent => "text-accent",
        }
    }

    /// The fill of a bar's part.
    pub(crate) fn fill(self) -> &'static str {
        match self {
            Tone::Neutral => "fill-line-2",
            Tone::Ok => "fill-ok",
            Tone::Warn => "fill-warn",
            Tone::Deny => "fill-deny",
            Tone::Wait => "fill-wait",
            Tone::Accent => "fill-accent",
        }
    }
}

const CHIP: &str = "inline-flex items-center gap-[5px] rounded-full px-2 text-[12px] leading-5 font-[580] whitespace-nowrap";

/// A word in its tone.
pub(crate) fn chip(tone: Tone, text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <span class=tw_join!(CHIP, tone.as_class())>{text}</span> }.into_any()
}

/// A word in its tone behind an icon.
pub(crate) fn chip_with(tone: Tone, icon: Icon, text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <span class=tw_join!(CHIP, tone.as_class())>{icon_in(icon, "size-[13px]")} {text}</span> }
        .into_any()
}

/// Parts of a whole as one bar, drawn as SVG because the content security policy forbids inline styles. Each part is a share between 0 and 1.
pub(crate) fn bar(label: String, parts: Vec<(Tone, f64)>) -> AnyView {
    let mut at = 0.0_f64;
    let rects = parts
        .into_iter()
        .map(|(tone, share)| {
            let share = share.clamp(0.0, 1.0 - at);
            let x = format!("{:.2}%", at * 100.0);
            let width = format!("{:.2}%", share * 100.0);
            at += share;
            view! { <rect x=x y="0" width=width height="6" class=tone.fill()></rect> }
        })
        .collect::<Vec<_>>();
    view! {
        <svg class="block h-1.5 w-full rounded-full bg-sunken ring-1 ring-line" role="img" aria-label=label>
            {rects}
        </svg>
    }
    .into_any()
}
