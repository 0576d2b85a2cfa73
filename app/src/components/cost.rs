//! Money: a price with its span, the lines that make it up, and the budget it is held against.

use leptos::prelude::*;
use types::cost::{BudgetLine, CostEstimate, Usd};

use super::chip::{Tone, bar, chip};

/// `+$117.42`, `−$204.10`, `$0.00`.
pub(crate) fn change(amount: Usd) -> String {
    if amount.0 > 0 {
        format!("+{amount}")
    } else {
        amount.to_string()
    }
}

/// The estimate with its lines and what it leaves out.
pub(crate) fn estimate(cost: &CostEstimate) -> AnyView {
    let before = cost
        .monthly_before
        .map(|before| format!("{before} today, {}", change(cost.monthly - before)));
    let lines = cost
        .lines
        .iter()
        .map(|line| {
            view! {
                <li class="flex gap-2 py-0.5 text-xs text-ink-2">
                    <span class="min-w-0 wrap-anywhere">{line.label.clone()}</span>
                    {line.sample.then(|| chip(Tone::Neutral, "sample price"))}
                    <span class="ml-auto whitespace-nowrap">{line.monthly.to_string()}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let unpriced = (!cost.unpriced.is_empty()).then(|| {
        view! {
            <p class="mt-2 text-xs text-warn">
                "No price is known for " {cost.unpriced.join(", ")} ": not in this sum."
            </p>
        }
    });
    view! {
        <p class="text-[26px] leading-[1.1] font-[640] tracking-[-.02em]">
            {cost.monthly.to_string()}
            <span class="text-[13px] font-[500] tracking-normal text-ink-3">" a month, estimated"</span>
        </p>
        {before.map(|text| view! { <p class="mt-1 text-xs text-ink-2">{text}</p> })}
        <ul class="mt-2">{lines}</ul>
        {unpriced}
        {cost.budget.as_ref().map(|line| budget(line, added(cost)))}
    }
    .into_any()
}

/// What a plan adds to what is committed already.
pub(crate) fn added(cost: &CostEstimate) -> Usd {
    cost.monthly_before
        .map_or(cost.monthly, |before| cost.monthly - before)
}

/// A budget as a bar and in words; `adds` is what a plan would add.
pub(crate) fn budget(line: &BudgetLine, adds: Usd) -> AnyView {
    let limit = line.limit.dollars().max(0.01);
    let over = line.committed + adds > line.limit;
    let words = if adds.0 == 0 {
        format!("{} committed of {} a month", line.committed, line.limit)
    } else {
        format!(
            "{} committed {} of {} a month",
            line.committed,
            if adds.0 > 0 {
                format!("+ {adds}")
            } else {
                adds.to_string()
            },
            line.limit
        )
    };
    let tone = if over { Tone::Deny } else { Tone::Warn };
    view! {
        <div class="mt-3">
            <p class="mb-[5px] text-xs text-ink-2">"Budget"</p>
            {bar(
                format!("Budget: {words}"),
                vec![
                    (Tone::Accent, line.committed.dollars() / limit),
                    (tone, adds.dollars().max(0.0) / limit),
                ],
            )}
            <p class="mt-1 text-xs text-ink-3">
                {words} {over.then(|| view! { <span class="text-deny">": over budget"</span> })}
            </p>
        </div>
    }
    .into_any()
}
