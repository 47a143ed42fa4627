//! A sign-in by the browser, with a person at it, and the session that comes of it: its tokens, whose it
//! is, its renewal, what becomes of a spent refresh token, and its revocation.

mod judge;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule_core::backend::{
    BackendError, Provider, ProviderFault, Returned, UndeliveredSignOut,
};
use vestibule_core::browser::{DonePage, Listener};
use vestibule_core::profile::RedirectBy;
use vestibule_core::reading;
use vestibule_core::wire::User;
use vestibule_core::{AuthError, RefreshToken, Secret};

pub(crate) use self::judge::{
    api_takes_token, browser_refresh, browser_rotation, browser_sign_in, browser_token, id_token,
    revoked_token, spent_family, spent_token, user_info,
};
use super::refresh::NEXT_SECOND;
use super::{NotTried, Observations, Probe};
use crate::answered::Answered;
use crate::client::{Client, Renewal, SignInAnswer};
use crate::open_sessions::SessionId;
use crate::stop::Stopped;

/// How long a person may take.
const TIME_FOR_IT: Duration = Duration::from_secs(10 * 60);
/// How long to wait between two tries of a spent token.
const PAUSE: Duration = Duration::from_secs(1);

const UNASKED: &str = "asked for with --browser: a person signs in once, in the browser";
const NO_SESSION: &str = "the sign-in by the browser gave no session";

/// What `userinfo` has answered.
type ToldByProvider = Answered<Result<Option<Value>, ProviderFault>>;

#[derive(Default)]
pub(crate) struct BrowserSessions {
    sign_in: Probe<Outcome>,
    /// What `userinfo` says, and whose the ID token is.
    user_info: Probe<(ToldByProvider, Option<Value>)>,
    me: Probe<Answered<Result<User, BackendError>>>,
    refresh: Probe<Refreshed>,
    spent: Probe<Spent>,
    revocation: Probe<Answered<Result<(), UndeliveredSignOut>>>,
    after: Probe<Answered<Renewal>>,
}

/// How the sign-in has ended.
enum Outcome {
    /// The browser brought a refusal, or none came in time.
    Refused(AuthError),
    /// Its code was exchanged.
    Exchanged(Answered<SignInAnswer>),
}

struct Refreshed {
    answer: Answered<Renewal>,
    rotates: bool,
}

/// What became of the token that a refresh has replaced.
struct Spent {
    /// The last answer to it.
    answer: Answered<Renewal>,
    /// How long after its replacement that was.
    after: Duration,
    /// The newest token of the session, used after that.
    newest: Option<Answered<Renewal>>,
}

impl BrowserSessions {
    /// Whether the provider has let the person in.
    pub(crate) fn gave_a_session(&self) -> bool {
        self.exchanged().is_ok_and(|answer| {
            matches!(
                answer.result,
                SignInAnswer::Session(_) | SignInAnswer::Nameless(_)
            )
        })
    }

    fn exchanged(&self) -> Result<&Answered<SignInAnswer>, NotTried> {
        match self.sign_in.result()? {
            Outcome::Exchanged(answer) => Ok(answer),
            Outcome::Refused(_) => Err(NotTried::Because(NO_SESSION.into())),
        }
    }

    fn skip_all(&mut self, why: &str) {
        self.sign_in = Probe::skipped(why);
        self.skip_rest(why);
    }

    fn skip_rest(&mut self, why: &str) {
        self.user_info = Probe::skipped(why);
        self.me = Probe::skipped(why);
        self.refresh = Probe::skipped(why);
        self.spent = Probe::skipped(why);
        self.revocation = Probe::skipped(why);
        self.after = Probe::skipped(why);
    }
}

/// Sends a person to the browser, and looks at what comes of it.
pub(crate) async fn sign_in(
    client: &mut Client,
    seen: &mut Observations<'_>,
) -> Result<(), Stopped> {
    let provider = match seen.provider.usable() {
        Ok(provider) => provider,
        Err(why) => {
            seen.browser.skip_all(&why);
            return Ok(());
        }
    };
    if !seen.plan.browser {
        seen.browser.skip_all(UNASKED);
        return Ok(());
    }
    let outcome = match go_out(client, seen, &provider).await? {
        Ok(outcome) => outcome,
        Err(why) => {
            seen.browser.skip_all(&why);
            return Ok(());
        }
    };
    seen.browser.skip_rest(NO_SESSION);
    let session = match &outcome {
        Outcome::Exchanged(answer) => match &answer.result {
            SignInAnswer::Session(session) => Some((
                session.id,
                tokens_of(answer, session.access.id_token.as_ref()),
            )),
            _ => None,
        },
        Outcome::Refused(_) => None,
    };
    seen.browser.sign_in = Probe::done(outcome);
    if let Some((id, tokens)) = session {
        look_at_owner(client, seen, &provider, id, tokens).await?;
        let replaced = client.sessions.get(id).token.clone();
        refresh(client, seen, id).await?;
        replay(client, seen, id, &replaced).await?;
        revoke(client, seen, &provider, id).await?;
    }
    Ok(())
}

/// The provider's access token, and the claims of the ID token.
struct Tokens {
    access: Option<Secret>,
    claims: Option<Value>,
}

fn tokens_of(answer: &Answered<SignInAnswer>, id_token: Option<&Secret>) -> Tokens {
    let body = answer.body().unwrap_or_default();
    let access = body.get("access_token").and_then(Value::as_str);
    Tokens {
        access: access.map(Secret::new),
        claims: id_token.and_then(|token| reading::claims(token.secret())),
    }
}

/// Sends the person out, and waits until the browser is back; in words where that cannot be tried.
async fn go_out(
    client: &mut Client,
    seen: &Observations<'_>,
    provider: &Arc<Provider>,
) -> Result<Result<Outcome, String>, Stopped> {
    let Some(browser) = seen.plan.profile.browser.get() else {
        return Ok(Err(UNASKED.into()));
    };
    if !seen.plan.client_is_named {
        return Ok(Err(
            "name the app as it is registered there, with --client-id".into(),
        ));
    }
    if browser.redirect() == RedirectBy::Scheme {
        return Ok(Err(
            "the browser comes back by the app's scheme, which the app alone has".into(),
        ));
    }
    let Some(button) = browser.button(None) else {
        return Ok(Err("the profile has no button".into()));
    };
    let listener = match Listener::bind(browser.loopback, &browser.ports).await {
        Ok(listener) => listener,
        Err(error) => {
            return Ok(Err(format!(
                "no port of this computer can be listened on: {}",
                error.kind()
            )));
        }
    };
    let authorization = match client.authorize(provider, listener.redirect(), &button) {
        Ok(authorization) => authorization,
        Err(error) => return Ok(Err(error.message)),
    };
    client.begin("waiting for a person to sign in in the browser, ten minutes at most")?;
    client.prompter.open(&authorization.address);
    let page = DonePage {
        title: "Back to the doctor".into(),
        text: "The doctor goes on from here. You can close this page.".into(),
        ..DonePage::default()
    };
    let back = listener.wait(|address| authorization.answer(address), page);
    let back = client.stop.race(tokio::time::timeout(TIME_FOR_IT, back));
    let code = match back.await? {
        Ok(Returned::Code(code)) => code,
        Ok(Returned::Refused(error)) => return Ok(Ok(Outcome::Refused(error))),
        Err(_) => {
            return Ok(Err(
                "nobody came back from the browser in ten minutes".into()
            ));
        }
    };
    let device = Client::new_device();
    let answer = client.exchange_code(&authorization, &code, &device).await;
    Ok(Ok(Outcome::Exchanged(answer)))
}

async fn look_at_owner(
    client: &mut Client,
    seen: &mut Observations<'_>,
    provider: &Provider,
    id: SessionId,
    tokens: Tokens,
) -> Result<(), Stopped> {
    client.stop.check()?;
    seen.browser.user_info = match (&provider.userinfo, &tokens.access) {
        (None, _) => Probe::skipped("the provider has no userinfo"),
        (_, None) => Probe::skipped("there is no access token to ask it with"),
        (Some(_), Some(access)) => {
            Probe::done((client.user_info(provider, access).await, tokens.claims))
        }
    };
    client.stop.check()?;
    seen.browser.me = match seen.plan.profile.endpoints.me.get() {
        Some(_) => Probe::done(client.me(id).await),
        None => Probe::skipped("the profile has no endpoints.me to ask with it"),
    };
    Ok(())
}

async fn refresh(
    client: &mut Client,
    seen: &mut Observations<'_>,
    id: SessionId,
) -> Result<(), Stopped> {
    client.begin("refreshing")?;
    client.stop.sleep(NEXT_SECOND).await?;
    let before = client.sessions.get(id).token.clone();
    let answer = client.renew_session(id).await;
    let rotates = !client.sessions.get(id).token.is_same(&before);
    seen.browser.refresh = Probe::done(Refreshed { answer, rotates });
    Ok(())
}

/// Uses the token that was replaced until it is refused, then the newest one.
async fn replay(
    client: &mut Client,
    seen: &mut Observations<'_>,
    id: SessionId,
    replaced: &RefreshToken,
) -> Result<(), Stopped> {
    let rotates = seen.browser.refresh.result().is_ok_and(|one| one.rotates);
    if !seen.plan.allowed.replay || !rotates {
        let why = match rotates {
            true => "asked for with --replay: may end the doctor's own session",
            false => "the refresh token was not replaced",
        };
        seen.browser.spent = Probe::skipped(why);
        return Ok(());
    }
    client.begin("using the replaced refresh token again")?;
    let device = Client::new_device();
    let since = Instant::now();
    let (answer, after) = loop {
        client.stop.check()?;
        let after = since.elapsed();
        let answer = client.renew(replaced, None, &device).await;
        let goes_on = matches!(answer.result, Renewal::Renewed { .. });
        if !goes_on || after > seen.plan.patience {
            break (answer, after);
        }
        client.stop.sleep(PAUSE).await?;
    };
    let newest = match answer.result {
        Renewal::Renewed { .. } => None,
        Renewal::Ended(_) | Renewal::Transient => Some(client.renew_session(id).await),
    };
    seen.browser.spent = Probe::done(Spent {
        answer,
        after,
        newest,
    });
    Ok(())
}

/// Signs out as the app does, and tries to refresh.
async fn revoke(
    client: &mut Client,
    seen: &mut Observations<'_>,
    provider: &Provider,
    id: SessionId,
) -> Result<(), Stopped> {
    client.begin("revoking the tokens")?;
    let is_over = client.sessions.is_over(id);
    let why = match &provider.revoke {
        None => Some("the provider has no endpoint for it: the session ends by itself"),
        Some(_) if is_over => Some("the session is over already"),
        Some(_) => None,
    };
    if let Some(why) = why {
        seen.browser.revocation = Probe::skipped(why);
        seen.browser.after = Probe::skipped(why);
        return Ok(());
    }
    seen.browser.revocation = Probe::done(client.sign_out(id).await);
    seen.browser.after = Probe::done(client.renew_session(id).await);
    Ok(())
}
