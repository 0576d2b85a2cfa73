//! `Idempotency-Key`: the same POST sent twice is done once. Its answer is not kept: the thing that the first call made is read again, with the rights of now.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portal::{Ground, Idempotency, KeyedCall, Made};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use types::actor::{Actor, Right};
use types::break_glass::BreakGlass;
use types::ids::SubmissionId;
use types::operation::OperationDetail;
use types::request::{Comment, RequestDetail};
use types::secret::{looks_private, refusal};
use uuid::Uuid;

use super::conditional;
use crate::http::{AppState, Failure};

const HEADER: &str = "idempotency-key";

/// One POST that may come with a key.
pub(super) struct Call<'a, B> {
    /// Method and path: they tell two calls with one key apart, as the body does.
    pub(super) what: String,
    pub(super) body: &'a B,
    /// What it is about, and any one of the rights that it needs.
    pub(super) ground: Ground<'a>,
    pub(super) rights: &'a [Right],
    /// The status of success.
    pub(super) status: StatusCode,
}

/// An answer that can be read again.
pub(super) trait Again: Serialize {
    fn made(&self) -> Made;

    /// What its ETag says, where the thing can be changed.
    fn version(&self) -> Option<i64>;
}

impl Again for RequestDetail {
    fn made(&self) -> Made {
        Made::Request(self.summary.id)
    }

    fn version(&self) -> Option<i64> {
        Some(self.summary.version)
    }
}

impl Again for OperationDetail {
    fn made(&self) -> Made {
        Made::Operation(self.summary.id)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

impl Again for Comment {
    fn made(&self) -> Made {
        Made::Comment(self.id)
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

impl Again for BreakGlass {
    fn made(&self) -> Made {
        Made::BreakGlass(self.id)
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// Does `work` once for the key in `headers`; without a key, every time. A refusal or failure gives the key back: sent again, the call is done anew.
pub(super) async fn once<T: Again, F: Future<Output = Result<T, portal::Error>>>(
    state: &AppState,
    actor: &Actor,
    headers: &HeaderMap,
    call: Call<'_, impl Serialize>,
    work: F,
) -> Result<Response, Failure> {
    let portal = &state.portal;
    let Some(key) = key(headers)? else {
        return answer(call.status, &work.await?);
    };
    let keyed = KeyedCall {
        key,
        hash: hash(&call.what, call.body)?,
        ground: call.ground,
        rights: call.rights,
    };
    match portal
        .begin_idempotent(actor, &keyed, state.keys_per_day, state.longest_call)
        .await?
    {
        Idempotency::New => {}
        Idempotency::InProgress => {
            return Err(Failure::new(
                StatusCode::CONFLICT,
                "in_progress",
                "The same request with this Idempotency-Key is being worked on. Ask again in a second.",
            )
            .retry_after(1));
        }
        Idempotency::Mismatch => {
            return Err(Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request. Take a new key for a new request.",
            ));
        }
        Idempotency::Full { free_at } => {
            let wait = free_at.since(portal.now()).whole_seconds().max(1);
            return Err(Failure::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_keys",
                format!(
                    "You have used {} Idempotency-Keys within a day, as many as one may. Wait until the oldest is a day old, or send without a key what is \
                     safe to send twice.",
                    state.keys_per_day
                ),
            )
            .retry_after(u64::try_from(wait).unwrap_or(1)));
        }
        Idempotency::Done { status, made } => {
            let status = StatusCode::from_u16(status).unwrap_or(call.status);
            return again(state, actor, status, made).await;
        }
    }
    match work.await {
        Ok(value) => {
            portal
                .finish_idempotent(actor, key, call.status.as_u16(), value.made())
                .await?;
            answer(call.status, &value)
        }
        Err(error) => {
            portal.forget_idempotent(actor, key).await?;
            Err(error.into())
        }
    }
}

/// Answers a call that was done before: with what it made, as the actor may read it now.
async fn again(
    state: &AppState,
    actor: &Actor,
    status: StatusCode,
    made: Option<Made>,
) -> Result<Response, Failure> {
    let portal = &state.portal;
    let mut response = match made {
        Some(Made::Request(id)) => answer(status, &portal.request(actor, id).await?)?,
        Some(Made::Comment(id)) => answer(status, &portal.one_comment(actor, id).await?)?,
        Some(Made::Operation(id)) => answer(status, &portal.operation(actor, id).await?)?,
        Some(Made::BreakGlass(id)) => answer(status, &portal.one_break_glass(actor, id).await?)?,
        None => {
            return Err(Failure::new(
                StatusCode::CONFLICT,
                "answer_not_kept",
                "This request was done before Slipway was updated; its answer is not kept. Read what it was about to see the outcome.",
            ));
        }
    };
    response
        .headers_mut()
        .insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// The submission number for a keyed request: the same for the same key, so that even a crash between doing and answering makes one request. It counts
/// among the actor's own only, so that nobody takes it before them.
pub(super) fn submission(headers: &HeaderMap) -> Result<SubmissionId, Failure> {
    Ok(SubmissionId(match key(headers)? {
        Some(key) => Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes()),
        None => Uuid::now_v7(),
    }))
}

/// Longest key that is looked at for a private one, in bytes; every other of that length is refused without being repeated.
const LOOKED_AT: usize = 8_192;

fn key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut keys = headers.get_all(HEADER).iter();
    match (keys.next().map(HeaderValue::to_str), keys.next()) {
        (None, _) => Ok(None),
        (Some(Ok(key)), None) if key.len() <= LOOKED_AT && looks_private(key) => {
            Err(portal::Error::Invalid {
                errors: vec![refusal("Idempotency-Key")],
            }
            .into())
        }
        (Some(Ok(key)), None) if is_key(key) => Ok(Some(key)),
        _ => Err(Failure::field(
            "Idempotency-Key",
            "One Idempotency-Key of 1 to 255 printable ASCII characters without spaces; a UUID is a good one.",
        )),
    }
}

fn is_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// SHA-256 over method, path and body. The order of an object's members is no part of a body; that of an array's elements is.
fn hash(what: &str, body: &impl Serialize) -> Result<[u8; 32], Failure> {
    let body = serde_json::to_value(body).map_err(|error| unwritable(&error))?;
    let mut hash = Sha256::new();
    hash.update(what.as_bytes());
    hash.update([0]);
    hash.update(sorted(body).to_string());
    Ok(hash.finalize().into())
}

/// The same value with every object's members by name. Numbers stay as they were written: canonical JSON (RFC 8785) would take two large ones for the same.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        plain => plain,
    }
}

fn unwritable(error: &serde_json::Error) -> Failure {
    tracing::error!(%error, "a body could not be written as JSON");
    Failure::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong inside Slipway. It was logged.",
    )
}

fn answer<T: Again>(status: StatusCode, value: &T) -> Result<Response, Failure> {
    let body = serde_json::to_string(value).map_err(|error| unwritable(&error))?;
    let response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
    Ok(match value.version() {
        Some(version) => conditional::tagged(version, response),
        None => response,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::hash;

    #[test]
    fn two_bodies_are_one_when_only_the_order_of_members_differs() {
        let of = |body: serde_json::Value| hash("POST /requests", &body).unwrap();
        assert_eq!(
            of(json!({ "a": 1, "b": { "c": [1, 2], "d": null } })),
            of(json!({ "b": { "d": null, "c": [1, 2] }, "a": 1 }))
        );
        let big = 9_007_199_254_740_992_u64;
        for (one, other) in [
            (json!({ "a": [1, 2] }), json!({ "a": [2, 1] })),
            (json!({ "a": big }), json!({ "a": big + 1 })),
            (json!({ "a": null }), json!({})),
            (json!({ "a": "1" }), json!({ "a": 1 })),
        ] {
            assert_ne!(of(one.clone()), of(other.clone()), "{one} {other}");
        }
        assert_ne!(
            hash("POST /stacks/1/start", &()).unwrap(),
            hash("POST /stacks/2/start", &()).unwrap()
        );
    }
}
