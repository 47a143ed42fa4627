//! The moments at which a refresh can fail, and what must be true after each.

use std::time::{Duration, Instant};

use vestibule_core::wire::SignedOutReason;

use super::World;
use crate::network_faults::{FaultKind, NetworkFault};
use crate::proxy::{Act, Script};
use crate::rig::{A_LIFE, Lost, REFRESH, Rig, eventually, get, identity, why};
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
    world: &World,
    fault: &NetworkFault,
    moment: Moment,
    seed: u64,
) -> Result<(), Lost> {
    let mut rig = Rig::signed_in(&world.backend).await?;
    let before = identity(&rig.session.snapshot().state);
    if moment == Moment::SignOut {
        return sign_out(world, &mut rig, fault).await;
    }
    meet(world, &mut rig, fault, moment, seed).await?;
    // The fault lasts for a few more refreshes.
    let tries = if fault.slow { 0 } else { seed % 4 };
    for _ in 0..tries {
        let revision = rig.session.snapshot().revision;
        rig.pass_to_the_next_try();
        rig.until_failed(revision).await?;
    }
    check(&rig, before.as_ref())?;
    lift(&mut rig, fault).await?;
    rig.until_fresh().await?;
    check(&rig, before.as_ref())
}

/// The fault begins, and a first refresh fails.
async fn meet(
    world: &World,
    rig: &mut Rig,
    fault: &NetworkFault,
    moment: Moment,
    seed: u64,
) -> Result<(), Lost> {
    // A call may learn that its token has expired from the clock or from the backend.
    let told = moment == Moment::Call && seed % 2 == 1;
    let whole_way = !told && seed.is_multiple_of(3);
    strike(world, rig, fault, whole_way).await?;
    let displaced = matches!(fault.kind, FaultKind::Origin(_));
    if displaced {
        // The sign-in was a start already; this is another one.
        rig.until_failed(0).await?;
    }
    let revision = rig.session.snapshot().revision;
    match moment {
        Moment::Start if displaced => return Ok(()),
        Moment::Start => {
            rig.restart()?;
            rig.until_failed(0).await?;
            return Ok(());
        }
        Moment::Idle if displaced => rig.pass_to_the_next_try(),
        Moment::Idle => rig.clock.advance(A_LIFE),
        Moment::Wake => {
            rig.clock.advance(Duration::from_secs(8 * 3600));
            let (clicked, called) =
                tokio::join!(rig.session.refresh(), rig.session.fetch(get("/me")));
            let (clicked, called) = (captured::result(clicked), captured::result(called));
            if clicked.is_ok() || called.is_ok_and(|reply| reply.status == 200) {
                return Err("the refresh succeeded in spite of the fault".into());
            }
        }
        Moment::Call => {
            if told && reaches_paths(fault) {
                let spent = r#"{"message":"no","code":"ACCESS_EXPIRED"}"#;
                let spent = Script::answer("401 Unauthorized", "", spent);
                let struck = rig.proxy.strike(Some("/me"), Act::Instead(spent)).await;
                struck.map_err(|error| error.to_string())?;
            } else {
                rig.clock.advance(A_LIFE);
            }
            let called = captured::result(rig.session.fetch(get("/me")).await);
            if called.is_ok_and(|reply| reply.status == 200) {
                return Err("the call succeeded in spite of the fault".into());
            }
        }
        Moment::SignOut => {}
    }
    rig.until_failed(revision).await.map(drop)
}

/// The user signs out during the fault, and signs in again after it.
async fn sign_out(world: &World, rig: &mut Rig, fault: &NetworkFault) -> Result<(), Lost> {
    strike(world, rig, fault, true).await?;
    let started = Instant::now();
    rig.session.logout().await;
    let took = started.elapsed();
    if took > SIGN_OUT_LIMIT {
        return Err(format!("the sign-out took {took:?}"));
    }
    by_user(rig, "at once")?;
    rig.restart()?;
    rig.until_started().await?;
    by_user(rig, "at the next start")?;
    // When the state shows the sign-out, the deletion may still be in progress.
    let store = rig.store.clone();
    eventually("an empty keyring", || store.is_empty()).await?;
    rig.proxy.lift().await.map_err(|error| error.to_string())?;
    let home = rig.proxy.url();
    rig.move_to(&home).await?;
    rig.sign_in().await?;
    let deletions = rig.store.deletions();
    let before = identity(&rig.session.snapshot().state);
    rig.session
        .refresh()
        .await
        .map_err(|error| format!("the new session cannot be refreshed: {error}"))?;
    if rig.store.deletions() != deletions || rig.store.is_empty() {
        return Err("the new session's token was deleted".into());
    }
    if identity(&rig.session.snapshot().state) != before {
        return Err("the new session is gone".into());
    }
    Ok(())
}

fn by_user(rig: &Rig, when: &str) -> Result<(), Lost> {
    match why(&rig.session.snapshot().state) {
        Some(SignedOutReason::ByUser) => Ok(()),
        other => Err(format!(
            "{when} the state should be signed out by the user, but is {other:?}"
        )),
    }
}

/// Nobody was signed out, nothing was deleted, and the session is the same as before.
fn check(rig: &Rig, before: Option<&(String, String)>) -> Result<(), Lost> {
    let state = rig.session.snapshot().state;
    captured::value(&state);
    if rig.store.deletions() > 0 || rig.store.is_empty() {
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
    world: &World,
    rig: &mut Rig,
    fault: &NetworkFault,
    whole_way: bool,
) -> Result<(), Lost> {
    match &fault.kind {
        FaultKind::Way(act) => {
            let path = (!whole_way).then_some(REFRESH);
            let struck = rig.proxy.strike(path, act.clone()).await;
            struck.map_err(|error| format!("cannot strike: {error}"))
        }
        FaultKind::Origin(origin) => rig.displace(&world.origins.address(*origin)),
    }
}

async fn lift(rig: &mut Rig, fault: &NetworkFault) -> Result<(), Lost> {
    match fault.kind {
        FaultKind::Way(_) => {
            let lifted = rig.proxy.lift().await;
            lifted.map_err(|error| format!("cannot lift: {error}"))
        }
        FaultKind::Origin(_) => {
            let home = rig.proxy.url();
            rig.displace(&home)
        }
    }
}
