//! Why there is no answer to act on.

use reqwest::StatusCode;

use crate::error::{AuthError, ErrorCode};
use crate::transport::TransportError;

/// Why there is no answer to act on. All of these pass: none ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No connection, or it broke.
    #[error("the backend cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the backend did not answer in time")]
    TimedOut,
    /// The body is larger than is read.
    #[error("the answer is too large")]
    TooLarge,
    /// The body broke off.
    #[error("the answer broke off")]
    Truncated,
    /// A status that says nothing about the session.
    #[error("the backend answered {0}")]
    Status(StatusCode),
    /// A success that does not hold what it should.
    #[error("the backend's answer is not understood")]
    BadAnswer,
}

impl Fault {
    /// Why a request did not get as far as an answer's headers.
    pub(super) fn of_request(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Broken => Self::Unreachable,
        }
    }

    /// Why a body could not be read to its end.
    pub(super) fn of_body(error: TransportError) -> Self {
        match error {
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Broken => Self::Truncated,
        }
    }
}

impl From<Fault> for AuthError {
    fn from(fault: Fault) -> Self {
        Self::new(match fault {
            Fault::Unreachable | Fault::TimedOut | Fault::Truncated => ErrorCode::Unreachable,
            Fault::TooLarge => ErrorCode::TooLarge,
            Fault::Status(status) if status == StatusCode::TOO_MANY_REQUESTS => {
                ErrorCode::RateLimited
            }
            Fault::Status(status) if status.is_server_error() => ErrorCode::BackendFault,
            Fault::Status(_) | Fault::BadAnswer => ErrorCode::BadAnswer,
        })
    }
}
