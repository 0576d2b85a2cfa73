//! Pages that explain: every kind of problem with its remedy, and the way into the REST API.

use leptos::prelude::*;

use crate::components::card::CARD;
use crate::components::page::plain_head;

/// Code, title, what to do. The codes are those of problem documents.
const PROBLEMS: [(&str, &str, &str); 33] = [
    (
        "unauthenticated",
        "Not signed in",
        "Sign in, or send a bearer token that has neither ended nor been revoked.",
    ),
    (
        "forbidden",
        "A role is missing",
        "You may read this but not do it. The message names the role; an owner of the project grants it.",
    ),
    (
        "four_eyes",
        "Someone else must decide",
        "Whoever sent a request or edited it does not decide it. Ask another member of the group that the message names.",
    ),
    (
        "not_found",
        "Not found",
        "There is nothing at this address, or you have no right to see it; Slipway does not say which. Check the address and your projects.",
    ),
    (
        "invalid",
        "Fields cannot be used as they are",
        "Each bad field is named with what would be right. Nothing was changed; mend the fields and send again.",
    ),
    (
        "name_taken",
        "The name is taken",
        "A stack's name is unique per project and tier, from the moment a request is sent until the stack is deleted. Choose another.",
    ),
    (
        "policy_denied",
        "A guardrail denies it",
        "The verdict lists the rules with what they found and want. Change the fields; what cannot be changed needs another template, tier or project.",
    ),
    (
        "stale_version",
        "It was changed meanwhile",
        "Somebody else changed it after you opened it. Load it again, look at what changed, and decide anew.",
    ),
    (
        "stale_plan",
        "The plan is not the one you looked at",
        "An approval is for exactly one plan. Load the request again and look at its plan of now.",
    ),
    (
        "plan_altered",
        "The stored plan is not the one that was agreed to",
        "Somebody changed it in the database. Nothing of it is shown, approved or sent to Azure. Tell an administrator: the audit record has the digest that was agreed to and the one that was found.",
    ),
    (
        "already_sent",
        "The form was sent before, with other values",
        "One form makes one request. Load the form again, or send it again as the page now offers it: that makes a new request. Over REST, take a new Idempotency-Key.",
    ),
    (
        "conflict",
        "It does not fit the state things are in",
        "Something else is under way or already done. Load the page again to see what.",
    ),
    (
        "idempotency_key_reused",
        "The same Idempotency-Key came with another body",
        "A key stands for one request. Send a changed request with a new key.",
    ),
    (
        "too_large",
        "The body is too large",
        "Send less; a request is at most a few kilobytes, a form at most 500 fields.",
    ),
    (
        "private_key",
        "A field holds a private key",
        "It was thrown away: it is neither stored nor logged nor shown again. Where a key is asked for, paste the public half, from the file that ends in .pub. If anybody else has seen the private half, replace the pair.",
    ),
    (
        "too_many_requests",
        "Too many calls",
        "Wait as long as Retry-After says and go on. The limits count per person, tokens included, and per network address; an administrator sets them.",
    ),
    (
        "request_timeout",
        "The body came too slowly",
        "Nothing was changed. Send it again over a better connection.",
    ),
    (
        "took_too_long",
        "Slipway gave up",
        "Look whether it was done before you send it again. A POST with an Idempotency-Key can be sent again safely.",
    ),
    (
        "cross_site",
        "Another site asked for it",
        "Only pages of this installation may change something with your session. Open Slipway itself; a program sends a bearer token.",
    ),
    (
        "unknown_host",
        "Not the address of this installation",
        "Use the address that Slipway printed at start. An administrator sets another with --public-url, and the proxy has to pass Host on unchanged.",
    ),
    (
        "ambiguous_header",
        "A header came twice",
        "Send one Host, Origin and Sec-Fetch-Site, and no other host in the address. A proxy that adds a second one has to replace the first.",
    ),
    (
        "address_too_long",
        "The address is too long",
        "No address of Slipway is longer than 8,192 bytes with its query. Send what is long in the body.",
    ),
    (
        "not_requester",
        "Only the requester can withdraw it",
        "Ask whoever sent the request; an approver can reject it. If that person has left the project, an administrator withdraws it.",
    ),
    (
        "too_many_open_requests",
        "Too many requests wait already",
        "Nothing was sent. Wait until some are decided, or withdraw those that nobody needs any more; then send this one again. Requests that need no approval, extensions and deletions are not affected. An administrator sets the limits.",
    ),
    (
        "too_many_requests_today",
        "As many requests as one person may send in a day",
        "Nothing was sent. Edit a request that was denied instead of sending it anew, or come back later. Deletions are not affected. An administrator sets the limit.",
    ),
    (
        "too_many_comments",
        "The request has as many comments as it may have",
        "Nothing was added. Go on where your team talks otherwise, or send a new request.",
    ),
    (
        "too_many_streams",
        "Too many event streams are open",
        "Close one, or follow several things with one stream; then open it again after Retry-After.",
    ),
    (
        "too_many_keys",
        "Too many Idempotency-Keys within a day",
        "Nothing was done. Wait as long as Retry-After says, or send without a key what is safe to send twice.",
    ),
    (
        "in_progress",
        "The same call is at work",
        "A call with this Idempotency-Key has not been answered yet. Send it again after Retry-After.",
    ),
    (
        "unavailable",
        "The database or Azure does not answer",
        "Nothing was lost. Wait as long as Retry-After says and try again; what was already queued goes on by itself.",
    ),
    (
        "storage_full",
        "The disk is full",
        "Nothing was half written. An administrator has to make room; then send again.",
    ),
    (
        "unreachable",
        "Slipway does not answer",
        "The browser could not reach the server. Check the connection and load the page again.",
    ),
    (
        "internal",
        "Something went wrong inside",
        "The reason is in Slipway's log under the id that the message carries. Tell an administrator that id and the time.",
    ),
];

/// `/docs/problems`.
pub(crate) fn problems() -> AnyView {
    let rows = PROBLEMS
        .map(|(code, title, remedy)| {
            view! {
                <li id=code class="border-t border-line px-4 py-3 first:border-t-0 target:bg-accent-bg">
                    <h2>{title} " " <code class="font-[400] text-ink-3">{code}</code></h2>
                    <p class="max-w-prose text-ink-2">{remedy}</p>
                </li>
            }
        })
        .into_iter()
        .collect::<Vec<_>>();
    view! {
        {plain_head(
            "Problems explained",
            "Every error of the pages and of the REST API is one of these; its type is the address of its entry here.",
        )}
        <ul class=CARD>{rows}</ul>
    }
    .into_any()
}

/// `/docs/rest`.
pub(crate) fn rest() -> AnyView {
    view! {
        {plain_head("REST API", "Everything the browser can do, the API can do, with the same rights and the same answers.")}
        <div class=format!("{CARD} prose max-w-none px-4 py-4")>
            <p>
                "Make a token on " <a href="/me">"your page"</a>
                " and send it as a bearer token. The document of all routes is "
                <a href="/api/openapi.json" rel="external">"/api/openapi.json"</a> "."
            </p>
            <pre tabindex="0">
                "export SLIPWAY_TOKEN=slw_…\ncurl -H \"Authorization: Bearer $SLIPWAY_TOKEN\" http://127.0.0.1:3000/api/v1/templates"
            </pre>
            <ul>
                <li>"Errors are problem documents (RFC 9457); "<a href="/docs/problems">"each kind is explained"</a>"."</li>
                <li>
                    "A POST with an "<code>"Idempotency-Key"</code>
                    " can be sent again safely: the same key and body give the same answer."
                </li>
                <li>
                    "Events arrive at "<code>"/api/v1/events"</code>
                    " as a stream; they say what changed, read it again to see its state."
                </li>
            </ul>
        </div>
    }
    .into_any()
}
