//! What the sign-in by the browser, and the session that came of it, say of the provider.

use serde_json::Value;

use super::{NO_SESSION, Outcome, Refreshed, Spent};
use crate::answered::Answered;
use crate::checks::{Judged, NotTried, Observations, provider};
use crate::client::{Renewal, SignInAnswer};
use crate::finding::{Finding, Side};

pub(crate) fn browser_sign_in(seen: &Observations<'_>) -> Judged {
    let answer = match seen.browser.sign_in.result()? {
        Outcome::Exchanged(answer) => answer,
        Outcome::Refused(error) => {
            return Ok(Finding::no("the browser", &error.message)
                .advise(Side::You, "sign in, and agree, where the page asks for it")
                .advise(
                    Side::Provider,
                    "or send the browser back with `code`, `state` and the right `iss`",
                ));
        }
    };
    Ok(match &answer.result {
        SignInAnswer::Session(_) | SignInAnswer::Nameless(_) => answer.yes(),
        // The row about the refresh token says what is missing.
        SignInAnswer::Refused(_) if has(answer, "access_token") => answer.yes(),
        SignInAnswer::Refused(error) => answer.no().advise(Side::Provider, &error.message).advise(
            Side::Profile,
            "check browser.client_id; a provider that demands a secret of every client needs \
                 browser.client_secret too",
        ),
        SignInAnswer::CodeNeeded { .. } | SignInAnswer::Accepted => answer.no().advise(
            Side::Provider,
            "answer the code with tokens (RFC 6749 §5.1)",
        ),
    })
}

/// Whether a success of the token endpoint holds this member.
fn has(answer: &Answered<SignInAnswer>, member: &str) -> bool {
    let body = answer.body().filter(|_| answer.is_success());
    body.is_some_and(|body| body.get(member).is_some_and(Value::is_string))
}

pub(crate) fn browser_token(seen: &Observations<'_>) -> Judged {
    let answer = seen.browser.exchanged()?;
    Ok(match &answer.result {
        SignInAnswer::Session(_) | SignInAnswer::Nameless(_) => {
            Finding::yes(answer.sent(), "it is in the answer")
        }
        _ if has(answer, "access_token") && !has(answer, "refresh_token") => {
            Finding::no(answer.sent(), "there is none in the answer")
                .advise(
                    Side::Profile,
                    "ask for one: the scope offline_access in browser.scopes, or what the provider \
                     has instead, such as access_type in browser.parameters",
                )
                .advise(
                    Side::Provider,
                    "allow this client refresh tokens: without one the app signs nobody in",
                )
        }
        _ => return Err(NotTried::Because(NO_SESSION.into())),
    })
}

pub(crate) fn id_token(seen: &Observations<'_>) -> Judged {
    let answer = seen.browser.exchanged()?;
    Ok(match &answer.result {
        SignInAnswer::Session(session) if session.access.id_token.is_some() => Finding::yes(
            answer.sent(),
            "signed by the provider, for this client and this sign-in",
        ),
        SignInAnswer::Session(_) => {
            return Err(NotTried::Because("this provider gives out none".into()));
        }
        SignInAnswer::Nameless(error) => Finding::no(answer.sent(), "it does not pass its checks")
            .advise(Side::Provider, &error.message)
            .advise(
                Side::Provider,
                "name the issuer, the client and the nonce in it as they were asked for, and sign it \
                 with a key that is published",
            ),
        _ => return Err(NotTried::Because(NO_SESSION.into())),
    })
}

pub(crate) fn user_info(seen: &Observations<'_>) -> Judged {
    let (answer, claims) = seen.browser.user_info.result()?;
    let sub = |said: &Value| said.get("sub").cloned();
    Ok(match (&answer.result, claims) {
        (Err(fault), _) => {
            let finding = answer.no_because(&provider::words(*fault));
            provider::faulty(finding, *fault)
        }
        (Ok(None), _) => answer.unclear(),
        (Ok(Some(_)), None) => answer.yes(),
        (Ok(Some(told)), Some(claims)) if sub(told) == sub(claims) => {
            answer.yes_because("the person of the ID token")
        }
        (Ok(Some(_)), Some(_)) => answer
            .no_because("another `sub` than in the ID token")
            .advise(
                Side::Provider,
                "name the same person in both (OpenID Connect Core §5.3.2): the app signs nobody in \
                 where it has to ask userinfo for a name",
            ),
    })
}

pub(crate) fn api_takes_token(seen: &Observations<'_>) -> Judged {
    let answer = seen.browser.me.result()?;
    Ok(match &answer.result {
        Ok(_) => answer.yes(),
        Err(fault) => match fault.obstacle() {
            Some(obstacle) => answer.no().advise_against(obstacle),
            None => answer
                .no()
                .advise(
                    Side::Backend,
                    "take the provider's access tokens: check their signature, issuer and audience",
                )
                .advise(
                    Side::Profile,
                    "or send the other token: browser.api_token; an audience is asked for in \
                     browser.parameters",
                ),
        },
    })
}

pub(crate) fn browser_refresh(seen: &Observations<'_>) -> Judged {
    let Refreshed { answer, .. } = seen.browser.refresh.result()?;
    Ok(match &answer.result {
        Renewal::Renewed { .. } => answer.yes(),
        Renewal::Ended(_) => answer
            .no_because("the session is over right after the sign-in")
            .advise(
                Side::Provider,
                "accept the refresh token of the sign-in at the same endpoint, from the same client",
            ),
        Renewal::Transient => answer.no().advise(
            Side::Provider,
            "answer a refresh with 200 and a new access token of the type Bearer; until then the app \
             keeps the session and shows it as offline",
        ),
    })
}

/// The refresh, where it has renewed the session.
fn renewed<'a>(seen: &'a Observations<'_>) -> Result<&'a Refreshed, NotTried> {
    let refreshed = seen.browser.refresh.result()?;
    match refreshed.answer.result {
        Renewal::Renewed { .. } => Ok(refreshed),
        _ => Err(NotTried::Because("the refresh did not succeed".into())),
    }
}

pub(crate) fn browser_rotation(seen: &Observations<'_>) -> Judged {
    let Refreshed { answer, rotates } = renewed(seen)?;
    Ok(match rotates {
        true => Finding::yes(answer.sent(), "a new token replaces the old one"),
        false => Finding::no(answer.sent(), "the token stays the same").advise(
            Side::Provider,
            "give out a new one with each refresh to a public client (RFC 9700 §4.14.2): a copy of \
             one that never changes works until it expires, and nobody notices",
        ),
    })
}

pub(crate) fn spent_token(seen: &Observations<'_>) -> Judged {
    renewed(seen)?;
    let Spent { answer, after, .. } = seen.browser.spent.result()?;
    let seconds = after.as_secs();
    Ok(match answer.result {
        Renewal::Ended(_) => answer.yes_because(&format!("{seconds} s after it was replaced")),
        Renewal::Transient => answer.unclear(),
        Renewal::Renewed { .. } if *after < seen.plan.grace => answer.unclear_because(&format!(
            "it still works after {seconds} s: not tried long enough"
        )),
        Renewal::Renewed { .. } => answer
            .no_because(&format!("it still works after {seconds} s"))
            .advise(
                Side::Provider,
                "refuse a token that was replaced with invalid_grant. A minute of leeway is fine, and \
                 helps an app whose answer was lost",
            ),
    })
}

pub(crate) fn spent_family(seen: &Observations<'_>) -> Judged {
    renewed(seen)?;
    let spent = seen.browser.spent.result()?;
    let Some(newest) = &spent.newest else {
        return Err(NotTried::Because("the spent token was not refused".into()));
    };
    Ok(match newest.result {
        Renewal::Ended(_) => newest.yes_because("the newest token is refused too"),
        Renewal::Transient => newest.unclear(),
        Renewal::Renewed { .. } => newest.no_because("the newest token still works").advise(
            Side::Provider,
            "end the whole session when a spent token is used again (RFC 9700 §4.14.2): either the \
                 app or whoever has copied the token holds the other one",
        ),
    })
}

pub(crate) fn revoked_token(seen: &Observations<'_>) -> Judged {
    let revocation = seen.browser.revocation.result()?;
    if revocation.result.is_err() {
        return Ok(revocation.no().advise(
            Side::Provider,
            "answer a revocation with 200, also for a token that is not known (RFC 7009 §2.2); \
             otherwise the app repeats the sign-out for seven days",
        ));
    }
    let after = seen.browser.after.result()?;
    Ok(match after.result {
        Renewal::Ended(_) => Finding::yes(revocation.sent(), format!("a refresh then: {}", after.got())),
        Renewal::Renewed { .. } => after
            .no_because("alive after the revocation")
            .advise(
                Side::Provider,
                "end the session when its refresh token is revoked, and refuse the token with \
                 invalid_grant",
            ),
        Renewal::Transient => after.no_because("not invalid_grant").advise(
            Side::Provider,
            "refuse a revoked refresh token with 400 and {\"error\": \"invalid_grant\"} (RFC 6749 §5.2): \
             to the app every other answer is a temporary failure",
        ),
    })
}
