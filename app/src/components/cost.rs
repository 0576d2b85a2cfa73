//! Money: a price with its span, the lines that make it up, and the budget it is held against.

use leptos::prelude::*;
use types::cost::{BudgetLine, CostEstimate, Usd};

use super::chip::{Tone, bar, chip};

/// `+$117.42`, `−$204.10`, `$0.00`; with parts that have no known price `+$117.42 + unknown`.
pub(crate) fn change(amount: Usd, unpriced: u32) -> String {
    let sign = if amount.0 > 0 { "+" } else { "" };
    format!("{sign}{}", amount.with_unknown(unpriced))
}

/// The estimate with its lines and what it leaves out.
pub(crate) fn estimate(cost: &CostEstimate) -> AnyView {
    let before = cost.monthly_before.map(|before| {
        let today = before.with_unknown(cost.before_unpriced);
        format!(
            "{today} today, {}",
            change(cost.change(), cost.unpriced_parts())
        )
    });
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
                "No price is known for " {cost.unpriced.join(", ")} ": it costs more than this sum."
            </p>
        }
    });
    view! {
        <p class="text-[26px] leading-[1.1] font-[640] tracking-[-.02em]">
            {cost.monthly.with_unknown(cost.unpriced_parts())}
            <span class="text-[13px] font-[500] tracking-normal text-ink-3">
                {if cost.monthly_least.is_some() { " a month at most, estimated" } else { " a month, estimated" }}
            </span>
        </p>
        {cost
            .monthly_least
            .map(|least| view! { <p class="mt-1 text-xs text-ink-2">{format!("From {least} with the fewest nodes")}</p> })}
        {before.map(|text| view! { <p class="mt-1 text-xs text-ink-2">{text}</p> })}
        <ul class="mt-2">{lines}</ul>
        {unpriced}
        {cost.budget.as_ref().map(|line| budget(line, cost.unpriced_parts()))}
    }
    .into_any()
}

/// `$480.00 → $594.05 of $800.00 a month`; without a plan what is committed alone.
pub(crate) fn budget_words(line: &BudgetLine, unpriced: u32) -> String {
    let committed = line.committed.with_unknown(line.unpriced);
    match line.after {
        Some(after) => {
            let after = after.with_unknown(line.unpriced.saturating_add(unpriced));
            format!("{committed} → {after} of {} a month", line.limit)
        }
        None => format!("{committed} committed of {} a month", line.limit),
    }
}

/// A budget as a bar and in words; `unpriced` are the parts of a plan that have no known price.
pub(crate) fn budget(line: &BudgetLine, unpriced: u32) -> AnyView {
    let limit = line.limit.dollars().max(0.01);
    let after = line.after.unwrap_or(line.committed);
    let adds = after - line.committed;
    let over = after > line.limit;
    let unsure = !over && (line.unpriced > 0 || unpriced > 0);
    let words = budget_words(line, unpriced);
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
                {unsure
                    .then(|| view! { <span class="text-warn">": parts without a price may exceed it"</span> })}
            </p>
        </div>
    }
    .into_any()
}
