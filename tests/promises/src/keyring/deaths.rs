//! P6: the keyring daemon may die.
//!
//! The session rotates without pause against a backend that forgives nothing, while the
//! daemon is killed (SIGKILL) at random moments and started again. After each death another
//! process looks at what the new daemon holds: a generation of which the core was told that
//! it is kept must be there, or a newer one. The app goes on, says that it is not
//! remembered while that is so, and is again soon after the daemon is back. Every few rounds
//! the app is killed and started too: it is signed in, or the token was lost.

use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_bus::{Bus, Keyring};

use super::resident::{Lodging, Resident, is_kept, remembered};
use crate::registry::Setting;
use crate::report::Row;
use crate::rig::{Lost, is_fresh};

/// A daemon dies within this time of the beginning of a round: some rotations' worth.
const MOMENTS_MS: u64 = 60;
/// The app is started anew every so many rounds.
const RESTART: u64 = 5;

/// A few deaths.
pub async fn short(setting: &Setting) -> Row {
    run(setting, 10).await
}

/// Many.
pub async fn long(setting: &Setting) -> Row {
    run(setting, 300).await
}

async fn run(setting: &Setting, rounds: u64) -> Row {
    let (losses, kept) = match world(setting, rounds).await {
        Ok(counted) => counted,
        Err(lost) => {
            eprintln!("\rP6 lost: {lost}");
            (rounds, 0)
        }
    };
    Row {
        promise: "P6",
        what: format!("the keyring daemon killed while tokens rotate, {kept} writes acknowledged"),
        runs: rounds,
        losses,
        bound: "0 acknowledged writes lost",
        holds: losses == 0,
    }
}

async fn world(setting: &Setting, rounds: u64) -> Result<(u64, u64), Lost> {
    let strict = Config {
        grace: Duration::ZERO,
        ..Config::default()
    };
    let backend = Backend::start(strict).await;
    let backend = backend.map_err(|error| format!("no backend: {error}"))?;
    let mut bus = Bus::start().map_err(|error| error.to_string())?;
    start(&mut bus)?;
    let lodging = Lodging::new(setting, &backend, &bus)?;
    let mut app = settle(&lodging, &bus).await?;
    let mut losses = 0;
    for number in 0..rounds {
        if let Err(lost) = round(&lodging, &mut bus, &mut app, number).await {
            losses += 1;
            eprintln!("\rP6 lost: round {number}: {lost}");
            // On with a new session: what comes next is counted by itself.
            app.kill().await?;
            let _ = bus.kill_keyring();
            start(&mut bus)?;
            app = settle(&lodging, &bus).await?;
        }
        setting.progress("P6", number + 1, rounds);
    }
    Ok((losses, app.kept()))
}

/// A start of the app, signed in anew and kept.
async fn settle(lodging: &Lodging, bus: &Bus) -> Result<Resident, Lost> {
    let mut app = lodging.move_in(bus)?;
    app.do_well("login").await?;
    app.until("a session that is kept", is_kept).await?;
    Ok(app)
}

async fn round(
    lodging: &Lodging,
    bus: &mut Bus,
    app: &mut Resident,
    number: u64,
) -> Result<(), Lost> {
    app.do_well("rotate").await?;
    // Not a wait for anything: the moment of the blow.
    let moment = rand::random_range(0..MOMENTS_MS * 1000);
    tokio::time::sleep(Duration::from_micros(moment)).await;
    tokio::task::block_in_place(|| bus.kill_keyring()).map_err(|error| error.to_string())?;
    if number % 2 == 1 {
        // Some rotations with no keyring at all, and it is said.
        let unkept = |state: &_| remembered(state) == Some(false);
        app.until("a session that is not kept", unkept).await?;
    }
    if number.is_multiple_of(3) {
        // The new daemon comes while tokens rotate on.
        start(bus)?;
    }
    app.do_well("rest").await?;
    let acknowledged = app.kept();
    if !number.is_multiple_of(3) {
        start(bus)?;
    }
    let found = lodging.generation(bus).await?;
    if found.is_none_or(|found| found < acknowledged) {
        return Err(format!(
            "generation {acknowledged} was acknowledged, and {found:?} is there"
        ));
    }
    let kept = app.in_time("a session that is kept again", is_kept).await?;
    if !is_fresh(&kept) {
        return Err(format!("the session did not go on: {kept:?}"));
    }
    if number % RESTART == RESTART - 1 {
        app.kill().await?;
        *app = lodging.move_in(bus)?;
        app.until("the session after a restart", is_fresh).await?;
    }
    Ok(())
}

fn start(bus: &mut Bus) -> Result<(), Lost> {
    let started = tokio::task::block_in_place(|| bus.start_keyring(Keyring::Unlocked));
    started.map_err(|error| error.to_string())
}
