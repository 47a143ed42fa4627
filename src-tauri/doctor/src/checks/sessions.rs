//! The list of sessions, and ending sessions through it: one of the doctor's own, or all.

use vestibule_core::wire::SignedOutReason;
use vestibule_core::{Secret, SessionEntries, SessionEntry};

use super::{Judged, Observations, Probe};
use crate::answered::Answered;
use crate::client::{Client, Renewal};
use crate::finding::{Finding, Holds, Side};
use crate::open_sessions::SessionId;
use crate::plan::Account;
use crate::stop::Stopped;

const ALL: &str = "/logout-all";

#[derive(Default)]
pub(crate) struct Sessions {
    list: Probe<Answered<Option<SessionEntries>>>,
    end_one: Probe<Answered<()>>,
    /// A refresh of the one session that was ended.
    after_end_one: Probe<Answered<Renewal>>,
    end_all: Probe<Answered<()>>,
    /// A refresh of one of the sessions that were all ended.
    after_end_all: Probe<Answered<Renewal>>,
}

/// Asks for the list.
pub(crate) async fn list(
    client: &mut Client,
    seen: &mut Observations<'_>,
    session: SessionId,
) -> Result<(), Stopped> {
    seen.sessions.list = client.list_sessions(session).await?.into();
    Ok(())
}

/// Signs in once more, and ends that session from the session `by`, as its owner would from another
/// device.
pub(crate) async fn end_one(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
    by: SessionId,
) -> Result<(), Stopped> {
    let seen = &mut seen.sessions;
    let session = match client.another_session(account).await? {
        Ok(session) => session,
        Err(why) => {
            seen.after_end_one = Probe::skipped(&why);
            seen.end_one = Probe::skipped(why);
            return Ok(());
        }
    };
    let listed = match client.list_sessions(session).await? {
        Ok(answer) if answer.status().is_some() => answer,
        unanswered => {
            seen.end_one = Probe::from(unanswered.map(|answer| Answered {
                result: (),
                exchanges: answer.exchanges,
            }));
            seen.after_end_one = Probe::skipped("the list of sessions could not be asked for");
            return Ok(());
        }
    };
    let Some(own) = listed.result.as_ref().and_then(own_handle) else {
        let got = listed.got();
        let why = format!("the list does not say which session asks: {got}");
        seen.after_end_one = Probe::skipped(&why);
        seen.end_one = Probe::skipped(why);
        return Ok(());
    };
    let ended = client.end_listed(own, by).await?;
    match &ended {
        Ok(answer) if answer.is_success() => {
            seen.after_end_one = Probe::done(refresh_ended(client, session).await);
        }
        Ok(answer) if answer.status().is_some() => {
            seen.after_end_one = Probe::skipped("the session could not be ended");
        }
        _ => {}
    }
    seen.end_one = ended.into();
    Ok(())
}

/// Ends every session of the account.
pub(crate) async fn end_all(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
) -> Result<(), Stopped> {
    let seen = &mut seen.sessions;
    let session = match client.another_session(account).await? {
        Ok(session) => session,
        Err(why) => {
            seen.end_all = Probe::skipped(why);
            return Ok(());
        }
    };
    client
        .prompter
        .progress("ending every session of the account");
    let ended = client.call("POST", ALL, session).await?;
    if ended.as_ref().is_ok_and(Answered::is_success) {
        seen.after_end_all = Probe::done(refresh_ended(client, session).await);
    }
    seen.end_all = ended.into();
    Ok(())
}

/// Refreshes a session that another session has ended.
async fn refresh_ended(client: &mut Client, session: SessionId) -> Answered<Renewal> {
    let answer = client.renew_session(session).await;
    if let Renewal::Transient = answer.result {
        client.sessions.end(session);
    }
    answer
}

pub(crate) fn sessions(seen: &Observations<'_>) -> Judged {
    let answer = seen.sessions.list.result()?;
    if answer.status().is_none() {
        return Ok(answer.unclear());
    }
    if answer.is_absent() {
        return Ok(answer.unclear_because("not offered, which is fine; the app shows no list then"));
    }
    Ok(match (answer.is_success(), &answer.result) {
        (true, Some(list)) => match lacking(list) {
            lacks if lacks.is_empty() => answer.yes(),
            lacks => {
                let lacks = format!(
                    "each session should say {}; if it does, `answer.sessions` has to say where",
                    lacks.join(", ")
                );
                answer.no().advise(Side::Backend, lacks)
            }
        },
        (true, None) => answer.no().advise(
            Side::Backend,
            "answer a JSON list, at a place that `answer.sessions.list` names",
        ),
        (false, _) if answer.status() == Some(401) => answer.no().advise(
            Side::Backend,
            "accept the access token of the sign-in as `Authorization: Bearer`",
        ),
        (false, _) => answer.no().advise(
            Side::Backend,
            "answer 200 and a list, or 404 if there is none",
        ),
    })
}

pub(crate) fn session_end(seen: &Observations<'_>) -> Judged {
    let answer = seen.sessions.end_one.result()?;
    Ok(match answer.status() {
        None => answer.unclear(),
        Some(200..=299) => answer.yes(),
        Some(_) => answer.no().advise(Side::Backend, "answer 204"),
    })
}

pub(crate) fn logout_all(seen: &Observations<'_>) -> Judged {
    let answer = seen.sessions.end_all.result()?;
    Ok(match answer.status() {
        None => answer.unclear(),
        Some(200..=299) => answer.yes(),
        Some(_) if answer.is_absent() => answer.unclear_because("not offered, which is fine"),
        Some(_) => answer.no().advise(Side::Backend, "answer 204"),
    })
}

/// What the backend answers to a session that was ended from another one. Two probes may have
/// asked: one that does not hold decides, else the first.
pub(crate) fn revoked(seen: &Observations<'_>) -> Judged {
    let by_list = seen.sessions.after_end_one.result().map(revoked_by);
    match (
        by_list,
        seen.sessions.after_end_all.result().map(revoked_by),
    ) {
        (_, Ok(by_all)) if by_all.holds == Holds::No => Ok(by_all),
        (Err(_), Ok(by_all)) => Ok(by_all),
        (by_list, _) => by_list,
    }
}

fn revoked_by(answer: &Answered<Renewal>) -> Finding {
    match answer.result {
        Renewal::Ended(SignedOutReason::Revoked) => answer.yes(),
        Renewal::Ended(_) => answer.no().advise(
            Side::Backend,
            "answer with the code SESSION_REVOKED: then the app can say that the session was ended \
             from another device",
        ),
        Renewal::Renewed { .. } => answer.no_because("still alive").advise(
            Side::Backend,
            "end the refresh tokens of a session too, and not only its entry in the list",
        ),
        Renewal::Transient => answer
            .no()
            .advise(Side::Backend, "answer 401 with the code SESSION_REVOKED"),
    }
}

/// What some sessions of the list do not say.
fn lacking(list: &SessionEntries) -> Vec<&'static str> {
    let sessions = &list.sessions;
    let all = |says: fn(&SessionEntry) -> bool| sessions.iter().all(says);
    let on_what = |one: &SessionEntry| {
        let texts = [&one.name, &one.browser, &one.os, &one.user_agent];
        texts.into_iter().any(Option::is_some)
    };
    let said = [
        (list.left_out.nameless == 0, "its id"),
        (all(on_what), "its device"),
        (all(|one| one.created_at.is_some()), "when it began"),
        (
            all(|one| one.last_used_at.is_some()),
            "when it was last used",
        ),
        (
            sessions.iter().any(|one| one.is_own),
            "whether it is the one that asks",
        ),
    ];
    let lacks = said.into_iter().filter(|(is_said, _)| !is_said);
    lacks.map(|(_, what)| what).collect()
}

/// What the backend calls the session that asks, if the list says which it is.
fn own_handle(list: &SessionEntries) -> Option<&Secret> {
    let own = list.sessions.iter().find(|one| one.is_own)?;
    Some(&own.handle)
}
