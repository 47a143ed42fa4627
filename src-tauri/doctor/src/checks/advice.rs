//! What to change where the app does not understand the answer to a sign-in or a refresh. Every
//! check takes these sentences from here, so that the same failure has the same advice.

use serde_json::Value;
use vestibule_core::backend::{BackendError, Exchange};
use vestibule_core::profile::Profile;
use vestibule_core::reading;
use vestibule_core::transport::StatusCode;
use vestibule_core::{AuthError, ErrorCode, Obstacle, ResponseFields};

use crate::answered::{Answered, Described};
use crate::client::{Renewal, SignInAnswer};
use crate::finding::{Finding, Side};
use crate::shape;
use crate::suggest;

/// A question that the backend has refused.
pub(super) fn refused<T>(answer: &Answered<T>, error: &AuthError, profile: &Profile) -> Finding {
    failed(answer.exchanges.first(), error, profile)
}

/// A sign-in that gave a session without a user: the last exchange is the one that should have
/// said who signed in.
pub(super) fn no_user(
    answer: &Answered<SignInAnswer>,
    error: &AuthError,
    profile: &Profile,
) -> Finding {
    failed(answer.exchanges.last(), error, profile)
}

fn failed(described: Option<&Described>, error: &AuthError, profile: &Profile) -> Finding {
    let Some(Described {
        exchange,
        sent,
        got,
    }) = described
    else {
        let finding = Finding::no("", "nothing could be sent");
        return finding.advise(
            Side::Profile,
            "a template of this endpoint cannot be filled in",
        );
    };
    let finding = Finding::no(sent, got);
    let status = exchange.status.unwrap_or_default();
    if shape::is_redirect(exchange) {
        return finding.advise(
            Side::Profile,
            "use the address that the redirect leads to: the app follows no redirect with a password",
        );
    }
    if let Some(obstacle) = exchange.fault.and_then(BackendError::obstacle) {
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
            "the backend does not accept this request: in the endpoint's `body`, leave members out \
             or rename them (`fingerprint` is the one that other backends most often refuse)",
        ),
        (ErrorCode::InvalidCredentials, _) => finding.advise(
            Side::You,
            "the backend refuses this account: check --email and the password",
        ),
        (ErrorCode::AccountBlocked | ErrorCode::AccountLocked, _) => {
            finding.advise(Side::You, "the account is blocked or locked: name another")
        }
        (ErrorCode::RateLimited, _) => finding.advise(
            Side::You,
            "the backend has counted too many tries: wait, and run this again",
        ),
        (ErrorCode::BackendFault, _) => {
            let finding = finding.advise(
                Side::Backend,
                "to the app a 5xx is a temporary failure: answer a refusal with 4xx and {message, code}",
            );
            let fault = StatusCode::from_u16(status).map(BackendError::Status);
            match fault.ok().and_then(BackendError::obstacle) {
                Some(obstacle) => finding.advise_against(obstacle),
                None => finding,
            }
        }
        (ErrorCode::BadAnswer, 200..=299) => missing(finding, exchange, profile),
        _ => finding.advise(
            Side::Profile,
            "say in `errors` what this status and code mean, or answer as in the contract",
        ),
    }
}

/// The backend serves nothing at this path.
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
    let reply = ResponseFields::new(&body, profile, &profile.answer.login);
    let now = exchange.answered_at;
    let mut lacks = Vec::new();
    if reply.user().is_none() && !profile.answer.login.user.is_empty() {
        lacks.push("no user with an id (answer.login.user, user.id)");
    }
    if reply.access_token(now).is_none() {
        lacks.push("no access token (answer.login.access_token)");
    }
    let is_cookie = exchange.headers.get_all("set-cookie").iter().any(|line| {
        let name = shape::cookie_name(&reading::header_text(line));
        profile.cookies.refresh.contains(&name)
    });
    if !is_cookie && reply.refresh_token(now).is_none() && !profile.session.single_token {
        lacks.push("no refresh token (cookies.refresh, or answer.login.refresh_token)");
    }
    let lacks = match lacks.as_slice() {
        [] => "the app does not understand the answer".into(),
        lacks => format!("where the profile looks there is {}", lacks.join("; ")),
    };
    finding.advise(Side::Profile, lacks).advise(
        Side::Backend,
        "or answer {user, tokens{token, expires, expiresIn}} and the cookie",
    )
}

/// A refresh whose answer should have said that the session is over.
pub(super) fn not_dead(answer: &Answered<Renewal>, profile: &Profile) -> Finding {
    let finding = answer.no();
    let status = answer.status().unwrap_or_default();
    if matches!(status, 404 | 405 | 501) {
        // No rule is offered: by such a rule one mistyped path would end every session.
        return absent(finding).advise(
            Side::Backend,
            "if it is served, answer 401 and JSON {message, code} to a dead token",
        );
    }
    let rule = rule_of(answer, profile, "ends", &[("why", "expired")]);
    let finding = finding.advise(
        Side::Backend,
        "answer 401 with JSON {message, code}: to the app every other answer is a temporary \
         failure, and it would show a person whose session is over as offline for ever",
    );
    match rule {
        Some(rule) if (400..500).contains(&status) && status != 429 => finding.advise(
            Side::Profile,
            format!("or let this answer end the session: {rule}"),
        ),
        _ => finding,
    }
}

/// A rule for what was answered, by a code or a text of it; none where nothing but its status tells it,
/// because a bad request of any kind has the same.
fn rule_of<T>(
    answer: &Answered<T>,
    profile: &Profile,
    table: &str,
    more: &[(&str, &str)],
) -> Option<String> {
    let exchange = answer.exchange()?;
    let status = exchange.status?;
    let mut text = format!("[[{table}]] status = {status}");
    let codes = answer.body().unwrap_or_default();
    let code = profile
        .answer
        .code
        .iter()
        .find_map(|at| at.pointer()?.find(&codes)?.as_str());
    match code {
        Some(code) => text += &format!(", code = {code:?}"),
        None => {
            for (key, value) in suggest::conditions_of(exchange, status)? {
                if key != "status" {
                    text += &format!(", {key} = {value}");
                }
            }
        }
    }
    for (key, value) in more {
        text += &format!(", {key} = {value:?}");
    }
    Some(text)
}

/// What to write where the backend refuses a wrong password in a way that the app does not know.
pub(super) fn not_wrong(answer: &Answered<SignInAnswer>, profile: &Profile) -> Finding {
    let finding = answer.no();
    let finding = match rule_of(answer, profile, "errors", &[("is", "invalid_credentials")]) {
        Some(rule) => finding.advise(
            Side::Profile,
            format!("say that this is a wrong password: {rule}, on = \"login\""),
        ),
        None => finding,
    };
    finding.advise(
        Side::Backend,
        "answer a wrong password with 401 and JSON, so that the app can say that it is wrong",
    )
}
