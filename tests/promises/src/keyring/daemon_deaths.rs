//! The keyring daemon may die without losing a stored token.
//!
//! The session rotates without pause against a backend without a grace window, while the daemon is
//! killed (SIGKILL) at random moments and started again. After each kill another process reads what
//! the new daemon holds: the newest generation whose write was confirmed to the core, or a later
//! one. The app goes on. While the daemon is away, its state says that the session is not
//! remembered, and soon after the daemon is back that it is. Every few rounds the app is killed
//! and started too: it must be signed in, or the token was lost. First with a session of a password, then
//! with one that the browser has begun.

use std::time::Duration;

use vestibule_backend::{Backend, Config};
use vestibule_bus::{Bus, Keyring};
use vestibule_harness::{Lost, is_fresh, remembered};

use super::is_kept;
use crate::app::{App, AppHome, Command};
use crate::carrier::Carrier;
use crate::registry::Setting;
use crate::report::Row;

/// The daemon is killed within this time from the start of a round: the time of a few rotations.
const MOMENTS_MS: u64 = 60;
/// How many rounds pass between two starts of the app.
const RESTART: u64 = 5;

/// A few deaths.
pub async fn short(setting: &Setting) -> Row {
    run(setting, [(Carrier::Cookie, 7), (Carrier::Provider, 5)]).await
}

/// The long form: many kills of the daemon.
pub async fn long(setting: &Setting) -> Row {
    let sessions = [(Carrier::Cookie, 300), (Carrier::Provider, 300)];
    run(setting, sessions).await
}

async fn run(setting: &Setting, sessions: [(Carrier, u64); 2]) -> Row {
    let (mut runs, mut losses, mut kept) = (0, 0, 0);
    for (carrier, rounds) in sessions {
        let (lost, written) = match all_rounds(setting, carrier, rounds).await {
            Ok(counted) => counted,
            Err(lost) => {
                eprintln!("\rkeyring daemon lost: {carrier:?}: {lost}");
                (rounds, 0)
            }
        };
        runs += rounds;
        losses += lost;
        kept += written;
    }
    let [_, (_, of_browser)] = sessions;
    Row {
        what: format!(
            "the keyring daemon killed while tokens rotate, {of_browser} times those of a session of the \
             browser; {kept} writes acknowledged"
        ),
        runs,
        losses,
        bound: "0 acknowledged writes lost",
        holds: losses == 0,
    }
}

async fn all_rounds(setting: &Setting, carrier: Carrier, rounds: u64) -> Result<(u64, u64), Lost> {
    let strict = Config {
        grace: Duration::ZERO,
        ..Config::default()
    };
    let backend = Backend::start(strict).await;
    let backend = backend.map_err(|error| format!("no backend: {error}"))?;
    let mut bus = Bus::start().map_err(|error| error.to_string())?;
    start(&mut bus)?;
    let home = super::home(setting, &backend, &bus, carrier)?;
    let mut app = settle(&home, &bus).await?;
    let mut losses = 0;
    for number in 0..rounds {
        if let Err(lost) = round(&home, &mut bus, &mut app, number).await {
            losses += 1;
            eprintln!("\rkeyring daemon lost: round {number}: {lost}");
            // Goes on with a new session, so that the next loss is counted separately.
            app.kill().await?;
            let _ = bus.kill_keyring();
            start(&mut bus)?;
            app = settle(&home, &bus).await?;
        }
        setting.progress("keyring daemon", number + 1, rounds);
    }
    Ok((losses, app.heard().kept))
}

/// Starts the app, signs in and waits until the session is stored.
async fn settle(home: &AppHome, bus: &Bus) -> Result<App, Lost> {
    let mut app = home.start(bus)?;
    app.ask(Command::SignIn(None)).await?;
    app.until_state("a session that is kept", is_kept).await?;
    Ok(app)
}

async fn round(home: &AppHome, bus: &mut Bus, app: &mut App, number: u64) -> Result<(), Lost> {
    app.ask(Command::Rotate).await?;
    // The random moment of the kill; nothing is waited for.
    let moment = rand::random_range(0..MOMENTS_MS * 1000);
    tokio::time::sleep(Duration::from_micros(moment)).await;
    tokio::task::block_in_place(|| bus.kill_keyring()).map_err(|error| error.to_string())?;
    if number % 2 == 1 {
        // Some rotations without a keyring; the state must say so.
        let unkept = |state: &_| remembered(state) == Some(false);
        app.until_state("a session that is not kept", unkept)
            .await?;
    }
    if number.is_multiple_of(3) {
        // The new daemon starts while tokens rotate.
        start(bus)?;
    }
    // Rotations without a keyring fail; the state says so.
    let _ = app.ask(Command::Rest).await;
    let acknowledged = app.heard().kept;
    if !number.is_multiple_of(3) {
        start(bus)?;
    }
    let found = home.generation(bus).await?;
    if found.is_none_or(|found| found < acknowledged) {
        return Err(format!(
            "the write of generation {acknowledged} was acknowledged, but the keyring holds {found:?}"
        ));
    }
    let kept = app.in_time("a session that is kept again", is_kept).await?;
    if !is_fresh(&kept) {
        return Err(format!("the session ended: {kept:?}"));
    }
    if number % RESTART == RESTART - 1 {
        app.kill().await?;
        *app = home.start(bus)?;
        app.until_state("the session after a restart", is_fresh)
            .await?;
    }
    Ok(())
}

fn start(bus: &mut Bus) -> Result<(), Lost> {
    let started = tokio::task::block_in_place(|| bus.start_keyring(Keyring::Unlocked));
    started.map_err(|error| error.to_string())
}
