//! The moments at which a refresh can fail, and what must be true after each.

use std::time::{Duration, Instant};

use vestibule_core::wire::SignedOutReason;
use vestibule_harness::{A_LIFE, Lost, get, identity, try_eventually, why};

use super::Servers;
use crate::carrier::Carrier;
use crate::client::ProxiedClient;
use crate::network_faults::{FaultKind, NetworkFault};
use crate::proxy::{Act, Script};
use crate::secrecy::captured;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The app starts and finds a session.
    Start,
    /// The schedule finds a refresh due.
    Idle,
    /// The machine wakes up after hours: the timer, a click and a call come at once.
    Wake,
    /// A call to the API finds its token expired.
    Call,
    /// The user signs out.
    SignOut,
}

pub const MOMENTS: [Moment; 5] = [
    Moment::Start,
    Moment::Idle,
    Moment::Wake,
    Moment::Call,
    Moment::SignOut,
];

/// How long a sign-out may take on a busy machine. It must not wait for the network, whose time
/// limits begin at 5 s.
const SIGN_OUT_LIMIT: Duration = Duration::from_secs(4);

pub async fn run(
    servers: &Servers,
    carrier: Carrier,
    fault: &NetworkFault,
    moment: Moment,
    seed: u64,
) -> Result<(), Lost> {
    let mut client = ProxiedClient::signed_in(&servers.backend, carrier).await?;
    let before = identity(&client.session.snapshot().state);
    if moment == Moment::SignOut {
        return sign_out(servers, &mut client, fault).await;
    }
    meet(servers, &mut client, fault, moment, seed).await?;
    // The fault lasts for a few more refreshes.
    let tries = if fault.slow { 0 } else { seed % 4 };
    for _ in 0..tries {
        let revision = client.session.snapshot().revision;
        client.pass_to_the_next_try();
        client.until_failed(revision).await?;
    }
    check(&client, before.as_ref())?;
    lift(&mut client, fault).await?;
    client.until_fresh().await?;
    check(&client, before.as_ref())
}

/// The fault begins, and a first refresh fails.
async fn meet(
    servers: &Servers,
    client: &mut ProxiedClient,
    fault: &NetworkFault,
    moment: Moment,
    seed: u64,
) -> Result<(), Lost> {
    // A call may learn that its token has expired from the clock or from the backend.
    let told = moment == Moment::Call && seed % 2 == 1;
    let whole_way = !told && seed.is_multiple_of(3);
    strike(servers, client, fault, whole_way).await?;
    let displaced = matches!(fault.kind, FaultKind::Origin(_));
    if displaced {
        // The sign-in was a start already; this is another one.
        client.until_failed(0).await?;
    }
    let revision = client.session.snapshot().revision;
    match moment {
        Moment::Start if displaced => return Ok(()),
        Moment::Start => {
            client.restart()?;
            client.until_failed(0).await?;
            return Ok(());
        }
        Moment::Idle if displaced => client.pass_to_the_next_try(),
        Moment::Idle => client.clock.advance(A_LIFE),
        Moment::Wake => {
            client.clock.advance(Duration::from_secs(8 * 3600));
            let (clicked, called) =
                tokio::join!(client.session.refresh(), client.session.fetch(get("/me")));
            let (clicked, called) = (captured::result(clicked), captured::result(called));
            if clicked.is_ok() || called.is_ok_and(|reply| reply.status == 200) {
                return Err("the refresh succeeded in spite of the fault".into());
            }
        }
        Moment::Call => {
            if told && reaches_paths(fault) {
                let spent = r#"{"message":"no","code":"ACCESS_EXPIRED"}"#;
                let spent = Script::answer("401 Unauthorized", "", spent);
                let struck = client.proxy.strike(Some("/me"), Act::Instead(spent)).await;
                struck.map_err(|error| error.to_string())?;
            } else {
                client.clock.advance(A_LIFE);
            }
            let called = captured::result(client.session.fetch(get("/me")).await);
            if called.is_ok_and(|reply| reply.status == 200) {
                return Err("the call succeeded in spite of the fault".into());
            }
        }
        Moment::SignOut => {}
    }
    client.until_failed(revision).await.map(drop)
}

/// The user signs out during the fault, and signs in again after it.
async fn sign_out(
    servers: &Servers,
    client: &mut ProxiedClient,
    fault: &NetworkFault,
) -> Result<(), Lost> {
    strike(servers, client, fault, true).await?;
    let started = Instant::now();
    client.session.logout().await;
    let took = started.elapsed();
    if took > SIGN_OUT_LIMIT {
        return Err(format!("the sign-out took {took:?}"));
    }
    by_user(client, "at once")?;
    client.restart()?;
    client.until_started().await?;
    by_user(client, "at the next start")?;
    // When the state shows the sign-out, the deletion may still be in progress.
    let store = client.store.clone();
    try_eventually("an empty keyring", || !store.holds_a_session()).await?;
    client
        .proxy
        .lift()
        .await
        .map_err(|error| error.to_string())?;
    let home = client.proxy.url();
    client.move_to(&home).await?;
    client.sign_in().await?;
    let deletions = client.store.session_deletes();
    let before = identity(&client.session.snapshot().state);
    client
        .session
        .refresh()
        .await
        .map_err(|error| format!("the new session cannot be refreshed: {error}"))?;
    if client.store.session_deletes() != deletions || !client.store.holds_a_session() {
        return Err("the new session's token was deleted".into());
    }
    if identity(&client.session.snapshot().state) != before {
        return Err("the new session is gone".into());
    }
    Ok(())
}

fn by_user(client: &ProxiedClient, when: &str) -> Result<(), Lost> {
    match why(&client.session.snapshot().state) {
        Some(SignedOutReason::ByUser) => Ok(()),
        other => Err(format!(
            "{when} the state should be signed out by the user, but is {other:?}"
        )),
    }
}

/// Nobody was signed out, nothing was deleted, and the session is the same as before.
fn check(client: &ProxiedClient, before: Option<&(String, String)>) -> Result<(), Lost> {
    let state = client.session.snapshot().state;
    captured::value(&state);
    if client.store.session_deletes() > 0 || !client.store.holds_a_session() {
        return Err("the keyring's item was deleted".into());
    }
    if identity(&state).as_ref() != before {
        return Err(format!("another session than before: {state:?}"));
    }
    Ok(())
}

/// Whether the fault can be limited to a path.
fn reaches_paths(fault: &NetworkFault) -> bool {
    matches!(fault.kind, FaultKind::Way(Act::Instead(_) | Act::Spoil(_)))
}

async fn strike(
    servers: &Servers,
    client: &mut ProxiedClient,
    fault: &NetworkFault,
    whole_way: bool,
) -> Result<(), Lost> {
    match &fault.kind {
        FaultKind::Way(act) => {
            let path = (!whole_way).then_some(client.carrier.refresh_path());
            let struck = client.proxy.strike(path, act.clone()).await;
            struck.map_err(|error| format!("cannot strike: {error}"))
        }
        FaultKind::Origin(origin) => client.displace(&servers.origins.address(*origin)),
    }
}

async fn lift(client: &mut ProxiedClient, fault: &NetworkFault) -> Result<(), Lost> {
    match fault.kind {
        FaultKind::Way(_) => {
            let lifted = client.proxy.lift().await;
            lifted.map_err(|error| format!("cannot lift: {error}"))
        }
        FaultKind::Origin(_) => {
            let home = client.proxy.url();
            client.displace(&home)
        }
    }
}
