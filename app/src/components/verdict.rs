//! What the rules say: guardrails with reason and remedy, approvals that are needed, and the posture of the baseline.

use leptos::prelude::*;
use types::policy::{ApprovalNeed, ControlOutcome, ControlResult, Posture, Report, Violation};

use super::card::FOLD;
use super::chip::{Tone, bar, chip_with};
use super::icon::{Icon, icon_in};

/// Turns a violation's or a control's remedy into a link or button; the request form sets fields with it, other pages only say it.
pub(crate) type Mend<'a> = &'a dyn Fn(&types::policy::Fix) -> AnyView;

/// Says the remedy in words.
pub(crate) fn say(fix: &types::policy::Fix) -> AnyView {
    view! { <span class="text-ink-2">" " {fix.text.clone()} "."</span> }.into_any()
}

/// One line of a verdict.
pub(crate) fn line(tone: Tone, sign: Icon, what: AnyView, id: impl Into<String>) -> AnyView {
    line_with(tone, sign, what, id.into(), ().into_any())
}

/// As [`line`], with more under it.
fn line_with(tone: Tone, sign: Icon, what: AnyView, id: String, more: AnyView) -> AnyView {
    view! {
        <li class="flex gap-[9px] border-t border-line px-4 py-2 text-[13px] first:border-t-0">
            <span class=format!("mt-1 {}", tone.text())>{icon_in(sign, "size-[13px]")}</span>
            <div class="min-w-0 wrap-anywhere">
                {what} " " <span class="font-mono text-2xs text-ink-3">{id}</span> {more}
            </div>
        </li>
    }
    .into_any()
}

/// All guardrails: what blocks, who must agree, what to read, and how many hold.
pub(crate) fn guardrails(report: &Report, mend: Mend<'_>) -> AnyView {
    let spoken = report.denials.len() + report.warnings.len() + report.approvals.len();
    let holding = (report.guardrails_checked as usize).saturating_sub(spoken);
    view! {
        <ul>
            {report.denials.iter().map(|v| violation(Tone::Deny, v, mend)).collect::<Vec<_>>()}
            {report.approvals.iter().map(need).collect::<Vec<_>>()}
            {report.warnings.iter().map(|v| violation(Tone::Warn, v, mend)).collect::<Vec<_>>()}
            {(holding > 0)
                .then(|| {
                    let words = if spoken == 0 { "All rules hold." } else { "The other rules hold." };
                    line(
                        Tone::Ok,
                        Icon::Check,
                        words.into_any(),
                        format!("{holding} rule{}", if holding == 1 { "" } else { "s" }),
                    )
                })}
        </ul>
    }
    .into_any()
}

fn violation(tone: Tone, violation: &Violation, mend: Mend<'_>) -> AnyView {
    let sign = if tone == Tone::Deny {
        Icon::Cross
    } else {
        Icon::Warning
    };
    let found = violation.found.as_ref().map(crate::forms::text);
    let wanted = violation.wanted.as_ref().map(crate::forms::text);
    let details = (found.is_some() || wanted.is_some() || violation.docs.is_some()).then(|| {
        let docs = violation.docs.clone();
        view! {
            <details class="text-xs text-ink-2">
                <summary class=FOLD>"Why and where"</summary>
                <p>{violation.title.clone()}</p>
                {found.map(|text| view! { <p>"Found: "<code>{text}</code></p> })}
                {wanted.map(|text| view! { <p>"Wanted: "<code>{text}</code></p> })}
                <p>"At "<code>{violation.path.clone()}</code></p>
                {docs.map(source)}
            </details>
        }
    });
    line_with(
        tone,
        sign,
        view! { <span>{violation.message.clone()}</span> " " {violation.fix.as_ref().map(mend)} }
            .into_any(),
        violation.id.clone(),
        details.into_any(),
    )
}

/// Where a rule comes from: a link where it is an address, words where not.
pub(crate) fn source(docs: String) -> AnyView {
    if docs.starts_with("https://") {
        view! {
            <p>
                <a class="underline wrap-anywhere" href=docs.clone() rel="external noreferrer">
                    {docs.clone()}
                </a>
            </p>
        }
        .into_any()
    } else {
        view! { <p>{docs}</p> }.into_any()
    }
}

/// One approval that a rule wants.
pub(crate) fn need(need: &ApprovalNeed) -> AnyView {
    line(
        Tone::Wait,
        Icon::People,
        view! {
            <span>{need.message.clone()}</span>
            " "
            <span class="text-ink-2">
                {format!(
                    "{} approval{} from {}.",
                    need.count,
                    if need.count == 1 { "" } else { "s" },
                    need.group,
                )}
            </span>
        }
        .into_any(),
        need.id.clone(),
    )
}

/// `26 of 28 hold`.
pub(crate) fn posture_words(posture: &Posture) -> String {
    format!("{} of {} hold", posture.pass, posture.applicable())
}

/// `26 of 28` in its shield.
pub(crate) fn posture_chip(posture: &Posture) -> AnyView {
    let tone = match (posture.applicable(), posture.fail) {
        (0, _) => Tone::Neutral,
        (_, 0) => Tone::Ok,
        (all, fail) if fail * 5 <= all => Tone::Ok,
        _ => Tone::Warn,
    };
    chip_with(
        tone,
        Icon::Shield,
        format!("{} of {}", posture.pass, posture.applicable()),
    )
}

/// The posture as a bar.
pub(crate) fn posture_bar(posture: &Posture) -> AnyView {
    let all = f64::from(posture.applicable().max(1));
    bar(
        format!(
            "Posture: {} hold, {} do not, {} known after apply",
            posture.pass, posture.fail, posture.unknown
        ),
        vec![
            (Tone::Ok, f64::from(posture.pass) / all),
            (Tone::Warn, f64::from(posture.fail) / all),
            (Tone::Neutral, f64::from(posture.unknown) / all),
        ],
    )
}

/// The controls that fail or are unknown, and behind a fold those that hold.
pub(crate) fn controls(results: &[ControlResult], mend: Mend<'_>) -> AnyView {
    let (open, holding): (Vec<_>, Vec<_>) = results
        .iter()
        .filter(|row| row.result != ControlOutcome::NotApplicable)
        .partition(|row| row.result != ControlOutcome::Pass);
    let mut open = open;
    open.sort_by_key(|row| {
        (
            row.result != ControlOutcome::Fail,
            std::cmp::Reverse(row.severity),
            row.id.clone(),
        )
    });
    let count = holding.len();
    view! {
        <ul>{open.into_iter().map(|row| control(row, mend)).collect::<Vec<_>>()}</ul>
        {(count > 0)
            .then(|| {
                view! {
                    <details class="group border-t border-line first:border-t-0">
                        <summary class="flex items-center gap-2 px-4 py-2 text-[13px] text-ink-2 hover:bg-sunken">
                            <span class="transition-transform group-open:rotate-90">
                                {icon_in(Icon::Chevron, "size-[13px]")}
                            </span>
                            {format!("{count} that hold")}
                        </summary>
                        <ul>{holding.into_iter().map(|row| control(row, mend)).collect::<Vec<_>>()}</ul>
                    </details>
                }
            })}
    }
    .into_any()
}

fn control(row: &ControlResult, mend: Mend<'_>) -> AnyView {
    let (tone, sign) = match row.result {
        ControlOutcome::Pass => (Tone::Ok, Icon::Check),
        ControlOutcome::Fail => (Tone::Warn, Icon::Warning),
        ControlOutcome::Unknown | ControlOutcome::NotApplicable => (Tone::Neutral, Icon::Unknown),
    };
    let passed = row.result == ControlOutcome::Pass;
    let resource = row
        .resource
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    line(
        tone,
        sign,
        view! {
            <span>{if passed { row.title.clone() } else { row.message.clone() }}</span>
            {(!passed).then(|| row.fix.as_ref().map(mend)).flatten()}
        }
        .into_any(),
        if resource.is_empty() {
            row.id.clone()
        } else {
            format!("{} · {resource}", row.id)
        },
    )
}
