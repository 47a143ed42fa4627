//! Wrong clocks are harmless.
//!
//! A healthy backend whose tokens claim to live for less than a minute; a client whose wall clock
//! is set to anything, whose machine sleeps for minutes or years, and which receives dates that
//! are years off. A run is lost if anybody is signed out, if the keyring item is deleted, or if
//! the timer sends two refreshes within 30 s of the machine's time. Every third life is that of a session
//! which the browser has begun.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use vestibule_backend::{Backend, Config};
use vestibule_core::testing::{Clock as _, SinceBoot};
use vestibule_harness::{Lost, TestClock, get, identity, is_fresh, try_eventually};

use crate::carrier::Carrier;
use crate::client::ProxiedClient;
use crate::pool::{self, Job};
use crate::proxy::{Act, Answer};
use crate::registry::Setting;
use crate::report::Row;

/// Clock jumps, sleeps and wrong backend clocks in one run; each counts as a case.
const STEPS: u64 = 12;
const YEAR: u64 = 365 * 24 * 3600;
/// The least time between two refreshes of the timer.
const LEAST: Duration = Duration::from_secs(30);

/// A hundred runs.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 120).await
}

/// Runs with more than 10⁵ steps together.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 8400).await
}

async fn run(setting: &Setting, lives: u64) -> Row {
    let backend = Backend::start(Config::default()).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let jobs = (0..lives)
        .map(|seed| {
            let backend = backend.clone();
            Job {
                name: format!("life {seed}"),
                slow: false,
                work: Box::pin(async move { life(&backend, seed).await }),
            }
        })
        .collect();
    let (lived, losses) = pool::run("wrong clocks", setting, jobs).await;
    Row {
        what: format!(
            "jumps, sleeps and clocks ±10 years off, either side, in {lived} lives of {STEPS}, a third of \
             them with a session of the browser"
        ),
        runs: lived * STEPS,
        losses,
        bound: "0 sign-outs, ≤ 1 refresh per 30 s",
        holds: losses == 0,
    }
}

/// When each refresh arrived, by the client's time since boot.
type Stamps = Arc<Mutex<Vec<SinceBoot>>>;

async fn life(backend: &Backend, seed: u64) -> Result<(), Lost> {
    let mut chance = StdRng::seed_from_u64(seed);
    let carrier = match seed % 3 {
        2 => Carrier::Provider,
        _ => Carrier::Cookie,
    };
    let client = ProxiedClient::signed_in(backend, carrier).await?;
    let before = identity(&client.session.snapshot().state);
    speak(&client, 0, true).await?;
    // From here on every token claims to live for less than the core accepts as shortest.
    let renewed = client.session.refresh().await;
    renewed.map_err(|error| format!("cannot refresh: {error}"))?;
    let stamps = Stamps::default();
    note_refreshes(&client, &stamps);
    let mut expected = 0;
    let mut tense = Duration::ZERO;
    for step in 0..STEPS {
        match chance.random_range(0..5) {
            0 => client.clock.set_wall(any_wall(&mut chance)),
            1 => speak(&client, chance.random_range(0..10 * YEAR), chance.random()).await?,
            2 if tense < LEAST => {
                // Too short for another refresh: an early one is found at the next sleep.
                let short = Duration::from_millis(chance.random_range(0..10_000));
                let short = short.min(LEAST - tense);
                tense += short;
                client.clock.advance(short);
            }
            _ => {
                client.clock.advance(any_sleep(&mut chance));
                if chance.random() {
                    client.clock.set_wall(any_wall(&mut chance));
                }
                expected += 1;
                tense = Duration::ZERO;
                settled(&client, &stamps, expected)
                    .await
                    .map_err(|lost| format!("step {step}: {lost}"))?;
            }
        }
    }
    let stamps = stamps.lock().unwrap_or_else(PoisonError::into_inner);
    if stamps.len() != expected || stamps.windows(2).any(|two| two[1] - two[0] < LEAST) {
        return Err(format!(
            "refreshed too often: {stamps:?} for {expected} sleeps"
        ));
    }
    if client.store.session_deletes() > 0 || identity(&client.session.snapshot().state) != before {
        return Err(format!("signed out: {:?}", client.session.snapshot()));
    }
    Ok(())
}

fn note_refreshes(client: &ProxiedClient, stamps: &Stamps) {
    let (stamps, clock): (Stamps, Arc<TestClock>) = (stamps.clone(), client.clock.clone());
    let refresh = client.carrier.refresh_path();
    client.proxy.on_request(move |path| {
        if path == refresh {
            let mut stamps = stamps.lock().unwrap_or_else(PoisonError::into_inner);
            stamps.push(clock.since_boot());
        }
    });
}

/// Waits until the refresh that a sleep makes due has ended: the timer sends it, and a call waits
/// for its end.
async fn settled(client: &ProxiedClient, stamps: &Stamps, expected: usize) -> Result<(), Lost> {
    let count = || stamps.lock().unwrap_or_else(PoisonError::into_inner).len();
    try_eventually("the refresh after a sleep", || count() >= expected).await?;
    match client.session.fetch(get("/me")).await {
        Ok(reply) if reply.status == 200 && is_fresh(&client.session.snapshot().state) => Ok(()),
        _ => Err(format!("not fresh: {:?}", client.session.snapshot())),
    }
}

/// A duration from minutes to ten years, each order of magnitude equally likely.
fn any_sleep(chance: &mut StdRng) -> Duration {
    let exponent = chance.random_range(0.0..1.0_f64);
    let (least, most) = (90.0_f64, (10 * YEAR) as f64);
    Duration::from_secs_f64(least * (most / least).powf(exponent))
}

/// A time within ten years of now, or that of a clock that was never set.
fn any_wall(chance: &mut StdRng) -> SystemTime {
    let off = Duration::from_secs(chance.random_range(0..10 * YEAR));
    match chance.random_range(0..5) {
        0 => SystemTime::UNIX_EPOCH,
        1 => SystemTime::UNIX_EPOCH - off,
        2 => SystemTime::now() + off,
        _ => SystemTime::now() - off,
    }
}

/// From now on the backend's clock is off by this many seconds, also in the expiry of its cookie,
/// and its tokens claim to live for a second.
async fn speak(client: &ProxiedClient, off: u64, ahead: bool) -> Result<(), Lost> {
    let off = Duration::from_secs(off);
    let told = move |time: SystemTime| {
        let time = if ahead { time + off } else { time - off };
        httpdate::fmt_http_date(time)
    };
    let act = Act::spoil(move |answer: Answer| {
        let date = told(SystemTime::now());
        let end = told(SystemTime::now() + Duration::from_secs(30 * 24 * 3600));
        let end = format!("Expires={end}; X-Age=");
        let body = String::from_utf8_lossy(&answer.body);
        // The same length as before, since `content-length` does not change.
        let body = body.replace(r#""expiresIn":900"#, r#""expiresIn":  1"#);
        let body = body.replace(r#""expires_in":900"#, r#""expires_in":  1"#);
        let spoiled = Answer {
            head: answer.head.replace("Max-Age=", &end),
            body: body.into_bytes(),
        };
        let spoiled = spoiled.without_header("date");
        spoiled.with_headers(&format!("date: {date}")).into()
    });
    client
        .proxy
        .lift()
        .await
        .map_err(|error| error.to_string())?;
    let struck = client
        .proxy
        .strike(Some(client.carrier.refresh_path()), act)
        .await;
    struck.map_err(|error| error.to_string())
}
