//! What an answer means by the profile's rules, and by [`crate::status`] where no rule holds: to
//! a refresh, to a sign-in and to a sign-out.

use std::time::SystemTime;

use reqwest::StatusCode;

use super::{Backend, BackendError, ResponseBody, code_words, tokens};
use crate::error::{AuthError, ErrorCode};
use crate::profile::{Profile, SignInCall, UserFrom, When};
use crate::response_fields::{AccessToken, ResponseFields};
use crate::status::{self, RequestKind, class};
use crate::token::RefreshToken;
use crate::wire::{SignedOutReason, User};

/// What an answer to a refresh means.
pub enum RefreshAnswer {
    /// The backend has renewed the session.
    Renewed {
        /// Whose session it is now; `None` where the profile takes the user from elsewhere.
        user: Option<Box<User>>,
        /// The access token for calls of the API.
        access: AccessToken,
    },
    /// The session is over: a rule of the profile holds that names more than a status.
    Ended(SignedOutReason),
    /// The session may be over, by the status alone. A gateway in front of the backend answers
    /// the same when it has trouble, so only several such answers, some time apart, end a
    /// session.
    Refused {
        /// The status of this answer.
        status: StatusCode,
        /// Why the session is over if the refusal is said often enough.
        why: SignedOutReason,
    },
    /// The answer says nothing about the session: the session stays, and the refresh is tried
    /// again.
    Transient(BackendError),
}

/// How the backend has taken a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutAnswer {
    /// The backend has ended the session.
    Done,
    /// There was nothing left to end.
    AlreadyOver,
    /// There was nothing left to end, by the status alone. A gateway in front of the backend
    /// answers the same when it has trouble, so it counts only once it was said several times.
    AlreadyOverByStatus(StatusCode),
}

impl Backend {
    /// What the answer to a refresh means. `token` is the refresh token with the changes of this
    /// answer; `now` is the time by the sender's clock.
    pub fn refresh_answer(
        &self,
        status: StatusCode,
        body: &ResponseBody,
        token: &RefreshToken,
        now: SystemTime,
    ) -> RefreshAnswer {
        if let Some(held) = token.provider() {
            return self.provider_answer(held, status, body, now);
        }
        let profile = self.profile();
        let not_understood = RefreshAnswer::Transient(BackendError::of_answer(status, body));
        let refused = RefreshAnswer::Refused {
            status,
            why: SignedOutReason::Expired,
        };
        let reply = body.reply(profile, profile.refresh_fields());
        let code = reply.as_ref().and_then(ResponseFields::code);
        let facts = body.facts(status.as_u16(), code.as_deref());
        if let Some(why) = end_by_name(profile, status, body, reply.as_ref()) {
            return RefreshAnswer::Ended(why);
        }
        if let Some(rule) = profile.ends.iter().find(|rule| rule.holds(&facts)) {
            let why = rule.why.into();
            return RefreshAnswer::Refused { status, why };
        }
        let Some(reply) = reply else {
            return match body.says_invalid_token(status) {
                true => refused,
                false => not_understood,
            };
        };
        let is_json = body.json().is_some();
        let by_status = status::refusal(RequestKind::Refresh, status.as_u16());
        let may_be_over = by_status == Some(ErrorCode::SessionEnded);
        if (may_be_over && is_json) || body.says_invalid_token(status) {
            return refused;
        }
        if !status.is_success() {
            return not_understood;
        }
        let user = reply.user();
        let is_told = profile.refreshes_by_me() || profile.session.user_from == UserFrom::Refresh;
        match tokens::access(profile, &reply, token, now) {
            Some(access) if user.is_some() || !is_told => RefreshAnswer::Renewed {
                user: user.filter(|_| is_told).map(Box::new),
                access,
            },
            _ => not_understood,
        }
    }
}

/// Why the session has ended, where a rule of `ends` that names more than the status holds.
pub(super) fn end_by_name(
    profile: &Profile,
    status: StatusCode,
    body: &ResponseBody,
    reply: Option<&ResponseFields<'_>>,
) -> Option<SignedOutReason> {
    let code = reply.and_then(ResponseFields::code);
    let facts = body.facts(status.as_u16(), code.as_deref());
    let mut named = profile.ends.iter().filter(|rule| rule.is_named());
    named
        .find(|rule| rule.holds(&facts))
        .map(|rule| rule.why.into())
}

/// Whether an answer to a sign-in wants a code.
pub(super) fn wants_code(
    profile: &Profile,
    status: StatusCode,
    body: &ResponseBody,
    reply: Option<&ResponseFields<'_>>,
) -> bool {
    let code = reply.and_then(ResponseFields::code);
    let facts = body.facts(status.as_u16(), code.as_deref());
    let mut rules = profile.otp.wanted.iter();
    rules.any(|rule| rule.may_judge(&facts) && rule.holds(&facts))
}

/// How a refused sign-out says that there is nothing left to end, if it does.
pub(super) fn signed_out(
    profile: &Profile,
    status: StatusCode,
    body: &ResponseBody,
) -> Option<SignOutAnswer> {
    let reply = body.reply(profile, &profile.answer.refresh);
    let code = reply.as_ref().and_then(ResponseFields::code);
    let facts = body.facts(status.as_u16(), code.as_deref());
    let mut held = profile.signed_out.iter().filter(|rule| rule.holds(&facts));
    if held.clone().any(When::is_named) {
        return Some(SignOutAnswer::AlreadyOver);
    }
    held.next()
        .map(|_| SignOutAnswer::AlreadyOverByStatus(status))
}

/// Whether an answer to a sign-in is a refusal: any that is no success, and a success that a rule
/// of the profile calls an error.
pub(super) fn is_refused(
    kind: SignInCall,
    profile: &Profile,
    status: StatusCode,
    body: &ResponseBody,
    reply: Option<&ResponseFields<'_>>,
) -> bool {
    if !status.is_success() {
        return true;
    }
    let code = reply.and_then(ResponseFields::code);
    let facts = body.facts(status.as_u16(), code.as_deref());
    profile.errors.iter().any(|rule| rule.holds(kind, &facts))
}

/// The words for what the browser has brought, if it cannot be exchanged.
pub(super) const SPENT: &str = "That sign-in was used already, or took too long. Start again.";

/// The error of a refused sign-in step.
pub(super) fn refused(
    kind: SignInCall,
    profile: &Profile,
    status: StatusCode,
    body: &ResponseBody,
    reply: Option<&ResponseFields<'_>>,
) -> AuthError {
    if class(status.as_u16()).is_trouble() {
        return BackendError::Status(status).into();
    }
    let (code, by_rule) = code_of(kind, profile, status.as_u16(), body, reply);
    let code = match code {
        ErrorCode::OtpSpent if !can_be_sent_again(kind, profile) => ErrorCode::OtpExpired,
        code => code,
    };
    let said = reply.and_then(ResponseFields::message);
    let has_code = reply.and_then(ResponseFields::code).is_some();
    let is_known = by_rule || !has_code;
    let may_be_anothers = code == ErrorCode::BadAnswer && gateways_refuse_with(status.as_u16());
    if code == ErrorCode::BrowserSignInRefused {
        return AuthError::with_message(code, SPENT);
    }
    if !may_be_anothers
        && let Some(error) = code_words::refused(kind, code, said.as_deref(), is_known)
    {
        return error;
    }
    match (code, said) {
        (
            ErrorCode::InvalidInput | ErrorCode::AccountBlocked | ErrorCode::Misconfigured,
            Some(said),
        ) => AuthError::with_message(code, said),
        (ErrorCode::BadAnswer, said) if gateways_refuse_with(status.as_u16()) => {
            AuthError::with_message(code, refused_on_the_way(said))
        }
        _ => AuthError::new(code),
    }
}

/// Whether another code can be sent after the one of this call.
fn can_be_sent_again(call: SignInCall, profile: &Profile) -> bool {
    call == SignInCall::VerifyOtp && profile.endpoints.send_otp.get().is_some()
}

/// Whether firewalls, filters and gateways in front of a backend refuse with this status.
fn gateways_refuse_with(status: u16) -> bool {
    matches!(status, 401 | 403 | 406 | 407 | 451)
}

/// The words for a refusal that no rule knows: it may be somebody's between here and the backend.
fn refused_on_the_way(said: Option<String>) -> String {
    let said = said.map_or(String::new(), |said| format!(" The answer says: “{said}”."));
    format!(
        "This was refused on the way to the server, and nothing is known to be wrong with what you \
         typed.{said} The network's administrator or the server's operator can find out what refuses it."
    )
}

/// What a refusal means by the profile's rules, and where none holds, by its status; and whether a rule
/// says it.
fn code_of(
    call: SignInCall,
    profile: &Profile,
    status: u16,
    body: &ResponseBody,
    reply: Option<&ResponseFields<'_>>,
) -> (ErrorCode, bool) {
    let code = reply.and_then(ResponseFields::code);
    let facts = body.facts(status, code.as_deref());
    if let Some(rule) = (profile.errors.iter()).find(|rule| rule.holds(call, &facts)) {
        return (rule.is.into(), true);
    }
    if facts.body.is_none() {
        // A page where JSON belongs comes from a portal or a proxy, not from the backend. Nor is a
        // status without a body the backend's own: every gateway sends one.
        return (ErrorCode::BadAnswer, false);
    }
    let by_status = status::refusal(request_kind(call), status);
    (by_status.unwrap_or(ErrorCode::BadAnswer), false)
}

fn request_kind(call: SignInCall) -> RequestKind {
    match call {
        SignInCall::Login => RequestKind::Login,
        SignInCall::Register => RequestKind::Register,
        SignInCall::VerifyOtp | SignInCall::VerifyTotp | SignInCall::VerifyRecovery => {
            RequestKind::VerifyCode
        }
        SignInCall::SendOtp => RequestKind::SendOtp,
        SignInCall::Browser => RequestKind::Exchange,
    }
}
