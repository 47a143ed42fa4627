//! A keyring that is locked, absent or hung never blocks the UI.
//!
//! In each [`KeyringFault`] the app is started, signed in, used, and left alone. When the fault
//! passes, the session must get into the keyring without a restart. Then the same fault happens
//! to an app that starts with a session, and to one that signs out. Meanwhile the state is read all
//! the time, as a window does. A run is lost if a call of the keyring exceeds its bound, if a read
//! of the state or a sign-out waits, if the state is wrong, or if the session is not stored in
//! the end. Every second fault strikes a session that the browser has begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_core::wire::{SessionState, SignedOutReason};
use vestibule_harness::{Lost, identity, is_fresh, remembered, why};

use super::faults::{FaultScenario, KEYRING_FAULTS, KeyringFault};
use super::is_kept;
use crate::app::{App, AppHome, Command, Probe};
use crate::carrier::Carrier;
use crate::pool::{self, Job};
use crate::registry::Setting;
use crate::report::Row;

/// The bound of a call of the keyring, in milliseconds: the core's own limit. It waits 2.5 s for a prompt.
const CALL_MS: u64 = 3_000;
/// What a busy machine, and the requests of a sign-in or a refresh, may add. A call that waits for the prompt
/// twice takes 5 s and exceeds both together. The row names it.
const ALLOWANCE_MS: u64 = 1_500;
const BOUND: &str =
    "calls ≤ 3 s (+ 1.5 s for a busy machine), UI ≤ 200 ms, healed without a restart";
/// How long a read of the state may take, in milliseconds.
const WINDOW_MS: u64 = 200;
/// A start shows the stored user after this time at the latest: the second that it waits for the
/// backend, and an allowance for a busy machine.
const SHOWN: Duration = Duration::from_millis(2_000);

/// A session of a password and one of the browser, in turn.
const CARRIERS: [Carrier; 2] = [Carrier::Cookie, Carrier::Provider];

/// Each fault once.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 1).await
}

/// Each fault many times.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 60).await
}

async fn run(setting: &Setting, times: usize) -> Row {
    let backend = Backend::start(Config::default()).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let worst = Arc::new(Worst::default());
    let job = |fault: KeyringFault, number: usize, carrier: Carrier| {
        let (backend, setting, worst) = (backend.clone(), setting.clone(), worst.clone());
        Job {
            name: format!("{fault}, {carrier:?}"),
            // Few at a time, since the times of the reads are measured.
            slow: false,
            work: Box::pin(async move {
                course(&setting, &backend, (fault, carrier), number, &worst).await
            }),
        }
    };
    // Each fault strikes both kinds of sessions in turn.
    let jobs = (0..times).flat_map(|number| {
        let all = KEYRING_FAULTS.into_iter().enumerate();
        all.map(move |(at, fault)| (fault, number, CARRIERS[(number + at) % 2]))
    });
    let jobs = jobs.map(|(fault, number, carrier)| job(fault, number, carrier));
    let (runs, losses) = pool::run("silent keyring", setting, jobs.collect()).await;
    Row {
        what: format!(
            "{} kinds of silence: calls ended in {:.1} s, the window waited {} ms, a sign-out {} ms",
            KEYRING_FAULTS.len(),
            worst.call_ms.load(Ordering::Relaxed) as f64 / 1000.0,
            worst.window_ms.load(Ordering::Relaxed),
            worst.logout_ms.load(Ordering::Relaxed),
        ),
        runs,
        losses,
        bound: BOUND,
        holds: losses == 0
            && worst.call_ms.load(Ordering::Relaxed) <= CALL_MS + ALLOWANCE_MS
            && worst.window_ms.load(Ordering::Relaxed) <= WINDOW_MS
            && worst.logout_ms.load(Ordering::Relaxed) <= WINDOW_MS,
    }
}

/// The longest times.
#[derive(Default)]
struct Worst {
    call_ms: AtomicU64,
    window_ms: AtomicU64,
    logout_ms: AtomicU64,
}

async fn course(
    setting: &Setting,
    backend: &Backend,
    (fault, carrier): (KeyringFault, Carrier),
    number: usize,
    worst: &Worst,
) -> Result<(), Lost> {
    let mut scene = FaultScenario::new()?;
    let home = super::home(setting, backend, scene.bus(), carrier)?;
    scene.strike(fault)?;
    let mut app = home.start(scene.bus())?;
    first_run(&mut app, &mut scene, fault, number, worst).await?;
    settle_up(app, worst).await?;

    scene.strike(fault)?;
    let mut app = home.start(scene.bus())?;
    second_run(&mut app, &mut scene, fault).await?;
    scene.strike(fault)?;
    let out = app.ask(Command::SignOut).await?;
    bounded("a sign-out", out.ms, WINDOW_MS)?;
    worst.logout_ms.fetch_max(out.ms, Ordering::Relaxed);
    let over = app
        .until_state("the sign-out", |state| why(state).is_some())
        .await?;
    by_user(over.state.as_ref().and_then(why))?;
    settle_up(app, worst).await?;

    // The session is gone, although the keyring could not be told at the time.
    let mut app = home.start(scene.bus())?;
    let started = app.until_state("the start to be over", |state| why(state).is_some());
    by_user(started.await?.state.as_ref().and_then(why))?;
    scene.heal(fault)?;
    app.kill().await?;
    let mut app = home.start(scene.bus())?;
    let started = app.until_state("the start to be over", |state| why(state).is_some());
    by_user(started.await?.state.as_ref().and_then(why))?;
    emptied(&home, &scene).await?;
    settle_up(app, worst).await
}

/// Signs in while the fault lasts.
async fn first_run(
    app: &mut App,
    scene: &mut FaultScenario,
    fault: KeyringFault,
    number: usize,
    worst: &Worst,
) -> Result<(), Lost> {
    app.until_state("the start to be over", |state| why(state).is_some())
        .await?;
    // The keyring shows its prompt, and nobody answers it.
    for call in [Probe::Read, Probe::Write, Probe::Unlock] {
        let done = app.ask(Command::Probe(call)).await?;
        worst.call_ms.fetch_max(done.ms, Ordering::Relaxed);
        bounded(&format!("{call:?}"), done.ms, CALL_MS + ALLOWANCE_MS)?;
        // A locked keyring may answer that it has no item; other calls must fail.
        if done.refused.is_none() && (call != Probe::Read || fault != KeyringFault::Locked) {
            return Err(format!("the fault has no effect: {call:?} succeeded"));
        }
    }
    let done = app.ask(Command::SignIn(None)).await?;
    worst.call_ms.fetch_max(done.ms, Ordering::Relaxed);
    bounded("a sign-in", done.ms, CALL_MS + ALLOWANCE_MS)?;
    let is_in = |state: &SessionState| remembered(state).is_some();
    let signed_in = app.until_state("somebody signed in", is_in).await?;
    let state = signed_in.state.clone().ok_or("no state")?;
    if remembered(&state) != Some(false) || state.storage != fault.shows_as() || !is_fresh(&state) {
        return Err(format!("signed in, but the state is {state:?}"));
    }
    let done = app.ask(Command::Call).await?;
    bounded("a call of the API", done.ms, WINDOW_MS)?;
    // One read of the keyring and one write.
    let done = app.ask(Command::Refresh).await?;
    bounded("a refresh", done.ms, 2 * CALL_MS + ALLOWANCE_MS)?;
    if number % 4 == 3 && fault.hangs() {
        // Time passes until no further write is tried at once.
        for _ in 0..12 {
            app.ask(Command::Pass(10)).await?;
            app.ask(Command::Probe(Probe::Read)).await?;
        }
    }
    scene.heal(fault)?;
    let kept = app.in_time("the session in the keyring", is_kept).await?;
    if !is_fresh(&kept) {
        return Err(format!("kept, but {kept:?}"));
    }
    Ok(())
}

/// Starts with a stored session while the keyring does not answer.
async fn second_run(
    app: &mut App,
    scene: &mut FaultScenario,
    fault: KeyringFault,
) -> Result<(), Lost> {
    let shown = |state: &_| identity(state).is_some() || why(state).is_some();
    let state = app.state_within(SHOWN, "the stored user", shown).await?;
    if identity(&state).is_none() || is_fresh(&state) {
        return Err(format!("the start shows {state:?}"));
    }
    let told = |state: &SessionState| state.storage == fault.shows_as();
    app.until_state("the fault to be shown", told).await?;
    scene.heal(fault)?;
    app.in_time("a fresh session", |state| is_fresh(state) && is_kept(state))
        .await
        .map(drop)
}

/// Checks the longest read of the state, and ends this run of the app.
async fn settle_up(mut app: App, worst: &Worst) -> Result<(), Lost> {
    app.ask(Command::Pass(0)).await?;
    worst
        .window_ms
        .fetch_max(app.slowest_ms(), Ordering::Relaxed);
    bounded("the window", app.slowest_ms(), WINDOW_MS)?;
    app.kill().await.map(drop)
}

async fn emptied(home: &AppHome, scene: &FaultScenario) -> Result<(), Lost> {
    for _ in 0..200 {
        if home.generation(scene.bus()).await?.is_none() {
            return Ok(());
        }
    }
    Err("the keyring still holds the session that the user has left".into())
}

fn by_user(why: Option<SignedOutReason>) -> Result<(), Lost> {
    match why {
        Some(SignedOutReason::ByUser) => Ok(()),
        other => Err(format!(
            "signed out by the user, but the state is {other:?}"
        )),
    }
}

fn bounded(what: &str, ms: u64, limit: u64) -> Result<(), Lost> {
    if ms > limit {
        return Err(format!("{what} took {ms} ms"));
    }
    Ok(())
}
