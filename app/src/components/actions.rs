//! What can be done with a thing now: its buttons in a row, and once, under them, why the others cannot be pressed.

use leptos::prelude::*;
use types::access::Access;

use super::button::{Look, OFF, link, submit};

/// A row of actions. What is off stays in its place; buttons that are off for the same reason share its sentence.
#[derive(Default)]
pub(crate) struct Actions {
    shown: Vec<AnyView>,
    reasons: Vec<Reason>,
    on: usize,
}

struct Reason {
    sentence: String,
    buttons: Vec<&'static str>,
}

impl Actions {
    /// Something that is always there.
    pub(crate) fn with(mut self, view: impl IntoAny) -> Self {
        self.on += 1;
        self.shown.push(view.into_any());
        self
    }

    /// A link that is there, off with its reason, or left out, as the reader's rights say.
    pub(crate) fn link(
        self,
        access: &Access,
        look: Look,
        href: String,
        text: &'static str,
    ) -> Self {
        self.gated(access, text, || link(look, href, text))
    }

    /// A form that is nothing but a button.
    pub(crate) fn post(
        self,
        access: &Access,
        look: Look,
        action: String,
        text: &'static str,
        hidden: Vec<(&'static str, String)>,
    ) -> Self {
        self.gated(access, text, || {
            view! {
                <form method="post" action=action>
                    {hidden
                        .into_iter()
                        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
                        .collect::<Vec<_>>()} {submit(look, text)}
                </form>
            }
            .into_any()
        })
    }

    fn gated(
        mut self,
        access: &Access,
        text: &'static str,
        allowed: impl FnOnce() -> AnyView,
    ) -> Self {
        match access {
            Access::Allowed => self.with(allowed()),
            Access::Hidden => self,
            Access::Disabled { reason } => {
                let at = self.reason(reason);
                self.reasons[at].buttons.push(text);
                self.shown.push(
                    view! {
                        <button type="button" class=OFF aria-disabled="true" aria-describedby=id(at)>
                            {text}
                        </button>
                    }
                    .into_any(),
                );
                self
            }
        }
    }

    /// Where a reason stands among those that are known so far.
    fn reason(&mut self, sentence: &str) -> usize {
        let known = self
            .reasons
            .iter()
            .position(|reason| reason.sentence == sentence);
        known.unwrap_or_else(|| {
            self.reasons.push(Reason {
                sentence: sentence.to_owned(),
                buttons: vec![],
            });
            self.reasons.len() - 1
        })
    }

    /// The row with its reasons.
    pub(crate) fn view(self) -> AnyView {
        if self.shown.is_empty() {
            return ().into_any();
        }
        // One sentence for everything that is off needs no names; where only some of the buttons are off, it says which.
        let names = |reason: &Reason| reason.buttons.len() <= 3 && self.on + self.reasons.len() > 1;
        let reasons = self
            .reasons
            .iter()
            .enumerate()
            .map(|(at, reason)| {
                let text = if names(reason) {
                    format!("{}: {}", reason.buttons.join(", "), reason.sentence)
                } else {
                    reason.sentence.clone()
                };
                view! { <li id=id(at)>{text}</li> }
            })
            .collect::<Vec<_>>();
        view! {
            <div class="flex max-w-full flex-col gap-1.5 xl:items-end">
                <div class="flex flex-wrap gap-2">{self.shown}</div>
                {(!reasons.is_empty())
                    .then(|| view! { <ul class="max-w-prose text-xs text-ink-3 xl:text-right">{reasons}</ul> })}
            </div>
        }
        .into_any()
    }
}

fn id(at: usize) -> String {
    format!("why-not-{at}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_that_are_off_for_one_reason_share_its_sentence() {
        let off = |reason: &str| Access::Disabled {
            reason: reason.to_owned(),
        };
        let html = Actions::default()
            .post(
                &off("It is stopped."),
                Look::Plain,
                "/a".into(),
                "Stop",
                vec![],
            )
            .post(
                &off("It is stopped."),
                Look::Plain,
                "/b".into(),
                "Restart",
                vec![],
            )
            .link(&Access::Allowed, Look::Plain, "/c".into(), "Extend")
            .link(&Access::Hidden, Look::Plain, "/d".into(), "Delete")
            .view()
            .to_html();
        assert_eq!(html.matches("is stopped").count(), 1);
        assert!(html.contains("Stop, Restart: It is stopped."));
        assert_eq!(html.matches(r#"aria-describedby="why-not-0""#).count(), 2);
        assert!(!html.contains("Delete"));
    }
}
