//! What to do about a sign-in or a refresh that the app does not understand. One place for the
//! words, so that the same trouble has the same advice wherever it shows.

use serde_json::Value;
use vestibule_core::backend::{Exchange, Fault};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::obstacle::Obstacle;
use vestibule_core::profile::Profile;
use vestibule_core::reply::Reply;
use vestibule_core::transport::StatusCode;

use crate::mask::Masks;
use crate::row::{Finding, Side};
use crate::shape;

/// A step of a sign-in that did not go as it should have.
pub fn refused(
    exchange: Option<&Exchange>,
    error: &AuthError,
    profile: &Profile,
    masks: &Masks,
) -> Finding {
    let Some(exchange) = exchange else {
        let finding = Finding::no("", "nothing could be sent");
        return finding.advise(
            Side::Profile,
            "a template of this endpoint cannot be filled in",
        );
    };
    let finding = Finding::no(shape::sent(exchange), shape::got(exchange, masks));
    let status = exchange.status.unwrap_or_default();
    if shape::is_redirect(exchange) {
        return finding.advise(
            Side::Profile,
            "use the address that it leads to: the app follows no redirect with a password",
        );
    }
    if let Some(obstacle) = exchange.fault.and_then(Fault::obstacle) {
        return finding.advise_against(obstacle);
    }
    if shape::is_page(exchange) && status < 500 && status != 429 {
        let check = "a page where JSON belongs: check --backend and the path";
        return finding
            .advise(Side::You, check)
            .advise_against(Obstacle::Portal);
    }
    match (error.code, status) {
        (_, 404 | 405 | 501) => absent(finding),
        (ErrorCode::InvalidInput, _) => finding.advise(
            Side::Profile,
            "the request is not to its taste: leave members out of the endpoint's `body`, or name \
             them as it does (`fingerprint` is what others most often refuse)",
        ),
        (ErrorCode::InvalidCredentials, _) => finding.advise(
            Side::You,
            "the account is not let in: check --email and the password",
        ),
        (ErrorCode::AccountBlocked | ErrorCode::AccountLocked, _) => {
            finding.advise(Side::You, "the account is blocked or locked: name another")
        }
        (ErrorCode::RateLimited, _) => {
            finding.advise(Side::You, "too many tries by now: wait, and run this again")
        }
        (ErrorCode::BackendFault, _) => {
            let finding = finding.advise(
                Side::Backend,
                "a 5xx is trouble that passes, to the app: a refusal is a 4xx with {message, code}",
            );
            let trouble = StatusCode::from_u16(status).map(Fault::Status);
            match trouble.ok().and_then(Fault::obstacle) {
                Some(obstacle) => finding.advise_against(obstacle),
                None => finding,
            }
        }
        (ErrorCode::BadAnswer, 200..=299) => missing(finding, exchange, profile),
        _ => finding.advise(
            Side::Profile,
            "say in `errors` what this status and code mean, or answer as the contract has it",
        ),
    }
}

/// Nobody serves this.
fn absent(finding: Finding) -> Finding {
    finding
        .advise(
            Side::Profile,
            "no such endpoint: say its path in the profile's `endpoints`",
        )
        .advise(Side::Backend, "or serve it at the path of the contract")
}

/// A success in which the app does not find what it needs.
fn missing(finding: Finding, exchange: &Exchange, profile: &Profile) -> Finding {
    let body = shape::body(exchange).unwrap_or(Value::Null);
    let reply = Reply::new(&body, profile, &profile.answer.login);
    let now = exchange.answered_at;
    let mut lacks = Vec::new();
    if reply.user().is_none() && !profile.answer.login.user.is_empty() {
        lacks.push("no user with an id (answer.login.user, user.id)");
    }
    if reply.access_token(now).is_none() {
        lacks.push("no access token (answer.login.access_token)");
    }
    let is_cookie = exchange.headers.get_all("set-cookie").iter().any(|line| {
        let name = line.to_str().unwrap_or_default().split('=').next();
        name.is_some_and(|name| {
            profile
                .cookies
                .refresh
                .iter()
                .any(|held| held == name.trim())
        })
    });
    if !is_cookie && reply.refresh_token(now).is_none() && !profile.session.single_token {
        lacks.push("no refresh token (cookies.refresh, or answer.login.refresh_token)");
    }
    let lacks = match lacks.as_slice() {
        [] => "it is not understood".into(),
        lacks => format!("where the profile looks there is {}", lacks.join("; ")),
    };
    finding.advise(Side::Profile, lacks).advise(
        Side::Backend,
        "or answer {user, tokens{token, expires, expiresIn}} and the cookie",
    )
}

/// A refresh that should have said that the session is over, or should have renewed it.
pub fn not_dead(finding: Finding, exchange: Option<&Exchange>) -> Finding {
    let status = exchange
        .and_then(|exchange| exchange.status)
        .unwrap_or_default();
    if matches!(status, 404 | 405 | 501) {
        // No rule is offered for that: it would end every session once a path is mistyped.
        return absent(finding).advise(
            Side::Backend,
            "if it is served, answer a dead token with 401 and JSON {message, code}",
        );
    }
    let rule = match exchange.and_then(shape::body) {
        Some(body) => match body.pointer("/code").and_then(Value::as_str) {
            Some(code) => format!("[[ends]] status = {status}, code = {code:?}, why = \"expired\""),
            None => format!("[[ends]] status = {status}, why = \"expired\""),
        },
        None => String::new(),
    };
    let finding = finding.advise(
        Side::Backend,
        "answer 401 with JSON {message, code}: everything else is trouble that passes, to the \
         app, and a person whose session is over would be shown as offline for ever",
    );
    match rule.as_str() {
        "" => finding,
        rule if (400..500).contains(&status) && status != 429 => {
            finding.advise(Side::Profile, format!("or take it for an end: {rule}"))
        }
        _ => finding,
    }
}
