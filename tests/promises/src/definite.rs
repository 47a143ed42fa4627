//! A definite rejection ends the session and names the reason: a rejection with an error code
//! at once, one by the status alone at the third answer.
//!
//! Each rule of the default profile, from the real backend and as a scripted answer, at every
//! moment. A run is lost if the session goes on, if the reason is wrong, if the token stays in the
//! store, if the next start shows another reason or asks the backend again, or if a new sign-in
//! does not work. A session that the browser has begun ends by `invalid_grant` from the provider, and by
//! nothing else ([`crate::not_definite`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_core::wire::{Cause, SignedOutReason};
use vestibule_harness::{A_LIFE, Lost, get, is_fresh, try_eventually};

use crate::carrier::Carrier;
use crate::client::ProxiedClient;
use crate::pool::{self, Job};
use crate::proxy::{Act, Script};
use crate::registry::Setting;
use crate::report::Row;

/// How many runs the long form of each kind has.
const RUNS: usize = 1000;

/// Rejections with an error code, each at every moment once.
pub async fn short(setting: &Setting) -> Row {
    named(setting, 1, usize::MAX).await
}

/// Rejections by a provider.
pub mod by_provider {
    use super::{BY_PROVIDER, RUNS, Row, Setting, row, run};

    /// Each at every moment once.
    pub async fn short(setting: &Setting) -> Row {
        all(setting, 1, usize::MAX).await
    }

    /// The same, repeated.
    pub async fn long(setting: &Setting) -> Row {
        all(setting, RUNS, RUNS).await
    }

    async fn all(setting: &Setting, rounds: usize, most: usize) -> Row {
        let (runs, losses) = run(setting, (&BY_PROVIDER, 1), rounds, most).await;
        let what = "ways of a provider to say invalid_grant";
        let bound = "all end at once, with the right reason";
        row(what, BY_PROVIDER.len(), bound, runs, losses)
    }
}

/// The same, repeated.
pub async fn long(setting: &Setting) -> Row {
    named(setting, RUNS, RUNS).await
}

async fn named(setting: &Setting, rounds: usize, most: usize) -> Row {
    let (runs, losses) = run(setting, (&NAMED, 1), rounds, most).await;
    row(
        "definite rejections with a name",
        NAMED.len(),
        "all end at once, with the right reason",
        runs,
        losses,
    )
}

/// Rejections by the status alone: the third of them ends the session.
pub mod by_status {
    use super::{BY_STATUS, RUNS, Row, Setting, row, run};

    /// Each at every moment once.
    pub async fn short(setting: &Setting) -> Row {
        all(setting, 1, usize::MAX).await
    }

    /// The same, repeated.
    pub async fn long(setting: &Setting) -> Row {
        all(setting, RUNS, RUNS).await
    }

    async fn all(setting: &Setting, rounds: usize, most: usize) -> Row {
        let (runs, losses) = run(setting, (&BY_STATUS, 3), rounds, most).await;
        let what = "rejections by the status alone, three times";
        let bound = "all end at the third answer, with the right reason";
        row(what, BY_STATUS.len(), bound, runs, losses)
    }
}

fn row(what: &str, rules: usize, bound: &'static str, runs: u64, losses: u64) -> Row {
    Row {
        what: format!("{rules} {what} × start, idle, wake, call, click"),
        runs,
        losses,
        bound,
        holds: losses == 0,
    }
}

/// Why the backend rejects the token.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A scripted answer instead of the backend's own.
    Says(&'static str, &'static str),
    /// The user revoked the session from another device.
    Revoked,
    /// The account was blocked.
    Blocked,
    /// A copy of the token was used before, and there is no grace window.
    Copied,
}

const NO: &str = "401 Unauthorized";

/// Why the backend rejects the token, what is said to the person, and the session that is rejected.
type Rule = (Way, SignedOutReason, Carrier);

const NAMED: [Rule; 9] = {
    use SignedOutReason::{DeviceMismatch, Expired, Reuse, Revoked};
    with(
        Carrier::Cookie,
        [
            (Way::Says(NO, r#"{"code":"TOKEN_EXPIRED"}"#), Expired),
            (Way::Says(NO, r#"{"code":"TOKEN_INVALID"}"#), Expired),
            (Way::Says(NO, r#"{"code":"SESSION_ENDED"}"#), Expired),
            (
                Way::Says(NO, r#"{"code":"REFRESH_REUSED","message":"x"}"#),
                Reuse,
            ),
            (Way::Says(NO, r#"{"code":"SESSION_REVOKED"}"#), Revoked),
            (
                Way::Says("403 Forbidden", r#"{"code":"DEVICE_MISMATCH"}"#),
                DeviceMismatch,
            ),
            (Way::Revoked, Revoked),
            (Way::Blocked, Revoked),
            (Way::Copied, Reuse),
        ],
    )
};

/// A provider says `invalid_grant` and no more (RFC 6749 §5.2), so the reason is the same whatever it was.
const BY_PROVIDER: [Rule; 7] = {
    const BAD: &str = "400 Bad Request";
    const GONE: &str = r#"{"error":"invalid_grant"}"#;
    let expired = SignedOutReason::Expired;
    with(
        Carrier::Provider,
        [
            (Way::Says(BAD, GONE), expired),
            (Way::Says(NO, GONE), expired),
            (Way::Says("403 Forbidden", GONE), expired),
            (
                Way::Says(
                    BAD,
                    r#"{"error":"invalid_grant","error_description":"Token is not active","error_uri":null}"#,
                ),
                expired,
            ),
            (Way::Revoked, expired),
            (Way::Blocked, expired),
            (Way::Copied, expired),
        ],
    )
};

const BY_STATUS: [Rule; 7] = with(
    Carrier::Cookie,
    [
        (Way::Says(NO, "{}"), SignedOutReason::Expired),
        (
            Way::Says(NO, r#"{"message":"no"}"#),
            SignedOutReason::Expired,
        ),
        (
            Way::Says(NO, r#"{"code":"refresh_reused"}"#),
            SignedOutReason::Expired,
        ),
        (Way::Says(NO, r#"{"code":401}"#), SignedOutReason::Expired),
        (
            Way::Says(NO, r#"{"error":{"code":"REFRESH_REUSED"}}"#),
            SignedOutReason::Expired,
        ),
        (Way::Says(NO, "[]"), SignedOutReason::Expired),
        (Way::Says(NO, "null"), SignedOutReason::Expired),
    ],
);

const fn with<const N: usize>(carrier: Carrier, rules: [(Way, SignedOutReason); N]) -> [Rule; N] {
    let mut all = [(rules[0].0, rules[0].1, carrier); N];
    let mut at = 1;
    while at < N {
        all[at] = (rules[at].0, rules[at].1, carrier);
        at += 1;
    }
    all
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Start,
    Idle,
    Wake,
    Call,
    Click,
}

const MOMENTS: [Moment; 5] = [
    Moment::Start,
    Moment::Idle,
    Moment::Wake,
    Moment::Call,
    Moment::Click,
];

async fn run(
    setting: &Setting,
    (rules, answers): (&'static [Rule], usize),
    rounds: usize,
    most: usize,
) -> (u64, u64) {
    let strict = Config {
        grace: Duration::ZERO,
        ..Config::default()
    };
    let backend = Backend::start(strict).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let once = || {
        rules
            .iter()
            .flat_map(|rule| MOMENTS.map(|moment| (*rule, moment)))
    };
    let jobs = (0..rounds).flat_map(|_| once()).take(most);
    let jobs = jobs
        .map(|(rule, moment)| {
            let backend = backend.clone();
            Job {
                name: format!("{rule:?} at {moment:?}"),
                slow: false,
                work: Box::pin(async move { one(&backend, rule, moment, answers).await }),
            }
        })
        .collect();
    pool::run("rejections", setting, jobs).await
}

/// One run, in which the session ends after this many `answers`.
async fn one(
    backend: &Backend,
    (way, wanted, carrier): Rule,
    moment: Moment,
    answers: usize,
) -> Result<(), Lost> {
    let mut client = ProxiedClient::signed_in(backend, carrier).await?;
    reject(backend, &client, way).await?;
    let asked = count_refreshes(&client);
    let copied = matches!(way, Way::Copied);
    match moment {
        // A start is what makes the app read the copy that is in the store.
        Moment::Start => client.restart()?,
        _ if copied => client.restart()?,
        Moment::Idle => client.clock.advance(A_LIFE),
        Moment::Wake => {
            client.clock.advance(Duration::from_secs(8 * 3600));
            let _ = tokio::join!(client.session.refresh(), client.session.fetch(get("/me")));
        }
        Moment::Call => {
            client.clock.advance(A_LIFE);
            let _ = client.session.fetch(get("/me")).await;
        }
        Moment::Click => {
            let _ = client.session.refresh().await;
        }
    }
    let found = client.until_signed_out().await?;
    if found != wanted {
        return Err(format!("the state is {found:?} in place of {wanted:?}"));
    }
    let asked = asked.load(Ordering::SeqCst);
    if asked != answers {
        return Err(format!(
            "it ended after {asked} answers in place of {answers}"
        ));
    }
    let cause = client.session.snapshot().cause;
    if cause != Cause::Rejected {
        return Err(format!("the cause is {cause:?}"));
    }
    after(backend, client, wanted).await
}

/// Counts the refreshes that are sent from here on.
fn count_refreshes(client: &ProxiedClient) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, refresh) = (asked.clone(), client.carrier.refresh_path());
    client.proxy.on_request(move |path| {
        counted.fetch_add(usize::from(path == refresh), Ordering::SeqCst);
    });
    asked
}

/// Checks that the session stays ended, and that the user can sign in again.
async fn after(
    backend: &Backend,
    mut client: ProxiedClient,
    wanted: SignedOutReason,
) -> Result<(), Lost> {
    let store = client.store.clone();
    try_eventually("an empty keyring", || !store.holds_a_session()).await?;
    let asked = count_refreshes(&client);
    client.restart()?;
    client.until_started().await?;
    let found = client.until_signed_out().await?;
    if found != wanted {
        return Err(format!("after the next start the state is {found:?}"));
    }
    if asked.load(Ordering::SeqCst) > 0 {
        return Err("the next start asked the backend again".into());
    }
    client
        .proxy
        .lift()
        .await
        .map_err(|error| error.to_string())?;
    backend.unblock(&client.email);
    client.sign_in().await?;
    if !is_fresh(&client.session.snapshot().state) || !client.store.holds_a_session() {
        return Err("a new sign-in does not last".into());
    }
    Ok(())
}

async fn reject(backend: &Backend, client: &ProxiedClient, way: Way) -> Result<(), Lost> {
    match way {
        Way::Says(status, body) => {
            let json = "content-type: application/json\r\n";
            let act = Act::Instead(Script::answer(status, json, body));
            let refresh = Some(client.carrier.refresh_path());
            let struck = client.proxy.strike(refresh, act).await;
            struck.map_err(|error| error.to_string())?;
        }
        Way::Revoked if backend.revoke_session(&client.email) == 0 => {
            return Err("the account had no session to revoke".into());
        }
        Way::Blocked if !backend.block(&client.email) => {
            return Err("there was no account to block".into());
        }
        Way::Revoked | Way::Blocked => {}
        Way::Copied => {
            let copy = client.stored()?;
            let renewed = client.session.refresh().await;
            renewed.map_err(|error| format!("the owner cannot refresh: {error}"))?;
            client.put_back(&copy)?;
        }
    }
    Ok(())
}
