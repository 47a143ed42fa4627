//! The list of sessions, and ending sessions through it: one of the doctor's own, or all.

use serde_json::Value;
use vestibule_core::wire::SignedOutReason;

use super::{Judged, Observations, Probe};
use crate::answered::Answered;
use crate::client::{Client, Renewal};
use crate::finding::{Finding, Holds, Side};
use crate::open_sessions::SessionId;
use crate::plan::Account;
use crate::stop::Stopped;

const LIST: &str = "/sessions";
const ALL: &str = "/logout-all";
/// What each session in the list should say.
const MEMBERS: [&str; 5] = ["id", "device", "createdAt", "lastUsedAt", "current"];

#[derive(Default)]
pub(crate) struct Sessions {
    list: Probe<Answered<()>>,
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
    seen.sessions.list = client.call("GET", LIST, session).await?.into();
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
    let listed = client.call("GET", LIST, session).await?;
    let listed = match listed {
        Ok(answer) if answer.status().is_some() => answer,
        unanswered => {
            seen.end_one = unanswered.into();
            seen.after_end_one = Probe::skipped("the list of sessions could not be asked for");
            return Ok(());
        }
    };
    let Some(id) = listed.body().as_ref().and_then(own_id) else {
        let got = listed.got();
        let why = format!("the list does not say which session asks: {got}");
        seen.after_end_one = Probe::skipped(&why);
        seen.end_one = Probe::skipped(why);
        return Ok(());
    };
    let ended = client.call("DELETE", &format!("{LIST}/{id}"), by).await?;
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
    Ok(match (answer.is_success(), answer.body()) {
        (true, Some(Value::Array(items))) => match lacking(&items) {
            lacks if lacks.is_empty() => answer.yes(),
            lacks => {
                let lacks = format!("each session should say {}", lacks.join(", "));
                answer.no().advise(Side::Backend, lacks)
            }
        },
        (true, _) => answer.no().advise(Side::Backend, "answer a JSON list"),
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

fn lacking(items: &[Value]) -> Vec<&'static str> {
    let lacks = |name: &&'static str| !items.iter().all(|item| item.get(*name).is_some());
    MEMBERS.into_iter().filter(|name| lacks(name)).collect()
}

/// The id of the session that asks, if exactly one in the list says that it is the current one, and
/// its id fits into a path.
fn own_id(list: &Value) -> Option<String> {
    let items = list.as_array()?.iter();
    let mut own = items.filter(|item| item.get("current") == Some(&Value::Bool(true)));
    let id = own.next()?.get("id")?.as_str()?.to_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = own.next().is_none() && (1..=128).contains(&id.len()) && id.chars().all(is_plain);
    fits.then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_one_session_that_asks_is_named() {
        let list = json!([{"id": "a", "current": false}, {"id": "b-1", "current": true}]);
        assert_eq!(own_id(&list).as_deref(), Some("b-1"));
        let two = json!([{"id": "a", "current": true}, {"id": "b", "current": true}]);
        assert_eq!(own_id(&two), None, "the other may be a person's");
        assert_eq!(own_id(&json!([{"id": "../x", "current": true}])), None);
        assert_eq!(own_id(&json!({"sessions": []})), None);
    }
}
