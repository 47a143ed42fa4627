//! What all exchanges together say: redirects, pages in the place of JSON, the clock.

use vestibule_core::backend::Exchange;
use vestibule_core::profile::{Facts, Profile, SignInCall};
use vestibule_core::reading;

use super::{Judged, NotTried, Observations};
use crate::answered::Described;
use crate::date;
use crate::finding::{Finding, Side};
use crate::shape;

/// A clock that is wrong by no more than this many seconds does no harm.
const CLOCK_TOLERANCE: i64 = 60;

/// The exchanges that the backend has answered.
fn answered<'a>(seen: &'a Observations<'_>) -> impl Iterator<Item = &'a Described> {
    seen.exchanges
        .iter()
        .filter(|one| one.exchange.status.is_some())
}

fn any_answer(seen: &Observations<'_>) -> Result<(), NotTried> {
    answered(seen).next().map(drop).ok_or(NotTried::NotRun)
}

pub(crate) fn direct(seen: &Observations<'_>) -> Judged {
    any_answer(seen)?;
    let redirect = answered(seen).find(|one| shape::is_redirect(&one.exchange));
    Ok(match redirect {
        None => Finding::yes("all requests", "no endpoint redirects"),
        Some(one) => Finding::no(&one.sent, &one.got)
            .advise(
                Side::Profile,
                "use the address that it leads to as the backend's base or path (often the \
                 difference is a slash at the end, or www)",
            )
            .advise(
                Side::Backend,
                "answer at this address: the app follows no redirect, because a 307 would carry \
                 the password to wherever it points",
            ),
    })
}

pub(crate) fn json(seen: &Observations<'_>) -> Judged {
    any_answer(seen)?;
    let profile = &seen.plan.profile;
    let lacking = |one: &&Described| {
        let exchange = &one.exchange;
        lacks_json(exchange) && !is_known(exchange, profile) && !is_enough(exchange, profile)
    };
    Ok(match answered(seen).find(lacking) {
        None => Finding::yes(
            "all requests",
            "JSON, or an empty body where that is enough",
        ),
        Some(one) => Finding::no(&one.sent, &one.got)
            .advise(
                Side::Backend,
                "answer JSON on these paths, refusals too ({message, code}). The app takes a page \
                 for a proxy's or a portal's: it ends no session and signs nobody in",
            )
            .advise(
                Side::You,
                "if the path does not exist at all, check --backend",
            ),
    })
}

/// Whether a rule of the profile knows the text of an answer, or one of its headers.
fn is_known(exchange: &Exchange, profile: &Profile) -> bool {
    let body = exchange
        .body
        .as_ref()
        .map_or(&[][..], |body| body.as_slice());
    let text = reading::text(body);
    let facts = Facts {
        status: exchange.status.unwrap_or_default(),
        code: None,
        body: None,
        empty: reading::is_empty(body),
        text: (!shape::is_page(exchange)).then_some(text.as_str()),
        headers: Some(&exchange.headers),
    };
    let call = SignInCall::Login;
    let of_errors = profile.errors.iter().any(|rule| rule.holds(call, &facts));
    let of_ends = profile.ends.iter().any(|rule| rule.holds(&facts));
    let of_sign_out = (profile.signed_out.iter()).any(|rule| rule.is_named() && rule.holds(&facts));
    of_errors || of_ends || of_sign_out
}

/// Whether the app asks no more of an answer than its status: a success of what ends something, with a few
/// words or none.
fn is_enough(exchange: &Exchange, profile: &Profile) -> bool {
    let calls = &profile.endpoints;
    let calls = [&calls.logout, &calls.end_session, &calls.end_other_sessions];
    let is_success = matches!(exchange.status, Some(200..=299));
    let mut paths = calls.into_iter().filter_map(|call| call.get());
    let is_one = paths.any(|endpoint| endpoint.path.source() == exchange.path);
    is_success && is_one && !shape::is_page(exchange)
}

/// Whether an answer should be JSON and is not.
fn lacks_json(exchange: &Exchange) -> bool {
    let status = exchange.status.unwrap_or_default();
    // Rate limiters and gateways answer in formats of their own, and the status says enough.
    let is_gateways = status >= 500 && status != 501;
    let says_enough = status == 429 || is_gateways || shape::is_redirect(exchange);
    let is_optional = status == 404 && exchange.sent.is_none();
    let is_other = shape::has_body(exchange) && shape::body(exchange).is_none();
    !says_enough && !is_optional && (is_other || shape::is_page(exchange))
}

pub(crate) fn clock(seen: &Observations<'_>) -> Judged {
    any_answer(seen)?;
    let Some(ahead) = clock_ahead(seen) else {
        return Ok(Finding::no("all requests", "no Date header").advise(
            Side::Backend,
            "send Date, as HTTP asks: the app reads the dates in cookies against it, so that a \
             wrong clock on either side does no harm",
        ));
    };
    let got = match ahead {
        -2..=2 => "the same as this machine's".to_owned(),
        ahead if ahead > 0 => format!("{ahead} s ahead of this machine's"),
        ahead => format!("{} s behind this machine's", -ahead),
    };
    let sent = "the Date of all answers";
    if ahead.abs() <= CLOCK_TOLERANCE {
        return Ok(Finding::yes(sent, got));
    }
    Ok(Finding::no(sent, got).advise(
        Side::Backend,
        "set the clock of one of the two by NTP. The app counts lifetimes from receipt and keeps \
         working; JWTs and `expires` are judged by the wrong clock",
    ))
}

/// By how many seconds the backend's clock is ahead: the largest difference of all answers.
pub(crate) fn clock_ahead(seen: &Observations<'_>) -> Option<i64> {
    let ahead = answered(seen).filter_map(|one| ahead(&one.exchange));
    ahead.max_by_key(|ahead| ahead.abs())
}

/// By how many seconds the sender's clock is ahead, as far as one answer tells: it was written at
/// some moment between our request and its arrival.
fn ahead(exchange: &Exchange) -> Option<i64> {
    let date = date::said(exchange)?;
    let here = exchange.answered_at;
    let waited = i64::try_from(exchange.took.as_secs()).unwrap_or(0) + 1;
    match date.duration_since(here) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).ok(),
        Err(error) => {
            let behind = i64::try_from(error.duration().as_secs()).ok()?;
            Some(-(behind - waited).max(0))
        }
    }
}

/// Whether nothing at the address answers as an auth backend would.
pub(crate) fn is_no_auth_backend(seen: &Observations<'_>) -> bool {
    let is_foreign = |one: &Described| {
        let exchange = &one.exchange;
        matches!(exchange.status, Some(404 | 405 | 501)) || shape::is_page(exchange)
    };
    any_answer(seen).is_ok() && answered(seen).all(is_foreign)
}
