//! What an answer means, by the profile's rules. One place for sign-ins, one for refreshes,
//! one for sign-outs.

use std::time::SystemTime;

use reqwest::StatusCode;

use super::{Backend, Body, Fault, Told};
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Profile, Step, UserFrom, When};
use crate::reply::{AccessToken, Reply};
use crate::token::RefreshToken;
use crate::wire::{SignedOutReason, User};

/// What an answer to a refresh means.
pub enum Verdict {
    /// Renewed.
    Renewed {
        /// Who, as of now; `None` where the profile takes the user from elsewhere.
        user: Option<User>,
        /// For API calls.
        access: AccessToken,
    },
    /// The session is over, by name: a rule of the profile that names more than a status.
    Ended(SignedOutReason),
    /// The session may be over, by the status alone. A gateway in front of the backend says the
    /// same when it has trouble: only several such answers, some time apart, mean it.
    Refused {
        /// The status.
        status: StatusCode,
        /// What it means if it stands.
        why: SignedOutReason,
    },
    /// Says nothing about the session: keep it and try again.
    Transient(Fault),
}

impl Backend {
    /// Classifies the answer to a refresh. `token` is what is held after it; `now` is the
    /// time by the sender's clock.
    pub fn verdict(
        &self,
        status: StatusCode,
        body: &Body,
        token: &RefreshToken,
        now: SystemTime,
    ) -> Verdict {
        let profile = self.profile();
        let not_understood = Verdict::Transient(Fault::of_answer(status, body));
        let refused = Verdict::Refused {
            status,
            why: SignedOutReason::Expired,
        };
        let Some(reply) = body.reply(profile, profile.renewed()) else {
            return match body.says_invalid_token() {
                true => refused,
                false => not_understood,
            };
        };
        let code = reply.code();
        let facts = reply.facts(status.as_u16(), code.as_deref());
        let mut held = profile.ends.iter().filter(|rule| rule.holds(&facts));
        if let Some(rule) = held.clone().find(|rule| rule.is_named()) {
            return Verdict::Ended(rule.why.into());
        }
        if let Some(rule) = held.next() {
            let why = rule.why.into();
            return Verdict::Refused { status, why };
        }
        let is_json = body.json().is_some();
        if (status == StatusCode::UNAUTHORIZED && is_json) || body.says_invalid_token() {
            return refused;
        }
        if !status.is_success() {
            return not_understood;
        }
        let user = reply.user();
        let is_told = profile.is_renewed_by_me() || profile.session.user_from == UserFrom::Refresh;
        match self.access(&reply, token, now) {
            Some(access) if user.is_some() || !is_told => Verdict::Renewed {
                user: user.filter(|_| is_told),
                access,
            },
            _ => not_understood,
        }
    }
}

/// Whether an answer to a sign-in wants a code.
pub(super) fn wants_code(profile: &Profile, status: StatusCode, reply: &Reply<'_>) -> bool {
    let code = reply.code();
    let facts = reply.facts(status.as_u16(), code.as_deref());
    profile.otp.wanted.iter().any(|rule| rule.holds(&facts))
}

/// How a refused sign-out says that there is nothing left to end, if it does.
pub(super) fn signed_out(profile: &Profile, status: StatusCode, body: &Body) -> Option<Told> {
    let reply = body.reply(profile, &profile.answer.refresh);
    let code = reply.as_ref().and_then(Reply::code);
    let facts = body.facts(status.as_u16(), code.as_deref());
    let mut held = profile.signed_out.iter().filter(|rule| rule.holds(&facts));
    if held.clone().any(When::is_named) {
        return Some(Told::Already);
    }
    held.next().map(|_| Told::AlreadyByStatus(status))
}

/// Whether an answer to a sign-in is a refusal, whatever its status may say.
pub(super) fn is_refused(
    step: Step,
    profile: &Profile,
    status: StatusCode,
    reply: Option<&Reply<'_>>,
) -> bool {
    let Some(reply) = reply.filter(|_| status.is_success()) else {
        return !status.is_success();
    };
    let code = reply.code();
    let facts = reply.facts(status.as_u16(), code.as_deref());
    profile.errors.iter().any(|rule| rule.holds(step, &facts))
}

/// The error of a refused sign-in step.
pub(super) fn refused(
    step: Step,
    profile: &Profile,
    status: StatusCode,
    reply: Option<&Reply<'_>>,
) -> AuthError {
    let code = code_of(step, profile, status.as_u16(), reply);
    if code == ErrorCode::BackendFault {
        // Which trouble it is in.
        return Fault::Status(status).into();
    }
    let message = reply.and_then(Reply::message).filter(|_| {
        matches!(
            code,
            ErrorCode::InvalidInput | ErrorCode::AccountBlocked | ErrorCode::Misconfigured
        )
    });
    match message {
        Some(message) => AuthError::with_message(code, message),
        None => AuthError::new(code),
    }
}

/// By the profile's rules, and where none holds, by the status as in the contract.
fn code_of(step: Step, profile: &Profile, status: u16, reply: Option<&Reply<'_>>) -> ErrorCode {
    match status {
        429 => return ErrorCode::RateLimited,
        500.. => return ErrorCode::BackendFault,
        _ => {}
    }
    let Some(reply) = reply else {
        // A page where JSON belongs is a portal or a proxy speaking, not the backend.
        return ErrorCode::BadAnswer;
    };
    let code = reply.code();
    let facts = reply.facts(status, code.as_deref());
    if let Some(rule) = (profile.errors.iter()).find(|rule| rule.holds(step, &facts)) {
        return rule.is.into();
    }
    if facts.empty {
        // Nor does silence say anything by itself.
        return ErrorCode::BadAnswer;
    }
    match (step, status) {
        (Step::Register, 409) => ErrorCode::EmailTaken,
        (Step::Login | Step::Register | Step::SendOtp, 400 | 422) => ErrorCode::InvalidInput,
        (Step::Login, 401) => ErrorCode::InvalidCredentials,
        (_, 403) => ErrorCode::AccountBlocked,
        (Step::Login, 423) => ErrorCode::AccountLocked,
        (Step::VerifyOtp, 400 | 401 | 422) => ErrorCode::OtpInvalid,
        (Step::VerifyOtp | Step::SendOtp, 410) => ErrorCode::OtpExpired,
        (Step::VerifyOtp | Step::SendOtp, 423) => ErrorCode::OtpTooMany,
        _ => ErrorCode::BadAnswer,
    }
}
