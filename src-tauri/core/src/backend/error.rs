//! Why a request has no answer that the session can act on.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use super::response_body::ResponseBody;
use crate::error::{AuthError, ErrorCode};
use crate::obstacle::Obstacle;
use crate::status::{self, class};
use crate::transport::TransportError;
use crate::wire::FetchReply;

/// Why a request has no answer that the session can act on. Every fault passes: none ends a
/// session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendError {
    /// The connection could not be made, or broke before the answer's headers came.
    Unreachable(Obstacle),
    /// The answer did not come in time.
    TimedOut,
    /// The answer's body is larger than this app reads.
    TooLarge,
    /// The answer's body broke off.
    Truncated,
    /// The answer's status says nothing about the session.
    Status(StatusCode),
    /// Somebody else has answered in the backend's place: with a page where data belongs, with a
    /// redirect to another origin, or with a 511.
    Portal,
    /// The answer is a success and does not hold what it should.
    BadAnswer,
    /// Nothing was sent: a value cannot be sent where the profile has it go, such as a line break in a
    /// header or a table in a form.
    Unsendable,
    /// Nothing was sent: the provider that renews the session is another than the one that has begun
    /// it, or there is none any more.
    ProviderMoved,
}

impl BackendError {
    /// Why a request did not get as far as an answer's headers.
    pub(super) fn of_request(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            other => Self::Unreachable(other.obstacle()),
        }
    }

    /// Why a body could not be read to its end.
    pub(super) fn of_body(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Broken | TransportError::Obstacle(_) => Self::Truncated,
        }
    }

    /// The fault of an answer that was read and says nothing that the session can act on.
    pub(super) fn of_answer(status: StatusCode, body: &ResponseBody) -> Self {
        match status.is_success() {
            _ if body.is_anothers() => Self::Portal,
            true => Self::BadAnswer,
            false => Self::Status(status),
        }
    }

    /// What stands between this app and the backend, where the fault is of that kind.
    pub fn obstacle(self) -> Option<Obstacle> {
        match self {
            Self::Unreachable(obstacle) => Some(obstacle),
            Self::TimedOut => Some(Obstacle::TimedOut),
            Self::Truncated => Some(Obstacle::BrokenOff),
            Self::Portal => Some(Obstacle::Portal),
            Self::Status(status) => class(status.as_u16()).obstacle(),
            Self::TooLarge | Self::BadAnswer | Self::Unsendable | Self::ProviderMoved => None,
        }
    }

    fn code(self) -> ErrorCode {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Truncated => ErrorCode::Unreachable,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::Status(status) => class(status.as_u16()).error(),
            // Whether the session ends by it, the session decides: the first time it does not.
            Self::Portal | Self::BadAnswer | Self::ProviderMoved => ErrorCode::BadAnswer,
            Self::Unsendable => ErrorCode::InvalidInput,
        }
    }
}

/// The error of a refused call of the adopter's API that native code has made with a session.
/// The session has not ended: the call would have failed with
/// [`SessionEnded`](ErrorCode::SessionEnded) instead of an answer.
pub fn refusal(reply: &FetchReply) -> AuthError {
    let headers = reply.headers.iter();
    // `Response::headers_for_window` writes it in whole seconds.
    let wait = headers
        .filter(|(name, _)| name == RETRY_AFTER.as_str())
        .find_map(|(_, seconds)| seconds.parse().ok().map(Duration::from_secs));
    let error = match status::api_failure(reply.status) {
        (code, Some(obstacle)) => AuthError::with_message(code, obstacle.sentences()),
        (code, None) => code.into(),
    };
    error.retry_after(wait)
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.obstacle()) {
            (Self::Status(status), Some(obstacle)) => write!(f, "{obstacle} ({status})"),
            (Self::Status(status), None) => write!(f, "the backend answered {status}"),
            (_, Some(obstacle)) => obstacle.fmt(f),
            (Self::TooLarge, None) => f.write_str("the backend's answer is too large"),
            (Self::Unsendable, None) => {
                f.write_str("a value cannot be sent where the profile has it go")
            }
            (Self::ProviderMoved, None) => f.write_str("the provider is another one now"),
            (_, None) => f.write_str("the backend's answer is not what the profile describes"),
        }
    }
}

impl std::error::Error for BackendError {}

impl From<BackendError> for AuthError {
    fn from(fault: BackendError) -> Self {
        match fault.obstacle() {
            Some(obstacle) => Self::with_message(fault.code(), obstacle.sentences()),
            None => Self::new(fault.code()),
        }
    }
}
