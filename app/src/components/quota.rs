//! Azure's quota that a plan draws on, as bars with their words.

use leptos::prelude::*;
use types::plan::Plan;
use types::quota::QuotaLine;

use super::chip::{Tone, bar};
use crate::words::region;

/// All quotas of a plan, and what cannot be held against one.
pub(crate) fn quotas(plan: &Plan) -> AnyView {
    view! {
        {plan.quota.iter().map(quota).collect::<Vec<_>>()}
        {unknown(&plan.quota_unknown)}
    }
    .into_any()
}

/// What cannot be held against a quota.
fn unknown(names: &[String]) -> Option<AnyView> {
    (!names.is_empty()).then(|| {
        view! {
            <p class="not-first:mt-3 text-xs text-warn">
                "Nobody can say whether the quota is enough for " {names.join(", ")} "."
            </p>
        }
        .into_any()
    })
}

/// One quota.
#[expect(
    clippy::cast_precision_loss,
    reason = "quotas are counts of processors, far below 2^52"
)]
fn quota(line: &QuotaLine) -> AnyView {
    let limit = line.limit.max(1) as f64;
    let held = if line.reserved > 0 {
        format!(
            "; {} held for approved requests and growing pools",
            line.reserved
        )
    } else {
        String::new()
    };
    let words = format!(
        "{} used + {} of {}{held}",
        line.used, line.requested, line.limit
    );
    let tone = if line.fits { Tone::Accent } else { Tone::Deny };
    view! {
        <div class="not-first:mt-3">
            <p class="mb-[5px] text-xs text-ink-2">
                {line.label.clone()} ", " {region(&line.region)}
            </p>
            {bar(
                format!("{}: {words}", line.label),
                vec![
                    (Tone::Neutral, (line.used + line.reserved) as f64 / limit),
                    (tone, line.requested as f64 / limit),
                ],
            )}
            <p class="mt-1 text-xs text-ink-3">
                {words}
                {(!line.fits)
                    .then(|| view! { <span class="text-deny">". It does not fit; ask Azure for more or choose another size."</span> })}
            </p>
        </div>
    }
    .into_any()
}
