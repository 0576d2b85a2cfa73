//! The decide box: approve, ask for changes, reject. One plain form; the digest of the plan that was looked at goes along.

use leptos::prelude::*;
use types::access::Access;
use types::request::RequestDetail;

use super::plan::digest;
use crate::components::button::{Look, off, submit_as};
use crate::components::field::area;
use crate::forms::Submitted;

/// The box, or why the reader may not decide; nothing for whom it is no question. `next` is where a decision leads, empty for the request's page.
pub(crate) fn decide(
    request: &RequestDetail,
    next: String,
    refused: Option<&Submitted>,
) -> AnyView {
    let Some(plan) = &request.plan else {
        return ().into_any();
    };
    let rejects = request.access.reject.is_allowed();
    let send_back = || {
        rejects.then(|| {
            submit_as(
                Look::Plain,
                "decision",
                "request_changes",
                "Request changes",
            )
        })
    };
    match &request.access.decide {
        Access::Hidden => ().into_any(),
        Access::Disabled { reason } => off("Approve", reason.clone()),
        Access::Allowed => view! {
            <form method="post" action=format!("/requests/{}/decide", request.summary.id) id="decide" data-request=request.summary.id.to_string() class="grid gap-2">
                <input type="hidden" name="plan_digest" value=plan.digest.clone()/>
                <input type="hidden" name="next" value=next/>
                <p class="text-xs text-ink-3">
                    "Your approval is for exactly this plan, "{digest(&plan.digest)}
                    ". If the request is edited or the plan changes, it is void."
                </p>
                {area(
                    "comment",
                    "Comment",
                    refused.map(|refused| refused.value("comment")).unwrap_or_default(),
                    "Needed when you reject or ask for changes.",
                    refused.and_then(|refused| refused.error("comment")),
                    false,
                )}
                {match &request.access.approve {
                    Access::Disabled { reason } => {
                        view! {
                            {off("Approve", reason.clone())}
                            {send_back()}
                        }
                            .into_any()
                    }
                    _ => {
                        view! {
                            <div class="grid gap-2 xs:grid-cols-2">
                                {submit_as(Look::Primary, "decision", "approve", "Approve")}
                                {send_back()}
                            </div>
                        }
                            .into_any()
                    }
                }}
                {rejects.then(|| submit_as(Look::Danger, "decision", "reject", "Reject"))}
            </form>
        }
        .into_any(),
    }
}
