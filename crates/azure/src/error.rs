//! What went wrong, whole: Azure's code, message, details, policy violations and ids, and a kind to decide by.
//!
//! Reading bodies lives in [`body`]; how much of their text is kept, and in which form, in [`text`]; what a code means to a person lives in `explain.rs`.

use std::fmt;
use std::time::Duration;

use types::fault::AzureFault;
pub use types::fault::{PolicyExpression, PolicyViolation};

use crate::explain::explain;

pub(crate) mod body;
mod text;

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// An Azure error. `Display` is one line for a log; [`Error::fault`] is what a page shows.
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq)]
struct Inner {
    kind: ErrorKind,
    status: Option<u16>,
    detail: Detail,
    request_id: Option<String>,
    correlation_id: Option<String>,
    retry_after: Option<Duration>,
}

/// What a caller can decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was configured wrongly.
    Config,
    /// 404: it, or the thing it stands in, does not exist.
    NotFound,
    /// 409 or 412: something else is going on, or it is in the wrong state; see the code.
    Conflict,
    /// 429: too many calls; see [`Error::retry_after`].
    Throttled,
    /// The credential was not accepted, by the authority or by ARM.
    Unauthorized,
    /// The identity may not do this.
    Forbidden,
    /// An Azure Policy assignment forbids it; see [`Error::policy`].
    Policy,
    /// A quota or a limit would be exceeded.
    Quota,
    /// Azure has no capacity, or the subscription may not use this size there.
    Capacity,
    /// A management lock stands in the way.
    Locked,
    /// The request makes no sense, here or to Azure.
    Invalid,
    /// Azure could not be reached, did not answer in time, or answered 5xx. The call did not change anything, or was a read.
    Unavailable,
    /// A write was sent and no answer came: it may have been done. Ask for the resource before doing it again.
    LostAnswer,
    /// Azure gave a poll or page address at another origin than the configured endpoint. Nothing was sent there.
    ForeignPollUrl,
    /// An answer that this client cannot read.
    BadAnswer,
    /// The operation was accepted and failed; see the details.
    Failed,
}

/// An error or one inside it, with its inner errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail {
    /// Azure's code.
    pub code: String,
    /// Azure's message, as much of it as is kept.
    pub message: String,
    /// What it is about.
    pub target: Option<String>,
    /// Inner errors; errors that Azure nested as JSON text are unwrapped.
    pub details: Vec<Detail>,
    /// Violations of Azure Policy, one per assignment.
    pub policy: Vec<PolicyViolation>,
}

impl Error {
    /// What a caller can decide by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Azure's outermost code, or this crate's own where Azure gave none.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.detail.code
    }

    /// The outermost message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.detail.message
    }

    /// What it is about.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.0.detail.target.as_deref()
    }

    /// The error with its inner errors.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        &self.0.detail
    }

    /// The error that says the most: deployments wrap the cause in `DeploymentFailed` and the like; this is the first innermost one.
    #[must_use]
    pub fn cause(&self) -> &Detail {
        self.0.detail.innermost()
    }

    /// Every policy violation, wherever it is nested.
    #[must_use]
    pub fn policy(&self) -> Vec<&PolicyViolation> {
        let mut found = Vec::new();
        self.0
            .detail
            .visit(&mut |detail| found.extend(&detail.policy));
        found
    }

    /// Whether this code occurs in the error or inside it, without regard to case.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        let mut found = false;
        self.0
            .detail
            .visit(&mut |detail| found |= detail.code.eq_ignore_ascii_case(code));
        found
    }

    /// `x-ms-request-id`, which Microsoft's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// `x-ms-correlation-request-id`, which the activity log is searched by.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// How long Azure asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may work later without anybody changing anything. `LostAnswer` is not: ask for the resource first.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Throttled | ErrorKind::Unavailable => true,
            ErrorKind::Conflict => {
                [
                    "RetryableError",
                    "RetryableErrorDueToAnotherOperation",
                    "AnotherOperationInProgress",
                    "OperationPreempted",
                    "DeploymentActive",
                    "CanceledAndSupersededDueToAnotherOperation",
                ]
                .iter()
                .any(|code| self.has_code(code))
                    || self.is_busy()
            }
            _ => false,
        }
    }

    /// Whether the resource is no longer as it was read, or another write won the race for it: 412, or a code of AKS for the same. A call that carried
    /// a condition must read again before it is sent once more.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.0.status == Some(412) || LOST_RACES.iter().any(|code| self.has_code(code))
    }

    /// AKS and others say "busy" with a code that also means "never": only the text tells. Codes that mean nothing else need no text.
    fn is_busy(&self) -> bool {
        let mut busy = LOST_RACES.iter().any(|code| self.has_code(code));
        self.0.detail.visit(&mut |detail| {
            let text = detail.message.to_ascii_lowercase();
            busy |= detail.code.eq_ignore_ascii_case("OperationNotAllowed")
                && ["in progress", "in-progress", "pending operation"]
                    .iter()
                    .any(|words| text.contains(words));
        });
        busy
    }

    /// The whole error as a page shows it, each level with what it means.
    #[must_use]
    pub fn fault(&self) -> AzureFault {
        let mut fault = self.0.detail.fault();
        fault.status = self.0.status;
        fault.request_id.clone_from(&self.0.request_id);
        fault.correlation_id.clone_from(&self.0.correlation_id);
        if fault.explanation.is_none() {
            fault.explanation = explain(&self.cause().code).map(str::to_owned);
        }
        fault
    }

    /// An operation that Azure accepted and that ended badly.
    pub(crate) fn failed(detail: Detail) -> Self {
        let kind = match kind_of(None, &detail) {
            ErrorKind::BadAnswer => ErrorKind::Failed,
            kind => kind,
        };
        Self::of(kind, None, detail)
    }

    /// An answer with an error status.
    pub(crate) fn answer(status: u16, detail: Detail) -> Self {
        Self::of(kind_of(Some(status), &detail), Some(status), detail)
    }

    pub(crate) fn new(kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self::of(
            kind,
            None,
            Detail {
                code: code.to_owned(),
                message: message.into(),
                ..Detail::default()
            },
        )
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, "Configuration", message)
    }

    pub(crate) fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    pub(crate) fn bad_answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadAnswer, "UnreadableAnswer", message)
    }

    pub(crate) fn with_ids(mut self, request: Option<String>, correlation: Option<String>) -> Self {
        self.0.request_id = self.0.request_id.or_else(|| request.and_then(text::id));
        self.0.correlation_id = self
            .0
            .correlation_id
            .or_else(|| correlation.and_then(text::id));
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// `from` with another detail, as a lost answer; ids and status stay.
    pub(crate) fn lost_with(from: Self, detail: Detail) -> Self {
        let mut error = from;
        error.0.kind = ErrorKind::LostAnswer;
        error.0.detail = text::bounded(detail);
        error
    }

    fn of(kind: ErrorKind, status: Option<u16>, detail: Detail) -> Self {
        Self(Box::new(Inner {
            kind,
            status,
            detail: text::bounded(detail),
            request_id: None,
            correlation_id: None,
            retry_after: None,
        }))
    }
}

impl Detail {
    /// The first innermost error that has a code.
    #[must_use]
    pub fn innermost(&self) -> &Detail {
        match self.details.first() {
            Some(inner) => inner.innermost(),
            None => self,
        }
    }

    fn visit<'a>(&'a self, f: &mut impl FnMut(&'a Detail)) {
        f(self);
        for inner in &self.details {
            inner.visit(f);
        }
    }

    fn fault(&self) -> AzureFault {
        AzureFault {
            status: None,
            code: self.code.clone(),
            message: self.message.clone(),
            target: self.target.clone(),
            details: self.details.iter().map(Detail::fault).collect(),
            policy: self.policy.clone(),
            explanation: explain(&self.code).map(str::to_owned),
            request_id: None,
            correlation_id: None,
        }
    }
}

/// What AKS says to a write that another one overtook, whether or not the client sent a condition.
///
/// - `EtagMismatch`: 409 with "Operation is not allowed: Another operation is in progress"
///   (<https://github.com/Azure/terraform-azurerm-aks/issues/604>, comment of 2024-11-15, read 2026-11-27);
/// - `OriginalEtagNotExpect`: the end of an operation that was accepted, "preempted by Deleting operation"
///   (<https://github.com/kaito-project/kaito/issues/2075>, 2026-05-30, read 2026-11-27).
const LOST_RACES: [&str; 2] = ["EtagMismatch", "OriginalEtagNotExpect"];

/// The kind follows from the codes first: AKS and the deployment engine send the same cause under different statuses.
fn kind_of(status: Option<u16>, detail: &Detail) -> ErrorKind {
    let mut kind = None;
    detail.visit(&mut |inner| {
        let known = match inner.code.as_str() {
            "RequestDisallowedByPolicy" => Some(ErrorKind::Policy),
            "QuotaExceeded"
            | "ResourceQuotaExceeded"
            | "DeploymentQuotaExceeded"
            | "ErrCode_InsufficientVCPUQuota"
            | "InsufficientVCPUQuota"
            | "PublicIPCountLimitReached" => Some(ErrorKind::Quota),
            // One code for two things: quota on virtual machines, "busy" elsewhere. Only the text tells.
            "OperationNotAllowed" if inner.message.contains("quota") => Some(ErrorKind::Quota),
            "SkuNotAvailable"
            | "NotAvailableForSubscription"
            | "AllocationFailed"
            | "ZonalAllocationFailed"
            | "OverconstrainedAllocationRequest"
            | "OverconstrainedZonalAllocationRequest" => Some(ErrorKind::Capacity),
            "ScopeLocked" => Some(ErrorKind::Locked),
            // A subscription that is not there is one that Slipway may not see: nothing in it is gone.
            "AuthorizationFailed" | "LinkedAuthorizationFailed" | "SubscriptionNotFound" => {
                Some(ErrorKind::Forbidden)
            }
            "TooManyRequests"
            | "SubscriptionRequestsThrottled"
            | "ResourceRequestsThrottled"
            | "ResourceCollectionRequestsThrottled" => Some(ErrorKind::Throttled),
            "RetryableError"
            | "RetryableErrorDueToAnotherOperation"
            | "AnotherOperationInProgress" => Some(ErrorKind::Conflict),
            code if LOST_RACES.contains(&code) => Some(ErrorKind::Conflict),
            _ => None,
        };
        kind = kind.or(known);
    });
    kind.unwrap_or(match status {
        Some(404) if tells_absence(&detail.code) => ErrorKind::NotFound,
        // A page of a proxy, a wrong path, a version or type that is not served.
        Some(404) if detail.code == "Http404" => ErrorKind::BadAnswer,
        Some(409 | 412) => ErrorKind::Conflict,
        Some(429) => ErrorKind::Throttled,
        Some(401) => ErrorKind::Unauthorized,
        Some(403) => ErrorKind::Forbidden,
        Some(408 | 500..=599) => ErrorKind::Unavailable,
        Some(400..=499) => ErrorKind::Invalid,
        _ => ErrorKind::BadAnswer,
    })
}

/// Whether a 404 with this code says that what was asked for is not there. `""`: a 404 without a body, as for a forgotten operation.
fn tells_absence(code: &str) -> bool {
    code.is_empty() || code.ends_with("NotFound") || code == "RoleDefinitionDoesNotExist"
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &self.0.detail;
        write!(f, "{}: {}", detail.code, detail.message)?;
        let cause = self.cause();
        if !std::ptr::eq(cause, detail) {
            write!(f, " (cause: {}: {})", cause.code, cause.message)?;
        }
        if let Some(status) = self.0.status {
            write!(f, " [status {status}]")?;
        }
        if let Some(id) = &self.0.request_id {
            write!(f, " [request {id}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("status", &self.0.status)
            .field("detail", &self.0.detail)
            .field("request_id", &self.0.request_id)
            .field("correlation_id", &self.0.correlation_id)
            .field("retry_after", &self.0.retry_after)
            .finish()
    }
}

impl std::error::Error for Error {}
