//! The form that asks for a longer life.

use leptos::prelude::*;
use types::access::Access;
use types::stack::StackDetail;

use super::{read, submission};
use crate::components::button::{Look, link, off, submit};
use crate::components::card::CARD;
use crate::components::escaped;
use crate::components::field::{INPUT, LABEL, area, described_by, error, help, id_of, summary};
use crate::components::load::load;
use crate::components::page::head;
use crate::components::time::moment;
use crate::forms::submitted;
use crate::pages::param;

const SPANS: [(&str, &str); 4] = [
    ("7d", "7 days from now"),
    ("30d", "30 days from now"),
    ("90d", "90 days from now"),
    ("", "Until deleted"),
];

pub(crate) fn page() -> AnyView {
    let id = param("id");
    let number = submission();
    load(read(id), move |stack| show(&stack, number.clone()))
}

fn show(stack: &StackDetail, number: String) -> AnyView {
    let row = &stack.summary;
    let path = format!("/stacks/{}", row.id);
    let refused = submitted(&format!("{path}/extend"));
    let number = refused
        .as_ref()
        .and_then(|refused| refused.submission)
        .map_or(number, |id| id.to_string());
    let chosen = refused
        .as_ref()
        .map_or_else(|| "30d".to_owned(), |r| r.value("expiry"));
    let bad = refused.as_ref().and_then(|r| r.error("expiry"));
    let described = described_by("expiry", true, bad.is_some());
    let options = SPANS
        .map(|(value, label)| escaped::option(value, label, value == chosen, false))
        .into_iter()
        .collect::<Vec<_>>();
    let form = match &stack.access.extend {
        Access::Allowed => view! {
            <form method="post" class=format!("{CARD} max-w-2xl px-4 py-4")>
                <input type="hidden" name="submission" value=number/>
                <div class="mb-4 max-w-[620px]">
                    <label class=LABEL for=id_of("expiry")>
                        "Lives until"
                    </label>
                    <select
                        class=INPUT
                        id=id_of("expiry")
                        name="expiry"
                        aria-invalid=bad.is_some().then_some("true")
                        aria-describedby=described
                    >
                        {options}
                    </select>
                    {bad.map(|message| error("expiry", message.into_any()))}
                    {help("expiry", "What the tier allows is checked when you send.".to_owned())}
                </div>
                {area(
                    "justification",
                    "Why",
                    refused.as_ref().map(|r| r.value("justification")).unwrap_or_default(),
                    "Whoever has to approve reads this.",
                    refused.as_ref().and_then(|r| r.error("justification")),
                    false,
                )}
                <div class="flex gap-2">
                    {submit(Look::Primary, "Request extension")} {link(Look::Quiet, path.clone(), "Leave it")}
                </div>
            </form>
        }
        .into_any(),
        Access::Disabled { reason } => off("Request extension", reason.clone()),
        Access::Hidden => view! { <p>"You may not extend this stack."</p> }.into_any(),
    };
    view! {
        {head(
            format!("Extend {}", row.name),
            vec![
                ("Stacks".into(), "/stacks".into()),
                (row.name.to_string(), path.clone()),
            ],
            ().into_any(),
            "",
            ().into_any(),
        )}
        <p class="mb-4 text-ink-2">
            "It lives until " {row.expires_at.map_or_else(|| "it is deleted".into_any(), moment)}
            ". Extending changes no resource."
        </p>
        <div class="max-w-2xl">
            {refused.as_ref().map(|r| summary(r.problem.as_ref(), &r.errors))}
        </div>
        {form}
    }
    .into_any()
}
