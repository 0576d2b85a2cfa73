//! Which Azure errors end a step, which are waited out, and what people read meanwhile.

use azure::{Error, ErrorKind};
use time::Duration;

use super::super::record::Answer;

/// The answer that an error makes.
pub(crate) fn answer_of(error: &Error) -> Answer {
    match error.kind() {
        // Whatever was sent, Azure may have taken it.
        ErrorKind::LostAnswer | ErrorKind::BadAnswer | ErrorKind::ForeignPollUrl => of(error, true),
        ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Unauthorized => of(error, false),
        _ if error.is_retryable() => of(error, false),
        _ => Answer::Refused(Box::new(error.fault())),
    }
}

/// An id or a configuration that no trying again mends.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
pub(crate) fn refused(error: Error) -> Answer {
    Answer::Refused(Box::new(error.fault()))
}

/// An error to be waited out.
pub(crate) fn of(error: &Error, may_have_arrived: bool) -> Answer {
    let after = wait_of(error.retry_after());
    let note = match (error.kind(), after) {
        (ErrorKind::Throttled, Some(after)) => {
            format!("Azure asked to wait {} s.", after.whole_seconds().max(1))
        }
        (ErrorKind::Throttled, None) if error.status().is_none() => {
            "Slipway's own queue of calls to Azure is full, trying again.".to_owned()
        }
        (ErrorKind::Throttled, None) => "Azure asked to wait.".to_owned(),
        (ErrorKind::LostAnswer, _) => {
            "Azure's answer was lost; looking what became of it.".to_owned()
        }
        (ErrorKind::Unauthorized, _) => format!(
            "Azure does not accept Slipway's credentials ({}), trying again.",
            error.code()
        ),
        (ErrorKind::Unavailable, _) => match error.status() {
            Some(status) => format!("Azure answers with an error ({status}), trying again."),
            None => "Azure cannot be reached, trying again.".to_owned(),
        },
        (ErrorKind::Forbidden, _) => format!(
            "Slipway may not read this in Azure ({}), trying again.",
            error.code()
        ),
        (ErrorKind::Conflict, _) => {
            format!(
                "Azure is busy with something else ({}), trying again.",
                error.code()
            )
        }
        _ => format!(
            "Azure's answer cannot be used ({}), trying again.",
            error.code()
        ),
    };
    Answer::Trouble {
        note,
        after,
        may_have_arrived,
    }
}

/// Azure's wish as our kind of duration.
pub(crate) fn wait_of(after: Option<std::time::Duration>) -> Option<Duration> {
    after.and_then(|after| Duration::try_from(after).ok())
}
