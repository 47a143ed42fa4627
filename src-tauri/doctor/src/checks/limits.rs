//! Rate limits: whether a 429 says how long to wait, and whether a limit on refreshes is answered
//! with a 429 at all, because the app may take another refusal for the end of the session.

use std::time::Duration;

use vestibule_core::ErrorCode;
use vestibule_core::backend::retry_after;
use vestibule_core::reading;
use vestibule_core::wire::LoginInput;

use super::{Judged, NotTried, Observations, Probe};
use crate::answered::{Answered, Described};
use crate::client::{Client, Renewal, SignInAnswer};
use crate::date;
use crate::finding::{Finding, Side};
use crate::plan::{Account, REFRESHES, SIGN_INS};
use crate::stop::Stopped;

const WRONG: &str = "not the password of anybody";

#[derive(Default)]
pub(crate) struct Limits {
    refreshes: Probe<RefreshLimit>,
    sign_ins: Probe<SignInLimit>,
}

/// What a refresh was refused with after many that succeeded.
struct RefreshLimit {
    answer: Answered<Renewal>,
    refreshes_before: u32,
}

/// What a sign-in was refused with after many wrong ones.
struct SignInLimit {
    answer: Answered<SignInAnswer>,
    tries_before: u32,
    /// Whether the account is locked; else it is a 429.
    is_locked: bool,
}

impl Limits {
    pub(crate) fn tries_before_limit(&self) -> Option<u32> {
        let limit = self.sign_ins.result().ok();
        limit
            .filter(|limit| !limit.is_locked)
            .map(|limit| limit.tries_before)
    }
}

/// Refreshes one session until the backend refuses.
pub(crate) async fn refresh_until_refused(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    let session = match client.another_session(account).await? {
        Ok(session) => session,
        Err(why) => {
            seen.limits.refreshes = Probe::skipped(why);
            return Ok(());
        }
    };
    client
        .prompter
        .progress(&format!("refreshing, {REFRESHES} times at most"));
    for refreshes_before in 0..REFRESHES {
        client.stop.check()?;
        let answer = client.renew_session(session).await;
        if !matches!(answer.result, Renewal::Renewed { .. }) {
            seen.limits.refreshes = Probe::done(RefreshLimit {
                answer,
                refreshes_before,
            });
            return Ok(());
        }
    }
    let why = format!("no 429 within {REFRESHES} refreshes of one session, which is fine");
    seen.limits.refreshes = Probe::skipped(why);
    Ok(())
}

/// Signs in wrongly, to an account that does not exist, until the backend refuses to look.
pub(crate) async fn fail_until_refused(
    client: &mut Client,
    seen: &mut Observations<'_>,
) -> Result<(), Stopped> {
    client.begin(&format!("failing to sign in, {SIGN_INS} times at most"))?;
    client.masks.hide(WRONG, "password");
    let email = format!(
        "vestibule-doctor-{}@example.com",
        uuid::Uuid::new_v4().simple()
    );
    for tries_before in 0..SIGN_INS {
        client.stop.check()?;
        let input = LoginInput::new(&email, WRONG);
        let answer = client.login(&input, &Client::new_device()).await;
        let SignInAnswer::Refused(error) = &answer.result else {
            continue;
        };
        let is_locked = error.code == ErrorCode::AccountLocked;
        if is_locked || error.code == ErrorCode::RateLimited {
            seen.limits.sign_ins = Probe::done(SignInLimit {
                answer,
                tries_before,
                is_locked,
            });
            return Ok(());
        }
    }
    let why = format!("no 429 within {SIGN_INS} failed sign-ins; something should slow them down");
    seen.limits.sign_ins = Probe::skipped(why);
    Ok(())
}

/// The last 429 of a refresh (`at_refresh`), or of anything else. It may have come to any probe.
fn last_429<'a>(seen: &'a Observations<'_>, at_refresh: bool) -> Option<&'a Described> {
    let renewal = seen.plan.profile.renewal();
    let renewal = renewal.map(|(_, endpoint)| endpoint.path.source());
    seen.exchanges.iter().rev().find(|one| {
        let is_refresh = Some(&one.exchange.path) == renewal.as_ref();
        one.exchange.status == Some(429) && is_refresh == at_refresh
    })
}

/// How long a 429 asks to wait.
fn wait_of(limited: &Described) -> Option<Duration> {
    let exchange = &limited.exchange;
    retry_after(true, date::sent_at(exchange), |name| {
        exchange.headers.get(name).map(reading::header_text)
    })
}

/// What a 429 asked for; that of a refresh comes first.
pub(crate) fn retry_after_seen(seen: &Observations<'_>) -> Option<Duration> {
    let limited = last_429(seen, true).or_else(|| last_429(seen, false));
    limited.and_then(wait_of)
}

fn judge_429(limited: &Described, sent: String) -> Finding {
    match wait_of(limited) {
        Some(wait) => Finding::yes(sent, format!("429, try again in {} s", wait.as_secs())),
        None => Finding::no(sent, format!("{}, without Retry-After", limited.got)).advise(
            Side::Backend,
            "send Retry-After in seconds with each 429: the app waits that long and shows it; \
             without it every app guesses, and all come back too soon",
        ),
    }
}

pub(crate) fn limits(seen: &Observations<'_>) -> Judged {
    if let Some(limited) = last_429(seen, false) {
        let sent = match seen.limits.tries_before_limit() {
            Some(tries) => format!("{} ({} times)", limited.sent, tries + 1),
            None => limited.sent.clone(),
        };
        return Ok(judge_429(limited, sent));
    }
    let limit = seen.limits.sign_ins.result()?;
    if !limit.is_locked {
        return Err(NotTried::NotRun);
    }
    let (answer, tries) = (&limit.answer, limit.tries_before);
    let got = format!("{}, after {tries} tries", answer.got());
    Ok(Finding::yes(answer.sent(), got))
}

pub(crate) fn limits_refresh(seen: &Observations<'_>) -> Judged {
    if let Some(limited) = last_429(seen, true) {
        return Ok(judge_429(limited, limited.sent.clone()));
    }
    let limit = seen.limits.refreshes.result()?;
    let (answer, before) = (&limit.answer, limit.refreshes_before);
    let got = format!("{}, after {before} refreshes", answer.got());
    Ok(match answer.result {
        Renewal::Ended(_) => Finding::no(answer.sent(), got).advise(
            Side::Backend,
            "if that is a limit, answer 429 with Retry-After: by this answer the app ends a \
             session that is alive",
        ),
        Renewal::Transient => Finding::unclear(answer.sent(), got),
        Renewal::Renewed { .. } => return Err(NotTried::NotRun),
    })
}
