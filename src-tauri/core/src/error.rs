//! What can go wrong, and the one sentence in which the app says so.
//!
//! Every sentence is written here or by the place that finds the failure, and the page shows it as
//! it is. The cause is logged where it happens and never sent to the page. A message holds no
//! secret.

use std::time::Duration;

use serde::Serialize;
use ts_rs::TS;

/// Which failure it is. The core and the doctor tell all of them apart; a page hears only the
/// [`PageCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The backend does not accept what was typed.
    InvalidInput,
    /// The e-mail and the password do not belong together.
    InvalidCredentials,
    /// The account is blocked or not verified yet.
    AccountBlocked,
    /// The account is locked for a while after too many tries.
    AccountLocked,
    /// An account with this e-mail exists already.
    EmailTaken,
    /// The backend asks the app to wait; see `retry_after_ms`.
    RateLimited,
    /// The app itself refuses, because this comes too soon or is too much at once; see
    /// `retry_after_ms`. Nothing was sent to the backend.
    Busy,
    /// The one-time code is wrong. The challenge still stands.
    OtpInvalid,
    /// The one-time code is too old, or was tried too often. The challenge still stands: another code
    /// can be sent.
    OtpSpent,
    /// The one-time code is too old. The challenge is over.
    OtpExpired,
    /// Too many wrong codes were entered. The challenge is over.
    OtpTooMany,
    /// There is no challenge that a code could answer.
    NoChallenge,
    /// The sign-in by the browser was given up in the app, or replaced by another sign-in.
    BrowserSignInOver,
    /// The provider has refused a sign-in by the browser, or the person has refused it there. The
    /// message says which.
    BrowserSignInRefused,
    /// Nobody is signed in.
    NotSignedIn,
    /// The backend has ended the session.
    SessionEnded,
    /// The backend refuses this call, but the session has not ended.
    SessionRefused,
    /// The session's token is in a keyring that cannot be read now. Nothing was sent to the
    /// backend.
    KeyringUnread,
    /// The backend did not answer.
    Unreachable,
    /// The backend answered with an error of its own (5xx).
    BackendFault,
    /// The backend's answer is not one that the profile describes.
    BadAnswer,
    /// The user's roles do not allow it.
    NotAllowed,
    /// The profile does not list this path as one that the app may call.
    PathRefused,
    /// The request or the answer is larger than allowed.
    TooLarge,
    /// The window shows no account: nobody has chosen one, or it was removed.
    NoAccount,
    /// There is no account of that id.
    UnknownAccount,
    /// The list of sessions, as it was last read, has no entry of that id.
    UnknownSession,
    /// There are as many accounts as this app allows.
    TooManyAccounts,
    /// There is no workspace of that name.
    UnknownWorkspace,
    /// The profile says that the backend does not offer this.
    Unsupported,
    /// A setting is not valid. The message says which one and why.
    Misconfigured,
    /// The computer lacks something that the app needs. The message says what, and what to do.
    CannotStart,
    /// A fault of this app. The log has the cause.
    Internal,
}

/// What a page does something different for. Everything else is `other`: the page shows the
/// message and does nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "ErrorCode")]
pub enum PageCode {
    /// The sign-in form clears the password.
    InvalidCredentials,
    /// The registration form puts the focus in the e-mail field.
    EmailTaken,
    /// The button to try again says that the server asks to wait.
    RateLimited,
    /// The page may repeat the call by itself after `retryAfterMs`.
    Busy,
    /// The code's field is cleared.
    OtpInvalid,
    /// The page leads back to the sign-in form.
    ChallengeOver,
    /// The page says nothing: the person has given up the sign-in, or begun another.
    BrowserSignInOver,
    /// A part of a page whose path the app may not call is left out.
    PathRefused,
    /// A part of a page that the backend does not offer is left out.
    Unsupported,
    /// The window lets its user choose an account.
    NoAccount,
    /// The window shows what is wrong with the settings.
    Misconfigured,
    /// The window shows what keeps the app from starting.
    CannotStart,
    /// The page says that something went wrong inside the app; the message is for developers.
    Internal,
    /// The page shows the message.
    Other,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(into = "PageError")]
#[error("{message}")]
pub struct AuthError {
    /// Which failure it is.
    pub code: ErrorCode,
    /// For a person to read.
    pub message: String,
    /// How long to wait before the next try, if that is known.
    pub retry_after_ms: Option<u64>,
}

/// What a failed command answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "AuthError")]
pub struct PageError {
    /// What the page branches on.
    pub code: PageCode,
    /// The HTTP status that Better Auth's client reports for this failure.
    pub status: u16,
    /// For a person to read.
    pub message: String,
    /// How long to wait before the next try, if that is known.
    #[ts(type = "number | null")]
    pub retry_after_ms: Option<u64>,
}

impl From<AuthError> for PageError {
    fn from(error: AuthError) -> Self {
        Self {
            code: error.code.for_page(),
            status: error.code.status(),
            message: error.message,
            retry_after_ms: error.retry_after_ms,
        }
    }
}

impl AuthError {
    /// An error with the message of `code`.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.message())
    }

    /// An error with another message for a person to read, which says more than that of `code`.
    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    /// The same error with a time to wait.
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
    /// What happened and what a person can do about it, for the places that know nothing more
    /// precise.
    pub fn message(self) -> &'static str {
        match self {
            Self::InvalidInput => "Something in the form was not accepted. Check it and try again.",
            Self::InvalidCredentials => {
                "That e-mail and password do not match. Check both and try again."
            }
            Self::AccountBlocked => "This account may not sign in. Ask the server's operator.",
            Self::AccountLocked => {
                "This account is locked after too many tries. Wait a while, then try again."
            }
            Self::EmailTaken => "There is already an account with this address. Sign in instead.",
            Self::RateLimited => {
                "The server asks to wait before the next try. Try again when the time is up."
            }
            Self::Busy => "This was tried a moment ago. Wait a little before the next try.",
            Self::OtpInvalid => "That code is not right. Check it and type it again.",
            Self::OtpSpent => {
                "That code is not valid any more. Have a new one sent, and type that one."
            }
            Self::OtpExpired => "The code has expired. Sign in again to get a new one.",
            Self::OtpTooMany => "Too many wrong codes. Sign in again to get a new one.",
            Self::NoChallenge => "No code is being asked for any more. Sign in again.",
            Self::BrowserSignInOver => "That sign-in is over. Start again.",
            Self::BrowserSignInRefused => {
                "The sign-in was not completed in the browser. Try again, or ask the operator of the \
                 account that you sign in with."
            }
            Self::NotSignedIn => "Nobody is signed in. Sign in, then try again.",
            Self::SessionEnded => "Your session has ended. Sign in again.",
            Self::SessionRefused => {
                "The server does not accept your session for this. You stay signed in. Try again \
                 in a moment. If that does not help, sign out and in again."
            }
            Self::KeyringUnread => {
                "The keyring that holds your session cannot be read. Unlock it, then try again."
            }
            Self::Unreachable => {
                "The server cannot be reached. Check your connection and try again."
            }
            Self::BackendFault => {
                "The server had a problem. Nothing is lost. Try again in a moment."
            }
            Self::BadAnswer => {
                "The server sent something this app does not understand. Try again in a moment."
            }
            Self::NotAllowed => {
                "Your account may not do this, the server says. If it should, ask the server's \
                 operator."
            }
            Self::PathRefused => {
                "This app is not set up to ask the server for that. If it should be, ask the \
                 makers of this app."
            }
            Self::TooLarge => "That is more than this app takes at once. Try it with less.",
            Self::NoAccount => "Choose an account first.",
            Self::UnknownAccount => "That account is not on this computer any more.",
            Self::UnknownSession => {
                "That session is not in the list any more. Load the list again."
            }
            Self::TooManyAccounts => {
                "There are as many accounts as this app can keep. Remove one to add another."
            }
            Self::UnknownWorkspace => {
                "That workspace is not on this computer any more. Add it again to use it."
            }
            // Nothing that the person could do would help.
            Self::Unsupported => "The server does not offer this.",
            Self::Misconfigured => {
                "The settings of this app are not valid. Ask the makers of this app, or the \
                 administrator of this computer."
            }
            Self::CannotStart => "The app cannot start. Restart the computer, then try again.",
            Self::Internal => "Something went wrong inside the app. Try again, or restart it.",
        }
    }

    /// What the page hears of it.
    fn for_page(self) -> PageCode {
        match self {
            Self::InvalidCredentials => PageCode::InvalidCredentials,
            Self::EmailTaken => PageCode::EmailTaken,
            Self::RateLimited => PageCode::RateLimited,
            Self::Busy => PageCode::Busy,
            Self::OtpInvalid | Self::OtpSpent => PageCode::OtpInvalid,
            Self::OtpExpired | Self::OtpTooMany | Self::NoChallenge => PageCode::ChallengeOver,
            Self::BrowserSignInOver => PageCode::BrowserSignInOver,
            Self::PathRefused => PageCode::PathRefused,
            Self::Unsupported => PageCode::Unsupported,
            Self::NoAccount => PageCode::NoAccount,
            Self::Misconfigured => PageCode::Misconfigured,
            Self::CannotStart => PageCode::CannotStart,
            Self::Internal => PageCode::Internal,
            Self::InvalidInput
            | Self::AccountBlocked
            | Self::AccountLocked
            | Self::BrowserSignInRefused
            | Self::NotSignedIn
            | Self::SessionEnded
            | Self::SessionRefused
            | Self::KeyringUnread
            | Self::Unreachable
            | Self::BackendFault
            | Self::BadAnswer
            | Self::NotAllowed
            | Self::TooLarge
            | Self::UnknownAccount
            | Self::UnknownSession
            | Self::TooManyAccounts
            | Self::UnknownWorkspace => PageCode::Other,
        }
    }

    /// The HTTP status for Better Auth's client, which tells failures apart by status.
    fn status(self) -> u16 {
        match self {
            Self::OtpInvalid | Self::OtpSpent => 400,
            Self::InvalidCredentials
            | Self::NotSignedIn
            | Self::SessionEnded
            | Self::SessionRefused => 401,
            Self::AccountBlocked
            | Self::BrowserSignInRefused
            | Self::NotAllowed
            | Self::PathRefused => 403,
            Self::UnknownAccount | Self::UnknownSession | Self::UnknownWorkspace => 404,
            Self::EmailTaken
            | Self::NoChallenge
            | Self::BrowserSignInOver
            | Self::NoAccount
            | Self::TooManyAccounts => 409,
            Self::OtpExpired => 410,
            Self::TooLarge => 413,
            Self::InvalidInput => 422,
            Self::AccountLocked | Self::OtpTooMany => 423,
            Self::RateLimited | Self::Busy => 429,
            Self::Misconfigured | Self::CannotStart | Self::Internal => 500,
            Self::Unsupported => 501,
            Self::BackendFault | Self::BadAnswer => 502,
            Self::KeyringUnread | Self::Unreachable => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_crosses_as_code_status_message_and_wait() {
        let error =
            AuthError::new(ErrorCode::RateLimited).retry_after(Some(Duration::from_secs(2)));
        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            serde_json::json!({
                "code": "rate_limited",
                "status": 429,
                "message": ErrorCode::RateLimited.message(),
                "retryAfterMs": 2000,
            })
        );
    }

    #[test]
    fn what_no_page_branches_on_is_told_apart_by_its_message() {
        let sent = |code| serde_json::to_value(AuthError::new(code)).unwrap();
        let (refused, ended) = (sent(ErrorCode::NotAllowed), sent(ErrorCode::SessionEnded));
        assert_eq!(refused["code"], "other");
        assert_eq!(refused["code"], ended["code"]);
        assert_ne!(refused["message"], ended["message"]);
    }
}
