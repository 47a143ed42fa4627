//! However many callers ask, one refresh is sent.
//!
//! A thousand callers at once, in the short form fewer, find that the access token has expired: by the
//! clock, or because the backend refuses it to each of them, with a fast refresh or a slow one. A round is lost if the
//! backend, which has no grace window, receives more than one refresh or none, or if one caller
//! gets no answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::testing::PAGE_GAP;
use vestibule_harness::{A_LIFE, Lost, get, is_fresh};

use crate::carrier::Carrier;
use crate::client::{Client, way};
use crate::registry::Setting;
use crate::report::Row;

/// Each caller has 30 s, which a thousand of them do not have beside the other tests of a busy machine.
const CALLERS_SHORT: usize = 250;
const CALLERS: usize = 1000;

/// Every kind of round twice; both kinds with a fast refresh once with a session of the browser.
pub async fn short(setting: &Setting) -> Row {
    let sessions = [(Carrier::Cookie, 8), (Carrier::Provider, 2)];
    run(setting, CALLERS_SHORT, sessions).await
}

/// The long form: many rounds.
pub async fn long(setting: &Setting) -> Row {
    let sessions = [(Carrier::Cookie, 200), (Carrier::Provider, 200)];
    run(setting, CALLERS, sessions).await
}

async fn run(setting: &Setting, callers: usize, sessions: [(Carrier, u64); 2]) -> Row {
    let (mut runs, mut losses) = (0, 0);
    for (carrier, rounds) in sessions {
        runs += rounds;
        losses += all_rounds(setting, carrier, callers, rounds).await;
    }
    let [_, (_, of_browser)] = sessions;
    Row {
        what: format!(
            "{callers} callers at once on a spent access token; {of_browser} of the rounds with a \
             session of the browser"
        ),
        runs,
        losses,
        bound: "exactly 1 refresh, every round",
        holds: losses == 0,
    }
}

/// Makes these rounds with one session. Returns how many were lost.
async fn all_rounds(setting: &Setting, carrier: Carrier, callers: usize, rounds: u64) -> u64 {
    let strict = Config {
        grace: Duration::ZERO,
        ..Config::default()
    };
    let backend = Backend::start(strict).await;
    let backend = backend.expect("the bundled backend starts on a free port");
    // Directly to the backend: a proxy in between would slow the callers down.
    let (_proxy, email) = way(&backend).await.expect("a fresh account");
    let client = Client::new(backend.url(), email, carrier).await;
    let client = client.expect("a session");
    client.sign_in().await.expect("the right password");
    let mut losses = 0;
    for number in 0..rounds {
        if let Err(lost) = round(&backend, &client, callers, number).await {
            losses += 1;
            eprintln!("\rsingle flight lost: {carrier:?}, round {number}: {lost}");
        }
        setting.progress("single flight", number + 1, rounds);
    }
    losses
}

async fn round(
    backend: &Backend,
    client: &Client,
    callers: usize,
    number: u64,
) -> Result<(), Lost> {
    let refresh = client.carrier.refresh_path();
    let before = backend.requests("POST", refresh);
    let slow = number % 4 >= 2;
    if slow {
        let delay = Fault::on("POST", refresh, Effect::Delay { ms: 100 });
        backend.faults().add(delay.times(1));
    }
    let by_clock = number.is_multiple_of(2);
    // A page may cause a refresh only after this gap.
    client.clock.advance(PAGE_GAP);
    if !by_clock {
        backend.expire_access_tokens();
    }
    let gate = Arc::new(Barrier::new(callers + usize::from(by_clock)));
    let mut answers = JoinSet::new();
    for _ in 0..callers {
        let (session, gate) = (client.session.clone(), gate.clone());
        answers.spawn(async move {
            gate.wait().await;
            session.fetch(get("/me")).await
        });
    }
    if by_clock {
        // The timer finds a refresh due at the same moment.
        client.clock.advance(A_LIFE);
        gate.wait().await;
    }
    let mut unserved = 0;
    let mut example = None;
    for answer in answers.join_all().await {
        if !matches!(&answer, Ok(reply) if reply.status == 200) {
            unserved += 1;
            example = Some(format!("{:?}", answer.map(|reply| reply.status)));
        }
    }
    let refreshes = backend.requests("POST", refresh) - before;
    if unserved > 0 {
        return Err(format!("{unserved} callers were not served: {example:?}"));
    }
    if refreshes != 1 {
        return Err(format!("{refreshes} refreshes"));
    }
    if !is_fresh(&client.session.snapshot().state) || client.store.session_deletes() > 0 {
        return Err("the session ended".into());
    }
    Ok(())
}
