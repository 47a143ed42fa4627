//! What an HTTP status means to this app: the one table of it, for the session, for the check of
//! a profile and for the doctor.
//!
//! A status is the weakest part of an answer: any proxy, firewall or gateway on the way can send
//! one in the backend's place. So this table is asked last. An answer is read in this order:
//!
//! 1. An answer that a portal or a proxy has given in the backend's place (a page, a redirect to
//!    another origin, a 511) says nothing about what was asked.
//! 2. Trouble ([`Class::is_trouble`]: 429 and every 5xx) passes. No rule of a profile makes a
//!    refusal of it, or an overloaded backend would sign people out.
//! 3. The profile's rules (`otp.wanted`, `errors`, `ends`, `signed_out`) see the status together
//!    with the error code and the body.
//! 4. Where no rule holds, [`refusal`] says what the status means to this kind of request.
//!
//! Where the list below says nothing of a kind of request, a sign-in (which is a login, a sign-up
//! or a code) fails as an answer that is not understood, a refresh keeps the session and is tried
//! again, a sign-out is delivered later, and the answer to a call of the API goes to the page as
//! it is. `Retry-After` is obeyed with every status (RFC 9110 §10.2.3). "The contract" is
//! `docs/backend.md`.
//!
//! - **2xx** The backend has done what was asked (RFC 9110 §15.3). A sign-in or a refresh whose
//!   answer lacks what the profile looks for is not understood all the same.
//! - **301, 302, 303, 307, 308** Only a call of the API is redirected, and only to a path that the
//!   page may call: a 307 or 308 repeats the body (RFC 9110 §15.4.8, §15.4.9), which holds a
//!   password or a token in every other request.
//! - **400, 422** Login, sign-up, asking for a code: what was typed is not valid. Code: it is
//!   wrong (the contract; RFC 9110 §15.5.1, §15.5.21). Refresh: OAuth has the same 400 for a dead
//!   refresh token and for a malformed request (RFC 6749 §5.2), so the status by itself ends no
//!   session.
//! - **401** The credentials are missing or not valid (RFC 9110 §15.5.2). Login: the password is
//!   wrong. Code: it is wrong. Refresh: the session has ended, once that was said three times
//!   over half a minute, with a JSON body; a gateway in trouble says it too, so only a rule that
//!   names more than the status ends the session at once. A 4xx whose `WWW-Authenticate` says
//!   `invalid_token` counts the same (RFC 6750 §3.1). Sign-out: nothing is left to end, once that
//!   was said three times. Call: the session is refreshed and the call repeated, once each.
//! - **403** The request was understood and is refused (RFC 9110 §15.5.4). Firewalls say it for
//!   reasons of their own, so by itself it says nothing of an account at a sign-in (the contract has
//!   codes for a blocked one), and ends no session at a refresh. Call: the user's roles do not allow it, and the
//!   roles are asked for again.
//! - **404** Nothing is at this path (RFC 9110 §15.5.5). Exchange: the one-time token is spent, or too old
//!   (Better Auth); 400, 401, 410 and 422 count the same. Refresh: a router says it of every path
//!   while a backend is deployed, so it ends no session. Sign-out: as 401. Call: the backend does
//!   not offer it. The doctor takes 404, 405 and 501 (§15.5.6, §15.6.2) for an absent endpoint.
//! - **408, 425** The same request may succeed later (RFC 9110 §15.5.9, RFC 8470 §5.2). No rule of
//!   a profile may take them for the end of a session.
//! - **409** Sign-up: the e-mail is taken (the contract; RFC 9110 §15.5.10).
//! - **410** Code: it is too old, start over (the contract; RFC 9110 §15.5.11).
//! - **423** Login: the account is locked for a while. Code: too many wrong ones, start over. The
//!   contract borrows this status from RFC 4918 §11.3.
//! - **429** The backend limits requests (RFC 6585 §4): wait, then try again. It is no refusal.
//! - **500, and the other 5xx** The backend is in trouble (RFC 9110 §15.6): try again later.
//! - **502, 504** A gateway answers for a backend that it does not reach (RFC 9110 §15.6.3,
//!   §15.6.5): try again later.
//! - **503** The backend is closed for a while or overloaded (RFC 9110 §15.6.4): try again later.
//! - **511** A network wants a person to sign in to it: a proxy has answered in the backend's place
//!   (RFC 6585 §6).
//! - **600 and above** Not valid; a client treats it as a 5xx (RFC 9110 §15).
//!
//! The sign-out's 401 and 404 are rules (`signed_out`) of the profile `contract`; another profile
//! says itself which answers mean that nothing is left to end.

use crate::error::ErrorCode;
use crate::obstacle::Obstacle;

/// What the request wanted whose answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// To sign in with a password.
    Login,
    /// To make an account.
    Register,
    /// To have a one-time code sent.
    SendOtp,
    /// To sign in with a code of a second factor.
    VerifyCode,
    /// To exchange what the browser has brought for a session.
    Exchange,
    /// To renew the session, or to hear whether it is alive.
    Refresh,
    /// A call of the adopter's API, made with a session by native code.
    Api,
}

/// What a status says whichever request it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The backend has done what was asked.
    Success,
    /// The answer is at another address.
    Redirect,
    /// A refusal of this request.
    Refusal,
    /// The request came at a bad moment: the same one may succeed later.
    Untimely,
    /// Too many requests.
    RateLimited,
    /// The backend is in trouble.
    BackendError,
    /// A gateway does not reach the backend.
    Gateway,
    /// The backend is closed for a while, or overloaded.
    Maintenance,
    /// A network on the way wants a person to sign in to it.
    NetworkSignIn,
    /// No valid status.
    Invalid,
    /// An interim answer, or a 3xx that leads nowhere.
    Other,
}

/// Which class a status belongs to.
pub(crate) const fn class(status: u16) -> Class {
    match status {
        200..=299 => Class::Success,
        301 | 302 | 303 | 307 | 308 => Class::Redirect,
        408 | 425 => Class::Untimely,
        429 => Class::RateLimited,
        400..=499 => Class::Refusal,
        502 | 504 => Class::Gateway,
        503 => Class::Maintenance,
        511 => Class::NetworkSignIn,
        500..=599 => Class::BackendError,
        600.. => Class::Invalid,
        _ => Class::Other,
    }
}

impl Class {
    /// Whether it is trouble that passes and says nothing about what was asked, whatever a
    /// profile's rules say.
    pub(crate) const fn is_trouble(self) -> bool {
        match self {
            Self::RateLimited
            | Self::BackendError
            | Self::Gateway
            | Self::Maintenance
            | Self::NetworkSignIn
            | Self::Invalid => true,
            Self::Success | Self::Redirect | Self::Refusal | Self::Untimely | Self::Other => false,
        }
    }

    /// What stands between the app and the backend, where the status says that.
    pub(crate) const fn obstacle(self) -> Option<Obstacle> {
        match self {
            Self::Gateway => Some(Obstacle::Gateway),
            Self::Maintenance => Some(Obstacle::Maintenance),
            Self::NetworkSignIn => Some(Obstacle::Portal),
            _ => None,
        }
    }

    /// The error of an answer in which nothing but the status can be used, and [`refusal`] knows
    /// no meaning of it.
    pub(crate) const fn error(self) -> ErrorCode {
        match self {
            Self::RateLimited => ErrorCode::RateLimited,
            Self::BackendError | Self::Gateway | Self::Maintenance => ErrorCode::BackendFault,
            _ => ErrorCode::BadAnswer,
        }
    }
}

/// What a refusal means to this kind of request by its status alone; `None` where the status
/// says nothing to it.
pub(crate) const fn refusal(kind: RequestKind, status: u16) -> Option<ErrorCode> {
    use RequestKind::{Api, Exchange, Login, Refresh, Register, SendOtp, VerifyCode};
    let error = match (status, kind) {
        (400 | 422, Login | Register | SendOtp) => ErrorCode::InvalidInput,
        (400 | 401 | 422, VerifyCode) => ErrorCode::OtpInvalid,
        (400 | 401 | 404 | 410 | 422, Exchange) => ErrorCode::BrowserSignInRefused,
        (401, Login) => ErrorCode::InvalidCredentials,
        // Only of a JSON body, and only once it was said three times over half a minute.
        (401, Refresh) => ErrorCode::SessionEnded,
        // A refresh would have said that the session has ended.
        (401, Api) => ErrorCode::SessionRefused,
        (403, Api) => ErrorCode::NotAllowed,
        (404, Api) => ErrorCode::Unsupported,
        (409, Register) => ErrorCode::EmailTaken,
        (410, SendOtp | VerifyCode) => ErrorCode::OtpExpired,
        (423, Login) => ErrorCode::AccountLocked,
        (423, SendOtp | VerifyCode) => ErrorCode::OtpTooMany,
        _ => return None,
    };
    Some(error)
}

/// The error that the page shows for a call of the API which the backend has answered with this
/// status, and what stands between the app and the backend where the status says that.
pub const fn api_failure(status: u16) -> (ErrorCode, Option<Obstacle>) {
    let class = class(status);
    let error = match refusal(RequestKind::Api, status) {
        Some(error) => error,
        None => class.error(),
    };
    (error, class.obstacle())
}

/// Whether the status says that the backend serves nothing at this path, or nothing with this method
/// (RFC 9110 §15.5.5, §15.5.6, §15.6.2): an optional endpoint that it does not have.
pub const fn is_absent_endpoint(status: u16) -> bool {
    matches!(status, 404 | 405 | 501)
}

/// Whether an answer with this status never has a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
pub(crate) const fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 205 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_one_class() {
        for (status, wanted) in [
            (100, Class::Other),
            (200, Class::Success),
            (299, Class::Success),
            (300, Class::Other),
            (304, Class::Other),
            (307, Class::Redirect),
            (400, Class::Refusal),
            (401, Class::Refusal),
            (408, Class::Untimely),
            (425, Class::Untimely),
            (429, Class::RateLimited),
            (499, Class::Refusal),
            (500, Class::BackendError),
            (501, Class::BackendError),
            (502, Class::Gateway),
            (503, Class::Maintenance),
            (504, Class::Gateway),
            (511, Class::NetworkSignIn),
            (599, Class::BackendError),
            (600, Class::Invalid),
            (999, Class::Invalid),
        ] {
            assert_eq!(class(status), wanted, "{status}");
        }
    }

    #[test]
    fn only_refusals_have_a_meaning_of_their_own() {
        use RequestKind::{Api, Exchange, Login, Refresh, Register, SendOtp, VerifyCode};
        for status in 100..1000 {
            for kind in [Login, Register, SendOtp, VerifyCode, Exchange, Refresh, Api] {
                let means = refusal(kind, status);
                let may_mean = class(status) == Class::Refusal;
                assert!(means.is_none() || may_mean, "{kind:?} {status}: {means:?}");
            }
        }
    }
}
