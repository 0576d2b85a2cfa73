//! The column that stays in view: may it be sent, what does it cost, what do the rules say, who must agree; and the same request in other tools.

use leptos::prelude::*;
use types::check::Check;
use types::plan::Plan;
use types::policy::{ControlOutcome, Fix, Verdict};

use super::controls::remedy;
use super::dom;
use super::state::State;
use crate::components::button::{Look, classes};
use crate::components::card::{CARD, card, padded};
use crate::components::chip::Tone;
use crate::components::cost::estimate;
use crate::components::icon::{Icon, icon_in};
use crate::components::quota::quotas;
use crate::components::time::usually;
use crate::components::verdict::{guardrails, line, posture_bar, posture_words, say};

/// The whole column: may it be sent and what does it cost, the button, and the reasons. On a phone the button comes after the fields.
pub(super) fn column(state: State) -> AnyView {
    view! {
        <section class=format!("{CARD} max-lg:order-1")>
            <div aria-live="polite" aria-busy=move || state.checking.get().to_string()>
                {move || state.check.with(|check| self::summary(state, check.as_ref().ok()))}
            </div>
            {move || state.check.with(|check| Some(estimate_of(plan(check.as_ref().ok()?)?)))}
        </section>
        <div class="max-lg:order-4">{send(state)}</div>
        <div class="grid min-w-0 grid-cols-1 gap-3.5 empty:hidden max-lg:order-2">
            {move || state.check.with(|check| Some(rules(state, plan(check.as_ref().ok()?)?)))}
        </div>
    }
    .into_any()
}

fn plan(check: &Check) -> Option<&Plan> {
    check.plan.as_ref()
}

fn estimate_of(plan: &Plan) -> AnyView {
    view! { <div class="border-t border-line px-4 py-3.5">{estimate(&plan.cost)}</div> }.into_any()
}

/// What is to be done next, in one sentence.
fn summary(state: State, check: Option<&Check>) -> AnyView {
    let Some(check) = check else {
        return headline(
            Tone::Warn,
            Icon::Warning,
            "The check did not answer".to_owned(),
            "It can be sent all the same; the answer then comes with the request.".into_any(),
        );
    };
    if !check.errors.is_empty() {
        let n = check.errors.len();
        let links = check
            .errors
            .iter()
            .map(|error| {
                let name = error.field.clone();
                let href = format!("#{}", crate::components::field::id_of(&name));
                view! {
                    <li>
                        <a
                            class="underline decoration-dotted underline-offset-2"
                            href=href
                            on:click=move |event| {
                                event.prevent_default();
                                dom::focus(&name);
                            }
                        >
                            {state.label(&error.field)}
                        </a>
                    </li>
                }
            })
            .collect::<Vec<_>>();
        return headline(
            Tone::Accent,
            Icon::Requests,
            format!(
                "{n} field{} to fill in or mend",
                if n == 1 { "" } else { "s" }
            ),
            view! { <ul class="flex flex-wrap gap-x-3">{links}</ul> }.into_any(),
        );
    }
    let Some(plan) = &check.plan else {
        return headline(
            Tone::Neutral,
            Icon::Unknown,
            "No plan yet".to_owned(),
            ().into_any(),
        );
    };
    match plan.report.verdict {
        Verdict::Denied => {
            let denials = &plan.report.denials;
            let which = denials
                .iter()
                .map(|denial| denial.id.clone())
                .collect::<Vec<_>>()
                .join(", ");
            let title = if denials.len() == 1 {
                "One thing to change before this can go ahead".to_owned()
            } else {
                format!(
                    "{} things to change before this can go ahead",
                    denials.len()
                )
            };
            headline(
                Tone::Deny,
                Icon::Cross,
                title,
                format!("Rule {which}.").into_any(),
            )
        }
        Verdict::NeedsApproval => {
            let usual = check
                .usual_minutes
                .map(|minutes| format!(" Usually takes {}.", usually(minutes)));
            headline(
                Tone::Wait,
                Icon::People,
                "Can be sent; it needs approval".to_owned(),
                view! {
                    {check.approvers.iter().map(|text| view! { <p>{text.clone()}</p> }).collect::<Vec<_>>()}
                    {usual}
                }
                .into_any(),
            )
        }
        Verdict::Allowed => headline(
            Tone::Ok,
            Icon::Check,
            "Can be sent; nobody has to approve".to_owned(),
            "It is carried out at once.".into_any(),
        ),
    }
}

fn headline(tone: Tone, sign: Icon, title: String, detail: AnyView) -> AnyView {
    view! {
        <div class="flex gap-2.5 px-4 py-[13px]">
            <span class=format!("mt-px {}", tone.text())>{icon_in(sign, "size-5")}</span>
            <div class="min-w-0">
                <h2 class="font-[640]">{title}</h2>
                <div class="text-xs text-ink-2">{detail}</div>
            </div>
        </div>
    }
    .into_any()
}

fn rules(state: State, plan: &Plan) -> AnyView {
    let report = &plan.report;
    let took = if report.took_us >= 100 {
        format!(
            "{} checked in {}.{} ms",
            report.guardrails_checked,
            report.took_us / 1_000,
            report.took_us % 1_000 / 100
        )
    } else {
        format!("{} checked", report.guardrails_checked)
    };
    // A guardrail offers its remedy right here as well.
    let mend = |fix: &Fix| {
        if fix.value.is_some() {
            remedy(state, fix.clone())
        } else {
            say(fix)
        }
    };
    let open: Vec<_> = report
        .controls
        .iter()
        .filter(|row| matches!(row.result, ControlOutcome::Fail | ControlOutcome::Unknown))
        .map(|row| {
            let (tone, sign) = match row.result {
                ControlOutcome::Fail => (Tone::Warn, Icon::Warning),
                _ => (Tone::Neutral, Icon::Unknown),
            };
            line(
                tone,
                sign,
                view! {
                    {row.message.clone()} " "
                    {row.fix.clone().filter(|fix| fix.value.is_some()).map(|fix| remedy(state, fix))}
                }
                .into_any(),
                row.id.clone(),
            )
        })
        .collect();
    view! {
        {card(
            "Guardrails",
            took,
            guardrails(report, &mend),
        )}
        {(report.posture.applicable() > 0)
            .then(|| {
                card(
                    "Posture",
                    posture_words(&report.posture),
                    view! {
                        <div class="px-4 py-3.5">{posture_bar(&report.posture)}</div>
                        {(!open.is_empty()).then(|| view! { <ul class="border-t border-line">{open}</ul> })}
                    }
                        .into_any(),
                )
            })}
        {(!plan.quota.is_empty() || !plan.quota_unknown.is_empty())
            .then(|| {
                padded(
                    "Quota",
                    "",
                    quotas(plan),
                )
            })}
    }
    .into_any()
}

/// *Send* and *Check*. A request that cannot be sent says why under the button, and pressing it leads to what must be mended.
fn send(state: State) -> AnyView {
    let why_not = Memo::new(move |_| state.why_not());
    let off = move || why_not.with(Option::is_some) || state.sending.get();
    view! {
        <div class="grid gap-2">
            <button
                type="submit"
                name="action"
                value="send"
                class="inline-flex min-h-9 w-full items-center justify-center rounded-[7px] border border-accent bg-accent px-3 text-[13.5px] font-[560] text-accent-ink hover:bg-accent-strong aria-disabled:cursor-not-allowed aria-disabled:border-dashed aria-disabled:border-edge aria-disabled:bg-sunken aria-disabled:text-ink-3"
                aria-disabled=move || off().then_some("true")
                aria-describedby="why-not-send"
            >
                {move || if state.sending.get() { "Sending…" } else { "Send request" }}
            </button>
            <p id="why-not-send" class="text-center text-xs text-ink-3">
                {move || why_not.get()}
            </p>
            <button type="submit" name="action" value="check" class=format!("{} unscripted", classes(Look::Plain))>
                "Check without sending"
            </button>
        </div>
    }
    .into_any()
}

/// The same request for other tools; each behind a fold of which one is open at a time.
pub(super) fn equivalents(state: State) -> AnyView {
    let folds = move || {
        state.check.with(|check| {
            check
                .as_ref()
                .map(|check| {
                    check
                        .equivalents
                        .iter()
                        .enumerate()
                        .map(|(at, other)| {
                            view! {
                                <details class="border-t border-line" name="equivalent" open=at == 0>
                                    <summary class="px-4 py-2 text-[13px] font-[560] text-ink-2 hover:bg-sunken">
                                        {other.tool.clone()}
                                    </summary>
                                    <pre class="max-h-96 overflow-auto bg-sunken px-4 py-3.5" tabindex="0">
                                        {other.text.clone()}
                                    </pre>
                                </details>
                            }
                        })
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default()
        })
    };
    view! {
        <section class=format!("{CARD} mb-4 max-w-[760px] min-w-0 max-lg:order-5 lg:col-start-1")>
            <h2 class="px-4 py-[11px]">"The same request as"</h2>
            {folds}
        </section>
    }
    .into_any()
}
