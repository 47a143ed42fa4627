//! What an answer means. One place for sign-ins, one for refreshes.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;

use super::{Backend, Body, Fault};
use crate::error::{AuthError, ErrorCode};
use crate::profile::Profile;
use crate::reply::{AccessToken, Reply};
use crate::wire::{SignedOutReason, User};

/// What an answer to a refresh means.
pub enum Verdict {
    /// Renewed.
    Renewed {
        /// Who, as of now.
        user: User,
        /// For API calls.
        access: AccessToken,
    },
    /// A rule of the profile says that the session is over.
    Ended(SignedOutReason),
    /// Says nothing about the session: keep it and try again.
    Transient(Fault),
}

impl Backend {
    /// Classifies the answer to a refresh.
    pub fn verdict(&self, status: StatusCode, body: &Body) -> Verdict {
        let profile = self.profile();
        let Some(reply) = body.reply(&profile.answer) else {
            return Verdict::Transient(if status.is_success() {
                Fault::BadAnswer
            } else {
                Fault::Status(status)
            });
        };
        if status.is_success() {
            return match (reply.user(), reply.access_token(SystemTime::now())) {
                (Some(user), Some(access)) => Verdict::Renewed { user, access },
                _ => Verdict::Transient(Fault::BadAnswer),
            };
        }
        match ended(profile, status, &reply) {
            Some(why) => Verdict::Ended(why),
            None => Verdict::Transient(Fault::Status(status)),
        }
    }
}

fn ended(profile: &Profile, status: StatusCode, reply: &Reply<'_>) -> Option<SignedOutReason> {
    let code = reply.code();
    profile
        .ends
        .iter()
        .find(|rule| {
            rule.status == status.as_u16()
                && rule
                    .code
                    .as_ref()
                    .is_none_or(|wanted| Some(wanted) == code.as_ref())
        })
        .map(|rule| rule.why)
}

/// Which call of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInStep {
    Login,
    Register,
    VerifyOtp,
    ResendOtp,
}

/// The error of a refused sign-in step.
pub(super) fn sign_in_error(
    step: SignInStep,
    status: StatusCode,
    reply: Option<&Reply<'_>>,
    retry_after: Option<Duration>,
) -> AuthError {
    use SignInStep as Step;
    let backend_code = reply.and_then(Reply::code);
    let code = match (step, status.as_u16()) {
        (_, 429) => ErrorCode::RateLimited,
        (_, 500..) => ErrorCode::BackendFault,
        // A page where JSON belongs is a portal or a proxy speaking, not the backend.
        _ if reply.is_none() => ErrorCode::BadAnswer,
        (Step::Register, 409) => ErrorCode::EmailTaken,
        (Step::Register, 400 | 422) if backend_code.as_deref() == Some("EMAIL_TAKEN") => {
            ErrorCode::EmailTaken
        }
        (Step::Login | Step::Register | Step::ResendOtp, 400 | 422) => ErrorCode::InvalidInput,
        (Step::Login, 401) => ErrorCode::InvalidCredentials,
        (_, 403) => ErrorCode::AccountBlocked,
        (Step::Login, 423) => ErrorCode::AccountLocked,
        (Step::VerifyOtp, 400 | 401 | 422) => ErrorCode::OtpInvalid,
        (Step::VerifyOtp | Step::ResendOtp, 410) => ErrorCode::OtpExpired,
        (Step::VerifyOtp | Step::ResendOtp, 423) => ErrorCode::OtpTooMany,
        _ => ErrorCode::BadAnswer,
    };
    let message = reply.and_then(Reply::message).filter(|_| {
        matches!(
            code,
            ErrorCode::InvalidInput | ErrorCode::AccountBlocked | ErrorCode::AccountLocked
        )
    });
    match message {
        Some(message) => AuthError::with_message(code, message),
        None => AuthError::new(code),
    }
    .retry_after(retry_after)
}
