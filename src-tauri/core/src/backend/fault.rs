//! Why there is no answer to act on.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use super::body::Body;
use crate::error::{AuthError, ErrorCode};
use crate::obstacle::Obstacle;
use crate::transport::TransportError;
use crate::wire::FetchReply;

/// Why there is no answer to act on. All of these pass: none ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection, or it broke, before there was an answer.
    Unreachable(Obstacle),
    /// No answer in time.
    TimedOut,
    /// The body is larger than is read.
    TooLarge,
    /// The body broke off.
    Truncated,
    /// A status that says nothing about the session.
    Status(StatusCode),
    /// Somebody else has answered in the backend's place: with a page where data belongs, or by
    /// leading to another origin.
    Portal,
    /// A success that does not hold what it should.
    BadAnswer,
}

impl Fault {
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

    /// What an answer of this status comes to that holds nothing to act on.
    pub(super) fn of_answer(status: StatusCode, body: &Body) -> Self {
        match status.is_success() {
            _ if body.is_anothers() => Self::Portal,
            true => Self::BadAnswer,
            false => Self::Status(status),
        }
    }

    /// What stands between this app and the backend, if that is what it is.
    pub fn obstacle(self) -> Option<Obstacle> {
        match self {
            Self::Unreachable(obstacle) => Some(obstacle),
            Self::TimedOut => Some(Obstacle::TimedOut),
            Self::Truncated => Some(Obstacle::BrokenOff),
            Self::Portal => Some(Obstacle::Portal),
            Self::Status(status) => match status.as_u16() {
                // RFC 6585 §6: an intercepting proxy wants somebody to sign in.
                511 => Some(Obstacle::Portal),
                503 => Some(Obstacle::Maintenance),
                502 | 504 => Some(Obstacle::Gateway),
                _ => None,
            },
            Self::TooLarge | Self::BadAnswer => None,
        }
    }

    fn code(self) -> ErrorCode {
        match self {
            Self::Unreachable(_) | Self::TimedOut | Self::Truncated => ErrorCode::Unreachable,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::Status(status) if status == StatusCode::TOO_MANY_REQUESTS => {
                ErrorCode::RateLimited
            }
            Self::Status(status) if status.as_u16() == 511 => ErrorCode::BadAnswer,
            Self::Status(status) if status.is_server_error() => ErrorCode::BackendFault,
            Self::Status(_) | Self::Portal | Self::BadAnswer => ErrorCode::BadAnswer,
        }
    }
}

/// What a refused call to the adopter's API means, made with a session. The session has not
/// ended: that would have been told in the place of this answer.
pub fn refusal(reply: &FetchReply) -> AuthError {
    let headers = reply.headers.iter();
    // In whole seconds, as it was read: see `Head::headers_for_window`.
    let wait = headers
        .filter(|(name, _)| name == RETRY_AFTER.as_str())
        .find_map(|(_, seconds)| seconds.parse().ok().map(Duration::from_secs));
    let error = match StatusCode::from_u16(reply.status) {
        Ok(StatusCode::UNAUTHORIZED) => ErrorCode::SessionRefused.into(),
        Ok(StatusCode::FORBIDDEN) => ErrorCode::NotAllowed.into(),
        Ok(StatusCode::NOT_FOUND) => ErrorCode::Unsupported.into(),
        Ok(status) => AuthError::from(Fault::Status(status)),
        Err(_) => ErrorCode::BadAnswer.into(),
    };
    error.retry_after(wait)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.obstacle()) {
            (Self::Status(status), Some(obstacle)) => write!(f, "{obstacle} ({status})"),
            (Self::Status(status), None) => write!(f, "the backend answered {status}"),
            (_, Some(obstacle)) => obstacle.fmt(f),
            (Self::TooLarge, None) => f.write_str("the answer is too large"),
            (_, None) => f.write_str("the backend's answer is not understood"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for AuthError {
    fn from(fault: Fault) -> Self {
        match fault.obstacle() {
            Some(obstacle) => Self::with_message(fault.code(), obstacle.sentences()),
            None => Self::new(fault.code()),
        }
    }
}
