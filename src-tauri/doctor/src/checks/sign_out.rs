//! Signing out: whether the backend learns whose session it is, whether the session is over then,
//! and what it answers to a second sign-out.

use vestibule_core::backend::UndeliveredSignOut;
use vestibule_core::profile::{Placeholder, Profile};
use vestibule_core::reading;
use vestibule_core::{RefreshChange, RefreshCookie};

use super::{Judged, Observations, Probe};
use crate::answered::Answered;
use crate::client::{Client, Renewal};
use crate::date;
use crate::finding::{Finding, Side};
use crate::open_sessions::{OpenSession, SessionId};
use crate::stop::Stopped;

#[derive(Default)]
pub(crate) struct SignOuts {
    first: Probe<FirstSignOut>,
    /// A refresh after the sign-out.
    refresh: Probe<Answered<Renewal>>,
    second: Probe<Answered<Result<(), UndeliveredSignOut>>>,
}

struct FirstSignOut {
    answer: Answered<Result<(), UndeliveredSignOut>>,
    /// What in the request says whose session it is.
    carries: Result<&'static str, &'static str>,
}

/// Signs out as a click in the app would, refreshes, and signs out again.
pub(crate) async fn sign_out(
    client: &mut Client,
    seen: &mut Observations<'_>,
    session: SessionId,
) -> Result<(), Stopped> {
    client.begin("signing out")?;
    let profile = &seen.plan.profile;
    if profile.endpoints.logout.get().is_none() {
        let why = "the profile has no sign-out: sessions end by themselves";
        seen.sign_out.first = Probe::skipped(why);
        client.sessions.end(session);
        return Ok(());
    }
    let carries = carries(profile, client.sessions.get(session));
    let answer = client.sign_out(session).await;
    seen.sign_out.first = Probe::done(FirstSignOut { answer, carries });

    let answer = client.renew_session(session).await;
    if is_refused(&answer) {
        client.sessions.end(session);
    }
    seen.sign_out.refresh = Probe::done(answer);
    seen.sign_out.second = Probe::done(client.sign_out(session).await);
    Ok(())
}

/// What in the request of a sign-out says whose session it is.
fn carries(profile: &Profile, session: &OpenSession) -> Result<&'static str, &'static str> {
    let nothing = "the request carries neither the refresh cookie nor a token";
    let endpoint = profile.endpoints.logout.get().ok_or(nothing)?;
    let url = profile.url(&endpoint.path.source());
    if endpoint.asks_for(Placeholder::RefreshToken) && session.token.body().is_some() {
        return Ok("the request carries the refresh token");
    }
    if !session.token.pairs(&url).is_empty() {
        return Ok("the request carries the refresh cookie");
    }
    if endpoint.asks_for(Placeholder::AccessToken) && session.access.is_some() {
        return Ok("the request carries the access token");
    }
    Err(nothing)
}

/// Whether the backend refuses to refresh, in whatever way, and not for a limit.
fn is_refused(answer: &Answered<Renewal>) -> bool {
    matches!(answer.result, Renewal::Transient)
        && matches!(answer.status(), Some(400..=499))
        && answer.status() != Some(429)
}

pub(crate) fn logout(seen: &Observations<'_>) -> Judged {
    let answer = &seen.sign_out.first.result()?.answer;
    Ok(match answer.result {
        Ok(()) if answer.is_success() => answer.yes(),
        // Some answer 401 because nobody is signed in any more (django-allauth).
        Ok(()) if is_over(seen) => answer.yes_because("the session is over"),
        Ok(()) => {
            let got = format!("{}, for a session that is alive", answer.got());
            Finding::no(answer.sent(), got).advise(
                Side::Backend,
                "answer 204 to the refresh token alone. A 401 or 404 says that there is nothing to \
                 end, and the app believes it",
            )
        }
        Err(_) if answer.is_page() => answer.no().advise(
            Side::Backend,
            "answer 204 or JSON: the app takes a page for a captive portal's, and repeats the \
             sign-out later",
        ),
        Err(_) if matches!(answer.status(), Some(404 | 405)) => answer.no().advise(
            Side::Profile,
            "say its path in endpoints.logout, or `logout = false`",
        ),
        Err(_) => answer.no().advise(
            Side::Backend,
            "answer 204, also for a session that has ended; otherwise the app repeats the sign-out \
             for seven days",
        ),
    })
}

/// Whether the session was over after the sign-out, whatever the backend answered to it.
fn is_over(seen: &Observations<'_>) -> bool {
    let refresh = seen.sign_out.refresh.result();
    refresh.is_ok_and(|answer| matches!(answer.result, Renewal::Ended(_)) || is_refused(answer))
}

/// Whether one token is the whole session and nothing renews it: there is nothing at the backend that a
/// sign-out could end.
fn is_stateless(seen: &Observations<'_>) -> bool {
    let profile = &seen.plan.profile;
    let is_renewed = !profile.refreshes_by_me() && seen.refresh.rotates() != Some(false);
    profile.session.single_token && !is_renewed
}

/// The same words whether the backend has a sign-out or not.
const STATELESS: &str = "the app forgets the token; the backend takes it until it expires, from whoever \
                         has a copy";

pub(crate) fn logout_token(seen: &Observations<'_>) -> Judged {
    let FirstSignOut { answer, carries } = seen.sign_out.first.result()?;
    Ok(match carries {
        Ok(how) => Finding::yes(answer.sent(), *how),
        Err(why) => Finding::no(answer.sent(), *why).advise(
            Side::Backend,
            "set the refresh cookie with Path=/ (or a path that the sign-out lies under): without \
             it the backend cannot know which session to end",
        ),
    })
}

pub(crate) fn logout_ends(seen: &Observations<'_>) -> Judged {
    let profile = &seen.plan.profile;
    if profile.endpoints.logout.get().is_none()
        && seen.sign_in.gave_a_session()
        && is_stateless(seen)
    {
        return Ok(Finding::not_tried(STATELESS));
    }
    seen.sign_out.first.result()?;
    let answer = seen.sign_out.refresh.result()?;
    Ok(match answer.result {
        Renewal::Ended(_) => answer.yes(),
        Renewal::Renewed { .. } if is_stateless(seen) => Finding::unclear(answer.sent(), STATELESS),
        Renewal::Renewed { .. } => answer.no_because("still alive").advise(
            Side::Backend,
            "end the session at sign-out, and every refresh token that was given out for it",
        ),
        Renewal::Transient if is_refused(answer) => answer.yes_because("refused"),
        Renewal::Transient => answer.unclear(),
    })
}

pub(crate) fn logout_again(seen: &Observations<'_>) -> Judged {
    seen.sign_out.first.result()?;
    let answer = seen.sign_out.second.result()?;
    Ok(match answer.result {
        Ok(()) => answer.yes(),
        Err(_) => answer
            .no()
            .advise(
                Side::Backend,
                "answer 204, or 401 or 404 with JSON: the app repeats a sign-out whose answer was \
                 lost",
            )
            .advise(
                Side::Profile,
                "or say in `signed_out` which answer means that the session has ended",
            ),
    })
}

pub(crate) fn cookie_deleted(seen: &Observations<'_>) -> Judged {
    let answer = &seen.sign_out.first.result()?.answer;
    let profile = &seen.plan.profile;
    let names = &profile.cookies.refresh;
    let Some(exchange) = answer.exchange().filter(|_| !names.is_empty()) else {
        return Ok(Finding::not_tried("the session is in no cookie"));
    };
    let now = date::sent_at(exchange).into();
    let lines = exchange.headers.get_all("set-cookie").iter();
    let mut changes = lines.filter_map(|line| {
        let line = reading::header_text(line);
        RefreshCookie::from_line(&line, &profile.backend, names, now)
    });
    Ok(match changes.next_back() {
        Some(RefreshChange::Delete(cookie)) => {
            Finding::yes(answer.sent(), format!("deletes {}", cookie.name()))
        }
        Some(RefreshChange::Set(_)) => Finding::no(answer.sent(), "sets another token").advise(
            Side::Backend,
            "delete the cookie at sign-out: Max-Age=0 and an empty value",
        ),
        None => Finding::not_tried("the sign-out leaves the cookie; the app drops it by itself"),
    })
}
