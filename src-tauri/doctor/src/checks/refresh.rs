//! Refreshing: with a token that the backend has never issued, and for the first time after a
//! sign-in.

use std::time::Duration;

use uuid::Uuid;
use vestibule_core::Secret;
use vestibule_core::backend::invented_token;
use vestibule_core::profile::UserFrom;

use super::{Judged, NotTried, Observations, Probe, advice};
use crate::answered::Answered;
use crate::client::{Client, Renewal};
use crate::finding::{Finding, Side};
use crate::open_sessions::SessionId;
use crate::stop::Stopped;

/// Some backends put the time in whole seconds into a token, so that two tokens of one second may
/// be the same bytes.
pub(crate) const NEXT_SECOND: Duration = Duration::from_millis(1100);

#[derive(Default)]
pub(crate) struct Refreshes {
    unknown_token: Probe<Answered<Renewal>>,
    first: Probe<FirstRefresh>,
}

impl Refreshes {
    /// Whether the first refresh has replaced the token; none where there was no refresh.
    pub(crate) fn rotates(&self) -> Option<bool> {
        self.first.result().ok().map(|first| first.rotates)
    }
}

struct FirstRefresh {
    answer: Answered<Renewal>,
    /// Whether the refresh token is in a cookie alone, and that cookie does not go to this path.
    lacks_cookie: bool,
    rotates: bool,
}

/// Refreshes with a token that the backend has never issued.
pub(crate) async fn refresh_unknown(
    client: &mut Client,
    seen: &mut Observations<'_>,
) -> Result<(), Stopped> {
    client.stop.check()?;
    let token = invented_token(&seen.plan.profile);
    seen.refresh.unknown_token = match token.is_empty() {
        true => Probe::skipped("the profile names no refresh token"),
        false => {
            let access = Secret::new(format!("vestibule-doctor-{}", Uuid::new_v4().simple()));
            let device = Client::new_device();
            Probe::done(client.renew(&token, Some(&access), &device).await)
        }
    };
    Ok(())
}

/// Refreshes the session of the sign-in.
pub(crate) async fn refresh_first(
    client: &mut Client,
    seen: &mut Observations<'_>,
    session: SessionId,
) -> Result<(), Stopped> {
    client.begin("refreshing")?;
    client.stop.sleep(NEXT_SECOND).await?;
    let profile = &seen.plan.profile;
    let Some((_, endpoint)) = profile.renewal() else {
        return Ok(());
    };
    let url = profile.url(&endpoint.path.source());
    let before = client.sessions.get(session).token.clone();
    let lacks_cookie = before.body().is_none() && before.pairs(&url).is_empty();
    let answer = client.renew_session(session).await;
    let rotates = !client.sessions.get(session).token.is_same(&before);
    seen.refresh.first = Probe::done(FirstRefresh {
        answer,
        lacks_cookie,
        rotates,
    });
    Ok(())
}

pub(crate) fn refresh(seen: &Observations<'_>) -> Judged {
    let FirstRefresh {
        answer,
        lacks_cookie,
        ..
    } = seen.refresh.first.result()?;
    Ok(match &answer.result {
        Renewal::Renewed { .. } => answer.yes(),
        Renewal::Ended(_) if *lacks_cookie => answer
            .no_because("the request did not carry the cookie")
            .advise(
                Side::Backend,
                "set the refresh cookie so that it reaches this path: Path=/, no Domain of another \
                 host, and Secure only where the backend is reached by https",
            ),
        Renewal::Ended(why) => {
            let meaning = format!("the session is over ({why:?}) right after the sign-in");
            answer.no_because(&meaning).advise(
                Side::Backend,
                "accept the refresh token of the sign-in from the device that the sign-in named",
            )
        }
        Renewal::Transient => match answer.status() {
            _ if lacks_user(answer) => answer.no().advise(
                Side::Profile,
                "where the profile looks there is no user or no access token (answer.refresh); \
                 session.user_from says where else the user may come from: \"me\" or \"login\"",
            ),
            Some(404 | 405) => answer.no().advise(
                Side::Profile,
                "no such endpoint: say its path in endpoints.refresh, or `refresh = false` where \
                 `me` says whether the session is alive",
            ),
            _ => answer.no().advise(
                Side::Backend,
                "answer a refresh with 200 and JSON {user, tokens}; until then the app keeps the \
                 session and shows it as offline",
            ),
        },
    })
}

/// Whether a refresh succeeded for the backend, and the app misses something in the answer.
fn lacks_user(answer: &Answered<Renewal>) -> bool {
    answer.is_success() && !answer.is_page()
}

pub(crate) fn rotation(seen: &Observations<'_>) -> Judged {
    let first = seen.refresh.first.result()?;
    renewed(&first.answer)?;
    let sent = first.answer.sent();
    if first.rotates {
        return Ok(Finding::yes(sent, "a new token replaces the old one"));
    }
    Ok(Finding::no(sent, "the token stays the same").advise(
        Side::Backend,
        "give out a new one with each refresh: a copy of a token that never changes works until \
         it expires, and nobody notices",
    ))
}

pub(crate) fn user_again(seen: &Observations<'_>) -> Judged {
    let answer = &seen.refresh.first.result()?.answer;
    let from = seen.plan.profile.session.user_from;
    if let Renewal::Transient = answer.result
        && from == UserFrom::Refresh
        && lacks_user(answer)
    {
        let advice = "answer the user with each refresh";
        return Ok(answer.no().advise(Side::Backend, advice));
    }
    Ok(match (from, renewed(answer)?) {
        (_, true) => Finding::yes(answer.sent(), "the user is in the answer"),
        (UserFrom::Me, false) => Finding::not_tried("the profile asks `me` for the user"),
        (_, false) => Finding::not_tried("the profile keeps the user of the sign-in"),
    })
}

/// Whether the answer to a refresh that succeeded has a user.
fn renewed(answer: &Answered<Renewal>) -> Result<bool, NotTried> {
    match &answer.result {
        Renewal::Renewed { user, .. } => Ok(user.is_some()),
        Renewal::Ended(_) => Err(NotTried::NotRun),
        Renewal::Transient => Err(NotTried::Because("the refresh did not succeed".into())),
    }
}

/// Whether the backend says that a token is dead which it has never issued.
pub(crate) fn unknown_token(seen: &Observations<'_>) -> Judged {
    let answer = seen.refresh.unknown_token.result()?;
    Ok(match &answer.result {
        Renewal::Ended(_) => answer.yes(),
        Renewal::Renewed { .. } => answer
            .no_because("renewed")
            .advise(Side::Backend, "answer 401 to a token that was never issued"),
        Renewal::Transient => advice::not_dead(answer, &seen.plan.profile),
    })
}
