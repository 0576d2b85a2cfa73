//! What Azure does after it said "accepted": a state that can be stored, and one poll of it. Waiting is the caller's.
//!
//! Contract: Azure Resource Manager RPC v1.0, `async-api-reference.md`. `Azure-AsyncOperation` is preferred, then `Location`, then the
//! `provisioningState` of the resource; after a PUT or PATCH the answer is a GET of the resource.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use crate::Arm;
use crate::error::{Detail, Error, ErrorKind, Result, body};
use crate::transport::{Answer, Call, CallKind};

/// What a write returned.
#[derive(Debug, Clone, PartialEq)]
pub enum Started {
    /// It is done; the body, or null when there was none.
    Done(Value),
    /// Azure accepted it and works on it. Store the state, then poll.
    Running(LongRunning),
}

/// An accepted operation. Serialise and store it before the first poll: any process can then finish it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongRunning {
    /// The resource that was written, with its `api-version`.
    pub resource_url: Url,
    /// How it was written.
    pub method: Verb,
    /// Where to ask.
    pub poll: PollUrl,
    /// Seconds that Azure asked to wait before the first poll.
    pub retry_after: Option<u64>,
    /// When Azure accepted it.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// `x-ms-request-id` of the acceptance.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id` of the acceptance.
    pub correlation_id: Option<String>,
}

/// The method of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Created or replaced.
    Put,
    /// Changed.
    Patch,
    /// An action.
    Post,
    /// Deleted.
    Delete,
}

/// Where to ask how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollUrl {
    /// Which of Azure's three ways.
    pub kind: PollKind,
    /// The address as Azure gave it, several kilobytes at times; it is sent back unchanged.
    pub url: Url,
}

/// Azure's three ways to tell how far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PollKind {
    /// `Azure-AsyncOperation`: a status document.
    AsyncOperation,
    /// `Location`: 202 until the answer is there.
    Location,
    /// The resource itself, by its `provisioningState`.
    ProvisioningState,
}

/// What one poll found.
#[derive(Debug, Clone)]
pub enum Poll {
    /// Still going on.
    Running {
        /// Azure's word for the state, such as `InProgress`.
        state: String,
        /// How long to wait before the next poll: what Azure asked for, and longer where many calls wait for their turn.
        retry_after: Option<Duration>,
        /// How far, where Azure says.
        percent: Option<f64>,
    },
    /// Done. After a PUT or PATCH the resource; else what the operation returned, or null.
    Succeeded(Value),
    /// It ended badly.
    Failed(Error),
    /// Somebody cancelled it.
    Canceled,
}

impl Arm {
    /// Asks once how far an operation is.
    ///
    /// # Errors
    /// An `Err` says that the state could not be read, not that the operation failed: poll again when it [`Error::is_retryable`].
    /// [`ErrorKind::ForeignPollUrl`] when the stored address is not at the configured endpoint; [`ErrorKind::NotFound`] when Azure has forgotten
    /// the operation or the resource is gone: ask for the resource.
    pub async fn poll(&self, operation: &LongRunning) -> Result<Poll> {
        let call = Call::get(operation.poll.url.clone(), CallKind::Poll);
        let mut poll = self.ask(operation, call.clone()).await?;
        if let Poll::Running { retry_after, .. } = &mut poll {
            // Where hundreds poll, each of them polls less often.
            let crowd = self.transport().crowd(&call);
            *retry_after = (*retry_after).max((!crowd.is_zero()).then_some(crowd));
        }
        Ok(poll)
    }

    async fn ask(&self, operation: &LongRunning, call: Call) -> Result<Poll> {
        match operation.poll.kind {
            PollKind::AsyncOperation => {
                let answer = self.transport().send(call).await?;
                self.status_document(operation, answer).await
            }
            PollKind::Location => match self.transport().send(call).await {
                Ok(answer) => self.location(operation, answer).await,
                // After a DELETE the synchronous answer may be "it is not there".
                Err(error)
                    if error.kind() == ErrorKind::NotFound && operation.method == Verb::Delete =>
                {
                    Ok(Poll::Succeeded(Value::Null))
                }
                Err(error) => location_failed(error),
            },
            PollKind::ProvisioningState => match self.transport().send(call).await {
                Ok(answer) => Ok(by_provisioning_state(&answer)),
                Err(error)
                    if error.kind() == ErrorKind::NotFound && operation.method == Verb::Delete =>
                {
                    Ok(Poll::Succeeded(Value::Null))
                }
                Err(error) => Err(error),
            },
        }
    }

    /// `{"status": …}`: always 200; only the three terminal words end it.
    async fn status_document(&self, operation: &LongRunning, answer: Answer) -> Result<Poll> {
        let status = answer
            .body
            .get("status")
            .and_then(Value::as_str)
            .or_else(|| provisioning_state(&answer.body))
            .map(str::to_owned);
        let status = match status {
            Some(status) => status,
            None if answer.status == 202 => "InProgress".to_owned(),
            // Silence is no success.
            None => {
                return Err(Error::bad_answer(
                    "Azure's answer about an operation does not say how far it is.",
                ));
            }
        };
        match State::of(&status) {
            State::Running => Ok(Poll::Running {
                retry_after: answer.retry_after,
                percent: answer.body.get("percentComplete").and_then(Value::as_f64),
                state: status,
            }),
            State::Canceled => Ok(Poll::Canceled),
            State::Failed => Ok(Poll::Failed(failure_of(operation, &answer))),
            State::Succeeded => self.outcome(operation, answer.body).await,
        }
    }

    async fn location(&self, operation: &LongRunning, answer: Answer) -> Result<Poll> {
        if answer.status == 202 {
            return Ok(Poll::Running {
                state: "InProgress".to_owned(),
                retry_after: answer.retry_after,
                percent: None,
            });
        }
        // What-if answers 200 with a status document; others with the resource, which may still be on its way.
        let status = answer
            .body
            .get("status")
            .and_then(Value::as_str)
            .or_else(|| provisioning_state(&answer.body))
            .unwrap_or("Succeeded")
            .to_owned();
        match State::of(&status) {
            State::Canceled => Ok(Poll::Canceled),
            State::Failed => Ok(Poll::Failed(failure_of(operation, &answer))),
            State::Running => Ok(Poll::Running {
                retry_after: answer.retry_after,
                percent: None,
                state: status,
            }),
            State::Succeeded => self.outcome(operation, answer.body).await,
        }
    }

    async fn outcome(&self, operation: &LongRunning, body: Value) -> Result<Poll> {
        if !matches!(operation.method, Verb::Put | Verb::Patch) {
            return Ok(Poll::Succeeded(body));
        }
        let call = Call::get(operation.resource_url.clone(), CallKind::Read);
        let answer = self.transport().send(call).await?;
        Ok(match by_provisioning_state(&answer) {
            // Ended well, and yet the resource is what failed: its own words are the better ones.
            Poll::Failed(_) => Poll::Failed(failure_of(operation, &answer)),
            // What it became is being changed again, by somebody else: this operation is over.
            _ => Poll::Succeeded(answer.body),
        })
    }
}

/// Turns a write's answer into what the caller gets.
pub(crate) fn started(
    transport: &crate::transport::Transport,
    url: Url,
    method: Verb,
    answer: Answer,
) -> Result<Started> {
    let state = provisioning_state(&answer.body).map(State::of);
    let busy = answer.status == 202 || state == Some(State::Running);
    let header = answer
        .async_operation
        .as_ref()
        .map(|url| (PollKind::AsyncOperation, url))
        .or_else(|| {
            // 201 + Location is where the resource is, not where to poll: only 202 makes it a poll address.
            answer
                .location
                .as_ref()
                .filter(|_| answer.status == 202)
                .map(|url| (PollKind::Location, url))
        });
    let poll = match header {
        // A header on an answer that is already final is left over: nothing to wait for.
        Some(_) if answer.status == 200 && state.is_some_and(|state| state != State::Running) => {
            None
        }
        Some((kind, text)) => Some(PollUrl {
            kind,
            url: transport.own_url(text)?,
        }),
        None if busy => Some(PollUrl {
            kind: PollKind::ProvisioningState,
            url: url.clone(),
        }),
        None => None,
    };
    let Some(poll) = poll else {
        return match state {
            Some(State::Failed) => Err(failure(&answer)),
            _ => Ok(Started::Done(answer.body)),
        };
    };
    Ok(Started::Running(LongRunning {
        resource_url: url,
        method,
        poll,
        retry_after: answer.retry_after.map(|wait| wait.as_secs()),
        started_at: OffsetDateTime::now_utc(),
        request_id: answer.request_id,
        correlation_id: answer.correlation_id,
    }))
}

fn by_provisioning_state(answer: &Answer) -> Poll {
    let word = provisioning_state(&answer.body).unwrap_or("Succeeded");
    match State::of(word) {
        State::Running => Poll::Running {
            state: word.to_owned(),
            retry_after: answer.retry_after,
            percent: None,
        },
        State::Succeeded => Poll::Succeeded(answer.body.clone()),
        State::Failed => Poll::Failed(failure(answer)),
        State::Canceled => Poll::Canceled,
    }
}

/// A `Location` answers with what the synchronous call would have answered, so a refusal there is the operation's end; trouble on the way is not.
fn location_failed(error: Error) -> Result<Poll> {
    match error.kind() {
        ErrorKind::Unavailable
        | ErrorKind::Throttled
        | ErrorKind::Unauthorized
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::ForeignPollUrl
        | ErrorKind::BadAnswer
        | ErrorKind::Config => Err(error),
        _ if error.is_retryable() => Err(error),
        _ => Ok(Poll::Failed(error)),
    }
}

fn failure(answer: &Answer) -> Error {
    Error::failed(failure_detail(answer))
        .with_ids(answer.request_id.clone(), answer.correlation_id.clone())
}

fn failure_detail(answer: &Answer) -> Detail {
    let properties = answer.body.get("properties");
    body::from_value(&answer.body)
        .or_else(|| properties.and_then(body::from_value))
        .unwrap_or_else(|| Detail {
            code: "OperationFailed".to_owned(),
            message: "Azure says that the operation failed and gives no reason.".to_owned(),
            ..Detail::default()
        })
}

/// Its failure, under the ids of the request that began it: those are what the activity log and Microsoft's support know.
fn failure_of(operation: &LongRunning, answer: &Answer) -> Error {
    let ids = (
        operation
            .request_id
            .clone()
            .or_else(|| answer.request_id.clone()),
        operation
            .correlation_id
            .clone()
            .or_else(|| answer.correlation_id.clone()),
    );
    Error::failed(failure_detail(answer)).with_ids(ids.0, ids.1)
}

fn provisioning_state(body: &Value) -> Option<&str> {
    body.get("properties")?.get("provisioningState")?.as_str()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Succeeded,
    Failed,
    Canceled,
}

impl State {
    /// Terminal words are exactly these three (and the British spelling that some providers use); everything else is on its way.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" | "cancelled" => Self::Canceled,
            _ => Self::Running,
        }
    }
}
