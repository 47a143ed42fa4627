//! What can go wrong, in terms that a person or a page can act on.
//!
//! A code exists only where the UI branches on it. Causes are logged where they happen and never
//! sent to a page. A message is written for a person, by us or by the backend, and holds no secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the UI branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The backend refused what was typed.
    InvalidInput,
    /// The e-mail and the password do not match an account.
    InvalidCredentials,
    /// The account is blocked, or not verified yet.
    AccountBlocked,
    /// The account is locked for a while after too many tries.
    AccountLocked,
    /// An account with this e-mail exists.
    EmailTaken,
    /// The backend asks for a pause; see `retryAfterMs`.
    RateLimited,
    /// This app itself refuses, because it is too early or too much is under way; see
    /// `retryAfterMs`. The backend was not called.
    Busy,
    /// The code is wrong; the challenge stays open.
    OtpInvalid,
    /// The code is too old; start over.
    OtpExpired,
    /// Too many wrong codes; start over.
    OtpTooMany,
    /// No challenge is open.
    NoChallenge,
    /// This needs a signed-in user.
    NotSignedIn,
    /// The backend has ended the session.
    SessionEnded,
    /// The backend refuses a call made with the session, which has not ended.
    SessionRefused,
    /// The session is in a keyring that cannot be read now. The backend was not called.
    KeyringUnread,
    /// No answer from the backend.
    Unreachable,
    /// The backend answered that it has a problem.
    BackendFault,
    /// The backend answered something that the profile does not describe.
    BadAnswer,
    /// The user's roles do not let them do this.
    NotAllowed,
    /// The path is not one that this app may call.
    PathRefused,
    /// The request or the answer is larger than allowed.
    TooLarge,
    /// There is no workspace with that name.
    UnknownWorkspace,
    /// The backend does not offer this, according to its profile.
    Unsupported,
    /// The app is not configured correctly; the message says where and why.
    Misconfigured,
    /// This computer lacks something that the app needs; the message says what it is and what to
    /// do.
    CannotStart,
    /// A bug in this app; the log has the cause.
    Internal,
}

/// The error that a failed command returns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct AuthError {
    /// What the UI branches on.
    pub code: ErrorCode,
    /// For a person to read.
    pub message: String,
    /// How long to wait before the next try, if that is known.
    #[ts(type = "number | null")]
    pub retry_after_ms: Option<u64>,
}

impl AuthError {
    /// An error with our own words for the code.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.message())
    }

    /// An error with other words, for a person to read.
    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    /// The same, with a time to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after_ms = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl From<ErrorCode> for AuthError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl ErrorCode {
    /// Our words, where the backend has none that fit.
    pub fn message(self) -> &'static str {
        match self {
            Self::InvalidInput => "Check what you entered and try again.",
            Self::InvalidCredentials => "The e-mail or the password is not right.",
            Self::AccountBlocked => "This account cannot sign in. Contact the people who run it.",
            Self::AccountLocked => "Too many tries: this account is locked for a while.",
            Self::EmailTaken => "There is already an account with this e-mail.",
            Self::RateLimited => "The server asks to wait before the next try.",
            Self::Busy => "It was tried a moment ago. Wait a little before the next try.",
            Self::OtpInvalid => "That code is not right.",
            Self::OtpExpired => "That code has expired. Sign in again to get a new one.",
            Self::OtpTooMany => "Too many wrong codes. Sign in again to get a new one.",
            Self::NoChallenge => "No code was asked for. Sign in first.",
            Self::NotSignedIn => "Sign in first.",
            Self::SessionEnded => "Your session has ended. Sign in again.",
            Self::SessionRefused => {
                "The server does not accept your session for this, and has not ended it."
            }
            Self::KeyringUnread => "The keyring cannot be read, and it holds your session.",
            Self::Unreachable => "The server cannot be reached. Check your connection.",
            Self::BackendFault => "The server has a problem. Try again in a moment.",
            Self::BadAnswer => {
                "The server gave an answer this app does not understand. Try again in a moment."
            }
            Self::NotAllowed => "Your account may not do this.",
            Self::PathRefused => "This app may not call that address.",
            Self::TooLarge => "That is larger than this app accepts.",
            Self::UnknownWorkspace => "There is no workspace of that name.",
            Self::Unsupported => "The server does not offer this.",
            Self::Misconfigured => "The settings of this app are not valid.",
            Self::CannotStart => "The app cannot start.",
            Self::Internal => "Something went wrong in the app. Its log says more.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_crosses_as_code_message_and_wait() {
        let error =
            AuthError::new(ErrorCode::RateLimited).retry_after(Some(Duration::from_secs(2)));
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            serde_json::json!({
                "code": "rate_limited",
                "message": ErrorCode::RateLimited.message(),
                "retryAfterMs": 2000,
            })
        );
    }
}
